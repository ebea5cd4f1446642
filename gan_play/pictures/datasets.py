"""An image set on disk: cleaned pictures in one pack, and blocks of squares that training reads.

A set, `HOME/sets/<id>/`, is `pictures.pack` (the cleaned pictures, one after the other) and `manifest.json`
(of each its name, label, place and digest; every refusal). Its id is a digest of pictures and labels, so that
the same pictures are the same set. A block, made of a set for one size, is `pixels.npy` and its own manifest.

Promises: pack and block are there whole or not at all, the manifest is written last; what is read back is
checked against its digest; no more than one picture is in memory, however large the set.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from gan_play import files, limits
from gan_play.pictures import images, likeness
from gan_play.refusals import Refusal, Refused, refuse

Result = TypeVar("Result")  # of a generator of progress
FITS = ("crop", "border", "several")
LEAST_SIZE_PX, MOST_SIZE_PX = 16, limits.KEPT_SIDE_PX

HELD_BACK_FROM, HELD_BACK_SHARE, MOST_HELD_BACK = 200, 10, 300  # pictures; one in ten; pictures

_SET_FORMAT = "gan-play-set/1"
_BLOCK_FORMAT = "gan-play-block/1"


@dataclass(frozen=True)
class Kept:
    """A cleaned picture for the pack: its bytes, its size before and after, what it is recognised by."""

    data: bytes
    width: int
    height: int
    kept_width: int
    kept_height: int
    animated: bool
    digest: str
    fingerprint: bytes


@dataclass(frozen=True)
class Progress:
    """How far something is: `done` of `total`, an estimate of the seconds left, and a sentence."""

    done: int
    total: int
    seconds_left: float
    sentence: str


@dataclass(frozen=True)
class Taken:
    """A set that was taken in: its id, its folder, and the report on it (`doctor.report`)."""

    set_id: str
    folder: Path
    report: dict


@dataclass(frozen=True)
class ImageSet:
    """Squares ready for training: `pixels` (N, S, S, 3) uint8 mapped from disk, `labels` (N,) int64.

    `label_names` is empty where the pictures have no labels (all are 0 then); `digest` names the content.
    """

    pixels: np.ndarray
    labels: np.ndarray
    label_names: list[str]
    names: list[str]
    digest: str


class Clock:
    """When to tell about progress, and how long the rest will take."""

    def __init__(self) -> None:
        self._started = self._told = time.monotonic()

    def due(self) -> bool:
        """True once in a fifth of a second: more often nobody can read."""
        if time.monotonic() - self._told < 0.2:
            return False
        self._told = time.monotonic()
        return True

    def left(self, done: int, total: int) -> float:
        """Seconds left where `done` of `total` took the time until now."""
        return (time.monotonic() - self._started) / max(done, 1) * (total - done)


def run_to_end(steps: Generator[Progress, None, Result]) -> Result:
    """What a generator of progress returns in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@contextmanager
