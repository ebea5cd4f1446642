"""Long work for the page, in a process of its own: its progress comes through a pipe, and it ends with its listener.

So the server stays quick, and gets its memory back.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from gan_play.refusals import Refused
from gan_play.steps import Ended

ASKED_EVERY_S = 0.1
"""How often it is looked whether the work shall end."""


def following(
    work: Callable[..., Iterator],
    *given: object,
    limit_s: float | None = None,
    over: Callable[[], bool] | None = None,
) -> Iterator[Any]:
    """Runs a generator function of a module, `work(*given)`, in a child process; yields what it yields, returns what it
    returns. Refused as it is; RuntimeError where the child died, or took longer than `limit_s` from its start on;
    Ended once `over` says that it shall end, in the middle of a step too. Closed early, it ends the child.
    """
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe(duplex=False)
    process = context.Process(target=_in_child, args=(its, work, given), daemon=True)
    process.start()
    ends = None if limit_s is None else time.monotonic() + limit_s
    its.close()
    try:
        while True:
            while over and not ours.poll(ASKED_EVERY_S):
                if over():
                    raise Ended
                if ends and time.monotonic() > ends:
                    break
            if ends and not ours.poll(max(0.0, ends - time.monotonic())):
                raise RuntimeError("the child process took too long")
            try:
                kind, value = ours.recv()
            except EOFError:
                raise RuntimeError("the child process ended early") from None
            if kind == "refused":
                raise Refused(value)
            if kind == "end":
                return value
            if over and over():
                raise Ended
            yield value
    finally:
        ours.close()
        process.terminate()
        process.join()
        process.close()


def _in_child(pipe: Any, work: Callable[..., Iterator], given: tuple) -> None:
    if hasattr(os, "nice"):
        os.nice(10)  # as a training worker: the page goes first
    steps = work(*given)
    try:
        while True:
            try:
                pipe.send(("step", next(steps)))
            except StopIteration as end:
                pipe.send(("end", end.value))
                return
            except Refused as refused:
                pipe.send(("refused", refused.refusal))
                return
    except BrokenPipeError:
        return  # nobody listens any more
