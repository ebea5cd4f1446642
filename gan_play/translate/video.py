"""A video is painted frame by frame, with less flicker, and keeps its sound.

A translator looks at each frame for itself, so where the video stands still its painting shimmers: noise that nobody
sees makes it decide anew. Here a place that stands still keeps most of what was shown there before (`steadied`); where
something moves, and at a cut, the new painting is shown as it is. How much that helps is measured on every film
(`Report`): how much places that stand still change from one frame to the next.

Promises: only MP4, MOV, WebM, MKV and AVI are opened, by what their first bytes say; frames stream through, so that
length costs no memory; a film that failed leaves nothing.
"""

from __future__ import annotations

import contextlib
import tempfile
import wave
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_play import limits
from gan_play.latent import film, music
from gan_play.latent.sample import check_number
from gan_play.refusals import Refused, refuse

STEADY, MOST_STEADY = 0.85, 0.98  # of what was shown before is kept where nothing moves
MOVED = 8.0  # of 255: a place that changed by this much keeps a third of that
STILL = 3.0  # of 255: a place that changed by less stands still
NEAR_PX = 5  # on each side, over which change is averaged: noise isn't motion

Paint = Callable[[np.ndarray], np.ndarray]
"""A frame (H, W, 3) uint8 -> its painting, as large or a whole number of times as large."""


class Clip(NamedTuple):
    """A video that was checked."""

    path: Path
    kind: str  # FFmpeg's name of its format
    fps: int  # that are painted: its own, at most `limits.MOST_VIDEO_FPS`
    seconds: float  # as it says itself; 0 where it doesn't
    size: tuple[int, int]  # width and height of a painted frame, upright and even

    @property
    def count(self) -> int:
        """Frames that will be painted; 0 where it doesn't say."""
        return round(self.seconds * self.fps)


class Report(NamedTuple):
    """What was made: how many frames, and how much places that stand still change between frames, from 0 to 255."""

    frames: int
    in_video: float
    by_itself: float  # painted frame by frame
    steadied: float  # as it is in the film

    @property
    def sentence(self) -> str:
        """What was measured, for an artist."""
        return (
            f"{self.frames:,} frames. Where the video stands still, the film changes by {self.steadied:.1f} of 255 "
            f"from frame to frame; painted frame by frame it would by {self.by_itself:.1f}, the video does by "
            f"{self.in_video:.1f}."
        )


# Reading


def kind_of(path: Path) -> str:
    """What a file is by its first bytes: "mp4", "matroska" or "avi". Refused for anything else."""
    name = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(12)
    except (OSError, ValueError) as error:
        raise Refused(refuse("unreadable", name)) from error
    if not size:
        raise Refused(refuse("empty", name))
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "mp4"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    raise Refused(refuse("not-video", name))


def check(path: Path, side_px: int) -> Clip:
    """A video to be painted with its longer side at `side_px` at most, or `limits.MOST_VIDEO_PX`.

    Refused for one that is none, damaged, too long or too small.
    """
    kind, name = kind_of(path), path.name
    try:
        with av.open(str(path), format=kind) as container:
            if not container.streams.video:
                raise Refused(refuse("not-video", name))
            stream = container.streams.video[0]
            seconds = (container.duration or 0) / av.time_base
            if not seconds and stream.duration and stream.time_base:
                seconds = float(stream.duration * stream.time_base)
            if seconds > limits.MOST_VIDEO_SECONDS:
                raise _too_long(name, seconds)  # before anything is decoded
            rate = float(stream.average_rate or stream.guessed_rate or 24)
            first = next(container.decode(stream), None)
            if first is None:
                raise Refused(refuse("video-damaged", name))
            width, height, turned = first.width, first.height, _turns(first) % 2
    except (av.FFmpegError, ValueError, MemoryError, OSError) as error:
        raise Refused(refuse("video-damaged", name)) from error
    if min(width, height) < limits.LEAST_SIDE_PX:
        raise Refused(refuse("too-small", name, width=width, height=height, least=limits.LEAST_SIDE_PX))
    share = min(1.0, min(side_px, limits.MOST_VIDEO_PX) / max(width, height))
    size = [max(limits.LEAST_SIDE_PX, round(side * share / 2) * 2) for side in (width, height)]
    fps = max(limits.LEAST_FPS, min(round(rate), limits.MOST_VIDEO_FPS))
    return Clip(path, kind, fps, seconds, tuple(size[::-1] if turned else size))


def check_steady(steady: object) -> float:
    """How much is kept of what was shown before, or Refused."""
    return check_number(steady, 0.0, MOST_STEADY, "steady")


def _too_long(name: str, seconds: float) -> Refused:
    most = limits.MOST_VIDEO_SECONDS // 60
    return Refused(refuse("video-long", name, minutes=round(seconds / 60) or 1, most=most))


def _turns(frame: av.VideoFrame) -> int:
    """How many quarters a frame is to be turned to the left to stand upright: phones film lying down."""
    return round(frame.rotation / 90) % 4


def frames(clip: Clip) -> Iterator[np.ndarray]:
    """Its frames (H, W, 3) uint8, upright, `fps` a second: what is to be seen at that moment. Refused where it turns
    out to be damaged or longer than it said."""
    width, height = clip.size
    began, shown, before = None, 0, None
    try:
        with av.open(str(clip.path), format=clip.kind) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1  # a training may be running beside
            for frame in container.decode(stream):
                if frame.pts is None:
                    continue
                moment = float(frame.pts * frame.time_base)
                began = moment if began is None else began
                if moment - began > limits.MOST_VIDEO_SECONDS + 1:
                    raise _too_long(clip.path.name, moment - began)
                while before is not None and shown / clip.fps < moment - began - 1e-4:
                    yield before
                    shown += 1
                turns = _turns(frame)
                size = (height, width) if turns % 2 else (width, height)
                rgb = frame.reformat(*size, format="rgb24", interpolation="AREA").to_ndarray()
                before = np.ascontiguousarray(np.rot90(rgb, turns))
    except (av.FFmpegError, ValueError, MemoryError, OSError) as error:
        raise Refused(refuse("video-damaged", clip.path.name)) from error
    if before is None:
        raise Refused(refuse("video-damaged", clip.path.name))
    yield before


