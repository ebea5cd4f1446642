"""The family tree of what was bred: who came from whom, and how. SQLite in `HOME/family.sqlite3`.

A picture is known by its code without a seal, and written down once for each owner; its parents are those that it
first had, so the tree has no rings. Nothing but `keep` writes, in one transaction: a kill at any moment leaves the tree
as it was before or after. Errors: Refused where the file is locked, closed to writing or damaged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gan_play import limits
from gan_play.refusals import Refused, refuse
from gan_play.share import artwork as artworks
from gan_play.share import database

FILE = "family.sqlite3"
REASONS = {
    "locked": "family-locked",
    "closed": "family-closed",
    "damaged": "family-damaged",
    "newer": "family-damaged",
}
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
    how: dict[
        str, object
    ]  # {"do": "seed", "mutate", "cross", "truncation" or "model", ..}: see `ui/breed.py`
    at: float  # seconds since 1970


def rows(home: Path, where: str, *values: str) -> list[tuple]:
    """What the tree's file says; nothing where there is none yet. Nothing is written."""
    with database.reading(home / FILE, REASONS) as file:
        if file is None:
            return []
        return file.execute(f"SELECT code, parents, how, at FROM kept WHERE {where}", values).fetchall()


def plain(code: str) -> str:
    """The code by which a picture is known: without its seal. Refused for a bad one."""
    return artworks.encode(replace(artworks.decode(code), seal=""))


def keep(home: Path, owner: str, code: str, parents: Sequence[str] = (), how: dict | None = None) -> None:
    """Writes a picture into its owner's tree, and before it those of its parents that aren't there yet, as founders.

    One that is there already stays as it is: what was first said of its parents holds.
    """
    now = time.time()
    entries = [(plain(parent), "[]", json.dumps({"do": "seed"}), now) for parent in parents]
    names = json.dumps([entry[0] for entry in entries])
    entries.append((plain(code), names, json.dumps(how or {"do": "seed"}), now))
    with database.opened(home / FILE, REASONS, [TABLE]) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM kept WHERE owner = ?", (owner,)).fetchone()
        if count >= limits.MOST_FAMILY:
            raise Refused(refuse("family-full", most=limits.MOST_FAMILY))
        connection.executemany(
            "INSERT OR IGNORE INTO kept (owner, code, parents, how, at) VALUES (?, ?, ?, ?, ?)",
            [(owner, *entry) for entry in entries],
        )


def find(home: Path, owner: str, code: str) -> Member | None:
    """One picture of the tree, None where it isn't in it."""
    found = rows(home, "owner = ? AND code = ?", owner, plain(code))
    return _member(found[0]) if found else None


def among(home: Path, owner: str, codes: Sequence[str]) -> set[str]:
    """Those of the codes, without seals, that are in the tree."""
    marks = ", ".join("?" * len(codes))
    return {row[0] for row in rows(home, f"owner = ? AND code IN ({marks})", owner, *codes)}


def relatives(home: Path, owner: str, code: str, most: int) -> list[Member]:
    """The picture's whole family: all that is joined to it by parents and children, oldest first, the newest `most`."""
    members = {member.code: member for member in map(_member, rows(home, "owner = ?", owner))}
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


def _member(row: tuple[str, str, str, float]) -> Member:
    """A row of the file. Refused where it says what only damage can have made of it."""
    with database.refusing(Path(FILE), REASONS):
        code, parents, how, at = row
        parents, how = json.loads(parents), json.loads(how)
        if not isinstance(parents, list) or not isinstance(how, dict):
            raise ValueError
        return Member(code, tuple(map(str, parents)), how, float(at))
