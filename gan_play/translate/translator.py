"""Using a trained translator: a picture of one's own goes in, of any size up to 2,048 pixels, and a painting comes out.

What the networks learnt on squares of one size they do on any: a picture is padded to what they need, and a large one
is painted in tiles that blend into each other, so that memory stays small. Which is done depends on the size alone.

Promises: the same model, picture, mask and dials give the same bytes on the same build, rendered canonically (see
`latent/sample.py`). With a mask, the picture outside of it stays as it is, to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play import limits
from gan_play.latent import preview as previews
from gan_play.latent import sample
from gan_play.latent.sample import Model, canonical, check_number
from gan_play.pictures import images
from gan_play.refusals import Refused, refuse
from gan_play.trainers import pairs

Translator = Model
"""A model in hand whose generator takes a picture: `generator(source (B, C, H, W)) -> (B, 3, H, W)`, in [-1, 1]."""

MOST_WHOLE_PX = 768
"""A picture with more than this, squared, is painted in tiles: others may render between two of them."""

TILE_PX, OVERLAP_PX = 512, 128
"""Of a tile, and how far it reaches into its neighbours at least."""

MOST_PEN = 2.0
"""Times the plain pen of the size that a sketch's translator learnt on (`pairs.PEN` goes to 2.2)."""

LEAST_LEFT = 0.02
"""Share of a picture that a mask has to leave."""

Network = Callable[[Tensor], Tensor]


def load(home: Path, run_id: str, which: str = "latest") -> Translator:
    """The averaged translator of a run. Refused for an unknown run, and for one that paints from seeds."""
    return sample.load(home, run_id, which, task="translate")


def load_digest(home: Path, digest: str) -> Translator:
    """The translator whose digest begins with `digest`, of whatever run here. Refused if none is."""
    return sample.load_digest(home, digest, task="translate")


# What may be asked for


class Dials(NamedTuple):
    """What may be turned."""

    strength: float = 1.0  # 0 is the picture itself, 1 the painting, more goes beyond it
    drawn: bool = False  # the picture is already what the translator takes: nothing is made of it first
    back: bool = False  # of a translator of both ways, the second
    times: int = 1  # of one that enlarges: how many times as large the painting is


USUAL = Dials()

TIMES = (2, 4)
"""How many times a picture can be enlarged."""


def check_dials(
    translator: Translator,
    strength: object = 1.0,
    drawn: object = False,
    back: object = False,
    times: object = None,
) -> Dials:
    """Dials as this translator has them, or Refused. `times` None is what suits: 2 for one that enlarges, else 1."""
    able = TIMES if preset_of(translator) == "enlarge" else (1,)
    times = able[0] if times is None else times
    if times not in able or isinstance(times, bool):
        raise Refused(refuse("translate-times", str(times), able=" or ".join(map(str, able))))
    if back and not both_ways(translator):
        raise Refused(refuse("one-way", translator.name))
    strength = check_number(strength, 0.0, limits.MOST_STRENGTH, "translate-strength")
    return Dials(strength, bool(drawn), bool(back), int(times))


def preset_of(translator: Translator) -> str:
    """What its pairs were made by: a name of `pairs.PRESETS`; "" for real pairs and two sets."""
    return translator.settings.preset


def both_ways(translator: Translator) -> bool:
    """Whether it translates there and back."""
    return hasattr(translator.generator, "back")


def check_picture(pixels: np.ndarray, dials: Dials = USUAL) -> None:
    """Refused for a picture (H, W, 3) that is too small, that makes too large a painting, or where nothing is drawn."""
    height, width = pixels.shape[:2]
    if max(height, width) * dials.times > limits.MOST_TRANSLATED_PX:
        size = f"{width * dials.times} x {height * dials.times}"
        raise Refused(refuse("translate-size", size, most=limits.MOST_TRANSLATED_PX))
    if min(height, width) < limits.LEAST_SIDE_PX:
        raise Refused(
            refuse("too-small", "The picture", width=width, height=height, least=limits.LEAST_SIDE_PX)
        )
    if dials.drawn and (pixels == pixels[0, 0]).all():
        raise Refused(refuse("drawing-none"))


