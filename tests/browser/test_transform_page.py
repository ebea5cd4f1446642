"""Transform in a real browser: a picture is painted like a painting that was dropped, and sent to Play."""

import os

import playground
import pytest
from playwright.sync_api import Page, expect

from gan_play.latent import project
from gan_play.pictures import examples, images
from gan_play.share import card
from gan_play.translate import style
from gan_play.ui import child

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(style, "STEPS", (1, 12))
    monkeypatch.setattr(project, "STARTS", 4)
    # In this process, so that it is as short as said above; a child of its own is what `test_child.py` is about.
    monkeypatch.setattr(child, "following", lambda work, *given, **more: work(*given))
    playground.run_in(tmp_path)
    return tmp_path


def drop(page: Page, where: str, *paths) -> None:
    page.locator(f"{where} input[type=file]").set_input_files(list(map(str, paths)))


def brush(page: Page) -> None:
    """Marks a stroke that is to stay."""
    page.locator("#transform-own canvas").evaluate(
        """on => { const box = on.getBoundingClientRect();
        const send = (type, x, y) => on.dispatchEvent(new PointerEvent(type, {bubbles: true, pointerId: 1,
          clientX: box.left + x * box.width, clientY: box.top + y * box.height}));
        on.setPointerCapture = () => {};
        send('pointerdown', .1, .1); send('pointermove', .9, .1); send('pointerup', .9, .1); }"""
    )


@pytest.mark.timeout(300)
def test_a_picture_is_painted_like_a_painting_and_sent_to_play(serve, visit, home, tmp_path):
    photo, painting, bad = (tmp_path / name for name in ("photo.png", "painting.png", "bad.png"))
    photo.write_bytes(images.encode(examples.draw("mountains", 3, 96)[:72], "png"))
    painting.write_bytes(images.encode(examples.draw("rosettes", 5, 80), "png"))
    bad.write_bytes(b"\x89PNG no picture")
    page = visit(serve(home))
    page.click("#tab-transform-button")
    page.click("#transform-style-button")
    page.locator("#transform-size input[type=number]").fill("64")
    page.locator("#transform-size input[type=number]").press("Enter")
    page.click("#transform-go")
    expect(page.locator("#transform-message")).to_contain_text("no picture to paint anew")
    drop(page, "#transform-own", bad)
    expect(page.locator("#transform-message")).to_contain_text("bad.png")
    drop(page, "#transform-own", photo)
    expect(page.locator("#transform-own canvas")).to_be_visible()
    expect(page.locator("#transform-forecast")).to_contain_text("about")
    page.click("#transform-go")
    expect(page.locator("#transform-message")).to_contain_text("no style to paint in")
    drop(page, "#transform-theirs", painting, bad)
    expect(page.locator("#transform-theirs .theirs img")).to_have_count(1)
    expect(page.locator("#transform-message")).to_contain_text("bad.png")
    brush(page)
    save = page.locator("#transform-result a[download]")
    page.click("#transform-now")
    expect(save).to_be_visible()
    expect(page.locator("#transform-result")).to_contain_text("Painted at once")
    with page.expect_download() as download:
        save.click()
    rough = download.value.path().read_bytes()
    said = card.read_styled(rough)["styled"]
    assert "at once by" in said and "mask" in said
    if out := os.environ.get("GAN_PLAY_SHOTS"):
        page.screenshot(path=f"{out}/transform-now.png", full_page=True)
    page.click("#transform-go")
    expect(page.locator("#transform-result")).to_contain_text("where 0 has its textures")
    expect(page.locator("#transform-stop")).to_be_hidden()

    with page.expect_download() as download:
        save.click()
    data = download.value.path().read_bytes()
    assert images.png_size(data) == (64, 48)
    assert "mask" in card.read_styled(data)["styled"]
    before = images.resize(images.decode(photo.read_bytes()), (64, 48))
    painted = images.decode(data)
    assert (painted[4:6, 10:54] == before[4:6, 10:54]).all()  # under the brush
    assert (painted[30:] != before[30:]).any()

    slider = page.locator("#transform-result .compare input")
    slider.fill("20")
    assert (
        page.evaluate("document.querySelector('#transform-result .compare').style.getPropertyValue('--at')")
        == "20%"
    )
    assert page.evaluate("document.querySelector('#transform-result .compare .after').naturalWidth") == 64
    if out := os.environ.get("GAN_PLAY_SHOTS"):
        page.screenshot(path=f"{out}/transform.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{out}/transform-phone.png", full_page=True)
    page.click("#transform-result [data-act=play]")
    expect(page.locator("#yours canvas[data-drawn]")).to_be_visible()


@pytest.mark.slow  # a visit of its own
@pytest.mark.timeout(300)
def test_a_painting_is_made_with_the_weights_that_its_sliders_show(serve, visit, home, tmp_path):
    photo, *paintings = (tmp_path / f"{name}.png" for name in ("photo", "one", "two", "three"))
    photo.write_bytes(images.encode(examples.draw("mountains", 3, 96)[:72], "png"))
    for seed, painting in enumerate(paintings):
        painting.write_bytes(images.encode(examples.draw("rosettes", seed, 80), "png"))
    page = visit(serve(home))
    page.click("#tab-transform-button")
    page.click("#transform-style-button")
    page.locator("#transform-size input[type=number]").fill("64")
    page.locator("#transform-size input[type=number]").press("Enter")
    drop(page, "#transform-own", photo)
    expect(page.locator("#transform-own canvas")).to_be_visible()
    drop(page, "#transform-theirs", *paintings)
    sliders = page.locator("#transform-theirs .theirs input[type=range]")
    expect(sliders).to_have_count(3)
    held = """(slider, [way, times]) => { for (let i = 0; i < times; i++) {
        slider[way](); slider.dispatchEvent(new Event('change', {bubbles: true})); } }"""
    sliders.nth(0).evaluate(held, ["stepUp", 10])  # as an arrow key that is held, and faster than any answer
    sliders.nth(2).evaluate(held, ["stepDown", 5])
    assert [int(slider.input_value()) for slider in sliders.all()] == [20, 10, 5]
    save = page.locator("#transform-result a[download]")

    def painted() -> str:
        with page.expect_download() as download:
            save.click()
        return card.read_styled(download.value.path().read_bytes())["styled"]

    page.click("#transform-now")
    expect(save).to_be_visible()
    assert "weights 0.571+0.286+0.143" in painted()
    before = save.get_attribute("href")
    page.locator("#transform-theirs [data-act=out]").first.click()
    expect(sliders).to_have_count(2)
    assert [int(slider.input_value()) for slider in sliders.all()] == [10, 5]
    page.click("#transform-now")
    expect(save).not_to_have_attribute("href", before)
    assert "weights 0.667+0.333" in painted()
