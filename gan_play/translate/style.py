"""Style transfer without training: a picture of one's own, painted as others are painted.

The picture's pixels are moved, by gradients, until a frozen VGG19 sees in them what it saw before (which things stand
where: the content), and the textures that it sees in the style pictures: which features go together, wherever they
are. First on half the size, where brushes reach far and steps are cheap, then on the whole.

Promises: the same wish gives the same bytes on the same build; no random number is drawn. Where a
mask is black the picture stays as it is, to the byte. It computes a step at a time, so that others may render in
between.

Source: Gatys 2016, "Image Style Transfer Using Convolutional Neural Networks", for the losses; Gatys 2016, "Preserving
Color in Neural Artistic Style Transfer", section 3, for luminance alone; Gatys 2017, "Controlling Perceptual Factors in
Neural Style Transfer", for masks, and for going from coarse to fine.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_play import limits
from gan_play.latent.sample import canonical, check_number
from gan_play.measure.attributes import luma
from gan_play.measure.features import vgg19
from gan_play.models import vgg
from gan_play.pictures import datasets, images, intake
from gan_play.refusals import Refused, refuse

SIZE_PX = 256
"""Of the painting's longer side."""

STEPS = (50, 50)
"""On half the size, then on the whole."""

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
CONTENT_LAYER = "relu4_2"

WEIGHT = 6.0
"""Of the style against the content, at a strength of 1."""

BEYOND = 10.0
"""Weight of what lies beyond black and white, which no picture can show."""

LOOK_EVERY = 10
"""Steps between two looks."""

HALVED_FROM_PX = 128
"""A smaller painting is painted on its own size alone."""

FROM_SET = 4
"""Pictures of a set that its style is taken of, spread evenly."""

LEAST_STYLED = 0.002
"""Share of the picture that a mask must give to the style."""


# The losses


def gram(features: Tensor, counts: Tensor) -> Tensor:
    """Which features go together, on the average over the places that count: sum_p c_p f_p f_p' / sum_p c_p.

    Gatys 2016, equation 3, divided by the places; Gatys 2017, equation 5, where some count more.
    # (1, C, H, W), (1, 1, H, W) -> (C, C)
    """
    f, c = features[0].flatten(1), counts.flatten()
    return (f * c) @ f.T / c.sum()


def apart(x: Tensor, wanted: Tensor) -> Tensor:
    """Squared differences against the squares of what is wanted: 0 where they are the same, 1 for nothing at all.

    Gatys 2016, equations 1 and 4, each in its own unit, so that no layer weighs more for the size of its numbers.
    """
    return (x - wanted).square().sum() / wanted.square().sum().clamp(min=1e-12)


# What is wished for


def check_size(size_px: object, most_px: int = limits.MOST_STYLED_PX) -> int:
    """How long the painting is, or Refused."""
    try:
        number = int(size_px)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if not limits.LEAST_STYLED_PX <= number <= most_px:
        raise Refused(refuse("style-size", str(size_px), low=limits.LEAST_STYLED_PX, high=most_px))
    return number


class Dials(NamedTuple):
    """What may be turned."""

    size_px: int = SIZE_PX  # of the painting's longer side
    strength: float = 1.0  # of the style against the picture, 0 to 2
    scale: float = 1.0  # of the brushwork, 0.25 to 2
    keep_colours: bool = False


USUAL = Dials()


def check_dials(
    size_px: object = SIZE_PX,
    strength: object = 1.0,
    scale: object = 1.0,
    keep_colours: object = False,
    most_px: int = limits.MOST_STYLED_PX,
) -> Dials:
    """Dials as they may be, or Refused."""
    return Dials(
        check_size(size_px, most_px),
        check_number(strength, 0.0, limits.MOST_STRENGTH, "style-strength"),
        check_number(scale, limits.LEAST_STYLE_SCALE, limits.MOST_STYLE_SCALE, "style-scale"),
        bool(keep_colours),
    )


class Wish(NamedTuple):
    """What shall be painted, checked: the pictures and the dials."""

    content: np.ndarray  # uint8 (H, W, 3) at the painting's size
    styles: tuple[np.ndarray, ...]  # uint8 (H, W, 3) each
    dials: Dials = USUAL
    mask: np.ndarray | None = None  # float32 (H, W), 1 where the style goes
    elsewhere: tuple[
        np.ndarray, ...
    ] = ()  # the style of where it doesn't; () leaves the picture there as it is
    weights: tuple[float, ...] = ()  # of `styles`, summing to 1; () where each counts the same

    @property
    def weight(self) -> float:
        """Of the style against the content."""
        return WEIGHT * self.dials.strength**3


