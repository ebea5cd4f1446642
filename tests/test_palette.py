"""Palettes: colours in, the same picture in those colours out."""

import numpy as np
import playing
import pytest
import torch

from gan_play.latent import breed, palette, sample, steer
from gan_play.latent.palette import Towards
from gan_play.pictures import images
from gan_play.refusals import Refused

TOY = playing.model()


def test_the_main_colours_of_a_picture_come_most_frequent_first():
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:, :24] = (200, 10, 10)
    pixels[:, 36:] = (10, 10, 200)
    found = palette.palette_of(pixels, 3)
    assert np.allclose(found, [(200, 10, 10), (0, 0, 0), (10, 10, 200)], atol=6)


def test_colours_are_read_as_people_write_them_and_written_back():
    found = palette.parse_palette(" #1A2b3c,ffffff ; #000000")
    assert found == ((26, 43, 60), (255, 255, 255), (0, 0, 0))
    assert palette.parse_palette(palette.palette_text(found)) == found


@pytest.mark.parametrize("text", ["", "red", "#12345", "#1234567", "#000000," * 9, "#00000g", "\ud800"])
def test_other_text_is_refused(text):
    with pytest.raises(Refused, match="no palette"):
        palette.parse_palette(text)


@pytest.mark.parametrize("bad", [[], [(1, 2)], [(1, 2, 300)], [(1.0, 2, 3)], ["#000000"], [(0, 0, 0)] * 9])
def test_impossible_palettes_are_refused(bad):
    with pytest.raises(Refused):
        palette.check_palette(bad)


def test_a_picture_of_just_these_colours_is_nearest_and_missing_ones_count():
    red, blue = (220, 20, 20), (20, 20, 220)
    both = np.zeros((32, 32, 3), np.uint8)
    both[:16], both[16:] = red, blue
    apart = Towards((red, blue), both)
    alone = np.full((32, 32, 3), red, np.uint8)
    grey = np.full((32, 32, 3), 120, np.uint8)
    distances = apart(images.to_tensor(np.stack([both, alone, grey]))).tolist()
    assert distances[0] < 0.05 < distances[1] < distances[2]


def test_the_painting_comes_nearer_to_the_colours_and_its_lights_stay():
    wanted = ((230, 180, 60), (90, 40, 20))
    looks = list(palette.towards(TOY, breed.genome_of(7), wanted, 0.7, steps=25))
    before, after = sample.sample_one(TOY, 7, 0.7), looks[-1].pixels
    assert looks[-1].distance < 0.8
    assert np.array_equal(after, sample.sample_one(TOY, looks[-1].point))
    light = [images.to_tensor(x[None]).mean(dim=1).flatten() for x in (before, after)]
    assert torch.corrcoef(torch.stack(light))[0, 1] > 0.5


def test_it_starts_from_the_picture_as_it_is_steered():
    steered, alone = (("light", -2.0),), breed.genome_of(7)
    looks = list(palette.towards(TOY, alone, ((90, 90, 90),), 0.7, steered, 2))
    begun = steer.paint(TOY, alone, 0.7, steered).astype(int)
    away = [abs(looks[0].pixels - x).mean() for x in (begun, sample.sample_one(TOY, 7, 0.7).astype(int))]
    assert away[0] < away[1]


def test_it_starts_from_bred_pictures_and_from_networks_without_styles():
    child = breed.mutate(breed.genome_of(7), 1000, 0.4, held=("coarse",))
    assert next(palette.towards(TOY, child, ((0, 0, 0),), 0.7, steps=25)).step == 25
    plain = playing.model("dcgan")
    assert next(palette.towards(plain, child, ((0, 0, 0),), 0.7, steps=25)).step == 25
