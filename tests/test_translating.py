"""Pictures through a translator: one, many, from files of anybody; their codes, cards and links."""

import dataclasses

import numpy as np
import playground
import pytest

from gan_play import cli
from gan_play.latent import sample
from gan_play.pictures import examples, images
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import card, translating
from gan_play.translate import translator


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with three translators, and a model that paints from seeds."""
    home = tmp_path_factory.mktemp("home")
    for preset in ("sketch", "repair", "enlarge"):
        playground.translator_in(home, preset, f"toy-{preset}")
    playground.run_in(home)
    return home


def photo(path, seed: int = 0, size: int = 64):
    """A picture file, wider than high."""
    path.write_bytes(images.encode(examples.draw("mountains", seed, size)[: size * 3 // 4], "png"))
    return path


def run(home, *words: object) -> int:
    return cli.main(["translate", *map(str, words), "--home", str(home)])


def refused(capsys) -> str:
    """The one sentence that was said."""
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and len(said[0]) <= 160
    return said[0]


def test_a_picture_is_translated_and_its_code_brings_it_back(home, tmp_path, capsys):
    path, out = photo(tmp_path / "photo.png"), tmp_path / "out.png"
    assert run(home, "toy-sketch", path, "--out", out, "--strength", "0.9") == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out)
    code = said.err.strip().splitlines()[-1]
    work = artworks.decode(code)
    assert work.operation == "translate" and work.translation.dials.strength == 0.9
    again = tmp_path / "again.png"
    assert cli.main(["render", code, "--out", str(again), "--home", str(home)]) == 0
    assert "Identical" in capsys.readouterr().err
    assert again.read_bytes() == out.read_bytes()
    found = card.read(out.read_bytes())
    assert found.code == code and card.compare(home, out.read_bytes(), found).same


def test_a_link_without_its_picture_or_its_model_is_refused_in_a_sentence(home, tmp_path, capsys):
    path, out = photo(tmp_path / "photo.png", 1), tmp_path / "out.png"
    assert run(home, "toy-sketch", path, "--out", out) == 0
    code = capsys.readouterr().err.strip().splitlines()[-1]
    other = tmp_path / "other"
    playground.translator_in(other, "sketch", "toy-sketch")
    with pytest.raises(Refused, match="isn't here: a link holds none"):
        artworks.render(other, artworks.decode(code))
    playground.run_in(tmp_path / "third")
    sample._held.clear()
    with pytest.raises(Refused, match="needs the model"):
        artworks.render(tmp_path / "third", artworks.decode(code))
    painter = sample.load(home, playground.RUN)
    forged = dataclasses.replace(artworks.decode(code), model=painter.digest[:16], seal="")
    with pytest.raises(Refused, match="takes no picture"):
        artworks.render(home, forged)


def test_a_repair_leaves_the_file_as_it_was_outside_of_the_mask(home, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    mask = np.zeros_like(pixels)
    mask[40:60, 50:90] = 255
    for name, one in (("noise", pixels), ("mask", mask)):
        (tmp_path / f"{name}.png").write_bytes(images.encode(one, "png"))
    out = tmp_path / "out.png"
    assert run(home, "toy-repair", tmp_path / "noise.png", "--mask", tmp_path / "mask.png", "--out", out) == 0
    made = images.decode(out.read_bytes())
    assert (made[mask == 0] == pixels[mask == 0]).all() and (made[mask > 0] != pixels[mask > 0]).any()


def test_many_pictures_come_out_under_their_names_and_bad_ones_are_said(home, tmp_path, capsys):
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    for seed in range(3):
        photo(folder / f"{seed}.png", seed)
    (folder / "0.jpg").write_bytes(images.encode(examples.draw("fields", 1, 48), "jpeg"))
    (folder / "notes.png").write_text("no picture")
    (folder / "notes.txt").write_text("left out")
    long = np.zeros((1, 3000, 3), np.uint8)
    (folder / "strip.png").write_bytes(images.encode(long, "png"))
    assert run(home, "toy-enlarge", folder, "--times", "4", "--size", "32", "--out", f"{out}/") == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out)
    assert sorted(path.name for path in out.iterdir()) == ["0-2.png", "0.png", "1.png", "2.png"]
    assert images.png_size((out / "1.png").read_bytes()) == (128, 96)
    assert "notes.png is not a picture" in said.err and "strip.png is only 3000 x 1" in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["toy-000000", "photo.png"], "takes no picture"),
        (["toy-nothing", "photo.png"], "no run called"),
        (["toy-sketch", "none.png"], "can't be read"),
        (["toy-sketch", "photo.png", "--size", "5"], "is no size"),
        (["toy-sketch", "photo.png", "--strength", "x"], "how strong"),
        (["toy-sketch", "photo.png", "--back"], "one way only"),
        (["toy-sketch", "photo.png", "--times", "2"], "times as large"),
        (["toy-sketch", "white.png", "--drawn"], "Nothing is drawn"),
        (["toy-sketch", "photo.png", "white.png"], "takes a single picture"),
        (["toy-repair", "photo.png"], "No damage is marked"),
        (["toy-repair", "photo.png", "--mask", "black.png"], "No damage is marked"),
        (["toy-repair", "photo.png", "--mask", "white.png"], "Almost all"),
        (["toy-repair", "photo.png", "--mask", "small.png"], "another size"),
    ],
)
def test_what_cannot_be_translated_is_refused_in_a_sentence(
    home, tmp_path, capsys, monkeypatch, words, sentence
):
    photo(tmp_path / "photo.png")
    for name, shade, size in (("white", 255, (48, 64)), ("black", 0, (48, 64)), ("small", 255, (20, 20))):
        (tmp_path / f"{name}.png").write_bytes(images.encode(np.full((*size, 3), shade, np.uint8), "png"))
    monkeypatch.chdir(tmp_path)
    assert run(home, *words, "--out", "out.png") == cli.REFUSED
    assert sentence in refused(capsys) and not (tmp_path / "out.png").exists()


def test_a_folder_without_pictures_is_refused(home, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run(home, "toy-sketch", tmp_path / "empty", "--out", tmp_path / "out") == cli.REFUSED
    assert "No picture was found in empty" in refused(capsys)


def test_a_batch_tells_how_far_it_is_and_keeps_nothing_for_good_where_strangers_come(home, tmp_path):
    pictures = [photo(tmp_path / f"{seed}.png", seed + 50) for seed in range(2)]
    kept = set((home / "inputs").glob("*.png")) if (home / "inputs").exists() else set()
    steps = translating.zipped(
        home, "toy-sketch", pictures, tmp_path / "many.zip", for_good=False, side_px=32
    )
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            names, refusals = end.value
            break
    assert [(step.done, step.total) for step in told] == [(0, 2), (1, 2), (2, 2)]
    assert names == ["0.png", "1.png"] and not refusals
    assert set((home / "inputs").glob("*.png")) == kept
    data = (tmp_path / "many.zip").read_bytes()
    assert data.startswith(b"PK") and b"0.png" in data and pictures[0].exists()


def test_a_picture_is_brought_down_and_never_up():
    pixels = np.zeros((30, 60, 3), np.uint8)
    assert translating.sized(pixels, 64) is pixels
    assert translating.sized(pixels, 40).shape == (20, 40, 3)
    assert translator.Dials().times == 1
