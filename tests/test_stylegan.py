"""StyleGAN2's parts against slow references in float64, and what its two networks promise."""

import math

import pytest
import torch
import torch.nn.functional as F

from gan_play.models import stylegan
from gan_play.models.layers import LaidOut
from gan_play.models.stylegan import Stylegan2Discriminator, Stylegan2Generator

SIZES = pytest.mark.parametrize("size_px", [28, 32, 64])
SHAPES = pytest.mark.parametrize("residual", [False, True])


@pytest.fixture(autouse=True)
def one_thread_float64_and_seed():
    threads, kind = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)
    torch.set_default_dtype(kind)


def a_generator(size_px: int = 32, **options) -> Stylegan2Generator:
    generator = Stylegan2Generator(size_px, 2, z_dim=16, w_dim=12, **options).eval()
    for name, parameter in generator.named_parameters():
        if "noise_strength" in name:  # as if it had learnt to use its noise
            parameter.data.fill_(0.1)
    return generator


def noise_for(generator: torch.nn.Module, count: int) -> list[torch.Tensor]:
    return [torch.randn(count, *shape) for shape in generator.noise_shapes]


# Layers


def by_the_paper(layer: stylegan.StyledConvolution, x, w, noise):
    """Equations 1 and 3 of Karras 2020, picture by picture, weight by weight."""
    pictures = []
    for i in range(len(x)):
        scaled = layer.weight * layer.scale
        style = layer.style(w[i : i + 1])[0]
        outputs = []
        for kernel in scaled:  # (I, 3, 3)
            mine = kernel * style[:, None, None]
            mine = mine / (mine.square().sum() + 1e-8).sqrt()
            if not layer.enlarged:
                outputs.append(F.conv2d(x[i : i + 1], mine[None], padding=1))
                continue
            apart = torch.zeros(1, x.shape[1], 2 * x.shape[2] - 1, 2 * x.shape[3] - 1)
            apart[:, :, ::2, ::2] = x[i]  # zeros between the pixels
            blurred = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
            blurred = 4 * torch.outer(blurred, blurred)[None, None]
            painted = F.conv2d(apart, mine.flip(1, 2)[None], padding=2)
            outputs.append(F.conv2d(painted, blurred, padding=1))
        y = torch.cat(outputs, dim=1) + noise[i] * layer.noise_strength + layer.bias[:, None, None]
        pictures.append(torch.where(y > 0, y, 0.2 * y) * math.sqrt(2))
    return torch.cat(pictures)


@pytest.mark.parametrize("learns", [False, True])
@pytest.mark.parametrize("enlarged", [False, True])
def test_a_styled_convolution_is_the_papers_picture_by_picture(enlarged, learns):
    layer = stylegan.StyledConvolution(5, 4, 6, enlarged).train(learns)
    layer.noise_strength.data.fill_(0.3)
    layer.bias.data.normal_()
    side = 14 if enlarged else 7
    x, w, noise = torch.randn(3, 5, 7, 7), torch.randn(3, 6), torch.randn(3, 1, side, side)
    y = layer(x, w, noise)
    assert y.shape == (3, 4, side, side)
    assert torch.allclose(y, by_the_paper(layer, x, w, noise), atol=1e-12)


@pytest.mark.parametrize("noisy", [False, True])
def test_a_painting_keeps_the_bits_of_the_plain_sum(noisy):
    torch.set_default_dtype(torch.float32)
    layer = stylegan.StyledConvolution(5, 4, 6).eval()
    layer.noise_strength.data.fill_(0.3)
    layer.bias.data.normal_()
    x, w, noise = torch.randn(3, 5, 16, 16), torch.randn(3, 6), torch.randn(3, 1, 16, 16) if noisy else None
    style, weight = layer.style(w), layer.weight * layer.scale
    back = (stylegan.demodulation(weight, style) * stylegan.GAIN)[:, :, None, None]
    added = (layer.bias * stylegan.GAIN)[None, :, None, None]
    if noisy:
        added = added + noise * (layer.noise_strength * stylegan.GAIN)
    y = torch.addcmul(added, F.conv2d(x * style[:, :, None, None], weight, padding=1), back)
    assert torch.equal(layer(x, w, noise), F.leaky_relu(y, 0.2))


