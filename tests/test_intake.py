"""Pictures in: every kind of source taken in, everything else refused with its reason, and nothing else touched."""

import io
import os
import random
import signal
import stat
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gan_play import limits
from gan_play.pictures import datasets, doctor, examples, images, intake
from gan_play.refusals import Refused, refuse

PNG = images.encode(examples.draw("fields", 0, 32))
JPEG = images.encode(examples.draw("sunsets", 1, 40), "jpeg")


@pytest.fixture(autouse=True, scope="module")
def one_child():
    """One child at a time: these tests are about what happens, not about how fast."""
    patch = pytest.MonkeyPatch()
    patch.setattr(limits, "MOST_DECODERS", 1)
    yield
    patch.undo()


def take(home: Path, *sources: Path, **options: object) -> intake.Taken:
    return intake.run_to_end(intake.take_in(list(sources), home, **options))


def refused(home: Path, *sources: Path) -> Refused:
    with pytest.raises(Refused) as caught:
        take(home, *sources)
    assert len(caught.value.refusal.sentence) <= limits.MOST_SENTENCE_CHARS
    assert not any((home / "sets").glob("*")), "nothing is left of a set that was not made"
    return caught.value


def reasons(report: dict) -> dict[str, str]:
    return {entry["file"]: entry["reason"] for entry in report["refused"]}


