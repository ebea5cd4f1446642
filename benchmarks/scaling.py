"""Several cards or computers: what a step sends, how long that takes against computing, and where it stops paying.

python -m benchmarks.scaling              the model: counted bytes and operations, stated machines
python -m benchmarks.scaling --measure    one process against two on this computer, by Gloo

Counted in a step that is really made, of a few pictures: every message that a rank hands to its all-reduce, and the
matrix products and convolutions, which grow with the batch. Not counted is what overlaps:
here all is sent once it is computed.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as processes
from torch import Tensor

from benchmarks import machine, throughput
from gan_play.trainers import loop, ranks
from gan_play.trainers.recipes import RECIPES, Settings, check_settings

COUNTED = 4  # pictures in the step that is counted
RANKS = (2, 4, 8)
CARDS = {"A100": 312e12, "H100": 989e12}  # bfloat16, dense, as NVIDIA states it
SUSTAINED = 0.25  # of that, by the convolutions of networks this small


class Link(NamedTuple):
    """A way between two ranks: bytes a second in one direction, and what a message costs however small it is."""

    bytes_per_s: float
    message_s: float


LINKS = {
    "NVLink 4": Link(450e9, 20e-6),
    "NVLink 3": Link(300e9, 20e-6),
    "PCIe 4 x16": Link(25e9, 25e-6),
    "100 GbE": Link(12.5e9, 60e-6),
    "10 GbE": Link(1.25e9, 100e-6),
}
"""Bandwidths as stated (of PCIe what is left of 32 GB/s); the times of a small message are assumed, and say so."""


class Counted(NamedTuple):
    """Of one step: floating-point operations of a picture, bytes and messages that a rank sends its sums with."""

    operations: float
    sent_bytes: int
    messages: int


def settings_for(recipe: str, size_px: int, batch: int, width: int | None = None, **more: object) -> Settings:
    """A recipe as it would be for a card: its greatest width."""
    row = RECIPES[recipe]
    number = 3 if row.takes == "pictures" else 2
    plain = {
        "recipe": recipe,
        "size_px": size_px,
        "batch": batch,
        "width": width or row.widths[-1],
        "seed": 0,
    }
    return check_settings(plain | {"num_labels": number if row.labels == "needed" else 0} | more)


def data_for(settings: Settings, count: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of noise, and a label for each."""
    side = settings.size_px
    pixels = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return pixels, np.arange(count) % max(1, settings.num_labels)


@contextmanager
def counting(sent: list[int]) -> Iterator[None]:
    """Meanwhile every message of an all-reduce leaves its bytes in the list."""
    reduce = dist.all_reduce

    def counted(tensor: Tensor, *args: object, **more: object) -> object:
        sent.append(tensor.numel() * tensor.element_size())
        return reduce(tensor, *args, **more)

    dist.all_reduce = counted
    try:
        yield
    finally:
        dist.all_reduce = reduce


def count(recipe: str, size_px: int) -> Counted:
    """Counts the second step of a training (the first also pays what others pay now and then)."""
    settings = settings_for(recipe, size_px, COUNTED)
    training = loop.begin(settings)
    ranks.Crew(settings, 1).enter(training)  # alone, but all is sent
    ticks = loop.train(training, *data_for(settings))
    next(ticks)
    sent: list[int] = []
    with counting(sent):
        operations = throughput.count(lambda: next(ticks))
    ticks.close()
    return Counted(operations / COUNTED, sum(sent), len(sent))


def step_seconds(counted: Counted, batch: int, number: int, peak: float, link: Link) -> tuple[float, float]:
    """Seconds of a step on so many cards: computing, and sending.

    A ring passes 2 (N - 1) / N of the bytes through each rank (Patarasuk 2009).
    """
    computed = counted.operations * batch / number / (SUSTAINED * peak)
    if number == 1:
        return computed, 0.0
    share = 2 * (number - 1) / number
    return computed, share * counted.sent_bytes / link.bytes_per_s + counted.messages * link.message_s


