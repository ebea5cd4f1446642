"""The worker: what it writes, how it is steered, and what it does when something goes wrong.

Most tests call `worker.work` in this process, which is what a worker process does after its first line; the last
ones start real processes.
"""

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from filelock import FileLock
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from gan_play import files
from gan_play.measure import originality, scores
from gan_play.models.seeds import noise_of, z_of
from gan_play.pictures import datasets, images
from gan_play.refusals import Refused, refuse
from gan_play.runs import checkpoints, checkup, store, worker
from gan_play.trainers import loop, preflight
from gan_play.trainers.health import Leak, Variety
from gan_play.trainers.recipes import Settings
from tests import toys

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def this_process_as_it_was() -> Iterator[None]:
    """A worker sets signal handlers and threads for its whole process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def steps_of(folder: Path) -> list[int]:
    return [int(path.stem[6:]) for path in checkpoints.states(folder)]


def stray_files(folder: Path) -> list[str]:
    """What nobody should find once a worker has left."""
    mine = [".run.lock", ".training.lock"]
    return [
        p.name
        for p in folder.rglob("*")
        if (p.name.startswith(".") or ".tmp" in p.name) and p.name not in mine
    ]


def at_step(
    monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[loop.Training], dict | None], times: int = 1
) -> list[int]:
    """Calls `act` just after a step was made, `times` times at the most; it may return other numbers for it."""
    train, done = loop.train, []

    def interfered(training: loop.Training, *data: object) -> Iterator[loop.Tick]:
        for tick in train(training, *data):
            if tick.step == step and len(done) < times:
                done.append(step)
                numbers = act(training)
                tick = tick._replace(numbers=tick.numbers | (numbers or {}))
            yield tick

    monkeypatch.setattr(loop, "train", interfered)
    return done


# What it writes


def test_a_run_to_a_step_ends_there_with_all_that_the_contract_names(tmp_path):
    run_id = toys.a_run(tmp_path, steps=6)
    folder = tmp_path / run_id
    assert worker.work(folder) == 0
    status = store.status(tmp_path, run_id)
    assert (status["state"], status["step"], status["images_seen"]) == ("finished", 6, 12)
    assert status["percent"] == 100 and status["grids"][0] == 0 and status["last_grid"] == 6
    last = store.stats(tmp_path, run_id)[-1]
    assert {"step", "images_seen", "seconds", "images_per_second", "loss_g", "loss_d"} <= last.keys()
    seeds = json.loads((folder / "samples" / "seeds.json").read_text())
    assert seeds["seeds"] == list(range(36)) and (seeds["columns"], seeds["tile_px"]) == (6, 32)
    with Image.open(store.grid_path(folder, 6)) as grid:
        assert grid.size == (6 * 32 + 5 * seeds["gap_px"],) * 2
    assert checkpoints.load_newest(folder, toys.settings()).step == 6
    assert not (folder / "worker.json").exists() and stray_files(folder) == []


def test_the_chores_change_nothing_in_the_mathematics(tmp_path):
    """States, grids, numbers and scores or none of them: the same bits at the end."""
    folder = tmp_path / toys.a_run(tmp_path, steps=5, scores=True)
    assert worker.work(folder) == 0
    assert toys.final_digest(folder) == toys.digest_after(folder, 5)


def test_every_tile_of_a_grid_is_the_picture_of_its_seed(tmp_path):
    training = loop.begin(toys.settings())
    (tmp_path / "samples").mkdir()
    path = worker.write_grid(tmp_path, training.average, 0)
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    generator = training.average
    for seed in (0, 7, 35):
        with torch.inference_mode():
            ws = generator.mapping(z_of([seed], generator.z_dim))
            ws = generator.w_mean + worker.GRID_TRUNCATION * (ws - generator.w_mean)
            picture = images.to_pixels(generator.synthesis(ws, noise_of(generator, [seed]) or None))[0]
        top, left = (seed // 6) * (32 + worker.GRID_GAP_PX), (seed % 6) * (32 + worker.GRID_GAP_PX)
        tile = pixels[top : top + 32, left : left + 32]
        assert abs(tile - picture.astype(int)).mean() < 6  # WebP, and noise is what it keeps worst


def test_a_run_that_starts_from_another_shows_its_pictures_before_anything_is_measured(tmp_path, monkeypatch):
    source = toys.a_run(tmp_path, steps=2)
    assert worker.work(tmp_path / source) == 0
    run_id = toys.a_run(tmp_path, start=source, settings=None, steps=None, minutes=5.0)
    folder = tmp_path / run_id
    seen = []

    def measuring(*_: object, start: tuple, **_more: object) -> None:
        seen.append((store.status(tmp_path, run_id)["last_grid"], start[1].width))
        raise Refused(refuse("no-memory", "this"))

    monkeypatch.setattr(preflight, "plan", measuring)
    assert worker.work(folder) == 0
    assert seen == [(0, toys.settings().width)]
    with (
        Image.open(store.grid_path(folder, 0)) as first,
        Image.open(store.grid_path(tmp_path / source, 2)) as last,
    ):
        assert first.tobytes() == last.tobytes()
    status = store.status(tmp_path, run_id)
    assert status["state"] == "failed" and "memory" in status["sentence"]


def test_the_settings_of_a_run_say_whether_it_starts_from_another(tmp_path):
    source = toys.a_run(tmp_path, steps=2)
    assert worker.work(tmp_path / source) == 0
    for start in (source, None):
        folder = tmp_path / toys.a_run(tmp_path, start=start, settings=None, steps=2)
        found, _ = worker.choose_settings(store.read_run(folder), worker.starting_point(folder), None)
        assert found.started == (start is not None)


def test_the_grids_of_a_long_run_are_thinned_but_the_first_and_the_new_ones_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "GRIDS_KEPT", 20)
    (tmp_path / "samples").mkdir()
    for step in range(0, 500, 10):
        store.grid_path(tmp_path, step).write_bytes(b"")
        worker.thin_grids(tmp_path)
    steps = store.grids(tmp_path)
    assert len(steps) <= 21 and steps[0] == 0 and steps[-5:] == [450, 460, 470, 480, 490]


def test_a_run_of_minutes_ends_by_the_clock_and_time_counts_over_restarts(tmp_path, monkeypatch):
    run_id = toys.a_run(tmp_path, steps=10**6)
    folder = tmp_path / run_id
    files.append_line(folder / "stats.jsonl", '{"step": 0, "seconds": 599.5}')
    store.ask(tmp_path, run_id, "train", minutes=10)
    assert worker.work(folder) == 0
    status = store.status(tmp_path, run_id)
    assert status["state"] == "finished" and 600 <= status["seconds_spent"] < 630
    store.ask(tmp_path, run_id, "train", more_minutes=10)
    assert store.status(tmp_path, run_id)["state"] == "queued"
    assert store.status(tmp_path, run_id)["seconds_left"] == pytest.approx(600)


def test_numbers_beyond_the_state_it_goes_on_from_are_dropped_but_their_time_counts(tmp_path):
    for step in range(0, 50, 10):
        files.append_line(tmp_path / "stats.jsonl", json.dumps({"step": step, "seconds": step * 2.0}))
    assert worker.trim_stats(tmp_path, step=20) == 80.0
    assert [line["step"] for line in files.read_lines_json(tmp_path / "stats.jsonl")] == [0, 10, 20]


def test_scores_find_the_best_state_and_keep_it(tmp_path, monkeypatch):
    scores = iter([0.5, 0.2, 0.9, 0.8, 0.7, 0.6, 0.95])
    monkeypatch.setattr(worker, "MOST_SHARE", 1e9)  # as much time as they like

    def quick_scoring(_training: object, _pixels: object, keep: Callable[[], Path], *_: object) -> Iterator:
        while True:
            path = keep()
            yield None
            yield worker.Scored(path, next(scores, 1.0))

    monkeypatch.setattr(worker, "scoring", quick_scoring)
    run_id = toys.a_run(tmp_path, steps=16, scores=True, save_seconds=1e9)
    folder = tmp_path / run_id
    assert worker.work(folder) == 0
    best = checkpoints.best(folder)
    assert store.status(tmp_path, run_id)["best_score"] == 0.2
    assert best is not None and int(best.stem[6:]) not in steps_of(folder)[:3]
    assert checkpoints.load(best).step == int(best.stem[6:])
    assert 0.2 in [line.get("score") for line in store.stats(tmp_path, run_id)]


def test_a_score_compares_fresh_pictures_with_real_ones_and_touches_no_training(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "SCORED_PICTURES", 4)
    monkeypatch.setattr(worker, "SCORED_AT_ONCE", 2)
    torch.set_num_threads(1)
    training = loop.begin(toys.settings())
    before = checkpoints.model_digest(training.tensors())
    pixels = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), dtype=np.uint8)
    kept = tmp_path / "state-00000000.safetensors"
    pieces = []
    pictures = datasets.ImageSet(pixels, np.zeros(9, np.int64), [], [str(i) for i in range(9)], "")
    for piece in worker.scoring(training, pictures, lambda: kept):
        pieces.append(piece)
        if piece is not None:
            break
    assert pieces[:-1] == [None] * 4  # two of reals, two of fakes
    path, kid, found, (low, high) = pieces[-1]
    assert path == kept and 0 < kid < 10 and found is None and low < kid < high
    assert checkpoints.model_digest(training.tensors()) == before


@pytest.fixture
def holding_back(monkeypatch) -> None:
    """Small sets count as large ones: of twelve pictures four are held back, and are enough."""
    monkeypatch.setattr(datasets, "HELD_BACK_FROM", 12)
    monkeypatch.setattr(datasets, "HELD_BACK_SHARE", 3)
    monkeypatch.setattr(datasets, "LEAST_COMPARED", 4)
    monkeypatch.setattr(originality, "LEAST_HELD_BACK", 4)


def test_what_is_held_back_is_never_trained_on_and_what_is_shown_says_so(tmp_path, holding_back, monkeypatch):
    trained_on, train = [], loop.train

    def watched(training: loop.Training, pixels: np.ndarray, labels: np.ndarray) -> Iterator[loop.Tick]:
        trained_on.append(np.array(pixels))
        yield from train(training, pixels, labels)

    monkeypatch.setattr(loop, "train", watched)
    run_id = toys.a_run(tmp_path, steps=4)
    folder = tmp_path / run_id
    status = store.status(tmp_path, run_id)
    assert (status["pictures"], status["held_back"], status["scored_beside"]) == (8, 4, "held back")
    assert worker.work(folder) == 0
    store.ask(tmp_path, run_id, "train", steps=8)
    assert worker.work(folder) == 0  # it goes on without the same four
    block = datasets.open_block(folder / "set")
    assert [len(pixels) for pixels in trained_on] == [8, 8]
    for pixels in trained_on:
        assert not any((held == pixels).all(axis=(1, 2, 3)).any() for held in block.unseen.pixels)
    assert toys.final_digest(folder) == toys.digest_after(folder, 8)
    again = toys.a_run(tmp_path, steps=4)
    assert datasets.open_block(tmp_path / again / "set").unseen.names == block.unseen.names


def test_scores_are_taken_beside_what_is_held_back_if_that_is_enough(tmp_path, holding_back, monkeypatch):
    monkeypatch.setattr(worker, "SCORED_PICTURES", 8)
    monkeypatch.setattr(worker, "SCORED_AT_ONCE", 2)
    compared, kid = [], scores.kid_interval
    monkeypatch.setattr(
        scores, "kid_interval", lambda real, fake: compared.append(len(real)) or kid(real, fake)
    )
    for least, beside, reals in ((4, 4, 4), (5, 0, 8)):
        monkeypatch.setattr(datasets, "LEAST_COMPARED", least)
        run_id = toys.a_run(tmp_path, scores=True)
        stint = worker.get_ready(tmp_path / run_id, worker.Ending())
        found = tmp_path / run_id / "samples" / "nearest.json"
        while not (found.exists() and "score" in store.last_stats(tmp_path / run_id)):
            stint.score()
        scored = [line for line in store.stats(tmp_path, run_id) if "score" in line]
        assert scored and {line["score_held_back"] for line in scored} == {beside}
        assert set(compared) == {reals}
        compared.clear()
        near = json.loads(found.read_text())
        assert {place for tile in near["tiles"] for place in tile["nearest"]} <= set(range(8))
        digest = datasets.open_block(tmp_path / run_id / "set").digest
        index = originality.load(tmp_path / run_id / "set" / checkup.INDEX_FILE, digest, 8)
        unseen = datasets.open_block(tmp_path / run_id / "set").unseen.pixels
        assert index.threshold <= originality.calibrated(index.own)
        assert index.threshold == originality.held_back(index, unseen).threshold


def test_a_run_from_before_anything_was_held_back_learns_from_all_as_it_did(tmp_path):
    run_id = toys.a_run(tmp_path, steps=3)
    folder = tmp_path / run_id
    manifest = json.loads((folder / "set" / "manifest.json").read_text())
    del manifest["held_back"]
    files.write_json(folder / "set" / "manifest.json", manifest)
    with store.changing(folder) as run:
        del run["set"]["held_back"], run["set"]["scored_beside"]
    assert worker.work(folder) == 0
    status = store.status(tmp_path, run_id)
    assert (status["pictures"], status["held_back"], status["scored_beside"]) == (12, 0, "all")
    assert toys.final_digest(folder) == toys.digest_after(folder, 3)


@pytest.mark.parametrize("recipe", ["cgan", "artgan"])
def test_a_labelled_run_holds_back_of_each_label_and_can_be_begun_from(tmp_path, holding_back, recipe):
    run_id = toys.a_run(tmp_path, steps=2, recipe=recipe)
    folder = tmp_path / run_id
    block = datasets.open_block(folder / "set")
    assert block.held_back == 12 and np.bincount(block.unseen.labels).tolist() == [4, 4, 4]
    assert store.read_run(folder)["set"]["label_counts"] == [8, 8, 8]
    assert worker.work(folder) == 0
    after = toys.a_run(tmp_path, steps=2, recipe=recipe, start=run_id)
    assert worker.work(tmp_path / after) == 0
    assert store.status(tmp_path, after)["state"] == "finished"


def test_a_score_that_fails_costs_no_training(tmp_path, monkeypatch, capfd):
    def broken(*_: object) -> Iterator:
        raise ValueError("no features today")
        yield

    monkeypatch.setattr(worker, "scoring", broken)
    run_id = toys.a_run(tmp_path, steps=3, scores=True)
    assert worker.work(tmp_path / run_id) == 0
    assert store.status(tmp_path, run_id)["state"] == "finished"
    assert "no features today" in capfd.readouterr().err


# Health and originality


@pytest.mark.alone
@pytest.mark.slow
def test_each_score_comes_with_variety_copies_and_the_nearest_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "SCORED_PICTURES", 8)
    monkeypatch.setattr(worker, "SCORED_AT_ONCE", 1)
    monkeypatch.setattr(worker, "MOST_SHARE", 1e9)  # as much time as they like
    run_id = toys.a_run(tmp_path, steps=75, scores=True, save_seconds=1e9)
    folder = tmp_path / run_id
    assert worker.work(folder) == 0
    lines = store.stats(tmp_path, run_id)
    scored = [line for line in lines if "score" in line]
    assert len(scored) >= 2 and all(0 <= line["spread"] and line["distinct"] > 0 for line in scored)
    assert 0 <= scored[-1]["copy_rate"] <= 1
    found = store.status(tmp_path, run_id)["health"]
    assert found["step"] == scored[-1]["scored_step"]
    assert found["code"] == "early" and found["sentence"] and "your pictures" in found["copy"]
    near = json.loads((folder / "samples" / "nearest.json").read_text())
    assert store.grid_path(folder, near["step"]).is_file()
    assert [tile["seed"] for tile in near["tiles"]] == list(range(36))
    for tile in near["tiles"]:
        assert len(tile["nearest"]) == 3 and set(tile["nearest"]) <= set(range(12))
        assert tile["distances"] == sorted(tile["distances"])
    assert originality.load(
        folder / "set" / checkup.INDEX_FILE, datasets.open_block(folder / "set").digest, 12
    )


def staged(monkeypatch: pytest.MonkeyPatch, *found: tuple[Variety, Leak]) -> None:
    """Scores that find this, one after the other, at every second step; the first is the best."""

    def scoring(_training: object, _pixels: object, keep: Callable[[], Path], *_: object) -> Iterator:
        for i, (variety, leak) in enumerate(found):
            path = keep()
            yield None
            yield worker.Scored(path, 0.1 * (i + 1), checkup.Findings(variety, leak, None))
        while True:
            yield None

    monkeypatch.setattr(worker, "scoring", scoring)
    monkeypatch.setattr(worker, "MOST_SHARE", 1e9)


WELL, POOR = Variety(0.9, 0.8), Variety(0.1, 0.05)
CLEAN, CUT = Leak(0, 0, 0), Leak(0.5, 0, 0)


def test_a_collapse_is_said_with_what_helps(tmp_path, monkeypatch):
    staged(monkeypatch, (WELL, CLEAN), (POOR, CLEAN), (POOR, CLEAN))
    run_id = toys.a_run(tmp_path, steps=9, scores=True)
    assert worker.work(tmp_path / run_id) == 0
    found = store.status(tmp_path, run_id)["health"]
    assert found["code"] == "collapsed" and "again and again" in found["sentence"]
    assert found["remedies"] == ["augment", "best", "recipe"] and found["best_seconds"] is not None


@pytest.mark.parametrize("recipe, dial, first", [("dcgan", "augment", 1), ("stylegan2", "ada_most", 0.8)])
def test_augmentation_that_shows_twice_is_turned_down_by_itself(tmp_path, monkeypatch, recipe, dial, first):
    staged(monkeypatch, (WELL, CUT), (WELL, CUT))
    settings = toys.smallest(recipe, batch=2, dials={dial: first})
    run_id = toys.a_run(tmp_path, steps=9, scores=True, recipe=recipe, settings=settings.to_json())
    folder = tmp_path / run_id
    assert worker.work(folder) == 0
    run = store.read_run(folder)
    assert run["settings"]["dials"][dial] == first / 2 and "cut boxes" in run["health"]["leak"]
    state = checkpoints.load_newest(folder, settings)
    assert json.loads(state.header["settings"])["dials"][dial] == first / 2


def test_once_is_chance(tmp_path, monkeypatch):
    staged(monkeypatch, (WELL, CUT), (WELL, CLEAN), (WELL, CUT))
    settings = toys.settings(dials={"augment": 1}).to_json()
    run_id = toys.a_run(tmp_path, steps=9, scores=True, settings=settings)
    assert worker.work(tmp_path / run_id) == 0
    assert store.read_run(tmp_path / run_id)["settings"]["dials"]["augment"] == 1


@pytest.mark.parametrize(
    "code, dial, value, word", [("best", "rate_g", 0.5, "half"), ("augment", "augment", 0.5, "shaking")]
)
def test_a_remedy_goes_back_to_the_best_state_and_on_from_there(
    tmp_path, monkeypatch, code, dial, value, word
):
    staged(monkeypatch, (WELL, CLEAN), (POOR, CLEAN))
    run_id = toys.a_run(tmp_path, steps=12, scores=True)
    folder = tmp_path / run_id
    monkeypatch.setattr(worker, "WISH_SECONDS", 0.0)
    at_step(monkeypatch, 9, lambda _training: store.ask_remedy(tmp_path, run_id, code))
    went_back = []
    take = worker.take_remedy

    def noted(folder: Path) -> None:
        take(folder)
        went_back.append((steps_of(folder)[0], store.grids(folder)[-1], checkpoints.best(folder).name))

    monkeypatch.setattr(worker, "take_remedy", noted)
    assert worker.work(folder) == 0
    best = int(went_back[0][2][6:-12])
    assert went_back[0][:2] == (best, best) and best < 9
    run = store.read_run(folder)
    assert run["settings"]["dials"][dial] == value and word in run["happened"] and "remedy" not in run
    assert store.status(tmp_path, run_id)["state"] == "finished" and steps_of(folder)[0] == 12


def test_a_remedy_wakes_a_run_that_has_ended(tmp_path):
    run_id = toys.a_run(tmp_path, steps=4)
    assert worker.work(tmp_path / run_id) == 0
    store.ask_remedy(tmp_path, run_id, "best", more_minutes=0.05)
    assert store.status(tmp_path, run_id)["state"] == "queued"
    assert worker.work(tmp_path / run_id) == 0
    assert store.status(tmp_path, run_id)["step"] > 4
    with pytest.raises(Refused, match="remedy"):
        store.ask_remedy(tmp_path, run_id, "recipe")


# Steering


@pytest.mark.parametrize("wish, state", [("pause", "paused"), ("stop", "stopped")])
def test_a_wish_is_heard_saved_and_gone_on_from_to_the_same_bits(tmp_path, monkeypatch, wish, state):
    run_id = toys.a_run(tmp_path, steps=8)
    folder = tmp_path / run_id
    monkeypatch.setattr(worker, "WISH_SECONDS", 0.0)
    at_step(monkeypatch, 4, lambda _training: store.ask(tmp_path, run_id, wish))
    assert worker.work(folder) == 0
    status = store.status(tmp_path, run_id)
    assert (status["state"], status["step"], steps_of(folder)[0]) == (state, 4, 4)
    assert store.list_runs(tmp_path)[0].state == state and worker.adopt(tmp_path) == []
    store.ask(tmp_path, run_id, "train")
    assert worker.work(folder) == 0
    assert store.status(tmp_path, run_id)["state"] == "finished"
    assert toys.final_digest(folder) == toys.digest_after(folder, 8)


def test_who_presses_go_on_while_it_saves_for_a_pause_is_heard(tmp_path, monkeypatch):
    run_id = toys.a_run(tmp_path, steps=8)
    folder = tmp_path / run_id
    monkeypatch.setattr(worker, "WISH_SECONDS", 0.0)
    at_step(monkeypatch, 4, lambda _training: store.ask(tmp_path, run_id, "pause"))
    settle = worker.settle

    def regretted(folder: Path, state: str, *more: object) -> bool:
        if state == "paused":
            store.ask(tmp_path, run_id, "train")
        return settle(folder, state, *more)

    monkeypatch.setattr(worker, "settle", regretted)
    assert worker.work(folder) == 0
    assert store.status(tmp_path, run_id)["state"] == "finished"


def test_a_limit_raised_at_the_last_moment_is_heard(tmp_path, monkeypatch):
    run_id = toys.a_run(tmp_path, steps=4)
    folder = tmp_path / run_id
    settle = worker.settle

    def raised(folder: Path, state: str, *more: object) -> bool:
        if steps_of(folder)[0] == 4:
            store.ask(tmp_path, run_id, "train", steps=6)
        return settle(folder, state, *more)

    monkeypatch.setattr(worker, "settle", raised)
    assert worker.work(folder) == 0
    assert steps_of(folder)[0] == 6


def test_only_the_first_in_the_queue_with_a_living_worker_trains(tmp_path):
    dead, first, second = (toys.a_run(tmp_path) for _ in range(3))
    me = psutil.Process()
    for i, run_id in enumerate((dead, first, second)):
        with store.changing(tmp_path / run_id) as run:
            run["queued"] = float(i)
        if run_id != dead:
            files.write_json(tmp_path / run_id / "worker.json", {"pid": me.pid, "started": me.create_time()})
    assert worker.next_in_line(tmp_path) == first
    with store.changing(tmp_path / first) as run:
        run["state"] = "training"
    assert worker.next_in_line(tmp_path) == second


def test_a_waiting_run_can_be_paused(tmp_path, monkeypatch):
    run_id = toys.a_run(tmp_path)
    with FileLock(tmp_path / "training.lock"):  # another run is being trained
        asked = threading.Timer(0.2, store.ask, (tmp_path, run_id, "pause"))
        asked.start()
        assert worker.work(tmp_path / run_id) == 0
        asked.join()
    assert store.status(tmp_path, run_id)["state"] == "paused"
    assert steps_of(tmp_path / run_id) == []


def test_two_workers_are_never_on_one_run(tmp_path, monkeypatch):
    run_id = toys.a_run(tmp_path)
    folder = tmp_path / run_id
    monkeypatch.setattr(worker, "RUN_LOCK_SECONDS", 0)
    before = (folder / "run.json").read_bytes()
    with FileLock(folder / "lock"):
        assert worker.work(folder) == 0
    assert (folder / "run.json").read_bytes() == before and steps_of(folder) == []


def test_a_worker_that_comes_too_late_leaves_an_ended_run_as_it_is(tmp_path):
    run_id = toys.a_run(tmp_path, state="finished")
    before = (tmp_path / run_id / "run.json").read_bytes()
    assert worker.work(tmp_path / run_id) == 0
    assert (tmp_path / run_id / "run.json").read_bytes() == before and steps_of(tmp_path / run_id) == []


def test_what_killed_writers_left_is_removed_at_the_next_start(tmp_path):
    folder = tmp_path / toys.a_run(tmp_path, steps=2)
    for name in (
        ".state-00000007.safetensors.4711-0.tmp",
        ".run.json.9-3.tmp",
        "samples/.step-000001.webp.9-0.tmp",
    ):
        (folder / name).write_bytes(b"half")
    assert worker.work(folder) == 0
    assert stray_files(folder) == []


# When something goes wrong


def test_numbers_gone_astray_take_the_last_good_state_at_half_the_rate(tmp_path, monkeypatch):
    run_id = toys.a_run(tmp_path, steps=8)
    folder = tmp_path / run_id
    nan = torch.tensor(float("nan"))
    at_step(monkeypatch, 5, lambda _training: {"loss_g": nan})
    assert worker.work(folder) == 0
    assert store.status(tmp_path, run_id)["state"] == "finished"
    state = checkpoints.load_newest(folder, toys.settings())
    dials = json.loads(state.header["settings"])["dials"]
    assert (state.step, dials["rate_g"], dials["rate_d"]) == (8, 0.5, 0.5)
    assert "half the learning rate" in store.read_run(folder)["happened"]


def test_a_weight_gone_astray_is_found_before_it_is_saved(tmp_path, monkeypatch):
    def poison(training: loop.Training) -> None:
        next(iter(training.average.parameters())).data.mul_(float("inf"))

    run_id = toys.a_run(tmp_path, steps=8)
    folder = tmp_path / run_id
    assert at_step(monkeypatch, 5, poison) == []
    assert worker.work(folder) == 0
    assert store.read_run(folder)["rollbacks"] == 1
    state = checkpoints.load_newest(folder, toys.settings())
    assert state.step == 8 and checkpoints.first_not_finite(state.tensors) is None


def test_a_run_that_goes_astray_again_and_again_stops_with_a_sentence(tmp_path, monkeypatch):
    run_id = toys.a_run(tmp_path, steps=8)
    folder = tmp_path / run_id
    nan = torch.tensor(float("nan"))
    monkeypatch.setattr(worker, "MOST_SHARE", 1e9)  # saves at every step
    done = at_step(monkeypatch, 3, lambda _training: {"loss_d": nan}, times=99)
    assert worker.work(folder) == 0
    status = store.status(tmp_path, run_id)
    assert status["state"] == "failed" and "astray" in status["sentence"]
    assert len(done) == 1 + worker.MOST_ROLLBACKS
    assert worker.adopt(tmp_path) == []
    assert steps_of(folder)[0] == 2


PLACES = ("generator", "discriminator", "average", "optimizer_g", "optimizer_d", "loss_g", "loss_d")
FAULTS = [(place, value, step) for place in PLACES for value in ("nan", "inf", "-inf") for step in (2, 4, 6)][
    :60
]


def spoil(training: loop.Training, place: str, value: float) -> dict | None:
    """Puts a number that isn't finite where a fault of the machine or of the mathematics could."""
    if place.startswith("loss"):
        return {place: torch.tensor(value)}
    if place.startswith("optimizer"):
        state = next(iter(getattr(training, place).state.values()))
        tensor = state["exp_avg_sq" if value != value else "exp_avg"]
    else:
        tensor = next(iter(getattr(training, place).parameters())).data
    tensor[(0,) * tensor.dim()] = value
    return None


