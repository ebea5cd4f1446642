"""The painters that take a label, and the critics that name one."""

import pytest
import torch

from gan_play.models.labelled import CategoricalDiscriminator, LabelledGenerator, NamingCritic

GATED = pytest.mark.parametrize("gated", [False, True], ids=["artgan", "gangogh"])


@pytest.fixture(autouse=True)
def one_thread_and_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def painter(gated: bool, size_px: int = 32) -> LabelledGenerator:
    return LabelledGenerator(size_px, 4, 3, gated=gated)


def labels(*numbers: int) -> torch.Tensor:
    return torch.tensor(numbers)


@GATED
def test_the_label_changes_the_picture(gated):
    generator = painter(gated).eval()
    z = torch.randn(1, generator.z_dim).expand(3, -1)
    with torch.no_grad():
        pictures = generator.synthesis(generator.mapping(z, labels(0, 1, 2)))
        plain = generator.synthesis(generator.mapping(z))
    assert pictures.shape == (3, 3, 32, 32) and pictures.abs().max() <= 1
    assert all(not torch.equal(pictures[i], pictures[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert torch.allclose(plain[0], pictures[0], atol=1e-6)  # no label is label 0


@GATED
@pytest.mark.parametrize("size_px", [28, 64])
def test_styles_are_z_beside_a_one_for_the_label_and_their_centre_has_no_z(gated, size_px):
    generator = painter(gated, size_px).eval()
    z = torch.randn(2, generator.z_dim)
    ws = generator.mapping(z, labels(2, 1))
    assert ws.shape == (2, 1, generator.w_dim)
    assert torch.equal(ws[:, 0, : generator.z_dim], z)
    assert ws[:, 0, generator.z_dim :].tolist() == [[0, 0, 1], [0, 1, 0]]
    centre = generator.centre(labels(2, 1))
    assert torch.equal(centre[:, 0, generator.z_dim :], ws[:, 0, generator.z_dim :])
    assert not centre[:, 0, : generator.z_dim].any()
    assert torch.equal(generator.centre(), generator.centre(labels(0)))
    with torch.no_grad():
        assert generator.synthesis(ws).shape == (2, 3, size_px, size_px)


@GATED
def test_a_picture_is_the_same_alone_and_among_others(gated):
    generator = painter(gated).eval()
    ws = generator.mapping(torch.randn(3, generator.z_dim), labels(0, 1, 2))
    with torch.no_grad():
        together = generator.synthesis(ws)
        alone = torch.cat([generator.synthesis(w[None]) for w in ws])
    assert torch.allclose(together, alone, atol=1e-5)


@GATED
def test_mixing_takes_the_other_pictures_statistics_band_by_band(gated):
    generator = painter(gated, 64).eval()
    ws = generator.mapping(torch.randn(2, generator.z_dim), labels(0, 2))
    with torch.no_grad():
        a = generator.synthesis(ws[:1])
        assert torch.equal(generator.mix(ws[:1], ws[1:], (0.0, 0.0, 0.0)), a)
        mixed = [generator.mix(ws[:1], ws[1:], weights) for weights in [(1, 0, 0), (0, 1, 0), (0, 0, 1)]]
    assert all(not torch.equal(picture, a) for picture in mixed)
    assert not torch.equal(mixed[0], mixed[2])


def test_a_gate_is_tanh_times_sigmoid_of_half_the_channels_each_moved_by_the_label():
    generator = painter(True).double().eval()
    x = torch.randn(2, generator.up[0].in_channels, 4, 4, dtype=torch.float64)
    label = torch.randn(2, generator.num_labels, dtype=torch.float64)
    made = generator.norms[1](generator.up[0](x))
    half = made.shape[1] // 2
    weights = generator.gates[1].weight
    by_hand = torch.empty(2, half, 8, 8, dtype=torch.float64)
    for b in range(2):
        for c in range(half):
            move_a = sum(weights[c, i] * label[b, i] for i in range(len(label[b])))
            move_b = sum(weights[half + c, i] * label[b, i] for i in range(len(label[b])))
            by_hand[b, c] = torch.tanh(made[b, c] + move_a) / (1 + torch.exp(-(made[b, half + c] + move_b)))
    assert torch.allclose(generator._layer(1, x, label), by_hand, atol=1e-12)


@GATED
def test_a_painting_is_its_code_decoded(gated):
    generator = painter(gated).eval()
    ws = generator.mapping(torch.randn(2, generator.z_dim), labels(1, 2))
    with torch.no_grad():
        code = generator.encode(ws)
        again = generator.decode(code, ws[:, 0, generator.z_dim :])
        assert torch.equal(again, generator.synthesis(ws))


@pytest.mark.parametrize("size_px", [28, 32, 64])
def test_the_painter_decodes_the_discriminators_code(size_px):
    generator, discriminator = painter(False, size_px), CategoricalDiscriminator(size_px, 4, 3)
    x = torch.rand(2, 3, size_px, size_px) * 2 - 1
    code = discriminator.trunk(x)
    assert code.shape == generator.encode(generator.mapping(torch.randn(2, generator.z_dim))).shape
    assert generator.decode(code).shape == x.shape


def test_decoding_another_networks_code_leaves_the_painters_statistics_alone():
    generator = painter(False)
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    code = torch.randn(4, generator.up[0].in_channels, 4, 4) * 5
    unremembered = generator.decode(code, remembers=False)
    assert all(torch.equal(before[name], tensor) for name, tensor in generator.state_dict().items())
    assert torch.allclose(unremembered, generator.decode(code), atol=1e-6)  # which moves them
    assert not torch.equal(before["norms.1.running_mean"], generator.norms[1].running_mean)


def test_a_naming_critic_answers_twice_and_called_alone_says_how_real():
    critic = NamingCritic(32, 4, 5, hidden=(16, 8)).eval()
    x = torch.rand(3, 3, 32, 32)
    logits, names = critic.judge(x)
    assert logits.shape == (3, 1) and names.shape == (3, 5)
    assert torch.equal(critic(x), logits)
    assert torch.equal(critic.heads(critic.features(x), labels(0, 1, 2)), logits)


def test_a_critic_with_layer_norm_judges_every_picture_for_itself():
    critic = NamingCritic(32, 4, 5, layer_norm=True).train()
    x = torch.rand(3, 3, 32, 32)
    assert torch.allclose(critic(x), torch.cat([critic(picture[None]) for picture in x]), atol=1e-5)


def test_a_categorical_discriminator_has_one_answer_more_than_labels():
    discriminator = CategoricalDiscriminator(32, 4, 5)
    assert discriminator(torch.rand(2, 3, 32, 32)).shape == (2, 6)


@pytest.mark.parametrize("size_px", [32, 64])
def test_grey_painters_paint_grey(size_px):
    generator = LabelledGenerator(size_px, 4, 2, grey=True).eval()
    with torch.no_grad():
        picture = generator.synthesis(generator.mapping(torch.randn(1, generator.z_dim)))
    assert picture.shape == (1, 3, size_px, size_px)
    assert torch.equal(picture[:, 0], picture[:, 2])
