"""Losses of adversarial training, as functions of logits.

Each is a pair: what the discriminator lowers, given logits of reals and of fakes (any shape, averaged over
all places), and what the generator lowers, given logits of fakes. All return a scalar tensor.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class Loss(NamedTuple):
    """One kind of adversarial loss: `discriminator(real, fake)` and `generator(fake)`."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def non_saturating_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-E[log D(x)] - E[log(1 - D(G(z)))] with D = sigmoid(logits): Goodfellow 2014, equation 1."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def non_saturating_generator(fake: Tensor) -> Tensor:
    """-E[log D(G(z))]: Goodfellow 2014, section 3, the variant that doesn't saturate."""
    return F.softplus(-fake).mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]: Lim & Ye 2017, "Geometric GAN", equation 14."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """-E[D(G(z))]: Lim & Ye 2017, equation 15."""
    return -fake.mean()


NON_SATURATING = Loss(non_saturating_discriminator, non_saturating_generator)
HINGE = Loss(hinge_discriminator, hinge_generator)
