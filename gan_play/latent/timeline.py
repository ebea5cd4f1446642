"""Timelines: the frames of a film through keyframes, each with its own time, easing and rest.

A keyframe is a picture: a seed's, a bred or a steered one. Between them the film goes straight through the styles,
along the sphere of the noise, or round a circle; at them it rests, or breathes. What moves can be some of the bands
only, and how adventurous the picture is, and its attributes, can change along the way, also with music.

Promises: frames are canonical pixels (see `sample`), made one at a time. Without sweeps and music each keyframe is met
exactly, on a whole frame, in its order, and a loop closes: from its last frame to its first is one ordinary step.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gan_play import limits
from gan_play.latent import breed, steer
from gan_play.latent.breed import Genome, genes_of
from gan_play.latent.mix import BANDS, blend_noise
from gan_play.latent.sample import Model, canonical, check_label, check_number, check_truncation, styles_of_z
from gan_play.latent.steer import Steps, check_steps, check_way
from gan_play.latent.walk import EASINGS, check_easing, check_fps, slerp
from gan_play.models.seeds import numbers_of, z_of
from gan_play.pictures import images
from gan_play.refusals import Refused, refuse

KINDS: dict[str, str] = {
    "linear": "straight through the styles",
    "spherical": "along the sphere of the noise",
    "breathe": "a small circle of noise at each rest, and along the sphere between them",
    "circle": "once round the sphere, through one seed or two",
}
"""The kinds of film. Their places are part of share codes: add at the end only."""

SOURCES = ("onset", "loudness", "low", "mid", "high")
"""What is heard in music (see `music`), each from 0 to 1. Their places are part of share codes."""

TARGETS = ("speed", "truncation")
"""What music can drive beside attributes and directions. Their places are part of share codes."""

STILLS = 12
"""Moments in the strip of a film."""

GRIDS = (1, 2, 3)
"""Walks side by side in a row, and as many rows."""


class Key(NamedTuple):
    """A keyframe: its picture, how long it rests, and how the film goes on to the next one."""

    genome: Genome
    steps: Steps = ()
    seconds: float = 2.0  # to the next; of the last one it counts in a loop only
    easing: str = "smooth"
    hold: float = 0.0


class Reaction(NamedTuple):
    """What music does: `target` is of TARGETS, an attribute or a direction; `source` is of SOURCES."""

    target: str
    source: str
    amount: float


@dataclass(frozen=True)
class Music:
    """The sound of a film, by the first 16 hex digits of its file's SHA-256, and what it does."""

    digest: str
    seconds: float  # how long the film is
    reactions: tuple[Reaction, ...] = ()


