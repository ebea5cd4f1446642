"""Networks only: torch in, torch out. Nothing here prints, saves or opens pictures."""
