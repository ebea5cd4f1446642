"""The timeline on the desk: from the tray to a plan, and from what a browser sends to another."""

import dataclasses
import json

import numpy as np
import playing
import pytest
import test_music

from gan_play import limits
from gan_play.latent import music
from gan_play.latent.breed import cross, genome_of
from gan_play.latent.timeline import Key, Reaction, Timeline
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.ui import desk as desks
from gan_play.ui import timeline
from gan_play.ui.desk import Desk, Pick, packed

MODEL = playing.model()
LABELLED = playing.model(num_labels=3)


def desk(*picks, model=MODEL, **more):
    return Desk(digest=model.digest, tray=packed([Pick(*pick) for pick in picks]), tool="walk", **more)


def planned(old, model=MODEL):
    return dataclasses.replace(old, plan=timeline.begin(old, model))


def sent(plan, **changes):
    """What the page's script sends of a plan."""
    keys = [
        {
            "code": artworks.encode(artworks.bred(key.genome, MODEL.digest[:16], 0.7, key.steps)),
            "seconds": key.seconds,
            "easing": key.easing,
            "hold": key.hold,
        }
        for key in plan.keys
    ]
    said = {
        "keys": keys,
        "moving": list(plan.moving),
        "kind": plan.kind,
        "loop": plan.loop,
        "grid": plan.grid,
    }
    said |= {"radius": None, "until": None, "reactions": []}
    said["sweeps"] = [
        [name, dict(plan.start).get(name, 0), dict(plan.end).get(name, 0)]
        for name in {**dict(plan.start), **dict(plan.end)}
    ]
    return json.dumps(said | changes)


def test_the_walk_through_the_tray_becomes_keyframes_that_share_its_time():
    plan = timeline.plan_of(planned(desk((1,), (5,), (9,), seconds=6, how="z", easing="gentle")))
    assert plan.seeds == (1, 5, 9) and plan.seconds == 6 and plan.kind == "spherical"
    assert {key.easing for key in plan.keys} == {"gentle"}
    lone = timeline.plan_of(planned(desk(seed="7")))
    assert lone.seeds == (7,) and lone.kind == "breathe"


def test_what_the_browser_changes_is_the_new_plan():
    old = planned(desk((1,), (5,)))
    plan = timeline.plan_of(old)
    text = sent(plan, kind="spherical", until=1.2, sweeps=[["light", -1, 1]], moving=["fine"], loop=False)
    new = artworks.decode(timeline.changed(old, MODEL, text)).timeline
    assert (new.kind, new.until, new.loop, new.moving) == ("spherical", 1.2, False, ("fine",))
    assert (new.start, new.end) == ((("light", -1.0),), (("light", 1.0),))
    assert timeline.changed(old, MODEL, sent(plan)) == old.plan


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "null",
        "[]",
        '{"keys": []}',
        "[" * 5000,
        "x" * 50_000,
        '{"keys": [{"code": "x"}], "loop": true, "kind": "linear", "moving": ["fine"]}',
        '{"keys": 7, "loop": 1, "kind": [], "moving": 0}',
    ],
)
def test_nonsense_of_a_browser_is_refused_in_a_sentence(text):
    with pytest.raises(Refused) as refused:
        timeline.changed(planned(desk((1,), (5,))), MODEL, text)
    assert len(refused.value.refusal.sentence) <= 160


@pytest.mark.parametrize(
    "change", [{"kind": "jump"}, {"until": "x"}, {"grid": 9}, {"sweeps": [["light", "x", 1]]}]
)
def test_a_plan_that_can_t_be_is_refused_too(change):
    old = planned(desk((1,), (5,)))
    with pytest.raises(Refused):
        timeline.changed(old, MODEL, sent(timeline.plan_of(old), **change))


def test_an_edit_keeps_every_sweep_and_the_page_names_each(tmp_path):
    two = (Key(genome_of(1)), Key(genome_of(5)))
    plan = Timeline(two, start=(("warmth", -1.0),), end=(("light", 2.0), ("warmth", 1.0), ("sefa2", -1.0)))
    old = dataclasses.replace(desk((1,), (5,)), plan=artworks.encode(film(plan)))
    html = timeline.html(old, MODEL, tmp_path)
    assert html.count('class="sweep"') == 4  # and one to add
    for name in ("light", "warmth", "sefa2"):
        assert html.count(f'<option value="{name}" selected>') == 1
    new = artworks.decode(timeline.changed(old, MODEL, sent(plan, loop=False))).timeline
    assert (new.start, new.end, new.loop) == (plan.start, plan.end, False)
    fewer = [["sefa2", 0, 1.5]]
    new = artworks.decode(timeline.changed(old, MODEL, sent(plan, sweeps=fewer))).timeline
    assert (new.start, new.end) == ((), (("sefa2", 1.5),))


