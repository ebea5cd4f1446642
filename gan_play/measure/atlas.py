"""The map of a set: which of its pictures don't belong, and where each lies among the others.

A picture is seen through the first stages of `lite2`, at stride 8: strokes, textures and colours more than things.
What is far from its neighbours, by the set's own spread, is odd. Places on the map are those of a t-SNE. Both are kept
beside the set, with a sheet of small pictures to draw the map from.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from gan_play import files
from gan_play.measure.scores import _squared_distances
from gan_play.models.pretrained import frozen_features
from gan_play.pictures import datasets, images
from gan_play.pictures.datasets import Progress
from gan_play.refusals import Refused

LOOK_PX, STAGE = 64, 2  # of what is looked at; of lite2, counted from 0
AT_ONCE = 32  # pictures in the network
LEAST_TO_JUDGE = 20  # pictures, below which nothing is called odd
MOST_SEEN = 10_000  # pictures that are looked at, spread evenly over a larger set
MOST_NEIGHBOURS, NEIGHBOURS_SHARE = (
    25,
    8,
)  # k: an eighth of the set, at most 25, so that twenty strangers are no family
FENCE = 1.5  # quarters' ranges beyond the upper quarter: Tukey 1977, "Exploratory Data Analysis"
MOST_SHOWN = 600  # pictures on the map: more can't be told apart
CELL_PX, COLUMNS = 48, 25  # of the sheet
PERPLEXITY, ROUNDS, EXAGGERATED = 30, 400, 100
FORMAT = 1
MAP_FILE, SHEET_FILE, SEEN_FILE = "map.json", "map.webp", "map.npy"


# Seeing


def describe(pixels: np.ndarray) -> np.ndarray:
    """What the first stages see of pixels (N, LOOK_PX, LOOK_PX, 3) uint8, averaged over places: (N, 96) float32.

    Twice: with each place brought to length 1 over its channels, and as it is; both of length 1 in the end.
    """
    network, found = frozen_features("lite2"), []
    with torch.inference_mode():
        for start in range(0, len(pixels), AT_ONCE):
            x = torch.from_numpy(np.array(pixels[start : start + AT_ONCE])).permute(0, 3, 1, 2)
            x = (x.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            x = network.stem(x)
            for stage in network.stages[: STAGE + 1]:
                x = stage(x)
            halves = F.normalize(x, dim=1).mean(dim=(2, 3)), x.mean(dim=(2, 3))
            found.append(torch.cat([F.normalize(half, dim=1) for half in halves], dim=1))
    return torch.cat(found).numpy()


# What is odd


def oddness(features: np.ndarray) -> np.ndarray:
    """How far each of features (N, D) lies beyond what is usual in the set: (N,), above 0 is odd.

    The logarithm of the distance to the k-th nearest other one, less the fence: the upper quartile of these plus
    `FENCE` times the range between the quartiles. k is an eighth of the set and from 3 to `MOST_NEIGHBOURS`; so as many
    strangers that look like each other are still found. Of fewer than `LEAST_TO_JUDGE` none is odd.
    """
    count = len(features)
    if count < LEAST_TO_JUDGE:
        return np.full(count, -1.0)
    k = min(MOST_NEIGHBOURS, max(3, count // NEIGHBOURS_SHARE))
    far = np.empty(count)
    features = np.asarray(features, dtype=np.float64)
    for rows, distances in _squared_distances(features, features):
        here = np.arange(rows.start, rows.stop)
        distances[here - rows.start, here] = np.inf
        far[rows] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    far = 0.5 * np.log(np.maximum(far, 1e-12))
    lower, upper = np.quantile(far, [0.25, 0.75])
    return far - (upper + FENCE * max(upper - lower, 1e-3))


# Where each lies


def _neighbourly(squared: np.ndarray, perplexity: float) -> np.ndarray:
    """How much each (N, N) takes the others for neighbours, rows summing to 1: t-SNE's p of j given i, by bisection."""
    low, high = np.zeros(len(squared)), np.full(len(squared), np.inf)
    precision = 1 / np.maximum(np.median(squared, axis=1), 1e-12)
    itself = np.eye(len(squared), dtype=bool)
    for _ in range(50):
        p = np.exp(-squared * precision[:, None])
        p[itself] = 0
        p /= np.maximum(p.sum(axis=1, keepdims=True), 1e-30)
        entropy = -(p * np.log(np.maximum(p, 1e-30))).sum(axis=1)
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, precision, low), np.where(wide, high, precision)
        precision = np.where(np.isinf(high), precision * 2, (low + high) / 2)
    return p


