"""The server: flags, launch, and taking up runs that a crash left behind.

Loopback and unshared by default. `--public`, and being a Hugging Face Space, mean that strangers may open the page:
then a run obeys only the browser that started it.
"""

import argparse
import gc
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault(
    "GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000"
)  # before gradio: halves a queued event's CPU

import gradio as gr
from starlette.middleware import Middleware

from gan_play import files, limits
from gan_play.refusals import Refused, refuse
from gan_play.runs import worker
from gan_play.ui import at_once, bakeoff, look, page, routes, share_routes, sliders, streams, tiles, timeline

ADOPT_SECONDS = 5
LOOKS_S = 0.01
"""How often Gradio's queue looks for events: with its own 1 ms an idle page takes 6.4% of a core, with this 1.6%."""
WILDCARDS = {"0.0.0.0", "::"}


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags of app.py."""
    parser = argparse.ArgumentParser(prog="app.py", description="Open GAN Play in the browser.")
    parser.add_argument("--host", default=None, help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=None, help="port (default: the first free one from 7860)")
    parser.add_argument(
        "--share", action="store_true", help="also make a public link through Gradio's tunnel"
    )
    parser.add_argument(
        "--home", default=None, help="folder of runs (default: GAN_PLAY_HOME, else checkpoints/)"
    )
    parser.add_argument(
        "--public", action="store_true", help="strangers may come: runs obey only who started them"
    )
    return parser.parse_args(argv)


def names(host: str | None, share: bool) -> frozenset[str]:
    """The names under which this server may be called, beside loopback."""
    given = os.environ.get("GAN_PLAY_HOSTS", "").split(",") + os.environ.get("SPACE_HOST", "").split(",")
    own = {name.strip().lower() for name in given if name.strip()}
    if host in WILDCARDS:
        own.add(socket.gethostname().lower())
    elif host:
        own.add(host.lower())
    if share:
        own.add("*.gradio.live")
    return frozenset(own)


def check_port(host: str | None, port: int | None) -> None:
    """Refused where somebody else listens on the port, or it is none; told now, not when the page is built."""
    if port is None:
        return
    try:
        with socket.create_server((host or "127.0.0.1", port)):
            pass
    except (OSError, OverflowError):
        raise Refused(refuse("port", str(port))) from None


def keep_adopting(home: Path, blocks: gr.Blocks) -> None:
    """Take up runs whose worker died, and those that wait, now and every few seconds until the page is closed.

    For a thread of its own.
    """
    while blocks.is_running:
        try:
            worker.adopt(home)
        except OSError as error:  # a home that can't be read now may be readable again soon
            print(f"The runs can't be looked after: {error.strerror}.", file=sys.stderr)
        time.sleep(ADOPT_SECONDS)


def launch(
    home: str | None = None,
    host: str | None = None,
    port: int | None = None,
    share: bool = False,
    public: bool = False,
    wait: bool = True,
) -> tuple[gr.Blocks, str]:
    """Open the page; returns the Blocks and the local address, at once where not `wait`. Refused: no such home."""
    on_space = bool(os.environ.get("SPACE_ID"))
    host = host or os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if on_space else None)
    check_port(host, port)
    folder = files.home(home)
    strangers = bool(public or share or on_space)
    blocks = page.make(folder, public=strangers)
    # By the names of Gradio's own queue: `queue()` would make another, and another server around it.
    blocks._queue.max_size = limits.MOST_QUEUED
    blocks._queue.sleep_when_free = LOOKS_S
    streams.send_whole()
    door = Middleware(routes.Door, names=names(host, share), addresses=host not in (None, *routes.LOOPBACK))
    settings = dict(
        server_name=host,
        server_port=port,
        share=share,
        quiet=not wait,
        prevent_thread_lock=True,
        ssr_mode=False,
        run_history=False,
        show_error=False,
        max_file_size="2gb",
        state_session_capacity=1000,
        footer_links=["api", "settings"],
        theme=look.THEME,
        css=look.CSS,
        head=look.HEAD + tiles.STYLE + timeline.STYLE,
        app_kwargs={
            "routes": [
                *routes.routes(folder, strangers),
                *sliders.address_routes(folder),
                *at_once.address_routes(folder),
                *share_routes.routes(folder),
                *bakeoff.routes(folder),
            ],
            "middleware": [door, Middleware(streams.Closing)],
            "openapi_url": None,
        },
        _frontend=False,  # else it asks itself for the page, and gives up where a busy computer takes over 3 s
    )
    try:
        _, address, _ = blocks.launch(**settings)
    except OSError as error:  # Gradio's only one: no free port
        raise Refused(refuse("port", str(port or "7860 to 7959"))) from error
    threading.Thread(target=keep_adopting, args=(folder, blocks), daemon=True).start()
    gc.enable()  # app.py puts it off until here
    if wait:
        blocks.block_thread()
    return blocks, address


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server until Ctrl-C; 2 where it can't start, with a sentence."""
    flags = arguments(argv)
    try:
        launch(flags.home, flags.host, flags.port, flags.share, flags.public)
    except Refused as refused:
        print(refused.refusal.sentence, file=sys.stderr)
        return 2
    return 0
