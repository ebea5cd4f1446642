"""The modern baseline: residual networks without normalisation that start as plain linear maps."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gan_play.models.layers import adain
from gan_play.models.r3gan import (
    GROUP,
    R3ganDiscriminator,
    R3ganGenerator,
    ResidualBlock,
    inner_channels,
    start_silent,
)
from gan_play.trainers import adversarial, loop
from gan_play.trainers.losses import RELATIVISTIC, squared_gradient
from gan_play.trainers.recipes import RECIPES, check_settings

SIZES = pytest.mark.parametrize("size_px", [32, 64, 128])
PIXELS = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def one_thread_and_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def awake(network: nn.Module) -> nn.Module:
    """The same network with branches that have something to say, as after some training."""
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            nn.init.kaiming_normal_(module.narrow.weight)
    return network


@SIZES
def test_it_paints_and_judges_at_every_size(size_px):
    generator, critic = R3ganGenerator(size_px, 4), R3ganDiscriminator(size_px, 4)
    ws = generator.mapping(torch.randn(2, generator.z_dim))
    assert ws.shape == (2, generator.num_ws, generator.w_dim)
    picture = generator.synthesis(ws)
    assert picture.shape == (2, 3, size_px, size_px) and picture.dtype == torch.float32
    assert picture.abs().max() <= 1
    assert critic(picture).shape == (2, 1)


@pytest.mark.parametrize("channels", [4, 8, 12, 24])
def test_a_branch_is_at_least_twice_as_wide_inside_and_in_whole_groups(channels):
    block = ResidualBlock(channels)
    assert inner_channels(channels) % GROUP == 0
    assert 2 * channels <= inner_channels(channels) < 2 * channels + GROUP
    assert block.look.weight.shape == (inner_channels(channels), GROUP, 3, 3)


def test_a_residual_block_is_what_the_paper_draws():
    block = awake(ResidualBlock(10)).double()  # 32 inside: two groups
    for bias in (block.widen.bias, block.look.bias):
        nn.init.normal_(bias)
    x = torch.randn(1, 10, 4, 4, dtype=torch.float64)

    def leaky(y: torch.Tensor) -> torch.Tensor:
        return torch.where(y > 0, y, 0.2 * y)

    wide = torch.einsum("oi,bihw->bohw", block.widen.weight[:, :, 0, 0], x)
    wide = leaky(wide + block.widen.bias[:, None, None])
    around = F.pad(wide, (1, 1, 1, 1))
    seen = torch.zeros_like(wide)
    for out in range(wide.shape[1]):
        group = out // GROUP
        for row in range(4):
            for column in range(4):
                place = around[0, group * GROUP : (group + 1) * GROUP, row : row + 3, column : column + 3]
                seen[0, out, row, column] = (place * block.look.weight[out]).sum() + block.look.bias[out]
    narrow = torch.einsum("oi,bihw->bohw", block.narrow.weight[:, :, 0, 0], leaky(seen))
    assert torch.allclose(block(x), x + narrow, atol=1e-12)


def test_residual_branches_start_as_the_identity():
    critic = R3ganDiscriminator(32, 8)
    for blocks in (*critic.stages, *R3ganGenerator(32, 8).stages):
        x = torch.randn(2, blocks[0].widen.in_channels, 4, 4)
        assert torch.equal(blocks(x), x)
    # So a fresh critic is a linear map of the pixels.
    critic = critic.double()
    x, y = torch.randn(2, 3, 3, 32, 32, dtype=torch.float64)
    assert torch.allclose(critic(x + y), critic(x) + critic(y), atol=1e-9)


def test_inside_the_branches_weights_are_as_small_as_fixup_wants_them():
    network = nn.ModuleList(ResidualBlock(64) for _ in range(16))
    start_silent(network)
    share = 16**-0.25  # three layers a branch
    for block in network:
        assert not block.narrow.weight.any() and not block.widen.bias.any() and not block.look.bias.any()
        gain = (2 / (1 + 0.2**2)) ** 0.5
        assert block.widen.weight.std().item() == pytest.approx(share * gain / 64**0.5, rel=0.05)
        assert block.look.weight.std().item() == pytest.approx(share * gain / (GROUP * 9) ** 0.5, rel=0.05)


def test_nothing_is_normalised_so_pictures_never_meet():
    generator, critic = awake(R3ganGenerator(32, 4)), awake(R3ganDiscriminator(32, 4))
    norms = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
    assert not [m for network in (generator, critic) for m in network.modules() if isinstance(m, norms)]
    ws = generator.mapping(torch.randn(3, generator.z_dim))
    together = generator.train().synthesis(ws)
    alone = torch.cat([generator.eval().synthesis(w[None]) for w in ws])
    assert torch.allclose(together, alone, atol=1e-5)
    judged = torch.cat([critic(picture[None]) for picture in together])
    assert torch.allclose(critic(together), judged, atol=1e-4)


def test_halving_is_bilinear_and_may_come_before_the_channels_change():
    x, between = torch.randn(2, 5, 8, 8), nn.Conv2d(5, 7, 1, bias=False)
    bilinear = F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)
    assert torch.allclose(F.avg_pool2d(x, 2), bilinear, atol=1e-6)
    assert torch.allclose(between(F.avg_pool2d(x, 2)), F.avg_pool2d(between(x), 2), atol=1e-6)


def test_gradients_reach_everything_that_learns():
    generator, critic = awake(R3ganGenerator(32, 4)), awake(R3ganDiscriminator(32, 4))
    critic(generator.synthesis(generator.mapping(torch.randn(4, generator.z_dim)))).sum().backward()
    for network in (generator, critic):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_penalties_reach_every_weight_of_the_critic():
    critic = awake(R3ganDiscriminator(32, 4))
    squared_gradient(critic, torch.rand(2, 3, 32, 32) * 2 - 1).backward()
    for name, parameter in critic.named_parameters():
        if name.endswith("weight"):  # biases move it only where they turn a unit over
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_a_block_can_be_differentiated_twice():
    block = awake(ResidualBlock(2)).double()
    x = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(block, (x,))


# Mixing


def test_mixing_takes_statistics_at_the_bands_depths_and_nothing_else():
    generator = awake(R3ganGenerator(64, 4)).eval()  # stages at 4, 8 | 16 | 32, 64
    assert [list(band) for band in generator.bands.values()] == [[0, 1], [2], [3, 4]]
    a, b = generator.mapping(torch.randn(2, generator.z_dim)).split(1)
    own, other = generator.synthesis(a), generator.synthesis(b)
    assert torch.equal(generator.mix(a, b, (0.0, 0.0, 0.0)), own)
    for band in range(3):
        weights = [float(i == band) for i in range(3)]
        mixed = generator.mix(a, b, tuple(weights))
        assert not torch.equal(mixed, own) and not torch.equal(mixed, other)
    x, y = generator.start(a), generator.start(b)
    for depth in range(5):
        x, y = generator.unfold(x, depth), generator.unfold(y, depth)
        x = adain(x, y) if depth == 2 else x
    assert torch.equal(generator.mix(a, b, (0.0, 1.0, 0.0)), torch.tanh(generator.picture(x)))


# Learning


def settings_of(**changes: object) -> loop.Settings:
    plain = {"recipe": "r3gan", "size_px": 32, "batch": 4, "width": 4, "seed": 3, "threads": 1}
    return check_settings(plain | changes)


def steps(training: loop.Training, count: int) -> list[loop.Tick]:
    ticks = loop.train(training, PIXELS)
    made = [next(ticks) for _ in range(count)]
    ticks.close()
    return made


def snapshot(training: loop.Training) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in training.tensors().items()}


def test_the_row_names_what_the_paper_trains_with():
    row = RECIPES["r3gan"]
    assert row.loss is RELATIVISTIC and row.penalty is adversarial.both_gradients
    assert row.betas == (0.0, 0.99) and row.critic_steps == 1
    assert "gamma" in row.dials


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_three_steps_move_both_networks_and_tell_finite_numbers(precision):
    training = loop.begin(settings_of(precision=precision))
    before = snapshot(training)
    # In the first only the last layers of the branches wake up, and in the second the critic is still so nearly linear
    # that in bfloat16 what its first bias changes cancels in the pairs.
    ticks = steps(training, 3)
    assert all(torch.isfinite(number) for tick in ticks for number in tick.numbers.values())
    after = snapshot(training)
    for name, network in (("generator", training.generator), ("discriminator", training.discriminator)):
        keys = [f"{name}.{key}" for key, _ in network.named_parameters()]
        still = [key for key in keys if torch.equal(before[key], after[key])]
        assert still == []


def test_the_penalty_is_half_of_gamma_times_both_squared_slopes():
    training = loop.begin(settings_of(dials={"gamma": 5.0}))
    real, fake = torch.rand(2, 3, 3, 32, 32) * 2 - 1
    nothing = loop.Draw(real, None, torch.zeros(3, 64), None, [], torch.Generator())
    # A fresh critic is linear: its slope is the same everywhere, at reals and at fakes.
    pixels = torch.eye(3 * 32 * 32).view(-1, 3, 32, 32)
    with torch.no_grad():
        slope = training.discriminator(pixels)
    penalty = adversarial.both_gradients(training, nothing, real, fake)
    assert penalty.item() == pytest.approx(5.0 / 2 * 2 * slope.square().sum().item(), rel=1e-4)
