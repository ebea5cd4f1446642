"""What is looked at beside the score, on the same paintings: variety, leaks of the augmentation, and copies.

A `Checkup` lives as long as a stint of the worker. It works in pieces, so that no step waits for long: the index of
the set is made along with the first scores, and kept beside the set.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gan_play import files
from gan_play.measure import originality
from gan_play.pictures import datasets
from gan_play.trainers import health

if TYPE_CHECKING:
    from gan_play.measure.originality import CopyVerdict, Index

COMPARED = 96  # paintings of each score that are searched for copies
TILES_AT_ONCE = 12
NEAREST = 3  # pictures of the set that are shown beside a tile
SOON = 6  # scores, until the index of a large set is ready
INDEX_FILE = "originality.npy"


@dataclass(frozen=True)
class Findings:
    """What one checkup found: variety and leaks beside the reals; copies, None while the index isn't ready."""

    variety: health.Variety
    leak: health.Leak
    copying: CopyVerdict | None


@functools.lru_cache(maxsize=2)
def _kept(path: Path, digest: str, count: int, _changed_ns: int) -> Index | None:
    return originality.load(path, digest, count)


def index_of(folder: Path) -> Index | None:
    """The index of a run's set as a checkup left it; None while there is none. Refused where the set is damaged."""
    block, path = datasets.open_block(folder / "set"), folder / "set" / INDEX_FILE
    try:
        return _kept(path, block.digest, len(block.learnt.names), path.stat().st_mtime_ns)
    except OSError:
        return None


def indexing(pixels: np.ndarray, digest: str, unseen: np.ndarray) -> Iterator[Index | None]:
    """Makes pictures (N, S, S, 3) searchable, with what `unseen` ones say of copies: None after each piece of work."""
    for found in originality.indexing(pixels, digest):
        if found is None:
            yield None
        else:
            yield from originality.holding_back(found, unseen)


class Checkup:
    """The checkups of one run: `pixels` (N, S, S, 3) are what it learns from, `which` (N,) their places in its set;
    `unseen` (M, S, S, 3) are held back, and help to say what is a copy."""

    def __init__(
        self,
        folder: Path,
        pixels: np.ndarray,
        which: np.ndarray,
        digest: str,
        unseen: np.ndarray | None = None,
    ) -> None:
        self.folder, self.pixels, self.which = folder, pixels, which
        self.unseen = pixels[:0] if unseen is None else unseen
        path = folder / "set" / INDEX_FILE
        self.index: Index | None = originality.load(path, digest, len(pixels))
        self.indexing = None if self.index else indexing(pixels, digest, self.unseen)
        some = np.linspace(0, len(pixels) - 1, min(health.MOST_COMPARED, len(pixels))).round().astype(int)
        self.some, self.real = some, None
        self.painted: list[np.ndarray] = []

    def advance(self) -> Iterator[None]:
        """Works on the index, if it isn't ready: so much that it is after `SOON` scores. None after each piece."""
        pieces = 2 * len(self.pixels) // originality.AT_ONCE + len(self.pixels) // 4
        pieces += 2 * len(self.unseen) // originality.AT_ONCE
        for _ in range(1 + pieces // (SOON * 25)):
            if self.indexing is None:
                return
            found = next(self.indexing)
            if found is not None:
                self.index, self.indexing = found, None
                originality.save(found, self.folder / "set" / INDEX_FILE)
            yield None

    def take(self, painted: np.ndarray, first: bool) -> None:
        """Takes paintings (B, S, S, 3) uint8 in, the `first` of a new checkup or further ones."""
        self.painted = [] if first else self.painted
        self.painted.append(originality.small(painted))

    def search(self, tiles: np.ndarray, seeds: list[int], step: int) -> Iterator[None]:
        """Finds what is nearest to each tile of the grid of `step`, and writes it to `samples/nearest.json`."""
        if self.index is None:
            return
        found = []
        for start in range(0, len(tiles), TILES_AT_ONCE):
            found.append(originality.nearest(self.index, tiles[start : start + TILES_AT_ONCE], NEAREST))
            yield None
        indices, distances, ways = (np.concatenate(parts) for parts in zip(*found))
        verdict = originality.verdict(self.index, distances)
        rows = zip(
            seeds, self.which[indices].tolist(), distances.round(4).tolist(), ways.tolist(), verdict.copied
        )
        files.write_json(
            self.folder / "samples" / "nearest.json",
            {
                "step": step,
                "sentence": verdict.sentence,
                "threshold": round(verdict.threshold, 4),
                "tiles": [
                    {"seed": seed, "nearest": near, "distances": far, "how": how, "copied": bool(copied)}
                    for seed, near, far, how, copied in rows
                ],
            },
        )

    def finish(self, real: np.ndarray, fake: np.ndarray) -> Iterator[Findings | None]:
        """None after each piece of work, at last the findings; `real`, `fake` are the features of the score."""
        painted = np.concatenate(self.painted)
        if self.real is None:
            self.real = originality.small(self.pixels[self.some])
        leak = health.leak(self.real, painted)
        coloured = health.variety(health.colours(self.real), health.colours(painted))
        variety = health.in_both(health.variety(real, fake), coloured)
        yield None
        copying = None
        if self.index is not None:
            found = []
            for start in range(0, min(COMPARED, len(painted)), TILES_AT_ONCE):
                found.append(originality.nearest(self.index, painted[start : start + TILES_AT_ONCE], 1)[1])
                yield None
            copying = originality.verdict(self.index, np.concatenate(found))
        yield Findings(variety, leak, copying)
