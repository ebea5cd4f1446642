"""Projection: nearer at every look, the same after an interruption, and blind to what is hidden."""

import numpy as np
import playing
import pytest
import torch

from gan_play.latent import found, project, sample
from gan_play.latent.project import Unlikeness, check_target
from gan_play.pictures import images
from gan_play.refusals import Refused

TOY = playing.model()
PLAIN = playing.model("dcgan")


@pytest.fixture(autouse=True)
def few_starts(monkeypatch):
    monkeypatch.setattr(project, "STARTS", 8)
    monkeypatch.setattr(project, "LOOK_EVERY", 4)


def hidden_half(model=TOY):
    mask = np.ones((model.generator.size_px,) * 2, bool)
    mask[:, : mask.shape[1] // 2] = False
    return mask


def test_what_is_sought_has_the_model_s_size_and_a_long_picture_loses_its_ends():
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, 40:80] = 200
    target = check_target(TOY, wide)
    assert target.pixels.shape == (32, 32, 3)
    assert target.pixels.min() > 190
    assert target.mask.min() == 1


def test_a_mask_that_hides_almost_all_is_refused_in_a_sentence():
    with pytest.raises(Refused, match="Almost all"):
        check_target(TOY, np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), bool))


def test_a_picture_is_no_distance_from_itself_and_some_from_others():
    own, other = sample.sample(TOY, [3, 4], 1.0)
    apart = Unlikeness(check_target(TOY, own))
    distances = apart(images.to_tensor(np.stack([own, other])))
    assert distances[0] < 1e-6 < 0.05 < distances[1]


@pytest.mark.parametrize("model", [TOY, PLAIN], ids=["styles", "no styles"])
def test_every_look_is_nearer_or_as_near_and_its_picture_is_the_point_s(model):
    target = check_target(model, sample.sample_one(model, 999, 1.0))
    looks = list(project.project(model, target, 24))
    assert [look.step for look in looks] == [4, 8, 12, 16, 20, 24]
    assert looks[-1].distance < 0.9 * looks[0].distance
    assert all(
        b.distance < a.distance + 0.02 for a, b in zip(looks, looks[1:])
    )  # a point's numbers are rounded
    assert np.array_equal(looks[-1].pixels, sample.sample_one(model, looks[-1].point))


def test_the_search_starts_at_the_nearest_seed_and_takes_its_noise():
    target = check_target(TOY, sample.sample_one(TOY, 5, 1.0))
    look = next(project.project(TOY, target, 4))
    assert look.point.noise_seed == 5
    assert look.distance < 0.7


def test_an_interrupted_search_ends_as_one_that_was_not(tmp_path):
    target = check_target(TOY, sample.sample_one(TOY, 999, 1.0))
    whole = list(project.project(TOY, target, 16))[-1]
    for _ in zip(range(2), project.resumed(tmp_path, TOY, target, 16)):
        pass  # stopped after two looks
    rest = list(project.resumed(tmp_path, TOY, target, 16))
    assert [look.step for look in rest] == [8, 12, 16]  # the last look again, then the rest
    assert rest[-1].point == whole.point
    assert [look.step for look in project.resumed(tmp_path, TOY, target, 16)] == [16]


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"step": 4}', b'{"step": 4, "noise_seed": 0, "x": 1}']
)
def test_a_damaged_state_is_begun_anew(tmp_path, damage):
    target = check_target(TOY, sample.sample_one(TOY, 999, 1.0))
    whole = list(project.resumed(tmp_path, TOY, target, 4))[-1]
    (kept,) = (tmp_path / "projections").glob("*.json")
    kept.write_bytes(damage)
    assert list(project.resumed(tmp_path, TOY, target, 4))[-1].point == whole.point


def test_a_disk_that_is_full_or_closed_ends_no_search(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "full")

    monkeypatch.setattr(project.files, "write_json", full)
    target = check_target(TOY, sample.sample_one(TOY, 999, 1.0))
    assert [look.step for look in project.resumed(tmp_path, TOY, target, 8)] == [4, 8]


def test_only_the_newest_searches_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(project.limits, "MOST_PROJECTIONS", 2)
    for seed in range(3):
        target = check_target(TOY, sample.sample_one(TOY, seed, 1.0))
        list(project.resumed(tmp_path, TOY, target, 4))
    assert len(list((tmp_path / "projections").glob("*.json"))) == 2


def test_what_is_hidden_changes_nothing():
    one, other = sample.sample(TOY, [3, 4], 1.0)
    other = np.where(hidden_half()[:, :, None], one, other)
    ends = [list(project.project(TOY, check_target(TOY, x, hidden_half()), 4))[-1] for x in (one, other)]
    assert ends[0].point == ends[1].point


def test_the_hidden_side_of_a_painting_costs_nothing():
    target = check_target(TOY, sample.sample_one(TOY, 3, 1.0), hidden_half())
    with torch.inference_mode(False):
        x = torch.zeros(1, 3, 32, 32, requires_grad=True)
        Unlikeness(target)(x).sum().backward()
    assert x.grad[..., :16].abs().max() == 0
    assert x.grad[..., 16:].abs().max() > 0


def test_labels_take_turns_in_the_search_for_a_start():
    model = playing.model(num_labels=3)
    target = check_target(model, sample.sample_one(model, 4, 1.0, 1))
    assert project.nearest_seed(model, Unlikeness(target)) == (4, 1)
    look = list(project.project(model, target, 4))[-1]
    assert found.fits(model, look.point)
    assert look.label == 1


def test_distances_are_said_with_their_meaning():
    assert project.sentence(0.2).startswith("The model knows pictures like this one: 0.20 away")
    assert "far from what the model knows" in project.sentence(0.9)


@pytest.mark.parametrize("steps", ["0", "-1", "x", "", None, 1e9, float("nan")])
def test_impossible_numbers_of_steps_are_refused(steps):
    with pytest.raises(Refused):
        project.check_steps(steps)
