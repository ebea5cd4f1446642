"""How soon are a model's directions there, and do they do what their names say on pictures that didn't name them?

    python -m benchmarks.directions --run starter-64 --seeds 100

A row for each of the first directions: its name, proposed from the seeds 0 to 23, and for each word of it the share of
other seeds in which a step each way moves that attribute as said, and by how much, in units of its spread among
paintings. Also how long the directions take, how long their names do, and how long one picture does.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks import machine
from gan_play import files
from gan_play.latent import breed, directions, sample, steer
from gan_play.measure.attributes import ATTRIBUTES

FIRST = 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", default="starter-64")
    parser.add_argument("--home", type=Path, default=files.SHIPPED)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--count", type=int, default=16)
    given = parser.parse_args()
    model, attributes = sample.load(given.home, given.run), list(ATTRIBUTES)
    began = time.perf_counter()
    names = directions.offered(model)[: given.count]
    found = time.perf_counter() - began
    began = time.perf_counter()
    seen = [directions.changes(directions.effects(model, name)) for name in names]
    named = time.perf_counter() - began
    began = time.perf_counter()
    for by in np.linspace(-3, 3, 20):
        steer.paint(model, breed.genome_of(7), 0.7, [(names[0], by)])
    painted = (time.perf_counter() - began) / 20
    print(machine.title())
    print(
        f"{given.run}: directions found in {1000 * found:.0f} ms; named in {named / len(names):.2f} s each; "
        f"{1000 * painted:.0f} ms a picture"
    )
    print(
        f"| direction | proposed name | as said on {given.seeds} other seeds | moves, a step |\n|---|---|---|---|"
    )
    shares = []
    for name, said, changes in zip(names, directions.proposed(seen), seen):
        fresh = directions.effects(model, name, range(FIRST, FIRST + given.seeds)).numpy()
        kept, moves = [], []
        for change in directions.clear(changes):
            own = fresh[:, attributes.index(change.attribute)]
            kept.append((np.sign(own) == np.sign(change.by)).mean())
            moves.append(f"{change.attribute} {own.mean():+.2f}")
        shares += kept
        print(
            f"| {name} | {said} | {', '.join(f'{one:.0%}' for one in kept) or '-'} | {', '.join(moves) or '-'} |"
        )
    print(f"Words that hold on a seed, on average: {np.mean(shares):.1%}; the least sure: {min(shares):.0%}")


if __name__ == "__main__":
    main()
