"""The whole road, as a visitor goes it: drop pictures in, train, close the page, come back, play, share.

    GAN_PLAY_PICTURES=paintings/vangogh GAN_PLAY_MINUTES=3 python tests/run.py -m slow tests/browser/test_whole_road.py

Without these it draws its own pictures and trains for one minute. Screenshots go to GAN_PLAY_SCREENSHOTS, if set.
"""

import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gan_play.pictures import examples, images
from gan_play.runs import store

MINUTES = float(os.environ.get("GAN_PLAY_MINUTES", "1"))
BUSY_MS = 600_000  # a machine that does other work as well gives a training little time
PAINTED = """() => { const all = [...document.querySelectorAll('#seeds .tile img')];
    return all.length === 36 && all.every((image) => image.complete && image.naturalWidth > 0); }"""
SETTLED = """() => { const code = document.querySelector('#stage [data-do=share]')?.dataset.code;
    return code && new URL(location).searchParams.get('art') === code
        && document.querySelector('#proof [data-of]')?.dataset.of === code; }"""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """The folder to learn from."""
    if given := os.environ.get("GAN_PLAY_PICTURES"):
        return Path(given)
    folder = tmp_path / "sunsets"
    folder.mkdir()
    for seed in range(60):
        (folder / f"{seed}.png").write_bytes(images.encode(examples.draw("sunsets", seed, 64), "png"))
    return folder


def shoot(page: Page, name: str) -> None:
    """A screenshot of the whole page at 1280 and 390 px, where they are wanted."""
    if folder := os.environ.get("GAN_PLAY_SCREENSHOTS"):
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})


def said(name: str, seconds: float) -> None:
    print(f"{name}: {seconds:.1f} s", flush=True)


def grid_step(page: Page) -> int:
    """The step of the grid that is shown."""
    return int(re.search(r"grid/(\d+)", page.get_attribute(".live-grid img", "src"))[1])


def proof(page: Page) -> str:
    """The SHA-256 of what the stage shows."""
    page.wait_for_function(SETTLED)
    return re.search("[0-9a-f]{64}", page.locator("#proof").inner_text())[0]


def link(page: Page) -> str:
    page.locator("#stage [data-do=share]").click()
    expect(page.locator("#stage .link")).to_have_value(re.compile(r"\?art="))
    return page.locator("#stage .link").input_value()


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_from_a_folder_of_pictures_to_a_link_that_brings_back_the_same(serve, tmp_path, pictures, visit):
    expect.set_options(timeout=60_000)
    home = tmp_path / "home"
    address = serve(home)
    page = visit(address)
    shoot(page, "1-first")
    page.get_by_role("tab", name="Gather", exact=True).click()
    began = time.monotonic()
    page.set_input_files("#drop input[name=folder]", pictures)
    page.wait_for_selector("#report .contact img")
    said("folder to report", time.monotonic() - began)
    shoot(page, "2-gather")
    page.click("#gather-choose")
    page.locator("#begin").wait_for()
    page.locator("#minutes input[type=number]").first.fill(str(MINUTES))
    page.locator("#minutes input[type=number]").first.blur()
    shoot(page, "3-train")
    began = time.monotonic()
    page.click("#begin")
    page.wait_for_function("document.querySelector('.live-grid img')?.naturalWidth > 64", timeout=BUSY_MS)
    said("button to first grid", time.monotonic() - began)
    first = grid_step(page)
    run = page.input_value("#state-run textarea")
    page.wait_for_function(
        f"!document.querySelector('.live-grid img').src.includes('grid/{first}.')", timeout=BUSY_MS
    )
    said("button to second grid", time.monotonic() - began)

    page.context.close()  # the tab is closed; it goes on
    page = visit(f"{address}?run={run}", width=390)
    began = time.monotonic()
    page.wait_for_function("document.querySelector('.live-grid img')?.naturalWidth > 64")
    said("re-attached on a phone", time.monotonic() - began)
    assert grid_step(page) >= first
    page.set_viewport_size({"width": 1280, "height": 900})
    page.reload()
    page.wait_for_function("document.querySelector('.live-grid img')?.naturalWidth > 64")
    shoot(page, "4-watching")
    page.wait_for_selector("#live .live-state[data-state=finished]", timeout=(MINUTES * 60 + 240) * 1000)
    shoot(page, "5-finished")
    status = store.status(home, run)
    assert len(status["grids"]) >= min(4, MINUTES * 6)
    print(
        f"{status['images_seen']:,} pictures in {status['seconds_spent']:.0f} s, {status['sentence']}",
        flush=True,
    )

    page.locator(".live-tiles button").nth(7).click()  # a tile of the training grid takes its seed along
    page.wait_for_function(PAINTED)
    expect(page.locator("#stage figcaption")).to_contain_text("Seed 7")
    for seed in (4, 9):
        page.locator(f'#seeds .tile[data-seed="{seed}"]').click()
        expect(page.locator(f'#tray .tile[data-seed="{seed}"]')).to_be_visible()
    shoot(page, "6-play")
    sent = {}
    sent[link(page)] = proof(page)
    page.get_by_label("Mix two", exact=True).check()
    expect(page.locator("#stage figcaption")).to_contain_text("mixed with")
    shoot(page, "7-mix")
    sent[link(page)] = proof(page)
    page.get_by_label("Walk", exact=True).check()
    page.locator("#play-seconds input[type=number]").fill("4")
    page.locator("#play-seconds input[type=number]").blur()
    expect(page.locator("#stage figcaption")).to_contain_text("A walk of 4 s")
    began = time.monotonic()
    page.locator("#play-make").click()
    expect(page.locator("#stage video")).to_be_visible()
    page.wait_for_function("document.querySelector('#stage video').currentTime > 0.1")
    said("film of 4 s", time.monotonic() - began)
    shoot(page, "8-walk")
    sent[link(page)] = proof(page)
    for address_of_art, sha256 in sent.items():
        other = visit(address_of_art)
        expect(other.locator("#proof")).to_contain_text("Identical")
        assert proof(other) == sha256
        other.context.close()
