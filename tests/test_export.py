"""A model's card: true, complete, for the Hub; no name of anybody's can bring markup into it, and no file is named."""

import json
import re
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from gan_play import cli, files
from gan_play.refusals import Refused
from gan_play.runs import checkpoints, store
from gan_play.share import export
from gan_play.trainers import loop
from tests import playground, toys

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "a | b | c\n---\nlicense: apache-2.0",
    "`code` **bold** ${x} {0} {name} %s",
    "www.evil.example http://evil.example me@evil.example",
    "# heading\u2028<!-- -->",
    "猫 🐈 é",
)


@pytest.fixture
def run(tmp_path: Path) -> str:
    """A run with one state, as a training would leave it."""
    run_id = toys.a_run(tmp_path)
    folder, training = tmp_path / run_id, loop.begin(toys.settings())
    header = checkpoints.make_header(toys.settings(), "", 4)
    checkpoints.save(folder, 4, training.tensors(), header)
    files.append_line(
        folder / "stats.jsonl",
        '{"step": 4, "seconds": 150, "score": 0.25, "scored_step": 3, "score_low": 0.2, "score_high": 0.3}',
    )
    with store.changing(folder) as about:
        about["health"] = {"step": 4, "sentence": "It is well.", "copy": "None of 96 is a copy."}
    return run_id


def front(card: str) -> dict:
    """What the Hub reads."""
    return ModelCard(card).data.to_dict()


def test_the_card_says_data_recipe_settings_scores_copies_and_health(tmp_path, run):
    card = export.model_card(tmp_path, run)
    assert front(card)["tags"] == ["gan", "gan-play", "dcgan"] and front(card)["license"] == "unknown"
    about = store.read_run(tmp_path / run)
    for said in (
        "# Toy, 32 px",
        f"12 pictures, centre crops, mirrored 50% of the time; digest of the set `{about['set']['digest']}`",
        "Radford 2015",
        "2 pictures a step, width 4, seed 3",
        "4 steps, 8 pictures seen, in 2 min, on the processor (1 thread)",
        "KID 0.250 (0.200 to 0.300) to its own set at step 3, through EfficientNet-Lite2",
        "None of 96 is a copy\\. (at step 3)",
        "It is well\\. (at step 3)",
        "Not measured: FID in Inception features.",
        "Choose a licence",
        f"python -m gan_play sample {run}",
    ):
        assert said in card, said
    assert checkpoints.read_header(checkpoints.newest(tmp_path / run))[0]["model_digest"] in card


def test_the_card_counts_what_was_held_back_apart(tmp_path, run):
    line = {"step": 5, "scored_step": 4, "score": 0.5, "score_held_back": 3}
    files.append_line(tmp_path / run / "stats.jsonl", json.dumps(line))
    with store.changing(tmp_path / run) as about:
        about["set"]["held_back"] = 3
    card = export.model_card(tmp_path, run)
    assert "| 9 pictures, centre crops" in card and "3 pictures, for the scores" in card
    assert "KID 0.500 to 3 pictures held back from training at step 4" in card


def test_the_card_of_a_run_that_was_never_looked_at_says_so(tmp_path, run):
    (tmp_path / run / "stats.jsonl").unlink()
    with store.changing(tmp_path / run) as about:
        about["health"] = None
    card = export.model_card(tmp_path, run)
    assert "| score | not taken yet |" in card and "| copies | not checked yet |" in card
    assert "Not measured: how near it comes to its set; whether it copies;" in card


def test_no_file_name_of_the_set_is_in_the_card(tmp_path, run):
    manifest = files.read_json(tmp_path / run / "set" / "manifest.json")
    names = {str(name) for name in manifest["names"]}
    card = export.model_card(tmp_path, run)
    assert names and not any(name in card for name in names)
    assert str(tmp_path) not in card


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_shown_as_they_are_and_mean_nothing(tmp_path, run, name):
    with store.changing(tmp_path / run) as about:
        about["name"] = name
        about["labelled"] = True
        about["set"] |= {"labels": [name, "b"], "label_counts": [7, 5]}
        about["started_from"] = {"run": name, "step": name, "model_digest": name}
        about["versions"] = {"gan_play": name}
        about["health"] = {"step": 4, "sentence": name, "copy": name, "leak": name}
    card = export.model_card(tmp_path, run)
    assert front(card) == front(export.model_card(tmp_path, run)) and front(card)["license"] == "unknown"
    bare = re.sub(r"\\.", "", card)  # what is escaped means nothing
    assert not [mark for mark in ("<", "](", "![", "http:", "www.") if mark in bare]
    rows = [line for line in bare.splitlines() if line.startswith("|")]
    assert all(line.count("|") == 3 for line in rows)
    assert sum(line.startswith("# ") for line in card.splitlines()) == 1
    assert card.splitlines().count("---") == 2


def test_labels_that_were_learnt_are_named_with_their_counts(tmp_path):
    run_id = toys.a_run(tmp_path, recipe="cgan")
    mine = toys.smallest("cgan", batch=2)
    training = loop.begin(mine)
    checkpoints.save(tmp_path / run_id, 1, training.tensors(), checkpoints.make_header(mine, "", 1))
    assert "| labels | a (12), b (12), c (12) |" in export.model_card(tmp_path, run_id)


def test_what_evaluate_said_is_in_the_card_with_its_network(tmp_path, run):
    scores = dict.fromkeys(
        ("kid", "kid_low", "kid_high", "fid", "precision", "recall", "density", "coverage"), 0.5
    )
    said = {"features": "inception", "step": 4, "real_pictures": 12, "fake_pictures": 500, **scores}
    files.write_json(tmp_path / run / export.EVALUATION, said)
    card = export.model_card(tmp_path, run)
    assert "FID 0.50" in card and "through Inception-v3 of 2015, 500 paintings beside 12 pictures" in card
    assert "Not measured" not in card
    for damage in ({"fid": "<b>"}, {"features": "../x"}, {"step": None}):
        files.write_json(tmp_path / run / export.EVALUATION, said | damage)
        assert "| evaluated |" not in export.model_card(tmp_path, run)


def test_the_starter_keeps_the_card_that_came_with_it():
    card = export.model_card(files.SHIPPED, "starter-64")
    assert front(card)["license"] == "mit" and "# Old masters, 64 px" in card


def test_a_run_without_a_state_or_a_whole_file_has_no_card(tmp_path, run):
    with pytest.raises(Refused) as refused:
        export.model_card(tmp_path, toys.a_run(tmp_path))
    assert refused.value.refusal.reason == "no-checkpoint"
    (tmp_path / run / "run.json").write_text("{}")
    with pytest.raises(Refused) as refused:
        export.model_card(tmp_path, run)
    assert refused.value.refusal.reason == "run-damaged"
    with pytest.raises(Refused):
        export.model_card(tmp_path, "../etc")


def test_an_older_state_takes_the_place_of_a_damaged_one(tmp_path, run):
    (tmp_path / run / "state-00000009.safetensors").write_bytes(b"not a checkpoint")
    assert "`state-00000004.safetensors`" in export.model_card(tmp_path, run)


def test_the_terminal_prints_the_card_or_writes_it(tmp_path, capsys):
    playground.run_in(tmp_path)
    words = ["card", playground.RUN, "--home", str(tmp_path)]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("---\nlicense:")
    out = tmp_path / "README.md"
    assert cli.main([*words, "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out)
    assert out.read_text("utf-8").rstrip() == printed.rstrip()
    assert cli.main(["card", "nobody", "--home", str(tmp_path)]) == 2
    assert cli.main([*words, "--out", str(tmp_path / "card.txt")]) == 2
