"""Run folders: made whole or not at all, read whatever is in them, changed only by who may."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from gan_play import files
from gan_play.pictures import examples
from gan_play.refusals import Refused
from gan_play.runs import checkpoints, store
from gan_play.trainers import loop
from tests import toys


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of twelve pictures, made once; runs are made of it in other homes."""
    return examples.take_in_example("fields", tmp_path_factory.mktemp("sets"), count=12).folder


def make(home: Path, taken: Path, **changes: object) -> str:
    plan = SimpleNamespace(settings=toys.settings(), disk_bytes=1_000_000, sentence="Quick.")
    asked = {"plan": plan, "recipe": "dcgan", "size_px": 32, "seed": 3, "minutes": 5, "name": "Fields"}
    return store.create_run(home, set_folder=taken, **(asked | changes))


def work_on(folder: Path) -> None:
    """Makes this very process the run's worker."""
    me = psutil.Process()
    files.write_json(folder / "worker.json", {"pid": me.pid, "started": me.create_time()})


def in_state(folder: Path, state: str, **changes: object) -> None:
    with store.changing(folder) as run:
        run |= {"state": state} | changes


def reason(call, *arguments: object, **more: object) -> str:
    with pytest.raises(Refused) as refused:
        call(*arguments, **more)
    assert len(refused.value.refusal.sentence) <= 160
    return refused.value.refusal.reason


def test_a_new_run_waits_with_its_pictures_and_settings(tmp_path, taken):
    run_id = make(tmp_path, taken)
    status = store.status(tmp_path, run_id)
    assert status["state"] == "queued" and status["queue_position"] == 1
    assert (status["name"], status["recipe"], status["size_px"], status["step"]) == ("Fields", "dcgan", 32, 0)
    assert status["seconds_left"] == 300 and status["percent"] == 0
    assert status["settings"] == toys.settings().to_json()
    assert status["pictures"] == 12 and status["grids"] == []
    json.dumps(status, allow_nan=False)  # what the page's API hands out
    assert [row.id for row in store.list_runs(tmp_path) if not row.shipped] == [run_id]


def test_the_time_left_of_a_run_to_a_step_counts_all_pictures_of_a_step(tmp_path, taken):
    run_id = make(tmp_path, taken, minutes=None, steps=30)
    # As of a recipe whose critic learns five times a step, from 8 pictures each time.
    line = {"step": 10, "images_seen": 400, "seconds": 20, "images_per_second": 20.0}
    files.append_line(tmp_path / run_id / "stats.jsonl", json.dumps(line))
    assert store.status(tmp_path, run_id)["seconds_left"] == 40


@pytest.mark.parametrize(
    "wrong, code",
    [
        ({"recipe": "nonsense"}, "setting-choice"),
        ({"size_px": 33}, "setting-choice"),
        ({"seed": -1}, "setting-range"),
        ({"device": "abacus"}, "setting-choice"),
        ({"dials": {"rate_g": float("nan")}}, "setting-range"),
        ({"minutes": 0}, "run-limit"),
        ({"minutes": float("nan")}, "run-limit"),
        ({"steps": 0}, "run-limit"),
        ({"steps": 10**12}, "run-limit"),
        ({"name": "x" * 61}, "run-name"),
        ({"start": "not-there"}, "no-run"),
        ({"how": "sideways"}, "fit"),
        ({"plan": SimpleNamespace(settings=None, disk_bytes=10**18, sentence="")}, "run-room"),
    ],
)
def test_an_impossible_wish_is_refused_and_leaves_nothing(tmp_path, taken, wrong, code):
    assert reason(make, tmp_path, taken, **wrong) == code
    assert os.listdir(tmp_path) == []


def test_a_kill_while_a_run_is_made_leaves_no_half_run(tmp_path, taken, monkeypatch):
    make(tmp_path, taken)
    write_json = files.write_json

    def killed_before_the_last_file(path: Path, value: object) -> None:
        if path.name == "run.json" and path.is_relative_to(tmp_path):
            raise KeyboardInterrupt
        write_json(path, value)

    monkeypatch.setattr(files, "write_json", killed_before_the_last_file)
    monkeypatch.setattr(store.shutil, "rmtree", lambda *_args, **_more: None)  # a kill tidies nothing up
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, taken)
    assert len([row for row in store.list_runs(tmp_path) if not row.shipped]) == 1


