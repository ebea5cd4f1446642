"""Blending: a new model whose weights lie between those of two models that share an ancestor, part by part.

Promises: a weight of 0 takes a part from the first model and 1 from the second, to the last bit, buffers too; between
them it moves in a straight line. What can't be blended is told beforehand, in a sentence. A blend is a run like any
other, whole or absent, that can be played with and shared, though not trained on.

Two models fit together where one began from the other, or both from a third: then what a unit does in one it does in
the other. Sources: Wang 2019, "Deep Network Interpolation for Continuous Imagery Effect Transition"; by layer, Pinkney
& Adler 2020, "Resolution Dependent GAN Interpolation for Controllable Image Synthesis Between Domains".
"""

from __future__ import annotations

import contextlib
import copy
import importlib.metadata
import math
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import gan_play
from gan_play import files
from gan_play.latent.mix import BANDS
from gan_play.latent.sample import Model, check_number
from gan_play.models.layers import style_bands
from gan_play.refusals import Refusal, Refused, printable, refuse
from gan_play.runs import checkpoints, labels, store, worker
from gan_play.trainers.recipes import RECIPES, Settings, shaping_dials

PARTS = (*BANDS, "mapping")
"""What has a weight of its own: composition, form, colour, and what each seed stands for."""

FIRST = {"first", "first_norm", "constant", "basis", "weigh"}
LAST = {"picture", "last_norm"}
MAPPING = {"map", "label", "w_mean"}
RESOLUTIONS = {"blocks": 1, "up": 1, "stages": 0, "norms": 0, "pictures": 0}
"""Lists of layers with an entry for each resolution; some have none for the first."""
UP_TO_LAST = {"between", "gates", "layers", "excitations"}
"""Lists of layers, fewer of them, that end with the last resolution."""

FADED = 0.6
"""Contrast kept below which two models don't fit together any more."""

Shares = dict[str, float]
"""How much of each of `PARTS` is the second model's, 0 to 1."""


@dataclass(frozen=True)
class Parent:
    """One of the two that a blend was made of, as `run.json` keeps it."""

    run: str
    name: str
    model_digest: str
    step: int
    sets: list[
        dict
    ]  # digest, count and how of what it, or its own parents, learnt from, as far as it is known


@dataclass(frozen=True)
class Blend:
    """What a run says of itself that is one."""

    parents: tuple[Parent, Parent]
    shares: Shares


@dataclass(frozen=True)
class Kind:
    """What must be the same in two models to be blended, known without reading their weights."""

    run_id: str
    name: str
    settings: Settings
    labels: tuple[str, ...]


# Whether two can be blended


def kind_of(model: Model) -> Kind:
    """The kind of a model in hand."""
    return Kind(model.run_id, model.name, model.settings, model.labels)


def kind_of_run(folder: Path) -> Kind | None:
    """The kind of a run's model, by its `run.json`; None for a run that is damaged or hasn't begun."""
    run = store.read_run(folder)
    if run is None or not run["settings"]:
        return None
    try:
        return Kind(folder.name, run["name"], Settings.from_json(run["settings"]), tuple(labels.names(run)))
    except Refused:
        return None


def related(home: Path, run: str, other: str) -> bool:
    """Whether two runs are one, or one of their beginnings was the same run, whether it is still there or not."""
    return bool(set(store.ancestry(home, run)) & set(store.ancestry(home, other)))


def why_not(home: Path, a: Kind, b: Kind) -> Refusal | None:
    """Why b can't be blended with a, or None where it can: another recipe, size, width or labels, or a stranger."""

    def other(what: str, theirs: object, ours: object) -> Refusal:
        return refuse("blend-kind", b.name, other=printable(a.name, 32), what=what, theirs=theirs, ours=ours)

    for what, unit in (("recipe", ""), ("size_px", " px"), ("width", "")):
        ours, theirs = getattr(a.settings, what), getattr(b.settings, what)
        if ours != theirs:
            return other(what.removesuffix("_px"), f"{theirs}{unit}", f"{ours}{unit}")
    if (a.settings.num_labels, a.labels) != (b.settings.num_labels, b.labels):
        return other("list of labels", label_words(b), label_words(a))
    ours, theirs = (shaping_dials(one.settings.recipe, one.settings.dials) for one in (a, b))
    for name in ours:
        if ours[name] != theirs[name]:
            title = RECIPES[a.settings.recipe].dials[name].title
            return other(f"dial {title}", f"{theirs[name]:g}", f"{ours[name]:g}")
    if not related(home, a.run_id, b.run_id):
        return refuse("blend-strangers", b.name, other=printable(a.name, 32))
    return None


