"""The ground: a function that tells how far it is, as a generator of what it tells."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any


class Ended(Exception):
    """The work was asked to end, and did."""


def steps_of(make: Callable[[Callable[..., None]], Any]) -> Iterator[tuple]:
    """A function that tells how far it is, `make(progress)`, as a generator: yields what `progress(*told)` is told,
    returns what it returns and raises what it raises. Closed early, its next word to `progress` ends it.
    """
    heard: queue.Queue = queue.Queue()
    given_up = threading.Event()

    def progress(*told: object) -> None:
        if given_up.is_set():
            raise Ended
        heard.put(("step", told))

    def run() -> None:
        try:
            heard.put(("end", make(progress)))
        except Ended:
            pass
        except Exception as error:  # raised again where one listens
            heard.put(("error", error))

    threading.Thread(target=run, daemon=True, name="steps").start()
    try:
        while True:
            kind, value = heard.get()
            if kind == "error":
                raise value
            if kind == "end":
                return value
            yield value
    finally:
        given_up.set()
