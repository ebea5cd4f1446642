"""The pictures that translations were made from, kept in the home by their digest: a link names one, and holds none.

What is looked at on the page lies in `HOME/inputs/recent/`, where the oldest make room; what a link, a kept work or a
saved file needs lies in `HOME/inputs/` for good. Each is a PNG, named by the digest of its pixels, which is checked
when it is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path

import numpy as np

from gan_play import files, limits
from gan_play.pictures import images
from gan_play.refusals import Refused, refuse

FOLDER, RECENT = "inputs", "recent"
DIGEST_CHARS = 32


def digest_of(pixels: np.ndarray) -> str:
    """The name of a picture (H, W, 3) uint8: 32 hex digits of the SHA-256 of its size and its pixels."""
    height, width = pixels.shape[:2]
    return hashlib.sha256(f"{width} x {height}:".encode() + pixels.tobytes()).hexdigest()[:DIGEST_CHARS]


def is_digest(text: object) -> bool:
    """Whether a text could be the name of a picture."""
    return isinstance(text, str) and re.fullmatch(rf"[0-9a-f]{{{DIGEST_CHARS}}}", text) is not None


def keep(home: Path, pixels: np.ndarray) -> str:
    """Keeps a picture (H, W, 3) among the recent ones, unless it is here already; its digest."""
    digest = digest_of(pixels)
    if _where(home, digest) is None:
        folder = home / FOLDER / RECENT
        folder.mkdir(parents=True, exist_ok=True)
        if files.free_bytes(home) < limits.FREE_BYTES_KEPT + pixels.nbytes:
            raise Refused(refuse("disk-full", megabytes=limits.FREE_BYTES_KEPT // limits.MB))
        files.write_atomically(folder / f"{digest}.png", images.encode(pixels, "png"))
        _forget_oldest(folder)
    return digest


def find(home: Path, digest: str) -> np.ndarray:
    """The picture with this digest.  # uint8 (H, W, 3). Refused where it isn't here, or was changed."""
    for _ in range(2):  # it may be pinned between looking and reading
        path = _where(home, digest)
        if path is None:
            break
        with contextlib.suppress(OSError, ValueError):
            pixels = images.read_kept(path.read_bytes())
            if digest_of(pixels) == digest:
                with contextlib.suppress(OSError):
                    os.utime(path)
                return pixels
    raise Refused(refuse("no-input", digest[:8]))


def pin(home: Path, digest: str) -> None:
    """Keeps a picture for good. Refused where it isn't here, or as many are kept as there is room for."""
    folder = home / FOLDER
    if not is_digest(digest) or (folder / f"{digest}.png").exists():
        return
    path = _where(home, digest)
    if path is None:
        raise Refused(refuse("no-input", digest[:8]))
    sizes = [one.stat().st_size for one in folder.glob("*.png")]
    if len(sizes) >= limits.MOST_INPUTS or sum(sizes) >= limits.MOST_INPUTS_BYTES:
        raise Refused(refuse("inputs-full", most=f"{len(sizes):,}"))
    files.write_atomically(folder / f"{digest}.png", path.read_bytes())
    path.unlink(missing_ok=True)


def _where(home: Path, digest: str) -> Path | None:
    if is_digest(digest):
        for folder in (home / FOLDER, home / FOLDER / RECENT):
            if (folder / f"{digest}.png").is_file():
                return folder / f"{digest}.png"
    return None


def _forget_oldest(folder: Path) -> None:
    """Keeps the pictures that were used last."""
    used = []
    for path in folder.glob("*.png"):
        with contextlib.suppress(OSError):  # another process made room
            used.append((path.stat().st_mtime, path))
    for _, path in sorted(used)[: -limits.MOST_RECENT_INPUTS]:
        path.unlink(missing_ok=True)
