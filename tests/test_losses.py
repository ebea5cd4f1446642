"""Losses against values worked out by hand, in float64."""

import math

import pytest
import torch

from gan_play.trainers.losses import HINGE, NON_SATURATING

REAL = torch.tensor([2.0, -0.5], dtype=torch.float64)
FAKE = torch.tensor([-3.0, 0.25], dtype=torch.float64)


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


def test_the_non_saturating_loss_is_goodfellows_by_hand():
    by_hand = -(log_sigmoid(2.0) + log_sigmoid(-0.5)) / 2 - (log_sigmoid(3.0) + log_sigmoid(-0.25)) / 2
    assert NON_SATURATING.discriminator(REAL, FAKE).item() == pytest.approx(by_hand, abs=1e-12)
    by_hand = -(log_sigmoid(-3.0) + log_sigmoid(0.25)) / 2
    assert NON_SATURATING.generator(FAKE).item() == pytest.approx(by_hand, abs=1e-12)


def test_the_hinge_loss_is_lims_by_hand():
    assert HINGE.discriminator(REAL, FAKE).item() == pytest.approx((0 + 1.5) / 2 + (0 + 1.25) / 2)
    assert HINGE.generator(FAKE).item() == pytest.approx((3.0 - 0.25) / 2)


def test_logits_beyond_the_margin_pull_on_nothing():
    far = torch.tensor([5.0], dtype=torch.float64, requires_grad=True)
    HINGE.discriminator(far, -far.detach()).backward()
    assert far.grad.item() == 0
