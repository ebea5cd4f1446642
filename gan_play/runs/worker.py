"""The training process: `python -m gan_play.runs.worker RUN_FOLDER`. The only writer of a run while it trains.

Promises: it lives in its own process group, so that it survives the server and a closed terminal; never do two
train one run, nor two runs in one home at a time; killed at any moment it loses at most one save interval, and
what goes on later is bit-identical to what would have been; asked to end (SIGTERM), it saves and ends within one
step and a few seconds; whatever goes wrong, the run says so in a sentence.

Everything that is not a step happens by the clock here and changes nothing in the mathematics: grids, numbers,
states, scores, and hearing what people want (`store.ask`).
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import errno
import json
import math
import os
import signal
import subprocess
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

import psutil
from filelock import FileLock, Timeout

from gan_play import files, limits
from gan_play.refusals import Refused
from gan_play.runs import labels, store, translated
from gan_play.trainers import memory

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from gan_play.pictures.datasets import ImageSet
    from gan_play.runs.checkpoints import State
    from gan_play.runs.checkup import Checkup, Findings
    from gan_play.trainers.loop import Tick, Training
    from gan_play.trainers.recipes import Settings

NICE = 10  # the page stays quick while a run trains
WISH_SECONDS = 0.5  # between two looks at what people want
STATS_SECONDS = 2.0  # between two lines of stats.jsonl
FIRST_GRID_SECONDS = 1.5  # after the grid of the very beginning, and what was measured since
GRID_SECONDS = 8.0  # between two grids: at least one in 10 s, steps of 2 s included
SAVE_SECONDS = 20.0  # between two states; `save_seconds` in run.json says otherwise
MOST_SHARE = 0.05  # of the time for scores, and for grids and states where these are slow
GRID_COLUMNS = 6
GRID_GAP_PX = 2
GRID_TRUNCATION = 0.7  # as Play shows a seed at first, so that a tile is the picture one gets by clicking it
GRIDS_KEPT = 600  # then every second one of the older half goes: 90 minutes fully, a night at longer steps
SCORED_PICTURES = 300  # reals and fakes of one KID
SCORED_AT_ONCE = 12  # pictures between two looks at the clock
SCORED_SEEDS_FROM = 1_000_000  # none that anybody looks at
LOST = "One of its processes ended unexpectedly. Go on when you like, from its last saved state."
LEAST_SHARED_PX = 128  # steps of smaller pictures are over before their sums are sent (docs/scaling.md)
MOST_ROLLBACKS = 3  # then it isn't bad luck
MOST_ATTEMPTS = 5  # starts without a single state saved: then something is wrong that starting won't mend
RESERVE_BYTES = 64_000  # kept on the disk, so that a full disk can still be written down
LOG_BYTES = 1 * limits.MB  # of worker.log, of which the end is kept
RUN_LOCK_SECONDS = 15  # how long a worker waits for its predecessor to be gone


class Leave(Exception):
    """The run is to be left now, in this state, for this reason."""

    def __init__(self, state: str, sentence: str = "") -> None:
        super().__init__(state)
        self.state, self.sentence = state, sentence


class Astray(Exception):
    """A number is no longer finite: the last good state has to be taken again."""


class Remedied(Exception):
    """Somebody asked for a remedy: the stint is to begin anew with it."""


class Ending:
    """SIGTERM and Ctrl-C: they end the process at once, but while it is `patient` they are heard after a step."""

    def __init__(self) -> None:
        self.asked = False
        self.patient = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if not self.patient:
            raise SystemExit(0)


# Leaving a state that others can read


LEFT_BY = {"pause": "paused", "stop": "stopped"}
"""The state that a wish leads to."""

AFTER = {"paused": "pause", "stopped": "stop", "finished": "stop", "failed": "stop"}
"""What counts as wished once a run was left in a state, so that nothing starts it again by itself."""


def settle(
    folder: Path, state: str, sentence: str = "", still: Callable[[dict, str], bool] | None = None
) -> bool:
    """Writes that the run was left in `state`; from then on it has no worker.

    `still(run, wish)` is asked under the lock whether the reason to leave holds: somebody may have pressed "go on"
    in the meantime. False if not, and then nothing is written.
    """
    with store.changing(folder) as run:
        if still is not None and not still(run, store.wish_of(folder)):
            return False
        run |= {"state": state, "sentence": sentence}
        files.write_json(folder / "wanted.json", {"wish": AFTER[state]})
        # Before its worker is gone: a run that trains without one counts as interrupted.
        files.write_json(folder / "run.json", run)
        (folder / "worker.json").unlink(missing_ok=True)
    return True


def note(folder: Path, state: str, sentence: str = "", **changes: object) -> None:
    """Writes what the run is doing now."""
    with store.changing(folder) as run:
        run |= {"state": state, "sentence": sentence, **changes}


def _is_disk_full(error: BaseException) -> bool:
    full = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
    return isinstance(error, OSError) and error.errno in full


# What a run shows of itself


def paint_tiles(average: nn.Module) -> Iterator[np.ndarray]:
    """The pictures of the fixed seeds by an averaged generator, a few at a time: (B, S, S, 3) uint8.

    In float32, as Play does, but several at once and on the generator's device: a tile may differ from the picture
    that Play shows of its seed in the last bit of a pixel. Where it was taught labels, each row has one of them
    (`labels.of_tiles`). Touches no random state and no training tensor.
    """
    import torch

    from gan_play.models.seeds import noise_of, z_of
    from gan_play.pictures import images
    from gan_play.trainers.loop import fixed_seeds

    seeds, device = list(fixed_seeds), average.w_mean.device
    shown = labels.of_tiles(average.num_labels, len(seeds), GRID_COLUMNS)
    at_once = max(1, min(len(seeds), 12 * 64 * 64 // average.size_px**2))  # large ones one by one: memory
    for i in range(0, len(seeds), at_once):
        some = seeds[i : i + at_once]
        with torch.inference_mode():
            label = None if shown is None else torch.tensor(shown[i : i + at_once], device=device)
            ws, centre = average.mapping(z_of(some, average.z_dim).to(device), label), average.centre(label)
            ws = centre + GRID_TRUNCATION * (ws - centre)
            noise = [level.to(device) for level in noise_of(average, some)]
            pixels = images.to_pixels(average.synthesis(ws, noise or None))
        yield pixels


def write_grid(folder: Path, average: nn.Module, step: int, sides: translated.Sides | None = None) -> Path:
    """Paints the fixed seeds by an averaged generator and writes `samples/step-000123.webp`.

    A translator is shown at work on `sides`.
    """
    import numpy as np

    from gan_play.pictures import images

    if sides is None:
        tiles = np.concatenate([*paint_tiles(average)])
    else:
        tiles = translated.tiles(average, sides)
    pixels = images.grid(tiles, GRID_COLUMNS, GRID_GAP_PX)
    path = store.grid_path(folder, step)
    files.write_atomically(path, images.encode(pixels, "webp", quality=90))
    return path


def show_start(folder: Path, start: State, pictures: ImageSet) -> None:
    """Paints the grid of step 0 before anything is measured: a run that starts from another begins as its average."""
    from gan_play.runs import checkpoints
    from gan_play.trainers.recipes import build_generator

    settings = checkpoints.settings_of(start.header)
    average = build_generator(settings).eval().requires_grad_(False)
    average.load_state_dict(checkpoints.averaged(start.tensors))
    write_layout(folder, settings, average)
    write_grid(folder, average, 0, sides_for(settings, pictures))


def sides_for(settings: Settings, pictures: ImageSet) -> translated.Sides | None:
    """The pictures that a translator's grids show it at work on; None for one that paints."""
    return translated.shown(settings, pictures) if translated.is_translator(settings) else None


