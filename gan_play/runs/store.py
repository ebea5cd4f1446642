"""A run folder: create, list, read, steer, rename, delete. The folder is the contract between all processes.

Promises: reading never raises for what is in a folder (a broken run is listed as damaged); `run.json` is changed
only under a lock and replaced whole; a run is there with all it needs, or not at all; only the worker writes
samples, stats and states (`worker.py`).

In a run folder: `run.json` what the run is and its last written state; `wanted.json` what people want of it;
`worker.json` who trains it now; `owner.json` the hash of its owner's key; `set/` its pictures;
`started-from.safetensors` the state it begins with (fine-tuning); `stats.jsonl`, `samples/`, states and
`latest.json` from the worker.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import importlib.metadata
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from filelock import FileLock, Timeout

import gan_play
from gan_play import files, limits
from gan_play.refusals import Refusal, Refused, printable, refuse
from gan_play.runs import labels

if TYPE_CHECKING:
    from gan_play.trainers.preflight import Plan

WRITTEN_STATES = {"queued", "preparing", "training", "paused", "stopped", "finished", "failed"}
"""What `run.json` may say. `interrupted` (its worker died) and `damaged` are found out by the reader."""

WISHES = {"train", "pause", "stop"}
TAKEN_REMEDIES = ("augment", "best")
MOST_NAME_CHARS = 60
MOST_RIGHTS_CHARS = 300  # a licence, its link and a few names; it stands on every card
MOST_MINUTES = 7 * 24 * 60  # a week
MOST_STEPS = 100_000_000
ROOM_TO_SPARE_BYTES = 200 * limits.MB  # what must stay free beside a run's own need
DEFAULT_MINUTES = 10
TAIL_BYTES = 64_000  # of stats.jsonl, enough for its last lines


@dataclass(frozen=True)
class RunSummary:
    """One row in the list of runs."""

    id: str
    name: str
    recipe: str
    size_px: int
    state: str
    step: int
    score: float | None  # the best one; lower is better
    last_grid: int | None  # the step of the newest grid
    created: float  # seconds since 1970
    sentence: str
    shipped: bool  # came with the program: to play with and to start from, never changed
    num_labels: int = 0  # that it learns apart
    blend: bool = False  # of two models: nothing to train on
    task: str = "paint"  # or "translate": it makes pictures of pictures
    preset: str = ""  # how pairs were made for it


# Reading one run


def is_shipped(folder: Path) -> bool:
    """Whether a run came with the program."""
    return folder.parent == files.SHIPPED and (folder / "starter.safetensors").is_file()


def is_blend(run: dict | None) -> bool:
    """Whether a `run.json` is of a blend of two models (`latent/blend.py`), which no training made."""
    return bool(run) and isinstance(run.get("blend"), dict)


def find_run(home: Path, run_id: str) -> Path:
    """The folder of a run in `home`, or of one that came with the program. Refused if there is none."""
    if files.is_id(run_id):
        for folder in (home / run_id, files.SHIPPED / run_id):
            if (folder == home / run_id or is_shipped(folder)) and _looks_like_a_run(folder):
                return folder
    raise Refused(refuse("no-run", str(run_id)))


def _looks_like_a_run(folder: Path) -> bool:
    """A folder under way (its `run.json` is written last) is no run yet; one that lost its `run.json` is."""
    return (folder / "run.json").is_file() or (folder / "latest.json").is_file()


def read_run(folder: Path) -> dict | None:
    """`run.json`, or None where it is missing or not what we write: its values go to the page and to the worker."""
    run = files.read_json(folder / "run.json")
    if not isinstance(run, dict):
        return None
    types = {
        "name": str,
        "recipe": str,
        "size_px": int,
        "seed": int,
        "state": str,
        "sentence": str,
        "created": (int, float),
        "queued": (int, float),
        "set": dict,
        "settings": (dict, type(None)),
        "minutes": (int, float, type(None)),
        "steps": (int, type(None)),
        "started_from": (dict, type(None)),
        "attempts": int,
        "rollbacks": int,
    }
    if not all(isinstance(run.get(key, ...), kind) for key, kind in types.items()):
        return None
    if run["state"] not in WRITTEN_STATES:
        return None
    return run


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[dict]:
    """Yields `run.json` under its lock and writes it back if it was changed. Refused if it is damaged."""
    with FileLock(folder / ".run.lock"):
        run = read_run(folder)
        if run is None:
            raise Refused(refuse("run-damaged", folder.name))
        before = json.dumps(run, sort_keys=True)
        yield run
        if json.dumps(run, sort_keys=True) != before:
            files.write_json(folder / "run.json", run)


def wish_of(folder: Path) -> str:
    """What people want of a run: "train", "pause" or "stop"."""
    wanted = files.read_json(folder / "wanted.json")
    wish = wanted.get("wish") if isinstance(wanted, dict) else None
    return wish if wish in WISHES else "train"


def worker_of(folder: Path) -> psutil.Process | None:
    """The live process that trains this run, or None. Told by pid and start time, since pids are used again."""
    noted = files.read_json(folder / "worker.json")
    try:
        process = psutil.Process(noted["pid"])
        if process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - noted["started"]) > 2:
            return None
        return process
    except (psutil.Error, TypeError, KeyError, ValueError, OverflowError):
        return None


def state_of(folder: Path, run: dict) -> str:
    """The state as it really is: one that needs a worker, and has none, is "interrupted"."""
    if run["state"] in ("preparing", "training") and worker_of(folder) is None:
        return "interrupted"
    return run["state"]


def grids(folder: Path) -> list[int]:
    """The steps of which there is a grid, oldest first."""
    try:
        names = os.listdir(folder / "samples")
    except OSError:
        return []
    found = (re.fullmatch(r"step-(\d{6,12})\.webp", name) for name in names)
    return sorted(int(match[1]) for match in found if match)


def grid_path(folder: Path, step: int) -> Path:
    """The file of the grid at `step`."""
    return folder / "samples" / f"step-{step:06d}.webp"


def last_stats(folder: Path) -> dict:
    """The newest line of `stats.jsonl` that is whole, with the newest score near the end of the file; or {}."""
    try:
        with (folder / "stats.jsonl").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().split(b"\n")
    except OSError:
        return {}
    latest: dict = {}
    for line in reversed(lines):
        if latest and b'"score"' not in line:
            continue
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(line)
            if isinstance(value, dict) and _is_count(value.get("step")):
                latest = {"score": value.get("score")} | latest if latest else value
                if latest.get("score") is not None:
                    break
    return latest


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def best_score(folder: Path) -> float | None:
    """The best score so far (KID, lower is better), or None."""
    noted = files.read_json(folder / "best.json")
    return _number(noted.get("score")) if isinstance(noted, dict) else None


def status(home: Path, run_id: str) -> dict:
    """All that a page shows of a run, as plain JSON values. Refused if there is no such run.

    Times in seconds; `percent` and `seconds_left` are None where there is no limit or no speed yet;
    `queue_position` is 1 for the next one to start, None where it doesn't wait.
    """
    folder = find_run(home, run_id)
    run = read_run(folder)
    found = grids(folder)
    latest = last_stats(folder)
    known = {
        "id": run_id,
        "step": latest.get("step", 0),
        "images_seen": latest["images_seen"] if _is_count(latest.get("images_seen")) else 0,
        "images_per_second": _number(latest.get("images_per_second")),
        "seconds_spent": _number(latest.get("seconds")) or 0.0,
        "last_grid": found[-1] if found else None,
        "grids": found,
        "score": _number(latest.get("score")),
        "best_score": best_score(folder),
        "shipped": is_shipped(folder),
        "blend": is_blend(run),
    }
    if run is None:
        sentence = refuse("run-damaged", run_id).sentence
        lacking = {"name": run_id, "recipe": "", "size_px": 0, "state": "damaged", "sentence": sentence}
        nothing = (
            "seconds_left",
            "percent",
            "device",
            "queue_position",
            "settings",
            "started_from",
            "health",
        )
        limits_of = {"minutes": None, "steps": None, "labels": [], "task": "paint", "preset": ""}
        return known | lacking | dict.fromkeys(nothing) | limits_of
    if not latest and (is_shipped(folder) or is_blend(run)):
        known["step"] = run.get("step", 0) if _is_count(run.get("step")) else 0
    state = state_of(folder, run)
    position = queue_position(home, run_id) if state == "queued" else None
    settings = run["settings"]
    left = _seconds_left(run, known)
    total = None if left is None else known["seconds_spent"] + left
    percent = 100.0 if state == "finished" else None if not total else 100 * known["seconds_spent"] / total
    return known | {
        "name": run["name"],
        "recipe": run["recipe"],
        "size_px": run["size_px"],
        "state": state,
        "seconds_left": left
        if state in ("queued", "preparing", "training", "paused", "interrupted")
        else None,
        "percent": None if percent is None else round(min(100.0, percent), 1),
        "device": settings.get("device") if settings else None,
        "sentence": _sentence(home, state, run, position),
        "queue_position": position,
        "settings": settings,
        "started_from": run["started_from"],
        "minutes": run["minutes"],
        "steps": run["steps"],
        "created": run["created"],
        **_pictures(run["set"]),
        "labels": labels.names(run),
        "task": "translate" if is_translator(run) else "paint",
        "preset": preset_of(run),
        "health": run["health"] if isinstance(run.get("health"), dict) else None,
    }


def _pictures(taken: dict) -> dict:
    """How many pictures a run learns from, how many it holds back, and what its scores compare with."""
    count, held = taken.get("count"), taken.get("held_back", 0)
    held = held if _is_count(held) else 0
    beside = "held back" if held and taken.get("scored_beside") == "held back" else "all"
    return {
        "pictures": count - held if _is_count(count) else None,
        "held_back": held,
        "scored_beside": beside,
    }


def _seconds_left(run: dict, known: dict) -> float | None:
    """What the limit leaves: exact where it is minutes, by the present speed where it is steps."""
    if run["minutes"] is not None:
        return max(0.0, run["minutes"] * 60 - known["seconds_spent"])
    if run["steps"] is not None:
        steps = max(0, run["steps"] - known["step"])
        if steps == 0:
            return 0.0
        rate, seen = known["images_per_second"], known["images_seen"]
        if rate and seen and known["step"]:
            # A step may be several of the critic, each on pictures of its own.
            return steps * seen / known["step"] / rate
    return None


def _sentence(home: Path, state: str, run: dict, position: int | None) -> str:
    if state == "queued":
        ahead = (position or 1) - 1 + (training_run(home) is not None)
        return f"Waits for {ahead} run{'s' if ahead > 1 else ''} to finish." if ahead else "Starting."
    if state == "interrupted":
        return run["sentence"] or "Its process ended unexpectedly. It goes on from the last saved state."
    return run["sentence"]


def queue(home: Path) -> list[str]:
    """The ids of the waiting runs, the one that is next first."""
    waiting = [
        (run["queued"], folder.name) for folder, run in _runs(home) if run and run["state"] == "queued"
    ]
    return [run_id for _, run_id in sorted(waiting)]


def queue_position(home: Path, run_id: str) -> int | None:
    """1 for the run that is next, 2 for the one after it; None for one that doesn't wait."""
    waiting = queue(home)
    return waiting.index(run_id) + 1 if run_id in waiting else None


