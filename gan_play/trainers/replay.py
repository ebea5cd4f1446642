"""On a graphics card a step is recorded once and then played again: thousands of orders to the card become one.

A card that learns from small pictures has done each thing long before it is told the next: `projected` at 64 px uses
2% of one (benchmarks/results.md). A CUDA graph (PyTorch's notes on CUDA semantics, "Whole-network capture") holds all
orders of a step, and does the same with whatever lies in the same places of memory. What changes from step to step is
drawn on the CPU (`clock.py`), so a tape of these draws is recorded with it, and run before each playing: one clock
still tells all, and a step that is played computes what it would have computed otherwise.

That is not taken on trust: of each kind of step the first that are played are also taken as usual, from the same state.
Where the two differ, or a step can't be recorded, or memory is short, all steps are taken as usual from there on.
"""

from __future__ import annotations

import contextlib
import math
import statistics
import warnings
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map_only

from gan_play.trainers import clock, memory

WARM_UP = (
    4  # steps of a kind, before one is recorded: what is made once, and chosen by trying, is there by then
)
PROOFS = (
    2  # steps that are played and taken as usual: the second has other draws than the one that was recorded
)
ROOM = 2.2
"""Times what a step needs that has to be free: a recording keeps it for good, and others are still taken as usual."""

ALIKE = 0.1
"""Of the way that a step went: how far apart both may end, since a card adds some sums in any order."""

Step = Callable[[int], dict[str, Tensor]]
"""Takes a step by its number, from 1."""


class Unrepeatable(RuntimeError):
    """A step does what can't be played again: it sends what was not drawn, or draws what a tape doesn't hold."""


def _spot(x: Tensor) -> Hashable:
    """The memory that a tensor shows, and how: views are other objects inside PyTorch than outside."""
    return x.untyped_storage()._cdata, x.storage_offset(), x.shape, x.stride(), x.dtype


class _Done(NamedTuple):
    """A call on the CPU, and what came of it."""

    function: Callable[..., object]
    args: tuple
    kwargs: dict[str, Any]
    made: list[Tensor]


class Tape(TorchDispatchMode):
    """How the random numbers of a step are made, and where they arrive on the device; a `clock.Listener`.

    Records while it is entered: what comes of generators, of the pictures chosen, and of other things together with
    these. `rewrite` does the same for another step, into the same memory. `device` is where all has to arrive: what
    only a CPU can do, such as reading pictures from the disk, can't be played there.
    """

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = torch.device(device).type
        self._seeds: dict[int, tuple[torch.Generator, int, str]] = {}  # by the generator's own address
        self._chosen: list[tuple[Tensor, Callable[[int], Tensor]]] = []
        self._done: list[_Done] = []
        self._drawn: dict[Hashable, Tensor] = {}  # by spot; held, so that none is used again
        self.arrived: list[tuple[Tensor, Tensor]] = []  # what was drawn, and its place on the device
        self._as_sent: list[Tensor] = []  # copies of what was drawn: it may be changed later

    # As a listener

    def seeded(self, random: torch.Generator, seed: int, purpose: str) -> None:
        self._seeds[random._cdata] = random, seed, purpose

    def chosen(self, indices: Tensor, of_step: Callable[[int], Tensor]) -> None:
        self._chosen.append((indices, of_step))
        self._drawn[_spot(indices)] = indices

    def sent(self, x: Tensor, device: str | torch.device) -> Tensor:
        if _spot(x) not in self._drawn:
            raise Unrepeatable("something was sent that wasn't drawn")
        if torch.device(device).type != self._device:
            raise Unrepeatable("something drawn was sent elsewhere")
        place = torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device=device)
        self.arrived.append((x, place))
        with _disable_current_modes():
            self._as_sent.append(x.clone())
        return place

    # As a mode

    def __torch_dispatch__(
        self, func: Any, types: tuple, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> object:
        kwargs = kwargs or {}
        made = func(*args, **kwargs)
        given = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        random = getattr(kwargs.get("generator"), "_cdata", None)
        if random not in self._seeds and not any(_spot(x) in self._drawn for x in given):
            return made
        results = [x for x in tree_leaves(made) if isinstance(x, Tensor)]
        if not results:
            raise Unrepeatable("a random number was looked at")
        if any(x.device.type != "cpu" for x in results):
            raise Unrepeatable("something drawn was used on the device, where it wasn't sent")
        self._done.append(_Done(func, args, kwargs, results))
        self._drawn |= {_spot(x): x for x in results}
        return made

    # Afterwards

    def redrawn(self, now: int) -> Iterator[tuple[Tensor, Tensor]]:
        """What step `now` draws, and the place on the device that it belongs to."""
        for random, seed, purpose in self._seeds.values():
            random.manual_seed(clock.draw_seed(seed, now, purpose))
        fresh = {_spot(indices): of_step(now) for indices, of_step in self._chosen}

        def renewed(x: Tensor) -> Tensor:
            return fresh.get(_spot(x), x)

        for function, args, kwargs, made in self._done:
            again = function(*tree_map_only(Tensor, renewed, args), **tree_map_only(Tensor, renewed, kwargs))
            fresh |= {_spot(old): new for old, new in zip(made, tree_leaves(again))}
        for drawn, place in self.arrived:
            yield fresh[_spot(drawn)], place

    def rewrite(self, now: int) -> None:
        """Puts what step `now` draws in its places on the device."""
        for drawn, place in self.redrawn(now):
            # From memory that isn't pinned, the driver may wait for what the card still does.
            drawn = drawn.pin_memory() if place.is_cuda else drawn
            place.copy_(drawn, non_blocking=True)

    def check(self, now: int) -> None:
        """Unrepeatable unless the tape, run for the step that it was recorded of, draws what that step drew."""
        if not all(torch.equal(sent, again) for sent, (again, _) in zip(self._as_sent, self.redrawn(now))):
            raise Unrepeatable("drawn again, it is something else")


class Card(Protocol):
    """What records steps."""

    def at_work(self) -> contextlib.AbstractContextManager[object]:
        """Around all that it is asked."""

    def forget(self) -> None:
        """What was recorded before isn't played again."""

    def record(self, step: Step, now: int, tape: Tape) -> tuple[Callable[[], None], dict[str, Tensor]]:
        """What plays the step, which isn't taken yet, and where its numbers will be. RuntimeError where it can't."""


class GraphicsCard:
    """Records steps as CUDA graphs, which share their memory, on a stream of its own."""

    def __init__(self) -> None:
        self.stream, self.needed_bytes = torch.cuda.Stream(), 0
        self.forget()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        outside = torch.cuda.current_stream()
        self.stream.wait_stream(outside)
        torch.cuda.reset_peak_memory_stats()
        try:
            with torch.cuda.stream(self.stream):
                yield
        finally:
            outside.wait_stream(self.stream)
            taken = torch.cuda.max_memory_allocated() - torch.cuda.memory_allocated()
            self.needed_bytes = max(self.needed_bytes, taken)

    def forget(self) -> None:
        self.pool = torch.cuda.graph_pool_handle()

    def record(self, step: Step, now: int, tape: Tape) -> tuple[Callable[[], None], dict[str, Tensor]]:
        torch.cuda.empty_cache()
        if memory.free_bytes("cuda") < ROOM * self.needed_bytes:
            raise Unrepeatable("memory is short")
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream), clock.told_to(tape), tape:
            numbers = step(now)
        return graph.replay, numbers


