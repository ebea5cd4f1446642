"""What is read back of a checkpoint's score, health and copies: of its own step, whatever is in the files."""

import json
from pathlib import Path

import pytest

from gan_play.runs import findings


def noted(folder: Path, *lines: dict) -> Path:
    (folder / "stats.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


HEALTH = {"step": 20, "code": "fine", "sentence": "It is well.", "copy": "None of 96.", "copy_rate": 0.0}
FIRST = {"step": 10, "score": 0.5}
SECOND = {
    "step": 20,
    "score": 0.25,
    "scored_step": 16,
    "score_low": 0.2,
    "score_high": 0.3,
    "score_held_back": 60,
}


def test_a_state_has_what_was_found_last_before_it(tmp_path):
    noted(tmp_path, FIRST, {"step": 15}, SECOND, {"step": 30})
    known = findings.of_step(tmp_path, {"health": HEALTH}, 30)
    assert (known.looked, known.score, known.interval) == (16, 0.25, (0.2, 0.3))
    assert (known.health, known.copy, known.copy_rate) == ("It is well.", "None of 96.", 0.0)


def test_an_older_state_has_its_own_score_and_no_verdict_of_a_later_one(tmp_path):
    noted(tmp_path, FIRST, SECOND)
    known = findings.of_step(tmp_path, {"health": HEALTH}, 12)
    assert (known.looked, known.score, known.interval) == (10, 0.5, None)
    assert known.health == known.copy == ""


def test_a_state_has_its_own_score_though_scoring_ended_later(tmp_path):
    known = findings.of_step(noted(tmp_path, FIRST, SECOND), {"health": HEALTH | {"step": 16}}, 16)
    assert (known.looked, known.score, known.held_back, known.health) == (16, 0.25, 60, "It is well.")


def test_a_state_before_the_first_look_has_nothing(tmp_path):
    assert findings.of_step(noted(tmp_path, SECOND), {"health": HEALTH}, 5) == findings.Findings(5)
    assert findings.of_step(tmp_path / "nowhere", {}, 5) == findings.Findings(5)


@pytest.mark.parametrize(
    "line, health",
    [
        ({"step": "ten", "score": 1}, {"step": None}),
        ({"step": -1, "score": 1}, "fine"),
        ({"step": True, "score": 1}, {"step": True, "sentence": "x"}),
        ({"step": 3, "score": float("nan")}, {"step": [], "copy": 5}),
        ({"step": 3, "score": "0.1"}, {"step": 1e9}),
    ],
)
def test_what_is_damaged_counts_as_not_found(tmp_path, line, health):
    known = findings.of_step(noted(tmp_path, line), {"health": health}, 100)
    assert (known.score, known.health, known.copy, known.looked) == (None, "", "", None)
