"""Blending: exact ends, a straight line between them, refusals beforehand, a new model that is whole or absent."""

import dataclasses
import shutil

import numpy as np
import playground
import playing
import pytest
import torch
import toys

from gan_play import files
from gan_play.latent import blend, sample
from gan_play.latent.blend import PARTS
from gan_play.refusals import Refused
from gan_play.runs import checkpoints, store
from gan_play.share import artwork as artworks
from gan_play.share import export
from gan_play.trainers import loop
from gan_play.trainers.recipes import RECIPES, build_generator, recipes_for

A, B = playground.RUN, "toy-111111"


def change(home, run_id, **changes):
    path = home / run_id / "run.json"
    files.write_json(path, files.read_json(path) | changes)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """Two models that fit together by their runs' word: the second began from the first."""
    folder = tmp_path_factory.mktemp("made_once")
    playground.run_in(folder)
    playground.run_in(folder, run_id=B, seed=1)
    change(folder, B, name="Other", started_from={"run": A, "step": 100, "before": []})
    return folder


@pytest.fixture
def home(made_once, tmp_path):
    """A copy of these two, to be changed."""
    return shutil.copytree(made_once, tmp_path / "home")


def both(home):
    return sample.load(home, A), sample.load(home, B)


def refused_because(home, a, b) -> str:
    with pytest.raises(Refused) as refused:
        blend.check_pair(home, a, b)
    return refused.value.refusal.sentence


def in_hand(recipe: str, seed: int) -> sample.Model:
    mine = playing.settings(recipe, num_labels=3 if RECIPES[recipe].labels == "needed" else 0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = build_generator(mine).eval().requires_grad_(False)
        for tensor in generator.state_dict().values():  # buffers too, so that none is the same in both
            if tensor.is_floating_point():
                tensor.add_(torch.randn_like(tensor) * 0.1)
            else:
                tensor.add_(seed)
    return sample.Model(generator, "0" * 64, "toy-000000", mine, 1, "Toy")


@pytest.mark.parametrize("recipe", recipes_for("paint"))
def test_of_every_recipe_the_ends_are_the_models_to_the_last_bit_and_each_part_moves_alone(recipe):
    a, b = in_hand(recipe, 0), in_hand(recipe, 1)
    ours, theirs = a.generator.state_dict(), b.generator.state_dict()
    part_of = {name: blend.part_of(a.generator, name) for name in ours}
    assert set(part_of.values()) == set(PARTS)
    for weight, end in ((0, ours), (1, theirs)):
        made = blend.blended(a, b, blend.check_shares(weight))
        assert all(torch.equal(made[name], tensor) for name, tensor in end.items())
        assert checkpoints.model_digest(made) == checkpoints.model_digest(
            end
        )  # the sign of a zero counts too
    for part in PARTS:
        made = blend.blended(a, b, blend.check_shares(0, **{part: 0.25}))
        for name, tensor in made.items():
            if not tensor.is_floating_point() or part_of[name] != part:
                assert torch.equal(tensor, ours[name])
            else:
                assert torch.allclose(tensor, 0.75 * ours[name] + 0.25 * theirs[name], atol=1e-5)
    assert not any(made is tensor for tensor in ours.values())


def test_bands_are_those_of_mixing():
    generator = playing.model(size_px=64).generator
    places = {
        name: int(name.split(".")[1]) + 1 for name in generator.state_dict() if name.startswith("blocks")
    }
    for name, place in places.items():
        assert place in generator.bands[blend.part_of(generator, name)]


def test_a_layer_whose_place_is_not_known_is_our_bug():
    with pytest.raises(KeyError):
        blend.part_of(playing.model().generator, "novelty.0.weight")


def test_a_blend_is_continuous(home):
    a, b = both(home)
    weights = [0.0, 0.001, 0.5, 0.501]
    pictures = [
        sample.sample_one(blend.between(a, b, blend.check_shares(weight)), 3).astype(int)
        for weight in weights
    ]
    near = [np.abs(pictures[i] - pictures[i + 1]).mean() for i in (0, 2)]
    assert max(near) < 1 < np.abs(pictures[0] - pictures[2]).mean()


def test_what_does_not_fit_together_is_measured_by_its_contrast():
    numbers = np.random.default_rng(0)
    grey = np.full((4, 8, 8, 3), 128, np.uint8)
    strong = numbers.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    assert blend.contrast_kept(strong, strong, strong, 0.5) == 1
    assert blend.contrast_kept(strong, grey, strong, 0.5) == 0 < blend.FADED
    assert blend.contrast_kept(strong, strong, grey, 0.5) == 2


@pytest.mark.parametrize("weight", [-0.1, 1.1, "half", float("nan"), True, None])
def test_a_weight_that_is_none_is_a_sentence(weight):
    with pytest.raises(Refused, match="weight for blending"):
        blend.check_shares(weight)


def test_strangers_and_the_same_model_twice_are_refused(home):
    a, b = both(home)
    assert "is the same model" in refused_because(home, a, a)
    change(home, B, started_from=None)
    assert "Other and Toy share no ancestor" in refused_because(home, a, b)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"recipe": "dcgan"}, "its recipe is dcgan, not projected"),
        ({"size_px": 64}, "its size is 64 px, not 32 px"),
        ({"width": 16}, "its width is 16, not 8"),
        ({"num_labels": 3}, "its list of labels is etching, oil, pastel, not empty"),
    ],
)
def test_models_of_two_kinds_are_refused_by_what_differs(home, settings, sentence):
    a, b = both(home)
    mine = dataclasses.replace(b.settings, **settings)
    other = blend.Kind(B, "Other", mine, playing.LABELS[: mine.num_labels])
    assert sentence in blend.why_not(home, blend.kind_of(a), other).sentence


