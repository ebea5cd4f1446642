"""A film on the timeline in a real browser: from the tray to keyframes, their order, music, the film and its link."""

import os
import threading

import playground
import pytest
from playwright.sync_api import Page, expect

from gan_play.share import artwork as artworks
from gan_play.ui import timeline
from tests import test_music

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture
def home(tmp_path):
    playground.run_in(tmp_path)
    return tmp_path


def plan(page: Page):
    """The timeline that the page holds."""
    return artworks.decode(page.input_value("#play-plan :is(textarea, input)")).timeline


def changes(page: Page, act) -> None:
    """Does something and waits until the plan on the page is another one."""
    box = "#play-plan :is(textarea, input)"
    before = page.input_value(box)
    act()
    page.wait_for_function("([box, old]) => document.querySelector(box).value !== old", arg=[box, before])
    page.wait_for_timeout(300)  # the row is drawn anew


@pytest.mark.slow  # it renders a film with sound, twice over the whole page
@pytest.mark.timeout(900)
def test_a_film_is_planned_set_to_music_made_and_brought_back_by_its_link(serve, visit, home, tmp_path):
    sound = test_music.write_wav(tmp_path / "beat.wav", test_music.clicks(2, 0.5)[0])
    address = serve(home)
    page = visit(address)
    for place, seed in enumerate((1, 5, 9), 1):
        page.click(f"#seeds .tile[data-seed='{seed}']")
        expect(page.locator("#tray .tile.picked")).to_have_count(place)
    page.click("#play-tool label:has-text('Walk')")
    changes(page, lambda: page.click("#play-timeline"))
    expect(page.locator(".timeline .key")).to_have_count(3)
    assert plan(page).seeds == (1, 5, 9)

    changes(page, lambda: page.locator(".key [data-move='1']").first.click())
    assert plan(page).seeds == (5, 1, 9)
    changes(page, lambda: page.locator(".key").nth(2).drag_to(page.locator(".key").nth(0)))
    assert plan(page).seeds == (9, 5, 1)
    hold = page.locator(".key [data-key='hold']").first
    changes(page, lambda: (hold.fill("0.5"), hold.press("Tab")))
    changes(page, lambda: page.select_option("[data-plan='kind']", "breathe"))
    changes(page, lambda: page.uncheck("[data-plan='moving'][value='coarse']"))
    made = plan(page)
    assert (made.keys[0].hold, made.kind, made.moving) == (0.5, "breathe", ("middle", "fine"))

    changes(page, lambda: page.set_input_files("[data-add='sound']", str(sound)))
    expect(page.locator("svg.heard")).to_be_visible()
    assert plan(page).seconds == 2
    page.click("#play-make")
    page.wait_for_selector("#stage video", timeout=240_000)
    page.wait_for_function("document.querySelector('#stage video').duration > 1.9")
    page.set_input_files("[data-add='sound']", os.path.abspath(__file__))
    expect(page.locator("#play-message")).to_contain_text("no sound that can be read")

    code = page.input_value("#play-plan :is(textarea, input)")
    for width in (1280, 390):
        other = visit(f"{address}?art={code}", width)
        expect(other.locator(".timeline .key")).to_have_count(3)
        assert plan(other) == plan(page)
        assert other.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#play-timeline")
    expect(page.locator(".timeline")).to_have_count(0)


@pytest.mark.slow  # it opens the page for itself, to see what becomes of a row that was changed by hand
@pytest.mark.timeout(300)
def test_what_is_taken_out_and_what_is_refused_leave_the_page_as_the_film_is(serve, visit, home):
    page = visit(serve(home))
    for place, seed in enumerate((1, 5, 9), 1):
        page.click(f"#seeds .tile[data-seed='{seed}']")
        expect(page.locator("#tray .tile.picked")).to_have_count(place)
    page.click("#play-tool label:has-text('Walk')")
    changes(page, lambda: page.click("#play-timeline"))
    kind = plan(page).kind
    for _ in range(2):  # the second time the film as it is, is no news
        page.select_option("[data-plan='kind']", "circle")
        expect(page.locator("#play-message")).to_contain_text("A circle")
        expect(page.locator("[data-plan='kind']")).to_have_value(kind)
    changes(page, lambda: page.select_option("[data-sweep='name']", "light"))
    changes(page, lambda: page.select_option(".sweep:last-child [data-sweep='name']", "warmth"))
    assert plan(page).end == (("light", 1.0), ("warmth", 1.0))
    expect(page.locator(".sweep")).to_have_count(3)
    changes(page, lambda: page.uncheck(".tick [value='coarse']"))
    changes(page, lambda: page.uncheck(".tick [value='middle']"))
    page.evaluate("document.querySelector('.key').remove()")
    page.locator(".tick [value='fine']").click()
    expect(page.locator("#play-message")).to_contain_text("Something has to move")
    expect(page.locator(".tick [value='fine']")).to_be_checked()
    expect(page.locator(".key")).to_have_count(3)
    for count in (2, 1):
        changes(page, lambda: page.locator(".key [data-move='0']").last.click())
        expect(page.locator(".key")).to_have_count(count)
    expect(page.locator("[data-plan='kind']")).to_have_value("breathe")


@pytest.mark.slow  # a visit of its own
@pytest.mark.timeout(300)
def test_what_is_done_in_the_boxes_while_an_answer_is_on_its_way_stays(serve, visit, home, monkeypatch):
    asked, go_on, changed = threading.Semaphore(0), threading.Semaphore(0), timeline.changed

    def slowly(*given):
        asked.release()
        assert go_on.acquire(timeout=60)
        return changed(*given)

    page = visit(serve(home))
    for place, seed in enumerate((1, 5), 1):
        page.click(f"#seeds .tile[data-seed='{seed}']")
        expect(page.locator("#tray .tile.picked")).to_have_count(place)
    page.click("#play-tool label:has-text('Walk')")
    changes(page, lambda: page.click("#play-timeline"))
    key = page.locator(".key").first
    seconds, hold = (key.locator(f"[data-key='{name}']") for name in ("seconds", "hold"))
    changes(page, lambda: (seconds.fill("2"), seconds.press("Enter")))
    monkeypatch.setattr(timeline, "changed", slowly)

    seconds.press("ArrowUp")
    assert asked.acquire(timeout=60)
    for _ in range(3):  # while the first is on its way
        seconds.press("ArrowUp")
    changes(page, go_on.release)
    expect(key).to_have_attribute("data-seconds", "2.1")
    assert asked.acquire(timeout=60)
    seconds.press("ArrowUp")  # from where it stands, not from where the answer was
    go_on.release(2)
    expect(key).to_have_attribute("data-seconds", "2.5")
    expect(seconds).to_have_value("2.5")
    assert asked.acquire(timeout=60)

    seconds.fill("3")
    seconds.press("Tab")
    assert asked.acquire(timeout=60)
    hold.fill("1")  # and not left yet
    changes(page, go_on.release)
    expect(key).to_have_attribute("data-seconds", "3")
    assert (plan(page).keys[0].hold, hold.input_value()) == (0, "1")
    go_on.release()
    changes(page, lambda: hold.press("Tab"))
    assert (plan(page).keys[0].seconds, plan(page).keys[0].hold) == (3, 1)
