"""FastGAN: gates from small maps to large ones, a critic that can redraw what it saw, and the step of both."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gan_play.models.fastgan import Excitation, FastganDiscriminator, FastganGenerator
from gan_play.trainers import fastgan, loop
from gan_play.trainers.recipes import check_settings

SIZES = pytest.mark.parametrize("size_px", [32, 64, 128])
PIXELS = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def one_thread_and_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def drawn(generator: FastganGenerator, count: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Styles and noise of some pictures."""
    noise = [torch.randn(count, *shape) for shape in generator.noise_shapes]
    return generator.mapping(torch.randn(count, generator.z_dim)), noise


# The generator


@SIZES
def test_it_paints_and_judges_at_every_size(size_px):
    generator, critic = FastganGenerator(size_px, 4), FastganDiscriminator(size_px, 4)
    ws, noise = drawn(generator, 2)
    assert ws.shape == (2, generator.num_ws, generator.w_dim)
    picture = generator.synthesis(ws, noise)
    assert picture.shape == (2, 3, size_px, size_px) and picture.dtype == torch.float32
    assert picture.abs().max() <= 1
    assert critic(picture).shape == (2, 25)  # 5 x 5 places
    part, whole = critic.encode(picture)
    assert part.shape[-2:] == (16, 16) and whole.shape[-2:] == (8, 8)
    side = min(128, size_px // 2)
    assert [tuple(x.shape) for x in critic.redraw(part, whole, 3, 8)] == 2 * [(2, 3, side, side)]


@pytest.mark.parametrize(
    "size_px, low_of",
    [
        (32, {8: 4, 16: 8, 32: 16}),
        (64, {16: 4, 32: 8, 64: 16}),
        (128, {32: 4, 64: 8, 128: 16}),
        (256, {64: 4, 128: 8, 256: 16}),  # from here on the paper's own reach: 8 -> 128, 16 -> 256, 32 -> 512
        (512, {128: 8, 256: 16, 512: 32}),
    ],
)
def test_three_large_maps_are_excited_by_small_ones(size_px, low_of):
    assert FastganGenerator(size_px, 4).low_of == low_of


@pytest.mark.parametrize("side", [4, 8, 16])
def test_an_excitation_is_what_the_paper_writes(side):
    excitation = Excitation(3, 5).double()
    x = torch.randn(2, 3, side, side, dtype=torch.float64)
    square = side // 4
    by_hand = torch.zeros(2, 5, dtype=torch.float64)
    for picture in range(2):
        hidden = []
        for out in range(5):
            total = excitation.look.bias[out].item()
            for channel in range(3):
                for row in range(4):
                    for column in range(4):
                        rows = slice(row * square, (row + 1) * square)
                        columns = slice(column * square, (column + 1) * square)
                        pooled = x[picture, channel, rows, columns].mean().item()
                        total += excitation.look.weight[out, channel, row, column].item() * pooled
            hidden.append(total if total > 0 else 0.1 * total)
        for out in range(5):
            total = excitation.decide.bias[out].item()
            total += sum(excitation.decide.weight[out, i, 0, 0].item() * hidden[i] for i in range(5))
            by_hand[picture, out] = 1 / (1 + math.exp(-total))
    assert torch.allclose(excitation(x).flatten(1), by_hand, atol=1e-12)


def test_a_gate_opens_and_closes_channels():
    generator = FastganGenerator(32, 4).eval()
    ws, noise = drawn(generator, 1)
    _, gates = generator.paint(ws[:, 0], noise)
    assert all(((gate > 0) & (gate < 1)).all() for gate in gates)
    closed, _ = generator.paint(ws[:, 0], noise, [None, None, torch.zeros_like(gates[2])])
    assert torch.allclose(closed, torch.tanh(generator.picture.bias)[None, :, None, None])
    kept, _ = generator.paint(ws[:, 0], noise, list(gates))
    assert torch.equal(kept, generator.synthesis(ws, noise))


def test_noise_starts_without_strength_and_may_gain_some():
    generator = FastganGenerator(32, 4).eval()
    ws, noise = drawn(generator, 1)
    plain = generator.synthesis(ws)
    assert torch.equal(generator.synthesis(ws, noise), plain)
    with torch.no_grad():
        generator.blocks[-1].noise_strength.fill_(0.5)
    assert not torch.equal(generator.synthesis(ws, noise), plain)


def test_a_picture_is_the_same_alone_as_in_a_batch():
    generator = FastganGenerator(32, 4)
    ws, noise = drawn(generator, 4)
    generator.synthesis(ws, noise)  # statistics of its own
    generator.eval()
    together = generator.synthesis(ws, noise)
    alone = torch.cat([generator.synthesis(ws[i : i + 1], [n[i : i + 1] for n in noise]) for i in range(4)])
    assert torch.allclose(together, alone, atol=1e-5)


# Mixing


def test_mixing_swaps_layout_and_excitations_and_nothing_else():
    generator = FastganGenerator(64, 4).eval()
    ws, noise = drawn(generator, 2)
    a, b, noise = ws[:1], ws[1:], [n[:1] for n in noise]
    (picture_a, gates_a), (picture_b, gates_b) = (generator.paint(w[:, 0], noise) for w in (a, b))

    def mixed(*weights):
        return generator.mix(a, b, weights, noise)

    def painted(layout, *gates):
        return generator.paint(layout[:, 0], noise, list(gates))[0]

    assert torch.equal(mixed(0.0, 0.0, 0.0), picture_a)
    assert torch.equal(mixed(1.0, 1.0, 1.0), picture_b)
    assert torch.equal(mixed(1.0, 0.0, 0.0), painted(b, *gates_a))
    assert torch.equal(mixed(0.0, 1.0, 0.0), painted(a, *gates_b[:2], gates_a[2]))
    assert torch.equal(mixed(0.0, 0.0, 1.0), painted(a, *gates_a[:2], gates_b[2]))
    for weights in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        assert not torch.equal(mixed(*weights), picture_a) and not torch.equal(mixed(*weights), picture_b)


def test_half_the_weight_goes_half_the_way():
    generator = FastganGenerator(32, 4).eval()
    ws, noise = drawn(generator, 1)
    other, _ = drawn(generator, 1)
    whole = generator.mix(ws, other, (0.0, 0.0, 1.0), noise)
    near = generator.mix(ws, other, (0.0, 0.0, 0.1), noise)
    own = generator.synthesis(ws, noise)
    assert 0 < (near - own).abs().mean() < (whole - own).abs().mean()


# The critic that redraws


@pytest.mark.parametrize("size_px, side", [(32, 16), (64, 32), (128, 64), (256, 128), (512, 128)])
def test_the_part_lies_under_the_window_and_the_whole_is_all_of_it(size_px, side):
    across = torch.arange(size_px, dtype=torch.float32).expand(size_px, size_px)
    real = torch.stack([across, across.T, torch.ones_like(across)])[None]  # where a pixel is: column, row
    unit = size_px // 16
    for top, left in ((0, 0), (3, 8), (8, 5)):
        part, whole = fastgan.targets(real, top, left, side)
        assert part.shape == whole.shape == (1, 3, side, side)
        half = size_px / 2
        middle = torch.tensor([left * unit + (half - 1) / 2, top * unit + (half - 1) / 2, 1.0])
        assert torch.allclose(part.mean(dim=(2, 3))[0], middle)
        assert torch.allclose(whole.mean(dim=(2, 3))[0], torch.tensor([half - 0.5, half - 0.5, 1.0]))
    if size_px <= 256:  # at its own size
        assert torch.equal(part, real[:, :, 8 * unit :, 5 * unit : 13 * unit])


def test_windows_are_everywhere_and_belong_to_their_random_numbers():
    def window(seed: int) -> tuple[int, ...]:
        return tuple(map(int, fastgan.window(torch.Generator().manual_seed(seed), "cpu")))

    places = {window(seed) for seed in range(400)}
    assert {top for top, _ in places} == {left for _, left in places} == set(range(9))
    assert window(7) == window(7)


def test_the_part_is_redrawn_from_its_window_alone():
    critic = FastganDiscriminator(32, 4).eval()
    part, whole = critic.encode(torch.rand(1, 3, 32, 32) * 2 - 1)
    before, _ = critic.redraw(part, whole, 2, 4)
    elsewhere = part.clone()
    elsewhere[:, :, 2:10, 4:12] = 0
    after, _ = critic.redraw(part - elsewhere, whole, 2, 4)
    assert torch.equal(before, after)
    assert not torch.equal(before, critic.redraw(part, whole, 3, 4)[0])


def test_reconstruction_is_the_mean_difference_of_the_part_and_of_the_whole():
    wanted = torch.tensor([[1.0, -1.0]]), torch.tensor([[0.5, 0.5]])
    redrawn = torch.tensor([[0.0, -1.0]]), torch.tensor([[0.25, 0.0]])
    assert fastgan.reconstruction(redrawn, wanted).item() == pytest.approx(1 / 2 + (0.25 + 0.5) / 2)
    assert fastgan.reconstruction(wanted, wanted).item() == 0


def test_what_is_redrawn_comes_to_resemble_its_own_picture():
    critic = FastganDiscriminator(32, 4)
    learning = torch.optim.Adam(critic.parameters(), 4e-3)
    colours = torch.tensor([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]])
    real = colours[:, :, None, None].expand(-1, -1, 32, 32) * torch.linspace(0.2, 1, 32)

    def missing(pictures: torch.Tensor, top: int = 4, left: int = 4) -> torch.Tensor:
        redrawn = critic.redraw(*critic.encode(real), top, left)
        return fastgan.reconstruction(redrawn, fastgan.targets(pictures, top, left, critic.redrawn_px))

    first = missing(real).item()
    for _ in range(40):
        learning.zero_grad()
        loss = missing(real)
        loss.backward()
        learning.step()
    assert loss.item() < first / 2
    assert loss.item() < missing(real.roll(1, dims=0)).item() / 2  # its neighbour's picture is no match


