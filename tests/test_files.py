"""The ground: whole files or none, through power cuts, full disks and kills; ids; digests."""

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_play import files, limits
from gan_play.refusals import Refused

OLD, NEW = b'{"v": "old"}' * 50, b'{"v": "new"}' * 80


class Disk:
    """Stands in for the five primitives and collects what a power cut could leave of `path` after each of them.

    A file's content since its last sync may be on the disk, be missing, half there, or zeros; an entry of the
    folder since its last sync may be there or not, in any order with the contents.
    """

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, forgetful: str = "") -> None:
        self.path, self.left = path, []
        self.synced = {}  # inode -> content at its last sync
        self.entries = self._now()
        for inode, content in self.entries.values():
            self.synced[inode] = content
        for name in ("_create", "_write", "_sync", "_replace", "_sync_folder"):
            monkeypatch.setattr(files, name, self._wrap(name, getattr(files, name), name == forgetful))

    def _now(self) -> dict:
        return {p.name: (p.stat().st_ino, p.read_bytes()) for p in self.path.parent.iterdir()}

    def _wrap(self, name: str, primitive, forgets: bool):
        def wrapped(*arguments):
            self._cut()
            result = None if forgets else primitive(*arguments)
            if name == "_sync" and not forgets:
                inode = os.fstat(arguments[0]).st_ino
                self.synced |= {i: content for i, content in self._now().values() if i == inode}
            if name == "_sync_folder" and not forgets:
                self.entries = self._now()
            self._cut()
            return result

        return wrapped

    def _cut(self) -> None:
        for entries in (self.entries, self._now()):
            if self.path.name not in entries:
                self.left.append(None)
                continue
            inode, content = entries[self.path.name]
            content = dict(self._now().values()).get(inode, content)
            if self.synced.get(inode) == content:
                self.left.append(content)
            else:
                half = content[: len(content) // 2]
                self.left += [content, b"", half, bytes(len(content)), self.synced.get(inode, b"")]


def by_write_atomically(path: Path) -> None:
    files.write_atomically(path, NEW)


def by_atomic_path(path: Path) -> None:
    with files.atomic_path(path) as unfinished:
        unfinished.write_bytes(NEW)


WRITERS = [by_write_atomically, by_atomic_path]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("before", [OLD, None])
def test_a_power_cut_at_any_point_leaves_the_old_file_or_the_new_one(tmp_path, monkeypatch, write, before):
    path = tmp_path / "run.json"
    if before is not None:
        path.write_bytes(before)
    disk = Disk(path, monkeypatch)
    write(path)
    assert len(disk.left) >= 12
    assert set(disk.left) == {before, NEW}
    assert disk.left[-2:] == [NEW, NEW], "what was returned from must be on the disk"


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("forgotten", ["_sync", "_sync_folder"])
def test_the_power_cut_test_notices_a_sync_that_was_forgotten(tmp_path, monkeypatch, write, forgotten):
    path = tmp_path / "run.json"
    path.write_bytes(OLD)
    disk = Disk(path, monkeypatch, forgetful=forgotten)
    write(path)
    assert set(disk.left) != {OLD, NEW} or disk.left[-2] == OLD


@pytest.mark.parametrize(
    "write, primitive",
    [(by_write_atomically, name) for name in ("_create", "_write", "_sync", "_replace")]
    + [(by_atomic_path, name) for name in ("_sync", "_replace")],
)
def test_a_full_disk_at_any_point_keeps_the_old_file_and_leaves_nothing(
    tmp_path, monkeypatch, write, primitive
):
    path = tmp_path / "run.json"
    path.write_bytes(OLD)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, primitive, full)
    with pytest.raises(OSError, match="No space"):
        write(path)
    assert path.read_bytes() == OLD
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_writer_that_fails_half_way_leaves_the_old_film(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(OLD)
    with pytest.raises(ZeroDivisionError), files.atomic_path(path) as unfinished:
        assert unfinished.suffix == ".mp4" and unfinished.parent == tmp_path
        unfinished.write_bytes(NEW)
        raise ZeroDivisionError
    assert path.read_bytes() == OLD and len(list(tmp_path.iterdir())) == 1


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(tmp_path):
    ours = [files.temporary(tmp_path / "run.json"), tmp_path / ".film.mp4.77-0.tmp.mp4"]
    others = [tmp_path / "run.json", tmp_path / ".hidden", tmp_path / "notes.tmp", tmp_path / ".a.tmp"]
    for path in ours + others:
        path.write_bytes(b"x")
    assert files.remove_leftovers(tmp_path) == 2
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_json_comes_back_and_what_is_no_json_is_none(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"name": "Größe", "n": [1, 2.5, None]})
    assert files.read_json(path) == {"name": "Größe", "n": [1, 2.5, None]}
    for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000, path.read_bytes()[:-5]):
        path.write_bytes(content)
        assert files.read_json(path) is None
    assert files.read_json(tmp_path / "missing.json") is None
    assert files.read_json(tmp_path) is None
    with pytest.raises(ValueError):
        files.write_json(path, float("nan"))


