"""Every recipe for the same minutes on the same pictures: a row and a grid each, for the README.

    python -m benchmarks.recipes --set paintings --minutes 10 --out docs/recipes

The set's folders are the labels of the recipes that learn them. KID and its interval are in EfficientNet-Lite2, a
network that no recipe trains against; the copy rate is the share of 300 pictures that lie nearer to one of the set
than the set's own pictures lie to one another. Only training counts towards the minutes.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import machine
from benchmarks.quality import PICTURES, painted
from gan_play.measure import originality
from gan_play.measure.features import features
from gan_play.measure.scores import kid_interval
from gan_play.pictures import datasets, images, intake
from gan_play.trainers import loop, preflight
from gan_play.trainers.recipes import RECIPES, recipes_for

COPIES_AMONG = 300
COLUMNS = 8


def row(
    name: str,
    block: datasets.ImageSet,
    real: np.ndarray,
    index: originality.Index,
    given: argparse.Namespace,
) -> str:
    """Trains one recipe for the minutes; its row of the table, in Markdown."""
    recipe = RECIPES[name]
    labels = block.labels if recipe.labels == "needed" else None
    plan = preflight.plan(name, given.size, given.minutes, block.pixels, given.device, labels=labels)
    training = loop.begin(plan.settings)
    ticks, spent = loop.train(training, block.pixels, labels), 0.0
    while spent < given.minutes * 60:
        began = time.perf_counter()
        next(ticks)
        preflight.wait_for(plan.settings.device)
        spent += time.perf_counter() - began
    # Labels as frequent as in the set; a painter without labels takes none.
    wanted = None
    if training.average.num_labels:
        wanted = np.random.default_rng(0).choice(block.labels, PICTURES)
    fake = painted(training, labels=wanted)
    low, middle, high = kid_interval(real, features(fake))
    copies = originality.copy_rate(index, fake[:COPIES_AMONG]).rate
    sheet = images.grid(fake[: 4 * COLUMNS], COLUMNS)
    (given.out / f"{name}.webp").write_bytes(images.encode(sheet, "webp", quality=85))
    speed = training.step * plan.settings.images_a_step / spent
    return (
        f"| `{name}` | ![{name}]({given.out.as_posix()}/{name}.webp) | {middle:.3f} ({low:.3f} to {high:.3f}) "
        f"| {speed:.0f} | {copies:.0%} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", type=Path, required=True, help="folder of pictures, in folders by label")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--recipes",
        nargs="+",
        default=list(recipes_for("paint")),
        choices=recipes_for("paint"),
        metavar="NAME",
    )
    parser.add_argument("--out", type=Path, default=Path("docs/recipes"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    print(machine.title())
    with TemporaryDirectory() as home:
        taken = datasets.run_to_end(intake.take_in([given.set], Path(home)))
        block = datasets.make_block(taken.folder, Path(home) / "block", given.size)
        some = np.linspace(0, len(block.pixels) - 1, min(PICTURES, len(block.pixels))).round().astype(int)
        real = features(np.array(block.pixels[some]))
        index = originality.index(block.pixels)
        print(
            f"{len(block.pixels)} pictures of {given.set.name}, {given.minutes:g} minutes each, {given.size} px"
        )
        print("| recipe | grid | KID (95%) | pictures/s | copies |\n|---|---|---|---|---|")
        for name in given.recipes:
            print(row(name, block, real, index, given), flush=True)


if __name__ == "__main__":
    main()
