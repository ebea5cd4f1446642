import itertools
import math

import numpy as np
import playing
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_play import limits
from gan_play.latent import breed, steer
from gan_play.latent import timeline as timelines
from gan_play.latent.breed import cross, genome_of
from gan_play.latent.mix import BANDS, mix
from gan_play.latent.sample import sample_one
from gan_play.latent.timeline import Key, Music, Path, Reaction, Timeline
from gan_play.refusals import Refused
from gan_play.share import timeline_code

MODEL = playing.model()
CLASSIC = playing.model("dcgan")
LABELLED = playing.model(num_labels=3)


def key(seed, **times):
    return Key(genome_of(seed), **times)


def film(model, keys, kind="linear", fps=8, **plan):
    """The frames of a film, and its timeline."""
    made = Timeline(tuple(keys), kind, fps, **plan)
    return list(timelines.frames(model, made)), made


def apart(frames):
    """How much neighbours differ, the seam from last to first included."""
    pairs = itertools.pairwise([*frames, frames[0]])
    return [np.abs(a.astype(int) - b).mean() for a, b in pairs]


def alike(frames, picture):
    """At which frames the film shows just this picture."""
    return [place for place, frame in enumerate(frames) if np.array_equal(frame, picture)]


@pytest.mark.parametrize("kind", ["linear", "spherical", "breathe"])
@pytest.mark.parametrize("model", [MODEL, CLASSIC], ids=["projected", "dcgan"])
def test_each_keyframe_is_met_exactly_at_its_own_time(model, kind):
    frames, made = film(model, [key(4, seconds=1), key(9, seconds=0.5), key(2, seconds=0.5)], kind)
    assert len(frames) == 16 and made.seconds == 2
    for place, seed in ((0, 4), (8, 9), (12, 2)):
        assert np.array_equal(frames[place], sample_one(model, seed))


def test_a_film_rests_at_a_keyframe_for_as_long_as_it_is_told():
    frames, _ = film(MODEL, [key(4, seconds=1), key(9, seconds=0.5, hold=0.5)])
    assert alike(frames, sample_one(MODEL, 9)) == [8, 9, 10, 11, 12]


def test_a_film_that_is_no_loop_ends_at_its_last_keyframe_whose_time_doesn_t_count():
    frames, made = film(MODEL, [key(4, seconds=1), key(9, seconds=100, hold=0.5)], loop=False)
    assert len(frames) == 12 and made.seconds == 1.5
    assert np.array_equal(frames[-1], sample_one(MODEL, 9)) and len(alike(frames, frames[-1])) == 5
    assert made == Timeline((key(4, seconds=1), key(9, seconds=3, hold=0.5)), fps=8, loop=False)


@pytest.mark.parametrize("kind", timelines.KINDS)
def test_every_kind_of_loop_closes_without_a_jump(kind):
    keys = [key(4, seconds=1, easing="linear", hold=0.5), key(9, seconds=1, easing="linear", hold=0.5)]
    frames, _ = film(MODEL, keys, kind, fps=24)
    steps = apart(frames)
    assert steps[-1] < 1.6 * max(steps[:-1])


def test_a_lone_picture_breathes_round_a_small_circle_and_never_stands_still():
    frames, _ = film(MODEL, [key(4, seconds=2)], "breathe", fps=12)
    assert len(frames) == 24 and alike(frames, sample_one(MODEL, 4)) == [0]
    steps = apart(frames)
    assert min(steps) > 0.3 * max(steps)
    wider, _ = film(MODEL, [key(4, seconds=2)], "breathe", fps=12, radius=0.6)
    assert np.mean(apart(wider)) > np.mean(steps)


def test_a_bred_picture_breathes_too():
    bred = Key(cross(genome_of(4), genome_of(9), (0.5, 0.2, 0.7)))
    frames, _ = film(MODEL, [bred], "breathe")
    assert alike(frames, breed.paint(MODEL, bred.genome)) == [0] and min(apart(frames)) > 0


