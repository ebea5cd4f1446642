"""Pictures a second through training, and the share of the machine's measured peak.

python -m benchmarks.throughput --size 64 --steps 30

GFLOP a picture are the matrix products and convolutions of a step as all steps are but a few, forward and backward;
what only some steps do (StyleGAN2's R1 and path lengths) is in neither figure. `python -m benchmarks.limits` says more
about the machine, and where the time of a step goes.
"""

import argparse
import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import psutil
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import machine
from gan_play.trainers import loop
from gan_play.trainers.preflight import choose_device, wait_for
from gan_play.trainers.recipes import RECIPES, Settings, check_settings, needs_labels, recipes_for

PICTURES = 256
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def of_convolution_backward(
    grad: list[int],
    x: list[int],
    weight: list[int],
    _bias: object,
    _stride: object,
    _padding: object,
    _dilation: object,
    transposed: bool,
    _output_padding: object,
    _groups: int,
    wanted: list[bool],
    **_: object,
) -> int:
    """Operations of the way back through a convolution, by the shapes: as many for its input, and for its weights, as
    on the way there. torch itself counts the weights of one in groups as if there were no groups.
    """
    places = math.prod((x if transposed else grad)[2:])
    return 2 * grad[0] * places * math.prod(weight) * (wanted[0] + wanted[1])


class Everywhere(contextlib.nullcontext):
    """What is counted is counted for no module: to tell modules apart, torch hangs itself into the way back, where
    penalties on a critic's slope then fail."""

    parents = ("Global",)

    def __exit__(self, *_: object) -> None:
        """Nothing is to be ended."""


def count(work: Callable[[], object]) -> int:
    """Floating-point operations of the work: matrix products and convolutions, and the way back through them."""
    formulas = {torch.ops.aten.convolution_backward: of_convolution_backward}
    counter = FlopCounterMode(display=False, custom_mapping=formulas)
    counter.mod_tracker = Everywhere()
    with counter:
        work()
    return counter.get_total_flops()


def usual(name: str, size_px: int, precision: str, device: str) -> Settings:
    """A recipe's first width and batch, with two labels where it needs any."""
    row = RECIPES[name]
    return check_settings(
        {
            "recipe": name,
            "size_px": size_px,
            "batch": row.batches[0],
            "width": row.widths[0],
            "seed": 0,
            "num_labels": 2 if needs_labels(name) else 0,
            "threads": loop.cpu_threads(),
            "precision": precision,
            "device": device,
        }
    )


def begin(settings: Settings) -> tuple[loop.Training, Iterator[loop.Tick]]:
    """A training on noise, with every other picture under another label, and its steps."""
    size = settings.size_px
    pixels = np.random.default_rng(0).integers(0, 256, (PICTURES, size, size, 3), dtype=np.uint8)
    training = loop.begin(settings)
    return training, loop.train(training, pixels, np.arange(PICTURES) % 2)


def operations(settings: Settings) -> int:
    """Floating-point operations of one training step, the second."""
    _, ticks = begin(settings)
    next(ticks)
    done = count(lambda: next(ticks))
    ticks.close()
    return done


def speed(settings: Settings, steps: int) -> float:
    """Pictures a second: the median of single steps after three that warm up."""
    _, ticks = begin(settings)
    for _ in range(3):
        next(ticks)
    taken = []
    for _ in range(steps):
        wait_for(settings.device)
        began = time.perf_counter()
        next(ticks)
        wait_for(settings.device)
        taken.append(time.perf_counter() - began)
    ticks.close()
    return settings.images_a_step / float(np.median(taken))


def table(names: Iterable[str], size_px: int, device: str, peaks: dict[str, float], steps: int) -> None:
    """Prints a row for each recipe and precision, `peaks` (operations a second) by precision."""
    print(
        "| recipe | size | precision | batch | width | pictures/s | GFLOP a picture | share of peak | memory |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in names:
        for precision, peak in peaks.items():
            settings = usual(name, size_px, precision, device)
            each = operations(settings) / settings.images_a_step
            rate = speed(settings, steps)
            memory = psutil.Process().memory_info().rss / 1e9
            print(
                f"| `{name}` | {size_px} | {precision} | {settings.batch} | {settings.width} | {rate:.1f} | "
                f"{each / 1e9:.2f} | {rate * each / peak:.0%} | {memory:.2f} GB |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--recipes", nargs="+", default=list(recipes_for("paint")))
    given = parser.parse_args()
    device = choose_device(given.device)
    torch.set_num_threads(loop.cpu_threads())
    peaks = {name: machine.peak_flops(dtype, device) for name, dtype in PRECISIONS.items()}
    print(machine.title())
    print(", ".join(f"peak {name} {peak / 1e9:.0f} GFLOP/s" for name, peak in peaks.items()))
    table(given.recipes, given.size, device, peaks, given.steps)


if __name__ == "__main__":
    main()
