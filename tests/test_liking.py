"""More like what I like: the best of many seeds by the likes in the gallery, of one model and one visitor."""

import numpy as np
import playground
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_play.latent import sample
from gan_play.measure import taste
from gan_play.refusals import Refused
from gan_play.share import artwork as artworks
from gan_play.share import gallery, liking
from gan_play.share.artwork import Artwork
from gan_play.share.liking import Proposed
from gan_play.ui import taste as view


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    playground.run_in(folder)
    return folder


@pytest.fixture
def light(monkeypatch):
    """In the place of the network: how light a picture is, and something else."""
    seen = []

    def features(pixels):
        seen.extend(pixels)
        return np.stack([pixels.mean(axis=(1, 2, 3)), pixels.std(axis=(1, 2, 3))], axis=1).astype(np.float32)

    monkeypatch.setattr(liking, "features", features)
    liking._held.clear()
    return seen


def code(model, seed: int) -> str:
    return artworks.encode(Artwork("sample", model.digest, (seed,)))


def like_the_light_ones(home, model, owner: str, count: int = 8) -> None:
    order = sorted(range(40), key=lambda seed: -float(sample.sample_one(model, seed).mean()))
    for seed in order[:count]:
        gallery.like(home, owner, code(model, seed), passed=[code(model, other) for other in order[count:]])


def test_light_pictures_are_proposed_to_who_likes_light_ones(home, light):
    model = sample.load(home, playground.RUN)
    like_the_light_ones(home, model, "anna")
    *told, found = liking.propose(home, "anna", model, of=60, count=6)
    assert isinstance(found, Proposed) and (found.of, found.children) == (60, 80) and told[0] == (0, 180)
    assert (found.taste.liked, found.taste.passed) == (8, 32) and found.taste.sure != "guess"
    shown = [float(artworks.still(home, work).mean()) for work in found.artworks]
    tried = range(liking.FIRST_SEED, liking.FIRST_SEED + 60)
    every = [float(sample.sample_one(model, seed).mean()) for seed in tried]
    assert np.mean(shown) > np.quantile(every, 0.8)
    assert "8 likes" in view.standing(found) and view.shown(found, model).count("<img") == 6
    before = len(light)
    *_, again = liking.propose(home, "anna", model, of=60, count=6)
    assert [work.seeds for work in again.artworks] == [work.seeds for work in found.artworks]
    assert len(light) == before  # each picture is looked at once
    *_, others = liking.propose(home, "anna", model, of=60, count=6, turn=1)
    assert not {work.seeds for work in others.artworks} & {work.seeds for work in found.artworks}


def test_children_of_the_best_are_lighter_still_and_are_opened_not_picked(home, light):
    model = sample.load(home, playground.RUN)
    like_the_light_ones(home, model, "clara")
    *_, found = liking.propose(home, "clara", model, of=60)
    assert {"sample", "breed"} >= {work.operation for work in found.artworks}
    bred = [float(artworks.still(home, work).mean()) for work in found.artworks if work.operation == "breed"]
    tried = range(liking.FIRST_SEED, liking.FIRST_SEED + 60)
    every = [float(sample.sample_one(model, seed).mean()) for seed in tried]
    assert len(bred) >= 4 and max(bred) > max(every)
    html = view.shown(found, model)
    assert html.count("data-seed") == len(found.artworks) - len(bred)


@given(scores=st.lists(st.floats(-5, 5), min_size=1, max_size=40), count=st.integers(1, 12))
def test_the_best_are_taken_in_order_and_of_each_family_two_at_most(scores, count):
    families = [place % 7 for place in range(len(scores))]
    places = liking.best(np.array(scores), families, count)
    assert len(set(places)) == len(places) <= count
    assert [scores[place] for place in places] == sorted((scores[place] for place in places), reverse=True)
    assert all(families.count(one) and [families[p] for p in places].count(one) <= 2 for one in families)
    if len(places) < count:
        assert len(places) == sum(min(2, families.count(one)) for one in set(families))


def test_too_few_likes_are_a_sentence(home, light):
    model = sample.load(home, playground.RUN)
    gallery.like(home, "bert", code(model, 1), passed=[code(model, 2)])
    with pytest.raises(Refused, match=f"1 pictures of this model are liked.*takes {taste.LEAST}"):
        next(liking.propose(home, "bert", model))
    assert light == []


@pytest.mark.parametrize("text", ["", None, "x", "-1", "²", "9" * 9])
def test_a_number_of_a_browser_s_is_one_or_none(text):
    assert view.number(text) is None and view.number("12") == 12
