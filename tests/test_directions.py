"""Directions that a model has by itself: how they are found, applied, written and named."""

from pathlib import Path

import numpy as np
import playing
import pytest
import torch

from gan_play import files
from gan_play.latent import breed, directions, sample, steer
from gan_play.latent.directions import Change, Direction, read
from gan_play.measure.attributes import ATTRIBUTES
from gan_play.models.stylegan import Stylegan2Generator
from gan_play.refusals import Refused

TOY = playing.model()
WHOLE = (True, True, True)


def test_sefa_is_the_direction_along_which_what_styles_meet_first_changes_most():
    """A known matrix: styles that are all alike but for two directions, stretched by known factors."""
    model = playing.model(seed=5)
    u, _, v = torch.linalg.svd(
        torch.randn(300, 128, generator=torch.Generator().manual_seed(1)), full_matrices=False
    )
    stretch = torch.linspace(9.0, 1.0, 128)
    matrix = (u * stretch) @ v
    model.generator.style_weights = lambda: [matrix] * model.generator.num_ws
    found = directions.vectors(model)["sefa"]
    for place in range(3):
        assert abs(torch.cosine_similarity(found[place], v[place], dim=0)) > 0.999


def test_pca_is_where_styles_are_spread_most_and_a_step_is_one_standard_deviation():
    found = directions.vectors(TOY)["pca"]
    ws = sample.styles_of_z(TOY, directions.z_of(range(500), TOY.generator.z_dim), 1.0)[:, 0].double()
    centred = ws - ws.mean(dim=0)
    spreads = [float((centred @ (v / v.norm()).double()).std()) for v in found[:10]]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[0] == pytest.approx(float(torch.linalg.matrix_norm(torch.cov(ws.T), 2).sqrt()), rel=1e-4)
    for family in ("pca", "sefa", "fine"):
        for v in directions.vectors(TOY)[family][:10]:
            assert float((centred @ (v / v.norm()).double()).std()) == pytest.approx(
                float(v.norm()), rel=1e-4
            )


def test_directions_have_one_sign_and_are_found_the_same_again():
    again = directions.vectors(playing.model())
    for family, found in directions.vectors(TOY).items():
        assert torch.equal(found, again[family])
        assert all(v[v.abs().argmax()] > 0 for v in found)


@pytest.mark.parametrize("recipe", ["gan", "dcgan", "wgan", "sngan", "r3gan", "fastgan", "projected"])
def test_any_network_has_directions_that_change_its_pictures(recipe):
    model = playing.model(recipe)
    names = directions.offered(model)
    assert names[0] == "sefa1" and len(names) > 20
    assert ("pca1" in names) == (model.generator.num_ws > 1)  # z itself has no principal components
    changed = steer.paint(model, breed.genome_of(3), 0.7, [("sefa1", 2)])
    alone = steer.paint(model, breed.genome_of(3), 0.7)
    assert np.abs(changed.astype(int) - alone).mean() > 1


@pytest.mark.parametrize("recipe", ["cgan", "gangogh", "artgan", "projected"])
def test_a_direction_never_changes_the_label(recipe):
    model = playing.model(recipe, num_labels=3)
    if model.generator.num_ws == 1:
        beside = directions.vectors(model)["sefa"][:, model.generator.z_dim :]
        assert beside.shape[1] > 0 and not beside.any()
    seen = directions.effects(model, "sefa1", range(4))
    assert seen.shape == (4, len(ATTRIBUTES)) and seen.isfinite().all()


@pytest.mark.parametrize("residual", [False, True])
def test_stylegan2_says_the_weights_of_every_style_that_a_layer_meets(residual):
    generator = Stylegan2Generator(32, 8, residual=residual)
    found = generator.style_weights()
    assert len(found) == generator.num_ws
    w = torch.randn(1, generator.w_dim)
    met = generator.blocks[0].first.style  # it meets the second of the ws
    units = len(met.weight)
    assert torch.allclose(w @ found[1][:units].T, met(w) - met.bias * met.rate, atol=1e-5)
    rows = sum(len(module.weight) for name, module in generator.named_modules() if name.endswith("style"))
    assert sum(map(len, found)) == rows


