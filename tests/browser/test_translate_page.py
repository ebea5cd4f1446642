"""Translators in a real browser: one draws and the painting follows, repairs, translates many, and sends links."""

import os
import pathlib
import re
import statistics
import threading
import time
import zipfile
from fractions import Fraction

import av
import numpy as np
import playground
import pytest
from playwright.sync_api import Page, expect

from gan_play.pictures import examples, images
from gan_play.share import artwork as artworks
from gan_play.share import card, translating
from gan_play.steps import Ended
from gan_play.translate import inputs, translator
from gan_play.ui import child, share_routes, translate
from tests.test_video import a_sound, a_video, scene

expect.set_options(timeout=60_000)  # a busy machine is no failure

TREE = ((0.2, 0.6), (0.2, 0.3), (0.1, 0.3), (0.2, 0.1), (0.3, 0.3), (0.2, 0.3))
SHEET = "document.querySelector('#translate-desk .own canvas')"
HORIZON = ((0.05, 0.6), (0.3, 0.55), (0.6, 0.62), (0.95, 0.5))


def draw(page: Page, *stroke: tuple[float, float], steps: int = 4) -> None:
    """Draws with the mouse on the desk, in shares of its side."""
    page.locator("#translate-desk canvas").scroll_into_view_if_needed()
    box = page.locator("#translate-desk canvas").bounding_box()

    def at(place: tuple[float, float]) -> tuple[float, float]:
        return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]

    page.mouse.move(*at(stroke[0]))
    page.mouse.down()
    for place in stroke[1:]:
        page.mouse.move(*at(place), steps=steps)
    page.mouse.up()


def choose(page: Page, name: str) -> None:
    """Takes another translator in hand."""
    page.click("#translate-model input")
    page.locator("#translate-model li", has_text=name).click()
    run = f"toy-{name.split()[1].lower()}"
    expect(page.locator(f"#translate-desk .desk[data-run='{run}']")).to_be_visible()
    expect(page.locator("#translate-result .actions")).to_be_hidden()  # until then the last painting is shown


def reopen(page: Page, code: str) -> None:
    """Opens a code in the Gallery."""
    page.click("#tab-gallery-button")
    page.fill("#gallery-open :is(input, textarea)", code)
    page.keyboard.press("Enter")


def code_of(page: Page) -> str:
    """The code of the painting that is shown, once it is whole."""
    figure = page.locator("#translate-result .translated:not(.stale):not(.waits)")
    expect(figure.locator(".actions")).to_be_visible()
    return figure.locator("[data-do=share]").get_attribute("data-code")


