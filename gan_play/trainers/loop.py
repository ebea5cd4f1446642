"""train(...) is a generator that yields a tick a step. It saves, prints and shows nothing.

One clock: the batch, the noise, the augmentation, the learning rate and the averaging are functions of
(seed, step), as in Karras 2024 (EDM2). So exact resume is a property of the design: load the tensors, go on.
"""

import contextlib
import copy
import functools
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from gan_play.models import together
from gan_play.refusals import Refused, refuse
from gan_play.trainers import memory, pairs, ranks, replay
from gan_play.trainers.clock import batch_indices, draw_seed, random_for, sent
from gan_play.trainers.recipes import Settings, build_discriminator, build_generator, recipe_of

fixed_seeds = range(36)  # whose pictures every sample grid shows
AVERAGE_IMAGES = 10_000  # half-life of the averaged generator...
AVERAGE_RAMP = 0.05  # ...or this share of the pictures seen, early on (Karras 2020, ADA, table 5)
MOST_OF_MEMORY = 0.5  # of what is free, for the pictures; else they stay on the disk
WARM_UP_STEPS = 20  # the first steps rest on few gradients: the rate rises over them


class Draw(NamedTuple):
    """What one update learns from: reals and what fakes are made of, all functions of (seed, step, part)."""

    real: Tensor  # (B, 3, S, S) in [-1, 1]; of the ranks that share a batch, each has its own rows alone
    real_label: Tensor | None  # (B,) int64, where labels are learnt
    z: Tensor  # (B, z_dim)
    label: Tensor | None  # of the fakes, as frequent as in the set
    noise: list[Tensor]
    random: torch.Generator  # on the CPU: for augmentation, and whatever else is drawn


class Tick(NamedTuple):
    """What one step tells: its number, counted from 1, and detached 0-d tensors."""

    step: int
    numbers: dict[str, Tensor]


def average_decay(step: int, batch: int) -> float:
    """How much of the average a step keeps: a half-life that grows with the pictures seen."""
    half_life = min(AVERAGE_IMAGES, max(1.0, step * batch * AVERAGE_RAMP))
    return 0.5 ** (batch / half_life)


