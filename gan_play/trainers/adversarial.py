"""One step of a GAN that paints from noise: forward, backward, both updates, the average. It returns numbers.

The generator paints once, and both updates use that painting: the critic first, on a detached copy of its
features; then the painter, through the very same features, judged by the critic as it is after its update.
That is the usual alternation with one forward pass less, and sound because the features (the frozen part) don't
change between the two.
"""

import torch
from torch import Tensor

from gan_play.trainers import augment
from gan_play.trainers.losses import Loss


def detached(features: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
    """The same features with no way back to the generator."""
    return features.detach() if isinstance(features, Tensor) else [f.detach() for f in features]


def step(
    generator: torch.nn.Module,
    discriminator: torch.nn.Module,
    optimizer_g: torch.optim.Optimizer,
    optimizer_d: torch.optim.Optimizer,
    loss: Loss,
    real: Tensor,
    z: Tensor,
    noise: list[Tensor],
    random: torch.Generator,
    strength: float,
    autocast: torch.autocast,
) -> dict[str, Tensor]:
    """Trains both networks on one batch of reals (B, 3, S, S) and noise z (B, z_dim).

    Returns detached 0-d tensors: loss_g, loss_d, and the mean logits of reals and fakes. Nothing here waits
    for a device.
    """
    with autocast:
        fake = generator.synthesis(generator.mapping(z), noise)
        features = discriminator.features(augment.augment(fake, random, strength))
        with torch.no_grad():
            real_features = discriminator.features(augment.augment(real, random, strength))
        logits_real = discriminator.heads(real_features).float()
        logits_fake = discriminator.heads(detached(features)).float()
        loss_d = loss.discriminator(logits_real, logits_fake)
    optimizer_d.zero_grad(set_to_none=True)
    loss_d.backward()
    optimizer_d.step()

    learning = optimizer_d.param_groups[0]["params"]
    for parameter in learning:  # the painter's update needs no gradient of the critic's weights
        parameter.requires_grad_(False)
    with autocast:
        loss_g = loss.generator(discriminator.heads(features).float())
    optimizer_g.zero_grad(set_to_none=True)
    loss_g.backward()
    optimizer_g.step()
    for parameter in learning:
        parameter.requires_grad_(True)
    return {
        "loss_g": loss_g.detach(),
        "loss_d": loss_d.detach(),
        "logits_real": logits_real.detach().mean(),
        "logits_fake": logits_fake.detach().mean(),
    }
