"""Play and Gallery through a real browser: pick, mix, walk, keep, and a link that brings back the same picture."""

import hashlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import playground
import playing
import pytest
from playwright.sync_api import Page, expect

from gan_play import files
from gan_play.latent import sample
from gan_play.pictures import images
from gan_play.runs import worker
from gan_play.share import artwork as artworks
from gan_play.ui import filming, taste, tiles
from gan_play.ui import play as play_tab
from gan_play.ui.words import say

expect.set_options(timeout=60_000)  # a busy machine is no failure


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with one finished run, and no model that came with the program."""
    home = tmp_path_factory.mktemp("playhouse")
    playground.run_in(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "SHIPPED", tmp_path_factory.mktemp("shipped"))
        yield home


@pytest.fixture(scope="module")
def there(serve, house: Path) -> str:
    """The page over that home."""
    return serve(house).rstrip("/")


@pytest.fixture
def play(visit, there: str) -> Page:
    """Play, with the first page of seeds painted."""
    page = visit(there)
    painted(page)
    return page


def painted(page: Page) -> None:
    page.wait_for_function(
        """() => { const all = [...document.querySelectorAll('#seeds .tile img')];
        return all.length === 36 && all.every((image) => image.complete && image.naturalWidth > 0); }"""
    )


def tile(page: Page, seed: int):
    return page.locator(f'#seeds .tile[data-seed="{seed}"]')


def pick(page: Page, *seeds: int) -> None:
    """Click pictures, each until the tray has it."""
    for seed in seeds:
        tile(page, seed).click()
        expect(page.locator(f'#tray .tile[data-seed="{seed}"]')).to_be_visible()


def tray(page: Page) -> list[str]:
    return [item.get_attribute("data-seed") for item in page.locator("#tray .tile").all()]


def title(page: Page):
    return page.locator("#stage figcaption")


def settled(page: Page) -> None:
    """Wait until the address and the line of proof belong to what the stage shows."""
    page.wait_for_function(
        """() => { const code = document.querySelector('#stage [data-do=share]')?.dataset.code;
        return code && new URL(location).searchParams.get('art') === code
            && document.querySelector('#proof [data-of]')?.dataset.of === code; }"""
    )


def sha256(page: Page) -> str:
    settled(page)
    expect(page.locator("#proof")).to_contain_text(re.compile("[0-9a-f]{64}"))
    return re.search("[0-9a-f]{64}", page.locator("#proof").inner_text())[0]


def link(page: Page) -> str:
    """Press Copy link; the link that is shown."""
    page.locator("#stage [data-do=share]").click()
    expect(page.locator("#stage .link")).to_have_value(re.compile(r"\?art="))
    return page.locator("#stage .link").input_value()


def test_a_visitor_finds_the_model_painting_and_a_click_picks(play: Page):
    expect(title(play)).to_contain_text("Seed 0, Toy, 32 px")
    pick(play, 4, 9)
    expect(title(play)).to_contain_text("Seed 9")
    expect(tile(play, 9).locator(".badge")).to_have_text("2")
    settled(play)
    tile(play, 9).click()
    expect(tile(play, 9).locator(".badge")).to_have_count(0)
    assert tray(play) == ["4"]


@pytest.mark.slow  # a visit of its own: its tools are tested without a browser too
def test_arrows_move_enter_picks_and_shift_arrow_reorders(play: Page):
    tile(play, 0).focus()
    play.keyboard.press("ArrowRight")
    play.keyboard.press("ArrowDown")
    play.keyboard.press("Enter")
    expect(play.locator('#tray .tile[data-seed="7"]')).to_be_visible()
    pick(play, 2)
    play.locator('#tray .tile[data-seed="2"]').focus()
    play.keyboard.press("Shift+ArrowLeft")
    expect(play.locator("#tray .tile").first).to_have_attribute("data-seed", "2")


@pytest.mark.slow  # a visit of its own: its tools are tested without a browser too
def test_a_reload_leads_back_to_tray_and_picture(play: Page):
    pick(play, 3, 11)
    expect(title(play)).to_contain_text("Seed 11")
    settled(play)
    play.reload()
    expect(title(play)).to_contain_text("Seed 11")
    expect(play.locator("#tray .tile")).to_have_count(2)


def test_a_link_brings_back_the_same_pixels_in_a_fresh_browser(play: Page, visit, there: str):
    pick(play, 5)
    before, sent = sha256(play), link(play)
    other = visit(sent)
    expect(other.locator("#proof")).to_contain_text("Identical")
    assert sha256(other) == before
    expect(title(other)).to_contain_text("Seed 5")
    answer = other.request.get(f"{there}/{other.locator('#stage img').get_attribute('src')}")
    pixels = images.decode(answer.body())
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == before
    assert artworks.encode(artworks.read_card(answer.body())) == artworks.find_code(sent)


@pytest.mark.slow  # a visit of its own: its tools are tested without a browser too
def test_a_mix_follows_its_sliders_and_its_link_opens_the_tool(play: Page, visit):
    pick(play, 1, 2)
    play.get_by_label("Mix two", exact=True).check()
    expect(title(play)).to_contain_text("Seed 1 mixed with seed 2")
    before = play.locator("#stage img").get_attribute("src")
    play.locator("#play-coarse input[type=number]").fill("0.6")
    play.locator("#play-coarse input[type=number]").blur()
    expect(play.locator("#stage img")).not_to_have_attribute("src", before)
    expect(play.locator("#stage img")).to_have_attribute("src", re.compile("gradio_api/art/"))
    same, sent = sha256(play), link(play)
    other = visit(sent)
    expect(title(other)).to_contain_text("Seed 1 mixed with seed 2")
    expect(other.locator("#play-coarse input[type=number]")).to_have_value("0.6")
    assert sha256(other) == same


@pytest.mark.slow  # a visit of its own: its tools are tested without a browser too
def test_a_figure_shows_every_mix_and_a_click_opens_one(play: Page):
    pick(play, 1, 2, 3, 4)
    play.get_by_label("Mix many", exact=True).check()
    mixes = play.locator("#stage .table .tile:not(.head)")
    expect(mixes).to_have_count(4)
    mixes.first.click()
    expect(title(play)).to_contain_text("Seed 3 mixed with seed 1")


@pytest.mark.slow
def test_a_walk_becomes_a_film_that_plays_and_can_be_shared(play: Page, visit):
    pick(play, 6, 7)
    play.get_by_label("Walk", exact=True).check()
    expect(play.locator("#stage .stills span")).to_have_count(12)
    play.locator("#play-seconds input[type=number]").fill("1")
    play.locator("#play-seconds input[type=number]").blur()
    expect(title(play)).to_contain_text("A walk of 1 s")
    play.locator("#play-make").click()
    video = play.locator("#stage video")
    expect(video).to_be_visible()
    play.wait_for_function("document.querySelector('#stage video').currentTime > 0.1")
    assert play.evaluate("document.querySelector('#stage video').videoWidth") == 512
    same, sent = sha256(play), link(play)
    other = visit(sent)
    expect(other.locator("#stage video")).to_be_visible()
    expect(other.locator("#proof")).to_contain_text("Identical")
    assert sha256(other) == same


@pytest.mark.slow  # three visitors
def test_who_waits_for_a_film_reads_how_many_come_before_and_gets_it_when_the_first_is_gone(
    visit, there: str, monkeypatch
):
    finish = threading.Event()

    def endless(*_: object) -> Iterator[str]:
        filming.LINE.left_s = 18.0
        while not finish.is_set():
            yield tiles.waiting("Frame 1 of 2", 0.5)
            finish.wait(0.2)

    pages = []
    with monkeypatch.context() as patch:
        patch.setattr(filming, "films", endless)
        for width in (1280, 1280, 390):
            page = visit(there, width)
            painted(page)
            pick(page, 6, 7)
            page.get_by_label("Walk", exact=True).check()
            expect(page.locator("#stage .stills span")).to_have_count(12)
            page.locator("#play-make").click()
            expect(page.locator("#film-progress p")).to_be_visible()
            pages.append(page)
        first, second, third = pages
        expect(first.locator("#film-progress")).to_contain_text("Frame 1 of 2")
        for page, ahead in ((second, 1), (third, 2)):
            expect(page.locator("#film-progress")).to_contain_text(f"Before yours: {ahead}.")
            expect(page.locator("#film-progress")).to_contain_text("takes about 18 s more.")
        third.locator("#play-cancel").click()
        expect(third.locator("#film-progress")).to_contain_text("Cancelled.")
        first.close()  # nobody is left to see this film
        expect(second.locator("#film-progress")).to_contain_text("Frame 1 of 2")
        finish.set()
        expect(second.locator("#play-make")).to_be_visible()
    assert filming.LINE.left_s is None


@pytest.mark.slow  # a visit of its own: its tools are tested without a browser too
def test_what_is_kept_hangs_in_the_gallery_until_it_is_removed(play: Page):
    pick(play, 8)
    play.locator("#stage [data-do=keep]").click()
    play.get_by_role("tab", name="Gallery").click()
    work = play.locator("#gallery-wall .work", has_text="Seed 8,")
    expect(work).to_have_count(1)
    work.locator("[data-do=play]").click()
    expect(title(play)).to_contain_text("Seed 8")
    tile(play, 9).click()
    expect(title(play)).to_contain_text("Seed 9")
    play.get_by_role("tab", name="Gallery").click()
    work.locator("[data-do=play]").click()  # a second time
    expect(title(play)).to_contain_text("Seed 8")
    play.get_by_role("tab", name="Gallery").click()
    work.locator("[data-do=forget]").click()
    expect(work).to_have_count(0)


@pytest.fixture
def two(serve, house: Path, tmp_path: Path) -> tuple[str, str, str]:
    """The page over a home with two runs, of which the first has a training grid; the digests of their models."""
    runs = [playground.run_in(tmp_path, run_id=f"toy-00000{seed}", seed=seed) for seed in (0, 1)]
    first, second = (sample.load(tmp_path, run) for run in runs)
    worker.write_seeds(tmp_path / runs[0], playing.SIZE_PX, 0)
    worker.write_grid(tmp_path / runs[0], first.generator, 100)
    return serve(tmp_path).rstrip("/"), first.digest, second.digest


def choose_model(page: Page, place: int) -> None:
    """From the list, newest first."""
    page.locator("#play-model-choice input").click()
    page.get_by_role("option").nth(place).click()


@pytest.mark.slow  # a visit of its own
def test_a_model_from_the_list_stays_though_a_tile_of_another_training_was_picked_before(visit, two):
    address, first, second = two
    page = visit(f"{address}/?run=toy-000000")
    page.locator(".live-tiles button").nth(7).click()
    expect(title(page)).to_contain_text("Seed 7,")
    digest = page.locator("#play-digest textarea")
    expect(digest).to_have_value(first)
    choose_model(page, 0)
    expect(digest).to_have_value(second)
    settled(page)
    page.wait_for_timeout(1000)
    expect(digest).to_have_value(second)
    expect(page.locator("#state-model textarea")).to_have_value("toy-000001")
    page.get_by_role("tab", name="Train").click()
    page.locator(".live-tiles button").nth(8).click()
    expect(title(page)).to_contain_text("Seed 8,")
    expect(digest).to_have_value(first)


@pytest.mark.slow  # a visit of its own
def test_what_one_model_proposes_does_not_appear_under_another(visit, two, monkeypatch):
    finish = threading.Event()

    def endless(*_: object) -> Iterator[tuple]:
        while not finish.is_set():
            yield tiles.waiting("Seed 1 of 2", 0.5), None
            finish.wait(0.2)
        yield "The best", "a model"

    monkeypatch.setattr(taste, "proposing", endless)
    monkeypatch.setattr(taste, "standing", lambda found: found)
    monkeypatch.setattr(taste, "shown", lambda found, _: f"<p>{found}</p>")
    address, first, second = two
    page = visit(address)
    page.get_by_role("tab", name="Play").click()
    digest = page.locator("#play-digest textarea")
    expect(digest).to_have_value(second)
    page.locator("#play-taste > button").click()
    page.locator("#taste-go").click()
    expect(page.locator("#taste-said")).to_contain_text("Seed 1 of 2")
    choose_model(page, 1)
    expect(digest).to_have_value(first)
    settled(page)
    finish.set()
    expect(page.locator("#taste-go")).to_be_visible()
    expect(page.locator("#taste-best p")).to_have_count(0)
    expect(page.locator("#taste-said")).to_have_text(say("taste.what"))
    page.locator("#taste-go").click()
    expect(page.locator("#taste-best p")).to_have_count(1)


@pytest.mark.slow  # a visit of its own
def test_the_nearest_pictures_stand_under_the_picture_that_they_were_asked_for(
    visit, two, tmp_path: Path, monkeypatch
):
    asked, finish = threading.Event(), threading.Event()

    def slow(_: object, code: str, key: str) -> str:
        asked.set()
        finish.wait()
        return tiles.note(code)

    monkeypatch.setattr(play_tab, "nearest", slow)
    (tmp_path / "toy-000001" / "set").mkdir()
    page = visit(two[0])
    page.get_by_role("tab", name="Play").click()
    painted(page)
    pick(page, 5)
    settled(page)
    page.locator("#play-near").click()
    asked.wait()
    pick(page, 6)
    settled(page)
    finish.set()
    page.wait_for_timeout(2000)
    expect(page.locator("#nearest p")).to_have_count(0)
    page.locator("#play-near").click()
    code = page.locator("#state-made textarea").input_value()
    expect(page.locator("#nearest p")).to_have_text(code)
    page.wait_for_timeout(500)
    expect(page.locator("#nearest p")).to_have_text(code)


@pytest.mark.slow  # a visit of its own
def test_a_bad_link_and_a_bad_seed_are_told_in_a_sentence(visit, there: str):
    page = visit(f"{there}/?art=%3Cimg%20src=x%20onerror=alert(1)%3E")
    painted(page)
    expect(page.locator("#play-message")).to_contain_text("not a share code")
    page.locator("#play-seed :is(input, textarea)").fill("<b>minus one</b>")
    page.locator("#play-seed :is(input, textarea)").press("Enter")
    expect(page.locator("#play-message")).to_contain_text("minus one")
    assert page.locator("#play-message b").count() == 0


@pytest.mark.slow  # a visit of its own: its tools are tested without a browser too
def test_large_view_opens_and_escape_closes_it(play: Page):
    play.locator("#stage .large").click()
    expect(play.locator("dialog img")).to_be_visible()
    assert play.evaluate("document.querySelector('dialog img').width") % 32 == 0
    play.keyboard.press("Escape")
    expect(play.locator("dialog")).to_have_count(0)


def test_on_a_phone_nothing_overflows(visit, there: str):
    page = visit(there, width=390)
    painted(page)
    pick(page, 0, 1, 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for hidden in ("#taste-turn", "#play-point", "#play-digest"):  # what only carries values is never seen
        expect(page.locator(hidden)).to_be_hidden()
    small = page.evaluate(
        """() => [...document.querySelectorAll('#play-room .action, #play-room .quiet, #seeds .tile')]
        .filter((item) => item.offsetHeight && item.offsetHeight < 40).length"""
    )
    assert small == 0


@pytest.mark.slow  # a visit of its own: its tools are tested without a browser too
def test_where_there_is_no_model_the_page_says_what_to_do(visit, serve, house: Path, tmp_path: Path):
    page = visit(serve(tmp_path))
    page.get_by_role("tab", name="Play").click()
    page.locator("#play-begin").click()
    expect(page.get_by_role("tab", name="Gather")).to_have_attribute("aria-selected", "true")


STAGE_IMAGE = "#stage .large img"
FRAMES = """() => { window.shown = [];
  const look = () => { shown.push(document.querySelector('#stage .large img').getAttribute('src'));
    requestAnimationFrame(look); };
  look(); }"""
CLICK = """(seeds) => { for (const seed of seeds) document.querySelector(`#seeds .tile[data-seed="${seed}"]`).click();
  return document.querySelector('#stage .large img').getAttribute('src'); }"""


PICTURES = """async () => Promise.all([...document.querySelectorAll('#seeds .tile img')].map(async (image) => {
  const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
  return image.alt + [...bytes].join(); }))"""


def source(page: Page, selector: str = STAGE_IMAGE) -> str:
    return page.locator(selector).get_attribute("src")


def held_back(page: Page, change=lambda told: told):
    """From now on the page's questions wait; returns what lets them, and all that come after them, go."""
    held, free = [], []

    def go(route) -> None:
        route.continue_(post_data=change(route.request.post_data))

    def let_go() -> None:
        free.append(True)
        while held:
            go(held.pop(0))

    page.route("**/gradio_api/run/predict*", lambda route: go(route) if free else held.append(route))
    return let_go


