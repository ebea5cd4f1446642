"""Pairs made from one set: of each picture a source from which it is to be painted again.

Pictures are (B, 3, H, W) in [-1, 1], sources (B, C, H, W) in [-1, 1], C by `CHANNELS`. `make` draws its sources anew
each time, all from the generator given (on the CPU, so that devices draw alike); `source_of` makes the plain one, to
look at and to use a translator with. Both are functions of the picture and of what was drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_play.models.layers import constant
from gan_play.trainers.clock import sent

LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)
DESIGN_PX = 128  # lengths below are for pictures of this side and grow with them

PEN = (0.7, 2.8)  # spread of the finer of two blurs whose difference makes lines: a thin pen, a thick one
PLAIN_PEN = 1.3
INK = (0.02, 0.12)  # share of the paper that lines may cover
PLAIN_INK = 0.07
SHAKE = 0.012  # how far a drawn hand leaves the edge, of the side
GAPS = 0.35  # share of sketches in which lines are left out here and there

MOST_HINTS = 12  # spots of colour in a grey picture
HINTLESS = 0.5  # share of grey pictures without any
HINT_REACH = 0.1  # spread, of the side, by which the colour of a hint goes on
HINT_PX = 64  # side of the maps on which it does: they are smooth
SHADES = 8  # of grey, each of which is coloured apart
HINT_DOUBT = 4.0  # places with a hint that make one half sure of what lies beside them

FACTORS = (2, 4)  # of `enlarge`
COLOURS = (4, 14)  # of `flat`
PLAIN_COLOURS = 9
ROUNDS = 6  # of k-means

WHOLE, BLURRED, HOLE = -1.0, 0.0, 1.0
"""The fourth channel of a `repair` source: nothing is wrong here; something is still seen; nothing is."""


class Preset(NamedTuple):
    """One way to make pairs from pictures, with a title and a sentence for an artist."""

    title: str
    sentence: str
    channels: int
    keeps: bool  # most of the source is right already
    make: Callable[[Tensor, torch.Generator], Tensor]
    plain: Callable[[Tensor], Tensor]


# What several presets draw with


def even(random: torch.Generator, count: int, low: float, high: float, like: Tensor) -> Tensor:
    """Numbers from `low` to `high`, one for each picture: (B, 1, 1, 1) on the device of `like`."""
    return sent(torch.rand(count, 1, 1, 1, generator=random) * (high - low) + low, like.device)


def blur(x: Tensor, sigma: Tensor, most: float) -> Tensor:
    """Each picture of x (B, C, H, W) blurred by a Gaussian of its own spread `sigma` (B, 1, 1, 1) in pixels.

    `most` is the largest that the spread may be, so that nobody has to wait for a graphics card to know it.
    """
    count, channels, height, width = x.shape
    reach = max(1, min(math.ceil(3 * most), height - 1, width - 1))
    places = torch.arange(-reach, reach + 1, device=x.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (places / sigma.reshape(count, 1).clamp(min=1e-3)).square())
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(
        channels, dim=0
    )  # (B * C, 2 reach + 1)
    flat = x.float().contiguous().view(1, count * channels, height, width)
    across = F.pad(flat, (reach, reach, 0, 0), mode="replicate")
    flat = F.conv2d(across, kernel[:, None, None, :], groups=count * channels)
    along = F.pad(flat, (0, 0, reach, reach), mode="replicate")
    return F.conv2d(along, kernel[:, None, :, None], groups=count * channels).view_as(x)


def clouds(random: torch.Generator, count: int, channels: int, cells: int, like: Tensor) -> Tensor:
    """Smooth random fields about 0, as many hills as cells: (B, channels, H, W)."""
    coarse = sent(torch.randn(count, channels, cells, cells, generator=random), like.device)
    return F.interpolate(coarse, size=like.shape[2:], mode="bicubic", align_corners=False)


def grey(x: Tensor) -> Tensor:
    """Shades of grey of pictures: (B, 3, H, W) -> (B, 1, H, W)."""
    return (x * constant(LUMINANCE, x.device, x.dtype)[:, None, None]).sum(dim=1, keepdim=True)


def scale_of(x: Tensor) -> float:
    """How many times larger than the design's these pictures are."""
    return min(x.shape[2:]) / DESIGN_PX


# Sketch to painting


