"""One clock: everything follows from (seed, step), so a resumed training is the same training."""

import math

import numpy as np
import pytest
import torch

from gan_play.refusals import Refused
from gan_play.trainers import loop, memory
from gan_play.trainers.recipes import RECIPES
from tests.toys import set_distance, smallest

EACH = pytest.mark.parametrize("recipe", RECIPES)
PIXELS = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)


def steps(training: loop.Training, count: int) -> list[loop.Tick]:
    labels = np.arange(10) % max(1, training.settings.num_labels)
    ticks = loop.train(training, PIXELS, labels)
    made = [next(ticks) for _ in range(count)]
    ticks.close()
    return made


def snapshot(training: loop.Training) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in training.tensors().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@EACH
def test_a_training_that_was_interrupted_ends_bit_identical(recipe):
    whole = loop.begin(smallest(recipe))
    steps(whole, 2)
    half_way = snapshot(whole)
    steps(whole, 2)

    resumed = loop.begin(smallest(recipe))
    resumed.load(half_way)
    steps(resumed, 2)
    assert same(snapshot(whole), snapshot(resumed))


@EACH
def test_another_seed_is_another_training(recipe):
    a, b = loop.begin(smallest(recipe)), loop.begin(smallest(recipe, seed=4))
    assert not same(snapshot(a), snapshot(b))


@EACH
def test_a_tick_tells_step_and_finite_losses(recipe):
    ticks = steps(loop.begin(smallest(recipe)), 2)
    assert [tick.step for tick in ticks] == [1, 2]
    assert all(math.isfinite(float(value)) for tick in ticks for value in tick.numbers.values())
    assert {"loss_g", "loss_d"} <= ticks[0].numbers.keys()


@EACH
def test_both_networks_learn_and_the_average_follows(recipe):
    training = loop.begin(smallest(recipe))
    before = snapshot(training)
    steps(training, 2)
    after = snapshot(training)
    for network in ("generator", "discriminator", "average"):
        moved = [
            name
            for name in before
            if name.startswith(f"{network}.") and not torch.equal(before[name], after[name])
        ]
        assert moved, network


@EACH
def test_the_expected_shapes_are_those_of_a_state(recipe):
    settings = smallest(recipe)
    found = {n: (tuple(t.shape), str(t.dtype)[6:]) for n, t in loop.begin(settings).tensors().items()}
    assert loop.expected_shapes(settings) == found


@EACH
def test_fine_tuning_takes_the_networks_and_begins_anew(recipe):
    old = loop.begin(smallest(recipe))
    steps(old, 2)
    state = snapshot(old)
    new = loop.begin(smallest(recipe, seed=9), start=state)
    started = new.tensors()
    assert new.step == 0
    for name in state:
        if name.startswith("average."):
            assert torch.equal(started[name], state[name])
            assert torch.equal(started[name.replace("average.", "generator.", 1)], state[name])
    assert all(not t.any() for n, t in started.items() if n.startswith("optimizer"))


def test_starting_from_other_networks_is_refused():
    state = loop.begin(smallest("dcgan")).tensors()
    with pytest.raises(Refused, match="Start from"):
        loop.begin(smallest("projected"), start=state)


@pytest.mark.parametrize("recipe", ["projected", "cgan", "pix2pix", "cut"])
def test_a_set_that_is_larger_than_memory_is_read_picture_by_picture_and_trains_the_same(
    recipe, tmp_path, monkeypatch
):
    np.save(tmp_path / "pixels.npy", PIXELS)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    ends = []
    for free in (10**9, PIXELS.nbytes):
        monkeypatch.setattr(memory, "free_bytes", lambda device, free=free: free)
        assert isinstance(loop.at_hand(mapped, "cpu"), loop.Mapped) == (free == PIXELS.nbytes)
        training = loop.begin(smallest(recipe))
        ticks = loop.train(training, mapped, np.arange(10) % max(1, training.settings.num_labels))
        next(ticks), next(ticks)
        ends.append(snapshot(training))
    assert same(*ends)


def test_every_picture_is_shown_once_an_epoch():
    shown = torch.cat([loop.batch_indices(5, step, 4, 10) for step in range(1, 6)])
    assert sorted(shown[:10].tolist()) == list(range(10))
    assert sorted(shown[10:].tolist()) == list(range(10))
    assert shown[:10].tolist() != shown[10:].tolist()


def test_the_average_forgets_half_over_its_half_life():
    step, batch = 10_000, 32  # long after the ramp
    decay = loop.average_decay(step, batch)
    assert decay ** (loop.AVERAGE_IMAGES / batch) == pytest.approx(0.5)
    assert loop.average_decay(1, 32) < 1e-3  # at first the average is the painter itself


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_default_is_drawn_to_the_whole_set_by_the_dial(accumulate):
    dials = {"augment": 0, "mirror": 0}
    wanted = smallest("projected", dials=dials | {"match": 3}, accumulate=accumulate)
    training, without = loop.begin(wanted), loop.begin(smallest("projected", dials=dials | {"match": 0}))
    one = loop.draw(training, torch.from_numpy(PIXELS).permute(0, 3, 1, 2), None, 1)
    (told,) = steps(training, 1)
    if accumulate > 1:  # two pictures at a time
        assert math.isfinite(float(told.numbers["apart"]))
        return
    before = loop.begin(wanted)
    with torch.no_grad():
        fake = before.generator.train().synthesis(before.generator.mapping(one.z), one.noise)
        apart = set_distance(before.discriminator.features(fake), before.discriminator.features(one.real))
    assert float(told.numbers["apart"]) == pytest.approx(apart, rel=1e-3)
    (plain,) = steps(without, 1)
    assert "apart" not in plain.numbers
    assert (
        told.numbers["loss_g"] == plain.numbers["loss_g"]
    )  # what the critic says, which learns the same in both
    assert not same(snapshot(training), snapshot(without))


def test_bfloat16_trains_and_keeps_its_state_in_float32():
    training = loop.begin(smallest("projected", precision="bfloat16"))
    steps(training, 1)
    assert {t.dtype for t in training.tensors().values()} <= {torch.float32, torch.int64}


def test_the_rate_rises_stays_and_falls_with_the_root_of_the_steps():
    assert loop.rate_share(1, 300) == pytest.approx(1 / loop.WARM_UP_STEPS)
    assert loop.rate_share(loop.WARM_UP_STEPS, 300) == loop.rate_share(300, 300) == 1
    assert loop.rate_share(1200, 300) == pytest.approx(0.5)
    assert loop.rate_share(10**6, 0) == 1  # the classics' rates never fall