def test_a_click_shows_its_picture_before_the_server_answers_and_the_answer_agrees(play: Page):
    wanted = source(play, '#seeds .tile[data-seed="5"] img')
    let_go = held_back(play)
    assert play.evaluate(CLICK, [5]) == wanted
    expect(title(play)).to_contain_text("Seed 5")
    codes = play.locator("#stage [data-code]").evaluate_all("all => all.map((one) => one.dataset.code)")
    assert {f"gradio_api/art/{code}.png" for code in codes} == {wanted}
    assert play.locator("#stage [download]").get_attribute("href") == f"{wanted}?download=1"
    before = play.locator("#stage figure").evaluate("one => one.outerHTML")
    play.evaluate(FRAMES)
    let_go()
    expect(play.locator('#tray .tile[data-seed="5"]')).to_be_visible()
    settled(play)
    assert set(play.evaluate("shown")) == {wanted}
    assert play.locator("#stage figure").evaluate("one => one.outerHTML") == before
    assert play.locator("#state-made textarea").input_value() in wanted


@pytest.mark.slow  # a visit of its own
def test_of_quick_clicks_the_last_wins_and_none_is_lost(play: Page):
    play.evaluate(FRAMES)
    last = play.evaluate(CLICK, [3, 8, 3, 11])
    assert last == source(play, '#seeds .tile[data-seed="11"] img')
    expect(play.locator('#tray .tile[data-seed="11"]')).to_be_visible()
    settled(play)
    assert tray(play) == ["3", "8", "11"]  # 3 was no longer the last one: its second click only shows it
    assert source(play) == last
    shown = play.evaluate("shown")
    assert set(shown[shown.index(last) :]) == {last}
    play.evaluate(FRAMES)
    play.evaluate(CLICK, [20])
    play.wait_for_timeout(50)  # the server is being asked by now
    play.evaluate(CLICK, [21])
    last = play.evaluate(CLICK, [22])
    expect(play.locator('#tray .tile[data-seed="22"]')).to_be_visible()
    settled(play)
    assert tray(play)[-3:] == ["20", "21", "22"]
    shown = play.evaluate("shown")
    assert set(shown[shown.index(last) :]) == {last}


