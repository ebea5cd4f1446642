"""Whose turn it is, where one is served at a time."""

import contextlib
import inspect
import threading
from collections.abc import Iterator

import gradio as gr
import pytest

from gan_play.steps import Ended
from gan_play.ui import line, page


@pytest.fixture
def films(monkeypatch) -> line.Line:
    monkeypatch.setattr(line, "LOOK_EVERY_S", 0.01)
    return line.Line("film")


def endless() -> Iterator[str]:
    while True:
        yield "at work"


def asking(films: line.Line, over=lambda: False):
    """Somebody who wants an endless film."""
    return films.served(endless(), over, str)


def test_who_comes_first_is_served_and_the_others_move_up_whoever_leaves(films):
    first, second, third = asking(films), asking(films), asking(films)
    assert (next(first), next(first)) == ("at work", "at work")
    assert "Before yours: 1." in next(second) and "Before yours: 2." in next(third)
    films.left_s = 5.0
    assert "about 5 s more" in next(third)
    second.close()  # out of the middle: who is served goes on
    assert next(first) == "at work" and "Before yours: 1." in next(third) and films.left_s == 5.0
    first.close()
    assert next(third) == "at work" and films.left_s is None  # nobody knows yet how long this one takes
    third.close()
    assert next(asking(films)) == "at work"


def test_work_does_not_begin_before_its_turn_and_what_it_returns_is_kept(films):
    begun = []

    def work() -> Iterator[str]:
        begun.append(True)
        yield "at work"
        return "a film"

    def told() -> Iterator[str]:
        made.append((yield from films.served(work(), lambda: False, str)))

    made, first = [], asking(films)
    next(first)
    second = told()
    assert "One film is made at a time." in next(second) and not begun
    first.close()
    assert list(second) == ["at work"] and made == ["a film"]


def test_who_stops_while_waiting_leaves_the_line_and_nothing_was_begun(films):
    first, stop = asking(films), threading.Event()
    next(first)
    second, third = asking(films, stop.is_set), asking(films)
    next(second), next(third)
    stop.set()
    with pytest.raises(Ended):
        next(second)
    assert "Before yours: 1." in next(third) and next(first) == "at work"


def test_work_that_breaks_gives_its_place(films):
    def broken() -> Iterator[str]:
        raise RuntimeError
        yield

    with contextlib.suppress(RuntimeError):
        next(films.served(broken(), lambda: False, str))
    assert next(asking(films)) == "at work"


def test_all_lines_together_leave_the_server_enough_threads(tmp_path):
    events = {event.api_name: event for event in page.make(tmp_path).fns.values()}
    standing = {name for name, event in events.items() if event.concurrency_id == "line"}
    assert standing == {
        *("ui_play_film", "ui_transform_paint", "ui_transform_now", "ui_translate_many", "ui_clip_film"),
        *("ui_play_find", "ui_play_recolour", "ui_taste", "ui_look", "ui_cover"),
    }
    assert {events[name].concurrency_limit for name in standing} == {line.MOST_IN_LINE}
    threads = inspect.signature(gr.Blocks.launch).parameters["max_threads"].default
    assert line.MOST_IN_LINE <= threads - 16
