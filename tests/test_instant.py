"""Style transfer at once: the same bytes again, tiles without seams, several styles, masks; what is refused."""

import numpy as np
import pytest
import torch

from gan_play import limits
from gan_play.measure.features import vgg19
from gan_play.models import adain
from gan_play.pictures import examples, images
from gan_play.refusals import Refused
from gan_play.translate import instant, style

CONTENT = examples.draw("mountains", 3, 96)
BRUSHES = examples.draw("rosettes", 5, 80)
OTHER = examples.draw("fields", 2, 64)
SMALL = style.Dials(size_px=64)


@pytest.fixture
def untrained(monkeypatch) -> adain.Decoder:
    """A decoder that never learnt: what is promised of any."""
    torch.manual_seed(0)
    network = adain.Decoder(torch.full((512, 1, 1), 100.0)).requires_grad_(False).eval()
    monkeypatch.setattr(instant, "decoder", lambda: network)
    return network


def mask_of(right: bool = True) -> np.ndarray:
    mask = np.zeros_like(CONTENT)
    mask[:, 48:] = 255
    return mask if right else 255 - mask


def features_of(pixels: np.ndarray) -> torch.Tensor:
    with torch.inference_mode():
        return vgg19()(images.to_tensor(pixels[None]), (adain.LAYER,))[adain.LAYER]


def test_the_same_wish_gives_the_same_bytes_at_the_painting_s_size(untrained):
    wish = style.check(CONTENT[:, :70], [BRUSHES], style.Dials(size_px=100))
    first, again = instant.paint(wish), instant.paint(wish)
    assert first.shape == (100, 73, 3) and first.dtype == np.uint8
    assert np.array_equal(first, again)


def test_tiles_join_as_if_there_were_none(untrained, monkeypatch):
    wish = style.check(np.tile(CONTENT, (2, 3, 1)), [BRUSHES], style.Dials(size_px=200))
    whole = instant.paint(wish).astype(int)
    monkeypatch.setattr(instant, "TILE", 7)
    assert np.abs(instant.paint(wish) - whole).max() <= 1
    monkeypatch.setattr(instant, "MARGIN", 0)
    assert np.abs(instant.paint(wish) - whole).max() > 1  # the margin is what joins them


def test_what_is_painted_has_the_statistics_of_the_style(untrained):
    wish = style.check(CONTENT, [BRUSHES], SMALL)
    start = images.to_tensor(wish.content[None])
    features = features_of(wish.content)
    found = adain.statistics(instant.targets(wish, start, features))
    wanted = adain.statistics(features_of(images.resize(BRUSHES, 64)))
    alive = adain.statistics(features)[1] > 1  # what is the same everywhere can't be spread
    assert alive.sum() > 200
    assert all(torch.allclose(a[alive], b[alive], rtol=1e-3, atol=1e-2) for a, b in zip(found, wanted))


def test_several_styles_are_mixed_by_their_weights(untrained):
    start = features = None

    def statistics(styles, weights=()):
        nonlocal start, features
        wish = style.check(CONTENT, styles, SMALL, weights=weights)
        start = images.to_tensor(wish.content[None])
        features = features_of(wish.content)
        return adain.statistics(instant.targets(wish, start, features))

    one, two = statistics([BRUSHES]), statistics([OTHER])
    both, third = statistics([BRUSHES, OTHER]), statistics([BRUSHES, OTHER], ["1", 2])
    for a, b, half, part in zip(one, two, both, third):
        assert torch.allclose(half, (a + b) / 2, rtol=1e-3, atol=1e-2)
        assert torch.allclose(part, (a + 2 * b) / 3, rtol=1e-3, atol=1e-2)


def test_a_strength_of_nothing_leaves_the_picture_as_it_is(untrained):
    wish = style.check(CONTENT, [BRUSHES], style.Dials(size_px=64, strength=0.0))
    assert np.array_equal(instant.paint(wish), wish.content)


def test_kept_colours_are_the_content_s_and_only_its_lights_change(untrained):
    wish = style.check(CONTENT, [BRUSHES], style.Dials(size_px=64, keep_colours=True))
    pixels, base = instant.paint(wish).astype(int), wish.content.astype(int)
    inside = ((pixels > 0) & (pixels < 255)).all(axis=2)
    moved = (pixels - base)[inside]
    assert np.abs(moved).max() > 20
    assert np.abs(moved - moved.mean(axis=1, keepdims=True)).max() <= 1  # red, green, blue by as much


def test_where_the_mask_is_black_the_picture_stays_to_the_byte(untrained):
    wish = style.check(CONTENT, [BRUSHES], SMALL, mask_of())
    pixels, black = instant.paint(wish), wish.mask == 0
    assert 0.4 < black.mean() < 0.5
    assert np.array_equal(pixels[black], wish.content[black])
    assert np.abs(pixels[wish.mask == 1].astype(int) - wish.content[wish.mask == 1]).mean() > 5


def test_a_second_style_goes_where_the_mask_is_black(untrained):
    wish = style.check(CONTENT, [BRUSHES], SMALL, mask_of(), [OTHER])
    start = images.to_tensor(wish.content[None])
    found = instant.targets(wish, start, features_of(wish.content))
    brushes, other = (adain.statistics(features_of(images.resize(pixels, 64))) for pixels in (BRUSHES, OTHER))
    for side, near, far in ((found[..., 4:], brushes, other), (found[..., :4], other, brushes)):
        for own, wanted, unwanted in zip(adain.statistics(side), near, far):
            assert (own - wanted).abs().mean() < 0.3 * (own - unwanted).abs().mean()


@pytest.mark.parametrize(
    "weights", [[1], [1, 2, 3], [0, 0], [-1, 2], ["much", 1], [float("nan"), 1], [1, 101]]
)
def test_weights_that_cannot_be_are_refused_in_a_sentence(weights):
    with pytest.raises(Refused, match="give 2 numbers from 0 to 100"):
        style.check(CONTENT, [BRUSHES, OTHER], SMALL, weights=weights)


def test_a_painting_at_once_may_be_larger_and_not_too_large():
    assert instant.check_dials(limits.MOST_INSTANT_PX).size_px == limits.MOST_INSTANT_PX
    with pytest.raises(Refused, match=f"from 64 to {limits.MOST_INSTANT_PX}"):
        instant.check_dials(limits.MOST_INSTANT_PX + 1)


def test_the_longest_picture_that_is_taken_in_can_be_painted(untrained):
    long = np.repeat(examples.draw("fields", 1, 32), limits.MOST_ASPECT, axis=1)
    assert instant.paint(style.check(long, [BRUSHES], SMALL)).shape == (16, 64, 3)


def test_a_picture_of_one_colour_stays_finite(untrained):
    flat = np.full((64, 64, 3), 255, np.uint8)
    for content, painted_like in ((flat, BRUSHES), (CONTENT, flat)):
        assert instant.paint(style.check(content, [painted_like], SMALL)).shape == (64, 64, 3)


@pytest.mark.parametrize("data", [None, b"no network"])
def test_a_decoder_that_is_not_to_the_last_byte_the_shipped_one_is_refused(tmp_path, monkeypatch, data):
    path = tmp_path / "adain.safetensors"
    if data:
        path.write_bytes(data)
    monkeypatch.setattr(instant, "DECODER_FILE", path)
    with pytest.raises(Refused, match="get the program's files again"):
        instant.decoder.__wrapped__()