@pytest.mark.slow  # a visit of its own
def test_what_is_pressed_at_the_tray_is_done_in_its_turn(play: Page):
    pick(play, 3, 8)
    let_go = held_back(play)
    play.evaluate("document.querySelector('#tray [data-do=clear]').click()")
    play.wait_for_timeout(300)  # the server is being asked by now
    play.evaluate(CLICK, [11])
    play.wait_for_timeout(300)
    let_go()
    expect(title(play)).to_contain_text("Seed 11")
    settled(play)
    expect(play.locator("#tray .tile")).to_have_count(1)
    assert tray(play) == ["11"]
    pick(play, 12, 13, 14)
    settled(play)
    play.evaluate(
        "() => { for (let i = 0; i < 3; i++) document.querySelector('#tray [data-do=left]').click(); }"
    )
    expect(play.locator("#tray .tile").first).to_have_attribute("data-seed", "14")
    assert tray(play) == ["14", "11", "12", "13"]


@pytest.mark.slow  # a visit of its own
def test_a_tile_clicked_from_a_box_is_in_the_tray_in_whatever_order_answers_come(play: Page):
    pick(play, 1, 2, 3, 4)
    play.get_by_label("Mix many", exact=True).check()
    expect(play.locator("#stage .table .tile:not(.head)")).to_have_count(4)
    settled(play)
    held, free = [], []
    play.route("**/gradio_api/run/predict*", lambda route: route.continue_() if free else held.append(route))
    play.get_by_label("Rows", exact=False).fill("7")
    tile(play, 5).click()
    play.wait_for_timeout(500)
    free.append(True)
    for route in reversed(held):
        route.fulfill(response=route.fetch())
        play.wait_for_timeout(300)
    expect(play.locator("#stage .table .tile:not(.head)")).to_have_count(2)
    expect(play.locator('#tray .tile[data-seed="5"]')).to_be_visible()
    settled(play)


