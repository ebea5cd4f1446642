"""How long it takes from `python app.py` to a page that answers, and what the server takes at rest.

    python -m benchmarks.start
    python -m benchmarks.start --repeats 9

A page answers once the whole of it has come. The server has a home of its own, with nothing in it but what is shipped;
memory is what stays resident ten seconds after, of the server and its children. `--help` is the command line's.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from benchmarks import machine

ROOT = Path(__file__).resolve().parent.parent
RESTS_S = 10


def served(home: str) -> tuple[float, float]:
    """(seconds until the page came, bytes of memory at rest) of one start."""
    port, began = machine.free_port(), time.perf_counter()
    command = [sys.executable, "app.py", "--home", home, "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
                    page.read()
                    break
            except (urllib.error.URLError, ConnectionError):
                if server.poll() is not None:
                    raise SystemExit(f"The server ended with {server.returncode}.") from None
                time.sleep(0.02)
        taken = time.perf_counter() - began
        time.sleep(RESTS_S)
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        return taken, sum(one.memory_info().rss for one in family)
    finally:
        server.terminate()
        server.wait(60)


def helped() -> float:
    """Seconds that `python -m gan_play --help` takes."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "gan_play", "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    print(f"{machine.title()}\n")
    with tempfile.TemporaryDirectory() as home:
        starts = [served(home) for _ in range(given.repeats)]
    figures = {
        "to a page that answers, s": [seconds for seconds, _ in starts],
        "memory at rest, MB": [taken / 1e6 for _, taken in starts],
        "`--help`, s": [helped() for _ in range(given.repeats)],
    }
    print(f"| {given.repeats} times | median | least | most |\n|---|---|---|---|")
    for name, found in figures.items():
        print(f"| {name} | {statistics.median(found):.2f} | {min(found):.2f} | {max(found):.2f} |")


if __name__ == "__main__":
    main()
