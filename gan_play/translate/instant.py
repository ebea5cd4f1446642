"""Style transfer at once: a picture's features are given the style's statistics, and a trained decoder paints them.

A wish is that of `style.py`, and means the same: several styles and their weights, scale, colours kept, masks. It is
rougher, and takes 1.4 s of one core at 256 px. Source: Huang & Belongie 2017, "Arbitrary Style Transfer in
Real-time with Adaptive Instance Normalization" (AdaIN); section 7 for strength, several styles, colour and masks.

Promises: the same wish gives the same bytes on the same build; at a strength of 0 the picture stays as it is, and where
a mask is black it does to the byte. Large pictures are seen and painted by tiles that overlap by as much as the
networks see around a place, so that they join as if there were none.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_play import limits
from gan_play.latent.sample import canonical
from gan_play.measure.attributes import luma
from gan_play.measure.features import vgg19
from gan_play.models import adain
from gan_play.pictures import images
from gan_play.refusals import Refused, refuse
from gan_play.runs import checkpoints
from gan_play.translate import style
from gan_play.translate.style import Dials, Wish

DECODER_FILE = Path(__file__).parent / "weights" / "adain.safetensors"
DECODER_SHA256 = "bc0b21d99b6b1321ab13a5b923f71aa798412b906eaed1fe4f85d60dd99c00ed"
"""Of the file, whose card stands beside it."""

TILE, MARGIN = 64, 4
"""Places of features a tile paints each way (512 px), and those around it that it sees, on each side.

The encoder sees 30 px around the 8 px of a place, the decoder 4 places around it.
"""


BORDER = 16
"""Pixels of the picture, mirrored, that are painted around it and cut off: the encoder sees a border as an edge."""

LIGHT = 0.4
"""Share of the light and dark that the decoder loses which a painting gets back at a strength of 1; none of it at 2."""


@functools.cache
def decoder() -> adain.Decoder:
    """The one shared copy of the decoder, on the CPU. Refused where its file isn't, to the last byte, the known one."""
    tensors = checkpoints.load_known(DECODER_FILE, DECODER_SHA256)
    if tensors is None:
        raise Refused(refuse("no-decoder"))
    network = adain.Decoder()
    network.load_state_dict(tensors)
    return network.requires_grad_(False).to(memory_format=torch.channels_last).eval()


def check_dials(
    size_px: object = style.SIZE_PX, strength: object = 1.0, scale: object = 1.0, keep_colours: object = False
) -> Dials:
    """Dials as they may be for a painting at once, or Refused."""
    return style.check_dials(size_px, strength, scale, keep_colours, limits.MOST_INSTANT_PX)


Told = Callable[[], None]
"""Is called after each tile; what it raises ends the painting."""


