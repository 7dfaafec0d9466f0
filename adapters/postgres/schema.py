"""
The tables of an outdial database, and how a database gets them: numbered files, each applied once.
"""

from importlib.resources import files
from typing import Final

from outdial.adapters.postgres.connection import SQL, Connection, Limits, check_server, connect
from outdial.adapters.postgres.errors import errors_translated
from outdial.adapters.postgres.guards import MIGRATION
from outdial.adapters.postgres.queries import FOLDER
from outdial.ports.errors import StorageError

LIMITS: Final = Limits(lock_s=60, statement_s=0, idle_s=60)
"""A large table takes long to change, and another process that migrates is waited for."""


def migrations() -> dict[str, str]:
    """
    Return the migrations that this version knows, by name in their order.
    """
    found = (file for file in (files(FOLDER) / "migrations").iterdir() if file.name.endswith(".sql"))
    return {
        file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
        for file in sorted(found, key=lambda file: file.name)
    }


def migrate(url: str) -> list[str]:
    """
    Bring a database to the newest schema, all steps or none, and return the names of the steps taken.

    Any number of processes may do so at once.

    Raises:
        StorageError: The database can't be reached or written, or was written by a newer outdial.
    """
    with connect(url, LIMITS) as connection:
        check_server(connection)
        with errors_translated(connection):
            connection.execute(SQL["begin_writing"].encode())
            names = _apply_pending(connection)
            connection.execute(SQL["commit"].encode())
            return names


def check_schema(connection: Connection) -> None:
    """
    Let only a database of exactly this schema pass.

    Raises:
        StorageError: It is older or newer; the message says what to do.
    """
    with errors_translated(connection):
        if _pending(connection):
            raise StorageError("The database has an older schema or none. Run `outdial migrate` first.")


def _apply_pending(connection: Connection) -> list[str]:
    connection.execute(SQL["lock_migrations"].encode(), {"key": MIGRATION})
    pending = _pending(connection)
    connection.execute(SQL["make_migrations"].encode())
    for name, statements in pending.items():
        connection.execute(statements.encode())
        connection.execute(SQL["add_migration"].encode(), {"name": name})
    return list(pending)


def _pending(connection: Connection) -> dict[str, str]:
    known = migrations()
    applied = _applied(connection)
    if applied - known.keys():
        raise StorageError("The database was written by a newer outdial. Install that version, or use another one.")
    return {name: statements for name, statements in known.items() if name not in applied}


def _applied(connection: Connection) -> set[str]:
    is_there = connection.execute(SQL["has_migrations"].encode()).fetchone()
    if is_there != (True,):
        return set()
    return {name for (name,) in connection.execute(SQL["applied_migrations"].encode())}
