"""What several tests share: one small run, really trained through the command line, made once a session."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gan_play import cli
from gan_play.pictures import examples, images

PICTURES = 40
"""Of the run that several tests share."""


@pytest.fixture(scope="module", autouse=True)
def no_worker_outlives_its_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Workers are made to outlive who started them: those of a module's tests are ended with it."""
    yield
    ours = str(tmp_path_factory.getbasetemp())
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "gan_play.runs.worker" in command and command[-1].startswith(ours):
            process.kill()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home and the id of a finished run in it: two steps of the classic recipe at 32 px. Not to be changed.

    Of few pictures, since each is drawn, hashed, cut, and looked at by the scores.
    """
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("pictures")
    for seed in range(PICTURES):
        (folder / f"{seed}.png").write_bytes(images.encode(examples.draw("sunsets", seed, 32), "png"))
    options = [
        "--recipe",
        "dcgan",
        "--size",
        "32",
        "--steps",
        "2",
        "--device",
        "cpu",
        "--name",
        "Little sunsets",
    ]
    assert cli.main(["train", str(folder), *options, "--home", str(home)]) == 0
    (run_id,) = (path.parent.name for path in home.glob("*/run.json"))
    return home, run_id
