"""The recipe of one picture, mix, figure or film: as a code in a link, and back to the same bytes.

A code is URL-safe text that holds everything: which model (by digest), what was done with it, and, where the artwork
was rendered before it was shared, a seal: a digest of the pixels and their colours in nine fields. So whoever opens
it can see that the picture is identical, or by how much it differs. Promises:

- One artwork has one code, and `decode(encode(artwork)) == artwork`. Anything else is Refused, in a sentence.
- `render` is canonical (see `latent/sample.py`): the same code on the same build gives the same pixels and the same
  PNG, byte for byte. `sha256` is that of the raw pixels (8-bit RGB, row by row; of a film: of all its frames in
  turn), so that it outlives a change of file format.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import itertools
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gan_play import __version__, files, limits
from gan_play.latent import breed, film, found, music, steer
from gan_play.latent import timeline as timelines
from gan_play.latent.breed import Genome
from gan_play.latent.found import Found
from gan_play.latent.mix import BANDS, check_band, check_weights, mix, mix_grid
from gan_play.latent.sample import (
    Model,
    Seed,
    check_label,
    check_seeds,
    check_truncation,
    label_grid,
    load_digest,
    pin,
    sample_one,
    seed_name,
)
from gan_play.latent.steer import Steps, check_steps
from gan_play.latent.timeline import Timeline
from gan_play.latent.walk import (
    EASINGS,
    check_easing,
    check_fps,
    check_path,
    check_seconds,
    check_stops,
    check_way,
    frame_count,
    strip,
    walk,
)
from gan_play.pictures import images, metadata
from gan_play.refusals import Refused, refuse
from gan_play.runs import store
from gan_play.share import step_code, timeline_code, translated, translation_code
from gan_play.share.timeline_code import number as _number
from gan_play.share.translation_code import Translation
from gan_play.translate import inputs

VERSION = 1
MOST_GENES = limits.MOST_IN_BAND * len(BANDS)
# Their places are part of the code: add at the end only.
OPERATIONS = (
    "sample", "mix", "mix_grid", "walk", "label_grid", "label_walk", "label_mix", "breed", "steer", "film",
    "translate",
)  # fmt: skip
BAND_NAMES, EASING_NAMES = tuple(BANDS), tuple(EASINGS)  # likewise
USUAL_TRUNCATION = 0.7
GENETIC = ("breed", "steer")  # operations on a genome
MOST_CODE_BYTES = limits.MOST_CODE_CHARS * 3 // 4 - 4  # without the check sum
SEAL_BYTES = 8 + 27  # the first 64 bits of the pixels' SHA-256, and the mean colours of nine fields
MOST_TIMELINE_BYTES = limits.MOST_CODE_CHARS * 3 // 4 - 12 - SEAL_BYTES - 4  # beside head, seal and check sum
MADE = "Made with a generative model (a GAN)."
CARD_VERSION = 1
RIGHTS = "Made by a neural network with GAN Play. Rights in the pictures that it learnt from stay with their makers."


@dataclass(frozen=True)
class Artwork:
    """Everything that makes one artwork. What is impossible is Refused here, so an artwork can always be encoded.

    `model` is the first 16 hex digits of the model's digest. `seeds` are the one of a sample, a and b of a mix, the
    rows of a figure, the stops of a walk, the columns of a grid of label by seed, those of a bred picture with their
    `shares` (see `latent/breed.py`; its `labels` are one for each or none), or of one that is steered, by `steps` (see
    `latent/steer.py`); a film takes seeds and labels from its `timeline` (see `latent/timeline.py`); a
    translation has no seeds, but a picture that it was made from (see `translation_code.py`). `label` is that of
    the whole; where several meet, `labels` has the rows of the grid, or one for each seed (then at least two are
    different: with one label all over it is a `walk` or a `mix`). Numbers are kept to three decimals. What an operation
    doesn't use must be left at its default.
    """

    operation: str
    model: str
    seeds: tuple[Seed, ...]
    truncation: float = USUAL_TRUNCATION
    label: int | None = None
    weights: tuple[float, float, float] | None = None  # mix
    columns: tuple[Seed, ...] = ()  # mix_grid
    band: str | None = None  # mix_grid
    seconds: float | None = None  # walk, as are all below
    fps: int | None = None
    how: str | None = None
    easing: str | None = None
    loop: bool | None = None
    seal: str = ""  # 70 hex digits, or none: not part of what makes the picture
    labels: tuple[int, ...] = ()  # label_grid, label_walk, label_mix, breed
    shares: tuple[tuple[int, int, int], ...] = ()  # breed, steer
    steps: Steps = ()  # steer
    timeline: Timeline | None = None  # film
    translation: Translation | None = None  # translate

    def __post_init__(self) -> None:
        if self.operation not in OPERATIONS:
            raise Refused(refuse("operation", str(self.operation)))
        if not isinstance(self.model, str) or not re.fullmatch(r"[0-9a-f]{16}([0-9a-f]{48})?", self.model):
            raise Refused(refuse("model-missing", str(self.model)))
        if not re.fullmatch(rf"([0-9a-f]{{{2 * SEAL_BYTES}}})?", str(self.seal)):
            raise Refused(refuse("not-a-code", self.seal))
        made: dict[str, object] = {"model": self.model[:16], "truncation": check_truncation(self.truncation)}
        planned = self.timeline.keys if isinstance(self.timeline, Timeline) else ()
        many = [label for key in planned for label in key.genome.labels]
        for label in (
            *many,
            *self.labels,
            *(() if self.label is None else (self.label,)),
        ):  # of anybody's making
            if type(label) is not int or not 0 <= label < limits.MOST_LABELS:
                raise Refused(refuse("label", str(label), count=limits.MOST_LABELS))
        if self.operation.startswith("label_") or self.operation in (*GENETIC, "film"):
            if self.label is not None:
                raise Refused(refuse("operation", f"{self.operation} with label"))
            made["labels"] = tuple(self.labels)
        if self.operation == "film":
            if not isinstance(self.timeline, Timeline):
                raise Refused(refuse("operation", "film without timeline"))
            made |= {"timeline": self.timeline, "seeds": self.timeline.seeds, "labels": self.timeline.labels}
        elif self.operation == "translate":
            if not isinstance(self.translation, Translation) or self.label is not None or self.seeds:
                raise Refused(refuse("operation", "translate with seeds"))
            if made["truncation"] != USUAL_TRUNCATION:
                raise Refused(refuse("operation", "translate with truncation"))
            made |= {"seeds": (), "translation": translation_code.check(self.translation)}
        elif self.operation == "sample":
            made["seeds"] = tuple(check_seeds(self.seeds, 1, 1))
        elif self.operation in ("mix", "label_mix"):
            made["seeds"] = tuple(check_seeds(self.seeds, 2, 2))
            made["weights"] = check_weights(self.weights)
        elif self.operation == "label_grid":
            made["seeds"] = tuple(check_seeds(self.seeds, 1, limits.MOST_MIX_SEEDS))
            if not 1 <= len(self.labels) <= limits.MOST_MIX_SEEDS:
                count, most = len(self.labels), limits.MOST_MIX_SEEDS
                raise Refused(refuse("label-count", str(count), least=1, most=most))
        elif self.operation in GENETIC:
            genome = Genome(tuple(self.seeds), tuple(self.shares), tuple(self.labels))
            made |= {"seeds": genome.seeds, "shares": genome.shares}
            if self.operation == "breed" and len(genome.seeds) == 1:  # that is a sample
                raise Refused(refuse("genome"))
            if self.operation == "steer":
                made["steps"] = check_steps(self.steps)
                if not made["steps"]:
                    raise Refused(refuse("operation", "steer without steps"))
        elif self.operation == "mix_grid":
            made["seeds"] = tuple(check_seeds(self.seeds, 1, limits.MOST_MIX_SEEDS))
            made["columns"] = tuple(check_seeds(self.columns, 1, limits.MOST_MIX_SEEDS))
            made["band"] = check_band(self.band)
        else:
            made["seeds"] = tuple(check_stops(self.seeds))
            made |= {"seconds": check_seconds(self.seconds), "fps": check_fps(self.fps)}
            made |= {"how": check_way(self.how), "easing": check_easing(self.easing), "loop": bool(self.loop)}
        if self.operation in ("label_walk", "label_mix"):
            check_path(made["labels"], len(made["seeds"]))
        for name in (
            "weights",
            "columns",
            "band",
            "seconds",
            "fps",
            "how",
            "easing",
            "loop",
            "labels",
            "shares",
            "steps",
            "timeline",
            "translation",
        ):
            if name not in made:
                if getattr(self, name):
                    raise Refused(refuse("operation", f"{self.operation} with {name}"))
                made[name] = () if name in ("columns", "labels", "shares", "steps") else None
        for name, value in made.items():
            object.__setattr__(self, name, value)
        if self.timeline and len(timeline_code.write(self.timeline)) > MOST_TIMELINE_BYTES:
            shown = [seed for key in planned for seed in key.genome.seeds]
            own = any(isinstance(seed, Found) for seed in shown)
            raise Refused(refuse("code-full" if own else "film-code"))
        own = any(isinstance(seed, Found) for seed in (*self.seeds, *self.columns))
        if (self.steps or own) and len(_bytes(self)) + SEAL_BYTES * (not self.seal) > MOST_CODE_BYTES:
            raise Refused(refuse("code-full" if own else "steps-room"))

    @property
    def is_film(self) -> bool:
        """Whether it moves."""
        return self.operation in ("walk", "label_walk", "film")

    @property
    def is_single(self) -> bool:
        """Whether it is one picture that a model painted by itself: no film, no figure of many, no translation."""
        return not self.is_film and self.operation not in ("mix_grid", "label_grid", "translate")

    @property
    def task(self) -> str:
        """What its model must have learnt: to "paint", or to "translate"."""
        return "translate" if self.operation == "translate" else "paint"

    @property
    def genome(self) -> Genome:
        """What it is bred of: of a sample its seed alone, of a mix of whole bands its two. Refused for others.

        The genome of what was steered is that of the picture before.
        """
        if self.operation in GENETIC:
            return Genome(self.seeds, self.shares, self.labels)
        each = self.labels or [self.label] * len(self.seeds)
        seeds = [breed.genome_of(seed, label) for seed, label in zip(self.seeds, each)]
        if self.operation == "sample":
            return seeds[0]
        if self.operation in ("mix", "label_mix") and set(self.weights) <= {0.0, 1.0}:
            return breed.cross(*seeds, self.weights)  # what is mixed half-way is another picture than a cross
        raise Refused(refuse("genome"))

    @property
    def label_numbers(self) -> tuple[int, ...]:
        """Its labels: of a walk or a mix between labels one for each seed; () where it has none."""
        return self.labels or (() if self.label is None else (self.label,))

    @property
    def path(self) -> dict[str, object]:
        """How a walk goes from stop to stop, as `walk` and `strip` take it."""
        names = ("how", "easing", "loop", "truncation", "label", "labels")
        return {name: getattr(self, name) for name in names}


def bred(genome: Genome, model: str, truncation: float, steps: Steps = ()) -> Artwork:
    """The artwork of a genome, steered if there are steps; of one with a single seed it is the seed's own picture."""
    if steps:
        shown = {"labels": genome.labels, "shares": genome.shares, "steps": steps}
        return Artwork("steer", model, genome.seeds, truncation, **shown)
    if len(genome.seeds) == 1:
        label = genome.labels[0] if genome.labels else None
        return Artwork("sample", model, genome.seeds, truncation, label)
    return Artwork("breed", model, genome.seeds, truncation, labels=genome.labels, shares=genome.shares)


