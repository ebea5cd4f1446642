"""StyleGAN2's step: penalties by hand in float64, lazy ones at the right weight, the shake, mixed styles, resume."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from gan_play.trainers import augment, loop, stylegan2
from gan_play.trainers.losses import NON_SATURATING, squared_gradient
from gan_play.trainers.recipes import RECIPES, check_settings

PIXELS = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)
KINDS = np.arange(10) % 2


@pytest.fixture(autouse=True)
def one_thread_and_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def numbers(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def settings_of(**changes):
    plain = {"recipe": "stylegan2", "size_px": 32, "batch": 4, "width": 4, "seed": 3, "threads": 1}
    return check_settings(plain | changes)


# Penalties by hand


class Line(nn.Module):
    """A critic whose logit is <a, x>, with the buffers of the real one."""

    def __init__(self, a: torch.Tensor):
        super().__init__()
        self.a = nn.Parameter(a)
        for name in ("ada_p", "ada_signs", "path_mean"):
            self.register_buffer(name, torch.zeros((), dtype=a.dtype))

    def forward(self, x, label=None):
        return (x * self.a).sum(dim=(1, 2, 3))[:, None]


class Sheet(nn.Module):
    """A painter whose every pixel is a style's first number times `a`, plus its second times `b`; 3 layers."""

    num_ws = 3

    def __init__(self, a: float, b: float):
        super().__init__()
        self.factors = nn.Parameter(torch.tensor([a, b], dtype=torch.float64))

    def mapping(self, z, label=None):
        return (z * 1.0)[:, None].expand(-1, 3, -1)

    def synthesis(self, ws, noise=None):
        value = (ws * self.factors).sum(dim=(1, 2))
        return value[:, None, None, None].expand(-1, 3, 4, 4)


def test_r1_of_a_linear_critic_is_the_squared_length_of_its_weights():
    a = torch.randn(3, 4, 4, dtype=torch.float64)
    critic = Line(a)
    penalty = squared_gradient(critic, torch.randn(5, 3, 4, 4, dtype=torch.float64))
    assert penalty.item() == pytest.approx(a.square().sum().item(), abs=1e-12)
    penalty.backward()
    assert torch.allclose(critic.a.grad, 2 * a)


def test_a_path_is_as_long_as_the_paper_says():
    painter, z = Sheet(3.0, 4.0), torch.randn(2, 2, dtype=torch.float64, requires_grad=True)
    lengths = stylegan2.path_lengths(painter, painter.mapping(z), [], numbers(5))
    y = torch.randn((2, 3, 4, 4), generator=numbers(5)).double() / math.sqrt(16)
    # J^T y in each of the three layers is (3, 4) times the sum of y: 5 |sum of y| after the mean over layers.
    by_hand = 5 * y.sum(dim=(1, 2, 3)).abs()
    assert torch.allclose(lengths, by_hand, atol=1e-12)


def test_the_path_penalty_is_the_spread_about_a_mean_that_follows():
    painter, mean = Sheet(3.0, 4.0), torch.tensor(2.0, dtype=torch.float64)
    z = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    one = loop.Draw(torch.zeros(4, 3, 4, 4), None, z, None, [], numbers(5))
    penalty = stylegan2.path_penalty(painter, stylegan2.first_half(one), mean)
    lengths = stylegan2.path_lengths(painter, painter.mapping(z[:2]), [], numbers(5))
    assert mean.item() == pytest.approx(2 + 0.01 * (lengths.mean().item() - 2))
    assert penalty.item() == pytest.approx((lengths - mean).square().mean().item())
    penalty.backward()
    # d/da of (5 s - m)^2, the length being s sqrt(a^2 + b^2): 2 (5 s - m) s a / 5.
    s = lengths.detach() / 5
    by_hand = (2 * (lengths.detach() - mean) * s).mean() * torch.tensor([3.0, 4.0]).double() / 5
    assert torch.allclose(painter.factors.grad, by_hand)


