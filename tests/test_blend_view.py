"""Play's fold of blending: who is offered and why others aren't, the preview, the new model, on the page and off it."""

import types

import playground
import playing
import pytest
import torch

from gan_play import cli, files, limits
from gan_play.latent import blend as blending
from gan_play.latent import found, sample
from gan_play.refusals import Refused
from gan_play.runs import store
from gan_play.ui import blend, train, verdict

A, B, STRANGER = playground.RUN, "toy-111111", "toy-222222"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A model, one that began from it, and a stranger with a name that is meant to do harm. Blends only add to it."""
    home = tmp_path_factory.mktemp("home")
    for seed, (run, changes) in enumerate(
        {A: {}, B: {"started_from": {"run": A}}, STRANGER: {"name": "<img src=x>"}}.items()
    ):
        playground.run_in(home, run_id=run, seed=seed)
        path = home / run / "run.json"
        files.write_json(path, files.read_json(path) | {"name": run} | changes)
    return home


def shared(home, public=False):
    return types.SimpleNamespace(home=home, public=public)


def both(home):
    return sample.load(home, A), sample.load(home, B)


def test_who_can_be_blended_is_offered_and_the_rest_is_listed_with_the_reason(home):
    model = sample.load(home, A)
    others = blend.found(shared(home), model, "")
    assert B in {run for _, run in others.choices} and STRANGER not in {run for _, run in others.choices}
    html = blend.reasons_html(model, others)
    assert "share no ancestor" in html and "its size is 64 px, not 32 px" in html  # the stranger, the starter
    assert "<img" not in html and "&lt;img src=x&gt;" in html


def test_where_nobody_can_be_blended_the_page_says_what_to_do(home):
    stranger = sample.load(home, STRANGER)
    html = blend.reasons_html(stranger, blend.found(shared(home), stranger, ""))
    assert "Train one that starts from it" in html and "<img" not in html


def test_the_preview_shows_three_rows_of_the_same_seeds_and_writes_nothing(home):
    before = sorted(home.rglob("*"))
    html = blend.preview_html(home, both(home), blending.check_shares(0.5), [1, 5], 0.7, None)
    assert html.count("<img") == 6 and html.count("data:image/png") == 2
    assert html.count("gradio_api/art/") == 4 and "Seed 5" in html
    assert sorted(home.rglob("*")) == before


def test_what_has_grown_apart_is_said_in_the_preview(home, monkeypatch):
    monkeypatch.setattr(blending, "contrast_kept", lambda *_: 0.13)
    html = blend.preview_html(home, both(home), blending.check_shares(0.5), [1], 0.7, None)
    assert "keep 13% of their contrast" in html


def test_in_public_a_blend_needs_a_key_and_a_visitor_may_make_so_many(home, monkeypatch):
    shares = blending.check_shares(0.3)
    with pytest.raises(Refused, match="key of 8"):
        blend.create(shared(home, public=True), *both(home), shares, "", "")
    run = blend.create(shared(home, public=True), *both(home), shares, "Mine", "a secret key")
    assert store.check_owner(home, run, "a secret key")
    monkeypatch.setattr(limits, "MOST_BLENDS", 1)
    with pytest.raises(Refused, match="made 1 blends"):
        blend.create(shared(home, public=True), *both(home), shares, "", "a secret key")
    blend.create(shared(home, public=True), *both(home), shares, "", "another secret key")
    monkeypatch.setattr(limits, "MOST_BLENDS_PUBLIC", 2)
    with pytest.raises(Refused, match="2 blends were made here"):
        blend.create(shared(home, public=True), *both(home), shares, "", "a third secret key")


def test_the_preview_begins_at_a_number_and_passes_found_points_over(home):
    model = sample.load(home, A)
    point = found.write(model, torch.zeros((1, found.AXES), dtype=torch.int8), 7)
    assert blend.preview_seeds(model, [9, point, 3], "3") == [9, 3, 4, 5, 6, 7]
    with pytest.raises(Refused):
        blend.preview_seeds(model, [], str(point))


def test_play_and_train_say_that_it_is_a_blend(home):
    run = blending.make(home, *both(home), blending.check_shares(0.25, fine=1), "Half <b>")
    said = verdict.standing(home / run, 100)
    assert f"A blend of {A} and {B}" in said and "colour 100%" in said and "form 25%" in said
    card = train.run_card(next(row for row in store.list_runs(home) if row.id == run), watched=False)
    assert "a blend of two" in card and "<b>" not in card
    value = train.live_value(shared(home), store.status(home, run), True)
    assert value["state"] == "a blend of two" and value["steps"] == [100]


def test_the_command_line_blends_and_refuses_in_a_sentence(home, capsys):
    weights = ["--weight", "0.25", "--fine", "1", "--name", "By hand"]
    assert cli.main(["blend", A, B, *weights, "--home", str(home)]) == 0
    out, err = capsys.readouterr()
    run = out.splitlines()[-1]
    assert blending.read(store.read_run(home / run)).shares["fine"] == 1
    assert "coarse 25%, middle 25%, fine 100%, mapping 25%" in err
    for given, sentence in (
        ([A, STRANGER], "share no ancestor"),
        ([A, A], "is the same model"),
        ([A, "starter-64"], "its size is 64 px, not 32 px"),
        ([A, "nobody"], "no run called nobody"),
        ([A, B, "--fine", "2"], "is no weight for blending"),
    ):
        assert cli.main(["blend", *given, "--home", str(home)]) == 2
        assert sentence in capsys.readouterr().err


def test_a_model_with_labels_is_previewed_in_one_of_them(tmp_path):
    playground.run_in(tmp_path, num_labels=2)
    playground.run_in(tmp_path, run_id=B, seed=1, num_labels=2)
    two = both(tmp_path)
    html = blend.preview_html(tmp_path, two, blending.check_shares(0.5), [1], 0.7, 1)
    assert html.count(f"Seed 1, {playing.LABELS[1]}, ") == 3
