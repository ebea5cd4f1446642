"""The command line: `python -m gan_play VERB`. Each verb is a function; the parser at the end names them all.

Promises: the result goes to standard output, what scripts read last; progress and sentences for people go to
standard error. Exit status 0 on success, 2 on a refused input with one sentence, 1 where training failed,
130 on Ctrl-C with the run saved. No traceback is shown (GAN_PLAY_DEBUG=1 shows it). `--help` is quick: what
is heavy (torch, numpy) is imported by the verb that needs it.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import errno
import json
import math
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from gan_play import __version__, files, limits
from gan_play.refusals import Refused, printable, refuse

EXAMPLES = ("sunsets", "fields", "rosettes", "mountains")
"""The names of `pictures.examples`, repeated so that `--help` imports no numpy (a test compares them)."""

PRESETS = ("sketch", "colour", "repair", "enlarge", "flat")
"""The names of `trainers.pairs`, repeated so that `--help` imports no torch (a test compares them)."""

MOST_FOLDER_SEEDS = 10_000  # one PNG a seed; a grid takes limits.MOST_SEEDS
MOST_SCORED = 10_000
MOST_LISTED = limits.MOST_WORKS  # works of the gallery as JSON
MOST_DIRECTIONS = 40  # as many as are offered of a model
SCORED_FROM_SEED = 2_000_000  # others than the worker's own scores use
LOOK_S = 0.5  # how often a run folder is looked at
SAVE_S = 30  # how long Ctrl-C waits for the worker's save; it needs a few seconds
START_S = 60  # by then a worker has said that it is there, on any machine
REFUSED, FAILED, INTERRUPTED = 2, 1, 130


# Talking to people


def say(sentence: str) -> None:
    """A sentence for the person at the terminal, on standard error."""
    print(sentence, file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Seconds as `0:07`, `12:30` or `1:02:03`."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Bar:
    """A progress bar on standard error: redrawn in place on a terminal, else a line every ten seconds."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.drawn = 0  # columns in use
        self.next_line = time.monotonic() + 10

    def show(self, share: float | None, sentence: str, seconds_left: float | None = None) -> None:
        """`share` done (0 to 1, None where unknown), what is going on, and the time left if known."""
        if not self.live and time.monotonic() < self.next_line:
            return
        self.next_line = time.monotonic() + 10
        text = printable(sentence, 100)
        if share is not None:
            full = round(20 * min(1.0, max(0.0, share)))
            text = f"[{'#' * full}{'.' * (20 - full)}] {min(1.0, max(0.0, share)):4.0%}  {text}"
        if seconds_left is not None:
            text += f", {clock(seconds_left)} left"
        if self.live:
            text = text[: shutil.get_terminal_size().columns - 1]
            sys.stderr.write("\r" + text.ljust(self.drawn))
            self.drawn = len(text)
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def counter(self) -> Callable[[int, int | None], None]:
        """A listener for (frames done, frames in all)."""
        began = time.monotonic()

        def listen(done: int, total: int | None) -> None:
            left = (time.monotonic() - began) / done * (total - done) if total else None
            self.show(done / total if total else None, f"{done} of {total} frames", left)

        return listen

    def clear(self) -> None:
        """Takes the bar away, so that a sentence can follow."""
        if self.live and self.drawn:
            sys.stderr.write("\r" + " " * self.drawn + "\r")
            sys.stderr.flush()
        self.drawn = 0


def follow(steps: Iterator[Any]) -> Any:
    """Runs a generator of `Progress` to its end under a bar; what it returns."""
    bar = Bar()
    try:
        while True:
            progress = next(steps)
            share = progress.done / progress.total if progress.total else None
            bar.show(share, progress.sentence, progress.seconds_left)
    except StopIteration as end:
        return end.value
    finally:
        bar.clear()


def table(rows: list[dict[str, object]], columns: list[str]) -> str:
    """Rows under the names of their columns, each as wide as its widest cell."""
    cells = [columns] + [
        ["" if row[c] is None else printable(str(row[c]), 110) for c in columns] for row in rows
    ]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join("  ".join(text.ljust(w) for text, w in zip(line, widths)).rstrip() for line in cells)


def as_json(value: object) -> str:
    """What scripts read: indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


# Reading what was typed


def output(text: str, endings: tuple[str, ...]) -> Path:
    """Where a result goes: a file with one of `endings`; its folder is made. Refused before any work."""
    path = Path(text).expanduser()
    if path.suffix.lower() not in endings or os.path.isdir(path):
        raise Refused(refuse("output-kind", path.name or "Nothing", endings=" or ".join(endings)))
    folder_for(path.parent)
    try:
        path.stat()  # a name that is too long, or that no disk can hold
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise Refused(refuse("output", path.name)) from error
    return path


def path_of(text: str) -> Path:
    """A file as it was typed; a home that nobody has is left as it is."""
    return Path(os.path.expanduser(text))


def picture_or_folder(text: str) -> tuple[Path, bool]:
    """Where pictures go: one PNG, or a folder (True) where the text names one. Refused before any work."""
    if text.endswith(("/", os.sep)) or (text != "" and not Path(text).suffix):
        return folder_for(Path(text).expanduser()), True
    return output(text, (".png",)), False


def folder_for(folder: Path) -> Path:
    """Makes the folder of a result, or refuses in a sentence."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError
    except (OSError, ValueError) as error:
        raise Refused(refuse("output", folder.name)) from error
    return folder


# Training


def train(given: argparse.Namespace) -> int:
    """Pictures in, then a run to its end: the worker trains in its own process, and this only watches."""
    from gan_play.latent.sample import whole_seed
    from gan_play.pictures import datasets
    from gan_play.pictures import doctor as doctor_of_sets
    from gan_play.runs import labels, store
    from gan_play.trainers.recipes import RECIPES

    home = files.home(given.home)
    asked = {
        "recipe": given.recipe,
        "size_px": given.size,
        "seed": whole_seed(given.seed),
        "device": given.device,
    }
    # All is refused now, not after minutes of reading pictures.
    dials = store.check_asked(**asked, dials=dials_of(given.dial), preset=given.preset)
    labels.asks(given.recipe, given.labels, given.preset)
    store.check_limits(given.minutes, given.steps)
    store.check_rights(given.rights)
    name = store.check_name(given.name or default_name(given.source))
    if given.start not in (None, "none"):
        store.find_run(home, given.start)
    taken = follow(taking_in(given.source, home))
    folder, verdict = taken.folder, taken.report["verdict"]
    if dropped := proposed(folder, given.drop):
        folder = follow(datasets.leaving_out(folder, dropped))[1]
        verdict = doctor_of_sets.report(folder)["verdict"]
        say(
            f"{len(dropped):,} {'picture was' if len(dropped) == 1 else 'pictures were'} dropped ({given.drop})."
        )
    if given.split:
        folder = follow(datasets.splitting(folder))[1]
    labelled = labels.decide(given.recipe, folder, given.labels, given.preset)
    found = labels.of_set(folder) if labelled else {}
    kind = (given.recipe, given.size, len(found), given.preset)
    start = store.starting_run(home, given.start, *kind)
    run_id = store.create_run(
        home,
        set_folder=folder,
        **asked,
        minutes=given.minutes,
        steps=given.steps,
        name=name,
        start=start,
        how=given.fit,
        labelled=labelled,
        rights=given.rights,
        dials=dials,
        preset=given.preset,
    )
    if refused := len(taken.report["refused"]):
        files_were = "file was" if refused == 1 else "files were"
        say(f"{refused} {files_were} left out: python -m gan_play doctor {given.source} says why.")
    say(verdict)
    if found and RECIPES[given.recipe].task == "translate":
        first, second = (printable(name, 24) for name in found)
        say(f"It learns to turn pictures of {first} into pictures of {second}.")
    elif found:
        named = ", ".join(f"{printable(name, 24)} ({count:,})" for name, count in list(found.items())[:8])
        say(f"It learns {len(found)} labels apart: {named}{', ...' if len(found) > 8 else '.'}")
        if warning := labels.warning(found):
            say(warning)
        if not (start or given.start) and store.starting_run(home, None, given.recipe, given.size):
            say("The starter knows no labels, so this run begins from scratch.")
    return watch(home, run_id)