def test_the_last_keyframe_that_is_left_breathes_and_a_circle_stays_one():
    for kind in ("linear", "spherical", "breathe"):
        plan = Timeline((Key(genome_of(1)), Key(genome_of(5))), kind)
        old = dataclasses.replace(desk((1,), (5,)), plan=artworks.encode(film(plan)))
        one = sent(dataclasses.replace(plan, keys=plan.keys[:1], kind="breathe"), kind=kind)
        new = artworks.decode(timeline.changed(old, MODEL, one)).timeline
        assert (new.kind, new.seeds) == ("breathe", (1,))
    circle = Timeline((Key(genome_of(1)), Key(genome_of(5))), "circle")
    old = dataclasses.replace(old, plan=artworks.encode(film(circle)))
    one = sent(dataclasses.replace(circle, keys=circle.keys[:1]))
    assert artworks.decode(timeline.changed(old, MODEL, one)).timeline.kind == "circle"


@pytest.mark.parametrize(
    "number", [float("inf"), float("-inf"), float("nan"), 10**400, -1, 1e300, "1", True, [1], {}]
)
def test_no_number_of_a_browser_is_a_bug_wherever_it_stands(number, tmp_path):
    path = test_music.write_wav(tmp_path / "a.wav", test_music.clicks(3, 0.5)[0])
    old = planned(desk((1,), (5,)))
    old = dataclasses.replace(old, plan=timeline.sounding(old, MODEL, music.keep(tmp_path, path)))
    plan = timeline.plan_of(old)
    key = json.loads(sent(plan))["keys"][0]
    wrong = [{"keys": [key, key | {name: number}]} for name in ("seconds", "hold", "easing", "code")]
    names = ("radius", "until", "grid", "length", "kind", "loop", "moving", "keys", "reactions", "sweeps")
    wrong += [{"kind": "breathe", name: number} for name in names]
    wrong += [{"reactions": [["light", "low", number]]}, {"reactions": [[number, "low", 1]]}]
    wrong += [
        {"sweeps": [["light", number, 1]]},
        {"sweeps": [["light", 1, number]]},
        {"sweeps": [[number, 0, 1]]},
    ]
    for change in wrong:
        try:
            artworks.decode(timeline.changed(old, MODEL, sent(plan, **change)))
        except Refused as refused:
            assert len(refused.refusal.sentence) <= limits.MOST_SENTENCE_CHARS


def test_pictures_are_added_at_the_end_bred_and_steered_ones_too():
    old = planned(desk((1,), (5,)))
    bred = artworks.bred(
        cross(genome_of(3), genome_of(4), (0, 0.5, 1)), MODEL.digest[:16], 0.7, (("light", 1.0),)
    )
    plan = artworks.decode(timeline.added(old, MODEL, [bred])).timeline
    assert plan.keys[:2] == timeline.plan_of(old).keys
    assert plan.keys[2].genome == bred.genome and plan.keys[2].steps == bred.steps
    alone = artworks.decode(timeline.added(desk(), MODEL, [bred])).timeline
    assert alone.kind == "breathe" and len(alone.keys) == 1
    two = artworks.decode(
        timeline.added(dataclasses.replace(desk(), plan=artworks.encode(film(alone))), MODEL, [bred])
    )
    assert two.timeline.kind == "linear"


def film(plan, model=MODEL, truncation=0.7):
    return Artwork("film", model.digest[:16], (), truncation, timeline=plan)


