"""Augmentation: differentiable, seeded, and the same for reals and fakes."""

import pytest
import torch

from gan_play.trainers import augment

CHANGES = [augment.colour, augment.shift, augment.cutout]


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_draws_give_the_same_change(change):
    x = torch.rand(4, 3, 32, 32) * 2 - 1
    assert torch.equal(change(x, random()), change(x, random()))
    assert not torch.equal(change(x, random()), change(x, random(1)))


@pytest.mark.parametrize("change", CHANGES)
def test_gradients_flow_back_to_the_picture(change):
    x = (torch.rand(4, 3, 32, 32) * 2 - 1).requires_grad_()
    change(x, random()).sum().backward()
    assert x.grad.abs().sum() > 0


def test_shift_moves_by_whole_pixels_and_fills_from_the_edge():
    x = torch.ones(64, 3, 32, 32)
    x[:, :, :, 16] = -1  # a line
    moved = augment.shift(x, random())
    columns = {int((row[0, 16] == -1).nonzero()[0]) for row in moved}
    assert min(columns) >= 12 and max(columns) <= 20  # an eighth of 32 to either side
    assert len(columns) > 4
    assert set(moved.unique().tolist()) == {-1.0, 1.0}


def test_cutout_hides_a_square_of_half_the_side_at_most():
    hidden = (augment.cutout(torch.ones(64, 3, 32, 32), random()) == 0).sum(dim=(1, 2, 3)) // 3
    assert hidden.max() == 16 * 16
    assert hidden.min() >= 8 * 8  # a quarter, where its centre lies in a corner


def test_strength_zero_leaves_pictures_alone_and_draws_as_many_numbers():
    x = torch.rand(4, 3, 32, 32)
    weak, strong = random(), random()
    assert torch.equal(augment.augment(x, weak, 0.0), x)
    augment.augment(x, strong, 1.0)
    assert torch.equal(weak.get_state(), strong.get_state())
