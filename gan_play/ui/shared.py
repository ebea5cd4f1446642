"""What the tabs of the page share: the hidden page state, and how a refusal is told.

The textboxes are mounted but hidden, so that their `.change` events work; values that the server sets arrive there
like typed ones. Everything in them came through a browser, so it is checked again wherever it is used.
"""

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from gan_play import files
from gan_play.refusals import Refused, refuse
from gan_play.runs import store
from gan_play.share import artwork as artworks
from gan_play.share.gallery import owner_of

PRIVATE = {"api_visibility": "private"}
"""For every event of the page: programs use the endpoints of `ui/api.py`."""

QUIET = {**PRIVATE, "queue": False, "show_progress": "hidden"}
"""For what only reads and answers within milliseconds."""

STARTER = "starter-64"
"""The model that is in hand, and begun from, when nobody has chosen one."""

LIVE = {"queued", "preparing", "training"}
"""States of a run that is on its way."""

MOST_WAITING = 20
"""Runs on their way where strangers may come."""


@dataclass(frozen=True)
class Shared:
    """What `page.make` hands to each tab's `build`."""

    home: Path
    public: bool  # strangers may open the page: a run obeys only the browser that started it
    tabs: gr.Tabs  # as an output: gr.Tabs(selected="gather" | "train" | "play" | "transform" | "gallery")
    run: gr.Textbox  # id of the run being watched
    model: gr.Textbox  # id of the run whose model is in hand
    tray: gr.Textbox  # the picked pictures: a JSON list of seeds, or of pairs of seed and label
    art: gr.Textbox  # the share code of an opened link
    made: gr.Textbox  # the share code of what Play shows
    picked: gr.Textbox  # a tile clicked in a training grid: JSON {"run", "step", "seed", "label", "at"}
    chosen: gr.Textbox  # the set in hand: JSON {"set", "how", "background", "name"}
    owner: gr.Textbox  # this browser's owner key, where the scripts that ask by themselves can read it
    translated: gr.Textbox  # the share code of a translated picture that was opened, or that Transform shows
    brought: gr.Textbox  # where a painting lies that Transform sends to Play's "Your picture"
    go: gr.Button  # "Train on these": stands in Gather, is wired by Train
    busy: gr.HTML  # under that button: what it is doing, or why not
    train_tab: gr.Tab  # for what happens when Train is opened
    transform_tab: gr.Tab  # likewise Transform
    key: gr.BrowserState  # this browser's owner key; "" until the page has loaded
    kept: gr.BrowserState  # what survives a reload: {"run", "model", "tray", "chosen"}


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn a refusal into a message on the page: one sentence, no traceback."""
    try:
        yield
    except Refused as refused:
        raise gr.Error(refused.refusal.sentence, print_exception=False) from None


def showing(shared: Shared, code: str) -> dict:
    """Updates that open an artwork in its tool: what was translated under Transform, all else under Play."""
    if artworks.decode(code).task == "translate":
        return {shared.translated: gr.update(value=code), shared.tabs: gr.Tabs(selected="transform")}
    return {shared.art: gr.update(value=code), shared.tabs: gr.Tabs(selected="play")}


def is_run(home: Path, run: object) -> bool:
    """Whether `run`, which came from a browser, names a run here (or a shipped one)."""
    if not files.is_id(run):
        return False
    try:
        store.find_run(home, run)
    except Refused:
        return False
    return True


@functools.lru_cache(maxsize=2)
def recent_runs(home: Path, second: int) -> tuple:
    """The list of runs, read at most once a second however many pages ask."""
    return tuple(store.list_runs(home))


def owns(home: Path, run: str, key: str) -> bool:
    """Whether this browser started the run."""
    return bool(key) and store.check_owner(home, run, key)


def may_steer(shared: Shared, run: str, key: str) -> bool:
    """Whether this browser may pause, rename or delete the run: always at home, else only who started it."""
    return not shared.public or owns(shared.home, run, key)


def visible_runs(shared: Shared, key: str, also: object = None) -> list:
    """The runs to list: all at home; in public the browser's own and the shipped ones, others only by their link (such
    as `also`, which it has)."""
    runs = store.list_runs(shared.home)
    if not shared.public:
        return runs
    return [run for run in runs if run.shipped or run.id == also or may_steer(shared, run.id, key)]


def whose(shared: Shared, key: object) -> str:
    """Whose a thing is: at home everything is one person's; where strangers may come each browser has its own.

    Refused where the browser sent no key.
    """
    if not shared.public:
        return ""
    if not isinstance(key, str) or not 8 <= len(key) <= 200:
        raise Refused(refuse("no-key"))
    return owner_of(key)


def check_public(shared: Shared, key: str) -> None:
    """Where strangers may come, each may have one run on its way, and so many may wait in all."""
    if not isinstance(key, str) or not 8 <= len(key) <= 200:
        raise Refused(refuse("no-key"))
    if any(run.state in LIVE and not run.shipped for run in visible_runs(shared, key)):
        raise Refused(refuse("one-each"))
    if sum(run.state in LIVE for run in store.list_runs(shared.home)) >= MOST_WAITING:
        raise Refused(refuse("crowded"))