def parent(model: Model, text: str, label: int | None = None) -> Artwork:
    """A seed's picture, in its label, or that of a code, as the model paints it, with how it was steered.

    Refused for anything else, and where it has labels and the model hasn't or the other way round.
    """
    if re.fullmatch(rf"\s*([0-9]{{1,19}}|{found.SIGN}.*)\s*", text, re.ASCII):
        return Artwork("sample", model.digest[:16], (check_seeds([text], 1, 1)[0],), label=label)
    named = decode(text)
    if bool(named.genome.labels) != bool(model.labels):
        raise Refused(refuse("genome"))
    return bred(named.genome, model.digest[:16], named.truncation, named.steps)


def brood(
    parents: Sequence[Artwork], seeds: Sequence[int], strength: float, held: Collection[str] = ()
) -> list[Artwork]:
    """A picture for each seed: children of one parent, steered as it is, or of two the row from one to the other.

    They are as adventurous as the first parent. Errors: Refused as in `latent/breed.py`.
    """
    first, last, count = parents[0], parents[-1], len(seeds)
    genomes = breed.brood([parent.genome for parent in parents], seeds, strength, held)
    ways = [steer.between(first.steps, last.steps, at / max(1, count - 1)) for at in range(count)]
    return [bred(genome, first.model, first.truncation, steps) for genome, steps in zip(genomes, ways)]


