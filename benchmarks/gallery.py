"""How long does the Gallery take with many works in it? The first page, a search, a page far down, as the page asks.

    python -m benchmarks.gallery --works 10000

Works have codes of their own, names, notes, likes and labels; they share one small picture. Each figure is the
longest of ten tries; the first one of all, cold, stands apart.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import machine
from gan_play.pictures import images
from gan_play.share import artwork as artworks
from gan_play.share import gallery
from gan_play.share.artwork import Artwork
from gan_play.share.gallery import Query, Work
from gan_play.ui import gallery as view

WORDS = "dusk harbour birch linen ochre copper field river stone evening violet chalk".split()
LABELS = ("landscape", "portrait", "still life")


def fill(home: Path, count: int) -> None:
    """Writes so many works in one transaction."""
    png = images.encode(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), "png")
    (home / gallery.FOLDER).mkdir()
    with gallery.opened(home) as file:
        for seed in range(count):
            model = f"{seed % 5:016x}"
            code = artworks.encode(Artwork("sample", model, (seed,)))
            title = f"Seed {seed}, Model {seed % 5}, 64 px"
            about = (
                "sample",
                model,
                f"Model {seed % 5}",
                (LABELS[seed % 3],),
                title,
                64,
                "",
                "kept",
                float(seed),
            )
            name, notes = (WORDS[seed % 12].title() if seed % 2 else ""), " ".join(WORDS[: seed % 12])
            work = Work(gallery.id_of("", code), "", code, code, *about, name, notes)
            gallery._insert(file, work, "")
            gallery.picture_path(home, work.id).write_bytes(png)
            if seed % 10 == 0:
                file.execute("INSERT INTO likes VALUES ('', ?, ?, 1, ?)", (code, model, seed))


def longest(ask) -> float:
    """Of ten tries, in milliseconds."""
    took = []
    for _ in range(10):
        began = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - began))
    return max(took)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--works", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        fill(home, given.works)
        began = time.perf_counter()
        html, _ = view.wall_html(home, None, Query(), 0)
        cold = 1000 * (time.perf_counter() - began)
        print(machine.title())
        print(
            f"{given.works:,} works, {view.SHOWN} on a page of {len(html) // 1000} kB; first page, cold: {cold:.0f} ms"
        )
        print("| what | longest of ten, ms |\n|---|---|")
        last = max(0, given.works - view.SHOWN)
        for what, ask in {
            "first page": lambda: view.wall_html(home, None, Query(), 0),
            "last page": lambda: view.wall_html(home, None, Query(), last),
            "liked first": lambda: view.wall_html(home, None, Query(order="liked"), 0),
            "by name": lambda: view.wall_html(home, None, Query(order="name"), 0),
            "search of two words": lambda: view.wall_html(home, None, Query("dusk river"), 0),
            "search, nothing found": lambda: view.wall_html(home, None, Query("nowhere"), 0),
            "one model, one label": lambda: view.wall_html(home, None, Query("", "Model 1", "portrait"), 0),
            "choices of models and labels": lambda: gallery.choices(home, None),
        }.items():
            print(f"| {what} | {longest(ask):.0f} |")


if __name__ == "__main__":
    main()
