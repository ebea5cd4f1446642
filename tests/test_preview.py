"""What a slider shows while it is dragged: the canonical picture without a card, nearly the same with one."""

import numpy as np
import playing
import pytest
import torch

from gan_play.latent import breed, preview, steer
from gan_play.refusals import Refused

TOY = playing.model()
STEPS = [("light", 1.0), ("warmth", -0.5), ("sefa1@fine", 1.5)]


def test_without_a_card_it_is_the_canonical_picture():
    genome = breed.mutate(breed.genome_of(7), 3, 0.5)
    canonical = steer.paint(TOY, genome, 0.7, STEPS)
    assert np.array_equal(preview.paint(TOY, genome, 0.7, STEPS, "cpu"), canonical)


def on_card(monkeypatch, painter=preview._on_card):
    """As if there were one: what is done on it is done here, and counted."""
    calls = []

    def counted(model, genome, truncation, steps, device):
        calls.append(steps)
        return painter(model, genome, truncation, steps, "cpu")

    monkeypatch.setattr(preview, "place", lambda: "cuda")
    monkeypatch.setattr(preview, "_on_card", counted)
    return calls


@pytest.mark.parametrize("recipe", ["projected", "stylegan2", "fastgan", "r3gan"])
def test_the_way_over_a_card_leads_to_the_same_picture(monkeypatch, recipe):
    toy = playing.model(recipe) if recipe == "projected" else _plain(recipe)
    calls, genome = on_card(monkeypatch), breed.genome_of(7)
    for steps in (STEPS[:2], [("sefa1", 2.0)], []):
        near = preview.paint(toy, genome, 0.7, steps).astype(int)
        assert np.abs(near - steer.paint(toy, genome, 0.7, steps)).max() <= 1
    assert len(calls) == 3


def _plain(recipe: str):
    """A model of another recipe, as it is built."""
    from gan_play.latent.sample import Model
    from gan_play.trainers.recipes import build_generator

    settings = playing.settings(recipe)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = build_generator(settings)
    return Model(generator.eval().requires_grad_(False), "0" * 64, "toy", settings, 1, "Toy")


def test_a_card_without_room_leaves_the_canonical_picture(monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    calls = on_card(monkeypatch, full)
    genome = breed.genome_of(5)
    assert np.array_equal(preview.paint(TOY, genome, 0.7, STEPS), steer.paint(TOY, genome, 0.7, STEPS))
    assert calls


def test_a_few_pictures_are_ready_and_no_more(monkeypatch):
    toy = playing.model(seed=3)
    on_card(monkeypatch)
    for seed in range(preview.REMEMBERED + 3):
        preview.paint(toy, breed.genome_of(seed), 0.7, STEPS)
    assert len(preview._ready[toy.generator]) == preview.REMEMBERED


def test_what_cannot_be_is_refused_on_a_card_too(monkeypatch):
    on_card(monkeypatch)
    for steps, truncation in (([("joy", 1)], 0.7), ([("light", 9)], 0.7), (STEPS, 7.0)):
        with pytest.raises(Refused):
            preview.paint(TOY, breed.genome_of(1), truncation, steps)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_a_card_paints_nearly_the_canonical_picture():
    genome = breed.genome_of(7)
    near = preview.paint(TOY, genome, 0.7, STEPS).astype(int)
    assert np.abs(near - steer.paint(TOY, genome, 0.7, STEPS)).mean() < 2