def put(folder: Path, **contents: bytes) -> Path:
    """Writes files: `a__b_jpg=...` is `a/b.jpg`."""
    for name, content in contents.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def zipped(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of names that are there twice
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in entries.items():
                archive.writestr(name, content)
    return path


def test_a_folder_becomes_a_set_with_its_folders_as_labels(tmp_path):
    folder = put(
        tmp_path / "art", blue__a_png=PNG, blue__b_JPG=JPEG, red__deep__c_png=PNG, red__notes_txt=b"hi"
    )
    put(folder, **{"_DS_Store": b"junk", "red__Thumbs_db": b"junk", "_hidden__x_png": PNG})
    taken = take(tmp_path / "home", folder)
    assert taken.report["accepted"] == 3 and taken.report["labels"] == {"blue": 2, "red": 1}
    assert reasons(taken.report) == {"red/notes.txt": "not-a-picture"}
    assert taken.folder == tmp_path / "home" / "sets" / taken.set_id
    assert datasets.find_set(tmp_path / "home", taken.set_id) == taken.folder
    assert taken.report == doctor.report(taken.folder)
    assert sorted(path.name for path in taken.folder.iterdir()) == ["manifest.json", "pictures.pack"]
    assert len(list((tmp_path / "home" / "sets").iterdir())) == 1, "no leftovers"


def test_a_zip_and_its_folder_are_the_same_set(tmp_path):
    folder = put(tmp_path / "art", blue__a_png=PNG, red__b_jpg=JPEG)
    packed = zipped(tmp_path / "art.zip", {"art/": b"", "art/blue/a.png": PNG, "art/red/b.jpg": JPEG})
    junk = {"__MACOSX/art/blue/._a.png": b"x", "art/.DS_Store": b"x"}
    more = zipped(tmp_path / "more.zip", {"art/blue/a.png": PNG, "art/red/b.jpg": JPEG} | junk)
    first, second, third = (take(tmp_path / "home", source) for source in (folder, packed, more))
    assert first.set_id == second.set_id == third.set_id
    assert third.report["refused"] == []


def test_files_folders_and_zips_can_be_mixed(tmp_path):
    folder = put(tmp_path / "cats", a_png=PNG)
    inner = zipped(tmp_path / "dogs.zip", {"b.jpg": JPEG})
    single = put(tmp_path, single_png=PNG) / "single.png"
    report = take(tmp_path / "home", folder, inner, single, tmp_path / "missing.png").report
    assert report["accepted"] == 3 and report["labels"] == {"cats": 1, "dogs": 1, "other": 1}
    assert reasons(report) == {"missing.png": "not-found"}


def test_a_zip_inside_of_a_folder_is_looked_into(tmp_path):
    folder = put(tmp_path / "art", a_png=PNG)
    zipped(folder / "more.zip", {"b.jpg": JPEG})
    assert take(tmp_path / "home", folder).report["accepted"] == 2


def test_progress_goes_from_nothing_to_all(tmp_path):
    folder = put(tmp_path / "art", **{f"p{i}_png": PNG for i in range(4)})
    told = list(intake.take_in([folder], tmp_path / "home"))
    assert (told[0].done, told[0].total) == (0, 4) and (told[-1].done, told[-1].total) == (4, 4)
    assert all(step.seconds_left >= 0 and step.sentence for step in told)


def test_transparent_pictures_are_laid_over_the_colour(tmp_path):
    clear = io.BytesIO()
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(clear, "PNG")
    folder = put(tmp_path / "art", a_png=clear.getvalue())
    taken = take(tmp_path / "home", folder, background=(10, 200, 30))
    assert (datasets.preview_fit(taken.folder, 0, 32, "crop")[0] == (10, 200, 30)).all()


@pytest.mark.parametrize(
    "name, content, reason",
    [
        ("empty.jpg", b"", "empty"),
        ("text.jpg", b"this is text", "not-a-picture"),
        ("broken.zip", b"PK\x03\x04 and then nothing", "zip-damaged"),
        ("really.zip", b"no ZIP at all", "zip-damaged"),
        ("cut.jpg", JPEG[:-300], "truncated"),
    ],
)
def test_a_single_bad_file_is_refused_in_its_own_sentence(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    error = refused(tmp_path / "home", tmp_path / name)
    assert error.refusal.reason == reason and error.refusal.file == name


def test_where_nothing_can_be_taken_in_the_refusal_tells_of_the_first_and_holds_all(tmp_path):
    folder = put(tmp_path / "art", a_jpg=b"", b_jpg=b"text")
    error = refused(tmp_path / "home", folder)
    assert (
        error.refusal.reason == "none-readable" and "2 files" in str(error) and "a.jpg is empty" in str(error)
    )
    assert [other.reason for other in error.others] == ["empty", "not-a-picture"]


def test_one_picture_is_read_in_a_child_and_refused_as_any_other():
    """One pixel, a hundred megapixels, no picture: nothing of it is decoded here."""

    def png(width: int, height: int) -> bytes:
        head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(4))), (b"IEND", b""))
        )

    cases = {
        "too-small": png(1, 1),
        "too-many-pixels": png(10_000, 10_000),
        "not-a-picture": b"hello",
        "empty": b"",
    }
    for reason, data in cases.items():
        assert intake.read_picture(data, "own.png").reason == reason
    assert intake.read_picture(PNG, "own.png").shape[2] == 3


def test_a_picture_on_disk_is_read_or_refused(tmp_path):
    (tmp_path / "own.png").write_bytes(PNG)
    assert np.array_equal(intake.read_picture_file(tmp_path / "own.png"), intake.read_picture(PNG))
    for path in (tmp_path, tmp_path / "none.png", Path("a\0b")):
        with pytest.raises(Refused):
            intake.read_picture_file(path)


def test_a_picture_is_read_without_loss_where_that_is_asked_for_and_its_longer_side_is_bounded(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (150, 700, 3), dtype=np.uint8)
    (tmp_path / "own.png").write_bytes(images.encode(pixels, "png"))
    assert np.array_equal(intake.read_picture_file(tmp_path / "own.png", 2048), pixels)
    assert intake.read_picture_file(tmp_path / "own.png", 350).shape == (75, 350, 3)