@pytest.mark.slow
@pytest.mark.timeout(900)  # a minute where nothing else runs
def test_60_of_60_faults_are_recovered_from(tmp_path, monkeypatch):
    recovered = []
    for place, value, step in FAULTS:
        run_id = toys.a_run(tmp_path, steps=8)
        folder = tmp_path / run_id
        with monkeypatch.context() as patched:
            done = at_step(patched, step, lambda training, p=place, v=float(value): spoil(training, p, v))
            assert worker.work(folder) == 0
        states = [checkpoints.load(path) for path in checkpoints.states(folder)]
        sound = all(checkpoints.first_not_finite(state.tensors) is None for state in states)
        run = store.read_run(folder)
        ended = (run["state"], states[0].step, run["rollbacks"]) == ("finished", 8, 1)
        recovered.append(done == [step] and sound and ended)
        assert recovered[-1], (place, value, step, run["state"], run["rollbacks"])
    assert sum(recovered) == len(FAULTS) == 60


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_short_memory_halves_what_is_held_at_once_but_not_the_batch(tmp_path, monkeypatch, error, capfd):
    run_id = toys.a_run(tmp_path, steps=6, settings=toys.settings(batch=8).to_json())
    folder = tmp_path / run_id

    def fail(_: loop.Training) -> None:
        raise error

    at_step(monkeypatch, 3, fail, times=2)
    assert worker.work(folder) == 0
    status = store.status(tmp_path, run_id)
    assert (status["state"], status["step"], status["images_seen"]) == ("finished", 6, 48)
    assert (status["settings"]["batch"], status["settings"]["accumulate"]) == (8, 4)
    happened = store.read_run(folder)["happened"]
    assert happened == "Memory was short: it takes the 8 pictures of a step in 4 parts now."
    header = checkpoints.load(checkpoints.states(folder)[0]).header
    assert json.loads(header["settings"])["accumulate"] == 4


