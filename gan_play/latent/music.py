"""Music for films: a sound file is checked, kept and heard: how strong its onsets, how loud it is, and in which bands.

Decoding is FFmpeg's, through PyAV. What is heard is computed here: librosa would bring 370 MB of packages with it and
took ten seconds to load, seventy the first time, on two busy cores; on a drawn beat its onset strength and this one
correlate by 0.72.

Promises: only WAV, MP3, FLAC and Ogg are opened, by what their first bytes say, so that no playlist can lead elsewhere;
a sound is never longer in memory than a film can be. Features are whole numbers from 0 to 255, so that a link gives the
same film again.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from gan_play import files, limits
from gan_play.latent.timeline import SOURCES
from gan_play.refusals import Refused, refuse

RATE = 22_050  # samples a second that are listened to
HOP, WINDOW = 256, 1024  # samples: 12 ms and 46 ms
BANDS = 40  # for onsets, each as wide as its neighbours in logarithms
EDGES = {"low": (20, 200), "mid": (200, 2000), "high": (2000, 10_000)}  # Hz
QUIET = 1e-4  # of full scale: below it nobody hears anything
QUIET_DB = 50  # below the loudest moment loudness is 0
LOUD_PART = 99  # percentile that is 1: a single click doesn't make all else small
AUDIO_RATE = 44_100  # of a film's own sound

FOLDER = "sounds"


class Sound(NamedTuple):
    """A sound that was checked."""

    path: Path
    digest: str  # the first 16 hex digits of its SHA-256
    seconds: float
    silent: bool


def kind_of(path: Path) -> str:
    """What a file is by its first bytes: "wav", "mp3", "flac" or "ogg". Refused for anything else."""
    name = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(12)
    except (OSError, ValueError) as error:  # a name that no disk can hold
        raise Refused(refuse("unreadable", name)) from error
    if not size:
        raise Refused(refuse("empty", name))
    if size > limits.MOST_SOUND_BYTES:
        raise Refused(refuse("sound-big", name, most=limits.MOST_SOUND_BYTES // limits.MB))
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] in (b"fLaC", b"OggS"):
        return {b"fLaC": "flac", b"OggS": "ogg"}[head[:4]]
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "mp3"
    raise Refused(refuse("not-sound", name))


def decoded(
    path: Path, rate: int, layout: str, seconds: float, frame_size: int = 0
) -> Iterator[av.AudioFrame]:
    """The sound as frames of 32-bit floats, channel by channel, up to `seconds`. Refused where there is none.

    Damaged pieces are left out, as players do; Refused where that is more than one in ten.
    """
    name, kind = path.name, kind_of(path)
    try:
        with av.open(str(path), format=kind) as container:
            if not container.streams.audio:
                raise Refused(refuse("no-audio", name))
            stream = container.streams.audio[0]
            resampler = av.AudioResampler("fltp", layout, rate, frame_size)
            left, whole, broken = round(seconds * rate), 0, 0
            for packet in container.demux(stream):
                try:
                    found = packet.decode()
                    whole += 1
                except av.FFmpegError:
                    broken += 1
                    if broken > 10 + whole // 10:
                        raise Refused(refuse("sound-damaged", name)) from None
                    continue
                flush = [None] if packet.dts is None and not packet.size else []
                for frame in (*found, *flush):
                    for piece in resampler.resample(frame):
                        left -= piece.samples
                        yield piece
                        if left <= 0:
                            return
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise Refused(refuse("sound-damaged", name)) from error


def samples(path: Path, seconds: float = limits.MOST_TIMELINE_SECONDS + 1) -> np.ndarray:
    """The sound in one channel at RATE: float32 (N,), without infinities. Refused where it can't be heard."""
    pieces = [frame.to_ndarray()[0] for frame in decoded(path, RATE, "mono", seconds)]
    if not pieces:
        raise Refused(refuse("no-audio", path.name))
    whole = np.concatenate(pieces)[: round(seconds * RATE)]
    return np.clip(np.nan_to_num(whole, nan=0.0, posinf=1.0, neginf=-1.0), -8, 8).astype(np.float32)