# Codes: version, model, operation and flags, numbers, seal, check sum; as base64 with - and _


_LABEL, _SEAL, _LOOP, _SPHERE = 16, 32, 64, 128  # flags beside the operation's number


def encode(artwork: Artwork) -> str:
    """The code of an artwork: at most 600 characters of A-Z, a-z, 0-9, - and _ (a sample has 24, sealed 71)."""
    data = _bytes(artwork)
    return base64.urlsafe_b64encode(data + _check_sum(data)).decode().rstrip("=")


def _bytes(artwork: Artwork) -> bytes:
    """What a code holds, without its check sum."""
    flags = OPERATIONS.index(artwork.operation)
    flags |= _LABEL * (artwork.label is not None) | _SEAL * bool(artwork.seal)
    flags |= _LOOP * bool(artwork.loop) | _SPHERE * (artwork.how == "z")
    data = (
        bytes([VERSION])
        + bytes.fromhex(artwork.model)
        + bytes([flags])
        + _number(_thousandths(artwork.truncation))
    )
    if artwork.label is not None:
        data += _number(artwork.label)
    if artwork.operation == "film":
        return data + timeline_code.write(artwork.timeline) + bytes.fromhex(artwork.seal)
    if artwork.operation == "translate":
        return data + translation_code.write(artwork.translation) + bytes.fromhex(artwork.seal)
    data += _seeds(artwork.seeds)
    if artwork.labels or artwork.operation in GENETIC:
        data += _numbers(artwork.labels)
    if artwork.operation in GENETIC:
        data += bytes(share for row in artwork.shares for share in row)
        if artwork.steps:
            data += step_code.write(artwork.steps)
    elif artwork.operation in ("mix", "label_mix"):
        data += b"".join(_number(_thousandths(weight)) for weight in artwork.weights)
    elif artwork.operation == "mix_grid":
        data += _seeds(artwork.columns) + _number(BAND_NAMES.index(artwork.band))
    elif artwork.is_film:
        data += _number(_thousandths(artwork.seconds)) + _number(artwork.fps)
        data += _number(EASING_NAMES.index(artwork.easing))
    return data + bytes.fromhex(artwork.seal)