def rate_share(step: int, level_steps: int) -> float:
    """The share of the recipe's learning rates that a step gets: up, level, and down without a planned end.

    Down with the root of the steps (as in EDM2, Karras 2024) after `level_steps`; 0 is never.
    """
    return min(1.0, step / WARM_UP_STEPS) * (min(1.0, math.sqrt(level_steps / step)) if level_steps else 1.0)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """How fast the next step learns. Where the rate lies on the device, it is changed there."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


class Training:
    """All that changes while a GAN trains: two networks, the averaged generator, two optimizers, the step.

    Of a recipe that translates, `generator` is the translator.
    """

    def __init__(self, settings: Settings, device: str | None = None) -> None:
        self.settings, self.recipe, self.step = settings, recipe_of(settings), 0
        self.crew: ranks.Crew | None = None  # the processes that it shares its batches with
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(draw_seed(settings.seed, 0, "weights"))
            self.generator = build_generator(settings)
            self.discriminator = build_discriminator(settings)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        for network in (self.generator, self.discriminator, self.average):
            network.to(device or settings.device, memory_format=torch.channels_last)
        self.optimizer_g = self._optimizer(self.generator)
        self.optimizer_d = self._optimizer(self.discriminator)

    @property
    def pieces(self) -> int:
        """In how many parts a step learns here. What ranks learn at once are parts too."""
        return -(-self.settings.accumulate // together.place()[1])

    def _optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        learning = [p for p in network.parameters() if p.requires_grad]
        fused = self.recipe.optimizer == "adam" and self.settings.device in ("cpu", "cuda")
        given: dict[str, Any] = {}
        if learning[0].is_cuda:  # where steps are recorded: its rate and count lie where they are used
            given = {"lr": torch.zeros((), device=learning[0].device), "capturable": True}
        if self.recipe.optimizer == "rmsprop":
            optimizer, kept = torch.optim.RMSprop(learning, **given), ("square_avg",)
        else:
            optimizer = torch.optim.Adam(learning, betas=self.recipe.betas, fused=fused, **given)
            kept = ("exp_avg", "exp_avg_sq")
        # Else it warns, since its first steps aren't recorded.
        optimizer._warned_capturable_if_run_uncaptured = True
        # What an optimizer makes at its first step, made now: the state has one shape for good. A fused one counts
        # its steps on the parameters' device, as do all that are recorded; the others on the CPU.
        for parameter in learning:
            there = parameter.device if fused or given else None
            step = torch.zeros((), dtype=torch.float32, device=there)
            optimizer.state[parameter] = {"step": step} | {n: torch.zeros_like(parameter) for n in kept}
        return optimizer

    def _named(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor of the state by its name, the tensors themselves."""
        for name in ("generator", "discriminator", "average"):
            for key, tensor in getattr(self, name).state_dict(keep_vars=True).items():
                yield f"{name}.{key}", tensor
        for name, network in (("optimizer_g", self.generator), ("optimizer_d", self.discriminator)):
            for key, parameter in network.named_parameters():
                for entry, tensor in getattr(self, name).state.get(parameter, {}).items():
                    yield f"{name}.{key}.{entry}", tensor

    def tensors(self) -> dict[str, Tensor]:
        """The whole state, detached, not copied: all that exact resume needs."""
        named = {name: tensor.detach() for name, tensor in self._named()}
        return {**named, "step": torch.tensor(self.step)}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes over a whole state, as `tensors` gave it. KeyError if a tensor is missing."""
        with torch.no_grad():
            for name, tensor in self._named():
                tensor.copy_(tensors[name])
        self.step = int(tensors["step"])

    def start_from(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes over another run's networks, to train them on: step, optimizers and average begin anew.

        Both generators begin as that run's average, its best painter. A critic of another kind than that run's begins
        anew. Refused if the networks differ otherwise.
        """
        with torch.no_grad():
            named = dict(self._named())
            theirs, ours = (
                {name for name in names if name.startswith("discriminator.")} for names in (tensors, named)
            )
            anew = bool(theirs) and not theirs & ours
            for name, tensor in named.items():
                source = name.replace("generator.", "average.", 1) if name.startswith("generator.") else name
                if name.startswith("optimizer") or (anew and name in ours):
                    continue
                if source not in tensors or tensors[source].shape != tensor.shape:
                    raise Refused(
                        refuse("start-differs", "that run", theirs="another network", ours="this one")
                    )
                tensor.copy_(tensors[source])

    def paint(self, z: Tensor, noise: list[Tensor] | None = None, label: Tensor | None = None) -> Tensor:
        """Pictures of the averaged generator, in the precision of the training: (B, 3, S, S), float32."""
        with torch.no_grad(), self.autocast():
            label = None if label is None else label.to(self.settings.device)
            ws = self.average.mapping(z.to(self.settings.device), label)
            noise = [n.to(self.settings.device) for n in noise] if noise else None
            return self.average.synthesis(ws, noise).float()

    def translate(self, source: Tensor) -> Tensor:
        """What the averaged translator makes of a source (B, C, H, W) in [-1, 1]: (B, 3, H, W), float32."""
        with torch.no_grad(), self.autocast():
            return self.average(source.to(self.settings.device)).float()

    def autocast(self) -> torch.autocast:
        """Mixed precision where the settings ask for it."""
        return torch.autocast(
            self.settings.device, torch.bfloat16, enabled=self.settings.precision == "bfloat16"
        )


def begin(settings: Settings, start: Mapping[str, Tensor] | None = None) -> Training:
    """A training at step 0, with fresh weights or with another run's (fine-tuning)."""
    torch.set_num_threads(settings.threads)
    training = Training(settings)
    if start is not None:
        training.start_from(start)
    return training


class Mapped:
    """Pictures that stay on the disk, (N, S, S, 3) uint8: `[indices]` reads those, (B, 3, S, S), to a device.

    As a tensor of all would, but that no more than a batch is held; what was read lately the system keeps as far as
    memory allows. `device` is where it wants its indices.
    """

    device = torch.device("cpu")

    def __init__(self, pixels: np.ndarray, target: str) -> None:
        self.pixels, self.target = pixels, target

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, indices: Tensor) -> Tensor:
        return torch.from_numpy(self.pixels[indices.cpu().numpy()]).permute(0, 3, 1, 2).to(self.target)


def at_hand(pixels: np.ndarray, device: str) -> Tensor | Mapped:
    """Pictures (N, S, S, 3) uint8 as (N, 3, S, S), to be taken by their indices.

    A set that fits stays in memory, on the device, where a graphics card takes a batch without waiting for anybody;
    one that would take more than half of what is free there is read from its file, picture by picture.
    """
    # Each process holds it; a graphics card has memory of its own.
    copies = 1 if device == "cuda" else int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if isinstance(pixels, np.memmap) and copies * pixels.nbytes > MOST_OF_MEMORY * memory.free_bytes(device):
        return Mapped(pixels, device)
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).to(device)


