"""Are copies told from new pictures, and collapses from healthy trainings? Staged on real pictures.

    python -m benchmarks.originality --set FOLDER_OR_ZIP [--size 64] [--out PAIRS.png] [--health]

Prints, for the set: how long its index takes, how long the search for a grid of 36; of generators that replay the
training part (as it is, mirrored, cropped, compressed, blurred, and all of it at once) the share that is flagged, and
of pictures held back (that aren't in the training part a second time, by their fingerprints) the share that is. With
--health: ten staged collapses and twenty healthy painters, judged by the features that scores use.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks import machine
from gan_play.measure import originality
from gan_play.measure.features import features
from gan_play.pictures import datasets, images, intake, likeness
from gan_play.trainers import health

REPLAYED = 200
TILES = 36


def pictures(source: Path, size_px: int, most: int, home: Path) -> np.ndarray:
    """Squares of a folder or ZIP, each painting once: (N, S, S, 3) uint8."""
    taken = datasets.run_to_end(intake.take_in([source], home))
    pixels = datasets.make_block(taken.folder, home / f"{taken.set_id}-{size_px}", size_px).pixels
    chosen = sorted(random.Random(0).sample(range(len(pixels)), min(most, len(pixels))))
    pixels = np.array(pixels[chosen])
    same = likeness.near_duplicates([likeness.fingerprint(one) for one in pixels])
    again = {one for group in same for one in group[1:]}
    return np.delete(pixels, sorted(again), axis=0)


def cropped(pixels: np.ndarray, numbers: np.random.Generator) -> np.ndarray:
    """90 % of the side, from anywhere."""
    size = pixels.shape[1]
    side = round(size * 0.9)
    places = numbers.integers(0, size - side + 1, (len(pixels), 2))
    cut = (p[top : top + side, left : left + side] for p, (top, left) in zip(pixels, places))
    return np.stack([images.resize(np.ascontiguousarray(one), size) for one in cut])


def compressed(pixels: np.ndarray) -> np.ndarray:
    return np.stack([images.decode(images.encode(p, "jpeg", quality=70)) for p in pixels])


def blurred(pixels: np.ndarray) -> np.ndarray:
    """Through 70 % of the size, as soft as a painter's copies."""
    size = pixels.shape[1]
    return np.stack([images.resize(images.resize(p, round(0.7 * size)), size) for p in pixels])


def clock() -> tuple[float, float]:
    """Now, by the wall and by the processor."""
    return time.perf_counter(), time.process_time()


def spent(since: tuple[float, float]) -> str:
    """Seconds since then; on a machine that does other things, only the processor's count."""
    wall, processor = (now - then for now, then in zip(clock(), since))
    return f"{wall:.1f} s on {torch.get_num_threads()} cores, {processor:.1f} s of processor time"


def copies(pixels: np.ndarray, out: Path | None) -> None:
    """Prints the rows about copies."""
    numbers = np.random.default_rng(0)
    order = numbers.permutation(len(pixels))
    held, kept = pixels[order[: len(pixels) // 10]], pixels[np.sort(order[len(pixels) // 10 :])]
    began = clock()
    index = originality.index(kept)
    print(f"index of {len(kept)} pictures: {spent(began)}; threshold {index.threshold:.2f}", flush=True)
    some = kept[numbers.choice(len(kept), min(REPLAYED, len(kept)), replace=False)]
    mirrored = np.ascontiguousarray(some[:, :, ::-1])
    rows = {
        "as it is": some,
        "mirrored": mirrored,
        "cropped to 90 %": cropped(some, numbers),
        "JPEG at 70": compressed(some),
        "blurred": blurred(some),
        "mirrored, cropped, blurred and JPEG": compressed(blurred(cropped(mirrored, numbers))),
    }
    print("replayed | flagged")
    for name, replayed in rows.items():
        print(f"{name} | {originality.copy_rate(index, replayed).rate:.1%}", flush=True)
    places, distances, _ = originality.nearest(index, held, 1)
    found = originality.verdict(index, distances)
    print(f"{len(held)} held back | {found.rate:.1%}")
    if (
        out is not None and found.copied.any()
    ):  # to be looked at: is it the same picture in another photograph?
        pairs = np.stack([held[found.copied], kept[places[found.copied, 0]]], axis=1)
        sheet = images.grid(pairs.reshape(-1, *held.shape[1:]), 2)
        out.write_bytes(images.encode(images.enlarge(sheet, 2), "png"))
    began = clock()
    originality.nearest(index, some[:TILES])
    print(f"search for {TILES} tiles: {spent(began)}")


def noisy(pixels: np.ndarray, numbers: np.random.Generator, level: float) -> np.ndarray:
    return np.clip(pixels + numbers.normal(0, level, pixels.shape), 0, 255).astype(np.uint8)


def collapses(pixels: np.ndarray, count: int = 120) -> None:
    """Prints how many staged collapses are noticed within two evaluations, and how many false alarms there are."""
    numbers = np.random.default_rng(0)
    pixels = pixels[numbers.permutation(len(pixels))[: 4 * count]]
    seen = features(pixels)

    def look(painted: np.ndarray, found: np.ndarray) -> health.Variety:
        coloured = health.variety(health.colours(pixels[:count]), health.colours(painted))
        return health.in_both(health.variety(seen[:count], found), coloured)

    def well() -> health.Variety:
        some = numbers.choice(np.arange(count, len(seen)), count, replace=False)
        return look(pixels[some], seen[some])

    noticed = 0
    mean = pixels.mean(axis=0)
    for kind, how in [("repeat", k) for k in (1, 2, 3, 5, 8)] + [
        ("shrink", s) for s in (0, 0.05, 0.1, 0.2, 0.3)
    ]:
        history = [well(), well()]
        for _ in range(2):
            if kind == "repeat":
                few = pixels[numbers.choice(len(pixels), how, replace=False)]
                painted = noisy(few[numbers.integers(0, how, count)], numbers, 5)
            else:
                some = pixels[numbers.choice(len(pixels), count, replace=False)]
                painted = noisy(mean + how * (some - mean), numbers, 2)
            history.append(look(painted, features(painted)))
        found = health.judge(history)
        noticed += found.code == "collapsed"
        print(
            f"{kind} {how}: spread {history[-1].spread:.2f}, distinct {history[-1].distinct:.2f}: {found.code}"
        )
    print(f"staged collapses noticed within two evaluations: {noticed} of 10")
    alarms = 0
    for _ in range(20):
        history = [well() for _ in range(4)]
        alarms += any(health.judge(history[:i]).code == "collapsed" for i in range(1, 5))
    print(f"false alarms: {alarms} of 20")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", type=Path, required=True, help="folder or ZIP of pictures")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--most", type=int, default=100_000, help="how many of them at most")
    parser.add_argument(
        "--out", type=Path, help="a PNG of the pictures held back that were flagged, in pairs"
    )
    parser.add_argument("--health", action="store_true", help="collapses instead of copies")
    given = parser.parse_args()
    print(machine.title())
    with tempfile.TemporaryDirectory() as home:
        pixels = pictures(given.set, given.size, given.most, Path(home))
    print(f"{len(pixels)} pictures of {given.set.name}, each once")
    collapses(pixels) if given.health else copies(pixels, given.out)


if __name__ == "__main__":
    main()