def dials_of(given: list[str]) -> dict[str, float]:
    """Dials as they were typed, NAME=NUMBER each. Refused where that isn't so."""
    found = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise Refused(refuse("dial", text)) from None
    return found


def default_name(source: str) -> str:
    """A run is named after its pictures, unless the user says otherwise."""
    path = Path(source.removeprefix("example:")).absolute()
    return path.name.removesuffix(path.suffix if path.suffix.lower() == ".zip" else "")[:40] or "Untitled"


def taking_in(source: str, home: Path) -> Iterator[Any]:
    """A generator of progress that returns the prepared set of a folder, a ZIP or `example:NAME`."""
    from gan_play.pictures import examples, intake

    if source.startswith("example:"):
        return examples.taking_in_example(source.removeprefix("example:"), home)
    if not source.strip():  # Path("") is the folder that the command runs in
        raise Refused(refuse("no-source"))
    return intake.take_in([Path(source).expanduser()], home)


def proposed(folder: Path, what: str | None) -> set[int]:
    """The places of the pictures of a set that the doctor proposes to leave out: duplicates, outliers, both or none."""
    from gan_play.pictures import datasets, doctor

    repeated = doctor.repeated(datasets.read_manifest(folder)) if what in ("duplicates", "both") else []
    return {*repeated, *(outliers(folder) if what in ("outliers", "both") else [])}


def outliers(folder: Path) -> list[int]:
    """The places of the pictures of a set that are far from all others, the oddest first."""
    from gan_play.measure import atlas
    from gan_play.pictures import datasets

    count = len(datasets.read_manifest(folder)["pictures"])
    if count < atlas.LEAST_TO_JUDGE:
        return []
    made = atlas.read(folder) or follow(atlas.mapping(folder))
    if made["seen"] < count:
        say(f"For odd ones {made['seen']:,} of {count:,} pictures, spread evenly, were looked at.")
    return made["outliers"]


def resume(given: argparse.Namespace) -> int:
    """Goes on where a run stopped: to its own limit, for so many more minutes, or to another step."""
    from gan_play.runs import store

    home = files.home(given.home)
    minutes = given.minutes
    if minutes is not None:
        minutes += store.status(home, given.run)["seconds_spent"] / 60
    store.ask(home, given.run, "train", minutes=minutes, steps=given.steps)
    return watch(home, given.run)


def watch(home: Path, run_id: str) -> int:
    """Starts the worker and follows the run folder until the run rests. Ctrl-C saves and stops the run."""
    from gan_play.runs import store, worker

    bar = Bar()
    try:
        if worker.has_others():
            say(f"Run {run_id}, in several processes. Ctrl-C saves it and pauses.")
            lead(home, run_id, bar)
        else:
            say(f"Run {run_id}. Ctrl-C saves it and stops; closing this terminal lets it go on.")
            worker.start_worker(home, run_id)
            follow_run(home, run_id, bar)
    except KeyboardInterrupt:
        bar.clear()
        return interrupted(home, run_id)
    bar.clear()
    now = store.status(home, run_id)
    if now["state"] in ("finished", "stopped") or (now["state"] == "paused" and not now["sentence"]):
        say(now["sentence"] or f"{now['state'].capitalize()} at step {now['step']:,}.")
        print(run_id)
        return 0
    say(now["sentence"] or "It did not start.")
    say(f"What was saved is safe. Try again with: python -m gan_play resume {run_id}")
    print(run_id)
    return FAILED


def lead(home: Path, run_id: str, bar: Bar) -> None:
    """Trains in this process, the first of those that `torchrun` started, and shows how far it is."""
    from gan_play.runs import store, worker

    folder = store.steerable(home, run_id).resolve()
    if worker.line_up(folder) is None:
        raise Refused(refuse("run-busy", run_id))
    shown = threading.Thread(target=follow_run, args=(home, run_id, bar), daemon=True)
    shown.start()
    worker.lead(folder)
    shown.join(2 * LOOK_S)


def follow_run(home: Path, run_id: str, bar: Bar) -> None:
    """Shows how far a run is, until it rests."""
    for now in looks(home, run_id):
        bar.show(*progress_of(now))


def looks(home: Path, run_id: str) -> Iterator[dict[str, Any]]:
    """The status of a run, twice a second, for as long as somebody works on it."""
    from gan_play.runs import store

    seen = time.monotonic()
    while True:
        now = store.status(home, run_id)
        alive = store.worker_of(store.find_run(home, run_id)) is not None
        seen = time.monotonic() if alive else seen
        if now["state"] not in ("queued", "preparing", "training") or time.monotonic() - seen > START_S:
            return
        yield now
        time.sleep(LOOK_S)


def progress_of(now: dict[str, Any]) -> tuple[float | None, str, float | None]:
    """The share, sentence and seconds left of a run's status."""
    if now["state"] == "queued" or not now["step"]:
        return None, now["sentence"] or "Getting ready", None
    sentence = f"step {now['step']:,}, {now['images_seen']:,} pictures seen"
    if now["images_per_second"]:
        sentence += f", {now['images_per_second']:.0f} a second"
    percent = now["percent"]
    return (None if percent is None else percent / 100), sentence, now["seconds_left"]


def stop(given: argparse.Namespace) -> int:
    """Saves a run that somebody else watches, or nobody, and stops it."""
    home = files.home(given.home)
    end(home, given.run)
    print(given.run)
    return 0


def end(home: Path, run_id: str) -> None:
    """Asks the worker to save and stop, and waits for it."""
    from gan_play.runs import store

    store.ask(home, run_id, "stop")
    folder, until = store.find_run(home, run_id), time.monotonic() + SAVE_S
    while store.worker_of(folder) is not None and time.monotonic() < until:
        time.sleep(0.1)


def interrupted(home: Path, run_id: str) -> int:
    """Ctrl-C: the run is saved and stopped; a second one doesn't wait for it."""
    say("Saving the run (Ctrl-C again doesn't wait).")
    with contextlib.suppress(KeyboardInterrupt):
        end(home, run_id)
    say(f"Go on with: python -m gan_play resume {run_id}")
    print(run_id)
    return INTERRUPTED


def bakeoff(given: argparse.Namespace) -> int:
    """Several recipes on the same pictures, one after the other, and a page that compares them."""
    from gan_play.latent.sample import whole_seed
    from gan_play.runs import bakeoff as baking
    from gan_play.runs import store

    home, out = files.home(given.home), output(given.out, (".html",))
    if (given.source is None) == (given.resume is None):
        raise Refused(refuse("bakeoff-which"))
    if given.resume is not None:
        baking.found(home, given.resume)
        return watch_bakeoff(home, given.resume, out)
    recipes = [name.strip() for name in given.recipes.split(",") if name.strip()]
    asked = {"recipes": recipes, "minutes": given.minutes, "size_px": given.size}
    asked |= {"seed": whole_seed(given.seed), "device": given.device}
    baking.check(**asked)  # all refused now, not after minutes of reading pictures
    name = store.check_name(given.name or default_name(given.source))
    taken = follow(taking_in(given.source, home))
    if refused := len(taken.report["refused"]):
        files_were = "file was" if refused == 1 else "files were"
        say(f"{refused} {files_were} left out: python -m gan_play doctor {given.source} says why.")
    bakeoff_id = baking.create(
        home, set_folder=taken.folder, **asked, name=name, how=given.fit, labelled=bool(given.labels)
    )
    return watch_bakeoff(home, bakeoff_id, out)


