"""Losses against values worked out by hand, in float64."""

import math

import pytest
import torch

from gan_play.trainers.losses import (
    HINGE,
    LEAST_SQUARES,
    MINIMAX,
    NON_SATURATING,
    RELATIVISTIC,
    WASSERSTEIN,
    absolute,
    distance_within,
    gradient_penalty,
    kernel_distance,
    patch_contrast,
    squared_gradient,
)

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


def test_the_minimax_loss_is_goodfellows_game_and_flat_where_the_critic_is_sure():
    by_hand = (math.log(1 - 1 / (1 + math.exp(3.0))) + math.log(1 - 1 / (1 + math.exp(-0.25)))) / 2
    assert MINIMAX.generator(FAKE).item() == pytest.approx(by_hand, abs=1e-12)
    assert MINIMAX.discriminator(REAL, FAKE) == NON_SATURATING.discriminator(REAL, FAKE)
    slopes = []
    for loss in (MINIMAX, NON_SATURATING):
        sure = torch.tensor([-8.0], dtype=torch.float64, requires_grad=True)
        loss.generator(sure).backward()
        slopes.append(abs(sure.grad.item()))
    assert slopes[0] == pytest.approx(1 / (1 + math.exp(8.0)))
    assert slopes[1] > 0.999  # which is why the paper advises the other


def test_the_wasserstein_loss_is_the_difference_of_the_means():
    assert WASSERSTEIN.discriminator(REAL, FAKE).item() == pytest.approx(-1.375 - 0.75)
    assert WASSERSTEIN.generator(FAKE).item() == pytest.approx(1.375)


def test_the_relativistic_loss_pairs_each_fake_with_a_real():
    by_hand = (math.log1p(math.exp(-3.0 - 2.0)) + math.log1p(math.exp(0.25 + 0.5))) / 2
    assert RELATIVISTIC.discriminator(REAL, FAKE).item() == pytest.approx(by_hand, abs=1e-12)
    by_hand = (math.log1p(math.exp(2.0 + 3.0)) + math.log1p(math.exp(-0.5 - 0.25))) / 2
    assert RELATIVISTIC.generator(FAKE, REAL).item() == pytest.approx(by_hand, abs=1e-12)


def a_slope(x: torch.Tensor) -> torch.Tensor:
    """A critic whose gradient is (3, 4, 0, ...) at every picture: of length 5."""
    flat = x.flatten(1)
    return 3 * flat[:, :1] + 4 * flat[:, 1:2]


def test_penalties_on_a_plane_are_those_of_its_slope():
    real, fake = torch.randn(2, 4, 3, 2, 2, dtype=torch.float64)
    assert squared_gradient(a_slope, real).item() == pytest.approx(25)
    share = torch.rand(4, 1, 1, 1, dtype=torch.float64)
    assert gradient_penalty(a_slope, real, fake, share).item() == pytest.approx(16)


def test_penalties_on_a_bowl_are_worked_out_by_hand():
    def bowl(x: torch.Tensor) -> torch.Tensor:  # gradient 2 x
        return x.square().flatten(1).sum(dim=1, keepdim=True)

    real, fake = torch.full((1, 3, 1, 1), 0.5).double(), torch.full((1, 3, 1, 1), -0.5).double()
    assert squared_gradient(bowl, real).item() == pytest.approx(3.0)
    for share, at in ((0.0, 0.5), (0.25, 0.25), (1.0, -0.5)):
        length = math.sqrt(3 * (2 * at) ** 2)
        found = gradient_penalty(bowl, real, fake, torch.full((1, 1, 1, 1), share).double())
        assert found.item() == pytest.approx((length - 1) ** 2)


def test_a_penalty_teaches_the_critic_and_not_the_painter():
    weight = torch.ones(1, 12, dtype=torch.float64, requires_grad=True)
    fake = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    penalty = gradient_penalty(
        lambda x: x.flatten(1) @ weight.T,
        torch.randn(2, 3, 2, 2).double(),
        fake,
        torch.rand(2, 1, 1, 1).double(),
    )
    penalty.backward()
    length = math.sqrt(12)
    assert torch.allclose(weight.grad, torch.full_like(weight, 2 * (length - 1) / length))
    assert fake.grad is None


def test_the_distance_within_labels_is_worked_out_by_hand():
    x = torch.tensor([[0.0, 0.0], [1.0, 3.0], [10.0, 10.0], [0.5, 0.5], [9.0, 10.0]], dtype=torch.float64)
    x = x.view(5, 1, 1, 2).requires_grad_(True)
    label = torch.tensor([0, 0, 1, 0, 1])
    pairs = [(1 + 3) / 2, (0.5 + 2.5) / 2, (1 + 0) / 2]  # 0 and 1, 1 and 3, 2 and 4
    apart = distance_within(x, label)
    assert apart.item() == pytest.approx(sum(pairs) / 3, abs=1e-6)
    apart.backward()
    assert x.grad[2].flatten().tolist() == pytest.approx([1 / 6, 0])  # away from its like alone
    assert distance_within(x, torch.arange(5)).item() == 0