def test_a_circle_passes_through_both_seeds_evenly_and_a_lone_one_once():
    frames, _ = film(
        MODEL, [key(4, seconds=1, easing="linear"), key(9, seconds=1, easing="linear")], "circle", fps=16
    )
    (second,) = alike(frames, sample_one(MODEL, 9))
    assert alike(frames, sample_one(MODEL, 4)) == [0] and 6 <= second <= 10  # a quarter of 32 frames, about
    frames, _ = film(MODEL, [key(4, seconds=2, easing="linear")], "circle", fps=16)
    assert alike(frames, sample_one(MODEL, 4)) == [0] and min(apart(frames)) > 0


def test_only_the_bands_that_are_to_move_do():
    frames, _ = film(MODEL, [key(4, seconds=1), key(9, seconds=1)], moving=("fine",))
    assert np.array_equal(frames[0], sample_one(MODEL, 4))
    assert np.array_equal(frames[8], mix(MODEL, 4, 9, BANDS["fine"]))
    frames, _ = film(MODEL, [key(4, seconds=1), key(9, seconds=1)], moving=("coarse", "middle"))
    assert np.array_equal(frames[8], mix(MODEL, 4, 9, (1, 1, 0)))


def test_a_sweep_of_truncation_goes_to_its_end_and_in_a_loop_there_and_back():
    frames, _ = film(MODEL, [key(4, seconds=2)], loop=False, until=1.4)
    assert np.array_equal(frames[0], sample_one(MODEL, 4, 0.7))
    assert np.array_equal(frames[-1], sample_one(MODEL, 4, 1.4))
    frames, _ = film(MODEL, [key(4, seconds=2)], until=1.4)
    assert np.array_equal(frames[0], sample_one(MODEL, 4, 0.7))
    assert np.array_equal(frames[8], sample_one(MODEL, 4, 1.4))
    assert np.array_equal(frames[3], frames[-3])


def test_a_sweep_of_an_attribute_is_steering_that_grows():
    frames, _ = film(MODEL, [key(4, seconds=1)], loop=False, start=(("light", -1),), end=(("light", 2),))
    for place, amount in ((0, -1), (-1, 2)):
        assert np.array_equal(frames[place], steer.paint(MODEL, genome_of(4), 0.7, [("light", amount)]))


def test_a_steered_and_a_bred_keyframe_are_met_as_they_were():
    steered = Key(genome_of(4), (("light", 1.0),), 1)
    bred = Key(cross(genome_of(4), genome_of(9), (0.5, 0.2, 0.7)), (), 1)
    for kind in ("linear", "spherical"):
        frames, _ = film(MODEL, [steered, bred], kind)
        assert np.array_equal(frames[0], steer.paint(MODEL, steered.genome, 0.7, steered.steps))
        assert np.array_equal(frames[8], breed.paint(MODEL, bred.genome))


def test_keyframes_of_different_labels_are_met_in_theirs():
    keys = [Key(genome_of(4, 0), seconds=1), Key(genome_of(4, 2), seconds=1)]
    for kind in ("linear", "spherical"):
        frames, _ = film(LABELLED, keys, kind)
        for place, label in ((0, 0), (8, 2)):
            assert np.array_equal(frames[place], sample_one(LABELLED, 4, 0.7, label))


def test_walks_side_by_side_are_dealt_their_keyframes_or_begin_one_further_on():
    frames, _ = film(MODEL, [key(seed, seconds=1) for seed in range(8)], grid=2)
    assert frames[0].shape == (66, 66, 3)
    for field, (down, across) in enumerate(itertools.product((0, 34), (0, 34))):
        for place, seed in ((0, field), (8, field + 4)):
            shown = frames[place][down : down + 32, across : across + 32]
            assert np.array_equal(shown, sample_one(MODEL, seed))
    frames, _ = film(MODEL, [key(seed, seconds=1) for seed in range(4)], grid=2)
    assert np.array_equal(frames[0][:32, 34:], sample_one(MODEL, 1))
    assert np.array_equal(frames[8][:32, :32], sample_one(MODEL, 1))


def test_the_same_picture_twice_in_a_row_stands_still():
    frames, _ = film(MODEL, [key(4, seconds=1), key(4, seconds=1)])
    assert len(alike(frames, frames[0])) == len(frames)


