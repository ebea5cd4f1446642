"""Steps between two sets: the losses by hand, the draws, the pool, exact resume, parts, and that it learns."""

import numpy as np
import pytest
import torch

from gan_play.trainers import loop, unpaired
from gan_play.trainers.recipes import Settings, check_settings

RECIPES = pytest.mark.parametrize("recipe", ["cut", "cyclegan"])
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (13, 32, 32, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1])


def settings(recipe: str, **changes: object) -> Settings:
    plain = {"recipe": recipe, "size_px": 32, "batch": 3, "width": 4, "seed": 3, "num_labels": 2}
    return check_settings(plain | changes)


def steps(
    training: loop.Training, count: int, pixels: np.ndarray = PIXELS, labels: np.ndarray = LABELS
) -> list:
    ticks = loop.train(training, pixels, labels)
    made = [next(ticks) for _ in range(count)]
    ticks.close()
    return made


def drawn(training: loop.Training, now: int = 1) -> unpaired.Two:
    data = torch.from_numpy(PIXELS).permute(0, 3, 1, 2)
    return unpaired.draw(training, data, torch.from_numpy(LABELS), now)


@RECIPES
def test_a_training_that_was_interrupted_ends_bit_identical_with_its_pool_and_its_heads(recipe):
    mine = settings(recipe)
    whole = loop.begin(mine)
    steps(whole, 19)  # 57 paintings: the pool is full
    half_way = {name: tensor.clone() for name, tensor in whole.tensors().items()}
    steps(whole, 3)
    resumed = loop.begin(mine)
    resumed.load(half_way)
    steps(resumed, 3)
    ends = whole.tensors(), resumed.tensors()
    assert [name for name in ends[0] if not torch.equal(ends[0][name], ends[1][name])] == []
    changing = "discriminator.pool_there" if recipe == "cyclegan" else "generator.heads.0.0.weight"
    assert not torch.equal(half_way[changing], ends[0][changing])