def test_names_are_one_visible_line_and_ids_stay(tmp_path, taken):
    run_id = make(tmp_path, taken, name="  Fields\nof <b>gold</b>\x00 ")
    assert store.status(tmp_path, run_id)["name"] == "Fields of <b>gold</b>"
    store.rename(tmp_path, run_id, "Wheat")
    assert store.status(tmp_path, run_id)["name"] == "Wheat"
    assert reason(store.rename, tmp_path, run_id, " \n ") == "run-name"


@pytest.mark.parametrize(
    "run_id", ["", "..", "../x", "sets", "a" * 60, "A-B-C", "x\0y", None, 7, "/etc", "con", "no-such-run"]
)
def test_what_names_no_run_is_refused(tmp_path, run_id):
    (tmp_path / "sets").mkdir()
    for call in (store.find_run, store.status, store.stats, store.delete):
        assert reason(call, tmp_path, run_id) == "no-run"


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"state": "training"}', b"[" * 100_000, b"{}" * 9],
)
def test_a_damaged_run_is_listed_as_damaged_and_the_others_are_there(tmp_path, taken, damage):
    good, bad = make(tmp_path, taken), make(tmp_path, taken)
    (tmp_path / bad / "run.json").write_bytes(damage)
    states = {row.id: row.state for row in store.list_runs(tmp_path)}
    assert states[good] == "queued" and states[bad] == "damaged"
    assert store.status(tmp_path, bad)["state"] == "damaged"
    assert reason(store.ask, tmp_path, bad, "train") == "run-damaged"
    store.delete(tmp_path, bad)
    assert not (tmp_path / bad).exists()


@pytest.mark.parametrize(
    "key", ["name", "recipe", "size_px", "state", "created", "minutes", "settings", "set"]
)
def test_every_wrong_value_in_run_json_is_damage_and_no_exception(tmp_path, taken, key):
    run_id = make(tmp_path, taken)
    path = tmp_path / run_id / "run.json"
    good = json.loads(path.read_text())
    for value in ("<script>", -5, [], {"a": 1}, True, None, 1e308):
        path.write_text(json.dumps(good | {key: value}))
        status = store.status(tmp_path, run_id)
        json.dumps(status)
        assert any(row.id == run_id for row in store.list_runs(tmp_path))
    path.write_text(json.dumps({k: v for k, v in good.items() if k != key}))
    assert store.status(tmp_path, run_id)["state"] == "damaged"


def test_torn_and_foreign_lines_in_the_numbers_are_passed_over(tmp_path, taken):
    run_id = make(tmp_path, taken)
    lines = [b'{"step": 1, "seconds": 2.0}', b'{"step": -4}', b'{"step": "x"}', b"[1]", b'{"step": 9, "secon']
    (tmp_path / run_id / "stats.jsonl").write_bytes(b"\n".join(lines))
    assert store.stats(tmp_path, run_id) == [{"step": 1, "seconds": 2.0}]
    assert store.status(tmp_path, run_id)["step"] == 1


def test_the_newest_score_is_shown_until_there_is_another(tmp_path, taken):
    run_id = make(tmp_path, taken)
    unscored = "".join(f'{{"step": {i}}}\n' for i in range(3, 99))
    text = '{"step": 1, "score": 0.5}\n{"step": 2, "score": 0.25}\n' + unscored
    (tmp_path / run_id / "stats.jsonl").write_text(text)
    status = store.status(tmp_path, run_id)
    assert (status["step"], status["score"]) == (98, 0.25)


def test_long_histories_are_thinned_evenly_and_end_with_the_last_line(tmp_path, taken):
    run_id = make(tmp_path, taken)
    text = "".join(f'{{"step": {i}}}\n' for i in range(5000))
    (tmp_path / run_id / "stats.jsonl").write_text(text)
    steps = [line["step"] for line in store.stats(tmp_path, run_id, most=300)]
    assert len(steps) == 300 and steps[0] == 0 and steps[-1] == 4999
    assert max(b - a for a, b in zip(steps, steps[1:])) <= 17


def test_a_run_whose_worker_died_is_interrupted(tmp_path, taken):
    run_id = make(tmp_path, taken)
    folder = tmp_path / run_id
    in_state(folder, "training")
    work_on(folder)
    assert store.status(tmp_path, run_id)["state"] == "training"
    worker = json.loads((folder / "worker.json").read_text())
    for dead in (
        worker | {"started": worker["started"] - 60},  # the pid was given to another process
        worker | {"pid": 2**30},
        worker | {"pid": "1; rm"},
        {},
        [],
    ):
        files.write_json(folder / "worker.json", dead)
        assert store.status(tmp_path, run_id)["state"] == "interrupted"
    (folder / "worker.json").unlink()
    assert store.status(tmp_path, run_id)["state"] == "interrupted"


