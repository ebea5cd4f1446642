"""How good and how honest a model is, in features of a network that never took part in its training."""
