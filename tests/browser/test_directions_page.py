"""A model's own directions in a real browser: the list, its sliders, layers, names, and a link."""

import os

import playground
import pytest
from playwright.sync_api import Page, expect

from gan_play.latent import directions
from gan_play.share import artwork as artworks

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture
def home(tmp_path):
    playground.run_in(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Names from four seeds: what is tested is the page."""
    whole = directions.effects
    monkeypatch.setattr(directions, "SEEDS", 4)
    monkeypatch.setattr(directions, "effects", lambda model, name: whole(model, name, range(4)))


def steering_seed_3(page: Page) -> Page:
    page.click("#seeds .tile[data-seed='3']")
    expect(page.locator("#stage figcaption")).to_contain_text("Seed 3")
    page.click("#stage [data-do='to-steer']")
    expect(page.locator(".direction")).to_have_count(8)
    expect(page.locator(".directions")).not_to_contain_text("Trying them out")
    return page


def steps(page: Page) -> dict[str, float]:
    return dict(artworks.decode(page.get_attribute("#stage [data-do='open']", "data-code")).steps)


@pytest.mark.slow  # many answers to wait for, where the machine does other work
@pytest.mark.timeout(600)
def test_a_direction_is_moved_turned_renamed_and_opened_from_its_link(serve, visit, home):
    page = steering_seed_3(visit(serve(home)))
    row = page.locator(".direction[data-way^='sefa1']")
    slider = row.locator("[type=range]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=6)
    page.wait_for_function(
        "document.querySelector('#stage .large img').src.startsWith('blob:')"
    )  # while dragged
    page.mouse.up()
    expect(page.locator("#stage figcaption")).to_contain_text("sefa1 +1.")
    assert steps(page)["sefa1"] > 1
    page.locator("#play-steer-light input[type=range]").press("ArrowRight")  # keys let go of nothing
    expect(page.locator("#stage figcaption")).to_contain_text("light +0.05, sefa1 +1.")
    page.locator("#play-steer-light input[type=range]").press("ArrowLeft")
    expect(page.locator("#stage figcaption")).not_to_contain_text("light")
    row.locator("select").select_option("sefa1@fine")
    expect(page.locator("#stage figcaption")).to_contain_text("sefa1 colour +1.")
    row.locator(".direction-strip button").first.click()
    expect(page.locator("#stage figcaption")).to_contain_text("sefa1 colour -3")
    expect(row.locator("output")).to_have_text("-3")

    row.locator(".direction-name").fill("<b>Dusk</b>")
    row.locator(".direction-name").press("Enter")
    expect(row.locator("[data-do='back']")).to_be_visible()
    code = page.get_attribute("#stage [data-do='open']", "data-code")

    other = visit(serve(home) + f"?art={code}")  # at home names are everybody's; a link opens its sliders
    there = other.locator(".direction[data-way='sefa1@fine']")
    expect(there.locator(".direction-name")).to_have_value("<b>Dusk</b>")
    expect(there.locator("[type=range]")).to_have_value("-3")
    other.click("#play-steer-reset")
    expect(other.locator("#stage figcaption")).not_to_contain_text("sefa1")
    expect(there.locator("[type=range]")).to_have_value("0")
    there.locator("[data-do='back']").click()
    expect(there.locator("[data-do='back']")).to_have_count(0)
    other.click(".directions [data-do='more']")
    expect(other.locator(".direction")).to_have_count(16)
    if out := os.environ.get("GAN_PLAY_SHOTS"):
        other.screenshot(path=f"{out}/directions.png", full_page=True)
    other.set_viewport_size({"width": 390, "height": 844})
    assert other.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow  # a second server, where strangers may come
@pytest.mark.timeout(400)
def test_in_public_names_are_for_the_browser_that_gave_them(serve, visit, home):
    public = serve(home, public=True)
    page = steering_seed_3(visit(public))
    page.locator(".direction-name").first.fill("Mine")
    page.locator(".direction-name").first.press("Enter")
    expect(page.locator("[data-do='back']")).to_have_count(1)
    stranger = steering_seed_3(visit(public))
    expect(stranger.locator(".direction-name").first).not_to_have_value("Mine")
    expect(stranger.locator("[data-do='back']")).to_have_count(0)
