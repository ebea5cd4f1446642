"""Labels, from the set's folders to a link: what is refused before a training, what a grid shows, what Play offers."""

import dataclasses
import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import playground
import playing
import pytest

from gan_play import cli, files
from gan_play.latent import mix, sample, walk
from gan_play.pictures import images
from gan_play.refusals import Refused
from gan_play.runs import labels, store, worker
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.trainers import loop
from gan_play.trainers.recipes import RECIPES
from gan_play.ui import desk as desks
from gan_play.ui import share_routes, showing, train
from gan_play.ui.desk import Desk, Pick
from tests import toys

TOY = playing.model(num_labels=3)
MODEL = TOY.digest[:16]
SMALL = {"etching": 6, "oil": 12}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run that learnt three labels, one that learnt none, and a set with two labels."""
    folder = tmp_path_factory.mktemp("home")
    playground.run_in(folder, num_labels=3)
    playground.run_in(folder, run_id="plain-000000", seed=1)
    toys.a_labelled_set(folder, SMALL)
    return folder


@pytest.fixture(scope="module")
def taken(home: Path) -> Path:
    return next((home / "sets").iterdir())


def reason(call, *arguments: object, **more: object) -> str:
    with pytest.raises(Refused) as refused:
        call(*arguments, **more)
    assert len(refused.value.refusal.sentence) <= 160 and "…" not in refused.value.refusal.sentence
    return refused.value.refusal.reason


# Before a training


@pytest.mark.parametrize(
    "counts, recipe, wanted, code",
    [
        ({"": 8}, "cgan", None, "labels-needed"),
        ({"": 8}, "projected", True, "labels-needed"),
        ({"oil": 8}, "cgan", None, "one-label"),
        ({"oil": 8, "etching": 1}, "cgan", None, "label-too-few"),
        ({"oil": 8, "etching": 1}, "projected", True, "label-too-few"),
        ({"oil": 6, "etching": 2}, "dcgan", True, "labels-not"),
    ],
)
def test_a_set_that_can_t_serve_is_refused_before_anything_is_made(tmp_path, counts, recipe, wanted, code):
    folder = toys.a_labelled_set(tmp_path, counts)
    before = sorted(tmp_path.iterdir())
    asked = {"set_folder": folder, "recipe": recipe, "size_px": 32, "labelled": wanted}
    assert reason(store.create_run, tmp_path, **asked) == code
    assert sorted(tmp_path.iterdir()) == before


def test_the_refusal_of_an_unlabelled_set_names_a_recipe_that_works(tmp_path):
    folder = toys.a_labelled_set(tmp_path, {"": 8})
    with pytest.raises(Refused, match="train projected without labels"):
        labels.decide("cgan", folder)
    assert RECIPES["projected"].labels != "needed"


@pytest.mark.parametrize(
    "recipe, wanted, learns",
    [("cgan", None, True), ("cgan", False, True), ("projected", None, False), ("projected", True, True)]
    + [("dcgan", None, False), ("dcgan", False, False)],
)
def test_recipes_learn_labels_always_by_choice_or_never(tmp_path, taken, recipe, wanted, learns):
    run_id = store.create_run(tmp_path, set_folder=taken, recipe=recipe, size_px=32, labelled=wanted)
    run = store.read_run(tmp_path / run_id)
    assert run["labelled"] is learns
    assert labels.names(run) == (["etching", "oil"] if learns else [])
    assert run["set"]["label_counts"] == [6, 12]
    assert store.status(tmp_path, run_id)["labels"] == labels.names(run)
    assert next(row for row in store.list_runs(tmp_path) if row.id == run_id).num_labels == 2 * learns


def test_labels_with_few_pictures_are_named_in_a_warning():
    assert labels.warning({"oil": 10, "etching": 200}) == ""
    said = labels.warning({"oil": 100, "etching": 4, "pastel": 9})
    assert "etching (4), pastel (9)" in said and "oil" not in said
    assert "and 17 more" in labels.warning({f"label {i}": 2 for i in range(20)})


def test_a_start_with_other_labels_is_refused_and_none_is_proposed(tmp_path, taken, monkeypatch):
    shipped = tmp_path / "shipped"
    playground.run_in(shipped, run_id="starter-32")
    (shipped / "starter-32" / "starter.safetensors").write_bytes(b"")
    monkeypatch.setattr(files, "SHIPPED", shipped)
    assert store.starting_run(tmp_path, None, "projected", 32) == "starter-32"
    assert store.starting_run(tmp_path, None, "projected", 32, 2) is None
    (tmp_path / "three-000000").mkdir()
    files.write_json(tmp_path / "three-000000" / "run.json", {})
    training = loop.begin(playing.settings("cgan", num_labels=3))
    header = toys.checkpoints.make_header(training.settings, "", 1)
    toys.checkpoints.save(tmp_path / "three-000000", 1, training.tensors(), header)
    with pytest.raises(Refused, match="is cgan at 32 px with 3 labels, this one is to be.* with 2 labels"):
        store.create_run(tmp_path, set_folder=taken, recipe="cgan", size_px=32, start="three-000000")


def test_the_command_line_refuses_before_training_and_says_which_labels_it_learns(
    tmp_path, capsys, monkeypatch
):
    for i in range(9):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        pixels = np.random.default_rng(i).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        (tmp_path / "pictures" / f"{i}.png").write_bytes(images.encode(pixels, "png"))
    there = ["--size", "32", "--home", str(tmp_path / "home")]
    assert cli.main(["train", str(tmp_path / "pictures"), "--recipe", "dcgan", "--labels", *there]) == 2
    assert "doesn't learn folders apart" in capsys.readouterr().err
    assert not (tmp_path / "home" / "sets").exists()
    assert cli.main(["train", str(tmp_path / "pictures"), "--recipe", "cgan", *there]) == 2
    assert "two or more folders" in capsys.readouterr().err
    for i in range(9):
        kind = tmp_path / "pictures" / ("oil" if i < 5 else "ink")
        kind.mkdir(exist_ok=True)
        (tmp_path / "pictures" / f"{i}.png").rename(kind / f"{i}.png")
    monkeypatch.setattr(cli, "watch", lambda home, run_id: print(run_id) or 0)
    assert cli.main(["train", str(tmp_path / "pictures"), "--labels", "--size", "64", *there[2:]]) == 0
    told = capsys.readouterr()
    assert "The starter knows no labels" in told.err
    assert "learns 2 labels apart: ink (4), oil (5)" in told.err and "Few pictures: ink (4)" in told.err
    assert store.read_run(tmp_path / "home" / told.out.splitlines()[-1])["labelled"] is True


# While it trains


def test_scored_samples_have_the_labels_of_the_set_in_every_stretch():
    found = Counter(labels.like([90, 10, 300], 400))
    assert abs(found[0] - 90) <= 3 and abs(found[1] - 10) <= 3 and abs(found[2] - 300) <= 3
    parts = [label for first in range(0, 400, 12) for label in labels.like([90, 10, 300], 12, first)]
    assert parts[:400] == labels.like([90, 10, 300], 400)
    assert set(labels.like([0, 5, 0], 50)) == {1} and labels.like([1] * 1000, 3, 10**6)


@pytest.mark.parametrize(
    "count, rows", [(0, None), (2, [0, 0, 0, 1, 1, 1]), (4, [0, 0, 1, 2, 2, 3]), (10, [0, 1, 3, 5, 7, 9])]
)
def test_each_row_of_a_grid_has_one_label(count, rows):
    shown = labels.of_tiles(count, 36, 6)
    assert shown == (rows and [row for row in rows for _ in range(6)])


def test_a_labelled_run_is_trained_and_its_grid_has_a_label_a_row(tmp_path, taken):
    plan = SimpleNamespace(settings=playing.settings("cgan", num_labels=2), disk_bytes=0, sentence="")
    asked = {"set_folder": taken, "recipe": "cgan", "size_px": 32, "plan": plan, "steps": 2}
    folder = tmp_path / store.create_run(tmp_path, **asked)
    with store.changing(folder) as run:
        run |= {"scores": False, "settings": {**run["settings"], "width": 4, "batch": 2}}
    assert worker.work(folder) == 0
    assert store.status(tmp_path, folder.name)["state"] == "finished"
    layout = files.read_json(folder / "samples" / "seeds.json")
    assert layout["labels"] == [0] * 18 + [1] * 18
    model = sample.load(tmp_path, folder.name)
    assert model.labels == ("etching", "oil")
    grid = images.read_kept(store.grid_path(folder, 2).read_bytes()).astype(int)
    for seed in (0, 20, 35):
        top, left = 34 * (seed // 6), 34 * (seed % 6)
        right, wrong = (
            np.abs(
                grid[top : top + 32, left : left + 32] - sample.sample_one(model, seed, label=label)
            ).mean()
            for label in (seed // 18, 1 - seed // 18)
        )
        # WebP keeps noise worst, and after two steps labels, which begin quietly, make only some difference.
        assert right < 0.7 * wrong, (right, wrong)


def test_a_run_without_settings_gets_its_labels_from_its_set(tmp_path, taken):
    run_id = store.create_run(tmp_path, set_folder=taken, recipe="cgan", size_px=32, steps=5)
    run = store.read_run(tmp_path / run_id)
    settings, _ = worker.choose_settings(run, None, SimpleNamespace(pixels=None, labels=None))
    assert settings.num_labels == 2


# Painting


def test_a_label_changes_the_picture_and_only_its_own_centre_is_drawn_to():
    pictures = [sample.sample_one(TOY, 7, label=label) for label in range(3)]
    assert all(not np.array_equal(pictures[i], pictures[j]) for i, j in ((0, 1), (1, 2), (0, 2)))
    assert np.array_equal(sample.sample_one(TOY, 7), pictures[0])
    averages = [sample.sample_one(TOY, 7, 0, label) for label in range(3)]
    again = [sample.styles_of(TOY, 8, 0.0, label) for label in range(3)]
    assert not np.array_equal(averages[0], averages[1])
    assert all(bool((ws == TOY.generator.centre()[0]).all()) == (i == 0) for i, ws in enumerate(again))


def test_label_by_seed_has_a_row_for_each_label_and_a_column_for_each_seed():
    grid = sample.label_grid(TOY, [4, 9], [2, 0, 1])
    assert grid.shape == (3 * 34 - 2, 2 * 34 - 2, 3)
    assert np.array_equal(grid[34:66, 34:66], sample.sample_one(TOY, 9, label=0))


@pytest.mark.parametrize("how", ["w", "z"])
def test_a_walk_between_labels_meets_each_seed_in_its_label(how):
    frames = list(walk.walk(TOY, [5, 5, 8], frames=6, how=how, easing="linear", labels=[0, 2, 1]))
    for at, (seed, label) in ((0, (5, 0)), (2, (5, 2)), (4, (8, 1))):
        assert np.array_equal(frames[at], sample.sample_one(TOY, seed, label=label))
    halfway = frames[1].astype(int)
    assert all(np.abs(halfway - frames[at]).mean() > 0.5 for at in (0, 2))


def test_a_way_between_labels_needs_one_for_each_seed_and_two_different_ones():
    assert reason(walk.walk, TOY, [5, 8], labels=[2, 2]) == "label-path"
    assert reason(walk.walk, TOY, [5, 8], labels=[0, 1, 2]) == "label-stops"
    assert reason(walk.walk, TOY, [5, 8], labels=[0, 3]) == "label"


def test_a_mix_takes_the_other_picture_in_its_own_label():
    a, b = sample.sample_one(TOY, 1, label=0), sample.sample_one(TOY, 2, label=2)
    assert np.array_equal(mix.mix(TOY, 1, 2, (0, 0, 0), label=0, label_b=2), a)
    assert np.array_equal(mix.mix(TOY, 1, 2, (1, 1, 1), label=0, label_b=2), b)


def test_labels_are_found_by_name_then_by_number():
    digits = dataclasses.replace(TOY, label_names=("1", "10", "2"))
    assert [sample.find_label(digits, text) for text in ("2", "10", "#2", "0", " 1 ", "")] == [
        2,
        1,
        2,
        0,
        0,
        0,
    ]
    assert sample.parse_labels(TOY, "oil, 2,etching") == [1, 2, 0]
    assert [sample.find_label(TOY, sample.name_label(TOY, i)) for i in range(3)] == [0, 1, 2]
    odd = dataclasses.replace(TOY, label_names=("a, b", "#1", "a"))
    assert [sample.name_label(odd, i) for i in range(3)] == ["#0", "#1", "a"]
    for wrong in ("nobody", "3", "#3", "-1", "9" * 20):
        assert reason(sample.find_label, TOY, wrong) == "label"
    assert sample.find_label(playing.model(), "") is None
    assert reason(sample.find_label, playing.model(), "oil") == "label"


# Codes and links

WORKS = {
    "sample": Artwork("sample", MODEL, (7,), label=2),
    "mix": Artwork("mix", MODEL, (7, 9), label=1, weights=(0, 0.5, 1)),
    "mix_grid": Artwork("mix_grid", MODEL, (1, 2), label=1, columns=(3, 4), band="coarse"),
    "label_grid": Artwork("label_grid", MODEL, (1, 2), labels=(2, 0)),
    "label_mix": Artwork("label_mix", MODEL, (7, 9), labels=(1, 0), weights=(0, 0.5, 1)),
    "label_walk": Artwork(
        "label_walk",
        MODEL,
        (5, 5, 8),
        labels=(0, 1, 2),
        seconds=0.5,
        fps=8,
        how="w",
        easing="smooth",
        loop=True,
    ),
}


@pytest.mark.parametrize("kind", WORKS)
def test_what_has_labels_comes_back_from_its_code_to_the_last_byte(home, kind):
    made = artworks.render(home, WORKS[kind])
    for film in home.glob("films/*"):
        film.unlink()
    again = artworks.render(home, artworks.decode(made.code))
    assert again.sentence.startswith("Identical") and again.png == made.png
    assert dataclasses.replace(artworks.decode(made.code), seal="") == WORKS[kind]
    named = {playing.LABELS[number] for number in WORKS[kind].label_numbers}
    title = share_routes.title_of(WORKS[kind], sample.load(home, playground.RUN))
    assert all(name in title for name in named)
    assert all(name in images.read_text(made.png)["Title"] for name in named)


@pytest.mark.parametrize("kind", WORKS)
def test_an_artwork_in_a_label_that_its_model_hasn_t_is_refused(home, kind):
    digest = sample.load(home, "plain-000000").digest[:16]
    assert reason(artworks.render, home, dataclasses.replace(WORKS[kind], model=digest)) == "label"


# Play


def desk(**changes: object) -> Desk:
    changes["tray"] = json.dumps(changes.get("tray", []))
    return dataclasses.replace(Desk(digest=TOY.digest), **changes)


@pytest.mark.parametrize("kind", WORKS)
def test_a_link_with_labels_restores_everything(home, kind):
    artwork, model = WORKS[kind], sample.load(home, playground.RUN)
    if artwork.is_film:
        artwork = dataclasses.replace(artwork, fps=desks.FPS)
    code = artworks.encode(artwork)
    opened = desks.fitting(desks.desk_of(artwork, code, desk(tray=[[1000, 1]])), model)
    assert desks.artwork_of(opened, model) == artwork
    html, shown = showing.stage(opened, model, home)
    assert shown == code and code in html


def test_the_tray_remembers_the_label_of_each_picture():
    twice = desks.pick(desks.pick(desk(label="1"), 7, 1), 7, 2)
    assert twice.picks == [Pick(7, 1), Pick(7, 2)] and (twice.seed, twice.label) == ("7", "2")
    assert desks.pick(twice, 7, 2).picks == [Pick(7, 1)]
    assert desks.rearrange(twice, "left", Pick(7, 2), Pick(0)).picks == [Pick(7, 2), Pick(7, 1)]
    assert desks.artwork_of(dataclasses.replace(twice, tool="walk")).labels == (1, 2)
    assert desks.artwork_of(dataclasses.replace(twice, tool="mix")).operation == "label_mix"
    same = desk(tray=[[3, 2], [4, 2]], seed="4", label="2")
    for tool in ("walk", "mix"):
        assert desks.artwork_of(dataclasses.replace(same, tool=tool)).label == 2


def test_the_grid_is_painted_in_the_label_that_was_chosen():
    html = showing.grid(desk(label="2", tray=[[2, 2], [2, 1]]), TOY)
    assert artworks.encode(Artwork("sample", MODEL, (35,), label=2)) in html
    assert html.count('data-label="2"') == desks.PAGE and html.count('class="badge"') == 1
    assert "pastel" in html


def test_labels_that_another_model_has_not_are_forgotten():
    before = desk(label="2", tray=[[7, 2], [7, 1], [8, 0]], tool="label_grid")
    plain = desks.fitting(before, playing.model())
    assert (plain.label, plain.picks, plain.tool) == ("", [Pick(7), Pick(8)], "sample")
    two = dataclasses.replace(TOY, generator=playing.model(num_labels=2).generator, label_names=("a", "b"))
    assert desks.fitting(before, two).picks == [Pick(7, 0), Pick(7, 1), Pick(8, 0)]
    assert desks.fitting(desk(), TOY).label == "0"


def test_label_by_seed_takes_the_tray_or_what_was_typed():
    artwork = desks.artwork_of(desk(tool="label_grid", tray=[[4, 1], [9, 2]]), TOY)
    assert (artwork.seeds, artwork.labels) == ((4, 9, 0, 1), (0, 1, 2))
    typed = desks.artwork_of(desk(tool="label_grid", kinds="oil, 0", across="1-2", seed="5"), TOY)
    assert (typed.seeds, typed.labels) == ((1, 2), (1, 0))
    assert desks.artwork_of(desk(tool="label_grid", seed="5", first="36"), TOY).seeds == (5, 36, 37, 38)
    assert desks.artwork_of(desk(tool="label_grid", tray=[1, 2, 3, 4, 5, 6, 7]), TOY).seeds == (
        1,
        2,
        3,
        4,
        5,
        6,
    )
    assert reason(desks.artwork_of, desk(tool="label_grid", kinds="<b>"), TOY) == "label"


def test_one_seed_walks_through_every_label():
    there = desks.through_labels(desk(seed="7", label="1"), TOY)
    assert there.tool == "walk" and there.picks == [Pick(7, 0), Pick(7, 1), Pick(7, 2)]


def test_names_of_labels_cannot_bring_markup_onto_the_page(home):
    evil = dataclasses.replace(TOY, label_names=("<img src=x onerror=alert(1)>", "${alert(2)}", '"onload="'))
    html, _ = showing.stage(desk(tool="label_grid", across="1"), evil, home)
    assert "<img src=x" not in html and '"onload="' not in html
    assert html.count("<img ") == 3


# Train


def test_the_page_offers_labels_where_set_and_recipe_have_them(home, taken):
    shared = SimpleNamespace(home=home, public=False)
    chosen = json.dumps({"set": taken.name, "how": "crop", "background": [255, 255, 255], "name": "x"})
    box, said = train.label_parts(shared, chosen, "projected")
    assert box["visible"] and "etching (6), oil (12)" in said["value"] and "Few pictures" in said["value"]
    box, said = train.label_parts(shared, chosen, "cgan")
    assert not box["visible"] and "learns 2 folders apart" in said["value"]
    assert train.label_parts(shared, chosen, "dcgan")[1]["value"] == ""
    assert train.label_parts(shared, "", "cgan") == (box, {**said, "value": ""})
    counted = [train.learnt(shared, chosen, *asked) for asked in (("cgan", False), ("projected", True))]
    assert counted == [2, 2] and train.learnt(shared, chosen, "projected", False) == 0


def test_the_page_says_at_once_that_a_recipe_needs_folders(tmp_path):
    folder = toys.a_labelled_set(tmp_path, {"": 8})
    shared = SimpleNamespace(home=tmp_path, public=False)
    chosen = json.dumps({"set": folder.name, "how": "crop", "background": [255, 255, 255], "name": "x"})
    assert "two or more folders" in train.label_parts(shared, chosen, "cgan")[1]["value"]


# The command line


def said(capsys: pytest.CaptureFixture, *words: object) -> str:
    assert cli.main([str(word) for word in words]) == 0
    return capsys.readouterr().out.splitlines()[-1]


def test_sample_takes_a_label_by_name_by_number_or_all_of_them(home, tmp_path, capsys):
    there = ["--home", home, "--out"]
    run = ["sample", playground.RUN]
    for label in ("pastel", "2"):
        said(capsys, *run, "--seeds", 7, "--label", label, *there, tmp_path / f"{label}.png")
    png = (tmp_path / "pastel.png").read_bytes()
    assert png == (tmp_path / "2.png").read_bytes()
    assert np.array_equal(images.read_kept(png), sample.sample_one(TOY, 7, label=2))
    said(capsys, *run, "--seeds", "1,2", "--label", "all", *there, tmp_path / "all.png")
    grid = images.read_kept((tmp_path / "all.png").read_bytes())
    assert np.array_equal(grid, sample.label_grid(TOY, [1, 2], [0, 1, 2]))
    said(capsys, *run, "--seeds", "1", "--label", "all", *there, f"{tmp_path}/each/")
    assert len(list((tmp_path / "each").glob("label00?-seed00001.png"))) == 3
    for wrong in ("nobody", "3"):
        assert cli.main([*map(str, [*run, "--label", wrong, *there, tmp_path / "no.png"])]) == 2
    assert (
        cli.main(["sample", "plain-000000", "--label", "all", *map(str, [*there, tmp_path / "no.png"])]) == 2
    )


def test_walk_leads_one_seed_or_several_through_labels(home, tmp_path, capsys):
    words = [
        "walk",
        playground.RUN,
        "--seconds",
        0.5,
        "--fps",
        8,
        "--home",
        home,
        "--out",
        tmp_path / "walk.gif",
    ]
    said(capsys, *words, "--seeds", "5", "--labels", "etching,oil,pastel")
    said(capsys, *words, "--seeds", "5,8", "--labels", "2,0")
    said(capsys, *words, "--seeds", "5,8", "--label", "oil")
    for wrong in ("etching", "0,1,2", "0,7"):
        assert cli.main([*map(str, words), "--seeds", "5,8", "--labels", wrong]) == 2


def test_share_and_mix_take_a_label(home, tmp_path, capsys):
    code = said(capsys, "share", playground.RUN, "--seed", 7, "--label", "oil", "--home", home)
    assert artworks.decode(code).label == 1
    words = ["--rows", 1, "--cols", 2, "--label", "oil", "--out", tmp_path / "mix.png", "--home", home]
    said(capsys, "mix", playground.RUN, *words)
    assert artworks.read_card((tmp_path / "mix.png").read_bytes()).label == 1