def lines(x: Tensor, pen: Tensor, ink: Tensor) -> Tensor:
    """Lines along the edges of x (B, 3, H, W): (B, 1, H, W), 1 where there is ink, 0 where there is paper.

    The difference of two Gaussians (Marr & Hildreth 1980; with its threshold softened as in Winnemoeller 2012, XDoG)
    is drawn where it is darkest: on the share `ink` of the picture, if it has so many edges. `pen` is the finer spread
    in pixels.
    """
    shades = grey(x)
    most = PEN[1] * scale_of(x)
    edges = blur(shades, pen, most) - blur(shades, 1.6 * pen, 1.6 * most)
    ranked = edges.flatten(1).sort(dim=1).values
    place = (ink.flatten() * (ranked.shape[1] - 1)).long()
    threshold = ranked.gather(1, place[:, None])[:, :, None, None].clamp(max=-0.008)
    soft = (threshold.abs() * 0.25).clamp(min=0.002)
    return torch.sigmoid((threshold - edges) / soft)


def on_paper(ink: Tensor) -> Tensor:
    """Ink (B, 1, H, W) from 0 to 1 as a sketch: black on white, (B, 3, H, W)."""
    return (1 - 2 * ink.clamp(0, 1)).expand(-1, 3, -1, -1)


def bend(x: Tensor, moves: Tensor) -> Tensor:
    """x (B, C, H, W) with each place taken from where `moves` (B, 2, H, W) says, in shares of the side."""
    height, width = x.shape[2:]
    rows = (torch.arange(height, device=x.device, dtype=torch.float32) * 2 + 1) / height - 1
    columns = (torch.arange(width, device=x.device, dtype=torch.float32) * 2 + 1) / width - 1
    across = columns[None, None, :] + 2 * moves[:, 0]
    along = rows[None, :, None] + 2 * moves[:, 1]
    places = torch.stack([across, along], dim=3)  # (B, H, W, 2)
    return F.grid_sample(x, places, mode="bilinear", padding_mode="border", align_corners=False)


