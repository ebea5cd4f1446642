"""The table of recipes, and what is said about impossible settings."""

import pytest

from gan_play.refusals import Refused
from gan_play.trainers.recipes import DEFAULT, RECIPES, Settings, check_settings, recipe_of

GOOD = {"recipe": "projected", "size_px": 64, "batch": 32, "width": 16, "seed": 7}


def test_every_row_says_what_an_artist_needs_to_know():
    assert DEFAULT in RECIPES
    for name, row in RECIPES.items():
        assert name == row.name
        assert row.sentence.endswith(".") and len(row.sentence) <= 100
        assert row.paper and row.suits and row.note and row.widths and row.batches
        for dial in row.dials.values():
            assert dial.low <= dial.default <= dial.high
            assert dial.sentence.endswith(".")


@pytest.mark.parametrize("started", [False, True])
def test_settings_survive_json(started):
    settings = check_settings(GOOD | {"started": started})
    assert Settings.from_json(settings.to_json()) == settings and settings.started is started


def test_what_begins_from_another_run_moves_in_smaller_steps_and_older_files_go_on_as_they_were():
    row = RECIPES["projected"]
    assert recipe_of(check_settings(GOOD | {"started": True})).rates == row.started_rates != row.rates
    older = Settings.from_json(GOOD)
    assert (
        recipe_of(older).rates == row.rates
        and older.dials["match"] == 0 < check_settings(GOOD).dials["match"]
    )
    assert (
        recipe_of(check_settings(GOOD | {"recipe": "dcgan", "started": True})).rates == RECIPES["dcgan"].rates
    )


def test_every_dial_gets_its_first_value():
    assert check_settings(GOOD).dials == {n: float(d.default) for n, d in RECIPES["projected"].dials.items()}


@pytest.mark.parametrize(
    "change, word",
    [
        ({"recipe": "nope"}, "recipe"),
        ({"recipe": ["projected"]}, "recipe"),
        ({"size_px": 65}, "size_px"),
        ({"size_px": True}, "size_px"),
        ({"batch": 0}, "batch"),
        ({"batch": 10**9}, "batch"),
        ({"width": "16"}, "width"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"recipe": "dcgan", "num_labels": 5}, "num_labels"),
        ({"num_labels": 1}, "folders"),
        ({"recipe": "cgan"}, "folders"),
        ({"recipe": "dcgan", "dials": {"resize": 0.5}}, "resize"),
        ({"threads": 0}, "threads"),
        ({"started": 1}, "started"),
        ({"precision": "float8"}, "precision"),
        ({"device": "tpu"}, "device"),
        ({"dials": {"rate_g": 99}}, "rate_g"),
        ({"dials": {"rate_g": float("nan")}}, "rate_g"),
        ({"dials": {"warp": 1}}, "warp"),
        ({"dials": [1]}, "dials"),
        ({"colour": "<b>red</b>"}, "colour"),
    ],
)
def test_an_impossible_setting_is_named_in_a_sentence(change, word):
    with pytest.raises(Refused) as refused:
        check_settings(GOOD | change)
    assert word in refused.value.refusal.sentence


def test_a_missing_setting_is_named():
    with pytest.raises(Refused, match="seed"):
        check_settings({k: v for k, v in GOOD.items() if k != "seed"})