class ShortOfMemory(TorchDispatchMode):
    """Raises an error at one of the operations done within it, forwards, backwards, or in an optimizer."""

    def __init__(self, error: Exception, at: int) -> None:
        super().__init__()
        self.error, self.left = error, at

    def __torch_dispatch__(
        self, operation: object, types: object, args: tuple = (), more: dict | None = None
    ):
        self.left -= 1
        if self.left == 0:
            raise type(self.error)(*self.error.args)  # a new one, which holds no frame of an earlier one
        return operation(*args, **(more or {}))


def short_at(
    monkeypatch: pytest.MonkeyPatch, step: int, error: Exception, operation: int, times: int = 1
) -> list[int]:
    """Memory is short `times` times, at the so-manieth operation of the step that follows `step`."""
    train, done = loop.train, []

    def short(training: loop.Training, *data: object) -> Iterator[loop.Tick]:
        ticks = train(training, *data)
        while True:
            if training.step == step and len(done) < times:
                done.append(operation)
                with ShortOfMemory(error, operation):
                    tick = next(ticks)
                yield tick
            else:
                yield next(ticks)

    monkeypatch.setattr(loop, "train", short)
    return done


def lacking(index: int) -> Exception:
    """One of the ways in which memory is short: on a graphics card, on a CPU, in Python."""
    text = "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory"
    return (torch.OutOfMemoryError("CUDA out of memory."), RuntimeError(text), MemoryError())[index % 3]


