"""Transform's pieces: what comes from a browser is checked, marks become a mask, and what is shown is escaped."""

import base64
import io
import json
import types

import numpy as np
import pytest
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

from gan_play import limits
from gan_play.pictures import images, intake
from gan_play.refusals import Refused
from gan_play.share import styled
from gan_play.ui import transform


@pytest.fixture(autouse=True)
def uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))


def sent(pixels: np.ndarray, name: str = "one.png") -> str:
    return save_bytes_to_cache(images.encode(pixels, "png"), name, get_upload_folder())


def marks(opaque: np.ndarray) -> str:
    """A canvas with a stroke on it, as a browser sends it."""
    canvas = np.zeros((*opaque.shape, 4), np.uint8)
    canvas[opaque] = (194, 65, 12, 255)
    file = io.BytesIO()
    Image.fromarray(canvas).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def test_a_dropped_picture_is_kept_clean_and_no_longer_than_a_painting():
    wide = np.random.default_rng(0).integers(0, 256, (300, 1200, 3), dtype=np.uint8)
    path = transform.kept(sent(wide), limits.MOST_STYLED_PX)
    with open(path, "rb") as file:
        assert images.png_size(file.read()) == (512, 128)


def test_a_path_that_did_not_come_through_the_page_is_refused(tmp_path):
    (tmp_path / "own.png").write_bytes(images.encode(np.zeros((20, 20, 3), np.uint8), "png"))
    with pytest.raises(Refused, match="didn't come through this page"):
        transform.kept(str(tmp_path / "own.png"), 512)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "{",
        '{"paths": 4}',
        '{"paths": ["/etc/passwd", 5]}',
        '{"weights": {"set": 99, "/etc/passwd": 3}}',
        None,
    ],
)
def test_what_a_page_says_it_remembers_is_not_believed(text):
    assert transform.known(text) == {"paths": [], "set": "", "weights": {}}


def test_marks_are_black_in_the_mask_and_no_marks_are_no_mask(tmp_path):
    content = tmp_path / "content.png"
    content.write_bytes(images.encode(np.zeros((20, 30, 3), np.uint8), "png"))
    opaque = np.zeros((20, 30), bool)
    assert transform.marked("", content) is None
    assert transform.marked(marks(opaque), content) is None
    opaque[4:8, 5:9] = True
    mask = transform.marked(marks(opaque), content)
    assert mask.shape == (20, 30, 3) and ((mask == 0).all(axis=2) == opaque).all()
    with pytest.raises(Refused, match="another size"):
        transform.marked(marks(opaque[:, :20]), content)
    for bad in ("data:image/png;base64,AAAA", 7, "x" * (transform.MOST_MASK_CHARS + 1)):
        with pytest.raises(Refused, match="not a picture"):
            transform.marked(bad, content)


def test_marks_on_a_large_picture_are_as_large_as_it(tmp_path):
    content = tmp_path / "content.png"
    content.write_bytes(images.encode(np.zeros((500, 1024, 3), np.uint8), "png"))
    opaque = np.zeros((250, 512), bool)
    opaque[100:] = True
    mask = transform.marked(marks(opaque), content)
    assert mask.shape == (500, 1024, 3) and (mask[:200] == 255).all() and (mask[200:] == 0).all()


def test_each_style_has_a_slider_once_there_are_several_and_counts_as_it_says():
    paths = [sent(np.full((20, 20, 3), shade, np.uint8)) for shade in (0, 255)]
    shared = types.SimpleNamespace(home=None)
    one, two = ({"paths": paths[:count], "set": "", "weights": {}} for count in (1, 2))
    assert "data-weight" not in transform.theirs_html(shared, one, "")
    assert transform.theirs_html(shared, two, "").count("data-weight") == 2
    assert transform.weights_of(shared, two) == ()
    two["weights"] = {paths[1]: 30}
    assert transform.weights_of(shared, transform.known(json.dumps(two))) == (10, 30)
    assert 'value="30"' in transform.theirs_html(shared, two, "")


def test_the_set_in_hand_is_offered_by_its_escaped_name_and_shown_once_it_is_taken(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(8):
        pixels = np.random.default_rng(seed).integers(0, 256, (20, 20, 3), dtype=np.uint8)
        (folder / f"{seed}.png").write_bytes(images.encode(pixels, "png"))
    set_id = intake.run_to_end(intake.take_in([folder], tmp_path)).set_id
    shared = types.SimpleNamespace(home=tmp_path)
    chosen = json.dumps({"set": set_id, "how": "crop", "background": [0, 0, 0], "name": "<b>mine"})
    html = transform.theirs_html(shared, {"paths": [], "set": ""}, chosen)
    assert "&lt;b&gt;mine" in html and "<b>" not in html
    html = transform.theirs_html(shared, {"paths": [], "set": set_id}, chosen)
    assert html.count(f"gradio_api/set/{set_id}/") == 4 and 'data-act="set"' not in html
    assert "<img" not in transform.theirs_html(shared, {"paths": [], "set": "../../etc"}, "")


def test_a_painting_is_told_with_its_time_left_and_ends_with_what_can_be_done(tmp_path):
    png = images.encode(np.zeros((16, 32, 3), np.uint8), "png")
    before = sent(np.zeros((16, 32, 3), np.uint8))
    moments = [styled.Moment(png, share, step, 9, 0.5, 0.2, "Said.") for share, step in ((0.5, 4), (1.0, 9))]
    begun, half, end = transform.watched(before, iter(moments))
    assert "Looking at the brushwork" in begun[0] and not begun[1]
    assert "Step 4 of 9" in half[0] and "compare" in half[0] and not half[2]
    assert end[2] and "Said." in end[0] and f'href="gradio_api/file={end[1]}"' in end[0]
