"""How many of the blobs of a ring of 8 and a grid of 25 each adversarial loss finds, in two dimensions.

    python -m benchmarks.modes
    python -m benchmarks.modes --losses wgan_gp --steps 4000 --seeds 1

Small fully connected networks, the losses and penalties of `gan_play/trainers/losses.py`. Counted as in Srivastava
2017, "VEEGAN", section 4.1: a blob is found where one of 2,500 samples lies within three of its standard deviations.
The second count is stricter: at least a quarter of its fair share of the samples must lie there. The painter is
averaged, as everywhere here. All seeds of both shapes are trained at once, each with networks of its own.
"""

import argparse
import copy
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import machine
from gan_play.trainers import losses

SPREAD = 0.05  # of a blob; the ring has radius 1.5, the grid a step of 1
SAMPLES = 2500
BATCH = 256
WIDTH = 128
Z_DIM = 2
AVERAGE = 0.998
NEEDED = {"ring": 7, "grid": 22}  # blobs that a loss should find


class Way(NamedTuple):
    """How one recipe plays the game: its loss, a penalty on the critic, and its numbers."""

    loss: losses.Loss
    rate: float = 1e-3
    betas: tuple[float, float] = (0.0, 0.9)
    critic_steps: int = 1
    clip: float = 0
    spectral: bool = False
    penalty: Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor] | None = None


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """WGAN-GP's, with the small weight that two dimensions need."""
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    return 0.1 * losses.gradient_penalty(critic, real, fake, share)


