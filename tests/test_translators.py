"""The U-Net and the critic of patches: what they promise, and how far they see."""

import pytest
import torch
import torch.nn.functional as F

from gan_play.models.translators import (
    PATCHES,
    InstanceNorm,
    PatchDiscriminator,
    UnetTranslator,
    patch_layers,
    twice,
)
from gan_play.trainers.recipes import RECIPES


@pytest.fixture(autouse=True)
def a_seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("size_px", RECIPES["pix2pix"].sizes)
def test_a_translator_takes_any_size_that_its_maps_divide(size_px):
    network = UnetTranslator(size_px, 4).eval()
    assert network.multiple == size_px // 4
    for height, width in ((size_px, size_px), (network.multiple, 3 * network.multiple)):
        with torch.no_grad():
            made = network(torch.rand(1, 3, height, width) * 2 - 1)
        assert made.shape == (1, 3, height, width) and made.abs().max() <= 1 and made.isfinite().all()


def test_a_small_translator_has_about_three_million_parameters():
    count = sum(p.numel() for p in UnetTranslator(128, 32).parameters())
    assert 3_000_000 < count < 4_000_000


def test_a_translator_begins_without_checkerboards():
    flat = torch.full((1, 3, 64, 64), 0.3)
    with torch.no_grad():
        made = UnetTranslator(64, 8).eval()(flat)[0, :, 24:40, 24:40]
    even, odd = made[:, :, ::2], made[:, :, 1::2]
    assert (even.mean() - odd.mean()).abs() < 0.05 * made.std() + 1e-4


def test_each_result_depends_on_its_own_source_alone():
    network = UnetTranslator(32, 4).eval()
    source = torch.rand(3, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        whole, one = network(source), network(source[1:2])
    assert torch.allclose(whole[1:2], one, atol=1e-5)


@pytest.mark.parametrize("layers", PATCHES)
def test_a_patch_is_as_large_as_the_paper_says(layers):
    """The gradient of one logit by the picture: where it isn't nothing is what the critic saw. Norms left out."""
    critic = PatchDiscriminator(0, 4, layers)
    critic.norms = torch.nn.ModuleList(torch.nn.Identity() for _ in critic.norms)
    side = 2 * PATCHES[layers]
    x = torch.rand(1, 3, side, side, requires_grad=True)
    logits = critic(x)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    rows = x.grad.abs().sum(dim=(0, 1, 3)).nonzero()[:, 0]
    assert int(rows.max() - rows.min()) + 1 == PATCHES[layers]


def test_patches_are_smaller_for_small_pictures():
    assert [PATCHES[patch_layers(size)] for size in (32, 64, 128, 256)] == [16, 34, 70, 70]


def test_a_critic_sees_the_source_beside_the_picture_if_it_is_to():
    x, source = torch.rand(2, 3, 64, 64), torch.rand(2, 4, 64, 64)
    beside = PatchDiscriminator(4, 4, 2)
    assert not torch.equal(beside(x, source), beside(x, source.flip(0)))
    assert PatchDiscriminator(0, 4, 2)(x).shape[:2] == (2, 1)


def test_a_translator_that_repairs_leaves_what_is_whole_as_it_is_and_learns_from_the_damage_alone():
    network = UnetTranslator(32, 4, source_channels=4, keeps=True)
    source = torch.rand(2, 4, 32, 32) * 2 - 1
    source[:, 3] = -1
    source[:, 3, 8:16, 4:9] = 1
    source[:, 3, 20:24, 4:9] = 0
    made = network(source)
    whole = (source[:, 3:] == -1).expand(-1, 3, -1, -1)
    assert torch.equal(made[whole], source[:, :3][whole]) and not torch.equal(made, source[:, :3])
    (gradient,) = torch.autograd.grad(made.square().sum(), made)
    assert torch.autograd.grad(made, network.paint.bias, gradient * whole)[0].abs().max() == 0


@pytest.mark.parametrize("channels, keeps", [(3, False), (4, True)])
def test_a_translator_learns_what_it_paints(channels, keeps):
    """Its results and gradients are those of the plain form, that of painting."""
    network = UnetTranslator(32, 4, channels, keeps).double()
    source = (torch.rand(3, channels, 32, 32, dtype=torch.float64) * 2 - 1).requires_grad_()
    toward = torch.randn(3, 3, 32, 32, dtype=torch.float64)
    found = []
    for learns in (True, False):
        made = network.train(learns)(source)
        gradients = torch.autograd.grad((made.double() * toward).sum(), [source, *network.parameters()])
        found.append([made, *gradients])
    for one, other in zip(*found):  # what is painted is rounded to float32 before its tanh
        # A bias before a norm changes nothing: its gradient is rounding alone.
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-5 * other.abs().max().item() + 1e-12)
    assert sum(one.abs().max() > 1e-3 for one in found[0]) > len(list(network.parameters())) / 2


def test_doubling_and_convolving_in_one_is_doubling_then_convolving():
    network = UnetTranslator(16, 4).double()
    x, beside = torch.randn(2, 8, 5, 7, dtype=torch.float64), torch.randn(2, 3, 10, 14, dtype=torch.float64)
    whole, part = (torch.nn.Conv2d(count, 6, 3, padding=1).double() for count in (8, 11))
    assert torch.allclose(network.doubled(x, whole), whole(twice(x)), atol=1e-12)
    both = torch.cat([twice(x), beside], dim=1)
    assert torch.allclose(network.doubled(x, part, beside), part(both), atol=1e-12)
    network.eval()
    assert torch.equal(network.doubled(x, whole), whole(twice(x)))  # painting keeps its bits
    assert torch.equal(network.doubled(x, part, beside), part(both))


def test_a_norm_that_learns_lays_its_maps_out_channels_last():
    norm, x = InstanceNorm(4), torch.randn(2, 4, 6, 5)
    y = norm(x)
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(y, norm.eval()(x)) and torch.equal(y, F.instance_norm(x))
