"""Translators in a real browser: one draws and the painting follows, repairs, translates many, and sends links."""

import os
import re

import playground
import pytest
from playwright.sync_api import Page, expect

from gan_play.share import artwork as artworks
from gan_play.share import card

expect.set_options(timeout=60_000)  # a busy machine is no failure

TREE = ((0.2, 0.6), (0.2, 0.3), (0.1, 0.3), (0.2, 0.1), (0.3, 0.3), (0.2, 0.3))
HORIZON = ((0.05, 0.6), (0.3, 0.55), (0.6, 0.62), (0.95, 0.5))


def draw(page: Page, *stroke: tuple[float, float], steps: int = 4) -> None:
    """Draws with the mouse on the desk, in shares of its side."""
    page.locator("#translate-desk canvas").scroll_into_view_if_needed()
    box = page.locator("#translate-desk canvas").bounding_box()

    def at(place: tuple[float, float]) -> tuple[float, float]:
        return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]

    page.mouse.move(*at(stroke[0]))
    page.mouse.down()
    for place in stroke[1:]:
        page.mouse.move(*at(place), steps=steps)
    page.mouse.up()


def choose(page: Page, name: str) -> None:
    """Takes another translator in hand."""
    page.click("#translate-model input")
    page.locator("#translate-model li", has_text=name).click()


def code_of(page: Page) -> str:
    """The code of the painting that is shown, once it is whole."""
    figure = page.locator("#translate-result .translated:not(.stale):not(.waits)")
    expect(figure.locator(".actions")).to_be_visible()
    return figure.locator("[data-do=share]").get_attribute("data-code")


def shot(page: Page, name: str) -> None:
    """For looking at: on a screen and on a phone."""
    if out := os.environ.get("GAN_PLAY_SHOTS"):
        page.screenshot(path=f"{out}/{name}.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{out}/{name}-phone.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.timeout(300)
def test_a_drawing_becomes_a_painting_while_the_pen_moves_and_its_link_brings_it_back(serve, visit, tmp_path):
    playground.translator_in(tmp_path)
    address = serve(tmp_path)
    page = visit(address)
    page.click("#tab-transform-button")
    expect(page.locator("#translate-result")).to_contain_text("the painting follows your pen")
    draw(page, *HORIZON)
    after = page.locator("#translate-result .after")
    expect(after).to_have_attribute("src", re.compile("^data:image/jpeg"))
    first = code_of(page)
    assert artworks.decode(first).operation == "translate"
    page.wait_for_function(f"location.href.includes({first!r})")
    expect(after).to_have_attribute("src", f"gradio_api/art/{first}.png")
    draw(page, *TREE)
    page.wait_for_function(f"!location.href.includes({first!r})")
    second = code_of(page)
    page.click("#translate-desk [data-undo=undo]")
    page.wait_for_function(f"location.href.includes({first!r})")
    assert code_of(page) == first != second
    shot(page, "translate")
    page.click("#translate-result [data-do=keep]")
    page.click("#translate-result [data-do=share]")
    expect(page.locator("#translate-result input.link")).to_have_value(re.compile("^http"))
    link = page.locator("#translate-result input.link").input_value()
    with page.expect_download() as download:
        page.locator("#translate-result a[download]").click()
    data = download.value.path().read_bytes()
    assert card.compare(tmp_path, data, card.read(data)).same

    other = visit(link)
    expect(other.locator("#translate-result")).to_contain_text("Identical to what was shared")
    assert other.evaluate("document.querySelector('#translate-desk canvas').dataset.marked") == "1"
    for path in (tmp_path / "inputs").rglob("*.png"):
        path.unlink()
    gone = visit(address + "?art=" + second)
    expect(gone.locator("#translate-message")).to_contain_text("isn't here: a link holds none")
