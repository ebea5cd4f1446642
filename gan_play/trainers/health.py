"""Numbers -> verdict: is it fine, has it collapsed, does the augmentation show; and what to do about it.

Pure functions on features and pixels of painted and real pictures; nothing is saved or shown here. That losses and
weights are finite is watched in the worker at each step; all here is judged at each scoring, from the same pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

LEAST_SPREAD = 0.4  # of the reals': below it the paintings crowd together
LEAST_DISTINCT = 0.28  # of the reals': below it few pictures are painted again and again
RECORD = 1.05  # by so much an evaluation must beat all before it to count as still opening up
IN_A_ROW = 2  # bad evaluations before there is an alarm: one may be chance
COLOURS_PX = 8
MOST_COMPARED = 300  # on each side: the eigenvalues of 300 x 300 take 20 ms

GREY = 127.5
GREY_WITHIN = 14.0  # levels, how far from grey the inside of a cut box may be painted
BOX_SHARE = 0.25  # of the side: half of what augmentation cuts, since painters copy it roughly
BOX_FILLED = 0.95  # of the box's pixels
MOST_GREY = 0.6  # of the picture: beyond it the picture is grey as a whole, as the first ones are
EDGE_SHARE = 1 / 16  # of the side, looked at along each border
EDGE_STILL = 0.2  # of the change inside: an edge that was pulled outwards doesn't change at all
LEAST_CHANGE = 1.5  # levels from pixel to pixel inside: below it there is nothing to compare with
MOST_BOXES = 0.08  # share of paintings with a box, above the share of the reals
MOST_EDGES = 0.15  # share with a pulled border on one side, above the share of the reals
MOST_CAST = 1.0  # by how much the mean colour may be off, in standard deviations of the reals
LEAST_CAST = 8.0  # levels: a set of one colour has hardly any deviation

STALE_SECONDS = 300.0  # the best score must be older than this...
STALE_SHARE = 0.3  # ...and than this share of the run, before it counts as no longer improving


class Variety(NamedTuple):
    """How varied paintings are, beside as many reals: 1 is as varied as the set, 0 all the same.

    spread: mean distance of two paintings over that of two reals; distinct: how many different pictures there are
    in effect, over the same of the reals.
    """

    spread: float
    distinct: float


class Leak(NamedTuple):
    """How much augmentation shows in paintings, beyond the reals: share with a cut box, share with a border pulled
    outwards (on the worst of the four sides), and colour cast in standard deviations of the reals. 0 is none."""

    boxes: float
    edges: float
    cast: float


@dataclass(frozen=True)
class Remedy:
    """Something that helps, by one click: what is on the button, and what happens then."""

    code: str
    title: str
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """How a training is, for an artist: a code ("early", "fine", "narrow", "collapsed"), a sentence, what helps."""

    code: str
    sentence: str
    remedies: tuple[str, ...] = ()


REMEDIES = {
    remedy.code: remedy
    for remedy in (
        Remedy(
            "augment",
            "Shake more",
            "Goes back to the best state and shakes the pictures more while it looks.",
        ),
        Remedy("best", "Back to the best", "Goes back to the best state and on from there in smaller steps."),
        Remedy("recipe", "Another recipe", "Choose another recipe for the same pictures."),
    )
}
"""What can be done about a collapse, gentle first."""


# Collapse


def variety(real: np.ndarray, fake: np.ndarray) -> Variety:
    """How varied painted features (M, D) are beside real ones (N, D), both (as many of each as there are of both).

    The effective number of distinct pictures is the Vendi score, exp of the entropy of the eigenvalues of K / n
    (Friedman & Dieng 2023, "The Vendi Score", equation 2), with a Gaussian kernel half as wide as two reals are
    usually apart. ValueError for fewer than two pictures on a side.
    """
    count = min(len(real), len(fake), MOST_COMPARED)
    if count < 2:
        raise ValueError("variety needs two pictures on each side")
    apart_real, apart_fake = (_distances(x[_evenly(len(x), count)]) for x in (real, fake))
    pairs = np.triu_indices(count, 1)
    usual = float(np.median(apart_real[pairs]))
    if usual <= 0:  # all reals are one picture: nothing can be less varied
        return Variety(1.0, 1.0)
    spread = float(apart_fake[pairs].mean() / apart_real[pairs].mean())
    return Variety(spread, _distinct(apart_fake, usual / 2) / _distinct(apart_real, usual / 2))


def colours(pixels: np.ndarray) -> np.ndarray:
    """Pixels (N, S, S, 3) uint8 as a plain space of features: their colours at 8 x 8, (N, 192)."""
    side = pixels.shape[1] // COLOURS_PX * COLOURS_PX
    cells = pixels[:, :side, :side].reshape(len(pixels), COLOURS_PX, side // COLOURS_PX, COLOURS_PX, -1, 3)
    return cells.mean(axis=(2, 4), dtype=np.float32).reshape(len(pixels), -1)


def in_both(seen: Variety, coloured: Variety) -> Variety:
    """The variety in a network's features and in colours: a painter that fades to the mean of the set still shows a
    network the faint edges of every picture, but hardly any colours."""
    return seen._replace(spread=min(seen.spread, coloured.spread))


def _evenly(count: int, most: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)


def _distances(x: np.ndarray) -> np.ndarray:
    """Distances between all rows of x (N, D): (N, N)."""
    x = x.astype(np.float64) - x.mean(axis=0)
    lengths = np.einsum("nd,nd->n", x, x)
    return np.sqrt(np.maximum(lengths[:, None] + lengths - 2 * x @ x.T, 0))


def _distinct(apart: np.ndarray, width: float) -> float:
    """The effective number of distinct items at these distances (N, N): from 1 to N."""
    kernel = np.exp(-0.5 * (apart / width) ** 2)
    shares = np.linalg.eigvalsh(kernel / len(kernel))
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def is_narrow(history: Sequence[Variety]) -> bool:
    """Whether the last evaluation is bad: too little variety, and not still opening up.

    A young painter begins with one picture and gains variety from evaluation to evaluation; each of these is a
    record, and no alarm is due. After a collapse there are no records.
    """
    *before, last = history
    low = last.spread < LEAST_SPREAD or last.distinct < LEAST_DISTINCT
    opening = all(last.spread > RECORD * v.spread or last.distinct > RECORD * v.distinct for v in before)
    return low and not opening


def judge(history: Sequence[Variety], remedies: Sequence[str] = ()) -> Verdict:
    """What the varieties of all evaluations so far, oldest first, say; `remedies` are those possible now."""
    if not history:
        return Verdict("early", "It has only begun: its variety hasn't been measured yet.")
    narrow = [is_narrow(history[: i + 1]) for i in range(len(history) - IN_A_ROW, len(history)) if i >= 0]
    last = history[-1]
    words = f"Two of its paintings differ {last.spread:.0%} as much as two of yours"
    if len(narrow) == IN_A_ROW and all(narrow):
        what = "It paints nearly the same picture again and again."
        return Verdict("collapsed", f"{what} {words}.", tuple(remedies))
    if narrow[-1]:
        return Verdict("narrow", f"Its paintings have grown alike; one more look will tell. {words}.")
    if last.spread < LEAST_SPREAD or last.distinct < LEAST_DISTINCT:
        return Verdict("early", f"It is still opening up. {words}.")
    return Verdict("fine", f"It is well: {words[0].lower()}{words[1:]}.")


def remedies_for(augment: float | None, has_best: bool) -> tuple[str, ...]:
    """The remedies that would change something, gentle first: `augment` is the dial as it is, None without one."""
    able = ["augment"] if augment is not None and augment < 1 else []
    return (*able, *(["best"] if has_best else []), "recipe")


def turned_up(augment: float) -> float:
    """The next stronger position of the augmentation's dial."""
    return round(min(1.0, max(0.5, augment + 0.25)), 2)