def watch_bakeoff(home: Path, bakeoff_id: str, out: Path) -> int:
    """Starts the workers, which take turns, and follows them until all rest. Ctrl-C saves and stops them."""
    from gan_play.runs import bakeoff as baking
    from gan_play.runs import store
    from gan_play.share.bakeoff import html

    say(f"Bake-off {bakeoff_id}. Ctrl-C saves it and stops; closing this terminal lets it go on.")
    bar, seen = Bar(), time.monotonic()
    folders = baking.folders(home, bakeoff_id)
    try:
        baking.start(home, bakeoff_id)
        while True:
            told = baking.status(home, bakeoff_id)
            alive = any(store.worker_of(folder) is not None for folder in folders)
            seen = time.monotonic() if alive else seen
            if told["state"] != "going" or time.monotonic() - seen > START_S:
                break
            bar.show(*progress_of_bakeoff(told))
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        bar.clear()
        say("Saving the runs (Ctrl-C again doesn't wait).")
        with contextlib.suppress(KeyboardInterrupt):
            baking.pause(home, bakeoff_id)
            until = time.monotonic() + SAVE_S
            while any(store.worker_of(folder) for folder in folders) and time.monotonic() < until:
                time.sleep(0.1)
        say(f"Go on with: python -m gan_play bakeoff --resume {bakeoff_id} --out {out}")
        print(bakeoff_id)
        return INTERRUPTED
    bar.clear()
    files.write_atomically(out, html(home, bakeoff_id).encode())
    for row in told["rows"]:
        if not row["over"]:
            say(f"{row['title']}: {row['state']}. {row['sentence']}".strip())
        elif row["kid"] is not None:
            copies = "" if row["copy_rate"] is None else f", copies {row['copy_rate']:.0%}"
            say(
                f"{row['title']}: KID {row['kid']:.3f} ({row['kid_low']:.3f} to {row['kid_high']:.3f}){copies}, "
                f"{row['images_seen']:,} pictures seen"
            )
    if told["sentence"]:
        say(told["sentence"])
    whole = all(row["over"] for row in told["rows"])
    if not whole:
        say(f"Try again with: python -m gan_play bakeoff --resume {bakeoff_id} --out {out}")
    print(out)
    return 0 if whole else FAILED


def progress_of_bakeoff(told: dict[str, Any]) -> tuple[float, str, float | None]:
    """The share, sentence and seconds left of a bake-off's status."""
    rows = told["rows"]
    share = sum(row["seconds"] for row in rows) / (len(rows) * told["seconds"])
    for place, row in enumerate(rows, 1):
        if row["state"] in ("preparing", "training"):
            doing = row["sentence"] or f"{row['images_seen']:,} pictures seen"
            return share, f"{place} of {len(rows)}: {row['title']}, {doing}", told["seconds_left"]
    return share, "Waiting for its turn", told["seconds_left"]


def runs(given: argparse.Namespace) -> int:
    """The runs of the home, the starters included."""
    from gan_play.runs import store

    home = files.home(given.home)
    columns = ["id", "name", "state", "recipe", "size_px", "step", "best_score"]
    rows = [{name: getattr(run, name, None) for name in columns} for run in store.list_runs(home)]
    if given.json:
        print(as_json(rows))
    elif rows:
        print(table(rows, columns))
    else:
        print("No runs yet. Begin with: python -m gan_play train example:sunsets --minutes 5")
    return 0


# Playing


def sample(given: argparse.Namespace) -> int:
    """Pictures of seeds: a grid in one PNG, or in a folder one PNG a seed, with its share code inside.

    With `--label all` the grid has a row for each label and a column for each seed.
    """
    import numpy

    from gan_play.latent import sample as playing
    from gan_play.pictures import images
    from gan_play.share import artwork

    home = files.home(given.home)
    out, single = picture_or_folder(given.out)
    every = given.label == "all"
    most = MOST_FOLDER_SEEDS if single else limits.MOST_MIX_SEEDS if every else limits.MOST_SEEDS
    usual = "0-7" if every else "0-35"
    seeds = playing.parse_seeds(usual if given.seeds is None else given.seeds, most=most)
    truncation = playing.check_truncation(given.truncation)
    model = playing.load(home, given.run)
    if every and not model.labels:
        raise Refused(refuse("label", "all", count=0))
    kinds = range(len(model.labels)) if every else [playing.find_label(model, given.label)]
    bar, tiles = Bar(), []
    pictures = [(label, seed) for label in kinds for seed in seeds]
    for done, (label, seed) in enumerate(pictures):
        bar.show(done / len(pictures), f"{done} of {len(pictures)} pictures")
        if single:
            work = artwork.Artwork("sample", model.digest, (seed,), truncation, label)
            name = f"seed{seed:05d}" if isinstance(seed, int) else f"found{seed.name}"
            name = f"label{label:03d}-{name}.png" if every else f"{name}.png"
            files.write_atomically(out / name, artwork.render(home, work).png)
        else:
            tiles.append(playing.sample_one(model, seed, truncation, label))
    bar.clear()
    if every:
        say("Labels, from above: " + ", ".join(printable(name, 24) for name in model.labels))
    if not single:
        columns = len(seeds) if every else math.ceil(len(tiles) ** 0.5)
        text = artwork.grid_card(model, home, "a grid of pictures", seeds)
        files.write_atomically(out, images.encode(images.grid(numpy.stack(tiles), columns), "png", text=text))
    print(out)
    return 0


def mix(given: argparse.Namespace) -> int:
    """Style mixing as a figure: rows give one band of the style, columns the rest."""
    from gan_play.latent import sample as playing
    from gan_play.share import artwork

    home = files.home(given.home)
    out = output(given.out, (".png",))
    rows, cols = (playing.parse_seeds(text, most=limits.MOST_MIX_SEEDS) for text in (given.rows, given.cols))
    model = playing.load(home, given.run)
    label = playing.find_label(model, given.label)
    work = artwork.Artwork(
        "mix_grid", model.digest, rows, given.truncation, label, columns=cols, band=given.band
    )
    files.write_atomically(out, artwork.render(home, work).png)
    print(out)
    return 0


def breed(given: argparse.Namespace) -> int:
    """Children of a picture, or the row between two: a grid, or a PNG each; their codes on standard error."""
    import numpy

    from gan_play.latent import breed as breeding
    from gan_play.latent import sample as playing
    from gan_play.pictures import images
    from gan_play.share import artwork

    home = files.home(given.home)
    out, single = picture_or_folder(given.out)
    held, seeds = breeding.parse_bands(given.hold), playing.parse_seeds(given.seeds)
    model = playing.load(home, given.run)
    label = playing.find_label(model, given.label)
    named = [given.parent] if given.cross is None else [given.parent, given.cross]
    parents = [artwork.parent(model, text, label) for text in named]
    if given.truncation is not None:
        parents = [dataclasses.replace(one, truncation=given.truncation) for one in parents]
    works = artwork.brood(parents, seeds, breeding.check_strength(given.strength), held)
    made = [artwork.render(home, work) for work in works]
    if single:
        for place, one in enumerate(made, 1):
            files.write_atomically(out / f"child{place:02d}.png", one.png)
    else:
        pictures = numpy.stack([one.pixels for one in made])
        columns = math.ceil(len(made) ** 0.5)
        text = artwork.grid_card(model, home, "a grid of children")
        files.write_atomically(out, images.encode(images.grid(pictures, columns), "png", text=text))
    for one in made:
        say(artwork.encode(one.artwork))
    print(out)
    return 0


def steer(given: argparse.Namespace) -> int:
    """A picture with more or less of something, as one PNG; its code on standard error."""
    from gan_play.latent import sample as playing
    from gan_play.latent import steer as steering
    from gan_play.share import artwork

    home = files.home(given.home)
    out, steps = output(given.out, (".png",)), steering.parse_steps(given.by)
    model = playing.load(home, given.run)
    found = artwork.parent(model, given.picture, playing.find_label(model, given.label))
    truncation = found.truncation if given.truncation is None else given.truncation
    steps = steering.added(found.steps, steps)
    work = artwork.bred(found.genome, found.model, truncation, steps)
    files.write_atomically(out, artwork.render(home, work).png)
    say(artwork.encode(work))
    print(out)
    return 0


