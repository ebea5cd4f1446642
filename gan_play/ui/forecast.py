"""What a training will take, before it starts: a few real steps, measured in a child process.

The server itself never trains: a child keeps its memory and its answers quick. One measurement at a time, each
remembered; none while a run is training, since both would be slowed.
"""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor

ONE_AT_A_TIME = threading.Lock()
MEASURED: dict[tuple[str, int, str], dict] = {}
MEASURED_MINUTES = 10


def measure(recipe: str, size_px: int, device: str) -> dict:
    """Images a second, bytes of memory and disk, and the plan's sentence. Refused as by `preflight.plan`.

    Takes some ten seconds the first time, nothing after that.
    """
    with ONE_AT_A_TIME:
        if not (found := known(recipe, size_px, device)):
            found = MEASURED[recipe, size_px, device] = _ask_child(recipe, size_px, device)
        return found


def known(recipe: str, size_px: int, device: str) -> dict | None:
    """What was measured before, if it was."""
    return MEASURED.get((recipe, size_px, device))


def _ask_child(recipe: str, size_px: int, device: str) -> dict:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_in_child, recipe, size_px, device).result()


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
