"""One step of a GAN that paints from noise: forward, backward, both updates. It returns numbers.

The generator paints once for both updates: the critic learns first, on a detached copy of the painting's features;
then the painter, through the very same features, judged by the critic as it is after its update. That is the usual
alternation with one forward pass less, and sound because the features (the frozen part) don't change between the
two. Recipes differ by their row: the loss, how often the critic learns, a penalty, a clip, a wish of
the painter's.

Where memory is short, a step learns from its batch in `Settings.accumulate` micro-batches: cut from the same draws,
their gradients averaged before each update. Then the painter's part paints anew, since its way back through the whole
batch can't be held. All that is a mean over pictures, or over pairs of a real and a fake, comes out the same, but for
rounding; the pairs of R3GAN are never parted. What looks at a batch as a whole doesn't: batch norm takes its
statistics from each micro-batch, and its running ones, and the mean style, move once for each painting; spectral norm
takes one more step of its power iteration for each; StyleGAN2's critic, the conditional GAN's wish for variety, and
`match` compare the pictures of one micro-batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models import together
from gan_play.trainers import augment, losses, ranks
from gan_play.trainers.clock import sent
from gan_play.trainers.losses import MINIMAX, NON_SATURATING, Loss

if TYPE_CHECKING:
    from gan_play.trainers.loop import Draw, Training

CLIP = 0.01  # of the critic's weights in `wgan` (Arjovsky 2017, algorithm 1)

Penalty = Callable[["Training", "Draw", Tensor, Tensor], Tensor]
"""(training, draw, real, fake as the critic sees them) -> what is added to the critic's loss."""

Wish = Callable[["Training", "Draw", Tensor], Tensor]
"""(training, draw, fake as painted) -> what is added to the painter's loss."""


