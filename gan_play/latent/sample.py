"""A seed becomes a picture: the models in hand, the numbers that belong to a seed, and the canonical renderer.

Promises: a picture is a function of (model, seed, truncation, label) alone; what a model wasn't taught to tell apart
has no label. Each is rendered canonically: on the
CPU, in float32, in a batch of its own, on one thread, with noise that belongs to the seed and the stated rounding
(`images.to_pixels`). So neither its neighbours in a grid, nor the caller's threads, nor what else the machine is
doing can change a byte; only another build of torch or another kind of processor may, and then by little.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gan_play import files, limits
from gan_play.latent import found
from gan_play.latent.found import Found
from gan_play.models.seeds import noise_of, z_of
from gan_play.pictures import images
from gan_play.refusals import Refused, refuse
from gan_play.runs import checkpoints, store
from gan_play.runs import labels as run_labels
from gan_play.trainers.recipes import RECIPES, Settings, build_generator


@dataclass(frozen=True, eq=False)
class Model:
    """An averaged generator in hand (CPU, float32, evaluation mode), and where it comes from."""

    generator: nn.Module
    digest: str  # SHA-256 of its tensors, 64 hex digits: the name of a model in share codes
    run_id: str
    settings: Settings
    step: int
    name: str
    header: dict[str, str] = field(default_factory=dict)  # of the file that it was read from
    label_names: tuple[str, ...] = ()  # as its run calls them

    @property
    def labels(self) -> tuple[str, ...]:
        """What each of its labels is called: a number, where its run doesn't say; () for one without labels."""
        count = getattr(self.generator, "num_labels", 0)
        return self.label_names if len(self.label_names) == count else tuple(map(str, range(count)))


# The canonical renderer


PAINTERS = min(4, os.cpu_count() or 1)
"""Renderers at work at the same time, each on one thread: as many as there are cores, up to four for memory's sake."""

_places = threading.BoundedSemaphore(PAINTERS)
_counting = threading.Lock()
_here = threading.local()  # whether this thread renders already
_before: list[tuple[int, str]] = []
"""Torch's threads and precision before the first of the renderers, once for each of them."""


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """A renderer's place. Torch keeps a number of threads for each thread of ours, but a new one begins with what was
    set last, by a renderer perhaps; so each is left with what the first one found. The precision is the process's."""
    if getattr(_here, "renders", False):
        yield
        return
    with _places:
        with _counting:
            now = torch.get_num_threads(), torch.get_float32_matmul_precision()
            _before.append(_before[0] if _before else now)
            torch.set_num_threads(1)
            torch.set_float32_matmul_precision("highest")  # "medium" lets a CPU multiply in bfloat16
        _here.renders = True
        try:
            yield
        finally:
            _here.renders = False
            with _counting:
                threads, precision = _before.pop()
                torch.set_num_threads(threads)
                if not _before:
                    torch.set_float32_matmul_precision(precision)


@contextlib.contextmanager
def canonical() -> Iterator[None]:
    """Inside, torch computes in one way only: one thread, full float32, no autocast, no gradients.

    One thread leaves no order in which sums could vary, so torch's deterministic mode would add nothing here.
    What the caller had set is restored. Never `yield` out of it: others wait.
    """
    with _one_thread(), torch.inference_mode(), torch.autocast("cpu", enabled=False):
        yield


# What may be asked for


Seed = int | Found
"""What names a picture of a model: a number, or the text of a point that was found in it."""


def check_seed(seed: object) -> Seed:
    """`seed` as an int or a found point, or Refused: a whole number from 0 to 2**63 - 1 (also as text), or a text
    that begins with `~` (see `found`)."""
    if isinstance(seed, str) and seed.strip().startswith(found.SIGN):
        return Found(seed.strip())
    return whole_seed(seed)


