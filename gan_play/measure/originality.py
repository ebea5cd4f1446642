"""Does it copy? The nearest training pictures of a painting, and when one is near enough to be a copy.

A picture is seen through `lite2`, which no recipe trains against: its middle stages, pooled to a small grid, so that
what is where counts. Distances take flips (of the painting) and crops (of the training pictures) into account. What
is a copy is decided by the set itself: how near its own pictures come to one another. Pure functions; the index of a
set can be kept in a file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from gan_play import files
from gan_play.models.pretrained import frozen_features

LOOK_PX = 64  # what is smaller or larger is brought to this size
STAGES, GRIDS = (2, 3), (4, 2)  # of lite2, at strides 8 and 16, and to how many squares a side each is pooled
CROP_SHARE = 0.88  # side of the crops that are indexed: near all from 100 % down to about 80 %
MOST_WHOLE = 1_000  # pictures whose views are kept as they are seen, 2.5 kB each; of more only...
DIRECTIONS = 256  # ...in which they differ most: few pictures would differ from new ones by the choice alone
FITTED = 1_000  # pictures that these are found from
NEIGHBOURS = 5  # whose middle distance says how dense the set is around a picture
NEAR = 2 / 3  # of how near different pictures of the set usually come: what is nearer is a copy
SAME = 0.35  # as a share of the same: two photographs of one picture
LEAST_HELD_BACK, MOST_HELD_BACK = 50, 0.01  # pictures; the share of them that may be called copies
AT_ONCE = 24  # pictures in the network
FORMAT = 1
WAYS = ("whole", "cropped", "mirrored", "mirrored and cropped")


@dataclass(frozen=True)
class Index:
    """A set of N pictures made searchable, as `indexing` makes it.

    views: what the network sees of each picture, whole and cropped, (N, V, K) float16, along the directions
    `basis` (D, K) from `mean` (D,), or as it is where that is None; around: how far its neighbours are, (N,); own:
    how near the nearest other one is, as a share of `around` there, (N,); threshold: the share of `around` below
    which something is a copy.
    """

    digest: str
    mean: np.ndarray
    basis: np.ndarray | None
    views: np.ndarray
    around: np.ndarray
    own: np.ndarray
    threshold: float


@dataclass(frozen=True)
class CopyVerdict:
    """The share of paintings that are copies, below which share of the set's own distances one is, a sentence."""

    rate: float
    threshold: float
    sentence: str
    copied: np.ndarray  # (M,) bool


# Seeing


