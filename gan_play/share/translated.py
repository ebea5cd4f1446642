"""A picture translated by a model, as its code says: the picture that it was made from is looked up in the home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from gan_play.latent.sample import Model
from gan_play.share.translation_code import Translation
from gan_play.translate import inputs, translator


def paint(
    home: Path,
    model: Model,
    translation: Translation,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """The painting, canonically; of a large one `progress(done, total)` is told each tile.  # uint8 (H, W, 3)

    Refused where the picture isn't here, or it can't be done.
    """
    pixels = inputs.find(home, translation.picture)
    mask = as_mask(inputs.find(home, translation.mask)) if translation.mask else None
    dials = translation.dials
    return translator.translate(model, pixels, dials.strength, mask, progress, **turned(dials))


def turned(dials: translator.Dials) -> dict[str, object]:
    """All dials but the strength, by name."""
    return {name: value for name, value in dials._asdict().items() if name != "strength"}


def as_mask(pixels: np.ndarray) -> np.ndarray:
    """Where a mask's picture (H, W, 3) is white.  # bool (H, W)"""
    return pixels.mean(axis=2) > 127
