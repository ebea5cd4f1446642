"""Losses of adversarial training, as functions of logits, and penalties on a critic's gradient.

A loss is a pair: what the discriminator lowers, given logits of reals and of fakes (any shape, averaged over all
places), and what the generator lowers, given logits of fakes and, for those that compare, of reals. All return a
scalar tensor.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_play.models import together
from gan_play.models.adain import statistics


class Loss(NamedTuple):
    """One kind of adversarial loss: `discriminator(real, fake)` and `generator(fake, real)`.

    `relative`: the generator's part looks at the reals' logits; elsewhere it is given None.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor | None], Tensor]
    relative: bool = False


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-E[log D(x)] - E[log(1 - D(G(z)))] with D = sigmoid(logits): Goodfellow 2014, equation 1."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def minimax_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """E[log(1 - D(G(z)))]: Goodfellow 2014, equation 1. Flat where the critic is sure, so it learns slowly there."""
    return -F.softplus(fake).mean()


def non_saturating_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-E[log D(G(z))]: Goodfellow 2014, section 3, the variant that doesn't saturate."""
    return F.softplus(-fake).mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]: Lim & Ye 2017, "Geometric GAN", equation 14."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def mean_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-E[D(G(z))]: Lim & Ye 2017, equation 15; Arjovsky 2017, "Wasserstein GAN", algorithm 1."""
    return -fake.mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[D(G(z))] - E[D(x)], minus the critic's estimate of the distance: Arjovsky 2017, equation 2."""
    return fake.mean() - real.mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[softplus(D(G(z)) - D(x))], fakes and reals in pairs: Huang 2024, "The GAN is dead", equation 2."""
    return F.softplus(fake - real).mean()


def relativistic_generator(fake: Tensor, real: Tensor | None) -> Tensor:
    """E[softplus(D(x) - D(G(z)))]: Huang 2024, equation 2, seen from the other side."""
    return F.softplus(real - fake).mean()


def least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """(E[(D(x) - 1)^2] + E[D(G(z))^2]) / 2: Mao 2017, "Least Squares GANs", equation 9; halved as in Zhu 2017."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def least_squares_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """E[(D(G(z)) - 1)^2]: Zhu 2017, "Cycle-Consistent Adversarial Networks", section 4."""
    return (fake - 1).square().mean()


MINIMAX = Loss(logistic_discriminator, minimax_generator)
NON_SATURATING = Loss(logistic_discriminator, non_saturating_generator)
HINGE = Loss(hinge_discriminator, mean_generator)
WASSERSTEIN = Loss(wasserstein_discriminator, mean_generator)
LEAST_SQUARES = Loss(least_squares_discriminator, least_squares_generator)
RELATIVISTIC = Loss(relativistic_discriminator, relativistic_generator, relative=True)


def absolute(x: Tensor, y: Tensor) -> Tensor:
    """E[|y - x|], the mean over all pixels and channels: L1 of Isola 2017, equation 3; of a picture that went there
    and back, the cycle's loss of Zhu 2017, equation 2."""
    return (y - x).abs().mean()


def feature_distance(seen: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """How far maps (B, C_i, h_i, w_i) of a trained network are from those wanted: the mean over depths and pictures
    of E[|y - x|] in units of E[|y|]. Johnson 2016, "Perceptual Losses", equation 2, by absolute values as in Wang 2018,
    "High-Resolution Image Synthesis", equation 4.
    """
    terms = []
    for x, y in zip(seen, wanted):
        x, y = x.float(), y.float()
        off, usual = (maps.abs().mean(dim=(1, 2, 3)) for maps in (y - x, y))
        terms.append(off / usual.clamp(min=1e-6))
    return torch.stack(terms).mean()


def kernel_distance(x: Tensor, y: Tensor) -> Tensor:
    """How far two lots of features (B, D) are apart as distributions: the unbiased estimate of MMD^2, a scalar.

    Gretton 2012, "A Kernel Two-Sample Test", equation 3, with the kernel of Binkowski 2018, "Demystifying MMD GANs":
    (x.y / D + 1)^3. 0 for fewer than two of either, which say nothing of how they are spread.
    """
    if min(len(x), len(y)) < 2:
        return (x.sum() + y.sum()) * 0
    xx, xy, yy = ((a @ b.T / a.shape[1] + 1) ** 3 for a, b in ((x, x), (x, y), (y, y)))

    def others(k: Tensor) -> Tensor:
        return (k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1))

    return others(xx) + others(yy) - 2 * xy.mean()


