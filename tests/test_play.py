"""Play without a browser: the desk, and what each event makes of it."""

import dataclasses
import json
import threading
from types import SimpleNamespace

import playground
import playing
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gan_play.latent import breed as genomes
from gan_play.latent import found, sample
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.ui import desk as desks
from gan_play.ui import filming, share_routes, showing, sliders, tiles
from gan_play.ui.desk import Desk, Pick

DIGEST = "0123456789abcdef"


def desk(**changes: object) -> Desk:
    changes["tray"] = json.dumps(changes.get("tray", []))
    return dataclasses.replace(Desk(digest=DIGEST), **changes)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory):
    """A home with one run in it, whose small model paints at 32 px."""
    folder = tmp_path_factory.mktemp("home")
    playground.run_in(folder)
    return folder


@pytest.fixture(scope="module")
def in_hand(home):
    return sample.load(home, playground.RUN)


def test_a_click_picks_and_a_second_click_takes_out_again():
    once = desks.pick(desk(), 7)
    assert (once.seed, once.picked) == ("7", [7])
    assert desks.pick(once, 7).picked == []


def test_a_picture_already_in_the_tray_is_shown_before_it_is_taken_out():
    shown = desks.pick(desk(seed="3", tray=[7, 3]), 7)
    assert (shown.seed, shown.picked) == ("7", [7, 3])


def test_a_thirteenth_picture_is_shown_but_does_not_enter_the_tray():
    full = desk(tray=list(range(100, 112)))
    assert desks.pick(full, 5).seed == "5"
    assert desks.pick(full, 5).picked == full.picked


@pytest.mark.parametrize(
    ("do", "seed", "to", "after"),
    [
        ("left", 2, 0, [2, 1, 3]),
        ("left", 1, 0, [1, 2, 3]),
        ("right", 2, 0, [1, 3, 2]),
        ("right", 3, 0, [1, 2, 3]),
        ("move", 1, 3, [2, 3, 1]),
        ("move", 3, 1, [3, 1, 2]),
        ("move", 3, 99, [1, 2, 3]),
        ("out", 2, 0, [1, 3]),
        ("out", 99, 0, [1, 2, 3]),
        ("clear", 1, 0, []),
        ("something else", 1, 0, [1, 2, 3]),
    ],
)
def test_the_tray_is_rearranged(do, seed, to, after):
    assert desks.rearrange(desk(tray=[1, 2, 3]), do, Pick(seed), Pick(to)).picked == after


def test_mix_takes_the_first_of_the_tray_and_the_picture_picked_last():
    assert desks.pair(desk(tray=[4, 5, 6], seed="6")) == (Pick(4), Pick(6))
    assert desks.pair(desk(tray=[4, 5, 6], seed="4")) == (Pick(4), Pick(5))
    assert desks.pair(desk(tray=[4], seed="4")) is None
    assert desks.pair(desk()) is None


def test_swapping_a_mix_makes_the_second_picture_the_first():
    swapped = desks.rearrange(desk(tray=[4, 5, 6], seed="6"), "swap", Pick(0), Pick(0))
    assert desks.pair(swapped) == (Pick(6), Pick(4))
    assert sorted(swapped.picked) == [4, 5, 6]


def test_a_figure_takes_its_lines_from_the_two_halves_of_the_tray_or_as_typed():
    assert desks.lines(desk(tray=[1, 2, 3])) == ([1, 2], [3])
    assert desks.lines(desk(tray=[1, 2, 3], rows="7-8")) == ([7, 8], [3])
    assert desks.lines(desk()) is None
    with pytest.raises(Refused):
        desks.lines(desk(rows="<b>", columns="1"))


def point_of(model):
    """The text of some point in a model."""
    return str(found.write(model, torch.zeros(3, found.AXES, dtype=torch.int8), 5))


def test_a_found_point_goes_onto_the_stage_and_once_into_the_tray():
    text = point_of(playing.model())
    put = desks.found_in(desk(tray=[4], tool="project"), text)
    assert (put.seed, put.picked) == (text, [4, text])
    assert desks.found_in(put, text) == put
    assert desks.artwork_of(put).seeds == (text,)
    assert desks.turn(put, 1).first == "36"  # the page of seeds stays where it was
    for other in ("", "7", "~", None, "<b>"):
        assert desks.found_in(put, other) == put


