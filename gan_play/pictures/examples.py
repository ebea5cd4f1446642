"""Art sets drawn by code, so that the page is worth trying with nothing uploaded and tests need no files."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_play.pictures import datasets, doctor, images
from gan_play.pictures.datasets import Progress, Taken
from gan_play.refusals import Refused, refuse


@dataclass(frozen=True)
class Example:
    """How an example set is presented: its title, and a sentence about it."""

    title: str
    sentence: str


EXAMPLES: dict[str, Example] = {
    "sunsets": Example("Sunsets", "A low sun, bands of cloud and its path over the sea."),
    "fields": Example("Colour fields", "Black lines, white ground and a few strong colours, after Mondrian."),
    "rosettes": Example("Rosettes", "Windows of glass, turned around their middle."),
    "mountains": Example("Ink mountains", "Ridges in mist, one behind the other, in ink and a little colour."),
}


def _sunset(random: np.random.Generator, size: int) -> np.ndarray:
    y = np.linspace(0, 1, size)[:, None, None]
    top, low = random.uniform(0, 0.6, 3), random.uniform(0.4, 1, 3)
    return np.broadcast_to(top * (1 - y) + low * y, (size, size, 3))


_PAINTERS = {name: _sunset for name in EXAMPLES}


def draw(name: str, seed: int, size_px: int) -> np.ndarray:
    """Picture number `seed` of an example set: (S, S, 3) uint8, the same each time. Errors: Refused."""
    if name not in EXAMPLES:
        raise Refused(refuse("example", str(name), names=", ".join(EXAMPLES)))
    random = np.random.default_rng([list(EXAMPLES).index(name), seed])
    colors = _PAINTERS[name](random, size_px)
    return (colors * 255).round().clip(0, 255).astype(np.uint8)


def taking_in_example(name: str, home: Path, count: int = 400) -> Generator[Progress, None, Taken]:
    """Draws the first `count` pictures of an example set into a set in `home`, telling how far it is."""
    if name not in EXAMPLES:
        raise Refused(refuse("example", str(name), names=", ".join(EXAMPLES)))
    datasets.check_room(home)
    with datasets.disk_may_be_full(home), datasets.NewSet(home) as new:
        for seed in range(count):
            if seed % 10 == 0:
                yield Progress(seed, count, 0.01 * (count - seed), f"Drawing {EXAMPLES[name].title.lower()}")
            pixels = draw(name, seed, 256)
            new.add(f"{name}-{seed:04d}.png", datasets.keep(images.Decoded(pixels, 256, 256, False)))
        set_id, folder = new.finish([], images.WHITE)
    return Taken(set_id, folder, doctor.report(folder))


def take_in_example(name: str, home: Path, count: int = 400) -> Taken:
    """`taking_in_example` to its end."""
    return datasets.run_to_end(taking_in_example(name, home, count))