@pytest.mark.slow  # a visit of its own
def test_the_next_page_is_there_before_the_server_answers_and_the_answer_agrees(play: Page):
    let_go = held_back(play)
    play.evaluate("() => { for (let i = 0; i < 2; i++) document.querySelector('#play-next').click(); }")
    expect(tile(play, 72)).to_be_visible()
    painted(play)
    seeds = play.locator("#seeds .tile").evaluate_all("all => all.map((one) => one.dataset.seed)")
    assert seeds == [str(seed) for seed in range(72, 108)]
    before = play.evaluate(PICTURES)
    assert len(set(before)) == 36
    let_go()
    play.wait_for_function("document.querySelector('#play-first textarea').value === '72'")
    expect(play.locator("#play-range")).to_contain_text("Seeds 72 to 107")
    painted(play)
    assert play.evaluate(PICTURES) == before
    assert source(play, '#seeds .tile[data-seed="72"] img').startswith("gradio_api/art/")
    play.evaluate("document.querySelector('#play-previous').click()")
    play.wait_for_function("document.querySelector('#play-first textarea').value === '36'")
    painted(play)
    expect(tile(play, 36)).to_be_visible()
    pick(play, 40)
    expect(title(play)).to_contain_text("Seed 40")


def page_painted(before: str):
    """Whether an answer is the page after that one, and no word that others wait."""
    return lambda answer: answer.status == 200 and f"seeds?turns=next&first={before}&" in answer.url


