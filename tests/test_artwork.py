import base64
import dataclasses
import hashlib
import json
import os
import string
import subprocess
import sys
from pathlib import Path

import numpy as np
import playing
import pytest
import test_music
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from gan_play import limits
from gan_play.latent import found, music, sample, walk
from gan_play.latent import timeline as timelines
from gan_play.latent.breed import Genome, cross, genome_of
from gan_play.latent.directions import Direction
from gan_play.latent.timeline import Key, Music, Reaction, Timeline
from gan_play.pictures import images
from gan_play.refusals import Refused
from gan_play.runs import checkpoints
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork, compare, decode, encode, find_code, read_card, render, share
from gan_play.share.step_code import FAMILY_NAMES, STEER_NAMES
from gan_play.share.translation_code import Translation
from gan_play.translate.translator import Dials

TOY = playing.model()
MODEL = TOY.digest[:16]

seeds = st.integers(0, 2**63 - 1)
thousandths = st.integers(0, 1000).map(lambda n: n / 1000)


@st.composite
def plans(draw):
    """Any timeline that can be, of a few keyframes."""
    labelled, hundredths = draw(st.booleans()), st.integers(50, 900).map(lambda n: n / 100)
    amounts = st.integers(-60, 60).filter(bool).map(lambda n: n / 20)
    ways = ["sefa1", "pca64@fine", "middle2@coarse+middle", *STEER_NAMES]
    steps = st.dictionaries(st.sampled_from(ways), amounts, max_size=2).map(lambda d: (*d.items(),))

    def key():
        genes = draw(st.lists(seeds, min_size=1, max_size=3, unique=True))
        shares = ((255, 255, 255), *(draw(st.tuples(*[st.integers(1, 255)] * 3)) for _ in genes[1:]))
        labels = tuple(draw(st.integers(0, 999)) for _ in genes) if labelled else ()
        easing, hold = draw(st.sampled_from(artworks.EASING_NAMES)), draw(st.just(0.0) | hundredths)
        return Key(Genome(tuple(genes), shares, labels), draw(steps), draw(hundredths), easing, hold)

    count, grid = draw(st.integers(2, 5)), draw(st.sampled_from([1, 1, 2]))
    reactions = [Reaction("speed", draw(st.sampled_from(timelines.SOURCES)), draw(thousandths))]
    reactions += [Reaction("light", "low", draw(amounts))]
    music = Music(
        draw(st.text("0123456789abcdef", min_size=16, max_size=16)), draw(hundredths) + 1, reactions
    )
    return Timeline(
        tuple(key() for _ in range(count)),
        kind=draw(st.sampled_from(["linear", "spherical", "breathe"])),
        fps=draw(st.integers(1, 60 if grid == 1 else 20)),  # all in all MOST_FILM_PICTURES
        loop=grid > 1 or draw(st.booleans()),
        moving=draw(st.lists(st.sampled_from(artworks.BAND_NAMES), min_size=1)),
        radius=draw(thousandths.filter(lambda n: n >= 0.02)),
        until=draw(st.none() | st.integers(0, 2000).map(lambda n: n / 1000)),
        start=draw(steps),
        end=draw(steps),
        grid=grid,
        music=draw(st.none() | st.just(music)),
    )


