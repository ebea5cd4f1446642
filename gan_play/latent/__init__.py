"""Playing with a trained generator: sampling, mixing, walking. Pixels out; nothing here trains."""