def test_a_gradient_is_laid_out_as_asked_for_and_so_is_its_own():
    last, first = torch.channels_last, torch.contiguous_format
    x = torch.randn(2, 3, 4, 5, requires_grad=True)
    y = LaidOut.apply(x, last, first)
    assert torch.equal(y, x) and y.is_contiguous(memory_format=last)
    toward = torch.randn(2, 3, 4, 5).contiguous(memory_format=last).requires_grad_()
    (gradient,) = torch.autograd.grad(y, x, toward, create_graph=True)
    assert torch.equal(gradient, toward) and gradient.is_contiguous()
    (again,) = torch.autograd.grad(gradient, toward, torch.randn(2, 3, 4, 5))
    assert again.is_contiguous(memory_format=last)


def test_what_learns_stays_channels_last():
    layer = stylegan.StyledConvolution(5, 4, 6, enlarged=True)
    x = torch.randn(3, 5, 7, 7).contiguous(memory_format=torch.channels_last)
    y = layer(x, torch.randn(3, 6), torch.randn(3, 1, 14, 14))
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_demodulation_gives_unit_variance_whatever_the_style():
    weight, style = torch.randn(8, 16, 3, 3), torch.rand(64, 16) * 9 + 1
    x = torch.randn(64, 16, 24, 24)
    y = stylegan.modulated(x, weight, style) * stylegan.demodulation(weight, style)[:, :, None, None]
    inside = y[:, :, 1:-1, 1:-1]  # zeros are padded outside
    assert inside.var().item() == pytest.approx(1, abs=0.03)
    assert inside.var(dim=(0, 2, 3)).sub(1).abs().max() < 0.1
    plain = stylegan.modulated(x, weight, style).var().item()
    assert plain > 1000  # without it, the style's size goes through


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("halve", [False, True])
def test_an_equalised_convolution_is_a_convolution_with_scaled_weights(kernel, halve):
    layer = stylegan.EqualizedConvolution(5, 4, kernel, halve, gain=1.7)
    layer.bias.data.normal_()
    x = torch.randn(2, 5, 8, 8)
    weight = layer.weight / math.sqrt(5 * kernel**2)
    seen = x
    if halve:  # smoothed at full size, then every other place is used
        line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        kernels = torch.outer(line, line)[None, None].repeat(5, 1, 1, 1)
        seen = F.conv2d(F.pad(x, (2, 2, 2, 2)), kernels, groups=5)
        if kernel == 1:
            seen = seen[:, :, 1:-1, 1:-1]
    by_hand = torch.zeros(2, 4, *(4, 4) if halve else (8, 8))
    padded = seen if halve else F.pad(seen, (kernel // 2,) * 4)
    for row in range(by_hand.shape[2]):
        for column in range(by_hand.shape[3]):
            top, left = (2 * row, 2 * column) if halve else (row, column)
            window = padded[:, :, top : top + kernel, left : left + kernel]
            by_hand[:, :, row, column] = torch.einsum("bikl,oikl->bo", window, weight) + layer.bias
    assert torch.allclose(layer(x), by_hand * 1.7, atol=1e-12)
    assert layer.weight.std().item() == pytest.approx(1, rel=0.3)


def test_changing_size_keeps_a_flat_picture_flat_and_its_light():
    flat = torch.full((1, 2, 8, 8), 3.0)
    assert torch.allclose(stylegan.enlarge(flat), torch.full((1, 2, 16, 16), 3.0))
    assert torch.allclose(stylegan.smooth(flat, 2)[:, :, 3:-3, 3:-3], torch.full((1, 2, 3, 3), 3.0))
    dot = torch.zeros(1, 1, 8, 8)
    dot[0, 0, 3, 4] = 1
    assert stylegan.enlarge(dot).sum().item() == pytest.approx(4)
    assert stylegan.smooth(dot, 2).sum().item() == pytest.approx(1)


def test_enlarging_is_bilinear():
    x = torch.randn(2, 3, 5, 7)
    reference = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(stylegan.enlarge(x), reference, atol=1e-12)


def test_the_critic_is_told_how_much_the_pictures_of_a_group_differ():
    x = torch.randn(8, 3, 4, 4)
    told = stylegan.with_spread(x)
    assert told.shape == (8, 4, 4, 4) and torch.equal(told[:, :3], x)
    for group in (0, 1):
        by_hand = x[group::2].var(dim=0, correction=0).add(1e-8).sqrt().mean()
        assert torch.allclose(told[group::2, 3], by_hand.expand(4, 4, 4))
    alike = stylegan.with_spread(x[:1].repeat(4, 1, 1, 1))
    assert alike[:, 3].max() < 1e-3
    assert stylegan.with_spread(x[:6]).shape == (6, 4, 4, 4)  # two groups of three
    assert stylegan.with_spread(x[:1]).shape == (1, 4, 4, 4)


# Networks


@SIZES
@SHAPES
def test_a_generator_paints_in_float32_with_a_style_for_each_layer(size_px, residual):
    torch.set_default_dtype(torch.float32)
    generator = a_generator(size_px, residual=residual)
    ws = generator.mapping(torch.randn(2, 16))
    assert ws.shape == (2, generator.num_ws, 12)
    assert len(generator.noise_shapes) == generator.num_ws - 1
    with torch.no_grad():
        picture = generator.synthesis(ws * 30, noise_for(generator, 2))
    assert picture.shape == (2, 3, size_px, size_px) and picture.dtype == torch.float32
    assert picture.abs().max() <= 1


@SHAPES
def test_every_style_and_every_noise_is_used(residual):
    torch.set_default_dtype(torch.float32)
    generator = a_generator(residual=residual).train()
    ws = generator.mapping(torch.randn(1, 16)).detach().clone().requires_grad_(True)
    noise = [level.requires_grad_(True) for level in noise_for(generator, 1)]
    generator.synthesis(ws, noise).square().sum().backward()
    assert (ws.grad[0].abs().sum(dim=1) > 0).all()
    assert all(level.grad.abs().sum() > 0 for level in noise)


@SHAPES
def test_a_picture_alone_is_the_same_picture_in_a_batch(residual):
    torch.set_default_dtype(torch.float32)
    generator = a_generator(residual=residual)
    ws, noise = generator.mapping(torch.randn(3, 16)), noise_for(generator, 3)
    with torch.no_grad():
        together = generator.synthesis(ws, noise)
        alone = generator.synthesis(ws[1:2], [level[1:2] for level in noise])
    assert torch.allclose(together[1:2], alone, atol=1e-5)


@SHAPES
def test_a_generator_learns_what_it_paints(residual):
    """Its pictures, gradients and gradients of gradients are those of the plain form, that of painting."""
    generator = a_generator(16, residual=residual)
    z, noise = torch.randn(3, 16), noise_for(generator, 3)
    found = []
    for learns in (True, False):
        for part in (generator.first, *generator.blocks, *generator.pictures):
            part.train(learns)
        generator.training = True  # not cut off at -1 and 1
        ws = generator.map(z)[:, None].expand(-1, generator.num_ws, -1)
        pictures = generator.synthesis(ws, noise)
        (gradient,) = torch.autograd.grad(pictures.square().sum(), ws, create_graph=True)
        numbers = [one for one in generator.parameters() if one.requires_grad]
        twice = torch.autograd.grad(gradient.square().sum(), numbers, materialize_grads=True)
        found.append([pictures, gradient, *twice])
    for one, other in zip(*found):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-9 * other.abs().max().item())
    assert sum(one.any().item() for one in found[1]) > len(numbers) - len(generator.pictures)


@SHAPES
def test_mixing_takes_bands_from_the_other_picture(residual):
    generator = a_generator(residual=residual)
    bands = [i for band in generator.bands.values() for i in band]
    assert bands == list(range(generator.num_ws)) and all(generator.bands.values())
    ws, noise = generator.mapping(torch.randn(2, 16)), noise_for(generator, 1)
    with torch.no_grad():
        a, b = generator.synthesis(ws[:1], noise), generator.synthesis(ws[1:], noise)
        assert torch.equal(generator.mix(ws[:1], ws[1:], (0.0, 0.0, 0.0), noise), a)
        assert torch.allclose(generator.mix(ws[:1], ws[1:], (1.0, 1.0, 1.0), noise), b)
        for weights in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
            mixed = generator.mix(ws[:1], ws[1:], weights, noise)
            assert not torch.allclose(mixed, a) and not torch.allclose(mixed, b)


def test_the_average_style_is_followed_in_training_only():
    torch.set_default_dtype(torch.float32)
    generator = a_generator()
    generator.mapping(torch.randn(64, 16))
    assert not generator.w_mean.any()
    generator.train()
    for _ in range(600):
        generator.mapping(torch.randn(64, 16))
    with torch.no_grad():
        mean = generator.map(torch.randn(4096, 16)).mean(dim=0)
    assert torch.allclose(generator.w_mean, mean, atol=0.05)
    assert torch.equal(generator.centre(), generator.w_mean)


def test_labels_move_styles_centres_and_verdicts():
    torch.set_default_dtype(torch.float32)
    generator = a_generator(num_labels=3).train()
    z, label = torch.randn(64, 16), torch.arange(64) % 3
    generator.mapping(z, label)
    assert generator.centre(torch.tensor([0, 2])).shape == (2, 1, 12)
    assert not torch.allclose(*generator.centre(torch.tensor([0, 2])))
    generator.eval()
    assert torch.equal(generator.mapping(z), generator.mapping(z, torch.zeros_like(label)))
    assert not torch.allclose(generator.mapping(z, torch.ones_like(label)), generator.mapping(z))

    discriminator = Stylegan2Discriminator(32, 2, num_labels=3)
    x = torch.randn(4, 3, 32, 32)
    first, second = discriminator(x), discriminator(x, torch.ones(4, dtype=torch.int64))
    assert first.shape == (4, 1) and not torch.allclose(first, second)
    assert torch.equal(first, discriminator(x, torch.zeros(4, dtype=torch.int64)))


@SIZES
def test_a_critic_judges_each_picture_and_its_halves_are_the_whole(size_px):
    discriminator = Stylegan2Discriminator(size_px, 2)
    x = torch.randn(4, 3, size_px, size_px)
    logits = discriminator(x)
    assert logits.shape == (4, 1)
    assert torch.equal(logits, discriminator.heads(discriminator.features(x)))


def test_the_critic_can_be_differentiated_twice():
    discriminator = Stylegan2Discriminator(28, 1)
    x = torch.randn(1, 3, 28, 28, requires_grad=True)
    (gradient,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    size = gradient.square().sum()
    parameter = discriminator.blocks[0].second.weight
    (by_rule,) = torch.autograd.grad(size, parameter)
    step, place = 1e-5, (0, 0, 1, 1)
    moved = []
    for sign in (1, -1):
        with torch.no_grad():
            parameter[place] += sign * step
        (gradient,) = torch.autograd.grad(discriminator(x).sum(), x)
        moved.append(gradient.square().sum())
        with torch.no_grad():
            parameter[place] -= sign * step
    assert by_rule[place].item() == pytest.approx(((moved[0] - moved[1]) / (2 * step)).item(), rel=1e-4)


def test_a_block_of_the_critic_can_be_differentiated_twice():
    block, x = stylegan.DownBlock(2, 3), torch.randn(4, 2, 4, 4, requires_grad=True)
    assert torch.autograd.gradcheck(block, x)
    assert torch.autograd.gradgradcheck(block, x)


def test_the_spread_learns_as_a_standard_deviation_does():
    x = torch.randn(8, 3, 4, 4, dtype=torch.float32, requires_grad=True)
    toward = torch.randn_like(x, requires_grad=True)
    groups = x.unflatten(0, (4, 2))
    by_torch = (groups.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3)).repeat(4)
    both = []
    for spread in (stylegan.with_spread(x)[:, 3, 0, 0], by_torch):
        (gradient,) = torch.autograd.grad(spread.square().sum(), x, create_graph=True)
        both.append([spread, gradient, *torch.autograd.grad((gradient * toward).sum(), x)])
    for one, other in zip(*both):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)
        assert other.any()


