"""How long does it take until pictures are a set, and its squares are ready to be learnt from?

    python -m benchmarks.intake SOURCE...                 folders, ZIPs or files, to squares of 64 px
    python -m benchmarks.intake SOURCE --repeats 5 --size 128

By the clock, and in seconds of processor of this process and of the children that decode: where other work runs beside
it, only these say what it takes. On two cores the clock can't be below half of their sum.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks import machine
from gan_play.pictures import datasets, intake


def measured(work: Callable, *arguments: object) -> tuple[Any, list[float]]:
    """What the work returns; seconds by the clock, of this process, and of its children that have ended."""
    before, began = os.times(), time.perf_counter()
    result = work(*arguments)
    clock, after = time.perf_counter() - began, os.times()
    own = after.user - before.user + after.system - before.system
    children = after.children_user - before.children_user + after.children_system - before.children_system
    return result, [clock, own, children]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    print(machine.title())
    taken: dict[str, list[list[float]]] = {"taken in": [], f"squares of {given.size} px": [], "both": []}
    for _ in range(given.repeats):
        with tempfile.TemporaryDirectory() as home:
            found, first = measured(intake.run_to_end, intake.take_in(given.sources, Path(home)))
            making = datasets.making_block(found.folder, Path(home) / "block", given.size, keep_back=True)
            block, second = measured(intake.run_to_end, making)
            count = len(block.pixels)
        for row, seconds in zip(taken.values(), (first, second, [a + b for a, b in zip(first, second)])):
            row.append(seconds)
    memory = psutil.Process().memory_info().rss / 1e6
    print(f"{count:,} pictures, {memory:.0f} MB in this process at the end, median of {given.repeats}")
    print("| | by the clock, s | processor here, s | in children, s |\n|---|---|---|---|")
    for name, rows in taken.items():
        print(f"| {name} | {' | '.join(f'{statistics.median(column):.1f}' for column in zip(*rows))} |")


if __name__ == "__main__":
    main()
