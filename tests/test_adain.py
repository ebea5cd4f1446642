"""AdaIN: statistics and losses as by hand in float64, the decoder's shapes, tiles and missing checkerboards."""

import numpy as np
import pytest
import torch

from gan_play.models import adain
from gan_play.trainers.losses import content_loss, style_loss


def features(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(2.0, 3.0, size=shape)


def by_hand(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature of each picture, place by place."""
    batch, channels, height, width = x.shape
    mean, spread = np.zeros((batch, channels)), np.zeros((batch, channels))
    for b in range(batch):
        for c in range(channels):
            places = [x[b, c, i, j] for i in range(height) for j in range(width)]
            mean[b, c] = sum(places) / len(places)
            variance = sum((place - mean[b, c]) ** 2 for place in places) / len(places)
            spread[b, c] = (variance + adain.LEAST_SPREAD) ** 0.5
    return mean, spread


def test_statistics_are_the_mean_and_the_spread_over_the_places():
    x = features(2, 3, 4, 5)
    mean, spread = adain.statistics(torch.from_numpy(x))
    wanted = by_hand(x)
    assert mean.shape == spread.shape == (2, 3, 1, 1)
    assert np.allclose(mean[..., 0, 0], wanted[0], atol=1e-12)
    assert np.allclose(spread[..., 0, 0], wanted[1], atol=1e-12)


def test_places_that_count_for_nothing_don_t_change_statistics():
    x = torch.from_numpy(features(1, 3, 4, 6))
    counts = torch.zeros(1, 1, 4, 6, dtype=torch.float64)
    counts[..., :3] = 0.5
    part, whole = adain.statistics(x, counts), adain.statistics(x[..., :3])
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(part, whole))


def test_adain_gives_features_the_statistics_of_others_and_keeps_their_order():
    x, y = features(1, 3, 4, 5), features(1, 3, 6, 2)
    found = adain.adain(torch.from_numpy(x), *adain.statistics(torch.from_numpy(y)))
    (mean, spread), (own_mean, own_spread) = by_hand(y), by_hand(x)
    for c in range(3):
        wanted = (x[0, c] - own_mean[0, c]) / own_spread[0, c] * spread[0, c] + mean[0, c]
        assert np.allclose(found[0, c], wanted, atol=1e-12)
    assert all(
        torch.allclose(a, torch.from_numpy(b)[..., None, None], atol=1e-5)
        for a, b in zip(adain.statistics(found), by_hand(y))
    )


def test_the_content_loss_and_its_slope_are_those_of_the_formula():
    seen, wanted, means = (
        features(2, 3, 2, 2),
        features(2, 3, 4, 1).reshape(2, 3, 2, 2),
        np.array([1.0, 2.0, 4.0]),
    )
    x = torch.from_numpy(seen).requires_grad_()
    loss = content_loss(x, torch.from_numpy(wanted), torch.from_numpy(means).view(3, 1, 1))
    loss.backward()
    total = 0.0
    for place in np.ndindex(seen.shape):
        total += ((seen[place] - wanted[place]) / means[place[1]]) ** 2
    assert np.isclose(loss.item(), total / seen.size, atol=1e-12)
    slope = 2 * (seen - wanted) / means.reshape(1, 3, 1, 1) ** 2 / seen.size
    assert np.allclose(x.grad, slope, atol=1e-12)


def test_the_style_loss_and_its_slope_are_those_of_the_formula():
    # d mean / dx = 1 / n and d spread / dx = (x - mean) / (n spread), n being the places.
    seen = {"relu1_1": features(2, 2, 3, 3), "relu2_1": features(2, 3, 2, 2)}
    style = {"relu1_1": features(2, 2, 4, 4), "relu2_1": features(2, 3, 3, 1)}
    means = {"relu1_1": np.array([0.5, 3.0]), "relu2_1": np.array([1.0, 2.0, 4.0])}
    x = {layer: torch.from_numpy(a).requires_grad_() for layer, a in seen.items()}
    loss = style_loss(
        x,
        {layer: torch.from_numpy(a) for layer, a in style.items()},
        {layer: torch.from_numpy(a).view(-1, 1, 1) for layer, a in means.items()},
    )
    loss.backward()
    total = 0.0
    for layer in means:
        (mean, spread), (wanted_mean, wanted_spread) = by_hand(seen[layer]), by_hand(style[layer])
        unit, n = means[layer], seen[layer][0, 0].size
        total += (((mean - wanted_mean) / unit) ** 2).mean() + (((spread - wanted_spread) / unit) ** 2).mean()
        by_mean = 2 * (mean - wanted_mean) / unit**2 / mean.size / n
        by_spread = 2 * (spread - wanted_spread) / unit**2 / mean.size / n / spread
        apart = seen[layer] - mean[..., None, None]
        slope = by_mean[..., None, None] + by_spread[..., None, None] * apart
        assert np.allclose(x[layer].grad, slope, atol=1e-12)
    assert np.isclose(loss.item(), total, atol=1e-12)


def test_what_already_is_as_wished_loses_nothing():
    x = torch.from_numpy(features(1, 3, 4, 4))
    means = torch.ones(3, 1, 1)
    assert content_loss(x, x, means) == 0
    assert style_loss({"relu1_1": x}, {"relu1_1": x}, {"relu1_1": means}) == 0


# The decoder


@pytest.fixture(scope="module")
def decoder() -> adain.Decoder:
    torch.manual_seed(0)
    return adain.Decoder(torch.full((512, 1, 1), 2.0)).eval()


@pytest.mark.parametrize(("height", "width"), [(2, 2), (3, 5)])
def test_the_decoder_paints_eight_pixels_for_a_place_each_way(decoder, height, width):
    with torch.inference_mode():
        assert decoder(torch.rand(1, 512, height, width)).shape == (1, 3, 8 * height, 8 * width)


def test_the_decoder_s_first_convolution_sees_features_in_units_of_their_means(decoder):
    with torch.inference_mode():
        x = torch.rand(1, 512, 2, 2)
        other = adain.Decoder()
        other.load_state_dict({**decoder.state_dict(), "means": torch.ones(512, 1, 1)})
        assert torch.allclose(decoder(2 * x), other(x), atol=1e-6)


def test_even_features_give_an_even_picture_without_checkerboards_or_borders(decoder):
    with torch.inference_mode():
        picture = decoder(torch.rand(1, 512, 1, 1).expand(1, 512, 4, 4))
    assert torch.allclose(picture, picture[..., :1, :1].expand_as(picture), atol=1e-5)


def test_a_place_more_on_each_side_is_the_second_from_it():
    x = torch.arange(6.0).view(1, 1, 2, 3)
    found = adain.reflected(x)
    assert torch.equal(found, torch.nn.functional.pad(x, (1, 1, 1, 1), mode="reflect"))