def whole_seed(seed: object) -> int:
    """`seed` as an int, or Refused: where only a number will do, as for a training."""
    if isinstance(seed, str) and re.fullmatch(r"\s*[0-9]{1,19}\s*", seed, re.ASCII):
        seed = int(seed)
    if (
        isinstance(seed, float) and seed.is_integer() and abs(seed) <= 2**53
    ):  # as JSON and number boxes give it
        seed = int(seed)
    if isinstance(seed, np.integer):
        seed = int(seed)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= limits.MOST_SEED:
        raise Refused(refuse("seed", str(seed)))
    return seed


def seed_name(seed: Seed) -> str:
    """What people call it: a seed's number, a found point by a few of its letters."""
    return f"{found.SIGN}{seed.name}" if isinstance(seed, Found) else str(seed)


def check_seeds(seeds: Sequence[object], least: int = 1, most: int = limits.MOST_SEEDS) -> list[Seed]:
    """`seeds` as `check_seed` gives them. Refused where one is none, or where they are too few or too many."""
    if not least <= len(seeds) <= most:
        raise Refused(refuse("seed-count", str(len(seeds)), least=least, most=most))
    return [check_seed(seed) for seed in seeds]


def parse_seeds(text: str, least: int = 1, most: int = limits.MOST_SEEDS) -> list[Seed]:
    """Seeds from text as people write it: `1,5,9`, `0-35`, `3 7 100-103`, found points. Anything else is Refused."""
    seeds: list[Seed] = []
    words = (
        re.split(r"[\s,;]+", text.strip(" \t\r\n,;[]()")) if len(text) <= limits.MOST_SEEDS_CHARS else [""]
    )
    for word in words:
        if word.startswith(found.SIGN):
            seeds.append(Found(word))
            continue
        match = re.fullmatch(r"([0-9]{1,19})(?:(?:-|\.\.)([0-9]{1,19}))?", word, re.ASCII)
        if not match:
            raise Refused(refuse("seeds", text))
        first, last = whole_seed(match[1]), whole_seed(match[2] or match[1])
        if last < first:
            raise Refused(refuse("seeds", text))
        if len(seeds) + last - first + 1 > most:
            raise Refused(refuse("seed-count", str(len(seeds) + last - first + 1), least=least, most=most))
        seeds += range(first, last + 1)
    return check_seeds(seeds, least, most)


def check_number(value: object, low: float, high: float, reason: str) -> float:
    """`value` as a number from `low` to `high`, kept to three decimals (as share codes do), or Refused."""
    try:
        number = round(float(value), 3) + 0.0  # and no negative zero
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if isinstance(value, bool) or not low <= number <= high:
        raise Refused(refuse(reason, str(value), low=f"{low:g}", high=f"{high:g}"))
    return number


def check_truncation(truncation: object) -> float:
    """How adventurous: 0 (the average picture) to 2; 1 is what the network was trained for."""
    return check_number(truncation, 0.0, limits.MOST_TRUNCATION, "truncation")


def check_label(model: Model, label: object) -> int | None:
    """`label` as the number of one of the model's labels, None for none; else Refused."""
    if label is None:
        return None
    count = model.generator.num_labels
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < count:
        raise Refused(refuse("label", str(label), count=count))
    return label


def find_label(model: Model, label: object) -> int | None:
    """The number of a label given by its name, or else its number, `#3` or `3`. Refused for anything else.

    Where nothing is given, 0; None for a model without labels.
    """
    text = "" if label is None else str(label).strip()
    if not text:
        return 0 if model.labels else None
    if text in model.labels:
        return model.labels.index(text)
    number = re.fullmatch(r"#?([0-9]{1,6})", text, re.ASCII)
    return check_label(model, int(number[1]) if number else text)


def name_label(model: Model, number: int) -> str:
    """A label as text that `parse_labels` reads back: its name, or `#3` where that could be mistaken."""
    name = model.labels[number]
    plain = "," not in name and name == name.strip() and not name.startswith("#")
    return name if plain and name and model.labels.index(name) == number else f"#{number}"