def decode(text: str) -> Artwork:
    """The artwork of a code, or of a whole link that holds one. Refused for anything else, whoever made it."""
    code = find_code(text)
    try:
        data = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except ValueError:
        raise Refused(refuse("code-mistyped", code)) from None
    data, check_sum = data[:-4], data[-4:]
    if len(data) < 12 or _check_sum(data) != check_sum:
        raise Refused(refuse("code-mistyped", code))
    if data[0] != VERSION:
        raise Refused(refuse("code-version", code))
    try:
        artwork = _read(data)
    except (IndexError, Refused):
        raise Refused(refuse("not-a-code", code)) from None
    if encode(artwork) != code:  # one artwork has one code: no spare bits, no second spelling
        raise Refused(refuse("not-a-code", code))
    return artwork


def find_code(text: str) -> str:
    """The code in a text that is one, or in a link that holds one. Refused where there is none."""
    text = text.strip() if isinstance(text, str) else ""
    if len(text) <= limits.MOST_LINK_CHARS:
        match = re.search(r"[?&]art=([^&#]*)|/art/([^/?#]*?)(?:\.\w{3,4})?(?:[?#]|$)", text)
        code = text if match is None else match[1] or match[2] or ""
        if re.fullmatch(rf"[A-Za-z0-9_-]{{16,{limits.MOST_CODE_CHARS}}}", code):
            return code
    raise Refused(refuse("not-a-code", text))


