"""The desk of a translator: what a browser sends is checked, what is shown is escaped, and the live answer is quick."""

import base64
import io

import numpy as np
import playground
import playing
import pytest
from PIL import Image

from gan_play.pictures import images
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import translating
from gan_play.translate import translator
from gan_play.ui import draw, page, share_routes, translate, words


@pytest.fixture(autouse=True)
def uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))


def canvas(opaque: np.ndarray, shade: int = 0) -> str:
    """A canvas with marks on it, as a browser sends it."""
    pixels = np.zeros((*opaque.shape, 4), np.uint8)
    pixels[opaque] = (shade, shade, shade, 255)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def marks(size: int = 64) -> np.ndarray:
    opaque = np.zeros((size, size), bool)
    opaque[8:24, 16:40] = True
    return opaque


@pytest.mark.parametrize(
    "sent", ["", "data:image/png;base64,AAAA", 7, None, "x" * 3_000_000, canvas(marks(1024))]
)
def test_what_is_no_canvas_is_refused(sent):
    with pytest.raises(Refused, match="not a picture"):
        draw.read_drawing(sent, 32)


def test_a_drawing_is_read_over_white_at_the_size_that_is_asked_for():
    pixels = draw.read_drawing(canvas(marks()), 32)
    assert pixels.shape == (32, 32, 3)
    assert (pixels[6:10, 10:18] < 8).all() and (pixels[20:] > 247).all()


def test_damage_is_where_the_brush_was_at_the_size_of_the_picture():
    assert draw.read_damage("", 10, 10) is None
    found = draw.read_damage(canvas(marks()), 32, 128)
    assert found.shape == (32, 128) and found[4:12, 32:80].all() and found.sum() == 8 * 48


def test_hints_are_the_colours_that_were_brushed_on_at_the_size_of_the_picture():
    assert draw.read_hints("", 10, 10) is None
    found = draw.read_hints(canvas(marks(), 90), 32, 128)
    assert found.shape == (32, 128, 4) and (found[4:12, 32:80] == (90, 90, 90, 255)).all()
    assert (found[:, :, 3] > 0).sum() == 8 * 48


def test_a_photo_under_a_drawing_is_what_the_translator_takes_of_it():
    pixels = np.full((60, 90, 3), 40, np.uint8)
    pixels[:, 45:] = (200, 120, 40)
    lines = draw.ground_of(playing.translator("sketch"), pixels)
    assert lines.shape == (43, 64, 3) and (lines[:, :20] > 245).all() and lines[:, 28:36].min() < 128
    assert (draw.ground_of(playing.translator(""), pixels) == pixels).all()


def test_the_live_answer_is_what_the_translator_makes_of_the_drawing(tmp_path):
    playground.translator_in(tmp_path)
    live = draw.live(tmp_path)
    answer = live([playground.TRANSLATOR, canvas(marks()), "32", "1", ""])
    data = base64.b64decode(answer["src"].removeprefix("data:image/jpeg;base64,"))
    toy = translator.load(tmp_path, playground.TRANSLATOR)
    wanted = translator.translate(toy, draw.read_drawing(canvas(marks()), 32), drawn=True)
    assert np.abs(images.decode(data).astype(int) - wanted).mean() < 12  # JPEG


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["toy-nothing", canvas(marks()), "32", "1", ""], "no run called"),
        (["../../etc", canvas(marks()), "32", "1", ""], "no run called"),
        ([playground.TRANSLATOR, "x", "32", "1", ""], "not a picture"),
        ([playground.TRANSLATOR, canvas(marks()), "9999", "1", ""], "is no size"),
        ([playground.TRANSLATOR, canvas(marks()), "32", "9", ""], "how strong"),
        ([playground.TRANSLATOR, canvas(marks()), "32", "1", "back"], "one way only"),
        ([playground.TRANSLATOR, canvas(np.ones((64, 64), bool), 255), "32", "1", ""], "Nothing is drawn"),
        (None, "no run called"),
        ({"a": 1}, "no run called"),
    ],
)
def test_a_live_question_that_cannot_be_answered_is_answered_in_a_sentence(tmp_path, asked, sentence):
    playground.translator_in(tmp_path)
    assert sentence in draw.live(tmp_path)(asked)["sentence"]


def test_each_kind_of_translator_has_its_desk(tmp_path):
    path = translate.laid(np.zeros((40, 60, 3), np.uint8))
    sketch, flat, repair, colour = map(playing.translator, ("sketch", "flat", "repair", "colour"))
    assert translate.kind_of(sketch) == translate.kind_of(flat) == "draw" != translate.kind_of(colour)
    assert "data-colour" in draw.desk(flat, kind="draw") and "data-colour" not in draw.desk(
        sketch, kind="draw"
    )
    assert 'data-act="draw"' in draw.desk(sketch) and 'data-act="draw"' not in draw.desk(repair)
    assert 'class="damage" width="60" height="40"' in draw.desk(repair, path)
    assert 'class="hints" width="60" height="40"' in draw.desk(colour, path)
    assert "<canvas" not in draw.desk(playing.translator("enlarge"), path)
    on_photo = draw.desk(sketch, path, "draw")
    assert 'width="512" height="341"' in on_photo and "data-ground" in on_photo and "data-trace" in on_photo
    assert draw.desk(None) == ""
    for preset in ("sketch", "flat", "colour", "repair", "enlarge", ""):
        toy = playing.translator(preset)
        assert translate.about(toy) and translate.waiting_html(toy)


def test_a_name_that_a_stranger_typed_is_escaped():
    html = translate.painting_html("a", "b", (4, 3), "<b>mine", 50, code="", said="<i>")
    assert "<b>" not in html and "<i>" not in html and "&lt;b&gt;mine" in html


def test_an_address_leads_to_the_tab_of_its_artwork(tmp_path):
    playground.translator_in(tmp_path)
    assert not page.is_translation("AT-iuQwR0H5VALwFASklW1fe") and not page.is_translation("nonsense")
    assert page.is_translation("AT-iuQwR0H5VCrwFAQEjRWeJq83vASNFZ4mrze-gBmq65UM")


def test_a_large_painting_is_told_in_pieces_with_the_time_left_and_kept(tmp_path):
    playground.translator_in(tmp_path)
    toy = translator.load(tmp_path, playground.TRANSLATOR)
    pixels = np.random.default_rng(0).integers(0, 256, (600, 1000, 3), dtype=np.uint8)
    code = artworks.encode(translating.artwork_of(tmp_path, toy, pixels, translator.USUAL))
    told = list(translate.coming(tmp_path, code))
    assert len(told) == 7 and "0 of 6 pieces" in told[0]
    assert "1 of 6 pieces" in told[1] and "left" in told[1]
    assert len(list(translate.coming(tmp_path, code))) == 1  # it is in memory now
    sealed = share_routes.picture(tmp_path, share_routes.picture(tmp_path, code).code)
    assert sealed.png == share_routes.picture(tmp_path, code).png and "Identical" in sealed.sentence


def test_every_preset_has_its_words():
    from gan_play.trainers import pairs

    for name in (*pairs.PRESETS, "pairs", "two"):
        assert words.say(f"translate.about.{name}")
