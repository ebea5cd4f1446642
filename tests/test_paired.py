"""A step of pix2pix: its draws are functions of (seed, step), its losses the paper's by hand."""

import math

import numpy as np
import pytest
import torch

from gan_play.refusals import Refused
from gan_play.trainers import loop, paired
from gan_play.trainers.losses import feature_distance
from gan_play.trainers.recipes import Settings, check_settings
from tests.toys import smallest

PIXELS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (10, 3, 32, 32), dtype=np.uint8))
KINDS = torch.arange(10) // 5


def drawn(now: int = 1, **changes: object) -> paired.Pair:
    training = loop.begin(smallest("pix2pix", **changes))
    return paired.draw(training, PIXELS, None if changes.get("preset") else KINDS, now)


def test_a_draw_is_a_function_of_seed_and_step():
    one, same, later = drawn(), drawn(), drawn(2)
    assert torch.equal(one.source, same.source) and torch.equal(one.target, same.target)
    assert not torch.equal(one.source, later.source)


def test_partners_stay_together():
    still = {"mirror": 0, "jitter": 0}
    pair = drawn(dials=still)
    values = [paired.as_floats(PIXELS[i : i + 1])[0] for i in range(10)]
    for source, target in zip(pair.source, pair.target):
        which = next(i for i in range(5) if torch.equal(source, values[i]))
        assert torch.equal(target, values[which + 5])
    back = drawn(dials={**still, "back": 1})
    assert torch.equal(back.source, pair.target) and torch.equal(back.target, pair.source)


def test_both_sides_are_mirrored_and_jittered_alike():
    training = loop.begin(smallest("pix2pix", dials={"jitter": 4}))
    twins = torch.cat([PIXELS[:5], PIXELS[:5]])  # each picture is its own partner
    for now in range(1, 6):
        pair = paired.draw(training, twins, KINDS, now)
        assert torch.equal(pair.source, pair.target)


def test_jitter_takes_a_part_by_a_slow_reference():
    """A ramp, of which a bilinear enlargement is the ramp itself: so each value says where it was taken."""
    side, share = 32, 1.25
    ramp = (torch.arange(side).float() + 0.5)[None, None, None].expand(1, 1, side, side)
    for move in (0.0, 0.3, 1.0):
        found = paired.jittered(ramp, torch.full((1, 1, 1, 1), share), torch.tensor([[move, 0.5]]))[0, 0, 0]
        spare = side * (1 - 1 / share)
        by_hand = torch.tensor([move * spare + (i + 0.5) / share for i in range(side)]).clamp(0.5, side - 0.5)
        assert torch.allclose(found, by_hand, atol=1e-3)


def test_a_preset_makes_the_source_of_what_is_drawn():
    pair = drawn(preset="enlarge")
    assert pair.source.shape == pair.target.shape and not torch.equal(pair.source, pair.target)
    assert drawn(preset="repair").source.shape[1] == 4


class Constant(torch.nn.Module):
    """A network of one number, that paints it everywhere or judges by it."""

    def __init__(self, value: float, judge: bool = False) -> None:
        super().__init__()
        self.value, self.judge = torch.nn.Parameter(torch.tensor(value, dtype=torch.float64)), judge

    def forward(self, x: torch.Tensor, source: torch.Tensor | None = None) -> torch.Tensor:
        if self.judge:
            return self.value * x.double().mean(dim=(1, 2, 3), keepdim=True)
        return self.value.expand(len(x), 3, *x.shape[2:])


def test_the_losses_and_their_gradients_are_isolas_by_hand():
    training = loop.begin(smallest("pix2pix", dials={"l1": 50, "eyes": 0}))
    training.generator, training.discriminator = Constant(0.25), Constant(2.0, judge=True)
    training.optimizer_g = torch.optim.SGD(training.generator.parameters(), lr=0.0)
    training.optimizer_d = torch.optim.SGD(training.discriminator.parameters(), lr=0.0)
    target = torch.full((2, 3, 4, 4), 0.75, dtype=torch.float64)
    pair = paired.Pair(torch.zeros(2, 3, 4, 4), target, torch.Generator())
    numbers = paired.step(training, lambda part: pair, 1)

    def softplus(x: float) -> float:
        return math.log1p(math.exp(x))

    real, fake = 2.0 * 0.75, 2.0 * 0.25
    assert numbers["loss_d"].item() == pytest.approx((softplus(-real) + softplus(fake)) / 2, abs=1e-6)
    assert numbers["off"].item() == pytest.approx(0.5, abs=1e-6)
    assert numbers["loss_g"].item() == pytest.approx(softplus(-fake) + 50 * 0.5, abs=1e-5)

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    slope_d = (-sigmoid(-real) * 0.75 + sigmoid(fake) * 0.25) / 2
    assert training.discriminator.value.grad.item() == pytest.approx(slope_d, abs=1e-6)
    slope_g = -sigmoid(-fake) * 2.0 - 50  # the pixel is too dark: raising it makes all better
    assert training.generator.value.grad.item() == pytest.approx(slope_g, abs=1e-4)


