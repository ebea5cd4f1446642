"""Two visitors want the same in a real browser: the second reads whose turn it is, and is served."""

import os
import threading
from collections.abc import Callable, Iterator

import playground
import pytest
from playwright.sync_api import Page, expect

from gan_play.pictures import examples, images
from gan_play.share import styled
from gan_play.steps import Ended
from gan_play.ui import child, transform

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture
def home(tmp_path):
    playground.run_in(tmp_path)
    return tmp_path


def ask(page: Page, photo, painting) -> None:
    """Wants a painting."""
    page.click("#tab-transform-button")
    page.click("#transform-style-button")
    page.locator("#transform-own input[type=file]").set_input_files(photo)
    expect(page.locator("#transform-own canvas")).to_be_visible()
    page.locator("#transform-theirs input[type=file]").set_input_files(painting)
    expect(page.locator("#transform-theirs .theirs img")).to_have_count(1)
    page.click("#transform-go")


@pytest.mark.slow  # four visitors
@pytest.mark.timeout(400)
def test_who_waits_for_a_painting_reads_how_many_come_before_and_gets_it_when_the_first_is_gone(
    serve, visit, home, tmp_path, monkeypatch
):
    photo, painting = tmp_path / "photo.png", tmp_path / "painting.png"
    photo.write_bytes(images.encode(examples.draw("mountains", 3, 96)[:72], "png"))
    painting.write_bytes(images.encode(examples.draw("rosettes", 5, 80), "png"))
    png, finish = photo.read_bytes(), threading.Event()

    def following(*_: object, over: Callable[[], bool]) -> Iterator[styled.Moment]:
        """A painting that is half done until it may be finished, or is over."""
        yield styled.Moment(png, 0.1, 1, 10, 0.0, 0.0, "")
        while not finish.wait(0.2):
            if over():
                raise Ended
            yield styled.Moment(png, 0.5, 5, 10, 0.0, 0.0, "")
        yield styled.Moment(png, 1.0, 10, 10, 0.0, 0.0, "It is painted.")

    monkeypatch.setattr(child, "following", following)
    address, pages = serve(home), []
    for number, width in enumerate((1280, 1280, 390, 1280)):
        page = visit(address, width)
        ask(page, photo, painting)
        said = page.locator("#transform-result")
        expect(said).to_contain_text(f"Before yours: {number}." if number else "Step 5 of 10")
        pages.append((page, said))
    (first, first_said), (second, second_said), (third, third_said), (fourth, fourth_said) = pages
    expect(second_said).to_contain_text("The one that is on its way takes about")
    if out := os.environ.get("GAN_PLAY_SHOTS"):
        for page in (second, third):
            page.screenshot(path=f"{out}/line-{page.viewport_size['width']}.png", full_page=True)
    third.click("#transform-stop")
    expect(third_said).to_contain_text("Stopped before there was anything to see.")
    expect(fourth_said).to_contain_text("Before yours: 2.")
    second.close()  # nobody is left to see this one
    expect(fourth_said).to_contain_text("Before yours: 1.")
    first.click("#transform-stop")
    expect(fourth_said).to_contain_text("Step 5 of 10")
    expect(first_said).to_contain_text("Stopped. This is how far it came.")
    finish.set()
    expect(fourth_said).to_contain_text("It is painted.")
    expect(fourth.locator("#transform-stop")).to_be_hidden()
    expect(third_said).to_contain_text("Stopped before there was anything to see.")
    assert transform.PROPERLY.left_s is None