def test_an_opened_film_lies_on_the_desk_and_is_the_same_artwork_again():
    plan = Timeline((Key(genome_of(1)), Key(genome_of(5), hold=0.5)), "spherical", until=1.2)
    work = film(plan, truncation=0.5)
    new = desks.desk_of(work, artworks.encode(work), desk((3,)))
    assert (new.tool, new.truncation, new.picks) == ("walk", 0.5, [Pick(3)])
    assert desks.artwork_of(new) == work and desks.code_of(new, work) == artworks.encode(work)
    walk = Artwork("walk", MODEL.digest[:16], (1, 2), seconds=2, fps=24, how="w", easing="smooth", loop=True)
    assert desks.desk_of(walk, artworks.encode(walk), new).plan == ""


def test_a_sound_goes_into_the_plan_with_its_dials_and_out_again(tmp_path):
    path = tmp_path / "a.wav"
    test_music.write_wav(path, test_music.clicks(3, 0.5)[0])
    old = planned(desk((1,), (5,)))
    new = dataclasses.replace(old, plan=timeline.sounding(old, MODEL, music.keep(tmp_path, path)))
    plan = timeline.plan_of(new)
    assert plan.seconds == 3 and plan.music.reactions == (Reaction("speed", "onset", 0.5),)
    html = timeline.html(new, MODEL, tmp_path)
    assert html.count('class="reaction"') == 2 and "<svg" in html
    text = sent(plan, reactions=[["light", "low", -1], ["speed", "onset", 0]], length=2)
    changed = timeline.plan_of(dataclasses.replace(new, plan=timeline.changed(new, MODEL, text)))
    assert changed.music.reactions == (Reaction("light", "low", -1.0),) and changed.seconds == 2
    text = sent(plan, reactions=[["sefa1", "low", 2]], sweeps=[["pca2", -1, 1]])
    html = timeline.html(dataclasses.replace(new, plan=timeline.changed(new, MODEL, text)), MODEL, tmp_path)
    assert (
        html.count("(sefa1)") == 4 and html.count("(pca2)") == 3
    )  # offered in each list but that of other sweeps
    assert '<option value="sefa1" selected>Direction 1 (sefa1)' in html
    for wrong in ([["light"]], [["speed", "smell", 1]], [["joy", "low", 1]], 7):
        with pytest.raises(Refused):
            timeline.changed(new, MODEL, sent(plan, reactions=wrong))
    assert timeline.plan_of(dataclasses.replace(new, plan=timeline.sounding(new, MODEL, None))).music is None
    for kept in (tmp_path / "sounds").iterdir():
        kept.unlink()
    assert "link holds no sound" in timeline.html(new, MODEL, tmp_path)


def test_a_sound_is_told_through_the_browser_which_can_make_nothing_of_it_but_a_length(tmp_path):
    path = test_music.write_wav(tmp_path / "a.wav", test_music.clicks(3, 0.5)[0])
    sound = music.keep(tmp_path, path)
    assert timeline.told(sound) != timeline.told(sound)
    assert timeline.heard(tmp_path, timeline.told(sound)) == sound
    for text in (
        "",
        "x",
        "../a 1 x",
        sound.digest,
        f"{sound.digest} inf x",
        f"{sound.digest} x x",
        "0" * 16 + " 1 x",
    ):
        with pytest.raises(Refused):
            timeline.heard(tmp_path, text)


def test_a_silent_sound_is_told_on_the_timeline(tmp_path):
    test_music.write_wav(tmp_path / "a.wav", np.zeros(44_100 * 2))
    old = planned(desk((1,), (5,)))
    silent = music.keep(tmp_path, tmp_path / "a.wav")
    new = dataclasses.replace(old, plan=timeline.sounding(old, MODEL, silent))
    assert "nothing will move to it" in timeline.html(new, MODEL, tmp_path)


def test_the_row_names_its_keyframes_and_escapes_what_it_shows(tmp_path):
    html = timeline.html(planned(desk((1,), (5,))), MODEL, tmp_path)
    assert html.count('class="key"') == 2 and 'aria-label="Keyframe 2: take out"' in html
    assert timeline.html(desk((1,), (5,)), MODEL, tmp_path) == ""


def test_a_plan_of_labels_that_the_next_model_hasn_t_is_put_away():
    old = planned(desk((1, 0), (5, 2), model=LABELLED), LABELLED)
    assert timeline.fits(old.plan, LABELLED) and not timeline.fits(old.plan, MODEL)
    assert desks.fitting(dataclasses.replace(old, digest=MODEL.digest), MODEL).plan == ""
    assert not timeline.fits("x", MODEL)
