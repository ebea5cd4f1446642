"""One step of a translator between two sets that aren't paired: nobody says what any picture should become.

`contrastive` is CUT: Park 2020, "Contrastive Learning for Unpaired Image-to-Image Translation". One translator, from
the first set to the second; what stands at a place should be more like what stood there before than like any other
place of the same picture. `cycle` is CycleGAN: Zhu 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent
Adversarial Networks". Two translators, one each way; a picture that went there and back should be what it was. In
both a critic knows what pictures of the other set look like: that of the default recipe, which sees through a frozen
network (Sauer 2021, "Projected GANs Converge Faster"), or the papers' own, of patches. Measured: the one changes
pictures for the better within a thousand of them, the other needs hundreds of thousands (benchmarks/results.md).

As in `adversarial`, the critic learns first, from the very painting that the translator then learns from; where memory
is short, from micro-batches, whose gradients are those of the whole batch, since each picture counts for itself; but
the trained eyes' spectral norm takes one more step of its power iteration for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from gan_play.models.styled_translator import unremembered
from gan_play.trainers import augment, pool, ranks
from gan_play.trainers.adversarial import add, detached, frozen
from gan_play.trainers.clock import batch_indices, draw_seed, random_for, sent
from gan_play.trainers.losses import absolute, over_places, patch_contrast, set_distance
from gan_play.trainers.paired import JITTER, as_floats, jittered, sides

if TYPE_CHECKING:
    from gan_play.trainers.loop import Training

PATCHES = 128  # of a picture, that are compared at each depth (Park 2020, appendix B, has 256)


class Two(NamedTuple):
    """What an update learns from: pictures of the first set and of the second, which have nothing to do with each
    other, and all that is drawn for them."""

    source: Tensor  # (B, 3, S, S) in [-1, 1]
    target: Tensor  # (B, 3, S, S) in [-1, 1]
    random: augment.Random  # on the CPU: for augmentation
    places: tuple[Tensor, ...]  # (P,) at each depth that is compared: the patches, the same of all pictures
    pooled: tuple[list[pool.Place], list[pool.Place]]  # of the paintings of either way


def cut(whole: Two, pieces: int) -> Iterator[tuple[Two, float]]:
    """A draw as so many micro-batches of about the same size, and the share of the batch that each is.

    What is drawn for augmentation begins anew each time, so that a draw can be cut twice with the same result.
    """
    count = len(whole.source)
    before = whole.random.get_state()
    for rows, _ in ranks.parts(count, pieces):
        whole.random.set_state(before)
        one = whole._replace(
            source=whole.source[rows],
            target=whole.target[rows],
            random=augment.Rows(whole.random, count, rows),
            pooled=tuple(plan[rows] for plan in whole.pooled),
        )
        yield one, (rows.stop - rows.start) / count
    whole.random.set_state(before)


def draw(training: Training, data: Tensor, kinds: Tensor, now: int, part: int = 0) -> Two:
    """The pictures of step `now` out of `data` (N, 3, S, S) uint8, by their labels `kinds` (N,).

    Each set is shuffled for itself; a picture is mirrored, moved and enlarged as its own draw says.
    """
    settings, dials = training.settings, training.settings.dials
    seed, batch, device = settings.seed, settings.batch, settings.device
    random, found = random_for(seed, now, "two"), []
    for number, side in enumerate(sides(kinds, bool(dials.get("back")))):
        # Sets of one size would else meet in the same pairs again and again.
        places = batch_indices(draw_seed(seed, 0, f"set {number}"), now, batch, len(side))
        x = as_floats(data[sent(side[places], data.device)])
        mirrored = torch.rand(batch, 1, 1, 1, generator=random) < dials["mirror"]
        x = torch.where(sent(mirrored, device), x.flip(3), x)
        moves = sent(torch.rand(batch, 2, generator=random), device)
        if dials["jitter"]:
            x = jittered(x, x.new_full((batch, 1, 1, 1), 1 + (JITTER - 1) * dials["jitter"]), moves)
        found.append(x)
    places = tuple(
        sent(torch.randperm((settings.size_px // stride) ** 2, generator=random)[:PATCHES], device)
        for stride in training.generator.compared
    )
    kept = (now - 1) * batch
    pooled = tuple(pool.places(kept, batch, random) for _ in range(2))
    return Two(*found, random, places, pooled)


def contrastive(training: Training, draw: Callable[[int], Two], now: int) -> dict[str, Tensor]:
    """Trains the critic once and the translator, with its heads, once: Park 2020, equation 5.

    The translator lowers -the critic's verdict + lambda_X L(X) + lambda_Y L(Y), by the dials `contrast` and
    `identity`: L is PatchNCE at several depths, of sources and what became of them, and of targets and what became of
    those, which should stay as they are. What is compared with, the source's patches, is given and learns nothing.
    With trained eyes it also lowers how far its paintings are, on the whole, from targets (dial `match`).
    Returns detached 0-d tensors: loss_g, loss_d, `contrast`, the mean logits of targets and paintings, `apart`.
    """
    loss, pieces, dials = training.recipe.loss, training.pieces, training.settings.dials
    translator, critic, strength = training.generator, training.discriminator, dials["augment"]
    weights, match = (dials["contrast"], dials["identity"]), matched(training)

    def painted(one: Two) -> tuple[list[Tensor], Tensor]:
        x = torch.cat([one.source, one.target]) if weights[1] else one.source
        maps = translator.look(x)
        return maps, translator.paint(maps)

    numbers: dict[str, Tensor] = {}
    aims: list[list[Tensor]] = []  # what targets look like, for each part
    training.optimizer_d.zero_grad(set_to_none=True)
    batch = draw(0)
    for one, share in cut(batch, pieces):
        with training.autocast():
            # Both updates learn from one painting, if it is held until then.
            with torch.set_grad_enabled(pieces == 1):
                maps, painting = painted(one)
                seen = critic.features(augment.augment(painting[: len(one.source)], one.random, strength))
            with torch.no_grad():
                real = critic.features(augment.augment(one.target, one.random, strength))
                if match:
                    aims.append(over_places(real))
            logits_real, logits_fake = critic.heads(real).float(), critic.heads(detached(seen)).float()
            loss_d = loss.discriminator(logits_real, logits_fake)
        (share * loss_d).backward()
        means = {"logits_real": logits_real.mean(), "logits_fake": logits_fake.mean()}
        add(numbers, share, loss_d=loss_d, **means)
    training.optimizer_d.step()

    training.optimizer_g.zero_grad(set_to_none=True)
    with frozen(critic):
        for part, (one, share) in enumerate(cut(batch, pieces)):
            count = len(one.source)
            with training.autocast():
                if pieces > 1:
                    maps, painting = painted(one)
                    seen = critic.features(augment.augment(painting[:count], one.random, strength))
                judged = loss.generator(critic.heads(seen).float(), None)
                with unremembered(translator):
                    after = translator.heads(translator.look(painting), one.places)
                # Second: weights that are first used without a way back have none in all of this autocast.
                with torch.no_grad():
                    before = translator.heads(maps, one.places)
            # In float32: what is divided by so low a temperature loses too much in bfloat16.
            of_sources = mean_contrast(after, before, slice(0, count))
            loss_g = judged + weights[0] * of_sources
            if match:
                apart = set_distance(over_places(seen), aims[part])
                loss_g = loss_g + match * apart
                add(numbers, share, apart=apart)
            if weights[1]:
                loss_g = loss_g + weights[1] * mean_contrast(after, before, slice(count, None))
            (share * loss_g).backward()
            add(numbers, share, loss_g=loss_g, contrast=of_sources)
        training.optimizer_g.step()
    return numbers


def matched(training: Training) -> float:
    """How much paintings, taken together, should look like targets to trained eyes; without these not at all."""
    dials = training.settings.dials
    return dials["match"] if dials["eyes"] else 0.0


def mean_contrast(after: list[Tensor], before: list[Tensor], rows: slice) -> Tensor:
    """The contrast of the patches of some pictures, averaged over the depths: a scalar."""
    terms = [patch_contrast(query[rows].float(), key[rows].float()) for query, key in zip(after, before)]
    return torch.stack(terms).mean()


def cycle(training: Training, draw: Callable[[int], Two], now: int) -> dict[str, Tensor]:
    """Trains both critics once and both translators once: Zhu 2017, equation 3, with the identity of section 5.2.

    The translators lower their critics' verdicts, lambda times how far pictures are from themselves after going there
    and back (both ways round), and lambda times the dial `identity` times how much pictures are changed by the
    translator that leads to their own set; lambda is the dial `cycle`. The critics see the paintings through a pool
    of the last 50. With trained eyes the translators also lower how far their paintings are, on the whole, from the set
    that they lead to (dial `match`). Returns detached 0-d tensors: loss_g, loss_d, `cycle` (0 to 2, the mean of both
    ways), the mean logits of targets and paintings, `apart`.
    """
    loss, pieces, dials = training.recipe.loss, training.pieces, training.settings.dials
    translator, critic, strength = training.generator, training.discriminator, dials["augment"]
    ways, match = (translator.there, translator.back), matched(training)

    def painted(one: Two) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """Paintings there (B, 3, S, S) and back, and how far the identity is missed on average."""
        fakes, missed = [], one.source.new_zeros(())
        for way, x, y in zip(ways, (one.source, one.target), (one.target, one.source)):
            both = way(torch.cat([x, y]) if dials["identity"] else x)
            fakes.append(both[: len(x)])
            if dials["identity"]:
                missed = missed + absolute(both[len(x) :], y)
        return tuple(fakes), missed

    numbers: dict[str, Tensor] = {}
    aims: list[list[list[Tensor]]] = []  # what the pictures of either set look like, for each part
    training.optimizer_d.zero_grad(set_to_none=True)
    batch = draw(0)
    for one, share in cut(batch, pieces):
        with training.autocast():
            with torch.set_grad_enabled(pieces == 1):
                fakes, missed = painted(one)
            loss_d, means = 0, torch.zeros(2, device=one.source.device)
            aims.append([])
            for judge, kept, fake, y, plan in zip(
                critic.judges, critic.pools, fakes, (one.target, one.source), one.pooled
            ):
                with torch.no_grad():
                    shown = augment.augment(pool.shown(kept, fake, plan), one.random, strength)
                    seen = judge.features(shown)
                    real = judge.features(augment.augment(y, one.random, strength))
                    if match:
                        aims[-1].append(over_places(real))
                logits_fake, logits_real = judge.heads(seen).float(), judge.heads(real).float()
                loss_d = loss_d + loss.discriminator(logits_real, logits_fake)
                means = means + torch.stack([logits_real.detach().mean(), logits_fake.detach().mean()]) / 2
        (share * loss_d).backward()
        add(numbers, share, loss_d=loss_d, logits_real=means[0], logits_fake=means[1])
    training.optimizer_d.step()

    training.optimizer_g.zero_grad(set_to_none=True)
    with frozen(critic):
        for part, (one, share) in enumerate(cut(batch, pieces)):
            with training.autocast():
                if pieces > 1:
                    fakes, missed = painted(one)
                seen = [
                    judge.features(augment.augment(fake, one.random, strength))
                    for judge, fake in zip(critic.judges, fakes)
                ]
                judged = sum(
                    loss.generator(judge.heads(maps).float(), None)
                    for judge, maps in zip(critic.judges, seen)
                )
                with unremembered(translator):
                    again = [way(fake) for way, fake in zip(reversed(ways), fakes)]
            missing = sum(absolute(x, y) for x, y in zip(again, (one.source, one.target)))
            loss_g = judged + dials["cycle"] * (missing + dials["identity"] * missed)
            if match:
                apart = sum(set_distance(over_places(maps), y) for maps, y in zip(seen, aims[part]))
                loss_g = loss_g + match * apart
                add(numbers, share, apart=apart / 2)
            (share * loss_g).backward()
            add(numbers, share, loss_g=loss_g, cycle=missing / 2)
        training.optimizer_g.step()
    return numbers