@dataclass
class Recording:
    """A kind of step: its draws, what plays it, the places of its numbers, and how often it was proved."""

    tape: Tape
    play: Callable[[], None]
    numbers: dict[str, Tensor]
    proofs: int = 0

    def take(self, now: int) -> dict[str, Tensor]:
        """Takes step `now`."""
        self.tape.rewrite(now)
        self.play()
        return {name: number.clone() for name, number in self.numbers.items()}


class Replayed:
    """Steps of a training, by their numbers: played where that was seen to be the same, else taken as usual.

    training: its state is what a step changes, all of it in place. step: takes one as usual. kind: what sort of step it
    is; those of one sort do the same with other draws.
    """

    def __init__(self, training: Any, step: Step, kind: Callable[[int], Hashable], card: Card) -> None:
        self.training, self.step, self.kind, self.card = training, step, kind, card
        self.known = training.settings
        self.taken: dict[Hashable, int] = {}
        self.recordings: dict[Hashable, Recording] = {}
        self.why_not = ""

    def __call__(self, now: int) -> dict[str, Tensor]:
        if self.training.settings is not self.known:  # recordings hold the dials as they were
            self.known, self.taken = self.training.settings, {}
            self._forget()
        if self.why_not:
            return self.step(now)
        kind = self.kind(now)
        recording = self.recordings.get(kind)
        with self.card.at_work():
            if recording is not None and recording.proofs == PROOFS:
                return recording.take(now)
            self.taken[kind] = self.taken.get(kind, 0) + 1
            return self._proved(kind, now) if self.taken[kind] > WARM_UP else self.step(now)

    def _forget(self) -> None:
        self.recordings = {}
        self.card.forget()

    def _give_up(self, why: object) -> None:
        self.why_not = str(why)
        self._forget()
        warnings.warn(f"Steps are taken as usual, none is played: {why}.", RuntimeWarning, stacklevel=3)

    def _state(self) -> dict[str, Tensor]:
        return {name: tensor.to("cpu", copy=True) for name, tensor in self.training.tensors().items()}

    def _proved(self, kind: Hashable, now: int) -> dict[str, Tensor]:
        """Takes a step both ways from one state; ends as it does as usual where they differ."""
        before = self._state()
        try:
            numbers = self.step(now)
        except RuntimeError as error:
            if not (self.recordings and memory.is_short(error)):
                raise
            self._give_up(error)  # what recordings hold is what it lacks
            memory.release()
            self.training.load(before)
            return self.step(now)
        usual = self._state()
        try:
            self.training.load(before)
            recording = self.recordings.get(kind) or self._record(now)
            played = recording.take(now)
            if not apart(self._state(), usual, before) <= ALIKE:
                raise Unrepeatable("played, it is another step")
        except RuntimeError as error:
            self._give_up(error)
            self.training.load(usual)
            return numbers
        recording.proofs += 1
        self.recordings[kind] = recording
        return played

    def _record(self, now: int) -> Recording:
        tape = Tape(self.training.settings.device)
        play, numbers = self.card.record(self.step, now, tape)
        tape.check(now)
        return Recording(tape, play, numbers)


def apart(one: dict[str, Tensor], other: dict[str, Tensor], before: dict[str, Tensor]) -> float:
    """How far apart two states are, in units of the way from `before` to the other one.

    Of each network the median over its tensors, and the larger of these: some tensors move by rounding alone, such as
    the bias before a norm. Infinity where nothing moved, or to no number.
    """
    found: dict[str, list[float]] = {"generator": [], "discriminator": []}
    for name, tensor in other.items():
        network = name.partition(".")[0]
        if network in found and tensor.is_floating_point():
            off = float((one[name].double() - tensor.double()).norm())
            way = float((tensor.double() - before[name].double()).norm())
            if way:
                found[network].append(off / way if off < math.inf else math.inf)
    return max(statistics.median(ratios) if ratios else math.inf for ratios in found.values())
