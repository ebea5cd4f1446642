"""The test runner finds a browser, hands its arguments on, and is honest about what didn't run."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`tests/run.py`, that starts no process: what it would have started is in `runner.commands`."""
    spec = importlib.util.spec_from_file_location("run", ROOT / "tests" / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.commands = []

    def instead(command: list[str], **_options: object) -> subprocess.CompletedProcess:
        module.commands.append(command)
        return subprocess.CompletedProcess(command, 0, stdout="", stderr="")

    monkeypatch.setattr(module.subprocess, "run", instead)
    for name in ("GAN_PLAY_CHROMIUM", "GRADIO_ANALYTICS_ENABLED", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "")  # what the runner sets is taken back after the test
    return module


def test_slow_tests_are_left_out_unless_asked_for(runner: ModuleType) -> None:
    runner.chromium = lambda: sys.executable
    assert runner.main([]) == 0
    assert runner.main(["-m", "slow", "-k", "kill"]) == 0
    pytest_itself = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal"]
    assert runner.commands == [
        [*pytest_itself, "-m", "not slow"],
        [*pytest_itself, "-m", "slow", "-k", "kill"],
    ]


def test_without_a_browser_the_other_tests_run_and_the_status_says_so(
    runner: ModuleType, capsys: pytest.CaptureFixture
) -> None:
    runner.chromium = lambda: None
    assert runner.main(["-x"]) == 1
    assert "--ignore=tests/browser" in runner.commands[-1]
    assert "did NOT run" in capsys.readouterr().err


def test_a_browser_that_is_named_is_taken_or_nothing_is(
    runner: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_PLAY_CHROMIUM", sys.executable)  # anything that starts and says its version
    assert runner.chromium() == sys.executable
    monkeypatch.setenv("GAN_PLAY_CHROMIUM", "/nowhere/chromium")
    assert runner.chromium() is None


def test_the_system_comes_first_then_playwright_then_a_download_then_debian(
    runner: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.of_system = runner.of_playwright = lambda: None
    monkeypatch.setattr(runner.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(runner.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("DEBIAN_FRONTEND", "")
    assert runner.chromium() is None
    assert [command[-2:] for command in runner.commands] == [
        ["install", "chromium"],
        ["update", "-q"],
        ["--no-install-recommends", "chromium"],
    ]
    runner.commands.clear()
    runner.of_playwright = lambda: "/home/me/chrome"
    assert runner.chromium() == "/home/me/chrome"
    runner.of_system = lambda: "/usr/bin/chromium"
    assert runner.chromium() == "/usr/bin/chromium"
    assert runner.commands == []