def by_tiles(
    network: Callable[[Tensor], Tensor], x: Tensor, taken: int, given: int, told: Told | None = None
) -> Tensor:
    """What a network makes of x (1, C, H, W), tile by tile: of each `taken` pixels of x, `given` of the result.

    Others may render between two tiles.
    """
    rows, columns = (side // taken for side in x.shape[-2:])

    def tile(top: int, left: int) -> Tensor:
        (up, down, above, below), (west, east, before, after) = (
            (max(0, at - MARGIN), min(all_, at + TILE + MARGIN), at, min(all_, at + TILE))
            for at, all_ in ((top, rows), (left, columns))
        )
        with canonical():
            part = x[..., up * taken : down * taken, west * taken : east * taken]
            made = network(part.contiguous(memory_format=torch.channels_last))
            made = made[
                ...,
                (above - up) * given : (below - up) * given,
                (before - west) * given : (after - west) * given,
            ]
        if told:
            told()
        return made

    across = range(0, columns, TILE)
    return torch.cat(
        [torch.cat([tile(top, left) for left in across], dim=3) for top in range(0, rows, TILE)], dim=2
    )


def whole(x: Tensor, border: int = 0) -> Tensor:
    """A picture with its border mirrored around it, its last rows and columns repeated to whole places of features."""
    x = F.pad(x, (border,) * 4, mode="reflect")
    height, width = x.shape[-2:]
    return F.pad(x, (0, -width % adain.STRIDE, 0, -height % adain.STRIDE), mode="replicate")


def encoded(x: Tensor, told: Told | None = None) -> Tensor:
    """The features of a `whole` picture.  # (1, 3 or 1, H, W) -> (1, 512, H // 8, W // 8)"""
    network = vgg19()
    return by_tiles(
        lambda part: network(part.expand(-1, 3, -1, -1), (adain.LAYER,))[adain.LAYER],
        x,
        adain.STRIDE,
        1,
        told,
    )


def targets(wish: Wish, start: Tensor, features: Tensor, border: int, told: Told | None = None) -> Tensor:
    """The features of what is to be painted (1, C, H, W): each place like the style that goes there."""
    mask = torch.ones_like(features[:, :1])
    if wish.mask is not None:
        mask = F.avg_pool2d(whole(torch.from_numpy(wish.mask)[None, None], border), adain.STRIDE)
    longest = max(wish.content.shape[:2]) * wish.dials.scale
    regions = style.regions_of(wish, mask)
    wanted = torch.zeros_like(features)
    for counts, styles, weights in regions:
        of_each = [
            adain.statistics(encoded(whole(style.seen_style(pixels, longest, start)), told))
            for pixels in styles
        ]
        mean, spread = (sum(w * x for w, x in zip(weights, several)) for several in zip(*of_each))
        painted = adain.adain(features, mean, spread, counts)
        wanted += painted if len(regions) == 1 else counts * painted
    return wanted


PIXEL_BYTES = 260
"""Of memory that a pixel of a painting takes at most: 1.1 GB at 2,048 px squared."""


def check_memory(height: int, width: int) -> None:
    """Refused for a painting that this machine has too little free memory for by now."""
    if psutil.virtual_memory().available < PIXEL_BYTES * height * width:
        raise Refused(refuse("no-memory", f"a painting of {max(height, width)} px"))


def pieces(wish: Wish) -> int:
    """How many tiles are looked at and painted for a wish."""

    def tiles(width: int, height: int) -> int:
        return math.prod(math.ceil(side / (adain.STRIDE * TILE)) for side in (width, height))

    dials = wish.dials
    height, width = (side + 2 * _border(wish) for side in wish.content.shape[:2])
    longest = max(wish.content.shape[:2]) * dials.scale
    seen = sum(tiles(*style.seen_size(one, longest)) for one in (*wish.styles, *wish.elsewhere))
    decodings = 1 + (dials.strength < 2)
    return (1 + decodings) * tiles(width, height) + seen


def _border(wish: Wish) -> int:
    return min(BORDER, min(wish.content.shape[:2]) - 1)


def paint(wish: Wish, progress: Callable[[int, int], None] | None = None) -> np.ndarray:
    """The picture that is wished for, painted at once.  # uint8 (H, W, 3)

    `progress(done, total)` is told each tile; what it raises ends the painting. A strength below 1 mixes features. What
    the decoder loses of the picture itself comes back as far as the style isn't wanted, and of its light and dark, by
    which faces and windows are known, a part more.
    """
    network, strength = decoder(), wish.dials.strength
    share, light = min(1.0, strength), LIGHT * min(1.0, 2.0 - strength)
    border, told = _border(wish), None
    if progress:
        count, total = itertools.count(1), pieces(wish)

        def told() -> None:
            progress(next(count), total)

    with torch.inference_mode():
        base = images.to_tensor(wish.content[None])
        start = luma(base)[:, None] if wish.dials.keep_colours else base
        features = encoded(whole(start, border), told)
        wanted = torch.lerp(features, targets(wish, start, features, border, told), share)
        moved = _decoded(network, wanted, start, border, told) - start
        if share < 1 or light > 0:
            lost = start - _decoded(network, features, start, border, told)
            dark = lost if lost.shape[1] == 1 else luma(lost)[:, None]
            moved += (1 - share) * lost + share * light * dark
        return style.painted(wish, moved)


def _decoded(
    network: adain.Decoder, features: Tensor, start: Tensor, border: int, told: Told | None
) -> Tensor:
    """The picture of features, in colours or, where `start` has none, in light and dark.  # (1, 3 or 1, H, W)"""
    height, width = start.shape[-2:]
    x = by_tiles(network, features, 1, adain.STRIDE, told)
    x = x[..., border : border + height, border : border + width]
    return luma(x)[:, None] if start.shape[1] == 1 else x
