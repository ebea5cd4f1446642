"""A step that is recorded and played again does what it would have done: with other draws, from any state.

Tried without a graphics card: `Pretend` plays a recorded step by taking it again as it was recorded, with whatever
lies in the places of its draws, which is what a card does.
"""

import contextlib
import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from gan_play.trainers import clock, loop, replay
from gan_play.trainers.recipes import RECIPES, check_settings
from gan_play.trainers.replay import Tape, Unrepeatable

LOOKED_AT = {("pix2pix", "colour"), ("cyclegan", "")}
"""What they do depends on numbers that are drawn: whether there are hints, where a painting goes in the pool."""


class Reader:
    """A listener by which a step finds, for each thing that it sends, what lies in its place."""

    def __init__(self, places: list[Tensor]) -> None:
        self.places = iter(places)

    def seeded(self, *_) -> None:
        pass

    def chosen(self, *_) -> None:
        pass

    def sent(self, x: Tensor, device) -> Tensor:
        return next(self.places).clone()


class Filler(Reader):
    """A tape as listener, but that what was drawn is there at once: a card doesn't look while it records."""

    def __init__(self, tape: Tape) -> None:
        self.tape, self.seeded, self.chosen = tape, tape.seeded, tape.chosen

    def sent(self, x: Tensor, device) -> Tensor:
        place = self.tape.sent(x, device)
        with _disable_current_modes():
            place.copy_(x)
        return place


class Pretend:
    """Records as a graphics card does: the step isn't taken, and all but its draws stays as it was."""

    def __init__(self, training: loop.Training) -> None:
        self.training, self.played, self.forgotten = training, 0, 0

    def at_work(self):
        return contextlib.nullcontext()

    def forget(self) -> None:
        self.forgotten += 1

    def record(self, step, now, tape):
        before = {name: tensor.clone() for name, tensor in self.training.tensors().items()}
        with clock.told_to(Filler(tape)), tape:
            numbers = {name: number.clone() for name, number in step(now).items()}
        self.training.load(before)

        def play() -> None:
            self.played += 1
            with clock.told_to(Reader([place for _, place in tape.arrived])):
                for name, number in step(now).items():
                    numbers[name].copy_(number)

        return play, numbers


def settings_of(recipe: str, preset: str = "", **more):
    row = RECIPES[recipe]
    labelled = not preset and (row.labels == "needed" or row.task == "translate")
    wish = {"recipe": recipe, "size_px": row.sizes[0], "batch": 2 * row.least_batch, "width": row.widths[0]}
    wish |= {"seed": 3, "num_labels": 2 if labelled else 0, "preset": preset, "threads": 1}
    return check_settings(wish | more)


def steps_of(training: loop.Training) -> Iterator[loop.Tick]:
    """Its steps, on eight pictures of noise."""
    size = training.settings.size_px
    pixels = np.random.default_rng(0).integers(0, 256, (8, size, size, 3), dtype=np.uint8)
    return loop.train(training, pixels, np.arange(8) % 2 if training.settings.num_labels else None)


