"""Steps between two sets: the draws, the losses beside slow references, exact resume, parts, and that they learn."""

import copy
import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gan_play.refusals import Refused
from gan_play.trainers import loop, losses, pool, unpaired
from gan_play.trainers.recipes import Settings, check_settings, recipe_of
from tests import toys

EACH = pytest.mark.parametrize("recipe", ["cut", "cyclegan"])
PIXELS = np.random.default_rng(0).integers(0, 256, (13, 32, 32, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1])
STILL = {"mirror": 0, "jitter": 0}


def settings(recipe: str, **changes: object) -> Settings:
    plain = {"recipe": recipe, "size_px": 32, "batch": 3, "width": 4, "seed": 3, "num_labels": 2}
    return check_settings(plain | changes)


def steps(
    training: loop.Training, count: int, pixels: np.ndarray = PIXELS, labels: np.ndarray = LABELS
) -> list:
    ticks = loop.train(training, pixels, labels)
    made = [next(ticks) for _ in range(count)]
    ticks.close()
    return made


def drawn(training: loop.Training, now: int = 1, labels: np.ndarray = LABELS) -> unpaired.Two:
    data = torch.from_numpy(PIXELS).permute(0, 3, 1, 2)
    return unpaired.draw(training, data, torch.from_numpy(labels), now)


