"""Pictures a second through training, and the share of the machine's measured peak.

python -m benchmarks.throughput --size 64 --steps 30
"""

import argparse
import time

import numpy as np
import psutil
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import machine
from gan_play.trainers import loop
from gan_play.trainers.preflight import choose_device, wait_for
from gan_play.trainers.recipes import RECIPES, check_settings, recipes_for


def operations(settings: loop.Settings, pixels: np.ndarray) -> int:
    """Floating-point operations of one training step, counted by torch (matrix products and convolutions)."""
    ticks = loop.train(loop.begin(settings), pixels)
    next(ticks)
    with FlopCounterMode(display=False) as counter:
        next(ticks)
    ticks.close()
    return counter.get_total_flops()


def speed(settings: loop.Settings, pixels: np.ndarray, steps: int) -> float:
    """Pictures a second: the median of single steps after three that warm up."""
    ticks = loop.train(loop.begin(settings), pixels)
    for _ in range(3):
        next(ticks)
    taken = []
    for _ in range(steps):
        wait_for(settings.device)
        began = time.perf_counter()
        next(ticks)
        wait_for(settings.device)
        taken.append(time.perf_counter() - began)
    ticks.close()
    return settings.batch / float(np.median(taken))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--recipes", nargs="+", default=list(recipes_for("paint")))
    given = parser.parse_args()
    device = choose_device(given.device)
    pixels = np.random.default_rng(0).integers(0, 256, (256, given.size, given.size, 3), dtype=np.uint8)
    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    peaks = {name: machine.peak_flops(dtype, device) for name, dtype in dtypes.items()}
    print(machine.title())
    print(", ".join(f"peak {name} {peak / 1e9:.0f} GFLOP/s" for name, peak in peaks.items()))
    print("recipe | size | precision | batch | pictures/s | GFLOP/picture | share of peak | memory")
    for name in given.recipes:
        row = RECIPES[name]
        for precision, peak in peaks.items():
            settings = check_settings(
                {
                    "recipe": name,
                    "size_px": given.size,
                    "batch": row.batches[0],
                    "width": row.widths[0],
                    "seed": 0,
                    "threads": loop.cpu_threads(),
                    "precision": precision,
                    "device": device,
                }
            )
            each = operations(settings, pixels) / settings.batch
            rate = speed(settings, pixels, given.steps)
            memory = psutil.Process().memory_info().rss / 1e9
            print(
                f"{name} | {given.size} | {precision} | {settings.batch} | {rate:.1f} | {each / 1e9:.2f} | "
                f"{rate * each / peak:.0%} | {memory:.2f} GB",
                flush=True,
            )


if __name__ == "__main__":
    main()
