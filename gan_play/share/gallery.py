"""The gallery: what was kept, with names, notes and likes; and which links were sent. In `HOME/gallery.sqlite3`.

A work's picture lies beside it, as `HOME/gallery/ID.png` with its card, so that it stays when its model is gone; it
is written first, the row last. What is removed stays for a day, so that it can be brought back. `owner` is what is
written down of a browser's key (`owner_of`); None, at home, means everybody. Errors: Refused as in `database.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gan_play import files, limits
from gan_play.pictures import intake
from gan_play.refusals import Refused, printable, refuse
from gan_play.runs import labels as run_labels
from gan_play.runs import store
from gan_play.share import artwork as artworks
from gan_play.share import database

FILE, VERSION = "gallery.sqlite3", 1
REASONS = {
    "locked": "gallery-locked",
    "closed": "gallery-closed",
    "damaged": "gallery-damaged",
    "newer": "gallery-newer",
}
FOLDER = "gallery"
UNDO_S = 24 * 3600  # for which what was removed can be brought back
HOWS = ("kept", "opened")
MOST_NAME_CHARS, MOST_NOTES_CHARS, MOST_QUERY_CHARS = 120, 4_000, 200
COLUMNS = (
    *("id", "owner", "recipe", "code", "operation", "model", "model_name", "labels", "title", "size_px"),
    *("sha256", "how", "at", "name", "notes", "words"),
)
TABLES = (
    # labels: each between line ends; words: what is searched and sorted by, without capitals
    "CREATE TABLE IF NOT EXISTS works (id TEXT PRIMARY KEY, owner TEXT NOT NULL, recipe TEXT NOT NULL, "
    "code TEXT NOT NULL, operation TEXT NOT NULL, model TEXT NOT NULL, model_name TEXT NOT NULL, "
    "labels TEXT NOT NULL, title TEXT NOT NULL, size_px INTEGER NOT NULL, sha256 TEXT NOT NULL, how TEXT NOT NULL, "
    "at REAL NOT NULL, name TEXT NOT NULL, notes TEXT NOT NULL, words TEXT NOT NULL, removed REAL)",
    "CREATE INDEX IF NOT EXISTS works_at ON works (at)",
    "CREATE INDEX IF NOT EXISTS works_recipe ON works (recipe)",
    # liked: 1, or 0 where another picture of the same page was liked
    "CREATE TABLE IF NOT EXISTS likes (owner TEXT NOT NULL, recipe TEXT NOT NULL, model TEXT NOT NULL, "
    "liked INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (owner, recipe)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS likes_recipe ON likes (recipe)",
    "CREATE TABLE IF NOT EXISTS sent (owner TEXT NOT NULL, code TEXT NOT NULL, title TEXT NOT NULL, at REAL NOT NULL, "
    "withdrawn REAL, PRIMARY KEY (owner, code)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS sent_code ON sent (code)",
)
ORDERS = {
    "newest": "at DESC, id",
    "oldest": "at, id",
    "liked": "liked DESC, at DESC, id",
    "name": "words, id",
}

LAST_REMOVED = (
    "removed = (SELECT MAX(removed) FROM works WHERE (? IS NULL OR owner = ?) AND removed >= ?) "
    "AND (? IS NULL OR owner = ?)"
)

_moved: set[Path] = set()  # homes whose works of before have moved over, or needn't


@dataclass(frozen=True)
class Work:
    """A kept work. `labels` are names; `liked` is whether its owner likes it; `at` is in seconds since 1970."""

    id: str
    owner: str
    recipe: str  # its code without a seal
    code: str  # sealed where it can be
    operation: str
    model: str  # 16 digits of its digest
    model_name: str
    labels: tuple[str, ...]
    title: str  # what it is, in words
    size_px: int
    sha256: str
    how: str  # "kept", or "opened" from a link
    at: float
    name: str = ""
    notes: str = ""
    liked: bool = False


@dataclass(frozen=True)
class Query:
    """What is looked for: words anywhere in name, title and notes; a model's name; a label; and in which order."""

    text: str = ""
    model: str = ""
    label: str = ""
    order: str = "newest"

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise Refused(refuse("gallery-order", str(self.order), names=", ".join(ORDERS)))
        for name in ("text", "model", "label"):
            object.__setattr__(self, name, str(getattr(self, name) or "")[:MOST_QUERY_CHARS])