def directions(given: argparse.Namespace) -> int:
    """The directions that a model has by itself: a table of names and what they change, or JSON; and their strips."""
    import numpy

    from gan_play.latent import sample as playing
    from gan_play.latent import steer as steering
    from gan_play.pictures import images
    from gan_play.share import artwork, naming

    home = files.home(given.home)
    out = output(given.out, (".png",)) if given.out else None
    if not 1 <= given.count <= MOST_DIRECTIONS:
        raise Refused(refuse("direction-count", str(given.count), most=MOST_DIRECTIONS))
    model = playing.load(home, given.run)
    for text in given.rename:
        naming.keep(home, model, *named_way(text))
    for way in given.reset:
        naming.put_back(home, model, way)
    found = naming.named(home, model, count=given.count)
    if out:
        origin = artwork.parent(model, given.picture, playing.find_label(model, given.label))
        truncation = origin.truncation if given.truncation is None else given.truncation
        bar, rows = Bar(), []
        for done, one in enumerate(found):
            bar.show(done / len(found), f"{done} of {len(found)} directions")
            rows += [
                steering.paint(model, origin.genome, truncation, steering.added(origin.steps, step))
                for step in naming.strip(one.way)
            ]
        bar.clear()
        columns = len(rows) // len(found)
        text = artwork.grid_card(model, home, "a figure of directions")
        files.write_atomically(out, images.encode(images.grid(numpy.stack(rows), columns), "png", text=text))
    if given.json:
        print(as_json([naming.as_dict(one) for one in found]))
        return 0
    shown = [
        {"direction": one.way, "name": one.name, "changes, a step": naming.in_words(one.changes)}
        for one in found
    ]
    print(table(shown, ["direction", "name", "changes, a step"]))
    if out:
        print(out)
    return 0


def named_way(text: str) -> tuple[str, str]:
    """A direction and the name for it, from `sefa2@fine=Evening light`."""
    way, _, name = text.partition("=")
    return way.strip(), name


def project(given: argparse.Namespace) -> int:
    """A picture of one's own, found in a model: its painting as one PNG; point and code on standard error."""
    from gan_play.latent import project as projection
    from gan_play.latent import sample as playing
    from gan_play.pictures import intake
    from gan_play.share import artwork

    home = files.home(given.home)
    out, steps = output(given.out, (".png",)), projection.check_steps(given.steps)
    model = playing.load(home, given.run)
    pixels, mask = intake.read_picture_file(path_of(given.picture)), None
    if given.mask:
        mask = intake.read_picture_file(path_of(given.mask)).mean(axis=2) > 127
    target = projection.check_target(model, pixels, mask)
    last = follow_looks(projection.resumed(home, model, target, steps), steps)
    work = artwork.Artwork("sample", model.digest[:16], (last.point,), label=last.label)
    files.write_atomically(out, artwork.render(home, work).png)
    say(projection.sentence(last.distance))
    say(last.point)
    say(artwork.encode(work))
    print(out)
    return 0


def palette(given: argparse.Namespace) -> int:
    """A picture in other colours, those of a file or a list, as one PNG; point and code on standard error."""
    from gan_play.latent import palette as palettes
    from gan_play.latent import sample as playing
    from gan_play.pictures import intake
    from gan_play.share import artwork

    home = files.home(given.home)
    out = output(given.out, (".png",))
    model = playing.load(home, given.run)
    begun = artwork.parent(model, given.picture, playing.find_label(model, given.label))
    if os.path.isfile(os.path.expanduser(given.towards)):
        colours = palettes.palette_of(intake.read_picture_file(path_of(given.towards)))
    else:
        colours = palettes.parse_palette(given.towards)
    say(palettes.palette_text(colours))
    looks = palettes.towards(model, begun.genome, colours, begun.truncation, begun.steps, palettes.STEPS)
    last = follow_looks(looks, palettes.STEPS)
    work = artwork.Artwork("sample", model.digest[:16], (last.point,), begun.truncation, last.label)
    files.write_atomically(out, artwork.render(home, work).png)
    say(last.point)
    say(artwork.encode(work))
    print(out)
    return 0


def style(given: argparse.Namespace) -> int:
    """A picture painted as others are painted, as one PNG. Ctrl-C keeps what there is by then."""
    from gan_play.share import styled
    from gan_play.translate import instant
    from gan_play.translate import style as painting

    home, out = files.home(given.home), output(given.out, (".png",))
    check_dials = instant.check_dials if given.instant else painting.check_dials
    dials = check_dials(given.size, given.strength, given.scale, given.keep_colours)
    wish = painting.read(
        home,
        path_of(given.content),
        [path_of(name) for name in given.style],
        given.set,
        dials,
        path_of(given.mask) if given.mask else None,
        [path_of(name) for name in given.elsewhere],
        given.weights,
    )
    if given.instant:
        files.write_atomically(out, styled.png_at_once(wish))
        print(out)
        return 0
    bar, begun, last = Bar(), time.monotonic(), None
    try:
        for last in painting.transfer(wish):
            left = (time.monotonic() - begun) / last.share * (1 - last.share)
            bar.show(last.share, f"step {last.step} of {last.steps}", left)
    except KeyboardInterrupt:
        if last is None:
            raise
        bar.clear()
        say("Stopped: what there is by now is kept.")
    bar.clear()
    files.write_atomically(out, styled.png(wish, last))
    say(painting.sentence(last))
    print(out)
    return 0


def translate(given: argparse.Namespace) -> int:
    """Pictures through a translator: one as a PNG, its code on standard error; or many into a folder, with progress."""
    from gan_play.share import artwork, translating

    if given.out.lower().endswith(".mp4"):
        return translate_video(given)
    home = files.home(given.home)
    out, several = picture_or_folder(given.out)
    sources = [path_of(name) for name in given.pictures]
    paths = translating.files_in(sources)
    side = translating.check_side(given.size)
    turned = {"strength": given.strength, "drawn": given.drawn, "back": given.back, "times": given.times}
    if several and given.mask is None:
        names, refused = follow(translating.batch(home, given.run, paths, out, side, **turned))
        for refusal in refused:
            say(refusal.sentence)
        if not names:
            return REFUSED
        print(out)
        return 0
    if several or len(paths) > 1:
        raise Refused(refuse("translate-one"))
    mask = None if given.mask is None else path_of(given.mask)
    made = artwork.share(home, translating.from_file(home, given.run, paths[0], mask, side, **turned))
    files.write_atomically(out, made.png)
    say(made.code)
    print(out)
    return 0


def translate_video(given: argparse.Namespace) -> int:
    """A video through a translator, with its sound; on standard error how much steadier it was made."""
    from gan_play.share import translating

    home = files.home(given.home)
    out = output(given.out, (".mp4",))
    if len(given.pictures) > 1 or given.mask is not None:
        raise Refused(refuse("video-one"))
    turned = {"strength": given.strength, "drawn": given.drawn, "back": given.back, "times": given.times}
    side, path, bar = translating.check_side(given.size), path_of(given.pictures[0]), Bar()
    report = translating.film(home, given.run, path, out, side, given.steady, bar.counter(), **turned)
    bar.clear()
    say(report.sentence)
    print(out)
    return 0


def follow_looks(looks: Iterator[Any], steps: int) -> Any:
    """Runs a search to its end under a bar; its last look."""
    bar, begun, first, last = Bar(), time.monotonic(), None, None
    for last in looks:
        first = last.step if first is None else first
        spent = time.monotonic() - begun
        left = spent / (last.step - first) * (steps - last.step) if last.step > first else None
        bar.show(last.step / steps, f"step {last.step} of {steps}, {last.distance:.2f} away", left)
    bar.clear()
    return last


def walk(given: argparse.Namespace) -> int:
    """A film through seeds, and through labels if asked, with its share code in an MP4's comment."""
    from gan_play.latent import film
    from gan_play.latent import sample as playing
    from gan_play.latent import walk as walking
    from gan_play.share import artwork

    home = files.home(given.home)
    out = output(given.out, tuple(f".{form}" for form in film.FORMATS))
    seeds = playing.parse_seeds(given.seeds)
    model = playing.load(home, given.run)
    path = playing.parse_labels(model, given.labels) if given.labels else []
    if len(seeds) == 1:
        seeds *= max(1, len(path))  # one seed for all labels
    work = artwork.Artwork(
        "label_walk" if path else "walk",
        model.digest,
        walking.check_stops(seeds),
        given.truncation,
        None if path else playing.find_label(model, given.label),
        labels=tuple(path),
        seconds=given.seconds,
        fps=given.fps,
        how=given.way or walking.best_way(model),
        easing=given.easing,
        loop=given.loop,
    )
    bar = Bar()
    artwork.write_film(home, model, work, out, bar.counter())
    bar.clear()
    print(out)
    return 0


