"""A taste learnt from few likes: it ranks what is like them first, says how sure it is, and guesses where it must."""

import numpy as np
import pytest

from gan_play.measure import taste

D = 200


def pictures(count: int, seed: int, liked: float = 0.0) -> np.ndarray:
    """Features: noise, and in the first of them how much there is to like."""
    found = np.random.default_rng(seed).normal(0, 1, (count, D)).astype(np.float32)
    found[:, 0] += liked
    return found


def test_what_is_like_the_liked_ones_comes_first_and_it_says_so():
    learnt = taste.learn(pictures(30, 1, 6), pictures(100, 2))
    others = np.concatenate([pictures(20, 3, 6), pictures(80, 4)])
    best = np.argsort(-taste.score(learnt, others))[:20]
    assert (best < 20).mean() >= 0.9
    assert (learnt.liked, learnt.passed, learnt.pairs, learnt.sure) == (30, 100, 30, "well")


@pytest.mark.parametrize("seed", range(4))
def test_where_there_is_nothing_to_learn_it_says_that_it_guesses(seed):
    learnt = taste.learn(pictures(30, 10 + seed), pictures(30, 20 + seed))
    assert learnt.right <= 20 and learnt.sure == "guess"


def test_too_few_are_no_taste_and_of_too_many_the_newest_count():
    assert taste.learn(pictures(taste.LEAST - 1, 1), pictures(50, 2)) is None
    assert taste.learn(pictures(50, 1), pictures(taste.LEAST - 1, 2)) is None
    learnt = taste.learn(pictures(taste.MOST + 20, 1, 5), pictures(taste.MOST + 300, 2))
    assert (learnt.liked, learnt.passed, learnt.pairs) == (taste.MOST, taste.MOST, taste.MOST_PAIRS)


def test_the_answer_is_the_minimum_of_the_loss_from_every_start():
    z, y = pictures(40, 5)[:, :6].astype(float), np.repeat([1.0, -1.0], [10, 30])
    z[:10, 0] += 1
    weights = taste.fit(z, y, 0.1)

    def loss(w):
        share = np.where(y > 0, 0.5 / 10, 0.5 / 30)
        return (share * np.log1p(np.exp(-y * (z @ w[:-1] + w[-1])))).sum() + 0.05 * (w[:-1] ** 2).sum()

    for seed in range(20):
        assert loss(weights) <= loss(weights + np.random.default_rng(seed).normal(0, 0.01, 7))
    assert np.allclose(weights, taste.fit(z, y, 0.1, start=np.full(7, 3.0)), atol=1e-4)


def test_pictures_that_are_all_the_same_break_nothing():
    learnt = taste.learn(np.ones((8, D), np.float32), np.ones((8, D), np.float32))
    assert learnt.sure == "guess" and np.isfinite(taste.score(learnt, np.ones((3, D), np.float32))).all()


def test_how_sure_is_a_bound_that_grows_with_the_pairs():
    def bound(right: int, pairs: int) -> float:
        return taste.Taste(np.zeros(1), 0.0, np.zeros(1), 1.0, 9, 9, pairs, right).at_least

    assert bound(4, 5) < bound(16, 20) < bound(32, 40) < 0.8 and bound(5, 10) < 0.5 and bound(0, 0) < 0.5
