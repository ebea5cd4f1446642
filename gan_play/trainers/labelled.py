"""One step of the three GANs that know styles by name: GANGogh, ArtGAN, and CAN, which breaks with all of them.

Steps as in `adversarial`, micro-batches too: they train both networks once and return numbers. Beside the losses
these say how often the critic names the label of a real (`right_real`) and of a painting (`right_fake`) as it should,
a share from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_play.trainers import augment
from gan_play.trainers.adversarial import add, cut, frozen
from gan_play.trainers.losses import NON_SATURATING, WASSERSTEIN

if TYPE_CHECKING:
    from gan_play.trainers.loop import Draw, Training


def label_loss(logits: Tensor, label: Tensor) -> Tensor:
    """-E[log p(label)], p = softmax(logits): L_C of Odena 2017, equation 3, of one kind of picture.

    logits (B, K), label (B,) -> scalar.
    """
    return F.cross_entropy(logits, label)


def fake_loss(logits: Tensor) -> Tensor:
    """-E[log p(fake)], fake being the last of the K + 1 labels: (B, K + 1) -> scalar (Tan 2017, section 3)."""
    return -F.log_softmax(logits, dim=1)[:, -1].mean()


def reconstruction_loss(painted: Tensor, real: Tensor) -> Tensor:
    """E[(Dec(Enc(x)) - x)^2], over pictures, places and colours: ArtGAN's pixel-wise L2 (Tan 2017, section 3)."""
    return (painted - real).square().mean()


def style_ambiguity_loss(logits: Tensor) -> Tensor:
    """-E[sum_k 1/K log p_k + (1 - 1/K) log(1 - p_k)], p = softmax(logits): Elgammal 2017, equation 2, last term.

    The cross entropy of each label's posterior with the uniform 1/K; least where a picture has no style of its own.
    logits (B, K), K at least 2 -> scalar.
    """
    count = logits.shape[1]
    log_p = F.log_softmax(logits, dim=1)
    # 1 - p_k loses all its digits where p_k is all but 1, so the likeliest label's is summed from the others.
    likeliest = torch.zeros_like(logits, dtype=torch.bool).scatter(
        1, logits.argmax(dim=1, keepdim=True), True
    )
    of_likeliest = log_p.masked_fill(likeliest, -math.inf).logsumexp(dim=1, keepdim=True)
    of_others = torch.log1p(-log_p.exp().masked_fill(likeliest, 0))
    log_not_p = torch.where(likeliest, of_likeliest, of_others)
    return -(log_p / count + (1 - 1 / count) * log_not_p).sum(dim=1).mean()


def ambiguity(logits: Tensor) -> Tensor:
    """E[-sum_k p_k log p_k] / log K: 1 where every style is as likely, 0 where one is certain.  # (B, K) -> scalar"""
    log_p = F.log_softmax(logits, dim=1)
    return -(log_p.exp() * log_p).sum(dim=1).mean() / math.log(logits.shape[1])


def right(logits: Tensor, label: Tensor) -> Tensor:
    """The share of pictures whose most likely label is theirs: (B, K), (B,) -> scalar."""
    return (logits.argmax(dim=1) == label).float().mean()


def painted(training: Training, one: Draw, label: Tensor | None) -> tuple[Tensor, Tensor]:
    """A batch of paintings, and the batch of reals, both as the critic sees them: (B, 3, S, S)."""
    generator, strength = training.generator, training.settings.dials["augment"]
    fake = generator.synthesis(generator.mapping(one.z, label), one.noise)
    fake = augment.augment(fake, one.random, strength)
    with torch.no_grad():
        real = augment.augment(one.real, one.random, strength)
    return fake, real


def gangogh(training: Training, draw: Callable[[int], Draw], now: int) -> dict[str, Tensor]:
    """WGAN-GP whose critic also names the style, as GANGogh trained on WikiArt's genres (Jones & Bonafilia 2017).

    Critic, `critic_steps` times: E[D(G(z, y))] - E[D(x)] + lambda E[(|grad D| - 1)^2] - E[log p(y | x)].
    Painter: -E[D(G(z, y))] - E[log p(y | G(z, y))]. So the critic learns names from reals alone, where Odena 2017
    also teaches it those of fakes. GANGogh's warm-up of the critic on names alone is left out.
    """
    critic_steps, discriminator = training.recipe.critic_steps, training.discriminator
    pieces, numbers = training.pieces, {}
    for part in range(critic_steps):
        numbers.clear()
        training.optimizer_d.zero_grad(set_to_none=True)
        batch = draw(part)
        for one, share in cut(batch, pieces):
            with training.autocast():
                # Only the last painting is learnt from by its painter, if it is held until then.
                with torch.set_grad_enabled(part == critic_steps - 1 and pieces == 1):
                    fake, real = painted(training, one, one.label)
                logits_real, labels_real = discriminator.judge(real)
                logits_fake, _ = discriminator.judge(fake.detach())
                loss_d = WASSERSTEIN.discriminator(logits_real, logits_fake)
                loss_names = label_loss(labels_real, one.real_label)
            penalty = training.recipe.penalty(training, one, real, fake.detach())
            (share * (loss_d + loss_names + penalty)).backward()
            add(numbers, share, loss_d=loss_d + loss_names, distance=-loss_d)
            add(numbers, share, right_real=right(labels_real, one.real_label))
        training.optimizer_d.step()

    training.optimizer_g.zero_grad(set_to_none=True)
    with frozen(discriminator):
        for one, share in cut(batch if pieces == 1 else draw(part), pieces):
            with training.autocast():
                fake = fake if pieces == 1 else painted(training, one, one.label)[0]
                logits, labels_fake = discriminator.judge(fake)
                loss_g = WASSERSTEIN.generator(logits, None) + label_loss(labels_fake, one.label)
            (share * loss_g).backward()
            add(numbers, share, loss_g=loss_g, right_fake=right(labels_fake, one.label))
        training.optimizer_g.step()
    return numbers


