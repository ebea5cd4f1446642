"""How the networks are trained: losses, augmentation, one step, the loop, and the table of recipes."""