def check(path: Path) -> Sound:
    """A sound file that a film can carry. Refused for one that is none, damaged, too large, too short or too long."""
    heard = samples(path)
    seconds = round(len(heard) / RATE, 2)
    low, high = limits.LEAST_FILM_SECONDS, limits.MOST_TIMELINE_SECONDS
    if not low <= seconds <= high:
        raise Refused(refuse("sound-length", path.name, low=f"{low:g}", high=high // 60))
    return Sound(path, files.sha256(path)[:16], seconds, bool(np.abs(heard).max() < QUIET))


# Kept sounds


def keep(home: Path, path: Path, rest_s: float = 0.0) -> Sound:
    """A sound as the home keeps it, under its digest; the ones used least lately make room, unless that was within
    `rest_s` seconds. Refused as by `check`, and where there is no room.
    """
    found = check(path)
    folder = home / FOLDER
    folder.mkdir(exist_ok=True)
    kept = folder / f"{found.digest}.{kind_of(path)}"
    if kept.exists():
        os.utime(kept)
    else:
        _make_room(folder, path.stat().st_size, rest_s)
        if files.free_bytes(home) < limits.FREE_BYTES_KEPT + path.stat().st_size:
            raise Refused(refuse("disk-full", megabytes=limits.FREE_BYTES_KEPT // limits.MB))
        files.write_atomically(kept, path.read_bytes())
    return found._replace(path=kept)


def find(home: Path, digest: str) -> Path:
    """The kept sound with this digest. Refused where it isn't here."""
    if re.fullmatch(r"[0-9a-f]{16}", digest):
        for path in (home / FOLDER).glob(f"{digest}.*"):
            with contextlib.suppress(OSError):
                os.utime(path)
            return path
    raise Refused(refuse("no-sound", digest))


def is_here(home: Path, digest: str) -> bool:
    """Whether a sound is kept."""
    return any((home / FOLDER).glob(f"{digest}.*")) if re.fullmatch(r"[0-9a-f]{16}", digest) else False


def _make_room(folder: Path, size: int, rest_s: float) -> None:
    """Removes the sounds used least lately, until one more of `size` bytes is within the limits of number and size."""
    used = []
    for path in folder.glob("*.*"):
        with contextlib.suppress(OSError):  # another process made room
            stat = path.stat()
            used.append((stat.st_mtime, stat.st_size, path))
    count, total = len(used) + 1, size + sum(bytes_ for _, bytes_, _ in used)
    for at, bytes_, path in sorted(used):
        if count <= limits.MOST_SOUNDS and total <= limits.MOST_SOUNDS_BYTES:
            return
        if time.time() - at < rest_s:
            raise Refused(refuse("sounds-full"))
        path.unlink(missing_ok=True)
        count, total = count - 1, total - bytes_


# Listening


def features(path: Path, fps: int, count: int) -> np.ndarray:
    """What is heard at each of `count` frames, in the order of SOURCES: uint8 (count, 5). Refused as by `samples`.

    Frame n hears from half a frame before n / fps to half a frame after it; a film longer than its sound hears nothing
    in the end. Loudness is in decibels below the loudest moment; the bands are amplitudes.
    """
    onset, energy, bands = _listened(path, path.stat().st_size)
    times = np.arange(len(onset)) * HOP / RATE
    frame = np.floor(times * fps + 0.5).astype(int)
    heard = np.zeros((max(count, int(frame[-1]) + 1 if len(frame) else 0), len(SOURCES)))
    number = np.maximum(np.bincount(frame, minlength=len(heard)), 1)
    np.maximum.at(heard[:, 0], frame, onset)
    power = np.bincount(frame, energy, len(heard)) / number
    heard[:, 0] /= _top(heard[:, 0])
    loudest = power.max() if len(power) else 0.0
    if loudest > QUIET**2:
        heard[:, 1] = 1 + 10 * np.log10(np.maximum(power / loudest, 1e-12)) / QUIET_DB
    for place, band in enumerate(bands.T, 2):
        amplitude = np.sqrt(np.bincount(frame, band, len(heard)) / number)
        heard[:, place] = amplitude / _top(amplitude)
    if loudest <= QUIET**2:
        heard[:] = 0
    return np.round(np.clip(heard[:count], 0, 1) * 255).astype(np.uint8)


def outline(path: Path, points: int = 240) -> np.ndarray:
    """A sound at a glance, in so many equal parts: uint8 (points, 5), in each the most that is heard there."""
    onset, *_ = _listened(path, path.stat().st_size)
    fps = limits.MOST_FPS
    heard = features(path, fps, max(points, len(onset) * HOP * fps // RATE))
    return np.stack([part.max(axis=0) for part in np.array_split(heard, points)])


@functools.lru_cache(maxsize=4)
def _listened(path: Path, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`_listen` of a file, remembered for the last few: a film asks for the same as its plan."""
    return _listen(samples(path))


def _top(values: np.ndarray) -> float:
    """What counts as 1: nearly the largest, of what is there at all."""
    there = values[values > 1e-9]
    return float(np.percentile(there, LOUD_PART)) if len(there) else 1.0


def _listen(heard: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Onset strength (T,), power (T,) and the power of three bands (T, 3), HOP samples apart.

    Onset strength is spectral flux: by how much logarithmic power rises from one moment to the next, summed over
    narrow bands (Bello 2005, A Tutorial on Onset Detection in Music Signals, section III.A).
    """
    moments = len(heard) // HOP + 1
    padded = np.concatenate([np.zeros(WINDOW // 2, np.float32), heard, np.zeros(WINDOW, np.float32)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:moments]
    shape = np.hanning(WINDOW)
    frequencies = np.fft.rfftfreq(WINDOW, 1 / RATE)
    edges = np.geomspace(30, RATE / 2, BANDS + 1)
    of = np.clip(np.digitize(frequencies, edges) - 1, 0, BANDS - 1)
    narrow = (of[None] == np.arange(BANDS)[:, None]).astype(np.float64)
    narrow = narrow[narrow.any(axis=1)]
    wide = np.stack([(frequencies >= low) & (frequencies < high) for low, high in EDGES.values()]).astype(
        float
    )
    onset, energy, bands = np.zeros(moments), np.zeros(moments), np.zeros((moments, len(EDGES)))
    before = None
    for begin in range(0, moments, 1024):  # 1,024 moments at a time: 8 MB
        part = windows[begin : begin + 1024].astype(np.float64)
        power = np.abs(np.fft.rfft(part * shape)) ** 2
        energy[begin : begin + 1024] = (part[:, WINDOW // 4 : -WINDOW // 4] ** 2).mean(axis=1)
        bands[begin : begin + 1024] = power @ wide.T
        level = np.log1p(1e3 * (power @ narrow.T) / WINDOW)
        rises = np.diff(level, axis=0, prepend=level[:1] if before is None else before)
        onset[begin : begin + 1024] = np.maximum(rises, 0).sum(axis=1)
        before = level[-1:]
    return onset, energy, bands
