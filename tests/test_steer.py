"""Steering: directions that do what they say at the picture, and pictures that are steered."""

from pathlib import Path

import numpy as np
import playing
import pytest
import torch

from gan_play import files
from gan_play.latent import breed, sample, steer
from gan_play.measure.attributes import ATTRIBUTES, measure
from gan_play.refusals import Refused

TOY = playing.model()
NAMES = list(ATTRIBUTES)


def measured(pixels):
    return measure(torch.from_numpy(pixels)[None].permute(0, 3, 1, 2).float() / 255)[0]


def test_no_steps_is_the_picture_itself():
    assert np.array_equal(steer.paint(TOY, breed.genome_of(7)), sample.sample_one(TOY, 7))


def test_steps_are_kept_in_order_in_whole_steps_and_without_noughts():
    assert steer.check_steps([("warmth", -1), ("light", "1.52"), ("hue", 0.01)]) == (
        ("light", 1.5),
        ("warmth", -1.0),
    )
    assert steer.parse_steps("light=1.5, busyness=-2") == (("light", 1.5), ("busyness", -2.0))
    assert steer.between((("light", 2.0),), (("hue", 1.0),), 0.25) == (("light", 1.5), ("hue", 0.25))
    for bad in ("light", "light=", "joy=1", "light=3.1", "light=1 light=2", "light=nan"):
        with pytest.raises(Refused):
            steer.parse_steps(bad)


def test_what_two_steps_add_is_the_sum_of_both():
    found = steer.directions(TOY, breed.genome_of(7), 0.7)
    both = steer.paint(TOY, breed.genome_of(7), 0.7, [("light", 1), ("hue", -0.5)])
    push = found[NAMES.index("light")] - 0.5 * found[NAMES.index("hue")]
    assert np.array_equal(both, breed.paint(TOY, breed.genome_of(7), 0.7, push))


def test_at_the_picture_a_direction_moves_its_own_attribute_more_than_others_on_average():
    """By finite differences, of the pictures before they are rounded."""
    generator, genome = TOY.generator, breed.genome_of(7)
    found = steer.directions(TOY, genome, 0.7)
    with sample.canonical():
        bands, noise = breed.styles(TOY, genome, 0.7)

        def at(push):
            moved = tuple(ws + more for ws, more in zip(bands, push))
            return measure((generator.merge(moved, noise) + 1) / 2)[0]

        for place, name in enumerate(NAMES):
            change = (at(0.01 * found[place]) - at(-0.01 * found[place])) / 0.02
            assert change[place] > change.abs()[torch.arange(len(NAMES)) != place].mean() > 0, name


@pytest.mark.parametrize("recipe", ["dcgan", "gan", "sngan", "r3gan", "fastgan"])
def test_any_network_can_be_steered(recipe):
    model = playing.model(recipe)
    alone, lighter = (steer.paint(model, breed.genome_of(3), 0.7, steps) for steps in ((), [("light", 1.5)]))
    assert measured(lighter)[0] > measured(alone)[0]


def test_labels_and_bred_pictures_are_steered_too():
    model = playing.model(num_labels=3)
    genome = breed.mutate(breed.genome_of(3, 1), 9, 0.4)
    assert (
        measured(steer.paint(model, genome, 0.7, [("light", 2)]))[0] > measured(breed.paint(model, genome))[0]
    )


def test_a_model_that_paints_grey_alone_takes_no_harm_from_warmth():
    model = playing.model("dcgan")
    with torch.no_grad():
        model.generator.picture.weight.copy_(model.generator.picture.weight.mean(dim=1, keepdim=True))
        model.generator.picture.bias.copy_(model.generator.picture.bias.mean())
    grey = steer.paint(model, breed.genome_of(3), 0.7, [("warmth", 2)])
    assert np.array_equal(grey[..., 0], grey[..., 2]) and grey.std() > 1


def test_on_real_paintings_light_and_green_go_where_they_are_told():
    starter = sample.load(Path(files.SHIPPED), "starter-64")
    for name in ("light", "hue"):
        for seed in (1, 22, 33):
            ways = [
                steer.paint(starter, breed.genome_of(seed), 0.7, [(name, by)])
                for by in (-1.5, -0.75, 0, 0.75, 1.5)
            ]
            assert np.all(np.diff([measured(one)[NAMES.index(name)] for one in ways]) > 0)
