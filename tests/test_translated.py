"""A translator's run: it trains, shows its pictures beside what they became, is scored, and goes on exactly."""

import json

import numpy as np
import pytest
import torch

from gan_play import files
from gan_play.pictures import datasets, examples, images
from gan_play.refusals import Refused
from gan_play.runs import checkpoints, store, translated, worker
from gan_play.trainers import loop
from gan_play.trainers.recipes import build_generator
from tests import toys


def trained(home, **wishes) -> str:
    """A small run of pix2pix, trained to its end in this process."""
    run_id = toys.a_run(home, recipe="pix2pix", **wishes)
    assert worker.work(home / run_id) == 0
    return run_id


@pytest.fixture(autouse=True)
def no_signals(monkeypatch):
    """The worker's way to hear that it should end is left out: this process is the test's."""
    monkeypatch.setattr(worker.Ending, "__init__", lambda self: setattr(self, "asked", False))


def test_a_run_on_pairs_trains_and_shows_source_result_and_target(tmp_path):
    run_id = trained(tmp_path, steps=3)
    status = store.status(tmp_path, run_id)
    assert (status["state"], status["step"], status["task"]) == ("finished", 3, "translate")
    layout = json.loads((tmp_path / run_id / "samples" / "seeds.json").read_text())
    assert layout["rows"] == ["source", "result", "target"] and layout["seeds"] == []
    grid = images.read_kept(store.grid_path(tmp_path / run_id, 3).read_bytes())
    assert grid.shape == (6 * 34 - 2, 6 * 34 - 2, 3)  # twelve pairs: two stripes of three rows
    (row,) = [row for row in store.list_runs(tmp_path) if row.id == run_id]
    assert (row.task, row.preset) == ("translate", "")


def test_a_run_of_a_translator_is_what_an_uninterrupted_training_makes(tmp_path):
    run_id = trained(tmp_path, steps=3)
    store.ask(tmp_path, run_id, "train", steps=5)
    assert worker.work(tmp_path / run_id) == 0
    assert toys.final_digest(tmp_path / run_id) == toys.digest_after(tmp_path / run_id, 5)


def test_pairs_stand_in_one_order_in_what_is_learnt_and_in_what_is_held_back(tmp_path):
    with datasets.NewSet(tmp_path) as new:
        for side, shade in (("photo", 0), ("map", 100)):
            for i in range(210):  # enough that some are held back
                pixels = examples.draw("sunsets", i, 16) // 3 + np.uint8(shade)
                ending = "png" if side == "map" or i % 2 else "jpg"
                new.add(f"{side}/{i}.{ending}", datasets.keep(images.Decoded(pixels, 16, 16, False)))
        folder = new.finish([], images.WHITE)[1]
    block = datasets.make_block(folder, tmp_path / "block", 16, keep_back=True, labelled=True, paired=True)
    assert block.label_names == ["map", "photo"]
    for part in (block.learnt, block.unseen):
        assert len(part.names)
        names = [
            [n.partition("/")[2][:-4] for n in np.array(part.names)[part.labels == side]] for side in (0, 1)
        ]
        assert names[0] == names[1]


def uneven(home, names: list[str], sizes: dict[str, tuple[int, int]] | None = None):
    with datasets.NewSet(home) as new:
        for i, name in enumerate(names):
            width, height = (sizes or {}).get(name, (32, 32))
            pixels = np.full((height, width, 3), i, np.uint8)
            new.add(name, datasets.keep(images.Decoded(pixels, width, height, False)))
        return new.finish([], images.WHITE)[1]


FULL = [f"{side}/{i}.png" for side in "ab" for i in range(6)]


@pytest.mark.parametrize(
    "names, sizes, words",
    [
        ([*FULL, "a/extra.png"], {}, "a/extra.png has no partner in b"),
        (FULL[:-2], {}, "has no partner in b, and 1 more"),
        ([*FULL, "b/3.jpg"], {}, "is there twice"),
        (FULL, {"b/2.png": (64, 32)}, "32 x 32 pixels and its partner is 64 x 32"),
        ([f"{i}.png" for i in range(12)], {}, "folder"),
        ([*FULL, "c/1.png"], {}, "two folders"),
    ],
)
def test_pairs_that_do_not_match_are_refused_in_a_sentence(tmp_path, names, sizes, words):
    folder = uneven(tmp_path, names, sizes)
    with pytest.raises(Refused, match=words) as refused:
        store.create_run(tmp_path, set_folder=folder, recipe="pix2pix", size_px=32)
    assert refused.value.refusal.sentence.endswith(".")
    assert not [row for row in store.list_runs(tmp_path) if not row.shipped]


def test_a_preset_makes_pairs_of_any_set_and_is_kept_with_the_run(tmp_path):
    run_id = store.create_run(
        tmp_path, set_folder=toys.a_set(tmp_path), recipe="pix2pix", size_px=32, preset="repair", steps=2
    )
    assert worker.work(tmp_path / run_id) == 0
    status = store.status(tmp_path, run_id)
    assert (status["state"], status["preset"], status["labels"]) == ("finished", "repair", [])
    state = checkpoints.load(checkpoints.states(tmp_path / run_id)[0])
    assert checkpoints.settings_of(state.header).preset == "repair"


@pytest.mark.parametrize("recipe, preset", [("pix2pix", "magic"), ("projected", "sketch")])
def test_a_preset_that_there_is_not_is_refused(tmp_path, recipe, preset):
    with pytest.raises(Refused, match="train pix2pix, and choose one of sketch"):
        store.create_run(tmp_path, set_folder=toys.a_set(tmp_path), recipe=recipe, size_px=32, preset=preset)


