"""The scores against their definitions, a well-kept library, closed forms of Gaussians, and common sense."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from gan_play.measure.scores import (
    Scores,
    compare,
    density_coverage,
    fid,
    inception_score,
    kid,
    kid_interval,
    precision_recall,
    reached,
    tell_apart,
    verdict,
)


def features_of(count: int, size: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    """Features as networks give them: correlated, never negative, float32."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).normal(size=(size, size)) / size**0.5
    return np.maximum(scale * random.normal(size=(count, size)) @ mixing + 0.5 + shift, 0).astype(np.float32)


PAIRS = {
    "more pictures than features": (features_of(150, 24, 0), features_of(130, 24, 1, 0.2)),
    "fewer pictures than features": (features_of(40, 96, 0), features_of(50, 96, 1, 0.2, 0.7)),
    "much the same": (features_of(90, 32, 0), features_of(90, 32, 1)),
    "far apart": (features_of(60, 16, 0), features_of(60, 16, 1, 3.0)),
}
each_pair = pytest.mark.parametrize(("real", "fake"), PAIRS.values(), ids=PAIRS.keys())


def exact_sample(count: int, mean: np.ndarray, root: np.ndarray, seed: int) -> np.ndarray:
    """Features whose sample mean is `mean` and whose sample covariance is root root^T, to rounding."""
    x = np.random.default_rng(seed).normal(size=(count, len(mean)))
    x -= x.mean(axis=0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    return x @ root.T + mean


# Frechet distance


@each_pair
def test_fid_is_that_of_torch_fidelity(real: np.ndarray, fake: np.ndarray) -> None:
    theirs = fid_statistics_to_metric(
        *(fid_features_to_statistics(torch.from_numpy(x.astype(np.float64))) for x in (fake, real)), False
    )
    # Where the covariances are singular, their root of a product of rounding errors is the coarser one.
    assert fid(real, fake) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-5, abs=1e-5)


def test_fid_of_diagonal_gaussians_is_the_closed_form() -> None:
    random = np.random.default_rng(0)
    mean, other_mean = random.normal(size=(2, 12))
    spread, other_spread = random.uniform(0.1, 2, (2, 12))
    a = exact_sample(60, mean, np.diag(spread), 1)
    b = exact_sample(45, other_mean, np.diag(other_spread), 2)
    closed = ((mean - other_mean) ** 2).sum() + ((spread - other_spread) ** 2).sum()
    assert fid(a, b) == pytest.approx(closed, rel=1e-9)


def test_fid_of_turned_gaussians_is_the_closed_form_for_two_features() -> None:
    mean, other_mean = np.array([1.0, 2.0]), np.array([-1.0, 0.5])
    root, other_root = np.array([[1.0, 0.0], [0.8, 0.3]]), np.array([[0.4, 0.0], [-0.9, 1.5]])
    s, t = root @ root.T, other_root @ other_root.T
    product = s @ t
    common = math.sqrt(np.trace(product) + 2 * math.sqrt(np.linalg.det(product)))  # tr of a 2 x 2 root
    closed = ((mean - other_mean) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * common
    found = fid(exact_sample(30, mean, root, 0), exact_sample(40, other_mean, other_root, 1))
    assert found == pytest.approx(closed, rel=1e-9)


def test_fid_of_a_large_sample_of_gaussians_comes_to_the_closed_form() -> None:
    random = np.random.default_rng(4)
    a, b = random.normal(0, 1, (20_000, 4)), random.normal(0.5, 2, (20_000, 4))
    assert fid(a, b) == pytest.approx(4 * 0.25 + 4 * 1.0, rel=0.03)


def test_fid_of_a_set_with_itself_is_zero_also_where_its_covariance_is_singular() -> None:
    few = features_of(20, 200, 0)
    assert fid(few, few) == pytest.approx(0, abs=1e-9)
    same = np.repeat(few[:1], 20, axis=0)
    assert fid(same, same) == 0
    assert fid(few, few[::-1] + 1) == pytest.approx(200, rel=1e-6)


def test_fid_keeps_its_digits_where_features_lie_far_from_zero() -> None:
    a, b = features_of(80, 10, 0), features_of(80, 10, 1, 0.3)
    assert fid(a.astype(np.float64) + 1e5, b.astype(np.float64) + 1e5) == pytest.approx(fid(a, b), rel=1e-6)


# Kernel distance


def test_kid_is_binkowskis_estimate_by_hand() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(4, 3)), random.normal(size=(5, 3))

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return (sum(p * q for p, q in zip(a, b)) / 3 + 1) ** 3

    by_hand = sum(k(x[i], x[j]) for i in range(4) for j in range(4) if i != j) / (4 * 3)
    by_hand += sum(k(y[i], y[j]) for i in range(5) for j in range(5) if i != j) / (5 * 4)
    by_hand -= 2 * sum(k(a, b) for a in x for b in y) / 20
    assert kid(x, y) == pytest.approx(by_hand, rel=1e-9)


