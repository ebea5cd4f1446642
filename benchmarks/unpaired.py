"""Two sets that aren't paired: how near `cut` and `cyclegan` bring the first to the second in the same minutes.

    python -m benchmarks.unpaired --set paintings.zip --recipes cut cyclegan --minutes 6 --size 64

The set is a folder or ZIP with two folders of pictures; the first, by name, becomes like the second. KID is taken in
EfficientNet-Lite2, which no recipe trains against, of all pictures of the first set beside all of the second: as they
are, and translated. One in ten is held back from training; these are scored apart, and shown. Only training counts
towards the minutes. Each recipe leaves a grid: sources, translations and, of both ways, back again.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks import machine
from gan_play.measure.features import features
from gan_play.measure.scores import kid, kid_interval
from gan_play.pictures import datasets, images, intake
from gan_play.trainers import loop, preflight
from gan_play.trainers.recipes import check_settings

SHOWN = 12  # pictures a row of the grid
AT_ONCE = 16


def through(network: torch.nn.Module, pixels: np.ndarray, device: str) -> np.ndarray:
    """What a network makes of pictures (N, S, S, 3) uint8, of the same shape."""
    parts = []
    for first in range(0, len(pixels), AT_ONCE):
        with torch.inference_mode():
            parts.append(
                images.to_pixels(network(images.to_tensor(pixels[first : first + AT_ONCE]).to(device)))
            )
    return np.concatenate(parts)


def mean_difference(a: np.ndarray, b: np.ndarray) -> float:
    """How far the pixels of two lots of pictures are apart on average, from 0 to 1."""
    return float(np.abs(a.astype(np.float32) - b).mean() / 255)


def trial(recipe: str, pictures: datasets.ImageSet, given: argparse.Namespace) -> None:
    """Trains for the minutes, prints scores on the way and a row at the end, and keeps the last grid."""
    learnt, unseen = pictures.learnt, pictures.unseen
    device = preflight.choose_device(given.device)
    dials = {name: float(value) for name, value in (dial.split("=") for dial in given.dials)}
    wish = {"recipe": recipe, "size_px": given.size, "width": given.width, "batch": given.batch}
    wish |= {"seed": given.seed, "num_labels": 2, "device": device, "precision": given.precision}
    settings = check_settings(wish | {"threads": given.threads or loop.cpu_threads(), "dials": dials})
    training = loop.begin(settings)
    sources, targets = (pictures.pixels[pictures.labels == label] for label in (0, 1))
    target, kept = features(targets), unseen.pixels[unseen.labels == 0]
    ticks, spent, due = loop.train(training, learnt.pixels, learnt.labels), 0.0, 60 * given.every
    clock = time.process_time if device == "cpu" else time.perf_counter
    while spent < given.minutes * 60:
        began = clock()
        tick = next(ticks)
        if training.step % 16 == 0:  # more often would hold up a graphics card
            preflight.wait_for(device)
        spent += clock() - began
        if spent > due:
            due += 60 * given.every
            score = kid(target, features(through(training.average, sources, device)))
            numbers = ", ".join(f"{name} {float(value):.3f}" for name, value in tick.numbers.items())
            print(
                f"  {recipe}: {spent / 60:.1f} min, step {training.step}, KID {score:.3f}; {numbers}",
                flush=True,
            )
    fake, fake_kept = through(training.average, sources, device), through(training.average, kept, device)
    low, middle, high = kid_interval(target, features(fake))
    rows, cycle = [kept[:SHOWN], fake_kept[:SHOWN]], "-"
    if hasattr(training.average, "back"):
        again = through(training.average.back, fake_kept, device)
        cycle = f"{mean_difference(again, kept):.4f}"
        others = unseen.pixels[unseen.labels == 1]
        home = through(training.average.back, others, device)
        rows += [again[:SHOWN], others[:SHOWN], home[:SHOWN]]
        score = kid(features(sources), features(through(training.average.back, targets, device)))
        print(f"  {recipe}, the other way: KID {score:.3f}")
    print(
        f"{recipe} | {given.minutes:g} | {training.step:,} | {training.step * given.batch / spent:.0f} | "
        f"{middle:.3f} ({low:.3f} to {high:.3f}) | {kid(target, features(fake_kept)):.3f} | {cycle} | "
        f"{mean_difference(fake_kept, kept):.4f}",
        flush=True,
    )
    given.out.mkdir(parents=True, exist_ok=True)
    rows = [row if len(row) == SHOWN else np.resize(row, (SHOWN, *row.shape[1:])) for row in rows]
    sheet = images.grid(np.concatenate(rows), SHOWN)
    (given.out / f"{recipe}-{given.size}{given.tag}.png").write_bytes(images.encode(sheet, "png"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", type=Path, required=True, help="folder or ZIP with two folders of pictures")
    parser.add_argument("--recipes", nargs="+", default=["cut", "cyclegan"])
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--every", type=float, default=2, help="minutes between two scores on the way (2)")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--dials", nargs="*", default=[], help="for instance contrast=2")
    parser.add_argument("--tag", default="", help="put behind the name of the grid")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "gan-play-unpaired")
    given = parser.parse_args()
    print(machine.title())
    with tempfile.TemporaryDirectory() as home:
        taken = datasets.run_to_end(intake.take_in([given.set], Path(home)))
        pictures = datasets.make_block(
            taken.folder, Path(home) / "block", given.size, keep_back=True, labelled=True
        )
        first, second = (pictures.pixels[pictures.labels == label] for label in (0, 1))
        print(
            f"{len(first)} pictures of {pictures.label_names[0]}, {len(second)} of {pictures.label_names[1]}"
        )
        target = features(second)
        low, middle, high = kid_interval(target, features(first))
        print(f"KID untranslated: {middle:.3f} ({low:.3f} to {high:.3f})")
        print(
            f"KID of one half of {pictures.label_names[1]} to the other: {kid(target[::2], target[1::2]):.3f}"
        )
        print("recipe | minutes | steps | pictures/s | KID (95%) | KID held back | cycle | changed")
        for recipe in given.recipes:
            trial(recipe, pictures, given)
    print(f"Grids: {given.out}")


if __name__ == "__main__":
    main()
