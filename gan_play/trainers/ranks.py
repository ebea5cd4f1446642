"""Several processes, the ranks, that train one GAN: each learns from its part of every batch, and all do as one would.

PyTorch's distributed engine carries it: NCCL between graphics cards, Gloo between processors, started by `torchrun`.
The first rank leads: it alone reads and writes the run, and tells the others before each step whether to go on. What a
step draws is a function of (seed, step), so each rank knows the whole batch and takes its own rows (`parts`); before
an optimizer steps, the gradients, each weighed by its share of the batch, are summed (`together.summed` does it for
what pictures tell together). So the number of ranks is no part of a state, and a run goes on with another number.

PyTorch's DistributedDataParallel wraps one module whose `forward` is called once before one `backward`. A step here
calls parts of two networks (mapping, synthesis, features, heads) several times before an update, of a critic that
learns or is frozen, from micro-batches, and differentiates twice; so the sums are asked for where they are needed:
once an update, in few large messages, as DistributedDataParallel's own buckets are.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor

from gan_play.models import together

if TYPE_CHECKING:
    from gan_play.trainers.loop import Training
    from gan_play.trainers.recipes import Settings

BUCKET_BYTES = 25_000_000  # of one message, as in DistributedDataParallel: its start then costs little
PATIENCE = timedelta(days=7)  # between processors: the others wait while the first one saves, or for its turn
STEP_PATIENCE = timedelta(minutes=5)  # between cards, which wait for each other within a step alone
LEARN_ALONE = {"cyclegan": "its critics are shown the last 50 paintings of all, one after the other"}
"""Recipes of which only one rank trains -> why."""

LEAVE, GO_ON, NEWS = range(3)  # what the first rank says before a step

WORDS_OF_LOSS = ("by peer", "gloo/transport", "nccl", "timed out")  # in lower case

_attempt = 0
_store: dist.Store | None = None  # where the ranks find each other; it outlives each of them


# Who is there


def launched() -> int:
    """How many processes `torchrun` started for this training; 1 where it didn't."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def leads() -> bool:
    """Whether this process is the first rank, or the only one."""
    return launched() == 1 or os.environ["RANK"] == "0"


def connect(store: dist.Store | None = None) -> None:
    """Meets the other ranks, at the address that `torchrun` tells; blocks until all are there."""
    global _attempt, _store
    _attempt += 1
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if store is not None:
        _store = store
    elif _store is None:
        _store, _, _ = next(dist.rendezvous("env://", timeout=PATIENCE))
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
        store=dist.PrefixStore(f"attempt {_attempt}", _store),
        rank=int(os.environ["RANK"]),
        world_size=launched(),
        timeout=PATIENCE,
    )


def useful(settings: Settings, ranks: int) -> int:
    """How many of so many ranks can share a batch: each gets as many pictures, and as few as the recipe can do with."""
    from gan_play.trainers.recipes import RECIPES

    if settings.recipe in LEARN_ALONE:
        return 1
    least = RECIPES[settings.recipe].least_batch
    return max(
        number for number in range(1, ranks + 1) if number == 1 or settings.batch % (number * least) == 0
    )


def idle_sentence(settings: Settings, ranks: int) -> str:
    """A sentence for those who started more ranks than can train; "" where all do."""
    number = useful(settings, ranks)
    if number == ranks:
        return ""
    reason = f"its batch of {settings.batch} pictures can't be shared evenly by more"
    if settings.recipe in LEARN_ALONE:
        reason = LEARN_ALONE[settings.recipe]
    return f"{number} of {ranks} processes train{'s' if number == 1 else ''}: {reason}."


# Whose rows


