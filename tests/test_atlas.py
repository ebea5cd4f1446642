"""The map of a set: strangers are odd, alike pictures lie together, and it is kept beside the set."""

import numpy as np
import pytest

from gan_play.measure import atlas
from gan_play.pictures import datasets, examples, images
from gan_play.ui import doctor_view


def drawn(kind: str, seeds, size: int = 64) -> np.ndarray:
    return np.stack([examples.draw(kind, seed, size) for seed in seeds])


def set_of(home, pictures):
    with datasets.NewSet(home) as new:
        for i, pixels in enumerate(pictures):
            new.add(f"{i}.png", datasets.keep(images.Decoded(pixels, *pixels.shape[1::-1], False)))
        return new.finish([], images.WHITE)[1]


@pytest.fixture(scope="module")
def mixed():
    """Sixty mountains, then four rosettes."""
    return np.concatenate([drawn("mountains", range(60)), drawn("rosettes", range(4))])


def test_features_are_of_length_one_twice_and_of_each_picture_alone(mixed):
    features = atlas.describe(mixed[:40])
    assert features.shape == (40, 96) and features.dtype == np.float32
    halves = features.reshape(40, 2, 48)
    assert np.allclose(np.linalg.norm(halves, axis=2), 1, atol=1e-5)
    assert np.allclose(atlas.describe(mixed[7:8])[0], features[7], atol=1e-4)


def test_a_few_strangers_are_odd_and_hardly_any_of_the_others(mixed):
    odd = atlas.oddness(atlas.describe(mixed)) > 0
    assert odd[60:].all() and odd[:60].sum() <= 2


def test_oddness_is_the_distance_beyond_the_fence():
    line = (np.arange(40.0) ** 1.05)[:, None] * [1, 0]
    features = np.concatenate([line, [[500.0, 0.0]]])  # k = 5: of 41 an eighth
    odd = atlas.oddness(features)
    far = np.sort(np.abs(features[:, None, 0] - features[None, :, 0]), axis=1)[:, 5]
    low, high = np.quantile(np.log(far), [0.25, 0.75])
    assert np.allclose(odd, np.log(far) - high - 1.5 * (high - low))
    assert odd[40] == odd.max() > 0 > np.median(odd)
    assert (atlas.oddness(features[-19:]) < 0).all(), "too few to say"
    assert (atlas.oddness(np.ones((30, 4))) < 0).all(), "all the same"


def test_what_is_alike_lies_together_and_the_same_every_time():
    random = np.random.default_rng(0)
    middles = np.repeat(random.normal(size=(3, 8)) * 5, 30, axis=0)
    features = middles + random.normal(size=middles.shape)
    steps, shares = atlas.placing(features), []
    while True:
        try:
            shares.append(next(steps))
        except StopIteration as end:
            places = end.value
            break
    assert shares[-1] == 1.0 and shares == sorted(shares)
    assert places.shape == (90, 2) and places.min() == 0 and places.max() == 1
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (apart.argmin(axis=1) // 30 == np.arange(90) // 30).mean() >= 0.97
    assert np.array_equal(places, datasets.run_to_end(atlas.placing(features)))


@pytest.mark.parametrize("count", [1, 2, 8])
def test_small_and_plain_sets_have_places_too(count):
    assert np.isfinite(datasets.run_to_end(atlas.placing(np.ones((count, 5))))).all()


def test_a_map_shows_what_is_odd_and_an_even_choice_of_the_rest():
    assert atlas.shown_of(10, [3], 20) == list(range(10))
    assert atlas.shown_of(1000, [999, 1], 5) == [0, 1, 333, 666, 999]
    assert atlas.shown_of(9, list(range(9)), 4) == [0, 1, 2, 3]


def test_the_map_is_kept_and_what_was_seen_serves_the_set_made_from_it(mixed, tmp_path, monkeypatch):
    whole = set_of(tmp_path, mixed)
    assert atlas.read(whole) is atlas.read(tmp_path / "gone") is None
    steps = list(atlas.mapping(whole))
    assert steps[0].total == 64 and "Looking" in steps[0].sentence
    made = atlas.read(whole)
    assert made["shown"] == list(range(64)) and set(made["outliers"]) >= {60, 61, 62, 63}
    sheet = images.read_kept((whole / atlas.SHEET_FILE).read_bytes())
    assert sheet.shape == (3 * made["cell_px"], made["columns"] * made["cell_px"], 3)

    rest = datasets.run_to_end(datasets.leaving_out(whole, {60, 61, 62, 63}))[1]
    monkeypatch.setattr(atlas, "describe", None)  # nothing is looked at again
    again = datasets.run_to_end(atlas.mapping(rest))
    assert again["shown"] == list(range(60)) and again["seen"] == 60
    assert np.array_equal(np.load(rest / atlas.SEEN_FILE), np.load(whole / atlas.SEEN_FILE)[:60])
    (whole / atlas.MAP_FILE).write_text('{"format": 0}')
    assert atlas.read(whole) is None
    assert (
        atlas.inherited(rest, [picture["digest"] for picture in datasets.read_manifest(rest)["pictures"]])
        == {}
    )


def test_of_a_very_large_set_an_even_part_is_looked_at_and_that_is_said(mixed, tmp_path, monkeypatch):
    whole = set_of(tmp_path, mixed)
    monkeypatch.setattr(atlas, "MOST_SEEN", 32)
    made = datasets.run_to_end(atlas.mapping(whole))
    assert made["seen"] == 32 and made["shown"] == list(range(0, 64, 2))
    assert doctor_view.map_of(whole)["said"].endswith("Of 64 pictures 32, spread evenly, were looked at.")