def test_a_start_is_a_run_of_the_same_preset(tmp_path):
    made = {"set_folder": toys.a_set(tmp_path), "recipe": "pix2pix", "size_px": 32, "steps": 1}
    first = store.create_run(tmp_path, preset="sketch", **made)
    assert worker.work(tmp_path / first) == 0
    second = store.create_run(tmp_path, preset="sketch", start=first, **made)
    assert worker.work(tmp_path / second) == 0
    assert store.status(tmp_path, second)["state"] == "finished"
    with pytest.raises(Refused, match="for sketch"):
        store.create_run(tmp_path, preset="enlarge", start=first, **made)


def test_a_translator_is_scored_by_what_it_makes_of_sources(tmp_path):
    with datasets.NewSet(tmp_path) as new:
        for i in range(24):
            pixels = examples.draw("fields", i, 32)
            new.add(f"{i}.png", datasets.keep(images.Decoded(pixels, 32, 32, False)))
        folder = new.finish([], images.WHITE)[1]
    block = datasets.make_block(folder, tmp_path / "block", 32)
    training = loop.begin(toys.smallest("pix2pix", preset="flat"))
    scored = next(
        one
        for one in translated.scoring(training, block, lambda: tmp_path / "state-00000000.safetensors")
        if one
    )
    assert np.isfinite(scored.kid) and scored.interval[0] <= scored.kid <= scored.interval[1]
    assert scored.found.variety.spread < 0.5  # an untaught one paints the same grey


def test_a_pair_is_turned_round_by_a_dial():
    pixels = np.arange(4, dtype=np.uint8)[:, None, None, None].repeat(8, 1).repeat(8, 2).repeat(3, 3)
    block = datasets.ImageSet(pixels, np.array([0, 0, 1, 1]), ["a", "b"], ["a/1", "a/2", "b/1", "b/2"], "")
    there = translated.places_of(toys.smallest("pix2pix"), block)
    back = translated.places_of(toys.smallest("pix2pix", dials={"back": 1}), block)
    assert [side.tolist() for side in there] == [[0, 1], [2, 3]]
    assert [side.tolist() for side in back] == [[2, 3], [0, 1]]


def test_the_averaged_translator_of_a_state_is_the_one_that_trained(tmp_path):
    run_id = trained(tmp_path, steps=2)
    state = checkpoints.load(checkpoints.states(tmp_path / run_id)[0])
    settings = checkpoints.settings_of(state.header)
    network = build_generator(settings).eval()
    network.load_state_dict(checkpoints.averaged(state.tensors))
    training = loop.begin(settings)
    training.load(state.tensors)
    source = torch.rand(1, 3, 64, 32) * 2 - 1  # any size that the network's maps divide
    with torch.no_grad():
        assert torch.allclose(network(source), training.translate(source), atol=1e-6)
    assert files.read_json(tmp_path / run_id / "run.json")["task"] == "translate"


def test_pictures_side_by_side_become_pairs(tmp_path):
    with datasets.NewSet(tmp_path) as new:
        for i in range(6):
            pixels = np.zeros((20, 41, 3), np.uint8)
            pixels[:, 21:] = 10 * i + 5  # an odd width: the column between is of neither
            new.add(f"{i}.png", datasets.keep(images.Decoded(pixels, 41, 20, False)))
        folder = new.finish([], images.WHITE)[1]
    assert datasets.is_side_by_side(datasets.read_manifest(folder))
    _, parted = datasets.run_to_end(datasets.splitting(folder))
    manifest = datasets.read_manifest(parted)
    assert manifest["label_names"] == ["left", "right"]
    found = datasets.pairs_of(manifest)
    assert len(found) == 6
    left, right = zip(*found)
    assert [int(p.max()) for p in datasets.pictures_of(parted, left)] == [0] * 6
    assert [p.min() for p in datasets.pictures_of(parted, right)] == [5, 15, 25, 35, 45, 55]


def test_a_picture_that_is_no_wider_than_high_is_not_parted(tmp_path):
    with pytest.raises(Refused, match="no wider than high"):
        datasets.run_to_end(datasets.splitting(uneven(tmp_path, [f"{i}.png" for i in range(6)])))


def test_pairs_of_ones_own_pictures_are_shown_before_anything_is_trained(tmp_path):
    rows = translated.preview(toys.a_set(tmp_path), "sketch", size_px=32)
    assert [len(row) for row in rows] == [3, 3, 3] and {tile.shape for row in rows for tile in row} == {
        (32, 32, 3)
    }
    assert not np.array_equal(rows[0][0], rows[0][1])  # a source is drawn anew each time
    real = translated.preview(uneven(tmp_path, FULL), "", size_px=32)
    assert [[int(tile[0, 0, 0]) for tile in row] for row in real] == [[0, 6], [2, 8], [5, 11]]


def test_places_for_painters_leave_translators_out(tmp_path):
    from types import SimpleNamespace

    from gan_play.runs import bakeoff
    from gan_play.ui import wires

    run_id = trained(tmp_path, steps=1)
    home = SimpleNamespace(home=tmp_path, public=False)
    assert run_id in {row.id for row in store.list_runs(tmp_path)}
    assert run_id not in {value for _, value in wires.playable(home, "")}
    assert "starter-sketch" not in {value for _, value in wires.playable(home, "")}
    with pytest.raises(Refused, match="pix2pix makes pictures of pictures"):
        bakeoff.check(("dcgan", "pix2pix"), 1, 64)


def test_a_sketch_begins_from_the_starter_of_its_kind_alone(tmp_path):
    assert store.starting_run(tmp_path, None, "pix2pix", 128, preset="sketch") == "starter-sketch"
    for other in ((128, 0, "flat"), (64, 0, "sketch"), (128, 2, "")):
        assert store.starting_run(tmp_path, None, "pix2pix", *other) is None