def rows(count: int) -> slice:
    """Which of the `count` pictures of a batch this rank learns from: all of them where nothing is shared."""
    rank, ranks = together.place()
    return slice(count * rank // ranks, count * (rank + 1) // ranks)


def parts(count: int, pieces: int) -> Iterator[tuple[slice, slice]]:
    """The micro-batches of this rank, which learns in so many pieces: their rows in the batch, and in `rows`."""
    mine = rows(count)
    for piece in range(pieces):
        held = mine.stop - mine.start
        within = slice(held * piece // pieces, held * (piece + 1) // pieces)
        yield slice(mine.start + within.start, mine.start + within.stop), within


# What is sent


def told(message: object = None, group: dist.ProcessGroup | None = None) -> object:
    """What the first rank says to the others of a group, or to all: it passes the message, they get it. JSON values."""
    text = bytearray(json.dumps(message).encode())
    size = torch.tensor(len(text))
    dist.broadcast(size, src=0, group=group)
    letters = torch.frombuffer(text if dist.get_rank() == 0 else bytearray(int(size)), dtype=torch.uint8)
    dist.broadcast(letters, src=0, group=group)
    return json.loads(bytes(letters.tolist()))


def _in_buckets(tensors: Sequence[Tensor], send: Callable[[Tensor], None]) -> None:
    """Sends tensors, few and large messages at a time, and writes what came of them into the tensors."""
    bucket: list[Tensor] = []
    for tensor, following in zip(tensors, [*tensors[1:], None]):
        bucket.append(tensor)
        full = sum(t.numel() * t.element_size() for t in bucket) >= BUCKET_BYTES
        if following is None or full or (following.dtype, following.device) != (tensor.dtype, tensor.device):
            flat = torch.cat([t.reshape(-1) for t in bucket])
            send(flat)
            for one, part in zip(bucket, flat.split([t.numel() for t in bucket])):
                one.copy_(part.view(one.shape))
            bucket = []


def sum_up(tensors: Sequence[Tensor], group: dist.ProcessGroup) -> None:
    """Each tensor becomes its sum over the ranks."""
    with torch.no_grad():
        _in_buckets(tensors, lambda flat: dist.all_reduce(flat, group=group))


def gradients(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """Those that an optimizer is about to step by, in the order of its parameters."""
    return [p.grad for each in optimizer.param_groups for p in each["params"] if p.grad is not None]


# A stint: from a state until the first rank leaves it


class Lost(Exception):
    """Between two steps, another rank was found to be gone: what was learnt until here is whole."""


class Crew:
    """The ranks that train a GAN together, seen from one of them. `Training.crew`, where there is one."""

    def __init__(self, settings: Settings, number: int) -> None:
        self.known, self.in_step = settings, False
        self.group = dist.new_group(range(number), timeout=STEP_PATIENCE)
        self.orders = dist.new_group(range(number), timeout=PATIENCE, backend="gloo")

    def enter(self, training: Training) -> None:
        """Takes over the first rank's state, and sums gradients from now on."""
        training.crew = self
        torch.set_num_threads(max(1, self.known.threads // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
        for network in (training.generator, training.discriminator):
            together.look_together(network)
        tensors = training.tensors()
        with torch.no_grad():
            _in_buckets([*tensors.values()], lambda flat: dist.broadcast(flat, src=0, group=self.group))
        training.step = int(tensors["step"])
        for optimizer in (training.optimizer_g, training.optimizer_d):
            optimizer.register_step_pre_hook(lambda one, *_: sum_up(gradients(one), self.group))

    def _order(self, order: int = LEAVE) -> int:
        box = torch.tensor(order)
        try:
            dist.broadcast(box, src=0, group=self.orders)
        except RuntimeError as error:
            raise Lost from error
        return int(box)

    def go_on(self, training: Training) -> bool:
        """Before each step: the first rank says whether to make it, and with which settings if these changed."""
        order = self._order(GO_ON if training.settings == self.known else NEWS)
        if order == NEWS:
            news = told(training.settings.to_json(), self.orders)
            self.known = training.settings = type(training.settings).from_json(news)
        return order != LEAVE

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Around a step: what is done within, all ranks do on one batch."""
        self.in_step = True
        with together.sharing(self.group):
            yield
        self.in_step = False

    def leave(self) -> None:
        """The first rank's last word in a stint. In the middle of a step, nobody would hear it."""
        if not self.in_step:
            with contextlib.suppress(Lost):
                self._order(LEAVE)

    def whole(self, numbers: dict[str, Tensor]) -> dict[str, Tensor]:
        """The numbers of a step, of which each rank has its part, for the whole batch."""
        names = sorted(numbers)
        total = torch.stack([numbers[name].float() for name in names])
        dist.all_reduce(total, group=self.group)
        return dict(zip(names, total.unbind()))


def crew_for(settings: Settings) -> Crew | None:
    """The crew that trains with these settings; None in a rank that isn't of use. All ranks have to ask at once."""
    number = useful(settings, dist.get_world_size())
    crew = Crew(settings, number) if number > 1 else None
    return crew if dist.get_rank() < number else None


def lead(training: Training, folder: str) -> str:
    """In the first rank: begins a stint on a run's folder with the others, if there are any.

    Returns a sentence if not all of them are of use, else "".
    """
    if not dist.is_initialized():
        return ""
    told({"folder": folder, "settings": training.settings.to_json()})
    if (crew := crew_for(training.settings)) is not None:
        crew.enter(training)
    return idle_sentence(training.settings, dist.get_world_size())


def part(training: Training) -> None:
    """In the first rank: ends the stint for the others."""
    if training.crew is not None:
        training.crew.leave()


# When something goes wrong


def is_lost(error: BaseException) -> bool:
    """Whether an error says that another rank is gone. Gloo's is a plain RuntimeError, told by its words."""
    if isinstance(error, Lost | dist.DistError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in WORDS_OF_LOSS)


def short_anywhere(short: bool = False) -> bool:
    """Whether memory was short, here or in another rank, since all met. Who says so lets go of the others, who then
    find it out."""
    if not dist.is_initialized():
        return short
    key = f"short {_attempt}"
    if short:
        _store.set(key, "yes")
    return short or _store.check([key])


def meet_again() -> None:
    """Lets go of the other ranks, whatever they wait for, and meets them anew."""
    if dist.is_initialized():
        dist.destroy_process_group()
        connect()


def dismiss() -> None:
    """Ends it: the first rank tells the others that there is nothing more to do."""
    if dist.is_initialized():
        if leads():
            with contextlib.suppress(RuntimeError):
                told(None)
        dist.destroy_process_group()