@dataclass(frozen=True)
class Timeline:
    """A film's plan. Refused for what can be none.

    `start` and `end` are amounts of attributes and directions from the first frame to the last one (of a loop: to the
    middle, and back), `until` is likewise where the truncation goes. `grid` walks stand side by side in `grid` rows:
    with two keyframes or more for each, they are dealt out in turn; with fewer, each walk begins a little further on.
    """

    keys: tuple[Key, ...]
    kind: str = "linear"
    fps: int = 24
    loop: bool = True
    moving: tuple[str, ...] = tuple(BANDS)
    radius: float = 0.0  # of breathing, 1 is a quarter circle
    until: float | None = None
    start: Steps = ()
    end: Steps = ()
    grid: int = 1
    music: Music | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise Refused(refuse("film-kind", str(self.kind), names=", ".join(KINDS)))
        if self.grid not in GRIDS or isinstance(self.grid, bool):
            raise Refused(refuse("film-grid", str(self.grid)))
        most = limits.MOST_KEYS if self.grid > 1 else limits.MOST_STOPS
        if not 1 <= len(self.keys) <= most:
            raise Refused(refuse("key-count", str(len(self.keys)), least=1, most=most))
        loop = bool(self.loop)
        made: dict[str, object] = {"loop": loop, "fps": check_fps(self.fps), "grid": int(self.grid)}
        made["keys"] = tuple(check_key(key) for key in self.keys)
        if not loop and len(self.keys) > 1:  # what comes after the last one is no part of the film
            made["keys"] = (*made["keys"][:-1], made["keys"][-1]._replace(seconds=2.0, easing="smooth"))
        if len({bool(key.genome.labels) for key in self.keys}) > 1:
            raise Refused(refuse("genome"))
        made["moving"] = tuple(name for name in BANDS if name in self.moving)
        if not made["moving"] or set(self.moving) - set(BANDS):
            raise Refused(refuse("film-moving"))
        breathes = self.kind == "breathe"
        made["radius"] = check_number(self.radius or 0.2, 0.02, 1, "film-radius") if breathes else 0.0
        if self.until is not None:
            made["until"] = check_truncation(self.until)
        made |= {"start": check_steps(self.start), "end": check_steps(self.end)}
        if self.music is not None:
            made["music"] = check_music(self.music)
        for name, value in made.items():
            object.__setattr__(self, name, value)
        if self.kind == "circle":
            check_circle(self)
        if self.grid > 1 and not loop and not self.dealt:
            raise Refused(refuse("film-grid-loop"))
        sweeps = self.until is not None or self.start != self.end
        reacts = bool(self.music and any(target != "speed" for target, *_ in self.music.reactions))
        if len(self.keys) == 1 and not (sweeps or reacts or self.kind in ("breathe", "circle")):
            raise Refused(refuse("film-still"))
        low, high = limits.LEAST_FILM_SECONDS, limits.MOST_TIMELINE_SECONDS
        check_number(self.seconds, low, high, "seconds")
        check_number(self.round_seconds, low, high, "seconds")
        pictures = self.frames * self.grid**2
        if pictures > limits.MOST_FILM_PICTURES:
            raise Refused(refuse("film-pictures", f"{pictures:,}", most=f"{limits.MOST_FILM_PICTURES:,}"))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The first seed of each keyframe, for its name."""
        return tuple(key.genome.seeds[0] for key in self.keys)

    @property
    def labels(self) -> tuple[int, ...]:
        """The label of each keyframe's first seed; () for a model without labels."""
        return tuple(key.genome.labels[0] for key in self.keys if key.genome.labels)

    @property
    def dealt(self) -> bool:
        """Whether each walk of a grid has keyframes of its own."""
        return self.grid > 1 and len(self.keys) >= 2 * self.grid**2

    @property
    def walks(self) -> list[tuple[Key, ...]]:
        """The keyframes of each walk: of a grid one for each field, row by row."""
        if self.dealt:
            return [self.keys[cell :: self.grid**2] for cell in range(self.grid**2)]
        return [self.keys] * self.grid**2

    @property
    def round_seconds(self) -> float:
        """How long it takes from the first keyframe to the last, in a loop back to the first; of a grid the longest."""
        return round(max(sum(_times(keys, self.loop)) for keys in self.walks), 2)

    @property
    def seconds(self) -> float:
        """How long the film is: once round, or as long as its music."""
        return self.music.seconds if self.music else self.round_seconds

    @property
    def frames(self) -> int:
        """How many frames it has: at least one for each stretch of each walk, and each rest."""
        least = max(len(_times(keys, self.loop)) for keys in self.walks) + (not self.loop)
        return max(round(self.seconds * self.fps), least)

    @property
    def rounds(self) -> int:
        """How often the way is gone along: of a loop with music so often that its pace is kept."""
        return max(1, round(self.seconds / self.round_seconds)) if self.music and self.loop else 1


def check_key(key: Key) -> Key:
    """A keyframe with times kept to hundredths of a second, or Refused."""
    seconds = check_number(key.seconds, limits.LEAST_STRETCH, limits.MOST_STRETCH, "key-seconds")
    hold = check_number(key.hold, 0, limits.MOST_STRETCH, "key-hold")
    easing = check_easing(key.easing)
    return Key(key.genome, check_steps(key.steps), round(seconds, 2), easing, round(hold, 2))


def check_circle(timeline: Timeline) -> None:
    """Refused unless a circle can pass through the keyframes: one seed or two, of one label."""
    genomes = [key.genome for key in timeline.keys]
    plain = all(len(genome.seeds) == 1 and isinstance(genome.seeds[0], int) for genome in genomes)
    same = len({genome.labels for genome in genomes}) == 1
    if not (
        1 <= len(genomes) <= 2 and plain and same and timeline.loop and len(set(genomes)) == len(genomes)
    ):
        raise Refused(refuse("film-circle"))


