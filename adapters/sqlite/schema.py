"""
The tables of an outdial database, and how a file gets them.

Row numbers are the public order. Rows of `calls` change, all others of a call are only ever added.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Final

from sqlite_utils import Database, Migrations

from outdial.adapters.sqlite.places import SqlitePlaces
from outdial.adapters.sqlite.statements import Statements, storage_error
from outdial.adapters.sqlite.witness import FileWitness
from outdial.ports.errors import StorageError

_FILE_MODE: Final = 0o600
"""The file holds phone numbers and what is said to people; SQLite gives its companions the same mode."""

FOLDER: Final = "outdial.adapters.sqlite"


def _read_migrations() -> Migrations:
    """
    Return the steps of the schema: numbered files, each applied once.
    """
    found = (file for file in (files(FOLDER) / "migrations").iterdir() if file.name.endswith(".sql"))
    migrations = Migrations("outdial")
    for file in sorted(found, key=lambda file: file.name):
        migrations(name=file.name.removesuffix(".sql"))(_runner(file.read_text(encoding="utf-8")))
    return migrations


def _runner(statements: str) -> Callable[[Database], None]:
    def run(database: Database) -> None:
        for statement in statements.split(";\n"):
            database.execute(statement)

    return run


MIGRATIONS: Final = _read_migrations()


def migrate(path: Path) -> list[str]:
    """
    Bring a database file to the newest schema, all steps or none, and return the names of the steps taken.

    A missing file is created, readable by its owner alone.

    Raises:
        StorageError: The file can't be written, is no database, or was written by a newer outdial.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE))
    except OSError as error:
        raise StorageError(f"{path} can't be written: {error.strerror}.") from error
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute("begin immediate")
            names, is_new = _apply_pending(connection, path)
            if is_new:  # nothing else can be known of an older file: it may be a backup that was brought here
                FileWitness(path).write(SqlitePlaces(Statements(connection)).current())
            return names
    except sqlite3.Error as error:
        raise storage_error(error) from error


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """
    Let only a database of exactly this schema pass.

    Raises:
        StorageError: It is older or newer; the message says what to do.
    """
    database = _open_database(connection)
    _refuse_newer(database, path)
    if MIGRATIONS.pending(database):
        raise StorageError(f"{path} has an older schema or none. Run `outdial migrate` first.")


def _apply_pending(connection: sqlite3.Connection, path: Path) -> tuple[list[str], bool]:
    """
    Return the steps that were taken, and whether they were all there are.
    """
    database = _open_database(connection)
    _refuse_newer(database, path)
    names = [migration.name for migration in MIGRATIONS.pending(database)]
    MIGRATIONS.apply(database)
    connection.execute("commit")
    return names, len(names) == len(MIGRATIONS.applied(database))


def _refuse_newer(database: Database, path: Path) -> None:
    with Database(memory=True, execute_plugins=False) as empty:
        known = {migration.name for migration in MIGRATIONS.pending(empty)}
    if {migration.name for migration in MIGRATIONS.applied(database)} - known:
        raise StorageError(f"{path} was written by a newer outdial. Install that version, or use another file.")


def _open_database(connection: sqlite3.Connection) -> Database:
    return Database(connection, recursive_triggers=False, execute_plugins=False)
