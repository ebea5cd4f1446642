"""One step of a GAN that paints from noise: forward, backward, both updates. It returns numbers.

The generator paints once for both updates: the critic learns first, on a detached copy of the painting's features;
then the painter, through the very same features, judged by the critic as it is after its update. That is the usual
alternation with one forward pass less, and sound because the features (the frozen part) don't change between the
two. Recipes differ by their row: the loss, how often the critic learns, a penalty, a clip.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gan_play.trainers import augment, losses
from gan_play.trainers.losses import MINIMAX, NON_SATURATING, Loss

if TYPE_CHECKING:
    from gan_play.trainers.loop import Draw, Training

CLIP = 0.01  # of the critic's weights in `wgan` (Arjovsky 2017, algorithm 1)

Penalty = Callable[["Training", "Draw", Tensor, Tensor], Tensor]
"""(training, draw, real, fake as the critic sees them) -> what is added to the critic's loss."""


def detached(features: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
    """The same features with no way back to the generator."""
    return features.detach() if isinstance(features, Tensor) else [f.detach() for f in features]


def learn(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One update of an optimizer's parameters down the gradient of a scalar loss."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


@contextlib.contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Meanwhile no gradient is made for the network's parameters, only through them."""
    learning = [p for p in network.parameters() if p.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)


def step(
    training: Training, draw: Callable[[int], Draw], now: int, loss: Loss | None = None
) -> dict[str, Tensor]:
    """Trains the critic `critic_steps` times and the painter once, each time on a batch of its own.

    Returns detached 0-d tensors: loss_g, loss_d, the mean logits of reals and fakes, and `distance`, by how much
    the critic puts reals above fakes (of the Wasserstein recipes: its estimate of the distance). Nothing here
    waits for a device.
    """
    recipe, loss = training.recipe, loss or training.recipe.loss
    generator, discriminator = training.generator, training.discriminator
    strength = training.settings.dials["augment"]
    for part in range(recipe.critic_steps):
        one = draw(part)
        last = part == recipe.critic_steps - 1
        with training.autocast():
            with torch.set_grad_enabled(last):  # only the last painting is learnt from by its painter
                fake = generator.synthesis(generator.mapping(one.z, one.label), one.noise)
                fake = augment.augment(fake, one.random, strength)
                features = discriminator.features(fake)
            with torch.no_grad():
                real = augment.augment(one.real, one.random, strength)
                real_features = discriminator.features(real)
            logits_real = discriminator.heads(real_features, one.real_label).float()
            logits_fake = discriminator.heads(detached(features), one.label).float()
            loss_d = loss.discriminator(logits_real, logits_fake)
        penalty = recipe.penalty(training, one, real, fake.detach()) if recipe.penalty else 0
        learn(training.optimizer_d, loss_d + penalty)
        if recipe.clips:
            with torch.no_grad():
                for parameter in discriminator.parameters():
                    parameter.clamp_(-CLIP, CLIP)

    with frozen(discriminator):
        with training.autocast():
            with torch.no_grad():
                against = (
                    discriminator.heads(real_features, one.real_label).float() if loss.relative else None
                )
            loss_g = loss.generator(discriminator.heads(features, one.label).float(), against)
        learn(training.optimizer_g, loss_g)
    numbers = {"loss_g": loss_g, "loss_d": loss_d, "distance": logits_real.mean() - logits_fake.mean()}
    numbers |= {"logits_real": logits_real.mean(), "logits_fake": logits_fake.mean()}
    return {name: number.detach() for name, number in numbers.items()}


def original(training: Training, draw: Callable[[int], Draw], now: int) -> dict[str, Tensor]:
    """`step` with Goodfellow's loss, as the dial says: the game of his equation 1, or the one that he advises."""
    return step(training, draw, now, MINIMAX if training.settings.dials["minimax"] else NON_SATURATING)


# Penalties. In float32: what is differentiated twice loses too much in bfloat16.


def gradient_penalty(training: Training, one: Draw, real: Tensor, fake: Tensor) -> Tensor:
    """Lambda times the gradient penalty of WGAN-GP (Gulrajani 2017), lambda by the dial `penalty`."""
    share = torch.rand(len(real), 1, 1, 1, generator=one.random).to(real.device)
    return training.settings.dials["penalty"] * losses.gradient_penalty(
        lambda x: training.discriminator(x, one.real_label), real.float(), fake.float(), share
    )


def both_gradients(training: Training, one: Draw, real: Tensor, fake: Tensor) -> Tensor:
    """gamma / 2 (R1 + R2), gamma by the dial (Huang 2024, section 2.2)."""
    at_real = losses.squared_gradient(lambda x: training.discriminator(x, one.real_label), real.float())
    at_fake = losses.squared_gradient(lambda x: training.discriminator(x, one.label), fake.float())
    return training.settings.dials["gamma"] / 2 * (at_real + at_fake)
