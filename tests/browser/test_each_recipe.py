"""Every recipe, picked and begun on the page, paints its first grid there.

    GAN_PLAY_PICTURES=paintings/ GAN_PLAY_SHOTS=shots/ GAN_PLAY_WAIT=60 python tests/run.py -m slow \\
        tests/browser/test_each_recipe.py

Without these it draws its own pictures, in two folders. GAN_PLAY_WAIT: how many seconds each trains before it is
stopped; GAN_PLAY_SHOTS: where screenshots go.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from gan_play.pictures import examples, images
from gan_play.trainers.recipes import RECIPES, recipes_for

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder to learn from, with a folder for each label."""
    if given := os.environ.get("GAN_PLAY_PICTURES"):
        return Path(given)
    folder = tmp_path_factory.mktemp("pictures") / "two kinds"
    for kind in ("sunsets", "rosettes"):
        (folder / kind).mkdir(parents=True)
        for seed in range(30):
            (folder / kind / f"{seed}.png").write_bytes(images.encode(examples.draw(kind, seed, 64), "png"))
    return folder


@pytest.fixture(scope="module")
def there(serve, tmp_path_factory: pytest.TempPathFactory) -> str:
    return serve(tmp_path_factory.mktemp("each recipe"))


@pytest.fixture(scope="module")
def chosen(there: str, pictures: Path, chromium):
    """A visitor's browser in which the pictures are chosen."""
    expect.set_options(timeout=60_000)
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(there)
    page.get_by_role("tab", name="Gather", exact=True).click()
    page.set_input_files("#drop input[name=folder]", pictures)
    page.wait_for_selector("#report .contact img")
    page.click("#gather-choose")
    expect(page.locator("#learn-labels")).to_be_visible()
    yield page
    context.close()


@pytest.mark.parametrize("recipe", recipes_for("paint"))
def test_each_recipe_is_picked_and_begun_on_the_page_and_paints(recipe: str, chosen):
    page = chosen
    if not page.locator("#begin").is_visible():  # a run is being watched, and the next one folded away
        page.click("#setup > button")
    card = page.locator(f"#recipes [data-pick={recipe}]")
    if not card.is_visible():
        page.click(f"#recipes details:has([data-pick={recipe}]) summary")
    card.click()
    page.wait_for_selector(f"#recipes [data-pick={recipe}][aria-checked=true]")
    expect(page.locator("#size label")).to_have_text([f"{px} px" for px in RECIPES[recipe].sizes])
    page.get_by_label("32 px").check()
    before = page.input_value("#state-run textarea")
    page.click("#begin")
    page.wait_for_function(
        "(before) => document.querySelector('#state-run textarea').value !== before", arg=before
    )
    run = page.input_value("#state-run textarea")
    try:
        page.wait_for_function(
            """(run) => { const grid = document.querySelector('.live-grid img');
            return grid?.src.includes(`run/${run}/`) && grid.naturalWidth > 64; }""",
            arg=run,
        )
        page.wait_for_timeout(1000 * float(os.environ.get("GAN_PLAY_WAIT", "0")))
    finally:
        page.click("#stop")  # or the next recipe would have to wait for this one
    page.wait_for_selector("#live .live-state[data-state=stopped]")
    assert RECIPES[recipe].title in page.inner_text("#live")
    if folder := os.environ.get("GAN_PLAY_SHOTS"):
        page.screenshot(path=f"{folder}/recipe-{recipe}.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{folder}/recipe-{recipe}-phone.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.set_viewport_size({"width": 1280, "height": 900})
