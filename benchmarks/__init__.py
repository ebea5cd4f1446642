"""What is fast and what is good, measured side by side. Results with machine and date: results.md."""
