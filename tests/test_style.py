"""Style transfer: losses as by hand, the same bytes again, brushes where the mask is white; what is refused."""

import importlib.util
import types
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models.vgg import cfgs, make_layers

from gan_play import cli, limits
from gan_play.measure import features
from gan_play.models import vgg
from gan_play.pictures import examples, images, intake
from gan_play.refusals import Refused
from gan_play.share import card, styled
from gan_play.translate import style

CONTENT = examples.draw("mountains", 3, 96)
BRUSHES = examples.draw("rosettes", 5, 80)
OTHER = examples.draw("fields", 2, 64)
SMALL = style.Dials(size_px=64)
FEW = (3, 10)


def last(*given, steps=FEW, **more) -> style.Look:
    *_, look = style.transfer(style.check(*given, **more), steps)
    return look


def write(path: Path, pixels: np.ndarray) -> Path:
    path.write_bytes(images.encode(pixels, "png"))
    return path


# The losses, by hand


def test_a_gram_matrix_is_the_mean_of_products_over_the_places_that_count():
    rng = np.random.default_rng(0)
    f, c = rng.normal(size=(3, 2, 5)), rng.random((2, 5))
    slow = np.zeros((3, 3))
    for y in range(2):
        for x in range(5):
            slow += c[y, x] * np.outer(f[:, y, x], f[:, y, x])
    found = style.gram(torch.from_numpy(f)[None], torch.from_numpy(c)[None, None])
    assert np.allclose(found.numpy(), slow / c.sum(), atol=1e-12)


def test_the_slope_of_the_content_loss_is_that_of_the_formula():
    rng = np.random.default_rng(1)
    f, p = rng.normal(size=(1, 3, 2, 2)), rng.normal(size=(1, 3, 2, 2))
    x = torch.from_numpy(f).requires_grad_()
    loss = style.apart(x, torch.from_numpy(p))
    loss.backward()
    assert np.isclose(loss.item(), ((f - p) ** 2).sum() / (p**2).sum(), atol=1e-12)
    assert np.allclose(x.grad.numpy(), 2 * (f - p) / (p**2).sum(), atol=1e-12)


def test_the_slope_of_the_style_loss_is_that_of_the_formula():
    # Gatys 2016, equation 6, in our unit: dE/dF = 4 (G - A) F c / (sum c |A|^2), G and A being symmetric.
    rng = np.random.default_rng(2)
    f, c = rng.normal(size=(4, 6)), rng.random(6)
    a = rng.normal(size=(4, 4))
    a = a + a.T
    g = (f * c) @ f.T / c.sum()
    by_hand = 4 * ((g - a) @ f) * c / c.sum() / (a**2).sum()
    x = torch.from_numpy(f).view(1, 4, 2, 3).requires_grad_()
    loss = style.apart(style.gram(x, torch.from_numpy(c).view(1, 1, 2, 3)), torch.from_numpy(a))
    loss.backward()
    assert np.isclose(loss.item(), ((g - a) ** 2).sum() / (a**2).sum(), atol=1e-12)
    assert np.allclose(x.grad.numpy().reshape(4, 6), by_hand, atol=1e-12)


# The network


def test_the_network_is_vgg19_with_averages_between_its_blocks():
    ours, theirs = features.vgg19(), make_layers(cfgs["E"])[:12]
    with torch.no_grad():
        for place, layer in zip((0, 2, 5, 7, 10), vgg.LAYERS):
            theirs[place].weight.copy_(getattr(ours, f"{layer}_weight"))
            theirs[place].bias.copy_(getattr(ours, f"{layer}_bias"))
        x = images.to_tensor(CONTENT[None])
        bgr = (x.flip(1) + 1) * 127.5 - torch.tensor(vgg.MEAN).view(1, 3, 1, 1)
        for place in (4, 9):
            theirs[place] = torch.nn.AvgPool2d(2)
        found = ours(x, ("relu2_1", "relu3_1"))
    assert list(found) == ["relu2_1", "relu3_1"]
    assert torch.allclose(found["relu2_1"], theirs[:7](bgr), rtol=1e-3, atol=1e-2)
    assert torch.allclose(found["relu3_1"], theirs(bgr), rtol=1e-3, atol=1e-2)


def test_weights_that_are_not_to_the_last_byte_the_known_ones_are_refused(tmp_path, monkeypatch):
    (tmp_path / features.VGG19_FILE).write_bytes(b"no network")
    for package in (None, types.SimpleNamespace(origin=str(tmp_path / "__init__.py"))):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=package: package)
        with pytest.raises(Refused, match="requirements.txt"):
            features.vgg19.__wrapped__()


