"""kill -9 at random moments of training: nothing is lost but the last moments, and the end is the same to the bit.

The workers are forked from a process that has imported torch already, so that a start costs milliseconds; from
there on they do what `python -m gan_play.runs.worker` does.
"""

import contextlib
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest

from gan_play import files
from gan_play.runs import checkpoints, store
from tests import toys

STEPS = 60
pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9 and fork as on Unix")


def live(folder: Path) -> None:
    """A worker's life in a forked process; it saves far more often than it would, to be killed while it does."""
    from gan_play.runs import worker

    os.setsid()
    worker.MOST_SHARE, worker.GRID_SECONDS, worker.FIRST_GRID_SECONDS, worker.STATS_SECONDS = (
        0.5,
        0.3,
        0.1,
        0.05,
    )
    raise SystemExit(worker.work(folder))


def is_writing(folder: Path) -> bool:
    """Whether a file is half-written at this moment."""
    with contextlib.suppress(OSError):
        return any(name.endswith(".tmp") for name in os.listdir(folder))
    return False


def kill_at_random(process: multiprocessing.process.BaseProcess, folder: Path, choice: random.Random) -> bool:
    """Kills a worker: three times in four at a save, else at any moment. Whether it still lived."""
    aim_at_a_save = choice.random() < 0.75
    earliest = time.monotonic() + choice.uniform(0.0, 1.5)
    while process.is_alive() and time.monotonic() < earliest:
        process.join(0.002)
    if aim_at_a_save:
        while process.is_alive() and not is_writing(folder):
            pass  # a save takes milliseconds: no time to sleep
        until = time.monotonic() + choice.choice((0.0, 0.001, 0.003, 0.01))
        while time.monotonic() < until:
            pass
    lived = process.is_alive()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.join()
    return lived


def survive(home: Path, kills: int, seed: int) -> dict[str, int]:
    """Trains to the end through `kills` kills, checking the folder after each; returns what was met."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["gan_play.runs.worker", "gan_play.runs.checkpoints", "gan_play.pictures.images"]
    )
    run_id = toys.a_run(home, steps=STEPS)
    folder, choice = home / run_id, random.Random(seed)
    met = {"kills": 0, "half-written files": 0, "steps lost": 0}
    while met["kills"] < kills:
        process = context.Process(target=live, args=(folder,))
        process.start()
        reached = kill_at_random(process, folder, choice)
        states = checkpoints.states(folder)
        for path in states:  # after every kill, whatever stands under a state's name is a whole state
            assert checkpoints.load(path).step == int(path.stem[6:])
        assert store.list_runs(home)[0].state in ("queued", "interrupted", "finished")
        if reached:
            met["kills"] += 1
            met["half-written files"] += len(list(folder.glob(".*.tmp")))
            step = store.status(home, run_id)["step"]
            met["steps lost"] = max(met["steps lost"], step - (int(states[0].stem[6:]) if states else 0))
        if store.status(home, run_id)["state"] == "finished":  # train on, to be killed on
            store.ask(home, run_id, "train", steps=store.status(home, run_id)["step"] + STEPS)
    target = store.status(home, run_id)["steps"]
    process = context.Process(target=live, args=(folder,))
    process.start()
    process.join()
    assert process.exitcode == 0
    status = store.status(home, run_id)
    assert (status["state"], status["step"]) == ("finished", target)
    assert toys.final_digest(folder) == toys.digest_after(folder, target)
    left = [path.name for path in folder.rglob("*") if ".tmp" in path.name or path.name == "worker.json"]
    assert left == []
    steps = [line["step"] for line in files.read_lines_json(folder / "stats.jsonl")]
    assert steps == sorted(steps)
    return met


def test_three_kills_at_random_moments_end_bit_identical(tmp_path):
    assert survive(tmp_path, kills=3, seed=1)["kills"] == 3


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_twenty_trainings_killed_again_and_again_all_end_bit_identical(tmp_path):
    """Twenty runs, each killed twice: 40 kills, three in four of them aimed at a save."""
    met = {"kills": 0, "half-written files": 0}
    for seed in range(20):
        home = tmp_path / str(seed)
        home.mkdir()
        for name, count in survive(home, kills=2, seed=seed).items():
            met[name] = met.get(name, 0) + count
    assert met["kills"] == 40
    assert met["half-written files"] >= 5, f"the kills missed the saves: {met}"
    print(met)
