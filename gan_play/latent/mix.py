"""Style mixing: one picture with another's composition, form or colour (Karras 2019, figure 3).

Promises: canonical pixels throughout (see `sample`). Weights of 0 give picture a exactly; a tile of the figure is
the same picture as the single mix of its two seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from gan_play import limits
from gan_play.latent.sample import (
    Model,
    Seed,
    canonical,
    check_label,
    check_number,
    check_seed,
    check_seeds,
    check_truncation,
    noise_of_seed,
    sample,
    styles_of,
)
from gan_play.pictures import images
from gan_play.refusals import Refused, refuse

BANDS: dict[str, tuple[float, float, float]] = {
    "coarse": (1.0, 0.0, 0.0),  # composition
    "middle": (0.0, 1.0, 0.0),  # form
    "fine": (0.0, 0.0, 1.0),  # colour and brushwork
}
"""The weights (coarse, middle, fine) that take one whole band from picture b."""


def check_band(band: object) -> str:
    """`band` if it is coarse, middle or fine; else Refused."""
    if not isinstance(band, str) or band not in BANDS:
        raise Refused(refuse("band", str(band)))
    return band


def check_weights(weights: object) -> tuple[float, float, float]:
    """Three weights from 0 (all a) to 1 (all b), or Refused."""
    if not isinstance(weights, (list, tuple)) or len(weights) != 3:
        raise Refused(refuse("weight", str(weights), low=0, high=1))
    coarse, middle, fine = (check_number(weight, 0.0, 1.0, "weight") for weight in weights)
    return coarse, middle, fine


def blend_noise(noise_a: list[Tensor], noise_b: list[Tensor], amount: float) -> list[Tensor]:
    """Noise on the way from a to b, along the quarter circle, so that it is as strong everywhere. Ends are exact."""
    if amount <= 0.0:
        return noise_a
    if amount >= 1.0:
        return noise_b
    near, far = math.cos(amount * math.pi / 2), math.sin(amount * math.pi / 2)
    return [near * a + far * b for a, b in zip(noise_a, noise_b)]


def mix(
    model: Model,
    seed_a: Seed,
    seed_b: Seed,
    weights: tuple[float, float, float],
    truncation: float = 0.7,
    label: int | None = None,
    label_b: int | None = None,
) -> np.ndarray:
    """Picture a with b's coarse, middle and fine styles by their weights (0 all a, 1 all b).  # uint8 (S, S, 3)

    The noise, the finest detail of all, goes with the fine styles. b has the label of a unless `label_b` says
    another.
    """
    seed_a, seed_b, weights = check_seed(seed_a), check_seed(seed_b), check_weights(weights)
    truncation, label = check_truncation(truncation), check_label(model, label)
    label_b = label if label_b is None else check_label(model, label_b)
    with canonical():
        ws_a = styles_of(model, seed_a, truncation, label)
        ws_b = styles_of(model, seed_b, truncation, label_b)
        noise_a, noise_b = (noise_of_seed(model, seed) for seed in (seed_a, seed_b))
        noise = blend_noise(noise_a, noise_b, weights[2])
        return images.to_pixels(model.generator.mix(ws_a, ws_b, weights, noise or None))[0]


def mix_tiles(
    model: Model,
    rows: Sequence[Seed],
    columns: Sequence[Seed],
    band: str,
    truncation: float = 0.7,
    label: int | None = None,
) -> np.ndarray:
    """The inner pictures of the figure: a row's seed gives the band, a column's the rest.  # uint8 (R, C, S, S, 3)"""
    rows, columns = (check_seeds(seeds, 1, limits.MOST_MIX_SEEDS) for seeds in (rows, columns))
    weights = BANDS[check_band(band)]
    return np.stack(
        [
            np.stack([mix(model, column, row, weights, truncation, label) for column in columns])
            for row in rows
        ]
    )


def mix_grid(
    model: Model,
    rows: Sequence[Seed],
    columns: Sequence[Seed],
    band: str,
    truncation: float = 0.7,
    label: int | None = None,
) -> np.ndarray:
    """The whole figure: the columns' pictures along the top, the rows' down the left, the mixes between them.

    # uint8 (H, W, 3), tiles of the model's size with a gap of 2 px, the corner left empty
    """
    tiles = mix_tiles(model, rows, columns, band, truncation, label)
    across, down = sample(model, columns, truncation, label), sample(model, rows, truncation, label)
    corner = np.broadcast_to(np.uint8(images.NEUTRAL), across[:1].shape)
    figure = [corner, across]
    for head, line in zip(down, tiles):
        figure += [head[None], line]
    return images.grid(np.concatenate(figure), columns=len(across) + 1)
