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

from gan_play.models.fastgan import PART_PX, WHOLE_PX, part_of
from gan_play.trainers import augment
from gan_play.trainers.adversarial import add, cut, frozen
from gan_play.trainers.clock import sent

if TYPE_CHECKING:
    from gan_play.trainers.loop import Draw, Training


def window(random: augment.Random, device: str | torch.device) -> tuple[Tensor, Tensor]:
    """Top and left of a window of 8 x 8 in a map of 16 x 16, one for all pictures of a step: 0-d, int64."""
    generator = random if isinstance(random, torch.Generator) else random.generator
    drawn = torch.randint(0, PART_PX - WHOLE_PX + 1, (2,), generator=generator)
    top, left = sent(drawn, device)
    return top, left


def targets(real: Tensor, top: Tensor | int, left: Tensor | int, side: int) -> tuple[Tensor, Tensor]:
    """What is to be redrawn: the part of the pictures that lies under the window, and the whole of them, small.

    real (B, 3, S, S) -> two of (B, 3, side, side). The part is S / 2 wide at its own size.
    """
    unit = real.shape[-1] // PART_PX  # pixels to a place of the 16 x 16 map
    part = part_of(real, top * unit, left * unit, unit * WHOLE_PX)
    return F.adaptive_avg_pool2d(part, side), F.adaptive_avg_pool2d(real, side)


def reconstruction(redrawn: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> Tensor:
    """E|G(f) - T(x)| of the part plus that of the whole, f features of the real x: Liu 2021, equation 4."""
    return sum(F.l1_loss(drawn, seen) for drawn, seen in zip(redrawn, wanted))


def step(training: Training, draw: Callable[[int], Draw], now: int) -> dict[str, Tensor]:
    """Trains both networks on one batch. Detached 0-d tensors: loss_g, loss_d, reconstruction, mean logits.

    The generator paints once and both updates use that painting, as in `adversarial.step`; micro-batches too.
    """
    generator, discriminator, loss = training.generator, training.discriminator, training.recipe.loss
    strength, pieces = training.settings.dials["augment"], training.pieces
    numbers: dict[str, Tensor] = {}

    def painted(one: Draw) -> Tensor:
        fake = generator.synthesis(generator.mapping(one.z), one.noise)
        return augment.augment(fake, one.random, strength)

    training.optimizer_d.zero_grad(set_to_none=True)
    batch = draw(0)
    for one, share in cut(batch, pieces):
        with training.autocast():
            with torch.set_grad_enabled(pieces == 1):
                seen_fake = painted(one)
            seen_real = augment.augment(one.real, one.random, strength)
            top, left = window(one.random, seen_real.device)
            part, whole = discriminator.encode(seen_real)
            logits_real = discriminator.judge(whole).float()
            logits_fake = discriminator(seen_fake.detach()).float()
            wanted = targets(seen_real, top, left, discriminator.redrawn_px)
            missing = reconstruction(discriminator.redraw(part, whole, top, left), wanted)
            loss_d = loss.discriminator(logits_real, logits_fake)
        (share * (loss_d + missing)).backward()
        means = {"logits_real": logits_real.mean(), "logits_fake": logits_fake.mean()}
        add(numbers, share, loss_d=loss_d, reconstruction=missing, **means)
    training.optimizer_d.step()

    training.optimizer_g.zero_grad(set_to_none=True)
    with frozen(discriminator):
        for one, share in cut(batch if pieces == 1 else draw(0), pieces):
            with training.autocast():
                seen_fake = seen_fake if pieces == 1 else painted(one)
                loss_g = loss.generator(discriminator(seen_fake).float(), None)
            (share * loss_g).backward()
            add(numbers, share, loss_g=loss_g)
        training.optimizer_g.step()
    return numbers
