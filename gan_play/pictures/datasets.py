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
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
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
HELD_BACK_FROM_LABEL = 10  # pictures of a label, below which each is needed
LEAST_COMPARED = (
    50  # pictures held back: beside 50 a KID scatters by about 0.024, beside 20 by 0.04, 300 by 0.008
)

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

    `label_names` is empty where the pictures have no labels (all are 0 then); `digest` names the content. The last
    `held_back` squares are kept for the scores: a training looks at `learnt` alone.
    """

    pixels: np.ndarray
    labels: np.ndarray
    label_names: list[str]
    names: list[str]
    digest: str
    held_back: int = 0

    @property
    def learnt(self) -> ImageSet:
        """The squares to train on, at the same places as in the whole: a view."""
        return self._part(slice(0, len(self.names) - self.held_back))

    @property
    def unseen(self) -> ImageSet:
        """The squares that no training sees: a view, empty where none are held back."""
        return self._part(slice(len(self.names) - self.held_back, None))

    @property
    def compared(self) -> ImageSet:
        """The squares that scores compare paintings with: the unseen ones if they are enough, else all."""
        return self.unseen if len(set(self.unseen.names)) >= LEAST_COMPARED else self

    def _part(self, rows: slice) -> ImageSet:
        return replace(
            self, pixels=self.pixels[rows], labels=self.labels[rows], names=self.names[rows], held_back=0
        )


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


def keep(picture: images.Decoded, exact_px: int | None = None) -> Kept:
    """A decoded picture as it goes into the pack: JPEG, or its bare pixels where its blocks would show.

    To compress these without loss and back would take twice as long as all the rest, for half of the few bytes.

    With `exact_px` it is always without loss, and its longer side no longer than that.
    """
    pixels = picture.pixels
    height, width = pixels.shape[:2]
    least = limits.KEPT_SIDE_PX if exact_px is None else exact_px * min(height, width) // max(height, width)
    if min(height, width) > least:
        pixels = images.resize(pixels, images.within(width, height, max(1, least)))
    height, width = pixels.shape[:2]
    small = exact_px is not None or min(width, height) <= limits.LOSSLESS_SIDE_PX
    data = images.encode(pixels, "ppm") if small else images.encode(pixels, "jpeg", quality=95)
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


def _depth(names: Sequence[str]) -> int:
    """How many folders all these paths have in common."""
    folders = [name.split("/")[:-1] for name in names]
    depth = 0
    while folders and all(len(folder) > depth for folder in folders):
        if len({folder[depth] for folder in folders}) > 1:
            break
        depth += 1
    return depth


def labels_of(names: list[str]) -> tuple[list[str], list[int]]:
    """Label names, sorted, and the label of each picture, from the first folder in which their paths differ.

    ([], zeros) where all lie in one folder, or in too many; pictures beside the folders are "other".
    """
    depth = _depth(names)
    folders = [name.split("/")[:-1][depth:] for name in names]
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

    def finish(
        self,
        refused: list[Refusal],
        background: images.Color,
        alike: tuple[list[list[int]], list[list[int]]] | None = None,
        made_from: dict | None = None,
    ) -> tuple[str, Path]:
        """Gives the set its place and its manifest, durably: (id, folder).

        `alike`: the groups of exact and of near duplicates, where they are known; else they are looked for.
        `made_from`: the set that this one is a part of, {"id", "dropped"}.
        """
        if alike is None:
            alike = (
                likeness.exact_duplicates([kept.digest for kept in self._kept]),
                likeness.near_duplicates([kept.fingerprint for kept in self._kept]),
            )
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
            "exact_duplicates": alike[0],
            "near_duplicates": alike[1],
            "made_from": made_from,
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


def _read_bytes(set_folder: Path, pictures: list[dict]) -> Iterator[bytes]:
    """Pictures of a set as they lie in its pack, one by one, verified. Errors: Refused where one is damaged."""
    try:
        with (set_folder / "pictures.pack").open("rb") as pack:
            for picture in pictures:
                pack.seek(picture["offset"])
                data = pack.read(picture["length"])
                if files.sha256(data)[:32] != picture["digest"]:
                    raise Refused(refuse("set-damaged", set_folder.name))
                yield data
    except OSError:
        raise Refused(refuse("set-damaged", set_folder.name)) from None


def _read_pack(set_folder: Path, pictures: list[dict]) -> Iterator[np.ndarray]:
    """The pixels (H, W, 3) of pictures of a set, one by one. Errors: Refused where one is damaged."""
    for data in _read_bytes(set_folder, pictures):
        yield images.read_kept(data)


def leaving_out(set_folder: Path, dropped: Collection[int]) -> Generator[Progress, None, tuple[str, Path]]:
    """Makes the set without the pictures at the places `dropped`, telling how far it is: (id, folder).

    The bytes are copied, nothing is decoded again, and the old set stays as it was; the new one names it in its
    manifest as `made_from`. It is the same set, by its id, as if the rest alone had been taken in. Errors: Refused
    where too few would be left, or the set is damaged.
    """
    manifest = read_manifest(set_folder)
    pictures = manifest["pictures"]
    kept = [i for i in range(len(pictures)) if i not in dropped]
    if len(kept) < limits.LEAST_PICTURES:
        raise Refused(refuse("too-few-pictures", count=len(kept), least=limits.LEAST_PICTURES))
    place = {old: new for new, old in enumerate(kept)}

    def rest(groups: list[list[int]]) -> list[list[int]]:
        left = ([place[i] for i in group if i in place] for group in groups)
        return [group for group in left if len(group) > 1]

    chosen = [pictures[i] for i in kept]
    check_room(set_folder, sum(picture["length"] for picture in chosen))
    clock = Clock()
    with disk_may_be_full(set_folder), NewSet(set_folder.parent.parent) as new:
        for done, (picture, data) in enumerate(zip(chosen, _read_bytes(set_folder, chosen))):
            if clock.due():
                yield Progress(done, len(chosen), clock.left(done, len(chosen)), "Putting the rest together")
            facts = ("width", "height", "kept_width", "kept_height", "animated")
            new.add(
                picture["name"], Kept(data, *(picture[fact] for fact in facts), digest="", fingerprint=b"")
            )
        return new.finish(
            [Refusal(**refused) for refused in manifest["refused"]],
            tuple(manifest["background"]),
            alike=(rest(manifest["exact_duplicates"]), rest(manifest["near_duplicates"])),
            made_from={"id": manifest["id"], "dropped": len(pictures) - len(kept)},
        )


def is_side_by_side(manifest: dict) -> bool:
    """Whether each picture of a set is so wide that it may be two pictures side by side."""
    return all(picture["width"] >= 1.5 * picture["height"] for picture in manifest["pictures"])


def splitting(set_folder: Path) -> Generator[Progress, None, tuple[str, Path]]:
    """Makes a set of pairs of one whose pictures are two side by side, telling how far it is: (id, folder).

    The halves of `a.jpg` become `left/a.jpg` and `right/a.jpg`, of the same size; where the width is odd, a column
    between them is dropped. The old set stays as it was. Errors: Refused where a picture is no wider than high, or the
    set is damaged.
    """
    manifest = read_manifest(set_folder)
    pictures = manifest["pictures"]
    for picture in pictures:
        if picture["width"] <= picture["height"]:
            raise Refused(refuse("split-narrow", picture["name"]))
    check_room(set_folder, 2 * sum(picture["length"] for picture in pictures))
    clock = Clock()
    with disk_may_be_full(set_folder), NewSet(set_folder.parent.parent) as new:
        for done, (picture, pixels) in enumerate(zip(pictures, _read_pack(set_folder, pictures))):
            if clock.due():
                yield Progress(done, len(pictures), clock.left(done, len(pictures)), "Parting the pictures")
            half = pixels.shape[1] // 2
            for side, part in (("left", pixels[:, :half]), ("right", pixels[:, -half:])):
                new.add(
                    f"{side}/{picture['name']}",
                    keep(images.Decoded(part, half, len(part), picture["animated"])),
                )
        return new.finish(
            [Refusal(**refused) for refused in manifest["refused"]], tuple(manifest["background"])
        )


def _picture(set_folder: Path, index: int) -> np.ndarray:
    pictures = read_manifest(set_folder)["pictures"]
    if not (isinstance(index, int) and 0 <= index < len(pictures)):
        raise Refused(refuse("not-found", f"picture {index}"))
    return next(_read_pack(set_folder, [pictures[index]]))


def pairs_of(manifest: dict) -> list[tuple[int, int]]:
    """The places of the pictures of a set in pairs, those of the first of two labels before their partners.

    A pair are two pictures whose paths in their folders are the same, but for the ending. Errors: Refused where a
    picture has no partner or several, or its partner has another size; None is left out in silence.
    """
    pictures = manifest["pictures"]
    depth = _depth([picture["name"] for picture in pictures])
    sides: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for place, picture in enumerate(pictures):
        folders, _, file = picture["name"].rpartition("/")
        inside = "/".join([*folders.split("/")[depth + 1 :], file.rpartition(".")[0] or file])
        if inside in sides[picture["label"]]:
            raise Refused(refuse("pair-twice", picture["name"]))
        sides[picture["label"]][inside] = place
    for side, other, there in ((*sides, 1), (*sides[::-1], 0)):
        alone = [name for name in side if name not in other]
        if alone:
            name, folder = pictures[side[alone[0]]]["name"], manifest["label_names"][there]
            raise Refused(refuse("pair-alone", name, folder=folder, more=len(alone) - 1))
    found = [(place, sides[1][name]) for name, place in sorted(sides[0].items())]
    for one, other in found:
        sizes = [(pictures[place]["width"], pictures[place]["height"]) for place in (one, other)]
        if sizes[0] != sizes[1]:
            said = [f"{width} x {height}" for width, height in sizes]
            raise Refused(refuse("pair-size", pictures[one]["name"], one=said[0], other=said[1]))
    return found


def in_pairs(manifest: dict, keep_back: bool) -> tuple[list[int], int]:
    """The places of the pictures of a set of pairs in the order of a block, and how many of the last are held back.

    Sources stand in the order of their targets, both among what is learnt and among what is held back (`hold_back`, by
    the targets: pairs whose targets are alike stay together).
    """
    pictures, found = manifest["pictures"], pairs_of(manifest)
    held = np.zeros(len(found), dtype=bool)
    if keep_back:
        of_target = {target: i for i, (_, target) in enumerate(found)}
        groups = ([of_target[i] for i in group if i in of_target] for group in manifest["near_duplicates"])
        alike = [group for group in groups if len(group) > 1]
        held = hold_back([pictures[target]["digest"] for _, target in found], None, alike)
    parts = [[pair for pair, kept in zip(found, held) if kept == back] for back in (False, True)]
    order = [pair[side] for part in parts for side in (0, 1) for pair in part]
    return order, 2 * int(held.sum())


def squares_of(set_folder: Path, places: Sequence[int], size_px: int) -> Iterator[np.ndarray]:
    """The middles of pictures of a set, (S, S, 3), one by one. Errors: Refused, IndexError."""
    manifest = read_manifest(set_folder)
    for pixels in _read_pack(set_folder, [manifest["pictures"][i] for i in places]):
        yield images.fit(pixels, size_px, "crop", tuple(manifest["background"]))[0]


def pictures_of(set_folder: Path, places: Sequence[int]) -> Iterator[np.ndarray]:
    """Pictures of a set, whole, (H, W, 3), one by one. Errors: Refused, IndexError."""
    pictures = read_manifest(set_folder)["pictures"]
    yield from _read_pack(set_folder, [pictures[i] for i in places])


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


def hold_back(
    digests: Sequence[str], labels: Sequence[int] | None = None, alike: Sequence[Sequence[int]] = ()
) -> np.ndarray:
    """Which of N pictures to keep for the scores, to train on the others: (N,) bool.

    None are kept of fewer than 200, where each is needed; else one in ten, at most 300: those whose digests come
    first. So it depends on the pictures alone: every run on a set keeps the same ones, and where a set grows most of
    them stay, so that a model which begins from an older one hasn't learnt them. With `labels` (N,), of each label
    one in ten at most, rounded up, and none of one with fewer than 10 pictures. Groups of `alike` indices stay
    together: a second copy that was trained on would make the first one no news.
    """
    count = len(digests)
    held = np.zeros(count, dtype=bool)
    if count < HELD_BACK_FROM:
        return held
    kinds = [0] * count if labels is None else list(labels)
    room = {
        kind: -(-number // HELD_BACK_SHARE) if number >= HELD_BACK_FROM_LABEL else 0
        for kind, number in Counter(kinds).items()
    }
    wanted = min(count // HELD_BACK_SHARE, MOST_HELD_BACK)
    grouped = {index for group in alike for index in group}
    groups = [*alike, *([index] for index in range(count) if index not in grouped)]
    for group in sorted(groups, key=lambda group: min((digests[index], index) for index in group)):
        asked = Counter(kinds[index] for index in group)
        if len(group) <= wanted and all(number <= room[kind] for kind, number in asked.items()):
            held[list(group)] = True
            wanted -= len(group)
            for kind, number in asked.items():
                room[kind] -= number
    return held


def making_block(
    set_folder: Path,
    out_folder: Path,
    size_px: int,
    how: str = "crop",
    background: images.Color | None = None,
    keep_back: bool = False,
    labelled: bool = False,
    paired: bool = False,
) -> Generator[Progress, None, ImageSet]:
    """Writes the squares of a set to `out_folder`, telling how far it is; returns them. Errors: Refused.

    `background` is for `border`; without it, the colour that the set was taken in with. `keep_back` puts the
    pictures that are to be held back (`hold_back`) last; of each label its share where it is `labelled`. Of `paired`
    pictures, the i-th of label 0 belongs to the i-th of label 1, and both are held back or none.
    """
    if how not in FITS:
        raise Refused(refuse("fit", str(how)))
    if not (isinstance(size_px, int) and LEAST_SIZE_PX <= size_px <= MOST_SIZE_PX):
        raise Refused(refuse("picture-size", size=size_px, least=LEAST_SIZE_PX, most=MOST_SIZE_PX))
    manifest = read_manifest(set_folder)
    pictures = manifest["pictures"]
    if len(pictures) < limits.LEAST_PICTURES:
        raise Refused(refuse("too-few-pictures", count=len(pictures), least=limits.LEAST_PICTURES))
    if paired:
        order, held_back = in_pairs(manifest, keep_back)
    else:
        held = np.zeros(len(pictures), dtype=bool)
        if keep_back:
            held = hold_back(
                [picture["digest"] for picture in pictures],
                [picture["label"] for picture in pictures] if labelled else None,
                manifest.get("near_duplicates", []),
            )
        order, held_back = np.argsort(held, kind="stable"), int(held.sum())
    pictures = [pictures[i] for i in order]
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
        "held_back": sum(squares[len(pictures) - held_back :]),
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
    keep_back: bool = False,
    labelled: bool = False,
    paired: bool = False,
) -> ImageSet:
    """`making_block` to its end: the squares of a set for one size, written to `out_folder`. Errors: Refused."""
    return run_to_end(
        making_block(set_folder, out_folder, size_px, how, background, keep_back, labelled, paired)
    )


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
        held_back = block.get("held_back", 0)  # runs made before pictures were held back learn from all
        fits = pixels.shape == (len(names), size_px, size_px, 3) and labels.shape == (len(names),)
        if fits and pixels.dtype == np.uint8 and type(held_back) is int and 0 <= held_back < len(names):
            return ImageSet(pixels, labels, block["label_names"], names, digest, held_back)
    except (OSError, EOFError, ValueError, KeyError, TypeError, OverflowError):
        pass
    raise damaged
