"""Breed without a browser: whose children they are, what the tree says, and where it stands."""

import dataclasses

import playground
import playing
import pytest

from gan_play import files
from gan_play.latent import sample
from gan_play.refusals import Refused
from gan_play.runs import store
from gan_play.share import artwork as artworks
from gan_play.share import family
from gan_play.ui import breed, showing
from gan_play.ui import desk as desks
from gan_play.ui.desk import Desk


@pytest.fixture
def home(tmp_path):
    playground.run_in(tmp_path)
    return tmp_path


@pytest.fixture
def model(home):
    return sample.load(home, playground.RUN)


def seed_code(model, seed):
    return artworks.encode(artworks.Artwork("sample", model.digest[:16], (seed,), 0.7))


def desk(model, **changes):
    return dataclasses.replace(Desk(digest=model.digest, tool="breed", seed="3"), **changes)


def chosen(at, model, child):
    """The desk after a click on a child."""
    code = artworks.encode(child)
    return dataclasses.replace(at, chosen=code, came=breed.came(at, model, code))


def test_twelve_children_of_the_picture_picked_last_each_another(model):
    brood = breed.brood_of(desk(model), model)
    assert len(set(brood)) == breed.CHILDREN and all(3 in child.seeds for child in brood)
    assert breed.brood_of(desk(model, roll="5"), model) != brood
    assert breed.brood_of(desk(model, roll="<b>"), model) == brood  # nonsense of a browser's


def test_two_parents_have_the_row_between_them(model):
    a, b = seed_code(model, 3), seed_code(model, 8)
    brood = breed.brood_of(desk(model, parents=f"{a} {b}"), model)
    assert [artworks.encode(brood[0]), artworks.encode(brood[-1])] == [a, b]


def test_children_of_what_is_held_are_said_to_be(home, model):
    asked = desk(model, held=["coarse", "fine"], strength=0.5)
    child = breed.brood_of(asked, model)[2]
    chose = chosen(asked, model, child)
    later = dataclasses.replace(
        chose, held=[], strength=0.1, roll="77"
    )  # for the next round: no matter for this one
    breed.keep_in_tree(home, "", later, model, child)
    member = family.find(home, "", artworks.encode(child))
    assert member.parents == (seed_code(model, 3),)
    assert breed.how_words(member.how) == "Changed 50%, composition, colour held"
    breed.keep_in_tree(home, "", asked, model, artworks.decode(seed_code(model, 9)))  # no child of theirs
    nonsense = dataclasses.replace(asked, came='{"parents": 7}')  # of a browser's
    breed.keep_in_tree(home, "", nonsense, model, artworks.decode(seed_code(model, 10)))
    assert family.find(home, "", seed_code(model, 9)).parents == ()


def test_back_leads_to_the_parents_and_ends_at_the_founder(home, model):
    child = breed.brood_of(desk(model), model)[0]
    breed.keep_in_tree(home, "", chosen(desk(model), model, child), model, child)
    there = breed.begin(desk(model), artworks.encode(child))
    back = breed.step_back(home, "", there, model)
    assert back.parents == back.chosen == seed_code(model, 3)
    with pytest.raises(Refused, match="where this family began"):
        breed.step_back(home, "", back, model)


def test_a_generation_is_a_column_and_no_two_pictures_share_a_place(home, model):
    at = desk(model)
    for place in range(5):
        child = breed.brood_of(at, model)[place]
        for one in (child, breed.brood_of(at, model)[place + 1]):
            breed.keep_in_tree(home, "", chosen(at, model, one), model, one)
        at = breed.begin(at, artworks.encode(child))
    members = family.relatives(home, "", at.parents, 100)
    places = breed.laid_out(members)
    assert len(members) == 11 and len(set(places.values())) == 11
    assert max(x for x, _ in places.values()) == 5 * breed.STEP_X
    assert breed.tree_html(home, "", at, model).count('class="member"') == 11


def test_a_parent_goes_on_in_a_model_that_shares_its_beginning(home, model):
    later = playground.run_in(home, run_id="toy-111111", seed=1)
    about = files.read_json(home / later / "run.json")
    files.write_json(
        home / later / "run.json", about | {"started_from": {"run": playground.RUN, "step": 100}}
    )
    newer = sample.load(home, later)
    assert store.ancestry(home, later) == [later, playground.RUN]
    founder = seed_code(model, 3)
    family.keep(home, "", founder)
    at = desk(newer, parents=founder)
    child = breed.brood_of(at, newer)[1]
    breed.keep_in_tree(home, "", chosen(at, newer, child), newer, child)
    own = family.find(home, "", artworks.encode(child)).parents[0]
    assert artworks.decode(own).model == newer.digest[:16]
    assert family.find(home, "", own).parents == (founder,)
    assert len(family.relatives(home, "", founder, 9)) == 3


def test_a_stranger_s_model_begins_a_family_of_its_own(home, model):
    other = sample.load(home, playground.run_in(home, run_id="toy-222222", seed=2))
    founder = seed_code(model, 3)
    family.keep(home, "", founder)
    at = desk(other, parents=founder)
    child = breed.brood_of(at, other)[1]
    breed.keep_in_tree(home, "", chosen(at, other, child), other, child)
    assert len(family.relatives(home, "", founder, 9)) == 1


def test_labels_are_bred_too(tmp_path):
    playground.run_in(tmp_path, num_labels=len(playing.LABELS))
    model = sample.load(tmp_path, playground.RUN)
    brood = breed.brood_of(desk(model, label="2"), model)
    assert all(set(child.labels) == {2} for child in brood)
    assert breed.brood_html(desk(model, label="2"), model).count("<img") == breed.CHILDREN


def test_a_kept_picture_outlives_the_checkpoint_it_was_bred_with(home, model):
    at = desk(model)
    child = breed.brood_of(at, model)[0]
    breed.keep_in_tree(home, "", chosen(at, model, child), model, child)
    kept = list((home / playground.RUN).glob(f"model-{model.digest[:16]}.safetensors"))
    assert len(kept) == 1


def test_another_model_s_labels_put_down_what_was_bred_in_them(home, model):
    labelled = sample.load(home, playground.run_in(home, run_id="toy-333333", seed=3, num_labels=3))
    code = artworks.encode(artworks.Artwork("sample", labelled.digest[:16], (5,), label=1))
    at = desk(model, parents=code, chosen=code, base=code)
    fitted = desks.fitting(at, model)
    assert fitted.parents == fitted.chosen == fitted.base == ""
    assert desks.fitting(at, labelled).parents == code


def test_a_mix_half_way_is_not_offered_to_be_bred(model):
    for weights, offered in (((0, 0, 1), True), ((0, 0, 0.5), False)):
        mix = artworks.Artwork("mix", model.digest[:16], (1, 2), weights=weights)
        at = desks.desk_of(mix, artworks.encode(mix), desk(model))
        assert ("to-breed" in showing.stage(at, model, None)[0]) == offered


def test_the_second_parent_goes_where_it_is_the_first_however_adventurous(model):
    at = desk(model, parents=seed_code(model, 3), truncation=1.1)
    same = artworks.encode(breed.parents_of(at, model)[0])
    assert breed.cross_with(at, model, same).parents == same