@each_pair
def test_kid_of_blocks_is_that_of_torch_fidelity(real: np.ndarray, fake: np.ndarray) -> None:
    size, blocks = 30, 12
    theirs = kid_features_to_metric(
        *(torch.from_numpy(x.astype(np.float64)) for x in (real, fake)),
        **{"kid_subsets": blocks, "kid_subset_size": size, "rng_seed": 3, "verbose": False},
    )
    random = np.random.RandomState(3)  # the blocks that they draw
    drawn = [[random.choice(len(x), size, replace=False) for x in (real, fake)] for _ in range(blocks)]
    ours = [kid(real[a], fake[b]) for a, b in drawn]
    assert np.mean(ours) == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-9, abs=1e-12)
    assert np.std(ours) == pytest.approx(theirs["kernel_inception_distance_std"], rel=1e-9, abs=1e-12)


def test_kid_does_not_depend_on_how_pairs_are_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = PAIRS["more pictures than features"]
    whole = kid_interval(real, fake)
    monkeypatch.setattr("gan_play.measure.scores.BLOCK_ROWS", 7)
    assert kid_interval(real, fake) == pytest.approx(whole, rel=1e-9)


def kid_of_gaussians(mean: np.ndarray, cov: np.ndarray, mean2: np.ndarray, cov2: np.ndarray) -> float:
    """KID's closed form: (x.y/D + 1)^3 compares the first three moments, as a sum over their tensors."""

    def moments(m: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, ...]:
        third = np.einsum("i,j,k->ijk", m, m, m)
        for spec in ("i,jk->ijk", "j,ik->ijk", "k,ij->ijk"):
            third = third + np.einsum(spec, m, s)
        return m, s + np.outer(m, m), third

    gaps = [((a - b) ** 2).sum() for a, b in zip(moments(mean, cov), moments(mean2, cov2))]
    return sum(math.comb(3, i) * gap / len(mean) ** i for i, gap in enumerate(gaps, start=1))


def test_kid_of_gaussians_comes_to_the_closed_form() -> None:
    random = np.random.default_rng(5)
    mean, mean2 = random.normal(size=(2, 3))
    root, root2 = random.normal(size=(2, 3, 3)) / 2
    truth = kid_of_gaussians(mean, root @ root.T, mean2, root2 @ root2.T)
    a = random.normal(size=(6_000, 3)) @ root.T + mean
    b = random.normal(size=(6_000, 3)) @ root2.T + mean2
    assert kid(a, b) == pytest.approx(truth, rel=0.06)


def test_one_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="two pictures"):
        kid(np.zeros((1, 3)), np.zeros((5, 3)))
    with pytest.raises(ValueError, match="two pictures"):
        fid(np.zeros((5, 3)), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="four pictures"):
        kid_interval(np.zeros((3, 3)), np.zeros((5, 3)))