def turns_without_asking(play: Page, first: int) -> None:
    """The next page is shown whole though nothing more is answered."""
    held_back(play)
    play.route("**/gradio_api/seeds*", lambda route: route.abort())
    play.evaluate("document.querySelector('#play-next').click()")
    expect(tile(play, first)).to_be_visible()
    painted(play)


@pytest.mark.slow  # a visit of its own
def test_who_turns_pages_finds_the_next_one_painted_also_without_a_pointer(play: Page):
    with play.expect_response(page_painted("36")) as next_page:
        play.evaluate("document.querySelector('#play-next').click()")
    next_page.value.finished()
    turns_without_asking(play, 72)


@pytest.mark.slow  # a visit of its own
def test_a_page_that_was_looked_at_for_a_while_is_turned_without_asking(play: Page):
    with play.expect_response(page_painted("360")) as next_page:
        play.locator("#play-seed :is(input, textarea)").fill("360")
        play.keyboard.press("Enter")
    next_page.value.finished()
    turns_without_asking(play, 396)


@pytest.mark.slow  # a visit of its own
def test_a_picture_of_settings_that_have_changed_is_not_shown(play: Page):
    old, stale = source(play), source(play, '#seeds .tile[data-seed="6"] img')
    let_go = held_back(play)
    slider = play.locator("#play-truncation input[type=range]")
    slider.fill("1.2")
    slider.dispatch_event("pointerup")
    play.evaluate(FRAMES)
    play.evaluate(CLICK, [6])
    play.wait_for_timeout(300)
    assert stale not in play.evaluate("shown")
    let_go()
    expect(title(play)).to_contain_text("Seed 6")
    settled(play)
    shown = artworks.decode(play.locator("#state-made textarea").input_value())
    assert (shown.seeds, shown.truncation) == ((6,), 1.2)
    assert source(play) == f"gradio_api/art/{artworks.encode(shown)}.png" not in (old, stale)


