"""The example sets: the same each time, each picture another, and something to learn in them."""

import numpy as np
import pytest

from gan_play.pictures import datasets, examples
from gan_play.refusals import Refused


@pytest.mark.parametrize("name", examples.EXAMPLES)
def test_a_picture_is_the_same_each_time_and_another_for_each_seed(name):
    one, again, other = (examples.draw(name, seed, 64) for seed in (5, 5, 6))
    assert one.shape == (64, 64, 3) and one.dtype == np.uint8
    assert (one == again).all()
    assert np.abs(one.astype(int) - other).mean() > 5


@pytest.mark.parametrize("name", examples.EXAMPLES)
def test_the_same_picture_is_drawn_at_any_size(name):
    large = examples.draw(name, 4, 128).reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    # Not to the pixel: fine noise has lumps smaller than a pixel. Light and colour of each region agree.
    small = examples.draw(name, 4, 64)
    regions = [pixels.astype(float).reshape(4, 16, 4, 16, 3).mean(axis=(1, 3)) for pixels in (large, small)]
    assert np.abs(regions[0] - regions[1]).max() < 12


@pytest.mark.parametrize("name", examples.EXAMPLES)
def test_a_set_has_variety_and_contrast(name):
    pictures = np.stack([examples.draw(name, seed, 32) for seed in range(40)]).astype(float)
    assert pictures.std(axis=(1, 2, 3)).min() > 8, "none is empty"
    assert pictures.mean(axis=(1, 2)).std(axis=0).min() > 8, "their colours differ"
    assert pictures.std(axis=0).mean() > 15, "and so do their forms"


@pytest.mark.parametrize("seed", [0, 1, 399, 2**40])
def test_any_seed_draws(seed):
    for name in examples.EXAMPLES:
        assert examples.draw(name, seed, 16).shape == (16, 16, 3)


def test_an_example_becomes_a_set_like_any_other(tmp_path):
    steps = examples.taking_in_example("fields", tmp_path, count=9)
    taken = datasets.run_to_end(steps)
    assert taken.report["accepted"] == 9 and taken.report["refused"] == []
    assert taken.set_id == examples.take_in_example("fields", tmp_path, count=9).set_id
    block = datasets.make_block(taken.folder, tmp_path / "set", 32)
    assert block.pixels.shape == (9, 32, 32, 3) and block.label_names == []
    kept = datasets.preview_fit(taken.folder, 2, examples.DRAWN_PX, "crop")[0]
    assert (kept == examples.draw("fields", 2, examples.DRAWN_PX)).all()


@pytest.mark.parametrize("name", ["", "sunset", "../fields", "<b>", None])
def test_an_unknown_example_is_refused_with_the_names_that_there_are(name):
    for call in (lambda: examples.draw(name, 0, 32), lambda: next(examples.taking_in_example(name, None))):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.refusal.reason == "example" and "rosettes" in str(caught.value)


def test_each_example_is_presented():
    for example in examples.EXAMPLES.values():
        assert example.title and example.sentence.endswith(".") and len(example.sentence) < 90
