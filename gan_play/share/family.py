"""The family tree of what was bred: who came from whom, and how. SQLite in `HOME/family.sqlite3`.

A picture is known by its code without a seal, and written down once for each owner; its parents are those that it
first had, so the tree has no rings. Nothing but `keep` and `forget` writes, each in one transaction: a kill at any
moment leaves the tree as it was before or after. Errors: Refused where the file is locked, read-only or damaged.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks

FILE = "family.sqlite3"
LOCKED_S = 5  # another page may be writing; each write takes milliseconds
TABLE = """
CREATE TABLE IF NOT EXISTS kept (
    owner TEXT NOT NULL, code TEXT NOT NULL, parents TEXT NOT NULL, how TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (owner, code)
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Member:
    """A picture in the tree: its code, those of its parents (none, one or two), and what was done to them."""

    code: str
    parents: tuple[str, ...]
    how: dict[str, object]  # {"do": "seed" | "mutate" | "cross" | "move", ..}: see `ui/breed.py`
    at: float  # seconds since 1970


@contextlib.contextmanager
def opened(home: Path) -> Iterator[sqlite3.Connection]:
    """The tree's file, inside one transaction."""
    try:
        with contextlib.closing(sqlite3.connect(home / FILE, timeout=LOCKED_S)) as connection:
            with connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(TABLE)
                yield connection
    except sqlite3.OperationalError as error:
        reason = "family-locked" if "locked" in str(error) else "family-closed"
        raise Refused(refuse(reason, FILE)) from error
    except sqlite3.DatabaseError as error:
        raise Refused(refuse("family-damaged", FILE)) from error


def plain(code: str) -> str:
    """The code by which a picture is known: without its seal. Refused for a bad one."""
    return artworks.encode(replace(artworks.decode(code), seal=""))


def keep(home: Path, owner: str, code: str, parents: Sequence[str] = (), how: dict | None = None) -> None:
    """Writes a picture into its owner's tree, and before it those of its parents that aren't there yet, as founders.

    One that is there already stays as it is: what was first said of its parents holds.
    """
    now = time.time()
    rows = [(plain(parent), "[]", json.dumps({"do": "seed"}), now) for parent in parents]
    rows.append((plain(code), json.dumps([row[0] for row in rows]), json.dumps(how or {"do": "seed"}), now))
    with opened(home) as connection:
        connection.executemany(
            "INSERT OR IGNORE INTO kept (owner, code, parents, how, at) VALUES (?, ?, ?, ?, ?)",
            [(owner, *row) for row in rows],
        )


def find(home: Path, owner: str, code: str) -> Member | None:
    """One picture of the tree, None where it isn't in it."""
    with opened(home) as connection:
        row = connection.execute(
            "SELECT code, parents, how, at FROM kept WHERE owner = ? AND code = ?", (owner, plain(code))
        ).fetchone()
    return row and _member(row)


def relatives(home: Path, owner: str, code: str, most: int) -> list[Member]:
    """The picture's whole family: all that is joined to it by parents and children, oldest first, the newest `most`."""
    with opened(home) as connection:
        found = connection.execute(
            "SELECT code, parents, how, at FROM kept WHERE owner = ?", (owner,)
        ).fetchall()
    members = {member.code: member for member in map(_member, found)}
    joined: dict[str, set[str]] = {name: set() for name in members}
    for member in members.values():
        for parent in member.parents:
            if parent in members:
                joined[member.code].add(parent)
                joined[parent].add(member.code)
    reached, waiting = set(), [plain(code)]
    while waiting:
        name = waiting.pop()
        if name in members and name not in reached:
            reached.add(name)
            waiting += joined[name]
    return sorted((members[name] for name in reached), key=lambda member: (member.at, member.code))[-most:]


def forget(home: Path, owner: str, code: str) -> bool:
    """Takes a picture that has no children out of the tree. False where it has some, or isn't there."""
    code = plain(code)
    with opened(home) as connection:
        rows = connection.execute("SELECT parents FROM kept WHERE owner = ?", (owner,)).fetchall()
        if any(code in json.loads(parents) for (parents,) in rows):
            return False
        return connection.execute("DELETE FROM kept WHERE owner = ? AND code = ?", (owner, code)).rowcount > 0


def _member(row: tuple[str, str, str, float]) -> Member:
    code, parents, how, at = row
    return Member(code, tuple(json.loads(parents)), json.loads(how), at)
