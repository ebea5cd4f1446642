"""What belongs to a seed: its latent vector and its noise. The one definition that grids, links and films share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def numbers_of(seed: int, purpose: str = "") -> torch.Generator:
    """The stream of random numbers that belongs to a seed and a purpose; without one, torch's own for that seed.

    Torch's generator takes 32 bits and drops the rest, so a larger seed is folded by SHA-256 (as is a purpose).
    """
    if purpose or seed >= 2**32:
        seed = int.from_bytes(hashlib.sha256(f"{purpose} {seed}".encode()).digest()[:4], "little")
    return torch.Generator().manual_seed(seed)


def z_of(seeds: Sequence[int], z_dim: int) -> Tensor:
    """The latent vectors of seeds, each drawn by its own generator: float32.  # (B, z_dim)"""
    return torch.stack([torch.randn(z_dim, generator=numbers_of(seed)) for seed in seeds])


def noise_of(generator: nn.Module, seeds: Sequence[int]) -> list[Tensor]:
    """The noise maps of seeds, one tensor for each of the generator's noise inputs.  # (B, C, H, W) each"""
    maps = []
    for seed in seeds:
        numbers = numbers_of(seed, "noise")
        maps.append([torch.randn(shape, generator=numbers) for shape in generator.noise_shapes])
    return [torch.stack(level) for level in zip(*maps)]