def detached(features: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
    """The same features with no way back to the generator."""
    return features.detach() if isinstance(features, Tensor) else [f.detach() for f in features]


def cut(whole: Draw, pieces: int) -> Iterator[tuple[Draw, float]]:
    """A draw as so many micro-batches of about the same size, and the share of the batch that each is.

    Each draws the random numbers that its pictures would get in the whole batch: all must draw alike. Where ranks
    share the batch, those of this rank.
    """
    if pieces == 1 and together.place()[1] == 1:
        yield whole, 1.0
        return
    count, before = len(whole.z), whole.random.get_state()
    for rows, within in ranks.parts(count, pieces):
        whole.random.set_state(before)
        one = whole._replace(
            real=whole.real[within],
            real_label=None if whole.real_label is None else whole.real_label[rows],
            z=whole.z[rows],
            label=None if whole.label is None else whole.label[rows],
            noise=[level[rows] for level in whole.noise],
            random=augment.Rows(whole.random, count, rows),
        )
        yield one, (rows.stop - rows.start) / count


def add(numbers: dict[str, Tensor], share: float, **more: Tensor) -> None:
    """Adds the numbers of a micro-batch, detached, to those of its batch, by its share of it."""
    for name, number in more.items():
        numbers[name] = numbers.get(name, 0) + share * number.detach()


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
    waits for a device. Where there is a dial `match`, the painter also lowers, so many times, how far its paintings are
    from the reals on the whole, to the frozen network of its critic; that is `apart`.
    """
    recipe, loss, dials = training.recipe, loss or training.recipe.loss, training.settings.dials
    generator, discriminator = training.generator, training.discriminator
    strength, pieces, match = dials["augment"], training.pieces, dials.get("match", 0.0)

    def painted(one: Draw) -> tuple[Tensor, Tensor]:
        fake = generator.synthesis(generator.mapping(one.z, one.label), one.noise)
        return fake, augment.augment(fake, one.random, strength)

    def seen(one: Draw) -> tuple[Tensor, Tensor | list[Tensor]]:
        with torch.no_grad():
            real = augment.augment(one.real, one.random, strength)
            return real, discriminator.features(real)

    numbers: dict[str, Tensor] = {}
    for part in range(recipe.critic_steps):
        last = part == recipe.critic_steps - 1
        numbers.clear()
        training.optimizer_d.zero_grad(set_to_none=True)
        batch = draw(part)
        for one, share in cut(batch, pieces):
            with training.autocast():
                # Only the last painting is learnt from by its painter, if it is held until then.
                with torch.set_grad_enabled(last and pieces == 1):
                    plain, fake = painted(one)
                    features = discriminator.features(fake)
                real, real_features = seen(one)
                logits_real = discriminator.heads(real_features, one.real_label).float()
                logits_fake = discriminator.heads(detached(features), one.label).float()
                loss_d = loss.discriminator(logits_real, logits_fake)
            penalty = recipe.penalty(training, one, real, fake.detach()) if recipe.penalty else 0
            (share * (loss_d + penalty)).backward()
            means = {"logits_real": logits_real.mean(), "logits_fake": logits_fake.mean()}
            add(numbers, share, loss_d=loss_d, distance=logits_real.mean() - logits_fake.mean(), **means)
        training.optimizer_d.step()
        if recipe.clips:
            with torch.no_grad():
                for parameter in discriminator.parameters():
                    parameter.clamp_(-CLIP, CLIP)

    training.optimizer_g.zero_grad(set_to_none=True)
    with frozen(discriminator):
        for one, share in cut(batch if pieces == 1 else draw(part), pieces):
            with training.autocast():
                if pieces > 1:
                    plain, fake = painted(one)
                    features = discriminator.features(fake)
                    real_features = seen(one)[1] if loss.relative or match else None
                with torch.no_grad():
                    against = (
                        discriminator.heads(real_features, one.real_label).float() if loss.relative else None
                    )
                loss_g = loss.generator(discriminator.heads(features, one.label).float(), against)
            wish = recipe.wish(training, one, plain) if recipe.wish else 0
            if match:
                apart = losses.set_distance(losses.over_places(features), losses.over_places(real_features))
                wish = wish + match * apart
                add(numbers, share, apart=apart)
            (share * (loss_g + wish)).backward()
            add(numbers, share, loss_g=loss_g)
        training.optimizer_g.step()
    return numbers


def original(training: Training, draw: Callable[[int], Draw], now: int) -> dict[str, Tensor]:
    """`step` with Goodfellow's loss, as the dial says: the game of his equation 1, or the one that he advises."""
    return step(training, draw, now, MINIMAX if training.settings.dials["minimax"] else NON_SATURATING)


# Penalties. In float32: what is differentiated twice loses too much in bfloat16.


def gradient_penalty(training: Training, one: Draw, real: Tensor, fake: Tensor) -> Tensor:
    """Lambda times the gradient penalty of WGAN-GP (Gulrajani 2017), lambda by the dial `penalty`."""
    share = sent(augment.chosen(len(real), one.random), real.device)
    return training.settings.dials["penalty"] * losses.gradient_penalty(
        lambda x: training.discriminator(x, one.real_label), real.float(), fake.float(), share
    )


def both_gradients(training: Training, one: Draw, real: Tensor, fake: Tensor) -> Tensor:
    """gamma / 2 (R1 + R2), gamma by the dial (Huang 2024, section 2.2)."""
    at_real = losses.squared_gradient(lambda x: training.discriminator(x, one.real_label), real.float())
    at_fake = losses.squared_gradient(lambda x: training.discriminator(x, one.label), fake.float())
    return training.settings.dials["gamma"] / 2 * (at_real + at_fake)


def variety(training: Training, one: Draw, fake: Tensor) -> Tensor:
    """The wish to paint each label in as many ways as there are among the reals, its weight by the dial `variety`."""
    if not training.settings.dials["variety"]:
        return fake.new_zeros(())
    there_are = losses.distance_within(together.gathered(one.real), together.gathered(one.real_label))
    painted = losses.distance_within(together.gathered(fake), together.gathered(one.label))
    return training.settings.dials["variety"] * F.relu(1 - painted / there_are.clamp(min=1e-3))