# Augmentation that shows


def leak(real: np.ndarray, fake: np.ndarray) -> Leak:
    """How much of the augmentation shows in painted pixels (M, S, S, 3) beside real ones (N, S, S, 3), uint8.

    What the set itself has (grey boxes, plain borders) doesn't count. ValueError where a side is empty.
    """
    if not (len(real) and len(fake)):
        raise ValueError("leaks need pictures on each side")
    real, fake = (x[_evenly(len(x), MOST_COMPARED)] for x in (real, fake))
    boxes = float(_has_box(fake).mean() - _has_box(real).mean())
    edges = float((_still_edges(fake).mean(axis=0) - _still_edges(real).mean(axis=0)).max())
    return Leak(max(0.0, boxes), max(0.0, edges), _cast(real, fake))


def _has_box(pixels: np.ndarray) -> np.ndarray:
    """Which pictures hold a flat grey square while not being grey as a whole: (N,) bool."""
    grey = (np.abs(pixels.astype(np.float32) - GREY).max(axis=3) <= GREY_WITHIN).astype(np.float32)
    side = max(2, round(pixels.shape[1] * BOX_SHARE))
    sums = np.pad(grey, ((0, 0), (1, 0), (1, 0))).cumsum(axis=1).cumsum(axis=2)
    inside = sums[:, side:, side:] - sums[:, :-side, side:] - sums[:, side:, :-side] + sums[:, :-side, :-side]
    boxed = inside.max(axis=(1, 2)) >= BOX_FILLED * side * side
    return boxed & (grey.mean(axis=(1, 2)) <= MOST_GREY)