def save_sound(clip: Clip, path: Path) -> bool:
    """Writes its sound as a WAV that begins with its first frame; False where it has none, or none to be heard."""
    rate = music.AUDIO_RATE
    with (
        contextlib.suppress(av.FFmpegError, ValueError),
        av.open(str(clip.path), format=clip.kind) as container,
    ):
        if not container.streams.audio:
            return False
        stream, video = container.streams.audio[0], container.streams.video[0]
        resampler, written = av.AudioResampler("s16", "stereo", rate), None
        picture = float((video.start_time or 0) * video.time_base)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(rate)
            for frame in container.decode(stream):
                for piece in resampler.resample(frame):
                    samples = piece.to_ndarray().reshape(-1, 2)
                    if written is None:
                        # What sounds before the first frame is left out; where it is late, there is silence.
                        late = round(
                            (float(frame.pts * frame.time_base if frame.pts else 0) - picture) * rate
                        )
                        file.writeframes(bytes(4 * min(max(late, 0), rate * limits.MOST_VIDEO_SECONDS)))
                        written, samples = max(late, 0), samples[max(-late, 0) :]
                    file.writeframes(samples.tobytes())
                    written += len(samples)
                if (written or 0) > rate * (limits.MOST_VIDEO_SECONDS + 1):
                    break
        return bool(written)
    return False


# Painting


def moved(x: Tensor, before: Tensor) -> Tensor:
    """How much each place changed, averaged over its neighbourhood: (H, W, 3), (H, W, 3) -> (H, W)."""
    change = (x - before).abs().mean(dim=2)[None, None]
    return F.avg_pool2d(change, NEAR_PX, 1, NEAR_PX // 2, count_include_pad=False)[0, 0]


def as_large(at: Tensor, painting: Tensor) -> Tensor:
    """(H, W) as large as a painting (k H, k W, 3), each place repeated, with an axis for the colours."""
    times = painting.shape[0] // at.shape[0]
    return at.repeat_interleave(times, 0).repeat_interleave(times, 1)[:, :, None]


def steadied(
    pairs: Iterable[tuple[np.ndarray, np.ndarray]], steady: float = STEADY
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Frames x and their paintings y -> x, y and what is shown of y, all uint8.

    shown_t = y_t + k_t (shown_(t-1) - y_t), k_t = steady exp(-(|x_t - b_(t-1)| / MOVED)^2) at each place, where
    b_t = x_t + k_t (b_(t-1) - x_t) is what the video showed when what is kept was painted: so what moves slowly is
    noticed too, as soon as it has moved far enough. `steady` 0 shows every painting as it is.
    """
    before, shown = None, None
    for x, y in pairs:
        seen, painting = torch.from_numpy(x).float(), torch.from_numpy(y).float()
        if before is None:
            before, shown = seen, painting
        else:
            keep = steady * torch.exp(-(moved(seen, before) / MOVED).square())
            before = seen + keep[:, :, None] * (before - seen)
            shown = painting + as_large(keep, painting) * (shown - painting)
        yield x, y, shown.round().clamp(0, 255).to(torch.uint8).numpy()


class Flicker:
    """How much places that stand still in a video change from frame to frame: in it, in its paintings, in the film."""

    def __init__(self) -> None:
        self.before: list[Tensor] | None = None
        self.frames, self.places, self.sums = 0, 0.0, [0.0, 0.0, 0.0]

    def see(self, *now: np.ndarray) -> None:
        """The next frame, its painting, and what is shown of it."""
        views = [torch.from_numpy(one).float() for one in now]
        self.frames += 1
        if self.before is not None:
            still = (moved(views[0], self.before[0]) < STILL).float()
            for number, (one, before) in enumerate(zip(views, self.before)):
                at = as_large(still, one)[:, :, 0]
                mean = ((one - before).abs().mean(dim=2) * at).sum() / at.sum().clamp(min=1)
                self.sums[number] += float(mean * still.sum())
            self.places += float(still.sum())
        self.before = views

    def report(self) -> Report:
        """The means over all places that stood still; 0 where there were none."""
        return Report(self.frames, *(total / max(self.places, 1.0) for total in self.sums))


def write(
    clip: Clip,
    paint: Paint,
    out: Path,
    steady: float = STEADY,
    note: str = "",
    progress: Callable[[int, int | None], None] | None = None,
    scratch: Path | None = None,
) -> Report:
    """Writes the painted film with the video's sound as an MP4. What `progress(done, total)` raises leaves no file.

    The sound waits in a folder of its own in `scratch`, or where the system keeps what passes: one who may be killed on
    the way names a folder that is taken away whole. Refused as `frames`, and where the disk is full.
    """
    flicker = Flicker()

    def shown() -> Iterator[np.ndarray]:
        for x, y, one in steadied(((x, paint(x)) for x in frames(clip)), steady):
            flicker.see(x, y, one)
            yield one

    with tempfile.TemporaryDirectory(prefix="gan-play-sound-", dir=scratch) as folder:
        sound = Path(folder) / "sound.wav"
        sound = sound if save_sound(clip, sound) else None
        film.write_film(shown(), out, clip.fps, clip.count or None, progress, note, sound=sound)
    return flicker.report()
