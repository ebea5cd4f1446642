"""Style transfer at once: a picture's features are given the style's statistics, and a trained decoder paints them.

A wish is that of `style.py`, and means the same: several styles and their weights, scale, colours kept, masks. It is
rougher, and takes about a second at 256 px on one core. Source: Huang & Belongie 2017, "Arbitrary Style Transfer in
Real-time with Adaptive Instance Normalization" (AdaIN); section 7 for strength, several styles, colour and masks.

Promises: the same wish gives the same bytes on the same build; at a strength of 0 the picture stays as it is, and where
a mask is black it does to the byte. Large pictures are seen and painted by tiles that overlap by as much as the
networks see around a place, so that they join as if there were none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
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
DECODER_SHA256 = ""
"""Of the file, whose card stands beside it."""

TILE, MARGIN = 64, 4
"""Places of features a tile paints each way (512 px), and those around it that it sees, on each side.

The encoder sees 30 px around the 8 px of a place, the decoder 4 places around it.
"""


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


def by_tiles(network: Callable[[Tensor], Tensor], x: Tensor, taken: int, given: int) -> Tensor:
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
            return made[
                ...,
                (above - up) * given : (below - up) * given,
                (before - west) * given : (after - west) * given,
            ]

    across = range(0, columns, TILE)
    return torch.cat(
        [torch.cat([tile(top, left) for left in across], dim=3) for top in range(0, rows, TILE)], dim=2
    )


def encoded(x: Tensor) -> Tensor:
    """The features of a picture (1, 3 or 1, H, W), its last rows and columns repeated to whole places."""
    height, width = x.shape[-2:]
    x = F.pad(x, (0, -width % adain.STRIDE, 0, -height % adain.STRIDE), mode="replicate")
    network = vgg19()
    return by_tiles(
        lambda part: network(part.expand(-1, 3, -1, -1), (adain.LAYER,))[adain.LAYER], x, adain.STRIDE, 1
    )


def targets(wish: Wish, start: Tensor, features: Tensor) -> Tensor:
    """The features of what is to be painted (1, C, H, W): each place like the style that goes there."""
    height, width = features.shape[-2:]
    mask = torch.ones(1, 1, height, width)
    if wish.mask is not None:
        whole = torch.from_numpy(wish.mask)[None, None]
        below, right = (by * adain.STRIDE - side for by, side in zip((height, width), whole.shape[-2:]))
        mask = F.avg_pool2d(F.pad(whole, (0, right, 0, below), mode="replicate"), adain.STRIDE)
    longest = max(wish.content.shape[:2]) * wish.dials.scale
    regions = style.regions_of(wish, mask)
    wanted = torch.zeros_like(features)
    for counts, styles, weights in regions:
        of_each = [adain.statistics(encoded(style.seen_style(pixels, longest, start))) for pixels in styles]
        mean, spread = (sum(w * x for w, x in zip(weights, several)) for several in zip(*of_each))
        painted = adain.adain(features, mean, spread, counts)
        wanted += painted if len(regions) == 1 else counts * painted
    return wanted


def paint(wish: Wish) -> np.ndarray:
    """The picture that is wished for, painted at once.  # uint8 (H, W, 3)

    A strength below 1 mixes features, and gives back as much of the details that the decoder loses.
    """
    network, strength = decoder(), wish.dials.strength
    height, width = wish.content.shape[:2]
    with torch.inference_mode():
        base = images.to_tensor(wish.content[None])
        start = luma(base)[:, None] if wish.dials.keep_colours else base
        features = encoded(start)
        wanted = torch.lerp(features, targets(wish, start, features), strength)
        moved = _decoded(network, wanted, height, width, start) - start
        if strength < 1:
            moved -= (1 - strength) * (_decoded(network, features, height, width, start) - start)
        return style.painted(wish, moved)


def _decoded(network: adain.Decoder, features: Tensor, height: int, width: int, like: Tensor) -> Tensor:
    """The picture of features, in colours or, where `like` has none, in light and dark.  # (1, 3 or 1, H, W)"""
    x = by_tiles(network, features, 1, adain.STRIDE)[..., :height, :width]
    return luma(x)[:, None] if like.shape[1] == 1 else x
