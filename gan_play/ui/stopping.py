"""Stopping long work on the page: it is told so, and ends by itself at its next step, with what it has.

Gradio's own way, `cancels`, leaves an event behind that counts as on its way until the server has answered, which takes
until the work's next step, and passes over every new wish for the same event until then: on a busy computer that may be
many seconds. Here the event ends as any other, and a wish that follows waits for that end.

Moments are those of the browser's clock, so that a stop never meets the work that was asked for after it, in whatever
order the two arrive.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable

import gradio as gr

NOW = "(_, ...others) => [String(Date.now()), ...others]"
"""The script of an event whose first input stands for the moment when it was asked for."""

MOST_REMEMBERED = 1000
"""Stops: those of so many pages, but for the oldest."""

_stops: OrderedDict[tuple[str, str], float] = OrderedDict()
_writing = threading.Lock()


def stop(request: gr.Request, work: str, when: object) -> None:
    """All of a page's work of this name that was asked for until then shall end."""
    key, moment = (str(request.session_hash), work), number(when)
    with _writing:
        _stops[key] = max(moment, _stops.pop(key, 0.0))
        while len(_stops) > MOST_REMEMBERED:
            _stops.popitem(last=False)


def asker(request: gr.Request, work: str, when: object) -> Callable[[], bool]:
    """For work that begins: what says, whenever it is asked, whether the work shall end."""
    key, moment = (str(request.session_hash), work), number(when)
    return lambda: moment <= _stops.get(key, -1.0)


def stopper(work: str, said: str) -> Callable:
    """The event of a Stop button: the work shall end, and the button says so until then."""

    def end(when: str, request: gr.Request):
        stop(request, work, when)
        return gr.update(value=said)

    return end


def number(when: object) -> float:
    """A moment as a browser sends it, in milliseconds; 0 for anything else."""
    text = str(when or "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0.0
