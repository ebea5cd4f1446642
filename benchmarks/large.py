"""A set that stays on the disk against one in memory: pictures a second, and the memory that each takes.

python -m benchmarks.large --count 100000 --size 32

Turn by turn, each in a process of its own, on pictures of noise. `anonymous` is what the process holds for itself;
`file` is what the system keeps of the set for it, and takes back when memory is wanted.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch.multiprocessing as processes

from benchmarks import machine
from gan_play.trainers import loop, memory
from gan_play.trainers.clock import batch_indices
from gan_play.trainers.recipes import RECIPES, check_settings


def make(path: Path, count: int, size_px: int) -> None:
    """Writes so many pictures of noise as the block of a set holds them."""
    random = np.random.default_rng(0)
    pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, size_px, size_px, 3))
    for start in range(0, count, 1000):
        stop = min(start + 1000, count)
        pixels[start:stop] = random.integers(0, 256, (stop - start, size_px, size_px, 3), dtype=np.uint8)
    pixels.flush()


def resident() -> tuple[float, float]:
    """Megabytes that this process holds: its own, and of mapped files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return int(found["RssAnon"]) / 1e3, int(found["RssFile"]) / 1e3


def life(path: str, mapped: bool, given: argparse.Namespace, told: object) -> None:
    """Trains for some steps, then only takes batches: pictures a second of both, and memory taken since the start."""
    memory.free_bytes = lambda device: 0 if mapped else 10**15
    pixels = np.load(path, mmap_mode="r")
    row = RECIPES[given.recipe]
    settings = check_settings(
        {
            "recipe": given.recipe,
            "size_px": given.size,
            "batch": given.batch,
            "width": row.widths[0],
            "seed": 0,
            "threads": 1,
        }
    )
    training = loop.begin(settings)
    before = resident()
    ticks = loop.train(training, pixels)
    next(ticks)
    began = time.perf_counter()
    for _ in range(given.steps):
        next(ticks)
    trained = given.steps * given.batch / (time.perf_counter() - began)
    data = ticks.gi_frame.f_locals["data"]
    began = time.perf_counter()
    for step in range(1, given.batches + 1):
        data[batch_indices(0, step, given.batch, len(data))].float()
    taken = given.batches * given.batch / (time.perf_counter() - began)
    after = resident()
    told.put((trained, taken, after[0] - before[0], after[1] - before[1]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--recipe", default="projected")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batches", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    print(machine.title(), flush=True)
    context = processes.get_context("spawn")
    told = context.Queue()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pixels.npy"
        make(path, given.count, given.size)
        print(f"{given.count:,} pictures of {given.size} px: {path.stat().st_size / 1e6:.0f} MB")
        print("where | pictures/s trained | pictures/s taken | MB anonymous | MB file")
        for _ in range(given.repeats):
            pair = []
            for mapped in (False, True):
                one = context.Process(target=life, args=(str(path), mapped, given, told))
                one.start()
                pair.append(told.get(timeout=900))
                one.join()
                cells = " | ".join(f"{number:,.1f}" for number in pair[-1])
                print(f"{'on the disk' if mapped else 'in memory'} | {cells}", flush=True)
            ratios.append((pair[1][0] / pair[0][0], pair[1][1] / pair[0][1]))
    for name, found in zip(("trained", "taken"), zip(*ratios)):
        print(
            f"{name}: on the disk {statistics.median(found):.2f} times as fast ({min(found):.2f} to {max(found):.2f})"
        )


if __name__ == "__main__":
    main()