def placing(features: np.ndarray) -> Generator[float, None, np.ndarray]:
    """Places on the map, (N, 2) in [0, 1], of features (N, D), alike ones near each other; yields the share done.

    An exact t-SNE (van der Maaten & Hinton 2008) that begins from the two main axes (Kobak & Berens 2019), so that
    nothing in it is random.
    """
    count = len(features)
    centred = np.asarray(features, dtype=np.float64) - np.mean(features, axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    y = np.zeros((count, 2))
    axes = min(2, len(sizes))
    y[:, :axes] = left[:, :axes] * sizes[:axes]
    if count > 3:
        y *= 1e-4 / max(y[:, 0].std(), 1e-12)
        y += 1e-7 * np.stack(
            [np.cos(np.arange(count)), np.sin(np.arange(count))], axis=1
        )  # copies come apart
        lengths = np.einsum("nd,nd->n", centred, centred)
        squared = np.maximum(lengths[:, None] + lengths - 2 * centred @ centred.T, 0)
        p = _neighbourly(squared, min(PERPLEXITY, (count - 1) / 3))
        p = np.maximum((p + p.T) / (2 * count), 1e-12).astype(np.float32)
        y, speed, gain = y.astype(np.float32), np.zeros_like(y, np.float32), np.ones_like(y, np.float32)
        rate = max(count / 12, 20)
        for at in range(ROUNDS):
            near = np.einsum("nd,nd->n", y, y)
            near = 1 / (1 + np.maximum(near[:, None] + near - 2 * y @ y.T, 0))  # (N, N)
            np.fill_diagonal(near, 0)
            pull = (p * (12 if at < EXAGGERATED else 1) - near / near.sum()) * near
            slope = 4 * (pull.sum(axis=1)[:, None] * y - pull @ y)
            gain = np.maximum(np.where(np.sign(slope) == np.sign(speed), gain * 0.8, gain + 0.2), 0.01)
            speed = (0.5 if at < EXAGGERATED else 0.8) * speed - rate * gain * slope
            y = y + speed
            y -= y.mean(axis=0)
            if at % 40 == 39:
                yield (at + 1) / ROUNDS
    y = y - y.min(axis=0)
    return (y / np.maximum(y.max(axis=0), 1e-12)).astype(np.float64)


def shown_of(count: int, always: list[int], most: int = MOST_SHOWN) -> list[int]:
    """Which of `count` pictures stand on a map: those in `always`, as many as fit, and of the others an even choice."""
    always = sorted(always[:most])
    others = sorted(set(range(count)) - set(always))
    room = min(most - len(always), len(others))
    return sorted(always + [others[i * len(others) // room] for i in range(room)])


# The map of a set on disk


def mapping(set_folder: Path) -> Generator[Progress, None, dict]:
    """Makes the map of a set, telling how far it is, and keeps it beside the set. Errors: Refused.

    {"shown", "x", "y": of the pictures on the map their places in the set and on the map; "outliers": the odd ones, the
    oddest first; "seen": how many were looked at, "columns", "cell_px": of the sheet}.
    """
    pictures = datasets.read_manifest(set_folder)["pictures"]
    count = min(len(pictures), MOST_SEEN)
    seen = [i * len(pictures) // count for i in range(count)]
    clock, squares, found = datasets.Clock(), [], []
    known = inherited(set_folder, [pictures[i]["digest"] for i in seen])
    new = [at for at in range(count) if at not in known]
    kept = datasets.squares_of(set_folder, [seen[at] for at in new], LOOK_PX)
    for done, square in enumerate(kept):
        squares.append(square)
        if len(squares) == AT_ONCE or done == len(new) - 1:
            found.append(describe(np.stack(squares)))
            squares = []
            yield Progress(done + 1, len(new), clock.left(done + 1, len(new)), "Looking at every picture")
    width = next(iter(known.values())).shape[0] if known else found[0].shape[1]
    features = np.zeros((count, width), np.float32)
    if found:
        features[new] = np.concatenate(found)
    for at, row in known.items():
        features[at] = row
    odd = oddness(features)
    outliers = [int(at) for at in np.argsort(-odd, kind="stable") if odd[at] > 0]
    shown = shown_of(count, outliers)
    steps = placing(features[shown])
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            places = end.value
            break
        yield Progress(round(share * 100), 100, 0.0, "Drawing the map")
    cells = np.stack(list(datasets.squares_of(set_folder, [seen[at] for at in shown], CELL_PX)))
    made = {
        "format": FORMAT,
        "shown": [seen[at] for at in shown],
        "x": places[:, 0].round(4).tolist(),
        "y": places[:, 1].round(4).tolist(),
        "outliers": [seen[at] for at in outliers],
        "seen": count,
        "columns": COLUMNS,
        "cell_px": CELL_PX,
    }
    buffer = io.BytesIO()
    np.save(buffer, features.astype(np.float16))
    with datasets.disk_may_be_full(set_folder):
        files.write_atomically(set_folder / SEEN_FILE, buffer.getvalue())
        sheet = images.encode(images.grid(cells, COLUMNS, 0), "webp", quality=80)
        files.write_atomically(set_folder / SHEET_FILE, sheet)
        files.write_json(set_folder / MAP_FILE, made)  # last: where it is, the others are
    return made


def read(set_folder: Path) -> dict | None:
    """The map that is kept beside a set, or None where there is none that can be used."""
    made = files.read_json(set_folder / MAP_FILE)
    try:
        lists = [made[name] for name in ("shown", "x", "y", "outliers")]
        whole = made["format"] == FORMAT and all(isinstance(one, list) for one in lists)
        whole = whole and len(lists[0]) == len(lists[1]) == len(lists[2])
        count = len(datasets.read_manifest(set_folder)["pictures"])
        whole = whole and all(0 <= i < count for i in lists[0] + lists[3])
    except (TypeError, KeyError, Refused):
        return None
    return made if whole and (set_folder / SHEET_FILE).is_file() else None


def inherited(set_folder: Path, digests: list[str]) -> dict[int, np.ndarray]:
    """What was seen of the same pictures in the set that this one is a part of, by their place here; {} if nothing."""
    before = datasets.read_manifest(set_folder).get("made_from")
    folder = set_folder.parent / str(before["id"]) if isinstance(before, dict) else None
    if folder is None or not read(folder):
        return {}
    try:
        features = np.load(folder / SEEN_FILE)
        pictures = datasets.read_manifest(folder)["pictures"]
    except (OSError, ValueError, EOFError):
        return {}
    if len(features) != len(pictures) or features.ndim != 2:
        return {}  # of a set that is too large, only some were seen
    rows = {picture["digest"]: row for picture, row in zip(pictures, features)}
    return {at: rows[digest].astype(np.float32) for at, digest in enumerate(digests) if digest in rows}
