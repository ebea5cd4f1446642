"""The pool of 50 paintings against a slow reference that keeps them in a list, as Zhu 2017 does."""

import torch

from gan_play.pictures import images
from gan_play.trainers import pool
from gan_play.trainers.pool import POOLED, places, shown


class ListOfFifty:
    """The reference: whole paintings in a list, one at a time, with the same two draws for each."""

    def __init__(self) -> None:
        self.kept: list[torch.Tensor] = []

    def query(self, painted: torch.Tensor, swap: float, chosen: int) -> torch.Tensor:
        if len(self.kept) < 50:
            self.kept.append(painted)
            return painted
        if swap > 0.5:
            before = self.kept[chosen]
            self.kept[chosen] = painted
            return before
        return painted


def draws(step: int) -> torch.Generator:
    return torch.Generator().manual_seed(1000 + step)


def paintings(step: int, count: int = 3) -> torch.Tensor:
    """Paintings that survive 8 bits, so that nothing may differ."""
    pixels = torch.randint(0, 256, (count, 4, 4, 3), generator=torch.Generator().manual_seed(step))
    return images.to_tensor(pixels.to(torch.uint8).numpy())


def test_the_pool_shows_and_keeps_what_the_slow_reference_does():
    reference, mine = ListOfFifty(), torch.zeros(POOLED, 3, 4, 4, dtype=torch.uint8)
    old = 0
    for step in range(60):
        painted, random = paintings(step), draws(step)
        swaps, chosen = torch.rand(3, generator=random), torch.randint(50, (3,), generator=random)
        wanted = torch.stack(
            [reference.query(one, float(u), int(k)) for one, u, k in zip(painted, swaps, chosen)]
        )
        found = shown(mine, painted, places(step * 3, 3, draws(step)))
        assert torch.equal(found, wanted)
        old += int((found != painted).flatten(1).any(dim=1).sum())
    kept = torch.stack(reference.kept)
    assert torch.equal(images.to_tensor(mine.permute(0, 2, 3, 1).numpy()), kept)
    assert 40 < old < 90  # half of the 130 that came when it was full


def test_two_paintings_of_one_step_may_follow_each_other_in_one_place():
    mine = torch.zeros(POOLED, 3, 4, 4, dtype=torch.uint8)
    painted = paintings(0, 2)
    found = shown(mine, painted, [(7, True), (7, True)])
    assert torch.equal(found, torch.stack([torch.full((3, 4, 4), -1.0), painted[0]]))
    assert torch.equal(images.to_tensor(mine[7:8].permute(0, 2, 3, 1).numpy()), painted[1:])


def test_a_step_in_parts_uses_the_pool_as_the_whole_step_does():
    pools = [torch.zeros(POOLED, 3, 4, 4, dtype=torch.uint8) for _ in range(2)]
    for step in range(30):
        painted, plan = paintings(step), places(step * 3, 3, draws(step))
        whole = shown(pools[0], painted, plan)
        parts = [shown(pools[1], painted[rows], plan[rows]) for rows in (slice(0, 1), slice(1, 3))]
        assert torch.equal(torch.cat(parts), whole)
    assert torch.equal(*pools)


def test_what_is_shown_has_no_way_back_and_the_paintings_stay_as_they_are():
    painted = paintings(0).requires_grad_(True)
    before = painted.detach().clone()
    found = shown(torch.zeros(POOLED, 3, 4, 4, dtype=torch.uint8), painted, [(0, True)] * 3)
    assert not found.requires_grad and torch.equal(painted.detach(), before)


def test_what_the_pool_had_before_the_first_step_is_never_shown():
    assert all(not swap for _, swap in places(0, POOLED, draws(0)))
    assert [place for place, _ in places(0, POOLED, draws(0))] == list(range(POOLED))
    assert pool.POOLED == 50
