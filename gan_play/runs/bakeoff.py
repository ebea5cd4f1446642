"""A bake-off: two to five recipes on the same pictures, size, seed and minutes, from scratch, trained in turn.

It is little more than a list of runs: `HOME/bakeoffs/<id>/` holds `bakeoff.json` (which runs), `votes.jsonl` (appended
to only) and `owner.json`. All else is read out of the run folders whenever somebody asks. So it survives whatever a
run survives; a run that fails or is deleted is said so, and the others go on.

What is compared is compared after equal seconds of training, which leave out waiting, measuring and the last scoring.
Which pair is voted on next, and which of the two stands left, follows from the bake-off's id and the pair's number.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import json
import math
import os
import shutil
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_play import files
from gan_play.refusals import Refused, refuse
from gan_play.runs import judge, labels, store

LEAST_RECIPES, MOST_RECIPES = 2, 5
MOMENTS = (1 / 8, 1 / 4, 1 / 2, 1)  # of the minutes: early on much happens
EXTRA_SECONDS = 60  # of each run, beside its minutes: starting, measuring the computer, scoring
APART_SECONDS = 5  # at most, between the starts of two workers
MOST_GRIDS = 150  # of each run, told to the page
GOING = {"queued", "preparing", "training"}
RESTING = {"paused", "interrupted", "stopped", "failed"}
CHOICES = ("left", "right", "same")
VOTED = MOMENTS[:0:-1]  # moments that are voted on, the end first
QUARTERS = 4  # of a grid: each is voted on, so that there is enough to choose between
LEAST_VOTES = 6  # on a pair: a coin falls so often on one side less than one time in twenty
SURE = 0.05


# Choosing


def check(recipes: Sequence[str], minutes: float, size_px: int, seed: int = 0, device: str = "auto") -> None:
    """Refused where a bake-off of these recipes is impossible with any pictures."""
    from gan_play.trainers.recipes import RECIPES

    if not LEAST_RECIPES <= len(set(recipes)) == len(recipes) <= MOST_RECIPES:
        count = len(set(recipes))
        raise Refused(refuse("bakeoff-count", least=LEAST_RECIPES, most=MOST_RECIPES, count=count))
    store.check_limits(minutes, None)
    for name in recipes:
        row = RECIPES.get(name)
        if row is not None and row.task != "paint":
            raise Refused(refuse("bakeoff-task", row.title))
        if row is not None and size_px not in row.sizes:
            able = ", ".join(map(str, row.sizes))
            raise Refused(refuse("bakeoff-size", row.title, size=size_px, able=able))
        store.check_asked(name, size_px, seed, device, {})


def pictures_in(set_folder: Path) -> int:
    """How many pictures a set has. Refused where there is no such set."""
    from gan_play.pictures import datasets

    return len(datasets.read_manifest(set_folder)["pictures"])


def room_needed(recipes: Sequence[str], size_px: int, squares: int, label_count: int) -> int:
    """Bytes on the disk that the runs will take at least, beside what must stay free."""
    from gan_play.trainers import loop, preflight
    from gan_play.trainers.recipes import RECIPES, check_settings

    total = squares * size_px**2 * 3  # shared by all
    for name in recipes:
        row = RECIPES[name]
        wish = {"recipe": name, "size_px": size_px, "seed": 0, "batch": 8, "width": row.widths[0]}
        wish |= {"num_labels": label_count if row.labels == "needed" else 0}
        shapes = loop.expected_shapes(check_settings(wish)).values()
        total += preflight.STATES_ON_DISK * sum(4 * math.prod(shape) for shape, _ in shapes)
    return total


def create(
    home: Path,
    *,
    set_folder: Path,
    recipes: Sequence[str],
    minutes: float,
    size_px: int = 64,
    seed: int = 0,
    name: str = "",
    how: str = "crop",
    background: tuple[int, int, int] | None = None,
    device: str = "auto",
    labelled: bool = False,
    owner_key: str | None = None,
) -> str:
    """Makes the runs of a bake-off, which wait to be trained in this order, and returns its id; `start` starts them.

    `labelled` asks that recipes which can learn the set's labels do so; those that need them always do. Refused, with
    nothing left behind, as `check` does, and where the set has no labels that are needed, or the disk is too full.
    """
    from gan_play.trainers.recipes import RECIPES

    check(recipes, minutes, size_px, seed, device)
    wanted = {each: True if labelled and RECIPES[each].labels != "none" else None for each in recipes}
    for each in recipes:
        labels.decide(each, set_folder, wanted[each])
    pictures = pictures_in(set_folder)
    needed = room_needed(recipes, size_px, pictures, len(labels.of_set(set_folder)))
    needed += store.ROOM_TO_SPARE_BYTES
    if (free := files.free_bytes(home)) < needed:
        megabytes = {"needed": round(needed / 1e6), "free": round(free / 1e6)}
        raise Refused(refuse("bakeoff-room", count=len(recipes), **megabytes))
    name = store.check_name(name or "Untitled")
    bakeoff_id = files.new_id(name)
    folder, made = home / "bakeoffs" / bakeoff_id, {}
    try:
        folder.mkdir(parents=True)
        # All share the pictures of the first: one that learns labels, so that of each label some are held back.
        for each in sorted(recipes, key=lambda each: not labels.decide(each, set_folder, wanted[each])):
            title = RECIPES[each].title
            made[each] = store.create_run(
                home,
                set_folder=set_folder,
                recipe=each,
                size_px=size_px,
                seed=seed,
                minutes=minutes,
                name=f"{name[: store.MOST_NAME_CHARS - len(title) - 3]} · {title}",
                how=how,
                background=background,
                device=device,
                owner_key=owner_key,
                labelled=wanted[each],
                bakeoff=bakeoff_id,
                block=home / next(iter(made.values())) / "set" if made else None,
            )
        now = time.time()
        for place, each in enumerate(recipes):
            with store.changing(home / made[each]) as run:
                run["queued"] = now + place / 1000  # their turns are in the order asked for
        first = store.read_run(home / made[recipes[0]])
        about = {
            "version": 1,
            "id": bakeoff_id,
            "name": name,
            "created": time.time(),
            "minutes": float(minutes),
            "size_px": size_px,
            "seed": seed,
            "set": {key: first["set"][key] for key in ("id", "digest", "count", "how")},
            "runs": [{"recipe": each, "run": made[each]} for each in recipes],
        }
        if owner_key:
            store.own(folder, owner_key)
        files.write_json(folder / "bakeoff.json", about)  # the last: only now is it one
    except BaseException:
        for run in made.values():
            with contextlib.suppress(Refused, OSError):  # a server may have taken one up
                store.ask(home, run, "stop")
                store.delete(home, run)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return bakeoff_id


# Reading


def read(folder: Path) -> dict | None:
    """`bakeoff.json`, or None where it is missing or not what we write."""
    about = files.read_json(folder / "bakeoff.json")
    if not isinstance(about, dict):
        return None
    types = {"name": str, "created": (int, float), "minutes": (int, float), "size_px": int, "seed": int}
    types |= {"set": dict, "runs": list}
    if not all(isinstance(about.get(key), kind) for key, kind in types.items()):
        return None
    rows = about["runs"]
    fits = all(
        isinstance(row, dict) and files.is_id(row.get("run")) and isinstance(row.get("recipe"), str)
        for row in rows
    )
    return about if fits and LEAST_RECIPES <= len(rows) <= MOST_RECIPES else None


def find(home: Path, bakeoff_id: object) -> Path:
    """The folder of a bake-off. Refused if there is none."""
    if files.is_id(bakeoff_id) and (home / "bakeoffs" / bakeoff_id / "bakeoff.json").is_file():
        return home / "bakeoffs" / bakeoff_id
    raise Refused(refuse("no-bakeoff", str(bakeoff_id)))


def found(home: Path, bakeoff_id: object) -> dict:
    """A bake-off as it was written. Refused if there is none, or if it is damaged."""
    about = read(find(home, bakeoff_id))
    if about is None:
        raise Refused(refuse("bakeoff-damaged", str(bakeoff_id)))
    return about


def folders(home: Path, bakeoff_id: object) -> list[Path]:
    """The folders of its runs that are still there; [] where there is no such bake-off. Never raises."""
    about = read(home / "bakeoffs" / bakeoff_id) if files.is_id(bakeoff_id) else None
    return [home / row["run"] for row in (about or {"runs": []})["runs"] if (home / row["run"]).is_dir()]


def list_all(home: Path) -> list[dict]:
    """All bake-offs of a home as they were written, with their `id`, newest first; damaged ones are left out."""
    try:
        names = os.listdir(home / "bakeoffs")
    except OSError:
        return []
    known = [(name, read(home / "bakeoffs" / name)) for name in names if files.is_id(name)]
    return sorted(
        (about | {"id": name} for name, about in known if about), key=lambda a: (-a["created"], a["id"])
    )


@functools.lru_cache(maxsize=32)
def _clock_of(path: Path, _changed_ns: int, _bytes: int) -> list[tuple[int, float, int]]:
    """(step, seconds of training, pictures seen) of every line of a `stats.jsonl`, oldest first."""
    known = [(0, 0.0, 0)]
    for line in files.read_lines_json(path):
        step, seconds, images = (line.get(key) for key in ("step", "seconds", "images_seen"))
        numbers = all(isinstance(n, int | float) and not isinstance(n, bool) for n in (step, seconds, images))
        if numbers and step >= known[-1][0] and seconds >= known[-1][1]:
            known.append((int(step), float(seconds), int(images)))
    return known


def clock_of(folder: Path) -> list[tuple[int, float, int]]:
    """What a run had done when: (step, seconds of training, pictures seen), from (0, 0, 0) on."""
    path = folder / "stats.jsonl"
    try:
        about = path.stat()
    except OSError:
        return [(0, 0.0, 0)]
    return _clock_of(path, about.st_mtime_ns, about.st_size)


def _at_step(clock: list[tuple[int, float, int]], step: int) -> tuple[float, int]:
    """Seconds and pictures seen at a step, between the lines that were written."""
    place = bisect_right(clock, (step, math.inf, 0))
    if place >= len(clock):
        return clock[-1][1], clock[-1][2]
    (first, seconds, images), (last, seconds_then, images_then) = clock[place - 1], clock[place]
    share = (step - first) / max(1, last - first)
    return seconds + share * (seconds_then - seconds), round(images + share * (images_then - images))


def status(home: Path, bakeoff_id: object) -> dict:
    """All that is shown of a bake-off, as plain JSON values. Refused if there is none.

    `state`: going, resting (it can be resumed) or done; `rows`: a dict for each run, in the order of training:
    its recipe and `title`, run, `state` ("deleted" where it is gone) and `sentence`; `seconds` trained, of those that
    count, and `over` where these are all; `images_seen` and `images_per_second` in them; `kid` with `kid_low` and
    `kid_high`, `copy_rate` and `copy`, None until it was judged; `grids`: [step, seconds, pictures seen] of each.
    `moments`: seconds at which grids are set side by side; `sentence`: what the scores say of it.
    """
    about = found(home, bakeoff_id)
    total = about["minutes"] * 60
    rows = [_row(home, row["recipe"], row["run"], total) for row in about["runs"]]
    going = any(row["state"] in GOING for row in rows)
    rest = any(row["can_go_on"] for row in rows)
    left = sum(
        max(0.0, total - row["seconds"]) + (0 if row["over"] else EXTRA_SECONDS)
        for row in rows
        if row["state"] in GOING | {"paused", "interrupted"}
    )
    return {
        "id": str(bakeoff_id),
        "name": about["name"],
        "created": about["created"],
        "minutes": about["minutes"],
        "seconds": total,
        "size_px": about["size_px"],
        "seed": about["seed"],
        "pictures": about["set"].get("count"),
        "state": "going" if going else "resting" if rest else "done",
        "seconds_left": round(left) if going else None,
        "moments": [round(total * share, 2) for share in MOMENTS],
        "rows": rows,
        "sentence": in_words(rows),
    }


def _row(home: Path, recipe: str, run_id: str, total: float) -> dict:
    from gan_play.trainers.recipes import RECIPES

    title = RECIPES[recipe].title if recipe in RECIPES else recipe
    row = {"recipe": recipe, "title": title, "run": run_id, "sentence": "", "seconds": 0.0, "over": False}
    row |= {"images_seen": 0, "images_per_second": None, "grids": [], "can_go_on": False}
    row |= dict.fromkeys(("kid", "kid_low", "kid_high", "copy_rate", "copy"))
    try:
        folder = store.find_run(home, run_id)
    except Refused:
        return row | {"state": "deleted", "sentence": "This run was deleted."}
    run = store.read_run(folder)
    if run is None:
        return row | {"state": "damaged", "sentence": refuse("run-damaged", run_id).sentence}
    clock, judged = clock_of(folder), judge.final(folder)
    over = clock[-1][1] >= total
    end = judged["step"] if judged else next((step for step, seconds, _ in clock if seconds >= total), None)
    state = store.state_of(folder, run)
    grids = []
    for step in store.grids(folder):
        seconds, images = _at_step(clock, step)
        if end is not None and step > end:
            break  # trained on, beyond what is compared
        grids.append([step, round(min(seconds, total), 2), images])
    spent, images = _at_step(clock, end) if end is not None else clock[-1][1:]
    row |= {"state": state, "sentence": run["sentence"], "seconds": min(round(spent, 2), total), "over": over}
    row |= {"images_seen": images, "images_per_second": round(images / spent, 1) if spent >= 1 else None}
    row["grids"] = grids
    row["can_go_on"] = state in RESTING and not over or (state in ENDED and over and judged is None)
    if judged and over:
        row |= {key: judged[key] for key in ("kid", "kid_low", "kid_high", "copy_rate", "copy")}
    return row


ENDED = {"finished", "stopped", "paused", "failed", "interrupted"}


def thinned(grids: list[list]) -> list[list]:
    """So many of a row's grids as the page can take, evenly, the first and the last among them."""
    if len(grids) <= MOST_GRIDS:
        return grids
    return [grids[round(i * (len(grids) - 1) / (MOST_GRIDS - 1))] for i in range(MOST_GRIDS)]


