"""Run the tests: find or fetch a Chromium for the ones that open the page, then hand over to pytest.

    python tests/run.py                       every test that isn't marked slow
    python tests/run.py -m slow               the slow ones
    python tests/run.py tests/test_cli.py -k help    arguments go through to pytest
    python tests/run.py -n 0                  one after the other, in one process

Promises: needs nothing but the standard library to start; installs no Python package. A Chromium is the one
named by GAN_PLAY_CHROMIUM, else the system's, else Playwright's own download, else (as root on Debian or
Ubuntu) the system's package. Where none can be had, the other tests still run, and the exit status says 1.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
ASK_PLAYWRIGHT = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
)
DOWNLOAD_S = 900  # a browser is about 150 MB
AT_ONCE = 2
"""Processes that share the tests, each with one thread for sums: on two cores the fast ones take 11 minutes, not 19."""


def quietly(command: list[str], timeout_s: int) -> str | None:
    """What a command printed, or None where it fails, hangs or isn't there."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def aloud(command: list[str]) -> bool:
    """Run a command whose output is worth seeing (a download, an installation); True where it worked."""
    print("+", " ".join(command), file=sys.stderr, flush=True)
    try:
        return subprocess.run(command, timeout=DOWNLOAD_S, stdin=subprocess.DEVNULL).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def starts(path: str | None) -> bool:
    """Whether this browser starts (Ubuntu's `chromium-browser` may be only a signpost to a snap)."""
    return bool(path) and os.path.isfile(path) and quietly([path, "--version"], 30) is not None


def of_system() -> str | None:
    """The first installed Chromium or Chrome that starts."""
    found = [shutil.which(name) for name in NAMES] + list(APPLICATIONS)
    return next((path for path in found if starts(path)), None)


def of_playwright() -> str | None:
    """Playwright's own Chromium, where it was downloaded and its libraries are there."""
    path = quietly([sys.executable, "-c", ASK_PLAYWRIGHT], 60)
    return path if starts(path) else None


def chromium() -> str | None:
    """The path of a Chromium that starts; fetches one where there is none."""
    named = os.environ.get("GAN_PLAY_CHROMIUM")
    if named:
        return named if starts(named) else None
    path = of_system() or of_playwright()
    if not path and aloud([sys.executable, "-m", "playwright", "install", "chromium"]):
        path = of_playwright()
    if not path and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        aloud(["apt-get", "update", "-q"])
        if aloud(["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"]):
            path = of_system()
    return path


def main(arguments: list[str]) -> int:
    """Run pytest in this checkout and return its exit status, or 1 where no browser could be had."""
    path = chromium()
    os.chdir(ROOT)
    # Who starts this in the background may have Ctrl-C ignored, for all children too; there is a test of Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # tests talk to nobody but this machine
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    command = [sys.executable, "-m", "pytest", "-n", str(AT_ONCE), "--dist", "worksteal"]
    if not any(argument == "-m" or argument.startswith("-m=") for argument in arguments):
        command += ["-m", "not slow"]
    if path:
        os.environ["GAN_PLAY_CHROMIUM"] = path
        print(f"Chromium: {path}", file=sys.stderr, flush=True)
    else:
        command += ["--ignore=tests/browser"]
    status = subprocess.run(command + arguments).returncode
    if path is None:
        print(
            "No Chromium: the tests that open the page did NOT run. Install one or set GAN_PLAY_CHROMIUM.",
            file=sys.stderr,
        )
    return status or (path is None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
