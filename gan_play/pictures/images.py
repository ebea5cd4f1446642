"""Bytes to clean RGB pixels, or a refusal with its reason; pixels to tensors, grids and files. The only user of PIL.

Promises: whatever the bytes are, `examine` and `decode` return pixels or a `Refusal` and raise nothing. Pixels
are new arrays: no EXIF, GPS, profile, comment or trailing byte can survive. At rest a picture is uint8
(H, W, 3), in a network float32 (3, H, W) in [-1, 1]; `to_tensor` and `to_pixels` alone convert. Importing this
module doesn't import torch, so that the processes that decode start fast.

Hostile bytes belong in a child process (`intake`); here they are bounded in pixels, not in time.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin, UnidentifiedImageError, features

from gan_play import limits
from gan_play.refusals import Refusal, refuse

if TYPE_CHECKING:
    import torch

Color = tuple[int, int, int]

FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF") + (
    ("AVIF",) if features.check("avif") else ()
)
"""What may be decoded. Never EPS, PSD and the like: old decoders, or programs that are started."""

WHITE: Color = (255, 255, 255)
NEUTRAL: Color = (128, 128, 128)
"""Between the pictures of a grid: darkens none and lightens none."""

_ORIENTATION_TAG = 0x0112
_TURNS = {  # EXIF orientation -> what puts the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS = {_TURNS[orientation] for orientation in (5, 6, 7, 8)}
_FOREIGN = (  # (offset, magic bytes, kind): what people drop in that is no picture we read, to say so by its name
    (4, b"ftypheic", "a HEIC picture"),
    (4, b"ftypheix", "a HEIC picture"),
    (4, b"ftypmif1", "a HEIC picture"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftyp", "a film"),
    (0, b"\x1a\x45\xdf\xa3", "a film"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (0, b"PK\x03\x04", "an archive"),
    (0, b"Rar!", "an archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "an archive"),
    (0, b"\x1f\x8b", "an archive"),
    (0, b"<svg", "an SVG drawing"),
)
_READABLE = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# Python's warning filters belong to the process, and so does its memory: one hostile picture at a time.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Decoded:
    """An accepted picture: its pixels (H, W, 3) uint8, its size before it was made smaller, whether it moved."""

    pixels: np.ndarray
    width: int
    height: int
    animated: bool


def _ends_early(data: bytes) -> bool:
    """Whether a WebP is shorter than its head says. Its decoder doesn't tell this from other damage."""
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return webp and struct.unpack("<I", data[4:8])[0] + 8 > len(data)


def _foreign(data: bytes, name: str) -> Refusal:
    """The refusal of bytes in which no format of ours was recognised."""
    head = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n") if data[:1] in b"\xef \t\r\n<" else data[:64]
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return refuse("truncated" if _ends_early(data) else "damaged", name)
    if head.startswith(_READABLE) or ("AVIF" in FORMATS and data[4:12] == b"ftypavif"):
        return refuse("damaged", name)
    for offset, magic, kind in _FOREIGN:
        if head[offset : offset + len(magic)] == magic:
            return refuse("format", name, kind=kind)
    if head.startswith(b"<?xml") and b"<svg" in data[:4096]:
        return refuse("format", name, kind="an SVG drawing")
    return refuse("not-a-picture", name)


