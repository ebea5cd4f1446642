"""kill -9 at random moments of training: nothing is lost but the last moments, and the end is the same to the bit.

Three kills in four fall within a save: at a random one of its system calls (create, half of a write, sync,
rename), the process kills itself. The others come from outside, at any time. The workers are forked from a
process that has imported torch already, so that a start costs milliseconds; from there on they do what
`python -m gan_play.runs.worker` does.
"""

import contextlib
import multiprocessing
import os
import random
import signal
from pathlib import Path

import pytest

from gan_play import files
from gan_play.runs import checkpoints, store
from gan_play.trainers.recipes import RECIPES
from tests import toys

STEPS = 24  # for each life of a worker, so that there is always something left to be killed at
MOST_CALLS = 120  # about as many as there are in one life
PRIMITIVES = ("_create", "_write", "_sync", "_replace", "_sync_folder")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9 and fork as on Unix")


def live(folder: Path, die_at_call: int | None) -> None:
    """A worker's life, in a forked process. It saves at nearly every step, and may kill itself while it writes."""
    from gan_play.runs import worker

    os.setsid()
    worker.MOST_SHARE = 1.0  # save and paint far more often than a real run
    worker.GRID_SECONDS, worker.FIRST_GRID_SECONDS, worker.STATS_SECONDS = 0.3, 0.1, 0.05
    calls = [0]

    def or_die(primitive):
        def called(*arguments):
            calls[0] += 1
            if calls[0] == die_at_call:
                if primitive.__name__ == "_write":
                    descriptor, data = arguments
                    os.write(descriptor, data[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return primitive(*arguments)

        return called

    for name in PRIMITIVES:
        setattr(files, name, or_die(getattr(files, name)))
    raise SystemExit(worker.work(folder))


def end_one_life(context, folder: Path, choice: random.Random) -> bool:
    """Lets a worker live until it is killed. Whether it was, before it had reached its end by itself."""
    within_a_save = choice.random() < 0.75
    call, seconds = choice.randrange(1, MOST_CALLS), choice.uniform(0.1, 2.0)
    process = context.Process(target=live, args=(folder, call if within_a_save else None))
    process.start()
    process.join(None if within_a_save else seconds)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def train_through_kills(home: Path, kills: int, seed: int, recipe: str = "dcgan") -> dict[str, int]:
    """Trains a run to its end through `kills` kills, looking at the folder after each; returns what was met."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gan_play.runs.checkpoints", "gan_play.pictures.images", "tests.toys"])
    run_id = toys.a_run(home, steps=STEPS, recipe=recipe)
    folder, choice = home / run_id, random.Random(seed)
    met = {"kills": 0, "half-written files": 0}
    while met["kills"] < kills:
        killed = end_one_life(context, folder, choice)
        for path in checkpoints.states(folder):  # whatever bears a state's name is a whole state
            assert checkpoints.load(path).step == int(path.stem[6:])
        status = store.status(home, run_id)
        assert status["state"] in ("queued", "interrupted", "finished")
        if killed:
            met["kills"] += 1
            met["half-written files"] += len(list(folder.rglob(".*.tmp*")))
        if status["state"] == "finished":
            store.ask(home, run_id, "train", steps=status["step"] + STEPS)
    target = store.status(home, run_id)["steps"]
    process = context.Process(target=live, args=(folder, None))
    process.start()
    process.join()
    assert process.exitcode == 0
    status = store.status(home, run_id)
    assert (status["state"], status["step"]) == ("finished", target)
    assert toys.final_digest(folder) == toys.digest_after(folder, target)
    assert [
        path.name for path in folder.rglob("*") if ".tmp" in path.name or path.name == "worker.json"
    ] == []
    steps = [line["step"] for line in files.read_lines_json(folder / "stats.jsonl")]
    assert steps == sorted(steps)
    return met


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_three_kills_at_random_moments_end_bit_identical(tmp_path):
    assert train_through_kills(tmp_path, kills=3, seed=1)["kills"] == 3


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_of_twenty_killed_runs_end_bit_identical(tmp_path):
    """Twenty runs, each killed once or more: 40 kills in all."""
    met = {"kills": 0, "half-written files": 0}
    for seed in range(20):
        home = tmp_path / str(seed)
        home.mkdir()
        for name, count in train_through_kills(home, kills=2, seed=seed).items():
            met[name] += count
    assert met["kills"] == 40
    assert met["half-written files"] >= 5, f"the kills missed the saves: {met}"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("recipe", RECIPES)
def test_five_kills_in_each_recipe_end_bit_identical(tmp_path, recipe):
    assert train_through_kills(tmp_path, kills=5, seed=7, recipe=recipe)["kills"] == 5