def test_features_of_two_networks_and_broken_ones_are_refused() -> None:
    with pytest.raises(ValueError, match="two networks"):
        kid(np.zeros((5, 3)), np.zeros((5, 4)))
    broken = np.zeros((5, 3))
    broken[2, 1] = np.nan
    for score in (kid, fid, precision_recall):
        with pytest.raises(ValueError, match="finite"):
            score(np.zeros((5, 3)), broken)


# How sure one can be


def test_the_same_source_scores_near_zero_and_the_interval_says_so() -> None:
    random = np.random.default_rng(1)
    a, b = random.normal(size=(150, 8)), random.normal(size=(150, 8))
    low, middle, high = kid_interval(a, b)
    assert low < 0 < high
    assert middle == kid(a, b)


def test_a_farther_source_scores_higher_outside_of_the_interval() -> None:
    random = np.random.default_rng(2)
    a = random.normal(size=(150, 8))
    near, far = random.normal(0.3, 1, size=(150, 8)), random.normal(1, 1, size=(150, 8))
    assert kid_interval(a, near)[2] < kid_interval(a, far)[0]


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.6], ids=["the same", "near", "far"])
@pytest.mark.parametrize(("count", "painted"), [(20, 20), (30, 60)])
def test_the_interval_holds_the_truth_in_most_small_sets(shift: float, count: int, painted: int) -> None:
    truth = kid_of_gaussians(np.zeros(4), np.eye(4), np.full(4, shift), np.eye(4))
    held = 0
    for seed in range(40):
        random = np.random.default_rng([seed, count])
        real, fake = random.normal(size=(count, 4)), random.normal(shift, 1, size=(painted, 4))
        low, _, high = kid_interval(real, fake, draws=100)
        held += low <= truth <= high
    assert held >= 34  # 85% of 40


def test_two_intervals_are_told_apart_only_where_chance_alone_would_not_do_it() -> None:
    unsure = "There are not enough pictures to tell these two apart."
    assert verdict((0.10, 0.20), (0.12, 0.26)) == unsure
    assert verdict((-0.1, 0.1), (-0.1, 0.1)) == unsure
    assert verdict((math.nan, math.nan), (0.1, 0.2)) == unsure
    assert verdict((0, math.inf), (0.1, 0.2)) == unsure
    first = verdict((0.10, 0.15, 0.20), (0.30, 0.35, 0.40))
    assert first == "The first comes nearer to the real pictures than the second."
    names = ("projected", "dcgan")
    assert verdict((0.3, 0.4), (0.1, 0.2), names) == "Dcgan comes nearer to the real pictures than projected."
    # They overlap, but their difference, 0.10 give or take 0.085, doesn't reach 0.
    assert verdict((0.0, 0.12), (0.10, 0.22)) == first


def test_a_verdict_on_one_source_is_seldom_that_they_differ() -> None:
    random = np.random.default_rng(0)
    wrong = 0
    for _ in range(40):
        real, a, b = random.normal(size=(3, 40, 6))
        wrong += "not enough" not in verdict(kid_interval(real, a), kid_interval(real, b))
    assert wrong <= 4


def test_more_pictures_tell_apart_what_few_could_not() -> None:
    random = np.random.default_rng(3)
    answers = []
    for count in (16, 600):
        real = random.normal(size=(count, 6))
        a, b = random.normal(0.2, 1, (count, 6)), random.normal(0.35, 1, (count, 6))
        answers.append(verdict(kid_interval(real, a), kid_interval(real, b)))
    assert "not enough" in answers[0] and answers[1].startswith("The first comes nearer")


# What is covered, and what is to the point


@each_pair
@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_precision_and_recall_are_those_of_torch_fidelity(
    real: np.ndarray, fake: np.ndarray, neighbours: int
) -> None:
    theirs = prc_features_to_metric(
        *(torch.from_numpy(x.astype(np.float64)) for x in (fake, real)),
        **{"prc_neighborhood": neighbours, "prc_batch_size": 50, "save_cpu_ram": False, "verbose": False},
    )
    ours = precision_recall(real, fake, neighbours)
    assert ours == pytest.approx((theirs["precision"], theirs["recall"]), abs=1e-6)  # theirs are float32


