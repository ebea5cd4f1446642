"""Directions that a model has by itself, found in its weights and its styles: no labels, no training, within seconds.

Two ways find them. What a style meets first is a matrix A; the directions n of length 1 along which A n is longest, one
at right angles to the other, change the picture most: they are the eigenvectors of A'A (Shen 2021, "Closed-Form
Factorization of Latent Semantics in GANs", equation 5). Here they are `sefa1`, `sefa2`, .. of all layers together, and
`coarse1`, `middle1`, `fine1`, .. of the layers of one band. And the principal components of the styles are those along
which pictures differ most (Harkonen 2020, "GANSpace", section 2.1): `pca1`, `pca2`, ..

Each can be applied to any of the bands (`sefa2@fine`). What it changes is measured, and gives it a proposed name.
Promises: the same build finds the same directions, with the same sign; a step of 1 is one standard deviation of the
styles along it.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gan_play import limits
from gan_play.latent.mix import BANDS
from gan_play.latent.sample import Model, canonical, styles_of_z
from gan_play.measure.attributes import ATTRIBUTES, measure
from gan_play.models.seeds import noise_of, z_of
from gan_play.refusals import Refused, refuse

Range = tuple[bool, bool, bool]

FAMILIES: dict[str, Range] = {
    "sefa": (True, True, True),
    "pca": (True, True, True),
    "coarse": (True, False, False),
    "middle": (False, True, False),
    "fine": (False, False, True),
}
"""Where directions come from, and the bands that they are meant for. Places are part of codes: add at the end only."""

STYLES = 500
"""Seeds whose styles say how they vary."""

SEEDS = 24
"""On which a direction is tried, to name it."""

TRIED = 1.5
"""How far it is tried, both ways: half of a slider."""

BATCH = 8
"""Pictures tried at once: then others who paint wait for a tenth of a second, not for all."""

STEADY = 0.9
"""Share of the seeds in which an attribute must go the same way to give its name."""

CLEAR = 0.12
"""Of an attribute's spread among paintings: how far it must go, a step, to give its name."""

ALIKE = 0.7
"""Cosine of two directions from which on only the first is offered."""

OFFERED = 40

WORDS: dict[str, tuple[str, str]] = {
    "light": ("lighter", "darker"),
    "warmth": ("warmer", "cooler"),
    "saturation": ("more colour", "greyer"),
    "hue": ("greener", "pinker"),
    "contrast": ("more contrast", "softer"),
    "detail": ("more detail", "smoother"),
    "symmetry": ("more symmetric", "less symmetric"),
    "horizon": ("brighter sky", "darker sky"),
    "busyness": ("busier", "calmer"),
}
"""What more and less of each attribute is called."""

_known: weakref.WeakKeyDictionary[Model, dict[str, Tensor]] = weakref.WeakKeyDictionary()
_offered: weakref.WeakKeyDictionary[Model, list[str]] = weakref.WeakKeyDictionary()


class Direction(NamedTuple):
    """Which one, and which bands it is applied to."""

    family: str
    number: int  # from 1
    bands: Range

    @property
    def id(self) -> str:
        """The direction itself, whatever bands it is applied to: `sefa2`."""
        return f"{self.family}{self.number}"

    @property
    def name(self) -> str:
        """Its one spelling: `sefa2`, or `sefa2@coarse+fine` where the bands aren't those that it is meant for."""
        named = "+".join(band for band, on in zip(BANDS, self.bands) if on)
        return self.id if self.bands == FAMILIES[self.family] else f"{self.id}@{named}"

    @property
    def order(self) -> tuple[int, int, Range]:
        """By which directions are sorted."""
        return list(FAMILIES).index(self.family), self.number, self.bands


def read(text: object) -> Direction:
    """The direction that a text names: `sefa2`, `sefa2@fine`, `pca1@coarse+middle`. Refused for anything else."""
    match = re.fullmatch(r"([a-z]+)([1-9][0-9]{0,2})(?:@([a-z+]+))?", str(text), re.ASCII)
    if match and match[1] in FAMILIES and int(match[2]) <= limits.MOST_DIRECTION:
        named = match[3].split("+") if match[3] else []
        bands = tuple(band in named for band in BANDS) if named else FAMILIES[match[1]]
        if set(named) <= set(BANDS):
            return Direction(match[1], int(match[2]), bands)
    raise Refused(refuse("direction", str(text), most=limits.MOST_DIRECTION))


def covariance(model: Model) -> Tensor:
    """How a model's styles vary together, in any band: float64 (w_dim, w_dim)."""
    with canonical():
        label = 0 if model.generator.num_labels else None
        ws = styles_of_z(model, z_of(range(STYLES), model.generator.z_dim), 1.0, label)[:, 0].double()
        return torch.cov(ws.T)


def vectors(model: Model) -> dict[str, Tensor]:
    """A model's directions by family, the strongest first, each as long as one standard deviation: (N, w_dim).

    Where the style is z itself, it varies alike in all directions: then there are no principal components, and one
    layer only that z meets, so `sefa` is all there is. What stands for a label is left alone.
    """
    generator = model.generator
    with canonical():  # one at a time: who asks for the same waits, and then finds it
        if model in _known:
            return _known[model]
        spread = covariance(model)
        varies = spread.diagonal() > 0
        weights = [weight.double() * varies for weight in generator.style_weights()]
        squares = {"sefa": torch.cat(weights)}
        if generator.num_ws > 1:
            squares |= {band: torch.cat(weights[at.start : at.stop]) for band, at in generator.bands.items()}
        squares = {family: weight.T @ weight for family, weight in squares.items()}
        if generator.num_ws > 1:
            squares["pca"] = spread
        _known[model] = found = {
            family: strongest(square, spread, int(varies.sum())) for family, square in squares.items()
        }
        return found