def model(sizes: list[int], names: list[str]) -> None:
    """Prints the tables of `docs/scaling.md`."""
    found = {}
    print("recipe | px | MB a step | messages | GFLOP a picture")
    for name in names:
        for size_px in sizes:
            if size_px in RECIPES[name].sizes and name not in ranks.LEARN_ALONE:
                found[name, size_px] = one = count(name, size_px)
                print(
                    f"{name} | {size_px} | {one.sent_bytes / 1e6:.1f} | {one.messages} | {one.operations / 1e9:.2f}",
                    flush=True,
                )
    for card, peak in CARDS.items():
        print(f"\n{card} at {SUSTAINED:.0%} of its peak: how many times as fast 2, 4 and 8 cards are")
        print("recipe | px | batch | ms computed by one | " + " | ".join(LINKS))
        for (name, size_px), one in found.items():
            batch = RECIPES[name].batches[0]
            alone, _ = step_seconds(one, batch, 1, peak, LINKS["NVLink 4"])
            cells = []
            for link in LINKS.values():
                gains = [
                    alone / sum(step_seconds(one, batch, number, peak, link))
                    for number in RANKS
                    if ranks.useful(settings_for(name, size_px, batch), number) == number
                ]
                cells.append(", ".join(f"{gain:.1f}" for gain in gains))
            print(f"{name} | {size_px} | {batch} | {alone * 1e3:.2f} | " + " | ".join(cells))
    print("\nThe batch at which two cards are 1.5 times as fast as one (A100)")
    print("recipe | px | " + " | ".join(LINKS))
    for (name, size_px), one in found.items():
        cells = []
        for link in LINKS.values():
            _, sending = step_seconds(one, 1, 2, CARDS["A100"], link)
            each = one.operations / (SUSTAINED * CARDS["A100"])
            cells.append(f"{6 * sending / each:,.0f}")  # T = 1.5 (T / 2 + sending), so T = 6 sending
        print(f"{name} | {size_px} | " + " | ".join(cells))


# On this computer


def timed(training: loop.Training, pixels: np.ndarray, labels: np.ndarray, steps: int) -> float:
    """Seconds a step."""
    ticks = loop.train(training, pixels, labels)
    next(ticks)
    began = time.perf_counter()
    for _ in range(steps):
        next(ticks)
    seconds = (time.perf_counter() - began) / steps
    ticks.close()
    return seconds


def life(rank: int, number: int, store: str, given: argparse.Namespace, told: object) -> None:
    """One of the processes that are measured: in each repeat the first trains alone, then all together."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(number), "LOCAL_WORLD_SIZE": str(number)}
    ranks.connect(dist.FileStore(store, number))
    settings = settings_for(given.recipe, given.size, given.batch, RECIPES[given.recipe].widths[0], threads=1)
    data = data_for(settings)
    for _ in range(given.repeats):
        alone = timed(loop.begin(settings), *data, given.steps) if rank == 0 else 0.0
        dist.barrier()
        training = loop.begin(settings)
        ranks.crew_for(settings).enter(training)
        shared = timed(training, *data, given.steps)
        dist.barrier()
        if rank == 0:
            told.put((alone, shared))
    dist.destroy_process_group()


def measure(given: argparse.Namespace) -> None:
    """Two processes against one, each with one thread, turn by turn."""
    context = processes.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        told = context.Queue()
        store = str(Path(folder) / "store")
        lives = [context.Process(target=life, args=(rank, 2, store, given, told)) for rank in range(2)]
        for one in lives:
            one.start()
        print(
            f"{given.recipe}, {given.size} px, batch {given.batch}: pictures/s of one process | of two | ratio"
        )
        ratios = []
        for _ in range(given.repeats):
            alone, shared = told.get(timeout=600)
            ratios.append(alone / shared)
            print(f"{given.batch / alone:.1f} | {given.batch / shared:.1f} | {ratios[-1]:.2f}", flush=True)
        for one in lives:
            one.join()
    print(f"ratio {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--recipe", default="projected")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    print(machine.title(), flush=True)
    if given.measure:
        measure(given)
        return
    torch.set_num_threads(loop.cpu_threads())
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"RANK": "0", "WORLD_SIZE": "1"}
        ranks.connect(dist.FileStore(str(Path(folder) / "store"), 1))
        model(given.sizes, given.recipes)
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
