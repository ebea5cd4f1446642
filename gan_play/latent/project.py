"""Projection: where in a model is a picture of one's own? The nearest point that can be found, step by step.

First the seed whose picture is nearest, among some hundreds; then the styles of each band are moved, by gradients,
until the painting looks like the picture: in the features of a frozen network (what things look like) and in colour
(where they are). A mask says which places count; in the others the model paints what it likes, so it repairs and
completes. What comes out is a `Found` point, which stands wherever a seed may.

Promises: a `State` holds all that a search needs to go on, so that the rest of an interrupted one is the same to the
last bit, on the same build; `resumed` keeps it in the home after each look. It computes canonically, a step at a
time, so that others may render in between.

Source: Karras 2020 (StyleGAN2), section 5 and appendix D, for the road; Abdal 2019, "Image2StyleGAN", for styles of
each layer's own; Zhang 2018 for distances in features.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_play import __version__, files, limits
from gan_play.latent import found
from gan_play.latent.found import LEVELS, Found
from gan_play.latent.sample import Model, canonical, noise_of_seed, sample_one, styles_of
from gan_play.models.pretrained import frozen_features
from gan_play.pictures import images
from gan_play.refusals import Refused, refuse

STEPS = 300
"""Of gradients; what more of them bring is in `benchmarks/projection.py`."""

STARTS = 256
"""Seeds among which the start is sought."""

RATE = 0.08
"""Of Adam, in standard deviations of the styles; it rises over the first twentieth and falls with a cosine."""

LOOSE = 0.002
"""Weight of the squared coefficients: what neither the picture nor the mask decides stays likely."""

COLOUR = 2.0
"""Weight of the squared differences in colour against those in features."""

SCALES = (1, 4)
"""Colours are compared at the picture's own size and shrunk by four: fine and coarse."""

LOOK_EVERY = 25
"""Steps between two looks."""

LEAST_KEPT = 0.02
"""Share of the picture that a mask must leave."""

FAR, FAIR = 0.6, 0.45
"""Distances above which the picture is far from what the model knows, or only fairly near (see `Look.distance`)."""

Apart = Callable[[Tensor], Tensor]
"""Pictures (B, 3, S, S) in [-1, 1] -> how far each is from what is sought, (B,)."""


class Target(NamedTuple):
    """What is sought: a picture at the model's size, and which of its places count."""

    pixels: np.ndarray  # uint8 (S, S, 3)
    mask: np.ndarray  # float32 (S, S), 1 where the picture is to be met, 0 where the model is free

    @property
    def digest(self) -> str:
        """32 hex digits of SHA-256 over picture and mask."""
        return hashlib.sha256(self.pixels.tobytes() + self.mask.tobytes()).hexdigest()[:32]


@dataclass
class State:
    """How far a search is. With what is sought and the model it is all that the rest depends on."""

    step: int
    noise_seed: int
    coefficients: Tensor  # (1, rows, K)
    first: Tensor  # Adam's moments, the same shape
    second: Tensor
    unlike: float  # how far the model's average picture is: what a distance of 1 means
    best: Tensor = field(default_factory=lambda: torch.empty(0))
    least: float = math.inf  # how far the best is
    label: int | None = None  # of the picture that it started from

    def to_json(self) -> dict:
        """Numbers that `from_json` reads back to the last bit."""
        return {name: x.tolist() if isinstance(x, Tensor) else x for name, x in vars(self).items()}

    @staticmethod
    def from_json(values: dict) -> State:
        """Raises whatever it meets where the values are no state: TypeError, ValueError."""
        state = State(**values)
        for name in ("coefficients", "first", "second", "best"):
            setattr(state, name, torch.tensor(getattr(state, name), dtype=torch.float32))
        if not state.coefficients.shape == state.first.shape == state.second.shape == state.best.shape:
            raise ValueError("shapes differ")
        return state


class Look(NamedTuple):
    """A moment of a search."""

    step: int
    pixels: np.ndarray  # of the best so far, uint8 (S, S, 3)
    point: Found
    distance: float  # 0: the same picture; 1: as far as the model's average picture is
    label: int | None = None  # that it started from; None for a model without labels