@pytest.mark.slow
def test_memory_too_short_for_two_pictures_at_once_ends_with_a_sentence(tmp_path, monkeypatch, capfd):
    run_id = toys.a_run(tmp_path, steps=6, settings=toys.settings(batch=256).to_json())
    done = short_at(monkeypatch, 0, lacking(0), 5, times=99)
    worker.work(tmp_path / run_id)
    status = store.status(tmp_path, run_id)
    assert status["state"] == "failed" and "memory" in status["sentence"]
    assert len(done) == 8 and status["settings"]["accumulate"] == 128  # the largest batch, halved seven times


def operations_of_a_step(settings: Settings) -> int:
    """How many operations one step is, both updates and the average included."""
    training = loop.begin(settings)
    pixels = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    ticks = loop.train(training, pixels)
    next(ticks)
    with (counting := ShortOfMemory(MemoryError(), 10**9)):
        next(ticks)
    return 10**9 - counting.left


def after_a_lack(folder: Path, broken: int, steps: int) -> str:
    """The digest of a training that takes its batch in two parts from the step `broken` on."""
    mine = Settings.from_json(store.read_run(folder)["settings"])
    learnt = datasets.open_block(folder / "set").learnt
    before, after = (loop.begin(dataclasses.replace(mine, accumulate=pieces)) for pieces in (1, 2))
    for tick in loop.train(before, learnt.pixels):
        if tick.step == broken - 1:
            break
    after.load(before.tensors())
    for tick in loop.train(after, learnt.pixels):
        if tick.step == steps:
            break
    (elsewhere := folder.parent / "reference").mkdir(exist_ok=True)
    header = checkpoints.make_header(after.settings, store.read_run(folder)["set"]["digest"], steps)
    path = checkpoints.save(elsewhere, steps, after.tensors(), header)
    return checkpoints.load(path).header["digest"]


