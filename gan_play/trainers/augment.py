"""Differentiable augmentation: the discriminator sees reals and fakes through the same shaking hand.

Source: Zhao 2020, "Differentiable Augmentation for Data-Efficient GAN Training". Every draw comes from the
generator given, so a step's augmentation is a function of (seed, step).
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from gan_play.trainers.clock import sent

SHIFT = 0.125  # of the side
CUTOUT = 0.5  # side of the hole, of the side


class Rows(NamedTuple):
    """The random numbers of some rows of a batch of `count` pictures: `drawn` makes those of all, and gives theirs."""

    generator: torch.Generator
    count: int
    rows: slice


Random = torch.Generator | Rows
"""Where the random numbers of a batch, or of a micro-batch cut from one, come from."""


def drawn(make: Callable[[int, torch.Generator], Tensor], count: int, random: Random, dim: int = 0) -> Tensor:
    """Random numbers for `count` pictures, along `dim`, by make(count, generator).

    A micro-batch gets what its pictures would get in the whole batch.
    """
    if isinstance(random, torch.Generator):
        return make(count, random)
    start, stop, _ = random.rows.indices(random.count)
    return make(random.count, random.generator).narrow(dim, start, stop - start)


def colour(x: Tensor, random: Random) -> Tensor:
    """Brightness +-0.5, saturation x0 to x2, contrast x0.5 to x1.5, a draw for each picture."""
    draws = drawn(lambda count, g: torch.rand(3, count, 1, 1, 1, generator=g), len(x), random, 1)
    draws = sent(draws, x.device)
    x = x + (draws[0] - 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = torch.lerp(grey, x, draws[1] * 2)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, x, draws[2] + 0.5)


def shift(x: Tensor, random: Random) -> Tensor:
    """Move each picture by up to an eighth of its side; its edge fills what comes in from outside.

    The paper fills with grey. A painter learns to paint that grey along its own edges, since there it passes.
    """
    count, _, height, width = x.shape
    reach = int(height * SHIFT + 0.5)
    moves = drawn(
        lambda count, g: torch.randint(-reach, reach + 1, (2, count, 1), generator=g), count, random, 1
    )
    rows = sent((torch.arange(height) + moves[0]).clamp(0, height - 1), x.device)  # (B, H)
    columns = sent((torch.arange(width) + moves[1]).clamp(0, width - 1), x.device)  # (B, W)
    which = torch.arange(count, device=x.device)[:, None, None]
    return x.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(x: Tensor, random: Random) -> Tensor:
    """A grey square of half the side, anywhere."""
    count, _, height, width = x.shape
    hole = int(height * CUTOUT + 0.5)
    most = height + (1 - hole % 2)
    centres = drawn(lambda count, g: torch.randint(0, most, (2, count), generator=g), count, random, 1)
    centres = sent(centres, x.device)
    rows = (torch.arange(height, device=x.device)[None] - centres[0][:, None] + hole // 2) // hole == 0
    columns = (torch.arange(width, device=x.device)[None] - centres[1][:, None] + hole // 2) // hole == 0
    hidden = rows[:, None, :, None] & columns[:, None, None, :]
    return x.masked_fill(hidden, 0.0)


def chosen(count: int, random: Random) -> Tensor:
    """Even numbers from 0 to 1, one for each of `count` pictures: (B, 1, 1, 1), on the CPU."""
    return drawn(lambda count, g: torch.rand(count, 1, 1, 1, generator=g), count, random)


def augment(x: Tensor, random: Random, strength: float = 1.0) -> Tensor:
    """Colour, shift and cutout, each applied to a share `strength` (0 to 1) of the pictures.

    x (B, 3, H, W) -> the same shape. Draws the same numbers whatever the strength.
    """
    for change in (colour, shift, cutout):
        changed = change(x, random)
        some = chosen(len(x), random) < strength
        x = changed if strength >= 1 else torch.where(sent(some, x.device), changed, x)
    return x.contiguous(memory_format=torch.channels_last)