def check_target(model: Model, pixels: np.ndarray, mask: np.ndarray | None = None) -> Target:
    """A picture (H, W, 3) uint8, and which of its places count (H, W), brought to the model's size.

    What isn't square is cropped from its middle. Refused for a mask of another size, or that leaves almost nothing.
    """
    size_px = model.generator.size_px
    counts = np.ones((size_px, size_px), np.float32)
    if mask is not None:
        if mask.shape != pixels.shape[:2]:
            raise Refused(refuse("mask-size"))
        seen = np.repeat(mask[:, :, None].astype(np.uint8) * 255, 3, axis=2)
        # A place that is hidden in part tells nothing that one could rely on.
        counts = (images.fit(seen, size_px)[0][:, :, 0] > 250).astype(np.float32)
        if counts.mean() < LEAST_KEPT:
            raise Refused(refuse("mask-all"))
    return Target(images.fit(pixels, size_px)[0], counts)


class Unlikeness:
    """How unlike pictures are to a target, an `Apart`.

    The mean over the places that count, of squared differences between unit feature vectors at strides 2 to 16
    (Zhang 2018, equation 1, unweighted), and of squared differences in colour.
    """

    def __init__(self, target: Target) -> None:
        x = images.to_tensor(target.pixels[None])
        self.network = frozen_features("lite0")
        self.mask = torch.from_numpy(target.mask)[None, None]
        self.maps = self._features(x)
        self.colours = [self._shrunk(x, by) for by in SCALES]

    def _features(self, x: Tensor) -> list[Tensor]:
        x = (
            x * self.mask
        )  # what is hidden is grey on both sides, so that it can't tell in its neighbours' features
        size = max(64, math.ceil(x.shape[-1] / 32) * 32)
        if x.shape[-1] != size:
            x = F.interpolate(x, size=(size, size), mode="bilinear")
        maps = self.network(x.contiguous(memory_format=torch.channels_last))[:4]
        return [m * torch.rsqrt(m.square().sum(dim=1, keepdim=True) + 1e-6) for m in maps]

    def _shrunk(self, x: Tensor, by: int) -> Tensor:
        return F.avg_pool2d(x * self.mask, by)

    def __call__(self, x: Tensor) -> Tensor:
        total = x.new_zeros(len(x))
        for m, wanted in zip(self._features(x), self.maps):
            counts = F.interpolate(self.mask, size=m.shape[-2:], mode="area")
            apart = (m - wanted).square().sum(dim=1, keepdim=True) * counts
            total = total + apart.sum(dim=(1, 2, 3)) / counts.sum()
        for by, wanted in zip(SCALES, self.colours):
            apart = (self._shrunk(x, by) - wanted).square().mean(dim=(1, 2, 3))
            total = total + COLOUR * apart / self.mask.mean()
        return total


def nearest_seed(model: Model, apart: Apart) -> tuple[int, int | None]:
    """The seed, among the first few hundred, whose picture is nearest, and its label; labels take turns."""
    count, nearest = model.generator.num_labels, None
    for seed in range(STARTS):
        label = seed % count if count else None
        pixels = sample_one(model, seed, 1.0, label)
        with canonical():
            distance = float(apart(images.to_tensor(pixels[None])))
        if nearest is None or distance < nearest[0]:
            nearest = distance, seed, label
    return nearest[1:]


def begin(model: Model, apart: Apart, ws: Tensor, noise_seed: int, label: int | None = None) -> State:
    """A search that starts from styles (1, L, D), as far as a found point can say them."""
    with canonical():
        low, high = -128 / LEVELS, 127 / LEVELS
        coefficients = found.coefficients_of(model, ws).clamp(low, high)
        average = model.generator.synthesis(found.spread(model, torch.zeros_like(coefficients)))
        unlike = float(apart(average))
    with torch.inference_mode(False):
        start, zeros = coefficients.clone(), torch.zeros(coefficients.shape)
        return State(0, noise_seed, start, zeros, zeros.clone(), unlike, start.clone(), label=label)


def search(model: Model, apart: Apart, state: State, steps: int = STEPS) -> Iterator[Look]:
    """Goes on with a search; looks on the way, the last one when it is done. It changes `state`."""
    noise = [level.clone() for level in noise_of_seed(model, state.noise_seed)] or None
    while state.step < steps:
        with canonical(), torch.inference_mode(False), torch.enable_grad():
            coefficients = state.coefficients.clone().requires_grad_()
            picture = model.generator.synthesis(found.spread(model, coefficients), noise)
            distance = apart(picture).sum()
            (distance + LOOSE * coefficients.square().sum() / coefficients.shape[1]).backward()
            if distance.item() < state.least:
                state.least, state.best = distance.item(), coefficients.detach().clone()
            _descend(state, coefficients.grad, steps)
        if state.step % LOOK_EVERY == 0 or state.step == steps:
            yield look(model, apart, state)