def disk_may_be_full(path: Path) -> Iterator[None]:
    """Turns the operating system's "no space left" into a refusal that says so."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Refused(refuse("disk-full", megabytes=limits.FREE_BYTES_KEPT // limits.MB)) from error


def check_room(path: Path, needed_bytes: int = 0) -> None:
    """Refuses to start what would fill the disk of `path`."""
    missing = needed_bytes + limits.FREE_BYTES_KEPT - files.free_bytes(path)
    if missing > 0:
        raise Refused(refuse("disk-full", megabytes=-(-missing // limits.MB)))


def keep(picture: images.Decoded) -> Kept:
    """A decoded picture as it goes into the pack: JPEG, or without loss where its blocks would show."""
    pixels = picture.pixels
    if min(pixels.shape[:2]) > limits.KEPT_SIDE_PX:
        pixels = images.resize(pixels, images.within(pixels.shape[1], pixels.shape[0], limits.KEPT_SIDE_PX))
    height, width = pixels.shape[:2]
    small = min(width, height) <= limits.LOSSLESS_SIDE_PX
    data = (
        images.encode(pixels, "webp", lossless=True) if small else images.encode(pixels, "jpeg", quality=95)
    )
    return Kept(
        data=data,
        width=picture.width,
        height=picture.height,
        kept_width=width,
        kept_height=height,
        animated=picture.animated,
        digest=hashlib.sha256(f"{width} x {height}:".encode() + pixels.tobytes()).hexdigest()[:32],
        fingerprint=likeness.fingerprint(pixels),
    )


def labels_of(names: list[str]) -> tuple[list[str], list[int]]:
    """Label names, sorted, and the label of each picture, from the first folder in which their paths differ.

    ([], zeros) where all lie in one folder, or in too many; pictures beside the folders are "other".
    """
    folders = [name.split("/")[:-1] for name in names]
    while folders and all(folders) and len({folder[0] for folder in folders}) == 1:
        folders = [folder[1:] for folder in folders]
    found = [folder[0] if folder else "other" for folder in folders]
    label_names = sorted(set(found))
    if not 2 <= len(label_names) <= limits.MOST_LABELS:
        return [], [0] * len(names)
    number = {name: i for i, name in enumerate(label_names)}
    return label_names, [number[label] for label in found]


class NewSet:
    """A set while it is written: `add` each picture, then `finish`. Left without that, nothing remains of it."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "sets"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._unfinished = files.temporary(self._folder / "incoming")
        self._pack = self._unfinished.open("wb")
        self._names: list[str] = []
        self._kept: list[Kept] = []  # without their bytes: these are in the pack
        self._places: list[tuple[int, int, str]] = []  # (offset, length, digest of the bytes)

    def __enter__(self) -> NewSet:
        return self

    def __exit__(self, *error: object) -> None:
        self._pack.close()
        self._unfinished.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str, kept: Kept) -> None:
        """Appends a picture; `name` is its path in the source, with `/` between folders."""
        self._places.append((self._pack.tell(), len(kept.data), files.sha256(kept.data)[:32]))
        self._pack.write(kept.data)
        self._names.append(name)
        self._kept.append(replace(kept, data=b""))

    def finish(self, refused: list[Refusal], background: images.Color) -> tuple[str, Path]:
        """Gives the set its place and its manifest, durably: (id, folder)."""
        label_names, labels = labels_of(self._names)
        if not label_names and len({name.rpartition("/")[0] for name in self._names}) > limits.MOST_LABELS:
            refused = [*refused, refuse("too-many-labels", most=limits.MOST_LABELS)]
        content = "\n".join(f"{label} {place[2]}" for label, place in zip(labels, self._places))
        set_id = files.sha256(("\n".join(label_names) + "\n\n" + content).encode())[:16]
        pictures = [
            {
                "name": name,
                "label": label,
                "width": kept.width,
                "height": kept.height,
                "kept_width": kept.kept_width,
                "kept_height": kept.kept_height,
                "animated": kept.animated,
                "offset": offset,
                "length": length,
                "digest": digest,
            }
            for name, label, kept, (offset, length, digest) in zip(
                self._names, labels, self._kept, self._places
            )
        ]
        manifest = {
            "format": _SET_FORMAT,
            "id": set_id,
            "made": int(time.time()),
            "background": list(background),
            "label_names": label_names,
            "pictures": pictures,
            "refused": [vars(refusal) for refusal in refused],
            "exact_duplicates": likeness.exact_duplicates([kept.digest for kept in self._kept]),
            "near_duplicates": likeness.near_duplicates([kept.fingerprint for kept in self._kept]),
        }
        folder = self._folder / set_id
        folder.mkdir(exist_ok=True)
        self._pack.close()
        # The id is a digest of the pack: where another set had this id, its pack is replaced by the same bytes.
        files.publish(self._unfinished, folder / "pictures.pack")
        files.write_json(folder / "manifest.json", manifest)
        return set_id, folder


