"""Found points: text that stands where a seed may, in styles, mixes, walks, genomes and codes."""

import numpy as np
import playing
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gan_play import limits
from gan_play.latent import breed, found, mix, sample, walk
from gan_play.latent.found import Found
from gan_play.refusals import Refused
from gan_play.share import artwork
from gan_play.share.artwork import Artwork

STYLED = playing.model()
PLAIN = playing.model("dcgan")
seeds = st.integers(0, 2**63 - 1)


def point_in(model, seed=1, noise_seed=7):
    """Any point of a model, up to two standard deviations along each axis."""
    rows, count = (3, found.AXES) if model.generator.num_ws > 1 else (1, min(model.generator.w_dim, 127))
    numbers = torch.Generator().manual_seed(seed)
    return found.write(
        model, torch.randint(-64, 64, (rows, count), generator=numbers).to(torch.int8), noise_seed
    )


@given(st.integers(0, 2**31), seeds, st.sampled_from([(1, 16), (3, 52), (1, 127)]))
def test_numbers_and_noise_come_back_from_the_text(seed, noise_seed, shape):
    numbers = torch.Generator().manual_seed(seed)
    levels = torch.randint(-128, 128, shape, generator=numbers).to(torch.int8)
    point = found.write(STYLED, levels, noise_seed)
    again = Found(str(point))
    assert torch.equal(again.levels, levels)
    assert (again.noise_seed, again.model) == (noise_seed, STYLED.digest[:8])
    assert sample.check_seed(f" {point} ") == point
    assert len(point) <= found.MOST_CHARS


@pytest.mark.parametrize("text", ["~", "~!", "~AAAA", "~" + "A" * 600, "~ä", "~0", "~" + "gA" * 4])
def test_other_text_is_refused(text):
    with pytest.raises(Refused):
        sample.check_seed(text)


@given(st.text("~AZaz09-_", max_size=40))
def test_any_text_is_a_point_with_that_text_or_refused(text):
    try:
        assert found.to_text(Found("~" + text).data) == "~" + text
    except Refused:
        pass


def test_a_training_takes_no_found_point_as_its_seed():
    with pytest.raises(Refused):
        sample.whole_seed(point_in(STYLED))


@pytest.mark.parametrize("model", [STYLED, PLAIN], ids=["styles", "no styles"])
def test_the_zero_of_all_axes_is_the_mean_of_the_styles(model):
    with sample.canonical():
        mean, _, rows = found.axes_of(model)
        ws = found.spread(model, torch.zeros(1, rows, len(found.axes_of(model).axes)))
    assert ws.shape == (1, model.generator.num_ws, model.generator.w_dim)
    assert torch.allclose(ws, mean.expand_as(ws))


def test_axes_are_orthogonal_and_one_standard_deviation_long():
    with sample.canonical():
        axes = found.axes_of(STYLED).axes.double()
        z = found.z_of(range(found.STYLES), STYLED.generator.z_dim)
        w = STYLED.generator.mapping(z)[:, 0].double()
    products = axes @ axes.T
    assert (products - torch.diag(products.diagonal())).abs().max() < 1e-4 * products.max()
    along = (w - w.mean(dim=0)) @ axes.T / axes.square().sum(dim=1)
    assert torch.allclose(along.std(dim=0), torch.ones(len(axes), dtype=torch.float64), atol=1e-3)


def test_coefficients_of_a_point_s_styles_are_the_point_s():
    point = point_in(STYLED)
    with sample.canonical():
        again = found.coefficients_of(STYLED, found.styles(STYLED, point))
    assert torch.allclose(again[0] * found.LEVELS, point.levels.float(), atol=1e-2)


@pytest.mark.parametrize("model", [STYLED, PLAIN], ids=["styles", "no styles"])
def test_a_point_is_painted_the_same_however_adventurous(model):
    point = point_in(model)
    assert np.array_equal(sample.sample_one(model, point, 0.2), sample.sample_one(model, point, 1.5))
    assert not np.array_equal(sample.sample_one(model, point), sample.sample_one(model, 7))