@st.composite
def works(draw):
    """Any artwork that can be."""
    kind = draw(st.sampled_from(artworks.OPERATIONS))
    many_labels = kind.startswith("label_") or kind in (*artworks.GENETIC, "film")
    common = {
        "operation": kind,
        "model": draw(st.text("0123456789abcdef", min_size=16, max_size=16)),
        "truncation": 0.7 if kind == "translate" else draw(st.integers(0, 2000)) / 1000,
        "label": None if many_labels or kind == "translate" else draw(st.none() | st.integers(0, 999)),
        "seal": draw(st.just("") | st.text("0123456789abcdef", min_size=70, max_size=70)),
    }
    if kind == "sample":
        return Artwork(seeds=(draw(seeds),), **common)
    if kind == "translate":
        digest = st.text("0123456789abcdef", min_size=32, max_size=32)
        strength, times = draw(st.integers(0, 2000)) / 1000, draw(st.sampled_from([1, 2, 4]))
        dials = Dials(strength, draw(st.booleans()), draw(st.booleans()), times)
        translation = Translation(draw(digest), dials, draw(st.just("") | digest))
        return Artwork(seeds=(), translation=translation, **common)
    if kind == "film":
        return Artwork(seeds=(), timeline=draw(plans()), **common)
    if kind == "mix":
        return Artwork(
            seeds=(draw(seeds), draw(seeds)), weights=tuple(draw(thousandths) for _ in range(3)), **common
        )
    numbers = st.integers(0, 999)
    if kind == "label_mix":
        labels = draw(st.lists(numbers, min_size=2, max_size=2, unique=True))
        weights = tuple(draw(thousandths) for _ in range(3))
        return Artwork(seeds=(draw(seeds), draw(seeds)), labels=labels, weights=weights, **common)
    if kind in artworks.GENETIC:
        if kind == "steer":
            amounts = st.integers(-60, 60).filter(bool).map(lambda n: n / 20)
            bands = st.tuples(*[st.booleans()] * 3).filter(any)
            family = st.sampled_from(FAMILY_NAMES)
            ways = st.builds(lambda *of: Direction(*of).name, family, st.integers(1, 64), bands)
            named = st.sampled_from(STEER_NAMES) | ways
            common["steps"] = draw(st.dictionaries(named, amounts, min_size=1, max_size=12)).items()
        genes = draw(st.lists(seeds, min_size=1 + (kind == "breed"), max_size=9, unique=True))
        share = st.tuples(*[st.integers(1, 255)] * 3)
        labels = draw(st.just(()) | st.lists(numbers, min_size=len(genes), max_size=len(genes)))
        shares = ((255, 255, 255), *(draw(share) for _ in genes[1:]))
        return Artwork(seeds=genes, shares=shares, labels=labels, **common)
    many = st.lists(seeds, min_size=1, max_size=12)
    if kind == "label_grid":
        labels = draw(st.lists(numbers, min_size=1, max_size=12))
        return Artwork(seeds=draw(many), labels=labels, **common)
    if kind == "mix_grid":
        band = draw(st.sampled_from(artworks.BAND_NAMES))
        return Artwork(seeds=draw(many), columns=draw(many), band=band, **common)
    stops = draw(st.lists(seeds, min_size=2, max_size=12))
    if many_labels:
        path = st.lists(numbers, min_size=len(stops), max_size=len(stops))
        common["labels"] = draw(path.filter(lambda labels: len(set(labels)) > 1))
    return Artwork(
        seeds=stops,
        seconds=draw(st.integers(500, 120_000)) / 1000,
        fps=draw(st.integers(1, 60)),
        how=draw(st.sampled_from("wz")),
        easing=draw(st.sampled_from(artworks.EASING_NAMES)),
        loop=draw(st.booleans()),
        **common,
    )


@pytest.fixture
def home(tmp_path):
    """A home with one run that keeps the toy model."""
    folder = tmp_path / "home" / "toy-000000"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"name": "Toy <b>"}))
    playing.in_run(folder, TOY)
    sample._held.clear()
    return folder.parent


def signed(data):
    """A code over any bytes, with the right check sum, as somebody who reads our source can make one."""
    return base64.urlsafe_b64encode(data + artworks._check_sum(data)).decode().rstrip("=")


# Codes


@playing.untimed
@given(works())
def test_a_code_brings_back_the_artwork_and_nothing_else(work):
    code = encode(work)
    assert decode(code) == work
    assert len(code) <= 600 and set(code) <= set(string.ascii_letters + string.digits + "-_")


