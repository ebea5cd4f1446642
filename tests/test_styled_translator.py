"""The translator that paints with styled blocks: any size, how deep it looks, and what it does before it has learnt."""

import pytest
import torch

from gan_play.models.styled_translator import ContrastiveStyledTranslator, StyledTranslator


@pytest.mark.parametrize("size, strides", [(32, (1, 2, 2)), (64, (1, 2, 4, 4)), (512, (1, 2, 4, 8, 16, 16))])
def test_it_looks_until_few_places_are_left_and_paints_from_there(size, strides):
    torch.manual_seed(0)
    translator, x = StyledTranslator(size, 4).eval(), torch.rand(1, 3, size, size) * 2 - 1
    with torch.no_grad():
        maps = translator.look(x)
        assert torch.equal(translator.paint(maps), translator(x))
    assert translator.strides == strides and translator.multiple == strides[-1]
    assert [m.shape[1] for m in maps] == list(translator.depths)
    assert [size // m.shape[2] for m in maps] == list(strides) and torch.equal(maps[0], x)


@pytest.mark.parametrize("height, width", [(64, 64), (4, 4), (8, 1000), (100, 36)])
def test_it_takes_any_size_that_its_multiple_divides(height, width):
    translator = StyledTranslator(64, 4).eval()
    with torch.no_grad():
        y = translator(torch.rand(2, 3, height, width) * 2 - 1)
    assert y.shape == (2, 3, height, width) and y.dtype == torch.float32
    assert float(y.abs().max()) <= 1


@pytest.mark.parametrize("learning", [False, True])
def test_untaught_it_leaves_pictures_all_but_as_they_are(learning):
    torch.manual_seed(0)
    x = torch.rand(4, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        y = StyledTranslator(64, 16).train(learning)(x)
        ends = StyledTranslator(64, 16).train(learning)(torch.tensor([-1.0, 1.0]).repeat(4, 3, 64, 32))
    assert float((y - x).abs().mean()) < 0.1
    assert torch.isfinite(ends).all() and float(ends.abs().min()) > 0.8  # whose atanh is infinite


def test_once_learnt_a_picture_is_translated_the_same_whatever_stands_beside_it():
    torch.manual_seed(0)
    translator = StyledTranslator(32, 4).eval()
    x = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(translator(x)[1:2], translator(x[1:2]), atol=1e-5)


def test_patches_are_compared_at_all_depths_but_the_pixels():
    translator = ContrastiveStyledTranslator(64, 4)
    assert translator.compared == (2, 4, 4)
    places = [torch.arange(5)] * 3
    with torch.no_grad():
        seen = translator.heads(translator.look(torch.rand(2, 3, 64, 64)), places)
    assert [tuple(one.shape) for one in seen] == [(2, 5, translator.heads.patch_dim)] * 3
