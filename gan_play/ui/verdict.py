"""What Train and Play say of health and originality: a line in words, what helps, and pictures beside their nearest.

The worker writes the verdicts (`health` in `run.json`, `samples/nearest.json`); here they are read, with care since
files may be damaged or from an older program, and put together: as plain data for `assets/live.js`, as HTML for Play.
"""

from html import escape
from pathlib import Path

import numpy as np

from gan_play import files
from gan_play.latent import blend
from gan_play.measure import originality
from gan_play.refusals import Refused
from gan_play.runs import checkup, findings, store
from gan_play.trainers import health
from gan_play.ui import look, tiles
from gan_play.ui.words import say

MOST_TILES = 144
MOST_NEAR = 3
OVER = {"finished", "stopped", "failed"}
SCORES = ((0.05, "same"), (0.12, "related"), (0.3, "near"), (0.8, "far"), (float("inf"), "apart"))
CLOSE, USUAL = 1.25, 1.1  # times the distance of a copy; times that which a set's pictures usually keep


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
        "copy": nearest(folder) if mine else None,  # training pictures: not for strangers
    }


def score_words(score: float | None, held_back: bool = False) -> str:
    """The score with its meaning. `held_back`: it was measured beside pictures that training never saw."""
    if score is None:
        return ""
    said = say("train.score", score=f"{score:.3f}", meaning=meaning(score))
    return f"{said} {say('train.score.held_back')}" if held_back else said


def meaning(score: float) -> str:
    """What a KID means. The scale is of 64 px paintings: real van Goghs against others of his are 0.02."""
    return say(f"train.score.{next(key for limit, key in SCORES if score <= limit)}")


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
    return {"step": step, "sentence": sentence, "tiles": tiles, "key": store.picture_key(folder)}


# Play: the model in hand, and the picture on the stage


def standing(folder: Path, step: int) -> str:
    """A line on a run's state at `step`, from what was found on the way: health, score, copies; and its card."""
    about = store.read_run(folder) or {}
    known = findings.of_step(folder, about, step)
    if made := blend.read(about):
        shares = (
            say("blend.share", part=say(f"blend.{part}").lower(), share=f"{share:.0%}")
            for part, share in made.shares.items()
        )
        first, second = (one.name for one in made.parents)
        said = say("blend.standing", first=first, second=second, shares=", ".join(shares))
    elif known.looked is None:
        said = say("play.standing.shipped" if store.is_shipped(folder) else "play.standing.none")
    else:
        parts = [known.health, score_words(known.score, known.held_back > 0), known.leak]
        parts.append(known.copy or say(f"play.standing.{'no_copy' if known.health else 'unknown'}"))
        if known.looked < step:
            parts.append(say("play.standing.when", looked=f"{known.looked:,}", step=f"{step:,}"))
        said = " ".join(filter(None, parts))
    card = f"gradio_api/run/{folder.name}/card.md"
    hint, title = escape(say("play.card.hint")), escape(say("play.card"))
    return f'<p class="note">{escape(said)} <a href="{escape(card)}" download title="{hint}">{title}</a></p>'


def distance_words(distance: float, threshold: float) -> str:
    """How far a painting is from copying a picture: "copy", "close", "usual" or "far".

    Both as `originality.nearest` and `calibrated` give them; what a set's pictures usually keep from one another is
    `threshold / NEAR`.
    """
    if distance < threshold:
        return "copy"
    if distance < CLOSE * threshold:
        return "close"
    return "usual" if distance < USUAL * threshold / originality.NEAR else "far"


def beside_nearest(folder: Path, pixels: np.ndarray, code: str, title: str) -> str:
    """A painting (S, S, 3) beside the three pictures of its run's set that are nearest to it, in words; or why not."""
    if not (folder / "set").exists():
        return tiles.note(say("play.near.no_set"))
    try:
        index = checkup.index_of(folder)
    except Refused as refused:
        return tiles.note(refused.refusal.sentence, "bad")
    if index is None:
        return tiles.note(say("play.near.no_index"))
    found, distances, _ = originality.nearest(index, pixels[None], checkup.NEAREST)
    near = [
        tiles.Near(
            f"gradio_api/run/{folder.name}/picture/{place}.webp?key={store.picture_key(folder)}",
            say("play.near.yours", index=f"{place + 1:,}"),
            say(f"play.near.one.{distance_words(distance, index.threshold)}"),
        )
        for place, distance in zip(found[0].tolist(), distances[0].tolist())
    ]
    nearest = float(distances[0, 0])
    share = f"{nearest * originality.NEAR / index.threshold:.0%}"
    sentence = say(f"play.near.{distance_words(nearest, index.threshold)}", share=share)
    return tiles.nearest(code, title, near, sentence, pixels.shape[0])
