"""Whose turn it is where one is served at a time: whoever waits is told how many come before, and about how long.

Gradio's own queue tells its numbers in a corner of a piece, and of an empty piece nothing can be seen.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from gan_play.steps import Ended
from gan_play.ui import look
from gan_play.ui.words import say

LOOK_EVERY_S = 0.5
MOST_IN_LINE = 24
"""Who waits or is served holds one of the server's 40 threads; more than so many wait in Gradio's queue, unseen."""

TOGETHER = {"concurrency_limit": MOST_IN_LINE, "concurrency_id": "line"}
"""For the events whose work stands in a line: all lines share these places, or they could take every thread."""


class Line:
    """Those who want one thing, in the order in which they came; the first of them is served."""

    def __init__(self, kind: str) -> None:
        self.left_s: float | None = None  # of who is served, if known: the work tells it
        self._kind = kind  # of work: "film", ...; the sentence is `line.{kind}`
        self._places: list[object] = []
        self._moving = threading.Lock()

    def served(self, work: Iterator, over: Callable[[], bool], shown: Callable[[str], Any]) -> Iterator:
        """What the work yields once its turn has come, and what it returns; until then, again and again, the sentence
        that says whose turn it is, as `shown` gives it. Ended where it is `over` before. Closed, it leaves the line.
        """
        mine = object()
        with self._moving:
            self._places.append(mine)
        try:
            while ahead := self._places.index(mine):
                if over():
                    raise Ended
                yield shown(self._turn(ahead))
                time.sleep(LOOK_EVERY_S)
            return (yield from work)
        finally:
            with self._moving:
                if self._places[0] is mine:
                    self.left_s = None
                self._places.remove(mine)

    def _turn(self, ahead: int) -> str:
        said, left_s = say(f"line.{self._kind}", ahead=ahead), self.left_s
        return said if left_s is None else f"{said} {say('line.left', left=look.time_words(left_s))}"