def check_labels(
    model: Model, labels: Sequence[object], least: int = 1, most: int = limits.MOST_MIX_SEEDS
) -> list[int]:
    """`labels` as numbers of the model's labels, or Refused where one is none, or they are too few or too many."""
    if not least <= len(labels) <= most:
        raise Refused(refuse("label-count", str(len(labels)), least=least, most=most))
    return [find_label(model, label) for label in labels]


def parse_labels(model: Model, text: str, least: int = 1, most: int = limits.MOST_MIX_SEEDS) -> list[int]:
    """Labels from text as people write it: names or numbers with commas between them. Anything else is Refused."""
    return check_labels(model, [word for word in text.split(",") if word.strip()], least, most)


def fits(model: Model, seed: Seed) -> bool:
    """Whether the model can paint it: any seed, and points found in a model of its kind."""
    return not isinstance(seed, Found) or found.fits(model, seed)


# Styles and pixels of one picture; call them inside `canonical()`


def truncate(generator: nn.Module, ws: Tensor, truncation: float, label: Tensor | None = None) -> Tensor:
    """Styles drawn towards the average one, of their label: c + psi (w - c) (Karras 2019).  # (B, L, D)"""
    centre = generator.centre(label)
    return centre + truncation * (ws - centre)


def styles_of_z(model: Model, z: Tensor, truncation: float, label: int | None = None) -> Tensor:
    """The truncated styles of latent vectors.  # (B, z_dim) -> (B, L, D)"""
    labels = None if label is None else torch.full((len(z),), label, dtype=torch.int64)
    return truncate(model.generator, model.generator.mapping(z, labels), truncation, labels)


def styles_of(model: Model, seed: Seed, truncation: float, label: int | None = None) -> Tensor:
    """The truncated styles of one seed; of a found point its own.  # (1, L, D)"""
    if isinstance(seed, Found):
        return found.styles(model, seed)
    return styles_of_z(model, z_of([seed], model.generator.z_dim), truncation, label)


def noise_of_seed(model: Model, seed: Seed) -> list[Tensor]:
    """The noise that belongs to a seed, or to a found point.  # (1, C, H, W) each"""
    return noise_of(model.generator, [seed.noise_seed if isinstance(seed, Found) else seed])


def picture_of(model: Model, ws: Tensor, noise: list[Tensor]) -> np.ndarray:
    """The picture of one set of styles and its noise.  # (1, L, D) -> uint8 (S, S, 3)"""
    return images.to_pixels(model.generator.synthesis(ws, noise or None))[0]


def sample_one(model: Model, seed: Seed, truncation: float = 0.7, label: int | None = None) -> np.ndarray:
    """The picture of one seed, rendered canonically.  # uint8 (S, S, 3)"""
    seed, truncation, label = check_seed(seed), check_truncation(truncation), check_label(model, label)
    with canonical():
        ws = styles_of(model, seed, truncation, label)
        return picture_of(model, ws, noise_of_seed(model, seed))


def sample(
    model: Model, seeds: Sequence[Seed], truncation: float = 0.7, label: int | None = None
) -> np.ndarray:
    """The pictures of seeds, each exactly as it would be alone.  # uint8 (N, S, S, 3)

    Raises Refused for a seed, a truncation or a label that can't be. How many is for the caller to bound
    (`check_seeds`): it takes one picture's time each.
    """
    return np.stack([sample_one(model, seed, truncation, label) for seed in seeds])


def label_grid(
    model: Model, seeds: Sequence[Seed], labels: Sequence[int], truncation: float = 0.7
) -> np.ndarray:
    """Label by seed: a row for each label, a column for each seed, so that a column is one idea in every label.

    # uint8 (H, W, 3), tiles of the model's size with a gap of 2 px
    """
    tiles = [sample(model, seeds, truncation, label) for label in labels]
    return images.grid(np.concatenate(tiles), columns=len(seeds))


# Models in hand


_held: OrderedDict[str, Model] = OrderedDict()  # by digest; the one used last stands at the end
_holding = threading.Lock()