def owner_of(key: str) -> str:
    """What is written down of a browser's key: never the key itself."""
    return hashlib.sha256(key.encode()).hexdigest()


def plain(code: str) -> str:
    """The code by which a work is known: without its seal. Refused for a bad one."""
    return artworks.encode(replace(artworks.decode(code), seal=""))


def picture_path(home: Path, work_id: str) -> Path:
    """Where the picture of a work lies."""
    return home / FOLDER / f"{work_id}.png"


@contextlib.contextmanager
def opened(home: Path) -> Iterator[sqlite3.Connection]:
    """The gallery's file, to write in, with the works of before."""
    with database.opened(home / FILE, REASONS, TABLES, VERSION) as file:
        if home not in _moved:
            _move(home, file)
        yield file
    _forget_moved(home)


@contextlib.contextmanager
def reading(home: Path) -> Iterator[sqlite3.Connection | None]:
    """The gallery's file, to read; None where there is none."""
    if home not in _moved:
        if any((home / FOLDER).glob("*.json")):
            with opened(home):
                pass
        _moved.add(home)
    with database.reading(home / FILE, REASONS, VERSION) as file:
        yield file


# Works of before: ID.json beside ID.png


def _move(home: Path, file: sqlite3.Connection) -> None:
    """Takes the works over that lie in JSON files. Damaged ones are left where they are."""
    names = {}
    for path in (home / FOLDER).glob("*.json"):
        about = files.read_json(path)
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError, Refused):
            work = _work_of(home, path.stem, about, names)
            _insert(file, work, "OR IGNORE")


def _forget_moved(home: Path) -> None:
    """Removes JSON files whose works are safely in the database; a kill before only makes this happen later."""
    if home in _moved:
        return
    with database.reading(home / FILE, REASONS, VERSION) as file:
        here = {row[0] for row in file.execute("SELECT id FROM works")}
    for path in (home / FOLDER).glob("*.json"):
        if path.stem in here:
            with contextlib.suppress(OSError):  # a closed folder: then they are passed over the next time
                path.unlink(missing_ok=True)
    _moved.add(home)


def _work_of(home: Path, work_id: str, about: dict, names: dict[str, tuple[str, list[str]]]) -> Work:
    """The work of a JSON file. KeyError, TypeError, ValueError, AttributeError or Refused for a damaged one."""
    artwork = artworks.decode(about["code"])
    if about["how"] not in HOWS or not isinstance(about["title"], str):
        raise ValueError
    if artwork.model not in names:
        found = store.find_model(home, artwork.model)
        run = store.read_run(store.find_run(home, found[1])) if found else None
        names[artwork.model] = (str((run or {}).get("name", "")), run_labels.names(run) if run else [])
    name, known = names[artwork.model]
    labels = [known[number] for number in artwork.label_numbers if number < len(known)]
    return Work(
        work_id,
        str(about.get("owner", "")),
        plain(about["code"]),
        about["code"],
        artwork.operation,
        artwork.model,
        name or artwork.model,
        tuple(dict.fromkeys(labels)),
        about["title"],
        int(about.get("size_px", 64)),
        str(about.get("sha256", "")),
        about["how"],
        float(about["time"]),
    )


# Keeping


