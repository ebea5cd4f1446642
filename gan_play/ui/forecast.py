"""What a training will take, before it starts: a few real steps, measured in a child process.

The server itself never trains: a child keeps its memory and its answers quick. One measurement at a time, each
remembered; none while a run is training, since both would be slowed: `give_way` ends the one on its way.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from gan_play.refusals import Refusal, Refused

ONE_AT_A_TIME = threading.Lock()
MEASURED: dict[tuple[str, int, str], dict | Refusal] = {}
MEASURED_MINUTES = 10
CHILD = "gan-play-forecast"


def measure(recipe: str, size_px: int, device: str, training: Callable[[], bool]) -> None:
    """Find what `known` gives, or `refusal`, if not known yet; neither where it gave way to a training.

    `training` says whether a run is on its way. Takes some ten seconds the first time, nothing after that.
    """
    with ONE_AT_A_TIME:
        if known(recipe, size_px, device) or training():
            return
        if found := _ask_child(recipe, size_px, device):
            MEASURED[recipe, size_px, device] = found


def give_way() -> None:
    """End the measurement on its way, if there is one: a training begins, which measures for itself."""
    for child in multiprocessing.active_children():
        if child.name == CHILD:
            child.terminate()


def known(recipe: str, size_px: int, device: str) -> dict | None:
    """Images a second, bytes of memory and disk, and the settings chosen, if that was measured before."""
    found = MEASURED.get((recipe, size_px, device))
    return found if isinstance(found, dict) else None


def refusal(recipe: str, size_px: int, device: str) -> Refusal | None:
    """Why it can't be trained here (see `preflight.plan`), if that was what the last measurement said."""
    found = MEASURED.get((recipe, size_px, device))
    return found if isinstance(found, Refusal) else None


def _ask_child(recipe: str, size_px: int, device: str) -> dict | Refusal | None:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    child = spawn.Process(target=_tell, args=(theirs, recipe, size_px, device), name=CHILD, daemon=True)
    with ours:
        with theirs:  # once the child has its own end, its death closes the pipe
            child.start()
        try:
            told = ours.recv()
        except EOFError:
            told = None
    child.join()
    return told


def _tell(pipe: Connection, recipe: str, size_px: int, device: str) -> None:
    with pipe:
        try:
            pipe.send(_in_child(recipe, size_px, device))
        except Refused as refused:
            pipe.send(refused.refusal)


def _in_child(recipe: str, size_px: int, device: str) -> dict:
    if hasattr(os, "nice"):
        os.nice(10)  # as a training worker: the page goes first
    import numpy as np

    from gan_play.trainers import preflight
    from gan_play.trainers.recipes import RECIPES

    pixels = np.random.default_rng(0).integers(0, 256, (64, size_px, size_px, 3), dtype=np.uint8)
    needed = recipe in RECIPES and RECIPES[recipe].labels == "needed"
    labels = np.arange(len(pixels)) % 2 if needed else None  # how many there are hardly changes the speed
    plan = preflight.plan(recipe, size_px, MEASURED_MINUTES, pixels, device=device, labels=labels)
    return {
        "images_per_second": plan.images_per_second,
        "memory_bytes": plan.memory_bytes,
        "disk_bytes": plan.disk_bytes,
        "settings": plan.settings.to_json(),
    }