def artgan(training: Training, draw: Callable[[int], Draw], now: int) -> dict[str, Tensor]:
    """A critic of K styles and "fake"; the painter hears which style it missed, and repaints reals (Tan 2017).

    Section 3 of the paper, the conference's version (arXiv 1702.03410), with D = clsNet(Enc) and G = Dec(zNet):
    critic: -E[log p(y | x)] - E[log p(K + 1 | G(z, y))]; painter: -E[log p(y | G(z, y))], the label's feedback,
    + E[|Dec(Enc(x)) - x|^2], by the dial `repaint`. The reconstruction is the painter's: Enc stays as the critic
    made it. It sees the reals unshaken, or the painter would learn to paint the shaking.
    """
    generator, discriminator = training.generator, training.discriminator
    pieces, numbers = training.pieces, {}
    training.optimizer_d.zero_grad(set_to_none=True)
    batch = draw(0)
    for one, share in cut(batch, pieces):
        with training.autocast():
            with torch.set_grad_enabled(pieces == 1):
                fake, real = painted(training, one, one.label)
            labels_real, logits = discriminator(real).float(), discriminator(fake.detach()).float()
            loss_d = label_loss(labels_real, one.real_label) + fake_loss(logits)
        (share * loss_d).backward()
        add(numbers, share, loss_d=loss_d, right_real=right(labels_real[:, :-1], one.real_label))
    training.optimizer_d.step()

    training.optimizer_g.zero_grad(set_to_none=True)
    with frozen(discriminator):
        for one, share in cut(batch if pieces == 1 else draw(0), pieces):
            with training.autocast():
                fake = fake if pieces == 1 else painted(training, one, one.label)[0]
                labels_fake = discriminator(fake).float()
                feedback = label_loss(labels_fake, one.label)
                with torch.no_grad():
                    code = discriminator.trunk(discriminator.features(one.real))
                repainted = reconstruction_loss(generator.decode(code, remembers=False), one.real)
                loss_g = feedback + training.settings.dials["repaint"] * repainted
            (share * loss_g).backward()
            add(numbers, share, loss_g=loss_g, repainted=repainted)
            add(numbers, share, right_fake=right(labels_fake[:, :-1], one.label))
        training.optimizer_g.step()
    return numbers


def can(training: Training, draw: Callable[[int], Draw], now: int) -> dict[str, Tensor]:
    """The critic learns what is art and which style it is; the painter wants art of no style (Elgammal 2017).

    Equation 2 and algorithm 1: critic: -E[log D_r(x)] - E[log D_c(y | x)] - E[log(1 - D_r(G(z)))];
    painter: -E[log D_r(G(z))] plus, by the dial `creativity`, 1 in the paper, `style_ambiguity_loss`. The painter is
    given no label. `ambiguity`, 0 to 1, is how undecided the critic is about the style of its paintings.
    """
    discriminator, creativity = training.discriminator, training.settings.dials["creativity"]
    pieces, numbers = training.pieces, {}
    training.optimizer_d.zero_grad(set_to_none=True)
    batch = draw(0)
    for one, share in cut(batch, pieces):
        with training.autocast():
            with torch.set_grad_enabled(pieces == 1):
                fake, real = painted(training, one, None)
            logits_real, labels_real = discriminator.judge(real)
            logits_fake, _ = discriminator.judge(fake.detach())
            loss_names = label_loss(labels_real, one.real_label)
            loss_d = NON_SATURATING.discriminator(logits_real, logits_fake) + loss_names
        (share * loss_d).backward()
        means = {"logits_real": logits_real.mean(), "logits_fake": logits_fake.mean()}
        add(numbers, share, loss_d=loss_d, right_real=right(labels_real, one.real_label), **means)
    training.optimizer_d.step()

    training.optimizer_g.zero_grad(set_to_none=True)
    with frozen(discriminator):
        for one, share in cut(batch if pieces == 1 else draw(0), pieces):
            with training.autocast():
                fake = fake if pieces == 1 else painted(training, one, None)[0]
                logits, labels_fake = discriminator.judge(fake)
                unstyled = style_ambiguity_loss(labels_fake)
                loss_g = NON_SATURATING.generator(logits, None) + creativity * unstyled
            (share * loss_g).backward()
            add(numbers, share, loss_g=loss_g, ambiguity=ambiguity(labels_fake))
        training.optimizer_g.step()
    return numbers
