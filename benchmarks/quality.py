"""How good the pictures are after the same minutes: each recipe from scratch, and the default from the starter.

    python -m benchmarks.quality --set paintings/kandinsky --second paintings/vangogh --minutes 10 --size 64

KID is taken in EfficientNet-Lite2, a network that no recipe trains against; the distance of a second real set
gives it a scale. Only training counts towards the minutes, not the scoring in between.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks import machine
from gan_play import files
from gan_play.measure.features import features
from gan_play.measure.scores import kid, kid_interval
from gan_play.models.seeds import noise_of, z_of
from gan_play.pictures import datasets, images, intake
from gan_play.runs import checkpoints
from gan_play.trainers import loop, preflight

PICTURES = 500  # painted for a score


def squares(folder: Path, size_px: int, most: int, home: Path) -> np.ndarray:
    """The pictures of a folder as (N, S, S, 3) uint8; at most `most` of them, drawn with a fixed seed."""
    taken = datasets.run_to_end(intake.take_in([folder], home))
    block = datasets.make_block(taken.folder, home / f"{taken.set_id}-{size_px}", size_px)
    chosen = sorted(random.Random(0).sample(range(len(block.pixels)), min(most, len(block.pixels))))
    return np.array(block.pixels[chosen])


def painted(training: loop.Training, count: int = PICTURES, labels: np.ndarray | None = None) -> np.ndarray:
    """What the averaged generator paints from seeds 100,000 and up, untruncated: (count, S, S, 3) uint8.

    `labels` (count,) where it paints by label.
    """
    parts = []
    for first in range(100_000, 100_000 + count, 50):
        seeds = range(first, min(first + 50, 100_000 + count))
        label = None if labels is None else torch.from_numpy(labels[first - 100_000 :][: len(seeds)])
        with torch.inference_mode():  # in float32, as Play paints
            device = training.settings.device
            noise = [n.to(device) for n in noise_of(training.average, seeds)]
            label = None if label is None else label.to(device)
            ws = training.average.mapping(z_of(seeds, training.average.z_dim).to(device), label)
            parts.append(images.to_pixels(training.average.synthesis(ws, noise or None).cpu()))
    return np.concatenate(parts)


def trial(
    title: str, recipe: str, pixels: np.ndarray, real: np.ndarray, minutes: float, given: argparse.Namespace
) -> None:
    """Trains for the minutes, prints scores on the way and a row at the end, and keeps the last grid."""
    start = None
    if title.endswith("from the starter"):
        tensors, header = checkpoints.load_start(files.SHIPPED / f"starter-{given.size}")
        start = (tensors, checkpoints.settings_of(header))
    plan = preflight.plan(recipe, given.size, minutes, pixels, given.device, start, given.seed)
    training = loop.begin(plan.settings, start[0] if start else None)
    ticks = loop.train(training, pixels)
    spent, next_score = 0.0, 60.0
    while spent < minutes * 60:
        began = time.perf_counter()
        next(ticks)
        preflight.wait_for(plan.settings.device)
        spent += time.perf_counter() - began
        if spent > next_score:
            next_score += 60
            score = kid(real, features(painted(training)))
            print(f"  {title}: {spent / 60:.0f} min, step {training.step}, KID {score:.3f}", flush=True)
    fake = painted(training)
    low, middle, high = kid_interval(real, features(fake))
    seen = training.step * plan.settings.images_a_step
    print(
        f"{title} | {minutes:g} | {plan.settings.width} | {plan.settings.precision} | {seen:,} | "
        f"{seen / spent:.0f} | {middle:.3f} ({low:.3f} to {high:.3f})",
        flush=True,
    )
    given.out.mkdir(parents=True, exist_ok=True)
    sheet = images.grid(fake[:48], 8)
    (given.out / f"{title.replace(' ', '-').replace(',', '')}.png").write_bytes(images.encode(sheet, "png"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", type=Path, required=True, help="folder of pictures to learn from")
    parser.add_argument("--second", type=Path, help="a folder of other pictures, for scale")
    parser.add_argument("--pictures", type=int, default=300, help="how many of the set (300)")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--starter-minutes", type=float, default=3)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--trials", nargs="+", default=["projected", "dcgan", "starter"])
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "gan-play-quality")
    given = parser.parse_args()
    print(machine.title())
    with tempfile.TemporaryDirectory() as home:
        pixels = squares(given.set, given.size, given.pictures, Path(home))
        real = features(pixels)
        print(f"{len(pixels)} pictures of {given.set.name}")
        if given.second:
            second = features(squares(given.second, given.size, 10**6, Path(home)))
            low, middle, high = kid_interval(real, second)
            print(f"KID of {given.second.name}, real: {middle:.3f} ({low:.3f} to {high:.3f})")
        half = len(real) // 2
        print(f"KID of one half of the set against the other: {kid(real[:half], real[half:]):.3f}")
    print("trial | minutes | width | precision | pictures seen | pictures/s | KID (95%)")
    for name in given.trials:
        if name == "starter":
            trial("projected from the starter", "projected", pixels, real, given.starter_minutes, given)
        else:
            trial(name, name, pixels, real, given.minutes, given)
    print(f"Grids: {given.out}")


if __name__ == "__main__":
    main()