def replays(training: Training, data: Tensor | Mapped) -> bool:
    """Whether its steps are recorded and played again: on a graphics card that holds all pictures, and takes whole
    steps alone."""
    whole = training.crew is None and training.pieces == 1 and isinstance(data, Tensor)
    return whole and training.settings.device == "cuda" and os.environ.get("GAN_PLAY_REPLAY") != "0"


def train(training: Training, pixels: np.ndarray, labels: np.ndarray | None = None) -> Iterator[Tick]:
    """Trains without end on pixels (N, S, S, 3) uint8; one tick a step. Close the generator to stop.

    A rank that follows others stops when the first one says so.
    `labels` (N,) are needed where the settings say that labels are learnt.
    """
    settings, recipe = training.settings, training.recipe
    data = at_hand(pixels, settings.device)
    kinds = torch.from_numpy(np.array(labels)) if settings.num_labels else None
    training.generator.train()
    training.discriminator.train()
    crew = training.crew

    def as_usual(now: int) -> dict[str, Tensor]:
        return recipe.step(training, functools.partial(recipe.draw or draw, training, data, kinds, now), now)

    take = as_usual
    if replays(training, data):
        take = replay.Replayed(training, as_usual, recipe.kind, replay.GraphicsCard())
    while crew is None or crew.go_on(training):
        now = training.step + 1
        share = rate_share(now, recipe.level_steps)
        for optimizer, rate, dial in zip(
            (training.optimizer_g, training.optimizer_d), recipe.rates, ("rate_g", "rate_d")
        ):
            set_rate(optimizer, rate * settings.dials[dial] * share)
        with crew.step() if crew else contextlib.nullcontext():
            numbers = take(now)
            if crew:
                numbers = crew.whole(numbers)
        update_average(training, average_decay(now, settings.images_a_step))
        training.step = now
        yield Tick(now, numbers)


def draw(training: Training, data: Tensor | Mapped, kinds: Tensor | None, now: int, part: int = 0) -> Draw:
    """What the update `part` of step `now` learns from: `data` (N, 3, S, S) uint8, `kinds` (N,) its labels."""
    settings, dials, generator = training.settings, training.settings.dials, training.generator
    seed, batch, device = settings.seed, settings.batch, settings.device
    several = f"/{part}" if part else ""
    indices = batch_indices(seed, now, batch, len(data), part, training.recipe.critic_steps)
    random = random_for(seed, now, f"augment{several}")
    mine = ranks.rows(batch)
    real = data[sent(indices[mine], data.device)].float().div_(127.5).sub_(1)
    if dials.get("grey"):
        real = pairs.grey(real).expand_as(real)
    mirrored = torch.rand(batch, 1, 1, 1, generator=random)[mine] < dials["mirror"]
    real = torch.where(sent(mirrored, device), real.flip(3), real)
    draws = random_for(seed, now, f"noise{several}")
    z = torch.randn(batch, generator.z_dim, generator=draws)
    z = sent(z, device)
    noise = [sent(torch.randn(batch, *shape, generator=draws), device) for shape in generator.noise_shapes]
    if kinds is None:
        return Draw(real, None, z, None, noise, random)
    label = kinds[torch.randint(len(kinds), (batch,), generator=draws)]
    return Draw(real, sent(kinds[indices], device), z, sent(label, device), noise, random)


def update_average(training: Training, decay: float) -> None:
    """Moves the averaged generator towards the trained one; batch statistics too, counters as they are."""
    with torch.no_grad():
        average, current = training.average.state_dict(), training.generator.state_dict()
        moving = [name for name, tensor in average.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([average[n] for n in moving], [current[n] for n in moving], 1 - decay)
        for name in average.keys() - set(moving):
            average[name].copy_(current[name])


def expected_shapes(settings: Settings) -> dict[str, tuple[tuple[int, ...], str]]:
    """Name -> (shape, dtype) of every tensor of a state with these settings, without making one.

    `threads`, `seed`, `batch` and dials that don't shape networks do not matter to it.
    """
    with torch.device("meta"):
        training = Training(settings, device="meta")
    return {
        name: (tuple(t.shape), str(t.dtype).removeprefix("torch.")) for name, t in training.tensors().items()
    }


def cpu_threads() -> int:
    """How many threads a training uses by default: the cores this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else (os.cpu_count() or 1)
