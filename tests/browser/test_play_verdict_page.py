"""Play in a browser: the verdict under the model in hand, its card, and a painting beside the nearest pictures."""

import os
import time

import pytest

from gan_play import files
from gan_play.measure import originality
from gan_play.pictures import datasets
from gan_play.runs import checkpoints, checkup, store
from gan_play.trainers import loop
from gan_play.ui import showing, wires
from tests import toys

pytestmark = [pytest.mark.timeout(600)]


@pytest.fixture
def known(tmp_path):
    """A home with a run whose state was scored, found well, and whose pictures can be searched."""
    run_id = toys.a_run(tmp_path)
    folder, training = tmp_path / run_id, loop.begin(toys.settings())
    checkpoints.save(folder, 4, training.tensors(), checkpoints.make_header(toys.settings(), "", 4))
    block = datasets.open_block(folder / "set")
    originality.save(originality.index(block.pixels, block.digest), folder / "set" / checkup.INDEX_FILE)
    files.append_line(folder / "stats.jsonl", '{"step": 4, "score": 0.1}')
    with store.changing(folder) as run:
        run["state"] = "finished"
        run["health"] = {"step": 4, "sentence": "It is well.", "copy": "None of 96 is a copy."}
    return tmp_path, run_id


@pytest.mark.slow  # looks for the nearest pictures
def test_the_verdict_its_card_and_the_nearest_pictures_are_there_when_asked_for(serve, visit, known):
    home, run_id = known
    page = visit(serve(home))
    page.wait_for_selector("#play-standing:has-text('came without the pictures')")  # the starter
    assert not page.is_visible("#play-near")  # there is nothing to compare with

    page.click("#play-model-choice input")
    page.click(f"[role=option]:has-text('{store.read_run(home / run_id)['name']}')")
    page.wait_for_selector("#play-standing:has-text('It is well. KID 0.100')")
    page.click("#play-near")
    page.wait_for_function(
        "[...document.querySelectorAll('#nearest img')].filter(i => i.complete && i.naturalWidth).length === 4"
    )
    assert "How far from copying" in page.inner_text("#nearest")
    if out := os.environ.get("GAN_PLAY_SHOTS"):
        page.screenshot(path=f"{out}/play-verdict.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{out}/play-verdict-phone.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.set_viewport_size({"width": 1280, "height": 900})
    with page.expect_download() as saved:
        page.click("#play-standing a")
    assert saved.value.suggested_filename == f"model-card-{run_id}.md"
    assert saved.value.path().read_text("utf-8").startswith("---\nlicense:")

    page.click("#seeds .tile[data-seed='5']")  # another picture: what was found of the last one goes
    page.wait_for_function("!document.querySelector('#nearest figure')")


@pytest.mark.slow  # waits for a slow server
def test_a_slow_arrival_is_not_overtaken_by_the_first_model_there_is(serve, visit, known, monkeypatch):
    quick = showing.shown

    def slow(*asked, **how):
        time.sleep(3)  # longer than the page's script waits with its next look
        return quick(*asked, **how)

    monkeypatch.setattr(wires, "shown", slow)
    page = visit(serve(known[0]))
    page.wait_for_selector("#play-standing p")
    assert "came without the pictures" in page.inner_text("#play-standing")  # the starter, not the newest run
