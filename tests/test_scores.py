"""KID against its definition, and that it orders sets as it should."""

import numpy as np
import pytest

from gan_play.measure.features import features
from gan_play.measure.scores import kid, kid_interval


def test_kid_is_binkowskis_estimate_by_hand():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(4, 3)), random.normal(size=(5, 3))

    def k(a, b):
        return (sum(p * q for p, q in zip(a, b)) / 3 + 1) ** 3

    by_hand = sum(k(x[i], x[j]) for i in range(4) for j in range(4) if i != j) / (4 * 3)
    by_hand += sum(k(y[i], y[j]) for i in range(5) for j in range(5) if i != j) / (5 * 4)
    by_hand -= 2 * sum(k(a, b) for a in x for b in y) / 20
    assert kid(x, y) == pytest.approx(by_hand, rel=1e-9)


def test_one_picture_is_refused():
    with pytest.raises(ValueError, match="two pictures"):
        kid(np.zeros((1, 3)), np.zeros((5, 3)))


def test_the_same_source_scores_near_zero_and_the_interval_says_so():
    random = np.random.default_rng(1)
    a, b = random.normal(size=(150, 8)), random.normal(size=(150, 8))
    low, middle, high = kid_interval(a, b)
    assert low < 0 < high
    assert middle == kid(a, b)


def test_a_farther_source_scores_higher_outside_of_the_interval():
    random = np.random.default_rng(2)
    a = random.normal(size=(150, 8))
    near, far = random.normal(0.3, 1, size=(150, 8)), random.normal(1, 1, size=(150, 8))
    assert kid_interval(a, near)[2] < kid_interval(a, far)[0]


def test_features_of_a_picture_do_not_depend_on_its_neighbours():
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    together, alone = features(pixels), features(pixels[2:3])
    assert together.shape == (5, 1280)
    assert np.allclose(together[2], alone[0], atol=1e-4)