def shot(page: Page, name: str) -> None:
    """For looking at: on a screen and on a phone."""
    if out := os.environ.get("GAN_PLAY_SHOTS"):
        page.screenshot(path=f"{out}/{name}.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{out}/{name}-phone.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.timeout(300)
def test_a_drawing_becomes_a_painting_while_the_pen_moves_and_its_link_brings_it_back(serve, visit, tmp_path):
    playground.translator_in(tmp_path)
    address = serve(tmp_path)
    page = visit(address)
    page.click("#tab-transform-button")
    expect(page.locator("#translate-result")).to_contain_text("the painting follows your pen")
    page.evaluate("document.addEventListener('gan-play-live', () => { window.looked = true; })")
    draw(page, *HORIZON)
    page.wait_for_function("window.looked")
    after = page.locator("#translate-result .after")
    first = code_of(page)
    assert artworks.decode(first).operation == "translate"
    late = "{detail: {src: '', before: '', since: 0}}"  # a look at a stroke that was painted whole meanwhile
    page.evaluate(f"document.dispatchEvent(new CustomEvent('gan-play-live', {late}))")
    assert code_of(page) == first
    page.wait_for_function(f"location.href.includes({first!r})")
    expect(after).to_have_attribute("src", f"gradio_api/art/{first}.png")
    draw(page, *TREE)
    page.wait_for_function(f"!location.href.includes({first!r})")
    second = code_of(page)
    page.click("#translate-desk [data-undo=undo]")
    page.wait_for_function(f"location.href.includes({first!r})")
    assert code_of(page) == first != second
    shot(page, "translate")
    page.click("#translate-result [data-do=keep]")
    page.click("#translate-result [data-do=share]")
    expect(page.locator("#translate-result input.link")).to_have_value(re.compile("^http"))
    link = page.locator("#translate-result input.link").input_value()
    with page.expect_download() as download:
        page.locator("#translate-result a[download]").click()
    data = download.value.path().read_bytes()
    assert card.compare(tmp_path, data, card.read(data)).same

    other = visit(link)
    expect(other.locator("#translate-result")).to_contain_text("Identical to what was shared")
    other.wait_for_function("document.querySelector('#translate-desk canvas').dataset.marked === '1'")
    for path in (tmp_path / "inputs").rglob("*.png"):
        path.unlink()
    gone = visit(address + "?art=" + second)
    expect(gone.locator("#translate-message")).to_contain_text("isn't here: a link holds none")
    expect(gone.locator("#translate-desk canvas")).to_be_visible()


def overtaking(serve, visit, home: pathlib.Path, begun: threading.Event) -> Page:
    """A page on which another translator is chosen while what was drawn for one is still on its way."""
    for preset in ("sketch", "flat"):
        playground.translator_in(home, preset, f"toy-{preset}")
    page = visit(serve(home))
    page.click("#tab-transform-button")
    choose(page, "Toy flat")
    draw(page, *HORIZON)
    assert begun.wait(60)
    choose(page, "Toy sketch")
    return page


@pytest.mark.timeout(300)
@pytest.mark.slow  # a visit of its own
def test_a_late_painting_of_what_lay_on_the_desk_before_is_not_shown(serve, visit, tmp_path, monkeypatch):
    begun, go_on, painting = threading.Event(), threading.Event(), share_routes.painting

    def late(home, code):
        begun.set()
        assert go_on.wait(60)
        return (yield from painting(home, code))

    monkeypatch.setattr(share_routes, "painting", late)
    page = overtaking(serve, visit, tmp_path, begun)
    result = page.locator("#translate-result .translated")
    go_on.set()
    page.wait_for_timeout(1500)
    expect(result.locator(".actions")).to_be_hidden()
    assert "art=" not in page.url
    draw(page, *TREE)
    assert artworks.decode(code_of(page)).translation.dials.drawn


@pytest.mark.timeout(300)
@pytest.mark.slow  # a visit of its own
def test_a_painting_that_comes_later_than_another_desk_is_taken_away(serve, visit, tmp_path, monkeypatch):
    begun, go_on, show = threading.Event(), threading.Event(), translate.Desks.show

    def late(*given) -> None:
        begun.set()
        assert go_on.wait(60)
        show(*given)

    monkeypatch.setattr(translate.Desks, "show", late)
    page = overtaking(serve, visit, tmp_path, begun)
    page.evaluate("""() => {
      new MutationObserver(() => { window.came ||= document.querySelector('#translate-result .actions') !== null; })
        .observe(document.querySelector('#translate-result'), {subtree: true, childList: true}); }""")
    go_on.set()
    page.wait_for_function("window.came")
    expect(page.locator("#translate-result .waits")).to_be_visible()
    page.wait_for_function("!location.href.includes('art=')")
    draw(page, *TREE)
    assert artworks.decode(code_of(page)).translation.dials.drawn


@pytest.mark.slow  # half a minute of drawing
@pytest.mark.timeout(300)
def test_one_draws_on_a_photo_in_layers_and_colours_a_picture_by_brush(serve, visit, tmp_path):
    home, photo = tmp_path / "home", tmp_path / "photo.png"
    for preset in ("flat", "colour"):
        playground.translator_in(home, preset, f"toy-{preset}")
    photo.write_bytes(images.encode(examples.draw("mountains", 3, 96)[:72], "png"))
    page = visit(serve(home))
    page.click("#tab-transform-button")
    choose(page, "Toy flat")
    expect(page.locator("#translate-result")).to_contain_text("the painting follows your pen")
    page.click("#translate-desk [data-colour='#b5562e']")
    draw(page, *HORIZON)
    alone = code_of(page)
    page.set_input_files("#translate-desk input[type=file]", photo)
    rows = page.locator("#translate-desk .layers .name")
    expect(rows).to_have_text(["Layer 1", "Photo"])
    page.wait_for_function(f"!location.href.includes({alone!r})")

    def painted(code: str):
        return inputs.find(home, artworks.decode(code).translation.picture)

    for _ in range(300):  # the layer is there a moment before the photo has been read into it
        both = code_of(page)
        if not (painted(both)[:4] > 250).all():  # colours of the sky
            break
        page.wait_for_timeout(200)
    assert painted(both).shape == (24, 32, 3) and not (painted(both)[:4] > 250).all()
    page.wait_for_function(f"location.href.includes({both!r})")
    page.click("#translate-desk [aria-label='Show or hide: Photo']")
    page.wait_for_function(f"!location.href.includes({both!r})")
    hidden = code_of(page)
    assert (painted(hidden)[:4] > 250).all() and (painted(hidden)[8:18] < 200).any()  # paper, and the stroke
    page.click("#translate-desk [data-undo=undo]")
    page.wait_for_function(f"location.href.includes({both!r})")
    page.click("#translate-desk [data-layer=more]")
    expect(rows).to_have_text(["Layer 2", "Layer 1", "Photo"])
    page.click("#translate-desk [aria-label='Move down: Layer 2']")
    expect(rows).to_have_text(["Layer 1", "Layer 2", "Photo"])
    page.click("#translate-desk [aria-label='Take away: Layer 2']")
    expect(rows).to_have_text(["Layer 1", "Photo"])
    shot(page, "layers")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})

    choose(page, "Toy colour")
    page.set_input_files("#translate-desk input[type=file]", photo)
    plain = code_of(page)
    page.wait_for_function(f"location.href.includes({plain!r})")
    assert not artworks.decode(plain).translation.dials.drawn
    page.click("#translate-desk [data-colour='#b5562e']")
    draw(page, (0.2, 0.2), (0.6, 0.2))
    page.wait_for_function(f"!location.href.includes({plain!r})")
    hinted = code_of(page)
    assert artworks.decode(hinted).translation.dials.drawn
    pixels = painted(hinted).astype(int)
    tinted = np.ptp(pixels, axis=2) > 12
    assert tinted[14, 20:55].all() and not tinted[50:].any()  # there and beside it, and not far from it
    assert pixels[14, 40, 0] > pixels[14, 40, 2] + 12
    shot(page, "hints")
    other = visit(page.url)
    other.wait_for_function("document.querySelector('#translate-desk canvas.hints')?.dataset.marked === '1'")


