"""Work in a child process: its steps, its end, its refusals, and that it ends with its listener."""

import multiprocessing

import pytest

from gan_play.measure import atlas
from gan_play.pictures import datasets, examples, images
from gan_play.refusals import Refused
from gan_play.steps import Ended
from gan_play.ui import child, work
from gan_play.ui.line import Line


def test_steps_and_the_end_come_through_and_closing_early_ends_the_child(tmp_path):
    with datasets.NewSet(tmp_path) as new:
        for i in range(8):
            new.add(f"{i}.png", datasets.keep(images.Decoded(examples.draw("fields", i, 64), 64, 64, False)))
        folder = new.finish([], images.WHITE)[1]
    steps = child.following(atlas.mapping, folder)
    assert next(steps).sentence == "Looking at every picture"
    assert len(multiprocessing.active_children()) == 1
    steps.close()
    assert multiprocessing.active_children() == []


def test_a_refusal_in_the_child_is_one_here(tmp_path):
    with pytest.raises(Refused) as caught:
        list(child.following(atlas.mapping, tmp_path / "nothing"))
    assert caught.value.refusal.reason == "no-set"


def test_a_child_that_takes_too_long_is_ended(tmp_path):
    with pytest.raises(RuntimeError, match="too long"):
        list(child.following(atlas.mapping, tmp_path, limit_s=0))
    assert multiprocessing.active_children() == []


def test_work_that_shall_end_is_ended_in_the_middle_of_a_step(tmp_path):
    asked = iter([False, True])
    with pytest.raises(Ended):
        list(child.following(atlas.mapping, tmp_path, over=lambda: next(asked)))
    assert multiprocessing.active_children() == []


def test_a_stop_is_said_and_leaves_no_bar(monkeypatch):
    def following(work, *given, over):
        yield datasets.Progress(1, 2, 3.0, "Looking")
        raise Ended

    monkeypatch.setattr(child, "following", following)
    told = list(work.watched(Line("set"), "Looking…", lambda: False, atlas.mapping))
    assert len(told) == 2 and "Nothing was kept" in told[-1][0]["value"] and told[-1][1]["visible"] is False


def test_a_child_that_dies_is_said_on_the_page_and_leaves_no_bar(monkeypatch):
    def following(work, *given, over):
        yield datasets.Progress(1, 2, 3.0, "Looking")
        raise RuntimeError("the child process ended early")

    monkeypatch.setattr(child, "following", following)
    told = list(work.watched(Line("set"), "Looking…", lambda: False, atlas.mapping))
    assert len(told) == 2 and "broke off" in told[-1][0]["value"] and told[-1][1]["visible"] is False