def test_a_wish_reaches_the_worker_by_file_and_changes_no_state_under_it(tmp_path, taken):
    run_id = make(tmp_path, taken)
    folder = tmp_path / run_id
    in_state(folder, "training")
    work_on(folder)
    store.ask(tmp_path, run_id, "pause")
    assert store.wish_of(folder) == "pause"
    assert store.status(tmp_path, run_id)["state"] == "training"  # until the worker has saved


@pytest.mark.parametrize("wish, state", [("pause", "paused"), ("stop", "stopped")])
def test_without_a_worker_a_wish_takes_effect_at_once(tmp_path, taken, wish, state):
    run_id = make(tmp_path, taken)
    store.ask(tmp_path, run_id, wish)
    assert store.status(tmp_path, run_id)["state"] == state
    store.ask(tmp_path, run_id, "train")
    assert store.status(tmp_path, run_id)["state"] == "queued"
    assert reason(store.ask, tmp_path, run_id, "dance") == "run-wish"


def test_more_minutes_add_to_what_is_left_or_to_what_was_had(tmp_path, taken):
    run_id = make(tmp_path, taken)  # five minutes
    folder = tmp_path / run_id
    files.append_line(folder / "stats.jsonl", '{"step": 9, "seconds": 120}')
    store.ask(tmp_path, run_id, "train", more_minutes=10)
    assert store.status(tmp_path, run_id)["minutes"] == 15
    in_state(folder, "stopped")
    store.ask(tmp_path, run_id, "train", more_minutes=10)  # it had two and was ended there
    assert store.status(tmp_path, run_id)["minutes"] == 12
    store.ask(tmp_path, run_id, "train", steps=400)
    status = store.status(tmp_path, run_id)
    assert (status["minutes"], status["steps"]) == (None, 400)
    assert reason(store.ask, tmp_path, run_id, "train", more_minutes=-3) == "run-limit"


def test_runs_wait_in_the_order_in_which_they_were_asked_for(tmp_path, taken):
    first, second, third = (make(tmp_path, taken) for _ in range(3))
    for i, run_id in enumerate((third, first, second)):
        in_state(tmp_path / run_id, "queued", queued=float(i))
    assert store.queue(tmp_path) == [third, first, second]
    assert store.status(tmp_path, second)["queue_position"] == 3
    sentences = [store.status(tmp_path, run_id)["sentence"] for run_id in (third, first, second)]
    assert sentences == ["Starting.", "Waits for 1 run to finish.", "Waits for 2 runs to finish."]


def test_a_run_under_training_is_not_deleted_and_then_it_is_gone_whole(tmp_path, taken):
    run_id = make(tmp_path, taken)
    folder = tmp_path / run_id
    in_state(folder, "training")
    work_on(folder)
    assert reason(store.delete, tmp_path, run_id) == "run-busy"
    (folder / "worker.json").unlink()
    store.delete(tmp_path, run_id)
    assert not folder.exists() and reason(store.status, tmp_path, run_id) == "no-run"


def test_only_the_hash_of_an_owners_key_is_kept(tmp_path, taken):
    key = "9f2c-very-secret"
    run_id = make(tmp_path, taken, owner_key=key)
    assert store.check_owner(tmp_path, run_id, key)
    for other in ("", key + " ", key.upper(), "0" * 64):
        assert not store.check_owner(tmp_path, run_id, other)
    for path in (tmp_path / run_id).rglob("*"):
        if path.is_file():
            assert key.encode() not in path.read_bytes(), path.name
    unowned = make(tmp_path, taken)
    assert not store.check_owner(tmp_path, unowned, "") and not store.check_owner(tmp_path, unowned, key)


def save_state(folder: Path, **changes: object) -> Path:
    training = loop.begin(toys.settings(**changes))
    header = checkpoints.make_header(training.settings, "", 40)
    return checkpoints.save(folder, 40, training.tensors(), header)


def test_a_model_is_found_by_its_digest_or_sixteen_digits_of_it(tmp_path, taken):
    one, other = make(tmp_path, taken), make(tmp_path, taken)
    save_state(tmp_path / other, seed=8)
    path = save_state(tmp_path / one)
    digest = checkpoints.read_header(path)[0]["model_digest"]
    assert store.find_model(tmp_path, digest) == (path, one)
    assert store.find_model(tmp_path, digest[:16]) == (path, one)
    kept = checkpoints.save_generator(tmp_path / one, *checkpoints.load_generator(path))
    assert store.find_model(tmp_path, digest) == (kept, one)  # this one is never pruned
    path.unlink()
    assert store.find_model(tmp_path, digest) == (kept, one)
    for wrong in ("0" * 64, digest[:15], "", "*" * 16, "../" + digest[:16]):
        assert store.find_model(tmp_path, wrong) is None


