"""Breeding: children of one picture or of two, and pictures made of many seeds.

A bred picture is a weighted set of seeds: in each band (composition, form, colour) every seed has a share. A mutation
turns a band's shares towards a new seed, a cross turns those of one parent towards the other's, and a band that is
held stays as it was, to the last bit. So a picture twenty generations on still fits into a link, needs none of its
ancestors, and can be bred, mixed and shared like any other.

Shares are amplitudes: in the picture their squares sum to 1. What seeds add to the average style is independent of
one another, so their sum is then spread as widely as that of a single seed, and pictures don't turn grey and alike
with the generations, as they do where styles are averaged. Promises: canonical pixels (see `sample`); a genome of one
seed is that seed's picture.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import torch
from torch import Tensor

from gan_play import limits
from gan_play.latent.found import Found
from gan_play.latent.mix import BANDS
from gan_play.latent.sample import (
    Model,
    Seed,
    canonical,
    check_label,
    check_number,
    check_seed,
    check_truncation,
    noise_of_seed,
    styles_of,
)
from gan_play.pictures import images
from gan_play.refusals import Refused, refuse

FULL = 255
"""The largest share, as a whole number; a code spends one byte on each."""

SURE = 3
"""Seeds of either parent that a child surely has in each band."""


@dataclass(frozen=True)
class Genome:
    """What a picture is bred of. Refused for what can be none.

    `shares` has three whole numbers from 0 to 255 for each seed: how much of it there is in the coarse, the middle
    and the fine band. Only their relations count, so the largest of a band is 255; no seed is without a share.
    `labels` has one for each seed, or is () for a model without labels.
    """

    seeds: tuple[Seed, ...]
    shares: tuple[tuple[int, int, int], ...]
    labels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        seeds = tuple(check_seed(seed) for seed in self.seeds)
        shares = tuple(tuple(row) for row in self.shares)
        whole = all(type(one) is int and 0 <= one <= FULL for row in shares for one in row)
        each = list(zip(seeds, self.labels or [None] * len(seeds)))
        if not (
            whole
            and 1 <= len(seeds) == len(shares) == len(each) == len(set(each))
            and len(self.labels) in (0, len(seeds))
            and all(len(row) == len(BANDS) and any(row) for row in shares)
            and all(max(band) == FULL for band in zip(*shares))
            and all(sum(map(bool, band)) <= limits.MOST_IN_BAND for band in zip(*shares))
        ):
            raise Refused(refuse("genome"))
        object.__setattr__(self, "seeds", seeds)
        object.__setattr__(self, "shares", shares)
        object.__setattr__(self, "labels", tuple(self.labels))


def genome_of(seed: Seed, label: int | None = None) -> Genome:
    """The genome of a seed's own picture."""
    return Genome((seed,), ((FULL,) * len(BANDS),), () if label is None else (label,))


def check_bands(held: Collection[str]) -> frozenset[str]:
    """The bands that are held, by name, or Refused: at least one must be free."""
    unknown = [str(name) for name in held if name not in BANDS]
    if unknown:
        raise Refused(refuse("band", unknown[0]))
    if len(set(held)) == len(BANDS):
        raise Refused(refuse("all-held"))
    return frozenset(held)


def check_strength(strength: object) -> float:
    """How far a child goes from its parent, from 0 to 1, or Refused."""
    return check_number(strength, 0.0, 1.0, "strength")


def mutate(
    parent: Genome, seed: int, strength: float, held: Collection[str] = (), label: int | None = None
) -> Genome:
    """A child that turns towards the picture of `seed`, but for the bands that are held.

    `strength` 0 is the parent, 1 the other picture. The new seed has `label`; in a model with labels None is that of
    the parent's strongest seed.
    """
    if parent.labels and label is None:
        label = parent.labels[max(range(len(parent.seeds)), key=lambda i: sum(parent.shares[i]))]
    free = {name: strength for name in BANDS if name not in check_bands(held)}
    return cross(parent, genome_of(check_seed(seed), label), tuple(free.get(name, 0.0) for name in BANDS))


def cross(a: Genome, b: Genome, weights: tuple[float, float, float]) -> Genome:
    """A child of two: in each band turned from a (weight 0) to b (weight 1), along the quarter circle.

    Refused where one parent has labels and the other hasn't.
    """
    if bool(a.labels) != bool(b.labels):
        raise Refused(refuse("genome"))
    genes = list(dict.fromkeys(genes_of(a) + genes_of(b)))
    of_a, of_b = dict(zip(genes_of(a), a.shares)), dict(zip(genes_of(b), b.shares))
    most = max(SURE, limits.MOST_IN_BAND - SURE * sum(isinstance(seed, Found) for seed, _ in genes))
    bands = []
    for place, weight in enumerate(check_strength(weight) for weight in weights):
        left, right = ([of.get(gene, (0, 0, 0))[place] for gene in genes] for of in (of_a, of_b))
        bands.append(left if weight == 0 else right if weight == 1 else turned(left, right, weight, most))
    kept = {gene: row for gene, row in zip(genes, zip(*bands)) if any(row)}
    labels = tuple(label for _, label in kept) if a.labels else ()
    return Genome(tuple(seed for seed, _ in kept), tuple(kept.values()), labels)


