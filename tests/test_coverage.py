"""What a model doesn't represent: pictures that nothing it paints comes near, and the seeds that come nearest."""

import json

import numpy as np
import playground
import pytest

from gan_play import files
from gan_play.latent import coverage, sample
from gan_play.measure.features import features
from gan_play.pictures import datasets, examples, images
from gan_play.refusals import Refused
from gan_play.ui import coverage_view

PAINTED, FOREIGN = 12, 4


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with a run whose set is twelve of its own paintings, then four rosettes."""
    home = tmp_path_factory.mktemp("home")
    playground.run_in(home)
    model = sample.load(home, playground.RUN)
    pictures = [
        *sample.sample(model, range(PAINTED), 1.0),
        *(examples.draw("rosettes", i, 32) for i in range(FOREIGN)),
    ]
    with datasets.NewSet(home) as new:
        for i, pixels in enumerate(pictures):
            new.add(f"{i}.png", datasets.keep(images.Decoded(pixels, 32, 32, False)))
        set_id, folder = new.finish([], images.WHITE)
    run = home / playground.RUN
    datasets.make_block(folder, run / "set", 32)
    files.write_json(
        run / "run.json", files.read_json(run / "run.json") | {"set": {"id": set_id, "labels": []}}
    )
    (run / "samples").mkdir(exist_ok=True)
    return home


@pytest.fixture(scope="module")
def found(home):
    """What was found with sixteen paintings, of the seeds 0 to 15."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coverage, "LEAST_SAMPLED", 16)
        return datasets.run_to_end(coverage.covering(home, playground.RUN))


def test_where_pictures_are_held_back_each_still_stands_at_its_place_on_the_map(home, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "HELD_BACK_FROM", 16)
    monkeypatch.setattr(datasets, "HELD_BACK_SHARE", 4)
    about = files.read_json(home / playground.RUN / "run.json")
    files.write_json(tmp_path / "run.json", about)
    block = datasets.make_block(home / "sets" / about["set"]["id"], tmp_path / "set", 32, keep_back=True)
    set_folder, places = coverage.same_set(home, tmp_path)
    names = [picture["name"] for picture in datasets.read_manifest(set_folder)["pictures"]]
    assert block.held_back == 4 and places != sorted(places)
    assert [block.names[place] for place in places] == names


def test_what_it_paints_is_represented_and_the_nearest_seed_is_its_own(home, found):
    assert (found["sampled"], found["neighbours"], found["looked_at"]) == (16, 5, list(range(16)))
    assert [near[0] for near in found["near"][:PAINTED]] == list(range(PAINTED))
    assert max(found["share"][:PAINTED]) < 0.01
    assert min(found["share"][PAINTED:]) > max(found["share"][:PAINTED])
    folder = home / playground.RUN
    assert coverage.read(folder) == json.loads(json.dumps(found))
    block = datasets.open_block(folder / "set")
    assert np.allclose(features(block.pixels), coverage._load(folder, block.digest, 16), atol=1e-3)
    assert coverage._load(folder, "another", 16) is None


@pytest.mark.parametrize(
    ("pictures", "sampled", "neighbours"), [(173, 173, 5), (60, 100, 5), (1600, 600, 13)]
)
def test_neighbourhoods_grow_where_paintings_are_fewer_than_pictures(pictures, sampled, neighbours):
    assert coverage.neighbours_for(pictures, sampled) == neighbours


def test_the_page_shows_what_is_missing_with_its_nearest_seeds(home, found):
    shown = coverage_view.shown(home, playground.RUN, mine=True)
    made, missing = shown["made"], [i for i, share in enumerate(found["share"]) if share > 1]
    assert sorted(made["missing"]) == missing
    assert made["near"]["3"] == found["near"][3]
    assert all(str(seed) in made["pictures"] for near in made["near"].values() for seed in near)
    assert made["map"]["shown"] == list(range(16))
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize(
    ("missing", "says"),
    [(0, "Each of your 173"), (1, "This one of 173"), (14, "These 14 of 173"), (150, "So far 23 of 173")],
)
def test_how_many_are_missing_is_said_in_words(missing, says):
    assert coverage_view.sentence(missing, 173, 173, 173).startswith(says)
    part = coverage_view.sentence(missing, 173, 173, 20_000)
    assert part.startswith(says) and part.endswith(
        "Of your 20,000 pictures these 173, spread evenly, were looked at."
    )


def test_strangers_are_not_shown_the_pictures_of_a_set(home, found):
    assert coverage_view.shown(home, playground.RUN, mine=False) == {}


def test_of_very_many_missing_ones_the_farthest_are_shown_and_that_is_said():
    assert "The 120 farthest are shown." in coverage_view.sentence(150, 1000, 600, 1000)
    assert "farthest" not in coverage_view.sentence(120, 1000, 600, 1000)


def test_a_run_without_its_set_has_nothing_to_compare(tmp_path):
    playground.run_in(tmp_path)
    assert coverage_view.shown(tmp_path, playground.RUN, mine=True) == {}
    with pytest.raises(Refused):
        datasets.run_to_end(coverage.covering(tmp_path, playground.RUN))


@pytest.mark.parametrize(
    "damage", [{"format": 0}, {"share": []}, {"near": 3}, {"step": "x"}, {"model": None}, {"labels": [0]}]
)
def test_what_is_damaged_or_foreign_is_as_if_it_were_not_there(found, tmp_path, damage):
    (tmp_path / "samples").mkdir()
    files.write_json(tmp_path / "samples" / coverage.FOUND_FILE, found | damage)
    assert coverage.read(tmp_path) is None
