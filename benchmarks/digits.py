"""Small grey pictures of ten kinds, digits or clothes: does a labelled recipe paint what it is asked for?

    python -m benchmarks.digits --digits mnist_5k.npz --recipes cgan --minutes 10 --out grids/
    python -m benchmarks.digits --digits fashion_mnist_5k.npz --recipes gan dcgan wgan wgan_gp --minutes 2

The file holds `images` (N, 28, 28) uint8 and `labels` (N,). A small classifier, trained on four fifths of the reals,
judges; the fifth that it never saw says how good it is. Of labelled recipes it says how many paintings it names as
they were asked for; of the others, which share of their paintings it takes for each kind. Nothing is shaken or
mirrored. `--out` keeps a grid of each.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import machine
from benchmarks.quality import painted
from gan_play.pictures import images
from gan_play.trainers import loop, preflight
from gan_play.trainers.recipes import RECIPES

ASKED = 1000  # pictures, a tenth of them for each kind
EPOCHS = 6
KINDS = 10
LOOKS_S = 60  # of training between two looks on the way


def as_input(pixels: np.ndarray) -> torch.Tensor:
    """(N, 28, 28, 3) uint8 -> (N, 1, 28, 28) in [0, 1]."""
    return torch.from_numpy(pixels.mean(axis=3, dtype=np.float32)).div(255)[:, None]


def judge(pixels: np.ndarray, labels: np.ndarray) -> nn.Module:
    """A small convolutional classifier of the kinds."""
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, KINDS)),
    )
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    x, y = as_input(pixels), torch.from_numpy(labels)
    for _ in range(EPOCHS):
        for some in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(network(x[some]), y[some]).backward()
            optimizer.step()
    return network.eval()


@torch.no_grad()
def named(network: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """The kinds that the judge sees: (N,)."""
    return network(as_input(pixels)).argmax(dim=1).numpy()


def look(network: nn.Module, training: loop.Training) -> tuple[np.ndarray, np.ndarray, float]:
    """What the averaged painter paints: the pictures, kinds in turn; a share for each kind; the share in all.

    The share of a kind is that of its paintings named rightly, or without labels that of all paintings taken for
    it; in all, without labels, it is how evenly the kinds are painted: 1 less the distance from an even share.
    """
    asked = np.arange(ASKED, dtype=np.int64) % KINDS
    apart = training.average.num_labels > 0  # `can` learns labels, but its painter has none
    fake = painted(training, ASKED, asked if apart else None)
    seen = named(network, fake)
    if apart:
        right = seen == asked
        return fake, np.array([right[asked == kind].mean() for kind in range(KINDS)]), float(right.mean())
    shares = np.bincount(seen, minlength=KINDS) / ASKED
    return fake, shares, 1 - float(np.abs(shares - 1 / KINDS).sum() / 2)


def trial(name: str, network: nn.Module, pixels: np.ndarray, labels: np.ndarray, given) -> None:
    """Trains a recipe for the minutes, prints looks on the way and a row at the end, and keeps its grid."""
    learns = labels if RECIPES[name].labels == "needed" else None
    still = {dial: 0 for dial in ("mirror", "augment") if dial in RECIPES[name].dials}
    plan = preflight.plan(
        name, 28, given.minutes, pixels, seed=given.seed, threads=given.threads, dials=still, labels=learns
    )
    settings = plan.settings
    training = loop.begin(settings)
    ticks, spent, next_look = loop.train(training, pixels, learns), 0.0, LOOKS_S
    while spent < given.minutes * 60:
        began = time.perf_counter()
        next(ticks)
        spent += time.perf_counter() - began
        if spent > next_look:
            next_look += LOOKS_S
            print(f"  {name}: {spent / 60:.0f} min, step {training.step:,}, {look(network, training)[2]:.1%}")
    fake, shares, whole = look(network, training)
    speed = training.step * settings.images_a_step / spent
    kind = "as asked" if training.average.num_labels else "even"
    each = " ".join(f"{share:.0%}" for share in shares)
    about = f"{settings.width} | {settings.batch} | {settings.precision} | {training.step:,} | {speed:.0f}"
    print(f"{name} | {given.minutes:g} | {about} | {whole:.1%} {kind} | {each}")
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        sheet = images.grid(fake[: 10 * KINDS], KINDS)
        (given.out / f"{name}-{given.digits.stem}.png").write_bytes(images.encode(sheet, "png"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--digits", type=Path, required=True, help="an .npz with images and labels")
    parser.add_argument("--recipes", nargs="+", default=["cgan"], metavar="NAME")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out", type=Path, help="folder for a grid of each: a column a kind, if it has labels"
    )
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print(machine.title())
    with np.load(given.digits) as file:
        grey, labels = file["images"], file["labels"].astype(np.int64)
    pixels = np.repeat(grey[:, :, :, None], 3, axis=3)
    order = np.random.default_rng(0).permutation(len(pixels))
    held, learnt = order[: len(order) // 5], order[len(order) // 5 :]
    network = judge(pixels[learnt], labels[learnt])
    right = named(network, pixels[held]) == labels[held]
    each = " ".join(f"{right[labels[held] == kind].mean():.0%}" for kind in range(KINDS))
    print(
        f"{len(learnt):,} pictures learnt; of {len(held):,} others the judge names {right.mean():.1%} ({each})"
    )
    print("recipe | minutes | width | batch | precision | steps | pictures/s | in all | each kind, 0 to 9")
    for name in given.recipes:
        trial(name, network, pixels[learnt], labels[learnt], given)


if __name__ == "__main__":
    main()
