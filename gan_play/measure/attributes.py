"""What can be measured of a picture without any network: light, colour, contrast, detail, order.

Every function takes pictures as floats in [0, 1], (N, 3, S, S), and returns one number for each, (N,); all of them can
be differentiated, so that one can ask what to change for a picture to have more of it. Luma is 0.299 R + 0.587 G +
0.114 B (ITU-R BT.601).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

CELLS = 16  # a side, for what is independent of texture


def luma(x: Tensor) -> Tensor:
    """How light each place is.  # (N, 3, S, S) -> (N, S, S)"""
    return 0.299 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2]


def light(x: Tensor) -> Tensor:
    """Mean luma."""
    return luma(x).mean(dim=(1, 2))


def warmth(x: Tensor) -> Tensor:
    """Red less blue, on average."""
    return (x[:, 0] - x[:, 2]).mean(dim=(1, 2))


def saturation(x: Tensor) -> Tensor:
    """Chroma: the largest of a place's three colours less the smallest, on average."""
    return (x.amax(dim=1) - x.amin(dim=1)).mean(dim=(1, 2))


def hue(x: Tensor) -> Tensor:
    """Green less the mean of red and blue, on average: from magenta to green, across warmth."""
    return (x[:, 1] - (x[:, 0] + x[:, 2]) / 2).mean(dim=(1, 2))


def contrast(x: Tensor) -> Tensor:
    """The standard deviation of luma."""
    y = luma(x)
    return ((y - y.mean(dim=(1, 2), keepdim=True)).square().mean(dim=(1, 2)) + 1e-12).sqrt()


def detail(x: Tensor) -> Tensor:
    """How much the luma of a place differs from its four neighbours' mean, on average."""
    y = luma(x)
    around = (y[:, :-2, 1:-1] + y[:, 2:, 1:-1] + y[:, 1:-1, :-2] + y[:, 1:-1, 2:]) / 4
    return (y[:, 1:-1, 1:-1] - around).abs().mean(dim=(1, 2))


def symmetry(x: Tensor) -> Tensor:
    """The correlation of luma with its mirror image: 1 where both sides are the same."""
    y = luma(x)
    y = y - y.mean(dim=(1, 2), keepdim=True)
    return (y * y.flip(2)).mean(dim=(1, 2)) / (y.square().mean(dim=(1, 2)) + 1e-6)


def horizon(x: Tensor) -> Tensor:
    """Luma of the upper third less that of the lower: a light sky over dark ground."""
    y = luma(x)
    third = y.shape[1] // 3
    return y[:, :third].mean(dim=(1, 2)) - y[:, -third:].mean(dim=(1, 2))


def busyness(x: Tensor) -> Tensor:
    """How much neighbouring cells, a sixteenth of the side each, differ in luma: many shapes, whatever their skin."""
    y = luma(x)[:, None]
    cells = F.avg_pool2d(y, max(1, y.shape[2] // CELLS))
    return (cells.diff(dim=2).abs().mean(dim=(1, 2, 3)) + cells.diff(dim=3).abs().mean(dim=(1, 2, 3))) / 2


class Attribute(NamedTuple):
    """Something that can be measured, and how widely it is spread among paintings."""

    of: Callable[[Tensor], Tensor]
    spread: float


ATTRIBUTES: dict[str, Attribute] = {
    "light": Attribute(light, 0.17),
    "warmth": Attribute(warmth, 0.09),
    "saturation": Attribute(saturation, 0.08),
    "hue": Attribute(hue, 0.029),
    "contrast": Attribute(contrast, 0.052),
    "detail": Attribute(detail, 0.013),
    "symmetry": Attribute(symmetry, 0.28),
    "horizon": Attribute(horizon, 0.17),
    "busyness": Attribute(busyness, 0.023),
}
"""By name. Places and spreads are part of what share codes mean: add at the end only. The spreads are standard
deviations over 2,000 of the old masters at 64 px, rounded."""


def measure(x: Tensor) -> Tensor:
    """Every attribute of every picture, in units of its spread.  # (N, 3, S, S) in [0, 1] -> (N, A)"""
    return torch.stack([attribute.of(x) / attribute.spread for attribute in ATTRIBUTES.values()], dim=1)