def test_a_found_point_leaves_the_desk_with_another_kind_of_model():
    text = point_of(playing.model())
    code = artworks.encode(artworks.Artwork("sample", DIGEST, (text,)))
    lying = dataclasses.replace(desks.found_in(desk(tray=[4]), text), parents=code)
    put = desks.fitting(lying, playing.model(seed=1))
    assert (put.seed, put.picked, put.parents) == ("0", [4], "")
    assert desks.fitting(lying, playing.model()) == lying


@pytest.mark.parametrize(
    "tool", [tool for tool in desks.TOOLS if tool != "project"]
)  # it makes pictures to play with
def test_a_link_opens_the_tool_with_the_settings_it_was_made_with(tool):
    made = desk(
        tool=tool, tray=[3, 9, 14], seed="9", truncation=0.85, coarse=0.25, band="fine", seconds=5, how="z"
    )
    if tool == "breed":
        child = genomes.mutate(genomes.genome_of(9), 1234, 0.4, {"coarse"})
        made = dataclasses.replace(made, chosen=artworks.encode(artworks.bred(child, DIGEST, 0.7)))
    if tool == "steer":
        made = dataclasses.replace(made, light=1.5, busyness=-0.35)
    artwork = desks.artwork_of(made)
    code = artworks.encode(artwork)
    opened = desks.desk_of(artworks.decode(code), code, desk(tray=[1000]))
    assert opened.tool == tool
    assert artworks.encode(desks.artwork_of(opened)) == code
    assert desks.code_of(opened, desks.artwork_of(opened)) == code


def test_the_seal_of_a_link_stays_only_while_the_page_shows_just_that():
    sealed = artworks.Artwork("sample", DIGEST, (5,), seal="ab" * artworks.SEAL_BYTES)
    code = artworks.encode(sealed)
    opened = desks.desk_of(sealed, code, desk())
    assert desks.code_of(opened, desks.artwork_of(opened)) == code
    bolder = dataclasses.replace(opened, truncation=1.0)
    assert artworks.decode(desks.code_of(bolder, desks.artwork_of(bolder))).seal == ""


@pytest.mark.parametrize("tool", ["mix", "mix_grid", "walk"])
def test_a_tool_without_enough_pictures_shows_what_to_do(tool):
    assert desks.artwork_of(desk(tool=tool)) is None


def test_pages_of_seeds_end_at_both_ends():
    assert desks.turn(desk(first="0"), -1).first == "0"
    assert desks.turn(desk(first="36"), 1).first == "72"
    last = desks.turn(desk(first=str(2**63 - 40)), 1).first
    assert int(last) + desks.PAGE - 1 == 2**63 - 1


def test_a_typed_seed_is_shown_with_its_page():
    there = desks.go(desk(), " 100 ")
    assert (there.seed, there.first) == ("100", "72")
    for text in ("", "-1", "1.5", "9" * 20, "<script>", "zwölf"):
        with pytest.raises(Refused):
            desks.go(desk(), text)


@given(st.text(max_size=60) | st.recursive(st.integers() | st.text() | st.none(), st.lists).map(json.dumps))
def test_whatever_a_browser_sends_as_a_tray_is_a_list_of_seeds(text):
    picks = desks.tray_picks(text)
    assert len(picks) <= tiles.MOST_IN_TRAY
    assert all(0 <= pick.seed < 2**63 and (pick.label is None or 0 <= pick.label < 1000) for pick in picks)
    assert desks.tray_picks(desks.packed(picks)) == picks


@given(st.text(max_size=60))
def test_whatever_a_browser_sends_as_a_training_pick_is_read_or_passed_over(text):
    assert desks.training_pick(text) == (0.0, "", 0, None)


def test_a_training_pick_names_run_seed_and_label():
    sent = '{"run": "vangogh-k3f9x2", "seed": 5, "at": 1.5%s}'
    assert desks.training_pick(sent % "") == (1.5, "vangogh-k3f9x2", 5, None)
    assert desks.training_pick(sent % ', "label": 2') == (1.5, "vangogh-k3f9x2", 5, 2)
    assert desks.training_pick(sent % ', "label": "<b>"')[1] == ""


