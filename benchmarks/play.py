"""How long does Play take: to be there, for a picture, a grid of 36 and a film of 8 s?

    python -m benchmarks.play                          in headless Chromium, from the click to what is decoded there
    python -m benchmarks.play --server                 the server's part alone, without Gradio
    python -m benchmarks.play --home HOME --run RUN    of a run of one's own

In the browser a picture is one of the grid that is clicked and comes to the stage, until the frame after it is decoded;
a grid is the next page of it, until all 36 are there: after a bare click 2.5 s after it was opened, at once when it
was, after another page was turned, and where a pointer came to the button first, as a mouse does; the film is asked for
through the page's API. Each is of seeds that weren't painted before. A visit is a new browser's, until its first 36
pictures, which the server remembers, are there.
"""

import argparse
import itertools
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import browser, machine
from gan_play import files
from gan_play.latent import film, sample, walk
from gan_play.pictures import images

STOPS, SECONDS = 4, 8.0
NEAR_MS = 200
"""How long a pointer is on a button before it presses."""

BY_MOUSE, FURTHER = "a grid of 36, by mouse", "a grid of 36, after another"
AT_ONCE, VISIT = "a grid of 36, at once", "a visit"
GOALS = {"a picture": "60 ms", "a film of 8 s": "6 s", VISIT: ""}
GOALS |= dict.fromkeys(("a grid of 36", FURTHER, BY_MOUSE, AT_ONCE), "400 ms")
HEAD = "| what | goal | median, ms | most, ms | times |\n|---|---|---|---|---|"
PICK = """([selector]) => new Promise((done) => {
  const [stage, tile] = [document.querySelector('#stage'), document.querySelector(selector)];
  const old = stage.querySelector('.large img')?.src, began = performance.now();
  const seen = new MutationObserver(() => {
    const now = stage.querySelector('.large img');
    if (!now || now.src === old) return;
    seen.disconnect();
    now.decode().then(() => requestAnimationFrame(() => done(performance.now() - began)));
  });
  seen.observe(stage, {subtree: true, childList: true, attributeFilter: ['src']});
  tile.click();
  setTimeout(() => { seen.disconnect(); done(-1); }, 20000);
})"""
TURN = """() => new Promise((done) => {
  const sources = () => [...document.querySelectorAll('#seeds .tile img')];
  const old = sources()[0].src, began = performance.now();
  const look = () => {
    const all = sources(), late = performance.now() - began;
    if (all.length && all[0].src !== old && all.every((one) => one.complete && one.naturalWidth)) return done(late);
    if (late > 30000) return done(-1);
    setTimeout(look, 4);
  };
  document.querySelector('#play-next').click();
  look();
})"""


def row(name: str, taken: list[float]) -> str:
    """A line of the table; what never came, -1, is counted apart."""
    came = [ms for ms in taken if ms >= 0]
    lost = f", {len(taken) - len(came)} never came" if len(came) < len(taken) else ""
    middle, most = (statistics.median(came), max(came)) if came else (float("nan"), float("nan"))
    return f"| {name} | {GOALS[name]} | {middle:.0f} | {most:.0f} | {len(taken)}{lost} |"


def timed(work: Callable[[], object], times: int) -> list[float]:
    """Milliseconds that the work took, so many times, after once that isn't counted."""
    taken = []
    for _ in range(times + 1):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return taken[1:]


def by_server(home: Path, run: str, times: int) -> None:
    """Prints what the server's part takes: the picture and its PNG, 36 of them, the film."""
    model, seeds = sample.load(home, run), itertools.count(10_000)

    def picture() -> None:
        images.encode(sample.sample_one(model, next(seeds)), "png")

    def filmed() -> None:
        stops = [next(seeds) for _ in range(STOPS)]
        film.write_film(walk.walk(model, stops, SECONDS), home / "walk.mp4")

    print(f"{run}, the server's part\n{HEAD}")
    print(row("a picture", timed(picture, 10 * times)), flush=True)
    print(row("a grid of 36", timed(lambda: [picture() for _ in range(36)], times)), flush=True)
    print(row("a film of 8 s", timed(filmed, times)), flush=True)


def in_browser(home: Path, run: str, times: int) -> None:
    """Prints what is seen in a page that is open on a model."""
    from gradio_client import Client

    print(f"{run}, ", end="")
    with browser.opened(home) as page:
        print(HEAD)
        client, seeds = Client(page.url, verbose=False), itertools.count(20_000)
        pictures, grids, further, by_mouse, at_once = [], [], [], [], []
        box = page.locator("#play-seed :is(input, textarea)")  # to where nothing was painted yet

        def go(seed: int) -> None:
            box.fill(str(seed))
            box.press("Enter")
            page.wait_for_selector(f"#seeds .tile[data-seed='{seed}']")

        for turn in range(times + 1):
            go(1_000_000 + 1000 * turn)
            at_once.append(page.evaluate(TURN))
            go(1000 * (turn + 1))
            page.wait_for_timeout(2500)
            grids.append(page.evaluate(TURN))
            page.wait_for_timeout(2500)
            further.append(page.evaluate(TURN))
            for place in range(2, 5):
                page.wait_for_timeout(1000)
                pictures.append(page.evaluate(PICK, [f"#seeds .tile:nth-of-type({place + 5 * (turn % 6)})"]))

        for turn in range(times):
            page.evaluate(
                PICK, [f"#seeds .tile:nth-of-type({turn + 2})"]
            )  # what was painted ahead won't do now
            page.wait_for_timeout(1500)
            page.hover("#play-next")
            page.wait_for_timeout(NEAR_MS)
            by_mouse.append(page.evaluate(TURN))
            page.mouse.move(0, 0)
            page.wait_for_timeout(2500)

        def filmed() -> None:
            stops = ", ".join(str(next(seeds)) for _ in range(STOPS))
            client.predict(run, stops, SECONDS, api_name="/walk")

        def visited() -> None:
            one = page.context.browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            one.goto(page.url)
            one.wait_for_function(browser.PAINTED)
            one.context.close()

        print(row(VISIT, timed(visited, times)), flush=True)
        print(row("a picture", pictures[3:]))
        print(row("a grid of 36", grids[1:]))
        print(row(AT_ONCE, at_once[1:]))
        print(row(FURTHER, further[1:]))
        print(row(BY_MOUSE, by_mouse))
        print(row("a film of 8 s", timed(filmed, times)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", default="starter-64")
    parser.add_argument("--home", type=Path, default=files.SHIPPED)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--server", action="store_true", help="the server's part alone")
    given = parser.parse_args()
    print(machine.title())
    with tempfile.TemporaryDirectory() as home:  # films are kept in the home they are made in
        shutil.copytree(given.home / given.run, Path(home) / given.run)
        (by_server if given.server else in_browser)(Path(home), given.run, given.times)


if __name__ == "__main__":
    main()
