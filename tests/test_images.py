"""Bytes to pixels: every kind of good picture made right, every kind of bad one refused with its reason."""

import io
import random
import struct
import subprocess
import sys
import zlib
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from gan_play import limits
from gan_play.pictures import images
from gan_play.refusals import Refusal

PICTURE_CODES = {
    "empty",
    "not-a-picture",
    "format",
    "truncated",
    "damaged",
    "too-small",
    "too-long",
    "too-many-pixels",
    "too-big",
    "too-heavy",
}


def painting(height: int = 48, width: int = 64) -> np.ndarray:
    """Smooth and coloured, another in each corner, so that a turn or a lost channel shows: (H, W, 3)."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [255 * x / width, 255 * y / height, 255 * (1 - x / width) * (1 - y / height)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def saved(image: Image.Image | np.ndarray, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(file, format, **options)
    return file.getvalue()


def apart(one: np.ndarray, other: np.ndarray) -> float:
    assert isinstance(one, np.ndarray), one
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other).mean())


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, depth: int, kind: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG by hand, for depths and kinds that PIL doesn't write."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + body


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_come_back_as_they_were(format):
    assert apart(images.decode(saved(painting(), format)), painting()) == 0


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF", "GIF"])
def test_lossy_formats_come_back_nearly(format):
    if format == "AVIF" and not features.check("avif"):
        pytest.skip("this build of Pillow has no AVIF")
    assert apart(images.decode(saved(painting(), format, quality=95)), painting()) < 6


def test_the_content_decides_not_the_name():
    assert apart(images.decode(saved(painting()), "picture.JPG"), painting()) == 0
    assert apart(images.decode(saved(painting()), "notes.txt"), painting()) == 0


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(format, orientation):
    upright = painting()
    turned = {  # what a camera stores for each orientation of this upright picture
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100} if format in ("JPEG", "WEBP") else {}
    data = saved(np.ascontiguousarray(turned), format, exif=exif.tobytes(), **options)
    result = images.examine(data)
    assert apart(result.pixels, upright) <= (3 if options else 0)
    assert (result.width, result.height) == (64, 48)


def test_broken_exif_costs_no_picture():
    data = saved(painting(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff broken", quality=95)
    assert apart(images.decode(data), painting()) < 3


def test_grey_is_the_same_in_three_channels():
    grey = painting()[..., 0]
    for data in (saved(grey), saved(grey, "TIFF"), saved(grey, "JPEG", quality=100)):
        pixels = images.decode(data)
        assert apart(pixels, grey[..., None].repeat(3, axis=2)) < 1


def test_sixteen_bit_grey_keeps_its_shades():
    shades = (painting()[..., 0].astype(np.uint16) * 257).copy()
    want = painting()[..., 0][..., None].repeat(3, axis=2)
    assert apart(images.decode(saved(Image.fromarray(shades))), want) == 0
    assert apart(images.decode(saved(Image.fromarray(shades), "TIFF")), want) == 0


def test_sixteen_bit_colour_keeps_its_colours():
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in painting().astype(np.uint16) * 257)
    assert apart(images.decode(png(64, 48, 16, 2, rows)), painting()) == 0


@pytest.mark.parametrize("largest", [1.0, 255.0, 65535.0])
def test_grey_in_floating_point_is_read_by_its_range(largest):
    values = painting()[..., 0].astype(np.float32) / painting()[..., 0].max() * largest
    pixels = images.decode(saved(Image.fromarray(values), "TIFF"))
    assert pixels.min() == 0 and pixels.max() == 255


def test_one_bit_pictures_are_black_and_white():
    image = Image.fromarray(painting()[..., 0]).convert("1")
    assert set(np.unique(images.decode(saved(image)))) == {0, 255}


@pytest.mark.parametrize("background", [(255, 255, 255), (200, 30, 60)])
def test_transparency_is_laid_over_the_colour_that_was_picked(background):
    color = painting()
    alpha = np.zeros((48, 64), dtype=np.uint8)
    alpha[:, 32:] = 255
    alpha[:, 16:32] = 128
    rgba = Image.fromarray(np.dstack([color, alpha]))
    share = alpha[..., None] / 255
    want = (color * share + np.array(background) * (1 - share)).round().astype(np.uint8)
    for data in (saved(rgba), saved(rgba, "WEBP", lossless=True, exact=True), saved(rgba, "TIFF")):
        pixels = images.decode(data, background=background)
        assert np.abs(pixels.astype(int) - want).max() <= 1


def test_grey_with_alpha_is_laid_over_the_colour():
    grey = Image.fromarray(painting()[..., 0]).convert("LA")
    grey.putalpha(Image.fromarray(np.full((48, 64), 51, dtype=np.uint8)))
    want = painting()[..., :1] * 0.2 + np.array([0, 255, 0]) * 0.8
    assert np.abs(images.decode(saved(grey), background=(0, 255, 0)) - want).max() <= 1


def test_a_palette_with_alpha_is_laid_over_the_colour():
    image = Image.fromarray(np.repeat(np.arange(4, dtype=np.uint8), 12)[:, None].repeat(64, axis=1), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    pixels = images.decode(saved(image, transparency=bytes([255, 0, 128, 255])), background=(100, 100, 100))
    assert [tuple(map(int, pixels[row, 0])) for row in (0, 12, 36)] == [
        (255, 0, 0),
        (100, 100, 100),
        (9, 9, 9),
    ]
    assert np.abs(pixels[24, 0].astype(int) - [50, 50, 178]).max() <= 1


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_shade_of_a_grey_png_is_found_at_any_depth(depth):
    most = 2**depth - 1
    per_row = 16 * depth // 8
    white, black = b"\xff" * per_row, b"\0" * per_row
    rows = b"".join(b"\0" + (white if y < 8 else black) for y in range(16))
    data = png(16, 16, depth, 0, rows, chunk(b"tRNS", struct.pack(">H", most)))
    pixels = images.decode(data, background=(10, 200, 30))
    assert (pixels[:8] == (10, 200, 30)).all() and (pixels[8:] == 0).all()


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_colour_of_a_png_is_found_at_any_depth(depth):
    red = [2**depth - 1, 0, 0]
    kind = ">u2" if depth == 16 else "u1"
    row = b"\0" + np.array(red * 8 + [0, 0, 0] * 8, dtype=kind).tobytes()
    data = png(16, 16, depth, 2, row * 16, chunk(b"tRNS", struct.pack(">HHH", *red)))
    pixels = images.decode(data, background=(10, 200, 30))
    assert (pixels[:, :8] == (10, 200, 30)).all() and (pixels[:, 8:] == 0).all()


def test_cmyk_is_neither_inverted_nor_lost():
    for format in ("JPEG", "TIFF"):  # PIL writes JPEG as Adobe does: inverted, with its marker
        data = saved(
            Image.fromarray(painting()).convert("CMYK"),
            format,
            **({"quality": 95} if format == "JPEG" else {}),
        )
        assert (b"Adobe" in data) == (format == "JPEG")
        assert apart(images.decode(data), painting()) < 4


def test_a_wide_colour_profile_is_brought_to_srgb():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    assert (
        images.decode(saved(painting(), icc_profile=lab.tobytes())) is not None
    )  # foreign space: passed over
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert apart(images.decode(saved(painting(), icc_profile=srgb)), painting()) == 0
    swapped = srgb.replace(b"rXYZ", b"tmp!").replace(b"gXYZ", b"rXYZ").replace(b"tmp!", b"gXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    pixels = images.decode(saved(painting(), icc_profile=swapped))
    assert apart(pixels[..., [1, 0, 2]], painting()) < 4, "red and green change places by this profile"
    assert apart(images.decode(saved(painting(), icc_profile=b"no profile")), painting()) == 0


def test_of_an_animation_the_first_frame_is_taken_and_told():
    frames = [Image.fromarray(painting()), Image.fromarray(255 - painting())]
    for format in ("GIF", "WEBP", "PNG", "TIFF"):
        data = saved(frames[0], format, save_all=True, append_images=frames[1:])
        result = images.examine(data)
        assert result.animated and apart(result.pixels, painting()) < 6
        assert not images.examine(saved(frames[0], format)).animated


def test_large_pictures_are_brought_down_to_the_side_asked_for():
    big = np.tile(painting(), (20, 20, 1))  # 960 x 1280
    for format in ("PNG", "JPEG"):
        result = images.examine(saved(big, format), side_px=100)
        assert result.pixels.shape == (100, 133, 3) and (result.width, result.height) == (1280, 960)
    assert images.examine(saved(painting()), side_px=100).pixels.shape == (48, 64, 3), "never enlarged"


def flipped(data: bytes, mark: bytes, after: int) -> bytes:
    """`data` with the byte `after` the first `mark` turned over."""
    at = data.index(mark) + after
    return data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]


def header_only(width: int, height: int) -> bytes:
    return png(width, height, 8, 2, b"")


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "empty"),
        (b"Dear diary, this is text", "not-a-picture"),
        (b"\0" * 5000, "not-a-picture"),
        (bytes(range(256)) * 20, "not-a-picture"),
        (saved(painting(), "JPEG")[:-200], "truncated"),
        (saved(painting(), "PNG")[:-200], "truncated"),
        (saved(painting(), "WEBP")[:-100], "truncated"),
        (saved(painting(), "BMP")[:-200], "truncated"),
        (flipped(saved(painting(), "JPEG"), b"\xff\xc0", 4), "damaged"),
        (flipped(saved(painting()), b"IDAT", 10), "damaged"),
        (flipped(saved(painting(), "WEBP"), b"VP8 ", 12), "damaged"),
        (saved(painting(1, 4000)), "too-small"),
        (saved(painting(15, 100)), "too-small"),
        (saved(painting(20, 161)), "too-long"),
        (header_only(40_000, 40_000), "too-many-pixels"),
        (header_only(6_000, 6_000), "too-many-pixels"),
        (header_only(2**31 - 1, 2**31 - 1), "too-many-pixels"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "format"),
        (b"8BPS\0\1" + b"\0" * 100, "format"),
        (b"%PDF-1.7\n", "format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format"),
        (b'<?xml version="1.0"?>\n<svg/>', "format"),
        (b"\0\0\0\x20ftypisom\0\0\2\0", "format"),
        (b"PK\x03\x04" + b"\0" * 100, "format"),
        (saved(painting(), "PPM"), "not-a-picture"),
        (b"<html><body>404</body></html>", "not-a-picture"),
    ],
)
def test_bad_bytes_are_refused_with_their_reason(data, reason):
    refusal = images.decode(data, "picture.jpg")
    assert isinstance(refusal, Refusal) and refusal.reason == reason, refusal
    assert refusal.file == "picture.jpg" and refusal.sentence.startswith("picture.jpg")


def test_the_limits_are_kept_to_the_pixel():
    least, most = limits.LEAST_SIDE_PX, limits.MOST_ASPECT
    assert images.decode(saved(painting(least, least))).shape == (least, least, 3)
    assert images.decode(saved(painting(least, least * most))).shape == (least, least * most, 3)


def test_a_file_that_is_too_big_is_not_decoded(monkeypatch):
    monkeypatch.setattr(limits, "MOST_FILE_BYTES", 100)
    assert images.decode(saved(painting()), "a.png").reason == "too-big"


def test_too_little_memory_is_a_refusal(monkeypatch):
    def no_memory(*arguments):
        raise MemoryError

    monkeypatch.setattr(images, "_colors", no_memory)
    assert images.decode(saved(painting()), "a.png").reason == "too-heavy"


def test_a_large_jpeg_is_decoded_at_a_fraction(monkeypatch):
    data = saved(np.tile(painting(), (8, 8, 1)), "JPEG")  # 384 x 512
    monkeypatch.setattr(limits, "MOST_PIXELS", 100_000)
    monkeypatch.setattr(limits, "MOST_JPEG_PIXELS", 200_000)
    assert images.decode(data).shape == (192, 256, 3)
    assert images.decode(saved(np.tile(painting(), (8, 8, 1)))).reason == "too-many-pixels"


def broken(data: bytes, randomly: random.Random) -> bytes:
    """`data` with a few bytes changed, cut short, repeated or swapped."""
    data = bytearray(data)
    for _ in range(randomly.choice([1, 1, 2, 5, 30])):
        at, kind = randomly.randrange(len(data)), randomly.randrange(5)
        if kind == 0:
            data[at] = randomly.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << randomly.randrange(8)
        elif kind == 2:
            data[at : at + 4] = randomly.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
        elif kind == 3 and len(data) > 100:
            del data[at : at + randomly.randrange(1, 40)]
        else:
            data[at:at] = data[: randomly.randrange(1, 60)]
    return bytes(data[: randomly.randrange(1, len(data))] if randomly.random() < 0.2 else data)


def test_1500_broken_pictures_are_decoded_or_refused_by_a_known_code():
    small = painting(32, 40)
    rgba = Image.fromarray(np.dstack([small, small[..., 0]]))
    frames = [Image.fromarray(small), Image.fromarray(255 - small)]
    good = [saved(small, f) for f in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")]
    good += [
        saved(rgba),
        saved(rgba, "WEBP"),
        saved(frames[0].quantize(16)),
        saved(frames[0], "JPEG", progressive=True),
    ]
    good += [saved(frames[0], f, save_all=True, append_images=frames[1:]) for f in ("GIF", "PNG", "WEBP")]
    good += [saved(frames[0], "TIFF", compression=c) for c in ("tiff_lzw", "tiff_deflate", "packbits")]
    good += [
        saved(frames[0].convert("CMYK"), "JPEG"),
        saved(Image.fromarray(small[..., 0].astype(np.uint16))),
    ]
    good += [saved(frames[0], "AVIF")] if features.check("avif") else []
    randomly, outcomes = random.Random(7), Counter()
    for i in range(1500):
        result = images.decode(broken(good[i % len(good)], randomly), "x")
        if isinstance(result, Refusal):
            assert len(result.sentence) <= 160
            outcomes[result.reason] += 1
        else:
            assert result.dtype == np.uint8 and result.ndim == 3 and result.shape[2] == 3
            outcomes["decoded"] += 1
    assert set(outcomes) <= PICTURE_CODES | {"decoded"}
    assert outcomes["decoded"] > 100 and outcomes["truncated"] > 50 and outcomes["damaged"] > 50, outcomes


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0", b"RIFF\0\0\0\0WEBP"]),
)
def test_any_bytes_are_refused_calmly(data, head):
    result = images.decode(head + data, "x")
    assert isinstance(result, np.ndarray) or result.reason in PICTURE_CODES


def test_pixels_survive_the_way_through_a_tensor():
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    tensor = images.to_tensor(every)
    assert tensor.shape == (1, 3, 16, 16) and tensor.dtype == torch.float32
    assert tensor.min() == -1 and tensor.max() == 1
    assert (images.to_pixels(tensor) == every).all()


def test_tensors_are_clamped_and_rounded_half_to_even():
    values = torch.tensor([-9.0, -1.0, 0.0, 1.0, 9.0]).reshape(1, 1, 1, 5).repeat(1, 3, 1, 1)
    assert images.to_pixels(values)[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255]  # 127.5 -> 128
    half = torch.full((1, 3, 1, 1), 126.5 / 127.5 - 1, dtype=torch.float32)
    assert images.to_pixels(half)[0, 0, 0, 0] == 126


def test_crop_takes_the_centre_border_keeps_all_several_cover_the_long_side():
    wide = np.zeros((32, 96, 3), dtype=np.uint8)
    wide[:, :32], wide[:, 32:64], wide[:, 64:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    (crop,) = images.fit(wide, 32, "crop")
    assert (crop[:, 2:-2] == (0, 255, 0)).all()
    (border,) = images.fit(wide, 96, "border", background=(9, 9, 9))
    assert (border[:30] == 9).all() and (border[66:] == 9).all() and (border[48, 4] == (255, 0, 0)).all()
    several = images.fit(wide, 32, "several")
    assert len(several) == images.crop_count(96, 32) == 3
    assert [tuple(map(int, s[16, 16])) for s in several] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    tall = images.fit(wide.transpose(1, 0, 2).copy(), 16, "several")
    assert len(tall) == 3 and all(s.shape == (16, 16, 3) for s in tall)
    assert len(images.fit(wide[:, :36], 16, "several")) == 1, "nearly square: one is enough"
    with pytest.raises(ValueError):
        images.fit(wide, 32, "stretch")


def test_a_grid_shows_pictures_in_rows_with_gaps():
    pictures = np.stack([np.full((4, 4, 3), v, dtype=np.uint8) for v in (10, 20, 30)])
    whole = images.grid(pictures, columns=2, gap_px=1, background=(99, 99, 99))
    assert whole.shape == (9, 9, 3)
    assert whole[0, 0, 0] == 10 and whole[0, 5, 0] == 20 and whole[5, 0, 0] == 30
    assert (whole[4] == 99).all() and (whole[:, 4] == 99).all() and (whole[5:, 5:] == 99).all()


def test_enlarging_repeats_pixels():
    two = np.array([[[1, 2, 3], [4, 5, 6]]], dtype=np.uint8)
    assert images.enlarge(two, 2).tolist() == [[[1, 2, 3]] * 2 + [[4, 5, 6]] * 2] * 2


def test_encoding_is_the_same_each_time_and_lossless_where_it_says_so():
    assert images.encode(painting()) == images.encode(painting())
    assert apart(images.decode(images.encode(painting())), painting()) == 0
    assert apart(images.read_kept(images.encode(painting(), "webp", lossless=True)), painting()) == 0
    assert apart(images.read_kept(images.encode(painting(), "jpeg", quality=95)), painting()) < 3
    assert apart(images.read_kept(images.encode(painting(), "ppm")), painting()) == 0
    for foreign in (b"P6 ", b"P6 4 4 255\nshort", b"P6 -1 4 255\n", b"P6 x 4 255\n"):
        with pytest.raises(ValueError):
            images.read_kept(foreign)
    with pytest.raises(ValueError):
        images.encode(painting(), "bmp")
    with pytest.raises(ValueError):
        images.encode(painting(), "jpeg", text={"a": "b"})


def test_text_in_a_png_comes_back():
    text = {"code": "abc-_123", "title": "Größe 草 <b>"}
    assert images.read_text(images.encode(painting(), text=text)) == text


def test_text_is_read_within_limits_and_from_whole_chunks_only(monkeypatch):
    good = images.encode(painting(), text={"code": "abc"})
    assert images.read_text(b"") == images.read_text(b"GIF89a") == images.read_text(good[:40]) == {}
    assert images.read_text(good.replace(b"abc", b"abd")) == {}, "its check sum no longer holds"
    packed = chunk(b"iTXt", b"code\0\1\0\0\0" + zlib.compress(b"x" * 10**6)) + chunk(b"zTXt", b"a\0\0x")
    short = chunk(b"iTXt", b"code\0\0") + chunk(b"iTXt", b"") + chunk(b"tEXt", b"plain\0text")
    assert images.read_text(good[:8] + packed + short) == {"plain": "text"}
    monkeypatch.setattr(limits, "MOST_TEXT_CHUNK_BYTES", 5)
    assert images.read_text(good) == {}
    monkeypatch.undo()
    monkeypatch.setattr(limits, "MOST_TEXT_CHUNKS", 2)
    assert len(images.read_text(images.encode(painting(), text={str(i): "x" for i in range(9)}))) == 2


@pytest.mark.parametrize("format", ["gif", "webp"])
def test_an_animation_plays_all_its_frames_for_ever(tmp_path, format):
    frames = [np.roll(painting(40, 56), 6 * i, axis=1) for i in range(7)]
    path = tmp_path / f"film.{format}"
    images.write_animation(iter(frames), path, fps=15, format=format, quality=95)
    with Image.open(path) as film:
        assert film.n_frames == 7 and film.size == (56, 40) and film.info["loop"] == 0
        shown_ms = 0
        for i, frame in enumerate(frames):
            film.seek(i)
            assert apart(np.asarray(film.convert("RGB")), frame) < 8
            shown_ms += film.info["duration"]
        assert abs(shown_ms - 7000 / 15) <= 10, "what is rounded off a frame is made up for by the next"


def test_an_animation_needs_frames_and_a_known_format(tmp_path):
    with pytest.raises(ValueError):
        images.write_animation(iter([]), tmp_path / "a.gif", 10, "gif")
    with pytest.raises(ValueError):
        images.write_animation([painting()], tmp_path / "a.mp4", 10, "mp4")


def test_an_animation_holds_one_frame_in_memory(tmp_path):
    held = []

    class Frame(np.ndarray):
        def __del__(self):
            held.remove(id(self))

    def frames():
        for _ in range(12):
            frame = painting().view(Frame)
            held.append(id(frame))
            yield frame
            assert len(held) <= 3
            del frame

    images.write_animation(frames(), tmp_path / "a.gif", 10, "gif")


def test_decoding_needs_neither_torch_nor_gradio():
    code = "import sys, gan_play.pictures.intake; print({'torch', 'gradio'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"


def test_a_canvas_is_read_with_what_is_hidden_and_only_as_a_small_png():
    pixels = np.full((20, 20, 4), (200, 100, 50, 255), np.uint8)
    pixels[:5, :, 3], pixels[5:8, :, 3] = 0, 120
    read, opaque = images.decode_painted(saved(pixels, "PNG"), "canvas", 64)
    assert (read[10:] == (200, 100, 50)).all()
    assert opaque[8:].all() and not opaque[:8].any()
    for data in (
        saved(pixels, "PNG")[:20],
        b"",
        saved(pixels, "TIFF"),
        header_only(65, 20),
        header_only(20, 2**31 - 1),
    ):
        assert images.decode_painted(data, "canvas", 64).reason == "not-a-picture"