def test_maps_are_apart_by_the_formula_by_hand():
    x = torch.tensor([[1.0, 3.0], [2.0, 2.0]])[:, :, None, None]
    y = torch.tensor([[2.0, -2.0], [4.0, 0.0]])[:, :, None, None]
    first = ((1 + 5) / 4 + (2 + 2) / 4) / 2  # each picture by its own size
    assert feature_distance([x, y], [y, y]).item() == pytest.approx(first / 2)


def with_eyes(**changes: object) -> loop.Training:
    return loop.begin(smallest("pix2pix", preset="repair", dials={"eyes": 1}, **changes))


def test_without_trained_eyes_the_critic_sees_the_source_beside_the_picture():
    training = loop.begin(smallest("pix2pix", preset="repair", dials={"eyes": 0}))
    ticks = loop.train(training, PIXELS.permute(0, 2, 3, 1).numpy())
    assert all(math.isfinite(float(value)) for value in next(ticks).numbers.values())


def test_with_trained_eyes_the_critic_sees_features_and_a_training_goes_on_exactly():
    whole, resumed = with_eyes(), with_eyes()
    pixels = PIXELS.permute(0, 2, 3, 1).numpy()
    ticks = loop.train(whole, pixels)
    assert all(math.isfinite(float(value)) for _ in range(2) for value in next(ticks).numbers.values())
    resumed.load({name: tensor.clone() for name, tensor in whole.tensors().items()})
    next(ticks), next(loop.train(resumed, pixels))
    ends = whole.tensors(), resumed.tensors()
    assert [name for name in ends[0] if not torch.equal(ends[0][name], ends[1][name])] == []
    shapes = {name: shape for name, (shape, _) in loop.expected_shapes(whole.settings).items()}
    assert shapes == {name: tuple(tensor.shape) for name, tensor in ends[0].items()}


def test_with_trained_eyes_a_batch_is_learnt_in_pieces_too():
    found = []
    for pieces in (1, 2):
        training = with_eyes(accumulate=pieces)
        numbers = paired.step(training, lambda part, mine=training: paired.draw(mine, PIXELS, None, 1), 1)
        assert all(math.isfinite(float(value)) for value in numbers.values())
        found.append(float(numbers["off"]))
    assert found[0] == pytest.approx(found[1])


def test_a_run_with_trained_eyes_can_start_from_one_without_whose_critic_is_another():
    plain = loop.begin(smallest("pix2pix", preset="repair", dials={"eyes": 0}))
    fresh, begun = with_eyes(), with_eyes()
    begun.start_from(plain.tensors())
    assert torch.equal(begun.generator.paint.weight, plain.average.paint.weight)
    one, other = begun.discriminator.state_dict(), fresh.discriminator.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    with pytest.raises(Refused, match="another network"):
        begun.start_from(loop.begin(smallest("pix2pix", preset="sketch", dials={"eyes": 0})).tensors())


def test_a_run_from_before_there_were_trained_eyes_has_none():
    old = smallest("pix2pix", preset="flat").to_json()
    del old["dials"]["eyes"]
    assert Settings.from_json(old).dials["eyes"] == 0


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"num_labels": 3}, "two folders"),
        ({"num_labels": 0}, "two folders"),
        ({"preset": "sketch", "num_labels": 2}, "two folders"),
        ({"preset": "nothing", "num_labels": 0}, "choose one of sketch"),
        ({"dials": {"back": 0.5}}, "back"),
        ({"dials": {"l1": -1}}, "l1"),
    ],
)
def test_impossible_settings_are_refused_in_a_sentence(changes, words):
    plain = {"recipe": "pix2pix", "size_px": 32, "batch": 4, "width": 4, "seed": 3, "num_labels": 2}
    with pytest.raises(Refused, match=words):
        check_settings(plain | changes)


def test_a_step_may_learn_from_one_pair_as_the_paper_does():
    training = loop.begin(smallest("pix2pix", batch=1))
    ticks = loop.train(training, PIXELS.permute(0, 2, 3, 1).numpy(), KINDS.numpy())
    assert all(math.isfinite(float(value)) for value in next(ticks).numbers.values())


def test_settings_without_a_preset_are_written_as_before_there_were_any():
    assert "preset" not in smallest("dcgan").to_json()
    assert smallest("pix2pix", preset="flat").to_json()["preset"] == "flat"
