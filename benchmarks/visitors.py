"""Many visitors at once: each asks the page's server for pictures by HTTP, one at a time, while a run trains.

python -m benchmarks.visitors --visitors 100 --seconds 60 --every 10
python -m benchmarks.visitors --burst              all of them at the same moment, once
python -m benchmarks.visitors --api                as programs do, through Gradio's queue
python -m benchmarks.visitors --ahead              after each picture the next page is painted ahead, as on the page

On the page a grid's pictures come by their codes from a route of their own, past Gradio's queue: so do these.

A visitor asks for a picture that nobody asked for yet, fetches it, looks at it for about `--every` seconds, and asks
for the next. Counted is the time from the request to the last byte of the PNG.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from benchmarks import machine
from gan_play import files
from gan_play.latent import sample
from gan_play.pictures import examples
from gan_play.runs import store
from gan_play.share import artwork as artworks
from gan_play.share.artwork import Artwork
from gan_play.ui import at_once

MODEL = "starter-64"
PATIENCE_S = 120


def ask(address: str, seed: int) -> int:
    """Asks for one seed's picture as the page's grids do; the bytes of its PNG. OSError where that fails."""
    code = artworks.encode(Artwork("sample", sample.load(files.SHIPPED, MODEL).digest, (seed,)))
    with urllib.request.urlopen(f"{address}gradio_api/art/{code}.png", timeout=PATIENCE_S) as answer:
        return len(checked(answer.read()))


def checked(data: bytes) -> bytes:
    """The PNG that was asked for. ValueError where it is none."""
    if not data.startswith(b"\x89PNG"):
        raise ValueError("no PNG")
    return data


def ask_ahead(address: str, seed: int, until: float) -> bool:
    """Asks for a page of 36 ahead of a hand, 0.7 s after a picture came and as often again as the page does until then;
    whether the server gave it, rather than paint for who waits. OSError where that fails."""
    digest, later = sample.load(files.SHIPPED, MODEL).digest, at_once.CALM_MS / 1000
    asked = {"turns": "next", "digest": digest, "first": seed - seed % 36, "truncation": 0.7, "ahead": 1}
    while later < at_once.LONGEST_MS / 1000 and time.monotonic() + later < until:
        time.sleep(later)
        url = f"{address}gradio_api/seeds?{urlencode(asked)}"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            if answer.status == 200:
                return True
        later *= 2
    return False


def ask_by_api(address: str, seed: int) -> int:
    """Asks for one seed's picture as programs do; the bytes of its PNG. OSError, ValueError where that fails."""
    body = json.dumps({"data": [MODEL, str(seed), 0.7, ""]}).encode()
    headers = {"Content-Type": "application/json"}
    called = urllib.request.Request(f"{address}gradio_api/call/sample", body, headers)
    with urllib.request.urlopen(called, timeout=PATIENCE_S) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}gradio_api/call/sample/{event}", timeout=PATIENCE_S) as answer:
        lines = answer.read().decode().splitlines()
    if "event: complete" not in lines:
        raise ValueError(" ".join(lines)[-200:])
    data = lines[lines.index("event: complete") + 1].removeprefix("data: ")
    (picture,) = json.loads(data)[0]
    with urllib.request.urlopen(f"{address}gradio_api/file={picture['path']}", timeout=PATIENCE_S) as answer:
        return len(checked(answer.read()))


def visit(address: str, number: int, given: argparse.Namespace, until: float, told: list) -> None:
    """One visitor's stay: (seconds, error) of each request for a picture go to the list, and to `given.pages` whether
    each page was painted ahead."""
    choice = random.Random(number)
    if not given.burst:
        time.sleep(choice.uniform(0, given.every))
    asked = 0
    while not asked or (not given.burst and time.monotonic() < until):
        asked += 1
        began, error = time.monotonic(), ""
        try:
            given.ask(address, 1_000_000 * number + given.first + asked)
        except (HTTPError, URLError, OSError, ValueError, KeyError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        told.append((time.monotonic() - began, error))
        if given.burst:
            continue
        until_next = time.monotonic() + choice.uniform(0.5, 1.5) * given.every
        if given.ahead:
            page = 1_000_000 * number + 500_000 + 20 * given.first + 36 * asked
            given.pages.append(ask_ahead(address, page, until_next))
        time.sleep(max(0.0, until_next - time.monotonic()))


def share_of(values: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visitors", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=10, help="seconds that a visitor looks at a picture")
    parser.add_argument("--burst", action="store_true", help="one picture each, all at the same moment")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--api", action="store_const", const=ask_by_api, default=ask, dest="ask", help="as programs do"
    )
    parser.add_argument("--ahead", action="store_true", help="the next page is painted ahead")
    parser.add_argument("--idle", action="store_true", help="no run trains meanwhile")
    given = parser.parse_args()
    print(machine.title(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), machine.free_port()
        taken = examples.take_in_example("sunsets", home, count=60)
        if not given.idle:
            run = store.create_run(
                home, set_folder=taken.folder, recipe="projected", size_px=64, seed=0, minutes=60, name="Busy"
            )
        address = f"http://127.0.0.1:{port}/"
        server = subprocess.Popen(
            [sys.executable, "app.py", "--home", folder, "--port", str(port)],
            env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
        )
        try:
            waited = time.monotonic() + 300
            while True:
                try:
                    given.ask(address, 0)
                    if given.idle or store.status(home, run)["state"] in ("preparing", "training"):
                        break
                except (URLError, OSError):
                    pass
                if time.monotonic() > waited:
                    raise TimeoutError("the page or the run didn't start")
                time.sleep(0.5)
            print("requests | failed | a second | p50 s | p95 s | longest s | steps of the run meanwhile")
            for repeat in range(given.repeats):
                given.first, told, given.pages = 1000 * repeat, [], []
                before = 0 if given.idle else store.status(home, run)["step"]
                began = time.monotonic()
                visitors = [
                    threading.Thread(target=visit, args=(address, n, given, began + given.seconds, told))
                    for n in range(given.visitors)
                ]
                for one in visitors:
                    one.start()
                for one in visitors:
                    one.join()
                took = time.monotonic() - began
                after = 0 if given.idle else store.status(home, run)["step"]
                seconds, failed = [s for s, _ in told], [error for _, error in told if error]
                cells = (share_of(seconds, 0.5), share_of(seconds, 0.95), max(seconds))
                said = " | ".join(f"{number:.2f}" for number in cells)
                print(
                    f"{len(told)} | {len(failed)} | {len(told) / took:.1f} | {said} | {after - before}",
                    *sorted(set(failed))[:3],
                    sep="\n  " if failed else "",
                    flush=True,
                )
                if given.ahead:
                    print(f"  {sum(given.pages)} of {len(given.pages)} pages were painted ahead", flush=True)
        finally:
            if not given.idle:
                store.ask(home, run, "stop")
                stopped = time.monotonic() + 30
                while store.worker_of(home / run) is not None and time.monotonic() < stopped:
                    time.sleep(0.2)
                if (left := store.worker_of(home / run)) is not None:
                    left.kill()
            server.terminate()
            server.wait(30)


if __name__ == "__main__":
    main()
