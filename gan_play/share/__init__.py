"""Artworks leave the house: codes that name a picture, and the canonical renderer that brings it back."""
