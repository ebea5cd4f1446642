"""How many of the blobs of a ring of 8 and a grid of 25 each adversarial loss finds, in two dimensions.

    python -m benchmarks.modes
    python -m benchmarks.modes --losses wgan_gp --steps 4000 --seeds 3

Small fully connected networks, the losses and penalties of `gan_play/trainers/losses.py`. A blob counts as found
where at least a quarter of its fair share of 2,500 samples lies within three of its standard deviations (Srivastava
2017, "VEEGAN", counts one sample already). The painter is averaged, as everywhere here.
"""

import argparse
import copy
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmarks import machine
from gan_play.trainers import losses

SPREAD = 0.05  # of a blob; the ring has radius 1.5, the grid a step of 1
SAMPLES = 2500
BATCH = 256
AVERAGE = 0.998


class Way(NamedTuple):
    """How one recipe plays the game: its loss, a penalty on the critic, and its numbers."""

    loss: losses.Loss
    rate: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.99)
    critic_steps: int = 1
    clip: float = 0
    spectral: bool = False
    penalty: Callable[[nn.Module, Tensor, Tensor], Tensor] | None = None


def flat(critic: nn.Module) -> Callable[[Tensor], Tensor]:
    """The critic for points that pose as pictures: (B, 2, 1, 1)."""
    return lambda x: critic(x.flatten(1))


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """WGAN-GP's, with the small weight that two dimensions need."""
    share = torch.rand(len(real), 1, 1, 1)
    shaped = [x[:, :, None, None] for x in (real, fake)]
    return 0.1 * losses.gradient_penalty(flat(critic), *shaped, share)


def both_gradients(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """R3GAN's R1 and R2, gamma 0.1."""
    shaped = [x[:, :, None, None] for x in (real, fake)]
    return 0.05 * sum(losses.squared_gradient(flat(critic), x) for x in shaped)


def real_gradient(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """StyleGAN2's R1, gamma 0.1."""
    return 0.05 * losses.squared_gradient(flat(critic), real[:, :, None, None])


WAYS = {
    "gan, minimax": Way(losses.MINIMAX),
    "gan, dcgan": Way(losses.NON_SATURATING),
    "wgan": Way(losses.WASSERSTEIN, rate=5e-4, betas=(0.0, 0.9), critic_steps=5, clip=0.1),
    "wgan_gp": Way(losses.WASSERSTEIN, betas=(0.0, 0.9), critic_steps=5, penalty=gradient_penalty),
    "sngan, projected, fastgan": Way(losses.HINGE, betas=(0.0, 0.9), spectral=True),
    "stylegan2": Way(losses.NON_SATURATING, betas=(0.0, 0.99), penalty=real_gradient),
    "r3gan": Way(losses.RELATIVISTIC, betas=(0.0, 0.99), penalty=both_gradients),
}


def blobs(name: str) -> Tensor:
    """The centres: (8, 2) of the ring, (25, 2) of the grid."""
    if name == "ring":
        angles = torch.arange(8) * (2 * math.pi / 8)
        return 1.5 * torch.stack([angles.cos(), angles.sin()], dim=1)
    return torch.cartesian_prod(torch.arange(-2.0, 3), torch.arange(-2.0, 3))


def network(inputs: int, outputs: int, width: int, norm: bool, spectral: bool) -> nn.Sequential:
    """Three hidden layers."""
    layers: list[nn.Module] = []
    for a, b in ((inputs, width), (width, width), (width, width)):
        linear = nn.Linear(a, b)
        layers += [nn.utils.spectral_norm(linear) if spectral else linear]
        layers += [nn.BatchNorm1d(b)] if norm else []
        layers += [nn.LeakyReLU(0.2)]
    last = nn.Linear(width, outputs)
    return nn.Sequential(*layers, nn.utils.spectral_norm(last) if spectral else last)


def found(samples: Tensor, centres: Tensor) -> tuple[int, float]:
    """(how many blobs the samples (N, 2) find, the share of samples that lie in one)."""
    distance, nearest = torch.cdist(samples, centres).min(dim=1)
    inside = nearest[distance < 3 * SPREAD]
    counts = torch.bincount(inside, minlength=len(centres))
    fair = len(samples) / len(centres)
    return int((counts >= fair / 4).sum()), len(inside) / len(samples)


def play(way: Way, centres: Tensor, steps: int, seed: int) -> tuple[int, float]:
    """Trains, then (blobs found, share of good samples)."""
    torch.manual_seed(seed)
    painter = network(16, 2, 128, norm=True, spectral=False)
    critic = network(2, 1, 128, norm=False, spectral=way.spectral)
    average = copy.deepcopy(painter).eval()
    of_painter = torch.optim.Adam(painter.parameters(), way.rate, way.betas)
    of_critic = torch.optim.Adam(critic.parameters(), way.rate, way.betas)
    for step in range(steps):
        share = min(1.0, 2 * (1 - step / steps))
        for optimizer in (of_painter, of_critic):
            optimizer.param_groups[0]["lr"] = way.rate * share
        for _ in range(way.critic_steps):
            real = centres[torch.randint(len(centres), (BATCH,))] + SPREAD * torch.randn(BATCH, 2)
            fake = painter(torch.randn(BATCH, 16)).detach()
            loss = way.loss.discriminator(critic(real), critic(fake))
            if way.penalty:
                loss = loss + way.penalty(critic, real, fake)
            of_critic.zero_grad()
            loss.backward()
            of_critic.step()
            if way.clip:
                with torch.no_grad():
                    for parameter in critic.parameters():
                        parameter.clamp_(-way.clip, way.clip)
        against = critic(real).detach() if way.loss.relative else None
        loss = way.loss.generator(critic(painter(torch.randn(BATCH, 16))), against)
        of_painter.zero_grad()
        loss.backward()
        of_painter.step()
        with torch.no_grad():
            for kept, new in zip(average.state_dict().values(), painter.state_dict().values()):
                if kept.is_floating_point():
                    kept.lerp_(new, 1 - AVERAGE)
                else:
                    kept.copy_(new)
    with torch.no_grad():
        return found(average(torch.randn(SAMPLES, 16)), centres)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--losses", nargs="+", default=list(WAYS), metavar="NAME", help=", ".join(WAYS))
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(machine.title())
    print("recipes | blobs | found, a seed each | share of good samples | s")
    for name in given.losses:
        for shape in ("ring", "grid"):
            centres, began = blobs(shape), time.perf_counter()
            results = [play(WAYS[name], centres, given.steps, seed) for seed in range(given.seeds)]
            counts = ", ".join(str(count) for count, _ in results)
            good = sum(share for _, share in results) / len(results)
            seconds = (time.perf_counter() - began) / len(results)
            print(f"{name} | {shape} of {len(centres)} | {counts} | {good:.2f} | {seconds:.0f}", flush=True)


if __name__ == "__main__":
    main()
