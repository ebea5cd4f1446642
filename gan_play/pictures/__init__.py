"""How pictures come in: bytes to clean pixels, folders and ZIPs to sets, sets to blocks ready for training."""
