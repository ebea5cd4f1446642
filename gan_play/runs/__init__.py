"""What must not be lost: training states, run folders, and the process that trains."""
