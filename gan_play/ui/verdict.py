"""What Train says of a run's health and originality: a line in words, what helps, and the tiles beside their nearest.

The worker writes the verdicts (`health` in `run.json`, `samples/nearest.json`); here they are read, with care since
files may be damaged or from an older program, and put together as plain data for `assets/live.js`.
"""

from pathlib import Path

from gan_play import files
from gan_play.runs import store
from gan_play.trainers import health
from gan_play.ui import look
from gan_play.ui.words import say

MOST_TILES = 144
MOST_NEAR = 3
OVER = {"finished", "stopped", "failed"}


def shown(folder: Path, status: dict, mine: bool) -> dict:
    """The verdict, the remedies (for who may steer) and what the disclosure of copies shows, None without any."""
    found = health_of(status)
    remedies = found.get("remedies") if mine else None
    offered = remedies if isinstance(remedies, list) else []
    return {
        "verdict": words(found, status),
        "remedies": [
            vars(health.REMEDIES[code])
            for code in health.REMEDIES
            if code in offered or (code == "best" and "best" in able(found, status, mine))
        ],
        "copy": nearest(folder),
    }


def health_of(status: dict) -> dict:
    """What the worker noted of the run's health; {} where there is nothing."""
    found = status.get("health")
    return found if isinstance(found, dict) else {}


def able(found: dict, status: dict, mine: bool) -> set[str]:
    """The remedies that a run can take although nothing is wrong with it: the best state, once it is long past."""
    return {"best"} if mine and stale(found, status) and found.get("has_best") is True else set()


def stale(found: dict, status: dict) -> float | None:
    """For how many seconds the score hasn't improved, where that is long and the run is on its way."""
    best = found.get("best_seconds")
    if status["state"] in OVER or isinstance(best, bool) or not isinstance(best, int | float):
        return None
    return health.stale_seconds(status["seconds_spent"], float(best))


def words(found: dict, status: dict) -> str:
    """Health, originality and standstill in one line."""
    parts = [found.get("sentence"), found.get("leak"), found.get("copy")]
    if (since := stale(found, status)) is not None:
        parts.append(say("train.stale", time=look.time_words(since)))
    return " ".join(part for part in parts if isinstance(part, str) and part)


def nearest(folder: Path) -> dict | None:
    """The newest grid that was searched: its step, a sentence, and each tile with its nearest, copies first."""
    noted = files.read_json(folder / "samples" / "nearest.json")
    try:
        step, sentence = int(noted["step"]), str(noted["sentence"])
        tiles = [
            {
                "at": at,
                "seed": str(int(tile["seed"])),
                "near": [int(index) for index in tile["nearest"]][:MOST_NEAR],
                "copied": tile["copied"] is True,
                "distance": float(tile["distances"][0]),
            }
            for at, tile in enumerate(noted["tiles"][:MOST_TILES])
        ]
    except (TypeError, KeyError, IndexError, ValueError, OverflowError):
        return None
    if not store.grid_path(folder, step).is_file():
        return None  # thinned out
    tiles.sort(key=lambda tile: (not tile["copied"], tile.pop("distance")))
    return {"step": step, "sentence": sentence, "tiles": tiles}
