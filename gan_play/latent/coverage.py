"""Which pictures of its set a model doesn't represent, and which seeds come nearest to each.

As `coverage` in `measure.scores`, through the same network: a picture is represented where a painting lies within its
neighbourhood. What was found is kept in the run's folder, for one checkpoint.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from pathlib import Path

import numpy as np

from gan_play import files
from gan_play.latent import sample
from gan_play.measure import atlas, scores
from gan_play.measure.features import features
from gan_play.pictures import datasets
from gan_play.pictures.datasets import Progress
from gan_play.refusals import Refused, refuse
from gan_play.runs import labels as run_labels
from gan_play.runs import store

MOST_PICTURES = 2_000  # of the set that are looked at, spread evenly over a larger one
LEAST_SAMPLED, MOST_SAMPLED = 100, 600  # paintings: as many as pictures, within these
NEAREST = 3  # seeds that are named for each picture
AT_ONCE = 16  # pictures in the network
FORMAT = 1
FOUND_FILE, SEEN_FILE = "coverage.json", "coverage.npy"


def neighbours_for(pictures: int, sampled: int) -> int:
    """How many neighbours away a neighbourhood reaches: 5 as in the score, more where paintings are fewer.

    A perfect model leaves out about exp(-k M / N) of N pictures by chance alone: 1 in 150 with k = 5 and M = N. So k
    grows as M falls short.
    """
    return max(scores.NEIGHBOURS_DENSITY, round(scores.NEIGHBOURS_DENSITY * pictures / sampled))


def covering(home: Path, run_id: str) -> Generator[Progress, None, dict]:
    """Finds what the newest checkpoint of a run doesn't represent, telling how far it is, and keeps it.

    Errors: Refused, where the run has no set or no checkpoint. What is kept:

    {"step", "model": digest; "pictures", "sampled", "neighbours"; "looked_at": places in the run's set; "share": of
    each the distance of the nearest painting as a share of its neighbourhood's, above 1 is not represented; "near": of
    each the nearest seeds; "labels": of each seed, None without any}.
    """
    folder = store.find_run(home, run_id)
    if not (folder / "set" / "manifest.json").is_file():
        raise Refused(refuse("no-set-kept", run_id))
    model, block = sample.load(home, run_id), datasets.open_block(folder / "set")
    with datasets.disk_may_be_full(folder):
        sample.pin(home, model)  # what comes nearest is shown, and taken to Play, by its code
    count = min(len(block.pixels), MOST_PICTURES)
    looked_at = [i * len(block.pixels) // count for i in range(count)]
    seeds = range(max(LEAST_SAMPLED, min(MOST_SAMPLED, count)))
    found = files.read_json(folder / "run.json")
    kinds = run_labels.like(run_labels.counts(found), len(seeds)) if model.labels else None
    real = _load(folder, block.digest, count)
    left = 0 if real is not None else count
    total, clock, done, parts = left + len(seeds), datasets.Clock(), 0, []
    for start in range(0, left, AT_ONCE):
        parts.append(features(block.pixels[looked_at[start : start + AT_ONCE]]))
        done += len(parts[-1])
        yield Progress(done, total, clock.left(done, total), "Looking at your pictures")
    if real is None:
        real = np.concatenate(parts)
        with datasets.disk_may_be_full(folder):
            _save(folder, block.digest, real)
    parts = []
    for start in range(0, len(seeds), AT_ONCE):
        painted = [
            sample.sample_one(model, seed, 1.0, None if kinds is None else kinds[seed])
            for seed in seeds[start : start + AT_ONCE]
        ]
        parts.append(features(np.stack(painted)))
        done += len(painted)
        yield Progress(done, total, clock.left(done, total), "Looking at its paintings")
    neighbours = min(neighbours_for(count, len(seeds)), count - 1)
    share, near = scores.reached(real, np.concatenate(parts), neighbours, NEAREST)
    made = {
        "format": FORMAT,
        "step": model.step,
        "model": model.digest,
        "pictures": len(block.pixels),
        "sampled": len(seeds),
        "neighbours": neighbours,
        "looked_at": looked_at,
        "share": share.round(4).tolist(),
        "near": near.tolist(),
        "labels": kinds,
    }
    with datasets.disk_may_be_full(folder):
        files.write_json(folder / "samples" / FOUND_FILE, made)
    whole = same_set(home, folder)
    if whole and not atlas.read(whole[0]):
        yield from atlas.mapping(whole[0])
    return made


def read(folder: Path) -> dict | None:
    """What was found for a run, or None where there is nothing that can be used."""
    found = files.read_json(folder / "samples" / FOUND_FILE)
    try:
        counts = {len(found[name]) for name in ("looked_at", "share", "near")}
        kinds = found["labels"]
        named = {seed for near in found["near"] for seed in near}
        whole = found["format"] == FORMAT and len(counts) == 1 and all(share >= 0 for share in found["share"])
        whole = whole and (kinds is None or max(named) < len(kinds))
        int(found["step"]), int(found["sampled"]), int(found["pictures"]), bytes.fromhex(found["model"])
    except (TypeError, KeyError, ValueError):
        return None
    return found if whole else None


def same_set(home: Path, folder: Path) -> tuple[Path, list[int]] | None:
    """The set that a run learns from, if it is still here and each of its pictures made one of the run's squares.

    And the place of each picture among those squares, where the ones that are held back come last.
    """
    about = files.read_json(folder / "run.json")
    taken = about.get("set") if isinstance(about, dict) else None
    try:
        found = datasets.find_set(home, taken["id"])
        names = [picture["name"] for picture in datasets.read_manifest(found)["pictures"]]
        squares = datasets.open_block(folder / "set").names
    except (Refused, TypeError, KeyError):
        return None
    places = {name: place for place, name in enumerate(squares)}
    alike = len(places) == len(squares) == len(names) and places.keys() == set(names)
    return (found, [places[name] for name in names]) if alike else None


def _save(folder: Path, digest: str, seen: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.frombuffer(digest.encode(), np.uint8))
    np.save(buffer, seen)
    files.write_atomically(folder / "set" / SEEN_FILE, buffer.getvalue())


def _load(folder: Path, digest: str, count: int) -> np.ndarray | None:
    """The features of the run's pictures, if they were kept, of these."""
    try:
        with (folder / "set" / SEEN_FILE).open("rb") as file:
            about, seen = (np.lib.format.read_array(file) for _ in range(2))
    except (OSError, ValueError, EOFError):
        return None
    return seen if about.tobytes() == digest.encode() and seen.ndim == 2 and len(seen) == count else None
