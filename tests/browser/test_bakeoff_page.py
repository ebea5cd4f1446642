"""The bake-off through a real browser: choices greyed with their reason, grids by equal seconds, a blind vote, a page
to save."""

import json
from pathlib import Path

import httpx
import numpy as np
import pytest
import toys

from gan_play import files
from gan_play.pictures import examples, images
from gan_play.runs import bakeoff, judge, store

MARKUP = "${alert(1)} <img src=x onerror=alert(2)> \\"
FIRST_GRID = "document.querySelector('.bake-grids img')?.naturalWidth === 202"


def write_bakeoff(home: Path, name: str, owner_key: str | None = None) -> str:
    """A bake-off as two workers leave it: over, with grids of one colour each and scores."""
    set_folder = toys.a_set(home)
    wish = {"recipes": ("dcgan", "sngan"), "minutes": 1, "size_px": 32}
    made = bakeoff.create(home, set_folder=set_folder, name=name, owner_key=owner_key, **wish)
    for kind, row in enumerate(bakeoff.found(home, made)["runs"]):
        folder = home / row["run"]
        for step in range(0, 61, 10):
            pixels = np.full((36, 32, 32, 3), (200 * kind, 3 * step, 0), dtype=np.uint8)
            store.grid_path(folder, step).write_bytes(images.encode(images.grid(pixels, 6, 2), "webp"))
            line = {"step": step, "images_seen": step * 64, "seconds": float(step), "images_per_second": 64.0}
            files.append_line(folder / "stats.jsonl", json.dumps(line))
        found = {"step": 60, "seconds": 60.0, "kid": 0.1 + kind, "kid_low": kind, "kid_high": 0.2 + kind}
        files.write_json(folder / judge.FILE, found | {"copy_rate": 0.0, "copy": "None."})
        files.write_json(folder / "wanted.json", {"wish": "stop"})
        with store.changing(folder) as run:
            run["state"] = "finished"
    return made


def open_bakeoff(page) -> None:
    """While Gradio's page is still laying out its tabs on a phone, a click on one can be lost."""
    opens = """() => {
      const tab = document.querySelector('#tab-train-button');
      if (tab.getAttribute('aria-selected') !== 'true') tab.click();
      return document.querySelector('#bakeoff-fold > button');
    }"""
    page.wait_for_function(opens, polling=1000)
    page.locator("#bakeoff-fold > button").click()
    page.wait_for_selector(".bake-choices input", state="attached")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("bakeoffs")
    write_bakeoff(home, MARKUP)
    return home


@pytest.fixture(scope="module")
def shelf_address(serve, shelf: Path) -> str:
    return serve(shelf)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_compared_voted_on_blind_and_saved(
    shelf_address: str, shelf: Path, visit, width: int, tmp_path
):
    page = visit(shelf_address, width=width)
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    open_bakeoff(page)
    page.wait_for_function(FIRST_GRID)
    (made,) = (about["id"] for about in bakeoff.list_all(shelf))
    assert page.inner_text(".bake-sentence").startswith("DCGAN comes nearest")
    assert [text.strip() for text in page.locator(".bake-title strong").all_inner_texts()] == [
        "DCGAN",
        "SNGAN",
    ]
    assert "KID 0.100 (0.000 to 0.200)" in page.locator(".bake-lines").first.inner_text()
    assert "grid/60.webp" in page.get_attribute(".bake-grids img >> nth=1", "src")
    page.locator(".bake-slider").fill("50")
    assert "grid/30.webp" in page.get_attribute(".bake-grids img >> nth=0", "src")
    assert "1,920 pictures seen · 64 a second" in page.locator(".bake-lines").first.inner_text()
    assert "After 30 s of training each" in page.inner_text(".bake-when")
    assert MARKUP in page.locator(".bake-which option").first.inner_text()

    before = len(bakeoff.votes(bakeoff.find(shelf, made), 2))
    page.click(".bake-vote summary")
    page.wait_for_function("document.querySelector('.bake-pair img')?.naturalWidth === 101")
    assert not page.is_visible(".bake-board") and not page.is_visible(".bake-sentence")
    blind = page.locator(".bake-vote").inner_text() + page.inner_html(".bake-pair")
    assert "GAN" not in blind and "dcgan" not in blind
    page.click(".bake-pair [data-choice=left]")
    page.wait_for_function("document.querySelector('.bake-told').textContent.startsWith('Left was')")
    one = bakeoff.pair(made, 2, before)
    names = ["DCGAN", "SNGAN"]
    assert page.inner_text(".bake-told") == f"Left was {names[one.left]}, right was {names[one.right]}."
    assert bakeoff.votes(bakeoff.find(shelf, made), 2)[before] == "left"
    page.click(".bake-next")
    page.wait_for_function(f"document.querySelector('.bake-pair img').src.includes('/{before + 1}-left')")
    page.get_by_role("button", name="Can't tell").click()
    page.wait_for_function("document.querySelector('.bake-told').textContent.startsWith('Left was')")
    page.wait_for_function("document.querySelector('.bake-tally').textContent.includes('too few to tell')")

    with page.expect_download() as download:
        page.click(".bake-save")
    saved = tmp_path / "saved.html"
    download.value.save_as(saved)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    alone = page.context.new_page()
    asked = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    alone.goto(saved.as_uri())
    assert MARKUP in alone.inner_text("h1")
    assert alone.evaluate("[...document.images].every((image) => image.naturalWidth === 202)")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert dialogs == []