def test_a_folder_without_files_and_a_source_that_is_missing_are_refused(tmp_path):
    (tmp_path / "bare").mkdir()
    assert refused(tmp_path / "home", tmp_path / "bare").refusal.reason == "no-pictures"
    empty = zipped(tmp_path / "empty.zip", {})
    assert refused(tmp_path / "home", empty).refusal.reason == "no-pictures"
    for missing in ("nowhere", "a\0b", "x" * 400):
        assert refused(tmp_path / "home", tmp_path / missing).refusal.reason == "not-found"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    folder = put(tmp_path / "art", a_png=PNG)
    os.mkfifo(folder / "b.png")
    os.symlink("/dev/zero", folder / "c.png")
    os.symlink(folder / "nowhere", folder / "d.png")
    os.symlink(tmp_path, folder / "round")
    report = take(tmp_path / "home", folder).report
    assert report["accepted"] == 1
    assert reasons(report) == dict.fromkeys(["b.png", "c.png", "d.png"], "unreadable")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there every name is text")
def test_a_name_that_is_no_text_is_taken_in(tmp_path):
    folder = put(tmp_path / "art", a_png=PNG)
    (folder / os.fsdecode(b"\xff\xfe.png")).write_bytes(JPEG)
    (folder / os.fsdecode(b"\xfc.txt")).write_bytes(b"text")
    report = take(tmp_path / "home", folder).report
    assert report["accepted"] == 2 and list(reasons(report).values()) == ["not-a-picture"]


def test_too_big_and_too_many_are_left_out(tmp_path, monkeypatch):
    folder = put(tmp_path / "art", a_png=PNG, b_png=PNG + b"\0" * 60_000, c_jpg=JPEG, d_png=PNG)
    monkeypatch.setattr(limits, "MOST_FILE_BYTES", 50_000)
    monkeypatch.setattr(limits, "MOST_PICTURES", 2)
    report = take(tmp_path / "home", folder).report
    assert report["accepted"] == 2 and reasons(report) == {"b.png": "too-big", "d.png": "too-many-pictures"}


def test_too_many_folders_are_no_labels(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_LABELS", 2)
    folder = put(tmp_path / "art", a__x_png=PNG, b__y_png=PNG, c__z_png=PNG)
    report = take(tmp_path / "home", folder).report
    assert report["labels"] == {} and report["refused_counts"] == {"too-many-labels": 1}


def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch):
    folder = put(tmp_path / "art", a_png=PNG)
    monkeypatch.setattr(datasets.files, "free_bytes", lambda path: 1000)
    assert refused(tmp_path / "home", folder).refusal.reason == "disk-full"


