"""Files, folders and ZIPs to a set: what can be taken in, and of everything else why not. The only user of zipfile.

Promises: nothing is ever extracted, written or opened under a name that a ZIP gives; whatever a source holds,
each thing in it is taken in or gets one refusal; pictures are decoded in child processes with limits, and a
child that dies costs one picture; the sources are only read.
"""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
import threading
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from gan_play import files, limits
from gan_play.pictures import decoder, doctor, images
from gan_play.pictures.datasets import (
    Clock,
    Kept,
    NewSet,
    Progress,
    Taken,
    check_room,
    disk_may_be_full,
    run_to_end,
)
from gan_play.refusals import Refusal, Refused, refuse

__all__ = ["Progress", "Taken", "run_to_end", "take_in"]

_PROJECT = str(Path(__file__).resolve().parent.parent.parent)


@dataclass(frozen=True)
class Entry:
    """One thing found in a source: its path there, and how to read it, which may tell why not to."""

    name: str
    read: Callable[[], bytes | Refusal]


@contextmanager
def _ended_after(seconds: float, child: subprocess.Popen) -> Iterator[None]:
    """Ends the child if what is done inside takes longer."""
    clock = threading.Timer(seconds, child.kill)
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


class Decoder:
    """A child process that decodes, started again when it died. One thread at a time may call `examine`."""

    def __init__(self) -> None:
        self._child: subprocess.Popen | None = None
        self._over = False

    def _start(self) -> subprocess.Popen:
        path = os.pathsep.join(filter(None, [_PROJECT, os.environ.get("PYTHONPATH")]))
        # One thread each: there are as many children as cores, and a thread's stack counts as memory.
        environment = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "gan_play.pictures.decoder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )

    def examine(
        self, data: bytes, name: str, background: images.Color, exact_px: int | None = None
    ) -> Kept | Refusal:
        """One file's bytes as a kept picture, or why not. A child that dies or takes too long is a refusal."""
        if self._over:
            return refuse("unreadable", name)
        if self._child is not None and self._child.poll() is not None:  # it died between two pictures
            self.close()
        if self._child is None:
            self._child = self._start()
            with _ended_after(limits.DECODER_START_SECONDS, self._child):  # no picture pays for a slow start
                decoder.receive(self._child.stdout)
        child = self._child
        try:
            with _ended_after(limits.DECODE_WALL_SECONDS, child):
                head = {"name": name, "background": background, "exact_px": exact_px}
                decoder.send(child.stdin, head, data)
                answer = decoder.receive(child.stdout)
        except OSError:
            answer = None
        if answer is None:
            self.close()
            return refuse("too-heavy", name)
        return decoder.from_message(*answer)

    def stop(self) -> None:
        """From any thread: ends what the child is doing, for good. `close` is still to be called."""
        self._over = True
        if child := self._child:
            child.kill()

    def close(self) -> None:
        """Ends the child and leaves nothing of it."""
        if self._child is not None:
            self._child.kill()
            for pipe in (self._child.stdin, self._child.stdout):
                try:
                    pipe.close()
                except OSError:  # what was still to be written to a dead child
                    pass
            self._child.wait()
            self._child = None


def read_picture(
    data: bytes, name: str = "", exact_px: int | None = None, child: Decoder | None = None
) -> np.ndarray | Refusal:
    """The pixels (H, W, 3) of one picture file from anybody, decoded in a child; its shorter side is at most 512 px.

    With `exact_px` its longer side is at most that, and nothing is lost on the way. Who reads many brings their own
    `child`, and closes it. `data` may be longer than a picture can be: that is a refusal, as all else that is wrong
    with it.
    """
    decoding = child or Decoder()
    try:
        kept = decoding.examine(data, name, images.WHITE, exact_px)
    finally:
        if child is None:
            decoding.close()
    return kept if isinstance(kept, Refusal) else images.read_kept(kept.data)


def read_picture_file(path: Path, exact_px: int | None = None, child: Decoder | None = None) -> np.ndarray:
    """`read_picture` of a file on this machine. Refused where that is a refusal."""
    data = _read_file(path, path.name)
    found = data if isinstance(data, Refusal) else read_picture(data, path.name, exact_px, child)
    if isinstance(found, Refusal):
        raise Refused(found)
    return found


def _is_junk(name: str) -> bool:
    """What systems leave in folders and ZIPs, and nobody means to add."""
    parts = name.split("/")
    hidden = any(part.startswith(".") for part in parts)
    return hidden or "__MACOSX" in parts or parts[-1].lower() in ("thumbs.db", "desktop.ini")


