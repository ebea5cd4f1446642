"""Can a taste be learnt from few likes? Made-up visitors who like what is light, warm, detailed or busy.

    python -m benchmarks.taste --run starter-64 --likes 8 16 32

Each visitor sees pages of 36 seeds and likes the four of each page that have most of one attribute; a taste is learnt
from so many likes and what was passed over, and then ranks 300 other seeds. A row for each attribute and number of
likes: how many of the best 12 by taste lie in the upper tenth by the attribute (by chance one in ten), the share of
pairs of other seeds in the right order, what the taste says of itself; with --ridges, for several ridges. Then, with
all likes, how much of the attribute the proposed pictures have, in spreads of it among seeds above their mean: the best
of as many seeds as `liking.py` looks at in all, and of its mix of seeds and of children that go so far (--strengths).
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks import machine
from gan_play import files
from gan_play.latent import breed, sample
from gan_play.measure import taste
from gan_play.measure.attributes import ATTRIBUTES, measure
from gan_play.measure.features import features
from gan_play.share import liking

PAGE, PER_PAGE, OTHERS, BEST = 36, 4, 300, 12
WANTED = ("light", "warmth", "detail", "busyness")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", default="starter-64")
    parser.add_argument("--home", type=Path, default=files.SHIPPED)
    parser.add_argument("--likes", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--ridges", type=float, nargs="+", default=[taste.RIDGE])
    parser.add_argument("--strengths", type=float, nargs="+", default=[liking.STRENGTH])
    given = parser.parse_args()
    model = sample.load(given.home, given.run)
    pages = -(-max(given.likes) // PER_PAGE)
    count = pages * PAGE + OTHERS
    began = time.perf_counter()
    pixels = sample.sample(model, range(count))
    painted = time.perf_counter()
    seen = features(pixels)
    print(machine.title())
    print(
        f"{given.run}: a picture takes {1000 * (painted - began) / count:.0f} ms to paint, "
        f"{1000 * (time.perf_counter() - painted) / count:.0f} ms to look at"
    )
    values = measure(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255).numpy()
    print("| likes what has | likes | ridge | of the best 12 | pairs in order | says of itself | learnt in |")
    print("|---|---|---|---|---|---|---|")
    for name in WANTED:
        value = values[:, list(ATTRIBUTES).index(name)]
        other = value[-OTHERS:]
        for likes in given.likes:
            liked, passed = [], []
            for page in range(-(-likes // PER_PAGE)):
                order = page * PAGE + np.argsort(-value[page * PAGE : (page + 1) * PAGE])
                liked += list(order[:PER_PAGE])
                passed += list(order[PER_PAGE:])
            for ridge in given.ridges:
                began = time.perf_counter()
                learnt = taste.learn(seen[liked], seen[passed], ridge)
                took = time.perf_counter() - began
                found = taste.score(learnt, seen[-OTHERS:])
                best = np.argsort(-found)[:BEST]
                top = (other[best] >= np.quantile(other, 0.9)).sum()
                ordered = np.sign(np.subtract.outer(found, found)) == np.sign(np.subtract.outer(other, other))
                right = (ordered.sum() - OTHERS) / (OTHERS * (OTHERS - 1))
                said = f"{learnt.right} of {learnt.pairs}: {learnt.sure}"
                print(f"| {name} | {likes} | {ridge:g} | {top} | {right:.0%} | {said} | {took:.1f} s |")
        bred(model, name, learnt, seen[-OTHERS:], other, count - OTHERS, given.strengths)


def bred(
    model: sample.Model,
    name: str,
    learnt: taste.Taste,
    seen: np.ndarray,
    value: np.ndarray,
    first: int,
    strengths: list[float],
) -> None:
    """Prints how much of an attribute the proposed have, with and without children, of seeds from `first` on."""
    of, children = liking.CANDIDATES, liking.PARENTS * liking.CHILDREN
    scores = taste.score(learnt, seen)
    alone = np.argsort(-scores[: of + children])[:BEST]
    lines = [f"{name}: {of + children} seeds {spreads(value[alone], value):.2f}"]
    parents = np.argsort(-scores[:of])[: liking.PARENTS]
    for strength in strengths:
        genomes, families = [], list(range(of))
        for place in parents:
            towards = [first + int(place + 1 + child) % of for child in range(liking.CHILDREN)]
            genomes += breed.children(breed.genome_of(first + int(place)), towards, strength)
            families += [int(place)] * liking.CHILDREN
        pixels = np.stack([breed.paint(model, genome) for genome in genomes])
        found = taste.score(learnt, features(pixels))
        its = measure(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255).numpy()
        its = np.concatenate([value[:of], its[:, list(ATTRIBUTES).index(name)]])
        best = liking.best(np.concatenate([scores[:of], found]), families, BEST)
        share = sum(place >= of for place in best)
        lines.append(f"{strength:g}: {spreads(its[best], value):.2f} ({share} of {BEST} are children)")
    print(f"  {lines[0]}; with {children} children at {', '.join(lines[1:])}")


def spreads(some: np.ndarray, among: np.ndarray) -> float:
    """How far the mean of some lies above the mean of all, in standard deviations."""
    return float((some.mean() - among.mean()) / among.std())


if __name__ == "__main__":
    main()
