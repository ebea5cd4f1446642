"""What Train and Play say of a run's health and originality, without a browser."""

import json
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gan_play import files
from gan_play.measure import originality
from gan_play.pictures import datasets
from gan_play.runs import checkup, store
from gan_play.trainers.recipes import DEFAULT
from gan_play.ui import gather, train, verdict
from tests import playground, toys

TILES = [
    {"seed": 0, "nearest": [4, 2, 9], "distances": [0.8, 0.9, 1.0], "how": ["whole"] * 3, "copied": False},
    {"seed": 1, "nearest": [7, 1, 3], "distances": [0.2, 0.8, 0.9], "how": ["mirrored"] * 3, "copied": True},
    {"seed": 2, "nearest": [5, 0, 6], "distances": [0.7, 0.8, 0.9], "how": ["whole"] * 3, "copied": False},
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run with a grid and what is nearest to three of its tiles."""
    folder = tmp_path / playground.run_in(tmp_path)
    (folder / "samples").mkdir(exist_ok=True)
    store.grid_path(folder, 9).write_bytes(b"a grid")
    noted = {"step": 9, "sentence": "1 of 3.", "threshold": 0.6, "tiles": TILES}
    files.write_json(folder / "samples" / "nearest.json", noted)
    return folder


def status(state: str = "training", seconds: float = 1000, **found: object) -> dict:
    return {"state": state, "seconds_spent": seconds, "health": found or None}


def test_the_tiles_stand_beside_their_nearest_with_copies_first(run):
    shown = verdict.nearest(run)
    assert (shown["step"], shown["sentence"]) == (9, "1 of 3.")
    assert [(tile["at"], tile["near"], tile["copied"]) for tile in shown["tiles"]] == [
        (1, [7, 1, 3], True),
        (2, [5, 0, 6], False),
        (0, [4, 2, 9], False),
    ]


@pytest.mark.parametrize(
    "damage",
    [
        {"step": "nine"},
        {"tiles": 5},
        {"tiles": [{"seed": "<b>"}]},
        {"tiles": [TILES[0] | {"nearest": ["../x"]}]},
        {"step": 10},
    ],
)
def test_what_is_damaged_or_thinned_out_is_not_shown(run, damage):
    noted = files.read_json(run / "samples" / "nearest.json")
    files.write_json(run / "samples" / "nearest.json", noted | damage)
    assert verdict.nearest(run) is None


def test_the_verdict_is_one_line_of_health_leaks_and_copies(run):
    words = verdict.words({"sentence": "It is well.", "leak": "", "copy": "None of 96."}, status())
    assert words == "It is well. None of 96."
    assert verdict.words({"sentence": 5, "copy": None}, status()) == ""


@pytest.mark.parametrize("state, said", [("training", True), ("paused", True), ("finished", False)])
def test_a_run_that_no_longer_improves_says_since_when(run, state, said):
    found = {"best_seconds": 300.0, "has_best": True}
    shown = verdict.shown(run, status(state, 1000, **found), True)
    assert ("stopped improving 12 min ago" in shown["verdict"]) is said
    assert [remedy["code"] for remedy in shown["remedies"]] == (["best"] if said else [])


def test_remedies_are_for_who_may_steer_and_only_known_ones(run):
    collapsed = status(code="collapsed", sentence="Alike.", remedies=["best", "augment", "format-the-disk"])
    mine, theirs = verdict.shown(run, collapsed, True), verdict.shown(run, collapsed, False)
    assert [remedy["code"] for remedy in mine["remedies"]] == ["augment", "best"]
    assert all(remedy["title"] and remedy["sentence"] for remedy in mine["remedies"])
    assert theirs["remedies"] == [] and theirs["verdict"] == mine["verdict"]
    assert mine["copy"] and theirs["copy"] is None  # these are training pictures


def test_the_page_is_told_all_of_it(run, tmp_path):
    shared = SimpleNamespace(home=tmp_path)
    value = train.live_value(shared, store.status(tmp_path, run.name), True)
    assert {"verdict", "remedies", "copy"} <= value.keys() and json.dumps(value)
    frame = train.live_frame()
    for part in ("verdict", "remedies", "copy", "copied", "pairs"):
        assert f"live-{part}" in frame


def test_another_recipe_is_proposed_on_the_same_pictures(tmp_path):
    run_id = toys.a_run(tmp_path)
    chosen, recipe, size = train.another(SimpleNamespace(home=tmp_path), run_id)
    assert (recipe, size) == (DEFAULT, 32)
    choice = gather.read_choice(SimpleNamespace(home=tmp_path), chosen)
    assert choice["set"] == store.read_run(tmp_path / run_id)["set"]["id"] and choice["how"] == "crop"


def test_what_is_held_back_is_said_beside_what_is_learnt_and_what_it_scores(tmp_path, monkeypatch):
    plain = store.status(tmp_path, toys.a_run(tmp_path))
    assert "12 pictures" in train.facts(plain) and "held back" not in train.facts(plain)
    monkeypatch.setattr(datasets, "HELD_BACK_FROM", 12)
    monkeypatch.setattr(datasets, "HELD_BACK_SHARE", 3)
    for least, beside in ((5, False), (4, True)):
        monkeypatch.setattr(datasets, "LEAST_COMPARED", least)
        run_id = toys.a_run(tmp_path)
        files.write_json(tmp_path / run_id / "best.json", {"file": "x", "step": 1, "score": 0.1})
        held = store.status(tmp_path, run_id)
        assert "learns from 8 pictures, 4 held back" in train.facts(held)
        shown = train.live_value(SimpleNamespace(home=tmp_path), held, True)["score"]
        assert shown.startswith("KID 0.100") and ("never sees" in shown) == beside


# Play


def line(folder: Path, step: int) -> str:
    """The line under the model's choice, without its markup."""
    return unescape(re.sub(r"<[^>]*>", "", verdict.standing(folder, step)))


def test_play_says_health_score_and_copies_of_the_model_in_hand(run):
    files.append_line(run / "stats.jsonl", '{"step": 100, "score": 0.1}')
    with store.changing(run) as about:
        about["health"] = {"step": 100, "sentence": "It is well.", "copy": "None of 96 is a copy."}
    said = line(run, 100)
    for part in (
        "It is well.",
        "KID 0.100",
        "as two related painters",
        "None of 96 is a copy.",
        "Model card",
    ):
        assert part in said
    assert "step 100" not in said and "Found at step 100; this is step 140." in line(run, 140)
    assert f'href="gradio_api/run/{run.name}/card.md"' in verdict.standing(run, 100)


def test_play_says_what_has_not_been_checked(run):
    assert "Not checked yet" in line(run, 100)
    files.append_line(run / "stats.jsonl", '{"step": 100, "score": 0.1}')
    assert "weren't noted for this state" in line(run, 100)
    with store.changing(run) as about:
        about["health"] = {"step": 100, "sentence": "It is well.", "copy": ""}
    assert "It is well. KID 0.100" in line(run, 100)
    assert "Whether it copies hasn't been checked yet." in line(run, 100)
    assert "came without the pictures" in line(files.SHIPPED / "starter-64", 8211)


def test_words_of_the_verdict_cannot_bring_markup_onto_the_page(run):
    files.append_line(run / "stats.jsonl", '{"step": 9, "score": 0.1}')
    with store.changing(run) as about:
        about["health"] = {"step": 9, "sentence": "<img src=x>", "copy": "<b>", "leak": "<i>"}
    html = verdict.standing(run, 9)
    assert "<img" not in html and "<b>" not in html and "<i>" not in html


def test_how_far_from_copying_has_four_words():
    near = originality.NEAR
    said = [verdict.distance_words(share * 0.6, 0.6) for share in (0.5, 1.1, 1 / near, 1.2 / near)]
    assert said == ["copy", "close", "usual", "far"]


@pytest.fixture(scope="module")
def searchable(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A run whose twelve pictures are indexed, and these."""
    home = tmp_path_factory.mktemp("home")
    folder = home / toys.a_run(home)
    block = datasets.open_block(folder / "set")
    originality.save(originality.index(block.pixels, block.digest), folder / "set" / checkup.INDEX_FILE)
    return folder, np.array(block.pixels)


def test_a_painting_stands_beside_its_three_nearest_in_words(searchable):
    folder, pixels = searchable
    html = verdict.beside_nearest(folder, pixels[7, :, ::-1], "CODE", "Seed 1, <b>Toy</b>")
    addresses = re.findall(r"/picture/(\d+)\.webp", html)
    assert addresses[0] == "7" and len(set(addresses)) == 3
    assert "not far enough" in html and "a copy, or nearly" in html
    assert "CODE" in html and "<b>" not in html
    noise = np.random.default_rng(0).integers(0, 256, pixels[0].shape, dtype=np.uint8)
    assert "How far from copying: far." in verdict.beside_nearest(folder, noise, "CODE", "Noise")


def test_a_model_without_pictures_or_index_says_why_there_is_nothing_to_compare_with(tmp_path):
    folder, pixels = tmp_path / toys.a_run(tmp_path), np.zeros((32, 32, 3), np.uint8)
    assert "searched yet" in verdict.beside_nearest(folder, pixels, "CODE", "Seed 1")
    assert "without the pictures" in verdict.beside_nearest(files.SHIPPED / "starter-64", pixels, "C", "S")
    (folder / "set" / "manifest.json").write_text("{}")
    assert "damaged" in verdict.beside_nearest(folder, pixels, "CODE", "Seed 1")