def film(given: argparse.Namespace) -> int:
    """A film through keyframes; its code on standard error, and in an MP4's comment."""
    from gan_play.latent import film as filming
    from gan_play.latent import music
    from gan_play.latent import sample as playing
    from gan_play.share import artwork, films

    home = files.home(given.home)
    out = output(given.out, tuple(f".{form}" for form in filming.FORMATS))
    model = playing.load(home, given.run)
    heard = None
    if given.music is not None:
        sound = music.keep(home, Path(given.music).expanduser())
        heard = films.music_of(sound, films.parse_reactions(given.react), given.seconds)
        if sound.silent:
            say("There is nothing to hear in this sound, so nothing will move to it.")
    elif given.seconds is not None:
        raise Refused(refuse("film-no-music"))
    work = films.film(
        model,
        given.keys,
        kind=given.kind or "",
        truncation=given.truncation,
        label=given.label,
        moving=given.moves,
        sweep=given.sweep,
        loop=given.loop,
        fps=given.fps,
        grid=given.grid,
        radius=given.radius,
        music=heard,
    )
    bar = Bar()
    made = artwork.render(home, work, out.suffix.lower()[1:], bar.counter())
    bar.clear()
    files.write_atomically(out, made.film.read_bytes())
    say(made.code)
    print(out)
    return 0


# Judging