def training_run(home: Path) -> str | None:
    """The id of the run that is being trained (or made ready) in this home now, or None."""
    for folder, run in _runs(home):
        if run and run["state"] in ("preparing", "training") and worker_of(folder) is not None:
            return folder.name
    return None


def _runs(home: Path) -> list[tuple[Path, dict | None]]:
    """All run folders of a home, with their `run.json` (None where damaged)."""
    try:
        names = sorted(os.listdir(home))
    except OSError:
        return []
    folders = [home / name for name in names if files.is_id(name)]
    return [(folder, read_run(folder)) for folder in folders if _looks_like_a_run(folder)]


def list_runs(home: Path) -> list[RunSummary]:
    """All runs of a home and the shipped ones, newest first, the shipped last. Damaged ones are listed as such."""
    found = _runs(home)
    if home != files.SHIPPED:
        found += [(folder, run) for folder, run in _runs(files.SHIPPED) if is_shipped(folder)]
    rows = [_summary(folder, run) for folder, run in found]
    return sorted(rows, key=lambda row: (row.shipped, -row.created, row.id))


def preset_of(run: dict | None) -> str:
    """How pairs were made for a run, by its `run.json`; "" where they weren't."""
    preset = run.get("preset") if run else None
    return preset if isinstance(preset, str) else ""


