"""What a slider shows while it is dragged: the steered picture at once, on a graphics card where there is one.

Without a card that is the canonical picture itself. A card's differs from it by little, as another kind of processor
rounds its sums otherwise, so nothing that is kept, shared or sealed comes from here: once the slider is let go the page
shows the canonical picture.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gan_play.latent import breed, steer
from gan_play.latent.breed import Genome
from gan_play.latent.directions import along, covariance
from gan_play.latent.sample import Model, canonical, check_truncation
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.pictures import images

REMEMBERED = 4
"""Pictures of a model that are ready on the card: somebody steers one, and a few may steer at once."""

_copies: weakref.WeakKeyDictionary[nn.Module, dict[str, nn.Module]] = weakref.WeakKeyDictionary()
_ready: weakref.WeakKeyDictionary[nn.Module, dict[tuple, Ready]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Ready:
    """A picture before it is steered, on a card: each band's styles (1, L, w_dim), its noise, what moves each
    attribute (A, 3, w_dim)."""

    bands: tuple[Tensor, Tensor, Tensor]
    noise: list[Tensor]
    ways: Tensor


def place() -> str:
    """Where pictures are previewed: "cuda" where there is a graphics card, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def paint(
    model: Model,
    genome: Genome,
    truncation: float = 0.7,
    steps: Sequence[tuple[str, float]] = (),
    device: str = "",
) -> np.ndarray:
    """The picture of a genome, steered, as quickly as it can be had: on `device`, by default where `place` says.

    # uint8 (S, S, 3)
    Where the card has no room left, by a training perhaps, it is the canonical one. Refused as `steer.paint`.
    """
    device = device or place()
    if device != "cpu":
        try:
            return _on_card(model, genome, check_truncation(truncation), steer.check_steps(steps), device)
        except RuntimeError:  # the card's: out of memory, or taken away
            pass
    return steer.paint(model, genome, truncation, steps)


def _on_card(model: Model, genome: Genome, truncation: float, steps: steer.Steps, device: str) -> np.ndarray:
    painter = copied(model.generator, device)
    ready = _prepared(model, painter, genome, truncation, device)
    names, bands = list(ATTRIBUTES), ready.bands
    with torch.inference_mode():
        for name, by in steps:
            way = ready.ways[names.index(name)] if name in ATTRIBUTES else along(model, name).to(device)
            bands = tuple(ws + by * more for ws, more in zip(bands, way))
        return images.to_pixels(painter.merge(bands, ready.noise or None))[0]


def copied(generator: nn.Module, device: str) -> nn.Module:
    """The generator on another device; the one in hand stays where it is."""
    copies = _copies.setdefault(generator, {})
    if device not in copies:
        copies[device] = copy.deepcopy(generator).to(device)
    return copies[device]


def _prepared(model: Model, painter: nn.Module, genome: Genome, truncation: float, device: str) -> Ready:
    known = _ready.setdefault(model.generator, {})
    asked = (genome, truncation, device)
    if asked in known:
        return known[asked]
    with canonical():
        bands, noise = breed.styles(model, genome, truncation)
    bands = tuple(ws.to(device) for ws in bands)
    noise = [level.to(device) for level in noise]
    ways = steer.derived(painter, bands, noise, covariance(model))
    while len(known) >= REMEMBERED:
        known.pop(next(iter(known)), None)
    known[asked] = ready = Ready(bands, noise, ways)
    return ready