def _read_file(path: Path, name: str) -> bytes | Refusal:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe or a device might never end
            return refuse("unreadable", name)
        with path.open("rb") as file:
            data = file.read(limits.MOST_FILE_BYTES + 1)
    except (OSError, ValueError):
        return refuse("unreadable", name)
    if len(data) > limits.MOST_FILE_BYTES:
        return refuse("too-big", name, most=limits.MOST_FILE_BYTES // limits.MB)
    return data


def _file_entry(path: Path, name: str) -> Entry:
    name = name.encode("utf-8", "replace").decode()  # a name on disk may be no text at all
    return Entry(name, lambda: _read_file(path, name))


def _refused_entry(refusal: Refusal) -> Entry:
    return Entry(refusal.file, lambda: refusal)


def _directory_size(file, size_bytes: int) -> tuple[int, int]:
    """(entries, bytes) of a ZIP's directory by the record at its end; BadZipFile where there is none.

    Asked before zipfile reads the directory, since that takes all of it into memory, however long.
    """
    file.seek(max(0, size_bytes - 65_557))  # 22 bytes and the longest comment
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise zipfile.BadZipFile
    count, length = struct.unpack("<HI", tail[at + 10 : at + 16])
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":  # ZIP64: the true numbers are in another record
        (place,) = struct.unpack("<Q", tail[at - 12 : at - 4])
        file.seek(min(place, size_bytes))
        record = file.read(56)
        if len(record) == 56 and record[:4] == b"PK\x06\x06":
            count, length = struct.unpack("<QQ", record[32:48])
    return count, length


def _overlaps(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> bool:
    """Whether any entries share bytes, by their local headers. zipfile itself doesn't look before 3.11.8."""
    end = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < end:
            return True
        archive.fp.seek(entry.header_offset)
        head = archive.fp.read(30)
        if len(head) < 30 or head[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile
        name_length, extra_length = struct.unpack("<HH", head[26:30])
        end = entry.header_offset + 30 + name_length + extra_length + entry.compress_size
    return end > archive.start_dir


def _entry_refusal(entry: zipfile.ZipInfo, name: str) -> Refusal | None:
    """Why an entry of a ZIP is not even read."""
    original = entry.orig_filename
    parts = original.replace("\\", "/").split("/")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if "\0" in original or ".." in parts or parts[0] == "" or ":" in parts[0]:
        return refuse("zip-path", name)
    if kind not in (0, stat.S_IFREG):
        return refuse("zip-link", name)
    if entry.flag_bits & 0x2041:  # encrypted, strongly encrypted, or with a masked directory
        return refuse("zip-encrypted", name)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return refuse("zip-method", name)
    grows = entry.file_size > limits.MOST_ZIP_RATIO * max(entry.compress_size, 1)
    if entry.file_size > limits.ZIP_RATIO_FROM_BYTES and grows:
        return refuse("zip-bomb", name, most=limits.MOST_ZIP_RATIO)
    if entry.file_size > limits.MOST_FILE_BYTES:
        return refuse("too-big", name, most=limits.MOST_FILE_BYTES // limits.MB)
    return None


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes | Refusal:
    """The bytes of an entry, never more than it declared, which was checked before."""
    try:
        with archive.open(entry) as file:
            data = file.read(limits.MOST_FILE_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError):
        return refuse("damaged", name)
    if data[:4] in (b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf") or data[:2] == b"\x1f\x8b":
        return refuse("zip-nested", name)
    return data


def _zip_entries(path: Path, name: str, prefix: str, open_archives: ExitStack) -> list[Entry]:
    """What a ZIP holds. A ZIP that can't be trusted as a whole is one refusal, under its own name."""
    try:
        with path.open("rb") as file:
            count, length = _directory_size(file, path.stat().st_size)
        if count > limits.MOST_ZIP_ENTRIES or length > limits.MOST_ZIP_ENTRIES * 1000:
            return [_refused_entry(refuse("zip-too-many", name, most=limits.MOST_ZIP_ENTRIES))]
        archive = open_archives.enter_context(zipfile.ZipFile(path))
        found = archive.infolist()
        if len(found) > limits.MOST_ZIP_ENTRIES:
            return [_refused_entry(refuse("zip-too-many", name, most=limits.MOST_ZIP_ENTRIES))]
        if _overlaps(archive, found):
            return [_refused_entry(refuse("zip-overlap", name))]
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, struct.error):
        return [_refused_entry(refuse("zip-damaged", name))]
    entries, seen, total = [], set(), 0
    for entry in found:
        inside = entry.filename.replace("\\", "/")
        if inside.endswith("/") or (_is_junk(inside) and ".." not in inside.split("/")):
            continue
        shown = prefix + inside
        if refusal := _entry_refusal(entry, shown):
            entries.append(_refused_entry(refusal))
            continue
        if inside in seen:
            entries.append(_refused_entry(refuse("zip-repeated", shown)))
            continue
        seen.add(inside)
        total += entry.file_size
        if total > limits.MOST_ZIP_TOTAL_BYTES:
            most = limits.MOST_ZIP_TOTAL_BYTES // limits.MB
            entries.append(_refused_entry(refuse("zip-too-large", name, most=most)))
            break
        entries.append(Entry(shown, lambda entry=entry, shown=shown: _read_entry(archive, entry, shown)))
    return sorted(entries, key=lambda e: e.name)


def _looks_like_zip(path: Path) -> bool:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            head = file.read(4)
    except (OSError, ValueError):
        return False
    return head in (b"PK\x03\x04", b"PK\x05\x06") or (
        path.suffix.lower() == ".zip" and head[:3] != b"\xff\xd8\xff"
    )


def _entries(sources: list[Path], open_archives: ExitStack) -> Iterator[Entry]:
    """Everything in the sources, in a fixed order. Of several folders or ZIPs each name begins with the source's."""
    several = len(sources) > 1
    for source in sources:
        name = source.name or "the folder"
        if not os.path.lexists(source):
            yield _refused_entry(refuse("not-found", name))
        elif source.is_dir():
            prefix = name + "/" if several else ""
            for folder, below, inside in os.walk(source):
                here = Path(folder).relative_to(source)
                below[:] = sorted(below) if len(here.parts) < limits.MOST_FOLDER_DEPTH else []
                for file in sorted(inside):
                    shown = (here / file).as_posix()
                    if _is_junk(shown):
                        continue
                    path = Path(folder) / file
                    if _looks_like_zip(path):
                        yield from _zip_entries(
                            path, shown, prefix + shown.rpartition(".")[0] + "/", open_archives
                        )
                    else:
                        yield _file_entry(path, prefix + shown)
        elif _looks_like_zip(source):
            yield from _zip_entries(source, name, source.stem + "/" if several else "", open_archives)
        else:
            yield _file_entry(source, name)


def _decode_all(
    entries: list[Entry], background: images.Color
) -> Generator[tuple[Entry, Kept | Refusal], None, None]:
    """Each entry with its picture or refusal, in order. Reading is here, decoding in the children."""
    count = max(1, min(os.cpu_count() or 1, limits.MOST_DECODERS, len(entries)))
    free = deque(Decoder() for _ in range(count))

    def examine(data: bytes, name: str) -> Kept | Refusal:
        child = free.popleft()  # there are as many threads as children, so one is free
        try:
            return child.examine(data, name, background)
        finally:
            free.append(child)

    children = list(free)
    waiting: deque[tuple[Entry, int, Future | Refusal]] = deque()
    held_bytes = 0
    threads = ThreadPoolExecutor(count)
    try:
        for entry in entries:
            data = entry.read()
            if isinstance(data, Refusal):
                waiting.append((entry, 0, data))
            else:
                waiting.append((entry, len(data), threads.submit(examine, data, entry.name)))
                held_bytes += len(data)
            while waiting and (len(waiting) > 8 * count or held_bytes > limits.MOST_WAITING_BYTES):
                entry, size_bytes, result = waiting.popleft()
                held_bytes -= size_bytes
                yield entry, result.result() if isinstance(result, Future) else result
        while waiting:
            entry, _, result = waiting.popleft()
            yield entry, result.result() if isinstance(result, Future) else result
    finally:  # also where nobody wants the rest any more
        for child in children:
            child.stop()
        threads.shutdown(cancel_futures=True)
        for child in children:
            child.close()


def take_in(
    sources: list[Path], home: Path, *, background: images.Color = images.WHITE
) -> Generator[Progress, None, Taken]:
    """Makes a set of files, folders and ZIPs in `home`; tells how far it is; returns the set.

    Transparent pictures are laid over `background`. Errors: Refused where no picture could be taken in (its
    `others` are the refusals of the single files), or the disk is full.
    """
    sources = [Path(source) for source in sources]
    what = sources[0].name if len(sources) == 1 else "what was chosen"
    check_room(home)
    refused: list[Refusal] = []
    with ExitStack() as open_archives, disk_may_be_full(home):
        entries = list(islice(_entries(sources, open_archives), limits.MOST_FILES))
        new = open_archives.enter_context(NewSet(home))
        clock = Clock()
        yield Progress(0, len(entries), 0.0, "Looking at the pictures")
        for done, (entry, result) in enumerate(_decode_all(entries, background), start=1):
            if isinstance(result, Refusal):
                refused.append(result)
            elif len(new) == limits.MOST_PICTURES:
                refused.append(refuse("too-many-pictures", entry.name, most=limits.MOST_PICTURES))
                break
            else:
                new.add(entry.name, result)
            if clock.due():
                left = clock.left(done, len(entries))
                yield Progress(done, len(entries), left, f"{len(new):,} pictures taken in")
        if not len(new):
            first = refused[0].sentence if len(refused) == 1 else ""
            if not refused:
                raise Refused(refuse("no-pictures", what))
            if first:
                raise Refused(refused[0], tuple(refused))
            raise Refused(
                refuse("none-readable", count=len(refused), first=refused[0].sentence), tuple(refused)
            )
        yield Progress(len(entries), len(entries), 0.0, "Looking for duplicates")
        set_id, folder = new.finish(refused, background)
    return Taken(set_id, folder, doctor.report(folder))


# The other way


def write_zip(path: Path, entries: Iterable[tuple[str, bytes | Path]]) -> None:
    """Writes a ZIP of (name, content or file), unpacked as they are: pictures don't shrink. Missing files are left out.

    The same entries make the same bytes.
    """
    with files.atomic_path(path) as unfinished, zipfile.ZipFile(unfinished, "w") as archive:
        for name, content in entries:
            try:
                data = content.read_bytes() if isinstance(content, Path) else content
            except FileNotFoundError:
                continue
            archive.writestr(zipfile.ZipInfo(name), data)
