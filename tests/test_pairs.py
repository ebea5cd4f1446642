"""Pairs made from one set: each preset's sources, drawn anew or plain, and always functions of what was drawn."""

import numpy as np
import pytest
import torch

from gan_play import cli
from gan_play.pictures import examples, images
from gan_play.trainers import pairs
from gan_play.trainers.recipes import RECIPES

EACH = pytest.mark.parametrize("preset", pairs.PRESETS)
PICTURES = images.to_tensor(
    np.stack([examples.draw(kind, seed, 64) for kind in ("sunsets", "mountains") for seed in (1, 2)])
)


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_command_line_and_the_recipe_know_the_presets():
    assert cli.PRESETS == tuple(pairs.PRESETS) == RECIPES["pix2pix"].presets


@EACH
def test_a_source_has_its_channels_lies_in_range_and_is_a_function_of_what_is_drawn(preset):
    made = pairs.make(preset, PICTURES, random())
    assert made.shape == (4, pairs.channels_of(preset), 64, 64)
    assert made.isfinite().all() and made.abs().max() <= 1 + 1e-6
    assert torch.equal(made, pairs.make(preset, PICTURES, random()))
    assert not torch.equal(made, pairs.make(preset, PICTURES, random(1)))


@EACH
def test_a_plain_source_is_always_the_same_whatever_lies_beside_it(preset):
    plain = pairs.source_of(preset, PICTURES)
    assert plain.shape == (4, pairs.channels_of(preset), 64, 64)
    assert torch.allclose(pairs.source_of(preset, PICTURES[2:3]), plain[2:3], atol=1e-5)


@EACH
def test_pictures_need_not_be_square(preset):
    wide = PICTURES[:, :, :32]
    assert pairs.make(preset, wide, random()).shape[2:] == wide.shape[2:]
    assert pairs.source_of(preset, wide).shape[2:] == wide.shape[2:]


@EACH
def test_a_picture_of_one_colour_has_a_source_too(preset):
    flat = torch.full((2, 3, 32, 32), 0.5)
    assert pairs.make(preset, flat, random()).isfinite().all()
    assert pairs.source_of(preset, flat).isfinite().all()


def test_a_blur_is_a_gaussian_by_a_slow_reference():
    x = torch.rand(1, 1, 9, 9, generator=random())
    sigma = 1.3
    found = pairs.blur(x, torch.full((1, 1, 1, 1), sigma), 2.0)
    reach = 6
    weights = np.array([np.exp(-0.5 * (i / sigma) ** 2) for i in range(-reach, reach + 1)])
    weights /= weights.sum()
    by_hand = np.zeros((9, 9))
    for row in range(9):
        for column in range(9):
            for i, down in enumerate(weights):
                for j, across in enumerate(weights):
                    y, z = np.clip(row + i - reach, 0, 8), np.clip(column + j - reach, 0, 8)
                    by_hand[row, column] += down * across * float(x[0, 0, y, z])
    assert np.allclose(found[0, 0].numpy(), by_hand, atol=1e-5)


def test_lines_follow_an_edge_and_leave_the_plain_parts_white():
    x = torch.full((1, 3, 64, 64), -0.5)
    x[..., 32:] = 0.5
    made = pairs.source_of("sketch", x)[0, 0]
    dark = (made < 0).nonzero()[:, 1]
    assert len(dark) and (dark - 32).abs().max() <= 5
    assert made[:, :20].min() > 0.9 and made[:, 44:].min() > 0.9


def test_pens_are_thin_and_thick():
    x = torch.full((64, 3, 64, 64), -0.5)
    x[..., 32:] = 0.5
    widths = (pairs.make("sketch", x, random())[:, 0] < 0).float().sum(dim=2).mean(dim=1)
    assert widths.max() > 2 * widths.clamp(min=1).min()


def test_a_grey_picture_has_no_colour_but_by_its_hints():
    made = pairs.make("colour", PICTURES, random(3))
    spread = made.amax(dim=1) - made.amin(dim=1)
    coloured = (spread > 0.02).float().mean(dim=(1, 2))
    assert coloured.max() > 0 and coloured.min() == 0  # some have hints
    assert (pairs.source_of("colour", PICTURES).std(dim=1) < 1e-6).all()
    inside = (made > -1) & (made < 1)  # where no colour was cut off
    off = (pairs.grey(made) - pairs.grey(PICTURES)).abs()
    assert off[inside.all(dim=1, keepdim=True)].max() < 1e-4