def test_every_truncation_has_its_word():
    said = [sliders.adventure(number / 100) for number in range(0, 201, 5)]
    assert said[0].startswith("The average") and said[-1].startswith("Reckless")


def test_names_of_models_cannot_bring_markup_onto_the_page(home, in_hand):
    evil = dataclasses.replace(in_hand, name="<img src=x onerror=alert(1)>${alert(2)}")
    html = showing.grid(desk(digest=in_hand.digest), evil)
    assert "<img src=x" not in html and html.count("<img ") == desks.PAGE


def test_the_grid_shows_each_seeds_picture_by_the_address_of_its_code(home, in_hand):
    html = showing.grid(desk(digest=in_hand.digest, tray=[2, 0]), in_hand)
    code = artworks.encode(artworks.Artwork("sample", in_hand.digest, (35,), 0.7))
    assert f'src="gradio_api/art/{code}.png"' in html
    assert '<span class="badge">1</span>' in html and '<span class="badge">2</span>' in html


@pytest.mark.parametrize("tool", desks.TOOLS)
def test_the_stage_shows_something_for_every_tool(home, in_hand, tool):
    ready = desk(digest=in_hand.digest, tool=tool, tray=[1, 2, 3])
    html, code = showing.stage(ready, in_hand, home)
    assert code in html and 'data-do="share"' in html
    nothing, none = showing.stage(dataclasses.replace(ready, tray="[]", tool="walk"), in_hand, home)
    assert none == "" and "Pick two" in nothing


def test_a_film_is_told_on_the_way_and_proved_when_done_but_never_made_for_that(home, in_hand, monkeypatch):
    ready = desk(digest=in_hand.digest, tool="walk", tray=[1, 2], seconds=1)
    artwork = desks.artwork_of(ready)
    code = artworks.encode(artwork)
    assert "SHA-256" not in showing.proof(home, code, "mp4")
    said = list(filming.films(home, artwork, "mp4"))
    assert "progressbar" in said[0]
    assert share_routes.known_film(home, artwork, "mp4").stat().st_size > 0
    assert "SHA-256" in showing.proof(home, code, "mp4")
    monkeypatch.setattr(artworks, "rights_of", lambda *of: ("Mine.", ""))  # the card is out of date
    monkeypatch.setattr(artworks, "write_film", lambda *of: pytest.fail("a proof makes no film"))
    assert "SHA-256" in showing.proof(home, code, "mp4")
    assert "<video" in showing.stage(ready, in_hand, home)[0]


def test_a_cancelled_film_leaves_nothing_behind(home, in_hand):
    artwork = desks.artwork_of(desk(digest=in_hand.digest, tool="walk", tray=[5, 6], seconds=30))
    making = filming.films(home, artwork, "gif")
    next(making)
    next(making)
    making.close()
    for thread in [thread for thread in threading.enumerate() if thread.name == "steps"]:
        thread.join()
    assert share_routes.known_film(home, artwork, "gif") is None
    assert not list((home / "films").glob("*tmp*"))


def test_a_film_of_a_model_that_went_away_is_refused_in_the_listeners_own_thread(home):
    artwork = desks.artwork_of(desk(digest="f" * 16, tool="walk", tray=[5, 6]))
    with pytest.raises(Refused):
        list(filming.films(home, artwork, "mp4"))


def test_nearest_pictures_are_for_single_pictures_and_in_public_for_who_trained_it(home, in_hand):
    shared = SimpleNamespace(home=home, public=False)
    code = artworks.encode(desks.artwork_of(desk(digest=in_hand.digest, seed="3")))
    assert "without the pictures" in showing.nearest(shared, code, "")  # this run has no set
    walk = artworks.encode(desks.artwork_of(desk(digest=in_hand.digest, tool="walk", tray=[1, 2])))
    assert "Choose one picture" in showing.nearest(shared, walk, "")
    assert "Choose one picture" in showing.nearest(shared, "", "")
    in_public = SimpleNamespace(home=home, public=True)
    assert "Only who trained" in showing.nearest(in_public, code, "somebody else's key")
    for bad in ("<script>", "x" * 900, artworks.encode(artworks.Artwork("sample", "f" * 16, (1,)))):
        with pytest.raises(Refused):
            showing.nearest(shared, bad, "")
