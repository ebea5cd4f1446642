"""Pictures of one's own, turned into others. Pixels in, pixels out."""