def check_music(music: Music) -> Music:
    """Music with its reactions in order, those of amount 0 left out, or Refused."""
    if not isinstance(music.digest, str) or not re.fullmatch(r"[0-9a-f]{16}", music.digest):
        raise Refused(refuse("no-sound", str(music.digest)))
    made: dict[tuple[str, str], float] = {}
    for target, source, amount in music.reactions:
        if source not in SOURCES:
            raise Refused(refuse("reaction", f"{target}={source}", sources=", ".join(SOURCES)))
        target = target if target in TARGETS else check_way(target)
        low, high = reach(target)
        number = round(check_number(amount, low, high, "reaction-amount") / steer.STEP) * steer.STEP
        made[target, source] = round(number, 2) + 0.0
    if len(made) > limits.MOST_REACTIONS or len(made) < len(music.reactions):
        raise Refused(refuse("reaction-count", str(len(music.reactions)), most=limits.MOST_REACTIONS))
    reactions = tuple(Reaction(*names, amount) for names, amount in made.items() if amount)
    low, high = limits.LEAST_FILM_SECONDS, limits.MOST_TIMELINE_SECONDS
    return Music(music.digest, round(check_number(music.seconds, low, high, "seconds"), 2), reactions)


def reach(target: str) -> tuple[float, float]:
    """The least and the largest amount of a reaction."""
    most = {"speed": 1, "truncation": 1}.get(target, limits.MOST_AMOUNT)
    return (0 if target == "speed" else -most), most


def _times(keys: Sequence[Key], loop: bool) -> list[float]:
    """Seconds of each rest and each stretch, in turn; a single keyframe has both, whether the film is a loop or not."""
    times = [time for key in keys for time in (key.hold, key.seconds)]
    return times if loop or len(keys) == 1 else times[:-1]


# Where each frame stands


class Place(NamedTuple):
    """Where on its way a walk stands: at keyframe `key`, `rest` (0 to 1) through its rest; or `way` to the next."""

    key: int
    rest: float = 0.0
    way: float = 0.0


