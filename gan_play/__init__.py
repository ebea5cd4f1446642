"""GAN Play: drop in pictures, train a GAN on them, watch it learn, play with it, share a link."""

__version__ = "0.1.0"
