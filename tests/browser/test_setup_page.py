"""Train's choices in a hurry, through a real browser: what is chosen last holds, however late an answer comes."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gan_play.refusals import Refusal, Refused
from gan_play.runs import store, worker
from gan_play.ui import forecast, train
from gan_play.ui.words import say

pytestmark = pytest.mark.slow  # visits of their own

expect.set_options(timeout=60_000)  # a busy machine is no failure

MEASURED = {"images_per_second": 10.0, "memory_bytes": 10**9, "disk_bytes": 10**6}
MEASURED |= {"settings": {"batch": 8, "precision": "float32", "width": 16}}


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A measurement takes until this is set; workers aren't started."""
    over = threading.Event()

    def measured(recipe: str, size_px: int, device: str) -> dict | Refusal:
        over.wait(60)
        return Refusal("toy", recipe, "The fan has fallen off.") if size_px == 128 else MEASURED

    monkeypatch.setattr(forecast, "MEASURED", {})
    monkeypatch.setattr(forecast, "_ask_child", measured)
    monkeypatch.setattr(worker, "start_worker", lambda home, run_id: None)
    yield over
    over.set()


@pytest.fixture
def setup(serve, visit, tmp_path: Path, folder: Path, measuring) -> Page:
    """Train with a set in hand, and nothing on its way but a measurement."""
    page = visit(serve(tmp_path))
    page.get_by_role("tab", name="Gather", exact=True).click()
    page.set_input_files("#drop input[name=folder]", folder)
    page.wait_for_selector("#report .contact img")
    page.click("#gather-choose")
    expect(page.locator("#begin")).to_be_enabled()
    expect(page.locator("#start-from input")).to_have_value(re.compile("starter-64"))
    page.click("#recipes details:has([data-pick=dcgan]) summary")
    return page


def hold_back(page: Page, *events: str) -> list:
    """Holds back the answers of these events; `let_go` gives them, in the order in which they were asked for."""
    names = page.evaluate(
        "Object.fromEntries(gradio_config.dependencies.map((one) => [one.id, one.api_name]))"
    )
    late = []

    def answer(route):
        if names[str(route.request.post_data_json["fn_index"])] in events:
            late.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/gradio_api/run/predict*", answer)
    return late


def let_go(page: Page, late: list) -> None:
    page.wait_for_timeout(1000)
    for route, there in late:
        route.fulfill(response=there)
    page.unroute("**/gradio_api/run/predict*")
    page.wait_for_timeout(1500)


def begun(page: Page, home: Path) -> dict:
    """What the run is that Begin makes."""
    page.click("#begin")
    page.wait_for_function("document.querySelector('#state-run textarea').value")
    return store.read_run(store.find_run(home, page.input_value("#state-run textarea")))


def test_a_card_and_a_size_in_a_hurry_find_what_such_a_run_starts_from(setup: Page, tmp_path: Path):
    page = setup
    page.locator("#size").get_by_label("32 px").check()
    start = page.locator("#start-from input")
    expect(start).to_have_value(say("train.start.none"))
    late = hold_back(page, "ui_recipe", "ui_size")
    page.click("[data-pick=dcgan]")
    page.locator("#size").get_by_label("64 px").check()
    let_go(page, late)
    expect(start).to_have_value(say("train.start.none"))
    expect(page.locator("#size label")).to_have_text([f"{px} px" for px in (28, 32, 64, 128, 256, 512)])
    run = begun(page, tmp_path)
    assert (run["recipe"], run["size_px"], run["started_from"]) == ("dcgan", 64, None)


def test_of_two_cards_in_a_hurry_the_last_one_is_begun(setup: Page, tmp_path: Path):
    page = setup
    page.locator("#size").get_by_label("32 px").check()
    expect(page.locator("#start-from input")).to_have_value(say("train.start.none"))
    late = hold_back(page, "ui_recipe", "ui_size")
    page.click("[data-pick=dcgan]")
    page.click("[data-pick=wgan]")
    assert begun(page, tmp_path)["recipe"] == "wgan"
    let_go(page, late)
    expect(page.locator("[data-pick=wgan]")).to_have_attribute("aria-checked", "true")


def test_a_card_changes_sizes_and_dials_at_once_and_a_size_that_it_lacks(setup: Page, tmp_path: Path):
    page = setup
    page.locator("#size").get_by_label("512 px").check()
    page.click("[data-pick=gan]")
    expect(page.locator("#size label")).to_have_text(["28 px", "32 px", "64 px"])
    expect(page.locator("#size").get_by_label("64 px")).to_be_checked()
    page.locator("#size").get_by_label("28 px").check()
    run = begun(page, tmp_path)
    assert (run["recipe"], run["size_px"]) == ("gan", 28)


def test_where_a_run_cannot_be_made_it_is_said_and_begin_comes_back(setup: Page, monkeypatch):
    refused = Refused(Refusal("toy", "", "The fan has fallen off."))
    for error, words in (
        (RuntimeError("a disk on fire"), say("page.busy")),
        (refused, "The fan has fallen off."),
    ):
        hold = threading.Event()

        def broken(*asked, hold=hold, error=error):
            hold.wait(60)
            raise error

        monkeypatch.setattr(train, "create", broken)
        setup.click("#begin")
        expect(setup.locator("#begin-note")).to_contain_text(say("train.preparing"))
        hold.set()
        expect(setup.locator("#begin-note")).to_have_text(words)
        expect(setup.locator("#begin")).to_be_enabled()


def test_what_is_foreseen_is_for_the_minutes_that_are_chosen_when_it_is_known(setup: Page, measuring):
    expected = setup.locator("#forecast")
    expect(expected).to_contain_text(say("train.forecast.measuring"))
    setup.locator("#minutes input[type=number]").fill("60")
    setup.locator("#minutes input[type=number]").blur()
    setup.wait_for_timeout(1000)
    expect(expected).to_contain_text(say("train.forecast.measuring"))
    measuring.set()
    expect(expected).to_contain_text("About 36,000 pictures in 1 h")
    setup.locator("#size").get_by_label("128 px").check()
    expect(expected).to_contain_text("The fan has fallen off.")
    setup.locator("#minutes input[type=number]").fill("30")
    setup.locator("#minutes input[type=number]").blur()
    setup.wait_for_timeout(1000)
    expect(expected).to_contain_text("The fan has fallen off.")
    setup.locator("#size").get_by_label("64 px").check()
    expect(expected).to_contain_text("About 18,000 pictures in 30 min")