@pytest.mark.slow  # visits of its own
@pytest.mark.timeout(300)
@pytest.mark.parametrize("public", [False, True])
def test_what_a_link_brought_stays_on_the_desk(serve, visit, tmp_path, public):
    for preset in ("flat", "colour"):
        playground.translator_in(tmp_path, preset, f"toy-{preset}")
    model = translator.load(tmp_path, "toy-colour")
    dials = translator.check_dials(model, drawn=True)
    pixels = examples.draw("mountains", 3, 32)
    code = artworks.encode(translating.artwork_of(tmp_path, model, pixels, dials))
    address = serve(tmp_path, public)
    page = visit(address)
    names = page.evaluate(
        "Object.fromEntries(gradio_config.dependencies.map((one) => [one.id, one.api_name]))"
    )
    late = []

    def answer(route):
        if names[str(route.request.post_data_json["fn_index"])] in (
            "ui_translate_arrive",
            "ui_translate_offer",
        ):
            late.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/gradio_api/run/predict*", answer)  # which translators there are is answered after the link
    page.goto(f"{address}?art={code}")
    hints = page.locator("#translate-desk canvas.hints[data-marked='1']")
    expect(hints).to_be_visible()
    page.wait_for_timeout(1000)
    assert late
    for route, there in late:
        route.fulfill(response=there)
    page.unroute("**/gradio_api/run/predict*")
    page.wait_for_timeout(1500)
    expect(hints).to_be_visible()
    page.click("#tab-gallery-button")
    offered = [int(number) for number, name in names.items() if name == "ui_translate_offer"]
    with page.expect_response(
        lambda answer: "/run/predict" in answer.url and answer.request.post_data_json["fn_index"] in offered
    ):
        page.click("#tab-transform-button")
    page.wait_for_timeout(1500)
    expect(hints).to_be_visible()
    expect(page.locator("#translate-model input")).to_have_value("Toy colour, 32 px")
    page.wait_for_function(f"location.href.includes({code!r})")
    page.click("#translate-desk [data-act=another]")
    page.wait_for_function(
        "!location.href.includes('art=')"
    )  # it is gone from the desk, and can be opened again
    expect(hints).to_be_hidden()
    reopen(page, code)
    expect(hints).to_be_visible()
    page.wait_for_function(f"location.href.includes({code!r})")
    page.wait_for_function(f"{SHEET}.dataset.marked === '1'")
    before = page.evaluate(f"{SHEET}.toDataURL()")
    draw(page, (0.2, 0.2), (0.6, 0.2))
    page.wait_for_function(f"!location.href.includes({code!r})")
    reopen(page, code)
    page.wait_for_function(f"location.href.includes({code!r})")
    page.wait_for_function(f"(before) => {SHEET}?.toDataURL() === before", arg=before)