INJECTED = range(50)


@pytest.mark.parametrize(
    "index", [pytest.param(i, marks=() if i % 10 == 4 else pytest.mark.slow) for i in INJECTED]
)
def test_a_step_broken_off_anywhere_for_lack_of_memory_leaves_nothing_of_itself(
    index, tmp_path, monkeypatch, capfd
):
    """50 places, evenly over both updates of a step: it ends as if the step had never been begun."""
    settings = toys.settings(batch=4)
    operation = 1 + index * (operations_of_a_step(settings) - 2) // (len(INJECTED) - 1)
    run_id = toys.a_run(tmp_path, steps=5, settings=settings.to_json())
    folder = tmp_path / run_id
    monkeypatch.setattr(worker, "MOST_SHARE", 1e9)  # saves at every step
    done = short_at(monkeypatch, 2, lacking(index), operation)
    assert worker.work(folder) == 0
    assert done == [operation]
    status = store.status(tmp_path, run_id)
    assert (status["state"], status["step"]) == ("finished", 5)
    assert (status["settings"]["batch"], status["settings"]["accumulate"]) == (4, 2)
    assert toys.final_digest(folder) == after_a_lack(folder, broken=3, steps=5)


def test_what_a_broken_off_training_held_is_let_go_before_the_next_begins(tmp_path, monkeypatch, capfd):
    held, begin = [], loop.begin
    alive: list[weakref.ref] = []

    def watched(settings: Settings, *start: object) -> loop.Training:
        held.append(sum(training() is not None for training in alive))
        alive.append(weakref.ref(training := begin(settings, *start)))
        return training

    run_id = toys.a_run(tmp_path, steps=4, settings=toys.settings(batch=8).to_json())
    short_at(monkeypatch, 1, lacking(0), 40)
    monkeypatch.setattr(loop, "begin", watched)
    assert worker.work(tmp_path / run_id) == 0
    assert held == [0, 0]


