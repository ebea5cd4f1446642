"""What directions are called: names proposed by what they change, and those that an artist gave them.

Both belong to one model, by its digest, and lie in `HOME/directions/`: `MODEL.json` has what was measured, so that it
is measured once, and `MODEL-OWNER.json` an artist's names. Every file is written whole, or stays as it was; one that is
damaged is as good as none. Where strangers may come, each browser's names are its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from gan_play import __version__, files, limits
from gan_play.latent import directions
from gan_play.latent.directions import Change
from gan_play.latent.sample import Model
from gan_play.latent.steer import Steps
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.refusals import Refused, refuse

SHOWN = 8
"""Directions that are offered at first; more on demand."""

STRIP = (-3.0, -1.5, 0.0, 1.5, 3.0)
"""The amounts of a strip's pictures."""

_writing = threading.Lock()  # who reads to write again must not lose what another wrote between


@dataclass(frozen=True)
class Named:
    """A direction with its name."""

    id: str  # "sefa2"
    way: str  # "sefa2@fine": with the bands that it is applied to, unless told otherwise
    name: str
    proposed: str  # "" where it wasn't measured yet
    kept: bool  # whether an artist gave it its name
    changes: tuple[Change, ...]  # the largest first; () where it wasn't measured yet


def named(
    home: Path,
    model: Model,
    owner: str = "",
    count: int = SHOWN,
    also: Sequence[str] = (),
    measured: bool = True,
) -> list[Named]:
    """The first `count` directions, then those `also` asked for and those with names of their owner's.

    They stand in the order in which they are offered. `measured` measures what isn't known yet, a few seconds at most;
    else such a direction goes by its id.
    """
    offered, own = directions.offered(model), kept(home, model, owner)
    rest = {*also, *own} - set(offered[:count])
    shown = [*offered[:count], *(one for one in offered if one in rest)]
    shown += sorted(rest - set(offered), key=lambda one: directions.read(one).order)
    seen = _measured(home, model, shown, measured)
    known = [one for one in shown if one in seen]
    places = [offered.index(one) + 1 if one in offered else shown.index(one) + 1 for one in known]
    proposals = dict(zip(known, directions.proposed([seen[one] for one in known], places)))
    found = []
    for one in shown:
        way, name = own.get(one, (one, ""))
        proposal = proposals.get(one, "")
        found.append(Named(one, way, name or proposal or one, proposal, one in own, tuple(seen.get(one, ()))))
    return found


def _measured(home: Path, model: Model, names: Sequence[str], more: bool) -> dict[str, list[Change]]:
    """What these directions change, where it is known; with `more` the rest is measured, and written down."""
    path, build = home / "directions" / f"{model.digest[:16]}.json", f"{__version__} {torch.__version__}"
    known = _numbers(path, build)
    missing = [name for name in names if name not in known]
    if more and missing:
        for name in missing:
            known[name] = [[round(by, 4) for by in row] for row in directions.effects(model, name).tolist()]
        with (
            _writing,
            contextlib.suppress(OSError),
        ):  # a full disk, or a home that can't be written: then next time
            if files.free_bytes(home) > limits.FREE_BYTES_KEPT:
                path.parent.mkdir(exist_ok=True)
                files.write_json(path, {"build": build, "effects": _numbers(path, build) | known})
    return {name: directions.changes(torch.tensor(known[name])) for name in names if name in known}


def _numbers(path: Path, build: str) -> dict[str, list[list[float]]]:
    """The effects in a file, of this build; nothing where it is missing, damaged, or of another."""
    said = files.read_json(path)
    if not isinstance(said, dict) or said.get("build") != build or not isinstance(said.get("effects"), dict):
        return {}
    size = (directions.SEEDS, len(ATTRIBUTES))
    try:
        return {name: one for name, one in said["effects"].items() if torch.tensor(one).shape == size}
    except (TypeError, ValueError):
        return {}


def strip(way: str) -> list[Steps]:
    """The steps whose pictures show what a direction does, from one end of its slider to the other."""
    return [((way, by),) if by else () for by in STRIP]


def in_words(seen: Sequence[Change]) -> str:
    """What a direction changes most, and on what share of pictures: `light +0.32 (96%), hue -0.20 (100%)`."""
    return ", ".join(f"{change.attribute} {change.by:+.2f} ({change.steady:.0%})" for change in seen[:3])


def as_dict(one: Named) -> dict[str, object]:
    """A direction for programs."""
    seen = [
        {"attribute": change.attribute, "by": change.by, "steady": change.steady} for change in one.changes
    ]
    about = {"direction": one.way, "name": one.name, "proposed": one.proposed, "kept": one.kept}
    return {**about, "changes": seen}


def kept(home: Path, model: Model, owner: str = "") -> dict[str, tuple[str, str]]:
    """The names that an artist gave, by the direction's id: (with the bands that it is applied to, the name)."""
    said = files.read_json(_path(home, model, owner))
    found = {}
    for way, name in said.items() if isinstance(said, dict) else ():
        try:
            found[directions.read(way).id] = way, _plain(name)
        except Refused:  # written by a newer version, or by hand
            continue
    return found


def keep(home: Path, model: Model, way: str, name: str, owner: str = "") -> None:
    """Gives a direction a name, and with it the bands that it is applied to. Refused for a name that can be none."""
    direction, name = directions.read(way), _plain(name)
    directions.along(model, way)  # refuses one that the model hasn't
    with _writing:
        path, own = _path(home, model, owner), kept(home, model, owner)
        own[direction.id] = direction.name, name
        if len(own) > limits.MOST_NAMED_DIRECTIONS:
            raise Refused(refuse("directions-full", most=limits.MOST_NAMED_DIRECTIONS))
        if not path.exists() and sum(1 for _ in path.parent.glob("*-*.json")) >= limits.MOST_NAMERS:
            raise Refused(refuse("directions-full", most=limits.MOST_NAMERS))
        _write(path, own)


def put_back(home: Path, model: Model, way: str, owner: str = "") -> None:
    """A direction goes by its proposed name again."""
    with _writing:
        own = kept(home, model, owner)
        if own.pop(directions.read(way).id, None):
            _write(_path(home, model, owner), own)


def _write(path: Path, own: dict[str, tuple[str, str]]) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        files.write_json(path, dict(own.values()))
    except OSError as error:
        raise Refused(refuse("directions-closed")) from error


def _plain(name: object) -> str:
    """A name in one line, or Refused."""
    text = " ".join(str(name).split())
    if (
        not isinstance(name, str)
        or not 1 <= len(text) <= limits.MOST_DIRECTION_NAME_CHARS
        or not text.isprintable()
    ):
        raise Refused(refuse("direction-name", most=limits.MOST_DIRECTION_NAME_CHARS))
    return text


def _path(home: Path, model: Model, owner: str) -> Path:
    """Where an owner's names are; `owner` is what `gallery.owner_of` makes of a key, "" at home."""
    return home / "directions" / f"{model.digest[:16]}-{owner[:32] or 'home'}.json"
