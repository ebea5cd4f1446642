"""Play's sliders while they are dragged: what a code becomes, and the picture of it at its address."""

import json
import re

import numpy as np
import playground
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from gan_play.latent import preview, sample
from gan_play.pictures import images
from gan_play.share import artwork as artworks
from gan_play.share import gallery
from gan_play.share.artwork import Artwork
from gan_play.ui import sliders


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    playground.run_in(folder)
    return folder


@pytest.fixture(scope="module")
def web(home) -> TestClient:
    return TestClient(FastAPI(routes=sliders.address_routes(home)))


@pytest.fixture
def seed_7(home) -> Artwork:
    return Artwork("sample", sample.load(home, playground.RUN).digest[:16], (7,))


def asked(web, artwork: Artwork, **told: str):
    return web.get(f"/gradio_api/drag/{artworks.encode(artwork)}.webp", params=told)


def test_a_steered_picture_is_the_one_that_its_own_code_shows(web, home, seed_7):
    answer = asked(web, seed_7, truncation="0.9", steps="light=1.5 sefa1@fine=-1")
    steps = (("light", 1.5), ("sefa1@fine", -1.0))
    whole = artworks.bred(seed_7.genome, seed_7.model, 0.9, steps)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert np.array_equal(images.decode(answer.content), artworks.still(home, whole))
    again = asked(web, whole, steps="")  # with every slider in the middle
    assert np.array_equal(images.decode(again.content), artworks.still(home, sliders.dragged(seed_7, "0.9")))


def test_what_the_sliders_do_not_say_stays_as_it_is(seed_7):
    steered = artworks.bred(seed_7.genome, seed_7.model, 0.7, (("hue", 1.0),))
    assert sliders.dragged(steered, "0.5").steps == steered.steps
    mix = Artwork("mix", seed_7.model, (7, 8), weights=(0.0, 0.25, 1.0))
    assert sliders.dragged(mix, weights="0.5,0,1").weights == (0.5, 0.0, 1.0)
    assert sliders.dragged(mix).weights == mix.weights
    assert sliders.dragged(seed_7, weights="0.5,0,1") == seed_7
    sealed = artworks.sealed(seed_7, "0" * 64, bytes(27))
    assert sliders.dragged(sealed) == seed_7


def test_only_what_is_steered_is_painted_as_a_preview(home, seed_7, monkeypatch):
    previewed = []
    monkeypatch.setattr(preview, "paint", lambda *told: previewed.append(told[1:]))
    sliders.paint(home, Artwork("mix", seed_7.model, (7, 8), weights=(0.0, 0.5, 1.0)))
    assert previewed == []
    sliders.paint(home, artworks.bred(seed_7.genome, seed_7.model, 0.7, (("hue", 1.0),)))
    assert previewed == [(seed_7.genome, 0.7, (("hue", 1.0),))]


@pytest.mark.parametrize(
    "told",
    [{"truncation": "9"}, {"truncation": "a"}, {"steps": "light=9"}, {"steps": "<b>=1"}, {"steps": "light"}],
)
def test_what_cannot_be_answers_404_with_a_sentence(web, seed_7, told):
    answer = asked(web, seed_7, **told)
    assert answer.status_code == 404 and answer.text.endswith(".")


def test_foreign_codes_films_and_withdrawn_links_answer_404(web, home, seed_7):
    sealed = artworks.sealed(seed_7, "0" * 64, bytes(27))
    gallery.send(home, "anna", artworks.encode(sealed), "Seed 7")
    assert asked(web, sealed).status_code == 200
    gallery.withdraw(home, "anna", artworks.encode(sealed))
    assert asked(web, sealed).status_code == 404
    walk = Artwork("walk", seed_7.model, (1, 2), seconds=1, fps=4, how="w", easing="smooth", loop=True)
    assert asked(web, walk).status_code == 404
    assert web.get("/gradio_api/drag/nothing-at-all-here.webp").status_code == 404
    assert asked(web, Artwork("sample", "0" * 16, (7,))).status_code == 404
    mix = Artwork("mix", seed_7.model, (7, 8), weights=(0.0, 0.5, 1.0))
    for bad in ("0.5", "a,b,c", "0,1,2,3", "2,0,0"):
        assert asked(web, mix, weights=bad).status_code == 404


def test_the_script_says_how_adventurous_a_truncation_is_in_the_words_of_the_page():
    known = json.loads(re.search(r"const known = (\{.*\});", sliders.script())[1])
    for number in range(0, 201, 5):
        psi = number / 100
        place = next((place for place, limit in enumerate(known["limits"]) if psi < limit), -1)
        assert known["said"][place].replace("{number}", f"{psi:.2f}") == sliders.adventure(psi)
