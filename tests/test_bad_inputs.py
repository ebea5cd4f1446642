"""Two hundred bad inputs on the command line: each gets one sentence and exit status 2, and nothing is lost."""

import functools
import hashlib
import io
import json
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gan_play import cli
from gan_play.pictures import images

ROOT = Path(__file__).resolve().parent.parent
HTML = "<script>alert(1)</script>"
LONG = "a" * 5000


# Making bad files


def picture(seed: int = 0, side: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


PNG = images.encode(picture(), "png")
JPEG = images.encode(picture(), "jpeg")
WEBP = images.encode(picture(), "webp")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG whose header says what it likes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def solid(width: int, height: int) -> bytes:
    """A true PNG of one colour."""
    return png(width, height, (b"\0" + b"\x80\x20\x60" * width) * height)


BAD_PICTURES: dict[str, bytes] = {
    "empty.jpg": b"",
    "one-byte.png": b"\x89",
    "text.jpg": b"This is a shopping list.\n" * 40,
    "page.png": b"<!doctype html><html><script>alert(1)</script></html>",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='64' height='64'/></svg>",
    "paper.jpg": b"%PDF-1.7\n" + bytes(2000),
    "program.png": b"MZ" + bytes(2000),
    "elf.png": b"\x7fELF" + bytes(2000),
    "packed.jpg": b"\x1f\x8b\x08" + bytes(2000),
    "numbers.png": b"\x93NUMPY\x01\x00" + bytes(2000),
    "objects.png": b"\x80\x04\x95" + b"cposix\nsystem\n" + bytes(200),
    "list.png": b"[1, 2, 3]",
    "wide-text.jpg": "pictures".encode("utf-16") * 100,
    "script.jpg": b"#!/bin/sh\nexit 1\n",
    "nothing.png": bytes(10_000),
    "ones.jpg": b"\xff" * 10_000,
    "photoshop.jpg": b"8BPS\0\1" + bytes(2000),
    "postscript.png": b"%!PS-Adobe-3.0 EPSF-3.0\n" + bytes(500),
    "icon.png": b"\0\0\1\0\1\0" + bytes(500),
    "phone.jpg": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500),
    "empty-avif.avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(500),
    "empty-webp.webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "empty-gif.gif": b"GIF89a",
    "empty-tiff.tif": b"II*\0\x08\0\0\0",
    "looping.tif": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "huge.bmp": b"BM"
    + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 1 << 30, 1 << 30, 1, 24, 0, 0, 0, 0, 0, 0),
    "minus.bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, -64, -64, 1, 24, 0, 0, 0, 0, 0, 0),
    "start.jpg": b"\xff\xd8\xff",
    "half.jpg": JPEG[: len(JPEG) // 2],
    "head.jpg": JPEG[:200],
    "half.png": PNG[: len(PNG) // 2],
    "head.png": PNG[:33],
    "half.webp": WEBP[: len(WEBP) // 2],
    "wrong-sum.png": PNG[:29] + b"\0\0\0\0" + PNG[33:],
    "scratched.png": PNG[:60] + bytes(40) + PNG[100:],
    "bomb.png": png(40_000, 40_000, bytes(1000)),
    "largest.png": png(2**31 - 1, 2**31 - 1),
    "no-size.png": png(0, 0),
    "no-rows.png": png(64, 64),
    "thread.png": solid(1, 4000),
    "ribbon.png": solid(4000, 1),
    "strip.png": solid(40, 2000),
    "dot.png": solid(1, 1),
    "tiny.png": solid(15, 15),
    **{f"noise-{i}.jpg": random.Random(i).randbytes(3000) for i in range(6)},
    **{f"noise-{i}.png": PNG[:16] + random.Random(i).randbytes(500) for i in range(4)},
}


def zipped(entries: list[tuple[str, bytes]]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return data.getvalue()


def with_flag(data: bytes, local: int, central: int, value: bytes) -> bytes:
    """A ZIP of one entry with a field overwritten in its local and its central header."""
    at = data.index(b"PK\1\2")
    data = data[: at + central] + value + data[at + central + len(value) :]
    return data[:local] + value + data[local + len(value) :]


def link() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        entry = zipfile.ZipInfo("link.png")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return data.getvalue()


def overlapping() -> bytes:
    """A ZIP whose directory names one stored entry eight times, as Fifield's bombs of 2019 do."""
    data = zipped([("a.png", PNG)])
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    directory = b"".join(data[start:end].replace(b"a.png", f"{i}.png".encode()) for i in range(8))
    counts = struct.pack("<HHHHIIH", 0, 0, 8, 8, len(directory), start, 0)
    return data[:start] + directory + b"PK\5\6" + counts


@functools.cache
def bad_zips() -> dict[str, bytes]:
    one = zipped([("a.png", PNG)])
    return {
        "nothing.zip": zipped([]),
        "no-zip.zip": b"PK\3\4 this is no ZIP" * 50,
        "zero.zip": b"",
        "text.zip": b"hello",
        "half.zip": one[: len(one) // 2],
        "headless.zip": one[one.index(b"PK\1\2") :],
        "letters.zip": zipped([("letter.txt", b"Dear Theo"), ("notes.md", b"# 1888")]),
        "folders.zip": zipped([("a/", b""), ("a/b/", b"")]),
        "bad-pictures.zip": zipped(list(BAD_PICTURES.items())[:12]),
        "nested.zip": zipped([("inner.zip", one)]),
        "renamed-nested.zip": zipped([("inner.png", one)]),
        "up.zip": zipped([("../../evil.png", PNG)]),
        "root.zip": zipped([("/etc/evil.png", PNG)]),
        "drive.zip": zipped([("C:\\evil.png", PNG)]),
        "share.zip": zipped([("\\\\server\\evil.png", PNG)]),
        "link.zip": link(),
        "secret.zip": with_flag(one, 6, 8, b"\1\0"),
        "method.zip": with_flag(one, 8, 10, b"\x63\0"),
        "wrong-sum.zip": with_flag(one, 14, 16, b"\0\0\0\0"),
        "overlap.zip": overlapping(),
        "bomb.zip": zipped([("bomb.bmp", bytes(120_000_000))]),
        "many.zip": zipped([(f"{i}.txt", b"") for i in range(20_001)]),
    }


# The cases: what is typed, with RUN, HOME and FILES in place of a good run, its home and a folder of bad files

RUN_IDS = [
    *[
        "",
        " ",
        ".",
        "..",
        "../..",
        "/",
        "/etc/passwd",
        "C:\\Windows",
        "\\\\server\\share",
        "a/b",
        "a\\b",
        "%2e%2e",
    ],
    *[
        "sets",
        "gallery",
        "films",
        "con",
        "nul",
        "A",
        "ab",
        "Run",
        "run id",
        "no-such-run",
        "vangogh-k3f9x2",
        LONG,
    ],
    *[
        HTML,
        "'; DROP TABLE runs; --",
        "${HOME}",
        "$(id)",
        "`id`",
        "{0}",
        "%s",
        "null",
        "None",
        "0",
        "1e9",
        "NaN",
    ],
    *[
        "日本語",
        "💥",
        "é" * 10,
        "a\0b",
        "a\nb",
        "\x1b[31m",
        "\u202egnp",
        "../sets/x",
        "state-1.safetensors",
        "*",
    ],
]
VERBS_OF_RUNS = {
    "sample": ["--out", "HOME/never.png"],
    "mix": ["--rows", "1", "--cols", "2", "--out", "HOME/never.png"],
    "walk": ["--seeds", "1,2", "--out", "HOME/never.mp4"],
    "film": ["--keys", "1,2", "--out", "HOME/never.mp4"],
    "evaluate": [],
    "share": [],
    "resume": [],
    "stop": [],
}
SEEDS = [
    *[
        "",
        " ",
        "-1",
        "-1-5",
        "1-",
        "-",
        "5-1",
        "1.5",
        "1e3",
        "0x10",
        "one",
        "NaN",
        "inf",
        "1,,x",
        "1;DROP",
        HTML,
    ],
    *[
        str(2**63),
        str(10**30),
        "9" * 5000,
        "0-99999999999",
        "0-9223372036854775807",
        "1,-2",
        "٣",
        "²",
        "1\0",
        "None",
    ],
]
CODES = [
    *[
        "",
        " ",
        "a",
        "AQ",
        "A" * 24,
        "A" * 599,
        "A" * 601,
        LONG,
        HTML,
        "../../etc/passwd",
        "AQ==",
        "null",
        "{}",
        "7",
    ],
    *[
        "http://",
        "https://example.org/?art=",
        "https://example.org/?art=%00",
        "?art=AAAA",
        "/art/../..",
        "ÄÖÜ",
        "💥",
    ],
    *[
        "AQ" + "A" * 40,
        "_" * 60,
        "-" * 3,
        "AQAAAAAAAAAAAAAAAAAAAAAA",
        "a b c d e f g h",
        "javascript:alert(1)",
    ],
]
NUMBERS = ["abc", "", "NaN", "inf", "-inf", "-1", "1e400", "9" * 400, HTML, "1,5", "None"]


BY = ["light", "light=", "light=x", "light=9", "light=nan", "joy=1", "light=1,light=1", HTML, "light=1=2"]
BY += [
    "sefa0=1",
    "sefa99=1",
    "sefa1@=1",
    "sefa1@sky=1",
    "sefa1=9",
    "sefa1=1,sefa1=2",
    "sefa" + "1" * 5000 + "=1",
]


def cases() -> list[list[str]]:
    """All command lines that must be refused."""
    found: list[list[str]] = []
    for place, run_id in enumerate(RUN_IDS):
        verb = list(VERBS_OF_RUNS)[place % len(VERBS_OF_RUNS)]
        found.append([verb, run_id, *VERBS_OF_RUNS[verb]])
    found += [[verb, "no-such-run", *options] for verb, options in VERBS_OF_RUNS.items()]
    found += [["sample", "RUN", "--seeds", seeds, "--out", "HOME/never.png"] for seeds in SEEDS]
    found += [["share", "RUN", "--seed", seed] for seed in SEEDS[2:12]]
    found += [
        ["walk", "RUN", "--seeds", seeds, "--out", "HOME/n.mp4"] for seeds in ("1", "0-12", "a,b", "1,-1")
    ]
    found += [["render", code] for code in CODES]
    found += [["sample", "RUN", "--truncation", number, "--out", "HOME/never.png"] for number in NUMBERS]
    found += [["walk", "RUN", "--seeds", "1,2", "--seconds", n, "--out", "HOME/n.gif"] for n in NUMBERS]
    found += [
        ["walk", "RUN", "--seeds", "1,2", "--fps", n, "--out", "HOME/n.webp"] for n in (*NUMBERS, "0", "1.5")
    ]
    film = ["film", "RUN", "--out", "HOME/n.mp4", "--keys"]
    found += [
        [*film, keys] for keys in ("", ",", "1", "1:2s:x,2", "1:-1s,2", "1:hold=x,2", "1,-2", HTML, LONG)
    ]
    found += [
        [*film, "1,2", "--sweep", sweep]
        for sweep in ("light", "light=1", "joy=0..1", "truncation=0..9", HTML)
    ]
    found += [
        [*film, "1,2", "--music", sound] for sound in ("nowhere.mp3", "requirements.txt", "tests", "", "a\0b")
    ]
    found += [[*film, "1,2", "--seconds", "3"], [*film, "1,2", "--music", "nowhere.mp3", "--react", "joy"]]
    found += [[*film, "1,2", option, "x"] for option in ("--kind", "--moves", "--fps")]
    found += [["steer", "RUN", "--out", "HOME/n.png", "--picture", "7", "--by", by] for by in BY]
    found += [["directions", "RUN", "--count", n] for n in ("0", "41", "-1", "x", "1.5", "9" * 400)]
    found += [
        ["directions", "RUN", "--rename", text]
        for text in ("", "sefa1", "sefa1= ", "light=x", "sefa1=" + LONG)
    ]
    own = ["project", "RUN", "--out", "HOME/n.png"]
    found += [[*own, source] for source in ("", ".", "HOME/nothing.png", LONG, "a\0b", HTML)]
    found += [[*own, "README.md", "--steps", n] for n in (*NUMBERS, "0", "1.5", "5001")] + [
        [*own, "README.md"]
    ]
    found += [
        ["palette", "RUN", "--out", "HOME/n.png", "--picture", "7", "--towards", colours]
        for colours in ("", "red", "#12345", "#000000," * 9, HTML, LONG, "README.md", "a\0b")
    ]
    styled = ["style", "README.md", "--style", "README.md", "--out", "HOME/n.png"]
    found += [["style", source, *styled[2:]] for source in ("", ".", "HOME/nothing.png", LONG, "a\0b", HTML)]
    found += [[*styled, "--size", n] for n in (*NUMBERS, "0", "63", "513")]
    found += [[*styled, option, n] for option in ("--strength", "--scale") for n in NUMBERS]
    found += [styled, [*styled, "--mask", "README.md"], ["style", "README.md", *styled[4:]]]
    found += [[*styled, "--set", run_id] for run_id in RUN_IDS[:4] if run_id]
    breed = ["breed", "RUN", "--out", "HOME/n.png", "--parent"]
    found += [[*breed, parent] for parent in ("", "x", "-1", str(2**63), HTML, LONG)]
    found += [[*breed, "1", "--cross", parent] for parent in ("x", "1.5", HTML)]
    found += [[*breed, "1", "--strength", n] for n in (*NUMBERS, "1.01")]
    found += [[*breed, "1", "--hold", bands] for bands in ("coarse,middle,fine", "colour", HTML)]
    found += [[*breed, "1", "--seeds", seeds] for seeds in ("", "0-999999", "a")]
    found += [["train", "example:fields", option, n] for option in ("--minutes", "--steps") for n in NUMBERS]
    found += [["train", "example:fields", "--size", n] for n in (*NUMBERS, "0", "16", "63", "1024")]
    found += [["train", "example:fields", "--seed", n] for n in (*NUMBERS, str(2**63))]
    found += [["resume", "RUN", "--minutes", n] for n in NUMBERS] + [["resume", "RUN", "--steps", "0"]]
    found += [
        ["train", source] for source in ("", "example:", "example:nope", f"example:{HTML}", LONG, "a\0b")
    ]
    found += [
        ["doctor", s] for s in ("HOME/nothing-here", "https://example.org/x.zip", "~nobody/x", "..\\x", HTML)
    ]
    found += [
        ["train", "example:fields", "--recipe", name] for name in ("", "stylegan9", HTML, "../dcgan", "0")
    ]
    found += [["train", "example:fields", "--start", run_id] for run_id in RUN_IDS[:4]]
    found += [["train", "example:fields", "--fit", "squash"], ["train", "example:fields", "--device", "tpu"]]
    found += [
        ["train", "example:fields", "--minutes", "1", "--steps", "1"],
        ["train", "example:fields", "--name", LONG],
    ]
    found += [
        ["mix", "RUN", "--rows", r, "--cols", "1", "--out", "HOME/n.png"] for r in ("", "x", "0-99", "-4")
    ]
    found += [
        ["mix", "RUN", "--rows", "1", "--cols", "2", "--band", b, "--out", "HOME/n.png"] for b in ("", HTML)
    ]
    found += [["walk", "RUN", "--seeds", "1,2", "--way", "x", "--out", "HOME/n.mp4"]]
    found += [["walk", "RUN", "--seeds", "1,2", "--easing", "bounce", "--out", "HOME/n.mp4"]]
    found += [
        ["sample", "RUN", "--label", label, "--out", "HOME/n.png"] for label in ("0", "-1", "x", HTML, LONG)
    ]
    found += [
        ["sample", "RUN", "--out", out]
        for out in ("", "x.exe", "/proc/x", "/proc/x/y.png", "HOME/run.json", "a\0.png", "x" * 300 + ".png")
    ]
    found += [["walk", "RUN", "--seeds", "1,2", "--out", out] for out in ("HOME/x.avi", "HOME", "x.png")]
    found += [["evaluate", "RUN", "--pictures", number] for number in ("0", "1", "-5", "x", "9" * 30)]
    found += [["evaluate", "RUN", "--features", name] for name in ("", "lite0", HTML)]
    found += [
        ["evaluate", "RUN", "--features", "inception", "--weights", path]
        for path in ("a\0b", "HOME", "FILES/text.jpg", "/dev/zero", LONG)
    ]
    found += [
        [],
        ["nope"],
        ["train"],
        ["sample", "RUN"],
        ["runs", "x"],
        ["runs", "--jso"],
        ["recipes", "--x"],
        [HTML],
    ]
    found += [
        ["runs", "--home", "FILES/text.jpg"],
        ["runs", "--home", "a\0b"],
        ["runs", "--home", "/proc/nowhere"],
    ]
    return found


def is_one_sentence(text: str, home: Path) -> bool:
    """One line that a person can read: no traceback, no class names, no folders of this machine."""
    lines = text.splitlines()
    foreign = ("Traceback", "Error", "Exception", "errno", "None of None", str(home), str(ROOT), "\x1b", "\0")
    readable = (
        len(lines) == 1 and 10 < len(lines[0]) <= 200 and lines[0].isprintable() and lines[0][-1] in ".!"
    )
    return readable and not any(word in text for word in foreign)


@functools.cache
def digest(path: Path, _changed_ns: int, _bytes: int, _inode: int) -> str:
    """SHA-256 of a file as it was when it was changed last: read once, though hundreds of tests ask."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def snapshot(home: Path) -> dict[str, str]:
    """Every file of a home with its digest."""
    found = ((path, path.stat()) for path in sorted(home.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(home)): digest(path, about.st_mtime_ns, about.st_size, about.st_ino)
        for path, about in found
    }


@pytest.fixture(scope="module")
def place(
    trained: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str, Path]]:
    """A home, a good run in it, and a folder of bad files."""
    folder = tmp_path_factory.mktemp("bad")
    for name, data in {**BAD_PICTURES, **bad_zips()}.items():
        (folder / name).write_bytes(data)
    before = snapshot(trained[0])
    yield *trained, folder
    digest.cache_clear()  # in the end every file is read anew, whatever its time of change says
    assert before.items() <= snapshot(trained[0]).items()


@pytest.fixture(autouse=True)
def nothing_is_lost(place: tuple[Path, str, Path]) -> None:
    before = snapshot(place[0])
    yield
    assert before.items() <= snapshot(place[0]).items()
    assert not list(place[0].rglob("*.tmp*"))


def typed(words: list[str], place: tuple[Path, str, Path]) -> list[str]:
    """A case with the names of this test's home, run and files."""
    home, run_id, folder = place
    for name, value in (("HOME", str(home)), ("FILES", str(folder))):
        words = [word.replace(name, value, 1) if word.startswith(name) else word for word in words]
    words = [run_id if word == "RUN" else word for word in words]
    known = words and words[0] in cli.verbs()
    return [*words, "--home", str(home)] if known and "--home" not in words else words


CASES = cases()


def test_there_are_two_hundred_bad_inputs() -> None:
    assert len({tuple(case) for case in CASES}) + len(BAD_PICTURES) + len(bad_zips()) >= 200


@pytest.mark.parametrize("words", CASES, ids=lambda words: " ".join(words)[:60] or "nothing")
def test_a_bad_command_line_gets_one_sentence(words: list[str], place, capsys: pytest.CaptureFixture) -> None:
    status = cli.main(typed(words, place))
    said = capsys.readouterr()
    assert (status, said.out) == (2, ""), said.err
    assert is_one_sentence(said.err, place[0]), said.err


@pytest.mark.parametrize("name", sorted(bad_zips()))
def test_a_bad_zip_gets_one_sentence(name: str, place, capsys: pytest.CaptureFixture) -> None:
    home, _, folder = place
    assert cli.main(["train", str(folder / name), "--home", str(home)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert is_one_sentence(said.err, home), said.err


@pytest.mark.parametrize("name", ["empty.jpg", "text.jpg", "half.png", "thread.png", "bomb.png"])
def test_a_bad_picture_alone_gets_one_sentence(name: str, place, capsys: pytest.CaptureFixture) -> None:
    home, _, folder = place
    assert cli.main(["train", str(folder / name), "--home", str(home)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert is_one_sentence(said.err, home), said.err


def test_one_good_picture_is_no_set(place, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "only.png").write_bytes(PNG)
    assert cli.main(["train", str(tmp_path), "--home", str(place[0])]) == 2
    assert is_one_sentence(capsys.readouterr().err, place[0])


def test_a_folder_without_pictures_is_no_set(place, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "letter.txt").write_text("Dear Theo")
    assert cli.main(["train", str(tmp_path), "--home", str(place[0])]) == 2
    assert is_one_sentence(capsys.readouterr().err, place[0])


def test_among_bad_files_the_good_ones_are_kept_and_each_bad_one_has_its_sentence(
    place, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for name, data in BAD_PICTURES.items():
        (tmp_path / name).write_bytes(data)
    for i in range(10):
        (tmp_path / f"good-{i}.png").write_bytes(images.encode(picture(i), "png"))
    assert cli.main(["doctor", str(tmp_path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["accepted"] == 10
    assert {Path(refusal["file"]).name for refusal in report["refused"]} == set(BAD_PICTURES)
    assert [r for r in report["refused"] if not is_one_sentence(r["sentence"], tmp_path)] == []


@pytest.mark.parametrize(
    "words", [["sample", "../..", "--out", "x.png"], ["render", HTML], ["train", "FILES/up.zip"], ["nope"]]
)
def test_no_traceback_reaches_the_terminal(words: list[str], place) -> None:
    command = [sys.executable, "-m", "gan_play", *typed(words, place)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert is_one_sentence(done.stderr, place[0]), done.stderr
