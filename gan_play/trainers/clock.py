"""One clock: what a step learns from is a function of (seed, step). The draws that all recipes share.

Whatever is drawn passes through here, from its seed to the device. So a step that is recorded (`replay.py`) can be
listened to, and the draws of other steps made without it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from torch import Tensor


class Listener(Protocol):
    """Who is told what a step draws."""

    def seeded(self, random: torch.Generator, seed: int, purpose: str) -> None:
        """`random` draws for a purpose of this step."""

    def chosen(self, indices: Tensor, of_step: Callable[[int], Tensor]) -> None:
        """These pictures were chosen; `of_step` chooses those of another step."""

    def sent(self, x: Tensor, device: str | torch.device) -> Tensor:
        """What was drawn, on the device."""


_listener: Listener | None = None


@contextlib.contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Meanwhile a listener is told what is drawn, and says what arrives on the device."""
    global _listener
    _listener = listener
    try:
        yield
    finally:
        _listener = None


def draw_seed(seed: int, step: int, purpose: str) -> int:
    """The seed of one draw: 63 bits of SHA-256 over (seed, step, purpose), the same on every machine."""
    digest = hashlib.sha256(f"{seed}/{step}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def random_for(seed: int, step: int, purpose: str) -> torch.Generator:
    """The random numbers of one purpose in one step. Drawn on the CPU, so that devices agree."""
    random = torch.Generator().manual_seed(draw_seed(seed, step, purpose))
    if _listener is not None:
        _listener.seeded(random, seed, purpose)
    return random


def sent(x: Tensor, device: str | torch.device) -> Tensor:
    """What was drawn on the CPU, on the device, to which it is sent without waiting for what that still computes.

    Safe, since the driver has copied memory that isn't pinned before it returns.
    """
    return x.to(device, non_blocking=True) if _listener is None else _listener.sent(x, device)


@functools.lru_cache(maxsize=4)
def _shuffled(seed: int, epoch: int, count: int) -> Tensor:
    random = torch.Generator().manual_seed(draw_seed(seed, epoch, "shuffle"))
    return torch.randperm(count, generator=random)


def batch_indices(seed: int, step: int, batch: int, count: int, part: int = 0, parts: int = 1) -> Tensor:
    """Which of `count` pictures step `step` (from 1) learns from: (batch,). Each is used once an epoch.

    Where a step learns from several batches, those of `part`, of so many `parts`.
    """

    def of_step(step: int) -> Tensor:
        first = ((step - 1) * parts + part) * batch
        places = range(first, first + batch)
        return torch.stack([_shuffled(seed, place // count, count)[place % count] for place in places])

    indices = of_step(step)
    if _listener is not None:
        _listener.chosen(indices, of_step)
    return indices
