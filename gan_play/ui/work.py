"""Long work on the page: its bar with the time left, its Stop button, and in the end what it made."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from gan_play.refusals import Refused
from gan_play.steps import Ended
from gan_play.ui import child, look, stopping
from gan_play.ui.line import TOGETHER, Line
from gan_play.ui.shared import PRIVATE, QUIET
from gan_play.ui.words import say

TOLD_EVERY_S = 0.5
Listener = tuple[Callable, Any, Any]
"""(function, inputs, outputs), as Gradio's events take them."""


def watched(
    line: Line, opening: str, over: Callable[[], bool], work: Callable[..., Iterator], *given: object
) -> Iterator[tuple]:
    """Follows the work on the page from its turn on, until it shall be `over`: updates of its progress and its Stop
    button.

    The work's steps tell `done`, `total`, `sentence` and `seconds_left`; where it is refused, that is said.
    """
    yield gr.update(value=look.progress(0, opening)), gr.update(visible=True, value=say("gather.cancel"))
    steps, said = bars(line, child.following(work, *given, over=over)), ""
    try:
        yield from line.served(steps, over, lambda turn: (gr.update(value=look.progress(0, turn)), gr.skip()))
    except Ended:
        said = look.note(say("gather.cancelled"))
    except Refused as refused:
        said = look.note(refused.refusal.sentence, "bad")
    except RuntimeError:  # a child that is gone was most often killed for want of memory
        said = look.note(say("work.broke"), "bad")
    yield gr.update(value=said), gr.update(visible=False)


def bars(line: Line, steps: Iterator) -> Iterator[tuple]:
    """How far the work is, every now and then."""
    told_at = time.monotonic()
    for step in steps:
        if time.monotonic() - told_at > TOLD_EVERY_S:
            told_at, said, line.left_s = time.monotonic(), step.sentence, step.seconds_left
            if step.seconds_left:
                said += f", {say('bar.left', time=look.time_words(step.seconds_left))}"
            yield gr.update(value=look.progress(step.done / max(1, step.total), said)), gr.skip()


def wire(event: Callable, begin: Callable, inputs: list, bar: list, made: Listener, name: str) -> None:
    """Wires an event to `begin`, which yields as `watched` does, and the Stop button, second of `bar`, to its end.

    `begin` takes the request and the moment of it first (see `stopping.asker`; the work is called `name`). Then `made`,
    (function, inputs, output), shows what was made, if that is still of what is in hand.
    """
    moment = gr.Textbox("", visible="hidden", elem_id=f"{name}-moment", label="moment")
    begun = event(
        begin,
        [moment, *inputs],
        bar,
        js=stopping.NOW,
        show_progress="hidden",
        api_name=f"ui_{name}",
        **PRIVATE | TOGETHER,
    )
    begun.then(*made, api_name=f"ui_{name}_made", **QUIET)
    bar[1].click(
        stopping.stopper(name, say("batch.stopping")),
        moment,
        bar[1],
        js=stopping.NOW,
        api_name=f"ui_{name}_cancel",
        **QUIET,
    )