def _read(data: bytes) -> Artwork:
    """The artwork in the bytes of a code. IndexError where they end too early or too late."""
    reader = timeline_code.Reader(data, 10)

    def some(one: Callable[[], Any]) -> tuple:
        count = reader.number()
        if count > most:
            raise IndexError
        return tuple(one() for _ in range(count))

    flags = data[9]
    most = MOST_GENES if OPERATIONS[flags & 15] in GENETIC else limits.MOST_MIX_SEEDS
    values: dict[str, object] = {"operation": OPERATIONS[flags & 15], "model": data[1:9].hex()}
    values["truncation"] = reader.number() / 1000
    if flags & _LABEL:
        values["label"] = reader.number()
    if values["operation"] == "film":
        values["timeline"], reader.place = timeline_code.read(data, reader.place)
        values["seeds"] = values["timeline"].seeds
    elif values["operation"] == "translate":
        values |= {"seeds": (), "translation": translation_code.read(reader)}
    else:
        values["seeds"] = some(reader.seed)
    if values["operation"].startswith("label_") or values["operation"] in GENETIC:
        values["labels"] = some(reader.number)
    if values["operation"] in GENETIC:
        values["shares"] = tuple(tuple(reader.byte() for _ in BANDS) for _ in values["seeds"])
        if values["operation"] == "steer":
            values["steps"] = reader.steps()
    elif values["operation"] in ("mix", "label_mix"):
        values["weights"] = tuple(reader.number() / 1000 for _ in range(3))
    elif values["operation"] == "mix_grid":
        values |= {"columns": some(reader.seed), "band": BAND_NAMES[reader.number()]}
    elif values["operation"] in ("walk", "label_walk"):
        values |= {
            "seconds": reader.number() / 1000,
            "fps": reader.number(),
            "easing": EASING_NAMES[reader.number()],
        }
        values |= {"loop": bool(flags & _LOOP), "how": "z" if flags & _SPHERE else "w"}
    if flags & _SEAL:
        values["seal"] = bytes(reader.byte() for _ in range(SEAL_BYTES)).hex()
    if reader.place != len(data):
        raise IndexError
    return Artwork(**values)


def _thousandths(value: float) -> int:
    return round(value * 1000)


def _seeds(values: tuple[Seed, ...]) -> bytes:
    return _number(len(values)) + b"".join(map(timeline_code.seed_bytes, values))


def _numbers(values: tuple[int, ...]) -> bytes:
    return _number(len(values)) + b"".join(map(_number, values))


def _check_sum(data: bytes) -> bytes:
    """Tells a typing mistake from a foreign model. It is no protection: anyone can make a code, which is harmless."""
    return hashlib.sha256(b"GAN Play " + data).digest()[:4]


# Rendering


@dataclass(frozen=True, eq=False)
class Rendered:
    """An artwork brought back."""

    artwork: Artwork
    code: str  # the code of the artwork, sealed
    pixels: np.ndarray  # uint8 (H, W, 3); of a walk: its strip
    png: bytes  # the pixels as a PNG with its card
    sha256: str  # of the raw pixels; of a walk: of all its frames
    film: Path | None  # of a walk
    sentence: (
        str  # whether it is what was shared: "Identical: ...", by how much it differs, or nothing to compare
    )


def render(
    home: Path,
    artwork: Artwork,
    form: str = "mp4",
    progress: Callable[[int, int | None], None] | None = None,
) -> Rendered:
    """Brings an artwork back from its recipe, canonically. A walk is written to `HOME/films/`, as `form` says.

    `progress(done, total)` is told each frame of a film, and each tile of a large translated picture.

    Refused where its model, or the picture that it was made from, isn't here, or it has no such label. Neither is
    pinned: see `share`.
    """
    model = model_of(home, artwork)
    plain = dataclasses.replace(artwork, seal="")
    target = None
    if artwork.is_film:
        film.check_format(form)
        target = film_path(home, plain, form)
        sha256, fields = _render_film(home, model, plain, target, progress)
        pixels = strip_of(model, plain)
    else:
        pixels = _render_still(home, model, plain, progress)
        sha256, fields = hashlib.sha256(pixels.tobytes()).hexdigest(), _fields(pixels)
    signed = sealed(plain, sha256, fields)
    png = images.encode(pixels, "png", text=card(signed, model, home))
    return Rendered(artwork, encode(signed), pixels, png, sha256, target, verdict(artwork.seal, signed.seal))


def model_of(home: Path, artwork: Artwork) -> Model:
    """The model that an artwork was made with. Refused where it isn't here, or can't make such a thing."""
    return load_digest(home, artwork.model, artwork.task)