def _still_edges(pixels: np.ndarray) -> np.ndarray:
    """Which borders of which pictures don't change towards the outside: (N, 4) bool."""
    x = pixels.astype(np.float32)
    size = x.shape[1]
    wide = max(2, round(size * EDGE_SHARE))
    found = []
    for axis in (1, 2):
        change = np.abs(np.diff(x, axis=axis)).mean(axis=(3 - axis, 3))  # (N, S - 1)
        inside = change[:, size // 4 : -size // 4].mean(axis=1)
        for edge in (change[:, :wide], change[:, -wide:]):
            found.append((edge.mean(axis=1) < EDGE_STILL * inside) & (inside >= LEAST_CHANGE))
    return np.stack(found, axis=1)


def _cast(real: np.ndarray, fake: np.ndarray) -> float:
    """By how many standard deviations of the reals the mean colour is off, brightness left out."""

    def tints(pixels: np.ndarray) -> np.ndarray:
        red, green, blue = pixels.mean(axis=(1, 2), dtype=np.float64).T
        return np.stack([red - green, blue - (red + green) / 2], axis=1)  # (N, 2)

    of_real, of_fake = tints(real), tints(fake)
    off = np.abs(of_fake.mean(axis=0) - of_real.mean(axis=0))
    off = np.where(off < LEAST_CAST, 0, off)
    return float((off / (of_real.std(axis=0) + LEAST_CAST)).max())


def shows(found: Leak) -> list[str]:
    """What of the augmentation shows, in words; empty where nothing does."""
    limits = (MOST_BOXES, MOST_EDGES, MOST_CAST)
    words = ("cut boxes", "pulled borders", "a colour cast")
    return [word for word, value, most in zip(words, found, limits) if value > most]


def shake_of(dials: Mapping[str, float]) -> str:
    """The dial that says how much pictures are shaken, or may be where the recipe finds out by itself."""
    return "augment" if "augment" in dials else "ada_most"


def turned_down(augment: float) -> float:
    """The next weaker position of the augmentation's dial; the last one is none."""
    return round(augment / 2, 2) if augment > 0.2 else 0.0


# No longer improving


def stale_seconds(seconds: float, best_seconds: float | None) -> float | None:
    """For how long the score hasn't improved, where that is long: `seconds` into the run, the best at `best_seconds`.

    None while it is still improving, or where nothing was scored yet.
    """
    if best_seconds is None:
        return None
    since = seconds - best_seconds
    return since if since > max(STALE_SECONDS, STALE_SHARE * seconds) else None
