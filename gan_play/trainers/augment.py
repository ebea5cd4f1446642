"""Differentiable augmentation: the discriminator sees reals and fakes through the same shaking hand.

Source: Zhao 2020, "Differentiable Augmentation for Data-Efficient GAN Training". Every draw comes from the
generator given, so a step's augmentation is a function of (seed, step).
"""

import torch
from torch import Tensor

SHIFT = 0.125  # of the side
CUTOUT = 0.5  # side of the hole, of the side


def colour(x: Tensor, random: torch.Generator) -> Tensor:
    """Brightness +-0.5, saturation x0 to x2, contrast x0.5 to x1.5, a draw for each picture."""
    draws = torch.rand(3, len(x), 1, 1, 1, generator=random).to(x.device)
    x = x + (draws[0] - 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = torch.lerp(grey, x, draws[1] * 2)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, x, draws[2] + 0.5)


def shift(x: Tensor, random: torch.Generator) -> Tensor:
    """Move each picture by up to an eighth of its side; its edge fills what comes in from outside.

    The paper fills with grey. A painter learns to paint that grey along its own edges, since there it passes.
    """
    count, _, height, width = x.shape
    reach = int(height * SHIFT + 0.5)
    moves = torch.randint(-reach, reach + 1, (2, count, 1), generator=random)
    rows = (torch.arange(height) + moves[0]).clamp(0, height - 1).to(x.device)  # (B, H)
    columns = (torch.arange(width) + moves[1]).clamp(0, width - 1).to(x.device)  # (B, W)
    which = torch.arange(count, device=x.device)[:, None, None]
    return x.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(x: Tensor, random: torch.Generator) -> Tensor:
    """A grey square of half the side, anywhere."""
    count, _, height, width = x.shape
    hole = int(height * CUTOUT + 0.5)
    centres = torch.randint(0, height + (1 - hole % 2), (2, count), generator=random).to(x.device)
    rows = (torch.arange(height, device=x.device)[None] - centres[0][:, None] + hole // 2) // hole == 0
    columns = (torch.arange(width, device=x.device)[None] - centres[1][:, None] + hole // 2) // hole == 0
    hidden = rows[:, None, :, None] & columns[:, None, None, :]
    return x.masked_fill(hidden, 0.0)


def augment(x: Tensor, random: torch.Generator, strength: float = 1.0) -> Tensor:
    """Colour, shift and cutout, each applied to a share `strength` (0 to 1) of the pictures.

    x (B, 3, H, W) -> the same shape. Draws the same numbers whatever the strength.
    """
    for change in (colour, shift, cutout):
        changed = change(x, random)
        chosen = torch.rand(len(x), 1, 1, 1, generator=random) < strength
        x = changed if strength >= 1 else torch.where(chosen.to(x.device), changed, x)
    return x.contiguous(memory_format=torch.channels_last)
