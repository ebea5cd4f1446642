"""Pictures go through a translator and come out as artworks: one, or many in a row, with their cards."""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan_play import files, limits
from gan_play.pictures import images, intake
from gan_play.pictures.datasets import Progress
from gan_play.refusals import Refusal, Refused, printable, refuse
from gan_play.share import artwork as artworks
from gan_play.share import translated
from gan_play.share.artwork import Artwork
from gan_play.share.translation_code import Translation
from gan_play.steps import steps_of
from gan_play.translate import inputs, translator, video
from gan_play.translate.translator import Dials, Translator

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif")


def check_side(side_px: object) -> int:
    """How long a picture is when it is translated, or Refused."""
    low, high = limits.LEAST_TRANSLATED_PX, limits.MOST_TRANSLATED_PX
    try:
        number = int(side_px)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if not low <= number <= high:
        raise Refused(refuse("translate-side", str(side_px), low=low, high=high))
    return number


def sized(pixels: np.ndarray, side_px: int) -> np.ndarray:
    """A picture (H, W, 3) with its longer side brought down to `side_px`, never up."""
    height, width = pixels.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return pixels
    size = tuple(max(limits.LEAST_SIDE_PX, round(side * scale)) for side in (width, height))
    return images.resize(pixels, size)


def read(path: Path, side_px: int, dials: Dials, child: intake.Decoder | None = None) -> np.ndarray:
    """The pixels of a file of anybody, brought down to `side_px`, and so far that the painting isn't too large."""
    pixels = intake.read_picture_file(path, limits.MOST_TRANSLATED_PX, child)
    return sized(pixels, min(side_px, limits.MOST_TRANSLATED_PX // dials.times))


def artwork_of(
    home: Path, model: Translator, pixels: np.ndarray, dials: Dials, mask: np.ndarray | None = None
) -> Artwork:
    """The artwork of a picture (H, W, 3) that is translated, where `mask` (H, W) bool says so; both are kept among the
    recent inputs. Refused for what can't be translated."""
    translator.check_picture(pixels, dials)
    translator.check_mask(model, pixels, mask)
    kept = "" if mask is None else inputs.keep(home, np.repeat(mask[:, :, None], 3, axis=2) * np.uint8(255))
    made = Translation(inputs.keep(home, pixels), dials, kept)
    return Artwork("translate", model.digest[:16], (), translation=made)


def from_file(
    home: Path, run_id: str, path: Path, mask: Path | None = None, side_px: object = None, **turned: object
) -> Artwork:
    """The artwork of a file of anybody, where the white of a `mask` file of the same size says so; see `artwork_of`."""
    side = limits.MOST_TRANSLATED_PX if side_px is None else check_side(side_px)
    model = translator.load(home, run_id)
    dials = translator.check_dials(model, **turned)
    if mask is None:
        return artwork_of(home, model, read(path, side, dials), dials)
    whole, covered = (intake.read_picture_file(one, limits.MOST_TRANSLATED_PX) for one in (path, mask))
    if whole.shape != covered.shape:
        raise Refused(refuse("mask-size"))
    pixels = sized(whole, side)
    return artwork_of(home, model, pixels, dials, translated.as_mask(sized(covered, side)))


def files_in(sources: Sequence[Path]) -> list[Path]:
    """The files that are meant: those named, and of a folder the pictures in it, by their names. Refused for none."""
    found: list[Path] = []
    for source in sources:
        if source.is_dir():
            inside = sorted(path for path in source.iterdir() if path.suffix.lower() in SUFFIXES)
            found += [path for path in inside if path.is_file() and not path.name.startswith(".")]
        else:
            found.append(source)
    if not found:
        raise Refused(refuse("no-pictures", sources[0].name if sources else ""))
    return found


def batch(
    home: Path,
    run_id: str,
    paths: Sequence[Path],
    folder: Path,
    side_px: int = limits.MOST_TRANSLATED_PX,
    for_good: bool = True,
    **turned: object,
) -> Iterator[Progress]:
    """Translates files one after the other into a folder, as NAME.png with its card; `turned` are dials.

    Returns (the names that were written, the refusals of files). `for_good`: inputs and model are kept, so that the
    cards lead back. Refused as a whole for a run that is no translator, and for dials that can't be.
    """
    model = translator.load(home, run_id)
    dials = translator.check_dials(model, **turned)
    names: list[str] = []
    refused: list[Refusal] = []
    begun = time.monotonic()
    with contextlib.closing(intake.Decoder()) as child:
        for done, path in enumerate(paths):
            left = (time.monotonic() - begun) / done * (len(paths) - done) if done else 0.0
            yield Progress(done, len(paths), left, f"{done} of {len(paths)} pictures")
            try:
                made = artwork_of(home, model, read(path, side_px, dials, child), dials)
                rendered = artworks.share(home, made) if for_good else artworks.render(home, made)
            except Refused as error:
                refused.append(error.refusal)
                continue
            names.append(_name(path, names))
            files.write_atomically(folder / names[-1], rendered.png)
    yield Progress(len(paths), len(paths), 0.0, f"{len(paths)} of {len(paths)} pictures")
    return names, refused


def _name(path: Path, taken: Sequence[str]) -> str:
    """The name of a file's painting: its own, with a number where another has it."""
    stem = re.sub(r"[^\w .-]", "_", path.stem).strip(" .")[:80] or "picture"
    name, number = f"{stem}.png", 2
    while name in taken:
        name, number = f"{stem}-{number}.png", number + 1
    return name


def zipped(
    home: Path, run_id: str, paths: Sequence[Path], target: Path, **given: object
) -> Iterator[Progress]:
    """`batch` into one ZIP at `target`: what a child process does for the page. Returns what `batch` returns."""
    with tempfile.TemporaryDirectory(dir=target.parent) as text:
        folder = Path(text)
        names, refused = yield from batch(home, run_id, paths, folder, **given)
        if names:
            intake.write_zip(target, [(name, folder / name) for name in names])
    return names, refused


# A video


class Seen(NamedTuple):
    """A video that was looked at: what it is, its first frame before and after, and how long a frame takes here."""

    clip: video.Clip
    before: bytes  # as PNG
    after: bytes
    seconds: float


def seen(home: Path, run_id: str, path: Path, side_px: int, turned: dict[str, object]) -> Iterator[Seen]:
    """Looks at a video, and paints its first frame: what a child process does for the page. `turned` are dials.

    Refused as by `video.check`, for a run that is no translator, and for dials that can't be.
    """
    clip = video.check(path, side_px)
    model = translator.load(home, run_id)
    dials = translator.check_dials(model, **turned)._asdict()
    first, seconds = next(video.frames(clip)), 0.0
    for _ in range(2):  # the first time a network is slower than it will be
        begun = time.monotonic()
        made = translator.translate(model, first, **dials)
        seconds = time.monotonic() - begun
    yield Seen(clip, images.encode(first, "png"), images.encode(made, "png"), seconds)


def film(
    home: Path,
    run_id: str,
    path: Path,
    out: Path,
    side_px: int = limits.MOST_TRANSLATED_PX,
    steady: object = video.STEADY,
    progress: Callable[[int, int | None], None] | None = None,
    scratch: Path | None = None,
    **turned: object,
) -> video.Report:
    """Puts a video through a translator, as an MP4 with its sound. Refused as by `seen`; see `video.write`."""
    steady = video.check_steady(steady)
    model = translator.load(home, run_id)
    dials = translator.check_dials(model, **turned)._asdict()
    clip = video.check(path, side_px)
    note = f"A video, painted by {printable(model.name, 60)}: a generative model made this film."
    return video.write(
        clip, lambda x: translator.translate(model, x, **dials), out, steady, note, progress, scratch
    )


def filming(
    home: Path, run_id: str, path: Path, out: Path, side_px: int, turned: dict[str, object]
) -> Iterator[tuple[int, int | None]]:
    """`film` for the page's child process: (frames done, in all) on the way; returns what `film` returns."""
    return (
        yield from steps_of(
            lambda progress: film(
                home, run_id, path, out, side_px, progress=progress, scratch=out.parent, **turned
            )
        )
    )
