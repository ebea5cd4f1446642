"""What several tests share: one small run, really trained through the command line, made once a session."""

from pathlib import Path

import pytest

from gan_play import cli


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home and the id of a finished run in it: two steps of the classic recipe at 32 px. Not to be changed."""
    home = tmp_path_factory.mktemp("home")
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
    assert cli.main(["train", "example:sunsets", *options, "--home", str(home)]) == 0
    (run_id,) = (path.parent.name for path in home.glob("*/run.json"))
    return home, run_id