def check_weights(weights: Sequence[object], count: int) -> tuple[float, ...]:
    """How much each of so many styles counts, summing to 1, or () where nothing is said; or Refused."""
    try:
        numbers = [float(weight) for weight in weights]
    except (TypeError, ValueError):
        numbers = [math.nan]
    good = len(numbers) == count and all(0 <= n <= limits.MOST_STYLE_WEIGHT for n in numbers) and sum(numbers)
    if numbers and not good:
        said = " ".join(map(str, weights))
        raise Refused(refuse("style-weights", said, count=count, high=limits.MOST_STYLE_WEIGHT))
    return tuple(n / sum(numbers) for n in numbers)


def fitted(height: int, width: int, size_px: int) -> tuple[int, int]:
    """(width, height) with the longer side at `size_px`, the shorter at what the network needs at least."""
    scale = size_px / max(height, width)
    return tuple(max(limits.LEAST_SIDE_PX, round(side * scale)) for side in (width, height))


def check(
    content: np.ndarray | None,
    styles: Sequence[np.ndarray],
    dials: Dials = USUAL,
    mask: np.ndarray | None = None,
    elsewhere: Sequence[np.ndarray] = (),
    weights: Sequence[object] = (),
) -> Wish:
    """A wish of pictures (H, W, 3) uint8, as they were read; or Refused.

    A mask is a picture of the content's size: white where the style goes, black where the picture stays, or where the
    style of `elsewhere` goes. `weights` say how much each of `styles` counts.
    """
    if content is None:
        raise Refused(refuse("no-content"))
    if not styles:
        raise Refused(refuse("no-style"))
    for several in (styles, elsewhere):
        if len(several) > limits.MOST_STYLE_PICTURES:
            raise Refused(refuse("style-count", str(len(several)), most=limits.MOST_STYLE_PICTURES))
    if elsewhere and mask is None:
        raise Refused(refuse("no-mask"))
    size = fitted(*content.shape[:2], dials.size_px)
    if mask is not None:
        if mask.shape != content.shape:
            raise Refused(refuse("mask-size"))
        mask = images.resize(mask, size).mean(axis=2, dtype=np.float32) / np.float32(255)
        if mask.mean() < LEAST_STYLED:
            raise Refused(refuse("mask-none"))
        if mask.min() > 0.99:
            raise Refused(refuse("mask-everywhere"))
    shares = check_weights(weights, len(styles))
    return Wish(images.resize(content, size), tuple(styles), dials, mask, tuple(elsewhere), shares)


