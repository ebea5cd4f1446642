"""The doctor's report in a real browser: duplicates to keep or drop, a set made without them, and the way back."""

import json

import pytest

from gan_play.pictures import datasets, examples, images

SEEDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


@pytest.fixture(scope="module")
def twins(home):
    """A set of twelve, two of which are there twice; in one folder nine, in the other three. Its id."""
    with datasets.NewSet(home) as new:
        for i, seed in enumerate(SEEDS):
            pixels = examples.draw("rosettes", seed, 64)
            name = f"{'red' if i < 9 else 'blue'}/{i}.png"
            new.add(name, datasets.keep(images.Decoded(pixels, 64, 64, False)))
        return new.finish([], images.WHITE)[0]


def choose(page, set_id: str, until: str = ".doctor-groups img") -> None:
    """Takes a set in hand, as after an intake, and opens Gather."""
    page.get_by_role("tab", name="Gather", exact=True).click()
    choice = {"set": set_id, "how": "crop", "background": [255, 255, 255], "name": "Twins"}
    page.locator("#state-chosen textarea").evaluate(
        "(box, value) => { box.value = value; box.dispatchEvent(new Event('input', {bubbles: true})); }",
        json.dumps(choice),
    )
    page.wait_for_selector(until)


def in_hand(page) -> str:
    return json.loads(page.input_value("#state-chosen textarea"))["set"]


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_duplicates_are_dropped_and_put_back(address: str, home, twins: str, visit, width: int):
    page = visit(address, width)
    choose(page, twins)
    assert page.locator(".doctor-group").count() == 2
    assert page.locator(".doctor-groups [aria-pressed=true]").count() == 2
    assert "2 marked to be left out, 10 stay." in page.inner_text(".doctor-foot")
    assert "Few pictures: blue (3), red (9)" in page.inner_text(".doctor-few")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click(".doctor-groups [aria-pressed=true] >> nth=0")
    assert page.inner_text("[data-leave]") == "Leave this one out"
    page.click("[data-leave]")
    page.wait_for_selector(".doctor-from:not([hidden])")
    assert len(datasets.read_manifest(home / "sets" / in_hand(page))["pictures"]) == 11
    assert page.inner_text(".doctor-from span") == "Left out of the set as it was: 1."
    page.wait_for_function("document.querySelectorAll('#report .contact img').length === 11")
    page.click("[data-back]")
    page.wait_for_function("document.querySelectorAll('#report .contact img').length === 12")
    assert in_hand(page) == twins


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_odd_ones_are_found_and_the_map_shows_them(address: str, home, visit, width: int):
    with datasets.NewSet(home) as new:
        for i in range(32):
            pixels = examples.draw("rosettes" if i % 16 == 5 else "mountains", i + width, 64)
            new.add(f"<b>{i}</b>.png", datasets.keep(images.Decoded(pixels, 64, 64, False)))
        set_id = new.finish([], images.WHITE)[0]
    page = visit(address, width)
    choose(page, set_id, ".doctor-map")
    page.click(".doctor-map summary")
    page.click("[data-look]")
    page.wait_for_selector(".map-board button")
    assert page.locator(".map-board button").count() == 32
    odd = page.locator(".doctor-odd [data-mark]").evaluate_all("all => all.map(b => Number(b.dataset.mark))")
    assert {5, 21} <= set(odd) and len(odd) <= 4 and 9 not in odd
    page.click("[data-all]")
    assert page.locator(".map-board .out").count() == len(odd)
    page.locator(".map-board [data-at='9']").dispatch_event("click")
    assert page.inner_text(".doctor-large span") == "<b>9</b>.png"
    page.click("[data-toggle]")
    assert page.inner_text("[data-leave]") == f"Leave these {len(odd) + 1} out"
    page.focus(".map-board [tabindex='0']")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.at !== undefined")
    page.click(".map-zoom [aria-label=Larger]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("[data-leave]")
    page.wait_for_function(f"document.querySelectorAll('#report .contact img').length === {31 - len(odd)}")
    page.wait_for_selector("[data-look]")