def place_of(x: torch.Tensor) -> int:
    """Which of `PIXELS` a picture (3, S, S) is."""
    pixels = ((x + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return next(place for place, one in enumerate(PIXELS) if (one == pixels).all())


@pytest.fixture
def in_float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All that is made, drawn and cast is in double precision, so that what differs is no rounding."""
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def one_step(mine: Settings, now: int = 1, rate: float = 0.0) -> tuple[loop.Training, dict[str, float]]:
    """A training after one step at this learning rate, with its gradients, and the numbers of the step."""
    training = loop.begin(mine)
    for optimizer in (training.optimizer_g, training.optimizer_d):
        optimizer.param_groups[0]["lr"] = rate
    numbers = training.recipe.step(training, lambda _part: drawn(training, now), now)
    return training, {name: float(number) for name, number in numbers.items()}


# What a step learns from


@EACH
def test_a_step_draws_from_either_set_each_picture_once_an_epoch(recipe):
    training = loop.begin(settings(recipe, batch=4, dials=STILL))
    seen = [drawn(training, now) for now in range(1, 9)]
    sources = [place_of(x) for one in seen for x in one.source][:30]
    targets = [place_of(x) for one in seen for x in one.target][:32]
    assert all(sorted(sources[i : i + 5]) == [0, 3, 5, 6, 9] for i in range(0, 30, 5))
    assert all(sorted(targets[i : i + 8]) == [1, 2, 4, 7, 8, 10, 11, 12] for i in range(0, 32, 8))


def test_sets_of_one_size_dont_meet_in_the_same_pairs_and_back_turns_them_round():
    labels = np.arange(12) % 2
    there = drawn(loop.begin(settings("cut", batch=6, dials=STILL)), 1, np.append(labels, 1)[:13])
    pairs = set()
    training = loop.begin(settings("cut", batch=6, dials=STILL))
    for now in range(1, 8):
        one = drawn(training, now, np.append(labels, 5))
        pairs |= {(place_of(x), place_of(y)) for x, y in zip(one.source, one.target)}
    assert len(pairs) > 20  # of 36, where 6 would be the same ones in each epoch
    back = drawn(loop.begin(settings("cut", batch=6, dials=STILL | {"back": 1})), 1)
    assert {int(LABELS[place_of(x)]) for x in back.source} == {1}
    assert {place_of(x) % 2 for x in there.source} == {0}


@EACH
def test_a_draw_is_a_function_of_seed_and_step(recipe):
    training = loop.begin(settings(recipe))
    once, again, later = drawn(training, 40), drawn(training, 40), drawn(training, 41)
    for a, b in zip((once.source, once.target, *once.places), (again.source, again.target, *again.places)):
        assert torch.equal(a, b)
    assert once.pooled == again.pooled and once.pooled != later.pooled
    assert not torch.equal(once.source, later.source)
    counts = [(32 // stride) ** 2 for stride in training.generator.compared]
    assert all(int(place.max()) < count for place, count in zip(once.places, counts))
    assert [len(set(place.tolist())) for place in once.places] == [
        min(unpaired.PATCHES, count) for count in counts
    ]


@pytest.mark.parametrize(
    "recipe, dials, wanted",
    [("cut", {"eyes": 0}, [128, 128, 64, 64, 64]), ("cut", {}, [128, 128]), ("cyclegan", {}, [])],
)
def test_pixels_are_compared_by_the_papers_network_alone_and_nothing_is_where_a_way_leads_back(
    recipe, dials, wanted
):
    assert [len(place) for place in drawn(loop.begin(settings(recipe, dials=dials))).places] == wanted


# What it lowers


def test_the_losses_of_cut_are_those_of_a_slow_reference(in_float64):
    dials = STILL | {"contrast": 2, "identity": 0.5, "eyes": 0, "augment": 0}
    training, numbers = one_step(settings("cut", dials=dials))
    translator, critic, one = training.generator, training.discriminator, drawn(training)

    def far(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """PatchNCE of what x became, y, beside x: picture by picture, depth by depth."""
        terms = []
        with torch.no_grad():
            keys = translator.heads(translator.look(x), one.places)
        for query, key in zip(translator.heads(translator.look(y), one.places), keys):
            for mine, theirs in zip(query, key):
                terms.append(F.cross_entropy(mine @ theirs.T / 0.07, torch.arange(len(mine))))
        return torch.stack(terms).mean()

    fake, same = translator(one.source), translator(one.target)
    loss_d = ((critic(one.target) - 1) ** 2).mean() / 2 + (critic(fake) ** 2).mean() / 2
    loss_g = ((critic(fake) - 1) ** 2).mean() + 2 * far(one.source, fake) + 0.5 * far(one.target, same)
    assert numbers["loss_d"] == pytest.approx(loss_d.item(), rel=1e-9)
    assert numbers["loss_g"] == pytest.approx(loss_g.item(), rel=1e-9)
    for network, loss in ((translator, loss_g), (critic, loss_d)):
        found = {name: p.grad for name, p in network.named_parameters()}
        wanted = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
        for (name, gradient), by_reference in zip(found.items(), wanted):
            assert torch.allclose(gradient, by_reference, rtol=1e-6, atol=1e-10), name


def test_the_losses_of_cyclegan_are_those_of_a_slow_reference(in_float64):
    training, numbers = one_step(
        settings("cyclegan", dials=STILL | {"cycle": 7, "identity": 0.3, "eyes": 0, "augment": 0})
    )
    (there, back), (judge_there, judge_back) = training.generator.children(), training.discriminator.judges
    one = drawn(training)
    x, y = one.source, one.target
    to_y, to_x = there(x), back(y)
    loss_d = sum(
        ((judge(real) - 1) ** 2).mean() / 2 + (judge(fake) ** 2).mean() / 2
        for judge, real, fake in ((judge_there, y, to_y), (judge_back, x, to_x))
    )
    cycle = (back(to_y) - x).abs().mean() + (there(to_x) - y).abs().mean()
    same = (there(y) - y).abs().mean() + (back(x) - x).abs().mean()
    judged = ((judge_there(to_y) - 1) ** 2).mean() + ((judge_back(to_x) - 1) ** 2).mean()
    loss_g = judged + 7 * cycle + 7 * 0.3 * same
    assert numbers["cycle"] == pytest.approx(cycle.item() / 2, rel=1e-9)
    assert numbers["loss_d"] == pytest.approx(loss_d.item(), rel=1e-9)
    assert numbers["loss_g"] == pytest.approx(loss_g.item(), rel=1e-9)
    for network, loss in ((training.generator, loss_g), (training.discriminator, loss_d)):
        wanted = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
        for (name, p), by_reference in zip(network.named_parameters(), wanted):
            assert torch.allclose(p.grad, by_reference, rtol=1e-6, atol=1e-10), name


@EACH
def test_without_identity_the_other_set_isnt_translated_at_all(recipe):
    training, numbers = one_step(settings(recipe, dials={"identity": 0}))
    assert np.isfinite(list(numbers.values())).all()
    assert all(p.grad is not None for p in training.generator.parameters() if p.requires_grad)


@EACH
def test_every_weight_learns_in_bfloat16_too(recipe):
    training, numbers = one_step(settings(recipe, precision="bfloat16"))
    assert np.isfinite(list(numbers.values())).all()
    learning = {name: p for name, p in training.generator.named_parameters() if p.requires_grad}
    assert [name for name, p in learning.items() if p.grad is None or not p.grad.any()] == []
    assert all("noise" in name for name, _ in training.generator.named_parameters() if name not in learning)


# Going on, and going on in parts


@EACH
def test_a_training_that_was_interrupted_ends_bit_identical_with_its_pool_and_its_heads(recipe):
    mine = settings(recipe, dials={"eyes": 0})
    whole = loop.begin(mine)
    steps(whole, 19)  # 57 paintings: the pool is full
    half_way = {name: tensor.clone() for name, tensor in whole.tensors().items()}
    steps(whole, 3)
    resumed = loop.begin(mine)
    resumed.load(half_way)
    steps(resumed, 3)
    ends = whole.tensors(), resumed.tensors()
    assert [name for name in ends[0] if not torch.equal(ends[0][name], ends[1][name])] == []
    changing = "discriminator.pool_there" if recipe == "cyclegan" else "generator.heads.0.0.weight"
    assert not torch.equal(half_way[changing], ends[0][changing])


@EACH
def test_a_step_in_parts_has_the_gradients_of_the_whole_also_when_the_pool_is_full(recipe, in_float64):
    now = 40
    plans = drawn(loop.begin(settings(recipe, batch=5)), now).pooled
    assert any(swap for plan in plans for _, swap in plan)
    ends = []
    for pieces in (1, 2):
        mine = settings(recipe, batch=5, accumulate=pieces, dials={"augment": 1, "eyes": 0})
        training, numbers = one_step(mine, now)
        networks = (training.generator, training.discriminator)
        gradients = [p.grad for network in networks for p in network.parameters()]
        ends.append((gradients, numbers, list(training.discriminator.buffers())))
    assert ends[0][1] == pytest.approx(ends[1][1], rel=1e-9)
    assert all(torch.allclose(a, b, rtol=1e-7, atol=1e-10) for a, b in zip(ends[0][0], ends[1][0]))
    assert all(torch.equal(a, b) for a, b in zip(ends[0][2], ends[1][2]))


@EACH
@pytest.mark.parametrize("eyes", [0, 1])
def test_it_goes_on_exactly_with_trained_eyes_and_with_the_papers_own_critic(recipe, eyes):
    mine = settings(recipe, dials={"eyes": eyes, "augment": 1})
    whole, resumed = loop.begin(mine), loop.begin(mine)
    ticks = steps(whole, 2)
    assert all(np.isfinite(float(number)) for tick in ticks for number in tick.numbers.values())
    resumed.load({name: tensor.clone() for name, tensor in whole.tensors().items()})
    steps(whole, 1)
    steps(resumed, 1)
    ends = whole.tensors(), resumed.tensors()
    assert [name for name in ends[0] if not torch.equal(ends[0][name], ends[1][name])] == []
    assert {name: shape for name, (shape, _) in loop.expected_shapes(mine).items()} == {
        name: tuple(tensor.shape) for name, tensor in ends[0].items()
    }


def test_the_state_of_cyclegan_holds_two_pools_of_fifty():
    shapes = loop.expected_shapes(settings("cyclegan"))
    pools = {name: shape for name, shape in shapes.items() if "pool" in name}
    assert pools == {
        f"discriminator.pool_{way}": ((pool.POOLED, 3, 32, 32), "uint8") for way in ("there", "back")
    }


@EACH
def test_with_trained_eyes_it_learns_as_projected_gans_do_and_else_as_its_paper_says(recipe):
    eyes, own = (recipe_of(settings(recipe, dials={"eyes": eyes})) for eyes in (1, 0))
    assert eyes.loss is losses.HINGE and eyes.betas[0] == 0 and max(eyes.rates) > 2e-4
    assert (own.loss, own.rates, own.betas) == (losses.LEAST_SQUARES, (2e-4, 2e-4), (0.5, 0.999))
    assert own.batches == (4, 2, 1) and own.level_steps == 0
    assert loop.begin(settings(recipe)).recipe == eyes  # the default


def test_a_cyclegan_from_before_it_had_eyes_is_read_with_the_networks_it_had():
    new = settings("cyclegan")
    old = new.to_json()
    del old["dials"]["eyes"]
    assert new.dials["eyes"] == 1 and Settings.from_json(new.to_json()) == new
    read = Settings.from_json(old)
    assert read.dials["eyes"] == 0
    assert "discriminator.judges.1.norms.0.weight" in loop.expected_shapes(read)
    assert not loop.begin(read).generator.there.skip


@EACH
def test_a_training_with_eyes_from_before_there_were_styled_blocks_keeps_its_network_and_its_rates(recipe):
    old = settings(recipe).to_json()
    del old["dials"]["styled"]
    read, new = Settings.from_json(old), settings(recipe)
    assert read.dials["styled"] == 0 and new.dials["styled"] == 1
    assert recipe_of(read).rates == (5e-4, 1e-3) and recipe_of(new).rates == (4e-3, 1e-3)
    assert any(
        "generator.blocks.0.first" in n or "there.blocks.0.first" in n for n in loop.expected_shapes(read)
    )
    assert not any(".style" in name for name in loop.expected_shapes(read))
    assert any(".style" in name for name in loop.expected_shapes(new))


def test_what_styled_blocks_made_of_each_place_is_compared_as_a_slow_reference_does():
    training, numbers = one_step(settings("cut", dials=STILL | {"augment": 0}))
    translator, one = training.generator, drawn(training)
    with torch.no_grad():
        maps = translator.look(one.source)
        keys = translator.heads(maps, one.places)
        queries = translator.heads(translator.look(translator.paint(maps)), one.places)
    terms = [
        F.cross_entropy(mine @ theirs.T / 0.07, torch.arange(len(mine)))
        for query, key in zip(queries, keys)
        for mine, theirs in zip(query, key)
    ]
    assert len(keys) == len(maps) - 1
    assert numbers["contrast"] == pytest.approx(torch.stack(terms).mean().item(), rel=1e-4)


@EACH
def test_what_all_paintings_are_apart_from_the_other_set_is_that_of_a_slow_reference(recipe):
    mine = settings(recipe, dials=STILL | {"augment": 0, "match": 3})
    training, numbers = one_step(mine)
    without, plain = one_step(dataclasses.replace(mine, dials=mine.dials | {"match": 0}))
    one = drawn(training)
    if recipe == "cut":
        ways = [(training.discriminator, training.generator, one.source, one.target)]
    else:
        (there, back), judges = training.generator.children(), training.discriminator.judges
        ways = [(judges[0], there, one.source, one.target), (judges[1], back, one.target, one.source)]
    apart = []
    for critic, translator, x, y in ways:
        with torch.no_grad():
            apart.append(toys.set_distance(critic.features(translator(x)), critic.features(y)))
    assert numbers["apart"] == pytest.approx(np.mean(apart), rel=1e-3)
    added = numbers["loss_g"] - plain["loss_g"]
    assert added == pytest.approx(3 * len(ways) * np.mean(apart), rel=1e-3)
    assert "apart" not in plain


def test_paintings_that_are_looked_at_again_leave_the_norms_of_later_pictures_alone(monkeypatch):
    """The running statistics are those of sources alone, though the critic's and the contrast's part look at more."""
    training = loop.begin(settings("cut", dials=STILL))
    training.generator.train()
    one = drawn(training)
    alone = copy.deepcopy(training.generator)
    with torch.no_grad():
        alone(one.source)
    training.optimizer_g.param_groups[0]["lr"] = training.optimizer_d.param_groups[0]["lr"] = 0.0
    training.recipe.step(training, lambda _part: one, 1)
    for name, buffer in alone.named_buffers():
        if "running" in name:
            assert torch.allclose(buffer, training.generator.get_buffer(name), atol=1e-6), name


def test_the_eyes_of_both_ways_are_one_network_that_belongs_to_no_state():
    there, back = loop.begin(settings("cyclegan")).discriminator.judges
    x = torch.zeros(1, 3, 32, 32)
    assert not torch.equal(there(x), back(x))
    assert not any("stem" in name for name in loop.expected_shapes(settings("cyclegan")))


# Learning


def two_sets(count: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Soft patterns in shades of grey, and others in shades of orange."""
    random = torch.Generator().manual_seed(0)
    grey = F.interpolate(torch.rand(2 * count, 1, 5, 5, generator=random), size=32, mode="bicubic")
    grey = grey.clamp(0, 1).expand(-1, 3, -1, -1).clone()
    grey[count:] *= torch.tensor([1.0, 0.6, 0.1])[:, None, None]
    pixels = (grey * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return pixels, np.repeat([0, 1], count)


@pytest.mark.parametrize(
    "recipe, eyes, count",
    [
        ("cut", 1, 20),
        *(
            pytest.param(*one, marks=pytest.mark.slow)
            for one in (("cut", 0, 70), ("cyclegan", 0, 40), ("cyclegan", 1, 16))
        ),
    ],
)
def test_it_learns_to_tint_grey_patterns_and_keeps_the_patterns(recipe, eyes, count):
    pixels, labels = two_sets()
    still = {"mirror": 0, "augment": 0, "eyes": eyes}
    if recipe == "cut" and eyes:
        still |= {"contrast": 1, "match": 0}  # few and small batches say little of a whole folder
    if not eyes:  # and all else as in the papers
        still |= {"identity": 1} if recipe == "cut" else {"cycle": 10, "identity": 0.5}
    mine = settings(recipe, batch=2, width=4, dials={"rate_g": 4, "rate_d": 4} | still)
    training = loop.begin(mine)
    steps(training, count, pixels, labels)
    x = unpaired.as_floats(torch.from_numpy(pixels[:8]).permute(0, 3, 1, 2))
    y = training.translate(x)
    red, _, blue = ((y + 1) / 2).mean(dim=(0, 2, 3)).tolist()
    assert red - blue > 0.2  # of grey ones 0, of orange ones 0.45
    before, after = x.mean(dim=1).flatten(1), y[:, 0].flatten(1)
    alike = [float(torch.corrcoef(torch.stack(pair))[0, 1]) for pair in zip(before, after)]
    assert np.mean(alike) > 0.8


# What it refuses


@EACH
@pytest.mark.parametrize("num_labels", [0, 1, 3])
def test_any_number_of_folders_but_two_is_refused_in_a_sentence(recipe, num_labels):
    with pytest.raises(Refused, match="two folders"):
        settings(recipe, num_labels=num_labels)