@playing.untimed
@given(
    st.lists(st.tuples(st.integers(5, 60), st.sampled_from([0, 0, 1, 7])), min_size=2, max_size=12),
    st.integers(1, 60),
    st.booleans(),
)
def test_every_stretch_and_every_rest_has_its_frames_and_the_whole_its_length(times, fps, loop):
    keys = tuple(key(seed, seconds=a / 10, hold=b / 10) for seed, (a, b) in enumerate(times))
    made = Timeline(keys, fps=fps, loop=loop)
    path = Path(keys, made, made.frames, MODEL)
    assert path.marks[0] == 0 and path.marks[-1] == path.span == made.frames - (not loop)
    lengths = [time for each in keys for time in (each.hold, each.seconds)][: None if loop else -1]
    for (begin, end), seconds in zip(itertools.pairwise(path.marks), lengths):
        assert (end > begin) if seconds else (end == begin)
    places = [path.at(frame) for frame in range(made.frames)]
    assert {place.key for place in places if not place.way} == set(range(len(keys)))
    assert math.isclose(made.frames, made.seconds * fps, abs_tol=1) or made.frames <= 2 * len(keys) + 1


def test_a_film_of_five_minutes_costs_no_more_than_its_first_frame():
    made = Timeline((key(1, seconds=100), key(2, seconds=100), key(3, seconds=100)), fps=24)
    frames = timelines.frames(MODEL, made)
    assert made.frames == 7_200 and next(frames).shape == (32, 32, 3)
    frames.close()


def test_the_strip_shows_twelve_moments_of_the_film():
    made = Timeline((key(4, seconds=3), key(9, seconds=3)), fps=4)
    pixels = timelines.strip(MODEL, made)
    assert pixels.shape == (32, 12 * 34 - 2, 3)
    assert np.array_equal(pixels[:, :32], sample_one(MODEL, 4))
    assert np.array_equal(pixels[:, 6 * 34 : 6 * 34 + 32], sample_one(MODEL, 9))


# Music


def heard(count, **sources):
    """Features of a sound: uint8 (N, 5)."""
    features = np.zeros((count, 5), np.uint8)
    for name, values in sources.items():
        features[:, timelines.SOURCES.index(name)] = values
    return features


def with_music(*reactions, seconds=2.0, keys=None, **plan):
    music = Music("0" * 16, seconds, tuple(Reaction(*one) for one in reactions))
    return Timeline(keys or (key(4, seconds=1), key(9, seconds=1)), fps=8, music=music, **plan)


def test_with_music_a_loop_is_gone_round_as_often_as_its_pace_asks_and_closes():
    made = with_music(seconds=6.0)
    assert made.frames == 48 and made.rounds == 3
    frames = list(timelines.frames(MODEL, made, features=heard(48)))
    assert alike(frames, sample_one(MODEL, 4)) == [0, 16, 32]


def test_onsets_drive_the_pace_along_the_way_and_none_means_an_even_one():
    beats = heard(16, onset=[0, 0, 0, 255] * 4)
    along = timelines.moments(with_music(("speed", "onset", 1)), beats)
    assert list(np.diff(along)) == [0, 0, 0, 4.0] * 3 + [0, 0, 0]
    assert list(timelines.moments(with_music(("speed", "onset", 0)), beats)) == list(range(16))
    assert list(timelines.moments(with_music(("speed", "onset", 1)), heard(16))) == list(range(16))
    half = np.diff(timelines.moments(with_music(("speed", "onset", 0.5)), beats))
    assert math.isclose(half[0], 0.5) and math.isclose(half[3], 2.5)


def test_music_drives_truncation_and_attributes_by_their_dials():
    made = with_music(("truncation", "loudness", 0.5), keys=(key(4, seconds=2),))
    frames = list(timelines.frames(MODEL, made, 0.7, heard(16, loudness=[0, 255] * 8)))
    assert np.array_equal(frames[0], sample_one(MODEL, 4, 0.7))
    assert np.array_equal(frames[1], sample_one(MODEL, 4, 1.2))
    made = with_music(("light", "low", -1), keys=(key(4, seconds=2),))
    frames = list(timelines.frames(MODEL, made, 0.7, heard(16, low=[0, 255] * 8)))
    assert np.array_equal(frames[0], sample_one(MODEL, 4))
    assert np.array_equal(frames[1], steer.paint(MODEL, genome_of(4), 0.7, [("light", -1)]))