def over_places(maps: Sequence[Tensor]) -> list[Tensor]:
    """The means of maps (B, C_i, h_i, w_i) over their places, of the pictures of all ranks: (B, C_i), float32."""
    return [together.gathered(x.float().mean(dim=(2, 3))) for x in maps]


def set_distance(seen: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """How far what a frozen network sees in some pictures is, on the whole, from what it sees in others: MMD^2 of means
    over places (B, C_i), in units of the size of those wanted, averaged over depths.

    Source: Santos 2019, "Learning Implicit Generative Models by Matching Perceptual Features"; of batches alone, as the
    feature matching of Salimans 2016, "Improved Techniques for Training GANs", section 3.1.
    """
    terms = []
    for x, y in zip(seen, wanted):
        size = y.square().mean().sqrt().clamp(min=1e-6)
        terms.append(kernel_distance(x / size, y / size))
    return torch.stack(terms).mean()


def gradient_of(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The gradient of each picture's logits, summed over places, by its pixels: (B, C, H, W), differentiable."""
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).float().sum(), x, create_graph=True)
    return gradient


def squared_gradient(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """E[|grad D(x)|^2]: R1 on reals, R2 on fakes, without gamma / 2 (Mescheder 2018, equations 9 and 10)."""
    return gradient_of(critic, x).square().sum(dim=(1, 2, 3)).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """E[(|grad D(x)| - 1)^2] for x between reals and fakes by `share` (B, 1, 1, 1): Gulrajani 2017, equation 3."""
    between = torch.lerp(real.detach(), fake.detach(), share)
    # 1e-12: the root has no gradient at 0, which a critic of zeros would meet.
    return ((gradient_of(critic, between).square().sum(dim=(1, 2, 3)) + 1e-12).sqrt() - 1).square().mean()


def distance_within(x: Tensor, label: Tensor) -> Tensor:
    """How far pictures (B, C, H, W) of one label (B,) lie apart: the mean |x - y| of a pixel over pairs of them.

    The pairs are each picture and the next of its label; 0 where there is none. The measure of variety in Mao 2019,
    "Mode Seeking GANs", equation 5.
    """
    order = label.argsort(stable=True)
    x, label = x.float()[order], label[order]
    paired = (label[1:] == label[:-1]).to(x.dtype)
    return ((x[1:] - x[:-1]).abs().mean(dim=(1, 2, 3)) * paired).sum() / paired.sum().clamp(min=1)


# Between pictures that belong together


def patch_contrast(query: Tensor, key: Tensor, temperature: float = 0.07) -> Tensor:
    """-E[log(exp(v.v+ / t) / sum_n exp(v.v_n / t))]: each patch v should be most like v+, that of its own place.

    query and key (B, P, D) of length 1, of P places of each picture: v+ is the key of the same place, and the v_n are
    all keys of the same picture. Park 2020, "Contrastive Learning for Unpaired Image-to-Image Translation", equations
    3 and 4 (PatchNCE).
    """
    likeness = query @ key.transpose(1, 2) / temperature  # (B, P, P)
    return (likeness.logsumexp(dim=2) - likeness.diagonal(dim1=1, dim2=2)).mean()


# Instant style transfer


def content_loss(seen: Tensor, wanted: Tensor, means: Tensor) -> Tensor:
    """How far features (B, C, H, W) are from those that were to be painted: Huang 2017, equation 12, as a mean of
    squares, each feature in units of its `means` (C, 1, 1)."""
    return ((seen - wanted) / means).square().mean()


def style_loss(
    seen: Mapping[str, Tensor], style: Mapping[str, Tensor], means: Mapping[str, Tensor]
) -> Tensor:
    """How far the mean and the spread of each feature are from the style's, summed over the layers of `means`:
    Huang 2017, equation 13, as means of squares, each feature in units of its `means` (C, 1, 1)."""
    return sum(
        sum(
            ((ours - theirs) / means[layer]).square().mean()
            for ours, theirs in zip(statistics(seen[layer]), statistics(style[layer]))
        )
        for layer in means
    )
