"""Whose turn it is where one is served at a time: whoever waits is told how many come before, and about how long.

Gradio's own queue tells its numbers in a corner of a piece, and of an empty piece nothing can be seen.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

LOOK_EVERY_S = 0.5
MOST_IN_LINE = 16
"""Who waits here holds one of the server's 40 threads; the rest wait in Gradio's queue, unseen."""


class Line:
    """Those who want one thing, in the order in which they came; the first of them is served."""

    def __init__(self) -> None:
        self.left_s: float | None = None  # of who is served, if known
        self._places: list[object] = []
        self._moving = threading.Lock()

    @contextlib.contextmanager
    def place(self) -> Iterator[Callable[[], int]]:
        """A place at its end, until left: a function that says how many come before."""
        mine = object()
        with self._moving:
            self._places.append(mine)
        try:
            yield lambda: self._places.index(mine)
        finally:
            with self._moving:
                if self._places[0] is mine:
                    self.left_s = None
                self._places.remove(mine)

    def waiting(self, ahead: Callable[[], int], over: Callable[[], bool]) -> Iterator[int]:
        """How many come before, again and again until nobody does or it is over."""
        while (count := ahead()) and not over():
            yield count
            time.sleep(LOOK_EVERY_S)