def test_as_many_labels_with_other_names_are_refused(tmp_path):
    kind = blend.Kind(A, "Toy", playing.settings(num_labels=2), ("etching", "oil"))
    other = dataclasses.replace(kind, run_id=B, labels=("oil", "chalk"))
    reason = blend.why_not(tmp_path, kind, other).sentence
    assert "its list of labels is oil, chalk, not etching, oil" in reason


def test_networks_that_a_dial_shapes_otherwise_are_refused(home):
    kind = blend.Kind(A, "Toy", playing.settings("dcgan"), ())
    dials = kind.settings.dials | {"grey": 1.0}
    other = dataclasses.replace(kind, run_id=B, settings=dataclasses.replace(kind.settings, dials=dials))
    assert "is 1, not 0" in blend.why_not(home, kind, other).sentence


def test_an_ancestor_that_was_deleted_still_counts(home):
    for child, seed in (("child-aaaaaa", 2), ("child-bbbbbb", 3)):
        playground.run_in(home, run_id=child, seed=seed)
    before = store.ancestry(home, B)[1:]
    change(home, "child-aaaaaa", started_from={"run": B, "before": before})
    change(home, "child-bbbbbb", started_from={"run": A, "before": []})
    for run in (A, B):
        store.delete(home, run)
    blend.check_pair(home, *(sample.load(home, run) for run in ("child-aaaaaa", "child-bbbbbb")))