def _descend(state: State, gradient: Tensor, steps: int) -> None:
    """One step of Adam (Kingma 2015, algorithm 1), with the rate that belongs to the step."""
    state.step = t = state.step + 1
    rate = RATE * min(1.0, t / max(1, steps // 20)) * 0.5 * (1 + math.cos(math.pi * t / steps))
    state.first = torch.lerp(gradient, state.first, 0.9)
    state.second = torch.lerp(gradient.square(), state.second, 0.99)
    direction = (state.first / (1 - 0.9**t)) / ((state.second / (1 - 0.99**t)).sqrt() + 1e-8)
    state.coefficients = (state.coefficients - rate * direction).clamp(-128 / LEVELS, 127 / LEVELS)


def look(model: Model, apart: Apart, state: State) -> Look:
    """The best so far as a point, and its picture: exactly what will be painted for it everywhere."""
    levels = (state.best[0] * LEVELS).round().clamp(-128, 127).to(torch.int8)
    point = found.write(model, levels, state.noise_seed)
    pixels = sample_one(model, point)
    with canonical():
        distance = float(apart(images.to_tensor(pixels[None])))
    return Look(state.step, pixels, point, distance / max(state.unlike, 1e-9), state.label)


def check_steps(steps: object) -> int:
    """How many steps a search takes, or Refused."""
    try:
        number = int(steps)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if not 1 <= number <= limits.MOST_SEARCH_STEPS:
        raise Refused(refuse("steps", str(steps), low=1, high=limits.MOST_SEARCH_STEPS))
    return number


def project(model: Model, target: Target, steps: int = STEPS) -> Iterator[Look]:
    """Looks for a picture in a model, from the nearest seed on."""
    apart = Unlikeness(target)
    yield from search(model, apart, _from_seed(model, apart), steps)


def _from_seed(model: Model, apart: Apart) -> State:
    seed, label = nearest_seed(model, apart)
    with canonical():
        ws = styles_of(model, seed, 1.0, label)
    return begin(model, apart, ws, seed, label)


# Interrupted searches


def resumed(home: Path, model: Model, target: Target, steps: int = STEPS) -> Iterator[Look]:
    """`project` that goes on where it was stopped, by whatever; one that was done before shows its end at once.

    `HOME/projections/` keeps a few kilobytes for each picture and model, the newest ones.
    """
    kept, apart = _kept_at(home, model, target, steps), Unlikeness(target)
    state = _read(kept)
    if state is None or not found.fits(model, _point_of(model, state)):
        state = _from_seed(model, apart)
    elif state.step:
        yield look(model, apart, state)
    for seen in search(model, apart, state, steps):
        _keep(kept, state)
        yield seen


def _kept_at(home: Path, model: Model, target: Target, steps: int) -> Path:
    """The rates depend on how many steps there will be, so they are part of the name; so is the build."""
    about = f"{target.digest} {model.digest} {steps} {__version__} {torch.__version__}"
    return home / "projections" / f"{hashlib.sha256(about.encode()).hexdigest()[:32]}.json"


def _point_of(model: Model, state: State) -> Found:
    return found.write(model, torch.zeros(state.best.shape[1:], dtype=torch.int8), 0)


def _read(path: Path) -> State | None:
    """A kept state; None where there is none, or a damaged one."""
    values = files.read_json(path)
    try:
        return State.from_json(values) if isinstance(values, dict) else None
    except (TypeError, ValueError, RuntimeError):
        return None


def _keep(path: Path, state: State) -> None:
    with contextlib.suppress(
        OSError
    ):  # a full or closed disk ends no search: it can't be gone on with, that is all
        path.parent.mkdir(exist_ok=True)
        files.write_json(path, state.to_json())
    old = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime)
    for one in old[: -limits.MOST_PROJECTIONS]:
        one.unlink(missing_ok=True)


# In words


def verdict(distance: float) -> str:
    """Which of three a distance is: near, fair, far."""
    return "near" if distance < FAIR else "fair" if distance < FAR else "far"


MEANING = "{distance:.2f} away, where 0 is the same picture and 1 the model's average one."
SENTENCES = {
    "near": "The model knows pictures like this one: " + MEANING,
    "fair": "The model comes fairly near: " + MEANING,
    "far": "This picture is far from what the model knows: " + MEANING,
}


def sentence(distance: float) -> str:
    """A distance with its meaning."""
    return SENTENCES[verdict(distance)].format(distance=distance)
