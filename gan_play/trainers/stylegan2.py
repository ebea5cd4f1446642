"""StyleGAN2's step: the non-saturating loss, R1 now and then, mixed styles, and a shake that finds its own strength.

Sources: Karras 2020, "Analyzing and Improving the Image Quality of StyleGAN" (lazy regularisation, path lengths), and
Karras 2020, "Training Generative Adversarial Networks with Limited Data" (ADA). What the training learns about itself
lies in buffers of the critic, so that a resumed training goes on with it to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gan_play.models import together
from gan_play.trainers import augment
from gan_play.trainers.adversarial import add, cut, frozen
from gan_play.trainers.augment import drawn
from gan_play.trainers.clock import sent
from gan_play.trainers.losses import squared_gradient

if TYPE_CHECKING:
    from gan_play.trainers.loop import Draw, Training
    from gan_play.trainers.recipes import Settings

MIXING = 0.9  # of the pictures are painted with two styles (Karras 2019, section 3.1)
R1_EVERY = 16  # steps (Karras 2020, appendix B)
PATH_EVERY = 4  # steps (the same)
PATH_WEIGHT = 2.0
PATH_MEMORY = 0.01  # how fast the usual length follows
ADA_EVERY = 4  # steps, over which the evidence is gathered (Karras 2020, ADA, section 3.2)
ADA_TARGET = 0.6  # the excess of reals called real over reals called fake
ADA_IMAGES = (
    100_000  # in which p could go from 0 to 1: the paper's 500,000 are for weeks of training, and the
)
# authors' own setting for fine-tuning is this one; small sets are memorised sooner


def kind(now: int) -> tuple[bool, ...]:
    """What a step does that others don't: R1, path lengths, a new strength of the shake."""
    return now % R1_EVERY == 1, now % PATH_EVERY == 1, now % ADA_EVERY == 0


def gamma_of(settings: Settings) -> float:
    """The weight of R1: the dial, or 0.0002 size^2 / batch where that is 0 (Karras 2020, ADA, appendix C)."""
    return settings.dials["gamma"] or 0.0002 * settings.size_px**2 / settings.batch


def mixed_styles(generator: nn.Module, one: Draw) -> Tensor:
    """Styles of the fakes (B, L, D): of most pictures, those from a random layer on belong to another z.

    So that layers don't rely on each other, and mixing styles makes sense (Karras 2019, section 3.1).
    """
    (count, z_dim), layers, random = one.z.shape, generator.num_ws, one.random
    others = drawn(lambda count, g: torch.randn(count, z_dim, generator=g), count, random)
    crossover = drawn(lambda count, g: torch.randint(1, layers, (count,), generator=g), count, random)
    mixed = drawn(lambda count, g: torch.rand(count, generator=g), count, random) < MIXING
    crossover = sent(torch.where(mixed, crossover, layers), one.z.device)
    label = None if one.label is None else one.label.repeat(2)
    ws, ws_others = generator.mapping(torch.cat([one.z, sent(others, one.z.device)]), label).chunk(2)
    own = torch.arange(layers, device=ws.device) < crossover[:, None]  # (B, L)
    return torch.where(own[:, :, None], ws, ws_others)


def shaken(x: Tensor, random: augment.Random, probability: Tensor) -> Tensor:
    """Colour, shift and cutout, each done to a picture with that probability (0-d tensor): (B, 3, H, W).

    The same pipeline as `augment.augment`, whose strength is a number: this one is known on the device alone.
    """
    for change in (augment.colour, augment.shift, augment.cutout):
        changed = change(x, random)
        some = sent(augment.chosen(len(x), random), x.device) < probability
        x = torch.where(some, changed, x)
    return x


@torch.no_grad()
def adapt(discriminator: nn.Module, logits_real: Tensor, now: int, batch: int, most: float) -> None:
    """Shakes more often where the critic knows its reals by heart, less often where it doesn't.

    r_t = E[sign(D(real))], gathered over four steps; p moves by a fixed amount towards sign(r_t - 0.6), and stays
    from 0 to `most` (Karras 2020, ADA, section 3.2, equation 1).
    """
    discriminator.ada_signs += together.averaged(logits_real.sign().mean())
    if now % ADA_EVERY:
        return
    direction = (discriminator.ada_signs / ADA_EVERY - ADA_TARGET).sign()
    discriminator.ada_p += direction * (ADA_EVERY * batch / ADA_IMAGES)
    discriminator.ada_p.clamp_(0, most)
    discriminator.ada_signs.zero_()


