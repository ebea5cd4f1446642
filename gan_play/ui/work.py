"""Long work on the page: its bar with the time left, its Stop button, and in the end what it made."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from gan_play.refusals import Refused
from gan_play.ui import child, look
from gan_play.ui.shared import PRIVATE, QUIET
from gan_play.ui.words import say

TOLD_EVERY_S = 0.5


def watched(
    opening: str, shown: Callable[[], dict], work: Callable[..., Iterator], *given: object
) -> Iterator[tuple]:
    """Follows the work on the page: updates of its progress, its Stop button and, in the end, of what it `shown`.

    The work's steps tell `done`, `total`, `sentence` and `seconds_left`; where it is refused, that is said.
    """
    yield gr.update(value=look.progress(0, opening)), gr.update(visible=True), gr.skip()
    steps, told_at = child.following(work, *given), time.monotonic()
    while True:
        try:
            step = next(steps)
        except StopIteration:
            break
        except (
            Refused,
            RuntimeError,
        ) as error:  # RuntimeError: the child is gone, killed for want of memory, say
            said = error.refusal.sentence if isinstance(error, Refused) else say("work.broke")
            yield gr.update(value=look.note(said, "bad")), gr.update(visible=False), gr.skip()
            return
        if time.monotonic() - told_at > TOLD_EVERY_S:
            told_at, said = time.monotonic(), step.sentence
            if step.seconds_left:
                said += f", {say('bar.left', time=look.time_words(step.seconds_left))}"
            yield gr.update(value=look.progress(step.done / max(1, step.total), said)), gr.skip(), gr.skip()
    yield gr.update(value=""), gr.update(visible=False), gr.update(value=shown())


def wire(event: Callable, begin: Callable, inputs: Any, outputs: list, name: str) -> None:
    """Wires an event to `begin`, which yields as `watched` does; the Stop button, second of `outputs`, ends it."""
    progress, stop, _ = outputs
    begun = event(
        begin,
        inputs,
        outputs,
        concurrency_limit=1,
        show_progress="hidden",
        api_name=f"ui_{name}",
        **PRIVATE,
    )
    stop.click(
        lambda: (gr.update(value=look.note(say("gather.cancelled"))), gr.update(visible=False)),
        None,
        [progress, stop],
        cancels=begun,
        api_name=f"ui_{name}_cancel",
        **QUIET,
    )