def strongest(square: Tensor, spread: Tensor, most: int) -> Tensor:
    """The eigenvectors of the largest eigenvalues, as long as styles are spread along them; float32 (N, D).

    An eigenvector has no sign of its own: here its largest number is positive.
    """
    _, columns = torch.linalg.eigh(square)
    rows = columns.T.flip(0)[: min(most, limits.MOST_DIRECTION)]
    largest = rows.gather(1, rows.abs().argmax(dim=1, keepdim=True))
    rows = rows * largest.sign()
    return (rows * ((rows @ spread) * rows).sum(dim=1, keepdim=True).clamp(min=0).sqrt()).float()


def along(model: Model, name: str) -> Tensor:
    """What a step of 1 adds to the styles of each band: (3, w_dim). Refused where the model has no such direction."""
    direction = read(name)
    found = vectors(model).get(direction.family, ())
    if direction.number > len(found):
        raise Refused(refuse("direction-none", name))
    return torch.tensor(direction.bands, dtype=torch.float32)[:, None] * found[direction.number - 1]


def offered(model: Model) -> list[str]:
    """The directions worth looking at, by their names: the strongest of each family in turn, none twice.

    Of those of all layers four, which change most, then two of each single band, and so on.
    """
    if model in _offered:
        return _offered[model]
    found, chosen, names = vectors(model), [], []
    whole = [family for family, bands in FAMILIES.items() if all(bands)]
    parts = [family for family in FAMILIES if family not in whole]
    turns = [
        (family, number)
        for turn in range(limits.MOST_DIRECTION // 2)
        for families, count in ((whole, 4), (parts, 2))
        for number in range(count * turn + 1, count * (turn + 1) + 1)
        for family in families
        if number <= len(found.get(family, ()))
    ]
    for family, number in turns:
        vector = found[family][number - 1]
        if len(names) < OFFERED and not any(alike(vector, other) for other in chosen):
            chosen.append(vector)
            names.append(f"{family}{number}")
    _offered[model] = names
    return names


def alike(a: Tensor, b: Tensor) -> bool:
    """Whether two directions are nearly one, or one backwards."""
    return bool(torch.cosine_similarity(a, b, dim=0).abs() > ALIKE)


def effects(model: Model, name: str, seeds: Iterable[int] = range(SEEDS), truncation: float = 0.7) -> Tensor:
    """By how much a step moves each attribute on each seed, in units of its spread among paintings: (N, A).

    Labels take turns. Half of the difference of both ways, so that what both change alike drops out.
    """
    generator, seeds, step = model.generator, list(seeds), TRIED * along(model, name)
    found = []
    for first in range(0, len(seeds), BATCH):
        some = seeds[first : first + BATCH]
        with canonical():
            z, noise = z_of(some, generator.z_dim), noise_of(generator, some)
            kinds = [at % generator.num_labels if generator.num_labels else None for at in range(len(some))]
            ws = torch.cat(
                [styles_of_z(model, z[at : at + 1], truncation, kind) for at, kind in enumerate(kinds)]
            )
            ends = [
                generator.merge(tuple(ws + sign * more for more in step), noise or None) for sign in (1, -1)
            ]
            more, less = (measure((pictures.clamp(-1, 1) + 1) / 2) for pictures in ends)
        found.append((more - less) / (2 * TRIED))
    return torch.cat(found)


class Change(NamedTuple):
    """What a direction was seen to do to one attribute."""

    attribute: str
    by: float  # a step, in units of its spread among paintings
    steady: float  # share of the seeds in which it went that way


def changes(found: Tensor) -> list[Change]:
    """What effects (N, A) come to: a change for each attribute, the largest first."""
    means = found.mean(dim=0)
    steady = (found.sign() == means.sign()).float().mean(dim=0)
    every = [Change(*one) for one in zip(ATTRIBUTES, means.tolist(), steady.tolist())]
    return sorted(every, key=lambda change: -abs(change.by))


def clear(seen: Sequence[Change]) -> list[Change]:
    """The one or two changes that give a direction its name; none where nothing goes one way on nearly all pictures."""
    named = [change for change in seen if change.steady >= STEADY and abs(change.by) >= CLEAR]
    return [change for change in named[:2] if abs(change.by) >= abs(named[0].by) / 2]


def proposed(every: Sequence[Sequence[Change]], places: Sequence[int] | None = None) -> list[str]:
    """Names for directions by what they change, each another: "lighter, warmer"; "unnamed 3" where nothing is clear.

    `places` are their numbers, where they aren't those of their order.
    """
    names: list[str] = []
    for place, seen in zip(places or range(1, len(every) + 1), every):
        words = ", ".join(WORDS[change.attribute][change.by < 0] for change in clear(seen))
        name, again = words or f"unnamed {place}", 2
        while name in names:
            name, again = f"{words} {again}", again + 1
        names.append(name)
    return names
