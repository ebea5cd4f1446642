"""Does a slider do what it says? Each attribute from -1.5 to 1.5 in five steps, on the pictures of many seeds.

    python -m benchmarks.steering --run starter-64 --seeds 100

A row for each attribute: the share of seeds in which it rises with every step; how far it moves for a step of 1, and
how far each other one does on average, in units of their spreads among paintings; the share of (seed, other attribute)
in which the other moves less. Also how long a picture's directions take, and each step after them.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks import machine
from gan_play import files
from gan_play.latent import breed, sample, steer
from gan_play.measure.attributes import ATTRIBUTES, measure

AMOUNTS = (-1.5, -0.75, 0.0, 0.75, 1.5)
FIRST = 100


def measured(pictures: list[np.ndarray]) -> np.ndarray:
    """(N, A), in units of the spreads."""
    return measure(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", default="starter-64")
    parser.add_argument("--home", type=Path, default=files.SHIPPED)
    parser.add_argument("--seeds", type=int, default=100)
    given = parser.parse_args()
    model, names = sample.load(given.home, given.run), list(ATTRIBUTES)
    found = np.zeros((len(names), given.seeds, len(AMOUNTS), len(names)))
    finding = painting = 0.0
    for place in range(given.seeds):
        genome, began = breed.genome_of(FIRST + place), time.perf_counter()
        steer.directions(model, genome, 0.7)
        finding += time.perf_counter() - began
        began = time.perf_counter()
        for row, name in enumerate(names):
            found[row, place] = measured([steer.paint(model, genome, 0.7, [(name, by)]) for by in AMOUNTS])
        painting += time.perf_counter() - began
    print(machine.title())
    print(
        f"{given.run}, {given.seeds} seeds: directions {1000 * finding / given.seeds:.0f} ms a picture, "
        f"then {1000 * painting / found[..., 0].size:.0f} ms a step (measuring included)"
    )
    print(
        "| attribute | rises with every step | moves, a step | others move | others less |\n|---|---|---|---|---|"
    )
    for row, name in enumerate(names):
        own, others = found[row, :, :, row], np.delete(found[row], row, axis=2)
        moved, away = own[:, -1] - own[:, 0], np.abs(others[:, -1] - others[:, 0])
        rises = (np.diff(own, axis=1) > 0).all(axis=1).mean()
        width = AMOUNTS[-1] - AMOUNTS[0]
        print(
            f"| {name} | {rises:.0%} | {moved.mean() / width:.2f} | {away.mean() / width:.2f} "
            f"| {(away < moved[:, None]).mean():.0%} |"
        )


if __name__ == "__main__":
    main()
