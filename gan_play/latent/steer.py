"""Steering: make a picture lighter, warmer, busier, and leave the rest of it as it is.

At the picture itself the network is asked, by its exact derivatives, what each style number does to each measured
attribute. The direction for one attribute is then the most likely change of styles that moves it and holds the others.
It is linear from there on, so that many sliders add up and each costs one picture's time. No samples, no labels, no
training: any model can be steered the moment it is there. (A linear model fitted over a few thousand samples, the usual
way, was measured too: see `benchmarks/results.md`.)

Promises: canonical pixels (see `sample`). The same build finds the same directions, so a code needs only amounts.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from gan_play import limits
from gan_play.latent import breed
from gan_play.latent.breed import Genome
from gan_play.latent.directions import along, covariance, read
from gan_play.latent.mix import BANDS
from gan_play.latent.sample import Model, canonical, check_number, check_truncation
from gan_play.measure.attributes import ATTRIBUTES, measure
from gan_play.refusals import Refused, refuse

STEP = 0.05
"""Amounts are whole multiples of this. One moves about a third of the attribute's spread among paintings."""

RIDGE = 0.6
"""Of the mean squared effect of an attribute's own direction. With less the others are held more strictly and steps go
further, but the straight line soon leaves what the derivatives promised (`benchmarks/steering.py`)."""

REMEMBERED = 16
"""Pictures of a model whose directions are remembered: twelve children and their parents."""

_known: weakref.WeakKeyDictionary[Model, dict] = weakref.WeakKeyDictionary()

Steps = tuple[tuple[str, float], ...]


def check_steps(steps: Sequence[tuple[object, object]]) -> Steps:
    """Attributes and directions with their amounts, in their order, those of amount 0 left out; else Refused."""
    found: dict[str, float] = {}
    for said, amount in steps:
        name = check_way(said)
        if name in found:
            raise Refused(refuse("step-twice", name))
        most = limits.MOST_AMOUNT
        found[name] = round(round(check_number(amount, -most, most, "amount") / STEP) * STEP, 2) + 0.0
    ways = sorted((name for name in found if name not in ATTRIBUTES), key=lambda name: read(name).order)
    return tuple((name, found[name]) for name in (*ATTRIBUTES, *ways) if found.get(name))


def check_way(said: object) -> str:
    """What can be steered by, an attribute or a direction in its one spelling; else Refused."""
    if said in ATTRIBUTES:
        return said
    if not re.match(r"[a-z]+[0-9]", str(said)):
        raise Refused(refuse("attribute", str(said), names=", ".join(ATTRIBUTES)))
    return read(said).name


def parse_steps(text: str) -> Steps:
    """Steps from text as people write it: `light=1.5, sefa2@fine=-2`. Anything else is Refused."""
    pairs = [word.partition("=") for word in text.replace(",", " ").split()]
    return check_steps([(name, amount) for name, _, amount in pairs])


def between(a: Steps, b: Steps, amount: float) -> Steps:
    """Steps on the straight way from a (0) to b (1)."""
    return weighed(a, 1 - amount, b, amount)


def added(a: Steps, b: Steps) -> Steps:
    """Steps after steps. Refused where they lead too far."""
    return weighed(a, 1, b, 1)


def weighed(a: Steps, by_a: float, b: Steps, by_b: float) -> Steps:
    """The sum of two by their weights."""
    of_a, of_b = dict(a), dict(b)
    return check_steps([(name, by_a * of_a.get(name, 0) + by_b * of_b.get(name, 0)) for name in of_a | of_b])


def paint(
    model: Model, genome: Genome, truncation: float = 0.7, steps: Sequence[tuple[str, float]] = ()
) -> np.ndarray:
    """The picture of a genome, steered, rendered canonically.  # uint8 (S, S, 3)

    Without steps it is the genome's own. Refused for steps, a truncation or labels that can't be.
    """
    return breed.paint(model, genome, truncation, push(model, genome, truncation, steps))


def push(
    model: Model, genome: Genome, truncation: float, steps: Sequence[tuple[str, float]]
) -> Tensor | None:
    """What steps add to the styles of each band of a picture: (3, w_dim); None without steps. It grows with them."""
    steps = check_steps(steps)
    if not steps:
        return None
    names, truncation = list(ATTRIBUTES), check_truncation(truncation)
    measured = any(
        name in ATTRIBUTES for name, _ in steps
    )  # directions of the model's own need no derivatives
    found = directions(model, genome, truncation) if measured else ()
    return sum(
        amount * (found[names.index(name)] if name in ATTRIBUTES else along(model, name))
        for name, amount in steps
    )


def directions(model: Model, genome: Genome, truncation: float) -> Tensor:
    """What moves each attribute at this picture: (A, 3, w_dim), a step of 1 each.

    With S the covariance of styles and J the derivatives of the attributes in units of their spreads, the change that
    moves attribute k by 1 and no other, and is the most likely under S, is column k of S J' (J S J')^-1. A part of the
    diagonal is added to J S J' before it is inverted. A slider that is dragged asks for the same picture's again and
    again: a model's last few are remembered, as long as it is in hand itself.
    """
    with canonical():  # one at a time: who asks for the same waits, and then finds it
        known = _known.setdefault(model, {})
        if (genome, truncation) in known:
            return known[genome, truncation]
        found = derived(model.generator, *breed.styles(model, genome, truncation), covariance(model))
        while len(known) >= REMEMBERED:
            known.pop(next(iter(known)))
        known[genome, truncation] = found
        return found


def derived(generator: nn.Module, bands: Sequence[Tensor], noise: Sequence[Tensor], spread: Tensor) -> Tensor:
    """The directions at the picture of these styles, on whatever processor these are: (A, 3, w_dim), there.

    `spread` is S, on the CPU, where the small sums are made.
    """
    # One picture for each attribute, so that a single pass backwards gives all rows of J.
    with torch.inference_mode(False), torch.enable_grad():
        count, device = len(ATTRIBUTES), bands[0].device
        moved = torch.zeros(count, len(BANDS), generator.w_dim, requires_grad=True, device=device)
        ws = tuple(w.clone().expand(count, -1, -1) + moved[:, band, None] for band, w in enumerate(bands))
        maps = [level.clone().expand(count, -1, -1, -1) for level in noise]
        pictures = generator.merge(ws, maps or None).clamp(-1, 1)
        own = measure((pictures + 1) / 2).diagonal().sum()
        (slopes,) = torch.autograd.grad(own, moved)
    slopes = slopes.cpu().double()  # (A, 3, D)
    likely = slopes @ spread  # (A, 3, D): what the covariance makes of each
    effects = torch.einsum("abd,cbd->ac", slopes, likely)
    ridge = RIDGE * effects.diagonal().mean() + 1e-12
    inverse = torch.linalg.inv(effects + ridge * torch.eye(len(ATTRIBUTES), dtype=torch.float64))
    return torch.einsum("ac,cbd->abd", inverse, likely).float().to(device)