@pytest.mark.slow  # a visit of its own
def test_a_heart_that_was_pressed_stands_whatever_the_server_was_asked_before(play: Page):
    held = []

    def hold(route) -> None:
        asked = '"liked"' in (route.request.post_data or "")
        held.append((route, route.fetch())) if asked else route.continue_()

    play.route(lambda url: "component_server" in url, hold)
    pick(play, 5)
    settled(play)
    play.wait_for_timeout(1000)
    heart = play.locator("#stage [data-do=like]")
    heart.click()
    expect(heart).to_contain_text("Liked")
    early = list(held)
    assert early
    for route, answer in early:
        route.fulfill(response=answer)
    play.wait_for_timeout(1000)
    expect(heart).to_contain_text("Liked")
    assert heart.get_attribute("aria-pressed") == "true"
    for route, answer in held[len(early) :]:
        route.fulfill(response=answer)


@pytest.mark.slow  # a visit of its own
def test_a_link_does_not_appear_under_another_picture(play: Page):
    held = []

    def hold(route) -> None:
        asked = '"sealed"' in (route.request.post_data or "")
        held.append(route) if asked else route.continue_()

    play.route(lambda url: "component_server" in url, hold)
    pick(play, 5)
    settled(play)
    share = play.locator("#stage [data-do=share]")
    said = share.inner_text()
    share.click()
    expect(share).not_to_have_text(said)
    pick(play, 6)
    settled(play)
    for route in held:
        route.continue_()
    play.wait_for_timeout(1000)
    expect(share).to_have_text(said)
    expect(play.locator("#stage .link, #stage .told")).to_have_count(0)


