"""What Train says of a run's health and originality, without a browser."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from gan_play import files
from gan_play.runs import store
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