def on(card: Pretend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets one training take its steps on a card, all others as usual."""
    monkeypatch.setattr(loop, "replays", lambda training, data: training is card.training)
    monkeypatch.setattr(replay, "GraphicsCard", lambda: card)


CASES = [(name, "") for name in RECIPES] + [
    (name, preset) for name, row in RECIPES.items() for preset in row.presets
]
FAST = {("projected", ""), ("dcgan", ""), ("pix2pix", "sketch"), ("pix2pix", "colour")}


@pytest.mark.parametrize(
    "recipe, preset", [pytest.param(*case, marks=[] if case in FAST else pytest.mark.slow) for case in CASES]
)
def test_played_steps_are_the_steps_to_the_last_bit(recipe, preset, monkeypatch):
    monkeypatch.setattr(replay, "WARM_UP", 1)
    monkeypatch.setattr(replay, "PROOFS", 1)
    many = 50 if recipe == "stylegan2" else 5  # its rarest step comes once in 16
    usual, played = loop.begin(settings_of(recipe, preset)), loop.begin(settings_of(recipe, preset))
    card = Pretend(played)
    on(card, monkeypatch)
    taken_as_usual = (recipe, preset) in LOOKED_AT
    with pytest.warns(RuntimeWarning, match="as usual") if taken_as_usual else contextlib.nullcontext():
        for one, other, _ in zip(steps_of(usual), steps_of(played), range(many)):
            assert one.step == other.step
            assert {name: float(n) for name, n in one.numbers.items()} == {
                name: float(n) for name, n in other.numbers.items()
            }
    assert (card.played == 0) == taken_as_usual
    for name, tensor in usual.tensors().items():
        assert torch.equal(tensor, played.tensors()[name]), name


def grown(training: loop.Training, many: int) -> dict[str, Tensor]:
    """The state after so many steps."""
    for _ in zip(range(many), steps_of(training)):
        pass
    return training.tensors()


def as_usual(many: int) -> dict[str, Tensor]:
    return grown(loop.begin(settings_of("dcgan")), many)


def test_recorded_once_proved_and_played_from_then_on(monkeypatch):
    training = loop.begin(settings_of("dcgan"))
    card, recorded = Pretend(training), []
    on(card, monkeypatch)
    record = card.record
    monkeypatch.setattr(
        card, "record", lambda step, now, tape: recorded.append(now) or record(step, now, tape)
    )
    grown(training, 9)
    assert recorded == [1 + replay.WARM_UP] and card.played == 9 - replay.WARM_UP


def test_a_step_that_is_played_wrongly_is_found_and_the_training_goes_on_as_usual(monkeypatch):
    class Forgetful(Pretend):
        """Always plays with the draws that were there first."""

        def record(self, step, now, tape):
            play, numbers = super().record(step, now, tape)
            rewrite = tape.rewrite
            tape.rewrite = lambda _: rewrite(now)
            return play, numbers

    training = loop.begin(settings_of("dcgan"))
    card = Forgetful(training)
    on(card, monkeypatch)
    with pytest.warns(RuntimeWarning, match="another step"):
        state = grown(training, 9)
    assert card.played == 2  # the first is right; the second has other draws
    assert all(torch.equal(tensor, state[name]) for name, tensor in as_usual(9).items())


def test_where_memory_is_short_the_training_goes_on_as_usual(monkeypatch):
    class Small(Pretend):
        def record(self, step, now, tape):
            super().record(step, now, tape)
            raise torch.OutOfMemoryError("no room for the recording")

    training = loop.begin(settings_of("dcgan"))
    card = Small(training)
    on(card, monkeypatch)
    with pytest.warns(RuntimeWarning, match="no room"):
        state = grown(training, 9)
    assert card.played == 0
    assert all(torch.equal(tensor, state[name]) for name, tensor in as_usual(9).items())


def test_where_a_recording_takes_the_memory_of_a_step_it_is_let_go(monkeypatch):
    training = loop.begin(settings_of("dcgan"))
    card = Pretend(training)
    on(card, monkeypatch)
    step, taken = training.recipe.step, []

    def full(training, draw, now):
        taken.append(now)
        if taken.count(now) == 1 and now == 2 + replay.WARM_UP:  # the second proof: one is recorded by then
            step(training, draw, now)  # some of it is done already
            raise torch.OutOfMemoryError("out of memory")
        return step(training, draw, now)

    training.recipe = dataclasses.replace(training.recipe, step=full)
    with pytest.warns(RuntimeWarning, match="out of memory"):
        state = grown(training, 9)
    assert (card.played, card.forgotten) == (1, 1)
    assert all(torch.equal(tensor, state[name]) for name, tensor in as_usual(9).items())


def test_a_dial_that_is_moved_counts_from_the_next_step_on(monkeypatch):
    def moved(training: loop.Training) -> dict[str, Tensor]:
        steps = steps_of(training)
        for now, _ in zip(range(16), steps):
            if now == 7:
                dials = training.settings.dials | {"augment": 1.0}
                training.settings = dataclasses.replace(training.settings, dials=dials)
        return training.tensors()

    usual, played = loop.begin(settings_of("dcgan")), loop.begin(settings_of("dcgan"))
    card = Pretend(played)
    on(card, monkeypatch)
    state = moved(played)
    assert (card.played, card.forgotten) == (8 - replay.WARM_UP + 8 - replay.WARM_UP, 1)
    assert all(torch.equal(tensor, state[name]) for name, tensor in moved(usual).items())


# The tape


def recorded(draw) -> Tape:
    tape = Tape("cpu")
    with clock.told_to(tape), tape:
        draw(3)
    return tape


def arrived(draw, now: int) -> list[Tensor]:
    """What a step sends, as usual."""
    seen: list[Tensor] = []

    class Noting(Reader):
        def sent(self, x, device):
            seen.append(x.clone())
            return x

    with clock.told_to(Noting([])):
        draw(now)
    return seen


def several_things(now: int) -> None:
    random, other = clock.random_for(5, now, "one"), clock.random_for(5, now, "other")
    left, right = torch.rand(2, 4, generator=random).unbind()
    clock.sent(torch.where(left < right, left, 2 * right), "cpu")
    whole = torch.randint(0, 9, (6,), generator=other)
    whole[1:3] += 100
    clock.sent((torch.arange(6) + whole)[::2], "cpu")
    clock.sent(clock.batch_indices(5, now, 4, 10, 1, 2)[1:], "cpu")
    clock.sent(torch.randperm(7, generator=random)[:3], "cpu")


def test_a_tape_draws_what_another_step_draws():
    tape = recorded(several_things)
    for now in (3, 4, 77):
        tape.rewrite(now)
        for (_, place), wanted in zip(tape.arrived, arrived(several_things, now), strict=True):
            assert place.dtype == wanted.dtype and torch.equal(place, wanted)
    tape.check(3)
    with pytest.raises(Unrepeatable, match="something else"):
        tape.check(4)


def changed_later(now: int) -> None:
    drawn = torch.rand(4, generator=clock.random_for(5, now, "one"))
    clock.sent(drawn, "cpu")
    drawn += 1


def test_what_is_changed_after_it_was_sent_is_found():
    with pytest.raises(Unrepeatable, match="something else"):
        recorded(changed_later).check(3)


def set_back(now: int) -> None:
    random = clock.random_for(5, now, "one")
    before = random.get_state()
    for _ in range(2):
        random.set_state(before)
        clock.sent(torch.rand(4, generator=random), "cpu")


def test_a_generator_that_is_set_back_is_found():
    with pytest.raises(Unrepeatable, match="something else"):
        recorded(set_back).check(3)


@pytest.mark.parametrize(
    "draw, reason",
    [
        (lambda now: clock.sent(torch.rand(4), "cpu"), "wasn't drawn"),
        (lambda now: clock.sent(torch.tensor([now]), "cpu"), "wasn't drawn"),
        (lambda now: clock.sent(clock.batch_indices(5, now, 4, 10), "meta"), "elsewhere"),
        (lambda now: clock.batch_indices(5, now, 4, 10).to("meta"), "wasn't sent"),
        (lambda now: clock.random_for(5, now, "one") and float(torch.rand(1)), None),
        (lambda now: float(torch.rand(1, generator=clock.random_for(5, now, "one"))), "looked at"),
    ],
)
def test_what_a_tape_cannot_hold_is_said(draw, reason):
    if reason is None:
        recorded(draw)
        return
    with pytest.raises(Unrepeatable, match=reason):
        recorded(draw)


def test_how_far_apart_states_are_is_told_by_the_way_that_they_went():
    names = [f"{network}.{letter}" for network in ("generator", "discriminator") for letter in "abc"]
    before = {name: torch.zeros(4) for name in [*names, "average.a"]}
    there = {name: torch.full((4,), 2.0) for name in before}
    near = {**there, **{name: torch.full((4,), 2.2) for name in names[:3]}, "average.a": torch.zeros(4)}
    assert replay.apart(near, there, before) == pytest.approx(0.1)
    noise = {**there, "generator.a": torch.full((4,), -50.0)}
    assert replay.apart(noise, there, before) == 0
    assert replay.apart(before, before, before) == float("inf")
    nowhere = {**there, **{name: torch.full((4,), float("nan")) for name in names[3:]}}
    assert replay.apart(nowhere, there, before) == float("inf")
