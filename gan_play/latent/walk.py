"""Walks: the frames of a film through two or more seeds.

Promises: frames are canonical pixels (see `sample`), made one at a time, so that length costs no memory. Each
chosen picture is met exactly, in its order. A loop closes: from its last frame to its first is one ordinary step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gan_play import limits
from gan_play.latent.found import Found
from gan_play.latent.mix import blend_noise
from gan_play.latent.sample import (
    Model,
    Seed,
    canonical,
    check_label,
    check_number,
    check_seeds,
    check_truncation,
    noise_of_seed,
    picture_of,
    styles_of,
    styles_of_z,
)
from gan_play.models.seeds import z_of
from gan_play.pictures import images
from gan_play.refusals import Refused, refuse

EASINGS: dict[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "smooth": lambda t: t * t * (3 - 2 * t),
    "gentle": lambda t: t * t * t * (t * (6 * t - 15) + 10),
    "linger": lambda t: _smooth(
        min(max(2 * t - 0.5, 0.0), 1.0)
    ),  # rests a quarter of the way at each picture
}
"""How time passes between two pictures: share of the time -> share of the way. Only + - * /: the same everywhere."""

WAYS: dict[str, str] = {
    "w": "straight through the styles: the smoothest",
    "z": "along the sphere of the noise: the most varied",
}


def _smooth(t: float) -> float:
    return EASINGS["smooth"](t)


def best_way(model: Model) -> str:
    """The way that suits a network: z where it has no styles (the middle of two z is no likely z), else w."""
    return "z" if model.generator.num_ws == 1 else "w"


def check_way(how: object) -> str:
    """`how` if it is one of WAYS, else Refused."""
    if not isinstance(how, str) or how not in WAYS:
        raise Refused(refuse("way", str(how)))
    return how


def check_easing(easing: object) -> str:
    """`easing` if it is one of EASINGS, else Refused."""
    if not isinstance(easing, str) or easing not in EASINGS:
        raise Refused(refuse("easing", str(easing), names=", ".join(EASINGS)))
    return easing


def check_stops(seeds: Sequence[object]) -> list[Seed]:
    """Two to twelve seeds to walk through, or Refused."""
    return check_seeds(seeds, limits.LEAST_STOPS, limits.MOST_STOPS)


def check_seconds(seconds: object) -> float:
    """The length of a film, or Refused."""
    return check_number(seconds, limits.LEAST_FILM_SECONDS, limits.MOST_FILM_SECONDS, "seconds")


def check_fps(fps: object) -> int:
    """Whole frames a second, or Refused."""
    number = check_number(fps, limits.LEAST_FPS, limits.MOST_FPS, "fps")
    if number != int(number):
        raise Refused(refuse("fps", str(fps), low=limits.LEAST_FPS, high=limits.MOST_FPS))
    return int(number)


def frame_count(stops: int, seconds: float, fps: int) -> int:
    """How many frames a walk has: at least one for each stop."""
    return max(round(seconds * fps), stops)


def positions(stops: int, frames: int, loop: bool) -> list[tuple[int, float]]:
    """Where each frame stands: (the stop that it comes from, its share of the way to the next).

    In a loop the way leads back to the first stop and ends a step before it; else the last frame is the last stop.
    Stops fall on whole frames, so stretches may differ by one frame.
    """
    stretches, span = (stops, frames) if loop else (stops - 1, frames - 1)
    starts = [round(stretch * span / stretches) for stretch in range(stretches + 1)]
    places = []
    for stretch, (start, end) in enumerate(zip(starts, starts[1:])):
        places += [(stretch, (frame - start) / (end - start)) for frame in range(start, end)]
    return places if loop else [*places, (stops - 1, 0.0)]


def slerp(a: Tensor, b: Tensor, amount: float) -> Tensor:
    """Spherical interpolation of latent vectors (Shoemake 1985; White 2016, section 2.1).  # (1, D)

    sin((1 - t) angle) / sin(angle) a + sin(t angle) / sin(angle) b
    """
    cosine = torch.nn.functional.cosine_similarity(a.double(), b.double()).clamp(-1, 1).item()
    angle = math.acos(cosine)
    if math.sin(angle) < 1e-6:  # the same direction, or the opposite one, where no way is the shortest
        return torch.lerp(a, b, amount)
    near, far = math.sin((1 - amount) * angle), math.sin(amount * angle)
    return ((near * a.double() + far * b.double()) / math.sin(angle)).float()


@dataclass(frozen=True)
class _Stop:
    """What a walk passes through: its truncated styles, its latent vector (None for a found point), noise, label."""

    ws: Tensor
    latent: Tensor | None
    noise: list[Tensor]
    label: int | None


def check_path(labels: Sequence[object], stops: int) -> None:
    """Refused unless there is one label for each stop, at least two of them different."""
    if len(labels) != stops:
        raise Refused(refuse("label-stops", str(len(labels)), stops=stops))
    if len(set(labels)) < 2:
        raise Refused(refuse("label-path"))


def _stops(
    model: Model, seeds: Sequence[Seed], truncation: float, labels: Sequence[int | None]
) -> list[_Stop]:
    stops = []
    for seed, label in zip(seeds, labels, strict=True):
        with canonical():
            latent = None if isinstance(seed, Found) else z_of([seed], model.generator.z_dim)
            ws = styles_of(model, seed, truncation, label)
            stops.append(_Stop(ws, latent, noise_of_seed(model, seed), label))
    return stops


def walk(
    model: Model,
    seeds: Sequence[Seed],
    seconds: float = 8.0,
    fps: int = 24,
    how: str | None = None,
    easing: str = "smooth",
    loop: bool = True,
    truncation: float = 0.7,
    label: int | None = None,
    frames: int | None = None,
    labels: Sequence[int] = (),
) -> Iterator[np.ndarray]:
    """The frames of a walk through `seeds`, one at a time.  # uint8 (S, S, 3) each

    `how` is "w" or "z" (None: what suits the network). `frames` overrides `seconds * fps`. `label` is that of all
    stops; `labels` gives each its own. Everything is checked at the call, before the first frame: Refused for
    seeds, labels, times and words that can't be.
    """
    seeds, truncation, label = check_stops(seeds), check_truncation(truncation), check_label(model, label)
    if labels:
        check_path(labels, len(seeds))
    path = [check_label(model, one) for one in labels] or [label] * len(seeds)
    how, ease = check_way(how or best_way(model)), EASINGS[check_easing(easing)]
    frames = frames or frame_count(len(seeds), check_seconds(seconds), check_fps(fps))
    stops = _stops(model, seeds, truncation, path)
    return _frames(model, stops, how, ease, bool(loop), truncation, frames)


def _frames(
    model: Model,
    stops: list[_Stop],
    how: str,
    ease: Callable[[float], float],
    loop: bool,
    truncation: float,
    frames: int,
) -> Iterator[np.ndarray]:
    """Between labels the styles of both are blended, on the way z those of one and the same latent vector.

    No latent vector leads to a found point, so to and from it the way is straight through the styles.
    """
    for stop, time in positions(len(stops), frames, loop):
        a, b, amount = stops[stop], stops[(stop + 1) % len(stops)], ease(time)
        with canonical():
            if not amount:
                ws = a.ws
            elif how == "w" or a.latent is None or b.latent is None:
                ws = torch.lerp(a.ws, b.ws, amount)
            else:
                latent = slerp(a.latent, b.latent, amount)
                ws = styles_of_z(model, latent, truncation, a.label)
                if a.label != b.label:
                    ws = torch.lerp(ws, styles_of_z(model, latent, truncation, b.label), amount)
            pixels = picture_of(model, ws, blend_noise(a.noise, b.noise, amount))
        yield pixels


def strip(
    model: Model,
    seeds: Sequence[Seed],
    how: str | None = None,
    easing: str = "smooth",
    loop: bool = True,
    truncation: float = 0.7,
    label: int | None = None,
    most: int = 12,
    labels: Sequence[int] = (),
) -> np.ndarray:
    """A still preview of a walk: at most `most` of its moments side by side.  # uint8 (S, W, 3)"""
    same = {"how": how, "easing": easing, "loop": loop, "truncation": truncation, "label": label}
    frames = max(most, len(seeds))
    pictures = list(walk(model, seeds, **same, frames=frames, labels=labels))
    return images.grid(np.stack(pictures), columns=len(pictures))