def keep(home: Path, work: Work, png: bytes, most: int = limits.MOST_WORKS) -> Work:
    """Writes a work and its picture; one that is there already stays as it is, but that what was opened is now kept,
    and what was removed comes back. Of what was removed the oldest makes room for it.

    Refused where `most` works hang in the gallery, or the disk is too full.
    """
    with reading(home) as file:
        known = file and _one(file, work.owner, "recipe = ?", work.recipe)
        removed = known and _count(file, "id = ? AND removed", known.id)
        full = file and _count(file, "removed IS NULL") >= most
    if known and not removed and (work.how == "opened" or known.how == "kept"):
        return known
    if full and (known is None or removed):
        raise Refused(refuse("gallery-full", most=f"{most:,}"))
    if known is None:
        if files.free_bytes(home) < limits.FREE_BYTES_KEPT:
            raise Refused(refuse("disk-full", megabytes=limits.FREE_BYTES_KEPT // limits.MB))
        (home / FOLDER).mkdir(exist_ok=True)
        files.write_atomically(picture_path(home, work.id), png)
    else:
        work = replace(work, id=known.id)
    with opened(home) as file:
        _insert(file, work, "OR IGNORE")
        file.execute(
            "UPDATE works SET removed = NULL, how = CASE how WHEN 'kept' THEN how ELSE ? END WHERE id = ?",
            (work.how, work.id),
        )
        gone = _purge(file, most)
    _unlink(home, gone)
    return work


def _count(file: sqlite3.Connection, where: str, *values: object) -> int:
    return file.execute(f"SELECT COUNT(*) FROM works WHERE {where}", values).fetchone()[0]


def id_of(owner: str, recipe: str) -> str:
    """The id of a work: nobody guesses it who doesn't know its owner."""
    return hashlib.sha256(f"{owner} {recipe}".encode()).hexdigest()[:24]


def _words(name: str, title: str, notes: str) -> str:
    return f"{name or title}\n{title}\n{notes}".casefold()


def _insert(file: sqlite3.Connection, work: Work, how: str) -> None:
    labels = "\n" + "".join(f"{printable(label, 200)}\n" for label in work.labels)
    values = vars(work) | {"labels": labels, "words": _words(work.name, work.title, work.notes)}
    marks = ", ".join("?" * len(COLUMNS))
    file.execute(
        f"INSERT {how} INTO works ({', '.join(COLUMNS)}) VALUES ({marks})", [values[name] for name in COLUMNS]
    )


def describe(home: Path, owner: str | None, work_id: str, name: str, notes: str) -> None:
    """Gives a work its name and notes. What is too long is cut."""
    name = " ".join(str(name).split())[:MOST_NAME_CHARS]
    notes = str(notes).replace("\r\n", "\n").strip()[:MOST_NOTES_CHARS]
    with opened(home) as file:
        work = _one(file, owner, "id = ?", work_id)
        if work is None:
            raise Refused(refuse("gallery-gone"))
        file.execute(
            "UPDATE works SET name = ?, notes = ?, words = ? WHERE id = ?",
            (name, notes, _words(name, work.title, notes), work_id),
        )


def remove(home: Path, owner: str | None, ids: Sequence[str]) -> int:
    """Takes works down; they can be brought back for a day. How many there were."""
    now = time.time()
    with opened(home) as file:
        return sum(
            file.execute(
                "UPDATE works SET removed = ? WHERE id = ? AND removed IS NULL AND (? IS NULL OR owner = ?)",
                (now, str(work_id), owner, owner),
            ).rowcount
            for work_id in ids
        )


def bring_back(home: Path, owner: str | None) -> int:
    """Undoes the last removal, which may have been of many works. How many came back."""
    with opened(home) as file:
        return file.execute(f"UPDATE works SET removed = NULL WHERE {LAST_REMOVED}", _since(owner)).rowcount


def removed(home: Path, owner: str | None) -> int:
    """How many works `bring_back` would bring back."""
    with reading(home) as file:
        return _count(file, LAST_REMOVED, *_since(owner)) if file else 0


def _since(owner: str | None) -> tuple[object, ...]:
    """What `LAST_REMOVED` asks for."""
    return (owner, owner, time.time() - UNDO_S, owner, owner)


def _purge(file: sqlite3.Connection, most: int) -> list[str]:
    """Forgets what was removed long ago, and of what else was removed the oldest where there are more than `most`
    works in all; the ids."""
    before = time.time() - UNDO_S
    spare = max(0, _count(file, "removed IS NULL OR removed >= ?", before) - most)
    where = (
        "removed < ? OR id IN (SELECT id FROM works WHERE removed >= ? ORDER BY removed, id LIMIT ?)",
        (before, before, spare),
    )
    gone = [row[0] for row in file.execute(f"SELECT id FROM works WHERE {where[0]}", where[1])]
    file.execute(f"DELETE FROM works WHERE {where[0]}", where[1])
    return gone


def _unlink(home: Path, ids: Iterable[str]) -> None:
    for work_id in ids:
        for suffix in ("json", "png"):
            with contextlib.suppress(OSError):
                (home / FOLDER / f"{work_id}.{suffix}").unlink(missing_ok=True)


# Looking


def find(
    home: Path, owner: str | None, query: Query = Query(), first: int = 0, most: int = 60
) -> tuple[list[Work], int]:
    """The works that a query finds, from the `first` on, `most` of them; and how many there are in all."""
    where, values = ["removed IS NULL", "(? IS NULL OR owner = ?)"], [owner, owner]
    for word in query.text.casefold().split():
        where.append("instr(words, ?)")
        values.append(word)
    if query.model:
        where.append("model_name = ?")
        values.append(query.model)
    if query.label:
        where.append("instr(labels, ?)")
        values.append(f"\n{printable(query.label, 200)}\n")
    with reading(home) as file:
        if file is None:
            return [], 0
        (count,) = file.execute(f"SELECT COUNT(*) FROM works WHERE {' AND '.join(where)}", values).fetchone()
        found = _select(file, where, ORDERS[query.order], owner, values, most, first)
    return found, count


def by_ids(home: Path, owner: str | None, ids: Sequence[str]) -> list[Work]:
    """The works of these ids that are there and the owner's, in their order."""
    with reading(home) as file:
        if file is None:
            return []
        found = [_one(file, owner, "id = ?", str(one)) for one in ids]
        return [work for work in found if work is not None]


def by_code(home: Path, owner: str | None, code: str) -> Work | None:
    """The work of a code, sealed or not."""
    with reading(home) as file:
        return file and _one(file, owner, "recipe = ?", plain(code))


def choices(home: Path, owner: str | None) -> tuple[list[str], list[str]]:
    """The models' names and the labels that there are works of, in their order."""
    with reading(home) as file:
        if file is None:
            return [], []
        where = "FROM works WHERE removed IS NULL AND (? IS NULL OR owner = ?)"
        models = {row[0] for row in file.execute(f"SELECT DISTINCT model_name {where}", (owner, owner))}
        lines = [row[0] for row in file.execute(f"SELECT DISTINCT labels {where}", (owner, owner))]
    labels = {label for line in lines for label in line.split("\n") if label}
    return sorted(models, key=str.casefold), sorted(labels, key=str.casefold)


def stamp(home: Path) -> str:
    """Changes whenever a work comes, goes or is described."""
    said = []
    for name in (FILE, f"{FILE}-wal"):
        with contextlib.suppress(OSError):
            about = (home / name).stat()
            said.append(f"{about.st_mtime_ns} {about.st_size}")
    return ", ".join(said)


def _select(
    file: sqlite3.Connection,
    where: Sequence[str],
    order: str,
    owner: str | None,
    values: Sequence[object],
    most: int,
    first: int,
) -> list[Work]:
    same = "likes.recipe = works.recipe AND liked AND (? IS NULL OR likes.owner = ?)"
    liked = f"EXISTS (SELECT 1 FROM likes WHERE {same})"
    names = [name for name in COLUMNS if name != "words"]
    rows = file.execute(
        f"SELECT {', '.join(names)}, {liked} AS liked FROM works WHERE {' AND '.join(where)} "
        f"ORDER BY {order} LIMIT ? OFFSET ?",
        [owner, owner, *values, most, max(0, first)],
    ).fetchall()
    return [_work([*names, "liked"], row) for row in rows]


def _one(file: sqlite3.Connection, owner: str | None, where: str, *values: object) -> Work | None:
    """The owner's work, or anybody's where `owner` is None."""
    found = _select(file, ["(? IS NULL OR owner = ?)", where], "at", owner, (owner, owner, *values), 1, 0)
    return found[0] if found else None


def _work(names: Sequence[str], row: Sequence[object]) -> Work:
    """A row of the file. Refused where it says what only damage can have made of it."""
    said = dict(zip(names, row))
    said["labels"] = tuple(label for label in str(said["labels"]).split("\n") if label)
    said |= {"liked": bool(said["liked"]), "at": float(said["at"]), "size_px": int(said["size_px"])}
    if not re.fullmatch(r"[0-9a-f]{24}", str(said["id"])) or said["how"] not in HOWS:
        raise ValueError
    artworks.find_code(said["code"])
    return Work(**said)


# Taking along


def pack(home: Path, works: Sequence[Work], path: Path) -> None:
    """Writes the pictures of works as a ZIP, with `works.csv`: their codes, names and notes, for a spreadsheet."""
    columns = ("file", "name", "title", "notes", "liked", "model", "labels", "code", "sha256")
    lines, entries = [columns], []
    for place, work in enumerate(works, 1):
        slug = re.sub(r"[^a-z0-9]+", "-", (work.name or work.title).casefold()).strip("-")[:40]
        name = f"{place:04d}-{slug}".rstrip("-") + ".png"
        said = (work.name, work.title, work.notes, "yes" if work.liked else "", work.model_name)
        lines.append((name, *said, ", ".join(work.labels), work.code, work.sha256))
        entries.append((name, picture_path(home, work.id)))
    text = "".join(",".join(_cell(cell) for cell in line) + "\r\n" for line in lines)
    intake.write_zip(
        path, [("works.csv", ("\ufeff" + text).encode()), *entries]
    )  # the mark tells Excel: UTF-8


def _cell(text: str) -> str:
    """A cell of a CSV that no spreadsheet takes for a formula."""
    text = f"'{text}" if text[:1] in "=+-@\t" and text else text
    return '"' + text.replace('"', '""') + '"'


# Likes


def like(home: Path, owner: str, code: str, passed: Sequence[str] = (), most: int | None = None) -> None:
    """Writes down that a picture is liked; `passed` are codes of those that were seen beside it.

    Refused where the disk is too full, or as many are remembered of this owner as can be, or `most` of all.
    """
    recipe = plain(code)
    beside = [other for other in dict.fromkeys(map(plain, passed)) if other != recipe]
    now = time.time()
    if files.free_bytes(home) < limits.FREE_BYTES_KEPT:
        raise Refused(refuse("disk-full", megabytes=limits.FREE_BYTES_KEPT // limits.MB))
    with opened(home) as file:
        (count,) = file.execute("SELECT COUNT(*) FROM likes WHERE owner = ?", (owner,)).fetchone()
        if count + len(beside) >= limits.MOST_LIKES:
            raise Refused(refuse("likes-full", most=f"{limits.MOST_LIKES:,}"))
        (count,) = file.execute("SELECT COUNT(*) FROM likes").fetchone()
        if most is not None and count + len(beside) >= most:
            raise Refused(refuse("likes-full-public", most=f"{most:,}"))
        file.execute(
            "INSERT INTO likes VALUES (?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET liked = 1, at = excluded.at",
            (owner, recipe, artworks.decode(recipe).model, now),
        )
        file.executemany(
            "INSERT OR IGNORE INTO likes VALUES (?, ?, ?, 0, ?)",
            [(owner, other, artworks.decode(other).model, now) for other in beside],
        )


def unlike(home: Path, owner: str, code: str) -> None:
    """Forgets that a picture is liked. Nothing is learnt of it: it isn't one that was passed over."""
    with opened(home) as file:
        file.execute("DELETE FROM likes WHERE owner = ? AND recipe = ? AND liked", (owner, plain(code)))


def is_liked(home: Path, owner: str | None, code: str) -> bool:
    """Whether a picture is liked."""
    with reading(home) as file:
        if file is None:
            return False
        asked = "SELECT 1 FROM likes WHERE recipe = ? AND liked AND (? IS NULL OR owner = ?)"
        return file.execute(asked, (plain(code), owner, owner)).fetchone() is not None


def likes(home: Path, owner: str | None, model: str | None = None) -> tuple[list[str], list[str]]:
    """The codes of liked and of passed-over pictures, of one model (16 digits) or of all, the newest first."""
    with reading(home) as file:
        if file is None:
            return [], []
        rows = file.execute(
            "SELECT recipe, MAX(liked) FROM likes WHERE (? IS NULL OR owner = ?) AND (? IS NULL OR model = ?) "
            "GROUP BY recipe ORDER BY MAX(at) DESC, recipe",
            (owner, owner, model, model),
        ).fetchall()
    return [code for code, liked in rows if liked], [code for code, liked in rows if not liked]


# Links that were sent


@dataclass(frozen=True)
class Sent:
    """A link that was made here: its code, what it shows, when, and whether it is withdrawn."""

    code: str
    title: str
    at: float
    withdrawn: bool


def send(home: Path, owner: str, code: str, title: str = "") -> None:
    """Writes down that a link was made; one that its owner has withdrawn is alive again.

    Refused where others made it, and all of them have withdrawn it.
    """
    artworks.decode(code)
    with opened(home) as file:
        made, withdrawn, mine = file.execute(
            "SELECT COUNT(*), COUNT(withdrawn), COUNT(CASE owner WHEN ? THEN 1 END) FROM sent WHERE code = ?",
            (owner, code),
        ).fetchone()
        if made and made == withdrawn and not mine:
            raise Refused(refuse("withdrawn"))
        (count,) = file.execute("SELECT COUNT(*) FROM sent").fetchone()
        if count >= limits.MOST_SENT:  # the oldest that is alive is forgotten: it can't be withdrawn any more
            file.execute("DELETE FROM sent WHERE (owner, code) IN (SELECT owner, code FROM sent "
                         "WHERE withdrawn IS NULL ORDER BY at LIMIT 1)")  # fmt: skip
        file.execute(
            "INSERT INTO sent VALUES (?, ?, ?, ?, NULL) ON CONFLICT DO UPDATE SET withdrawn = NULL, at = excluded.at",
            (owner, code, title, time.time()),
        )


def withdraw(home: Path, owner: str | None, text: str) -> str:
    """Withdraws a link that its owner made here; returns its code. Refused where they made none."""
    code = artworks.find_code(text)
    with opened(home) as file:
        found = file.execute(
            "UPDATE sent SET withdrawn = ? WHERE code = ? AND (? IS NULL OR owner = ?)",
            (time.time(), code, owner, owner),
        ).rowcount
        if not found:
            raise Refused(refuse("not-sent", code))
    return code


def sent(home: Path, owner: str | None, most: int = 100) -> list[Sent]:
    """The links that were made here, the newest first."""
    with reading(home) as file:
        if file is None:
            return []
        rows = file.execute(
            "SELECT code, title, at, withdrawn FROM sent WHERE ? IS NULL OR owner = ? ORDER BY at DESC LIMIT ?",
            (owner, owner, most),
        ).fetchall()
    return [Sent(code, title, at, withdrawn is not None) for code, title, at, withdrawn in rows]


def check_alive(home: Path, text: str) -> None:
    """Refused where everybody who made this link here has withdrawn it. A file that can't be read withdraws nothing:
    a link needs no database."""
    code = artworks.find_code(text)
    try:
        with reading(home) as file:
            asked = "SELECT COUNT(*), COUNT(withdrawn) FROM sent WHERE code = ?"
            made, withdrawn = file.execute(asked, (code,)).fetchone() if file else (0, 0)
    except Refused:
        return
    if made and made == withdrawn:
        raise Refused(refuse("withdrawn"))


def as_data(work: Work) -> dict[str, object]:
    """A work for programs."""
    names = ("id", "code", "name", "title", "notes", "liked", "model", "model_name", "operation", "size_px")
    return {name: getattr(work, name) for name in names} | {
        "labels": list(work.labels),
        "sha256": work.sha256,
        "how": work.how,
        "time": int(work.at),
    }
