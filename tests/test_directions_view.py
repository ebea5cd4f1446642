"""The list of directions without a browser: its rows, what is done in it, what it shows, and whose names."""

import dataclasses
import re

import playground
import playing
import pytest

from gan_play.latent import breed, directions, sample
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import naming
from gan_play.ui import desk as desks
from gan_play.ui import directions as view
from gan_play.ui import share_routes
from gan_play.ui.desk import Desk


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(directions, "SEEDS", 4)
    whole = directions.effects
    monkeypatch.setattr(directions, "effects", lambda model, name: whole(model, name, range(4)))


@pytest.fixture
def home(tmp_path):
    playground.run_in(tmp_path)
    return tmp_path


@pytest.fixture
def model(home):
    return sample.load(home, playground.RUN)


def desk(model, **changes):
    return dataclasses.replace(Desk(digest=model.digest, tool="steer", seed="3"), **changes)


def listed(home, model, asked):
    origin = artworks.bred(breed.genome_of(3), model.digest[:16], asked.truncation)
    return view.list_html(home, "", asked, model, origin)


def ways(html):
    return re.findall(r'data-way="([^"]+)"', html)


def test_sliders_of_directions_move_the_picture_beside_those_of_attributes(model):
    asked = view.changed(
        desk(model, light=1.0), model, {"do": "move", "rows": "pca1=0 sefa2=1.52 sefa1@fine=-1"}
    )
    assert asked.found == "pca1=0 sefa2=1.5 sefa1@fine=-1"
    assert desks.artwork_of(asked).steps == (("light", 1.0), ("sefa1@fine", -1.0), ("sefa2", 1.5))
    back = view.changed(asked, model, {"do": "move", "rows": "pca1=0 sefa2=0 sefa1@fine=0"})
    assert desks.artwork_of(back).steps == (("light", 1.0),)


def test_nonsense_of_a_browser_s_is_refused_or_changes_nothing(model):
    assert view.changed(desk(model), model, {}) == desk(model)
    for text in (
        "<b>",
        "sefa1",
        "sefa1=9",
        "sefa1=x",
        "light=1",
        " ".join(f"sefa{n % 64 + 1}=1" for n in range(65)),
    ):
        with pytest.raises(Refused):
            view.changed(desk(model), model, {"do": "move", "rows": text})
        with pytest.raises(Refused):
            desks.artwork_of(desk(model, found=text))


def test_a_link_opens_with_its_sliders_and_another_picture_puts_them_in_the_middle(model):
    work = artworks.bred(breed.genome_of(3), model.digest[:16], 0.7, (("hue", 1.0), ("sefa2@fine", -1.0)))
    opened = desks.desk_of(work, artworks.encode(work), desk(model, found="pca1=2"))
    assert (opened.hue, opened.found) == (1.0, "sefa2@fine=-1 pca1=0")
    assert desks.artwork_of(opened) == work
    assert desks.steered(opened).found == "sefa2@fine=0 pca1=0"
    elsewhere = dataclasses.replace(work, model="0" * 16)
    assert (
        desks.desk_of(elsewhere, artworks.encode(elsewhere), desk(model, found="pca1=2")).found
        == "sefa2@fine=-1"
    )


def test_directions_that_another_model_has_not_are_left_out():
    plain = playing.model("dcgan")
    assert view.fitting("sefa2=1 pca1=0 fine1=2", plain) == "sefa2=1"


def test_the_list_has_the_first_few_then_what_was_asked_for_or_named(home, model):
    offered = directions.offered(model)
    assert ways(listed(home, model, desk(model))) == offered[:8]
    asked = view.changed(desk(model), model, {"do": "more"})
    assert ways(listed(home, model, asked)) == offered[:16]
    naming.keep(home, model, f"{offered[20]}@fine", "Evening")
    assert ways(listed(home, model, desk(model)))[8:] == [f"{offered[20]}@fine"]
    both = desk(model, found="sefa1@coarse=1 sefa1@fine=-1")
    assert ways(listed(home, model, both))[:2] == ["sefa1@coarse", "sefa1@fine"]


def test_a_strip_shows_the_picture_in_hand_from_one_end_to_the_other(home, model):
    html = listed(home, model, desk(model))
    first = (
        html.split('class="direction"')[1]
        if 'class="direction"' in html
        else html.split('class="direction ')[1]
    )
    codes = re.findall(r"gradio_api/art/([\w-]+)\.png", first)
    assert [dict(artworks.decode(code).steps).get("sefa1", 0.0) for code in codes] == [-3, -1.5, 0, 1.5, 3]
    assert all(artworks.decode(code).genome == breed.genome_of(3) for code in codes)


def test_the_list_is_there_at_once_and_has_names_once_they_were_tried(home, model):
    asked = desk(model)
    assert "Trying them out" in listed(home, model, asked)
    stamp = view.measure(home, "", asked, model)
    assert stamp and view.measure(home, "", asked, model) == ""
    assert "Trying them out" not in listed(home, model, asked)


def test_a_name_is_kept_escaped_and_put_back(home, model):
    view.rename(home, "", model, {"way": "sefa1", "name": '"><script>x</script>'})
    html = listed(home, model, desk(model))
    assert "<script>" not in html and "&lt;script&gt;" in html and 'data-do="back"' in html
    view.rename(home, "", model, {"way": "sefa1", "name": " "})
    assert 'data-do="back"' not in listed(home, model, desk(model))
    for data in ({}, {"way": "light", "name": "x"}, {"way": "sefa1", "name": "x" * 41}):
        with pytest.raises(Refused):
            view.rename(home, "", model, data)


def test_a_title_says_the_directions_of_a_picture(model):
    work = artworks.bred(
        breed.genome_of(3), model.digest[:16], 0.7, (("light", 1.0), ("sefa2@fine", -1.0), ("pca1", 2))
    )
    assert share_routes.title_of(work, model).endswith("(light +1, sefa2 colour -1, pca1 +2)")