def small(pixels: np.ndarray) -> np.ndarray:
    """Pixels (N, S, S, 3) uint8 at LOOK_PX."""
    if pixels.shape[1] == LOOK_PX:
        return np.array(pixels)
    x = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float()
    x = F.interpolate(x, size=LOOK_PX, mode="bilinear", antialias=x.shape[-1] > LOOK_PX)
    return x.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def describe(pixels: np.ndarray) -> np.ndarray:
    """What the network sees where in pixels (N, LOOK_PX, LOOK_PX, 3) uint8: (N, D) float32.

    The maps of the middle stages, each place brought to length 1 over its channels (as Zhang 2018, LPIPS, does
    before it compares) and pooled to a grid.
    """
    network, found = frozen_features("lite2"), []
    with torch.inference_mode():
        for start in range(0, len(pixels), AT_ONCE):
            x = torch.from_numpy(np.array(pixels[start : start + AT_ONCE])).permute(0, 3, 1, 2)
            x = (x.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            x, maps = network.stem(x), []
            for stage in network.stages[: max(STAGES) + 1]:
                x = stage(x)
                maps.append(x)
            pooled = [
                F.adaptive_avg_pool2d(F.normalize(maps[stage], dim=1), grid).flatten(1) / grid
                for stage, grid in zip(STAGES, GRIDS)
            ]
            found.append(torch.cat(pooled, dim=1))
    return torch.cat(found).numpy()


def crops(pixels: np.ndarray) -> list[np.ndarray]:
    """Pixels (N, S, S, 3) whole, and cut to the middle and to the four corners, at their old size again."""
    size = pixels.shape[1]
    side = round(size * CROP_SHARE)
    rest = size - side
    found = [pixels]
    for top, left in ((rest // 2, rest // 2), (0, 0), (0, rest), (rest, 0), (rest, rest)):
        x = torch.from_numpy(np.array(pixels[:, top : top + side, left : left + side]))
        x = F.interpolate(x.permute(0, 3, 1, 2).float(), size=size, mode="bilinear")
        found.append(x.round().to(torch.uint8).permute(0, 2, 3, 1).numpy())
    return found


# Distances


def _directions(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean (D,) of what was seen (N, D), and the directions (D, K) in which it differs most."""
    mean = seen.mean(axis=0)
    centred = (seen - mean).astype(np.float64)
    shares, places = np.linalg.eigh(centred @ centred.T)  # as many rows as pictures: quicker than D x D
    kept = np.argsort(shares)[::-1][:DIRECTIONS]
    kept = kept[
        shares[kept] > max(shares.max() * 1e-6, 1e-12)
    ]  # fewer where pictures are there again and again
    return mean, (centred.T @ places[:, kept] / np.sqrt(shares[kept])).astype(np.float32)


def _led(seen: np.ndarray, mean: np.ndarray, basis: np.ndarray | None) -> np.ndarray:
    """What was seen (..., D) along the kept directions (..., K), or as it is."""
    return seen if basis is None else (seen - mean) @ basis


def _apart(seen: np.ndarray, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each painting (M, Q, K), seen in Q ways, is from each picture (N, V, K): (M, N), the nearest pair of
    views; and which pair that is, q * V + v: (M, N)."""
    count, ways, _ = views.shape
    flat = views.reshape(count * ways, -1).astype(np.float32)
    lengths = np.einsum("nk,nk->n", flat, flat)
    best, which = None, None
    for q in range(seen.shape[1]):
        x = seen[:, q]
        squared = np.einsum("mk,mk->m", x, x)[:, None] + lengths - 2 * x @ flat.T
        squared = squared.reshape(len(x), count, ways)
        way = squared.argmin(axis=2)
        squared = np.take_along_axis(squared, way[..., None], axis=2)[..., 0]
        if best is None:
            best, which = squared, way
        else:
            nearer = squared < best
            best, which = np.where(nearer, squared, best), np.where(nearer, q * ways + way, which)
    return np.sqrt(np.maximum(best, 0)), which


def _crowding(close: np.ndarray, apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the neighbours of each picture are, and how near it is itself to the nearest that isn't the same,
    as a share of that one's: (N,), (N,). From the places and distances of its nearest others, (N, NEIGHBOURS + 1).

    The second is what a new picture of the same source would have: a picture that is asked about isn't counted
    among the neighbours of others. One that is there twice (or in two photographs) is no measure of how near
    different pictures come, so what is nearer than `SAME` is passed over.
    """
    least = max(float(np.median(apart)), 1e-6) * 1e-3  # where a picture is there many times, nothing is 0
    around = np.maximum(np.median(apart[:, :NEIGHBOURS], axis=1), least)
    own = np.ones(len(close))
    for one, (others, distances) in enumerate(zip(close, apart)):
        for other, distance in zip(others, distances):
            rest = apart[other][close[other] != one][:NEIGHBOURS]
            share = distance / max(float(np.median(rest)), least) if len(rest) else 1.0
            if share > SAME:
                own[one] = share
                break
    return around.astype(np.float32), own.astype(np.float32)


# What is a copy


def calibrated(own: np.ndarray) -> float:
    """From which distance on something is a copy, by how near real pictures (N,) are to the nearest other one."""
    return NEAR * float(np.median(own))


# The index of a set


def indexing(pixels: np.ndarray, digest: str = "") -> Iterator[Index | None]:
    """Makes a set of pixels (N, S, S, 3) uint8 searchable: None after each piece of work, at last the index.

    ValueError for fewer than two pictures.
    """
    count = len(pixels)
    if count < 2:
        raise ValueError("an index needs two pictures")
    mean, basis = np.zeros(1, np.float32), None
    if count > MOST_WHOLE:
        fitted, seen = np.linspace(0, count - 1, FITTED).round().astype(int), []
        for start in range(0, len(fitted), AT_ONCE):
            seen.append(describe(small(pixels[fitted[start : start + AT_ONCE]])))
            yield None
        mean, basis = _directions(np.concatenate(seen))
        yield None
    views, mirrored = [], []
    for start in range(0, count, AT_ONCE // 6):
        whole = small(pixels[start : start + AT_ONCE // 6])
        cut = [*crops(whole), whole[:, :, ::-1]]
        found = _led(describe(np.concatenate(cut)), mean, basis)
        found = found.reshape(len(cut), len(whole), -1).transpose(1, 0, 2).astype(np.float16)
        views.append(found[:, :-1])
        mirrored.append(found[:, -1:])
        yield None
    views, mirrored = np.concatenate(views), np.concatenate(mirrored)
    close, apart = [], []  # of each picture its nearest others and how far they are: (N, NEIGHBOURS + 1)
    for start in range(0, count, AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        seen = np.concatenate([views[rows, :1], mirrored[rows]], axis=1).astype(np.float32)
        distances = _apart(seen, views)[0]
        here = np.arange(len(distances))
        distances[here, start + here] = np.inf
        order = distances.argsort(axis=1)[:, : min(NEIGHBOURS + 1, count - 1)]
        close.append(order)
        apart.append(np.take_along_axis(distances, order, axis=1))
        yield None
    around, own = _crowding(np.concatenate(close), np.concatenate(apart))
    yield Index(digest, mean, basis, views, around, own, calibrated(own))


def index(pixels: np.ndarray, digest: str = "") -> Index:
    """`indexing` to its end."""
    *_, found = indexing(pixels, digest)
    return found


ARRAYS = ("mean", "basis", "views", "around", "own")


def save(index: Index, path: Path) -> None:
    """Writes an index to a file, atomically: its arrays one after the other, each in NumPy's format."""
    buffer = io.BytesIO()
    about = np.frombuffer(f"{FORMAT} {index.digest}".encode(), np.uint8)
    arrays = [getattr(index, name) for name in ARRAYS]
    for array in (about, np.float64(index.threshold), *arrays):
        np.save(buffer, np.zeros((0, 0), np.float32) if array is None else array)
    files.write_atomically(path, buffer.getvalue())


def load(path: Path, digest: str, count: int) -> Index | None:
    """The index in a file, if it is of these `count` pictures; None where there is none, or none that can be used."""
    try:
        with path.open("rb") as file:
            about, threshold, *arrays = (np.lib.format.read_array(file) for _ in range(2 + len(ARRAYS)))
    except (OSError, ValueError, EOFError):
        return None
    kept = dict(zip(ARRAYS, arrays))
    kept["basis"] = kept["basis"] if kept["basis"].size else None
    found = Index(digest, **kept, threshold=float(threshold))
    shapes = (found.views.shape[0], found.around.shape, found.own.shape)
    fits = found.views.ndim == 3 and shapes == (count, (count,), (count,))
    return found if about.tobytes() == f"{FORMAT} {digest}".encode() and fits else None


# Searching


def nearest(index: Index, pixels: np.ndarray, k: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The k pictures of a set that are nearest to each of the paintings (M, S, S, 3) uint8.

    Returns their places (M, k), nearest first; their distances (M, k), as a share of how far the set's own pictures
    are apart there; and how they match (M, k): one of `WAYS`.
    """
    x = small(pixels)
    seen = np.stack([describe(x), describe(x[:, :, ::-1])], axis=1)  # (M, 2, D)
    apart, which = _apart(_led(seen, index.mean, index.basis), index.views)
    apart = apart / index.around
    found = np.argsort(apart, axis=1)[:, : min(k, apart.shape[1])]
    ways = index.views.shape[1]
    pair = np.take_along_axis(which, found, axis=1)
    how = np.array(WAYS)[2 * (pair >= ways) + (pair % ways > 0)]
    return found, np.take_along_axis(apart, found, axis=1), how


def verdict(index: Index, distances: np.ndarray) -> CopyVerdict:
    """Which paintings are copies, by their distances (M, k) to the nearest pictures of the set, in words."""
    copied = distances[:, 0] < index.threshold
    count, copies = len(copied), int(copied.sum())
    if not copies:
        sentence = f"None of {count} paintings looked at is a copy of one of your pictures."
    elif copies == 1:
        sentence = f"1 of {count} paintings looked at comes very close to one of your pictures."
    else:
        sentence = f"{copies} of {count} paintings looked at are copies of your pictures."
    return CopyVerdict(copies / count, index.threshold, sentence, copied)


def holding_back(index: Index, pixels: np.ndarray) -> Iterator[Index | None]:
    """None after each piece of work, at last the index with a threshold that also suits pictures (M, S, S, 3) of
    the set that training never saw.

    Fewer than `LEAST_HELD_BACK` say too little. Those that are in the set a second time are no measure.
    """
    if len(pixels) < LEAST_HELD_BACK:
        yield index
        return
    found = []
    for start in range(0, len(pixels), AT_ONCE // 2):
        found.append(nearest(index, pixels[start : start + AT_ONCE // 2], 1)[1][:, 0])
        yield None
    new = np.concatenate(found)
    new = new[new > SAME * np.median(new)]
    yield replace(index, threshold=min(index.threshold, float(np.quantile(new, MOST_HELD_BACK))))


def held_back(index: Index, pixels: np.ndarray) -> Index:
    """`holding_back` to its end."""
    *_, found = holding_back(index, pixels)
    return found


def copy_rate(index: Index, pixels: np.ndarray) -> CopyVerdict:
    """Whether paintings (M, S, S, 3) uint8 are copies of a set's pictures: the share that is, and a sentence."""
    return verdict(index, nearest(index, pixels, 1)[1])