def test_a_blend_is_a_run_that_is_listed_painted_shared_and_carded(home):
    a, b = both(home)
    shares = blend.check_shares(0.25, fine=1)
    run_id = blend.make(home, a, b, shares, "Half and half")
    made = sample.load(home, run_id)
    assert made.digest == blend.between(a, b, shares).digest and made.name == "Half and half"
    summary = next(run for run in store.list_runs(home) if run.id == run_id)
    assert (summary.state, summary.blend, summary.step) == ("finished", True, 100)
    status = store.status(home, run_id)
    assert status["blend"] and status["step"] == 100 and status["last_grid"] == 100

    art = artworks.share(home, artworks.Artwork("sample", made.digest, (7,)))
    sample._held.clear()  # whoever opens the link later reads the model anew
    again = artworks.render(home, artworks.decode(art.code))
    assert again.sha256 == art.sha256 and again.sentence.startswith("Identical")

    said = blend.read(store.read_run(home / run_id))
    assert said.shares == {"coarse": 0.25, "middle": 0.25, "fine": 1.0, "mapping": 0.25}
    assert [parent.model_digest for parent in said.parents] == [a.digest, b.digest]
    for run in (A, B):
        store.delete(home, run)  # the card knows them still
    card = export.model_card(home, run_id)
    for fact in (
        A,
        B,
        a.digest,
        b.digest,
        "coarse 0.25, middle 0.25, fine 1, mapping 0.25",
        "blended of two",
    ):
        assert fact in card
    assert "trained with" not in card


def test_a_blend_of_labelled_models_paints_their_labels(tmp_path):
    playground.run_in(tmp_path, num_labels=2)
    playground.run_in(tmp_path, run_id=B, seed=1, num_labels=2)
    change(tmp_path, B, started_from={"run": A})
    made = sample.load(tmp_path, blend.make(tmp_path, *both(tmp_path), blend.check_shares()))
    assert made.labels == playing.LABELS[:2]
    assert (sample.sample_one(made, 1, label=0) != sample.sample_one(made, 1, label=1)).any()


def test_a_blend_can_be_blended_again_and_its_card_names_the_sets_of_all(home):
    change(home, A, set={"digest": "a" * 64, "count": 60}, rights="Ada's own")
    change(home, B, set={"digest": "b" * 64, "count": 70}, rights="Ben's, CC BY 4.0")
    a, b = both(home)
    first = sample.load(home, blend.make(home, a, b, blend.check_shares()))
    assert set(store.ancestry(home, first.run_id)) == {first.run_id, A, B}
    second = blend.make(home, first, b, blend.check_shares(0.5))
    sets = [parent.sets for parent in blend.read(store.read_run(home / second)).parents]
    assert [[one["count"] for one in learnt] for learnt in sets] == [[60, 70], [70]]
    assert store.read_run(home / second)["rights"] == "Ada's own; Ben's, CC BY 4.0"
    card = export.model_card(home, second)
    assert (
        "Ada's own; Ben's" in card
        and first.digest in card
        and "learnt from 60 pictures" in card
        and "learnt from 70 pictures" in card
    )


def test_a_blend_does_not_go_on_as_a_training(home):
    run_id = blend.make(home, *both(home), blend.check_shares())
    for ask in (lambda: store.ask(home, run_id, "train"), lambda: store.ask_remedy(home, run_id, "best", 1)):
        with pytest.raises(Refused, match="is a blend, which no training made"):
            ask()
    assert store.status(home, run_id)["state"] == "finished"


def test_without_the_critics_of_its_parents_no_training_can_start_from_it(home, tmp_path):
    run_id = blend.make(home, *both(home), blend.check_shares())
    with pytest.raises(Refused, match="a blend of models without their critics"):
        store._begin_from(home, run_id, tmp_path, "projected", 32, 0)


def tiny_training(home, run_id, start=None, seed=3):
    """A run that was really trained for three steps, from another one's average or from scratch; its state."""
    folder = home / run_id
    folder.mkdir()
    mine = toys.settings(seed=seed)
    begun = checkpoints.load_start(home / start)[0] if start else None
    training = loop.begin(mine, begun)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    for tick in loop.train(training, pixels):
        if tick.step == 3:
            break
    checkpoints.save(folder, 3, training.tensors(), checkpoints.make_header(mine, "", 3))
    about = files.read_json(home / A / "run.json") | {"settings": mine.to_json(), "recipe": mine.recipe}
    about |= {"name": run_id, "step": 3, "started_from": {"run": start} if start else None}
    files.write_json(folder / "run.json", about)
    return checkpoints.load(folder / "state-00000003.safetensors")


