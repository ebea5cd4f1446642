"""Style transfer at once: the same bytes again, tiles without seams, several styles, masks; what is refused."""

import types
from pathlib import Path

import numpy as np
import pytest
import torch

from gan_play import cli, files, limits
from gan_play.measure.features import vgg19
from gan_play.models import adain
from gan_play.pictures import examples, images
from gan_play.refusals import Refused
from gan_play.share import card, styled
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
    monkeypatch.setattr(instant, "TILE", 8)
    assert np.abs(instant.paint(wish) - whole).max() <= 1
    monkeypatch.setattr(instant, "MARGIN", 0)
    assert np.abs(instant.paint(wish) - whole).max() > 1  # the margin is what joins them


def test_what_is_painted_has_the_statistics_of_the_style(untrained):
    wish = style.check(CONTENT, [BRUSHES], SMALL)
    start = images.to_tensor(wish.content[None])
    features = features_of(wish.content)
    found = adain.statistics(instant.targets(wish, start, features, 0))
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
        return adain.statistics(instant.targets(wish, start, features, 0))

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
    found = instant.targets(wish, start, features_of(wish.content), 0)
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


def test_a_painting_at_once_leaves_the_network_as_the_slow_one_needs_it(untrained):
    vgg19.cache_clear()
    wish = style.check(CONTENT, [BRUSHES], SMALL)
    instant.paint(wish)
    *_, look = style.transfer(wish, (1, 1))
    assert look.share == 1


def test_a_strength_of_two_gives_back_nothing_of_what_the_decoder_loses(untrained):
    one, two = (instant.paint(style.check(CONTENT, [BRUSHES], style.Dials(64, s))) for s in (1.0, 2.0))
    wish = style.check(CONTENT, [BRUSHES], SMALL)
    base = images.to_tensor(wish.content[None])
    with torch.inference_mode():
        x = instant.whole(base, instant.BORDER)
        features = instant.encoded(x)
        wanted = instant.targets(wish, base, features, instant.BORDER)
        painted = untrained(wanted)[..., 16:80, 16:80]
    assert np.abs(images.to_pixels(painted)[0].astype(int) - two).max() <= 1
    assert np.abs(one.astype(int) - two).mean() > 5


# What ships


def test_the_shipped_decoder_is_the_one_of_its_card_and_small():
    data, told = (
        instant.DECODER_FILE.read_bytes(),
        (instant.DECODER_FILE.parent / "README.md").read_text("utf-8"),
    )
    assert f"`{files.sha256(data)}`" in told and instant.DECODER_SHA256 in told
    assert f"{len(data) / 1e6:.1f} MB" in told and len(data) < 8e6


def test_what_the_shipped_decoder_paints_comes_nearer_to_the_style():
    wish = style.check(CONTENT, [BRUSHES], style.Dials(size_px=128))
    pixels = instant.paint(wish)
    with torch.no_grad():
        goal = style.Goal(wish, 128, 128)
        content, near, _ = goal(images.to_tensor(pixels[None]) - goal.base)
        _, before, _ = goal(torch.zeros_like(goal.base))
        other, _, _ = goal(images.to_tensor(images.resize(BRUSHES, 128)[None]) - goal.base)
    assert near < 0.5 * before
    assert content < other  # and stays nearer to the picture than the style picture is


@pytest.mark.parametrize("data", [None, b"no network"])
def test_a_decoder_that_is_not_to_the_last_byte_the_shipped_one_is_refused(tmp_path, monkeypatch, data):
    path = tmp_path / "adain.safetensors"
    if data:
        path.write_bytes(data)
    monkeypatch.setattr(instant, "DECODER_FILE", path)
    with pytest.raises(Refused, match="get the program's files again"):
        instant.decoder.__wrapped__()


# On the command line, and its card


def write(path: Path, pixels: np.ndarray) -> str:
    path.write_bytes(images.encode(pixels, "png"))
    return str(path)


@pytest.mark.parametrize("strength", [0.5, 1, 2])
def test_a_painting_at_once_tells_each_piece_and_ends_where_its_listener_says(untrained, strength):
    content = np.random.default_rng(0).integers(0, 256, (40, 900, 3), dtype=np.uint8)
    wish, told = style.check(content, [BRUSHES, OTHER], style.Dials(900, strength)), []
    instant.paint(wish, lambda *done: told.append(done))
    total = instant.pieces(wish)
    assert told == [(done, total) for done in range(1, total + 1)] and total > 5

    def stop(done, total):
        raise KeyError

    with pytest.raises(KeyError):
        instant.paint(wish, stop)


def test_a_painting_that_memory_is_too_short_for_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(instant.psutil, "virtual_memory", lambda: types.SimpleNamespace(available=10**8))
    instant.check_memory(512, 512)
    with pytest.raises(Refused, match="too little memory for a painting of 2048 px: choose a smaller"):
        instant.check_memory(2048, 1024)


def test_the_command_line_paints_at_once_and_its_card_says_so(untrained, tmp_path, capsys):
    own, out = write(tmp_path / "own.png", CONTENT), tmp_path / "painted.png"
    painted_like = [write(tmp_path / f"{i}.png", pixels) for i, pixels in enumerate((BRUSHES, OTHER))]
    words = ["style", own, "--style", *painted_like, "--weights", "1", "3", "--instant", "--size", "64"]
    assert cli.main([*words, "--out", str(out), "--home", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(out)]
    data, wish = out.read_bytes(), style.check(CONTENT, [BRUSHES, OTHER], SMALL, weights=[1, 3])
    assert data == styled.png_at_once(wish)
    assert np.array_equal(images.decode(data), instant.paint(wish))
    facts = card.read_styled(data)
    assert ", at once by " in facts["styled"] and "weights 0.25+0.75" in facts["styled"]
    assert facts["made"] == styled.MADE_AT_ONCE


def test_the_command_line_refuses_weights_that_are_not_one_a_style(untrained, tmp_path, capsys):
    own, out = write(tmp_path / "own.png", CONTENT), tmp_path / "painted.png"
    assert (
        cli.main(["style", own, "--style", own, "--weights", "1", "2", "--instant", "--out", str(out)]) == 2
    )
    assert "give 1 numbers" in capsys.readouterr().err and not out.exists()
