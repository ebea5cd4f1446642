"""FastGAN's step: hinge loss, and a discriminator that must redraw the reals from what it noticed of them.

Source: Liu 2021, "Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis", section 3.2.
To redraw a picture, the features must hold all of it, so a critic of few pictures can't settle on a few details of
theirs. The distance is the plain one of equation 4: mean absolute differences of pixels. One between frozen features
would ask for the same layout less strictly, but at the 16 to 32 px that are redrawn of a small picture such a network
sees one to four places, and it would cost a pass through it in every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_play.models.fastgan import PART_PX, WHOLE_PX
from gan_play.trainers import augment
from gan_play.trainers.adversarial import frozen, learn

if TYPE_CHECKING:
    from gan_play.trainers.loop import Draw, Training


def window(random: torch.Generator) -> tuple[int, int]:
    """Top and left of a window of 8 x 8 in a map of 16 x 16, one for all pictures of a step."""
    top, left = torch.randint(0, PART_PX - WHOLE_PX + 1, (2,), generator=random).tolist()
    return top, left


def targets(real: Tensor, top: int, left: int, side: int) -> tuple[Tensor, Tensor]:
    """What is to be redrawn: the part of the pictures that lies under the window, and the whole of them, small.

    real (B, 3, S, S) -> two of (B, 3, side, side). The part is S / 2 wide at its own size.
    """
    unit = real.shape[-1] // PART_PX  # pixels to a place of the 16 x 16 map
    reach = unit * WHOLE_PX
    part = real[:, :, top * unit : top * unit + reach, left * unit : left * unit + reach]
    return F.adaptive_avg_pool2d(part, side), F.adaptive_avg_pool2d(real, side)


def reconstruction(redrawn: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> Tensor:
    """E|G(f) - T(x)| of the part plus that of the whole, f features of the real x: Liu 2021, equation 4."""
    return sum(F.l1_loss(drawn, seen) for drawn, seen in zip(redrawn, wanted))


def step(training: Training, draw: Callable[[int], Draw], now: int) -> dict[str, Tensor]:
    """Trains both networks on one batch. Detached 0-d tensors: loss_g, loss_d, reconstruction, mean logits.

    The generator paints once and both updates use that painting, as in `adversarial.step`.
    """
    generator, discriminator, loss = training.generator, training.discriminator, training.recipe.loss
    strength = training.settings.dials["augment"]
    batch = draw(0)
    with training.autocast():
        fake = generator.synthesis(generator.mapping(batch.z), batch.noise)
        seen_fake = augment.augment(fake, batch.random, strength)
        seen_real = augment.augment(batch.real, batch.random, strength)
        top, left = window(batch.random)
        part, whole = discriminator.encode(seen_real)
        logits_real = discriminator.judge(whole).float()
        logits_fake = discriminator(seen_fake.detach()).float()
        wanted = targets(seen_real, top, left, discriminator.redrawn_px)
        missing = reconstruction(discriminator.redraw(part, whole, top, left), wanted)
        loss_d = loss.discriminator(logits_real, logits_fake)
    learn(training.optimizer_d, loss_d + missing)

    with frozen(discriminator), training.autocast():
        loss_g = loss.generator(discriminator(seen_fake).float(), None)
    learn(training.optimizer_g, loss_g)
    numbers = {"loss_g": loss_g, "loss_d": loss_d, "reconstruction": missing}
    numbers |= {"logits_real": logits_real.mean(), "logits_fake": logits_fake.mean()}
    return {name: number.detach() for name, number in numbers.items()}