def label_words(kind: Kind) -> str:
    """A model's labels in a few words."""
    return printable(", ".join(kind.labels), 32) or "empty"


def check_pair(home: Path, a: Model, b: Model) -> None:
    """Refused, with the reason, unless the two can be blended."""
    if a.digest == b.digest:
        raise Refused(refuse("blend-same", b.name))
    if reason := why_not(home, kind_of(a), kind_of(b)):
        raise Refused(reason)


def check_shares(weight: object = 0.5, **parts: object) -> Shares:
    """A weight for each of `PARTS`: its own where one is given, else `weight` for the whole. Refused for no weight."""
    given = {name: weight if parts.get(name) is None else parts[name] for name in PARTS}
    return {name: check_number(value, 0.0, 1.0, "blend-weight") for name, value in given.items()}


# The weights between two


def part_of(generator: nn.Module, name: str) -> str:
    """Which of `PARTS` a generator's tensor belongs to, by its name: bands are thirds of the resolutions.

    KeyError for a layer whose place isn't known: a new kind of network needs its row above.
    """
    head, _, rest = name.partition(".")
    if head in MAPPING:
        return "mapping"
    lists = {
        key: len(layers) for key, layers in generator.named_children() if isinstance(layers, nn.ModuleList)
    }
    count = max(lists[key] + skipped for key, skipped in RESOLUTIONS.items() if key in lists)
    if head in FIRST:
        place = 0
    elif head in LAST:
        place = count - 1
    elif head in lists and (head in RESOLUTIONS or head in UP_TO_LAST):
        place = count - lists[head] + int(rest.split(".")[0])
    else:
        raise KeyError(name)
    bands = style_bands(count)
    return "fine" if head in LAST else next(band for band, places in bands.items() if place in places)


def has_mapping(generator: nn.Module) -> bool:
    """Whether it has a mapping network, or numbers for its labels: else its seeds stand for themselves."""
    return any(name.partition(".")[0] in MAPPING for name, _ in generator.named_parameters())


def blended(a: Model, b: Model, shares: Shares) -> dict[str, Tensor]:
    """The tensors between two generators of one kind: (1 - share) a + share b, each by the share of its part.

    What is counted in whole numbers is taken from the nearer one.
    """
    theirs = b.generator.state_dict()
    made = {}
    for name, ours in a.generator.state_dict().items():
        share = shares[part_of(a.generator, name)]
        if share in (0, 1) or not ours.is_floating_point():
            made[name] = (theirs[name] if share >= 0.5 else ours).clone()
        else:
            made[name] = torch.lerp(ours, theirs[name], share)
    return made


def between(a: Model, b: Model, shares: Shares) -> Model:
    """The blend of two models, in memory alone: of no run yet. It is for the caller to have checked the pair."""
    tensors = blended(a, b, shares)
    generator = copy.deepcopy(a.generator)
    generator.load_state_dict(tensors)
    digest, name, step = checkpoints.model_digest(tensors), name_of(a, b), max(a.step, b.step)
    return Model(generator, digest, "", a.settings, step, name, {}, a.label_names)


def contrast_kept(first: np.ndarray, made: np.ndarray, second: np.ndarray, share: float) -> float:
    """How much contrast the blend's pictures have of what lies between the parents': 1 where the two fit together.

    All of the same seeds, uint8 (N, S, S, 3). What doesn't fit averages out: half-way between the starter and itself
    with its channels in another order it is 0.13 (cf. Ainsworth 2022, "Git Re-Basin", figure 1).
    """
    ours, middle, theirs = (float(some.std(axis=(1, 2)).mean()) for some in (first, made, second))
    return middle / max(1e-6, (1 - share) * ours + share * theirs)


def mean_share(shares: Shares) -> float:
    """How much of the second model the layers that paint have, on the whole."""
    return sum(shares[band] for band in BANDS) / len(BANDS)


def name_of(a: Model, b: Model) -> str:
    """What a blend is called where nobody says otherwise."""
    most = (store.MOST_NAME_CHARS - 3) // 2
    return f"{printable(a.name, most)} × {printable(b.name, most)}"


# The blend as a run