def sealed(artwork: Artwork, sha256: str, fields: bytes) -> Artwork:
    """An artwork with its seal: the SHA-256 of its pixels, and the colours of its (first) picture in nine fields."""
    return dataclasses.replace(artwork, seal=sha256[:16] + fields.hex())


def film_path(home: Path, artwork: Artwork, form: str) -> Path:
    """Where the film of a walk is, or will be."""
    recipe = encode(dataclasses.replace(artwork, seal=""))
    return home / "films" / f"{hashlib.sha256(recipe.encode()).hexdigest()[:32]}.{form}"


def _render_still(
    home: Path,
    model: Model,
    artwork: Artwork,
    progress: Callable[[int, int | None], None] | None = None,
) -> np.ndarray:
    if artwork.operation == "translate":
        return translated.paint(home, model, artwork.translation, progress)
    if artwork.operation == "sample":
        return sample_one(model, artwork.seeds[0], artwork.truncation, artwork.label)
    if artwork.operation == "mix":
        return mix(model, *artwork.seeds, artwork.weights, artwork.truncation, artwork.label)
    if artwork.operation == "label_mix":
        return mix(model, *artwork.seeds, artwork.weights, artwork.truncation, *artwork.labels)
    if artwork.operation == "label_grid":
        return label_grid(model, artwork.seeds, artwork.labels, artwork.truncation)
    if artwork.operation in GENETIC:
        return steer.paint(model, artwork.genome, artwork.truncation, artwork.steps)
    return mix_grid(model, artwork.seeds, artwork.columns, artwork.band, artwork.truncation, artwork.label)


def strip_of(model: Model, artwork: Artwork) -> np.ndarray:
    """The still preview of a film: twelve of its moments side by side, as if without music.  # uint8 (H, W, 3)"""
    if artwork.timeline:
        return timelines.strip(model, artwork.timeline, artwork.truncation)
    return strip(model, artwork.seeds, **artwork.path)


def still(home: Path, artwork: Artwork) -> np.ndarray:
    """What an artwork looks like in one picture: itself, or of a film its strip.  # uint8 (H, W, 3)"""
    model = model_of(home, artwork)
    if artwork.is_film:
        return strip_of(model, artwork)
    return _render_still(home, model, dataclasses.replace(artwork, seal=""))


def _frames_of(
    home: Path, model: Model, artwork: Artwork
) -> tuple[Iterator[np.ndarray], int, int, Path | None]:
    """The frames of a film, how many, how many a second, and its sound. Refused where that isn't here."""
    if artwork.timeline:
        plan, sound, heard = artwork.timeline, None, None
        if plan.music:
            sound = music.find(home, plan.music.digest)
            heard = music.features(sound, plan.fps, plan.frames)
        return timelines.frames(model, plan, artwork.truncation, heard), plan.frames, plan.fps, sound
    total = frame_count(len(artwork.seeds), artwork.seconds, artwork.fps)
    frames = walk(model, artwork.seeds, artwork.seconds, artwork.fps, **artwork.path)
    return frames, total, artwork.fps, None


def write_film(
    home: Path,
    model: Model,
    artwork: Artwork,
    path: Path,
    progress: Callable[[int, int | None], None] | None = None,
) -> tuple[str, bytes]:
    """Writes a film, with its card, to any path; (SHA-256 of its frames, the colours of its first in nine fields)."""
    frames, total, fps, sound = _frames_of(home, model, artwork)
    first, digest = next(frames), hashlib.sha256()
    fields = _fields(first)

    def hashed():
        for frame in itertools.chain([first], frames):
            digest.update(frame.tobytes())
            yield frame

    def said(encoded: str) -> str:
        return xmp(sealed(artwork, digest.hexdigest(), fields), model, *rights_of(home, model), encoded)

    note = f"{MADE} Code: {encode(artwork)}"
    film.write_film(hashed(), path, fps, total, progress, note, said, sound)
    return digest.hexdigest(), fields


