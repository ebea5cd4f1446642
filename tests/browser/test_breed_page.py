"""Breeding in a real browser: children, what is held, a cross, the family tree, back and branch, a link."""

import os

import playground
import pytest
from playwright.sync_api import Page, expect

from gan_play.share import artwork as artworks
from gan_play.share import family

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture
def home(tmp_path):
    playground.run_in(tmp_path)
    return tmp_path


def codes(page: Page, piece: str) -> list[str]:
    return [tile.get_attribute("data-code") for tile in page.locator(f"{piece} .tile").all()]


def with_seed_3(page: Page, tool: str) -> Page:
    """The page with seed 3 in a tool, by the button under its picture."""
    page.click("#seeds .tile[data-seed='3']")
    page.click(f"#stage [data-do='to-{tool}']")
    return page


def wait_for_other(page: Page, piece: str, before: list[str]) -> list[str]:
    """The pictures of a piece, once they are others than before."""
    page.wait_for_function(
        "([piece, first]) => { const tile = document.querySelector(piece + ' .tile'); "
        "return tile && tile.dataset.code !== first; }",
        arg=[piece, before[0] if before else ""],
    )
    return codes(page, piece)


def choose(page: Page, place: int) -> str:
    """Click a child, and wait until it is on the stage."""
    child = page.locator("#brood .tile").nth(place)
    code = child.get_attribute("data-code")
    child.click()
    expect(page.locator(f'#stage [data-do="open"][data-code="{code}"]').first).to_be_visible()
    return code


def breed_from(page: Page, place: int) -> str:
    before, code = codes(page, "#brood"), choose(page, place)
    page.click("#play-breed-on")
    wait_for_other(page, "#brood", before)
    expect(page.locator(f'#family .tile.current[data-code="{code}"]')).to_be_visible()
    return code


def band(code: str, place: int) -> dict[int, int]:
    genome = artworks.decode(code).genome
    return {seed: row[place] for seed, row in zip(genome.seeds, genome.shares) if row[place]}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_generations_are_bred_held_crossed_and_taken_back(serve, visit, home):
    page = with_seed_3(visit(serve(home)), "breed")
    expect(page.locator("#brood .tile")).to_have_count(12)
    expect(page.locator("#family")).to_contain_text("begins with the first child")
    founder = codes(page, "#parents")[0]

    first = breed_from(page, 1)
    before = codes(page, "#brood")
    page.click("#play-held label:has-text('Composition')")
    wait_for_other(page, "#brood", before)
    second = breed_from(page, 4)
    assert band(second, 0) == band(first, 0) and band(second, 1) != band(first, 1)
    expect(page.locator("#family .member")).to_have_count(3)
    expect(page.locator("#family")).to_contain_text("composition held")

    page.click("#play-breed-back")  # one generation
    expect(page.locator(f'#parents .tile[data-code="{first}"]')).to_be_visible()
    branch = choose(page, 7)
    page.click("#play-breed-keep")
    expect(page.locator(f'#family .tile[data-code="{branch}"]')).to_be_visible()
    assert family.find(home, "", branch).parents == (first,)

    page.click("#seeds .tile[data-seed='9']")  # a stranger, to cross with
    expect(page.locator("#stage figcaption")).to_contain_text("Seed 9")
    before = codes(page, "#brood")
    page.click("#play-breed-cross")
    expect(page.locator("#parents .tile")).to_have_count(2)
    row = wait_for_other(page, "#brood", before) if codes(page, "#brood") == before else codes(page, "#brood")
    assert row[0] == first and len(row) == 12
    both = breed_from(page, 6)
    assert len(family.find(home, "", both).parents) == 2

    page.click(f'#family .tile[data-code="{founder}"]')  # back to where it began
    expect(page.locator(f'#parents .tile[data-code="{founder}"]')).to_be_visible()
    if out := os.environ.get("GAN_PLAY_SHOTS"):
        page.screenshot(path=f"{out}/breed.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{out}/breed-phone.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    other = visit(
        serve(home) + f"?art={both}"
    )  # whoever opens a link of a bred picture sees it, and can go on
    expect(other.locator("#stage figcaption")).to_contain_text("Bred from")
    expect(other.locator(f'#parents .tile[data-code="{both}"]')).to_be_visible()


@pytest.mark.slow  # two visits
def test_a_damaged_tree_is_a_sentence_and_the_page_goes_on(serve, visit, home):
    (home / family.FILE).write_bytes(b"not a database" * 400)
    page = with_seed_3(visit(serve(home)), "breed")
    expect(page.locator("#brood .tile")).to_have_count(12)
    expect(page.locator("#family")).to_contain_text("is damaged")
    choose(page, 2)
    page.click("#play-breed-on")
    expect(page.locator("#play-message")).to_contain_text("is damaged")
    page.click("#seeds .tile[data-seed='5']")
    expect(page.locator("#stage figcaption")).to_contain_text("Seed 5")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_picture_is_steered_put_back_and_bred_as_it_was_steered(serve, visit, home):
    page = with_seed_3(visit(serve(home)), "steer")
    light = page.locator("#play-steer-light input[type=number]")
    light.fill("1.5")
    light.press("Enter")
    light.blur()
    expect(page.locator("#stage figcaption")).to_contain_text("light +1.5")
    code = page.get_attribute("#stage [data-do='open']", "data-code")
    assert artworks.decode(code).steps == (("light", 1.5),)

    page.click("#play-steer-reset")
    expect(page.locator("#stage figcaption")).not_to_contain_text("light")
    other = visit(serve(home) + f"?art={code}")  # a link of it opens the tool with its sliders
    expect(other.locator("#play-steer-light input[type=number]")).to_have_value("1.5")
    other.click("#stage [data-do='to-breed']")
    expect(other.locator("#brood .tile")).to_have_count(12)
    assert all(artworks.decode(child).steps == (("light", 1.5),) for child in codes(other, "#brood"))
