"""How much this machine can do, how much of it each recipe's training uses, and where the time of a step goes.

python -m benchmarks.limits                                     peaks, then each recipe at 64 px
python -m benchmarks.limits --recipes projected --size 128      some of them, at another size
python -m benchmarks.limits --profile projected                 one step, part by part
python -m benchmarks.limits --device cuda                       the same on a graphics card

A peak is the best of about two seconds. The share is of the matrix peak in the same precision. In the profile a
part's way back is found by the numbers that autograd gives to operations; "overhead" is what belongs to no part.
"""

import argparse
import contextlib
import dataclasses
import functools
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from unittest import mock

import torch
from torch import nn
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function

from benchmarks import machine, throughput
from gan_play.models.projected import ProjectedDiscriminator
from gan_play.trainers import augment, loop, stylegan2
from gan_play.trainers.preflight import choose_device, precisions_for, wait_for
from gan_play.trainers.recipes import RECIPES

METHODS = (
    "mapping",
    "synthesis",
    "look",
    "paint",
    "patches",
    "features",
    "heads",
)  # of networks, beside `forward`
NODE = "autograd::engine::evaluate_function"


def print_peaks(device: str) -> dict[str, float]:
    """Prints what the machine can do at most; the peak of matrix products by precision, in operations a second."""
    peaks = {name: machine.peak_flops(dtype, device) for name, dtype in throughput.PRECISIONS.items()}
    print("| at most | float32 | bfloat16 |\n|---|---|---|")
    print(
        f"| matrix products of side 2,048, GFLOP/s | {' | '.join(f'{p / 1e9:.0f}' for p in peaks.values())} |"
    )
    for title, last in (("channels last", True), ("channels first", False)):
        found = (
            machine.peak_convolution_flops(d, device, last) / 1e9 for d in throughput.PRECISIONS.values()
        )
        print(f"| convolutions, {title}, GFLOP/s | {' | '.join(f'{one:.0f}' for one in found)} |")
    copied, summed = machine.bandwidth(device) / 1e9, machine.bandwidth(device, triad=True) / 1e9
    print(f"| memory, GB/s | copy {copied:.1f}, triad {summed:.1f} | |\n", flush=True)
    return peaks


def labelled(part: str, work: Callable) -> Callable:
    """The same function; the profiler knows what it does as this part."""

    @functools.wraps(work)
    def known(*arguments: object, **named: object) -> object:
        with record_function(f"part:{part}"):
            return work(*arguments, **named)

    return known


def members(network: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """What a step may call of a network: (owner, name) of the methods of itself and of its parts."""
    methods = (name for name in ("forward", *METHODS) if hasattr(network, name))
    yield from ((network, name) for name in methods if not isinstance(getattr(network, name), nn.Module))
    for child in network.children():
        yield from ((one, "forward") for one in (child if isinstance(child, nn.ModuleList) else [child]))


@contextlib.contextmanager
def watched(training: loop.Training) -> Iterator[None]:
    """Meanwhile the profiler knows the parts of the training's steps, all labelled from outside."""
    recipe = training.recipe
    mine = {
        name: labelled(name, getattr(recipe, name)) for name in ("penalty", "wish") if getattr(recipe, name)
    }
    training.recipe = dataclasses.replace(recipe, draw=labelled("data", recipe.draw or loop.draw), **mine)
    calls = [
        (augment, "augment", "augmentation"),
        (stylegan2, "shaken", "augmentation"),
        (stylegan2, "path_penalty", "penalty"),
        (stylegan2, "squared_gradient", "penalty"),
        (loop, "update_average", "average"),
        (training.optimizer_g, "step", "optimizer"),
        (training.optimizer_d, "step", "optimizer"),
        *((owner, name, "painter") for owner, name in members(training.generator)),
        *((owner, name, "critic") for owner, name in members(training.discriminator)),
    ]
    if isinstance(training.discriminator, ProjectedDiscriminator):
        calls.append((training.discriminator, "features", "features"))
    with contextlib.ExitStack() as kept:
        for owner, name, part in calls:
            kept.enter_context(mock.patch.object(owner, name, labelled(part, getattr(owner, name))))
        yield
    training.recipe = recipe


def part_of(event: FunctionEvent) -> str:
    """The outermost part that an event lies in, or ""."""
    part = ""
    while event is not None:
        part = event.name.removeprefix("part:") if event.name.startswith("part:") else part
        event = event.cpu_parent
    return part


def node_of(event: FunctionEvent | None) -> FunctionEvent | None:
    """The step on the way back that an event lies in."""
    while event is not None and not event.name.startswith(NODE):
        event = event.cpu_parent
    return event


def times(events: list[FunctionEvent], device: str) -> dict[str, list[float]]:
    """Part -> seconds there and on the way back, without what is in no event: of the device, where it is a card."""
    makers: dict[
        int, str
    ] = {}  # number of a node of autograd -> the part that made it, the last to carry its number
    for event in events:
        part = part_of(event)
        if event.sequence_nr >= 0 and (part or node_of(event) is None):
            makers[event.sequence_nr] = part
    taken: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for event in events:
        part, node = part_of(event), node_of(event)
        own = event.self_device_time_total if device == "cuda" else event.self_cpu_time_total
        back = node is not None and not part
        taken[(makers.get(node.sequence_nr) if back else part) or "overhead"][back] += own / 1e6
    return taken


def print_profile(name: str, size_px: int, device: str, steps: int, precision: str) -> None:
    """Prints what each part of a recipe's step takes, there and on the way back."""
    settings = throughput.usual(name, size_px, precision, device)
    training, ticks = throughput.begin(settings)
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device == "cuda" else [])
    with watched(training):
        for _ in range(2):
            next(ticks)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the profiler's, about cycles that aren't used here
            with profile(activities=activities, acc_events=True) as seen:
                wait_for(device)
                began = time.perf_counter()
                for _ in range(steps):
                    next(ticks)
                wait_for(device)
                whole = time.perf_counter() - began
        ticks.close()
    taken = times(seen.events(), device)
    taken["overhead"][0] += max(0.0, whole - sum(map(sum, taken.values())))
    print(f"`{name}`, {size_px} px, {precision}, {settings.batch} pictures a step, width {settings.width}:")
    print("| part | there, ms | back, ms | share |\n|---|---|---|---|")
    for part, both in sorted(taken.items(), key=lambda one: -sum(one[1])):
        there, back = (1000 * seconds / steps for seconds in both)
        print(f"| {part} | {there:.1f} | {back:.1f} | {sum(both) / whole:.1%} |")
    print(f"| a step | {1000 * whole / steps:.0f} | | |\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", choices=tuple(throughput.PRECISIONS), help="all that pay here")
    parser.add_argument("--recipes", nargs="+", choices=tuple(RECIPES), default=list(RECIPES))
    parser.add_argument("--profile", nargs="+", choices=tuple(RECIPES), default=[], help="of these, in place")
    given = parser.parse_args()
    device = choose_device(given.device)
    torch.set_num_threads(loop.cpu_threads())
    precisions = (given.precision,) if given.precision else precisions_for(device)
    print(f"{machine.title()}, {torch.get_num_threads()} threads\n")
    for name in given.profile:
        print_profile(name, given.size, device, given.steps, precisions[-1])
    if not given.profile:
        peaks = print_peaks(device)
        throughput.table(
            given.recipes, given.size, device, {name: peaks[name] for name in precisions}, given.steps
        )


if __name__ == "__main__":
    main()
