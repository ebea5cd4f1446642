"""How near a projection comes, and what it costs: `python -m benchmarks.projection FILE...`.

For each picture, in the starter (or `--run`): the distance of the nearest seed and after 25, 100, 300 and 600 steps (0
is the same picture, 1 the model's average one), and the processor time. Beside it what less frugal points would reach:
a point that keeps 127 numbers a band in place of 52 (too long for a link). And how near a seed's own picture comes,
which the model can paint exactly: what the search leaves.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from gan_play import files
from gan_play.latent import found, project, sample
from gan_play.pictures import intake

SHOWN = (25, 100, 300, 600)


def measured(model: sample.Model, pixels: np.ndarray, steps: int) -> tuple[dict[int, float], float]:
    """Distances by step, and seconds of processor time."""
    begun = time.process_time()
    seen = {
        look.step: look.distance
        for look in project.project(model, project.check_target(model, pixels), steps)
    }
    return seen, time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--run", default="starter-64")
    parser.add_argument("--home")
    parser.add_argument("--own", type=int, default=2, help="seeds whose pictures are looked for (2)")
    given = parser.parse_args()
    home = files.home(given.home)
    model = sample.load(home, given.run)
    asked = [(path.name, intake.read_picture_file(path)) for path in given.pictures]
    asked += [
        (f"seed {seed}", sample.sample_one(model, seed, 1.0)) for seed in range(10_000, 10_000 + given.own)
    ]
    print(
        "picture, numbers a band: "
        + ", ".join(f"after {step}" for step in SHOWN)
        + "; seconds for 300, for 600"
    )
    for name, pixels in asked:
        for axes in (found.AXES, found.MOST_AXES):
            found.AXES = axes
            model = sample.Model(**{**vars(model)})  # axes are remembered by model
            usual, seconds = measured(model, pixels, project.STEPS)
            more, longer = measured(model, pixels, SHOWN[-1])
            distances = [usual[step] for step in SHOWN[:-1]] + [more[SHOWN[-1]]]
            words = ", ".join(f"{distance:.3f}" for distance in distances)
            print(f"{name}, {axes}: {words}; {seconds:.1f} s, {longer:.1f} s", flush=True)
        found.AXES = 52


if __name__ == "__main__":
    main()
