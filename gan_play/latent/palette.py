"""Painting towards a palette: the same picture in other colours, by moving its styles.

The colours are those of a picture, or five that were chosen. Every place of the painting is to be near one of them,
and each of them is to be near some place, so that all are used; and its lights and darks are to stay where they were.
The road is that of a projection (`project`), and so is what comes out: a `Found` point.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_play.latent import breed, project, steer
from gan_play.latent.breed import Genome
from gan_play.latent.found import Found
from gan_play.latent.sample import Model, canonical
from gan_play.measure.attributes import luma
from gan_play.pictures import images
from gan_play.refusals import Refused, refuse

COLOURS = 5
STEPS = 100

KEEP = 0.6
"""Weight of the lights and darks that are to stay, against the colours."""

CELLS = 32
"""A side of what colours are compared on: finer ones cost time and tell no more."""

SOFT = 0.02
"""Of the softest minimum, in squared colour: near the nearest colour alone, and still with a slope."""

Palette = tuple[tuple[int, int, int], ...]


def check_palette(colours: Sequence[object]) -> Palette:
    """One to eight colours of three whole numbers from 0 to 255, or Refused."""
    found = tuple(tuple(colour) if isinstance(colour, (tuple, list)) else () for colour in colours)
    right = all(len(c) == 3 and all(type(v) is int and 0 <= v <= 255 for v in c) for c in found)
    if not right or not 1 <= len(found) <= 8:
        raise Refused(refuse("palette", str(colours)))
    return found


def parse_palette(text: str) -> Palette:
    """Colours from text as in `#1a2b3c, #ffffff`. Anything else is Refused."""
    each = [
        re.fullmatch(r"#?([0-9a-fA-F]{6})", word, re.ASCII) for word in re.split(r"[\s,;]+", text.strip())
    ]
    if not all(each):
        raise Refused(refuse("palette", text))
    return check_palette([tuple(bytes.fromhex(match[1])) for match in each])


def palette_text(palette: Palette) -> str:
    """A palette as `parse_palette` reads it."""
    return ", ".join("#" + bytes(colour).hex() for colour in palette)


def palette_of(pixels: np.ndarray, count: int = COLOURS) -> Palette:
    """The main colours of a picture (H, W, 3) uint8, the most frequent first."""
    return check_palette(images.main_colours(pixels, count))


class Towards:
    """How far pictures are from a palette and from the lights and darks of one of them: a `project.Apart`."""

    def __init__(self, palette: Palette, pixels: np.ndarray) -> None:
        self.colours = torch.tensor(palette, dtype=torch.float32) / 255  # (C, 3)
        self.light = self._light(images.to_tensor(pixels[None]))

    def _light(self, x: Tensor) -> Tensor:
        """Lights and darks, whatever their level and contrast: (B, h, w) with mean 0 and variance 1."""
        y = luma(_cells((x + 1) / 2))
        y = y - y.mean(dim=(1, 2), keepdim=True)
        return y * torch.rsqrt(y.square().mean(dim=(1, 2), keepdim=True) + 1e-4)

    def __call__(self, x: Tensor) -> Tensor:
        places = _cells((x.clamp(-1, 1) + 1) / 2).flatten(2).transpose(1, 2)  # (B, P, 3)
        apart = (places[:, :, None] - self.colours).square().sum(dim=3)  # (B, P, C)
        to_nearest = _soft_least(apart, 2).mean(dim=1)
        used = _soft_least(apart, 1).mean(dim=1)
        moved = (self._light(x) - self.light).square().mean(dim=(1, 2))
        return 10 * (to_nearest + used) + KEEP * moved


def _cells(x: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(x, min(CELLS, x.shape[-1]))


def _soft_least(x: Tensor, axis: int) -> Tensor:
    """The mean of numbers with weights that all but vanish beyond the smallest."""
    return (x * torch.softmax(-x / SOFT, dim=axis)).sum(dim=axis)


def towards(
    model: Model,
    genome: Genome,
    palette: Palette,
    truncation: float = 0.7,
    steered: Sequence[tuple[str, float]] = (),
    steps: int = STEPS,
) -> Iterator[project.Look]:
    """Looks on the way from a picture, steered as it is, to the same in the palette's colours.

    The distance is 1 at the start. The noise is that of the seed with the largest share in the finest band.
    """
    pixels = steer.paint(model, genome, truncation, steered)
    push = steer.push(model, genome, truncation, steered)
    with canonical():
        bands, _ = breed.styles(model, genome, truncation)
        if push is not None:
            bands = tuple(ws + more for ws, more in zip(bands, push))
        ws = _merged(model, bands)
    apart = Towards(check_palette(palette), pixels)
    strongest = max(range(len(genome.seeds)), key=lambda at: genome.shares[at][-1])
    seed, label = breed.genes_of(genome)[strongest]
    state = project.begin(model, apart, ws, seed.noise_seed if isinstance(seed, Found) else seed, label)
    with canonical():
        state.unlike = float(apart(images.to_tensor(pixels[None])))
    yield from project.search(model, apart, state, steps)


def _merged(model: Model, bands: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """One set of styles whose layers come from each band; where there is one layer, from the coarse one."""
    generator = model.generator
    if generator.num_ws == 1:
        return bands[0]
    layers = [place for place, band in enumerate(generator.bands.values()) for _ in band]
    return torch.stack([bands[place][:, at] for at, place in enumerate(layers)], dim=1)