def path_lengths(generator: nn.Module, ws: Tensor, noise: list[Tensor], random: augment.Random) -> Tensor:
    """|J^T y| for each picture: how far its pixels move, by a random measure y, where its style moves by 1: (B,).

    y is normal, over sqrt(H W), so that the length doesn't grow with the picture; the squares are averaged over
    layers. Differentiable. Source: Karras 2020, section 3.2, equation 4.
    """
    pictures = generator.synthesis(ws, noise)
    shape = pictures.shape[1:]
    y = drawn(lambda count, g: torch.randn(count, *shape, generator=g), len(pictures), random)
    y = sent(y, pictures.device).to(pictures.dtype)
    y = y / math.sqrt(pictures[0, 0].numel())
    (gradient,) = torch.autograd.grad((pictures * y).sum(), ws, create_graph=True)  # (B, L, D)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()


def first_half(one: Draw) -> Draw:
    """The fakes of the first half of a batch: what costs a second derivative looks at these alone."""
    half = max(1, len(one.z) // 2)
    label = None if one.label is None else one.label[:half]
    return one._replace(z=one.z[:half], label=label, noise=[level[:half] for level in one.noise])


def path_penalty(generator: nn.Module, one: Draw, path_mean: Tensor, share: float = 1.0) -> Tensor:
    """E[(|J^T y| - a)^2], a the running mean of the lengths, which is moved on by the `share` that this is of a batch.

    Source: Karras 2020, equation 4 and appendix B.
    """
    lengths = path_lengths(generator, generator.mapping(one.z, one.label), one.noise, one.random)
    with torch.no_grad():
        # The ranks' parts are looked at together.
        path_mean.lerp_(together.averaged(lengths.mean()), together.place()[1] * share * PATH_MEMORY)
    return (lengths - path_mean).square().mean()


def step(training: Training, draw: Callable[[int], Draw], now: int) -> dict[str, Tensor]:
    """Trains both networks on one batch. Detached 0-d tensors: loss_g, loss_d, mean logits, `augmented` (p).

    A penalty that is added only every k steps is added k times as strong, in the same update, so that it weighs as
    much as if it were always there (Karras 2020, section 3.1). Penalties are computed in float32: what is
    differentiated twice loses too much in bfloat16. Micro-batches as in `adversarial`; of the path lengths, a
    micro-batch is compared with a running mean that the next ones haven't moved yet.
    """
    generator, discriminator, loss = training.generator, training.discriminator, training.recipe.loss
    settings, dials, pieces = training.settings, training.settings.dials, training.pieces
    probability = discriminator.ada_p.clone()  # it changes between the two updates, for the next step
    numbers: dict[str, Tensor] = {}

    def painted(one: Draw) -> Tensor:
        fake = generator.synthesis(mixed_styles(generator, one), one.noise)
        return shaken(fake, one.random, probability)

    batch, judged = draw(0), []
    training.optimizer_d.zero_grad(set_to_none=True)
    for one, share in cut(batch, pieces):
        with training.autocast():
            with torch.set_grad_enabled(pieces == 1):
                seen_fake = painted(one)
            seen_real = shaken(one.real, one.random, probability)
            logits_real = discriminator(seen_real, one.real_label).float()
            logits_fake = discriminator(seen_fake.detach(), one.label).float()
            loss_d = loss.discriminator(logits_real, logits_fake)
        penalty_d = 0
        if now % R1_EVERY == 1:  # the first step too, so that what it costs is known before a training starts
            r1 = squared_gradient(lambda x: discriminator(x, one.real_label), seen_real)  # noqa: B023
            penalty_d = R1_EVERY * gamma_of(settings) / 2 * r1
        (share * (loss_d + penalty_d)).backward()
        judged.append(logits_real.detach())
        means = {"logits_real": logits_real.mean(), "logits_fake": logits_fake.mean()}
        add(numbers, share, loss_d=loss_d, **means)
    training.optimizer_d.step()
    adapt(discriminator, torch.cat(judged), now, settings.batch, dials["ada_most"])

    training.optimizer_g.zero_grad(set_to_none=True)
    halves = cut(first_half(batch), pieces) if dials["path_length"] and now % PATH_EVERY == 1 else None
    for one, share in cut(batch if pieces == 1 else draw(0), pieces):
        with frozen(discriminator), training.autocast():
            seen_fake = seen_fake if pieces == 1 else painted(one)
            loss_g = loss.generator(discriminator(seen_fake, one.label).float(), None)
        penalty_g = 0
        if halves is not None:
            half, half_share = next(halves)
            penalty_g = path_penalty(generator, half, discriminator.path_mean, half_share)
            penalty_g = half_share * PATH_EVERY * PATH_WEIGHT * penalty_g
        (share * loss_g + penalty_g).backward()
        add(numbers, share, loss_g=loss_g)
    training.optimizer_g.step()
    if dials["path_length"]:
        numbers["path_length"] = discriminator.path_mean / together.place()[1]
    return numbers | {"augmented": discriminator.ada_p / together.place()[1]}
