import numpy as np
import playing
import pytest
import torch

from gan_play.latent.mix import BANDS, blend_noise, mix, mix_grid, mix_tiles
from gan_play.latent.sample import sample_one, styles_of
from gan_play.pictures import images
from gan_play.refusals import Refused

MODEL = playing.model()
CLASSIC = playing.model("dcgan")


@pytest.mark.parametrize("model", [MODEL, CLASSIC], ids=["projected", "dcgan"])
def test_a_mix_with_no_weight_is_picture_a(model):
    assert np.array_equal(mix(model, 3, 8, (0, 0, 0)), sample_one(model, 3))


def test_a_mix_with_all_weight_is_picture_b():
    assert np.array_equal(mix(MODEL, 3, 8, (1, 1, 1)), sample_one(MODEL, 8))


@pytest.mark.parametrize("model", [MODEL, CLASSIC], ids=["projected", "dcgan"])
@pytest.mark.parametrize("band", BANDS)
def test_each_band_changes_the_picture_and_half_a_weight_lies_between(model, band):
    none, half, whole = (mix(model, 3, 8, [w * amount for w in BANDS[band]]) for amount in (0, 0.5, 1))

    def apart(one, other):
        return np.abs(one.astype(int) - other).mean()

    assert apart(none, whole) > 1
    assert 0 < apart(none, half) < apart(none, whole)


def test_a_band_takes_exactly_its_styles_from_b():
    seen = {}
    own = MODEL.generator.synthesis
    try:
        MODEL.generator.synthesis = lambda ws, noise=None: seen.update(ws=ws) or own(ws, noise)
        mix(MODEL, 3, 8, BANDS["middle"])
    finally:
        del MODEL.generator.synthesis
    a, b = styles_of(MODEL, 3, 0.7), styles_of(MODEL, 8, 0.7)
    middle = MODEL.generator.bands["middle"]
    for layer in range(MODEL.generator.num_ws):
        expected = b if layer in middle else a
        torch.testing.assert_close(seen["ws"][0, layer], expected[0, layer])


def test_dcgan_mixes_by_the_statistics_of_its_activations():
    """AdaIN at the finest depth: the channels entering the last layer have b's means and spreads (Huang 2017)."""
    seen = []
    handle = CLASSIC.generator.picture.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    try:
        mix(CLASSIC, 3, 8, BANDS["fine"])
        sample_one(CLASSIC, 8)
    finally:
        handle.remove()
    mixed, b = seen
    torch.testing.assert_close(mixed.mean(dim=(2, 3)), b.mean(dim=(2, 3)), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(mixed.std(dim=(2, 3)), b.std(dim=(2, 3)), atol=1e-2, rtol=1e-2)


def test_the_figure_has_its_seeds_at_the_edges_and_its_mixes_inside():
    rows, columns = [1, 2], [3, 4, 5]
    figure, tiles = mix_grid(MODEL, rows, columns, "coarse"), mix_tiles(MODEL, rows, columns, "coarse")
    size, step = 32, 34
    assert figure.shape == (3 * step - 2, 4 * step - 2, 3) and tiles.shape == (2, 3, size, size, 3)

    def tile(row, column):
        return figure[row * step : row * step + size, column * step : column * step + size]

    assert (tile(0, 0) == images.NEUTRAL).all()
    for i, row in enumerate(rows, 1):
        assert np.array_equal(tile(i, 0), sample_one(MODEL, row))
    for j, column in enumerate(columns, 1):
        assert np.array_equal(tile(0, j), sample_one(MODEL, column))
    assert np.array_equal(tile(2, 3), mix(MODEL, 5, 2, BANDS["coarse"]))
    assert np.array_equal(tile(1, 2), tiles[0, 1])


def test_blended_noise_is_as_strong_on_the_way_as_at_its_ends():
    a, b = torch.randn(1, 1, 200, 200), torch.randn(1, 1, 200, 200)
    for amount in (0.0, 0.25, 0.5, 0.9, 1.0):
        (blended,) = blend_noise([a], [b], amount)
        assert abs(blended.std() - 1) < 0.02
    assert torch.equal(blend_noise([a], [b], 0.0)[0], a) and torch.equal(blend_noise([a], [b], 1.0)[0], b)


@pytest.mark.parametrize(
    "weights",
    [
        (0, 0),
        (0, 0, 0, 0),
        (2, 0, 0),
        (-0.1, 0, 0),
        (float("nan"), 0, 0),
        "abc",
        "111",
        None,
        1,
        (None, 0, 0),
    ],
)
def test_weights_that_can_t_be_are_refused(weights):
    with pytest.raises(Refused) as refused:
        mix(MODEL, 1, 2, weights)
    assert refused.value.refusal.reason == "weight"


@pytest.mark.parametrize(
    ("rows", "columns", "band", "reason"),
    [
        ([], [1], "coarse", "seed-count"),
        ([1], [], "coarse", "seed-count"),
        (list(range(13)), [1], "coarse", "seed-count"),
        ([1], [-5], "fine", "seed"),
        ([1], [2], "big", "band"),
        ([1], [2], None, "band"),
        ([1], [2], ["fine"], "band"),
    ],
)
def test_a_figure_that_can_t_be_is_refused_before_anything_is_rendered(rows, columns, band, reason):
    with pytest.raises(Refused) as refused:
        mix_grid(MODEL, rows, columns, band)
    assert refused.value.refusal.reason == reason
    assert len(refused.value.refusal.sentence) <= 160