def sketch(x: Tensor, random: torch.Generator) -> Tensor:
    """Lines as a hand draws them: thin to thick, few to many, beside the edge, with gaps, at times by a marker."""
    count, scale = len(x), scale_of(x)
    pen = even(random, count, math.log(PEN[0]), math.log(PEN[1]), x).exp() * scale
    ink = even(random, count, *INK, x)
    shake = even(random, count, 0, SHAKE, x)
    moves = 0.7 * clouds(random, count, 2, 4, x) + 0.3 * clouds(random, count, 2, 12, x)
    gaps, gappy = clouds(random, count, 1, 9, x), even(random, count, 0, 1, x)
    thick, strength = even(random, count, 0, 1, x), even(random, count, 0.65, 1, x)
    drawn = bend(lines(x, pen, ink), shake * moves)
    wide = 2 * round(scale) + 1
    drawn = torch.where(thick < 0.25, F.max_pool2d(drawn, wide, 1, wide // 2), drawn)
    drawn = torch.where(gappy < GAPS, drawn * torch.sigmoid(8 * (gaps + 0.7)), drawn)
    return on_paper(drawn * strength)


def plain_sketch(x: Tensor) -> Tensor:
    """Lines of a middling pen."""
    one = x.new_ones(len(x), 1, 1, 1, dtype=torch.float32)
    return on_paper(lines(x, PLAIN_PEN * scale_of(x) * one, PLAIN_INK * one))


# Grey to colour


def plain_grey(x: Tensor) -> Tensor:
    """The picture in shades of grey, in three alike channels."""
    return grey(x).expand(-1, 3, -1, -1).contiguous()


def coloured(x: Tensor, random: torch.Generator) -> Tensor:
    """Shades of grey; in half of the pictures with a few round spots that show the colour there is."""
    count, (height, width) = len(x), x.shape[2:]
    rows = torch.arange(height, device=x.device)[None, None, :, None]
    columns = torch.arange(width, device=x.device)[None, None, None, :]
    where = sent(torch.rand(2, count, MOST_HINTS, 1, 1, generator=random), x.device)
    radius = sent(torch.rand(count, MOST_HINTS, 1, 1, generator=random) * 0.03 + 0.015, x.device)
    some = torch.rand(count, 1, generator=random)
    number = ((some - HINTLESS).clamp(min=0) / (1 - HINTLESS) * MOST_HINTS).ceil()
    used = torch.arange(MOST_HINTS)[None] < number
    if not used.any():
        return grey(x).expand_as(x).contiguous()
    used = sent(used, x.device)[:, :, None, None]
    far = (rows - where[0] * height).square() + (columns - where[1] * width).square()
    spots = ((far < (radius * min(height, width)).square()) & used).any(dim=1, keepdim=True)
    # A hint is one colour, as a brush would put it there.
    spread = 1.5 * scale_of(x)
    flat = blur(x, x.new_full((count, 1, 1, 1), spread, dtype=torch.float32), spread)
    return with_hints(x, flat, spots.to(x.dtype))


@torch.no_grad()
def with_hints(x: Tensor, colours: Tensor, where: Tensor) -> Tensor:
    """A `colour` source of pictures (B, 3, H, W): their shades of grey, tinted as `colours` (B, 3, H, W) are.

    `where` (B, 1, H, W), 0 to 1: how much of the tint. How light a place is stays the picture's. What lies near a hint
    and is about as light gets some of its tint, as in Levin 2004, "Colorization using Optimization"; spread as on the
    grid of Chen 2007, "Real-time edge-aware image processing with the bilateral grid", from each shade to itself.
    """
    light, tint = grey(x), where * (colours - grey(colours))
    side = max(x.shape[2:])
    size = [max(1, round(length * min(HINT_PX, side) / side)) for length in x.shape[2:]]
    most = max(0.5, HINT_REACH * min(size))
    spread = x.new_full((len(x), 1, 1, 1), most)
    doubt = HINT_DOUBT / (2 * math.pi * most**2)
    beside = torch.zeros_like(x)
    for shade in torch.linspace(-1, 1, SHADES).tolist():
        alike = (1 - (light - shade).abs() * (SHADES - 1) / 2).clamp(min=0)
        small = F.interpolate(torch.cat([where * alike, tint * alike], dim=1), size=size, mode="area")
        small = blur(small, spread, most)
        amount = small[:, :1]  # the tint is their quotient, as sure as there are hints
        small = small[:, 1:] / amount.clamp(min=1e-6) * (amount / (amount + doubt))
        beside += alike * F.interpolate(small, size=x.shape[2:], mode="bilinear", align_corners=False)
    return (light + tint + (1 - where) * beside).clamp(-1, 1)


# Repair


def from_the_rim(x: Tensor, hole: Tensor) -> Tensor:
    """x (B, 3, H, W) with each hole (B, 1, H, W) filled smoothly from what is around it.

    Averages of what is known, from coarse to fine: the pull and push of Gortler 1996, "The Lumigraph", section 3.4.
    """
    known = (~hole).to(x.dtype)
    levels = [(x * known, known)]
    while max(levels[-1][0].shape[2:]) > 1:
        levels.append(tuple(F.avg_pool2d(level, 2, ceil_mode=True) for level in levels[-1]))
    guess = None
    for colour, weight in levels[::-1]:
        there = colour / weight.clamp(min=1e-6)
        if guess is not None:
            guess = F.interpolate(guess, size=colour.shape[2:], mode="bilinear", align_corners=False)
            there = torch.lerp(
                guess, there, (4 * weight).clamp(max=1)
            )  # a quarter known is known well enough
        guess = there
    return torch.where(hole, guess, x)


def damaged(x: Tensor, hole: Tensor, seen: Tensor, under: Tensor) -> Tensor:
    """x (B, 3, H, W) with a smooth filling where `hole` (B, 1, H, W) is true, `under` where `seen` is: (B, 4, H, W).

    What lay in a hole is nowhere in the source.
    """
    inside = from_the_rim(torch.where(seen, under, x), hole)
    state = torch.where(hole, HOLE, torch.where(seen, BLURRED, WHOLE))
    return torch.cat([inside, state.to(x.dtype)], dim=1)


def strokes(
    random: torch.Generator, count: int, number: int, width: tuple[float, float], like: Tensor
) -> Tensor:
    """Places under `number` wandering strokes of the brush, each `width` of the side thick: (B, 1, H, W) bool.

    Free-form masks as in Yu 2019 (Gated Convolution): some straight parts one after the other, round at the joints.
    """
    joints = 5
    height, across = like.shape[2:]
    begin = torch.rand(count, number, 1, 2, generator=random)
    turn = torch.rand(count, number, 1, generator=random) * 2 * math.pi
    turn = turn + torch.randn(count, number, joints - 1, generator=random).cumsum(dim=2) * 0.8
    length = torch.rand(count, number, joints - 1, 1, generator=random) * 0.22 + 0.04
    step = length * torch.stack([turn.cos(), turn.sin()], dim=3)
    points = sent(
        torch.cat([begin, begin + step.cumsum(dim=2)], dim=2), like.device
    )  # (B, number, joints, 2)
    thick = torch.rand(count, number, 1, generator=random) * (width[1] - width[0]) + width[0]
    thick = sent(thick, like.device)
    rows = ((torch.arange(height, device=like.device) + 0.5) / height)[:, None].expand(height, across)
    columns = ((torch.arange(across, device=like.device) + 0.5) / across)[None].expand(height, across)
    found = torch.zeros(count, height, across, dtype=torch.bool, device=like.device)
    for stroke in range(number):
        for joint in range(joints - 1):
            a, b = points[:, stroke, joint], points[:, stroke, joint + 1]  # (B, 2): across, along
            way = b - a
            from_a = torch.stack([columns[None] - a[:, :1, None], rows[None] - a[:, 1:, None]], dim=3)
            share = (from_a * way[:, None, None]).sum(dim=3) / way.square().sum(dim=1).clamp(min=1e-8)[
                :, None, None
            ]
            off = from_a - share.clamp(0, 1)[..., None] * way[:, None, None]
            found |= off.square().sum(dim=3) < (thick[:, stroke, :, None] / 2).square()
    return found[:, None]


def boxes(random: torch.Generator, count: int, number: int, like: Tensor) -> Tensor:
    """Places in `number` boxes, each an eighth to almost half of the side long: (B, 1, H, W) bool."""
    height, width = like.shape[2:]
    middle = sent(torch.rand(2, count, number, 1, 1, generator=random), like.device)
    size = sent(torch.rand(2, count, number, 1, 1, generator=random) * 0.32 + 0.13, like.device)
    rows = ((torch.arange(height, device=like.device) + 0.5) / height)[None, None, :, None]
    columns = ((torch.arange(width, device=like.device) + 0.5) / width)[None, None, None, :]
    inside = ((rows - middle[0]).abs() < size[0] / 2) & ((columns - middle[1]).abs() < size[1] / 2)
    return inside.any(dim=1, keepdim=True)


def repair(x: Tensor, random: torch.Generator) -> Tensor:
    """Brushed-out parts, boxes and scratches, where nothing is seen; stains and blur, where something still is."""
    count = len(x)
    brushed = strokes(random, count, 3, (0.04, 0.14), x)
    boxed = boxes(random, count, 2, x)
    scratched = strokes(random, count, 4, (0.008, 0.02), x)
    stain = clouds(random, count, 1, 5, x) > even(random, count, 0.5, 1.3, x)
    tint = sent(torch.rand(count, 3, 1, 1, generator=random) * 1.2 - 0.9, x.device)
    opaque = even(random, count, 0.3, 0.75, x)
    spread = even(random, count, 1.0, 3.0, x) * scale_of(x)
    kind, more, how = (even(random, count, 0, 1, x) for _ in range(3))
    hole = torch.where(kind < 0.45, brushed, torch.where(kind < 0.75, boxed, torch.zeros_like(boxed)))
    hole = hole | (scratched & ((more < 0.35) | (kind >= 0.75)))
    seen = stain & (more > 0.6)
    under = torch.where(
        how < 0.5, torch.lerp(x, tint.expand_as(x), opaque.expand_as(x)), blur(x, spread, 3.0 * scale_of(x))
    )
    return damaged(x, hole, seen, under)


def plain_damage(x: Tensor) -> Tensor:
    """The same three strokes and a box gone from each picture."""
    random = torch.Generator().manual_seed(3)
    hole = strokes(random, 1, 3, (0.05, 0.1), x[:1]) | boxes(random, 1, 1, x[:1])
    hole = hole.expand(len(x), -1, -1, -1)
    return damaged(x, hole, torch.zeros_like(hole), x)


def with_mask(x: Tensor, mask: Tensor) -> Tensor:
    """A `repair` source of pictures (B, 3, H, W) whose damage is brushed over in `mask` (B, 1, H, W), 0 to 1."""
    hole = (mask > 0).expand(-1, 1, *x.shape[2:])
    return damaged(x, hole, torch.zeros_like(hole), x)


# Enlarge


def small_and_back(x: Tensor, factor: int) -> Tensor:
    """x at a `factor`-th of its size, enlarged back by bicubic interpolation."""
    height, width = x.shape[2:]
    small = (max(1, height // factor), max(1, width // factor))
    less = F.interpolate(x.float(), size=small, mode="bicubic", antialias=True, align_corners=False)
    return F.interpolate(less, size=(height, width), mode="bicubic", align_corners=False).clamp(-1, 1)


def enlarge(x: Tensor, random: torch.Generator) -> Tensor:
    """What is left of a picture when it was half or a quarter as large, enlarged the plain way."""
    quarter = even(random, len(x), 0, 1, x) < 0.5
    return torch.where(quarter, small_and_back(x, FACTORS[1]), small_and_back(x, FACTORS[0]))


def plain_small(x: Tensor) -> Tensor:
    """A quarter of the size, enlarged the plain way."""
    return small_and_back(x, FACTORS[1])


# Colour map to painting


def areas(x: Tensor, spread: Tensor, count: Tensor, first: Tensor) -> Tensor:
    """x (B, 3, H, W) in a few flat colours: (B, 3, H, W).

    Blurred by `spread` (B, 1, 1, 1) pixels, then k-means (Lloyd 1982) with `count` (B,) of the places `first` (B, K)
    of the picture as its first colours, and each area smoothed once more.
    """
    batch, channels, height, width = x.shape
    most = 3.0 * scale_of(x)
    smooth = blur(x, spread, most)
    pixels = smooth.flatten(2).transpose(1, 2)  # (B, H * W, 3)
    places = (first * (height * width)).long().clamp(max=height * width - 1)
    colours = pixels.gather(1, places[:, :, None].expand(-1, -1, channels))  # (B, K, 3)
    unused = torch.arange(first.shape[1], device=x.device)[None] >= count[:, None]
    for _ in range(ROUNDS):
        nearest = torch.cdist(pixels, colours).masked_fill(unused[:, None], math.inf).argmin(dim=2)
        chosen = F.one_hot(nearest, first.shape[1]).float()  # (B, H * W, K)
        total = chosen.sum(dim=1)[:, :, None]
        colours = torch.where(total > 0, chosen.transpose(1, 2) @ pixels / total.clamp(min=1), colours)
    shares = chosen.transpose(1, 2).reshape(batch, -1, height, width)
    nearest = blur(shares, spread, most).argmax(dim=1).flatten(1)
    flat = colours.gather(1, nearest[:, :, None].expand(-1, -1, channels))
    return flat.transpose(1, 2).reshape(x.shape).clamp(-1, 1)


def flat(x: Tensor, random: torch.Generator) -> Tensor:
    """A few flat colours, as one would lay a painting out: few or many, coarse or fine, a little off the true ones."""
    count = len(x)
    spread = even(random, count, 1.2, 3.0, x) * scale_of(x)
    number = sent(torch.randint(COLOURS[0], COLOURS[1] + 1, (count,), generator=random), x.device)
    first = sent(torch.rand(count, COLOURS[1], generator=random), x.device)
    off = sent(torch.randn(count, 3, 1, 1, generator=random) * 0.05, x.device)
    return (areas(x, spread, number, first) + off).clamp(-1, 1)


def plain_flat(x: Tensor) -> Tensor:
    """Nine flat colours."""
    count = len(x)
    first = (torch.arange(PLAIN_COLOURS, device=x.device) * 0.6180339887 + 0.31) % 1
    number = torch.full((count,), PLAIN_COLOURS, device=x.device)
    spread = x.new_full((count, 1, 1, 1), 1.8 * scale_of(x), dtype=torch.float32)
    return areas(x, spread, number, first.expand(count, -1))


PRESETS = {
    "sketch": Preset(
        "Sketch to painting", "Draw lines, and get a painting along them.", 3, False, sketch, plain_sketch
    ),
    "colour": Preset(
        "Grey to colour",
        "Colours a grey picture as yours are coloured; spots of colour are hints.",
        3,
        True,
        coloured,
        plain_grey,
    ),
    "repair": Preset(
        "Repair", "Fills what is brushed out, scratched or stained.", 4, True, repair, plain_damage
    ),
    "enlarge": Preset(
        "Enlarge", "Makes a picture two or four times as large, with detail.", 3, True, enlarge, plain_small
    ),
    "flat": Preset(
        "Colour map to painting",
        "Lay out flat colours, and get a painting of them.",
        3,
        False,
        flat,
        plain_flat,
    ),
}


def channels_of(preset: str) -> int:
    """How many channels a source has; of real pairs three."""
    return PRESETS[preset].channels if preset else 3


def keeps(preset: str) -> bool:
    """Whether a source is almost right already, so that only its changes are to be painted."""
    return bool(preset) and PRESETS[preset].keeps


@torch.no_grad()
def make(preset: str, pixels: Tensor, random: torch.Generator) -> Tensor:
    """A source of each picture (B, 3, H, W), drawn anew: (B, C, H, W). KeyError where there is no such preset."""
    return PRESETS[preset].make(pixels, random)


@torch.no_grad()
def source_of(preset: str, pixels: Tensor, mask: Tensor | None = None) -> Tensor:
    """The plain source of each picture (B, 3, H, W): (B, C, H, W), always the same.

    With a `mask` (B, 1, H, W), of `repair`: what is brushed over is gone. `enlarge` makes the picture small first.
    """
    if preset == "repair" and mask is not None:
        return with_mask(pixels, mask)
    return PRESETS[preset].plain(pixels)
