"""Do labelled recipes paint the digit that they are asked for? A small classifier, trained on the reals, judges.

    python -m benchmarks.digits --digits mnist_5k.npz --recipes cgan --minutes 3

The file holds `images` (N, 28, 28) uint8 and `labels` (N,). A fifth of it is held back, to say how good the judge is.
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

ASKED = 1000  # pictures, a tenth of them for each digit
EPOCHS = 6


def as_input(pixels: np.ndarray) -> torch.Tensor:
    """(N, 28, 28, 3) uint8 -> (N, 1, 28, 28) in [0, 1]."""
    return torch.from_numpy(np.array(pixels[:, :, :, 0])).float().div(255)[:, None]


def judge(pixels: np.ndarray, labels: np.ndarray) -> nn.Module:
    """A small convolutional classifier of digits."""
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, 10)),
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
    """The digits that the judge sees: (N,)."""
    return network(as_input(pixels)).argmax(dim=1).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--digits", type=Path, required=True, help="an .npz with images and labels")
    parser.add_argument("--recipes", nargs="+", default=["cgan"], metavar="NAME")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--out", type=Path, help="folder for a grid of each")
    given = parser.parse_args()
    print(machine.title())
    with np.load(given.digits) as file:
        grey, labels = file["images"], file["labels"].astype(np.int64)
    pixels = np.repeat(grey[:, :, :, None], 3, axis=3)
    order = np.random.default_rng(0).permutation(len(pixels))
    held, learnt = order[: len(order) // 5], order[len(order) // 5 :]
    network = judge(pixels[learnt], labels[learnt])
    right = float((named(network, pixels[held]) == labels[held]).mean())
    print(f"{len(learnt)} digits learnt; the judge names {right:.1%} of {len(held)} others rightly")
    print("recipe | minutes | pictures/s | digit as asked")
    for name in given.recipes:
        plan = preflight.plan(
            name, 28, given.minutes, pixels[learnt], dials={"mirror": 0, "augment": 0}, labels=labels[learnt]
        )
        training = loop.begin(plan.settings)
        ticks, began = loop.train(training, pixels[learnt], labels[learnt]), time.perf_counter()
        while time.perf_counter() - began < given.minutes * 60:
            next(ticks)
        speed = training.step * plan.settings.images_a_step / (time.perf_counter() - began)
        asked = np.arange(ASKED, dtype=np.int64) % 10
        fake = painted(training, ASKED, asked)
        share = float((named(network, fake) == asked).mean())
        print(f"{name} | {given.minutes:g} | {speed:.0f} | {share:.1%}", flush=True)
        if given.out:
            given.out.mkdir(parents=True, exist_ok=True)
            sheet = images.grid(fake[:60], 10)
            (given.out / f"{name}-digits.png").write_bytes(images.encode(sheet, "png"))


if __name__ == "__main__":
    main()
