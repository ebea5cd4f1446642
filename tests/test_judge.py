"""The last look at a run of a bake-off: alike for all, once, not counted as training, and never in the way."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gan_play import files
from gan_play.pictures import datasets
from gan_play.runs import checkup, judge, store, worker
from gan_play.trainers import loop
from tests import toys


@pytest.fixture(autouse=True)
def this_process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker sets signal handlers and threads for its whole process. Few paintings are enough here."""
    monkeypatch.setattr(judge, "PICTURES", 24)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_run_of_a_bakeoff_is_judged_when_it_ends_and_others_are_not(tmp_path: Path) -> None:
    folder, other = (
        tmp_path / toys.a_run(tmp_path, 2, bakeoff="one-abc234"),
        tmp_path / toys.a_run(tmp_path, 2),
    )
    assert worker.work(folder) == worker.work(other) == 0
    found = judge.final(folder)
    assert (found["step"], found["paintings"], found["reals"]) == (2, 24, 12)
    assert found["kid_low"] < found["kid"] < found["kid_high"]
    assert 0 <= found["copy_rate"] <= 1 and "24 paintings looked at" in found["copy"]
    run = store.read_run(folder)
    assert (run["state"], run["sentence"]) == ("finished", "")
    assert judge.final(other) is None
    assert toys.final_digest(folder) == toys.final_digest(other)  # looking changes nothing


def test_it_is_judged_once_even_if_it_is_trained_on(tmp_path: Path) -> None:
    run_id = toys.a_run(tmp_path, 2, bakeoff="one-abc234")
    assert worker.work(tmp_path / run_id) == 0
    found = judge.final(tmp_path / run_id)
    store.ask(tmp_path, run_id, "train", steps=4)
    assert worker.work(tmp_path / run_id) == 0
    assert store.status(tmp_path, run_id)["step"] == 4
    assert judge.final(tmp_path / run_id) == found


def test_scoring_is_not_counted_as_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> Iterator[None]:
        for _piece in range(4):
            time.sleep(0.5)
            yield None

    monkeypatch.setattr(judge, "judging", slow)
    folders = [tmp_path / toys.a_run(tmp_path, 2, **more) for more in ({}, {"bakeoff": "one-abc234"})]
    began = time.monotonic()
    assert worker.work(folders[1]) == 0
    took = time.monotonic() - began
    assert took > 2
    assert store.last_stats(folders[1])["seconds"] <= took - 1.9


def test_who_asks_for_a_pause_meanwhile_is_heard_and_it_is_judged_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = toys.a_run(tmp_path, 2, bakeoff="one-abc234")
    really = judge.judging

    def paused(*given: object) -> Iterator[None]:
        store.ask(tmp_path, run_id, "pause")
        yield from really(*given)

    monkeypatch.setattr(judge, "judging", paused)
    assert worker.work(tmp_path / run_id) == 0
    assert store.read_run(tmp_path / run_id)["state"] == "paused"
    assert judge.final(tmp_path / run_id) is None
    monkeypatch.setattr(judge, "judging", really)
    store.ask(tmp_path, run_id, "train")
    assert worker.work(tmp_path / run_id) == 0
    assert store.read_run(tmp_path / run_id)["state"] == "finished"
    assert judge.final(tmp_path / run_id)["step"] == 2


def test_a_last_look_that_fails_leaves_the_run_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    def broken(*_: object) -> Iterator[None]:
        yield None
        raise ValueError("a bug")

    monkeypatch.setattr(judge, "judging", broken)
    folder = tmp_path / toys.a_run(tmp_path, 2, bakeoff="one-abc234")
    assert worker.work(folder) == 0
    assert store.read_run(folder)["state"] == "finished"
    assert judge.final(folder) is None
    assert "a bug" in capfd.readouterr().err


def judged(folder: Path, others: tuple[Path, ...] = (), recipe: str = "dcgan") -> dict:
    """What the last look finds of a training that hasn't begun."""
    training = loop.begin(toys.smallest(recipe))
    for _ in judge.judging(folder, training, datasets.open_block(folder / "set"), 7.5, others):
        pass
    return judge.final(folder)


def test_runs_on_the_same_pictures_share_the_search_for_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (tmp_path / toys.a_run(tmp_path) for _ in range(2))
    once = judged(first)
    monkeypatch.setattr(judge, "MOST_INDEXED", 0)  # it would not be made here
    assert judged(second, (second, first)) == once
    assert (second / "set" / checkup.INDEX_FILE).is_file()
    third = tmp_path / toys.a_run(tmp_path)
    assert judged(third) == once | {"copy_rate": None, "copy": None}


def test_a_labelled_run_paints_its_labels_as_often_as_the_set_has_them(tmp_path: Path) -> None:
    folder = tmp_path / toys.a_run(tmp_path, recipe="cgan")
    assert judged(folder, recipe="cgan")["paintings"] == 24


@pytest.mark.parametrize(
    "noted",
    ["{", "[]", "{}", '{"step": 1, "seconds": 2, "kid": "0", "kid_low": 0, "kid_high": 0}', '{"kid": null}'],
)
def test_a_damaged_file_is_no_score(tmp_path: Path, noted: str) -> None:
    files.write_atomically(tmp_path / judge.FILE, noted.encode())
    assert judge.final(tmp_path) is None