def check_mask(translator: Translator, pixels: np.ndarray, mask: np.ndarray | None) -> None:
    """Refused for a mask (H, W) bool of another size, of nothing, or of almost everything; a repair needs one."""
    if mask is None:
        if preset_of(translator) == "repair":
            raise Refused(refuse("repair-none"))
        return
    if mask.shape != pixels.shape[:2] or preset_of(translator) == "enlarge":
        raise Refused(refuse("mask-size"))
    if not mask.any():
        raise Refused(refuse("repair-none"))
    if 1 - mask.mean() < LEAST_LEFT:
        raise Refused(refuse("repair-all"))


# Any size


def places(length: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin along a side, evenly spread, each reaching into its neighbours by `overlap` or more."""
    if length <= tile:
        return [0]
    count = -(-(length - overlap) // (tile - overlap))
    return [round(at * (length - tile) / (count - 1)) for at in range(count)]


def window(tile: int, overlap: int) -> Tensor:
    """How much each place of a tile counts along a side: rising over `overlap` pixels from its ends, then 1.  # (T,)"""
    at = torch.arange(tile, dtype=torch.float32)
    return (torch.minimum(at + 1, tile - at) / overlap).clamp(max=1)


def padded(network: Network, source: Tensor, multiple: int) -> Tensor:
    """A network on a picture of any size: its edge is repeated up to the next multiple, and cut off again.

    # (1, C, H, W) -> (1, 3, H, W)
    """
    height, width = source.shape[-2:]
    missing = (0, -width % multiple, 0, -height % multiple)
    return network(F.pad(source, missing, mode="replicate"))[..., :height, :width]


def blended(
    network: Network, source: Tensor, multiple: int, tile: int = TILE_PX, overlap: int = OVERLAP_PX
) -> Iterator[Tensor]:
    """The same in tiles: where several lie over each other, the mean of them by `window`. A step is a tile.

    y_p = sum_t w_t(p) y_t(p) / sum_t w_t(p)
    # (1, C, H, W) -> (1, 3, H, W), the last one yielded; before it None for each tile but the last
    """
    height, width = source.shape[-2:]
    tall, wide = min(tile, height), min(tile, width)
    weight = window(tall, overlap)[:, None] * window(wide, overlap)
    total = source.new_zeros(1, 3, height, width)
    weights = source.new_zeros(height, width)
    for top in places(height, tall, overlap):
        for left in places(width, wide, overlap):
            here = (..., slice(top, top + tall), slice(left, left + wide))
            with canonical():
                total[here] += weight * padded(network, source[here], multiple)
                weights[here] += weight
            yield None
    yield total / weights


def whole(height: int, width: int) -> bool:
    """Whether a picture of this size is painted at once."""
    return height * width <= MOST_WHOLE_PX**2


def tiles(height: int, width: int) -> int:
    """In how many tiles a painting of this size is painted."""
    if whole(height, width):
        return 1
    across, down = (len(places(side, min(TILE_PX, side), OVERLAP_PX)) for side in (width, height))
    return across * down


# A picture's way through it


def network_of(translator: Translator, dials: Dials) -> nn.Module:
    """The network of this way."""
    if both_ways(translator):
        return translator.generator.back if dials.back else translator.generator.there
    return translator.generator


def source_of(translator: Translator, x: Tensor, dials: Dials, mask: np.ndarray | None = None) -> Tensor:
    """What the network takes of a picture (1, 3, H, W): itself, or what its preset makes of it.  # (1, C, H, W)"""
    preset = preset_of(translator)
    if preset == "repair":
        return pairs.source_of(preset, x, torch.from_numpy(mask)[None, None].float())
    if dials.drawn or preset in ("", "enlarge"):
        return x
    if preset == "sketch":
        return lines_of(x, translator.settings.size_px)
    return pairs.source_of(preset, x)


def hinted(pixels: np.ndarray, hints: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 in grey, with `hints` (H, W, 4) uint8 brushed over it: what `colour` takes as drawn.

    Where a hint's alpha isn't 0 it says which colour this place has; how light it is stays the picture's. What comes
    back is translated with `drawn`, so a code of it needs no word of hints. Refused where the sizes differ.

    # uint8 (H, W, 3)
    """
    if hints.shape != (*pixels.shape[:2], 4):
        raise Refused(refuse("hints-size"))
    with canonical():
        x, colours = images.to_tensor(pixels[None]), images.to_tensor(hints[None, :, :, :3])
        where = torch.from_numpy(np.array(hints[None, None, :, :, 3])).float() / 255
        return images.to_pixels(pairs.with_hints(x, colours, where))[0]


def lines_of(x: Tensor, size_px: int) -> Tensor:
    """A picture's lines as a translator knows them that learnt on `size_px`: (1, 3, H, W) -> (1, 3, H, W).

    On a larger picture the pen grows with it, but no further than twice: thicker lines it has never seen.
    """
    times = min(MOST_PEN, min(x.shape[-2:]) / size_px)
    one = x.new_ones(1, 1, 1, 1)
    pen = pairs.PLAIN_PEN * times * size_px / pairs.DESIGN_PX
    return pairs.on_paper(pairs.lines(x, pen * one, pairs.PLAIN_INK * one))


def translating(
    translator: Translator, pixels: np.ndarray, dials: Dials = USUAL, mask: np.ndarray | None = None
) -> Iterator[np.ndarray | None]:
    """Paints a picture (H, W, 3) uint8; None for each tile of a large one, and in the end the painting, as large.

    `mask` (H, W) bool is where it paints: all else stays as it is. Refused as by `check_picture` and `check_mask`.
    """
    check_picture(pixels, dials)
    check_mask(translator, pixels, mask)
    network = network_of(translator, dials)
    with canonical():
        base = images.to_tensor(pixels[None])
        if dials.times > 1:
            size = [side * dials.times for side in pixels.shape[:2]]
            base = F.interpolate(base, size=size, mode="bicubic", align_corners=False).clamp(-1, 1)
        source = source_of(translator, base, dials, mask)
    if whole(*base.shape[-2:]):
        with canonical():
            painted = padded(network, source, network.multiple)
    else:
        for painted in blended(network, source, network.multiple):
            if painted is None:
                yield None
    with canonical():
        made = images.to_pixels(base + dials.strength * (painted - base))[0]
    yield made if mask is None else np.where(mask[:, :, None], made, pixels)


def preview(translator: Translator, pixels: np.ndarray, dials: Dials = USUAL, device: str = "") -> np.ndarray:
    """The painting of a small picture as quickly as it can be had, to look at: on a graphics card where there is one.

    Else, and where the card has no room left, it is the canonical one. Nothing that is kept comes from here: a card
    rounds its sums otherwise. Refused as `translating`.  # uint8 (H, W, 3)
    """
    device = device or previews.place()
    if device != "cpu" and dials.times == 1:
        check_picture(pixels, dials)
        try:
            return _on_card(translator, pixels, dials, device)
        except RuntimeError:  # the card's: out of memory, or taken away
            pass
    *_, made = translating(translator, pixels, dials)
    return made


def _on_card(translator: Translator, pixels: np.ndarray, dials: Dials, device: str) -> np.ndarray:
    network = previews.copied(network_of(translator, dials), device)
    with torch.inference_mode():
        base = images.to_tensor(pixels[None]).to(device)
        painted = padded(network, source_of(translator, base, dials), network.multiple)
        return images.to_pixels(base + dials.strength * (painted - base))[0]


def translate(
    translator: Translator,
    pixels: np.ndarray,
    strength: float = 1.0,
    mask: np.ndarray | None = None,
    progress: Callable[[int, int], None] | None = None,
    **turned: object,
) -> np.ndarray:
    """The painting of a picture (H, W, 3) uint8, where `mask` (H, W) bool says so. `turned` are more of its `Dials`.

    Of a large one `progress(done, total)` is told each tile; what it raises ends it.
    # uint8 (H, W, 3); of a translator that enlarges `times` as large
    """
    dials = check_dials(translator, strength, **turned)
    total = tiles(*(side * dials.times for side in pixels.shape[:2]))
    for done, made in enumerate(translating(translator, pixels, dials, mask), 1):
        if progress and made is None:
            progress(done, total)
    return made
