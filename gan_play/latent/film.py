"""Frames become a film: MP4 (H.264), GIF or animated WebP, or a ZIP of PNGs for programs that edit films.

Promises: frames stream through, two in memory at a time, the next one painted while the last is written, so that a
longer film costs no memory; small pictures are enlarged by whole multiples, so that players don't blur them; a film
that failed or was cancelled leaves nothing.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from gan_play import files, limits
from gan_play.latent import music
from gan_play.pictures import images, intake, metadata
from gan_play.refusals import Refused, refuse

FORMATS: dict[str, int] = {"mp4": 512, "webp": 256, "gif": 256, "zip": 0}
"""Each kind of film with the side in pixels that small frames are enlarged to. GIF and WebP grow too heavy at 512; the
PNGs of a ZIP are the frames themselves, to the last bit."""

FRAME = 1024
"""Samples that AAC takes at a time."""

MOST_FILM_BYTES = 100 * limits.MB  # what to free for one: two minutes of a restless film


def check_format(form: object) -> str:
    """`form` if it is one of FORMATS, else Refused."""
    if not isinstance(form, str) or form not in FORMATS:
        raise Refused(refuse("film-format", str(form)))
    return form


def enlarged(pixels: np.ndarray, least_px: int) -> np.ndarray:
    """A frame at the largest whole multiple, up to 16, that keeps it within `least_px`.  # uint8 (H, W, 3)

    Below 64 px each pixel becomes a square, as pixel art wants it; from 64 px on the picture is smoothed.
    """
    height, width = pixels.shape[:2]
    size_px = max(height, width)
    factor = min(max(least_px // size_px, 1), 16)
    if factor == 1:
        return pixels
    if size_px < 64:
        return images.enlarge(pixels, factor)
    return images.resize(pixels, (width * factor, height * factor))


def write_film(
    frames: Iterable[np.ndarray],
    path: Path,
    fps: int = 24,
    total: int | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    note: str = "",
    card: Callable[[str], str] | None = None,
    sound: Path | None = None,
) -> Path:
    """Writes `frames` (uint8 (S, S, 3), all of one size) as a film of the kind that the suffix of `path` names.

    Calls `progress(done, total)` after each frame; what it raises (a cancel) ends the writing and leaves no file.
    `note` goes into an MP4 or a GIF as its comment; `card` makes an XMP packet, for all three, of the digest of the
    frames (`metadata.frames_sha256`) once they are written. The `sound` of a file goes into an MP4, as AAC, as far as
    there are frames. GIF counts time in hundredths of a second, so its speed is rounded.
    Raises Refused for another suffix or a full disk, ValueError for no frames.
    """
    form = check_format(path.suffix.lstrip(".").lower())
    try:
        with contextlib.closing(_ahead(frames)) as made, files.atomic_path(path) as unfinished:
            counted = _counted((enlarged(frame, FORMATS[form]) for frame in made), total, progress)
            if form == "mp4":
                _write_mp4(counted, unfinished, fps, note, sound)
            elif form == "zip":
                intake.write_zip(unfinished, _pngs(counted, note))
            else:
                images.write_animation(counted, unfinished, fps, form, note=note)
            if card and form != "zip":
                metadata.add(unfinished, card(metadata.frames_sha256(unfinished.read_bytes())))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise Refused(refuse("disk-full", megabytes=MOST_FILM_BYTES // limits.MB)) from None
    return path


def _pngs(frames: Iterator[np.ndarray], note: str) -> Iterator[tuple[str, bytes]]:
    """Each frame as a PNG, and the note as a text beside them."""
    place = 0
    for place, frame in enumerate(frames, 1):
        yield f"frame{place:05d}.png", images.encode(frame, "png")
    if not place:
        raise ValueError("a film needs at least one frame")
    if note:
        yield "about.txt", f"{note}\n".encode()


def _ahead(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The same frames, each made by a thread beside while the one before it is in use."""
    source = iter(frames)
    try:
        with ThreadPoolExecutor(1) as beside:
            coming = beside.submit(next, source, None)
            while (frame := coming.result()) is not None:
                coming = beside.submit(next, source, None)
                yield frame
    finally:
        if isinstance(source, Generator):
            source.close()


def _counted(
    frames: Iterator[np.ndarray], total: int | None, progress: Callable[[int, int | None], None] | None
) -> Iterator[np.ndarray]:
    for done, frame in enumerate(frames, 1):
        yield frame
        if progress:
            progress(done, total)


def _write_mp4(
    frames: Iterator[np.ndarray], path: Path, fps: int, note: str, sound: Path | None = None
) -> None:
    """H.264 in 4:2:0, the kind that browsers, phones and chat programs play; its index first, so it starts at once."""
    first = next(frames, None)
    if first is None:
        raise ValueError("a film needs at least one frame")
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        if note:
            container.metadata["comment"] = note
        stream = container.add_stream(
            "libx264", rate=Fraction(fps), options={"crf": "16", "preset": "veryfast"}
        )
        stream.height, stream.width = (side - side % 2 for side in first.shape[:2])  # 4:2:0 needs even sides
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.thread_count = 1  # a training may be running beside
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709, and said so:
        context.color_range = 1  # players that must guess show other colours
        heard, shaped = _Soundtrack(container, sound) if sound else None, VideoReformatter()
        for place, pixels in enumerate(itertools.chain([first], frames), 1):
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(pixels[: stream.height, : stream.width]), format="rgb24"
            )
            # By one for all: another for each frame would have its tables to make.
            frame = shaped.reformat(frame, format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            container.mux(stream.encode(frame))
            if heard:
                heard.write(place / fps)
        container.mux(stream.encode(None))
        if heard:
            heard.finish(place / fps)


class _Soundtrack:
    """The sound of an MP4, written as far as its pictures are, so that neither waits for the other in memory."""

    def __init__(self, container: av.container.OutputContainer, path: Path) -> None:
        self.container = container
        self.stream = container.add_stream("aac", rate=music.AUDIO_RATE, layout="stereo")
        self.stream.bit_rate = 192_000
        self.stream.time_base = Fraction(1, music.AUDIO_RATE)
        self.pieces = music.decoded(path, music.AUDIO_RATE, "stereo", limits.MOST_TIMELINE_SECONDS + 1, FRAME)
        self.written = 0

    def write(self, seconds: float) -> None:
        """Goes on to `seconds`, in whole pieces of 23 ms."""
        while self.written + FRAME <= seconds * music.AUDIO_RATE:
            piece = next(self.pieces, None)
            if piece is None:
                return
            piece.pts, piece.time_base = self.written, Fraction(1, music.AUDIO_RATE)
            self.written += piece.samples
            self.container.mux(self.stream.encode(piece))

    def finish(self, seconds: float) -> None:
        """Writes the last piece, cut where the pictures end, and what the encoder still holds."""
        left, piece = round(seconds * music.AUDIO_RATE) - self.written, next(self.pieces, None)
        if piece is not None and left > 0:
            values = np.ascontiguousarray(piece.to_ndarray()[:, :left])
            piece = av.AudioFrame.from_ndarray(values, format="fltp", layout="stereo")
            piece.sample_rate, piece.pts, piece.time_base = (
                music.AUDIO_RATE,
                self.written,
                self.stream.time_base,
            )
            self.container.mux(self.stream.encode(piece))
        self.pieces.close()
        self.container.mux(self.stream.encode(None))