@functools.lru_cache(maxsize=8)
def _manifest(path: Path, changed_ns: int) -> dict | None:
    manifest = files.read_json(path)
    return manifest if isinstance(manifest, dict) and manifest.get("format") == _SET_FORMAT else None


def read_manifest(set_folder: Path) -> dict:
    """The manifest of a set, not to be changed. Errors: Refused where there is no set, or a damaged one."""
    path = set_folder / "manifest.json"
    try:
        manifest = _manifest(path, path.stat().st_mtime_ns)
    except OSError:
        raise Refused(refuse("no-set", set_folder.name)) from None
    if manifest is None:
        raise Refused(refuse("set-damaged", set_folder.name))
    return manifest


def find_set(home: Path, set_id: str) -> Path:
    """The folder of a set by its id, which may come from anybody. Errors: Refused where there is none."""
    ok = isinstance(set_id, str) and len(set_id) == 16 and set(set_id) <= set("0123456789abcdef")
    if not ok or not (home / "sets" / set_id / "manifest.json").is_file():
        raise Refused(refuse("no-set", str(set_id)))
    return home / "sets" / set_id


def _read_pack(set_folder: Path, pictures: list[dict]) -> Iterator[np.ndarray]:
    """The pixels (H, W, 3) of pictures of a set, one by one, verified. Errors: Refused where one is damaged."""
    try:
        with (set_folder / "pictures.pack").open("rb") as pack:
            for picture in pictures:
                pack.seek(picture["offset"])
                data = pack.read(picture["length"])
                if files.sha256(data)[:32] != picture["digest"]:
                    raise Refused(refuse("set-damaged", set_folder.name))
                yield images.read_kept(data)
    except OSError:
        raise Refused(refuse("set-damaged", set_folder.name)) from None


def _picture(set_folder: Path, index: int) -> np.ndarray:
    pictures = read_manifest(set_folder)["pictures"]
    if not (isinstance(index, int) and 0 <= index < len(pictures)):
        raise Refused(refuse("not-found", f"picture {index}"))
    return next(_read_pack(set_folder, [pictures[index]]))