def make(home: Path, a: Model, b: Model, shares: Shares, name: str = "", owner_key: str | None = None) -> str:
    """Makes a run of the blend of two models, and returns its id.

    `run.json` is written last: killed before it, there is no run. Refused, with nothing left behind, if the two can't
    be blended, the name can't be, or the disk is too full.
    """
    check_pair(home, a, b)
    name = store.check_name(name or name_of(a, b))
    made = between(a, b, shares)
    needed = 3 * sum(t.nbytes for t in made.generator.state_dict().values()) + store.ROOM_TO_SPARE_BYTES
    if (free := files.free_bytes(home)) < needed:
        raise Refused(refuse("run-room", needed=round(needed / 1e6), free=round(free / 1e6)))
    run_id = files.new_id(name)
    folder = home / run_id
    try:
        (folder / "samples").mkdir(parents=True)
        header = checkpoints.make_header(a.settings, "", made.step)
        checkpoints.save_generator(folder, made.generator.state_dict(), header)
        _save_start(home, folder, made, header, (a, b) if mean_share(shares) < 0.5 else (b, a))
        worker.write_seeds(folder, a.settings.size_px, made.generator.num_labels)
        worker.write_grid(folder, made.generator, made.step)
        if owner_key:
            store.own(folder, owner_key)
        files.write_json(folder / "wanted.json", {"wish": "stop"})
        files.write_json(folder / "run.json", _described(home, run_id, name, made, (a, b), shares))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return run_id


def _save_start(
    home: Path, folder: Path, made: Model, header: Mapping[str, str], nearest: tuple[Model, Model]
) -> None:
    """What a new training can begin from: the blend, with the critic of the nearer parent that still has one."""
    for parent in nearest:
        with contextlib.suppress(Refused):
            tensors, _ = checkpoints.load_start(store.find_run(home, parent.run_id))
            critic = {name: t for name, t in tensors.items() if name.startswith("discriminator.")}
            average = {f"average.{name}": t for name, t in made.generator.state_dict().items()}
            checkpoints.save_starter(folder, critic | average, header, checkpoints.START)
            return


def _described(
    home: Path, run_id: str, name: str, made: Model, parents: tuple[Model, Model], shares: Shares
) -> dict:
    """The `run.json` of a blend."""
    now, rights = time.time(), _rights(home, parents)
    settings = made.settings
    return {
        "version": 1,
        "id": run_id,
        "name": name,
        "recipe": settings.recipe,
        "size_px": settings.size_px,
        "seed": settings.seed,
        "state": "finished",
        "sentence": "",
        "created": now,
        "created_text": datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="seconds"),
        "queued": now,
        "minutes": None,
        "steps": None,
        "labelled": bool(made.generator.num_labels),
        "set": {"labels": list(made.labels)},
        "device": "cpu",
        "dials": settings.dials,
        "settings": settings.to_json(),
        "started_from": None,
        "attempts": 0,
        "rollbacks": 0,
        "step": made.step,
        **({"rights": rights} if rights else {}),
        "blend": {"weights": shares, "parents": [_as_parent(home, parent) for parent in parents]},
        "versions": {"gan_play": gan_play.__version__, "torch": importlib.metadata.version("torch")},
    }


def _rights(home: Path, parents: tuple[Model, Model]) -> str:
    """What was stated of the rights in the pictures that either parent learnt from, as it stands on every card."""
    runs = [store.read_run(store.find_run(home, parent.run_id)) or {} for parent in parents]
    return store.join_rights(*map(store.rights_of, runs))


def _as_parent(home: Path, model: Model) -> dict:
    """What a blend keeps of a parent, so that its card can name it when its run is gone."""
    run = store.read_run(store.find_run(home, model.run_id)) or {}
    of_two = read(run)
    sets = [run.get("set", {})] if of_two is None else [one for two in of_two.parents for one in two.sets]
    learnt = [{key: one[key] for key in ("digest", "count", "how") if key in one} for one in sets]
    return {
        "run": model.run_id,
        "name": str(run.get("name") or model.name),  # it may have been renamed since it was loaded
        "step": model.step,
        "model_digest": model.digest,
        "sets": [one for place, one in enumerate(learnt) if one and one not in learnt[:place]],
        "before": store.ancestry(home, model.run_id)[1:],
    }


def read(run: Mapping[str, object]) -> Blend | None:
    """What a `run.json` says of the blend that its run is; None for any other run, and where it can't be read."""
    said = run.get("blend")
    try:
        first, second = (
            Parent(one["run"], one["name"], one["model_digest"], one["step"], one["sets"])
            for one in said["parents"]
        )
        shares = {name: said["weights"][name] for name in PARTS}
    except (TypeError, KeyError, ValueError):
        return None
    for one in (first, second):
        whole = files.is_id(one.run) and isinstance(one.name, str) and isinstance(one.sets, list)
        whole = whole and all(isinstance(learnt, dict) for learnt in one.sets)
        known = isinstance(one.model_digest, str) and re.fullmatch(r"[0-9a-f]{64}", one.model_digest)
        if not whole or not known or type(one.step) is not int:
            return None
    if not all(type(share) in (int, float) and math.isfinite(share) for share in shares.values()):
        return None
    return Blend((first, second), shares)