def by_hand(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """Precision, recall, density, coverage, picture by picture, in float64."""

    def distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.array([[np.sqrt(((a - b) ** 2).sum()) for b in y] for a in x])

    real, fake = real.astype(np.float64), fake.astype(np.float64)
    across = distances(real, fake)
    radius, radius_fake = (np.sort(distances(x, x), axis=1)[:, k] for x in (real, fake))  # [:, 0] is itself
    inside = across <= radius[:, None] * (1 + 1e-12)
    inside_fake = across <= radius_fake[None, :] * (1 + 1e-12)
    density = sum(inside[i, j] for i, j in itertools.product(*map(range, across.shape))) / (k * len(fake))
    coverage = sum(any(row) for row in inside) / len(real)
    precision = sum(any(column) for column in inside.T) / len(fake)
    return precision, sum(any(row) for row in inside_fake) / len(real), density, coverage


@each_pair
@pytest.mark.parametrize("neighbours", [1, 5])
def test_density_and_coverage_are_those_by_hand(
    real: np.ndarray, fake: np.ndarray, neighbours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_play.measure.scores.BLOCK_ROWS", 32)
    real, fake = real[:60], fake[:50]
    found = (*precision_recall(real, fake, neighbours), *density_coverage(real, fake, neighbours))
    assert found == pytest.approx(by_hand(real, fake, neighbours), rel=1e-12)


def test_one_source_covers_and_is_dense_as_in_naeems_closed_form() -> None:
    # Of the k + M - 1 other pictures' ranks only chance decides: density 1, coverage 1 - C(N-1, k) / C(2N-1, k).
    random = np.random.default_rng(6)
    count, found = 100, []
    for _ in range(20):
        real, fake = random.normal(size=(2, count, 6))
        found.append(density_coverage(real, fake))
    density, coverage = np.mean(found, axis=0)
    expected = 1 - math.prod((count - 1 - i) / (2 * count - 1 - i) for i in range(5))
    assert density == pytest.approx(1, abs=0.08)
    assert coverage == pytest.approx(expected, abs=0.02)


def test_half_of_the_reals_left_out_halves_recall_and_coverage_not_precision() -> None:
    random = np.random.default_rng(8)
    a, b = random.normal(0, 1, (200, 4)), random.normal(40, 1, (200, 4))
    real, fake = np.concatenate([a[:100], b[:100]]), a[100:]
    precision, recall = precision_recall(real, fake)
    density, coverage = density_coverage(real, fake)
    assert precision > 0.85 and density > 0.8
    assert 0.4 < recall <= 0.5 and 0.4 < coverage <= 0.5


def test_sets_that_do_not_touch_score_nothing() -> None:
    random = np.random.default_rng(9)
    real, fake = random.normal(0, 1, (30, 4)), random.normal(100, 1, (30, 4))
    assert precision_recall(real, fake) == (0, 0)
    assert density_coverage(real, fake) == (0, 0)


def test_a_copy_counts_as_inside_however_the_distance_is_rounded() -> None:
    real = features_of(70, 300, 0)
    assert precision_recall(real, real[::-1]) == (1, 1)
    density, coverage = density_coverage(real, real[::-1])
    assert coverage == 1
    # Each lies in its own neighbourhood and in those of which it is one of the 5 nearest: 6 for 5 on average.
    assert density == pytest.approx(6 / 5, rel=1e-9)
    same = np.repeat(real[:1], 20, axis=0)
    assert precision_recall(same, same) == (1, 1)


def test_one_stray_real_makes_precision_good_but_not_density() -> None:
    random = np.random.default_rng(10)
    real = np.concatenate([random.normal(0, 1, (60, 4)), np.full((1, 4), 30.0)])
    fake = random.normal(20, 2, (60, 4))  # nowhere near the others
    assert precision_recall(real, fake)[0] == 1
    assert density_coverage(real, fake)[0] == pytest.approx(1 / 5)


# Inception score


def test_the_inception_score_is_that_of_torch_fidelity() -> None:
    logits = torch.from_numpy(np.random.default_rng(0).normal(0, 3, (103, 20)))
    for splits in (1, 10):
        theirs = isc_features_to_metric(logits, splits, shuffle=False)["inception_score_mean"]
        assert inception_score(logits.softmax(dim=1).numpy(), splits) == pytest.approx(theirs, rel=1e-9)


def test_the_inception_score_goes_from_one_to_the_number_of_classes() -> None:
    assert inception_score(np.eye(7)[np.arange(70) % 7]) == pytest.approx(7, rel=1e-12)
    assert inception_score(np.full((10, 4), 0.25)) == pytest.approx(1, rel=1e-12)
    assert inception_score(np.repeat([[0.9, 0.1, 0.0]], 8, axis=0)) == pytest.approx(1, rel=1e-12)


def test_what_is_no_probability_is_refused() -> None:
    for wrong in (np.zeros(5), np.full((5, 3), -1.0), np.full((5, 3), np.nan)):
        with pytest.raises(ValueError, match="probabilities"):
            inception_score(wrong)
    with pytest.raises(ValueError, match="a part"):
        inception_score(np.full((5, 3), 1 / 3), splits=10)


# All together


def test_all_scores_are_those_of_the_single_functions() -> None:
    real, fake = PAIRS["more pictures than features"]
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), len(fake))
    scores = compare(real, fake, network="lite2", probabilities=probabilities)
    low, middle, high = kid_interval(real, fake)
    assert (scores.fid, scores.kid, scores.interval) == (fid(real, fake), middle, (low, high))
    assert (scores.precision, scores.recall) == precision_recall(real, fake)
    assert (scores.density, scores.coverage) == density_coverage(real, fake)
    assert scores.inception_score == inception_score(probabilities)
    assert (scores.real, scores.fake, scores.held_back) == (150, 130, False)
    assert compare(real, fake).inception_score is None