def test_gamma_follows_size_and_batch_unless_it_is_set():
    at = settings_of(size_px=64, batch=32)
    assert stylegan2.gamma_of(at) == pytest.approx(0.0002 * 4096 / 32)
    assert stylegan2.gamma_of(settings_of(dials={"gamma": 1.5})) == 1.5


class NoUpdate:
    """In an optimizer's place: keeps the gradients of each step and changes nothing."""

    def __init__(self, network: nn.Module):
        self.parameters = list(network.parameters())
        self.seen: list[list[torch.Tensor]] = []

    def zero_grad(self, set_to_none: bool) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        self.seen.append([parameter.grad.clone() for parameter in self.parameters])


def test_lazy_r1_weighs_over_its_interval_as_much_as_if_it_were_always_there(monkeypatch):
    monkeypatch.setattr(stylegan2, "shaken", lambda x, random, probability: x)
    a = torch.randn(3, 4, 4, dtype=torch.float64)
    critic, painter = Line(a), Sheet(0.1, 0.2)
    dials = {"gamma": 0.7, "ada_most": 0.0, "path_length": 0.0}
    settings = SimpleNamespace(dials=dials, size_px=4, batch=2)
    training = SimpleNamespace(
        generator=painter,
        discriminator=critic,
        recipe=SimpleNamespace(loss=NON_SATURATING),
        settings=settings,
        pieces=1,
        optimizer_d=NoUpdate(critic),
        optimizer_g=NoUpdate(painter),
        autocast=lambda: torch.autocast("cpu", enabled=False),
    )

    def gradients(**dials) -> list[torch.Tensor]:
        training.optimizer_d.seen.clear()
        settings.dials |= dials
        for now in range(1, stylegan2.R1_EVERY + 1):
            real, z = torch.ones(2, 3, 4, 4, dtype=torch.float64), torch.ones(2, 2, dtype=torch.float64)
            stylegan2.step(training, lambda _: loop.Draw(real, None, z, None, [], numbers(now)), now)  # noqa: B023
        return [seen[0] for seen in training.optimizer_d.seen]

    with_it, without = gradients(gamma=0.7), gradients(gamma=1e-30)
    difference = [x - y for x, y in zip(with_it, without)]
    assert sum(bool(d.any()) for d in difference) == 1
    # gamma / 2 |a|^2 has the gradient gamma a.
    assert torch.allclose(sum(difference) / stylegan2.R1_EVERY, 0.7 * a, atol=1e-9)


# The shake that finds its own strength


def test_the_shake_grows_when_the_critic_knows_its_reals_by_heart_and_never_passes_its_cap():
    critic, sure = Line(torch.zeros(3, 4, 4)), torch.ones(4, 1)
    for now in range(1, 4):
        stylegan2.adapt(critic, sure, now, 32, 0.8)
    assert critic.ada_p.item() == 0  # the evidence of four steps is needed
    stylegan2.adapt(critic, sure, 4, 32, 0.8)
    assert critic.ada_p.item() == pytest.approx(4 * 32 / stylegan2.ADA_IMAGES)
    for now in range(5, 40_001):
        critic.ada_p += 0.01 if now % 4 == 0 else 0  # as if it had gone on for days
        stylegan2.adapt(critic, sure, now, 32, 0.8)
        if now > 1000:
            break
        assert critic.ada_p.item() <= 0.8 + 1e-6
    assert critic.ada_p.item() == pytest.approx(0.8)


def test_the_shake_falls_when_the_critic_is_at_a_loss_and_never_below_nothing():
    critic, unsure = Line(torch.zeros(3, 4, 4)), torch.tensor([1.0, -1.0])[:, None]
    critic.ada_p.fill_(0.002)
    for now in range(1, 5):
        stylegan2.adapt(critic, unsure, now, 32, 0.8)
    assert critic.ada_p.item() == pytest.approx(0.002 - 4 * 32 / stylegan2.ADA_IMAGES)
    for now in range(5, 21):
        stylegan2.adapt(critic, unsure, now, 32, 0.8)
    assert critic.ada_p.item() == 0


