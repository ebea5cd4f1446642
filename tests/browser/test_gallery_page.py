"""The Gallery in a real browser: search, name and notes, a ZIP of many, remove and undo, a link withdrawn."""

import re
import zipfile

import playground
import pytest
from playwright.sync_api import expect

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture
def home(tmp_path):
    playground.run_in(tmp_path)
    return tmp_path


def keep(page, *seeds: int) -> None:
    for seed in seeds:
        page.locator(f'#seeds .tile[data-seed="{seed}"]').click()
        expect(page.locator("#stage figcaption")).to_contain_text(f"Seed {seed},")
        page.locator("#stage [data-do=keep]").click()
        expect(page.get_by_text("It is kept now.").first).to_be_visible()


@pytest.mark.slow  # half a minute of clicks
def test_works_are_searched_described_packed_removed_and_brought_back(serve, home, visit, tmp_path_factory):
    page = visit(serve(home).rstrip("/"))
    keep(page, 3, 8, 11)
    page.locator("#stage [data-do=like]").click()
    expect(page.locator("#stage [data-do=like]")).to_contain_text("Liked")
    page.locator("#stage [data-do=share]").click()
    withdraw = page.locator("#stage [data-do=withdraw]")
    expect(withdraw).to_be_visible()
    link = page.locator("#stage .link").input_value()
    page.get_by_role("tab", name="Gallery").click()
    works = page.locator("#gallery-wall .work")
    expect(works).to_have_count(3)
    expect(works.first.locator("[data-do=like]")).to_contain_text("Liked")
    eight = page.locator("#gallery-wall .work", has_text="Seed 8,")
    eight.locator("summary").click()
    eight.locator(".about input").fill("<i>Dusk</i>")
    eight.locator(".about textarea").fill("for Ada")
    eight.locator("[data-wall=describe]").click()
    expect(eight.locator("figcaption")).to_contain_text("<i>Dusk</i>")
    page.locator("#gallery-search :is(input, textarea)").fill("ADA")
    expect(works).to_have_count(1)
    expect(works).to_contain_text("for Ada")
    page.locator("#gallery-search :is(input, textarea)").fill("")
    expect(works).to_have_count(3)
    page.locator("[data-wall=all]").click()
    page.locator("[data-wall=zip]").click()
    with page.expect_download() as download:
        page.locator("#gallery-zip a").first.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert len(archive.namelist()) == 4 and "for Ada" in archive.read("works.csv").decode()
    page.locator("[data-wall=none]").click()
    for work in (eight, page.locator("#gallery-wall .work", has_text="Seed 3,")):
        work.locator(".mark input").check()
    page.locator("[data-wall=remove]").click()
    expect(works).to_have_count(1)
    expect(page.locator("#gallery-wall .undo")).to_contain_text("2 works removed")
    page.locator("[data-wall=undo]").click()
    expect(works).to_have_count(3)
    page.locator(".links summary").click()
    page.locator(".links [data-do=withdraw]").click()
    expect(page.locator(".links .told")).to_contain_text("it opens here no longer")
    late = visit(link)
    expect(late.locator("#play-message")).to_contain_text("was withdrawn by who made it")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert re.search(r"\?art=", link)