def film_proof(home: Path, artwork: Artwork, form: str) -> tuple[str, str, str] | None:
    """Of a film that was made here, also by another build or with another card, what was noted then: (SHA-256 of its
    frames, its sealed code, whether it is what was shared). None where it isn't here. Nothing is rendered.
    """
    path = film_path(home, artwork, form) if form in film.FORMATS else None
    made = _noted(path) if path and path.is_file() else None
    if made is None:
        return None
    signed = sealed(artwork, *made)
    return made[0], encode(signed), verdict(artwork.seal, signed.seal)


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _noted(path: Path, build: str | None = None) -> tuple[str, bytes] | None:
    """What was noted of a film when it was made, if by this build: as `write_film` says it."""
    known = files.read_json(_note(path))
    try:
        sha256, fields = known["sha256"], bytes.fromhex(known["fields"])
        right = re.fullmatch(r"[0-9a-f]{64}", sha256) and len(fields) == SEAL_BYTES - 8
        return (sha256, fields) if right and build in (None, known["build"]) else None
    except (TypeError, KeyError, ValueError):
        return None


def _render_film(
    home: Path, model: Model, artwork: Artwork, path: Path, progress: Callable[[int, int | None], None] | None
) -> tuple[str, bytes]:
    """Writes the film unless this build wrote it before; as `write_film`."""
    build = f"{__version__} {torch.__version__}"
    build += f" card {CARD_VERSION} {rights_of(home, model)[0]}"  # a new statement needs a new card
    known = _noted(path, build) if path.exists() else None
    if known is None:
        path.parent.mkdir(exist_ok=True)
        sha256, fields = known = write_film(home, model, artwork, path, progress)
        noted = {"sha256": sha256, "fields": fields.hex(), "build": build, "code": encode(artwork)}
        files.write_json(_note(path), noted)
        _forget_old_films(path.parent)
    return known


def _forget_old_films(folder: Path) -> None:
    """Keeps the newest films, and removes what a killed writer left an hour ago or longer."""
    notes = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for note in notes[: -limits.MOST_KEPT_FILMS]:
        note.with_suffix("").unlink(missing_ok=True)
        note.unlink(missing_ok=True)
    for unfinished in folder.glob(".*.tmp*"):
        with contextlib.suppress(FileNotFoundError):
            if unfinished.stat().st_mtime < time.time() - 3600:
                unfinished.unlink()


def share(
    home: Path,
    artwork: Artwork,
    form: str = "mp4",
    progress: Callable[[int, int | None], None] | None = None,
) -> Rendered:
    """Renders an artwork and keeps its model for good: `code` of the result is what to send. Refused as `render`."""
    rendered = render(home, artwork, form, progress)
    keep_needed(home, artwork)
    return rendered


def keep_needed(home: Path, artwork: Artwork) -> None:
    """Keeps for good what an artwork needs to be painted again: its model, and the pictures that it was made from."""
    pin(home, model_of(home, artwork))
    if artwork.translation:
        for digest in filter(None, (artwork.translation.picture, artwork.translation.mask)):
            inputs.pin(home, digest)


def rights_of(home: Path | None, model: Model | None) -> tuple[str, str]:
    """What was stated about the rights, by a run's maker and those before, or our own sentence; and the digest of
    the set that it learnt from, "" where nobody knows."""
    run = None
    if home is not None and model is not None:
        with contextlib.suppress(Refused):  # its run may be gone by now
            run = store.read_run(store.find_run(home, model.run_id))
    taken = (run or {}).get("set")
    digest = str(taken.get("digest") or "") if isinstance(taken, dict) else ""
    known = re.fullmatch(r"[0-9a-f]{8,64}", digest)
    return store.rights_of(run or {}) or RIGHTS, digest if known else ""


def xmp(artwork: Artwork, model: Model | None, rights: str, dataset: str, frames: str = "") -> str:
    """The card of an artwork as an XMP packet, with what `rights_of` found; `frames` is the digest of a film's frames
    as they are encoded."""
    own = {"Card": str(CARD_VERSION), "Code": encode(artwork)}
    own["Model"] = artwork.model if model is None else model.digest
    own |= {"Dataset": dataset} if dataset else {}
    own |= {"Torch": torch.__version__} | ({"Frames": frames} if frames else {})
    return metadata.packet(own, _title(artwork, model), MADE, rights, f"GAN Play {__version__}")


def _title(artwork: Artwork, model: Model | None) -> str:
    if model is None:
        return ""
    if artwork.translation:
        return f"{model.name}, painted from the picture {artwork.translation.picture[:8]}"
    told = ", ".join(label_words(artwork, model))
    return f"{model.name}, seed {', '.join(map(seed_name, artwork.seeds))}" + (f", {told}" if told else "")


