"""The steps of GANGogh, ArtGAN and CAN: their losses by hand, their gradients, and a toy that they learn."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from gan_play.trainers import loop
from gan_play.trainers.labelled import (
    ambiguity,
    fake_loss,
    label_loss,
    reconstruction_loss,
    right,
    style_ambiguity_loss,
)
from gan_play.trainers.recipes import RECIPES, check_settings

NAMES = ("gangogh", "artgan", "can")
EACH = pytest.mark.parametrize("recipe", NAMES)
PAINTS_LABELS = pytest.mark.parametrize("recipe", NAMES[:2])
PIXELS = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)
LABELS = np.arange(10) % 3
LOGITS = torch.tensor([[1.0, -0.5, 2.0], [0.25, 3.0, -1.0]], dtype=torch.float64)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def settings_of(recipe: str, **changes) -> loop.Settings:
    plain = {"recipe": recipe, "size_px": 32, "batch": 4, "width": 4, "seed": 3, "threads": 1}
    return check_settings(plain | {"num_labels": 3} | changes)


def posterior(logits: torch.Tensor) -> list[list[float]]:
    """Softmax, by plain arithmetic."""
    rows = [[math.exp(x) for x in row] for row in logits.tolist()]
    return [[x / sum(row) for x in row] for row in rows]


# Losses by hand


def test_the_loss_of_names_is_the_label_s_surprise_by_hand():
    p = posterior(LOGITS)
    by_hand = -(math.log(p[0][2]) + math.log(p[1][0])) / 2
    assert label_loss(LOGITS, torch.tensor([2, 0])).item() == pytest.approx(by_hand, abs=1e-12)


def test_a_fake_is_the_last_of_the_labels():
    p = posterior(LOGITS)
    assert fake_loss(LOGITS).item() == pytest.approx(-(math.log(p[0][2]) + math.log(p[1][2])) / 2, abs=1e-12)


def test_the_reconstruction_s_loss_is_the_mean_squared_difference():
    painted = torch.tensor([[[[0.5, -1.0]]]], dtype=torch.float64)
    real = torch.tensor([[[[0.25, 1.0]]]], dtype=torch.float64)
    assert reconstruction_loss(painted, real).item() == pytest.approx((0.0625 + 4) / 2, abs=1e-12)


def test_the_loss_of_style_is_elgammal_s_by_hand():
    total = 0.0
    for row in posterior(LOGITS):
        total -= sum(math.log(p) / 3 + (1 - 1 / 3) * math.log(1 - p) for p in row) / 2
    assert style_ambiguity_loss(LOGITS).item() == pytest.approx(total, abs=1e-12)


def test_the_loss_of_style_is_least_where_every_style_is_as_likely():
    even = torch.zeros(1, 5, dtype=torch.float64, requires_grad=True)
    loss = style_ambiguity_loss(even)
    least = -math.log(1 / 5) - 4 * math.log(1 - 1 / 5)
    assert loss.item() == pytest.approx(least, abs=1e-12)
    (gradient,) = torch.autograd.grad(loss, even)
    assert gradient.abs().max() < 1e-12
    torch.manual_seed(0)
    assert all(style_ambiguity_loss(torch.randn(1, 5).double()).item() > least for _ in range(20))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_style_beyond_doubt_still_pulls_on_the_painter_and_stays_finite(dtype):
    sure = torch.tensor([[60.0, 0.0, -20.0]], dtype=dtype, requires_grad=True)
    loss = style_ambiguity_loss(sure)
    # 1 - p of the first is e^-60 (1 + e^-20): no float has it as 1 minus something.
    by_hand = (60 + 80) / 3 + 2 / 3 * (60 - math.log1p(math.exp(-20)))
    assert loss.item() == pytest.approx(by_hand, rel=1e-6)
    (gradient,) = torch.autograd.grad(loss, sure)
    assert gradient.isfinite().all() and gradient[0, 0] > 0.5 and gradient[0, 1] < 0


def test_ambiguity_is_1_for_an_even_posterior_and_0_for_a_certain_one():
    assert ambiguity(torch.full((2, 7), 3.0)).item() == pytest.approx(1, abs=1e-6)
    assert ambiguity(torch.tensor([[200.0, 0.0, 0.0]])).item() == pytest.approx(0, abs=1e-6)
    by_hand = -sum(sum(p * math.log(p) for p in row) for row in posterior(LOGITS)) / 2 / math.log(3)
    assert ambiguity(LOGITS).item() == pytest.approx(by_hand, abs=1e-12)


def test_the_share_named_right_counts_the_likeliest_label():
    assert right(LOGITS, torch.tensor([2, 1])).item() == 1
    assert right(LOGITS, torch.tensor([2, 0])).item() == 0.5


# Steps


def one_draw(training: loop.Training) -> loop.Draw:
    data = torch.from_numpy(PIXELS).permute(0, 3, 1, 2)
    return loop.draw(training, data, torch.from_numpy(LABELS), 1)


@EACH
def test_the_gradient_reaches_all_that_can_learn(recipe):
    training = loop.begin(settings_of(recipe))
    before = {name: tensor.clone() for name, tensor in training.tensors().items()}
    tick = next(loop.train(training, PIXELS, LABELS))
    assert all(math.isfinite(float(number)) for number in tick.numbers.values())
    assert all(number.ndim == 0 and not number.requires_grad for number in tick.numbers.values())
    for side in ("generator", "discriminator"):
        for name, parameter in getattr(training, side).named_parameters():
            moved = (parameter - before[f"{side}.{name}"]).abs()
            assert moved.max() > 0, (side, name)
            assert parameter.requires_grad


@EACH
def test_an_interrupted_training_ends_bit_identical(recipe):
    def ended(training: loop.Training, count: int) -> dict[str, torch.Tensor]:
        ticks = loop.train(training, PIXELS, LABELS)
        for _ in range(count):
            next(ticks)
        ticks.close()
        return {name: tensor.clone() for name, tensor in training.tensors().items()}

    whole, resumed = loop.begin(settings_of(recipe)), loop.begin(settings_of(recipe))
    resumed.load(ended(whole, 1))
    a, b = ended(whole, 2), ended(resumed, 2)
    assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@EACH
def test_half_precision_trains_and_keeps_its_state_whole(recipe):
    training = loop.begin(settings_of(recipe, precision="bfloat16"))
    tick = next(loop.train(training, PIXELS, LABELS))
    assert all(math.isfinite(float(number)) for number in tick.numbers.values())
    assert {t.dtype for t in training.tensors().values()} <= {torch.float32, torch.int64}


def test_gangogh_s_first_numbers_are_its_losses_by_hand():
    training = loop.begin(settings_of("gangogh", dials={"mirror": 0}))
    # The critic's last layers answer 0 whatever they see: then every loss is known.
    with torch.no_grad():
        for layer in (training.discriminator.real_or_fake, training.discriminator.labels[-1]):
            layer.weight.zero_()
        training.discriminator.labels[-1].bias.zero_()
    training.optimizer_d.param_groups[0]["lr"] = training.optimizer_g.param_groups[0]["lr"] = 0.0
    one = one_draw(training)
    numbers = RECIPES["gangogh"].step(training, lambda part: one, 1)
    assert numbers["distance"].item() == 0
    assert numbers["loss_d"].item() == pytest.approx(math.log(3), abs=1e-6)  # 0 - 0 + log K
    assert numbers["loss_g"].item() == pytest.approx(math.log(3), abs=1e-6)


def test_gangogh_s_critic_learns_more_often_than_its_painter():
    training, parts = loop.begin(settings_of("gangogh")), []
    one = one_draw(training)
    RECIPES["gangogh"].step(training, lambda part: parts.append(part) or one, 1)
    assert parts == list(range(RECIPES["gangogh"].critic_steps)) and len(parts) > 1
    assert {float(s["step"]) for s in training.optimizer_g.state.values()} == {1}
    assert {float(s["step"]) for s in training.optimizer_d.state.values()} == {len(parts)}


def test_artgan_hears_the_label_back_and_repaints_by_hand():
    training = loop.begin(settings_of("artgan", dials={"repaint": 2.0}))
    with torch.no_grad():
        training.discriminator.labels.weight.zero_(), training.discriminator.labels.bias.zero_()
    training.optimizer_d.param_groups[0]["lr"] = training.optimizer_g.param_groups[0]["lr"] = 0.0
    one = one_draw(training)
    with torch.no_grad():
        code = training.discriminator.trunk(one.real)
        repainted = (training.generator.decode(code, remembers=False) - one.real).square().mean().item()
    numbers = RECIPES["artgan"].step(training, lambda part: one, 1)
    assert numbers["loss_d"].item() == pytest.approx(2 * math.log(4), abs=1e-6)  # K styles and "fake"
    assert numbers["repainted"].item() == pytest.approx(repainted, rel=1e-5)
    assert numbers["loss_g"].item() == pytest.approx(math.log(4) + 2 * repainted, rel=1e-5)


def test_repainting_teaches_the_painter_alone():
    training = loop.begin(settings_of("artgan"))
    one = one_draw(training)
    RECIPES["artgan"].step(training, lambda part: one, 1)
    decoder = [training.generator.picture, *training.generator.up]
    assert all(layer.weight.grad.abs().max() > 0 for layer in decoder)
    # The discriminator's gradient is that of its own loss: the painter's step made none.
    theirs = [p.grad.clone() for p in training.discriminator.parameters()]
    again = loop.begin(settings_of("artgan", dials={"repaint": 0.0}))
    RECIPES["artgan"].step(again, lambda part: one, 1)
    assert all(torch.equal(a, p.grad) for a, p in zip(theirs, again.discriminator.parameters()))


def test_creativity_weighs_the_loss_of_style():
    losses = {}
    for creativity in (0.0, 1.0, 3.0):
        training = loop.begin(settings_of("can", dials={"creativity": creativity}))
        with torch.no_grad():
            for layer in (training.discriminator.real_or_fake, training.discriminator.labels[-1]):
                layer.weight.zero_(), layer.bias.zero_()
        training.optimizer_d.param_groups[0]["lr"] = training.optimizer_g.param_groups[0]["lr"] = 0.0
        one = one_draw(training)
        numbers = RECIPES["can"].step(training, lambda part, one=one: one, 1)
        assert numbers["ambiguity"].item() == pytest.approx(1, abs=1e-6)
        assert numbers["loss_d"].item() == pytest.approx(2 * math.log(2) + math.log(3), abs=1e-6)
        losses[creativity] = numbers["loss_g"].item()
    even = math.log(3) - 2 * math.log(2 / 3)
    assert losses == pytest.approx({c: math.log(2) + c * even for c in losses}, abs=1e-5)


def test_can_s_painter_is_given_no_label():
    training = loop.begin(settings_of("can"))
    assert training.generator.num_labels == 0
    assert training.discriminator.num_labels == 3


# A toy: dark squares and bright ones


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "steps", "rate_d"), [("artgan", 200, 1), ("gangogh", 40, 4)])
def test_the_label_learns_to_move_brightness_the_right_way(recipe, steps, rate_d):
    squares = np.full((16, 32, 32, 3), 128, dtype=np.uint8)
    kinds = np.arange(16) % 2
    squares[kinds == 0, 4:28, 4:28] = 20
    squares[kinds == 1, 4:28, 4:28] = 235
    dials = {"rate_g": 4, "rate_d": rate_d, "augment": 0}
    training = loop.begin(settings_of(recipe, num_labels=2, batch=8, seed=4, dials=dials))
    ticks = loop.train(training, squares, kinds)
    for _ in range(steps):
        next(ticks)
    z = torch.randn(8, training.average.z_dim, generator=torch.Generator().manual_seed(0))
    dark, bright = (training.paint(z, label=torch.full((8,), k)) for k in (0, 1))
    middle = slice(8, 24)
    gap = (bright - dark)[:, :, middle, middle].mean(dim=(1, 2, 3))
    assert gap.min() > 0.3, gap  # of 2 between black and white, for every seed


def test_creativity_moves_can_s_painter_to_what_the_critic_cannot_name():
    reached = {}
    for creativity in (0.0, 1.0):
        training = loop.begin(settings_of("can", dials={"rate_g": 4, "creativity": creativity}))
        # A critic that is sure that all is of the first style, and stays as it is.
        training.recipe = dataclasses.replace(training.recipe, rates=(1e-3, 0.0))
        with torch.no_grad():
            training.discriminator.labels[-1].weight.mul_(10)
            training.discriminator.labels[-1].bias.copy_(torch.tensor([2.0, -2.0, -2.0]))
        ticks = loop.train(training, PIXELS, LABELS)
        numbers = [float(next(ticks).numbers["ambiguity"]) for _ in range(40)]
        assert numbers[0] < 0.4
        reached[creativity] = numbers[-1]
    assert reached[1.0] > 0.9 > 0.6 > reached[0.0], reached
