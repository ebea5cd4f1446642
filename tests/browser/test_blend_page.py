"""Blending on the page: two models become a third, which is in hand at once."""

import os

import playground
import pytest
from playwright.sync_api import expect

from gan_play import files
from gan_play.latent import blend
from gan_play.runs import store

expect.set_options(timeout=60_000)  # a busy machine is no failure

OTHER, STRANGER = "toy-111111", "toy-222222"


@pytest.fixture
def home(tmp_path):
    for seed, (run, name) in enumerate({playground.RUN: "Toy", OTHER: "Other", STRANGER: "Stranger"}.items()):
        playground.run_in(tmp_path, run_id=run, seed=seed)
        path = tmp_path / run / "run.json"
        start = {"run": playground.RUN} if run == OTHER else None
        files.write_json(path, files.read_json(path) | {"name": name, "started_from": start})
    return tmp_path


def slide(page, name: str, value: str) -> None:
    page.locator(f"#blend-{name} input[type=range]").fill(value)


@pytest.mark.slow  # the page and a blend at every step of a slider: most of a minute on two cores
@pytest.mark.timeout(600)
def test_two_models_are_blended_by_sliders_and_the_new_one_is_in_hand(serve, visit, home):
    page = visit(serve(home))
    expect(page.locator("#seeds .tile").first).to_be_visible()
    page.click("#play-model-choice input")
    page.click("[role=option]:has-text('Toy')")
    expect(page.locator("#stage figcaption")).to_contain_text("Toy")
    page.click("#blend button.label-wrap")
    expect(page.locator("#blend-reasons")).to_contain_text("can't be blended")
    page.click("#blend-reasons summary")
    expect(page.locator("#blend-reasons")).to_contain_text("Stranger and Toy share no ancestor")
    page.click("#blend-other input")
    expect(page.locator("[role=option]")).to_have_count(1)
    page.click("[role=option]:has-text('Other')")
    expect(page.locator("#blend-preview img")).to_have_count(18)

    made = page.locator("#blend-preview img[src^=data]").first
    half = made.get_attribute("src")
    slide(page, "whole", "1")
    expect(page.locator("#blend-mapping input[type=number]")).to_have_value("1")
    expect(made).not_to_have_attribute("src", half)
    whole = made.get_attribute("src")
    slide(page, "coarse", "0.25")
    expect(made).not_to_have_attribute("src", whole)
    if out := os.environ.get("GAN_PLAY_SHOTS"):
        page.screenshot(path=f"{out}/blend.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{out}/blend-phone.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.fill("#blend-name :is(input, textarea)", "Between <b>")
    page.click("#blend-make")
    expect(page.locator("#blend-said")).to_contain_text("Between <b> is made")
    expect(page.locator("#play-standing")).to_contain_text("A blend of Toy and Other")
    expect(page.locator("#stage figcaption")).to_contain_text("Between <b>")
    (run,) = (run for run in store.list_runs(home) if run.blend)
    shares = blend.read(store.read_run(home / run.id)).shares
    assert shares == {"coarse": 0.25, "middle": 1.0, "fine": 1.0, "mapping": 1.0}
