"""A picture of one's own in a real browser: onto the canvas, partly hidden, found, mixed; and a palette."""

import numpy as np
import playground
import pytest
from playwright.sync_api import Page, expect

from gan_play.latent import palette, project
from gan_play.latent.found import Found
from gan_play.pictures import images
from gan_play.share import artwork as artworks

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(project, "STARTS", 4)
    monkeypatch.setattr(palette, "STEPS", 50)
    playground.run_in(tmp_path)
    return tmp_path


@pytest.fixture
def photo(tmp_path):
    pixels = np.zeros((90, 120, 3), np.uint8)
    pixels[:45], pixels[45:] = (90, 140, 220), (60, 90, 30)
    path = tmp_path / "photo.png"
    path.write_bytes(images.encode(pixels, "png"))
    return path


def upload(page: Page, button: str, path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click(button)
    chooser.value.set_files(path)


def on_stage(page: Page) -> artworks.Artwork:
    return artworks.decode(page.get_attribute("#stage [data-do='open']", "data-code"))


def begin(page: Page, photo) -> None:
    """The picture on the canvas, a stroke of it hidden, and the search begun."""
    page.click("#seeds .tile[data-seed='3']")
    page.click("#play-tool label:has-text('Your picture')")
    upload(page, "#yours-drop", photo)
    canvas = page.locator("#yours canvas[data-drawn]")
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # the picture is drawn
    canvas.evaluate(
        """on => { const box = on.getBoundingClientRect();
        const send = (type, x, y) => on.dispatchEvent(new PointerEvent(type, {bubbles: true, pointerId: 1,
          clientX: box.left + x * box.width, clientY: box.top + y * box.height}));
        on.setPointerCapture = () => {};
        send('pointerdown', .2, .2); send('pointermove', .5, .2); send('pointerup', .5, .2); }"""
    )
    hidden = canvas.evaluate(
        """on => on.getContext('2d').getImageData(0, 0, on.width, on.height).data
        .filter((value, place) => place % 4 == 3 && !value).length"""
    )
    assert hidden > 500
    page.click("#yours [data-find]")


@pytest.mark.slow  # a search on two cores takes most of a minute
@pytest.mark.timeout(300)
def test_a_photo_is_found_and_goes_into_the_tray_and_into_a_mix(serve, visit, home, photo, monkeypatch):
    monkeypatch.setattr(project, "STEPS", 50)
    page = visit(serve(home))
    begin(page, photo)
    expect(page.locator("#stage figcaption")).to_contain_text("Found picture")
    (point,) = on_stage(page).seeds
    assert isinstance(point, Found)
    expect(page.locator("#tray .tile")).to_have_count(2)
    expect(page.locator("#yours-progress")).to_contain_text("away, where 0 is the same picture")
    expect(page.locator("#yours-stop")).to_be_hidden()
    page.click("#stage [data-do='to-mix']")
    expect(page.locator("#stage figcaption")).to_contain_text("mixed with")
    assert on_stage(page).seeds == (3, point)
    assert page.evaluate("document.querySelector('#stage img').naturalWidth") > 0

    page.click(f"#tray .tile[data-seed='{point}']")
    page.click("#play-tool label:has-text('Steer')")
    page.click("#palette button >> nth=0")
    upload(page, "#palette-drop", photo)
    expect(page.locator("#palette-2 input, #palette-2 button").first).to_be_visible()
    page.click("#palette-paint")
    expect(page.locator("#palette-progress")).to_contain_text("Done")
    page.wait_for_function(
        "old => { const at = document.querySelector('#tray .tile.current'); return at && at.dataset.seed !== old; }",
        arg=str(point),
    )
    assert on_stage(page).seeds != (point,) and isinstance(on_stage(page).seeds[0], Found)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_search_that_is_stopped_keeps_what_it_has_and_goes_on_later(serve, visit, home, photo, monkeypatch):
    """Slow: a search long enough to be stopped by hand."""
    monkeypatch.setattr(project, "STEPS", 2000)
    page = visit(serve(home))
    begin(page, photo)
    expect(page.locator("#yours-progress .yours-pair")).to_be_visible()
    page.click("#yours-stop")
    expect(page.locator("#stage figcaption")).to_contain_text("Found picture")
    expect(page.locator("#yours-stop")).to_be_hidden()
    expect(page.locator("#yours-progress")).to_contain_text("Stopped")
    first = on_stage(page).seeds
    (kept,) = (home / "projections").iterdir()
    before = kept.read_bytes()
    page.click("#yours [data-find]")
    page.wait_for_function("old => document.querySelector('#yours-progress').textContent !== old", arg="")
    expect(page.locator("#yours-progress .yours-pair")).to_be_visible()
    page.wait_for_function(
        "() => Number((document.querySelector('#yours-progress').textContent.match(/Step (\\d+)/) || [0, 0])[1]) > 50"
    )
    page.click("#yours-stop")
    expect(page.locator("#yours-stop")).to_be_hidden()
    assert kept.read_bytes() != before
    assert isinstance(first[0], Found)


@pytest.mark.slow  # a visit of its own: refusals are tested without a browser too
def test_what_is_no_picture_is_refused_in_a_sentence(serve, visit, home, tmp_path):
    page = visit(serve(home))
    page.click("#play-tool label:has-text('Your picture')")
    bad = tmp_path / "photo.png"
    bad.write_bytes(b"\x89PNG no picture")
    upload(page, "#yours-drop", bad)
    expect(page.locator("#yours-progress")).to_contain_text("photo.png")
    expect(page.locator("#yours canvas")).to_have_count(0)
