"""The pool of the last 50 paintings that a critic is also shown, so that it doesn't only judge the newest.

Source: Shrivastava 2017, "Learning from Simulated and Unsupervised Images through Adversarial Training", section 2.3,
in the way of Zhu 2017, section 4: until the pool is full, each painting is kept and shown; then half of them are shown
as they are, and of the others each takes the place of one in the pool, which is shown in its stead.

The paintings lie in the pool as pictures at rest, with 8 bits a colour, as the reals do that they are compared with:
a quarter of the disk. What happens to each is a function of (seed, step), and how many were kept before a step follows
from its number, so the pool's pixels are all that a state needs.
"""

import torch
from torch import Tensor

from gan_play.trainers.clock import sent

POOLED = 50  # paintings (Zhu 2017, section 4)
Place = tuple[int, bool]
"""Where a painting goes, and whether what was there is shown instead; (-1, False) is nowhere."""


def places(kept: int, count: int, random: torch.Generator) -> list[Place]:
    """What happens to the next `count` paintings, if `kept` were made before them, in order."""
    swaps = torch.rand(count, generator=random)
    chosen = torch.randint(POOLED, (count,), generator=random)
    found = []
    for number, (swap, place) in enumerate(zip(swaps.tolist(), chosen.tolist()), kept):
        if number < POOLED:
            found.append((number, False))
        else:
            found.append((place, True) if swap > 0.5 else (-1, False))
    return found


@torch.no_grad()
def shown(pool: Tensor, painted: Tensor, plan: list[Place]) -> Tensor:
    """What the critic is shown for these paintings (B, 3, S, S) in [-1, 1], of the same shape; the pool moves on.

    `pool` (50, 3, S, S) uint8 is changed in place, as if one painting came after the other: the plan alone, known
    beforehand, says where each thing shown lies, in the pool as it was or among the new ones.
    """
    now = list(
        range(POOLED)
    )  # of each place of the pool: which of the old ones and, behind them, the new lies there
    sources, old = [], []
    for number, (place, swap) in enumerate(plan, POOLED):
        sources.append(now[place] if swap else number)
        old.append(swap)
        if place >= 0:
            now[place] = number
    device, fresh = pool.device, painted.detach()
    at_rest = fresh.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
    all_of_them = torch.cat([pool, at_rest])
    taken = all_of_them[sent(torch.tensor(sources), device)].to(fresh.dtype).div_(127.5).sub_(1)
    pool.copy_(all_of_them[sent(torch.tensor(now), device)])
    return torch.where(sent(torch.tensor(old), device)[:, None, None, None], taken, fresh)
