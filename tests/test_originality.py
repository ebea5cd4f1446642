"""Originality: replayed pictures are called copies, new ones are not, and the nearest are found however they lie."""

import dataclasses

import numpy as np
import pytest

from gan_play.measure import originality
from gan_play.pictures import examples, images

SIZE = 64
COUNT = 56


def drawn(first: int, count: int) -> np.ndarray:
    """Pictures of all example sets in turn, none twice: (count, S, S, 3)."""
    kinds = list(examples.EXAMPLES)
    return np.stack([examples.draw(kinds[i % len(kinds)], i, SIZE) for i in range(first, first + count)])


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return drawn(0, COUNT)


@pytest.fixture(scope="module")
def found(pictures: np.ndarray) -> originality.Index:
    return originality.index(pictures, "these")


def cropped(pixels: np.ndarray) -> np.ndarray:
    """90 % of each picture, from anywhere."""
    random, side = np.random.default_rng(0), round(SIZE * 0.9)
    places = random.integers(0, SIZE - side + 1, (len(pixels), 2))
    cut = (p[top : top + side, left : left + side] for p, (top, left) in zip(pixels, places))
    return np.stack([images.resize(np.ascontiguousarray(one), SIZE) for one in cut])


def compressed(pixels: np.ndarray) -> np.ndarray:
    return np.stack([images.decode(images.encode(p, "jpeg", quality=70)) for p in pixels])


def softened(pixels: np.ndarray) -> np.ndarray:
    """A little out of focus, as a painter's copies are."""
    small = np.stack([images.resize(p, round(SIZE * 0.7)) for p in pixels])
    return np.stack([images.resize(p, SIZE) for p in small])


@pytest.mark.parametrize(
    "change",
    [lambda x: x, cropped, compressed, softened, lambda x: softened(x[:, :, ::-1])],
    ids=["as it is", "cropped", "compressed", "softened", "softened and mirrored"],
)
def test_a_generator_that_replays_the_set_is_caught(pictures, found, change):
    replayed = change(pictures[::2])
    verdict = originality.copy_rate(found, replayed)
    assert verdict.rate >= 0.95 and "copies" in verdict.sentence


def test_new_pictures_are_no_copies(found):
    """One in fifty at most; these are drawn by few rules, so that some are much like others."""
    verdict = originality.copy_rate(found, drawn(1000, 50))
    assert verdict.rate <= 0.04


def test_held_back_pictures_can_only_make_it_stricter(found):
    assert originality.held_back(found, drawn(1000, 5)) is found
    stricter = originality.held_back(found, drawn(1000, 50))
    assert stricter.threshold <= found.threshold
    assert originality.copy_rate(stricter, drawn(1000, 50)).rate <= 0.02


def test_the_nearest_is_the_one_that_was_replayed_and_how_is_told(pictures, found):
    which = np.array([3, 10, 21])
    for change, told in ((lambda x: x, "whole"), (lambda x: x[:, :, ::-1], "mirrored")):
        places, distances, how = originality.nearest(found, change(pictures[which]), k=3)
        assert places.shape == distances.shape == how.shape == (3, 3)
        assert places[:, 0].tolist() == which.tolist()
        assert (np.diff(distances, axis=1) >= 0).all() and (how[:, 0] == told).all()
    corner = np.stack([images.resize(np.ascontiguousarray(p[:56, :56]), SIZE) for p in pictures[which]])
    assert (originality.nearest(found, corner, 1)[2] == "cropped").all()


def test_a_painting_is_judged_the_same_alone_and_among_others(pictures, found):
    together = originality.nearest(found, pictures[:5])[1]
    alone = originality.nearest(found, pictures[2:3])[1]
    assert np.allclose(together[2], alone[0], atol=1e-3)


def test_an_index_is_kept_in_a_file_and_used_only_for_its_own_pictures(tmp_path, found):
    path = tmp_path / "originality.npy"
    assert originality.load(path, "these", COUNT) is None
    originality.save(found, path)
    again = originality.load(path, "these", COUNT)
    for field in dataclasses.fields(originality.Index):
        assert np.array_equal(getattr(again, field.name), getattr(found, field.name))
    assert originality.load(path, "others", COUNT) is None
    assert originality.load(path, "these", COUNT + 1) is None
    data = path.read_bytes()
    for broken in (data[:-50], data[:40], b"", b"PK\x03\x04" + data, b"\x80\x04N."):
        path.write_bytes(broken)
        assert originality.load(path, "these", COUNT) is None


def test_a_set_that_holds_pictures_twice_still_tells_copies_from_new_ones(pictures):
    twice = np.concatenate([pictures[:24], pictures[:12]])
    found = originality.index(twice)
    assert originality.copy_rate(found, compressed(twice)).rate >= 0.95
    assert originality.copy_rate(found, drawn(1000, 25)).rate <= 0.04


def test_one_picture_makes_no_index():
    with pytest.raises(ValueError, match="two pictures"):
        originality.index(drawn(0, 1))


def test_a_set_of_one_picture_again_and_again_has_an_index():
    found = originality.index(np.repeat(drawn(0, 1), 9, axis=0))
    assert originality.copy_rate(found, drawn(0, 1)).rate == 1
    assert originality.copy_rate(found, drawn(5, 1)).rate == 0


@pytest.mark.parametrize("count, word", [(0, "None of 10"), (1, "1 of 10"), (4, "4 of 10")])
def test_the_rate_is_said_in_words(found, count, word):
    distances = np.full((10, 1), 2.0)
    distances[:count] = 0.01
    verdict = originality.verdict(found, distances)
    assert verdict.rate == count / 10 and verdict.sentence.startswith(word)
    assert verdict.copied.sum() == count