def grid_at(row: dict, seconds: float) -> list | None:
    """The last grid of a row that was painted within these seconds: [step, seconds, pictures seen]; None if none."""
    return next((grid for grid in reversed(row["grids"]) if grid[1] <= seconds + 0.01), None)


def reached(row: dict, seconds: float) -> bool:
    """Whether a row was trained for so long, so that its grid of that moment stays what it is."""
    return row["over"] or row["seconds"] > seconds


def in_words(rows: list[dict]) -> str:
    """What the scores say: a winner only where the range of its KID lies below those of all others.

    Up to five are compared at once, so this asks for more than `scores.verdict` does of two.
    """
    judged = sorted((row for row in rows if row["kid"] is not None), key=lambda row: row["kid"])
    if len(judged) < 2:
        return "" if not judged else f"Only {judged[0]['title']} could be scored so far."
    best, *others = judged
    close = [row["title"] for row in others if row["kid_low"] <= best["kid_high"]]
    behind = [row["title"] for row in others if row["kid_low"] > best["kid_high"]]
    which = "" if len(judged) == len(rows) else f"Of the {len(judged)} scored so far, "
    if not close:
        return f"{which}{best['title']} comes nearest to the pictures: the range of its KID lies below all others."
    text = f"{which}{best['title']} has the lowest KID, but too close to {_list(close)} to call it better"
    return f"{text}; {_list(behind)} {'are' if len(behind) > 1 else 'is'} farther." if behind else f"{text}."