@pytest.mark.parametrize(
    "error, word",
    [
        (ImportError("No module named 'torch'"), "missing"),
        (ZeroDivisionError(), "worker.log"),
        (OSError(errno.EIO, "rotten disk"), "worker.log"),
    ],
)
def test_a_failed_start_says_why_in_a_sentence(tmp_path, monkeypatch, error, word, capfd):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(loop, "begin", fail)
    run_id = toys.a_run(tmp_path)
    assert worker.work(tmp_path / run_id) == 1
    status = store.status(tmp_path, run_id)
    assert status["state"] == "failed" and word in status["sentence"] and len(status["sentence"]) <= 160
    assert "Traceback" in capfd.readouterr().err and "Traceback" not in status["sentence"]


def fill_the_disk_at(monkeypatch: pytest.MonkeyPatch, which: int) -> list[int]:
    """Makes every write from the `which`-th on fail as on a full disk, small ones excepted once there is room
    again (the worker frees its reserve)."""
    write, count, room = files._write, [0], [0]

    def full(descriptor: int, data: bytes) -> None:
        count[0] += 1
        if count[0] >= which and not (len(data) < 4096 and room[0]):
            os.write(descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        write(descriptor, data)

    unlink = Path.unlink

    def freeing(path: Path, missing_ok: bool = False) -> None:
        if path.name == ".reserve" and path.exists():
            room[0] = worker.RESERVE_BYTES
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(files, "_write", full)
    monkeypatch.setattr(Path, "unlink", freeing)
    return count


SOME, ALL = range(1, 25, 4), range(1, 30)


@pytest.mark.parametrize("which", [pytest.param(i, marks=() if i in SOME else pytest.mark.slow) for i in ALL])
def test_a_full_disk_pauses_the_run_loses_nothing_and_is_gone_on_from(tmp_path, which, capfd):
    run_id = toys.a_run(tmp_path, steps=12)
    folder = tmp_path / run_id
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(worker, "MOST_SHARE", 1e9)  # saves at every step: many writes to fail at
        fill_the_disk_at(monkeypatch, which)
        assert worker.work(folder) == 1
        status = store.status(tmp_path, run_id)
        assert status["state"] == "paused" and "MB" in status["sentence"], status["sentence"]
        assert worker.adopt(tmp_path) == []
    for path in checkpoints.states(folder):
        assert checkpoints.load(path).step == int(path.stem[6:])
    assert all(path.stat().st_size for path in folder.glob("*.json*"))
    assert stray_files(folder) == []
    store.ask(tmp_path, run_id, "train")
    assert worker.work(folder) == 0
    assert toys.final_digest(folder) == toys.digest_after(folder, 12)


def test_a_run_that_ends_says_so_before_its_worker_is_gone(tmp_path, monkeypatch):
    run_id = toys.a_run(tmp_path)
    said, unlink = [], Path.unlink

    def looking(path: Path, missing_ok: bool = False) -> None:
        if path.name == "worker.json":
            said.append(store.read_run(tmp_path / run_id)["state"])
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", looking)
    assert worker.work(tmp_path / run_id) == 0
    assert said == ["finished"]


def test_a_run_that_dies_again_and_again_unsaved_is_given_up(tmp_path, monkeypatch):
    run_id = toys.a_run(tmp_path)
    started = []
    monkeypatch.setattr(worker.subprocess, "Popen", lambda *_args, **_more: started.append(1) or _Dead())
    for _ in range(worker.MOST_ATTEMPTS):
        assert worker.adopt(tmp_path) == [run_id]
    assert worker.adopt(tmp_path) == [] and len(started) == worker.MOST_ATTEMPTS
    status = store.status(tmp_path, run_id)
    assert status["state"] == "failed" and "several times" in status["sentence"]


class _Dead:
    """A process that has ended."""

    def poll(self) -> int:
        return 1


def test_a_large_log_keeps_its_end(tmp_path):
    log = tmp_path / "worker.log"
    log.write_bytes(b"old\n" * 500_000 + b"the last line\n")
    worker.trim_log(tmp_path)
    assert log.stat().st_size <= worker.LOG_BYTES and log.read_bytes().endswith(b"the last line\n")


# Real processes


def wait_until(true: Callable[[], object], seconds: float = 90) -> None:
    """Waits for what another process does; the time is only a limit for a test that fails."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals and process groups as on Unix")
def test_a_worker_outlives_its_server_and_saves_when_the_system_ends_it(tmp_path):
    """One story in real processes, since each costs seconds: the server is killed, the worker goes on; SIGTERM
    makes it save and leave; started again it ends bit-identical to a training never interrupted."""
    run_id = toys.a_run(tmp_path, steps=10**6, save_seconds=1e9)
    folder = tmp_path / run_id
    code = "import sys, time; from pathlib import Path; from gan_play.runs import worker\n"
    code += (
        "worker.start_worker(Path(sys.argv[1]), sys.argv[2]); print('started', flush=True); time.sleep(600)"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), run_id], cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    with server:
        assert server.stdout.readline() == b"started\n"
        server.kill()
    wait_until(lambda: store.status(tmp_path, run_id)["step"] >= 1)  # after the server's death
    process = store.worker_of(folder)
    assert process is not None and process.nice() >= worker.NICE
    assert os.getsid(process.pid) == process.pid
    worker.start_worker(tmp_path, run_id)  # a new server: it finds the worker and starts no second
    assert store.worker_of(folder) == process and worker.adopt(tmp_path) == []

    process.terminate()
    psutil.wait_procs([process], timeout=60)
    assert not process.is_running()
    status = store.status(tmp_path, run_id)
    reached = status["step"]
    assert status["state"] == "paused" and reached == steps_of(folder)[0] > 0
    assert stray_files(folder) == []

    store.ask(tmp_path, run_id, "train", steps=reached + 5)
    assert worker.adopt(tmp_path) == [run_id]
    wait_until(lambda: store.status(tmp_path, run_id)["state"] == "finished")
    assert toys.final_digest(folder) == toys.digest_after(folder, reached + 5)
    wait_until(lambda: worker._is_starting(folder) is False)
