"""Using a translator: any size, tiles that blend, masks to the byte, and a sentence for what can't be done."""

import dataclasses
import time

import numpy as np
import playground
import playing
import pytest
import torch

from gan_play import limits
from gan_play.latent import sample
from gan_play.refusals import Refused
from gan_play.translate import translator
from gan_play.translate.translator import Dials, translate


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Soft hills of colour."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (4, 4, 3)).astype(np.float32)
    rows = np.linspace(0, 3, height)[:, None, None]
    columns = np.linspace(0, 3, width)[None, :, None]
    r, c = rows.astype(int).clip(0, 2), columns.astype(int).clip(0, 2)
    across = small[r, c, :].reshape(height, width, 3) * (1 - (columns - c)) + small[r, c + 1, :].reshape(
        height, width, 3
    ) * (columns - c)
    return across.clip(0, 255).astype(np.uint8)


class Local(torch.nn.Module):
    """A network that looks nowhere but at one place: in tiles it must paint what it paints at once."""

    multiple = 8
    source_channels = 3

    def __init__(self) -> None:
        super().__init__()
        self.sizes = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert not (x.shape[-1] % 8 or x.shape[-2] % 8)
        self.sizes.append(tuple(x.shape[-2:]))
        return -x * 0.5


class Mean(Local):
    """One that paints the mean of all it sees, everywhere."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3), keepdim=True).expand_as(x)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (16, 100), (130, 61)])
def test_any_size_comes_back_as_large_as_it_was_and_the_same_each_time(height, width):
    toy, pixels = playing.translator("flat"), picture(height, width)
    made = translate(toy, pixels)
    assert made.shape == pixels.shape and made.dtype == np.uint8
    assert (translate(toy, pixels) == made).all()


def test_what_already_fits_is_not_changed_by_padding():
    toy, x = playing.translator(), torch.randn(1, 3, 32, 64).clamp(-1, 1)
    assert torch.equal(translator.padded(toy.generator, x, toy.generator.multiple), toy.generator(x))


def reference(network, x: torch.Tensor, tile: int, overlap: int) -> np.ndarray:
    """Tiles that blend, place by place: the mean of all that lie over it, each by how far it is from its end."""
    height, width = x.shape[-2:]
    starts = [translator.places(side, min(tile, side), overlap) for side in (height, width)]
    total, weights = np.zeros((3, height, width)), np.zeros((height, width))
    for top in starts[0]:
        for left in starts[1]:
            tall, wide = min(tile, height), min(tile, width)
            made = translator.padded(network, x[..., top : top + tall, left : left + wide], 8)[0]
            for i in range(tall):
                for j in range(wide):
                    weight = min(1, min(i + 1, tall - i) / overlap) * min(1, min(j + 1, wide - j) / overlap)
                    total[:, top + i, left + j] += weight * made[:, i, j].numpy()
                    weights[top + i, left + j] += weight
    return total / weights


@pytest.mark.parametrize("network", [Local(), Mean()], ids=["local", "mean"])
@pytest.mark.parametrize(("height", "width"), [(40, 70), (24, 90), (16, 16)])
def test_tiles_blend_as_a_slow_reference_says(network, height, width):
    x = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))
    *looks, made = translator.blended(network, x, 8, tile=24, overlap=6)
    assert all(look is None for look in looks)
    np.testing.assert_allclose(made[0].numpy(), reference(network, x, 24, 6), atol=1e-5)


def test_tiles_of_what_looks_at_one_place_alone_are_what_it_paints_at_once():
    network, x = Local(), torch.randn(1, 3, 90, 61)
    *_, made = translator.blended(network, x, 8, tile=32, overlap=8)
    torch.testing.assert_close(made, translator.padded(network, x, 8))


@pytest.mark.parametrize("length", [1, 23, 24, 25, 42, 43, 44, 100, 777])
def test_tiles_cover_a_side_and_reach_into_each_other(length):
    tile, overlap = min(24, length), 6
    starts = translator.places(length, 24, overlap)
    assert starts[0] == 0 and starts[-1] + tile == length
    assert all(0 < second - first <= tile - overlap for first, second in zip(starts, starts[1:]))


def test_a_large_picture_is_painted_in_tiles_and_a_small_one_at_once(monkeypatch):
    monkeypatch.setattr(translator, "MOST_WHOLE_PX", 64)
    monkeypatch.setattr(translator, "blended", lambda *given, whole=translator.blended: whole(*given, 48, 16))
    network = Local()
    toy = dataclasses.replace(playing.translator("flat"), generator=network)
    looks = list(translator.translating(toy, picture(64, 64), Dials(drawn=True)))
    assert len(looks) == 1 and network.sizes == [(64, 64)]
    looks = list(translator.translating(toy, picture(64, 100), Dials(drawn=True)))
    assert len(looks) == 7 and network.sizes[1:] == [(48, 48)] * 6


def test_a_large_painting_tells_its_tiles_and_ends_where_its_listener_says():
    told = []
    toy = playing.translator()
    translate(toy, picture(600, 1000), progress=lambda *done: told.append(done))
    assert told == [(done, translator.tiles(600, 1000)) for done in range(1, 7)]
    assert translator.tiles(300, 300) == 1

    def stop(done, total):
        raise KeyError

    with pytest.raises(KeyError):
        translate(toy, picture(600, 1000), progress=stop)


def test_strength_goes_from_the_picture_to_the_painting_and_beyond():
    toy, pixels = playing.translator("flat"), picture(32, 32)
    assert (translate(toy, pixels, 0) == pixels).all()
    full, half = translate(toy, pixels), translate(toy, pixels, 0.5)
    middle = (pixels.astype(float) + full) / 2
    assert np.abs(half - middle).max() <= 1
    beyond = translate(toy, pixels, 2)
    assert (np.sign(beyond.astype(int) - full) * np.sign(full.astype(int) - pixels) >= 0).all()


def test_a_photo_becomes_the_source_of_its_preset_and_a_drawing_goes_in_as_it_is():
    toy, pixels = playing.translator("sketch"), picture(32, 32)
    x = sample.images.to_tensor(pixels[None])
    assert torch.equal(translator.source_of(toy, x, Dials(drawn=True)), x)
    lines = translator.source_of(toy, x, Dials())
    assert not torch.equal(lines, x) and (lines[:, 0] == lines[:, 1]).all()
    assert (translate(toy, pixels) != translate(toy, pixels, drawn=True)).any()


def test_lines_are_those_that_were_learnt_from_and_grow_no_further_than_twice():
    x = sample.images.to_tensor(picture(64, 64)[None])
    assert torch.equal(translator.lines_of(x, 64), translator.pairs.source_of("sketch", x))
    assert torch.equal(translator.lines_of(x, 32), translator.pairs.source_of("sketch", x))
    assert torch.equal(translator.lines_of(x, 16), translator.lines_of(x, 32)) is False


def test_a_repair_changes_nothing_outside_of_the_mask_and_sees_nothing_inside():
    toy, pixels = playing.translator("repair"), picture(50, 70)
    mask = np.zeros((50, 70), bool)
    mask[10:20, 15:40] = True
    made = translate(toy, pixels, mask=mask)
    assert (made[~mask] == pixels[~mask]).all() and (made[mask] != pixels[mask]).any()
    scratched = pixels.copy()
    scratched[12:14, 20:30] = 255
    assert (translate(toy, scratched, mask=mask) == made).all()


def test_enlarging_makes_the_picture_so_many_times_as_large():
    toy, pixels = playing.translator("enlarge"), picture(20, 30)
    assert translate(toy, pixels).shape == (40, 60, 3)
    assert translate(toy, pixels, times=4).shape == (80, 120, 3)


@pytest.mark.parametrize(
    ("preset", "pixels", "given", "words"),
    [
        ("sketch", picture(32, 2049), {}, "too large for a painting"),
        ("enlarge", picture(600, 32), {"times": 4}, "too large for a painting"),
        ("sketch", picture(1, 300), {}, "each side needs at least"),
        ("sketch", np.full((32, 32, 3), 255, np.uint8), {"drawn": True}, "Nothing is drawn"),
        ("sketch", picture(32, 32), {"back": True}, "one way only"),
        ("sketch", picture(32, 32), {"times": 2}, "times as large"),
        ("enlarge", picture(32, 32), {"times": 3}, "times as large"),
        ("sketch", picture(32, 32), {"strength": 2.5}, "how strong"),
        ("sketch", picture(32, 32), {"strength": float("nan")}, "how strong"),
        ("repair", picture(32, 32), {}, "No damage is marked"),
        ("repair", picture(32, 32), {"mask": np.zeros((32, 32), bool)}, "No damage is marked"),
        ("repair", picture(32, 32), {"mask": np.ones((32, 32), bool)}, "Almost all"),
        ("repair", picture(32, 32), {"mask": np.ones((32, 31), bool)}, "another size"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(preset, pixels, given, words):
    with pytest.raises(Refused, match=words) as refused:
        translate(playing.translator(preset), pixels, **given)
    assert len(refused.value.refusal.sentence) <= limits.MOST_SENTENCE_CHARS


def test_a_preview_is_the_painting_wherever_it_is_made():
    toy, pixels = playing.translator("flat"), picture(32, 40)
    dials = translator.check_dials(toy, 0.8, drawn=True)
    made = translate(toy, pixels, 0.8, drawn=True)
    assert (translator.preview(toy, pixels, dials, "cpu") == made).all()
    on_card = translator._on_card(toy, pixels, dials, "cpu")
    assert np.abs(on_card.astype(int) - made).max() <= 1
    assert (translator.preview(toy, pixels, dials, "cuda:99") == made).all()  # a card that isn't there


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_on_a_card_a_preview_of_256_px_takes_less_than_a_tenth_of_a_second():
    toy, pixels = playing.translator("sketch", 256, width=64), picture(256, 256)
    dials = translator.check_dials(toy, drawn=True)
    made, times = translate(toy, pixels, drawn=True), []
    for _ in range(20):
        begun = time.monotonic()
        seen = translator.preview(toy, pixels, dials, "cuda")
        times.append(time.monotonic() - begun)
    assert np.median(times[5:]) < 0.1 and np.abs(seen.astype(int) - made).mean() < 2


def test_a_run_is_loaded_for_what_it_learnt_and_for_nothing_else(tmp_path):
    playground.run_in(tmp_path)
    playground.translator_in(tmp_path)
    toy = translator.load(tmp_path, playground.TRANSLATOR)
    assert translator.preset_of(toy) == "sketch" and not translator.both_ways(toy)
    assert translator.load_digest(tmp_path, toy.digest[:16]) is toy
    with pytest.raises(Refused, match="takes no picture"):
        translator.load(tmp_path, playground.RUN)
    for _again in range(2):  # read from the disk, and held in memory
        with pytest.raises(Refused, match="paints none from seeds"):
            sample.load_digest(tmp_path, toy.digest[:16])
        sample._held.clear()
    with pytest.raises(Refused, match="paints none from seeds"):
        sample.load(tmp_path, playground.TRANSLATOR)


def test_hints_tint_a_grey_picture_where_they_lie_and_the_translator_takes_it_as_drawn():
    pixels, hints = picture(32, 48), np.zeros((32, 48, 4), np.uint8)
    hints[4:12, 6:20] = (200, 40, 40, 255)
    hints[20:24, 6:20] = (0, 255, 0, 0)  # an empty canvas has colours too, which nobody sees
    made = translator.hinted(pixels, hints)
    light = np.array([0.299, 0.587, 0.114])
    grey = np.repeat((pixels @ light)[:, :, None], 3, axis=2)
    where = hints[:, :, 3] > 0
    assert np.abs(made[~where] - grey[~where]).max() <= 1
    tint = np.array([200, 40, 40]) - np.array([200, 40, 40]) @ light
    assert np.abs(made[where] - (grey[where] + tint).clip(0, 255)).max() <= 1
    toy = playing.translator("colour")
    assert not (translate(toy, made, drawn=True) == translate(toy, pixels)).all()
    assert np.abs(translator.hinted(pixels, 0 * hints) - grey).max() <= 1


def test_hints_of_another_size_are_refused():
    with pytest.raises(Refused, match="hints have another size"):
        translator.hinted(picture(32, 48), np.zeros((48, 32, 4), np.uint8))
