"""Runs on two sets: they train, show the way there and back, are scored, go on exactly, and refuse what isn't two."""

import json
import shutil

import numpy as np
import pytest

from gan_play import cli
from gan_play.pictures import datasets, images
from gan_play.refusals import Refused
from gan_play.runs import checkpoints, store, translated, worker
from gan_play.trainers import loop
from tests import toys

EACH = pytest.mark.parametrize("recipe", ["cut", "cyclegan"])


@pytest.fixture(autouse=True)
def no_signals(monkeypatch):
    """The worker's way to hear that it should end is left out: this process is the test's."""
    monkeypatch.setattr(worker.Ending, "__init__", lambda self: setattr(self, "asked", False))


@EACH
def test_a_run_shows_the_way_there_and_where_it_can_the_way_back_and_goes_on_exactly(tmp_path, recipe):
    run_id = toys.a_run(tmp_path, recipe=recipe, steps=2)
    assert worker.work(tmp_path / run_id) == 0
    status = store.status(tmp_path, run_id)
    assert (status["state"], status["step"], status["task"]) == ("finished", 2, "translate")
    rows = ["source", "result"] + (["back"] if recipe == "cyclegan" else [])
    layout = json.loads((tmp_path / run_id / "samples" / "seeds.json").read_text())
    assert layout["rows"] == rows and layout["seeds"] == []
    grid = images.read_kept(store.grid_path(tmp_path / run_id, 2).read_bytes())
    assert grid.shape == (2 * len(rows) * 34 - 2, 6 * 34 - 2, 3)
    store.ask(tmp_path, run_id, "train", steps=4)
    assert worker.work(tmp_path / run_id) == 0
    assert toys.final_digest(tmp_path / run_id) == toys.digest_after(tmp_path / run_id, 4)


@EACH
def test_it_is_scored_by_what_it_makes_of_the_first_set_beside_the_second(tmp_path, recipe):
    folder = toys.a_labelled_set(tmp_path, {"a": 16, "b": 20})
    block = datasets.make_block(folder, tmp_path / "block", 32)
    training = loop.begin(toys.smallest(recipe))
    state = tmp_path / "state-00000000.safetensors"
    scored = next(one for one in translated.scoring(training, block, lambda: state) if one)
    assert np.isfinite(scored.kid) and scored.interval[0] <= scored.kid <= scored.interval[1]


def test_another_run_begins_from_a_trained_one_with_an_empty_pool(tmp_path):
    first = toys.a_run(tmp_path, recipe="cyclegan", steps=2)
    assert worker.work(tmp_path / first) == 0
    tensors = checkpoints.load(checkpoints.states(tmp_path / first)[0]).tensors
    training = loop.begin(toys.smallest("cyclegan", batch=2), tensors)
    one = training.recipe.draw(training, *_data(), 1)
    assert training.step == 0 and not any(swap for plan in one.pooled for _, swap in plan)


def _data():
    import torch

    return torch.zeros(8, 3, 32, 32, dtype=torch.uint8), torch.arange(8) % 2


# What isn't two sets


@EACH
@pytest.mark.parametrize("counts", [{"": 12}, {"a": 12}, {"a": 12, "": 3, "c": 2}, {"a": 9, "b": 9, "c": 9}])
def test_anything_but_two_folders_is_refused_before_a_run_is_made(tmp_path, recipe, counts):
    folder = toys.a_labelled_set(tmp_path, counts)
    with pytest.raises(Refused, match="learns from two sets: give two folders") as refused:
        store.create_run(tmp_path, set_folder=folder, recipe=recipe, size_px=32)
    assert refused.value.refusal.sentence.endswith(".")
    assert not [row for row in store.list_runs(tmp_path) if not row.shipped]


@pytest.mark.parametrize("broken", [False, True])
def test_one_set_of_two_that_is_empty_is_refused_on_the_command_line(tmp_path, capsys, broken):
    source = tmp_path / "pictures"
    for side in ("photos", "paintings"):
        (source / side).mkdir(parents=True)
    for i in range(12):
        pixels = np.full((32, 32, 3), i * 20, np.uint8)
        (source / "photos" / f"{i}.png").write_bytes(images.encode(pixels))
        if broken:
            (source / "paintings" / f"{i}.png").write_bytes(b"no picture at all")
    home = tmp_path / "home"
    asked = ["train", str(source), "--recipe", "cut", "--size", "32", "--steps", "2", "--home", str(home)]
    assert cli.main(asked) == 2
    said = capsys.readouterr().err
    assert "learns from two sets: give two folders" in said and "Traceback" not in said
    shutil.rmtree(source)