def test_a_json_file_larger_than_the_limit_is_not_read(tmp_path, monkeypatch):
    files.write_json(tmp_path / "a.json", "x" * 100)
    monkeypatch.setattr(limits, "MOST_JSON_BYTES", 50)
    assert files.read_json(tmp_path / "a.json") is None


def test_a_torn_line_costs_only_itself(tmp_path):
    path = tmp_path / "stats.jsonl"
    for step in range(3):
        files.append_line(path, json.dumps({"step": step}))
    with path.open("ab") as file:
        file.write(b'{"step": 3, "lo')  # the writer was killed here
    assert [line["step"] for line in files.read_lines_json(path)] == [0, 1, 2]
    files.append_line(path, '{"step": 4}')
    files.append_line(path, "[5]")
    files.append_line(path, '{"step":\n6}')
    assert [line["step"] for line in files.read_lines_json(path)] == [0, 1, 2, 4, 6]
    assert files.read_lines_json(tmp_path / "missing") == []


def test_digests_of_bytes_and_files_are_the_same(tmp_path):
    data = bytes(range(256)) * 9000
    (tmp_path / "data").write_bytes(data)
    assert files.sha256(data) == files.sha256(tmp_path / "data") == hashlib.sha256(data).hexdigest()


def test_home_is_the_argument_then_the_environment_then_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_PLAY_HOME", str(tmp_path / "by-environment"))
    assert files.home(str(tmp_path / "by" / "argument")) == tmp_path / "by" / "argument"
    assert files.home(None) == tmp_path / "by-environment"
    assert (tmp_path / "by-environment").is_dir()
    monkeypatch.delenv("GAN_PLAY_HOME")
    assert files.home() == files.SHIPPED.resolve()


def test_a_home_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for bad in (str(tmp_path / "file" / "below"), "a\0b", str(tmp_path / ("x" * 300))):
        with pytest.raises(Refused) as refused:
            files.home(bad)
        assert refused.value.refusal.reason == "home"


@given(st.text(max_size=80))
def test_any_name_makes_an_id_that_is_safe(name):
    run_id = files.new_id(name)
    assert files.is_id(run_id) and run_id != files.new_id(name)
    assert Path("home", run_id).parts == ("home", run_id)


def test_ids_of_real_names_can_be_read():
    assert files.new_id("Van Gögh!").startswith("van-gogh-")
    assert files.new_id("草間").startswith("run-")


@given(st.text(max_size=50))
def test_what_passes_as_an_id_never_leaves_its_folder(text):
    if files.is_id(text):
        home = Path("/home/of/runs")
        assert (home / text).resolve().parent == home


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ab",
        "..",
        "a/b",
        "a\\b",
        "/etc",
        "A-run",
        "run\n",
        "run id",
        "sets",
        "gallery",
        "films",
        "con",
        "-ab",
    ]
    + ["a" * 42, "<b>run</b>", "run\0", None, 7, "ｒｕｎ", "run.json"],
)
def test_what_is_no_id_is_told(text):
    assert not files.is_id(text)


def test_free_bytes_can_be_asked_before_the_folder_is_there(tmp_path):
    assert files.free_bytes(tmp_path / "not" / "yet") > 0
