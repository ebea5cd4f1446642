"""Before a training starts: a few real steps, measured, decide precision, width and batch, and say what to expect.

The choice rests on time, so two pre-flights may differ; what was chosen goes into the run's settings, and from
there on all is exact.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import psutil
import torch
from torch import Tensor

from gan_play.refusals import Refused, refuse
from gan_play.trainers import loop, memory
from gan_play.trainers.recipes import Settings, check_settings, recipe_of

STEPS = 3  # measured after one that warms up
BFLOAT16_UNITS = ("avx512_bf16", "amx_bf16", "bf16")  # as torch names them, the last on ARM
STATES_ON_DISK = 5  # three last, the best, and the one being written


@dataclass(frozen=True)
class Plan:
    """What the pre-flight chose and measured; `sentence` says it to an artist."""

    settings: Settings
    images_per_second: float
    forecast_images: int
    memory_bytes: int
    disk_bytes: int
    sentence: str


def devices() -> list[dict]:
    """What can train here, best first: name, title, free_bytes, and a sentence for an artist."""
    found = []
    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        title = torch.cuda.get_device_name()
        found.append(
            {"name": "cuda", "title": title, "free_bytes": free, "sentence": "The graphics card: fastest."}
        )
    if torch.backends.mps.is_available():
        free = psutil.virtual_memory().available
        found.append(
            {"name": "mps", "title": "Apple GPU", "free_bytes": free, "sentence": "The graphics chip."}
        )
    cores = loop.cpu_threads()
    found.append(
        {
            "name": "cpu",
            "title": f"CPU, {cores} core{'s' if cores > 1 else ''}",
            "free_bytes": psutil.virtual_memory().available,
            "sentence": "Good for 64 px. A graphics card would learn 10 to 100 times faster, and larger pictures.",
        }
    )
    return found


def choose_device(wish: str) -> str:
    """The device for a wish: auto, or a name. Refused if it isn't there."""
    names = [device["name"] for device in devices()]
    if wish == "auto":
        return names[0]
    if wish not in names:
        raise Refused(refuse("device", wish, choices=", ".join(names)))
    return wish


def precisions_for(device: str) -> tuple[str, ...]:
    """The precisions worth trying on a device; where nothing is measured, the last one is the best bet.

    A CPU without units for bfloat16 computes it all the same, by way of float32, and is only slower for it. On a
    large graphics card small pictures are quicker in float32: the conversions take longer than what they save.
    """
    if device == "cuda":
        return ("float32", "bfloat16")
    able = torch.cpu.get_capabilities() if device == "cpu" and torch.backends.mkldnn.is_available() else {}
    return ("float32", "bfloat16") if any(able.get(unit) for unit in BFLOAT16_UNITS) else ("float32",)


def plan(
    recipe: str,
    size_px: int,
    minutes: float,
    pixels: np.ndarray,
    device: str = "auto",
    start: tuple[Mapping[str, Tensor], Settings] | None = None,
    seed: int = 0,
    threads: int | None = None,
    dials: Mapping[str, float] | None = None,
    labels: np.ndarray | None = None,
    preset: str = "",
) -> Plan:
    """Measures a few steps on the pixels (N, S, S, 3) uint8 and chooses what buys the best pictures.

    `start`: tensors and settings of the run to start from, whose width is kept. `labels` (N,) from 0 are given
    where they are to be learnt, or are two sides; `preset` makes pairs of the pictures. Refused for impossible
    wishes, and where not even the smallest batch fits in memory.
    """
    device = choose_device(device)
    wish = {
        "recipe": recipe,
        "size_px": size_px,
        "seed": seed,
        "threads": threads or loop.cpu_threads(),
        "device": device,
        "precision": "float32",
        "batch": 8,
        "width": 8,
        "num_labels": 0 if labels is None else int(labels.max()) + 1,
        "dials": dict(dials or {}),
        "preset": preset,
        "started": start is not None,
    }
    row = recipe_of(check_settings(wish))
    widths = (start[1].width,) if start else row.widths
    tensors = start[0] if start else None
    if start and (start[1].recipe, start[1].size_px, start[1].num_labels) != (
        recipe,
        size_px,
        wish["num_labels"],
    ):
        theirs, ours = f"{start[1].recipe} at {start[1].size_px} px", f"{recipe} at {size_px} px"
        raise Refused(refuse("start-differs", "that run", theirs=theirs, ours=ours))

    best: tuple[Settings, float, int] | None = None
    precisions = precisions_for(device)
    for width in widths:  # from narrow to wide, as long as the minutes are enough
        # The work of a convolution grows with the square of the width: if that is too much, it isn't measured.
        if best and best[1] * (best[0].width / width) ** 2 * minutes * 60 < row.enough_images:
            break
        for batch in row.batches:
            trials = []
            for precision in precisions:
                settings = check_settings(wish | {"precision": precision, "batch": batch, "width": width})
                try:
                    trials.append((settings, *measure(settings, pixels, tensors, labels)))
                    continue
                except Exception as error:
                    if not memory.is_short(error):
                        raise
                memory.release()
            if trials:
                best = max(trials, key=lambda trial: trial[1])
                precisions = (best[0].precision,)
                break
    if best is None:
        raise Refused(refuse("no-memory", f"{recipe} at {size_px} px"))
    settings, images_per_second, memory_bytes = best
    shapes = loop.expected_shapes(settings)
    state_bytes = sum(int(np.prod(shape)) * 4 for shape, _ in shapes.values())
    images = int(images_per_second * minutes * 60)
    sentence = (
        f"{settings.width * 8} channels, {settings.batch} pictures a step: about {images_per_second:.0f} pictures a "
        f"second here, {images:,} in {minutes:g} minutes, {memory_bytes / 1e9:.1f} GB of memory."
    )
    return Plan(settings, images_per_second, images, memory_bytes, STATES_ON_DISK * state_bytes, sentence)


def measure(
    settings: Settings,
    pixels: np.ndarray,
    start: Mapping[str, Tensor] | None = None,
    labels: np.ndarray | None = None,
) -> tuple[float, int]:
    """Pictures a second over a few real steps, and the memory they took in bytes."""
    training = loop.begin(settings, start)
    ticks = loop.train(training, pixels, labels)
    next(ticks)
    wait_for(settings.device)
    began = time.perf_counter()
    for _ in range(STEPS):
        next(ticks)
    wait_for(settings.device)
    speed = STEPS * settings.images_a_step / (time.perf_counter() - began)
    ticks.close()
    return speed, memory_taken(settings.device)


def wait_for(device: str) -> None:
    """Returns when the device has done all that was asked of it."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def memory_taken(device: str) -> int:
    """Bytes taken: at the most so far on the graphics card, or now by this process."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return psutil.Process().memory_info().rss