def _plainly(digest: str, rights: str, dataset: str) -> dict[str, str]:
    """What every PNG says in plain words."""
    said = {"Software": f"GAN Play {__version__}", "Copyright": rights, "Description": MADE, "Model": digest}
    return said | ({"Dataset": dataset} if dataset else {})


def card(artwork: Artwork, model: Model | None = None, home: Path | None = None) -> dict[str, str]:
    """What a PNG says about itself in text chunks: the code that brings it back, the model, the set, the rights, the
    versions; in plain words, and as XMP."""
    stated = rights_of(home, model)
    said = _plainly(artwork.model, *stated)
    said |= {"Title": _title(artwork, model)} if model is not None else {}
    return {**said, "Code": encode(artwork), metadata.PNG_KEY: xmp(artwork, model, *stated)}


def grid_card(model: Model, home: Path, what: str, seeds: Sequence[Seed] = ()) -> dict[str, str]:
    """What a PNG of many pictures side by side says about itself: as `card`, but no code, since no one code paints it.
    `what` is in plain words."""
    rights, dataset = rights_of(home, model)
    said = _plainly(model.digest, rights, dataset)
    said |= {"Title": f"{model.name}, {what}", "Grid": what}
    own = {"Card": str(CARD_VERSION), "Model": model.digest, "Grid": what}
    own |= {"Dataset": dataset} if dataset else {}
    own |= {"Torch": torch.__version__}
    said |= {"Seeds": ", ".join(map(str, seeds))} if seeds else {}
    return {**said, metadata.PNG_KEY: metadata.packet(own, said["Title"], MADE, rights, said["Software"])}


def label_words(artwork: Artwork, model: Model) -> list[str]:
    """The names of an artwork's labels, as `label_numbers`. Refused where the model has no such label."""
    return [model.labels[check_label(model, number)] for number in artwork.label_numbers]


def read_card(png: bytes) -> Artwork:
    """The artwork that a PNG's card names. Refused where it has no card, or a bad one. More of it: `share/card.py`."""
    return decode(images.read_text(png).get("Code", ""))


# Is it the same picture?


def compare(pixels: np.ndarray, others: np.ndarray) -> str:
    """A sentence on whether two pictures are the same, and if not, by how much they differ."""
    if pixels.shape != others.shape:
        return other_size(pixels.shape[1::-1], others.shape[1::-1])
    apart = np.abs(pixels.astype(np.int16) - others).max(axis=-1)
    if not apart.any():
        return "Identical: every byte is the same."
    share_of = np.count_nonzero(apart) / apart.size
    return f"Differs in {share_of:.1%} of its pixels, by at most {apart.max()} of 255."


def other_size(size: tuple[int, int], other: tuple[int, int]) -> str:
    """A sentence on two pictures of which the sizes (width, height) alone tell that they aren't the same."""
    return f"Another picture: {size[0]} x {size[1]} pixels, not {other[0]} x {other[1]}."


def _fields(pixels: np.ndarray) -> bytes:
    """The mean colours of nine fields, three by three, rounded down: 27 bytes."""
    height, width = pixels.shape[:2]
    rows, columns = ([third * side // 3 for third in range(4)] for side in (height, width))
    sums = np.add.reduceat(pixels, rows[:3], axis=0, dtype=np.int64)  # (3, W, 3)
    sums = np.add.reduceat(sums, columns[:3], axis=1)  # (3, 3, 3)
    return (sums // np.outer(np.diff(rows), np.diff(columns))[..., None]).astype(np.uint8).tobytes()


def verdict(seal: str, found: str) -> str:
    """What the seals of the shared and the rendered artwork say about each other."""
    if not seal:
        return "Rendered from its recipe. The link holds no digest to compare it with."
    if seal[:16] == found[:16]:
        return "Identical to what was shared: the pixels have the same SHA-256."
    shared, here = (np.frombuffer(bytes.fromhex(text[16:]), np.uint8).astype(int) for text in (seal, found))
    apart = int(np.abs(shared - here).max())
    if apart <= 2:
        return (
            "Not byte for byte the same, as another kind of machine or build made it, but the same picture: "
            f"the colours of its nine fields agree within {max(apart, 1)} of 255."
        )
    return (
        f"Not the same picture as was shared: the colours of its nine fields differ by up to {apart} of 255."
    )