def test_a_disk_that_becomes_full_on_the_way_is_a_sentence(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    folder = put(tmp_path / "art", a_png=PNG)
    monkeypatch.setattr(datasets.NewSet, "add", full)
    assert refused(tmp_path / "home", folder).refusal.reason == "disk-full"


CHILD = """
import os, sys, time
from gan_play import limits
from gan_play.pictures import decoder
honest = decoder.examine
def examine(data, name, background, exact_px=None):
    if "crash" in name: os.abort()
    if "hang" in name: time.sleep(600)
    if "busy" in name:
        while True: pass
    if "hungry" in name: bytearray(8_000_000_000)
    return honest(data, name, background, exact_px)
decoder.examine = examine
limits.DECODE_SECONDS = 0
decoder.serve()
"""


def staged(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen]:
    """Makes the decoding child fail by the names of the files; returns the children as they are started."""
    started, pipe = [], subprocess.PIPE

    def start(self):
        project = str(Path(intake.__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": project, "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-c", CHILD]
        started.append(
            subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment)
        )
        return started[-1]

    monkeypatch.setattr(intake.Decoder, "_start", start)
    return started


@pytest.mark.skipif(sys.platform != "linux", reason="these limits are enforced in full by Linux")
def test_a_child_that_crashes_starves_or_never_ends_costs_one_picture(tmp_path, monkeypatch):
    children = staged(monkeypatch)
    monkeypatch.setattr(limits, "DECODE_WALL_SECONDS", 150)  # only the limit on processor time may end it
    names = ["a", "b-crash", "c-busy", "d-hungry", "e"]
    folder = put(tmp_path / "art", **{f"{name}_png": PNG for name in names})
    report = take(tmp_path / "home", folder).report
    assert report["accepted"] == 2
    assert reasons(report) == {f"{name}.png": "too-heavy" for name in names[1:4]}
    assert all(child.returncode is not None for child in children), "all were waited for"
    assert children[1].returncode == -signal.SIGXCPU, "its processor time was up"


def test_a_child_that_sleeps_is_ended_by_the_clock(tmp_path, monkeypatch):
    children = staged(monkeypatch)
    monkeypatch.setattr(limits, "DECODE_WALL_SECONDS", 0.3)
    with pytest.raises(Refused) as caught:
        take(tmp_path / "home", put(tmp_path / "art", hang_png=PNG))
    assert caught.value.refusal.reason == "too-heavy" and children[0].returncode == -signal.SIGKILL


def test_where_nobody_wants_the_rest_the_children_end_and_nothing_is_left(tmp_path, monkeypatch):
    children = staged(monkeypatch)
    folder = put(tmp_path / "art", **{f"hang{i}_png": PNG for i in range(30)})
    steps = intake.take_in([folder], tmp_path / "home")
    next(steps)
    monkeypatch.setattr(limits, "DECODE_WALL_SECONDS", 0.2)
    monkeypatch.setattr(datasets.Clock, "due", lambda clock: True)
    next(steps)
    steps.close()
    assert all(child.returncode is not None for child in children)
    assert not list((tmp_path / "home" / "sets").iterdir())
    ours = {child.pid for child in children}
    assert not ours & {child.pid for child in psutil.Process().children()}


# ZIPs


def raw_zip(path: Path, entries: list[tuple[bytes, bytes, int]], directory: list[dict] | None = None) -> Path:
    """A ZIP by hand, of stored entries (name, content, flags); `directory` overrides what it says of them."""
    body, said = b"", []
    for name, content, flags in entries:
        check = zlib.crc32(content)
        said.append({"name": name, "offset": len(body), "flags": flags, "size": len(content), "crc": check})
        sizes = struct.pack("<IIIHH", check, len(content), len(content), len(name), 0)
        body += b"PK\x03\x04" + struct.pack("<HHHI", 20, flags, 0, 0) + sizes + name + content
    listing = b""
    for entry in directory if directory is not None else said:
        sizes = (
            entry["crc"],
            entry["size"],
            entry.get("unpacked", entry["size"]),
            len(entry["name"]),
            0,
            0,
            0,
            0,
        )
        mode = entry.get("mode", 0) << 16
        listing += b"PK\x01\x02" + struct.pack("<HHHHI", 20, 20, entry["flags"], entry.get("method", 0), 0)
        listing += struct.pack("<IIIHHHHHII", *sizes, mode, entry["offset"]) + entry["name"]
    count = len(directory if directory is not None else said)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(listing), len(body), 0)
    path.write_bytes(body + listing + b"PK\x05\x06" + end)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "../up.png",
        "a/../../up.png",
        "/etc/up.png",
        "C:\\up.png",
        "..\\up.png",
        "\\\\host\\share\\up.png",
        "a:b/c.png",
    ],
)
def test_a_name_that_points_outside_is_refused_and_never_written(tmp_path, name):
    before = set(tmp_path.rglob("*"))
    packed = zipped(tmp_path / "art.zip", {"good.png": PNG, name: PNG})
    report = take(tmp_path / "home", packed).report
    assert report["accepted"] == 1 and list(reasons(report).values()) == ["zip-path"]
    new = {path.name for path in set(tmp_path.rglob("*")) - before}
    assert new == {"art.zip", "home", "sets", report["set_id"], "pictures.pack", "manifest.json"}


def test_a_name_with_a_zero_byte_is_refused(tmp_path):
    packed = raw_zip(tmp_path / "art.zip", [(b"good.png", PNG, 0), (b"bad.png\0.txt", PNG, 0)])
    assert list(reasons(take(tmp_path / "home", packed).report).values()) == ["zip-path"]


def test_folders_written_with_backslashes_are_labels(tmp_path):
    packed = raw_zip(tmp_path / "art.zip", [(b"red\\a.png", PNG, 0), (b"blue\\b.png", JPEG, 0)])
    assert take(tmp_path / "home", packed).report["labels"] == {"blue": 1, "red": 1}