@pytest.mark.parametrize("other", [PLAIN, playing.model(seed=1)], ids=["of another kind", "of its kind"])
def test_a_point_of_another_model_is_refused_and_said_not_to_fit(other):
    """In the next state of a training the axes lie otherwise: it would be another picture, without a word."""
    assert not sample.fits(other, point_in(STYLED))
    assert sample.fits(STYLED, point_in(STYLED))
    with pytest.raises(Refused, match="found in another model"):
        sample.sample_one(other, point_in(STYLED))


@pytest.mark.parametrize("model", [STYLED, PLAIN], ids=["styles", "no styles"])
@pytest.mark.parametrize("how", ["w", "z"])
def test_a_walk_meets_the_point_itself_and_moves_on_either_side(model, how):
    point = point_in(model)
    frames = list(walk.walk(model, [3, point, 5], frames=7, how=how, loop=False))
    assert np.array_equal(frames[3], sample.sample_one(model, point))
    assert np.array_equal(frames[0], sample.sample_one(model, 3))
    assert len({frame.tobytes() for frame in frames}) == 7


@pytest.mark.parametrize("model", [STYLED, PLAIN], ids=["styles", "no styles"])
def test_mixes_and_children_of_a_point_begin_at_the_point(model):
    point, alone = point_in(model), breed.genome_of(point_in(model))
    assert np.array_equal(mix.mix(model, point, 4, (0, 0, 0)), sample.sample_one(model, point))
    assert np.array_equal(breed.paint(model, alone), sample.sample_one(model, point))
    child = breed.mutate(alone, 1000, 0.3)
    assert not np.array_equal(breed.paint(model, child), sample.sample_one(model, point))


def test_children_of_points_stay_short_and_differ_through_many_generations():
    genome = breed.cross(
        breed.genome_of(point_in(STYLED, 1)), breed.genome_of(point_in(STYLED, 2)), (0.5,) * 3
    )
    for seed in range(1000, 1012):
        child = breed.mutate(genome, seed, 0.3)
        assert child != genome
        made = artwork.bred(child, "0" * 16, 0.7)
        assert artwork.decode(artwork.encode(made)) == made
        assert len(artwork.encode(made)) <= limits.MOST_CODE_CHARS - 47  # with room for a seal
        genome = child


def test_codes_hold_points_in_every_operation():
    one, two = point_in(STYLED, 1), point_in(STYLED, 2, 2**63 - 1)
    base = {"model": "0123456789abcdef"}
    film = {"seconds": 8.0, "fps": 24, "how": "w", "easing": "smooth", "loop": True}
    for made in (
        Artwork("sample", seeds=(one,), **base),
        Artwork("mix", seeds=(one, two), weights=(0.0, 0.5, 1.0), **base),
        Artwork("mix_grid", seeds=(one,), columns=(two, 5), band="fine", **base),
        Artwork("walk", seeds=(one, 5, two), **film, **base),
        Artwork("steer", seeds=(two,), shares=((255, 255, 255),), steps=(("light", 1.0),), **base),
    ):
        code = artwork.encode(made)
        assert artwork.decode(code) == made
        sealed = Artwork(**{**vars(made), "seal": "ab" * 35})
        assert len(artwork.encode(sealed)) <= limits.MOST_CODE_CHARS


def test_more_points_than_a_link_holds_are_refused_in_a_sentence():
    three = tuple(point_in(STYLED, seed) for seed in (1, 2, 3))
    with pytest.raises(Refused, match="too much for one link"):
        Artwork("walk", "0" * 16, three, seconds=8, fps=24, how="w", easing="smooth", loop=True)


def test_codes_that_end_within_a_point_are_refused():
    code = artwork.encode(Artwork("sample", "0" * 16, (point_in(STYLED),)))
    for end in range(16, len(code), 7):
        with pytest.raises(Refused):
            artwork.decode(code[:end])