# Painting


def test_the_same_wish_gives_the_same_bytes_and_each_look_has_the_painting_s_size():
    wish = style.check(CONTENT[:, :72], [BRUSHES], style.Dials(size_px=128))
    first = list(style.transfer(wish, (2, 1)))
    again = list(style.transfer(wish, (2, 1)))
    assert [look.pixels.shape for look in first] == [(128, 96, 3)] * 2
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again))
    assert [look.step for look in first] == [2, 3]
    assert 0 < first[0].share < first[1].share == 1


def test_the_style_comes_nearer_and_the_content_stays_nearer_than_the_style_picture():
    wish = style.check(CONTENT, [BRUSHES], SMALL)
    *_, end = style.transfer(wish, (3, 20))
    with torch.no_grad():
        goal = style.Goal(wish, 64, 64)
        content, before, _ = goal(torch.zeros_like(goal.start))
        other = style.fitted(80, 80, 64)
        brushes = images.to_tensor(images.resize(BRUSHES, other)[None]) - goal.start
        apart, _, _ = goal(brushes)
    assert content.item() == 0
    assert end.style < 0.3 * before.item()
    assert end.content < 0.7 * apart.item()


def test_a_strength_of_nothing_leaves_the_picture_as_it_is():
    wish = style.check(CONTENT, [BRUSHES], style.Dials(size_px=64, strength=0.0))
    assert np.abs(last(CONTENT, [BRUSHES], wish.dials).pixels.astype(int) - wish.content).max() <= 1


def test_kept_colours_are_the_content_s_and_only_its_lights_change():
    dials = style.Dials(size_px=64, keep_colours=True)
    pixels = last(CONTENT, [BRUSHES], dials).pixels.astype(int)
    base = style.check(CONTENT, [BRUSHES], dials).content.astype(int)
    inside = ((pixels > 0) & (pixels < 255)).all(axis=2)
    moved = (pixels - base)[inside]
    assert np.abs(moved).max() > 20
    assert np.abs(moved - moved.mean(axis=1, keepdims=True)).max() <= 1  # red, green, blue by as much


def test_where_the_mask_is_black_the_picture_stays_to_the_byte():
    mask = np.zeros_like(CONTENT)
    mask[:, 48:] = 255
    wish = style.check(CONTENT, [BRUSHES], SMALL, mask)
    pixels = last(CONTENT, [BRUSHES], SMALL, mask).pixels
    black = wish.mask == 0
    assert 0.4 < black.mean() < 0.5
    assert np.array_equal(pixels[black], wish.content[black])
    assert np.abs(pixels[wish.mask == 1].astype(int) - wish.content[wish.mask == 1]).mean() > 5


def test_a_second_style_goes_where_the_mask_is_black():
    mask = np.zeros_like(CONTENT)
    mask[:, 48:] = 255
    one = last(CONTENT, [BRUSHES], SMALL, mask, steps=(3, 15)).pixels
    two = last(CONTENT, [BRUSHES], SMALL, mask, [OTHER], steps=(3, 15)).pixels
    left, right = np.s_[:, :28], np.s_[:, 36:]
    assert np.abs(two[left].astype(int) - one[left]).mean() > 5

    def towards(pixels, other):  # in colour, the plainest of a style's statistics
        return np.abs(pixels.reshape(-1, 3).mean(axis=0) - other.reshape(-1, 3).mean(axis=0)).sum()

    assert towards(two[left], OTHER) < towards(one[left], OTHER)
    assert towards(two[right], BRUSHES) < towards(CONTENT, BRUSHES)


def test_the_style_of_several_pictures_lies_between_theirs():
    goals = [
        style.Goal(style.check(CONTENT, styles, SMALL), 64, 64)
        for styles in ([BRUSHES], [OTHER], [BRUSHES, OTHER])
    ]
    one, two, both = (goal.regions[0][1][0] for goal in goals)
    assert torch.allclose(both, (one + two) / 2, rtol=1e-5)


