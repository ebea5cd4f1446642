"""A home with one finished run in it, for the tests of the page: a small model with random weights, varied pictures."""

from pathlib import Path

import playing

from gan_play import files
from gan_play.latent.sample import Model

RUN = "toy-000000"
TRANSLATOR = "toy-translator"


def run_in(
    home: Path, size_px: int = playing.SIZE_PX, run_id: str = RUN, seed: int = 0, num_labels: int = 0
) -> str:
    """Writes the run as a training's end would leave it; returns its id."""
    folder = home / run_id
    folder.mkdir(parents=True)
    toy = playing.model(size_px=size_px, seed=seed, num_labels=num_labels)
    playing.in_run(folder, toy)
    files.write_json(folder / "run.json", about(toy, seed, num_labels))
    return run_id


def translator_in(home: Path, preset: str = "sketch", run_id: str = TRANSLATOR, **made: int) -> str:
    """The same with a translator in it."""
    folder = home / run_id
    folder.mkdir(parents=True)
    toy = playing.translator(preset, **made)
    playing.in_run(folder, toy)
    files.write_json(folder / "run.json", about(toy))
    return run_id


def about(toy: Model, seed: int = 0, num_labels: int = 0) -> dict:
    """What a finished run says about itself."""
    return {
        "name": toy.name,
        "recipe": toy.settings.recipe,
        "size_px": toy.settings.size_px,
        "seed": 1,
        "state": "finished",
        "sentence": "",
        "created": 1.0 + seed,
        "queued": 1.0,
        "labelled": bool(num_labels),
        "set": {"labels": list(playing.LABELS[:num_labels])},
        "settings": toy.settings.to_json(),
        "minutes": 1,
        "steps": None,
        "started_from": None,
        "attempts": 1,
        **({"task": "translate"} if toy.settings.recipe == "pix2pix" else {}),
        "rollbacks": 0,
        "step": toy.step,
    }