def test_held_back_pictures_do_not_reward_copying() -> None:
    everything = features_of(240, 16, 0)
    train, held = everything[:200], everything[200:]
    copier, painter = train[:150] + 1e-4, features_of(150, 16, 3)
    assert compare(train, copier).coverage > compare(train, painter).coverage
    beside = [compare(train, fake, held) for fake in (copier, painter)]
    assert beside[0].coverage == pytest.approx(beside[1].coverage, abs=0.06)
    assert [(scores.real, scores.held_back) for scores in beside] == 2 * [(40, True)]


def test_scores_say_through_which_network_and_cannot_be_compared_across() -> None:
    real, fake = PAIRS["much the same"]
    here = compare(real, fake)
    assert "lite2" in here.note and "90 paintings" in here.note and "90 pictures of the set" in here.note
    there = dataclasses.replace(here, network="inception")
    assert tell_apart(here, there) == (
        "One was measured through lite2, one through inception: these can't be compared."
    )
    held = dataclasses.replace(here, held_back=True)
    assert "held back" in held.note and "can't be compared" in tell_apart(here, held)
    assert tell_apart(here, here) == verdict(here.interval, here.interval)


def test_scores_are_kept_as_they_were_taken() -> None:
    scores = compare(*PAIRS["much the same"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        scores.kid = 0.0
    assert isinstance(scores, Scores)


def test_what_is_reached_is_what_coverage_counts_and_the_nearest_are_named():
    random = np.random.default_rng(3)
    real, fake = random.normal(size=(90, 4)), random.normal(size=(70, 4)) * 0.5
    share, near = reached(real, fake)
    assert (share <= 1).mean() == density_coverage(real, fake)[1]
    apart = np.linalg.norm(real[:, None] - fake[None], axis=2)
    assert np.array_equal(near, np.argsort(apart, axis=1)[:, :3])
    between = np.sort(np.linalg.norm(real[:, None] - real[None], axis=2), axis=1)
    assert np.allclose(share, apart.min(axis=1) / between[:, 5], rtol=1e-6)