def test_a_training_starts_from_a_blend_with_the_critic_of_the_nearer_parent(home):
    tiny_training(home, "root-aaaaaa")
    tiny_training(home, "left-aaaaaa", "root-aaaaaa", seed=4)
    right = tiny_training(home, "right-aaaaaa", "root-aaaaaa", seed=5)
    a, b = (sample.load(home, run) for run in ("left-aaaaaa", "right-aaaaaa"))
    run_id = blend.make(home, a, b, blend.check_shares(0.75))
    folder = home / "begun-aaaaaa"
    folder.mkdir()
    about = store._begin_from(home, run_id, folder, "dcgan", 32, 0)
    assert set(about["before"]) == {"left-aaaaaa", "right-aaaaaa", "root-aaaaaa"}
    start = checkpoints.load(folder / "started-from.safetensors")
    critic = {name: tensor for name, tensor in start.tensors.items() if name.startswith("discriminator.")}
    assert critic and all(torch.equal(t, right.tensors[name].half().float()) for name, t in critic.items())
    made = sample.load(home, run_id).generator.state_dict()
    for name, tensor in loop.begin(a.settings, start.tensors).average.state_dict().items():
        assert torch.allclose(tensor, made[name], rtol=1e-3, atol=1e-6)
    with pytest.raises(Refused, match="no ancestor"):
        tiny_training(home, "alone-aaaaaa", seed=6)
        blend.check_pair(home, a, sample.load(home, "alone-aaaaaa"))


def test_a_disk_that_is_full_or_a_name_that_can_not_be_leaves_nothing(home, monkeypatch):
    before = sorted(home.iterdir())
    with pytest.raises(Refused, match="60 characters"):
        blend.make(home, *both(home), blend.check_shares(), "n" * 61)
    monkeypatch.setattr(files, "free_bytes", lambda path: 0)
    with pytest.raises(Refused, match="too little room"):
        blend.make(home, *both(home), blend.check_shares())
    assert sorted(home.iterdir()) == before


def test_broken_off_or_killed_at_any_write_there_is_no_run_or_a_whole_one(home, monkeypatch):
    a, b = both(home)
    runs = {run.id for run in store.list_runs(home)}
    write, count = files.write_atomically, 0

    class Killed(BaseException):
        pass

    def dies_at(place):
        def counted(path, data):
            nonlocal count
            count += 1
            if count == place:
                raise Killed
            write(path, data)

        return counted

    removed = blend.shutil.rmtree
    place = 0
    while True:  # a kill leaves no time to tidy up
        place, count = place + 1, 0
        with monkeypatch.context() as patch:
            patch.setattr(files, "write_atomically", dies_at(place))
            patch.setattr(blend.shutil, "rmtree", lambda *_, **__: None)
            try:
                blend.make(home, a, b, blend.check_shares(), "Killed")
                break
            except Killed:
                assert {run.id for run in store.list_runs(home)} == runs
    assert place > 4
    monkeypatch.setattr(blend.shutil, "rmtree", removed)
    (whole,) = {run.id for run in store.list_runs(home)} - runs
    assert sample.load(home, whole).name == "Killed"

    folders = set(home.iterdir())
    monkeypatch.setattr(files, "write_atomically", dies_at(count + 2))
    with pytest.raises(Killed):  # broken off in any other way, nothing stays
        blend.make(home, a, b, blend.check_shares(), "Broken")
    assert set(home.iterdir()) == folders


@pytest.mark.parametrize(
    "nonsense",
    [
        {"blend": 3},
        {"blend": {"parents": [], "weights": {}}},
        {"blend": {"parents": [{"run": "../x"}, {}], "weights": {}}},
        {"blend": {"parents": [{"run": B, "before": 7}, "x"]}},
    ],
)
def test_nonsense_in_a_run_is_no_blend_and_no_traceback(home, nonsense):
    change(home, A, **nonsense)
    assert blend.read(store.read_run(home / A)) is None
    assert store.ancestry(home, A)[0] == A
    assert export.model_card(home, A)