def test_the_style_of_a_set_is_that_of_pictures_spread_evenly(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    drawn = [examples.draw("sunsets", seed, 40) for seed in range(9)]
    for seed, pixels in enumerate(drawn):
        write(folder / f"{seed}.png", pixels)
    taken = intake.run_to_end(intake.take_in([folder], tmp_path / "home"))
    found = style.of_set(tmp_path / "home", taken.set_id)
    assert len(found) == style.FROM_SET
    assert all(np.array_equal(a, drawn[i]) for a, i in zip(found, (0, 2, 4, 6)))
    with pytest.raises(Refused, match="There is no set"):
        style.of_set(tmp_path / "home", "0" * 16)


# Refusals


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"content": None}, "no picture to paint"),
        ({"styles": []}, "no style to paint in"),
        ({"styles": [BRUSHES] * 9}, "choose 8 at most"),
        ({"mask": np.zeros_like(CONTENT)}, "almost no place"),
        ({"mask": np.full_like(CONTENT, 255)}, "white all over"),
        ({"mask": np.full((96, 95, 3), 255, np.uint8)}, "another size"),
        ({"elsewhere": [OTHER]}, "needs a mask"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_in_a_sentence(given, said):
    usual = {"content": CONTENT, "styles": [BRUSHES], "dials": SMALL}
    with pytest.raises(Refused, match=said):
        style.check(**{**usual, **given})


@pytest.mark.parametrize(
    ("dials", "said"),
    [
        ({"size_px": "huge"}, "can't be huge pixels"),
        ({"size_px": 63}, "from 64 to 512"),
        ({"size_px": 513}, "from 64 to 512"),
        ({"strength": -1}, "how strong"),
        ({"strength": "nan"}, "how strong"),
        ({"scale": 3}, "how coarse"),
    ],
)
def test_dials_beyond_their_ends_are_refused_in_a_sentence(dials, said):
    with pytest.raises(Refused, match=said):
        style.check_dials(**dials)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 3000)], ids=["one pixel", "1 x 3000"])
def test_a_picture_of_one_pixel_or_a_line_is_refused_in_a_sentence(tmp_path, height, width):
    bad = write(tmp_path / "bad.png", np.zeros((height, width, 3), np.uint8))
    good = write(tmp_path / "good.png", BRUSHES)
    for content, styles in ((bad, [good]), (good, [bad])):
        with pytest.raises(Refused, match=f"bad.png is (only )?{width} x {height}"):
            style.read(tmp_path, content, styles)


def test_a_picture_of_100_megapixels_is_refused_before_it_is_decoded(tmp_path):
    plain = bytearray(images.encode(np.zeros((16, 16, 3), np.uint8), "png"))
    plain[16:24] = (10_000).to_bytes(4, "big") * 2
    plain[29:33] = zlib.crc32(plain[12:29]).to_bytes(4, "big")
    (tmp_path / "huge.png").write_bytes(bytes(plain))
    with pytest.raises(Refused, match="100 megapixels"):
        style.read(tmp_path, tmp_path / "huge.png", [write(tmp_path / "good.png", BRUSHES)])


def test_the_longest_picture_that_is_taken_in_can_be_painted():
    long = np.repeat(examples.draw("fields", 1, 32), limits.MOST_ASPECT, axis=1)
    look = last(long, [BRUSHES], SMALL, steps=(1, 1))
    assert look.pixels.shape == (16, 64, 3)
    assert 0 <= look.content < 1


# On the command line, and its card


def test_the_command_line_paints_and_its_card_says_how_it_came_about(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(style, "STEPS", (1, 2))
    own, brushes = write(tmp_path / "own.png", CONTENT), write(tmp_path / "brushes.png", BRUSHES)
    out = tmp_path / "painted.png"
    words = [
        "style",
        own,
        "--style",
        brushes,
        "--size",
        64,
        "--keep-colours",
        "--out",
        out,
        "--home",
        tmp_path,
    ]
    assert cli.main(list(map(str, words))) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == str(out)
    assert "where 0 has its textures" in said.err
    data = out.read_bytes()
    wish = style.check(CONTENT, [BRUSHES], style.Dials(64, keep_colours=True))
    assert images.png_size(data) == (64, 64)
    facts = card.read_styled(data)
    *_, look = style.transfer(wish, (1, 2))
    assert facts["styled"] == styled.recipe(wish, look)
    assert "colours kept" in facts["styled"]
    with pytest.raises(Refused, match="painted from pictures that no link holds"):
        card.read(data, "painted.png")


def test_ctrl_c_keeps_what_is_painted_by_then(tmp_path, monkeypatch, capsys):
    def interrupted(wish):
        yield style.Look(1, 9, 0.1, wish.content, 0.5, 0.1)
        raise KeyboardInterrupt

    monkeypatch.setattr(style, "transfer", interrupted)
    own, out = write(tmp_path / "own.png", CONTENT), tmp_path / "painted.png"
    assert cli.main(["style", str(own), "--style", str(own), "--size", "64", "--out", str(out)]) == 0
    assert images.png_size(out.read_bytes()) == (64, 64)
    assert "what there is by now is kept" in capsys.readouterr().err