class Path:
    """The way of one walk on whole frames: which frame begins each rest and each stretch."""

    def __init__(self, keys: Sequence[Key], timeline: Timeline, frames: int, model: Model) -> None:
        self.keys, self.loop = keys, timeline.loop
        times = _times(keys, timeline.loop)
        self.angle = 0.0
        if timeline.kind == "breathe" and len(keys) == 1:  # one picture breathes all the time
            times = [sum(times), 0.0]
        if timeline.kind == "circle" and len(keys) == 2:  # evenly round, so by angles
            self.angle = _angle(*(z_of(key.genome.seeds, model.generator.z_dim) for key in keys))
            both, share = times[1] + times[3], self.angle / (2 * math.pi)
            times = [times[0], both * share, times[2], both * (1 - share)]
        span = frames if timeline.loop else frames - 1
        total = sum(times)
        marks, passed = [0], 0.0
        for time in times:
            passed += time
            marks.append(max(round(passed / total * span), marks[-1] + (time > 0)))
        # Short stretches have at least one frame each; where these pushed the end out, they are taken back.
        for place in range(len(marks) - 1, 0, -1):
            most = span if place == len(marks) - 1 else marks[place + 1] - (times[place] > 0)
            marks[place] = min(marks[place], most)
        self.marks, self.span = marks, span

    def at(self, frame: float) -> Place:
        """The place of a frame, whole or not."""
        frame = frame % self.span if self.loop else min(frame, self.span)
        place = int(np.searchsorted(self.marks, frame, side="right")) - 1
        if place >= len(self.marks) - 1:  # the last frame of a film that is no loop
            return Place(len(self.keys) - 1, 1.0 if place % 2 else 0.0)
        begin, end = self.marks[place], self.marks[place + 1]
        share = (frame - begin) / (end - begin)
        return Place(place // 2, way=share) if place % 2 else Place(place // 2, rest=share)


def _angle(a: Tensor, b: Tensor) -> float:
    cosine = torch.nn.functional.cosine_similarity(a.double(), b.double()).clamp(-1, 1).item()
    return math.acos(cosine)


def moments(timeline: Timeline, features: np.ndarray | None) -> np.ndarray:
    """How far along its way each frame stands, in frames: without music one after the other.

    With music the pace follows what is heard, 1 - d + d feature / (its mean), and the whole is stretched so that the
    way is gone along a whole number of times.  # float64 (N,)
    """
    count = timeline.frames
    span = count if timeline.loop else count - 1
    speeds = [r for r in timeline.music.reactions if r.target == "speed"] if timeline.music else []
    rate = np.ones(count)
    for _, source, amount in speeds if features is not None else ():
        heard = features[:count, SOURCES.index(source)].astype(np.float64)
        if heard.mean() > 0:
            rate *= 1 - amount + amount * heard / heard.mean()
    passed = np.concatenate([[0.0], np.cumsum(np.maximum(rate, 0.0))])
    whole = passed[count] if timeline.loop else passed[count - 1]
    if not timeline.music or whole <= 0:
        return np.arange(count, dtype=np.float64) * timeline.rounds
    return passed[:count] / whole * span * timeline.rounds


# What a keyframe is made of


@dataclass
class _Stop:
    """A keyframe in a model: its latent vector where it has one, its noise, label, and how it is pushed."""

    model: Model
    key: Key
    truncation: float
    z: Tensor | None = None
    noise: list[Tensor] = field(default_factory=list)
    label: int | None = None
    own: Tensor | None = None  # (3, D)
    swept: tuple[Tensor | None, Tensor | None] = (None, None)
    heard: list[Tensor] = field(default_factory=list)
    _known: tuple[float, tuple[Tensor, Tensor, Tensor]] | None = None

    def styles(self, truncation: float) -> tuple[Tensor, Tensor, Tensor]:
        """The styles of each band, steered as the keyframe is; of one truncation they are remembered."""
        if self._known is None or self._known[0] != truncation:
            bands, _ = breed.styles(self.model, self.key.genome, truncation)
            self._known = (truncation, pushed(bands, self.own))
        return self._known[1]


def pushed(bands: Sequence[Tensor], push: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Styles of three bands, each moved by its row of `push` (3, D)."""
    return tuple(bands) if push is None else tuple(ws + more for ws, more in zip(bands, push))


def _stop(model: Model, key: Key, timeline: Timeline, truncation: float) -> _Stop:
    def push(steps: Steps) -> Tensor | None:
        return steer.push(model, key.genome, truncation, steps)

    stop = _Stop(model, key, truncation)
    (seed, stop.label), *others = genes_of(key.genome)
    with canonical():
        if not others and isinstance(seed, int):
            stop.z = z_of([seed], model.generator.z_dim)
        stop.noise = breed.styles(model, key.genome, truncation)[1]
    stop.own, stop.swept = push(key.steps), (push(timeline.start), push(timeline.end))
    reactions = timeline.music.reactions if timeline.music else ()
    stop.heard = [push(((target, 1.0),)) for target, *_ in reactions if target not in TARGETS]
    return stop


# Ways


Point = tuple[Sequence[Tensor], list[Tensor]]
"""The styles of each band, and the noise."""


def _mixed(a: Tensor | None, b: Tensor | None, amount: float) -> Tensor | None:
    """Between two pushes, either of which may be none."""
    if a is None and b is None:
        return None
    a, b = (torch.zeros_like(b if a is None else a) if push is None else push for push in (a, b))
    return torch.lerp(a, b, amount) if amount else a


def _straight(a: _Stop, b: _Stop, amount: float, truncation: float) -> Point:
    bands = [torch.lerp(x, y, amount) for x, y in zip(a.styles(truncation), b.styles(truncation))]
    return bands, blend_noise(a.noise, b.noise, amount)


def _around(a: _Stop, b: _Stop, amount: float, truncation: float) -> Point:
    """Along the sphere; to and from a picture that no latent vector leads to, straight."""
    if a.z is None or b.z is None:
        return _straight(a, b, amount, truncation)
    z = slerp(a.z, b.z, amount)
    ws = styles_of_z(a.model, z, truncation, a.label)
    if a.label != b.label:
        ws = torch.lerp(ws, styles_of_z(a.model, z, truncation, b.label), amount)
    return pushed([ws] * 3, _mixed(a.own, b.own, amount)), blend_noise(a.noise, b.noise, amount)


def _drawn(stop: _Stop, purpose: str) -> tuple[Tensor, list[Tensor]]:
    """A latent vector and noise that belong to a keyframe and a purpose."""
    generator, genome = stop.model.generator, stop.key.genome
    numbers = numbers_of(0, f"{purpose} {genome.seeds} {genome.shares}")
    z = torch.randn(1, generator.z_dim, generator=numbers)
    return z, [torch.randn(1, *shape, generator=numbers) for shape in generator.noise_shapes]


def _breath(stop: _Stop, share: float, radius: float, truncation: float) -> Point:
    """Once round a small circle that passes through the picture.

    On the sphere, with p the picture and u, v drawn at right angles: the centre is q = cos r p + sin r u, and
    z = cos r q + sin r (cos t (sin r p - cos r u) + sin t v), which at t = 0 is p. Without a latent vector the styles
    move by sin r ((1 - cos t) u + sin t v) / 2.
    """
    (u, noise_u), (v, noise_v) = _drawn(stop, "breath 1"), _drawn(stop, "breath 2")
    turn, r = 2 * math.pi * share, radius * math.pi / 2
    cos_r, sin_r, cos_t, sin_t = math.cos(r), math.sin(r), math.cos(turn), math.sin(turn)
    of_p = cos_r**2 + sin_r**2 * cos_t
    of_u, of_v = cos_r * sin_r * (1 - cos_t), sin_r * sin_t
    maps = zip(stop.noise, noise_u, noise_v)
    noise = [of_p * p + of_u * a + of_v * b for p, a, b in maps]
    if stop.z is None:
        centre = styles_of_z(stop.model, u, 0.0, stop.label)
        a, b = (styles_of_z(stop.model, z, truncation, stop.label) - centre for z in (u, v))
        shift = sin_r / 2 * ((1 - cos_t) * a + sin_t * b)
        return [ws + shift for ws in stop.styles(truncation)], noise
    p = stop.z.double()
    u = u.double() - (u.double() * p).sum() / p.square().sum() * p
    v = v.double() - (v.double() * p).sum() / p.square().sum() * p
    v = v - (v * u).sum() / u.square().sum() * u
    u, v = (one * p.norm() / one.norm() for one in (u, v))
    z = (of_p * p + of_u * u + of_v * v).float()
    return pushed([styles_of_z(stop.model, z, truncation, stop.label)] * 3, stop.own), noise


def _circled(stops: Sequence[_Stop], path: Path, place: Place, truncation: float) -> Point:
    """On the great circle through one latent vector and another, which is drawn where there is one keyframe."""
    a = stops[0]
    other, other_noise = (stops[1].z, stops[1].noise) if len(stops) > 1 else _drawn(a, "circle")
    first = place.key == 0
    met = path.angle or 2 * math.pi
    angle = place.way * met if first else met + place.way * (2 * math.pi - met)
    quarter = math.pi / 2 if len(stops) > 1 else 2 * math.pi
    turn = place.way * quarter if first else quarter + place.way * (2 * math.pi - quarter)
    p, q = a.z.double(), other.double()
    across = q - (q * p).sum() / p.square().sum() * p
    long, far = p.norm(), q.norm() if len(stops) > 1 else p.norm()
    long = torch.lerp(long, far, place.way if first else 1 - place.way)
    z = long * (math.cos(angle) * p / p.norm() + math.sin(angle) * across / across.norm())
    ws = styles_of_z(a.model, z.float(), truncation, a.label)
    noise = [math.cos(turn) * x + math.sin(turn) * y for x, y in zip(a.noise, other_noise)]
    return pushed(
        [ws] * 3, _mixed(stops[place.key].own, stops[(place.key + 1) % len(stops)].own, place.way)
    ), noise


# Frames


def frames(
    model: Model, timeline: Timeline, truncation: float = 0.7, features: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """The frames of a film, one at a time.  # uint8 (H, W, 3) each

    `features` is what is heard at each frame, uint8 (N, 5) in the order of SOURCES (see `music`); without it music
    drives nothing. Everything is checked at the call: Refused for a truncation and labels that can't be.
    """
    return _film(model, timeline, check_truncation(truncation), features, range(timeline.frames))


def strip(
    model: Model,
    timeline: Timeline,
    truncation: float = 0.7,
    features: np.ndarray | None = None,
    most: int = STILLS,
) -> np.ndarray:
    """A still preview: `most` moments of the film side by side.  # uint8 (S, W, 3)"""
    count = timeline.frames
    last = count - 1
    which = [at * count // most if timeline.loop else round(at * last / (most - 1)) for at in range(most)]
    pictures = list(_film(model, timeline, check_truncation(truncation), features, which))
    return images.grid(np.stack(pictures), columns=most)


def _film(
    model: Model,
    timeline: Timeline,
    truncation: float,
    features: np.ndarray | None,
    which: Sequence[int],
) -> Iterator[np.ndarray]:
    for key in timeline.keys:
        for _, label in genes_of(key.genome):
            check_label(model, label)
        if bool(key.genome.labels) != bool(model.labels):
            raise Refused(refuse("genome"))
    return _pictures(model, timeline, truncation, features, which)


def _pictures(
    model: Model,
    timeline: Timeline,
    truncation: float,
    features: np.ndarray | None,
    which: Sequence[int],
) -> Iterator[np.ndarray]:
    count, side = timeline.frames, timeline.grid
    known: dict[Key, _Stop] = {}
    for key in timeline.keys:
        if key not in known:
            known[key] = _stop(model, key, timeline, truncation)
    walks = [[known[key] for key in keys] for keys in timeline.walks]
    paths = [Path(keys, timeline, count, model) for keys in timeline.walks]
    along = moments(timeline, features)
    last: dict[int, tuple[object, np.ndarray]] = {}  # by field: what it showed, for as long as it rests
    for frame in which:
        share = frame / (count if timeline.loop else max(1, count - 1))
        psi, swept, heard = _driven(
            timeline, truncation, share, None if features is None else features[frame]
        )
        pictures = []
        for cell, (stops, path) in enumerate(zip(walks, paths)):
            shift = 0 if timeline.dealt else cell * count / side**2
            place = path.at(float(along[frame]) + shift)
            shown = (place if timeline.kind == "breathe" else place._replace(rest=0.0), psi, swept, heard)
            if cell not in last or last[cell][0] != shown:
                last[cell] = (shown, _picture(model, timeline, stops, path, place, psi, swept, heard))
            pictures.append(last[cell][1])
        yield images.grid(np.stack(pictures), columns=side) if side > 1 else pictures[0]


def _driven(
    timeline: Timeline, truncation: float, share: float, heard: np.ndarray | None
) -> tuple[float, float, tuple[float, ...]]:
    """What a moment of the film asks for: its truncation, how far the sweeps are, and the amounts that are heard.

    A sweep of a loop goes there and back, (1 - cos 2 pi t) / 2.
    """
    swept = (1 - math.cos(2 * math.pi * share)) / 2 if timeline.loop else EASINGS["smooth"](share)
    psi = truncation if timeline.until is None else truncation + swept * (timeline.until - truncation)
    amounts = []
    for target, source, amount in timeline.music.reactions if timeline.music else ():
        by = 0.0 if heard is None else amount * float(heard[SOURCES.index(source)]) / 255
        if target == "truncation":
            psi += by
        elif target not in TARGETS:
            amounts.append(by)
    return min(max(psi, 0.0), float(limits.MOST_TRUNCATION)), swept, tuple(amounts)


def _picture(
    model: Model,
    timeline: Timeline,
    stops: Sequence[_Stop],
    path: Path,
    place: Place,
    psi: float,
    swept: float,
    heard: Sequence[float],
) -> np.ndarray:
    """One moment of one walk.  # uint8 (S, S, 3)"""
    a, b = stops[place.key], stops[(place.key + 1) % len(stops)]
    way = EASINGS[a.key.easing](place.way)
    with canonical():
        if timeline.kind == "breathe" and place.rest % 1:
            bands, noise = _breath(a, place.rest, timeline.radius, psi)
        elif not way or (a is b and timeline.kind != "circle"):
            bands, noise = a.styles(psi), a.noise
        elif timeline.kind == "circle":
            bands, noise = _circled(stops, path, place._replace(way=way), psi)
        else:
            go = _straight if timeline.kind == "linear" else _around
            bands, noise = go(a, b, way, psi)
        if len(timeline.moving) < len(BANDS):
            still = stops[0].styles(psi)
            bands = [moves if name in timeline.moving else ws for name, moves, ws in zip(BANDS, bands, still)]
            noise = noise if "fine" in timeline.moving else stops[0].noise
        ways: list[Callable[[_Stop], Tensor | None]] = [lambda stop: _mixed(*stop.swept, swept)]
        ways += [lambda stop, i=i, by=by: by * stop.heard[i] for i, by in enumerate(heard) if by]
        for push in ways:
            bands = pushed(bands, _mixed(push(a), push(b), way))
        return breed.merged(model, bands, noise)