def test_a_fresh_network_paints_and_judges_at_a_moderate_scale():
    torch.set_default_dtype(torch.float32)
    generator, discriminator = Stylegan2Generator(64, 8).train(), Stylegan2Discriminator(64, 8)
    with torch.no_grad():
        pictures = generator.synthesis(generator.mapping(torch.randn(8, 128)), noise_for(generator, 8))
        logits = discriminator(torch.randn(8, 3, 64, 64))
    assert 0.3 < pictures.std() < 5
    assert logits.abs().max() < 20


def test_a_block_of_the_critic_is_the_papers():
    block, x = stylegan.DownBlock(3, 4), torch.randn(2, 3, 8, 8)
    for convolution in (block.first, block.second):
        convolution.bias.data.normal_()

    def plain(layer: stylegan.EqualizedConvolution, y: torch.Tensor) -> torch.Tensor:
        weight = layer.weight / math.sqrt(layer.weight[0].numel())
        if not layer.halve:
            return F.conv2d(y, weight, layer.bias, padding=1)
        return F.conv2d(stylegan.smooth(y, 1 + layer.kernel // 2), weight, layer.bias, stride=2)

    y = F.leaky_relu(plain(block.first, x), 0.2) * math.sqrt(2)
    y = F.leaky_relu(plain(block.second, y), 0.2) * math.sqrt(2)
    assert torch.allclose(block(x), (y + plain(block.skip, x)) / math.sqrt(2), atol=1e-12)
