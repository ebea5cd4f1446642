"""What is measured of a picture: on pictures for which the answer is known."""

import math

import pytest
import torch

from gan_play.measure.attributes import ATTRIBUTES, measure


def flat(red, green, blue, size=32):
    return torch.tensor([red, green, blue])[:, None, None].expand(3, size, size)[None].double()


def value(name, x):
    return ATTRIBUTES[name].of(x).item()


def test_flat_colours_by_hand():
    x = flat(0.8, 0.4, 0.2)
    assert value("light", x) == pytest.approx(0.299 * 0.8 + 0.587 * 0.4 + 0.114 * 0.2)
    assert value("warmth", x) == pytest.approx(0.6) and value("saturation", x) == pytest.approx(0.6)
    assert value("hue", x) == pytest.approx(-0.1)
    for name in ("contrast", "detail", "horizon", "busyness"):
        assert value(name, x) == pytest.approx(0, abs=1e-5)


def test_a_checkerboard_has_contrast_and_detail_and_no_shapes():
    board = (torch.arange(32)[:, None] + torch.arange(32)) % 2
    x = board.double()[None, None].expand(1, 3, 32, 32)
    assert value("contrast", x) == pytest.approx(0.5, abs=1e-6)
    assert value("detail", x) == pytest.approx(1) and value("busyness", x) == pytest.approx(0)


def test_a_light_sky_is_a_horizon_and_a_mirrored_picture_is_symmetric():
    x = torch.zeros(1, 3, 30, 30, dtype=torch.float64)
    x[:, :, :15] = 1
    assert value("horizon", x) == pytest.approx(1) and value("horizon", x.flip(2)) == pytest.approx(-1)
    half = torch.rand(1, 3, 30, 15, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert value("symmetry", torch.cat([half, half.flip(3)], dim=3)) == pytest.approx(1, abs=1e-3)
    assert value("symmetry", torch.cat([half, 1 - half.flip(3)], dim=3)) == pytest.approx(-1, abs=1e-2)


def test_stripes_of_two_cells_are_busy():
    stripes = (torch.arange(32) // 2 % 2).double().expand(1, 3, 32, 32)
    assert value("busyness", stripes) == pytest.approx(0.5)


@pytest.mark.parametrize("name", list(ATTRIBUTES))
def test_each_has_the_derivatives_that_small_changes_show(name):
    numbers = torch.Generator().manual_seed(1)
    x = torch.rand(1, 3, 32, 32, generator=numbers, dtype=torch.float64).requires_grad_()
    by = torch.randn(1, 3, 32, 32, generator=numbers, dtype=torch.float64)
    (slope,) = torch.autograd.grad(ATTRIBUTES[name].of(x).sum(), x)
    ends = [value(name, (x + sign * 1e-6 * by).detach()) for sign in (1, -1)]
    assert (slope * by).sum().item() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-3, abs=1e-7)


def test_each_picture_is_measured_alone_in_units_of_its_spread():
    x = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    whole = measure(x)
    assert whole.shape == (3, len(ATTRIBUTES)) and torch.allclose(whole[1], measure(x[1:2])[0], atol=1e-5)
    assert math.isclose(whole[0, 0], value("light", x[:1]) / ATTRIBUTES["light"].spread, rel_tol=1e-5)
