"""One clock: what a step learns from is a function of (seed, step). The draws that all recipes share."""

import functools
import hashlib

import torch
from torch import Tensor


def draw_seed(seed: int, step: int, purpose: str) -> int:
    """The seed of one draw: 63 bits of SHA-256 over (seed, step, purpose), the same on every machine."""
    digest = hashlib.sha256(f"{seed}/{step}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def random_for(seed: int, step: int, purpose: str) -> torch.Generator:
    """The random numbers of one purpose in one step. Drawn on the CPU, so that devices agree."""
    return torch.Generator().manual_seed(draw_seed(seed, step, purpose))


def sent(x: Tensor, device: str | torch.device) -> Tensor:
    """What was drawn on the CPU, on the device, to which it is sent without waiting for what that still computes.

    Safe, since the driver has copied memory that isn't pinned before it returns.
    """
    return x.to(device, non_blocking=True)


@functools.lru_cache(maxsize=4)
def _shuffled(seed: int, epoch: int, count: int) -> Tensor:
    return torch.randperm(count, generator=random_for(seed, epoch, "shuffle"))


def batch_indices(seed: int, step: int, batch: int, count: int) -> Tensor:
    """Which of `count` pictures step `step` (from 1) learns from: (batch,). Each is used once an epoch."""
    places = range((step - 1) * batch, step * batch)
    return torch.stack([_shuffled(seed, place // count, count)[place % count] for place in places])