def test_a_direction_has_one_spelling():
    assert read("sefa2") == Direction("sefa", 2, WHOLE)
    assert read("sefa2@coarse+middle+fine").name == "sefa2"
    assert read("fine3") == read("fine3@fine") == Direction("fine", 3, (False, False, True))
    assert read("pca1@fine+coarse").name == "pca1@coarse+fine"
    for bad in (
        "sefa",
        "sefa0",
        "sefa65",
        "sefa2@",
        "sefa2@all",
        "sefa2@fine+",
        "joy1",
        "SEFA1",
        "sefa1\n",
        "",
        None,
        7,
    ):
        with pytest.raises(Refused) as refused:
            read(bad)
        assert len(refused.value.refusal.sentence) <= 160


def test_a_direction_changes_the_bands_that_it_is_applied_to_and_no_other():
    more = directions.along(TOY, "sefa2@coarse+fine")
    assert torch.equal(more[0], more[2]) and more[0].any() and not more[1].any()
    assert directions.along(TOY, "middle1")[1].any() and not directions.along(TOY, "middle1")[[0, 2]].any()


def test_what_a_model_has_not_is_refused():
    for name in ("pca1", "coarse1"):
        with pytest.raises(Refused, match="no direction called"):
            directions.along(playing.model("dcgan"), name)


def test_directions_are_steps_beside_attributes():
    steps = steer.parse_steps("sefa2@fine=1.5, light=-1 pca1=0.51, sefa2=0")
    assert steps == (("light", -1.0), ("sefa2@fine", 1.5), ("pca1", 0.5))
    assert steer.added(steps, (("pca1", -0.5), ("sefa1", 1.0))) == (
        ("light", -1.0),
        ("sefa1", 1.0),
        ("sefa2@fine", 1.5),
    )
    assert steer.between((), (("fine1", 2.0),), 0.5) == (("fine1", 1.0),)
    for bad in ("sefa99=1", "sefa1=4", "sefa1=1 sefa1@coarse+middle+fine=2", "sefa1@sky=1"):
        with pytest.raises(Refused):
            steer.parse_steps(bad)


def test_a_picture_is_pushed_by_the_sum_of_attributes_and_directions():
    genome = breed.mutate(breed.genome_of(7), 9, 0.4)
    light = steer.directions(TOY, genome, 0.7)[0]
    both = steer.paint(TOY, genome, 0.7, [("light", 1), ("pca1@fine", -0.5)])
    assert np.array_equal(
        both, breed.paint(TOY, genome, 0.7, light - 0.5 * directions.along(TOY, "pca1@fine"))
    )


def test_no_two_offered_directions_are_nearly_one():
    names = directions.offered(TOY)
    rows = torch.stack([directions.along(TOY, name).sum(dim=0) for name in names])
    rows = rows / rows.norm(dim=1, keepdim=True)
    off = (rows @ rows.T).fill_diagonal_(0)
    assert off.abs().max() <= directions.ALIKE + 1e-5 and len(set(names)) == len(names)


def test_names_say_what_goes_one_way_on_nearly_every_picture():
    seen = [
        [Change("light", 0.5, 1.0), Change("warmth", 0.3, 0.95), Change("hue", 0.2, 1.0)],
        [Change("contrast", 0.6, 0.7), Change("busyness", -0.2, 0.96)],  # contrast goes both ways
        [Change("detail", 0.05, 1.0)],  # too little to see
        [Change("busyness", -0.3, 0.92), Change("detail", -0.1, 1.0)],
    ]
    assert directions.proposed(seen) == ["lighter, warmer", "calmer", "unnamed 3", "calmer 2"]
    assert set(directions.WORDS) == set(ATTRIBUTES)


def test_on_real_paintings_the_first_directions_do_what_their_names_say_on_other_seeds():
    starter = sample.load(Path(files.SHIPPED), "starter-64")
    for name in ("sefa1", "fine1"):
        for change in directions.clear(directions.changes(directions.effects(starter, name))):
            fresh = directions.effects(starter, name, range(1000, 1024))[
                :, list(ATTRIBUTES).index(change.attribute)
            ]
            assert (fresh.sign() == np.sign(change.by)).float().mean() >= 0.8, (name, change)