def test_p_goes_from_nothing_to_all_in_the_images_that_are_said():
    critic, steps = Line(torch.zeros(3, 4, 4).double()), stylegan2.ADA_IMAGES // 500
    for now in range(1, steps + 1):
        stylegan2.adapt(critic, torch.ones(4, 1), now, 500, 1.0)
    assert critic.ada_p.item() == pytest.approx(1)


def test_a_shake_of_one_is_the_whole_pipeline_and_of_none_is_nothing():
    x = torch.rand(16, 3, 32, 32) * 2 - 1
    assert torch.equal(stylegan2.shaken(x, numbers(), torch.tensor(0.0)), x)
    whole = stylegan2.shaken(x, numbers(), torch.tensor(1.0))
    assert torch.equal(whole, augment.augment(x, numbers(), 1.0))
    some = stylegan2.shaken(x, numbers(), torch.tensor(0.3))
    assert torch.equal(some, augment.augment(x, numbers(), 0.3))
    untouched = sum(torch.equal(a, b) for a, b in zip(x, some))
    assert 0 < untouched < 16  # a picture each, not a batch each


# Mixed styles


class Names(nn.Module):
    """A painter whose style is z's own name in every layer."""

    num_ws = 6

    def mapping(self, z, label=None):
        return torch.arange(len(z), dtype=torch.float32)[:, None, None].expand(-1, 6, 1)


def test_most_pictures_are_painted_with_two_styles_that_cross_once():
    count = 400
    one = SimpleNamespace(z=torch.zeros(count, 8), label=None, random=numbers())
    ws = stylegan2.mixed_styles(Names(), one)[:, :, 0]
    assert torch.equal(ws[:, 0], torch.arange(float(count)))  # the first layer is always its own
    changes = (ws[:, 1:] != ws[:, :-1]).sum(dim=1)
    assert set(changes.tolist()) == {0, 1}
    assert changes.float().mean().item() == pytest.approx(0.9, abs=0.04)
    others = ws[changes == 1][:, -1]
    assert torch.equal(others, torch.arange(float(count))[changes == 1] + count)
    crossed = (ws[changes == 1] != ws[changes == 1][:, :1]).float().argmax(dim=1)
    assert set(crossed.tolist()) == {1, 2, 3, 4, 5}


# Whole trainings


def steps(training: loop.Training, count: int) -> list[loop.Tick]:
    ticks = loop.train(training, PIXELS, KINDS)
    made = [next(ticks) for _ in range(count)]
    ticks.close()
    return made


def snapshot(training: loop.Training) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in training.tensors().items()}


@pytest.mark.parametrize(
    "changes",
    [{}, {"num_labels": 2}, {"dials": {"residual": 1, "path_length": 1}}],
    ids=["plain", "labelled", "residual with path lengths"],
)
def test_a_training_that_was_interrupted_ends_bit_identical(changes):
    whole = loop.begin(settings_of(**changes))
    steps(whole, 3)
    half_way = snapshot(whole)
    ticks = steps(whole, 3)  # a path penalty, and a change of p, come after the break
    assert all(math.isfinite(float(value)) for tick in ticks for value in tick.numbers.values())

    resumed = loop.begin(settings_of(**changes))
    resumed.load(half_way)
    steps(resumed, 3)
    ends = snapshot(whole), snapshot(resumed)
    assert ends[0].keys() == ends[1].keys()
    assert [name for name in ends[0] if not torch.equal(ends[0][name], ends[1][name])] == []
    assert (ends[0]["discriminator.path_mean"] > 0) == bool("dials" in changes)


def test_bfloat16_trains_with_its_penalties_in_float32():
    training = loop.begin(settings_of(precision="bfloat16", dials={"path_length": 1}))
    ticks = steps(training, 2)
    assert all(math.isfinite(float(value)) for tick in ticks for value in tick.numbers.values())
    assert {t.dtype for t in training.tensors().values()} <= {torch.float32, torch.int64}


def test_the_row_names_its_step_and_dials():
    row = RECIPES["stylegan2"]
    assert row.step is stylegan2.step and row.labels == "optional"
    assert row.dials["ada_most"].high <= 0.8 and row.dials["residual"].shapes