# Learning


def test_gradients_reach_everything_that_learns():
    generator, critic = FastganGenerator(32, 4), FastganDiscriminator(32, 4)
    ws, noise = drawn(generator, 4)
    critic(generator.synthesis(ws, noise)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in generator.parameters())
    critic.zero_grad()
    real = torch.rand(4, 3, 32, 32) * 2 - 1
    part, whole = critic.encode(real)
    redrawn = critic.redraw(part, whole, 1, 2)
    loss = F.relu(1 - critic.judge(whole)).mean()
    (loss + fastgan.reconstruction(redrawn, fastgan.targets(real, 1, 2, 16))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in critic.parameters())


def settings_of(**changes: object) -> loop.Settings:
    plain = {"recipe": "fastgan", "size_px": 32, "batch": 4, "width": 4, "seed": 3, "threads": 1}
    return check_settings(plain | changes)


def steps(training: loop.Training, count: int) -> list[loop.Tick]:
    ticks = loop.train(training, PIXELS)
    made = [next(ticks) for _ in range(count)]
    ticks.close()
    return made


def snapshot(training: loop.Training) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in training.tensors().items()}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_step_moves_both_networks_and_tells_finite_numbers(precision):
    training = loop.begin(settings_of(precision=precision))
    before = snapshot(training)
    (tick,) = steps(training, 1)
    assert {"loss_g", "loss_d", "reconstruction"} <= tick.numbers.keys()
    for number in tick.numbers.values():
        assert number.ndim == 0 and not number.requires_grad and torch.isfinite(number)
    after = snapshot(training)
    for network in (training.generator, training.discriminator):
        name = "generator" if network is training.generator else "discriminator"
        still = [
            k
            for k, _ in network.named_parameters()
            if torch.equal(before[f"{name}.{k}"], after[f"{name}.{k}"])
        ]
        assert still == []
    assert all(p.requires_grad for p in training.discriminator.parameters())
