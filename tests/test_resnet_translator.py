"""The translators between two sets: any size, each picture for itself, and patches that are where they should be."""

import pytest
import torch

from gan_play.models.resnet_translator import (
    ContrastiveTranslator,
    CycleDiscriminator,
    CycleTranslator,
    ResnetTranslator,
)


@pytest.mark.parametrize("height, width", [(32, 32), (64, 40), (8, 8), (8, 1000)])
def test_a_translator_takes_any_size_that_its_multiple_divides(height, width):
    translator = ResnetTranslator(32, 4)
    assert height % translator.multiple == width % translator.multiple == 0
    with torch.no_grad():
        y = translator(torch.rand(2, 3, height, width) * 2 - 1)
    assert y.shape == (2, 3, height, width) and y.dtype == torch.float32
    assert float(y.abs().max()) <= 1


def test_larger_sizes_have_nine_blocks_and_smaller_ones_six_as_in_the_paper():
    assert [len(ResnetTranslator(size, 4).blocks) for size in (32, 128, 256, 512)] == [6, 6, 9, 9]


def test_a_picture_is_translated_the_same_whatever_stands_beside_it_in_the_batch():
    torch.manual_seed(0)
    translator, x = ResnetTranslator(32, 4).double(), torch.rand(3, 3, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(translator(x)[1:2], translator(x[1:2]), atol=1e-7)


def test_it_looks_at_five_depths_and_paints_from_the_last_one():
    torch.manual_seed(0)
    translator, x = ResnetTranslator(32, 4), torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        maps = translator.look(x)
        assert torch.equal(translator.paint(maps), translator(x))
    assert [m.shape[1] for m in maps] == list(translator.depths)
    assert [32 // m.shape[2] for m in maps] == list(translator.strides) and torch.equal(maps[0], x)


@pytest.mark.parametrize("width", [4, 64])
def test_an_untaught_translator_with_a_skip_leaves_pictures_all_but_as_they_are(width):
    torch.manual_seed(0)
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        y = ResnetTranslator(32, width, skip=True)(x)
        ends = ResnetTranslator(32, width, skip=True)(torch.tensor([-1.0, 1.0]).repeat(1, 3, 32, 16))
    assert float((y - x).abs().mean()) < 0.1
    assert (
        torch.isfinite(ends).all() and float(ends.abs().min()) > 0.9
    )  # black and white, whose atanh is infinite


def test_patches_are_those_of_their_places_and_of_length_one():
    torch.manual_seed(0)
    translator, x = ContrastiveTranslator(32, 4), torch.rand(2, 3, 32, 32)
    places = [torch.tensor([5, 32 + 1])] * 5
    with torch.no_grad():
        maps = translator.look(x)
        seen = translator.heads(maps, places)
        by_hand = translator.heads[0](torch.stack([x[:, :, 0, 5], x[:, :, 1, 1]], dim=1))
    assert all(one.shape == (2, 2, translator.heads.patch_dim) for one in seen)
    assert all(torch.allclose(one.norm(dim=2), torch.ones(2, 2), atol=1e-3) for one in seen)
    by_hand = by_hand / by_hand.norm(dim=2, keepdim=True)
    assert torch.allclose(seen[0], by_hand, atol=1e-4)


def test_a_translator_of_both_ways_goes_there_when_it_is_called():
    torch.manual_seed(0)
    translator, x = CycleTranslator(*(ResnetTranslator(32, 4) for _ in range(2))), torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(translator(x), translator.there(x))
        assert not torch.equal(translator(x), translator.back(x))


def test_the_critics_of_both_ways_have_a_pool_each_that_belongs_to_the_state():
    critic = CycleDiscriminator(32, 4, pooled=50)
    pools = {name: t for name, t in critic.state_dict().items() if t.dtype == torch.uint8}
    assert list(pools) == ["pool_there", "pool_back"]
    assert [tuple(t.shape) for t in critic.pools] == [(50, 3, 32, 32)] * 2
    assert critic.judges[0](torch.zeros(1, 3, 32, 32)).shape[1] == 1