def test_a_run_starts_from_another_ones_newest_state_and_owns_it(tmp_path, taken):
    source = make(tmp_path, taken)
    path = save_state(tmp_path / source)
    digest = checkpoints.read_header(path)[0]["model_digest"]
    run_id = make(tmp_path, taken, start=source)
    started_from = store.status(tmp_path, run_id)["started_from"]
    about = {"run": source, "file": path.name, "step": 40, "model_digest": digest}
    assert started_from == about | {"before": []}
    store.delete(tmp_path, source)  # whatever becomes of the other one
    state = checkpoints.load(tmp_path / run_id / "started-from.safetensors")
    assert state.header["model_digest"] == digest


def test_what_was_stated_of_rights_goes_on_to_the_runs_that_begin_from_it(tmp_path, taken):
    first = make(tmp_path, taken, rights="Ada's own")
    save_state(tmp_path / first)
    second = make(tmp_path, taken, start=first, rights="Ben's, CC BY 4.0; Ada's own")
    save_state(tmp_path / second)
    third = make(tmp_path, taken, start=second)
    store.delete(tmp_path, first)
    store.delete(tmp_path, second)
    about = store.read_run(tmp_path / third)
    assert "rights" not in about and store.rights_of(about) == "Ben's, CC BY 4.0; Ada's own"
    store.state_rights(tmp_path, third, "Cara's")
    assert store.rights_of(store.read_run(tmp_path / third)) == "Cara's; Ben's, CC BY 4.0; Ada's own"
    assert store.rights_of({}) == store.rights_of({"started_from": "nonsense"}) == ""
    assert len(store.join_rights("a" * 400, "b" * 400)) == store.MOST_RIGHTS_CHARS


def test_a_run_starts_only_from_its_own_kind(tmp_path, taken):
    source = make(tmp_path, taken)
    assert reason(make, tmp_path, taken, start=source) == "no-checkpoint"
    save_state(tmp_path / source)
    before = sorted(os.listdir(tmp_path))
    assert reason(make, tmp_path, taken, start=source, size_px=64) == "run-start"
    assert sorted(os.listdir(tmp_path)) == before


def test_shipped_runs_are_listed_from_every_home_and_never_changed(tmp_path, taken, monkeypatch):
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / make(shipped, taken)).rename(shipped / "starter-32")
    save_state(shipped / "starter-32")
    state = checkpoints.load(checkpoints.states(shipped / "starter-32")[0])
    checkpoints.save_starter(shipped / "starter-32", state.tensors, state.header)
    (shipped / make(shipped, taken, name="Starter")).rename(shipped / "starter-of-somebody")
    monkeypatch.setattr(files, "SHIPPED", shipped)
    home = tmp_path / "home"
    home.mkdir()
    (row,) = store.list_runs(home)
    assert row.id == "starter-32" and row.shipped
    assert store.status(home, "starter-32")["shipped"]
    for call in (store.delete, store.rename, store.ask):
        extra = () if call is store.delete else ("train",)
        assert reason(call, home, "starter-32", *extra) == "run-shipped"
        assert reason(call, shipped, "starter-32", *extra) == "run-shipped"
    assert store.status(home, make(home, taken, start="starter-32"))["started_from"]["run"] == "starter-32"


def test_changes_by_many_at_once_lose_nothing(tmp_path, taken):
    from concurrent.futures import ThreadPoolExecutor

    run_id = make(tmp_path, taken)

    def add_one(_: int) -> None:
        with store.changing(tmp_path / run_id) as run:
            run["attempts"] += 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_one, range(40)))
    assert store.read_run(tmp_path / run_id)["attempts"] == 40


def test_the_newest_run_comes_first(tmp_path, taken):
    ids = []
    for i in range(3):
        ids.append(make(tmp_path, taken))
        in_state(tmp_path / ids[-1], "stopped", created=time.time() + i)
    assert [row.id for row in store.list_runs(tmp_path) if not row.shipped] == ids[::-1]


def test_a_paused_run_can_be_stopped(tmp_path, taken):
    run_id = make(tmp_path, taken)
    for wish, state in (("pause", "paused"), ("stop", "stopped"), ("pause", "stopped"), ("train", "queued")):
        store.ask(tmp_path, run_id, wish)
        assert store.status(tmp_path, run_id)["state"] == state