def evaluate(given: argparse.Namespace) -> int:
    """How near a run's pictures are to its set: all scores, as JSON. Seeds that nobody looks at.

    Where pictures were held back from training, KID beside these stands next to KID beside as many that were learnt:
    a model that copies is nearer to the second.
    """
    import numpy

    from gan_play.latent import sample as playing
    from gan_play.measure.features import FEATURES, see
    from gan_play.measure.scores import LEAST_FOR_INTERVAL, compare, kid_interval
    from gan_play.pictures import datasets
    from gan_play.runs import store
    from gan_play.share import export

    home = files.home(given.home)
    count = given.pictures
    if not 16 <= count <= MOST_SCORED:
        raise Refused(refuse("scored", str(count), most=MOST_SCORED))
    folder = store.find_run(home, given.run)
    if store.is_shipped(folder) and not (folder / "set").exists():
        raise Refused(refuse("no-set-kept", given.run))
    model = playing.load(home, given.run, given.which)
    weights = Path(given.weights).expanduser() if given.weights else None
    FEATURES[given.features].open(weights)  # refuses a missing network before the work
    block = datasets.open_block(folder / "set")

    def some(part: datasets.ImageSet, most: int) -> numpy.ndarray:
        return numpy.linspace(0, len(part.names) - 1, min(most, len(part.names))).round().astype(int)

    beside = block.compared
    chosen = some(beside, count)
    began, bar, fake = time.monotonic(), Bar(), []
    for done in range(count):
        left = (time.monotonic() - began) / done * (count - done) if done else None
        bar.show(done / count, f"{done} of {count} pictures", left)
        label = int(beside.labels[chosen[done * len(chosen) // count]])  # as often as among the reals
        label = label if model.generator.num_labels else None
        fake.append(playing.sample_one(model, SCORED_FROM_SEED + done, truncation=1.0, label=label))
    bar.clear()
    real, seen = (
        see(pixels, given.features, weights) for pixels in (beside.pixels[chosen], numpy.stack(fake))
    )
    held = None if beside is block else real.features
    about = {"network": given.features, "probabilities": seen.probabilities}
    scores = compare(real.features, seen.features, held, **about)
    report = {"run": given.run, "name": model.name, "step": model.step, "model": model.digest}
    report |= {"features": scores.network, "note": scores.note, "kid": scores.kid}
    report |= {"kid_low": scores.interval[0], "kid_high": scores.interval[1]}
    names = ("fid", "inception_score", "precision", "recall", "density", "coverage")
    report |= {name: getattr(scores, name) for name in names}
    report |= {"real_pictures": scores.real, "fake_pictures": scores.fake}
    report |= {"beside": "held back" if scores.held_back else "all", "held_back_pictures": block.held_back}
    if block.held_back >= LEAST_FOR_INTERVAL:
        for name, part in (("learnt", block.learnt), ("held_back", block.unseen)):
            pixels = part.pixels[some(part, min(count, block.held_back))]
            low, middle, high = kid_interval(see(pixels, given.features, weights).features, seen.features)
            report[f"kid_beside_{name}"] = {"kid": middle, "low": low, "high": high}
    if not store.is_shipped(folder):
        with contextlib.suppress(OSError):  # somebody else's folder
            files.write_json(folder / export.EVALUATION, report)  # for the model's card
    print(as_json(report | {"seconds": round(time.monotonic() - began, 1)}))
    return 0


def doctor(given: argparse.Namespace) -> int:
    """The report on a set of pictures, and which of them are odd. Nothing is kept."""
    from gan_play.pictures import datasets

    with tempfile.TemporaryDirectory(prefix="gan-play-") as folder:
        taken = follow(taking_in(given.source, Path(folder)))
        pictures = datasets.read_manifest(taken.folder)["pictures"]
        report = {**taken.report, "outliers": [pictures[i]["name"] for i in outliers(taken.folder)]}
    if given.json:
        print(as_json(report))
        return 0
    print(f"{report['accepted']:,} pictures taken in, {len(report['refused']):,} left out.")
    sizes = (f"{name} {width} x {height}" for name, (width, height) in report["sizes"].items())
    print(f"Sizes: {', '.join(sizes)}; {report['non_square']:,} are not square.")
    for name, count in report["labels"].items():
        print(f"Label {printable(name)}: {count:,}")
    for group in report["duplicates"]:
        kind = "The same" if group["exact"] else "Alike"
        spared = ", ".join(map(printable, group["drop"]))
        print(f"{kind}: {printable(group['keep'])} can stay; can be spared: {spared}")
    for name in report["outliers"]:
        print(f"Odd, far from all others: {printable(name)}")
    for refusal in report["refused"]:
        print(refusal["sentence"])
    print(report["verdict"])
    return 0


def blend(given: argparse.Namespace) -> int:
    """A new model between two that share an ancestor: a run like any other, but that no training made it."""
    from gan_play.latent import blend as blending
    from gan_play.latent import sample as playing

    home = files.home(given.home)
    shares = blending.check_shares(given.weight, **{part: getattr(given, part) for part in blending.PARTS})
    a, b = playing.load(home, given.run), playing.load(home, given.other)
    run_id = blending.make(home, a, b, shares, given.name)
    amounts = ", ".join(f"{part} {share:.0%}" for part, share in shares.items())
    say(f"{a.name} blended with {b.name}, of which it has: {amounts}.")
    kind, seeds = playing.find_label(a, None), range(6)
    shown = [playing.sample(one, seeds, label=kind) for one in (a, blending.between(a, b, shares), b)]
    if (kept := blending.contrast_kept(*shown, blending.mean_share(shares))) < blending.FADED:
        say(f"These two have grown apart: its pictures keep {kept:.0%} of the contrast.")
    print(run_id)
    return 0


# Sharing


def share(given: argparse.Namespace) -> int:
    """The share code of one picture; the model that it needs is kept for good. Or withdraws a link made here."""
    from gan_play.latent import sample as playing
    from gan_play.share import artwork, gallery

    home = files.home(given.home)
    if given.withdraw is not None:
        print(gallery.withdraw(home, None, given.withdraw))
        say("Withdrawn: it opens here no longer. Other homes, saved files and kept pictures aren't reached.")
        return 0
    if given.run is None:
        raise Refused(refuse("share-which"))
    seed = playing.check_seed(given.seed)
    model = playing.load(home, given.run)
    label = playing.find_label(model, given.label)
    work = artwork.Artwork("sample", model.digest, (seed,), given.truncation, label)
    code = artwork.share(home, work).code
    try:
        gallery.send(home, gallery.owner_of(""), code, f"{model.name}, seed {seed}")
    except Refused as refused:  # a link needs no database; only it can't be withdrawn
        if refused.refusal.reason == "withdrawn":
            raise
    print(code)
    return 0


def render(given: argparse.Namespace) -> int:
    """What a share code or link names: written to --out, and its SHA-256. A walk's PNG is its strip."""
    from gan_play.latent import film
    from gan_play.share import artwork

    home = files.home(given.home)
    work = artwork.decode(given.code)
    films = tuple(f".{form}" for form in film.FORMATS) if work.is_film else ()
    out = output(given.out, (".png", *films)) if given.out else None
    form = out.suffix.lower()[1:] if out and out.suffix.lower() in films else "mp4"
    bar = Bar()
    rendered = artwork.render(home, work, form, bar.counter())
    bar.clear()
    if out:
        made = rendered.film.read_bytes() if out.suffix.lower() in films else rendered.png
        files.write_atomically(out, made)
    say(rendered.sentence)
    print(rendered.sha256)
    return 0


def gallery(given: argparse.Namespace) -> int:
    """What was kept, as a table or JSON: searched, and in an order. At home all of it is everybody's."""
    from gan_play.share import gallery as keeping

    home = files.home(given.home)
    query = keeping.Query(given.text, given.model, given.label, given.order)
    works, count = keeping.find(home, None, query, most=MOST_LISTED if given.json else given.most)
    if given.json:
        print(as_json([keeping.as_data(work) for work in works]))
        return 0
    rows = [{**keeping.as_data(work), "liked": "yes" if work.liked else ""} for work in works]
    if rows:
        print(
            table([{**row, "name": row["name"] or row["title"]} for row in rows], ["name", "liked", "code"])
        )
    say(f"{len(rows):,} of {count:,} works.")
    return 0


def card(given: argparse.Namespace) -> int:
    """What is known of a model, as the README that the Hugging Face Hub wants; or, of a saved picture or film, what its
    own card says, and whether the file still is what it says."""
    from gan_play.share import card as cards
    from gan_play.share import export

    home, path = files.home(given.home), Path(given.what).expanduser()
    if path.suffix.lower() in cards.SUFFIXES:
        data = cards.read_file(path)
        if said := cards.read_grid(data) or cards.read_styled(data):
            same, sentence = None, cards.uncoded(said, path.name).refusal.sentence
        else:
            found = cards.read(data, path.name)
            said = cards.as_data(found)
            try:
                compared = cards.compare(home, data, found, path.name)
                same, sentence = compared.same, compared.sentence
            except Refused as refused:  # the card can be read all the same
                same, sentence = None, refused.refusal.sentence
        text = as_json(said | {"same": same, "compared": sentence})
        out = output(given.out, (".json",)) if given.out else None
    else:
        out = output(given.out, (".md",)) if given.out else None
        text = export.model_card(home, given.what)
    if out:
        files.write_atomically(out, text.encode())
    print(out or text.rstrip("\n"))
    return 0


def recipes(given: argparse.Namespace) -> int:
    """The table of recipes."""
    from gan_play.trainers.recipes import RECIPES

    rows = [
        {
            "name": row.name,
            "title": row.title,
            "sentence": row.sentence,
            "suits": row.suits,
            "paper": row.paper,
            "sizes": list(row.sizes),
            "labels": row.labels,
        }
        for row in RECIPES.values()
    ]
    if given.json:
        print(as_json(rows))
    else:
        shown = [{**row, "sizes": "-".join(map(str, (row["sizes"][0], row["sizes"][-1])))} for row in rows]
        print(table(shown, ["name", "sizes", "sentence"]))
    return 0


# The parser


class Parser(argparse.ArgumentParser):
    """argparse, with one sentence on a mistake instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        say(f"{printable(message, 120)}. {self.prog} --help shows an example.")
        raise SystemExit(REFUSED)


def parser() -> Parser:
    """All verbs with their options."""
    everything = Parser(
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="python -m gan_play",
        description="Train a GAN on your pictures, play with it, share what you find.",
        epilog="example: python -m gan_play train example:sunsets --minutes 5",
        allow_abbrev=False,
    )
    everything.add_argument("--version", action="version", version=f"GAN Play {__version__}")
    actions = everything.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)

    def verb(name: str, does: Callable[[argparse.Namespace], int], sentence: str, example: str) -> Parser:
        made = actions.add_parser(
            name,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            help=sentence,
            description=sentence[0].upper() + sentence[1:] + ".",
            epilog=f"example: python -m gan_play {name} {example}",
            allow_abbrev=False,
        )
        made.set_defaults(does=does)
        made.add_argument("--home", metavar="DIR", help="folder of runs (GAN_PLAY_HOME, else checkpoints/)")
        return made

    def until(made: Parser, minutes: str) -> None:
        either = made.add_mutually_exclusive_group()
        either.add_argument("--minutes", type=float, metavar="M", help=minutes)
        either.add_argument("--steps", type=int, metavar="N", help="train to step N")

    def truncation(made: Parser) -> None:
        made.add_argument("--truncation", default="0.7", metavar="T", help="how adventurous, 0 to 2 (0.7)")

    names = ", ".join(f"example:{name}" for name in EXAMPLES)
    made = verb("train", train, "learn from pictures", "paintings/ --minutes 10 --size 64")
    made.add_argument("source", metavar="SOURCE", help=f"a folder, a ZIP, or one of {names}")
    made.add_argument("--recipe", default="projected", metavar="NAME", help="see `recipes` (projected)")
    made.add_argument(
        "--size", type=int, default=64, metavar="PX", help="32 to 512, doubling; some recipes 28 (64)"
    )
    until(made, "train this long (10)")
    made.add_argument("--seed", default="0", metavar="S", help="of all that is random (0)")
    made.add_argument("--name", default="", metavar="TEXT", help="of the run")
    made.add_argument(
        "--start", metavar="RUN", help="begin from what this run has learnt, or `none` (the starter)"
    )
    made.add_argument(
        "--labels", action="store_true", default=None, help="learn the set's folders apart, if the recipe can"
    )
    made.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto")
    made.add_argument(
        "--fit", choices=["crop", "border", "several"], default="crop", help="non-square pictures"
    )
    made.add_argument(
        "--split", action="store_true", help="each picture is two side by side: part them into pairs"
    )
    made.add_argument(
        "--preset",
        default="",
        metavar="NAME",
        help="for pix2pix: make pairs of your pictures, by " + ", ".join(PRESETS),
    )
    made.add_argument(
        "--dial",
        action="append",
        default=[],
        metavar="NAME=X",
        help="one of the recipe's dials, as rate_g=0.5",
    )
    made.add_argument("--rights", default="", metavar="TEXT", help="in these pictures, for every card")
    made.add_argument(
        "--drop", choices=["duplicates", "outliers", "both"], help="leave out what `doctor` finds"
    )

    made = verb("resume", resume, "go on where a run stopped", "vangogh-k3f9x2 --minutes 10")
    made.add_argument("run", metavar="RUN")
    until(made, "train so much longer from here")

    made = verb("stop", stop, "save a run and stop it", "vangogh-k3f9x2")
    made.add_argument("run", metavar="RUN")

    made = verb(
        "bakeoff",
        bakeoff,
        "compare recipes on the same pictures",
        "paintings/ --recipes projected,dcgan,fastgan --minutes 5 --out bakeoff.html",
    )
    made.add_argument("source", nargs="?", metavar="SOURCE", help=f"a folder, a ZIP, or one of {names}")
    made.add_argument(
        "--recipes",
        default="projected,dcgan,fastgan",
        metavar="NAMES",
        help="two to five (projected,dcgan,fastgan)",
    )
    made.add_argument("--minutes", type=float, default=5, metavar="M", help="of training, each (5)")
    made.add_argument("--size", type=int, default=64, metavar="PX", help="that all of them can do (64)")
    made.add_argument("--seed", default="0", metavar="S", help="of all that is random (0)")
    made.add_argument("--name", default="", metavar="TEXT", help="of the bake-off")
    made.add_argument("--labels", action="store_true", help="learn the set's folders apart, where one can")
    made.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto")
    made.add_argument(
        "--fit", choices=["crop", "border", "several"], default="crop", help="non-square pictures"
    )
    made.add_argument("--resume", metavar="ID", help="go on with one that was stopped")
    made.add_argument("--out", required=True, metavar="FILE.html", help="the page that compares them")

    made = verb("runs", runs, "list the runs", "--json")
    made.add_argument("--json", action="store_true")

    made = verb("sample", sample, "paint seeds", "starter-64 --seeds 0-35 --out grid.png")
    made.add_argument("run", metavar="RUN")
    made.add_argument("--seeds", metavar="SEEDS", help="7, 1,5,9 or 0-35 (0-35; of all labels 0-7)")
    truncation(made)
    made.add_argument("--label", metavar="L", help="name or number of a label, or `all`: a row for each")
    made.add_argument("--out", required=True, metavar="FILE.png|FOLDER/", help="a grid, or one PNG a seed")

    made = verb("mix", mix, "mix the styles of seeds", "starter-64 --rows 1-4 --cols 5-9 --out mix.png")
    made.add_argument("run", metavar="RUN")
    made.add_argument("--rows", required=True, metavar="SEEDS", help="these give the band")
    made.add_argument("--cols", required=True, metavar="SEEDS", help="these give the rest")
    made.add_argument("--band", default="coarse", metavar="BAND", help="coarse, middle or fine (coarse)")
    truncation(made)
    made.add_argument("--label", metavar="L", help="name or number of a label")
    made.add_argument("--out", required=True, metavar="FILE.png")

    made = verb("breed", breed, "breed children", "starter-64 --parent 7 --hold coarse --out brood.png")
    made.add_argument("run", metavar="RUN")
    made.add_argument("--parent", required=True, metavar="SEED|CODE", help="the picture that is bred")
    made.add_argument(
        "--cross", metavar="SEED|CODE", help="a second one: a row of pictures from one to the other"
    )
    made.add_argument("--strength", default="0.3", metavar="S", help="how far children go, 0 to 1 (0.3)")
    made.add_argument(
        "--hold", default="", metavar="BANDS", help="what stays: coarse, middle, fine; with commas"
    )
    made.add_argument(
        "--seeds", default="1000-1011", metavar="SEEDS", help="which children, one for each (1000-1011)"
    )
    made.add_argument("--truncation", metavar="T", help="how adventurous, 0 to 2 (that of the code, or 0.7)")
    made.add_argument(
        "--label", metavar="L", help="name or number of a label, of parents given by their seed"
    )
    made.add_argument("--out", required=True, metavar="FILE.png|FOLDER/", help="a grid, or one PNG a child")

    made = verb(
        "steer", steer, "more light, less detail", "starter-64 --picture 7 --by light=1.5 --out light.png"
    )
    made.add_argument("run", metavar="RUN")
    made.add_argument("--picture", required=True, metavar="SEED|CODE", help="the picture that is steered")
    named = "light, warmth, saturation, hue, contrast, detail, symmetry, horizon, busyness"
    made.add_argument(
        "--by",
        required=True,
        metavar="NAME=N,..",
        help=f"amounts from -3 to 3: {named}; or directions of the model's own, as in sefa2=1,pca1@coarse=-1",
    )
    made.add_argument("--truncation", metavar="T", help="how adventurous, 0 to 2 (that of the code, or 0.7)")
    made.add_argument(
        "--label", metavar="L", help="name or number of a label, of a picture given by its seed"
    )
    made.add_argument("--out", required=True, metavar="FILE.png")

    made = verb(
        "directions", directions, "what a model can be steered by", "starter-64 --picture 7 --out strips.png"
    )
    made.add_argument("run", metavar="RUN")
    made.add_argument("--count", type=int, default=8, metavar="N", help="how many, the strongest first (8)")
    made.add_argument("--picture", default="0", metavar="SEED|CODE", help="what the strips show (0)")
    made.add_argument("--truncation", metavar="T", help="how adventurous, 0 to 2 (that of the code, or 0.7)")
    made.add_argument(
        "--label", metavar="L", help="name or number of a label, of a picture given by its seed"
    )
    made.add_argument(
        "--rename", action="append", default=[], metavar="D=NAME", help="as in sefa2@fine=Dusk; also keeps it"
    )
    made.add_argument("--reset", action="append", default=[], metavar="D", help="back to its proposed name")
    made.add_argument("--out", metavar="FILE.png", help="a strip for each, from -3 to 3")
    made.add_argument("--json", action="store_true")
    made = verb("project", project, "find your own picture in a model", "starter-64 me.jpg --out found.png")
    made.add_argument("run", metavar="RUN")
    made.add_argument("picture", metavar="FILE", help="any picture; what isn't square is cropped")
    made.add_argument(
        "--mask", metavar="FILE", help="of its size: white is to be met, black the model paints"
    )
    made.add_argument("--steps", default="300", metavar="N", help="of the search (300)")
    made.add_argument("--out", required=True, metavar="FILE.png")

    made = verb(
        "palette",
        palette,
        "paint a picture in other colours",
        "starter-64 --picture 7 --towards sunset.jpg --out warm.png",
    )
    made.add_argument("run", metavar="RUN")
    made.add_argument("--picture", required=True, metavar="SEED|CODE", help="the picture to start from")
    made.add_argument(
        "--towards", required=True, metavar="FILE|COLOURS", help="a picture, or as in #1a2b3c,#ffffff"
    )
    made.add_argument(
        "--label", metavar="L", help="name or number of a label, of a picture given by its seed"
    )
    made.add_argument("--out", required=True, metavar="FILE.png")

    made = verb(
        "style",
        style,
        "paint a picture in the style of others",
        "house.jpg --style starry.jpg --out painted.png",
    )
    made.add_argument("content", metavar="CONTENT", help="the picture to paint anew; it keeps its shape")
    made.add_argument(
        "--style", nargs="+", default=[], metavar="FILE", help="one to eight pictures to paint like"
    )
    made.add_argument("--set", default="", metavar="ID", help="a set to paint like: four pictures of it")
    made.add_argument(
        "--weights", nargs="+", default=[], metavar="N", help="how much each of these counts, 0 to 100"
    )
    made.add_argument(
        "--instant",
        action="store_true",
        help="at once, by a trained decoder: rougher, within seconds at 256 px",
    )
    made.add_argument(
        "--size", default="256", metavar="PX", help="of the longer side, 64 to 512, at once 2048 (256)"
    )
    made.add_argument("--strength", default="1", metavar="S", help="of the style, 0 to 2 (1)")
    made.add_argument("--scale", default="1", metavar="S", help="how coarse the brushwork is, 0.25 to 2 (1)")
    made.add_argument(
        "--keep-colours", action="store_true", help="those of CONTENT stay; only brushes change"
    )
    made.add_argument(
        "--mask", metavar="FILE", help="of CONTENT's size: white gets the style, black stays to the byte"
    )
    made.add_argument(
        "--elsewhere", nargs="+", default=[], metavar="FILE", help="a second style, where the mask is black"
    )
    made.add_argument("--out", required=True, metavar="FILE.png")

    made = verb(
        "translate",
        translate,
        "paint pictures with a trained translator",
        "starter-sketch drawing.png --drawn --out painting.png",
    )
    made.add_argument("run", metavar="RUN")
    made.add_argument("pictures", nargs="+", metavar="PICTURE", help="files, folders of them, or a video")
    made.add_argument(
        "--strength", default="1", metavar="S", help="0 the picture itself, 1 the painting, 2 beyond it (1)"
    )
    made.add_argument(
        "--size",
        default="2048",
        metavar="PX",
        help="its longer side is brought down to (2048; a video's: 512)",
    )
    made.add_argument(
        "--drawn", action="store_true", help="it is a drawing already: a sketch's lines, or flat colours"
    )
    made.add_argument("--mask", metavar="FILE", help="of the picture's size: white is painted, black stays")
    made.add_argument("--times", type=int, choices=[2, 4], help="of a translator that enlarges (2)")
    made.add_argument("--back", action="store_true", help="of one that goes both ways, the second")
    made.add_argument(
        "--steady", default="0.85", metavar="S", help="a video's: how much is kept where nothing moves (0.85)"
    )
    made.add_argument(
        "--out",
        required=True,
        metavar="FILE.png|FOLDER/|FILE.mp4",
        help="or a PNG for each picture, or a film of a video",
    )

    made = verb("walk", walk, "film a walk through seeds", "starter-64 --seeds 1,5,9 --loop --out walk.mp4")
    made.add_argument("run", metavar="RUN")
    made.add_argument("--seeds", required=True, metavar="SEEDS", help="two to twelve, or one with --labels")
    made.add_argument("--seconds", default="8", metavar="S", help="length (8)")
    made.add_argument("--fps", default="24", metavar="F", help="frames a second (24)")
    made.add_argument("--way", metavar="w|z", help="through the styles or the noise (what suits the model)")
    made.add_argument(
        "--easing", default="smooth", metavar="NAME", help="linear, smooth, gentle or linger (smooth)"
    )
    made.add_argument("--loop", action="store_true", help="end where it began")
    truncation(made)
    either = made.add_mutually_exclusive_group()
    either.add_argument("--label", metavar="L", help="name or number of a label")
    either.add_argument(
        "--labels", metavar="A,B,C", help="one for each seed, or one seed through all of these"
    )
    made.add_argument("--out", required=True, metavar="FILE.mp4|.gif|.webp|.zip")

    made = verb(
        "film",
        film,
        "film keyframes, each with its own time",
        'starter-64 --keys "1:2s,5:1.5s:hold=0.5,9" --loop --out film.mp4',
    )
    made.add_argument("run", metavar="RUN")
    made.add_argument(
        "--keys",
        required=True,
        metavar="KEYS",
        help="SEED or CODE each, commas between; then, after colons: seconds to the next (2s), "
        "hold=SECONDS, an easing (linear, smooth, gentle, linger), label=L",
    )
    made.add_argument(
        "--kind",
        metavar="KIND",
        help="linear (styles), spherical (noise), breathe (a small circle of noise at each rest), circle "
        "(round the sphere, through one seed or two); what suits the model",
    )
    made.add_argument(
        "--moves", default="", metavar="BANDS", help="what moves: coarse, middle, fine; with commas (all)"
    )
    made.add_argument(
        "--sweep",
        default="",
        metavar="NAME=A..B,..",
        help="what changes from the first frame to the last, of a loop to the middle and back: truncation=0.2..1.2, "
        "light=-1..2",
    )
    made.add_argument(
        "--radius", type=float, default=0.0, metavar="R", help="how far it breathes, 0 to 1 (0.2)"
    )
    made.add_argument(
        "--music", metavar="FILE", help="WAV, MP3, FLAC or Ogg: the film is as long, and an MP4 carries it"
    )
    made.add_argument(
        "--react",
        default="speed=onset",
        metavar="WHAT=HEARD:N,..",
        help="what music does: speed (0 to 1), truncation (-1 to 1), an attribute or a direction (-3 to 3) by "
        "onset, loudness, low, mid or high (speed=onset:0.5)",
    )
    made.add_argument("--seconds", metavar="S", help="of the music, from its beginning (all)")
    made.add_argument("--fps", default="24", metavar="F", help="frames a second (24)")
    made.add_argument(
        "--grid", type=int, default=1, metavar="N", help="N by N walks side by side, 1 to 3 (1)"
    )
    made.add_argument("--loop", action="store_true", help="go back to the first keyframe")
    truncation(made)
    made.add_argument("--label", metavar="L", help="name or number of a label, where a keyframe names none")
    made.add_argument("--out", required=True, metavar="FILE.mp4|.gif|.webp|.zip")

    made = verb(
        "blend", blend, "blend two models that share an ancestor", "RUN_A RUN_B --weight 0.5 --fine 1"
    )
    made.add_argument("run", metavar="RUN_A")
    made.add_argument("other", metavar="RUN_B")
    made.add_argument("--weight", default="0.5", metavar="W", help="how much of RUN_B, 0 to 1 (0.5)")
    for part, what in (
        ("coarse", "in the layers of composition"),
        ("middle", "in those of form"),
        ("fine", "in those of colour"),
        ("mapping", "in what each seed stands for"),
    ):
        made.add_argument(f"--{part}", metavar="W", help=f"{what} (as --weight)")
    made.add_argument("--name", default="", metavar="TEXT", help="of the new model")

    made = verb("evaluate", evaluate, "score a run against its set", "vangogh-k3f9x2")
    made.add_argument("run", metavar="RUN")
    made.add_argument("--pictures", type=int, default=500, metavar="N", help="how many (500)")
    made.add_argument("--which", choices=["latest", "best"], default="latest", help="checkpoint (latest)")

    made.add_argument(
        "--features",
        choices=["lite2", "inception"],
        default="lite2",
        help="network to look through: lite2, offline, or that of published FIDs (lite2)",
    )
    made.add_argument("--weights", metavar="FILE", help="of inception, where PyTorch's cache has none")

    made = verb("doctor", doctor, "report on a set of pictures", "paintings/ --json")
    made.add_argument("source", metavar="SOURCE", help=f"a folder, a ZIP, or one of {names}")
    made.add_argument("--json", action="store_true")

    made = verb("share", share, "print the share code of a picture", "starter-64 --seed 7")
    made.add_argument("run", nargs="?", metavar="RUN")
    made.add_argument("--seed", default="0", metavar="S")
    truncation(made)
    made.add_argument("--label", metavar="L", help="name or number of a label")
    made.add_argument("--withdraw", metavar="CODE|LINK", help="take back a link that was made here")

    made = verb("render", render, "paint what a share code names", "CODE --out picture.png")
    made.add_argument("code", metavar="CODE", help="a share code, or a whole link")
    made.add_argument("--out", metavar="FILE.png")

    made = verb("gallery", gallery, "list what was kept", "dusk --order liked --json")
    made.add_argument(
        "text", nargs="?", default="", metavar="WORDS", help="to look for in names, titles, notes"
    )
    made.add_argument("--model", default="", metavar="NAME", help="of the run")
    made.add_argument("--label", default="", metavar="NAME")
    made.add_argument("--order", default="newest", metavar="O", help="newest, oldest, liked or name (newest)")
    made.add_argument("--most", type=int, default=50, metavar="N", help="in the table (50)")
    made.add_argument("--json", action="store_true")

    made = verb("card", card, "a model's card, or that in a saved picture", "starter-64 --out README.md")
    made.add_argument(
        "what", metavar="RUN|FILE", help="a run, or a PNG, GIF, WebP or MP4 that was saved here"
    )
    made.add_argument("--out", metavar="FILE.md|.json", help="instead of printing it")

    made = verb("recipes", recipes, "list the recipes", "--json")
    made.add_argument("--json", action="store_true")
    return everything


def verbs() -> list[str]:
    """The names of all verbs, in the order of the help."""
    return [name for action in parser()._actions if action.dest == "verb" for name in action.choices]


def main(arguments: list[str] | None = None) -> int:
    """Does what the command line says; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name in Chinese on an ASCII terminal
    try:
        given = parser().parse_args(arguments)
        if given.verb in ("train", "resume") and "RANK" in os.environ:  # as `torchrun` says it
            from gan_play.runs import worker

            if worker.is_other():
                return worker.follow()
        return given.does(given)
    except SystemExit as end:
        return end.code or 0
    except Refused as refused:
        say(refused.refusal.sentence)
        return REFUSED
    except KeyboardInterrupt:
        say("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:  # `runs | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("GAN_PLAY_DEBUG"):
            raise
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            say(refuse("disk-full", megabytes=round(limits.FREE_BYTES_KEPT / limits.MB)).sentence)
            return REFUSED
        say("Something went wrong inside GAN Play. Set GAN_PLAY_DEBUG=1 and try again to see what and where.")
        return FAILED
