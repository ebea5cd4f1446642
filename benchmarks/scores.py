"""How long the scores take: features of pictures, then each score on them, one after the other.

    python -m benchmarks.scores --pictures 2000 --size 64

Pictures are drawn by code, so that nothing has to be there; what they show makes no difference to the time.
Prints seconds by the clock and seconds of processor: on a computer that is busy otherwise, the second counts.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks import machine
from gan_play.measure import scores
from gan_play.measure.features import FEATURES, Seen, see
from gan_play.pictures import examples


def drawn(name: str, count: int, size_px: int) -> np.ndarray:
    """Pictures of an example set, each drawn some times over with noise: (count, S, S, 3) uint8."""
    some = np.stack([examples.draw(name, seed, size_px) for seed in range(min(count, 40))]).astype(np.int16)
    random = np.random.default_rng(0)
    parts = []
    for first in range(0, count, len(some)):
        part = some[: count - first]
        parts.append((part + random.integers(-12, 13, part.shape)).clip(0, 255).astype(np.uint8))
    return np.concatenate(parts)


def timed(title: str, does: Callable[[], object]) -> object:
    """Does it and prints how long it took."""
    began, worked = time.perf_counter(), time.process_time()
    result = does()
    shown = "" if isinstance(result, Seen) else f" | {result}"
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    print(f"{title} | {seconds:.2f} s | {processor:.2f} s{shown}", flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=2000, help="on each side (2000)")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--features", choices=list(FEATURES), default="lite2")
    parser.add_argument("--weights", type=Path, help="of inception")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print(f"{machine.title()}, {given.threads} threads for the network")
    FEATURES[given.features].open(given.weights)
    pictures = [drawn(name, given.pictures, given.size) for name in ("sunsets", "mountains")]
    print(f"{given.pictures} pictures of {given.size} px on each side, through {given.features}")
    began, worked = time.perf_counter(), time.process_time()
    real, fake = (
        timed(f"features of {title}", lambda pixels=pixels: see(pixels, given.features, given.weights))
        for title, pixels in zip(("reals", "paintings"), pictures)
    )
    both = (real.features, fake.features)
    timed("fid", lambda: scores.fid(*both))
    timed("kid", lambda: scores.kid(*both))
    timed("kid_interval", lambda: scores.kid_interval(*both))
    timed("precision_recall", lambda: scores.precision_recall(*both))
    timed("density_coverage", lambda: scores.density_coverage(*both))
    timed("inception_score", lambda: scores.inception_score(fake.probabilities))
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    print(f"all, each once | {seconds:.1f} s | {processor:.1f} s")


if __name__ == "__main__":
    main()
