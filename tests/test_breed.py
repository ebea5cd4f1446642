"""Breeding: shares that turn, bands that are held, pictures that stay as varied as single seeds'."""

import math

import numpy as np
import playing
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gan_play import limits
from gan_play.latent import breed, sample
from gan_play.latent.breed import Genome, amplitudes, cross, genome_of, mutate, paint
from gan_play.latent.mix import BANDS
from gan_play.refusals import Refused

STYLED = playing.model()
numbers = st.integers(0, 2**63 - 1)
holds = st.sets(st.sampled_from(list(BANDS)), max_size=2)


@st.composite
def bred(draw):
    """A genome as breeding makes it."""
    genome = genome_of(draw(numbers))
    for _ in range(draw(st.integers(0, 14))):
        genome = mutate(genome, draw(numbers), draw(st.integers(1, 1000)) / 1000, draw(holds))
    return genome


def band_of(genome, place):
    """What a band is made of: seeds with their shares, in order."""
    return [(seed, row[place]) for seed, row in zip(genome.seeds, genome.shares) if row[place]]


@given(bred(), numbers, st.integers(0, 1000), holds)
def test_a_band_that_is_held_stays_and_no_band_grows_without_end(parent, seed, strength, held):
    child = mutate(parent, seed, strength / 1000, held)
    for place, name in enumerate(BANDS):
        assert 1 <= len(band_of(child, place)) <= limits.MOST_IN_BAND
        if name in held:
            assert band_of(child, place) == band_of(parent, place)


@given(bred(), bred())
def test_the_ends_of_a_row_are_the_parents(a, b):
    row = breed.row_between(a, b, 7)
    assert all(band_of(row[0], place) == band_of(a, place) for place in range(3))
    assert all(sorted(band_of(row[-1], place)) == sorted(band_of(b, place)) for place in range(3))


@given(bred())
def test_the_squares_of_a_band_s_amplitudes_sum_to_one(genome):
    assert torch.allclose(amplitudes(genome).square().sum(dim=0), torch.ones(3), atol=1e-5)


def test_a_mutation_turns_by_the_strength_of_a_quarter_circle():
    child = mutate(genome_of(1), 2, 1 / 3)
    assert child.seeds == (1, 2)
    assert amplitudes(child)[:, 0].tolist() == pytest.approx(
        [math.cos(math.pi / 6), math.sin(math.pi / 6)], abs=0.003
    )
    assert mutate(genome_of(1), 2, 0.0) == genome_of(1) and mutate(genome_of(1), 2, 1.0) == genome_of(2)


@pytest.mark.parametrize("strength", [0.02, 0.1, 0.3])
def test_after_many_generations_children_still_differ_from_their_parent_and_from_each_other(strength):
    parent = genome_of(1)
    for generation in range(15):
        parent = mutate(parent, 100 + generation, 0.3)
    brood = breed.children(parent, range(1000, 1012), strength)
    assert len({*brood, parent}) == 13
    other = genome_of(2)
    for generation in range(15):
        other = mutate(other, 200 + generation, 0.3)
    assert len(set(breed.row_between(parent, other, 12))) == 12


def test_twenty_generations_are_as_widely_spread_as_single_seeds():
    z_dim, seeds = STYLED.generator.z_dim, range(1000, 1060)
    lengths = []
    for start in range(40):
        genome = genome_of(start)
        for at in range(20):
            genome = mutate(genome, int(1e6) + 100 * start + at, 0.3)
        z = sample.z_of(genome.seeds, z_dim)
        lengths.append(float((amplitudes(genome)[:, :1] * z).sum(dim=0).norm()))
    alone = sample.z_of(list(seeds), z_dim).norm(dim=1).mean()
    assert np.mean(lengths) == pytest.approx(float(alone), rel=0.05)


@pytest.mark.parametrize(
    "bad",
    [
        {"seeds": (), "shares": ()},
        {"seeds": (1,), "shares": ((0, 0, 0),)},
        {"seeds": (1,), "shares": ((255, 255, 254),)},
        {"seeds": (1,), "shares": ((255, 0, 255),)},
        {"seeds": (1,), "shares": ((256, 255, 255),)},
        {"seeds": (1,), "shares": ((255, 255),)},
        {"seeds": (1, 1), "shares": ((255, 255, 255), (1, 1, 1))},
        {"seeds": (1, 2), "shares": ((255, 255, 255), (0, 0, 0))},
        {"seeds": (1, 2), "shares": ((255, 255, 255),)},
        {"seeds": (1,), "shares": ((255, 255, 255),), "labels": (1, 2)},
        {"seeds": tuple(range(10)), "shares": ((255, 255, 255),) * 10},
        {"seeds": (-1,), "shares": ((255, 255, 255),)},
    ],
)
def test_what_no_picture_can_be_bred_of_is_refused(bad):
    with pytest.raises(Refused):
        Genome(**bad)


def test_to_hold_everything_or_nothing_known_is_refused():
    for held in (set(BANDS), {"middle", "colour"}):
        with pytest.raises(Refused):
            mutate(genome_of(1), 2, 0.5, held)
    with pytest.raises(Refused):
        mutate(genome_of(1), 2, 1.5)


# Painting


@pytest.mark.parametrize("recipe", ["projected", "dcgan", "gan", "sngan", "r3gan", "fastgan"])
def test_each_recipe_paints_what_is_bred(recipe):
    model = STYLED if recipe == "projected" else playing.model(recipe)
    alone = sample.sample_one(model, 5)
    assert np.array_equal(paint(model, genome_of(5)), alone)
    child = mutate(genome_of(5), 6, 0.5, {"coarse"})
    painted = paint(model, child)
    assert painted.shape == alone.shape and not np.array_equal(painted, alone)
    assert np.array_equal(paint(model, child), painted)
    held = mutate(child, 7, 0.5, {"coarse", "middle"})
    assert not np.array_equal(paint(model, held), painted)


def test_labels_go_with_their_seeds():
    model = playing.model("projected", num_labels=3)
    a, b = genome_of(5, 0), genome_of(5, 2)
    child = cross(a, b, (0.5, 0.5, 0.5))
    assert child.seeds == (5, 5) and child.labels == (0, 2)
    assert np.array_equal(paint(model, a), sample.sample_one(model, 5, label=0))
    assert not np.array_equal(paint(model, child), paint(model, a))
    assert mutate(child, 9, 0.2).labels == (0, 2, 0)
    with pytest.raises(Refused):
        cross(a, genome_of(1), (0.5, 0.5, 0.5))
    with pytest.raises(Refused):
        paint(model, genome_of(5, 3))