def is_translator(run: dict | None) -> bool:
    """Whether a `run.json` is of a model that makes pictures of pictures."""
    return bool(run) and run.get("task") == "translate"


def starting_run(
    home: Path, wanted: str | None, recipe: str, size_px: int, num_labels: int = 0, preset: str = ""
) -> str | None:
    """The run to begin from: the one asked for; None for "none"; else the starter of this recipe and size, if any.

    A starter that learnt no labels, or another number of them, is no start for a run that learns labels.
    """
    if wanted == "none":
        return None
    if wanted is not None:
        find_run(home, wanted)
        return wanted
    kind = (recipe, size_px, num_labels, preset)
    shipped = (run for run in list_runs(home) if run.shipped)
    alike = (run for run in shipped if (run.recipe, run.size_px, run.num_labels, run.preset) == kind)
    return next((run.id for run in alike), None)


def _summary(folder: Path, run: dict | None) -> RunSummary:
    shipped, steps = is_shipped(folder), grids(folder)
    step, last = last_stats(folder).get("step", 0), steps[-1] if steps else None
    if run is None:
        sentence = refuse("run-damaged", folder.name).sentence
        return RunSummary(
            folder.name, folder.name, "", 0, "damaged", step, None, last, 0.0, sentence, shipped
        )
    if not step and _is_count(run.get("step")):
        step = run["step"]
    return RunSummary(
        folder.name,
        run["name"],
        run["recipe"],
        run["size_px"],
        state_of(folder, run),
        step,
        best_score(folder),
        last,
        float(run["created"]),
        run["sentence"],
        shipped,
        len(labels.names(run)),
        is_blend(run),
        "translate" if is_translator(run) else "paint",
        preset_of(run),
    )


