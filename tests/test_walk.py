import itertools
import math

import numpy as np
import playing
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gan_play.latent import walk as walking
from gan_play.latent.sample import sample, sample_one
from gan_play.latent.walk import EASINGS, positions, slerp, strip, walk
from gan_play.refusals import Refused

MODEL = playing.model()
CLASSIC = playing.model("dcgan")


def steps(places, stops):
    """How far along the whole way each frame is from the one before, the seam from last to first included."""
    along = [stop + amount for stop, amount in places]
    return [(b - a) % stops for a, b in itertools.pairwise([*along, along[0]])]


@playing.untimed
@given(st.integers(2, 12), st.integers(2, 400))
def test_a_loop_closes_with_one_ordinary_step_and_meets_every_stop(stops, frames):
    frames = max(frames, stops)
    places = positions(stops, frames, loop=True)
    assert len(places) == frames
    assert {stop for stop, amount in places if amount == 0} == set(range(stops))
    ordinary = steps(places, stops)
    assert math.isclose(sum(ordinary), stops)
    stretches = [1 / round(1 / step) for step in ordinary]  # stretches differ by at most one frame
    assert 1 / min(stretches) - 1 / max(stretches) <= 1 + 1e-9
    assert min(ordinary) <= ordinary[-1] <= max(ordinary)


@playing.untimed
@given(st.integers(2, 12), st.integers(2, 400))
def test_a_walk_that_is_no_loop_begins_and_ends_at_its_first_and_last_stop(stops, frames):
    frames = max(frames, stops)
    places = positions(stops, frames, loop=False)
    assert len(places) == frames
    assert places[0] == (0, 0.0) and places[-1] == (stops - 1, 0.0)
    assert [stop for stop, amount in places if amount == 0] == list(range(stops))
    along = [stop + amount for stop, amount in places]
    assert all(a < b for a, b in itertools.pairwise(along))


@pytest.mark.parametrize("easing", EASINGS)
def test_an_easing_goes_from_stop_to_stop_and_never_back(easing):
    ease = EASINGS[easing]
    values = [ease(i / 100) for i in range(101)]
    assert values[0] == 0 and values[-1] == 1
    assert all(a <= b for a, b in itertools.pairwise(values))
    assert all(math.isclose(a + b, 1, abs_tol=1e-9) for a, b in zip(values, reversed(values)))


@pytest.mark.parametrize("how", ["w", "z"])
@pytest.mark.parametrize("model", [MODEL, CLASSIC], ids=["projected", "dcgan"])
def test_each_chosen_picture_is_met_exactly_and_in_order(model, how):
    seeds = [4, 9, 2]
    frames = list(walk(model, seeds, seconds=1, fps=12, how=how))
    assert len(frames) == 12
    for place, seed in zip((0, 4, 8), seeds):
        assert np.array_equal(frames[place], sample_one(model, seed))


@pytest.mark.parametrize("how", ["w", "z"])
def test_the_film_of_a_loop_has_no_jump_at_its_seam(how):
    frames = [f.astype(int) for f in walk(MODEL, [4, 9, 2], seconds=2, fps=24, how=how, easing="linear")]
    apart = [np.abs(a - b).mean() for a, b in itertools.pairwise([*frames, frames[0]])]
    neighbours = (apart[-2], apart[0])
    assert (
        0.5 * min(neighbours) < apart[-1] < 1.5 * max(neighbours)
    )  # neither a jump nor the first frame twice
    assert max(apart) < 6 * np.mean(apart)


def test_a_walk_without_a_loop_ends_at_its_last_picture():
    frames = list(walk(MODEL, [4, 9], seconds=1, fps=10, loop=False))
    assert np.array_equal(frames[0], sample_one(MODEL, 4))
    assert np.array_equal(frames[-1], sample_one(MODEL, 9))


def test_ways_and_easings_make_different_films_of_the_same_stops():
    films = {
        (how, easing): np.stack(list(walk(MODEL, [4, 9], 1, 8, how=how, easing=easing))).tobytes()
        for how in ("w", "z")
        for easing in EASINGS
    }
    assert len(set(films.values())) == len(films)


def test_a_film_is_made_a_frame_at_a_time():
    frames = walk(MODEL, [1, 2], seconds=120, fps=60)
    assert next(frames).shape == (32, 32, 3)
    frames.close()


def test_two_walks_can_be_made_in_turns_without_waiting_for_each_other():
    alone = list(walk(MODEL, [1, 2], seconds=0.5, fps=8))
    pairs = list(zip(walk(MODEL, [1, 2], seconds=0.5, fps=8), walk(CLASSIC, [3, 4], seconds=0.5, fps=8)))
    assert all(np.array_equal(frame, pair[0]) for frame, pair in zip(alone, pairs))


def test_slerp_stays_on_the_sphere_and_turns_evenly():
    a, b = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]])
    torch.testing.assert_close(slerp(a, b, 1 / 3), torch.tensor([[math.cos(math.pi / 6), 0.5, 0.0]]))
    a, b = torch.randn(1, 128), torch.randn(1, 128)
    norms = [slerp(a, b, i / 10).norm().item() for i in range(11)]
    assert min(norms) > 0.95 * min(norms[0], norms[-1])


def test_slerp_between_one_vector_and_itself_or_its_opposite_stays_finite():
    a = torch.randn(1, 64)
    torch.testing.assert_close(slerp(a, a, 0.3), a)
    assert slerp(a, -a, 0.5).isfinite().all()


def test_the_same_seed_twice_is_a_pause_in_the_walk():
    frames = list(walk(MODEL, [4, 4], seconds=0.5, fps=8, how="z"))
    apart = max(np.abs(f.astype(int) - frames[0]).max() for f in frames)
    assert apart <= 90  # the noise turns through itself; the picture stays
    assert walking.best_way(MODEL) == "w" and walking.best_way(CLASSIC) == "z"


def test_the_strip_shows_moments_of_the_film_that_begin_at_its_first_stop():
    seeds = [4, 9, 2]
    pixels = strip(MODEL, seeds, most=6)
    assert pixels.shape == (32, 6 * 34 - 2, 3)
    for place, picture in zip((0, 2, 4), sample(MODEL, seeds)):
        assert np.array_equal(pixels[:, place * 34 : place * 34 + 32], picture)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"seeds": [1]}, "seed-count"),
        ({"seeds": list(range(13))}, "seed-count"),
        ({"seeds": [1, -1]}, "seed"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": 1e9}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"fps": 0}, "fps"),
        ({"fps": 23.9}, "fps"),
        ({"fps": 1000}, "fps"),
        ({"how": "v"}, "way"),
        ({"how": ["w"]}, "way"),
        ({"easing": "bounce"}, "easing"),
        ({"easing": {}}, "easing"),
        ({"truncation": 9}, "truncation"),
    ],
)
def test_a_walk_that_can_t_be_is_refused_at_the_call(given, reason):
    with pytest.raises(Refused) as refused:
        walk(MODEL, **{"seeds": [1, 2], **given})
    assert refused.value.refusal.reason == reason
    assert len(refused.value.refusal.sentence) <= 160
