"""One step of a translator that learns from pairs: a source, and the target that is to be made of it.

Source: Isola 2017, "Image-to-Image Translation with Conditional Adversarial Networks" (pix2pix). The critic sees the
source beside a target or a result, patch by patch; the translator is judged by it, and by how far each pixel is off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_play.models.projected import ProjectedDiscriminator
from gan_play.trainers import pairs, ranks
from gan_play.trainers.adversarial import add, frozen
from gan_play.trainers.clock import batch_indices, random_for, sent
from gan_play.trainers.losses import HINGE, absolute, feature_distance

if TYPE_CHECKING:
    from gan_play.trainers.loop import Training

ALIKE = 0.1  # how much what trained eyes see counts, beside a pixel's being off
JITTER = 286 / 256  # how much larger a picture is before a part of it is taken (Isola 2017, section 6.2)


class Pair(NamedTuple):
    """What an update learns from: sources and targets, at the same places pictures of the same thing.

    Of two sets: pictures of the first and of the second, which have nothing to do with each other.
    """

    source: Tensor  # (B, C, S, S) in [-1, 1]
    target: Tensor  # (B, 3, S, S) in [-1, 1]
    random: torch.Generator  # on the CPU: for whatever else is drawn


def cut(whole: Pair, pieces: int) -> Iterator[tuple[Pair, float]]:
    """A draw as so many micro-batches of about the same size, and the share of the batch that each is."""
    count = len(whole.source)
    for rows, _ in ranks.parts(count, pieces):
        one = whole._replace(source=whole.source[rows], target=whole.target[rows])
        yield one, (rows.stop - rows.start) / count


def as_floats(pixels: Tensor) -> Tensor:
    """(B, 3, S, S) uint8 -> float32 in [-1, 1]."""
    return pixels.float().div_(127.5).sub_(1)


def sides(kinds: Tensor, back: bool = False) -> tuple[Tensor, Tensor]:
    """The places of sources and of targets among labels (N,): label 0 and label 1, turned round where `back`."""
    first, second = (kinds == 0).nonzero()[:, 0], (kinds == 1).nonzero()[:, 0]
    return (second, first) if back else (first, second)


def jittered(x: Tensor, share: Tensor, moves: Tensor) -> Tensor:
    """A part of each picture (B, C, S, S) as large as the whole: enlarged by `share` (B, 1, 1, 1), then moved.

    `moves` (B, 2) from 0 to 1 say which part.
    """
    theta = x.new_zeros(len(x), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / share.flatten()
    theta[:, :, 2] = (2 * moves - 1) * (1 - 1 / share.flatten())[:, None]
    places = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, places, mode="bilinear", padding_mode="border", align_corners=False)


def draw(training: Training, data: Tensor, kinds: Tensor | None, now: int, part: int = 0) -> Pair:
    """The pairs of step `now`: real ones by their labels `kinds` (N,), or made of `data` (N, 3, S, S) by the preset.

    Mirrored and jittered alike on both sides, as the dials say.
    """
    settings, dials = training.settings, training.settings.dials
    seed, batch, device = settings.seed, settings.batch, settings.device
    random = random_for(seed, now, "pairs")
    if settings.preset:
        both = as_floats(data[sent(batch_indices(seed, now, batch, len(data)), data.device)])
    else:
        sources, targets = sides(kinds, bool(dials["back"]))
        places = batch_indices(seed, now, batch, len(sources))
        both = torch.cat(
            [as_floats(data[sent(side[places], data.device)]) for side in (sources, targets)], dim=1
        )
    mirrored = torch.rand(batch, 1, 1, 1, generator=random) < dials["mirror"]
    both = torch.where(sent(mirrored, device), both.flip(3), both)
    moves = sent(torch.rand(batch, 2, generator=random), device)
    if dials["jitter"]:
        both = jittered(both, both.new_full((batch, 1, 1, 1), 1 + (JITTER - 1) * dials["jitter"]), moves)
    if settings.preset:
        return Pair(pairs.make(settings.preset, both, random), both, random)
    return Pair(both[:, :3], both[:, 3:], random)


def seen(critic: nn.Module, x: Tensor) -> list[Tensor]:
    """What a critic looks at of pictures (B, 3, S, S): the maps of its trained eyes, or the pictures themselves."""
    return critic.features(x) if isinstance(critic, ProjectedDiscriminator) else [x]


def judged(critic: nn.Module, maps: list[Tensor], source: Tensor) -> Tensor:
    """The logits of what it looked at. Without trained eyes the sources (B, C, S, S) lie beside."""
    eyes = isinstance(critic, ProjectedDiscriminator)
    return (critic.heads(maps) if eyes else critic(*maps, source)).float()


def step(training: Training, draw: Callable[[int], Pair], now: int) -> dict[str, Tensor]:
    """Trains the critic once and the translator once: Isola 2017, equation 4, and section 3.3.

    The critic's loss is halved, as there. With trained eyes the loss is the hinge (Sauer 2021), and what is to be right
    is not the pixels alone but also what those eyes see. Returns detached 0-d tensors: loss_g, loss_d, the mean logits
    of targets and results, `distance` between them, and `off`, how far a pixel is off on average, from 0 to 2.
    """
    pieces, dials = training.pieces, training.settings.dials
    eyes = bool(dials["eyes"])
    loss = HINGE if eyes else training.recipe.loss
    translator, critic = training.generator, training.discriminator
    batch, numbers = draw(0), {}
    training.optimizer_d.zero_grad(set_to_none=True)
    for one, share in cut(batch, pieces):
        with training.autocast():
            # Both updates learn from one result, if it is held until then.
            with torch.set_grad_enabled(pieces == 1):
                fake = translator(one.source)
                fake_maps = seen(critic, fake)
            real_maps = seen(critic, one.target)
            real_logits = judged(critic, real_maps, one.source)
            fake_logits = judged(critic, [x.detach() for x in fake_maps], one.source)
            loss_d = loss.discriminator(real_logits, fake_logits) / 2
        (share * loss_d).backward()
        means = {"logits_real": real_logits.mean(), "logits_fake": fake_logits.mean()}
        add(numbers, share, loss_d=loss_d, distance=real_logits.mean() - fake_logits.mean(), **means)
    training.optimizer_d.step()

    training.optimizer_g.zero_grad(set_to_none=True)
    with frozen(critic):
        for one, share in cut(batch, pieces):
            with training.autocast():
                if pieces > 1:
                    fake = translator(one.source)
                    fake_maps, real_maps = seen(critic, fake), seen(critic, one.target)
                verdict = loss.generator(judged(critic, fake_maps, one.source), None)
            off = wrong = absolute(fake.float(), one.target)
            if eyes:
                wrong = off + ALIKE * feature_distance(fake_maps, real_maps)
            loss_g = verdict + dials["l1"] * wrong
            (share * loss_g).backward()
            add(numbers, share, loss_g=loss_g, off=off)
        training.optimizer_g.step()
    return numbers