def test_a_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "art.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.png", PNG)
    assert reasons(take(tmp_path / "home", tmp_path / "art.zip").report) == {"link.png": "zip-link"}


def test_encrypted_nested_repeated_and_strangely_packed_entries_are_refused(tmp_path):
    inner = zipped(tmp_path / "inner.zip", {"a.png": PNG}).read_bytes()
    entries = [
        (b"good.png", PNG, 0),
        (b"locked.png", PNG, 1),
        (b"inner.zip", inner, 0),
        (b"good.png", JPEG, 0),
    ]
    report = take(tmp_path / "home", raw_zip(tmp_path / "art.zip", entries)).report
    assert report["accepted"] == 1
    assert reasons(report) == {
        "locked.png": "zip-encrypted",
        "inner.zip": "zip-nested",
        "good.png": "zip-repeated",
    }
    slow = zipped(tmp_path / "slow.zip", {"a.png": PNG}, zipfile.ZIP_LZMA)
    assert refused(tmp_path / "other", slow).refusal.reason == "zip-method"


@pytest.mark.parametrize("shared", ["same", "quoted"])
def test_a_zip_whose_entries_overlap_is_refused_as_a_whole(tmp_path, shared):
    inner = b"PK\x03\x04" + struct.pack("<HHHI", 20, 0, 0, 0)
    inner += struct.pack("<IIIHH", zlib.crc32(PNG), len(PNG), len(PNG), 5, 0) + b"b.png" + PNG
    content = PNG if shared == "same" else inner
    outer = {"name": b"a.png", "offset": 0, "flags": 0, "size": len(content), "crc": zlib.crc32(content)}
    if shared == "same":
        second = outer
    else:  # the second entry's header and data lie inside of the first one's data
        second = {"name": b"b.png", "offset": 35, "flags": 0, "size": len(PNG), "crc": zlib.crc32(PNG)}
    packed = raw_zip(tmp_path / "art.zip", [(b"a.png", content, 0)], [outer, second])
    assert zipfile.is_zipfile(packed)
    assert refused(tmp_path / "home", packed).refusal.reason == "zip-overlap"


def test_bombs_are_refused_without_being_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ZIP_RATIO_FROM_BYTES", 100_000)
    monkeypatch.setattr(limits, "MOST_FILE_BYTES", 1_000_000)
    packed = zipped(
        tmp_path / "art.zip", {"good.png": PNG, "bomb.png": bytes(500_000), "big.png": os.urandom(1_000_001)}
    )
    opened = []
    honest = zipfile.ZipFile.open
    monkeypatch.setattr(
        zipfile.ZipFile, "open", lambda z, e, *a: opened.append(e.filename) or honest(z, e, *a)
    )
    report = take(tmp_path / "home", packed).report
    assert reasons(report) == {"bomb.png": "zip-bomb", "big.png": "too-big"}
    assert opened == ["good.png"]


def test_a_zip_that_lies_about_sizes_gets_no_further_than_it_said(tmp_path):
    packed = zipped(tmp_path / "art.zip", {"a.png": bytes(5_000_000), "good.png": PNG})
    data = packed.read_bytes().replace(struct.pack("<I", 5_000_000), struct.pack("<I", 5_000))
    packed.write_bytes(data)
    assert reasons(take(tmp_path / "home", packed).report) == {"a.png": "damaged"}


def test_a_bad_check_sum_is_told(tmp_path):
    packed = zipped(tmp_path / "art.zip", {"a.png": PNG, "b.jpg": JPEG}, zipfile.ZIP_STORED)
    data = bytearray(packed.read_bytes())
    data[data.index(PNG) + 60] ^= 1
    packed.write_bytes(data)
    assert reasons(take(tmp_path / "home", packed).report) == {"a.png": "damaged"}