def thumbnail(set_folder: Path, index: int, size_px: int) -> bytes:
    """A picture of a set, whole, within `size_px` pixels square, as WebP. Errors: Refused."""
    pixels = _picture(set_folder, index)
    scale = min(1.0, size_px / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return images.encode(images.resize(pixels, size), "webp", quality=80)


def preview_fit(
    set_folder: Path, index: int, size_px: int, how: str, background: images.Color | None = None
) -> list[np.ndarray]:
    """The squares (S, S, 3) that training would get of one picture. Errors: Refused."""
    if how not in FITS:
        raise Refused(refuse("fit", str(how)))
    ground = tuple(background or read_manifest(set_folder)["background"])
    return images.fit(_picture(set_folder, index), size_px, how, ground)


def making_block(
    set_folder: Path,
    out_folder: Path,
    size_px: int,
    how: str = "crop",
    background: images.Color | None = None,
) -> Generator[Progress, None, ImageSet]:
    """Writes the squares of a set to `out_folder`, telling how far it is; returns them. Errors: Refused.

    `background` is for `border`; without it, the colour that the set was taken in with.
    """
    if how not in FITS:
        raise Refused(refuse("fit", str(how)))
    if not (isinstance(size_px, int) and LEAST_SIZE_PX <= size_px <= MOST_SIZE_PX):
        raise Refused(refuse("picture-size", size=size_px, least=LEAST_SIZE_PX, most=MOST_SIZE_PX))
    manifest = read_manifest(set_folder)
    pictures = manifest["pictures"]
    if len(pictures) < limits.LEAST_PICTURES:
        raise Refused(refuse("too-few-pictures", count=len(pictures), least=limits.LEAST_PICTURES))
    ground = tuple(background or manifest["background"])
    squares = [
        images.crop_count(p["kept_width"], p["kept_height"]) if how == "several" else 1 for p in pictures
    ]
    shape = (sum(squares), size_px, size_px, 3)
    out_folder.mkdir(parents=True, exist_ok=True)
    check_room(out_folder, int(np.prod(shape, dtype=np.int64)))
    labels: list[int] = []
    names: list[str] = []
    content = hashlib.sha256()
    clock = Clock()
    with disk_may_be_full(out_folder), files.atomic_path(out_folder / "pixels.npy") as unfinished:
        with unfinished.open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            kept = _read_pack(set_folder, pictures)
            for done, (picture, pixels) in enumerate(zip(pictures, kept)):
                if clock.due():
                    left = clock.left(done, len(pictures))
                    yield Progress(done, len(pictures), left, "Making squares of the pictures")
                for square in images.fit(pixels, size_px, how, ground):
                    file.write(square.tobytes())
                    content.update(square.tobytes())
                    labels.append(picture["label"])
                    names.append(picture["name"])
    content.update(np.array(labels, dtype="<i8").tobytes() + "\n".join(manifest["label_names"]).encode())
    block = {
        "format": _BLOCK_FORMAT,
        "set_id": manifest["id"],
        "size_px": size_px,
        "how": how,
        "background": list(ground),
        "label_names": manifest["label_names"],
        "labels": labels,
        "names": names,
        "digest": content.hexdigest(),
        "refused": manifest["refused"],
    }
    with disk_may_be_full(out_folder):
        files.write_json(out_folder / "manifest.json", block)
    yield Progress(len(pictures), len(pictures), 0.0, "The pictures are ready")
    return open_block(out_folder)


def make_block(
    set_folder: Path,
    out_folder: Path,
    size_px: int,
    how: str = "crop",
    background: images.Color | None = None,
) -> ImageSet:
    """`making_block` to its end: the squares of a set for one size, written to `out_folder`. Errors: Refused."""
    return run_to_end(making_block(set_folder, out_folder, size_px, how, background))


def open_block(folder: Path) -> ImageSet:
    """The block in `folder`, its pixels mapped, not read. Errors: Refused where it is missing or damaged."""
    damaged = Refused(refuse("set-damaged", folder.name))
    block = files.read_json(folder / "manifest.json")
    if not isinstance(block, dict) or block.get("format") != _BLOCK_FORMAT:
        raise damaged
    try:
        pixels = np.load(folder / "pixels.npy", mmap_mode="r")
        labels = np.array(block["labels"], dtype=np.int64)
        size_px, digest, names = block["size_px"], block["digest"], block["names"]
        fits = pixels.shape == (len(names), size_px, size_px, 3) and labels.shape == (len(names),)
        if fits and pixels.dtype == np.uint8:
            return ImageSet(pixels, labels, block["label_names"], names, digest)
    except (OSError, EOFError, ValueError, KeyError, TypeError, OverflowError):
        pass
    raise damaged


def hold_back(count: int, seed: int, names: Sequence[str] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Which of `count` pictures to train on, and which to keep for the scores: two sorted int64 arrays of indices.

    None are kept of fewer than 200, where each is needed; else one in ten, at most 300. A pure function of its
    arguments, the same with every version of every library: pictures are drawn in the order of a digest of
    (seed, index). With `names` (as in `ImageSet`), squares of one picture stay together, since a square that
    overlaps with one that was trained on would not be new to the model; then it may be some fewer.
    """
    wanted = min(count // HELD_BACK_SHARE, MOST_HELD_BACK) if count >= HELD_BACK_FROM else 0
    together: dict[object, list[int]] = {}
    for index in range(count):
        together.setdefault(names[index] if names is not None else index, []).append(index)

    def drawn(squares: list[int]) -> bytes:
        return hashlib.sha256(f"hold back {seed} {squares[0]}".encode()).digest()

    held: list[int] = []
    for squares in sorted(together.values(), key=drawn) if wanted else []:
        if len(held) + len(squares) <= wanted:
            held += squares
    kept = np.ones(count, dtype=bool)
    kept[held] = False
    return np.flatnonzero(kept), np.flatnonzero(~kept)
