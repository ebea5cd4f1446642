"""A step on a graphics card waits for nobody: it reads nothing back, and sends what was drawn without waiting.

Tried without a card: on torch's `meta` device, which has shapes but no numbers, so that whatever would read one fails,
and what is sent there goes through the same calls as on a card.
"""

import contextlib
import dataclasses
import functools

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gan_play.trainers import clock, loop, replay
from gan_play.trainers.recipes import RECIPES, check_settings, recipe_of
from tests.test_replay import CASES, LOOKED_AT


class Waiting(TorchDispatchMode):
    """Counts what is sent from one device to another, and by calls that wait until it has arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = self.waits = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        source = {"aten::_to_copy": args[:1], "aten::copy_": args[1:2]}.get(func._schema.name, ())
        patient = (kwargs or {}).get("non_blocking") or (len(args) > 2 and args[2])
        self.sent += sum(one.device != made.device for one in source)
        self.waits += sum(one.device != made.device and not patient for one in source)
        return made


def begun(recipe: str, preset: str, monkeypatch: pytest.MonkeyPatch) -> tuple[loop.Training, tuple]:
    """A training on no real device, and what its steps draw from."""
    row = RECIPES[recipe]
    labelled = not preset and (row.labels == "needed" or row.task == "translate")
    size_px = row.sizes[0]
    wish = {"recipe": recipe, "size_px": size_px, "batch": row.batches[-1], "width": row.widths[0], "seed": 0}
    wish |= {"num_labels": 2 if labelled else 0, "preset": preset}
    settings = dataclasses.replace(check_settings(wish), device="meta")
    # Mixed precision isn't known there.
    monkeypatch.setattr(loop.Training, "autocast", lambda training: contextlib.nullcontext())
    pixels = torch.zeros(8, 3, size_px, size_px, dtype=torch.uint8, device="meta")
    return loop.Training(settings), (pixels, torch.arange(8) % 2 if labelled else None)


@pytest.mark.slow
@pytest.mark.parametrize("recipe, preset", CASES)
def test_no_step_waits_for_the_card(recipe, preset, monkeypatch):
    training, given = begun(recipe, preset, monkeypatch)

    def refused(*_, **__):
        raise AssertionError("a tensor was made of Python's numbers on the device, which waits for it")

    monkeypatch.setattr(torch.Tensor, "new_tensor", refused)
    with Waiting() as mode:
        for now in (1, 16):  # at the second, lazy penalties have their turn
            before = mode.waits
            drawing = functools.partial(training.recipe.draw or loop.draw, training, *given, now)
            recipe_of(training.settings).step(training, drawing, now)
            loop.update_average(training, 0.9)
    assert mode.waits == before  # only the first may send what never changes


@pytest.mark.slow
@pytest.mark.parametrize("recipe, preset", [case for case in CASES if case not in LOOKED_AT])
def test_while_a_step_is_recorded_nothing_is_sent_but_what_is_drawn(recipe, preset, monkeypatch):
    """A card that records can't be sent anything; what is drawn has places of its own there."""
    training, given = begun(recipe, preset, monkeypatch)
    for now in (1, 2, 4, 17):
        drawing = functools.partial(training.recipe.draw or loop.draw, training, *given, now)
        tape = replay.Tape("meta")
        with Waiting() as mode, clock.told_to(tape), tape:
            recipe_of(training.settings).step(training, drawing, now)
        assert tape.arrived
        assert now == 1 or mode.sent == 0  # only the first may send what never changes


def test_the_mode_sees_what_waits_and_nothing_can_be_read_there():
    with Waiting() as mode:
        torch.zeros(3).to("meta", non_blocking=True)
        assert mode.waits == 0
        torch.zeros(3).to("meta")
    assert mode.waits == 1
    with pytest.raises(RuntimeError, match="item"):
        float(torch.zeros((), device="meta"))
