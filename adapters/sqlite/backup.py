"""
A backup of a database file: one moment of it, checked, while others write on.
"""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from outdial.adapters.sqlite.connection import check_file, open_reader
from outdial.adapters.sqlite.places import LEAVE
from outdial.adapters.sqlite.schema import check_schema
from outdial.adapters.sqlite.statements import errors_translated
from outdial.adapters.sqlite.storage import BUSY_TIMEOUT_S
from outdial.adapters.sqlite.witness import sync_folder
from outdial.ports.archive import TABLES
from outdial.ports.errors import StorageError

PAGES_AT_ONCE: Final = 1024
"""4 MiB: SIGINT is heard between two portions."""


def back_up(source: Path, target: Path, *, replaces: bool) -> Mapping[str, int]:
    """
    Write a backup that knows it is one: nobody dials from it what was asked for before it was taken.

    The target appears when the backup is whole, checked and on the disk, readable by its owner alone.

    Args:
        replaces: Whether a file that is there may be replaced.

    Returns:
        How many rows each table has.

    Raises:
        StorageError: There is no backup; whatever was at the target is still there.
    """
    check_file(source)
    if not replaces and target.exists():
        raise StorageError(f"{target} is there already: --force replaces it. Nothing was written.")
    if target.exists() and target.samefile(source):
        raise StorageError("That is the database itself. Nothing was written.")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.absolute().parent) as folder:
            draft = Path(folder) / "draft"
            rows = _written(source, draft)
            _publish(draft, target, replaces=replaces)
    except OSError as error:
        raise StorageError(f"{target} can't be written: {error.strerror}. There is no backup.") from error
    return rows


def _written(source: Path, draft: Path) -> Mapping[str, int]:
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with errors_translated(), contextlib.closing(open_reader(source, busy_timeout_s=BUSY_TIMEOUT_S)) as reading:
        check_schema(reading, source)
        # In a transaction of its own the source stays as it is at this moment: the backup never has to begin again.
        reading.execute("begin")
        rows = _counts(reading)
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as writing:
            reading.backup(writing, pages=PAGES_AT_ONCE)
            # A backup is one file: without this, SQLite would look for a write-ahead log beside it.
            writing.execute("pragma journal_mode = delete")
            writing.execute("pragma synchronous = extra")
            writing.execute(LEAVE)
            _check(writing, rows)
    return rows


def _check(backup: sqlite3.Connection, rows: Mapping[str, int]) -> None:
    ((found, *_),) = backup.execute("pragma integrity_check(1)").fetchall()
    if found != "ok":
        raise StorageError(f"The backup is damaged, and so may be the database: {found}. There is no backup.")
    if _counts(backup) != rows:
        raise StorageError("The backup does not hold what the database did. There is no backup.")


def _counts(opened: sqlite3.Connection) -> dict[str, int]:
    counted = ((table.name, opened.execute(f"select count(*) from {table.name}").fetchone()) for table in TABLES)
    return {name: int(count) for name, (count,) in counted}


def _publish(draft: Path, target: Path, *, replaces: bool) -> None:
    descriptor = os.open(draft, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if replaces:
        draft.replace(target)
    else:
        target.hardlink_to(draft)  # fails if somebody has made the target meanwhile
    sync_folder(target.absolute().parent)
