"""A bake-off: refusals before anything trains, rows by equal seconds, blind votes, a page that stands alone."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from gan_play import cli, files, limits
from gan_play.pictures import images
from gan_play.refusals import Refused
from gan_play.runs import bakeoff, judge, store, worker
from gan_play.share.bakeoff import html
from tests import toys

MARKUP = "</title><script>alert(1)</script> \" onerror='x' & ${b}"
RECIPES = ("dcgan", "sngan", "gan")
MINUTES = 2.0


def a_bakeoff(home: Path, recipes: tuple[str, ...] = RECIPES, **changes: object) -> str:
    """A bake-off whose runs wait, at 32 px."""
    set_folder = toys.a_set(home)
    wish = {"recipes": recipes, "minutes": MINUTES, "size_px": 32, "name": "Sunsets"} | changes
    return bakeoff.create(home, set_folder=set_folder, **wish)


def runs_of(home: Path, bakeoff_id: str) -> list[str]:
    return [row["run"] for row in bakeoff.found(home, bakeoff_id)["runs"]]


def train(home: Path, run: str, seconds: float, speed: int = 10, kid: float | None = None) -> None:
    """Writes what a worker writes in so many seconds: a grid every 10 s, each of one colour; a score at the end."""
    folder = home / run
    for second in range(0, int(seconds) + 1, 10):
        step = second * speed
        pixels = np.full((36, 32, 32, 3), (speed, second, step % 256), dtype=np.uint8)
        data = images.encode(images.grid(pixels, 6, 2), "webp", quality=90)
        store.grid_path(folder, step).write_bytes(data)
        line = {"step": step, "images_seen": step * 4, "seconds": float(second), "images_per_second": 40.0}
        files.append_line(folder / "stats.jsonl", json.dumps(line))
    over = seconds >= MINUTES * 60
    with store.changing(folder) as about:
        about["state"] = "finished" if over else "paused"
    files.write_json(folder / "wanted.json", {"wish": "stop" if over else "pause"})
    if kid is not None:
        found = {"step": int(seconds) * speed, "seconds": seconds, "kid": kid, "kid_low": kid - 0.02}
        found |= {"kid_high": kid + 0.02, "copy_rate": 0.25, "copy": "A quarter."}
        files.write_json(folder / judge.FILE, found)


def trained(home: Path, kids: tuple[float | None, ...] = (0.3, 0.1, 0.5), **changes: object) -> str:
    """A bake-off that is over, with these scores."""
    made = a_bakeoff(home, **changes)
    for speed, (run, kid) in enumerate(zip(runs_of(home, made), kids), 10):
        train(home, run, MINUTES * 60, speed, kid)
    return made


# Refused before anything trains


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"recipes": ("dcgan",)}, "two|2 to 5"),
        ({"recipes": ("dcgan", "dcgan")}, "2 to 5 different recipes: 1"),
        ({"recipes": ("dcgan", "gan", "wgan", "sngan", "r3gan", "fastgan")}, "2 to 5"),
        ({"recipes": ("dcgan", "no-such")}, "recipe = no-such"),
        ({"recipes": ("dcgan", "cgan")}, "learns folders apart"),
        ({"recipes": ("dcgan", "projected"), "size_px": 28}, "Projected can't paint at 28 px"),
        ({"minutes": 0}, "0 is not possible"),
        ({"minutes": math.nan}, "nan is not possible"),
        ({"minutes": "5"}, "5 is not possible"),
        ({"minutes": 1e9}, "not possible"),
    ],
)
def test_what_is_impossible_is_refused_and_leaves_nothing(
    tmp_path: Path, changes: dict, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        a_bakeoff(tmp_path, **changes)
    assert bakeoff.list_all(tmp_path) == []
    assert [row for row in store.list_runs(tmp_path) if not row.shipped] == []


def test_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_folder = toys.a_set(tmp_path)
    monkeypatch.setattr(files, "free_bytes", lambda path: 210 * limits.MB)
    with pytest.raises(Refused, match="these 2 runs need"):
        bakeoff.create(tmp_path, set_folder=set_folder, recipes=("dcgan", "stylegan2"), minutes=1, size_px=64)
    assert [row for row in store.list_runs(tmp_path) if not row.shipped] == []


def test_a_creation_that_fails_midway_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, really = [], store.create_run

    def fails_at_the_second(*args: object, **kwargs: object) -> str:
        if made:
            raise OSError("the disk is gone")
        made.append(really(*args, **kwargs))
        return made[0]

    monkeypatch.setattr(store, "create_run", fails_at_the_second)
    with pytest.raises(OSError, match="gone"):
        a_bakeoff(tmp_path)
    assert made and not (tmp_path / made[0]).exists()
    assert list((tmp_path / "bakeoffs").iterdir()) == []


# Fair


def test_all_begin_alike_from_scratch_and_share_the_pictures(tmp_path: Path) -> None:
    made = a_bakeoff(tmp_path, seed=7)
    runs = [store.read_run(tmp_path / run) for run in runs_of(tmp_path, made)]
    assert [run["recipe"] for run in runs] == list(RECIPES)
    for key in ("seed", "minutes", "size_px", "set", "bakeoff"):
        assert len({json.dumps(run[key]) for run in runs}) == 1, key
    assert all(run["started_from"] is None for run in runs)
    assert store.queue(tmp_path) == runs_of(tmp_path, made)
    blocks = [(tmp_path / run / "set" / "pixels.npy") for run in runs_of(tmp_path, made)]
    assert len({path.read_bytes() for path in blocks}) == 1


def test_a_labelled_set_serves_recipes_with_and_without_labels(tmp_path: Path) -> None:
    set_folder = toys.a_labelled_set(tmp_path, {"a": 8, "b": 8})
    made = bakeoff.create(
        tmp_path, set_folder=set_folder, recipes=("dcgan", "cgan"), minutes=1, size_px=32, labelled=True
    )
    assert [store.read_run(tmp_path / run)["labelled"] for run in runs_of(tmp_path, made)] == [False, True]


def test_the_shared_pictures_are_those_of_a_recipe_that_needs_labels(tmp_path, monkeypatch) -> None:
    made, create_run = [], store.create_run

    def noted(*args, **wishes):
        made.append((wishes["recipe"], wishes["block"]))
        return create_run(*args, **wishes)

    monkeypatch.setattr(store, "create_run", noted)
    set_folder = toys.a_labelled_set(tmp_path, {"a": 8, "b": 8})
    told = bakeoff.create(tmp_path, set_folder=set_folder, recipes=("dcgan", "cgan"), minutes=1, size_px=32)
    first = runs_of(tmp_path, told)[1]
    assert made == [("cgan", None), ("dcgan", tmp_path / first / "set")]


def test_the_page_gets_an_even_part_of_many_grids():
    grids = [[step, step / 10, step * 8] for step in range(1000)]
    part = bakeoff.thinned(grids)
    assert len(part) == bakeoff.MOST_GRIDS and part[0] == grids[0] and part[-1] == grids[-1]
    assert bakeoff.thinned(grids[:10]) == grids[:10]


def test_grids_stand_side_by_side_after_equal_seconds(tmp_path: Path) -> None:
    made = a_bakeoff(tmp_path)
    for speed, (run, seconds) in enumerate(zip(runs_of(tmp_path, made), (120, 70, 0)), 10):
        if seconds:
            train(tmp_path, run, seconds, speed)
    told = bakeoff.status(tmp_path, made)
    assert told["moments"] == [15, 30, 60, 120]
    assert [bakeoff.grid_at(row, 35) for row in told["rows"]] == [[300, 30, 1200], [330, 30, 1320], None]
    shown = {seconds: [grid and grid[0] for grid in grids] for seconds, grids in bakeoff.rounds(told)}
    assert shown == {
        15: [100, 110, None],
        30: [300, 330, None],
        60: [600, 660, None],
        120: [1200, None, None],
    }
    assert [row["state"] for row in told["rows"]] == ["finished", "paused", "queued"]
    assert [row["over"] for row in told["rows"]] == [True, False, False]
    assert told["state"] == "going"


def test_what_is_trained_beyond_the_minutes_does_not_count(tmp_path: Path) -> None:
    made = trained(tmp_path)
    run = runs_of(tmp_path, made)[0]
    train(tmp_path, run, 300)
    row = bakeoff.status(tmp_path, made)["rows"][0]
    assert (row["seconds"], row["images_seen"], row["grids"][-1]) == (120, 4800, [1200, 120, 4800])
    assert row["kid"] == 0.3


def test_a_run_that_is_gone_or_broken_is_said_and_the_others_stay(tmp_path: Path) -> None:
    made = trained(tmp_path)
    runs = runs_of(tmp_path, made)
    store.delete(tmp_path, runs[0])
    (tmp_path / runs[1] / "run.json").write_text("{")
    told = bakeoff.status(tmp_path, made)
    assert [row["state"] for row in told["rows"]] == ["deleted", "damaged", "finished"]
    assert told["rows"][0]["sentence"] == "This run was deleted."
    assert told["state"] == "done"
    assert "DCGAN" in html(tmp_path, made)


def test_a_damaged_bakeoff_is_refused_and_left_out_of_the_list(tmp_path: Path) -> None:
    made = a_bakeoff(tmp_path)
    path = tmp_path / "bakeoffs" / made / "bakeoff.json"
    good = path.read_text()
    for bad in (
        "{",
        "[]",
        good.replace('"runs"', '"walks"'),
        good.replace(runs_of(tmp_path, made)[0], "../x"),
    ):
        path.write_text(bad)
        with pytest.raises(Refused, match="damaged"):
            bakeoff.status(tmp_path, made)
        assert bakeoff.list_all(tmp_path) == []
        assert bakeoff.folders(tmp_path, made) == []
    for unknown in ("nobody-abc234", "../" + made, "", None, 7):
        with pytest.raises(Refused, match="no bake-off"):
            bakeoff.status(tmp_path, unknown)


# In words


def rows(*kids: tuple[float, float]) -> list[dict]:
    return [
        {"title": name, "kid": kid, "kid_low": kid - half, "kid_high": kid + half}
        for name, (kid, half) in zip("ABC", kids)
    ]


def test_a_winner_is_named_only_where_its_range_lies_below_all_others() -> None:
    assert bakeoff.in_words(rows((0.5, 0.1), (0.2, 0.1))).startswith("B comes nearest")
    text = bakeoff.in_words(rows((0.3, 0.1), (0.2, 0.1), (0.9, 0.1)))
    assert text == "B has the lowest KID, but too close to A to call it better; C is farther."
    text = bakeoff.in_words(rows((0.3, 0.1), (0.2, 0.1), (0.25, 0.1)))
    assert text == "B has the lowest KID, but too close to C and A to call it better."
    unscored = {"title": "D", "kid": None, "kid_low": None, "kid_high": None}
    text = bakeoff.in_words([unscored, *rows((0.5, 0.1), (0.2, 0.1))])
    assert text.startswith("Of the 2 scored so far, B comes nearest")
    assert bakeoff.in_words([]) == ""
    assert bakeoff.in_words(rows((0.3, 0.1))) == "Only A could be scored so far."


# Steering


def test_pausing_rests_all_and_starting_goes_on_with_what_is_not_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = a_bakeoff(tmp_path)
    runs = runs_of(tmp_path, made)
    train(tmp_path, runs[0], 120, kid=0.2)
    bakeoff.pause(tmp_path, made)
    told = bakeoff.status(tmp_path, made)
    assert [row["state"] for row in told["rows"]] == ["finished", "paused", "paused"]
    assert (told["state"], told["seconds_left"]) == ("resting", None)
    started = []
    monkeypatch.setattr(bakeoff, "APART_SECONDS", 0.2)  # nobody comes
    monkeypatch.setattr(worker, "start_worker", lambda home, run: started.append(run))
    bakeoff.start(tmp_path, made)
    assert started == runs[1:]


def test_forgetting_a_bakeoff_keeps_its_runs(tmp_path: Path) -> None:
    made = trained(tmp_path)
    runs = runs_of(tmp_path, made)
    bakeoff.delete(tmp_path, made)
    assert bakeoff.list_all(tmp_path) == []
    assert all(store.find_run(tmp_path, run) for run in runs)


# Voting


@pytest.mark.parametrize("count", [2, 3, 5])
def test_each_pair_meets_once_a_round_on_either_side_in_an_order_of_its_own(count: int) -> None:
    couples = math.comb(count, 2)
    pairs = [bakeoff.pair("one-abc234", count, n) for n in range(bakeoff.pairs_of(count))]
    assert pairs == [bakeoff.pair("one-abc234", count, n) for n in range(bakeoff.pairs_of(count))]
    assert pairs != [bakeoff.pair("two-abc234", count, n) for n in range(bakeoff.pairs_of(count))]
    kinds = {(frozenset((p.left, p.right)), p.share, p.quarter) for p in pairs}
    assert len(kinds) == len(pairs) == couples * 12
    for start in range(0, len(pairs), couples):
        assert len({frozenset((p.left, p.right)) for p in pairs[start : start + couples]}) == couples
    assert [p.share for p in pairs] == sorted((p.share for p in pairs), reverse=True)
    assert sum(p.left < p.right for p in pairs) == len(pairs) / 2


def test_a_vote_shows_equal_seconds_and_a_quarter_without_its_name(tmp_path: Path) -> None:
    made = trained(tmp_path)
    told = bakeoff.status(tmp_path, made)
    one = bakeoff.next_pair(told, {})
    assert (one.number, one.share) == (0, 1)
    for which, place in (("left", one.left), ("right", one.right)):
        picture = images.read_kept(bakeoff.side(tmp_path, made, 0, which))
        assert picture.shape == (101, 101, 3)
        expected = (10 + place, 120, 1200 + 120 * place & 255)
        assert np.abs(np.median(picture, axis=(0, 1)) - expected).max() < 12
    assert bakeoff.vote(tmp_path, made, 0, "left") == one
    cast = bakeoff.votes(bakeoff.find(tmp_path, made), 3)
    assert cast == {0: "left"}
    assert bakeoff.next_pair(told, cast).number == 1


def test_only_what_came_so_far_is_voted_on(tmp_path: Path) -> None:
    made = a_bakeoff(tmp_path)
    runs = runs_of(tmp_path, made)
    assert bakeoff.next_pair(bakeoff.status(tmp_path, made), {}) is None
    train(tmp_path, runs[0], 120)
    train(tmp_path, runs[1], 40)
    one = bakeoff.next_pair(bakeoff.status(tmp_path, made), {})
    assert ({one.left, one.right}, one.share) == ({0, 1}, 0.25)
    for number, which in ((0, "left"), (10**9, "left"), (-1, "left"), (one.number, "up")):
        with pytest.raises(Refused, match="can't be compared"):
            bakeoff.side(tmp_path, made, number, which)
    for number, choice in (
        (0, "left"),
        (True, "left"),
        ("0", "left"),
        (one.number, "both"),
        (one.number, None),
    ):
        with pytest.raises(Refused):
            bakeoff.vote(tmp_path, made, number, choice)
    assert bakeoff.votes(bakeoff.find(tmp_path, made), 3) == {}


def test_the_first_vote_on_a_pair_counts_and_torn_lines_are_passed_over(tmp_path: Path) -> None:
    made = trained(tmp_path)
    path = bakeoff.find(tmp_path, made) / "votes.jsonl"
    bakeoff.vote(tmp_path, made, 3, "left")
    with path.open("ab") as file:
        file.write(b'{"pair": 4, "cho')
    bakeoff.vote(tmp_path, made, 3, "right")
    bakeoff.vote(tmp_path, made, 5, "same")
    files.append_line(path, json.dumps({"pair": 10**6, "choice": "left"}))
    files.append_line(path, json.dumps({"pair": [], "choice": {}}))
    assert bakeoff.votes(path.parent, 3) == {3: "left", 5: "same"}


def cast_for(told: dict, favourite: int, number: int) -> dict[int, str]:
    """The first votes, on a bake-off of two, all for one of them."""
    pairs = [bakeoff.pair(told["id"], 2, n) for n in range(number)]
    return {p.number: "left" if p.left == favourite else "right" for p in pairs}


def test_few_votes_are_too_few_and_many_tell(tmp_path: Path) -> None:
    told = {"id": "two-abc234", "rows": [{"title": "Alpha"}, {"title": "Beta"}]}
    assert bakeoff.tally(told, {}).sentence == "No votes yet."
    five = bakeoff.tally(told, cast_for(told, 1, 5))
    assert five.sentence == "5 votes: too few to tell. Beta leads with 5 of 5."
    six = bakeoff.tally(told, cast_for(told, 1, 6))
    assert (six.sentence, six.wins, six.of) == ("You prefer Beta to the other.", [0, 6], [6, 6])
    torn = cast_for(told, 1, 12) | cast_for(told, 0, 5)
    assert bakeoff.tally(told, torn).sentence == "12 votes, and no clear choice. Beta leads with 7 of 12."
    same = bakeoff.tally(told, dict.fromkeys(range(4), "same"))
    assert (same.sentence, same.wins) == ("4 votes: too few to tell.", [2, 2])


def test_a_coin_is_counted_exactly() -> None:
    assert bakeoff.by_chance(6, 0) == pytest.approx(2 / 64)
    assert bakeoff.by_chance(9, 1) == pytest.approx(2 * 11 / 1024)
    assert bakeoff.by_chance(3, 3) == 1


# The page


def test_the_page_stands_alone_and_names_are_text(tmp_path: Path) -> None:
    made = trained(tmp_path, name=MARKUP)
    with store.changing(tmp_path / runs_of(tmp_path, made)[2]) as run:
        run |= {"state": "failed", "sentence": MARKUP}
    (tmp_path / runs_of(tmp_path, made)[2] / "stats.jsonl").unlink()
    told = bakeoff.status(tmp_path, made)
    bakeoff.vote(tmp_path, made, bakeoff.next_pair(told, {}).number, "left")
    page = html(tmp_path, made)
    assert "<script" not in page and "alert(1)" in page
    assert re.findall(r"(?:src|href)=\"(?!data:image/webp;base64,)", page) == []
    assert "url(" not in page and "@import" not in page and "http" not in page
    assert page.count("<img ") == 2 * len(bakeoff.MOMENTS)
    assert "SNGAN comes nearest" in page and "0.080 to 0.120" in page and "25%" in page
    assert "Voted blind: 1 vote: too few to tell." in page


def test_bakeoff_is_no_name_for_a_run() -> None:
    assert not files.is_id("bakeoffs")


# The owner


def test_only_the_key_that_started_it_owns_it(tmp_path: Path) -> None:
    made = a_bakeoff(tmp_path, owner_key="a key of mine")
    folder = bakeoff.find(tmp_path, made)
    assert store.owns(folder, "a key of mine") and not store.owns(folder, "another")
    assert store.check_owner(tmp_path, runs_of(tmp_path, made)[0], "a key of mine")
    assert "a key of mine" not in "".join(path.read_text() for path in folder.iterdir())


# The whole


@pytest.mark.alone
@pytest.mark.slow  # two trainings with their measuring and scoring: about a minute
@pytest.mark.timeout(900)
def test_two_recipes_are_trained_in_turn_and_judged(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "page.html"
    options = ["--recipes", "dcgan,gan", "--minutes", "0.05", "--size", "32", "--device", "cpu"]
    status = cli.main(["bakeoff", "example:fields", *options, "--out", str(out), "--home", str(tmp_path)])
    said = capsys.readouterr()
    assert (status, said.out) == (0, f"{out}\n"), said.err
    (about,) = bakeoff.list_all(tmp_path)
    told = bakeoff.status(tmp_path, about["id"])
    assert [row["state"] for row in told["rows"]] == ["finished", "finished"]
    for row in told["rows"]:
        final = judge.final(tmp_path / row["run"])
        assert row["kid_low"] < row["kid"] < row["kid_high"]
        assert 0 <= row["copy_rate"] <= 1 and final["paintings"] == judge.PICTURES
        assert 3 <= final["seconds"] < 60 and row["grids"][-1][0] == final["step"]
        assert store.status(tmp_path, row["run"])["seconds_spent"] < 60  # scoring isn't training
    first, second = (tmp_path / row["run"] / judge.FILE for row in told["rows"])
    assert first.stat().st_mtime < second.stat().st_mtime
    assert out.read_text("utf-8").count("data:image/webp") >= 2
    bakeoff.start(tmp_path, about["id"])  # there is nothing left to do
    assert [row["state"] for row in bakeoff.status(tmp_path, about["id"])["rows"]] == ["finished"] * 2
