"""The gallery on disk: what is kept, by whom, and what a damaged or foreign file does to it."""

from pathlib import Path

import numpy as np
import playground
import pytest

from gan_play.latent import sample
from gan_play.pictures import images
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.ui import gallery


@pytest.fixture
def home(tmp_path: Path) -> Path:
    playground.run_in(tmp_path)
    return tmp_path


def code(home: Path, seed: int, operation: str = "sample") -> str:
    digest = sample.load(home, playground.RUN).digest
    return artworks.encode(Artwork(operation, digest, (seed,)))


def test_what_is_kept_is_a_picture_with_its_recipe_and_its_facts(home):
    work_id = gallery.keep(home, code(home, 5))
    (work,) = gallery.works(home)
    assert work["id"] == work_id and work["how"] == "kept" and work["title"].startswith("Seed 5,")
    png = (home / "gallery" / f"{work_id}.png").read_bytes()
    assert artworks.read_card(png).seeds == (5,)
    assert gallery.compared(home, png).startswith("Identical")


def test_keeping_twice_keeps_once_and_a_link_that_was_opened_can_be_kept(home):
    for how in ("opened", "opened", "kept", "kept", "opened"):
        gallery.keep(home, code(home, 5), how=how)
    assert [work["how"] for work in gallery.works(home)] == ["kept"]


def test_a_removed_work_is_gone_from_the_disk(home):
    gallery.keep(home, code(home, 5))
    (work,) = gallery.works(home)
    assert gallery.forget(home, work["code"])
    assert not list((home / "gallery").iterdir())
    assert not gallery.forget(home, work["code"])


def test_in_public_each_browser_sees_and_removes_only_its_own(home):
    gallery.keep(home, code(home, 1), key="mine")
    (work,) = gallery.works(home, "mine", public=True)
    assert gallery.works(home, "yours", public=True) == gallery.works(home, "", public=True) == []
    assert not gallery.forget(home, work["code"], "yours", public=True)
    assert b"mine" not in (home / "gallery" / f"{work['id']}.json").read_bytes()


def test_the_gallery_has_an_end(home, monkeypatch):
    monkeypatch.setattr(gallery, "MOST_WORKS", 2)
    for seed in (1, 2):
        gallery.keep(home, code(home, seed))
    with pytest.raises(Refused, match="full"):
        gallery.keep(home, code(home, 3))
    assert len(gallery.works(home)) == 2


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"code": 5}', '{"code": "AAAA", "how": "kept", "time": 1}']
)
def test_a_damaged_work_is_passed_over(home, text):
    gallery.keep(home, code(home, 1))
    (home / "gallery" / "broken.json").write_text(text)
    assert len(gallery.works(home)) == 1


def test_a_changed_picture_is_told_from_a_true_one(home):
    work_id = gallery.keep(home, code(home, 5))
    png = (home / "gallery" / f"{work_id}.png").read_bytes()
    pixels = images.decode(png).copy()
    pixels[0, 0] = 255 - pixels[0, 0]
    forged = images.encode(pixels, "png", text=images.read_text(png))
    assert gallery.compared(home, forged).startswith("Differs")
    with pytest.raises(Refused):
        gallery.compared(home, images.encode(np.zeros((32, 32, 3), np.uint8), "png"))


@pytest.mark.parametrize("text", ["", "hello", "<script>", "../../etc/passwd"])
def test_a_bad_code_is_not_kept(home, text):
    with pytest.raises(Refused):
        gallery.keep(home, text)