@pytest.mark.slow  # a visit of its own, and a film
@pytest.mark.timeout(300)
def test_a_video_becomes_a_film_after_it_was_said_how_long_it_takes(serve, visit, tmp_path, monkeypatch):
    slowly = threading.Event()

    def following(work, *given, over=None, **more):
        """In this process, so that it is short; a child of its own is what `test_child.py` is about."""
        steps = work(*given)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            while slowly.is_set() and over and not over():
                time.sleep(0.05)
            if over and over():
                steps.close()
                raise Ended
            yield step

    monkeypatch.setattr(child, "following", following)
    home = tmp_path / "home"
    playground.translator_in(home)
    clip = a_video(tmp_path / "clip.mp4", list(scene(24)), sound=a_sound(tmp_path / "clip.wav"))
    feature = a_video(tmp_path / "feature.mp4", list(scene(2)), fps=Fraction(1, 3600))
    page = visit(serve(home))
    page.click("#tab-transform-button")
    expect(page.locator("#translate-result")).to_contain_text("the painting follows your pen")
    page.click("#translate-clip button")
    zone, said, go = (page.locator(f"#clip-{name}") for name in ("zone", "progress", "go"))
    zone.locator("input[type=file]").set_input_files(feature)
    expect(said).to_contain_text("120 minutes long: a video of at most 2 minutes")
    zone.locator("input[type=file]").set_input_files(clip)
    expect(zone).to_contain_text("2 s long, 24 frames.")
    expect(zone).to_contain_text("The film takes about")
    go.click()
    video = page.locator("#clip-result video")
    expect(video).to_be_visible()
    video.scroll_into_view_if_needed()  # browsers start a muted film once it is seen
    page.wait_for_function("document.querySelector('#clip-result video').currentTime > 0")
    expect(page.locator("#clip-result")).to_contain_text(re.compile("flickers by .* of 255"))
    expect(page.locator("#clip-result")).to_contain_text("has no link")
    shot(page, "clip")
    with page.expect_download() as download:
        page.locator("#clip-result a[download]").click()
    with av.open(str(download.value.path())) as film:
        assert film.streams.video[0].frames == 24 and film.streams.audio

    slowly.set()
    go.click()
    page.click("#clip-stop")
    expect(said).to_contain_text("Nothing was kept")
    expect(go).to_be_visible()
    uploads = pathlib.Path(os.environ["GRADIO_TEMP_DIR"])
    assert not list(uploads.glob("film-*/*")) and len(list(uploads.rglob("film.mp4"))) == 1


