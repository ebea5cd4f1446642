"""More like what somebody likes: a taste is learnt from their likes, and the best of many seeds are proposed by it.

Nothing is kept of a taste: it is learnt anew from the likes in the gallery (`gallery.likes`) whenever it is asked for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
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

CANDIDATES = 240  # seeds of which the best are proposed: about ten seconds at 64 px on two free cores
BEST = 12
AT_ONCE = 12  # pictures between two looks at whether somebody still waits
FIRST_SEED = 10_000  # seeds from here on, away from those that people page through
HELD = 4_000  # pictures whose features stay in memory: 20 MB

_held: OrderedDict[tuple[Path, str], np.ndarray] = OrderedDict()
_holding = threading.Lock()


@dataclass(frozen=True, eq=False)
class Proposed:
    """What a taste proposes: artworks, the best first, of so many seeds; and what is known of the taste."""

    taste: Taste
    artworks: tuple[Artwork, ...]
    of: int


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

    Refused where too few pictures of this model are liked, or were passed over.
    """
    liked, passed = gallery.likes(home, owner, model.digest[:16])
    if min(len(liked), len(passed)) < taste.LEAST:
        raise Refused(refuse("likes-few", least=taste.LEAST, liked=len(liked), passed=len(passed)))
    liked, passed = liked[: taste.MOST], passed[: taste.MOST]
    first = FIRST_SEED + max(0, turn) * of
    found = [
        Artwork("sample", model.digest[:16], (seed,), truncation, label) for seed in range(first, first + of)
    ]
    codes = [artworks.encode(artwork) for artwork in found]
    every, rows = [*liked, *passed, *codes], []
    for done in range(0, len(every), AT_ONCE):
        yield done, len(every)
        rows.append(look(home, every[done : done + AT_ONCE]))
    seen = np.concatenate(rows)
    learnt = taste.learn(seen[: len(liked)], seen[len(liked) : len(liked) + len(passed)])
    order = np.argsort(-taste.score(learnt, seen[-of:]), kind="stable")[:count]
    yield Proposed(learnt, tuple(found[place] for place in order), of)
