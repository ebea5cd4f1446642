"""Health: collapses are noticed, healthy trainings are left alone, and augmentation that shows is seen."""

import numpy as np
import pytest

from gan_play.pictures import examples
from gan_play.trainers import augment, health
from gan_play.trainers.health import Variety

COUNT = 150


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Drawn pictures of several kinds: (N, 32, 32, 3)."""
    kinds = list(examples.EXAMPLES)
    return np.stack([examples.draw(kinds[i % len(kinds)], i, 32) for i in range(3 * COUNT)])


@pytest.fixture(scope="module")
def seen(pictures: np.ndarray) -> np.ndarray:
    return health.colours(pictures)


def noisy(pixels: np.ndarray, random: np.random.Generator, level: float = 6) -> np.ndarray:
    return np.clip(pixels + random.normal(0, level, pixels.shape), 0, 255).astype(np.uint8)


# Variety


def test_a_set_beside_itself_has_variety_1():
    x = np.random.default_rng(0).normal(size=(40, 8))
    assert health.variety(x, x) == pytest.approx((1, 1))


def test_variety_is_the_mean_distance_and_the_vendi_score_by_hand():
    real = np.array([[0.0], [2.0]])
    fake = np.array([[0.0], [1.0]])
    spread, distinct = health.variety(real, fake)

    def vendi(k: float) -> float:
        shares = [(1 + k) / 2, (1 - k) / 2]
        return np.exp(-sum(s * np.log(s) for s in shares))

    assert spread == pytest.approx(0.5)
    assert distinct == pytest.approx(vendi(np.exp(-0.5)) / vendi(np.exp(-2)))  # width 1: half of 2


def test_k_pictures_again_and_again_count_as_about_k():
    random = np.random.default_rng(1)
    real = random.normal(size=(100, 32))
    fake = np.repeat(random.normal(size=(5, 32)), 20, axis=0) + random.normal(size=(100, 32)) * 1e-3
    spread, distinct = health.variety(real, fake)
    every = health.variety(real, real[:5].repeat(20, axis=0)).distinct
    assert distinct == pytest.approx(every, rel=0.1) and spread > 0.6  # spread alone wouldn't notice


def test_colours_are_means_of_squares():
    pixels = np.arange(2 * 16 * 16 * 3, dtype=np.uint8).reshape(2, 16, 16, 3)
    found = health.colours(pixels)
    assert found.shape == (2, 192)
    assert found[1, :3] == pytest.approx(pixels[1, :2, :2].mean(axis=(0, 1)))
    assert health.colours(np.zeros((1, 28, 28, 3), np.uint8)).shape == (1, 192)


def test_fading_to_the_mean_counts_though_a_network_still_sees_edges():
    assert health.in_both(Variety(0.8, 0.5), Variety(0.2, 0.9)) == (0.2, 0.5)


def test_one_picture_on_a_side_is_refused():
    with pytest.raises(ValueError, match="two pictures"):
        health.variety(np.zeros((1, 4)), np.zeros((9, 4)))


def test_a_set_of_one_picture_can_be_painted_without_alarm():
    assert health.variety(np.zeros((5, 4)), np.zeros((5, 4))) == (1, 1)


# Collapse

COLLAPSES = [("repeated", k) for k in (1, 2, 3, 5, 8)] + [("shrunk", s) for s in (0, 0.05, 0.1, 0.2, 0.3)]


def collapsed(kind: str, how: float, pictures: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """COUNT pictures by a painter that repeats few with a little noise, or paints all close to the mean."""
    if kind == "repeated":
        some = pictures[random.choice(len(pictures), int(how), replace=False)]
        return noisy(some[random.integers(0, len(some), COUNT)], random)
    some = pictures[random.choice(len(pictures), COUNT, replace=False)].astype(float)
    mean = pictures.mean(axis=0)
    return noisy((mean + how * (some - mean)), random, 2)


def test_at_least_9_of_10_staged_collapses_are_noticed_within_two_evaluations(pictures, seen):
    random, noticed = np.random.default_rng(2), 0
    for kind, how in COLLAPSES:
        order = random.permutation(len(seen))
        real, rest = seen[order[:COUNT]], seen[order[COUNT:]]
        history = [health.variety(real, rest[:COUNT]), health.variety(real, rest[COUNT:])]
        assert health.judge(history).code == "fine"
        for _ in range(2):
            history.append(health.variety(real, health.colours(collapsed(kind, how, pictures, random))))
        noticed += health.judge(history).code == "collapsed"
    assert noticed >= 9


def test_at_most_1_of_20_healthy_trainings_is_called_collapsed(seen):
    random, alarms = np.random.default_rng(3), 0
    for _ in range(20):
        order = random.permutation(len(seen))
        real, rest = seen[order[:COUNT]], order[COUNT:]
        history = [health.variety(real, seen[random.choice(rest, COUNT)]) for _ in range(4)]
        alarms += any(health.judge(history[:i]).code == "collapsed" for i in range(1, 5))
    assert alarms <= 1


def test_a_young_painter_that_gains_variety_is_not_called_collapsed():
    rising = [Variety(s, s / 2) for s in (0.02, 0.1, 0.15, 0.3, 0.38, 0.6)]
    codes = [health.judge(rising[: i + 1]).code for i in range(len(rising))]
    assert codes == ["early"] * 5 + ["fine"]


def test_one_that_never_gains_any_is():
    assert health.judge([Variety(0.05, 0.05)] * 3).code == "collapsed"


def test_one_bad_evaluation_is_told_but_is_no_alarm():
    good, bad = Variety(0.9, 0.8), Variety(0.1, 0.05)
    assert health.judge([good, bad]).code == "narrow"
    assert health.judge([good, bad, good]).code == "fine"
    alarm = health.judge([good, bad, bad], ("augment", "best"))
    assert alarm.code == "collapsed" and alarm.remedies == ("augment", "best") and "10%" in alarm.sentence


def test_nothing_measured_is_said_so():
    assert health.judge([]).code == "early"


@pytest.mark.parametrize(
    "augment, has_best, offered",
    [
        (0.5, True, ("augment", "best", "recipe")),
        (1.0, True, ("best", "recipe")),
        (None, False, ("recipe",)),
    ],
)
def test_only_remedies_that_change_something_are_offered(augment, has_best, offered):
    assert health.remedies_for(augment, has_best) == offered
    assert set(offered) <= health.REMEDIES.keys()


def test_the_dial_goes_up_to_its_end_and_down_to_nothing():
    assert [health.turned_up(a) for a in (0, 0.5, 0.9, 1)] == [0.5, 0.75, 1, 1]
    downs = [1.0]
    while downs[-1]:
        downs.append(health.turned_down(downs[-1]))
    assert downs == [1.0, 0.5, 0.25, 0.12, 0.0]


# Augmentation that shows


def cut(pixels: np.ndarray, level: float = 127, softness: float = 5) -> np.ndarray:
    """With a grey square of half the side in every second picture, as a painter would paint it: roughly."""
    random, x = np.random.default_rng(4), pixels.astype(float)
    for picture in x[::2]:
        top, left = random.integers(0, 16, 2)
        picture[top : top + 16, left : left + 16] = level + random.normal(0, softness, (16, 16, 3))
    return np.clip(x, 0, 255).astype(np.uint8)


def pulled(pixels: np.ndarray) -> np.ndarray:
    """Shifted by an eighth with the edge pulled out, as `augment.shift` does."""
    return np.concatenate([np.repeat(pixels[:, :, :1], 4, axis=2), pixels[:, :, :-4]], axis=2)


@pytest.mark.parametrize("change", [lambda x: x, cut, pulled], ids=["plain", "cut", "pulled"])
def test_what_comes_from_the_set_does_not_count_as_a_leak(pictures, change):
    random = np.random.default_rng(5).permutation(len(pictures))
    given = change(pictures)[random]
    assert health.shows(health.leak(given[::2], given[1::2])) == []


def test_cut_boxes_show(pictures):
    assert health.shows(health.leak(pictures, cut(pictures))) == ["cut boxes"]


def test_pulled_borders_show(pictures):
    assert "pulled borders" in health.shows(health.leak(pictures, pulled(pictures)))


def test_a_colour_cast_shows(pictures):
    tinted = np.clip(pictures + np.array([60, 0, -40]), 0, 255).astype(np.uint8)
    assert "a colour cast" in health.shows(health.leak(pictures, tinted))


def test_a_grey_beginning_is_no_cut_box(pictures):
    fog = np.full_like(pictures, 127)
    assert health.leak(pictures, fog).boxes == 0


def test_what_the_augmentation_itself_does_would_be_seen(pictures):
    import torch

    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    shaken = augment.augment(x, torch.Generator().manual_seed(0))
    pixels = ((shaken + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    assert {"cut boxes", "pulled borders"} <= set(health.shows(health.leak(pictures, pixels)))


def test_no_pictures_are_refused():
    with pytest.raises(ValueError, match="each side"):
        health.leak(np.zeros((0, 8, 8, 3), np.uint8), np.zeros((3, 8, 8, 3), np.uint8))


# No longer improving


@pytest.mark.parametrize(
    "seconds, best, stale",
    [
        (1000, None, None),
        (1000, 750, None),
        (1000, 600, 400),
        (500, 250, None),
        (10_000, 7500, None),
        (10_000, 6000, 4000),
    ],
)
def test_a_score_is_stale_after_5_minutes_and_30_percent_of_the_run(seconds, best, stale):
    assert health.stale_seconds(seconds, best) == stale
