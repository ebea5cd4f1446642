"""What is done by hand in Play: the page of seeds that a turn leads to, and the desk after several deeds at once."""

import base64
import dataclasses
import json
import re
from types import SimpleNamespace

import playground
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from gan_play.latent import sample
from gan_play.ui import at_once, share_routes, showing, tiles
from gan_play.ui.desk import TOOLS, Desk, packed, pick, turn


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    playground.run_in(folder)
    return folder


@pytest.fixture(scope="module")
def web(home) -> TestClient:
    return TestClient(FastAPI(routes=at_once.address_routes(home)))


@pytest.fixture
def desk(home) -> Desk:
    digest = sample.load(home, playground.RUN).digest
    return Desk(digest=digest, first="36", seed="40", tray=packed(pick(Desk(), 40).picks), truncation=0.85)


def asked(web, desk: Desk, turns: str, **other: str):
    told = {name: str(getattr(desk, name)) for name in at_once.ASKED}
    return web.get("/gradio_api/seeds", params=told | {"turns": turns} | other)


@pytest.mark.parametrize("turns, pages", [("next", 1), ("next,next", 2), ("next,previous,previous", -1)])
def test_a_page_is_the_grid_that_the_event_will_send(web, home, desk, turns, pages):
    answer = asked(web, desk, turns)
    model = sample.load(home, playground.RUN)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    html, number = re.subn(
        r'data-code="([^"]+)"(.*?)src="data:image/png;base64,([^"]+)"',
        lambda found: (
            f'data-code="{found[1]}"{found[2]}src="{tiles.address(found[1])}"'
            if base64.b64decode(found[3]) == share_routes.picture(home, found[1]).png
            else "another picture"
        ),
        answer.text,
    )
    assert (number, html) == (36, showing.grid(turn(desk, pages), model))
    assert f'data-settings="{desk.digest[:16]} 0.85"' in html


def test_ahead_of_a_hand_a_page_is_the_same(web, desk, monkeypatch):
    monkeypatch.setattr(at_once, "QUIET_S", 0.0)
    ahead = asked(web, desk, "next", ahead="1")
    assert (ahead.status_code, ahead.text) == (200, asked(web, desk, "next").text)


def test_nothing_is_painted_ahead_while_somebody_waits(web, home, desk, monkeypatch):
    def waiting() -> str:
        answer = asked(web, dataclasses.replace(desk, first="7200"), "next", ahead="1")
        assert (answer.status_code, answer.headers["cache-control"]) == (204, "no-store")
        return answer.text

    painted, paint = [], share_routes.picture
    monkeypatch.setattr(share_routes, "picture", lambda *of: painted.append(of) or paint(*of))
    assert asked(web, desk, "next").status_code == 200  # somebody waited just now
    painted.clear()
    assert waiting() == ""
    monkeypatch.setattr(at_once, "QUIET_S", 0.0)
    with at_once._ahead:  # another page is painted ahead
        assert waiting() == ""
    with monkeypatch.context() as others:
        others.setattr(share_routes, "_made_now", {(home, "another"): None})
        others.setattr(at_once, "QUIET_S", 0.1)
        assert waiting() == "" and not painted
    with monkeypatch.context() as others:
        waited = iter([False] * 6 + [True])  # one comes while the fifth is painted
        others.setattr(share_routes, "waited_for", lambda: next(waited))
        assert waiting() == "" and len(painted) == 5
    assert not share_routes.waited_for() and at_once.free()
    assert asked(web, dataclasses.replace(desk, first="7200"), "next", ahead="1").status_code == 200


def test_large_pictures_come_from_their_addresses(web, home, desk, monkeypatch):
    monkeypatch.setattr(at_once, "MOST_INLINED_PX", 16)
    model = sample.load(home, playground.RUN)
    assert asked(web, desk, "next").text == showing.grid(turn(desk, 1), model)


@pytest.mark.parametrize(
    "told",
    [{"digest": "0" * 64}, {"first": "-1"}, {"truncation": "3"}, {"truncation": "wild"}, {"label": "x"}],
)
def test_what_cannot_be_answers_404_with_a_sentence(web, desk, told):
    answer = asked(web, desk, "next", **told)
    assert answer.status_code == 404 and answer.text.endswith(".")


def test_deeds_are_done_in_their_order_and_nonsense_is_passed_over():
    ways = {"add": lambda desk, to: pick(desk, to["seed"]), "next": lambda desk, _: turn(desk, 1)}
    did = [
        {"do": "add", "seed": 5},
        {"do": "next"},
        7,
        {"do": []},
        {},
        {"do": "gone"},
        {"do": "add", "seed": 3},
    ]
    desk = at_once.after(Desk(), {"did": did}, ways)
    assert (desk.tray, desk.first, desk.seed) == ("[5, 3]", "36", "3")
    for nonsense in ({}, {"did": "add"}, {"did": {"do": "next"}}):
        assert at_once.after(Desk(), nonsense, ways) == Desk()
    many = {"did": [{"do": "next"}] * (at_once.MOST_DONE + 1)}
    assert at_once.after(Desk(), many, ways).first == str(36 * at_once.MOST_DONE)


def test_the_script_knows_the_words_and_tools_of_the_page():
    known = json.loads(at_once.script().split("\n")[0].removeprefix("const known = ").rstrip(";"))
    known = SimpleNamespace(**known)
    assert "{title}" in known.words["open"]
    assert set(known.following) < set(TOOLS)