def turned(a: Sequence[int], b: Sequence[int], weight: float, most: int = limits.MOST_IN_BAND) -> list[int]:
    """One band's shares on the quarter circle from a to b, of `most` seeds at most.

    Of those that are too many the smallest go, but three of either side stay, or as many as there is room for: else a
    band that is full would take in no new seed whose share is small, and children would all be their parent.
    """
    near = [math.cos(weight * math.pi / 2) / math.hypot(*a) * share for share in a]
    far = [math.sin(weight * math.pi / 2) / math.hypot(*b) * share for share in b]
    both = [x + y for x, y in zip(near, far)]

    def largest(shares: Sequence[float], most: int) -> list[int]:
        return sorted(
            (place for place, share in enumerate(shares) if share), key=lambda place: -shares[place]
        )[:most]

    sure = [place for two in zip_longest(largest(near, SURE), largest(far, SURE)) for place in two]
    kept = [place for place in dict.fromkeys(sure + largest(both, len(both))) if place is not None][:most]
    highest = max(both[place] for place in kept)
    return [max(1, round(share * FULL / highest)) if place in kept else 0 for place, share in enumerate(both)]


def genes_of(genome: Genome) -> list[tuple[Seed, int | None]]:
    """Each seed with its label, None where there are no labels."""
    return list(zip(genome.seeds, genome.labels or [None] * len(genome.seeds)))


def children(
    parent: Genome, seeds: Sequence[int], strength: float, held: Collection[str] = ()
) -> list[Genome]:
    """A child for each of these seeds, which say by chance in which direction it goes."""
    return [mutate(parent, seed, strength, held) for seed in seeds]


def row_between(a: Genome, b: Genome, count: int, held: Collection[str] = ()) -> list[Genome]:
    """So many pictures from one parent to the other, both included; the bands that are held stay a's."""
    free = [name not in check_bands(held) for name in BANDS]
    steps = [at / max(1, count - 1) for at in range(count)]
    return [cross(a, b, tuple(step if is_free else 0.0 for is_free in free)) for step in steps]


def brood(
    parents: Sequence[Genome], seeds: Sequence[int], strength: float, held: Collection[str] = ()
) -> list[Genome]:
    """A picture for each seed: children of one parent, or of two the row from the first to the second."""
    if len(parents) == 1:
        return children(parents[0], seeds, strength, held)
    return row_between(*parents, len(seeds), held)


def parse_bands(text: str) -> frozenset[str]:
    """Bands from text, as in `coarse, fine`; none for nothing. Refused for anything else."""
    return check_bands([word for word in text.replace(",", " ").split() if word])


def amplitudes(genome: Genome) -> Tensor:
    """Each seed's amplitude in each band; the squares of a band sum to 1.  # (N, 3)"""
    shares = torch.tensor(genome.shares, dtype=torch.float64)
    return (shares / shares.square().sum(dim=0).sqrt()).float()


def paint(model: Model, genome: Genome, truncation: float = 0.7, push: Tensor | None = None) -> np.ndarray:
    """The picture of a genome, rendered canonically.  # uint8 (S, S, 3)

    `push` (3, w_dim) is added to the styles of each band (see `steer`). Refused for labels that the model hasn't.
    """
    truncation = check_truncation(truncation)
    with canonical():
        bands, noise = styles(model, genome, truncation)
        if push is not None:
            bands = tuple(ws + more for ws, more in zip(bands, push))
        return merged(model, bands, noise)


def merged(model: Model, bands: Sequence[Tensor], noise: list[Tensor]) -> np.ndarray:
    """The picture of each band's styles and the noise; call it in `canonical()`.  # uint8 (S, S, 3)"""
    if torch.equal(bands[0], bands[1]) and torch.equal(bands[1], bands[2]):
        return images.to_pixels(model.generator.synthesis(bands[0], noise or None))[0]
    return images.to_pixels(model.generator.merge(tuple(bands), noise or None))[0]


def styles(
    model: Model, genome: Genome, truncation: float
) -> tuple[tuple[Tensor, Tensor, Tensor], list[Tensor]]:
    """The styles of each band, (1, L, w_dim), and the noise, which goes with the fine one; call it in `canonical()`.

    In a band, w = sum a_i^2 c_i + psi sum a_i (w_i - c_i): c_i is the average style, of the seed's label. Refused for
    labels that the model hasn't.
    """
    for label in genome.labels:
        check_label(model, label)
    # One seed at a time, as everywhere: what stands beside it in a batch could change its last bits.
    each = [styles_of(model, seed, truncation, label) for seed, label in genes_of(genome)]
    if len(each) == 1:
        return (each[0],) * len(BANDS), noise_of_seed(model, genome.seeds[0])
    labels = [None if label is None else torch.tensor([label]) for _, label in genes_of(genome)]
    centres = [model.generator.centre(label).expand_as(ws) for label, ws in zip(labels, each)]
    amounts = amplitudes(genome)
    bands = tuple(
        sum(a * a * c + a * (ws - c) for a, ws, c in zip(column, each, centres))
        for column in amounts.T.tolist()
    )
    return bands, mixed_noise(model, genome.seeds, amounts[:, -1].tolist())


def mixed_noise(model: Model, seeds: Sequence[Seed], amounts: Sequence[float]) -> list[Tensor]:
    """The noise of several seeds by their amplitudes, as strong as one's."""
    maps = [noise_of_seed(model, seed) for seed in seeds]
    return [sum(a * level for a, level in zip(amounts, levels)) for levels in zip(*maps)]