def _list(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


# Steering


def start(home: Path, bakeoff_id: object) -> None:
    """Starts the workers of all runs that aren't over; they take turns in the order of the bake-off.

    Each is there before the next is started, or that one might be the first in line.
    """
    from gan_play.runs import worker

    rows = [row for row in status(home, bakeoff_id)["rows"] if row["state"] == "queued" or row["can_go_on"]]
    for before, row in zip([None, *rows], rows):
        until = time.monotonic() + APART_SECONDS
        while before and store.worker_of(home / before["run"]) is None and time.monotonic() < until:
            time.sleep(0.05)
        worker.start_worker(home, row["run"])


def pause(home: Path, bakeoff_id: object) -> None:
    """Asks all its runs that are on their way to save and rest; the last first, so that none moves up meanwhile."""
    for row in reversed(status(home, bakeoff_id)["rows"]):
        if row["state"] in GOING:
            with contextlib.suppress(Refused):
                store.ask(home, row["run"], "pause")


def delete(home: Path, bakeoff_id: object) -> None:
    """Forgets a bake-off and its votes. Its runs stay."""
    folder = find(home, bakeoff_id)
    (folder / "bakeoff.json").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


# Voting


@dataclass(frozen=True)
class Pair:
    """Two quarters of grids to choose between: places of their rows, the share of the minutes, which quarter."""

    number: int
    left: int
    right: int
    share: float
    quarter: int


def pairs_of(count: int) -> int:
    """How many pairs there are to vote on, in a bake-off of so many runs."""
    return math.comb(count, 2) * len(VOTED) * QUARTERS


def _order(seed: str, items: Sequence) -> list:
    """The items in an order that follows from a text, with every version of every library."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed} {item!r}".encode()).digest())


def pair(bakeoff_id: str, count: int, number: int) -> Pair:
    """The pair of a number from 0 on: each two runs meet once in every round, at the end of the minutes first."""
    couples = list(itertools.combinations(range(count), 2))
    turn, place = divmod(number, len(couples))
    moment, within = divmod(turn, QUARTERS)
    couple = _order(f"{bakeoff_id} {turn}", couples)[place]
    quarter = _order(f"{bakeoff_id} {couple} {moment}", range(QUARTERS))[within]
    swap = (
        _order(f"{bakeoff_id} {couple} {moment} sides", range(QUARTERS))[within] % 2
    )  # each left as often as right
    left, right = couple[::-1] if swap else couple
    return Pair(number, left, right, VOTED[moment], quarter)


def votes(folder: Path, count: int) -> dict[int, str]:
    """The choice for each number of a pair that was voted on; the first vote counts."""
    kept: dict[int, str] = {}
    for line in files.read_lines_json(folder / "votes.jsonl"):
        number, choice = line.get("pair"), line.get("choice")
        if type(number) is int and 0 <= number < pairs_of(count) and choice in CHOICES:
            kept.setdefault(number, choice)
    return kept


def _votable(rows: list[dict], total: float, one: Pair) -> bool:
    seconds = total * one.share
    return all(reached(rows[i], seconds) and grid_at(rows[i], seconds) for i in (one.left, one.right))


def next_pair(told: dict, cast: dict[int, str]) -> Pair | None:
    """The first pair that wasn't voted on and can be, by a `status` and its votes; None where there is none."""
    count = len(told["rows"])
    numbers = (number for number in range(pairs_of(count)) if number not in cast)
    known = (pair(told["id"], count, number) for number in numbers)
    return next((one for one in known if _votable(told["rows"], told["seconds"], one)), None)


def side(home: Path, bakeoff_id: object, number: int, which: str) -> bytes:
    """The picture that stands on a side ("left" or "right") of a pair, as WebP. Refused where there is none (yet)."""
    from gan_play.pictures import images

    told = status(home, bakeoff_id)
    gone = Refused(refuse("vote-gone"))
    if which not in CHOICES[:2] or not 0 <= number < pairs_of(len(told["rows"])):
        raise gone
    one = pair(told["id"], len(told["rows"]), number)
    if not _votable(told["rows"], told["seconds"], one):
        raise gone
    row = told["rows"][one.left if which == "left" else one.right]
    step = grid_at(row, told["seconds"] * one.share)[0]
    try:
        pixels = images.read_kept(store.grid_path(home / row["run"], step).read_bytes())
    except (OSError, ValueError):
        raise gone from None
    high, wide = (pixels.shape[0] + 1) // 2, (pixels.shape[1] + 1) // 2
    top, left = (one.quarter // 2) * (pixels.shape[0] - high), (one.quarter % 2) * (pixels.shape[1] - wide)
    return images.encode(pixels[top : top + high, left : left + wide], "webp", quality=95)


def vote(home: Path, bakeoff_id: object, number: object, choice: object) -> Pair:
    """Notes a vote: "left", "right" or "same"; the pair it was. Refused where that can't be voted on."""
    if choice not in CHOICES:
        raise Refused(refuse("vote", str(choice)))
    told = status(home, bakeoff_id)
    if type(number) is not int or not 0 <= number < pairs_of(len(told["rows"])):
        raise Refused(refuse("vote-gone"))
    one = pair(told["id"], len(told["rows"]), number)
    if not _votable(told["rows"], told["seconds"], one):
        raise Refused(refuse("vote-gone"))
    line = {"pair": number, "choice": choice, "time": round(time.time())}
    files.append_line(find(home, bakeoff_id) / "votes.jsonl", json.dumps(line))
    return one


@dataclass(frozen=True)
class Tally:
    """What the votes say: of each run its wins and how often it was voted on (a tie is half a win); a sentence."""

    count: int
    wins: list[float]
    of: list[int]
    sentence: str


def tally(told: dict, cast: dict[int, str]) -> Tally:
    """Counts the votes, by a `status`. Two are told apart where a coin would hardly have fallen so (a sign test)."""
    names = [row["title"] for row in told["rows"]]
    wins, of = [0.0] * len(names), [0] * len(names)
    beaten = [[0] * len(names) for _ in names]
    for number, choice in cast.items():
        one = pair(told["id"], len(names), number)
        for place in (one.left, one.right):
            of[place] += 1
            wins[place] += 0.5 if choice == "same" else 0
        if choice != "same":
            winner, loser = (one.left, one.right) if choice == "left" else (one.right, one.left)
            wins[winner] += 1
            beaten[winner][loser] += 1
    return Tally(len(cast), wins, of, _tally_words(names, wins, of, beaten))


def _tally_words(names: list[str], wins: list[float], of: list[int], beaten: list[list[int]]) -> str:
    if not sum(of):
        return "No votes yet."
    clear = {
        (a, b)
        for a, b in itertools.permutations(range(len(names)), 2)
        if beaten[a][b] > beaten[b][a] and by_chance(beaten[a][b], beaten[b][a]) <= SURE
    }
    for a in range(len(names)):
        if all((a, b) in clear for b in range(len(names)) if b != a):
            return f"You prefer {names[a]} to {'the other' if len(names) == 2 else 'all others'}."
    if clear:
        told = [f"{names[a]} to {names[b]}" for a, b in sorted(clear)]
        return f"You prefer {_list(told)}; for the rest there are too few votes to tell."
    count = sum(of) // 2
    fewest = min(map(sum, _met(beaten)))
    text = f"{count} vote{'s' if count != 1 else ''}: too few to tell" if fewest < LEAST_VOTES else ""
    return f"{text or f'{count} votes, and no clear choice'}. {_leading(names, wins, of)}".strip()


def _met(beaten: list[list[int]]) -> list[tuple[int, int]]:
    return [(beaten[a][b], beaten[b][a]) for a, b in itertools.combinations(range(len(beaten)), 2)]


def _leading(names: list[str], wins: list[float], of: list[int]) -> str:
    shares = [won / met if met else 0.0 for won, met in zip(wins, of)]
    best = [i for i, share in enumerate(shares) if share == max(shares)]
    if len(best) > 1:
        return ""
    (i,) = best
    return f"{names[i]} leads with {wins[i]:g} of {of[i]}."


def by_chance(a: int, b: int) -> float:
    """How likely a fair coin falls at least as unevenly as a to b: the exact two-sided sign test."""
    more, total = max(a, b), a + b
    tail = sum(math.comb(total, k) for k in range(more, total + 1)) / 2**total
    return min(1.0, 2 * tail)


def rounds(told: dict) -> Iterator[tuple[float, list[list | None]]]:
    """For each moment its seconds, and the grid of each row then (as `grid_at`; None where it didn't come so far)."""
    for seconds in told["moments"]:
        yield seconds, [grid_at(row, seconds) if reached(row, seconds) else None for row in told["rows"]]