def stats(home: Path, run_id: str, most: int = 300) -> list[dict]:
    """The lines of `stats.jsonl`, oldest first, thinned evenly to about `most`; scores and the last one stay."""
    lines = files.read_lines_json(find_run(home, run_id) / "stats.jsonl")
    lines = [line for line in lines if _is_count(line.get("step"))]
    if len(lines) <= most:
        return lines
    kept = {round(i * (len(lines) - 1) / (most - 1)) for i in range(most)}
    scored = [i for i, line in enumerate(lines) if line.get("score") is not None]
    kept |= set(scored[:: max(1, -(-len(scored) // most))])
    return [lines[i] for i in sorted(kept)]


@functools.lru_cache(maxsize=4096)
def _digest_in(path: Path, _changed_ns: int, _bytes: int) -> str | None:
    """The model that a checkpoint file says it holds."""
    from gan_play.runs import checkpoints

    try:
        return checkpoints.read_header(path)[0]["model_digest"]
    except (Refused, OSError):
        return None


def ancestry(home: Path, run_id: str) -> list[str]:
    """The run, the one that it began from, and so on to the first; of a blend both parents, and theirs.

    What a run noted of its ancestors (`before`) counts, so that it doesn't matter if they were deleted since.
    """
    found: list[str] = []
    waiting: list[object] = [run_id]
    while waiting:
        run_id = waiting.pop(0)
        if not files.is_id(run_id) or run_id in found:
            continue
        found.append(run_id)
        with contextlib.suppress(Refused):
            about = files.read_json(find_run(home, run_id) / "run.json")
            for parent in _parents(about) if isinstance(about, dict) else []:
                before = parent.get("before")
                waiting += [parent.get("run"), *(before if isinstance(before, list) else [])]
    return found


def _parents(about: dict) -> list[dict]:
    """What a `run.json` says of the run that it began from, or of the two that it is a blend of."""
    blend = about.get("blend")
    two = blend.get("parents") if isinstance(blend, dict) else None
    return [
        one
        for one in [about.get("started_from"), *(two if isinstance(two, list) else [])]
        if isinstance(one, dict)
    ]


def find_model(home: Path, digest: str) -> tuple[Path, str] | None:
    """The file that holds a model, and its run, by the model's digest or the first 16 digits of it; None if none.

    Kept models come first, since states are pruned. What the file says is verified only when it is loaded.
    """
    if not re.fullmatch(r"[0-9a-f]{16,64}", digest):
        return None
    folders = [folder for folder, _ in _runs(home)]
    if home != files.SHIPPED:
        folders += [folder for folder, _ in _runs(files.SHIPPED) if is_shipped(folder)]
    for pattern in ("model-*.safetensors", "s*.safetensors"):  # states, starter and started-from
        for folder in folders:
            for path in sorted(folder.glob(pattern), reverse=True):
                with contextlib.suppress(OSError):
                    about = path.stat()
                    if (_digest_in(path, about.st_mtime_ns, about.st_size) or "").startswith(digest):
                        return path, folder.name
    return None


# Creating and changing


def _check_limit(value: float, least: float, most: float, unit: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise Refused(refuse("run-limit", value=value, least=least, most=f"{most:,}", unit=unit))
    return value


def check_limits(minutes: float | None, steps: int | None) -> tuple[float | None, int | None]:
    """A run has one limit: steps where they are given, else minutes."""
    if steps is not None:
        return None, int(_check_limit(steps, 1, MOST_STEPS, "steps"))
    return float(
        _check_limit(DEFAULT_MINUTES if minutes is None else minutes, 0.05, MOST_MINUTES, "minutes")
    ), None


def check_name(name: str) -> str:
    """`name` in one line, without what can't be seen."""
    name = " ".join("".join(c if c.isprintable() else " " for c in str(name)).split())
    if not 1 <= len(name) <= MOST_NAME_CHARS:
        raise Refused(refuse("run-name", most=MOST_NAME_CHARS))
    return name


def check_rights(text: object) -> str:
    """A statement about the rights in a set's pictures, in one line; "" for none. Refused where it is too long."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(text or "")).split())
    if len(text) > MOST_RIGHTS_CHARS:
        raise Refused(refuse("rights-long", most=MOST_RIGHTS_CHARS))
    return text


def rights_of(about: dict) -> str:
    """What was stated of the rights in the pictures that a run learnt from, by its maker and by those of the run before
    it; each once. "" for nothing."""
    start = about.get("started_from")
    before = start.get("rights") if isinstance(start, dict) else ""
    return join_rights(about.get("rights"), before)


def join_rights(*statements: object) -> str:
    """Statements in one line, what several of them say once."""
    parts = dict.fromkeys(part for one in statements for part in str(one or "").split("; ") if part)
    return printable("; ".join(parts), MOST_RIGHTS_CHARS)


def link(source: Path, target: Path) -> None:
    """The same file under a second name (it is never written again), or a copy where the disk can't do that."""
    try:
        os.link(source, target)
    except OSError:
        files.write_atomically(target, source.read_bytes())


def _kind(recipe: str, size_px: int, num_labels: int, preset: str = "") -> str:
    """What a start and the run that begins from it must have in common, in words."""
    labelled = f" with {num_labels} labels" if num_labels else " without labels"
    return f"{recipe} at {size_px} px" + (f" for {preset}" if preset else labelled)


def _begin_from(
    home: Path, start: str, folder: Path, recipe: str, size_px: int, num_labels: int, preset: str = ""
) -> dict:
    """Puts the newest state of another run into the folder, so that it is there whatever happens to that run."""
    from gan_play.runs import checkpoints

    source = find_run(home, start)
    for path in checkpoints.starts(source):
        with contextlib.suppress(Refused, FileNotFoundError):
            header, _ = checkpoints.read_header(path)
            settings = checkpoints.settings_of(header)
            theirs = (settings.recipe, settings.size_px, settings.num_labels, settings.preset)
            if theirs != (recipe, size_px, num_labels, preset):
                ours = _kind(recipe, size_px, num_labels, preset)
                raise _Unlike(refuse("run-start", start, theirs=_kind(*theirs), ours=ours))
            link(path, folder / "started-from.safetensors")
            step, digest = int(header["step"]), header["model_digest"]
            begun = {"run": start, "file": path.name, "step": step, "model_digest": digest}
            stated = rights_of(read_run(source) or {})
            return begun | {"before": ancestry(home, start)[1:]} | ({"rights": stated} if stated else {})
    raise Refused(refuse("blend-start" if is_blend(read_run(source)) else "no-checkpoint", start))


def check_asked(recipe: str, size_px: int, seed: int, device: str, dials: dict, preset: str = "") -> dict:
    """Refuses impossible settings now, not when the run's turn comes; returns all dials of the recipe."""
    from gan_play.trainers.recipes import check_settings, needs_labels

    asked = {"recipe": recipe, "size_px": size_px, "seed": seed, "dials": dials, "preset": preset}
    if needs_labels(recipe, preset):
        asked["num_labels"] = 2  # at least: the set says how many (`labels.decide`)
    chosen_later = {"batch": 16, "width": 16, "device": "cpu" if device == "auto" else device}
    return check_settings(asked | chosen_later).dials


class _Unlike(Exception):
    """Carries a refusal past the search for a file that can be read."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def create_run(
    home: Path,
    *,
    set_folder: Path,
    plan: Plan | None = None,
    recipe: str = "projected",
    size_px: int = 64,
    seed: int = 0,
    minutes: float | None = None,
    steps: int | None = None,
    name: str = "",
    start: str | None = None,
    how: str = "crop",
    background: tuple[int, int, int] | None = None,
    device: str = "auto",
    owner_key: str | None = None,
    dials: dict | None = None,
    labelled: bool | None = None,
    bakeoff: str | None = None,
    block: Path | None = None,
    rights: str = "",
    preset: str = "",
) -> str:
    """Makes a run that waits to be trained, and returns its id. `worker.start_worker` starts it.

    `plan` is what a pre-flight found (else the worker makes one); `start` is the id of a run to begin from;
    `background` is the colour of borders, by default the one that the set was taken in with; `labelled` asks that
    the set's labels are learnt apart, which some recipes always do. `bakeoff` is the id of the one that it belongs to;
    `block` are the squares of another run of the same set, size and fit, which are shared instead of made again;
    `rights` is what is stated about the rights in its pictures (see `state_rights`); `preset` is how pairs are made
    of them.
    Refused, with nothing left behind, if a setting is impossible, the disk too full, the set damaged or without
    the labels that it should have.
    """
    from gan_play.pictures import datasets
    from gan_play.trainers.recipes import RECIPES

    minutes, steps = check_limits(minutes, steps)
    dials = check_asked(recipe, size_px, seed, device, dials or {}, preset)
    labelled = labels.decide(recipe, set_folder, labelled, preset)
    row = RECIPES[recipe]
    num_labels = len(labels.of_set(set_folder)) if labelled else 0
    name, rights = check_name(name or "Untitled"), check_rights(rights)
    needed = (plan.disk_bytes if plan else 0) + ROOM_TO_SPARE_BYTES
    if (free := files.free_bytes(home)) < needed:
        raise Refused(refuse("run-room", needed=round(needed / 1e6), free=round(free / 1e6)))
    run_id = files.new_id(name)
    folder = home / run_id
    try:
        (folder / "samples").mkdir(parents=True)
        kind = (recipe, size_px, num_labels, preset)
        started_from = _begin_from(home, start, folder, *kind) if start else None
        if block is None:
            pictures = datasets.make_block(
                set_folder,
                folder / "set",
                size_px,
                how,
                background,
                keep_back=True,
                labelled=labelled,
                paired=labelled and row.takes == "pairs",
            )
        else:
            (folder / "set").mkdir()
            for part in ("pixels.npy", "manifest.json"):
                link(block / part, folder / "set" / part)
            pictures = datasets.open_block(folder / "set")
        kinds = range(len(pictures.label_names))
        now = time.time()
        run = {
            "version": 1,
            "id": run_id,
            "name": name,
            "recipe": recipe,
            "size_px": size_px,
            "seed": seed,
            "state": "queued",
            "sentence": "",
            "created": now,
            "created_text": datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="seconds"),
            "queued": now,
            "minutes": minutes,
            "steps": steps,
            "labelled": labelled,
            "set": {
                "id": set_folder.name,
                "digest": pictures.digest,
                "count": len(pictures.pixels),
                "held_back": pictures.held_back,
                "scored_beside": "all" if pictures.compared is pictures else "held back",
                "labels": list(pictures.label_names),
                "label_counts": [int((pictures.learnt.labels == kind).sum()) for kind in kinds],
                "how": how,
            },
            "device": device,
            "dials": dials,
            "settings": plan.settings.to_json() if plan else None,
            "plan": plan.sentence if plan else "",
            "started_from": started_from,
            "attempts": 0,
            "rollbacks": 0,
            **({"bakeoff": bakeoff} if bakeoff else {}),
            **({"rights": rights} if rights else {}),
            **({"task": row.task} if row.task != "paint" else {}),
            **({"preset": preset} if preset else {}),
            "versions": {"gan_play": gan_play.__version__, "torch": importlib.metadata.version("torch")},
        }
        if owner_key:
            own(folder, owner_key)
        files.write_json(folder / "wanted.json", {"wish": "train"})
        files.write_json(folder / "run.json", run)  # the last: only now is it a run
    except _Unlike as unlike:
        shutil.rmtree(folder, ignore_errors=True)
        raise Refused(unlike.refusal) from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return run_id


def steerable(home: Path, run_id: str) -> Path:
    """The folder of a run that may be changed. Refused for an unknown or a shipped one."""
    folder = find_run(home, run_id)
    if is_shipped(folder):
        raise Refused(refuse("run-shipped", run_id))
    return folder


def ask(
    home: Path,
    run_id: str,
    wish: str,
    more_minutes: float = 0,
    *,
    minutes: float | None = None,
    steps: int | None = None,
) -> None:
    """Tells a run to train, pause or stop. Its worker hears within a second.

    `more_minutes` are added to what is left (of a run that has ended: to what it has had). `minutes` or `steps`
    set the whole run's limit anew. A run without a worker changes state here, and waits in the queue if it is to
    train: `worker.start_worker` (or the server's `worker.adopt`) then starts it.
    """
    folder = steerable(home, run_id)
    if wish not in WISHES:
        raise Refused(refuse("run-wish", str(wish)))
    with changing(folder) as run:
        if is_blend(run):
            raise Refused(refuse("blend-train", run["name"]))
        spent = (_number(last_stats(folder).get("seconds")) or 0.0) / 60
        if minutes is not None or steps is not None:
            run["minutes"], run["steps"] = check_limits(minutes, steps)
        if more_minutes:
            _check_limit(more_minutes, 0.05, MOST_MINUTES, "minutes")
            ended = run["state"] in ("stopped", "finished", "failed")
            had = spent if ended or run["minutes"] is None else max(spent, run["minutes"])
            run["minutes"], run["steps"] = had + more_minutes, None
        files.write_json(folder / "wanted.json", {"wish": wish})
        if worker_of(folder) is not None:
            return
        if wish == "train":
            run |= {"state": "queued", "queued": time.time(), "sentence": "", "attempts": 0}
        elif run["state"] in ("queued", "preparing", "training") or (run["state"], wish) == (
            "paused",
            "stop",
        ):
            run["state"] = "paused" if wish == "pause" else "stopped"
            run["sentence"] = ""


def ask_remedy(home: Path, run_id: str, code: str, more_minutes: float = 0) -> None:
    """Asks that a remedy be taken ("best": back to the best state; "augment": so, and stronger augmentation), and
    that the run goes on; one that has ended goes on for `more_minutes`. Refused for another remedy or no such run."""
    folder = steerable(home, run_id)
    if code not in TAKEN_REMEDIES:
        raise Refused(refuse("remedy", str(code), choices=", ".join(TAKEN_REMEDIES)))
    with changing(folder) as run:
        if is_blend(run):
            raise Refused(refuse("blend-train", run["name"]))
        run["remedy"] = code
        ended = run["state"] in ("stopped", "finished", "failed")
    ask(home, run_id, "train", more_minutes if ended else 0)


def rename(home: Path, run_id: str, name: str) -> None:
    """Gives a run another name; its id and its links stay."""
    name = check_name(name)
    with changing(steerable(home, run_id)) as run:
        run["name"] = name


def state_rights(home: Path, run_id: str, text: str) -> str:
    """Writes down what a run's maker says about the rights in its pictures: it stands on every card from now on."""
    text = check_rights(text)
    with changing(steerable(home, run_id)) as run:
        run["rights"] = text
    return text


def delete(home: Path, run_id: str) -> None:
    """Removes a run with its pictures, states, kept models and log. Refused while it is being trained."""
    folder = steerable(home, run_id)
    if worker_of(folder) is not None:
        raise Refused(refuse("run-busy", run_id))
    try:
        with FileLock(folder / "lock", timeout=2):  # a worker that is just starting finds its run gone
            (folder / "run.json").unlink(missing_ok=True)
    except Timeout:
        raise Refused(refuse("run-busy", run_id)) from None
    shutil.rmtree(folder)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def check_owner(home: Path, run_id: str, key: str) -> bool:
    """Whether `key` is the one that the run was started with; compared in constant time, only hashes are stored.

    A run that was started without a key (on the command line, or shipped) has no owner: always False.
    """
    return owns(find_run(home, run_id), key)


def own(folder: Path, key: str) -> None:
    """Notes in a folder the hash of its owner's key."""
    files.write_json(folder / "owner.json", {"sha256": _hash(key)})


def picture_key(folder: Path) -> str:
    """What opens the pictures that a run learns from, and nothing else, where strangers may come; "" without an owner.

    It stands in addresses, which are copied and logged, so it must not be the owner's own key.
    """
    noted = files.read_json(folder / "owner.json")
    stored = noted.get("sha256") if isinstance(noted, dict) else None
    return _hash(f"pictures of {folder.name} {stored}")[:32] if isinstance(stored, str) else ""


def owns(folder: Path, key: str) -> bool:
    """Whether `key` is the one that was noted in a folder; compared in constant time."""
    noted = files.read_json(folder / "owner.json")
    stored = noted.get("sha256") if isinstance(noted, dict) else None
    return isinstance(stored, str) and bool(key) and hmac.compare_digest(stored.encode(), _hash(key).encode())