@pytest.mark.timeout(900)
@pytest.mark.slow  # five pages' worth of waiting, and ten pictures
def test_the_whole_road_of_a_translator_in_the_browser(serve, visit, tmp_path):
    """A landscape drawn with the mouse; a photo; a repair; a batch of ten; each with what can be done with it."""
    home, pictures = tmp_path / "home", tmp_path / "pictures"
    pictures.mkdir()
    for preset in ("sketch", "repair", "flat"):
        playground.translator_in(home, preset, f"toy-{preset}")
    playground.run_in(home)
    for seed in range(10):
        pixels = examples.draw("mountains", seed, 96)[:72]
        (pictures / f"{seed}.png").write_bytes(images.encode(pixels, "png"))
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG no picture")
    page = visit(serve(home))
    page.click("#tab-transform-button")

    choose(page, "Toy flat")
    page.click("#translate-desk [data-colour='#8fb4d8']")
    page.click("#translate-desk [data-tool=ground]")
    page.click("#translate-desk [data-colour='#3f5a34']")
    draw(page, *HORIZON)
    landscape = code_of(page)
    kept = inputs.find(home, artworks.decode(landscape).translation.picture)
    assert (kept[2, 2] == (0x8F, 0xB4, 0xD8)).all()
    page.click("#translate-desk [data-undo=clear]")
    before = page.get_attribute("#translate-result .translated", "data-new")
    page.click("#translate-desk [data-undo=undo]")
    page.wait_for_function(
        "(old) => document.querySelector('#translate-result .translated').dataset.new !== old", arg=before
    )
    assert code_of(page) == landscape

    choose(page, "Toy sketch")
    page.click("#translate-desk [data-act=photo]")
    expect(page.locator("#translate-desk canvas")).to_have_count(0)
    page.set_input_files("#translate-desk input[type=file]", bad)
    expect(page.locator("#translate-message")).to_contain_text("bad.png")
    page.set_input_files("#translate-desk input[type=file]", pictures / "3.png")
    photo = artworks.decode(code_of(page))
    assert not photo.translation.dials.drawn
    slider = page.locator("#translate-result .compare input")
    slider.fill("20")
    assert (
        page.evaluate("document.querySelector('.translated .compare').style.getPropertyValue('--at')")
        == "20%"
    )
    page.locator("#translate-strength input[type=number]").fill("0.5")
    page.locator("#translate-strength input[type=number]").press("Enter")
    page.locator("#translate-strength input[type=range]").dispatch_event("pointerup")

    choose(page, "Toy repair")
    page.set_input_files("#translate-desk input[type=file]", pictures / "4.png")
    expect(page.locator("#translate-desk canvas.damage")).to_be_visible()
    draw(page, (0.3, 0.3), (0.6, 0.5))
    with page.expect_download() as download:
        code_of(page)
        page.locator("#translate-result a[download]").click()
    data = download.value.path().read_bytes()
    work = artworks.decode(card.read(data).code).translation
    mask = inputs.find(home, work.mask)[:, :, 0] > 127
    before, after = images.decode((pictures / "4.png").read_bytes()), images.decode(data)
    assert mask.any() and (after[~mask] == before[~mask]).all() and (after[mask] != before[mask]).any()
    shot(page, "repair")
    page.click("#translate-result [data-do=to-yours]")
    expect(page.locator("#yours canvas[data-drawn]")).to_be_visible()

    page.click("#tab-transform-button")
    choose(page, "Toy sketch")
    page.click("#translate-many button")
    page.set_input_files("#translate-many input[type=file]", [*sorted(pictures.iterdir()), bad])
    expect(page.locator("#batch-progress")).to_contain_text("10 pictures are in the ZIP", timeout=300_000)
    expect(page.locator("#batch-progress")).to_contain_text("bad.png")
    with page.expect_download() as download:
        page.locator("#batch-zip a[download]").first.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert len(archive.namelist()) == 10 and card.read(archive.read("3.png")).artwork.task == "translate"
    shot(page, "many")


@pytest.mark.timeout(600)
@pytest.mark.slow  # half a minute of drawing
@pytest.mark.alone  # it measures time
def test_at_128_px_the_painting_follows_the_pen_within_700_ms(serve, visit, tmp_path):
    playground.translator_in(tmp_path, size_px=128, width=64)
    page = visit(serve(tmp_path))
    page.click("#tab-transform-button")
    expect(page.locator("#translate-result")).to_contain_text("the painting follows your pen")
    page.evaluate("""() => {
      window.times = []; let asked = null;
      document.querySelector('#translate-desk').addEventListener('pointermove',
        (event) => { if (event.buttons && asked === null) asked = performance.now(); }, true);
      document.addEventListener('gan-play-live', () => {
        const [since, image] = [asked, document.querySelector('#translate-result .after')];
        asked = null;
        if (since !== null) image.decode().finally(() => times.push(performance.now() - since));
      }); }""")
    for stroke in range(12):
        at = 0.1 + 0.06 * stroke
        draw(page, (at, 0.2), (at, 0.5), (0.5, at), steps=12)
        page.wait_for_timeout(300)
    times = page.evaluate("times")
    print(f"{len(times)} looks, median {statistics.median(times):.0f} ms")
    assert len(times) > 12 and statistics.median(times) < 700
