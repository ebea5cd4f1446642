"""How long style transfer takes, and what limits it: `python -m benchmarks.style [CONTENT STYLE] --sizes 256,512`.

For each size: what was forecast, the first look, the first whole result (half the size, when its steps are done), the
end, processor time, how far the end is from style and content; and which share of the machine's matrix products the
convolutions' own multiplications are. `--instant` measures style transfer at once instead, how far it is by the same
measures, and how far the untouched picture is. `--optimizers` compares L-BFGS with Adam at equal steps. Without
pictures it paints one that is drawn by code like another.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks import machine
from gan_play.models import vgg
from gan_play.pictures import examples, images, intake
from gan_play.translate import instant, style

RATES = (0.03, 0.08)
"""Of Adam."""


def measured(wish: style.Wish) -> tuple[float, float, float, float, style.Look]:
    """Seconds to the first look, to the end of the first size, to the end; of processor time; and the last look."""
    height, width = wish.content.shape[:2]
    first_steps = style.levels_of(width, height, style.STEPS)[0][1]
    begun, used, first, half = time.perf_counter(), time.process_time(), None, None
    for look in style.transfer(wish):
        now = time.perf_counter() - begun
        first = now if first is None else first
        half = now if half is None and look.step >= first_steps else half
    return first, half, now, time.process_time() - used, look


def measured_at_once(wish: style.Wish) -> tuple[float, float]:
    """Seconds of a painting at once, and of processor time, the best of three."""
    found = []
    for _ in range(3):
        begun, used = time.perf_counter(), time.process_time()
        instant.paint(wish)
        found.append((time.perf_counter() - begun, time.process_time() - used))
    return tuple(min(several) for several in zip(*found))


@torch.no_grad()
def far(wish: style.Wish, pixels: np.ndarray) -> str:
    """How far a painting is from style and content, by what the slow way lowers."""
    goal = style.Goal(wish, *pixels.shape[1::-1])
    content, near, _ = goal(images.to_tensor(pixels[None]) - goal.base)
    return f"{near.item():.3f}, {content.item():.3f}"


def products(wish: style.Wish) -> float:
    """Multiplications of the convolutions of a whole painting, there and back to the pixels."""
    height, width = wish.content.shape[:2]
    return sum(
        2 * count * vgg.products(h, w, style.CONTENT_LAYER)
        for (w, h), count in style.levels_of(width, height, style.STEPS)
    )


def compare_optimizers(wish: style.Wish) -> None:
    """The loss on the way, by optimizer."""
    lbfgs = torch.optim.LBFGS
    for name, make in [("L-BFGS", lbfgs)] + [
        (f"Adam {rate}", lambda params, rate=rate, **_: torch.optim.Adam(params, lr=rate, betas=(0.9, 0.99)))
        for rate in RATES
    ]:
        torch.optim.LBFGS = make
        used = time.process_time()
        losses = [f"{look.content + wish.weight * look.style:.3f}" for look in style.transfer(wish)]
        print(
            f"{name}: {', '.join(losses)}; {time.process_time() - used:.1f} s of processor time", flush=True
        )
    torch.optim.LBFGS = lbfgs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="*", type=Path, help="content, then what it is painted like")
    parser.add_argument("--sizes", default="256")
    parser.add_argument("--instant", action="store_true")
    parser.add_argument("--optimizers", action="store_true")
    given = parser.parse_args()
    if given.pictures:
        content, *styles = map(intake.read_picture_file, given.pictures)
    else:
        content, styles = examples.draw("mountains", 3, 512), [examples.draw("rosettes", 5, 512)]
    peak = machine.peak_flops(torch.float32)
    print(f"{machine.title()}, {torch.get_num_threads()} threads' peak {peak / 1e9:.0f} GFLOP/s")
    print("size: forecast, first look, first size done, end (s); processor s; share of peak; style, content")
    for size in given.sizes.split(","):
        if given.instant:
            wish = style.check(np.asarray(content), styles, instant.check_dials(size))
            spent, used = measured_at_once(wish)
            height, width = wish.content.shape[:2]
            print(
                f"{width} x {height} at once: {spent:.2f} s, processor {used:.2f} s; style, content "
                f"{far(wish, instant.paint(wish))}; untouched {far(wish, wish.content)}",
                flush=True,
            )
            continue
        wish = style.check(np.asarray(content), styles, style.check_dials(size))
        if given.optimizers:
            compare_optimizers(wish)
            continue
        height, width = wish.content.shape[:2]
        expected = style.forecast(width, height)
        first, half, end, used, look = measured(wish)
        print(
            f"{width} x {height}: {expected:.0f}, {first:.1f}, {half:.1f}, {end:.1f}; {used:.1f}; "
            f"{2 * products(wish) / end / peak:.0%}; {look.style:.3f}, {look.content:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
