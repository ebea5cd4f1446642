"""SQLite files in a home: every write one transaction, so a kill at any moment leaves the file as before or after.

Errors: Refused where a file is locked, closed to writing, damaged, another program's or a newer version's; each
file says which of `refusals.py` these are.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from gan_play.refusals import Refused, refuse

Reasons = dict[str, str]
"""What to refuse with where a file is "locked", "closed", "damaged" or "newer": names in `refusals.py`."""

LOCKED_S = 5  # another page may be writing; each write takes milliseconds


@contextlib.contextmanager
def opened(
    path: Path, reasons: Reasons, tables: Sequence[str], version: int = 0
) -> Iterator[sqlite3.Connection]:
    """The file, made if missing, inside one transaction that is written at the end.

    `version` is that of its tables, kept in the file; a file of a later version is refused.
    """
    with refusing(path, reasons), contextlib.closing(sqlite3.connect(path, timeout=LOCKED_S)) as connection:
        connection.isolation_level = None  # transactions are ours: see below
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")  # nobody else writes now; without COMMIT nothing was written
        _check_version(connection, path, reasons, version)
        for table in tables:
            connection.execute(table)
        connection.execute(f"PRAGMA user_version = {version}")
        yield connection
        connection.execute("COMMIT")


@contextlib.contextmanager
def reading(path: Path, reasons: Reasons, version: int = 0) -> Iterator[sqlite3.Connection | None]:
    """The file, of which nothing is written; None where there is none yet, or nothing in it."""
    if not path.exists():
        yield None
        return
    with refusing(path, reasons), contextlib.closing(sqlite3.connect(path, timeout=LOCKED_S)) as connection:
        connection.isolation_level = None
        connection.execute("BEGIN")  # all that is asked sees the same moment
        _check_version(connection, path, reasons, version)
        made = connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # else a kill came first
        yield connection if made else None


def _check_version(connection: sqlite3.Connection, path: Path, reasons: Reasons, version: int) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > version:
        raise Refused(refuse(reasons["newer"], path.name))


@contextlib.contextmanager
def refusing(path: Path, reasons: Reasons) -> Iterator[None]:
    """Turns the errors of a file into sentences."""
    try:
        yield
    except sqlite3.OperationalError as error:
        said = str(error)
        damaged = "no such" in said or "no column" in said  # another program's file, or half a one
        reason = "locked" if "locked" in said else "damaged" if damaged else "closed"
        raise Refused(refuse(reasons[reason], path.name)) from error
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        raise Refused(refuse(reasons["damaged"], path.name)) from error