def _size_refusal(width: int, height: int, most_pixels: int, name: str) -> Refusal | None:
    if min(width, height) < limits.LEAST_SIDE_PX:
        return refuse("too-small", name, width=width, height=height, least=limits.LEAST_SIDE_PX)
    if max(width, height) > limits.MOST_ASPECT * min(width, height):
        return refuse("too-long", name, width=width, height=height, most=limits.MOST_ASPECT)
    if width * height > most_pixels:
        millions = math.ceil(width * height / 1e6)
        return refuse("too-many-pixels", name, megapixels=millions, most=most_pixels // 1_000_000)
    return None


def _as(image: Image.Image, mode: str) -> Image.Image:
    """`image` in `mode`. PIL would copy one that is already."""
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Deep grey (I;16, I, F) to 8 bits. PIL's own conversion clips it to white.

    The range is that of the smallest usual depth that holds the largest value: 1.0, 8, 16 bits, else the value.
    """

    def finite(rows: np.ndarray) -> np.ndarray:
        return np.nan_to_num(rows.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)

    values = np.asarray(image)
    strips = [
        values[top : top + 256] for top in range(0, len(values), 256)
    ]  # all at once would be 4 bytes each
    full = 65535.0
    if not image.mode.startswith("I;16"):
        largest = max(float(finite(strip).max()) for strip in strips)
        depths = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        full = next((depth for depth in depths if largest <= depth), largest)
    scale = np.float32(255 / full)
    return Image.fromarray(
        np.concatenate([(finite(strip) * scale).round().clip(0, 255).astype(np.uint8) for strip in strips])
    )


def _keyed(image: Image.Image, data: bytes) -> Image.Image:
    """RGBA of a PNG without alpha that names one transparent colour (its tRNS chunk).

    That colour is given in samples of the file's own depth, which PIL doesn't scale; so it is done here.
    """
    key = image.info["transparency"]
    depth = data[24] if image.format == "PNG" else 8  # IHDR: 8 signature + 8 chunk head + 4 width + 4 height
    if image.mode.startswith("I;16"):
        clear = np.asarray(image) == key
        colors = _eight_bits(image).convert("RGB")
    else:
        colors = image.convert("RGB")
        samples = key if isinstance(key, tuple) else (key,) * 3
        wanted = [v >> 8 if depth == 16 else min(255, v * (255 // (2**depth - 1))) for v in samples]
        clear = (np.asarray(colors) == np.array(wanted)).all(axis=-1)
    colors.putalpha(Image.fromarray(np.where(clear, 0, 255).astype(np.uint8)))
    return colors


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """RGB through the picture's colour profile where that says more than sRGB; a bad profile is passed over."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return _as(image, "RGB")
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return _as(image, "RGB")


def _colors(image: Image.Image, data: bytes) -> Image.Image:
    """`image`, of any mode, as L or RGB of 8 bits, or as RGBA where it has transparency."""
    mode, clear = image.mode, image.info.get("transparency")
    if clear is not None and not isinstance(clear, bytes) and mode in ("1", "L", "RGB", "I;16"):
        return _keyed(image, data)
    if mode in ("RGBA", "RGBa", "LA", "La", "PA") or (mode == "P" and clear is not None):
        return _as(image, "RGBA")
    if mode.startswith("I") or mode == "F":
        return _eight_bits(image)
    if mode in ("1", "L"):
        return _as(image, "L")
    if mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    if mode in ("RGB", "CMYK") and isinstance(profile := image.info.get("icc_profile"), bytes):
        return _in_srgb(image, profile)
    return _as(image, "RGB")


def _over(image: Image.Image, background: Color) -> Image.Image:
    """`image` over a ground, where it has transparency."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, background)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def within(width: int, height: int, side_px: int) -> tuple[int, int]:
    """The size with the shorter side brought down to `side_px`, never up."""
    scale = min(1.0, side_px / min(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _decoded(data: bytes, name: str, background: Color, side_px: int | None) -> Decoded | Refusal:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        jpeg = image.format in ("JPEG", "MPO")
        if refusal := _size_refusal(
            width, height, limits.MOST_JPEG_PIXELS if jpeg else limits.MOST_PIXELS, name
        ):
            return refusal
        animated = image.format != "MPO" and bool(getattr(image, "is_animated", False))
        if (
            jpeg
        ):  # at a fraction, where that leaves twice the size that is kept, or where all of it is too much
            wanted = within(width, height, 2 * side_px) if side_px else (width, height)
            while wanted[0] * wanted[1] > limits.MOST_PIXELS:
                wanted = (wanted[0] // 2, wanted[1] // 2)
            image.draft(None, wanted)
        image.seek(0)
        image.load()
        turn = None
        with contextlib.suppress(Exception):  # broken EXIF is no reason to lose a good picture
            turn = _TURNS.get(image.getexif().get(_ORIENTATION_TAG))
        clean = _colors(image, data)
        if side_px:
            clean = clean.resize(within(*clean.size, side_px), Image.Resampling.LANCZOS)
        clean = _over(clean, background)
        if turn is not None:
            clean = clean.transpose(turn)
            if turn in _QUARTER_TURNS:
                width, height = height, width
        return Decoded(np.array(_as(clean, "RGB")), width, height, animated)


def examine(
    data: bytes, name: str = "", background: Color = WHITE, side_px: int | None = None
) -> Decoded | Refusal:
    """The first frame of a picture file, upright, in sRGB over `background`; or why not. Never raises.

    `side_px` brings the shorter side down to at most this. `name` is only for the refusal's sentence.
    """
    if not data:
        return refuse("empty", name)
    if len(data) > limits.MOST_FILE_BYTES:
        return refuse("too-big", name, most=limits.MOST_FILE_BYTES // limits.MB)
    try:
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decoded(data, name, background, side_px)
    except UnidentifiedImageError:
        return _foreign(data, name)
    except Image.DecompressionBombError as error:
        pixels = int((re.findall(r"\d+", str(error)) or ["0"])[0])
        most = limits.MOST_PIXELS // 1_000_000
        return refuse("too-many-pixels", name, megapixels=math.ceil(pixels / 1e6), most=most)
    except MemoryError:
        return refuse("too-heavy", name)
    except Exception as error:
        # PIL's decoders raise whatever they meet in bad bytes: ValueError, SyntaxError, struct.error...
        said = re.search("truncated|unexpected end|buffer is not", str(error).lower())
        early = isinstance(error, EOFError) or said or _ends_early(data)
        return refuse("truncated" if early else "damaged", name)


def decode(data: bytes, name: str = "", background: Color = WHITE) -> np.ndarray | Refusal:
    """The pixels (H, W, 3) uint8 of a picture file, at full size; or why not. Never raises."""
    result = examine(data, name, background)
    return result.pixels if isinstance(result, Decoded) else result


def decode_exact(data: bytes, width: int, height: int, name: str = "") -> np.ndarray | Refusal:
    """The pixels (height, width, 3) uint8 of a PNG of which it is known how large it must be; or why not. Never raises.

    For what was made here, whatever its shape: nothing is decoded unless its head says this size.
    """
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _foreign(data, name)
    if png_size(data) != (width, height):
        return refuse("damaged", name)
    try:
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if image.size != (width, height):
                    return refuse("damaged", name)
                image.load()
                return np.array(_as(_over(_colors(image, data), WHITE), "RGB"))
    except MemoryError:
        return refuse("too-heavy", name)
    except Exception as error:  # as in `examine`
        early = isinstance(error, EOFError) or re.search("truncated|unexpected end", str(error).lower())
        return refuse("truncated" if early else "damaged", name)


def png_size(data: bytes) -> tuple[int, int]:
    """(width, height) as the head of a PNG says; (0, 0) for other bytes."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 24:
        return 0, 0
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def decode_painted(data: bytes, name: str, most_px: int) -> tuple[np.ndarray, np.ndarray] | Refusal:
    """The pixels (H, W, 3) uint8 of a PNG from a canvas, and which of its places are opaque (H, W) bool; or why not.

    Neither side may be longer than `most_px`: its head is read before anything is decoded.
    """
    size = struct.unpack(">II", data[16:24].ljust(8, b"\xff"))
    if data[:16] != b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" or max(size) > most_px:
        return refuse("not-a-picture", name)
    over = [decode(data, name, background) for background in (WHITE, (0, 0, 0))]
    if isinstance(over[0], Refusal) or isinstance(over[1], Refusal):
        return next(one for one in over if isinstance(one, Refusal))
    return over[0], (over[0] == over[1]).all(axis=2)  # what shines through looks otherwise over black


def main_colours(pixels: np.ndarray, count: int) -> list[Color]:
    """The colours that cover a picture (H, W, 3) best, moved to the middle of what they stand for.

    At most `count`, the most frequent first.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((256, 256))
    cut = image.quantize(count, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    colours = cut.getpalette()
    places = [place for _, place in sorted(cut.getcolors(), reverse=True)]
    return [tuple(colours[3 * place : 3 * place + 3]) for place in places]


def read_kept(data: bytes) -> np.ndarray:
    """The pixels (H, W, 3) of a picture that `encode` wrote. Foreign bytes are a ValueError or OSError."""
    if data.startswith(b"P6 "):
        head, _, pixels = data.partition(b" 255\n")
        width, height = (int(side) for side in head[3:].split())
        if min(width, height) < 1:
            raise ValueError("a picture has a size")
        return np.frombuffer(pixels, np.uint8).reshape(height, width, 3).copy()
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
        return np.array(image.convert("RGB"), dtype=np.uint8)


def resize(pixels: np.ndarray, size_px: int | tuple[int, int]) -> np.ndarray:
    """(H, W, 3) at `size_px` square, or at (width, height), by Lanczos."""
    size = (size_px, size_px) if isinstance(size_px, int) else size_px
    if pixels.shape[1::-1] == size:
        return pixels
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def enlarge(pixels: np.ndarray, factor: int) -> np.ndarray:
    """(..., H, W, 3) with each pixel as a square of `factor` pixels."""
    return pixels.repeat(factor, axis=-3).repeat(factor, axis=-2)


def crop_count(width: int, height: int) -> int:
    """How many squares `several` takes of a picture: one where it is nearly square, else to cover its long side."""
    ratio = max(width, height) / min(width, height)
    return 1 if ratio < 1.2 else min(math.ceil(ratio), limits.MOST_CROPS)


def fit(pixels: np.ndarray, size_px: int, how: str = "crop", background: Color = WHITE) -> list[np.ndarray]:
    """A picture (H, W, 3) as one or more squares (S, S, 3).

    `crop` takes the centre, `border` shows all of it over `background`, `several` takes as many squares along
    the long side as cover it, evenly spaced.
    """
    height, width = pixels.shape[:2]
    image, short = Image.fromarray(pixels), min(height, width)
    if how == "border":
        scale = size_px / max(height, width)
        small = image.resize(
            (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.LANCZOS
        )
        square = Image.new("RGB", (size_px, size_px), background)
        square.paste(small, ((size_px - small.width) // 2, (size_px - small.height) // 2))
        return [np.array(square)]
    if how not in ("crop", "several"):
        raise ValueError(f"unknown fit: {how}")
    count = crop_count(width, height) if how == "several" else 1
    places = [0.5] if count == 1 else [i / (count - 1) for i in range(count)]
    squares = []
    for place in places:
        left, top = round(place * (width - short)), round(place * (height - short))
        box = (left, top, left + short, top + short)
        squares.append(np.array(image.resize((size_px, size_px), Image.Resampling.LANCZOS, box=box)))
    return squares


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32 in [-1, 1]: x / 127.5 - 1."""
    import torch

    return torch.tensor(pixels).permute(0, 3, 1, 2).contiguous().float().div_(127.5).sub_(1)


def to_pixels(tensor: torch.Tensor) -> np.ndarray:
    """(N, 3, H, W) in [-1, 1] -> (N, H, W, 3) uint8: (x + 1) * 127.5 in float32, rounded half to even, clamped."""
    values = tensor.detach().float().add(1).mul_(127.5).round_().clamp_(0, 255)
    return values.byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()


def grid(pixels: np.ndarray, columns: int, gap_px: int = 2, background: Color = NEUTRAL) -> np.ndarray:
    """(N, H, W, 3) as one picture of `columns` columns, row by row, with `gap_px` between and around none."""
    count, height, width, _ = pixels.shape
    rows = math.ceil(count / columns)
    size = (rows * (height + gap_px) - gap_px, columns * (width + gap_px) - gap_px, 3)
    whole = np.empty(size, dtype=np.uint8)
    whole[:] = background
    for i, picture in enumerate(pixels):
        top, left = i // columns * (height + gap_px), i % columns * (width + gap_px)
        whole[top : top + height, left : left + width] = picture
    return whole


def encode(
    pixels: np.ndarray,
    format: str = "png",
    *,
    text: dict[str, str] | None = None,
    quality: int = 90,
    lossless: bool = False,
) -> bytes:
    """A picture (H, W, 3) as "png" (with `text` in it), "webp", "jpeg" (4:4:4) or "ppm". The same pixels, the same
    bytes.

    PPM are the bare pixels: no time, and of a painting twice the bytes of WebP without loss. `lossless` is for WebP,
    where it costs half the time and two thirds of the bytes of PNG.
    Errors: ValueError for another format, or for text where the format holds none.
    """
    if text and format != "png":
        raise ValueError("only PNG holds text here")
    if format == "ppm":
        return b"P6 %d %d 255\n" % pixels.shape[1::-1] + pixels.tobytes()
    image, file = Image.fromarray(pixels), io.BytesIO()
    if format == "png":
        chunks = PngImagePlugin.PngInfo()
        for key, value in (text or {}).items():
            chunks.add_itxt(key, value)
        image.save(file, "PNG", compress_level=6, pnginfo=chunks)
    elif format == "webp" and lossless:
        image.save(file, "WEBP", lossless=True, method=0, quality=20)  # quality is effort here
    elif format == "webp":
        image.save(file, "WEBP", quality=quality, method=4)
    elif format == "jpeg":
        image.save(file, "JPEG", quality=quality, subsampling=0)
    else:
        raise ValueError(f"unknown format: {format}")
    return file.getvalue()


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks (kind, content) of a PNG whose check sums hold, up to where the bytes end or go wrong."""
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        check = data[at + 8 + length : at + 12 + length]
        if check != struct.pack(">I", zlib.crc32(kind + content)):
            return
        yield kind, content
        at += 12 + length


def read_text(data: bytes) -> dict[str, str]:
    """The plain texts in a PNG (tEXt, uncompressed iTXt), no longer and no more than the limits; {} for other bytes."""
    texts: dict[str, str] = {}
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return texts
    for kind, content in _chunks(data):
        if kind not in (b"tEXt", b"iTXt") or len(content) > limits.MOST_TEXT_CHUNK_BYTES:
            continue
        if len(texts) == limits.MOST_TEXT_CHUNKS:
            break
        key, _, value = content.partition(b"\0")
        encoding = "latin-1"
        if kind == b"iTXt":  # compressed flag, method, language \0, translated key \0, text
            if value[:1] != b"\0" or value.count(b"\0", 2) < 2:
                continue
            value, encoding = value[2:].split(b"\0", 2)[2], "utf-8"
        texts[key.decode("latin-1")] = value.decode(encoding, errors="replace")
    return texts


def _write_gif(frames: Iterator[np.ndarray], path: Path, fps: float, note: str) -> None:
    """Each frame is quantized and compressed alone, then put into the film: PIL's own writer holds them all."""
    with path.open("wb") as file:
        shown = 0
        for i, pixels in enumerate(frames):
            still = io.BytesIO()
            image = Image.fromarray(pixels).quantize(256, Image.Quantize.FASTOCTREE)
            image.save(still, "GIF", optimize=False, interlace=False)
            data = still.getvalue()
            table = 3 << (
                (data[10] & 7) + 1
            )  # bytes of the colour table, from the screen descriptor's last bits
            at = 13 + table
            while data[at] == 0x21:  # an extension before the picture: skip its blocks
                at += 2
                while data[at]:
                    at += data[at] + 1
                at += 1
            if i == 0:
                file.write(b"GIF89a" + struct.pack("<HH", image.width, image.height) + b"\0\0\0")
                file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")  # for ever
                if said := note.encode("ascii", "replace"):
                    pieces = (said[at : at + 255] for at in range(0, len(said), 255))
                    file.write(b"\x21\xfe" + b"".join(bytes([len(one)]) + one for one in pieces) + b"\0")
            until = round((i + 1) * 100 / fps)  # hundredths of a second; what is rounded off is made up for
            file.write(b"\x21\xf9\x04\x04" + struct.pack("<H", until - shown) + b"\0\0")
            file.write(data[at : at + 9] + bytes([0x80 | data[10] & 7]) + data[13 : 13 + table])
            file.write(data[at + 10 : -1])
            shown = until
        file.write(b"\x3b")


def _write_webp(frames: Iterator[np.ndarray], path: Path, fps: float, quality: int) -> None:
    """Stills in the container of an animated WebP (RIFF: VP8X, ANIM, then ANMF a frame), one frame in memory."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    def three(value: int) -> bytes:
        return struct.pack("<I", value)[:3]

    with path.open("wb") as file:
        shown = 0
        for i, pixels in enumerate(frames):
            height, width = pixels.shape[:2]
            size = three(width - 1) + three(height - 1)
            if i == 0:
                file.write(b"RIFF\0\0\0\0WEBP" + chunk(b"VP8X", b"\x02\0\0\0" + size))
                file.write(chunk(b"ANIM", b"\xff\xff\xff\xff" + b"\0\0"))  # white behind, for ever
            until = round((i + 1) * 1000 / fps)
            still = encode(pixels, "webp", quality=quality)[12:]  # its VP8 chunk, without the RIFF head
            file.write(chunk(b"ANMF", b"\0" * 6 + size + three(until - shown) + b"\x02" + still))
            shown = until
        length = file.tell() - 8
        file.seek(4)
        file.write(struct.pack("<I", length))


def write_animation(
    frames: Iterable[np.ndarray], path: Path, fps: float, format: str, quality: int = 85, note: str = ""
) -> None:
    """Frames (H, W, 3), all of one size, as an endless "gif" or "webp" at `path`, one frame in memory at a time.

    `note` is a GIF's comment; for more about a film see `metadata.py`.

    Errors: ValueError for another format or no frames; OSError where it can't be written.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError("a film needs frames")

    def all_frames() -> Iterator[np.ndarray]:
        yield first
        yield from frames

    if format == "gif":
        _write_gif(all_frames(), path, fps, note)
    elif format == "webp":
        _write_webp(all_frames(), path, fps, quality)
    else:
        raise ValueError(f"unknown format: {format}")