def test_music_drives_the_directions_of_a_model_and_a_code_keeps_which():
    made = with_music(("sefa2@fine", "high", 1.5), ("pca1", "low", -2), keys=(key(4, seconds=2),))
    frames = list(timelines.frames(MODEL, made, 0.7, heard(16, high=[0, 255] * 8)))
    assert np.array_equal(frames[0], sample_one(MODEL, 4))
    assert np.array_equal(frames[1], steer.paint(MODEL, genome_of(4), 0.7, [("sefa2@fine", 1.5)]))
    assert timeline_code.read(timeline_code.write(made), 0)[0] == made
    spelt = with_music(("sefa2@coarse+middle+fine", "high", 1))
    assert spelt.music.reactions == (Reaction("sefa2", "high", 1.0),)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"keys": ()}, "key-count"),
        ({"keys": tuple(key(i) for i in range(13))}, "key-count"),
        ({"keys": tuple(key(i) for i in range(37)), "grid": 2}, "key-count"),
        ({"keys": (key(1),)}, "film-still"),
        ({"keys": (key(1, seconds=0), key(2))}, "key-seconds"),
        ({"keys": (key(1, seconds=float("nan")), key(2))}, "key-seconds"),
        ({"keys": (key(1, hold=-1), key(2))}, "key-hold"),
        ({"keys": (key(1, easing="bounce"), key(2))}, "easing"),
        ({"keys": (key(1, seconds=120), key(2, seconds=120), key(3, seconds=120))}, "seconds"),
        ({"keys": (key(1), Key(genome_of(2, 0)))}, "genome"),
        ({"kind": "jump"}, "film-kind"),
        ({"kind": ["linear"]}, "film-kind"),
        ({"fps": 0}, "fps"),
        ({"moving": ()}, "film-moving"),
        ({"moving": ("sky",)}, "film-moving"),
        ({"kind": "breathe", "radius": 7}, "film-radius"),
        ({"kind": "circle", "keys": (key(1), key(2), key(3))}, "film-circle"),
        ({"kind": "circle", "loop": False}, "film-circle"),
        ({"kind": "circle", "keys": (Key(cross(genome_of(1), genome_of(2), (0, 0, 1))),)}, "film-circle"),
        ({"until": 9}, "truncation"),
        ({"end": (("charm", 1),)}, "attribute"),
        ({"grid": 4}, "film-grid"),
        ({"keys": (key(1, seconds=120), key(2, seconds=120)), "fps": 60, "grid": 3}, "film-pictures"),
        ({"keys": (key(1, seconds=120), key(2, seconds=120)), "fps": 60}, "film-pictures"),
        ({"grid": 3, "music": Music("0" * 16, 300)}, "film-pictures"),
        ({"grid": True}, "film-grid"),
        ({"grid": 2, "loop": False}, "film-grid-loop"),
        ({"music": Music("x", 2)}, "no-sound"),
        ({"music": Music("0" * 16, 0)}, "seconds"),
        ({"music": Music("0" * 16, 2, (Reaction("speed", "smell", 1),))}, "reaction"),
        ({"music": Music("0" * 16, 2, (Reaction("charm", "onset", 1),))}, "attribute"),
        ({"music": Music("0" * 16, 2, (Reaction("sefa0", "onset", 1),))}, "direction"),
        ({"music": Music("0" * 16, 2, (Reaction("speed", "onset", -1),))}, "reaction-amount"),
        ({"music": Music("0" * 16, 2, (Reaction("speed", "onset", 1),) * 2)}, "reaction-count"),
    ],
)
def test_a_film_that_can_t_be_is_refused_in_a_sentence(given, reason):
    with pytest.raises(Refused) as refused:
        Timeline(**{"keys": (key(1), key(2)), **given})
    assert refused.value.refusal.reason == reason
    assert len(refused.value.refusal.sentence) <= limits.MOST_SENTENCE_CHARS


def test_a_film_of_labels_that_the_model_hasn_t_is_refused_at_the_call():
    made = Timeline((Key(genome_of(1, 0)), Key(genome_of(2, 5))))
    for model in (MODEL, LABELLED):
        with pytest.raises(Refused):
            timelines.frames(model, made)
    with pytest.raises(Refused):
        timelines.frames(LABELLED, Timeline((key(1), key(2))))