def places_of_set(every: int, count: int = FROM_SET) -> list[int]:
    """Which of so many pictures stand for all of them."""
    return list(dict.fromkeys(i * every // count for i in range(count)))


def of_set(home: Path, set_id: str, count: int = FROM_SET) -> list[np.ndarray]:
    """Pictures that stand for the style of a set, spread evenly over it. Refused for a set that isn't here."""
    folder = datasets.find_set(home, set_id)
    every = len(datasets.read_manifest(folder)["pictures"])
    return list(datasets.pictures_of(folder, places_of_set(every, count)))


def read(
    home: Path,
    content: Path | None,
    styles: Sequence[Path],
    set_id: str = "",
    dials: Dials = USUAL,
    mask: Path | np.ndarray | None = None,
    elsewhere: Sequence[Path] = (),
    weights: Sequence[object] = (),
) -> Wish:
    """A wish of files of anybody's, and of a set. Refused as they are, and as `check` refuses."""
    for several in (styles, elsewhere):  # before so many are read
        if len(several) > limits.MOST_STYLE_PICTURES:
            raise Refused(refuse("style-count", str(len(several)), most=limits.MOST_STYLE_PICTURES))
    picture = None if content is None else intake.read_picture_file(content)
    painted_by = [intake.read_picture_file(path) for path in styles]
    painted_by += of_set(home, set_id) if set_id else []
    if isinstance(mask, Path):
        mask = intake.read_picture_file(mask)
    others = [intake.read_picture_file(path) for path in elsewhere]
    return check(picture, painted_by, dials, mask, others, weights)


# One size


def regions_of(wish: Wish, mask: Tensor) -> list[tuple[Tensor, tuple[np.ndarray, ...], tuple[float, ...]]]:
    """Where each style goes (1, 1, H, W), its pictures, and how much each of these counts, summing to 1."""
    every = [(mask, wish.styles, wish.weights)]
    every += [(1 - mask, wish.elsewhere, ())] if wish.elsewhere else []
    return [
        (counts, styles, weights or (1 / len(styles),) * len(styles)) for counts, styles, weights in every
    ]


def seen_size(pixels: np.ndarray, longest_px: float) -> tuple[int, int]:
    """(width, height) at which the network looks at a style picture, which is never enlarged."""
    return fitted(*pixels.shape[:2], min(max(1, round(longest_px)), max(pixels.shape[:2])))


def seen_style(pixels: np.ndarray, longest_px: float, like: Tensor) -> Tensor:
    """A style picture as the network looks at it, no longer than it is: enlarged, brushes would be blurs.

    Where `like`, what is painted, is light and dark alone (1, 1, H, W), so is this, with that one's mean and contrast
    (Preserving Color, equation 10).  # (1, 3 or 1, h, w)
    """
    x = images.to_tensor(images.resize(pixels, seen_size(pixels, longest_px))[None])
    if like.shape[1] == 3:
        return x
    light = luma(x)[:, None]
    return (light - light.mean()) * (like.std() / light.std().clamp(min=1e-3)) + like.mean()


class Goal:
    """What a picture of one size is to become: how far one is from it, in content and in style."""

    def __init__(self, wish: Wish, width: int, height: int) -> None:
        self.network = vgg19()
        self.base = images.to_tensor(images.resize(wish.content, (width, height))[None])
        self.start = luma(self.base)[:, None] if wish.dials.keep_colours else self.base
        ones = torch.ones(1, 1, height, width)
        mask = ones
        if wish.mask is not None:
            mask = F.interpolate(torch.from_numpy(wish.mask)[None, None], size=(height, width), mode="area")
        self.moves = ones if wish.elsewhere else mask
        longest = max(width, height) * wish.dials.scale
        self.content = self._features(self.start, (CONTENT_LAYER,))[CONTENT_LAYER]
        self.regions = [
            ([self._shrunk(counts, layer) for layer in STYLE_LAYERS], self._grams(styles, weights, longest))
            for counts, styles, weights in regions_of(wish, mask)
        ]

    def _features(self, x: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        return self.network(x.expand(-1, 3, -1, -1), layers)

    def _shrunk(self, counts: Tensor, layer: str) -> Tensor:
        by = 2 ** (int(layer[4]) - 1)
        return F.avg_pool2d(counts, by) if by > 1 else counts

    def _grams(
        self, styles: Sequence[np.ndarray], weights: Sequence[float], longest_px: float
    ) -> list[Tensor]:
        """By layer, the weighted mean over the pictures: to be near it is to be near all of them."""
        found = []
        for pixels in styles:
            seen = self._features(seen_style(pixels, longest_px, self.start), STYLE_LAYERS)
            found.append([gram(seen[layer], torch.ones_like(seen[layer][:, :1])) for layer in STYLE_LAYERS])
        return [sum(weight * x for weight, x in zip(weights, grams)) for grams in zip(*found)]

    def shown(self, moved: Tensor) -> Tensor:
        """What the network sees of the picture, moved by so much."""
        return self.start + self.moves * moved

    def __call__(self, moved: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """How far in content, in style, and beyond black and white, the picture is once moved."""
        x = self.shown(moved)
        seen = self._features(x, (*STYLE_LAYERS, CONTENT_LAYER))
        style = x.new_zeros(())
        for counts, wanted in self.regions:
            for layer, c, g in zip(STYLE_LAYERS, counts, wanted):
                style = style + apart(gram(seen[layer], c), g)
        beyond = F.relu(x.abs() - 1).square().mean()
        return (
            apart(seen[CONTENT_LAYER], self.content),
            style / len(STYLE_LAYERS) / len(self.regions),
            beyond,
        )


# The way there


class Look(NamedTuple):
    """A moment of the painting."""

    step: int
    steps: int
    share: float  # of the work that is done: late steps take longer
    pixels: np.ndarray  # uint8 (H, W, 3), at the painting's size from the first look on
    style: float  # how far from the style: 0 has its textures, 1 has none
    content: float  # how far from the picture's content: 0 is the same, 1 as far as an empty one


def levels_of(width: int, height: int, steps: Sequence[int]) -> list[tuple[tuple[int, int], int]]:
    """The sizes that a painting goes through, each with its steps: ((width, height), steps)."""
    half = tuple(max(limits.LEAST_SIDE_PX, round(side / 2)) for side in (width, height))
    levels = [(half, steps[0])] if max(width, height) >= HALVED_FROM_PX else []
    return [*levels, ((width, height), steps[-1])]


def transfer(wish: Wish, steps: Sequence[int] | None = None) -> Iterator[Look]:
    """Paints a wish; looks on the way, the last one when it is done.

    On one thread: where other work goes on beside it, two that wait for each other took twice as long.
    """
    steps = steps or STEPS
    height, width = wish.content.shape[:2]
    levels = levels_of(width, height, steps)
    work = [w * h * count for (w, h), count in levels]
    moved, done, step = None, 0.0, 0
    for (size, count), cost in zip(levels, work):
        with canonical(), torch.inference_mode(False), torch.no_grad():
            goal = Goal(wish, *size)
            if moved is None:
                moved = torch.zeros_like(goal.start)
            else:
                moved = F.interpolate(moved, size=size[::-1], mode="bilinear")
        moved.requires_grad_()
        descent = torch.optim.LBFGS([moved], max_iter=1, history_size=20)
        for at in range(1, count + 1):
            with canonical(), torch.inference_mode(False), torch.enable_grad():
                content, style = _step(goal, wish.weight, moved, descent)
            step += 1
            if at % LOOK_EVERY == 0 or at == count:
                share = (done + cost * at / count) / sum(work)
                yield Look(step, sum(c for _, c in levels), share, painted(wish, moved), style, content)
        done += cost
        moved = moved.detach()


def _step(goal: Goal, weight: float, moved: Tensor, descent: torch.optim.Optimizer) -> tuple[float, float]:
    """One step downhill; how far in content and style the picture was before it."""
    seen = []

    def loss() -> Tensor:
        descent.zero_grad()
        content, style, beyond = goal(moved)
        seen.append((content.item(), style.item()))
        total = content + weight * style + BEYOND * beyond
        total.backward()
        return total

    descent.step(loss)
    return seen[0]


def painted(wish: Wish, moved: Tensor) -> np.ndarray:
    """The picture, moved by so much (1, 3 or 1, h, w), at the painting's size.  # uint8 (H, W, 3)"""
    height, width = wish.content.shape[:2]
    moved = moved.detach()
    if moved.shape[-2:] != (height, width):
        moved = F.interpolate(moved, size=(height, width), mode="bilinear")
    base = images.to_tensor(wish.content[None])
    if wish.mask is None or wish.elsewhere:
        return images.to_pixels(base + moved)[0]
    pixels = images.to_pixels(base + torch.from_numpy(wish.mask) * moved)[0]
    return np.where(wish.mask[:, :, None] > 0, pixels, wish.content)


# How long

SLOWER, START_S = 1.7, 4.0
"""Times that a step takes longer than its convolutions would at the speed of the measured one; and what goes before."""


@functools.cache
def _speed() -> float:
    """Multiplications a second of one convolution of the network, there and back, the best of three."""
    with canonical(), torch.inference_mode(False), torch.enable_grad():
        x = torch.ones(1, 128, 96, 96).contiguous(memory_format=torch.channels_last).requires_grad_()
        weight = torch.ones(128, 128, 3, 3).contiguous(memory_format=torch.channels_last)
        best = math.inf
        for _ in range(3):
            begun = time.perf_counter()
            F.conv2d(x, weight, padding=1).sum().backward()
            best = min(best, time.perf_counter() - begun)
    return 2 * 9 * 128 * 128 * 96 * 96 / best


def forecast(width: int, height: int, steps: Sequence[int] | None = None) -> float:
    """Seconds that a painting of this size will take here, roughly; the machine is asked once."""
    products = sum(
        count * vgg.products(h, w, CONTENT_LAYER)
        for (w, h), count in levels_of(width, height, steps or STEPS)
    )
    return START_S + SLOWER * 2 * products / _speed()


# In words

FAR = 0.3
"""How far from the style a painting may end before its brushwork hardly shows."""


def sentence(look: Look) -> str:
    """How near a painting came, in words and numbers."""
    near = "It took the style on" if look.style < FAR else "It took little of the style on"
    return (
        f"{near} ({look.style:.2f} away, where 0 has its textures and 1 none) and is {look.content:.2f} from its "
        "picture (0: the same)."
    )