def test_the_longest_artwork_fits_into_a_code():
    many = [2**63 - 1] * 12
    work = Artwork("mix_grid", "f" * 16, many, 2, 999, columns=many, band="fine", seal="f" * 70)
    assert len(encode(work)) <= 600 and decode(encode(work)) == work
    genes = [2**63 - 1 - i for i in range(27)]
    shares = [tuple(255 if i // 9 == band else 0 for band in range(3)) for i in range(27)]
    steps = [(name, 3) for name in STEER_NAMES]
    work = Artwork("steer", "f" * 16, genes, 2, labels=[999] * 27, shares=shares, steps=steps, seal="f" * 70)
    assert len(encode(work)) <= 600 and decode(encode(work)) == work
    keys = tuple(Key(genome_of(2**63 - 1 - i, 999), (), 60 + i / 100, hold=i / 100) for i in range(3))
    everything = {"until": 2, "start": tuple(steps), "end": tuple(steps), "kind": "breathe", "radius": 1}
    work = Artwork("film", "f" * 16, (), 2, seal="f" * 70, timeline=Timeline(keys, **everything))
    assert len(encode(work)) <= 600 and decode(encode(work)) == work


def test_a_film_that_no_link_can_hold_is_refused_in_a_sentence_and_twelve_long_seeds_are_not():
    keys = tuple(Key(genome_of(2**63 - 1 - i, 999), (), 1 + i / 100) for i in range(12))
    assert len(encode(Artwork("film", MODEL, (), seal="f" * 70, timeline=Timeline(keys)))) <= 600
    genes = tuple(range(2**62, 2**62 + 27))
    shares = tuple(tuple(255 if i // 9 == band else 0 for band in range(3)) for i in range(27))
    bred = tuple(Key(Genome(genes, shares), (), 1 + i) for i in range(2))
    with pytest.raises(Refused) as refused:
        Artwork("film", MODEL, (), timeline=Timeline(bred))
    assert refused.value.refusal.reason == "film-code"
    assert encode(Artwork("film", MODEL, (), timeline=Timeline(bred[:1], "breathe")))
    levels = torch.zeros(3, found.AXES, dtype=torch.int8)
    own = tuple(Key(genome_of(found.write(TOY, levels, number))) for number in range(3))
    with pytest.raises(Refused) as refused:
        Artwork("film", MODEL, (), timeline=Timeline(own))
    assert refused.value.refusal.reason == "code-full"
    assert encode(Artwork("film", MODEL, (), timeline=Timeline(own[:2])))


def test_what_does_not_fit_into_a_code_sealed_or_not_is_refused_in_a_sentence():
    genes = [2**63 - 1 - i for i in range(27)]
    shares = [tuple(255 if i // 9 == band else 0 for band in range(3)) for i in range(27)]
    ways = [(f"sefa{number}", 3) for number in range(1, 13)]
    for seal in ("", "f" * 70):
        with pytest.raises(Refused, match="fewer directions"):
            Artwork("steer", "f" * 16, genes, 2, labels=[999] * 27, shares=shares, steps=ways, seal=seal)
    bred = [1_000_000 + i for i in range(27)]  # as bred pictures really are: there is room for them all
    work = Artwork("steer", "f" * 16, bred, 2, labels=[999] * 27, shares=shares, steps=ways, seal="f" * 70)
    assert len(encode(work)) <= 600 and decode(encode(work)) == work


def test_codes_that_people_have_shared_already_still_mean_the_same():
    """Written down once: if this fails, links out in the world are broken, and the version must rise instead."""
    work = Artwork("sample", "3fa2b90c11d07e55", (41,))
    assert encode(work) == "AT-iuQwR0H5VALwFASklW1fe"
    film = Artwork(
        "walk", "3fa2b90c11d07e55", (1, 5, 300), seconds=8, fps=24, how="z", easing="smooth", loop=True
    )
    assert encode(film) == "AT-iuQwR0H5Vw7wFAwEFrALAPhgB57AJmQ"
    labelled = Artwork("sample", "3fa2b90c11d07e55", (41,), label=3)
    between = dataclasses.replace(film, operation="label_walk", seeds=(1, 5), how="w", labels=(0, 2))
    steered = Artwork(
        "steer", "3fa2b90c11d07e55", (41,), shares=((255,) * 3,), steps=(("light", 1.0), ("hue", -3))
    )
    assert encode(steered) == "AT-iuQwR0H5VCLwFASkA____AgCUA0Thy0Rw"
    ways = (("light", 1.0), ("sefa2@fine", -1.5), ("pca1", 0.05))
    assert encode(dataclasses.replace(steered, steps=ways)) == "AT-iuQwR0H5VCLwFASkA____AwCUwAFi8QCBU5ESpg"
    assert encode(labelled) == "AT-iuQwR0H5VELwFAwEp1MGJug"
    assert encode(between) == "AT-iuQwR0H5VRbwFAgEFAgACwD4YAYCjlp4"
    bred = Key(cross(genome_of(7), genome_of(9), (0, 0.5, 1)))
    keys = (Key(genome_of(1)), Key(genome_of(5), (("light", 1.5),), 1.5, "gentle", 0.5), bred)
    timeline = Artwork("film", "3fa2b90c11d07e55", (), timeline=Timeline(keys))
    assert encode(timeline) == "AT-iuQwR0H5VCbwFhwEYAAMByAEBMpYBMgEAngVByAECBwn__wAA__8tAVT7"
    heard = (Reaction("speed", "onset", 0.8), Reaction("warmth", "low", -1))
    plan = {"kind": "breathe", "fps": 30, "loop": False, "moving": ("fine",), "radius": 0.3, "until": 1.2}
    plan |= {
        "start": (("light", -1),),
        "end": (("light", 2),),
        "music": Music("0123456789abcdef", 12.5, heard),
    }
    music = dataclasses.replace(timeline, timeline=Timeline((Key(genome_of(41, 3)),), **plan))
    assert encode(music) == "AT-iuQwR0H5VCbwFfAkerAKwCQEAbAEAqAEjRWeJq83v4gkCAACQAwJsAQHIASkDeXcQSQ"
    drawn = Translation("0123456789abcdef" * 2, Dials(0.8, drawn=True))
    painted = Artwork("translate", "3fa2b90c11d07e55", (), translation=drawn)
    assert encode(painted) == "AT-iuQwR0H5VCrwFAQEjRWeJq83vASNFZ4mrze-gBmq65UM"
    repair = Translation("0123456789abcdef" * 2, mask="fedcba9876543210" * 2)
    assert (
        encode(dataclasses.replace(painted, translation=repair))
        == "AT-iuQwR0H5VCrwFBAEjRWeJq83vASNFZ4mrze_-3LqYdlQyEP7cuph2VDIQ6AchpKh5"
    )
    larger = Translation("0123456789abcdef" * 2, Dials(back=True, times=4))
    assert (
        encode(dataclasses.replace(painted, translation=larger))
        == "AT-iuQwR0H5VCrwFCgEjRWeJq83vASNFZ4mrze_oBwTF5EjC"
    )


@pytest.mark.parametrize(
    "link",
    [
        "{}",
        "  {}\n",
        "http://127.0.0.1:7860/?art={}",
        "https://a.hf.space/?__theme=dark&art={}&x=1#top",
        "http://host/gradio_api/art/{}.png",
        "http://host/gradio_api/art/{}",
        "/gradio_api/art/{}.webp?x=1",
        "?art={}",
    ],
)
def test_a_whole_link_is_understood_as_the_code_in_it(link):
    code = encode(Artwork("sample", MODEL, (7,)))
    assert find_code(link.format(code)) == code
    assert decode(link.format(code)).seeds == (7,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "hello",
        "-1",
        "9" * 20,
        "A" * 601,
        "A" * 5000,
        "<script>alert(1)</script>",
        "http://host/?art=",
        "http://host/?art=<b>",
        "../../etc/passwd",
        "A" * 20 + "=",
        "A" * 20 + "\0",
        "ä" * 24,
        None,
        7,
        b"AT-iuQwR0H5VALwFASkd3VjI",
    ],
)
def test_what_is_no_code_is_refused_in_a_sentence(text):
    with pytest.raises(Refused) as refused:
        decode(text)
    assert refused.value.refusal.reason in ("not-a-code", "code-mistyped")
    assert 20 < len(refused.value.refusal.sentence) <= 160


@playing.untimed
@given(st.text(max_size=80) | st.from_regex(r"[A-Za-z0-9_-]{16,80}", fullmatch=True))
@example("A" * 24)
def test_any_text_is_refused_or_was_made_here(text):
    with pytest.raises(Refused):
        decode(text)


@playing.untimed
@given(st.binary(max_size=120))
def test_forged_codes_are_an_artwork_that_can_be_or_refused(data):
    for forged in (data, bytes([1]) + bytes(8) + data):
        try:
            work = decode(signed(forged))
        except Refused as refused:
            assert len(refused.refusal.sentence) <= 160
        else:
            assert encode(work) == signed(forged)
            assert work.operation in artworks.OPERATIONS and 0 <= work.truncation <= 2


@playing.untimed
@given(works(), st.data())
def test_a_code_with_one_wrong_missing_or_extra_character_is_told_from_a_good_one(work, data):
    code = encode(work)
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_"))
    for wrong in (code[:place] + other + code[place + 1 :], code[:place] + code[place + 1 :], code + other):
        if wrong != code and len(wrong) <= 600:
            with pytest.raises(Refused):
                decode(wrong)


def test_a_mistyped_code_a_newer_one_and_a_foreign_model_are_told_apart(home):
    code = encode(Artwork("sample", MODEL, (7,)))
    with pytest.raises(Refused) as mistyped:
        decode(code[:12] + ("A" if code[12] != "A" else "B") + code[13:])
    with pytest.raises(Refused) as newer:
        decode(signed(bytes([2]) + bytes(20)))
    with pytest.raises(Refused) as foreign:
        render(home, Artwork("sample", "3fa2b90c11d07e55", (7,)))
    assert mistyped.value.refusal.reason == "code-mistyped"
    assert newer.value.refusal.reason == "code-version"
    assert foreign.value.refusal.reason == "model-missing"
    assert "3fa2b90c11d07e55" in foreign.value.refusal.sentence


def test_one_artwork_has_one_spelling():
    work = Artwork("sample", MODEL, [7], truncation=0.7000001)
    assert work == Artwork("sample", TOY.digest, ("7",), truncation=0.7, columns=[], loop=False)
    data = base64.urlsafe_b64decode(encode(work))[:-4]
    longer = data.replace(bytes([0xBC, 0x05]), bytes([0xBC, 0x85, 0x00]))  # 700, written with a zero too many
    assert longer != data
    with pytest.raises(Refused):
        decode(signed(longer))


@pytest.mark.parametrize(
    "fields",
    [
        {"operation": "delete"},
        {"operation": None},
        {"operation": ["sample"]},
        {"model": "../../x"},
        {"model": "F" * 16},
        {"model": None},
        {"seeds": ()},
        {"seeds": (1, 2)},
        {"seeds": (-1,)},
        {"truncation": 3},
        {"label": -1},
        {"label": "x"},
        {"label": 10**9},
        {"weights": (0, 0, 1)},
        {"fps": 24},
        {"seal": "00"},
        {"seal": None},
        {"operation": "mix", "seeds": (1, 2)},
        {"operation": "mix_grid", "columns": (1,), "band": "x"},
        {"operation": "mix_grid", "columns": (), "band": "fine"},
        {"operation": "walk", "seeds": (1, 2)},
        {"labels": (1,)},
        {"operation": "film"},
        {"operation": "film", "timeline": "x"},
        {"timeline": Timeline((Key(genome_of(1)), Key(genome_of(2))))},
        {"operation": "film", "timeline": Timeline((Key(genome_of(1, 9999)), Key(genome_of(2, 1))))},
        {"operation": "translate"},
        {"operation": "translate", "seeds": (), "translation": "x"},
        {"operation": "translate", "seeds": (), "translation": Translation("0" * 31)},
        {"operation": "translate", "seeds": (), "translation": Translation("0" * 32, mask="g" * 32)},
        {"operation": "translate", "seeds": (), "translation": Translation("0" * 32, Dials(2.5))},
        {"operation": "translate", "seeds": (), "translation": Translation("0" * 32, Dials(times=3))},
        {"operation": "translate", "seeds": (), "translation": Translation("0" * 32), "truncation": 1},
        {"operation": "translate", "seeds": (), "translation": Translation("0" * 32), "label": 0},
        {"operation": "translate", "seeds": (1,), "translation": Translation("0" * 32)},
        {"translation": Translation("0" * 32)},
        {"operation": "label_grid"},
        {"operation": "label_grid", "labels": (0,), "label": 0},
        {"operation": "label_grid", "labels": (0,) * 13},
        {"operation": "label_grid", "labels": ("x",)},
        {"operation": "label_mix", "seeds": (1, 2), "labels": (1, 1), "weights": (0, 0, 1)},
        {"operation": "label_mix", "seeds": (1, 2), "labels": (1,), "weights": (0, 0, 1)},
        {"operation": "label_mix", "seeds": (1, 2), "labels": (1, 1000), "weights": (0, 0, 1)},
    ],
)
def test_an_artwork_that_can_t_be_is_refused_when_it_is_made(fields):
    with pytest.raises(Refused) as refused:
        Artwork(**{"operation": "sample", "model": MODEL, "seeds": (1,), **fields})
    assert len(refused.value.refusal.sentence) <= 160


# Rendering


WORKS = {
    "sample": Artwork("sample", MODEL, (7,)),
    "mix": Artwork("mix", MODEL, (7, 2**40), weights=(0, 0.5, 1)),
    "mix_grid": Artwork("mix_grid", MODEL, (1, 2), columns=(3, 4), band="coarse"),
    "walk": Artwork("walk", MODEL, (1, 5), seconds=0.5, fps=8, how="w", easing="smooth", loop=True),
    "film": Artwork(
        "film",
        MODEL,
        (),
        timeline=Timeline(
            (
                Key(genome_of(1), (("light", 1.0),), 0.5),
                Key(cross(genome_of(5), genome_of(6), (0.4, 0, 1)), (), 0.5),
            ),
            fps=8,
            until=1.2,
            end=(("warmth", 1),),
        ),
    ),
}


def test_a_fresh_process_renders_the_same_pixels_and_the_same_png(home):
    here = {kind: render(home, work) for kind, work in WORKS.items()}
    for film in home.glob("films/*"):
        film.unlink()
    program = """
import hashlib, json, pathlib, sys, torch
torch.set_num_threads(2)
from gan_play.share.artwork import decode, render
home, codes = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
there = {kind: render(home, decode(code)) for kind, code in codes.items()}
found = {kind: [done.sha256, hashlib.sha256(done.png).hexdigest(), done.sentence] for kind, done in there.items()}
print(json.dumps(found))
"""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            program,
            str(home),
            json.dumps({kind: work.code for kind, work in here.items()}),
        ],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    for kind, (sha256, png, sentence) in json.loads(done.stdout).items():
        assert sha256 == here[kind].sha256, kind
        assert png == hashlib.sha256(here[kind].png).hexdigest(), kind
        assert sentence.startswith("Identical"), kind


def test_the_digest_is_that_of_the_raw_pixels(home):
    done = render(home, WORKS["sample"])
    assert done.sha256 == hashlib.sha256(sample.sample_one(TOY, 7).tobytes()).hexdigest()
    assert np.array_equal(images.read_kept(done.png), done.pixels)


def test_the_digest_of_a_walk_covers_all_its_frames(home):
    done, work = render(home, WORKS["walk"]), WORKS["walk"]
    frames = list(walk.walk(TOY, work.seeds, work.seconds, work.fps, "w", "smooth", True))
    assert len(frames) == 4
    assert done.sha256 == hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest()
    assert done.film.parent == home / "films" and done.film.suffix == ".mp4"


def test_the_frames_of_a_film_are_made_while_it_is_written_and_not_kept(home, monkeypatch):
    made, ahead, length = [], [], dataclasses.replace(WORKS["walk"], seconds=2.0)

    def counted(*given, **more):
        for frame in walk.walk(*given, **more):
            made.append(frame.shape)
            yield frame

    monkeypatch.setattr(artworks, "walk", counted)
    render(home, length, progress=lambda done, total: ahead.append(len(made) - done))
    assert len(made) == len(ahead) > 10 and max(ahead) <= 2


def test_a_film_is_rendered_once_and_again_where_it_is_missing_or_of_another_build(home, monkeypatch):
    first, calls = render(home, WORKS["walk"]), []
    again = render(home, WORKS["walk"], progress=lambda *done: calls.append(done))
    assert (again.sha256, again.film, calls) == (first.sha256, first.film, [])
    first.film.unlink()
    assert render(home, WORKS["walk"], progress=lambda *done: calls.append(done)).sha256 == first.sha256
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    monkeypatch.setattr(torch, "__version__", "9.9")
    render(home, WORKS["walk"], progress=lambda *done: calls.append(done))
    assert len(calls) == 8


def test_a_film_that_was_made_is_proved_and_shared_without_its_sound_and_never_made_again_for_that(
    home, monkeypatch
):
    path = test_music.write_wav(home / "a.wav", test_music.tone(1))
    heard = music.keep(home, path)
    reactions = (Reaction("speed", "loudness", 0.5),)
    keys = (Key(genome_of(1)), Key(genome_of(2)))
    plan = Timeline(keys, fps=4, music=Music(heard.digest, heard.seconds, reactions))
    work = Artwork("film", MODEL, (), timeline=plan)
    assert artworks.film_proof(home, work, "mp4") is None
    made = render(home, work)
    heard.path.unlink()
    again = render(home, decode(made.code))
    assert (again.code, again.sha256, again.film) == (made.code, made.sha256, made.film)
    assert again.sentence.startswith("Identical")
    monkeypatch.setattr(torch, "__version__", "9.9")  # as stating other rights, it asks for another card
    sha256, code, sentence = artworks.film_proof(home, decode(made.code), "mp4")
    assert (sha256, code) == (made.sha256, made.code) and sentence.startswith("Identical")
    assert artworks.film_proof(home, work, "../mp4") is artworks.film_proof(home, work, "gif") is None
    with pytest.raises(Refused, match="no sound"):
        render(home, work)
    for noted in (
        "",
        "[]",
        '{"sha256": 7, "fields": 7}',
        '{"sha256": "x", "fields": "zz"}',
        '{"sha256": "x"}',
    ):
        made.film.with_name(made.film.name + ".json").write_text(noted)
        assert artworks.film_proof(home, work, "mp4") is None


def test_old_films_make_room_for_new_ones(home, monkeypatch):
    monkeypatch.setattr(limits, "MOST_KEPT_FILMS", 2)
    made = [render(home, dataclasses.replace(WORKS["walk"], seeds=(1, seed))).film for seed in range(2, 6)]
    assert [film.exists() for film in made] == [False, False, True, True]
    assert len(list((home / "films").iterdir())) == 4


def test_what_a_killed_writer_left_goes_once_it_is_old(home):
    folder = home / "films"
    folder.mkdir()
    old, fresh = folder / ".a.mp4.1-0.tmp.mp4", folder / ".b.mp4.1-1.tmp.mp4"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    render(home, WORKS["walk"])
    assert not old.exists() and fresh.exists()


def test_a_film_in_another_format_is_another_file_of_the_same_frames(home):
    assert render(home, WORKS["walk"], form="gif").sha256 == render(home, WORKS["walk"]).sha256
    with pytest.raises(Refused, match="mp4, gif or webp"):
        render(home, WORKS["walk"], form="../x")


def test_a_sealed_link_says_identical_or_by_how_much_it_differs(home):
    plain = render(home, WORKS["sample"])
    assert "no digest" in plain.sentence
    sealed = decode(plain.code)
    assert dataclasses.replace(sealed, seal="") == WORKS["sample"]
    assert render(home, sealed).sentence.startswith("Identical")

    def elsewhere(change):
        fields = bytes(min(max(value + change, 0), 255) for value in bytes.fromhex(sealed.seal[16:]))
        return render(home, dataclasses.replace(sealed, seal="0" * 16 + fields.hex())).sentence

    assert elsewhere(0).startswith("Not byte for byte the same") and "within 1 of 255" in elsewhere(1)
    assert elsewhere(40).startswith("Not the same picture") and "up to 40 of 255" in elsewhere(40)
    for change in (0, 1, 40):
        assert len(elsewhere(change)) <= 160


def test_a_picture_carries_its_card_and_leads_back_to_its_artwork(home):
    done = render(home, WORKS["mix"])
    said = images.read_text(done.png)
    assert said["Code"] == done.code and "GAN Play" in said["Software"] and MODEL == said["Model"]
    assert read_card(done.png) == decode(done.code)
    for other in (b"", b"text", images.encode(done.pixels), images.encode(done.pixels, text={"Code": "<b>"})):
        with pytest.raises(Refused):
            read_card(other)


def test_a_model_with_one_changed_byte_is_refused(home):
    path = next(home.glob("*/model-*.safetensors"))
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    with pytest.raises(Refused):
        render(home, WORKS["sample"])


def test_a_deleted_run_s_links_are_refused_although_its_model_was_in_memory(home):
    render(home, WORKS["sample"])
    folder = home / "toy-000000"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(Refused, match="needs the model"):
        render(home, WORKS["sample"])


def test_a_label_that_the_model_has_not_is_refused(home):
    with pytest.raises(Refused, match="label"):
        render(home, Artwork("sample", MODEL, (1,), label=3))


def test_sharing_keeps_a_model_that_pruning_would_have_removed(home):
    folder = home / "toy-000000"
    next(folder.glob("model-*")).unlink()
    from gan_play.trainers.loop import begin

    training = begin(TOY.settings)
    header = checkpoints.make_header(TOY.settings, "", 0)
    checkpoints.save(folder, 0, training.tensors(), header)
    model = sample.load(home, "toy-000000")
    code = share(home, Artwork("sample", model.digest, (7,))).code
    checkpoints.states(folder)[0].unlink()
    sample._held.clear()
    assert render(home, decode(code)).sentence.startswith("Identical")


def test_a_newer_checkpoint_is_taken_up_and_a_damaged_one_passed_over(home):
    from gan_play.trainers.loop import begin

    folder, training = home / "toy-000000", begin(TOY.settings)
    digests = []
    for step in (1, 2):
        with torch.no_grad():
            next(training.average.parameters()).add_(1e-3)
        checkpoints.save(folder, step, training.tensors(), checkpoints.make_header(TOY.settings, "", step))
        digests.append(sample.load(home, "toy-000000").digest)
        assert sample.load(home, "toy-000000").step == step
    assert len(set(digests)) == 2
    newest = checkpoints.states(folder)[0]
    newest.write_bytes(newest.read_bytes()[:-50])
    sample._held.clear()
    assert sample.load(home, "toy-000000").digest == digests[0]


def test_a_run_that_is_not_there_or_has_nothing_yet_is_refused(home):
    (home / "bare-000000").mkdir()
    (home / "bare-000000" / "run.json").write_text("{}")
    for run in ("bare-000000", "none-000000", "../toy-000000", "", "<b>", "x" * 500):
        with pytest.raises(Refused) as refused:
            sample.load(home, run)
        assert len(refused.value.refusal.sentence) <= 160


# Comparing


def test_pictures_are_compared_in_a_sentence():
    black = np.zeros((10, 10, 3), np.uint8)
    spot = black.copy()
    spot[0, 0, 1] = 3
    assert compare(black, black.copy()).startswith("Identical")
    assert compare(black, spot) == "Differs in 1.0% of its pixels, by at most 3 of 255."
    assert compare(black, black[:5]) == "Another picture: 10 x 10 pixels, not 10 x 5."


def test_what_an_operation_does_not_use_is_refused_and_a_seed_alone_is_no_breed():
    for operation, more in (("sample", {}), ("mix", {"weights": (0, 0, 1)})):
        seeds = (1, 2)[: 1 + bool(more)]
        for extra in ({"steps": (("light", 1.0),)}, {"shares": ((255, 255, 255),)}):
            with pytest.raises(Refused):
                Artwork(operation, MODEL, seeds, **more, **extra)
    shares = ((255, 255, 255), (1, 1, 1))
    with pytest.raises(Refused):
        Artwork("breed", MODEL, (1, 2), shares=shares, steps=(("light", 1.0),))
    for one in ((255, 255, 255), (1, 1, 1)):
        with pytest.raises(Refused):
            Artwork("breed", MODEL, (5,), shares=(one,))


def test_a_code_given_as_parent_keeps_how_it_was_steered_and_how_adventurous_it_is():
    genome = artworks.parent(TOY, "7").genome
    steered = artworks.bred(genome, MODEL, 1.2, (("light", 1.0),))
    found = artworks.parent(TOY, encode(steered))
    assert (found.steps, found.truncation, found.genome) == ((("light", 1.0),), 1.2, genome)
    brood = artworks.brood([found, artworks.parent(TOY, "9")], range(3), 0.3)
    assert [child.steps for child in brood] == [(("light", 1.0),), (("light", 0.5),), ()]
    assert all(child.truncation == 1.2 for child in brood)