def write_layout(folder: Path, settings: Settings, average: nn.Module) -> None:
    """Writes `samples/seeds.json`: what stands where in every grid."""
    if translated.is_translator(settings):
        write_seeds(folder, settings.size_px, rows=translated.rows_of(average, settings))
    else:
        write_seeds(folder, settings.size_px, average.num_labels)


def write_seeds(folder: Path, size_px: int, num_labels: int = 0, rows: list[str] | None = None) -> None:
    """Writes `samples/seeds.json`: which seed, and which label, made which tile of every grid.

    Of a translator's, what stands in which of its `rows`, in turn.
    """
    from gan_play.trainers.loop import fixed_seeds

    (folder / "samples").mkdir(exist_ok=True)
    layout = {"columns": GRID_COLUMNS, "tile_px": size_px, "gap_px": GRID_GAP_PX}
    layout |= {"seeds": [] if rows else list(fixed_seeds), "truncation": GRID_TRUNCATION}
    layout["labels"] = labels.of_tiles(num_labels, len(fixed_seeds), GRID_COLUMNS)
    layout |= {"rows": rows} if rows else {}
    files.write_json(folder / "samples" / "seeds.json", layout)


def thin_grids(folder: Path) -> None:
    """Removes every second one of the older half of the grids where there are too many; the first one stays."""
    steps = store.grids(folder)
    if len(steps) > GRIDS_KEPT:
        for step in steps[1 : len(steps) // 2 : 2]:
            store.grid_path(folder, step).unlink(missing_ok=True)


def trim_stats(folder: Path, step: int) -> float:
    """Drops the lines of `stats.jsonl` beyond `step`, which will be made again; returns all seconds ever spent."""
    lines = files.read_lines_json(folder / "stats.jsonl")
    spent = max(
        (line.get("seconds", 0.0) for line in lines if isinstance(line.get("step"), int)), default=0.0
    )
    kept = [line for line in lines if isinstance(line.get("step"), int) and line["step"] <= step]
    if len(kept) < len(lines):
        text = "".join(json.dumps(line) + "\n" for line in kept)
        files.write_atomically(folder / "stats.jsonl", text.encode())
    return spent


def trim_log(folder: Path) -> None:
    """Keeps the end of a `worker.log` that has grown large."""
    path = folder / "worker.log"
    with contextlib.suppress(OSError):
        if path.stat().st_size > LOG_BYTES:
            files.write_atomically(path, path.read_bytes()[-LOG_BYTES // 4 :])


# The score, in small pieces


class Scored(NamedTuple):
    """What a snapshot is worth: its state file, its KID, what the checkup found (None without one), and the KID's
    95% interval."""

    path: Path
    kid: float
    found: Findings | None = None
    interval: tuple[float, float] | None = None


def scoring(
    training: Training, pictures: ImageSet, keep: Callable[[], Path], checkup: Checkup | None = None
) -> Iterator[Scored | None]:
    """Scores one snapshot of the averaged generator after another: None after each piece of work, and `Scored`
    after each snapshot. `keep` saves the state that is about to be scored and returns its file.

    KID is unbiased for any number of pictures but scatters with few, so it is taken beside the pictures held back
    from training where these are enough (`ImageSet.compared`); variety always beside the whole set, since it needs
    as many reals as paintings.
    """
    import numpy as np
    import torch

    from gan_play.measure.features import features
    from gan_play.measure.scores import kid_interval
    from gan_play.models.seeds import noise_of, z_of
    from gan_play.pictures import images
    from gan_play.trainers.loop import fixed_seeds

    def of_some(pixels: np.ndarray, found: list[np.ndarray]) -> Iterator[None]:
        some = np.linspace(0, len(pixels) - 1, min(SCORED_PICTURES, len(pixels))).round().astype(int)
        for i in range(0, len(some), SCORED_AT_ONCE):
            found.append(features(pixels[some[i : i + SCORED_AT_ONCE]]))
            yield None

    real, compared = [], pictures.compared
    yield from of_some(pictures.pixels, real)
    beside = real
    if compared is not pictures:
        beside = []
        yield from of_some(compared.pixels, beside)
    device, num_labels = training.settings.device, training.settings.num_labels
    kinds = None
    if num_labels:  # as frequent as in what they are compared with
        found = np.bincount(compared.labels, minlength=num_labels).tolist()
        kinds = torch.tensor(labels.like(found, SCORED_PICTURES))
    while True:
        path, average, fake = keep(), copy.deepcopy(training.average), []
        step = training.step
        for i in range(0, SCORED_PICTURES, SCORED_AT_ONCE):
            seeds = range(SCORED_SEEDS_FROM + i, SCORED_SEEDS_FROM + i + SCORED_AT_ONCE)
            with torch.inference_mode():
                noise = [level.to(device) for level in noise_of(average, seeds)]
                label = None if kinds is None else kinds[i : i + SCORED_AT_ONCE].to(device)
                ws = average.mapping(z_of(seeds, average.z_dim).to(device), label)
                painted = images.to_pixels(average.synthesis(ws, noise or None))
            fake.append(features(painted))
            yield None
            if checkup is not None:
                checkup.take(painted, first=not i)
                yield from checkup.advance()
        low, middle, high = kid_interval(np.concatenate(beside), np.concatenate(fake))
        scored = Scored(path, middle, interval=(low, high))
        if checkup is not None:
            tiles = []
            for some in paint_tiles(average):
                tiles.append(some)
                yield None
            yield from checkup.search(np.concatenate(tiles), list(fixed_seeds), step)
            for found in checkup.finish(np.concatenate(real), np.concatenate(fake)):
                if found is None:
                    yield None
                else:
                    scored = scored._replace(found=found)
        yield scored


# Training


class Stint:
    """One process's work on a run, from a state until there is a reason to leave: steps, and chores by the clock."""

    def __init__(self, folder: Path, training: Training, pictures: ImageSet, ending: Ending) -> None:
        run = store.read_run(folder) or {}
        self.folder, self.training, self.pictures, self.ending = folder, training, pictures, ending
        self.minutes, self.steps = run.get("minutes"), run.get("steps")
        self.set_digest = run.get("set", {}).get("digest", "")
        self.spent_before = trim_stats(folder, training.step)
        self.started = time.monotonic()
        self.recent = deque([(0.0, training.step)], maxlen=6)  # (second, step): the speed of the last 10 s
        self.sides = sides_for(training.settings, pictures)
        self.numbers: dict[str, float | None] = {}
        self.spared: set[str] = set()  # the state that is being scored
        self.saved_step: int | None = None
        self.save_seconds = run.get("save_seconds", SAVE_SECONDS)
        self.wish_due, self.stats_due = 0.0, 0.0
        self.grid_due, self.save_due = FIRST_GRID_SECONDS, self.save_seconds
        self.scores = self.begin_scoring() if run.get("scores", True) else None
        self.seconds_scored = 0.0
        self.leaks = 0  # evaluations in a row in which augmentation showed

    def begin_scoring(self) -> Iterator[Scored | None]:
        """The scores of this stint, with a checkup at each. What the checkup needs is loaded at the first piece."""
        import numpy as np

        from gan_play.runs.checkup import Checkup

        if self.sides is not None:
            yield None
            yield from translated.scoring(self.training, self.pictures, self.save_for_score)
            return
        learnt, unseen = self.pictures.learnt.pixels, self.pictures.unseen.pixels
        checkup = Checkup(self.folder, learnt, np.arange(len(learnt)), self.pictures.digest, unseen)
        yield None
        yield from scoring(self.training, self.pictures, self.save_for_score, checkup)

    def now(self) -> float:
        """Seconds since this stint began."""
        return time.monotonic() - self.started

    def seconds(self) -> float:
        """Seconds that the run has been trained for, earlier stints included."""
        return self.spent_before + self.now()

    def work(self) -> None:
        """Trains until there is a reason to leave (raises Leave) or the numbers go astray (raises Astray)."""
        from gan_play.trainers import ranks
        from gan_play.trainers.loop import train

        self.save()
        self.grid()
        self.check_limit()
        on_cpu = self.training.settings.device == "cpu"
        learnt = self.pictures.learnt
        with contextlib.closing(train(self.training, learnt.pixels, learnt.labels)) as ticks:
            try:
                for tick in ticks:
                    # Reading a number makes a GPU wait, so there not each step is looked at; what is saved always is.
                    look = on_cpu or tick.step % 16 == 0 or self.now() >= self.stats_due
                    if look and not self.read_numbers(tick):
                        raise Astray
                    self.do_chores()
            except ranks.Lost:
                if not ranks.short_anywhere():
                    self.leave("paused", LOST)  # between two steps: nothing is lost
                raise

    def read_numbers(self, tick: Tick) -> bool:
        """Takes over the numbers of a step; whether all are finite."""
        self.numbers = {name: float(value) for name, value in tick.numbers.items()}
        return all(math.isfinite(value) for value in self.numbers.values())

    def do_chores(self) -> None:
        """What is due by the clock, after a step."""
        if self.ending.asked:
            self.leave("paused", "The computer asked it to end. All is saved: go on when you like.")
        if self.now() >= self.wish_due:
            self.hear()
        self.check_limit()
        if self.now() >= self.stats_due:
            self.write_stats()
        if self.now() >= self.grid_due:
            self.grid()
        if self.now() >= self.save_due:
            self.save()
        if self.scores is not None and self.seconds_scored < MOST_SHARE * self.now():
            self.score()

    def hear(self) -> None:
        """Looks what people want: pause, stop, or another limit."""
        self.wish_due = self.now() + WISH_SECONDS
        run = store.read_run(self.folder)
        if run is None:
            raise Leave("damaged")
        self.minutes, self.steps = run["minutes"], run["steps"]
        if run.get("remedy"):
            raise Remedied
        wish = store.wish_of(self.folder)
        if wish != "train":
            self.leave(LEFT_BY[wish], still=lambda _run, wish_now: wish_now == wish)

    def over(self, minutes: float | None, steps: int | None) -> bool:
        """Whether a limit is reached."""
        if steps is not None:
            return self.training.step >= steps
        return minutes is not None and self.seconds() >= minutes * 60

    def check_limit(self) -> None:
        """Leaves when the limit is reached; to the step, where it is in steps."""
        if self.over(self.minutes, self.steps):
            self.judge_last()
            self.leave("finished", still=lambda run, _wish: self.over(run["minutes"], run["steps"]))
            self.hear()  # still here: somebody raised the limit

    def judge_last(self) -> None:
        """Scores a run of a bake-off when its minutes are over, once. That isn't counted as training."""
        from gan_play.runs import bakeoff, judge

        run = store.read_run(self.folder) or {}
        if not run.get("bakeoff") or judge.final(self.folder) is not None:
            return
        self.save()
        note(self.folder, "training", "Scoring its last paintings.")
        others = bakeoff.folders(self.folder.parent, run["bakeoff"])
        pieces = judge.judging(self.folder, self.training, self.pictures, self.seconds(), others)
        began, more = self.now(), True
        while more:
            try:
                more = next(pieces, False) is None
            except OSError:
                raise
            except Exception:  # then it ends without a score
                traceback.print_exc()
                more = False
            self.started += self.now() - began
            if self.ending.asked:
                self.leave("paused", "The computer asked it to end. All is saved: go on when you like.")
            self.hear()
        note(self.folder, "training", "")

    def leave(self, state: str, sentence: str = "", still: Callable[[dict, str], bool] | None = None) -> None:
        """Saves all and leaves, if the reason `still` holds once all is saved."""
        self.save()
        if not self.ending.asked:  # then every second counts
            self.grid()
        self.write_stats()
        if settle(self.folder, state, sentence, still):
            raise Leave(state, sentence)

    def write_stats(self, news: dict[str, float] | None = None) -> None:
        """Appends a line to `stats.jsonl`, with the `news` of a score in it."""
        now, step, batch = self.now(), self.training.step, self.training.settings.images_a_step
        self.stats_due = now + STATS_SECONDS
        before, step_before = self.recent[0]
        rate = (step - step_before) * batch / max(now - before, 1e-6)
        self.recent.append((now, step))
        line = {"step": step, "images_seen": step * batch, "seconds": round(self.seconds(), 2)}
        line["images_per_second"] = round(rate, 2)
        line |= {name: _short(value) for name, value in {**self.numbers, **(news or {})}.items()}
        files.append_line(self.folder / "stats.jsonl", json.dumps(line, allow_nan=False))

    def grid(self) -> None:
        """Paints the grid of this step, and plans the next one so that grids take at most a share of the time."""
        began = self.now()
        if not store.grid_path(self.folder, self.training.step).exists():
            write_grid(self.folder, self.training.average, self.training.step, self.sides)
            thin_grids(self.folder)
        cost = self.now() - began
        wait = FIRST_GRID_SECONDS if began < FIRST_GRID_SECONDS else GRID_SECONDS
        self.grid_due = self.now() + max(wait, cost / MOST_SHARE)

    def save(self) -> Path:
        """Saves the state of this step, and plans the next saving. Astray if a number isn't finite."""
        from gan_play.runs import checkpoints

        began, training = self.now(), self.training
        path = self.folder / f"state-{training.step:08d}.safetensors"
        if self.saved_step != training.step:
            header = checkpoints.make_header(training.settings, self.set_digest, training.step)
            try:
                path = checkpoints.save(self.folder, training.step, training.tensors(), header, self.spared)
            except Refused as refused:
                if refused.refusal.reason == "not-finite":
                    raise Astray from None
                raise
            if self.saved_step is None or self.saved_step < training.step:
                _forget_attempts(self.folder)
            self.saved_step = training.step
            (self.folder / "started-from.safetensors").unlink(missing_ok=True)
        cost = self.now() - began
        self.save_due = self.now() + max(self.save_seconds, cost / MOST_SHARE)
        trim_own_log()
        return path

    def save_for_score(self) -> Path:
        """Saves the state that is about to be scored and spares it from pruning, in case it is the best.

        Its grid is painted too, so that its tiles can be shown beside what is nearest to them.
        """
        path = self.save()
        self.spared = {path.name}
        self.grid()
        return path

    def score(self) -> None:
        """Does one piece of the scoring. If that fails, the run goes on without scores."""
        from gan_play.runs import checkpoints

        began = self.now()
        try:
            scored = next(self.scores)
        except (Astray, OSError):
            raise
        except Exception as error:
            if memory.is_short(error):
                raise
            traceback.print_exc()
            self.scores = None
            return
        self.seconds_scored += self.now() - began
        if scored is None:
            return
        best, is_best, news = store.best_score(self.folder), False, {}
        if math.isfinite(scored.kid):
            is_best = best is None or scored.kid < best or checkpoints.best(self.folder) is None
            if is_best:
                checkpoints.mark_best(self.folder, scored.path, scored.kid)
            news["score"], news["scored_step"] = scored.kid, int(scored.path.stem[6:])
            if scored.interval is not None:
                news["score_low"], news["score_high"] = scored.interval
            compared = self.pictures.compared
            # How many pictures that it never saw it was measured beside; 0: beside the whole set.
            news["score_held_back"] = len(compared.names) if compared is not self.pictures else 0
        if (found := scored.found) is not None:
            news |= {"spread": found.variety.spread, "distinct": found.variety.distinct}
            if found.copying is not None:
                news["copy_rate"] = found.copying.rate
        self.write_stats(news)
        if found is not None:
            self.judge(found, is_best, int(scored.path.stem[6:]))

    def judge(self, found: Findings, is_best: bool, step: int) -> None:
        """Writes the verdict on its state at `step` into `run.json`, and turns augmentation down where it shows."""
        from gan_play.runs import checkpoints
        from gan_play.trainers import health

        lines = files.read_lines_json(self.folder / "stats.jsonl")
        history = [
            health.Variety(line["spread"], line["distinct"])
            for line in lines
            if isinstance(line.get("spread"), float) and isinstance(line.get("distinct"), float)
        ]
        dials = self.training.settings.dials
        augment = dials.get("augment")
        has_best = checkpoints.best(self.folder) is not None
        verdict = health.judge(history, health.remedies_for(augment, has_best))
        shows = health.shows(found.leak) if dials.get(health.shake_of(dials)) else []
        self.leaks = self.leaks + 1 if shows else 0
        leak = self.turn_down(shows) if self.leaks >= health.IN_A_ROW else ""
        with store.changing(self.folder) as run:
            before = run["health"] if isinstance(run.get("health"), dict) else {}
            run["health"] = {
                "step": step,
                "code": verdict.code,
                "sentence": verdict.sentence,
                "remedies": list(verdict.remedies),
                "has_best": has_best,
                "best_seconds": round(self.seconds(), 1) if is_best else before.get("best_seconds"),
                "spread": _short(found.variety.spread),
                "distinct": _short(found.variety.distinct),
                "leak": leak or before.get("leak", ""),
                "copy": found.copying.sentence if found.copying else before.get("copy", ""),
                "copy_rate": found.copying.rate if found.copying else before.get("copy_rate"),
            }

    def turn_down(self, shows: list[str]) -> str:
        """Halves the augmentation from here on, since it shows in the paintings; a sentence about it."""
        from gan_play.trainers import health

        self.leaks = 0
        self.save()  # a state that was still made with the stronger one: who goes on from it repeats nothing
        dials = self.training.settings.dials
        shake = health.shake_of(dials)
        weaker = health.turned_down(dials[shake])
        with store.changing(self.folder) as run:
            run["settings"]["dials"][shake] = weaker
        self.training.settings = dataclasses.replace(self.training.settings, dials={**dials, shake: weaker})
        return f"Its shaking showed in the paintings ({' and '.join(shows)}), so it was turned down to {weaker:g}."


def _short(value: float | None) -> float | None:
    return round(value, 5) if value is not None and math.isfinite(value) else None


def _forget_attempts(folder: Path) -> None:
    """A new state is on the disk: what was tried before no longer counts as trying in vain."""
    run = store.read_run(folder)
    if run is not None and run["attempts"]:
        with store.changing(folder) as run:
            run["attempts"] = 0


def trim_own_log() -> None:
    """Empties this process's log where it has grown too large while it trained."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        descriptor = sys.stderr.fileno()
        if os.fstat(descriptor).st_size > 4 * LOG_BYTES:
            os.ftruncate(descriptor, 0)


def settings_for(folder: Path, pictures: ImageSet) -> Settings:
    """The settings of a run: those in `run.json`, else those chosen now, which are then kept there.

    After a rollback the learning rates are halved, each time. A device that is gone is replaced by the CPU.
    """
    import torch

    from gan_play.trainers import loop
    from gan_play.trainers.recipes import RECIPES, Settings

    run = store.read_run(folder) or {}
    if run["settings"] is None:
        note(folder, "preparing", "Measuring how fast this computer is.")
        start = starting_point(folder)
        if start is not None:
            show_start(folder, start, pictures)
        settings, sentence = choose_settings(run, start, pictures)
        note(folder, "preparing", "", settings=settings.to_json(), plan=sentence)
    else:
        settings = Settings.from_json(run["settings"])
    gone = {"cuda": not torch.cuda.is_available(), "mps": not torch.backends.mps.is_available()}
    if gone.get(settings.device):
        settings = dataclasses.replace(settings, device="cpu", threads=loop.cpu_threads())
    if run["rollbacks"]:
        ranges, slower = RECIPES[settings.recipe].dials, dict(settings.dials)
        for name in slower.keys() & {"rate_g", "rate_d"}:
            slower[name] = max(ranges[name].low, slower[name] * 0.5 ** run["rollbacks"])
        settings = dataclasses.replace(settings, dials=slower)
    return settings


def choose_settings(run: dict, start: State | None, pictures: ImageSet) -> tuple[Settings, str]:
    """Settings for a run that came without, and a sentence about them.

    A run for so many minutes is measured, so that the minutes buy the best pictures. A run to a step is not: it
    takes the recipe's first width and batch, so that the same command always makes the same run.
    """
    from gan_play.runs import checkpoints
    from gan_play.trainers import loop, preflight
    from gan_play.trainers.recipes import RECIPES, check_settings

    begin_from = (start.tensors, checkpoints.settings_of(start.header)) if start else None
    wanted = {"size_px": run["size_px"], "seed": run["seed"], "dials": run.get("dials") or {}}
    wanted["preset"] = run.get("preset", "")
    num_labels = len(labels.names(run))
    if run["minutes"] is not None:
        plan = preflight.plan(
            run["recipe"],
            minutes=run["minutes"],
            pixels=pictures.learnt.pixels,
            device=run.get("device", "auto"),
            start=begin_from,
            labels=pictures.learnt.labels if num_labels else None,
            **wanted,
        )
        return plan.settings, plan.sentence
    row = RECIPES[run["recipe"]]
    device = preflight.choose_device(run.get("device", "auto"))
    settings = {
        "recipe": run["recipe"],
        "width": begin_from[1].width if begin_from else row.widths[0],
        "batch": row.batches[0],
        "num_labels": num_labels,
        "device": device,
        "threads": loop.cpu_threads(),
        "precision": preflight.precisions_for(device)[-1],
        "started": start is not None,
    }
    return check_settings(settings | wanted), ""


def starting_point(folder: Path) -> State | None:
    """The state that a run begins from (fine-tuning), or None. Refused if it was damaged."""
    from gan_play.runs import checkpoints

    path = folder / "started-from.safetensors"
    return checkpoints.load(path) if path.exists() else None


def get_ready(folder: Path, ending: Ending) -> Stint:
    """A stint from the newest state on; from the beginning, where there is none."""
    import torch

    from gan_play.pictures import datasets
    from gan_play.runs import checkpoints
    from gan_play.trainers import loop

    pictures = datasets.open_block(folder / "set")
    settings = settings_for(folder, pictures)
    torch.set_num_threads(settings.threads)
    if checkpoints.states(folder):
        state = checkpoints.load_newest(folder, settings)
        training = loop.begin(settings)
        training.load(state.tensors)
        sentence = state.sentence or ""
    else:
        start = starting_point(folder)
        training, sentence = loop.begin(settings, start.tensors if start else None), ""
    write_layout(folder, settings, training.average)
    happened = (store.read_run(folder) or {}).get("happened")
    sentence = " ".join(filter(None, (happened if isinstance(happened, str) else "", sentence)))
    note(folder, "training", sentence)
    return Stint(folder, training, pictures, ending)


def train_until_left(folder: Path, ending: Ending) -> None:
    """Trains, takes the last good state again where numbers went astray, and makes do with less memory.

    Where there are other ranks, they train along.
    """
    from gan_play.trainers import ranks

    while True:
        note(folder, "preparing")
        if (store.read_run(folder) or {}).get("remedy"):
            take_remedy(folder)
        ending.patient = False
        stint = get_ready(folder, ending)
        ending.patient = True
        if idle := ranks.lead(stint.training, str(folder)):
            said = (store.read_run(folder) or {}).get("sentence", "")
            note(folder, "training", " ".join(filter(None, (said, idle))))
        short = False
        try:
            stint.work()
        except Exception as reason:
            ranks.part(stint.training)
            if isinstance(reason, Astray):
                roll_back(folder, stint.training.step)
            elif isinstance(reason, Remedied):
                take_remedy(folder)
            elif not isinstance(reason, Leave) and ranks.short_anywhere(memory.is_short(reason)):
                traceback.print_exception(reason)
                short = True
            else:
                raise
        settings = stint.training.settings
        # What it held goes before the next stint takes as much: it begins from the last whole state on the disk, so
        # nothing of a step that was broken off is left, in weights, optimizers, average or running statistics.
        del stint
        memory.release()
        if short:
            ranks.meet_again()
            halve_micro_batch(folder, settings)


def roll_back(folder: Path, step: int) -> None:
    """Notes that the next stint is to go at half the learning rate; Leave if that was done often enough."""
    run = store.read_run(folder) or {}
    if run["rollbacks"] >= MOST_ROLLBACKS:
        raise Leave(
            "failed", f"It went astray {MOST_ROLLBACKS + 1} times, though slower each time. Try another seed."
        )
    happened = f"At step {step:,} it went astray: it goes on from before that, at half the learning rate."
    note(folder, "preparing", "", rollbacks=run["rollbacks"] + 1, happened=happened)


def take_remedy(folder: Path) -> None:
    """Does what somebody asked for: goes back to the best state, shakes more or goes slower from there.

    The request is taken out of `run.json` last: a kill on the way repeats what was done, which changes nothing.
    """
    from gan_play.runs import checkpoints
    from gan_play.trainers import health
    from gan_play.trainers.recipes import RECIPES

    run = store.read_run(folder) or {}
    code, settings, best = run.get("remedy"), run.get("settings"), checkpoints.best(folder)
    step = None
    if code in ("best", "augment") and best is not None and settings:
        with contextlib.suppress(Refused):
            step = checkpoints.load(best).step  # verified, before anything newer goes
    if step is not None:
        for path in checkpoints.states(folder):
            if int(path.stem[6:]) > step:
                path.unlink(missing_ok=True)
        for grid in store.grids(folder):
            if grid > step:
                store.grid_path(folder, grid).unlink(missing_ok=True)
    with store.changing(folder) as run:
        run.pop("remedy", None)
        run["health"] = None
        if not settings:
            return
        dials, ranges = run["settings"]["dials"], RECIPES[run["settings"]["recipe"]].dials
        if code == "augment" and "augment" in dials:
            dials["augment"] = health.turned_up(dials["augment"])
            how = f"with more shaking ({dials['augment']:g})"
        else:  # the same steps from the same state would lead to the same end
            for name in dials.keys() & {"rate_g", "rate_d"}:
                dials[name] = max(ranges[name].low, dials[name] / 2)
            how = "in steps half as large"
        where = f"back at its best state, step {step:,}, and goes on" if step is not None else "going on"
        run["happened"] = f"As you asked, it is {where} {how}."


def halve_micro_batch(folder: Path, settings: Settings) -> None:
    """Notes that the next stint is to learn from its batch in twice as many parts; Leave if they'd be too small.

    So the batch, and with it what is learnt, stays (but for what looks at a batch as a whole: `adversarial`).
    """
    from gan_play.trainers import ranks
    from gan_play.trainers.recipes import LEAST_MICRO_BATCH

    pieces = 2 * max(settings.accumulate, ranks.useful(settings, ranks.launched()))
    if settings.batch // pieces < LEAST_MICRO_BATCH:
        raise Leave(
            "failed",
            "There isn't enough memory for this size: choose a smaller one, or close other programs.",
        )
    run = store.read_run(folder) or {}
    happened = f"Memory was short: it takes the {settings.batch} pictures of a step in {pieces} parts now."
    note(folder, "preparing", "", settings={**run["settings"], "accumulate": pieces}, happened=happened)


# The process


def wait_for_turn(home: Path, folder: Path) -> FileLock:
    """Waits until no other run of this home is trained and this one is the first in the queue; the lock of the home.

    Nothing heavy is imported before: many runs may wait. Leave if somebody pauses or stops it meanwhile.
    """
    turn = FileLock(home / "training.lock")
    while True:
        if next_in_line(home) == folder.name:
            with contextlib.suppress(Timeout):
                turn.acquire(timeout=0)
                return turn
        wish = store.wish_of(folder)
        if wish != "train":
            if settle(folder, LEFT_BY[wish], "", lambda _run, wish_now, wish=wish: wish_now == wish):
                raise Leave(LEFT_BY[wish])
        if not folder.exists():
            raise Leave("deleted")
        time.sleep(WISH_SECONDS)


def next_in_line(home: Path) -> str | None:
    """The first waiting run that has a live worker: one whose worker died must not hold up the others."""
    return next((run_id for run_id in store.queue(home) if store.worker_of(home / run_id)), None)


def be_modest() -> None:
    """Leaves the computer to whoever uses it: lower priority, where the platform lets us."""
    with contextlib.suppress(OSError, psutil.Error):
        if os.name == "nt":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            os.nice(NICE)
    # Linux may weigh whole sessions against each other; then this one's weight counts, not the process's own.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICE))


def work(folder: Path) -> int:
    """Does the whole life of a worker for one run; returns the exit status."""
    ending = Ending()
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=RUN_LOCK_SECONDS)
    except Timeout:
        return 0  # another worker has this run
    turn = None
    try:
        run = store.read_run(folder)
        if run is None or run["state"] not in ("queued", "preparing", "training"):
            return 0  # deleted, or its predecessor has just ended it
        files.remove_leftovers(folder)
        files.remove_leftovers(folder / "samples")
        (folder / ".reserve").write_bytes(bytes(RESERVE_BYTES))
        process = psutil.Process()
        files.write_json(folder / "worker.json", {"pid": process.pid, "started": process.create_time()})
        note(folder, "queued")
        turn = wait_for_turn(folder.parent, folder)
        train_until_left(folder, ending)
    except Leave as leave:
        if leave.state == "failed":
            settle(folder, leave.state, leave.sentence)
    except Refused as refused:
        settle(folder, "failed", refused.refusal.sentence)
    except Exception as error:
        traceback.print_exc()
        _give_up(folder, error)
        return 1
    finally:
        dismiss_others()
        with contextlib.suppress(OSError):
            (folder / ".reserve").unlink(missing_ok=True)
        if turn is not None:
            turn.release()
        lock.release()
    return 0


def has_others() -> bool:
    """Whether `torchrun` started other processes to train with. Asked before torch is imported."""
    return os.environ.get("WORLD_SIZE", "1") != "1" and "RANK" in os.environ


def is_other() -> bool:
    """Whether this is one of those, and doesn't lead."""
    return has_others() and os.environ["RANK"] != "0"


def dismiss_others() -> None:
    """Lets the other ranks end."""
    if has_others():
        from gan_play.trainers import ranks

        ranks.dismiss()


def _is_lost(error: BaseException) -> bool:
    if not has_others():
        return False
    from gan_play.trainers import ranks

    return ranks.is_lost(error)


def lead(folder: Path) -> int:
    """The whole life of a worker whose training is shared by ranks, in the first of them."""
    from gan_play.trainers import ranks

    ranks.connect()
    return work(folder)


def follow() -> int:
    """The whole life of a rank that doesn't lead: it trains along on what it is told to. Writes nothing.

    What would end it (SIGTERM, Ctrl-C) is heard by the first rank, which saves, and then lets the others end. Ended by
    force, or by an error, it leaves the first one to find out and to stop.
    """
    from gan_play.pictures import datasets
    from gan_play.trainers import loop, ranks
    from gan_play.trainers.recipes import Settings

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while it waits for the first rank, which may never come
    ranks.connect()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    training = crew = None
    while True:
        try:
            if (stint := ranks.told()) is None:
                ranks.dismiss()
                return 0
            settings = Settings.from_json(stint["settings"])
            if (crew := ranks.crew_for(settings)) is not None:
                training = loop.begin(settings)
                crew.enter(training)
                learnt = datasets.open_block(Path(stint["folder"]) / "set").learnt
                for _ in loop.train(training, learnt.pixels, learnt.labels):
                    pass
        except Exception as error:
            if not ranks.short_anywhere(memory.is_short(error)):
                if ranks.is_lost(error):
                    return 1  # the first rank says why, or torchrun does
                raise
        else:
            continue
        training = crew = None  # with these goes what connects it, so that the others hear of it
        memory.release()
        ranks.meet_again()


def _give_up(folder: Path, error: Exception) -> None:
    """Writes in a sentence why it can't go on."""
    if _is_lost(error):
        settle(folder, "paused", LOST)
    elif _is_disk_full(error):
        (folder / ".reserve").unlink(missing_ok=True)
        sizes = [path.stat().st_size for path in folder.glob("state-*.safetensors")]
        megabytes = math.ceil((3 * max(sizes, default=0) + store.ROOM_TO_SPARE_BYTES) / 1e6)
        sentence = f"The disk is full: free about {megabytes} MB, then go on. What was saved is safe."
        settle(folder, "paused", sentence)
    elif isinstance(error, ImportError):
        settle(
            folder,
            "failed",
            "A part of the program is missing: run pip install -r requirements.txt once more.",
        )
    elif memory.is_short(error):
        settle(folder, "failed", "There isn't enough memory: choose a smaller size, or close other programs.")
    else:
        settle(
            folder,
            "failed",
            "It stopped at an error of the program. The end of worker.log in its folder says where.",
        )


_started: dict[Path, subprocess.Popen] = {}


def line_up(folder: Path) -> dict | None:
    """Notes that a run is wanted to train, and returns its `run.json`; None where somebody is at it already."""
    with store.changing(folder) as run:
        if store.worker_of(folder) is not None or _is_starting(folder):
            return None
        if run["state"] != "queued":
            run |= {"state": "queued", "queued": time.time()}
        run |= {"sentence": "", "attempts": run["attempts"] + 1}
        files.write_json(folder / "wanted.json", {"wish": "train"})
    return run


def cards_for(run: dict) -> int:
    """How many graphics cards may share the training of a run: all of this computer's, or 1 where that pays more."""
    if run["size_px"] < LEAST_SHARED_PX:
        return 1
    if (run["settings"] or run).get("device", "auto") not in ("auto", "cuda"):
        return 1
    import torch

    return max(1, torch.cuda.device_count())


def command(folder: Path, cards: int = 1) -> list[str]:
    """What starts the worker of a run: a process of its own, or one for each card (`torchrun`)."""
    several = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(cards), "-m"]
    return [sys.executable, "-m", *(several if cards > 1 else []), "gan_play.runs.worker", str(folder)]


def start_worker(home: Path, run_id: str) -> None:
    """Starts the process that trains a run; it lives on when this one ends. Does nothing where there is one.

    Refused if there is no such run or it can't be trained.
    """
    folder = store.steerable(home, run_id).resolve()
    run = line_up(folder)
    if run is None:
        return
    trim_log(folder)
    code = Path(__file__).resolve().parents[2]
    places = os.pathsep.join([str(code), *filter(None, [os.environ.get("PYTHONPATH")])])
    apart = (
        {"creationflags": 0x00000208} if os.name == "nt" else {"start_new_session": True}
    )  # detached, own group
    with (folder / "worker.log").open("ab") as log:
        _started[folder] = subprocess.Popen(
            command(folder, cards_for(run)),
            cwd=code,
            env={**os.environ, "PYTHONPATH": places, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **apart,
        )


def _is_starting(folder: Path) -> bool:
    """Whether this process started a worker that hasn't ended; asking also buries those that have."""
    for known, process in list(_started.items()):
        if process.poll() is not None:
            del _started[known]
    return folder in _started


def adopt(home: Path) -> list[str]:
    """Starts workers for the runs that wait or were interrupted and are meant to train; returns their ids.

    Called when a server starts, and now and then by the page. A run that dies again and again without saving
    anything is given up, so that it doesn't do so for ever. Never raises for what is in a run folder.
    """
    started = []
    for row in store.list_runs(home):
        folder = home / row.id
        if row.shipped or row.state not in ("queued", "interrupted") or store.wish_of(folder) != "train":
            continue
        if store.worker_of(folder) is not None or _is_starting(folder.resolve()):
            continue
        with contextlib.suppress(Refused, OSError):
            if (store.read_run(folder) or {}).get("attempts", 0) >= MOST_ATTEMPTS:
                sentence = (
                    "Its process ended several times before anything was saved. Perhaps memory is short."
                )
                settle(folder, "failed", sentence)
            else:
                start_worker(home, row.id)
                started.append(row.id)
    return started


if __name__ == "__main__":
    be_modest()
    if not has_others():
        sys.exit(work(Path(sys.argv[1]).resolve()))
    sys.exit(follow() if is_other() else lead(Path(sys.argv[1]).resolve()))