@pytest.mark.slow  # a visit of its own
def test_what_is_kept_in_a_hurry_are_the_pictures_that_were_shown(play: Page):
    let_go = held_back(play)
    for seed in (15, 16, 17):
        play.evaluate(CLICK, [seed])
        play.evaluate("document.querySelector('#stage [data-do=keep]').click()")
    let_go()
    expect(play.locator('#tray .tile[data-seed="17"]')).to_be_visible()
    settled(play)
    expect(title(play)).to_contain_text("Seed 17")
    play.get_by_role("tab", name="Gallery").click()
    for seed in (15, 16, 17):
        expect(play.locator("#gallery-wall .work", has_text=f"Seed {seed},")).to_have_count(1)


@pytest.mark.slow  # a visit of its own
def test_what_the_server_refuses_does_not_stay_on_the_stage(play: Page):
    old = source(play)
    let_go = held_back(play, lambda told: told.replace('"seed":"7"', '"seed":"-7"'))
    assert play.evaluate(CLICK, [7]) != old
    play.wait_for_timeout(300)
    let_go()
    expect(play.locator("#play-message")).to_contain_text("-7")
    play.wait_for_function(f"document.querySelector('{STAGE_IMAGE}').getAttribute('src') === '{old}'")
    expect(title(play)).to_contain_text("Seed 0")
    pick(play, 9)
