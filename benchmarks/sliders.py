"""How long after a slider of Play's Steer has moved is the picture there? Medians for light, warmth and a direction.

    python -m benchmarks.sliders                                          in headless Chromium, from `input` to decoded
    python -m benchmarks.sliders --server                                 the server's part alone, without Gradio
    python -m benchmarks.sliders --server --size 256 --device cuda        the same of an untrained model on a card
    python -m benchmarks.sliders --server --home HOME --run RUN           of a run of one's own

The server's part is: the styles of a seed, steered; the picture; its bytes. "First" is the first move at a picture, for
which the network is asked what moves each attribute there. In the browser each move waits until the one before is
seen, and some time more; of two moves one is let go, so that the page's own state follows.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch

from benchmarks import browser, machine
from gan_play import files
from gan_play.latent import breed, preview, sample
from gan_play.latent.sample import Model
from gan_play.pictures import images
from gan_play.trainers.recipes import build_generator, check_settings

MOVED = {"light": "light", "warmth": "warmth", "a direction": "sefa1"}
AMOUNTS = (-1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 0.25)
PICTURES = 5
SEED = 22


def untrained(size_px: int, width: int = 32) -> Model:
    """A `projected` model as it is built, with noise in its pictures, so that they aren't flat."""
    settings = check_settings(
        {"recipe": "projected", "size_px": size_px, "batch": 8, "width": width, "seed": 1}
    )
    torch.manual_seed(0)
    generator = build_generator(settings)
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            torch.nn.init.normal_(parameter, std=0.3)
    generator.eval().requires_grad_(False)
    return Model(generator, "0" * 64, "untrained", settings, 0, f"untrained, width {width}")


def row(name: str, first: float, moves: list[float], more: str = "") -> str:
    """A line of the table, in milliseconds."""
    return f"| {name} | {first:.0f} | {statistics.median(moves):.0f} | {max(moves):.0f} | {more} |"


def by_server(model: Model, device: str, moves: int) -> None:
    """Prints what the server's part takes."""
    print(f"{model.name}, {model.generator.size_px} px, on {device}")
    print("| moved | first at a picture, ms | median, ms | most, ms | bytes |\n|---|---|---|---|---|")
    began = time.perf_counter()
    preview.paint(model, breed.genome_of(0), steps=[("light", 1.0), ("sefa1", 1.0)], device=device)
    print(f"| the very first | {1000 * (time.perf_counter() - began):.0f} | | | |")
    for name, way in MOVED.items():
        firsts, taken, size = [], [], 0
        for _ in range(PICTURES):
            genome = breed.genome_of(int(torch.randint(1, 10**9, ())))
            for place in range(1 + moves // PICTURES):
                steps, began = [(way, AMOUNTS[place % len(AMOUNTS)])], time.perf_counter()
                pixels = preview.paint(model, genome, steps=steps, device=device)
                size = len(images.encode(pixels, "webp", lossless=True))
                (taken if place else firsts).append(1000 * (time.perf_counter() - began))
        print(row(name, statistics.median(firsts), taken, str(size)), flush=True)


MOVE = """([selector, value]) => new Promise((done) => {
  const [stage, slider] = [document.querySelector('#stage'), document.querySelector(selector)];
  const old = stage.querySelector('.large img').src, began = performance.now();
  const seen = new MutationObserver(() => {
    const now = stage.querySelector('.large img');
    if (!now || now.src === old || !/^(blob|data):/.test(now.src)) return;
    seen.disconnect();
    now.decode().then(() => done(performance.now() - began));
  });
  seen.observe(stage, {subtree: true, childList: true, attributeFilter: ['src']});
  slider.value = value;
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  setTimeout(() => { seen.disconnect(); done(-1); }, 10000);
})"""
LET_GO = """(selector) => ['pointerup', 'change'].forEach((name) =>
  document.querySelector(selector).dispatchEvent(new Event(name, {bubbles: true})))"""
SLIDERS = {
    "light": "#play-steer-light input[type=range]",
    "warmth": "#play-steer-warmth input[type=range]",
    "a direction": ".direction[data-way='sefa1'] [type=range]",
}


def in_browser(home: Path, run: str, moves: int) -> None:
    """Prints what is seen in a page that is open on a model's picture."""
    print(f"{run}, ", end="")
    with browser.opened(home) as page:
        page.click(f"#seeds .tile[data-seed='{SEED}']")
        page.wait_for_timeout(2000)
        page.click("#play-tool label:has-text('Steer')")
        page.wait_for_selector(".direction")
        page.wait_for_function(
            "!document.querySelector('.directions').textContent.includes('Trying them out')"
        )
        page.wait_for_timeout(6000)
        print("| moved | first, ms | median, ms | most, ms | |\n|---|---|---|---|---|")
        for name, selector in SLIDERS.items():
            taken = []
            for place in range(moves + 1):
                taken.append(page.evaluate(MOVE, [selector, str(AMOUNTS[place % len(AMOUNTS)])]))
                page.wait_for_timeout(700)
                if place % 2:
                    page.evaluate(LET_GO, selector)
                    page.wait_for_timeout(2000)
            seen = [ms for ms in taken[1:] if ms >= 0]
            lost = len(taken) - 1 - len(seen)
            print(row(name, taken[0], seen, f"{lost} never seen" if lost else ""), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", default="starter-64")
    parser.add_argument("--home", type=Path, default=files.SHIPPED)
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--server", action="store_true", help="the server's part alone")
    parser.add_argument("--device", default="", help="where the server paints: cpu, cuda")
    parser.add_argument("--size", type=int, help="an untrained model of this size, in place of a run")
    given = parser.parse_args()
    print(machine.title())
    if not given.server:
        in_browser(given.home, given.run, given.moves)
        return
    model = untrained(given.size) if given.size else sample.load(given.home, given.run)
    by_server(model, given.device or preview.place(), given.moves)


if __name__ == "__main__":
    main()
