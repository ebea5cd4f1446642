"""The ground: atomic, durable writes; safe names; digests. The only user of os.replace and fsync.

Promises: after a power cut or a kill at any moment, a file written here is the old one or the new one, whole;
what was returned from is on the disk; a failed write leaves nothing behind but what was there before.

Everything passes through five primitives (`_create`, `_write`, `_sync`, `_replace`, `_sync_folder`), so that
a test can put a recording disk in their place and try each point at which the power may go.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from gan_play import limits
from gan_play.refusals import Refused, refuse

SHIPPED: Path = Path(__file__).resolve().parent.parent / "checkpoints"
"""The folder whose starter models come with the program; found from every home."""

RESERVED = {"sets", "gallery", "films", "bakeoffs", "directions", "sounds"} | {"con", "prn", "aux", "nul"}
"""Names in a home that are no runs, and names that Windows keeps for devices."""

_counter = itertools.count()


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o644)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view[: 1 << 26]) :]


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)


def _replace(source: Path, target: Path) -> None:
    os.replace(source, target)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows can't open a folder; NTFS orders the rename by itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporary(path: Path) -> Path:
    """A name beside `path` for what is not yet whole: `.<name>.<pid>-<n>.tmp`, a new one each time."""
    return path.with_name(f".{path.name}.{os.getpid()}-{next(_counter)}.tmp")


def write_atomically(path: Path, data: bytes) -> None:
    """Writes `data` to `path`, whole and durable, or raises OSError and leaves the old file as it was."""
    unfinished = temporary(path)
    try:
        descriptor = _create(unfinished)
        try:
            _write(descriptor, data)
            _sync(descriptor)
        finally:
            os.close(descriptor)
        _replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def publish(unfinished: Path, path: Path) -> None:
    """Makes the finished file `unfinished` durable under the name `path` (of the same disk), atomically."""
    descriptor = os.open(unfinished, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)
    _replace(unfinished, path)
    _sync_folder(path.parent)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path for a writer that streams; on success it becomes `path`, else it is removed.

    The suffix is kept (`.film.mp4.123-0.tmp.mp4`), since encoders choose the format by it.
    """
    unfinished = temporary(path)
    if path.suffix:
        unfinished = unfinished.with_name(unfinished.name + path.suffix)
    try:
        yield unfinished
        publish(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object) -> None:
    """Writes `value` as JSON, atomically. NaN and infinity are a ValueError: other readers refuse them."""
    write_atomically(path, json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n")


def read_json(path: Path) -> object | None:
    """The value in a JSON file, or None where it is missing, unreadable, too large or not JSON."""
    try:
        if path.stat().st_size > limits.MOST_JSON_BYTES:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def append_line(path: Path, text: str) -> None:
    """Appends `text` as a line by one write call; a line torn by a kill before is closed first."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
    try:
        torn = False
        if os.lseek(descriptor, 0, os.SEEK_END):
            os.lseek(descriptor, -1, os.SEEK_END)
            torn = os.read(descriptor, 1) != b"\n"
        os.write(descriptor, (b"\n" if torn else b"") + text.replace("\n", " ").encode() + b"\n")
    finally:
        os.close(descriptor)


def read_lines_json(path: Path) -> list[dict]:
    """The JSON objects in a file of lines, oldest first; torn and foreign lines are passed over."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    values = []
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            if isinstance(value := json.loads(line), dict):
                values.append(value)
    return values


def remove_leftovers(folder: Path) -> int:
    """Removes what killed writers left in `folder`; returns how many. Only where nobody else is writing."""
    count = 0
    for path in folder.glob(".*.tmp*"):
        if re.search(r"\.\d+-\d+\.tmp(\.\w+)?$", path.name) and path.is_file():
            path.unlink(missing_ok=True)
            count += 1
    return count


def sha256(data: bytes | Path) -> str:
    """SHA-256 of bytes, or of a file's content (read in pieces; OSError if it can't be), as 64 hex digits."""
    digest = hashlib.sha256()
    if isinstance(data, Path):
        with data.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    else:
        digest.update(data)
    return digest.hexdigest()


def home(argument: str | None = None) -> Path:
    """The folder of all runs, made if missing: the argument, else GAN_PLAY_HOME, else `checkpoints/` here."""
    folder = Path(argument or os.environ.get("GAN_PLAY_HOME") or SHIPPED).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder.resolve(strict=True)
    except (OSError, ValueError) as error:
        raise Refused(refuse("home")) from error


def new_id(name: str = "") -> str:
    """A fresh run id: `name` as a slug and six random characters, e.g. `vangogh-k3f9x2`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:24].strip("-") or "run"
    return slug + "-" + "".join(secrets.choice("23456789abcdefghjkmnpqrstuvwxyz") for _ in range(6))


def is_id(text: object) -> bool:
    """Whether `text` can be the id of a run, and so also a safe name for a folder anywhere."""
    return (
        isinstance(text, str)
        and bool(re.fullmatch(r"[a-z0-9][a-z0-9-]{2,40}", text))
        and text not in RESERVED
    )


def free_bytes(path: Path) -> int:
    """Free bytes on the disk of `path`, which need not exist yet."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free
