"""Small runs for the tests of checkpoints, store and worker: a dozen drawn pictures, the classic recipe, 32 px."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from torch import Tensor

from gan_play.pictures import datasets, examples, images
from gan_play.runs import checkpoints, store
from gan_play.trainers import loop
from gan_play.trainers.recipes import RECIPES, Settings, check_settings


def settings(**changes: object) -> Settings:
    """The quickest training there is: about 10 ms a step."""
    smallest = {"recipe": "dcgan", "size_px": 32, "batch": 2, "width": 4, "seed": 3, "threads": 1}
    return check_settings(smallest | changes)


def smallest(recipe: str, **changes: object) -> Settings:
    """Small settings for any recipe, with three labels where it needs some, two where it needs two."""
    row = RECIPES[recipe]
    plain = {"recipe": recipe, "size_px": 32, "batch": 4, "width": 4, "seed": 3, "threads": 1}
    number = 3 if row.takes == "pictures" else 0 if changes.get("preset") else 2
    return check_settings(plain | {"num_labels": number if row.labels == "needed" else 0} | changes)


def set_distance(painted: list[Tensor], wanted: list[Tensor]) -> float:
    """`losses.set_distance` of the means of maps over their places, pair by pair."""

    def alike(p: Tensor, q: Tensor) -> float:
        return float((p @ q / len(p) + 1) ** 3)

    terms = []
    for x, y in zip(painted, wanted):
        a, b = x.mean(dim=(2, 3)), y.mean(dim=(2, 3))
        size = b.square().mean().sqrt()
        a, b = a / size, b / size
        within = [[alike(p, q) for i, p in enumerate(c) for j, q in enumerate(c) if i != j] for c in (a, b)]
        terms.append(sum(map(np.mean, within)) - 2 * np.mean([alike(p, q) for p in a for q in b]))
    return float(np.mean(terms))


def a_labelled_set(home: Path, counts: dict[str, int]) -> Path:
    """The folder of a set with so many drawn pictures in each of these folders; "" is beside them."""
    kinds = list(examples.EXAMPLES)
    with datasets.NewSet(home) as new:
        for kind, (label, count) in enumerate(counts.items()):
            for seed in range(count):
                pixels = examples.draw(kinds[kind % len(kinds)], seed, 32)
                name = f"{label}/{seed}.png" if label else f"{seed}.png"
                new.add(name, datasets.keep(images.Decoded(pixels, 32, 32, False)))
        return new.finish([], images.WHITE)[1]


@functools.cache
def _drawn() -> Path:
    """A set of a dozen drawn pictures in a folder that goes when the tests end."""
    home = tempfile.mkdtemp(prefix="gan-play-toys-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return examples.take_in_example("sunsets", Path(home), count=12).folder


def a_set(home: Path) -> Path:
    """The folder of a set of a dozen drawn pictures: drawn once, then copied, since dozens of tests want it."""
    return Path(shutil.copytree(_drawn(), home / "sets" / _drawn().name, dirs_exist_ok=True))


def a_run(
    home: Path, steps: int | None = 6, start: str | None = None, recipe: str = "dcgan", **changes: object
) -> str:
    """A run that waits to be trained to a step. `changes` go to `run.json`; it saves at every chance."""
    row = RECIPES[recipe]
    if row.takes != "pictures":  # real pairs, or two sets: of the same names either way
        set_folder = a_labelled_set(home, {"a": 12, "b": 12})
    elif row.labels == "needed":
        set_folder = a_labelled_set(home, {"a": 12, "b": 12, "c": 12})
    else:
        set_folder = a_set(home)
    mine = settings() if recipe == "dcgan" else smallest(recipe, batch=2)
    run_id = store.create_run(
        home,
        set_folder=set_folder,
        plan=SimpleNamespace(settings=mine, disk_bytes=0, sentence=""),
        recipe=recipe,
        size_px=32,
        seed=3,
        steps=steps,
        name="Toy",
        start=start,
    )
    with store.changing(home / run_id) as run:
        run |= {"save_seconds": 0.0, "scores": False} | changes
    return run_id


def final_digest(folder: Path) -> str:
    """What identifies the newest state to the last bit: SHA-256 over its header and all its tensors."""
    state = checkpoints.load(checkpoints.states(folder)[0])
    return state.header["digest"]


def digest_after(folder: Path, steps: int) -> str:
    """The digest that an uninterrupted training with the run's settings and pictures has after `steps`."""
    from gan_play.pictures import datasets

    run = store.read_run(folder)
    mine = Settings.from_json(run["settings"])
    pictures = datasets.open_block(folder / "set").learnt
    training = loop.begin(mine)
    for tick in loop.train(training, pictures.pixels, pictures.labels):
        if tick.step == steps:
            break
    elsewhere = folder.parent / "reference"
    elsewhere.mkdir(exist_ok=True)
    header = checkpoints.make_header(mine, pictures.digest, steps)
    path = checkpoints.save(elsewhere, steps, training.tensors(), header)
    return checkpoints.load(path).header["digest"]