@pytest.mark.slow
def test_what_a_recipe_cannot_do_is_greyed_with_the_reason(shelf_address: str, shelf: Path, visit):
    page = visit(shelf_address)
    set_id = examples.take_in_example("fields", shelf, count=12).set_id
    choice = {"set": set_id, "how": "crop", "background": [255, 255, 255], "name": "Fields"}
    page.evaluate(
        """(choice) => { const box = document.querySelector('#state-chosen textarea');
        box.value = choice; box.dispatchEvent(new Event('input')); }""",
        json.dumps(choice),
    )
    open_bakeoff(page)
    page.click(".bake-setup summary")
    page.wait_for_function("document.querySelector('.bake-subject').textContent.includes('12 pictures')")
    box = ".bake-recipe:has(input[value={}])"
    assert page.is_disabled(box.format("cgan") + " input")
    assert "needs pictures in two or more folders" in page.inner_text(box.format("cgan"))
    page.select_option(".bake-size", "28")
    assert "not at 28 px" in page.inner_text(box.format("projected"))
    assert page.is_disabled(".bake-begin")  # of those ticked only one can do it
    page.select_option(".bake-size", "32")
    assert page.inner_text(".bake-total").startswith("3 recipes × 10 minutes: about 33 min")
    page.fill(".bake-minutes", "0")
    assert page.is_disabled(".bake-begin")


@pytest.mark.alone
@pytest.mark.slow  # starts two workers, and waits until they can be paused
def test_it_is_started_from_the_page_and_paused(serve, tmp_path: Path, visit):
    set_id = examples.take_in_example("fields", tmp_path, count=12).set_id
    page = visit(serve(tmp_path))
    choice = {"set": set_id, "how": "crop", "background": [255, 255, 255], "name": "Fields"}
    page.evaluate(
        """(choice) => { const box = document.querySelector('#state-chosen textarea');
        box.value = choice; box.dispatchEvent(new Event('input')); }""",
        json.dumps(choice),
    )
    open_bakeoff(page)
    page.wait_for_function("document.querySelector('.bake-subject').textContent.includes('12 pictures')")
    page.select_option(".bake-size", "32")
    page.uncheck(".bake-recipe input[value=projected]")
    page.click(".bake-begin")
    page.wait_for_selector(".bake-title strong:has-text('FastGAN')")
    (made,) = bakeoff.list_all(tmp_path)
    assert [row["recipe"] for row in made["runs"]] == ["dcgan", "fastgan"]
    page.click("[data-do=pause]")
    page.wait_for_selector(".bake-state:has-text('resting')")
    assert page.is_visible("[data-do=resume]")
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("[data-do=forget]")
    page.wait_for_selector(".bake-result", state="hidden")
    assert bakeoff.list_all(tmp_path) == []


@pytest.mark.slow
def test_where_strangers_come_only_the_owner_votes(serve, tmp_path: Path, visit):
    made = write_bakeoff(tmp_path, "Mine", owner_key="the key of who started it")
    address = serve(tmp_path, public=True)
    stranger = visit(address)
    open_bakeoff(stranger)
    assert stranger.locator(".bake-which option").count() == 0
    events = httpx.get(f"{address}config").json()["dependencies"]
    act = next(event["id"] for event in events if event["api_name"] == "ui_bakeoff_act")
    for wish in ({"do": "vote", "pair": 0, "choice": "left"}, {"do": "forget"}, {"do": "resume"}):
        call = {
            "fn_index": act,
            "data": ["", "guess"],
            "event_data": wish | {"id": made},
            "session_hash": "x",
        }
        answer = httpx.post(f"{address}gradio_api/run/predict", json=call, timeout=60)
        assert "Only who started this bake-off" in answer.text
    assert bakeoff.votes(bakeoff.find(tmp_path, made), 2) == {}


@pytest.mark.parametrize(
    "path", ["nobody-abc234.json", "..%2f..%2fx.json", "nobody-abc234/0-left.webp", "x.html"]
)
def test_what_is_not_there_is_not_found(shelf_address: str, path: str):
    assert httpx.get(f"{shelf_address}gradio_api/bakeoff/{path}").status_code == 404