def test_the_least_squares_loss_and_its_gradients_are_mao_and_zhu_by_hand():
    real, fake = REAL.clone().requires_grad_(True), FAKE.clone().requires_grad_(True)
    loss_d = LEAST_SQUARES.discriminator(real, fake)
    by_hand = ((2.0 - 1) ** 2 + (-0.5 - 1) ** 2) / 2 / 2 + (3.0**2 + 0.25**2) / 2 / 2
    assert loss_d.item() == pytest.approx(by_hand, abs=1e-12)
    of_real, of_fake = torch.autograd.grad(loss_d, (real, fake))
    assert of_real.tolist() == pytest.approx([(2.0 - 1) / 2, (-0.5 - 1) / 2], abs=1e-12)
    assert of_fake.tolist() == pytest.approx([-3.0 / 2, 0.25 / 2], abs=1e-12)
    loss_g = LEAST_SQUARES.generator(fake)
    assert loss_g.item() == pytest.approx(((-3.0 - 1) ** 2 + (0.25 - 1) ** 2) / 2, abs=1e-12)
    assert torch.autograd.grad(loss_g, fake)[0].tolist() == pytest.approx([-3.0 - 1, 0.25 - 1], abs=1e-12)


def test_the_distance_of_pictures_and_its_gradient_are_by_hand():
    painted = torch.tensor([0.5, -1.0, 0.25, 0.0], dtype=torch.float64).view(1, 1, 2, 2).requires_grad_(True)
    wanted = torch.tensor([1.0, -1.5, 0.25, 0.5], dtype=torch.float64).view(1, 1, 2, 2)
    found = absolute(painted, wanted)
    assert found.item() == pytest.approx((0.5 + 0.5 + 0 + 0.5) / 4, abs=1e-12)
    (gradient,) = torch.autograd.grad(found, painted)
    assert gradient.flatten().tolist() == pytest.approx([-1 / 4, 1 / 4, 0, -1 / 4], abs=1e-12)


def test_the_contrast_of_patches_and_its_gradient_are_parks_by_hand():
    """Two places of one picture, in two dimensions, where each exponential can be written down."""
    query = torch.tensor([[[1.0, 0.0], [0.6, 0.8]]], dtype=torch.float64, requires_grad=True)
    key = torch.tensor([[[0.8, 0.6], [0.0, 1.0]]], dtype=torch.float64)
    own, other = (0.8, 0.8), (0.0, 0.96)  # v.v+ and v.v- of the first place and of the second
    right = [math.exp(a / 0.5) / (math.exp(a / 0.5) + math.exp(b / 0.5)) for a, b in zip(own, other)]
    found = patch_contrast(query, key, temperature=0.5)
    assert found.item() == pytest.approx(-(math.log(right[0]) + math.log(right[1])) / 2, abs=1e-12)
    (gradient,) = torch.autograd.grad(found, query)
    # d/dv of -log softmax: (sum_n p_n v_n - v+) / t, and each place is half of the mean.
    by_hand = [
        [((right[0] - 1) * 0.8 + (1 - right[0]) * 0.0), ((right[0] - 1) * 0.6 + (1 - right[0]) * 1.0)],
        [((1 - right[1]) * 0.8 + (right[1] - 1) * 0.0), ((1 - right[1]) * 0.6 + (right[1] - 1) * 1.0)],
    ]
    for row, wanted in zip(gradient[0].tolist(), by_hand):
        assert row == pytest.approx([number / 0.5 / 2 for number in wanted], abs=1e-12)


def test_the_contrast_of_patches_is_that_of_a_slow_reference_and_never_looks_at_another_picture():
    random = torch.Generator().manual_seed(0)
    query, key = (
        torch.nn.functional.normalize(torch.randn(3, 5, 4, generator=random, dtype=torch.float64), dim=2)
        for _ in range(2)
    )
    terms = []
    for picture in range(3):
        for place in range(5):
            likeness = [float(query[picture, place] @ key[picture, other]) / 0.07 for other in range(5)]
            terms.append(-math.log(math.exp(likeness[place]) / sum(math.exp(one) for one in likeness)))
    assert patch_contrast(query, key).item() == pytest.approx(sum(terms) / len(terms), abs=1e-10)


def test_a_kernel_distance_is_that_of_pairs_by_hand_and_is_zero_on_average_within_one_set():
    x, y = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 1.0], [3.0, 1.0], [0.0, 1.0]])

    def k(a: torch.Tensor, b: torch.Tensor) -> float:
        return (float(a @ b) / 2 + 1) ** 3

    xx = k(x[0], x[1])
    yy = (k(y[0], y[1]) + k(y[0], y[2]) + k(y[1], y[2])) / 3
    xy = sum(k(a, b) for a in x for b in y) / 6
    assert float(kernel_distance(x, y)) == pytest.approx(xx + yy - 2 * xy, rel=1e-6)
    random = torch.Generator().manual_seed(0)
    drawn = [kernel_distance(*torch.randn(2, 8, 4, generator=random)) for _ in range(2000)]
    found = torch.stack(drawn)
    assert abs(float(found.mean())) < 3 * float(found.std()) / len(drawn) ** 0.5
    far = kernel_distance(torch.randn(8, 4, generator=random), 1 + torch.randn(8, 4, generator=random))
    assert float(far) > float(found.std())


def test_one_picture_says_nothing_of_how_its_set_is_spread():
    x = torch.ones(1, 4, requires_grad=True)
    apart = kernel_distance(x, torch.zeros(3, 4))
    apart.backward()
    assert apart.item() == 0 and not x.grad.any()
