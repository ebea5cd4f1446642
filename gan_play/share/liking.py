"""More like what somebody likes: a taste, learnt from likes, finds the best of many seeds, and of children of these.

Nothing is kept of a taste: it is learnt anew from the likes in the gallery (`gallery.likes`) whenever it is asked for.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_play.latent.sample import Model
from gan_play.measure import taste
from gan_play.measure.features import features
from gan_play.measure.taste import Taste
from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.share import gallery
from gan_play.share.artwork import Artwork

CANDIDATES = 160  # seeds to look through; with the children about ten seconds at 64 px on two free cores
PARENTS, CHILDREN = 8, 10  # how many of the best seeds have children, and how many each
STRENGTH = 0.5  # how far these go from their parent (`benchmarks/taste.py`)
MOST_OF_ONE = (
    2  # pictures of one family that are proposed, or the best seed and its children would be all there is
)
BEST = 12
AT_ONCE = 12  # pictures between two looks at whether somebody still waits
FIRST_SEED = 10_000  # seeds from here on, away from those that people page through
HELD = 4_000  # pictures whose features stay in memory: 20 MB

_held: OrderedDict[tuple[Path, str], np.ndarray] = OrderedDict()
_holding = threading.Lock()


@dataclass(frozen=True, eq=False)
class Proposed:
    """What a taste proposes: artworks, the best first, of so many seeds and children; what is known of the taste."""

    taste: Taste
    artworks: tuple[Artwork, ...]
    of: int
    children: int


def look(home: Path, codes: Sequence[str]) -> np.ndarray:
    """The features of the pictures of codes, one row each; from memory where they were looked at before."""
    with _holding:
        known = {code: _held[home, code] for code in codes if (home, code) in _held}
    missing = [code for code in dict.fromkeys(codes) if code not in known]
    if missing:
        pixels = np.stack([artworks.still(home, artworks.decode(code)) for code in missing])
        known |= dict(zip(missing, features(pixels)))
        with _holding:
            _held.update({(home, code): known[code] for code in missing})
            while len(_held) > HELD:
                _held.popitem(last=False)
    return np.stack([known[code] for code in codes])


def propose(
    home: Path,
    owner: str | None,
    model: Model,
    truncation: float = 0.7,
    label: int | None = None,
    turn: int = 0,
    count: int = BEST,
    of: int = CANDIDATES,
) -> Iterator[tuple[int, int] | Proposed]:
    """Yields (pictures looked at, in all) on the way, and in the end what is proposed of the seeds of this turn.

    The best seeds have children, which are looked at too. Refused where too few pictures of this model are liked, or
    were passed over.
    """
    liked, passed = gallery.likes(home, owner, model.digest[:16])
    if min(len(liked), len(passed)) < taste.LEAST:
        raise Refused(refuse("likes-few", least=taste.LEAST, liked=len(liked), passed=len(passed)))
    liked, passed = liked[: taste.MOST], passed[: taste.MOST]
    first = FIRST_SEED + max(0, turn) * of
    found = [
        Artwork("sample", model.digest[:16], (seed,), truncation, label) for seed in range(first, first + of)
    ]
    bred = CHILDREN * min(PARENTS, of)
    known = [*liked, *passed]
    total = len(known) + of + bred
    seen = yield from _looking(home, [*known, *map(artworks.encode, found)], 0, total)
    learnt = taste.learn(seen[: len(liked)], seen[len(liked) : len(known)])
    scores = taste.score(learnt, seen[-of:])
    families = list(range(of))
    for place in np.argsort(-scores, kind="stable")[:PARENTS]:
        # Each child turns towards another of the seeds that were looked at.
        towards = [first + (place + 1 + child) % of for child in range(CHILDREN)]
        found += artworks.brood([found[place]], towards, STRENGTH)
        families += [place] * CHILDREN
    seen = yield from _looking(home, list(map(artworks.encode, found[of:])), len(known) + of, total)
    scores = np.concatenate([scores, taste.score(learnt, seen)])
    yield Proposed(learnt, tuple(found[place] for place in best(scores, families, count)), of, bred)


def best(scores: np.ndarray, families: Sequence[int], count: int) -> list[int]:
    """The places of the highest scores, of each family MOST_OF_ONE at most."""
    taken: Counter[int] = Counter()
    places = []
    for place in np.argsort(-scores, kind="stable").tolist():
        if taken[families[place]] < MOST_OF_ONE and len(places) < count:
            taken[families[place]] += 1
            places.append(place)
    return places


def _looking(
    home: Path, codes: Sequence[str], begin: int, total: int
) -> Generator[tuple[int, int], None, np.ndarray]:
    """The features of many pictures; yields how many were looked at of the total."""
    rows = []
    for done in range(0, len(codes), AT_ONCE):
        yield begin + done, total
        rows.append(look(home, codes[done : done + AT_ONCE]))
    return np.concatenate(rows)