def both_gradients(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """R3GAN's R1 and R2, gamma 0.1."""
    return 0.05 * sum(losses.squared_gradient(critic, x) for x in (real, fake))


def real_gradient(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """StyleGAN2's R1, gamma 0.1."""
    return 0.05 * losses.squared_gradient(critic, real)


WAYS = {
    "gan, minimax": Way(losses.MINIMAX, rate=2e-4, betas=(0.5, 0.99)),
    "gan, dcgan": Way(losses.NON_SATURATING, rate=2e-4, betas=(0.5, 0.99)),
    "wgan": Way(losses.WASSERSTEIN, rate=5e-4, critic_steps=5, clip=0.1),
    "wgan_gp": Way(losses.WASSERSTEIN, rate=5e-4, betas=(0.5, 0.9), critic_steps=5, penalty=gradient_penalty),
    "sngan, projected, fastgan": Way(losses.HINGE, rate=3e-4, spectral=True),
    "stylegan2": Way(losses.NON_SATURATING, betas=(0.0, 0.99), penalty=real_gradient),
    "r3gan": Way(losses.RELATIVISTIC, betas=(0.0, 0.99), penalty=both_gradients),
}


def blobs(name: str) -> Tensor:
    """The centres: (8, 2) of the ring, (25, 2) of the grid."""
    if name == "ring":
        angles = torch.arange(8) * (2 * math.pi / 8)
        return 1.5 * torch.stack([angles.cos(), angles.sin()], dim=1)
    return torch.cartesian_prod(torch.arange(-2.0, 3), torch.arange(-2.0, 3))


class Networks(nn.Module):
    """As many fully connected networks as there are trials, side by side: (N, B, inputs) -> (N, B, outputs).

    Three hidden layers and leaky ReLU. `spectral`: each weight divided by its largest singular value (Miyato 2018,
    algorithm 1), and the answer times 20, so that hinge margins are within reach of a critic so bounded.
    """

    GAIN = 20.0

    def __init__(self, count: int, inputs: int, outputs: int, spectral: bool = False) -> None:
        super().__init__()
        sides = [inputs, WIDTH, WIDTH, WIDTH, outputs]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        self.directions: list[Tensor] = []
        for a, b in zip(sides, sides[1:]):
            self.weights.append(nn.Parameter(torch.randn(count, a, b) / math.sqrt(a)))
            self.biases.append(nn.Parameter((torch.rand(count, 1, b) * 2 - 1) / math.sqrt(a)))
            self.directions += [F.normalize(torch.randn(count, b, 1), dim=1)] if spectral else []

    def weight(self, depth: int) -> Tensor:
        """That layer's weights (N, inputs, outputs), divided where the network is spectral."""
        weight = self.weights[depth]
        if not self.directions:
            return weight
        with torch.no_grad():
            left = F.normalize(weight @ self.directions[depth].to(weight.device), dim=1)
            self.directions[depth] = right = F.normalize(weight.mT @ left, dim=1)
        return weight / (left.mT @ weight @ right)

    def forward(self, x: Tensor) -> Tensor:
        last = len(self.weights) - 1
        for depth, bias in enumerate(self.biases):
            x = torch.baddbmm(bias, x, self.weight(depth))
            x = F.leaky_relu(x, 0.2) if depth < last else x
        return x * self.GAIN if self.directions else x


def found(samples: Tensor, centres: Tensor) -> tuple[int, int, float]:
    """(blobs that one of the samples (N, 2) finds, blobs with a quarter of their share, the share of good samples)."""
    distance, nearest = torch.cdist(samples, centres).min(dim=1)
    inside = nearest[distance < 3 * SPREAD]
    counts = torch.bincount(inside, minlength=len(centres))
    fair = len(samples) / len(centres)
    return int((counts > 0).sum()), int((counts >= fair / 4).sum()), len(inside) / len(samples)


def play(way: Way, shapes: list[Tensor], steps: int, seed: int, device: str) -> list[tuple[int, int, float]]:
    """Trains one pair of networks for each shape (blobs, 2); what each painter found, as in `found`."""
    torch.manual_seed(seed)
    count = len(shapes)
    painter = Networks(count, Z_DIM, 2).to(device)
    critic = Networks(count, 2, 1, way.spectral).to(device)
    average = copy.deepcopy(painter)
    of_painter = torch.optim.Adam(painter.parameters(), way.rate, way.betas, fused=True)
    of_critic = torch.optim.Adam(critic.parameters(), way.rate, way.betas, fused=True)
    most = max(len(shape) for shape in shapes)
    centres = torch.stack([shape.repeat(most, 1)[:most] for shape in shapes]).to(device)
    sizes = torch.tensor([len(shape) for shape in shapes], device=device)[:, None]
    trial = torch.arange(count, device=device)[:, None]

    def reals() -> Tensor:
        blob = (torch.rand(count, BATCH, device=device) * sizes).long()
        return centres[trial, blob] + SPREAD * torch.randn(count, BATCH, 2, device=device)

    def fakes() -> Tensor:
        return painter(torch.randn(count, BATCH, Z_DIM, device=device))

    def of_points(x: Tensor) -> Tensor:  # points that pose as pictures: (N * B, 2, 1, 1)
        return critic(x.view(count, -1, 2)).view(-1, 1)

    for step in range(steps):
        share = min(1.0, 2 * (1 - step / steps))
        for optimizer in (of_painter, of_critic):
            optimizer.param_groups[0]["lr"] = way.rate * share
        for _ in range(way.critic_steps):
            real = reals()
            with torch.no_grad():
                fake = fakes()
            loss = way.loss.discriminator(critic(real), critic(fake))
            if way.penalty:
                loss = loss + way.penalty(of_points, *(x.view(-1, 2, 1, 1) for x in (real, fake)))
            of_critic.zero_grad()
            (count * loss).backward()  # a mean over the trials: each learns as if it were alone
            of_critic.step()
            if way.clip:
                with torch.no_grad():
                    for parameter in critic.parameters():
                        parameter.clamp_(-way.clip, way.clip)
        critic.requires_grad_(False)
        with torch.no_grad():
            against = critic(real) if way.loss.relative else None
        loss = way.loss.generator(critic(fakes()), against)
        of_painter.zero_grad()
        (count * loss).backward()
        of_painter.step()
        critic.requires_grad_(True)
        with torch.no_grad():
            decay = min(AVERAGE, step / (step + 10))
            torch._foreach_lerp_(list(average.parameters()), list(painter.parameters()), 1 - decay)
    with torch.no_grad():
        samples = average(torch.randn(count, SAMPLES, Z_DIM, device=device)).cpu()
    return [found(of_one, shape) for of_one, shape in zip(samples, shapes)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--losses", nargs="+", default=list(WAYS), metavar="NAME", help=", ".join(WAYS))
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    print(machine.title())
    print("recipes | blobs | found, a seed each | with a quarter of their share | share of good samples | s")
    for name in given.losses:
        shapes = [blobs(shape) for shape in NEEDED for _ in range(given.seeds)]
        began = time.perf_counter()
        results = play(WAYS[name], shapes, given.steps, 0, given.device)
        seconds = time.perf_counter() - began
        for shape, needed in NEEDED.items():
            of_shape, results = results[: given.seeds], results[given.seeds :]
            one, fair, good = zip(*of_shape)
            kind = f"{shape} of {len(blobs(shape))}"
            reached = "" if min(one) >= needed else f" (fewer than {needed})"
            ones, fairs = (", ".join(map(str, counts)) for counts in (one, fair))
            print(
                f"{name} | {kind} | {ones}{reached} | {fairs} | {sum(good) / len(good):.2f} | {seconds:.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