@pytest.mark.parametrize("side", [48, 150])
def test_a_hint_is_exact_where_it_lies_and_goes_on_near_it_to_what_is_as_light(side):
    x = torch.full((1, 3, side, side), -0.5)
    x[..., side // 2 :] = 0.5  # a dark half and a light one
    colours = torch.tensor([0.8, -0.2, -0.2])[None, :, None, None].expand_as(x)
    where = torch.zeros(1, 1, side, side)
    dab, middle = (
        slice(side // 2 - side // 8, side // 2),
        slice(side // 2 - side // 16, side // 2 + side // 16),
    )
    where[:, :, middle, dab] = 1
    made = pairs.with_hints(x, colours, where)
    tint = made - pairs.grey(x)
    wanted = (colours - pairs.grey(colours))[0, :, 0, 0]
    assert torch.allclose(tint[0, :, side // 2, side // 2 - 2], wanted, atol=1e-5)
    red = tint[0, 0]
    beside, across, far = red[side // 2, side // 2 - side // 6], red[side // 2, side // 2 + 2], red[0, 0]
    assert 0.3 * wanted[0] < beside < wanted[0]
    assert across.abs() < 0.02 and far.abs() < 0.2 * beside
    assert torch.equal(pairs.with_hints(x, colours, 0 * where), pairs.source_of("colour", x))


def test_what_is_whole_in_a_damaged_picture_is_untouched_and_what_lay_in_a_hole_is_nowhere():
    made = pairs.make("repair", PICTURES, random(1))
    state = made[:, 3:]
    assert set(state.unique().tolist()) <= {pairs.WHOLE, pairs.BLURRED, pairs.HOLE}
    whole, hole = (state == pairs.WHOLE).expand(-1, 3, -1, -1), (state == pairs.HOLE).expand(-1, 3, -1, -1)
    assert torch.equal(made[:, :3][whole], PICTURES[whole])
    other = torch.where(hole, torch.rand(PICTURES.shape, generator=random()), PICTURES)
    hidden, none = state == pairs.HOLE, torch.zeros_like(state, dtype=torch.bool)
    one, two = (pairs.damaged(x, hidden, none, x) for x in (PICTURES, other))
    assert torch.equal(one, two)
    assert 0.01 < float((state != pairs.WHOLE).float().mean()) < 0.9


def test_a_mask_says_where_the_damage_is():
    mask = torch.zeros(4, 1, 64, 64)
    mask[:, :, 10:20, 5:9] = 1
    made = pairs.source_of("repair", PICTURES, mask)
    assert torch.equal(made[:, 3:] == pairs.HOLE, mask > 0)
    assert torch.equal(made[:, :3, 20:], PICTURES[:, :, 20:])


def test_a_hole_in_one_colour_is_filled_with_it_and_one_in_a_ramp_lies_between():
    hole = torch.zeros(1, 1, 33, 40, dtype=torch.bool)  # no power of two
    hole[:, :, 8:20, 10:30] = True
    flat = torch.full((1, 3, 33, 40), 0.3)
    assert torch.allclose(pairs.from_the_rim(flat, hole), flat, atol=1e-5)
    ramp = torch.linspace(-1, 1, 40).expand(1, 3, 33, 40)
    off = (pairs.from_the_rim(ramp, hole) - ramp).abs()
    assert off.max() < 0.45 and not off[~hole.expand(-1, 3, -1, -1)].any()


def test_an_enlarged_picture_has_lost_its_detail_and_kept_its_colours():
    noise = torch.rand(2, 3, 64, 64, generator=random()) * 2 - 1
    made = pairs.source_of("enlarge", noise)
    assert made.std() < 0.35 * noise.std()
    assert torch.allclose(made.mean(dim=(2, 3)), noise.mean(dim=(2, 3)), atol=0.02)


def test_a_colour_map_has_a_few_flat_colours():
    for picture in pairs.source_of("flat", PICTURES):
        colours = picture.flatten(1).t().mul(1000).round().unique(dim=0)
        assert 2 <= len(colours) <= pairs.PLAIN_COLOURS