def test_too_many_or_too_much_in_a_zip_is_refused(tmp_path, monkeypatch):
    packed = zipped(tmp_path / "art.zip", {f"{i}.png": PNG for i in range(5)})
    monkeypatch.setattr(limits, "MOST_ZIP_ENTRIES", 4)
    assert refused(tmp_path / "home", packed).refusal.reason == "zip-too-many"
    monkeypatch.setattr(limits, "MOST_ZIP_ENTRIES", 20)
    monkeypatch.setattr(limits, "MOST_ZIP_TOTAL_BYTES", 2 * len(PNG))
    report = take(tmp_path / "home", packed).report
    assert report["accepted"] == 2 and reasons(report) == {"art.zip": "zip-too-large"}


def test_a_directory_longer_than_any_honest_one_is_not_read(tmp_path, monkeypatch):
    packed = raw_zip(tmp_path / "art.zip", [(b"a.png", PNG, 0)])
    data = packed.read_bytes()
    packed.write_bytes(data[:-12] + struct.pack("<HIIH", 1, 0x7FFFFFFF, 0, 0)[:12])
    monkeypatch.setattr(zipfile, "ZipFile", None)  # it would be read by this
    assert refused(tmp_path / "home", packed).refusal.reason == "zip-too-many"


def test_300_broken_zips_each_end_in_a_set_or_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(intake.Decoder, "examine", lambda *arguments: refuse("damaged", "x"))
    whole = zipped(
        tmp_path / "art.zip", {"a/b.png": PNG[:200], "a/c.jpg": JPEG[:200], "d.txt": b"text"}
    ).read_bytes()
    randomly, seen = random.Random(3), set()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(randomly.choice([1, 2, 8])):
            at = (
                randomly.randrange(len(data))
                if randomly.random() < 0.4
                else randomly.randrange(440, len(data))
            )
            data[at] = randomly.randrange(256)
        (tmp_path / "art.zip").write_bytes(
            data[: randomly.randrange(1, len(data))] if randomly.random() < 0.1 else data
        )
        with pytest.raises(Refused) as caught:
            take(tmp_path / "home", tmp_path / "art.zip")
        seen |= {other.reason for other in (*caught.value.others, caught.value.refusal)}
        assert len(str(caught.value)) <= limits.MOST_SENTENCE_CHARS
    assert {"zip-damaged", "damaged"} < seen
    assert not list((tmp_path / "home" / "sets").iterdir())


# Privacy

SECRET = b"SECRET-latitude-48.8584"


def marked(format: str) -> bytes:
    """A picture with the secret in every place that its format has for more than pixels."""
    exif = Image.Exif()
    exif[0x010E] = exif[0x9286] = SECRET.decode()
    exif.get_ifd(0x8825)[29] = SECRET.decode()
    file, image = io.BytesIO(), Image.fromarray(examples.draw("fields", 3, 200))
    options = {"exif": exif.tobytes()}
    if format in ("JPEG", "WEBP", "PNG"):
        options["icc_profile"] = b"\0" * 128 + SECRET
    if format == "JPEG":
        options |= {"comment": SECRET, "xmp": SECRET}
    if format == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Author", SECRET.decode())
    if format == "GIF":
        options = {"comment": SECRET}
    image.save(file, format, **options)
    return file.getvalue() + SECRET


def test_nothing_but_pixels_is_kept(tmp_path):
    formats = ["JPEG", "PNG", "WEBP", "TIFF", "GIF"]
    folder = put(tmp_path / "art", **{f"a_{f.lower()}": marked(f) for f in formats})
    assert all(SECRET in path.read_bytes() for path in folder.iterdir())
    taken = take(tmp_path / "home", folder)
    assert taken.report["accepted"] == len(formats)
    kept = (taken.folder / "pictures.pack").read_bytes()
    for sign in (SECRET, b"Exif", b"http://ns.adobe.com", b"ICC_PROFILE", b"iCCP", b"tEXt", b"EXIF", b"GPS"):
        assert sign not in kept
    assert datasets.thumbnail(taken.folder, 0, 64).find(SECRET) == -1
    assert np.asarray(datasets.preview_fit(taken.folder, 0, 64, "crop")).shape == (1, 64, 64, 3)