def load(home: Path, run_id: str, which: str = "latest", task: str = "paint") -> Model:
    """The averaged generator of a run: its "latest" or its "best" checkpoint (the latest where none was scored).

    A damaged file is passed over for the one before it. Refused for an unknown run, one without checkpoints, and one
    that learnt another task.
    """
    folder = store.find_run(home, run_id)
    for _ in range(3):  # a training may prune a file between listing and reading
        paths = checkpoints.states(folder)
        newest = checkpoints.newest(folder)
        best = checkpoints.best(folder) if which == "best" else None
        for path in dict.fromkeys(path for path in (best, newest, *paths) if path):
            with contextlib.suppress(Refused, FileNotFoundError):
                model = _hold(path, folder, run_id)
                break
        else:
            continue
        return check_task(model, task)
    raise Refused(refuse("no-checkpoint", run_id))


def check_task(model: Model, task: str) -> Model:
    """The model, or Refused where it learnt something else: to "paint" from seeds, or to "translate" pictures."""
    if RECIPES[model.settings.recipe].task != task:
        raise Refused(refuse("not-painter" if task == "paint" else "not-translator", model.name))
    return model


def load_digest(home: Path, digest: str, task: str = "paint") -> Model:
    """The model whose digest begins with `digest` (16 to 64 hex digits), of whatever run here.

    Refused if none is, or it learnt another task.
    """
    with _holding:
        held = next((model for name, model in _held.items() if name.startswith(digest)), None)
    if held is not None:
        check_task(held, task)
        with contextlib.suppress(Refused):  # its run was deleted, or lies in another home
            return _as_called(held, store.find_run(home, held.run_id))
    for _ in range(3):
        found = store.find_model(home, digest)
        if found is None:
            break
        path, run_id = found
        with contextlib.suppress(FileNotFoundError):
            return check_task(_hold(path, store.find_run(home, run_id), run_id), task)
    raise Refused(refuse("model-missing", digest[:16]))


def pin(home: Path, model: Model) -> None:
    """Keeps a model's file for good, so that links to what it made outlive the pruning of checkpoints."""
    folder = store.find_run(home, model.run_id)
    if not any(
        (folder / name).exists() for name in (f"model-{model.digest[:16]}.safetensors", "starter.safetensors")
    ):
        checkpoints.save_generator(folder, model.generator.state_dict(), model.header)


def _called(run_id: str, folder: Path) -> tuple[str, tuple[str, ...]]:
    """What a run, and each of its labels, is called."""
    described = files.read_json(folder / "run.json")
    described = described if isinstance(described, dict) else {}
    return str(described.get("name") or run_id), tuple(run_labels.names(described))


def _as_called(model: Model, folder: Path) -> Model:
    """A model in hand under the names that its run has by now, also where another home has the same run."""
    name, labels = _called(model.run_id, folder)
    if (name, labels) == (model.name, model.label_names):
        return model
    model = dataclasses.replace(model, name=name, label_names=labels)
    _held[model.digest] = model
    return model


def _hold(path: Path, folder: Path, run_id: str) -> Model:
    """The model in a file: from memory where it is there, else read, verified and built."""
    digest = checkpoints.read_header(path)[0]["model_digest"]
    with _holding:
        if digest in _held and _held[digest].run_id == run_id:
            _held.move_to_end(digest)
            return _as_called(_held[digest], folder)
    tensors, header = checkpoints.load_generator(path)
    settings = checkpoints.settings_of(header)
    with torch.random.fork_rng(devices=[]):  # building draws numbers that nobody needs
        generator = build_generator(settings)
    generator.load_state_dict(tensors)
    generator.to(
        "cpu", torch.float32, memory_format=torch.contiguous_format
    )  # channels_last sums in another order
    generator.eval().requires_grad_(False)
    name, labels = _called(run_id, folder)
    model = Model(
        generator, header["model_digest"], run_id, settings, int(header["step"]), name, header, labels
    )
    with _holding:
        _held[model.digest] = model
        while len(_held) > limits.MOST_HELD_MODELS:
            _held.popitem(last=False)
    return model
