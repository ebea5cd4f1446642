"""Gather and Train through a real browser: pictures in, one button, the grid, the same run again, nothing executed."""

import json
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from gan_play import files
from gan_play.pictures import images
from gan_play.runs import store
from gan_play.ui.words import say

WIDTHS = (1280, 390)
MARKUP = "${alert(1)} {{this}} <img src=x onerror=alert(2)> `b` \\"
SHOWN = "document.querySelector('.live-grid img')?.naturalWidth === 202"  # six tiles of 32 px, 2 px between


def write_run(home: Path, run_id: str, name: str, state: str = "paused", grids: int = 3) -> str:
    """A run as its worker leaves it, with some grids and statistics but no networks."""
    folder = home / run_id
    (folder / "samples").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (36, 32, 32, 3), dtype=np.uint8)
    for i in range(grids):
        grid = images.encode(images.grid(pixels // (grids - i), 6, 2), "webp")
        (folder / "samples" / f"step-{i * 10:06d}.webp").write_bytes(grid)
        numbers = {"step": i * 10, "images_seen": i * 80, "seconds": 2.0 * i, "images_per_second": 40.0}
        files.append_line(folder / "stats.jsonl", json.dumps(numbers | {"loss_g": 1.0, "loss_d": 0.5}))
    layout = {"columns": 6, "tile_px": 32, "gap_px": 2, "seeds": list(range(36)), "truncation": 0.7}
    files.write_json(folder / "samples" / "seeds.json", layout)
    about = {"name": name, "recipe": "dcgan", "size_px": 32, "seed": 0, "state": state, "sentence": ""}
    about |= {"created": time.time(), "queued": 1.0, "set": {"count": 12}, "settings": None, "minutes": 5.0}
    files.write_json(
        folder / "run.json", about | {"steps": None, "started_from": None, "attempts": 0, "rollbacks": 0}
    )
    files.write_json(folder / "wanted.json", {"wish": "pause"})
    return run_id


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a paused run, one with a hostile name and one that is damaged."""
    home = tmp_path_factory.mktemp("shelf")
    write_run(home, "quiet-abc234", "Quiet")
    write_run(home, "markup-abc234", MARKUP, grids=1)
    (home / "broken-abc234").mkdir()
    (home / "broken-abc234" / "run.json").write_text("{")
    return home


@pytest.fixture(scope="module")
def shelf_address(serve, shelf: Path) -> str:
    return serve(shelf)


def open_tab(page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    page.wait_for_selector(f"#tab-{name.lower()} .sentence")


@pytest.mark.alone
@pytest.mark.slow
def test_from_a_folder_to_a_run_that_is_seen_again(address: str, home: Path, folder: Path, visit):
    page = visit(address)
    open_tab(page, "Gather")
    page.set_input_files("#drop input[name=folder]", folder)
    page.wait_for_selector("#report .contact img")
    assert page.inner_text("#report h3") == "stripes"
    assert page.locator("#report .contact img").count() == 12
    assert "12 pictures" in page.inner_text("#report .verdict")
    page.click("#report summary")
    assert "notes.jpg is not a picture" in page.inner_text("#report details")
    page.click("[data-how=border]")
    page.wait_for_function("document.querySelector('#state-chosen textarea').value.includes('border')")

    page.click("#gather-choose")
    page.click("#recipes details:has([data-pick=dcgan]) summary")
    page.click("[data-pick=dcgan]")
    page.wait_for_selector("[data-pick=dcgan][aria-checked=true]")
    page.wait_for_selector("#size label:has-text('28 px')")
    page.get_by_label("32 px").check()
    page.click("#begin")
    page.wait_for_selector("#live .live-name:has-text('stripes')")
    run = page.input_value("#state-run textarea")
    page.wait_for_function(f"location.search.includes('run={run}')")
    page.wait_for_function(SHOWN)
    page.wait_for_function("document.querySelector('.live-numbers').textContent.includes('pictures seen')")

    phone = visit(f"{address}?run={run}", width=390)
    phone.wait_for_function(SHOWN)
    assert phone.inner_text("#live .live-name") == "stripes"
    page.reload()
    page.wait_for_function(SHOWN)

    page.click("#pause")
    page.wait_for_selector("#live .live-state[data-state=paused]")
    phone.wait_for_selector("#live .live-state[data-state=paused]")
    run_json = files.read_json(home / run / "run.json")
    assert (run_json["recipe"], run_json["size_px"], run_json["set"]["how"]) == ("dcgan", 32, "border")
    page.click("#stop")
    page.wait_for_selector("#live .live-state[data-state=stopped]")
    assert page.is_visible("#more") and not page.is_visible("#stop")


@pytest.mark.slow
def test_the_time_slider_goes_back_and_a_tile_takes_its_seed_to_play(shelf_address: str, visit):
    page = visit(f"{shelf_address}?run=quiet-abc234")
    page.wait_for_function(SHOWN)
    assert "step-20" in page.get_attribute(".live-grid img", "src").replace("grid/", "step-")
    page.locator(".live-slider input").fill("1")
    assert page.get_attribute(".live-grid img", "src") == "gradio_api/run/quiet-abc234/grid/10.webp"
    page.wait_for_timeout(2500)  # two ticks of the page's clock
    assert page.get_attribute(".live-grid img", "src") == "gradio_api/run/quiet-abc234/grid/10.webp"
    page.click(".live-newest")
    assert page.get_attribute(".live-grid img", "src") == "gradio_api/run/quiet-abc234/grid/20.webp"
    page.locator(".live-tiles button").nth(7).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#state-picked textarea').value")
    picked = json.loads(page.input_value("#state-picked textarea"))
    assert (picked["run"], picked["step"], picked["seed"]) == ("quiet-abc234", 20, 13)
    page.wait_for_selector("#tab-play .sentence")


@pytest.mark.slow
def test_a_reload_however_soon_shows_the_same_run(shelf_address: str, visit):
    page = visit(f"{shelf_address}?run=quiet-abc234")
    for after_ms in (0, 300, 900, 3000):  # Play, behind, makes its first picture meanwhile
        page.wait_for_function(SHOWN)
        page.wait_for_timeout(after_ms)
        assert "art=" not in page.url
        page.reload()
    page.wait_for_function(SHOWN)


@pytest.mark.slow
def test_a_page_that_only_watches_costs_no_event_of_gradio(shelf_address: str, visit):
    page = visit(f"{shelf_address}?run=quiet-abc234")
    page.wait_for_function(SHOWN)
    asked = []
    page.on("request", lambda request: asked.append(request.url.rstrip("/").rpartition("/")[2]))
    for _ in range(10):  # what arriving sets off goes on for a while
        asked.clear()
        page.wait_for_timeout(6000)
        if not {"join", "predict"} & set(asked):
            break
    assert "component_server" in asked and not {"join", "predict"} & set(asked)


@pytest.mark.slow
def test_a_page_begins_anew_where_its_server_has(shelf_address: str, visit):
    page = visit(f"{shelf_address}?run=quiet-abc234")
    page.wait_for_function(SHOWN)
    page.wait_for_function("document.querySelector('#bar button')")  # the bar was asked for
    page.evaluate("window.before = true")

    def of_another_server(route):
        answer = route.fetch()
        told = answer.json()
        if isinstance(told, dict) and "server" in told:
            told["server"] = "another"
        route.fulfill(response=answer, json=told)

    page.route("**/component_server/", of_another_server)
    page.wait_for_function("window.before === undefined")
    page.wait_for_function(SHOWN)
    page.unroute_all(behavior="ignoreErrors")  # what is on its way would else be answered in the next test


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_names_are_text_and_nothing_overflows(shelf_address: str, visit, width: int):
    page = visit(f"{shelf_address}?run=markup-abc234", width=width)
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.wait_for_function(SHOWN)
    assert page.inner_text("#live .live-name") == MARKUP
    assert page.inner_text("[data-pick=markup-abc234] strong") == MARKUP
    assert page.locator("[data-pick=broken-abc234] .chip").inner_text() == "damaged"
    for name in ("Gather", "Train", "Play"):
        open_tab(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert dialogs == []


@pytest.mark.slow
def test_a_run_is_renamed_and_deleted_after_a_question(shelf_address: str, shelf: Path, visit):
    write_run(shelf, "going-abc234", "Going")
    page = visit(f"{shelf_address}?run=going-abc234")
    page.wait_for_function(SHOWN)
    page.get_by_text(say("train.manage")).click()
    page.fill("#rename-to textarea, #rename-to input", "Gone soon")
    page.click("#rename")
    page.wait_for_selector("#live .live-name:has-text('Gone soon')")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.click("#delete")
    assert (shelf / "going-abc234").exists()
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#delete")
    page.wait_for_selector("#watching", state="hidden")
    page.wait_for_function("!location.search.includes('run=')")
    assert not (shelf / "going-abc234").exists()


@pytest.mark.slow
def test_where_strangers_come_only_the_owner_steers_and_others_watch(serve, tmp_path: Path, visit):
    write_run(tmp_path, "mine-abc234", "Mine")
    address = serve(tmp_path, public=True)
    stranger = visit(f"{address}?run=mine-abc234")
    stranger.wait_for_function(SHOWN)
    assert "only who started it can steer it" in stranger.inner_text("#live .live-sentence")
    assert not stranger.is_visible("#resume") and not stranger.is_visible("#delete")
    assert stranger.locator("#runs [data-pick=mine-abc234]").count() == 0
    events = httpx.get(f"{address}config").json()["dependencies"]
    stop = next(event["id"] for event in events if event["api_name"] == "ui_stop")
    call = {"fn_index": stop, "data": ["mine-abc234", "guess", ""], "session_hash": "stranger"}
    answer = httpx.post(f"{address}gradio_api/run/predict", json=call, timeout=60)
    assert "Only who started this run can steer it" in answer.text
    assert store.wish_of(tmp_path / "mine-abc234") == "pause"


def test_a_link_to_a_run_that_is_gone_says_so(shelf_address: str, visit):
    page = visit(f"{shelf_address}?run=nobody-abc234")
    page.get_by_text("The run in this address isn't here").wait_for()
