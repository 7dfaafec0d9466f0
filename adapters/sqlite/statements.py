"""
Running SQL on one connection, and what SQLite's errors mean to a caller.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from outdial.adapters.relational.values import Row
from outdial.ports.errors import StorageConflictError, StorageError

Value = int | str | bytes | None

UNSTORABLE: Final = (OverflowError, UnicodeEncodeError)
"""What Python raises for an integer of more than 64 bits and for a lone surrogate."""

_PRIMARY_CODE: Final = 0xFF
"""Extended result codes keep the primary one in their low byte (SQLite, Result and Error Codes, 2)."""

_SENTENCES: Final = {
    sqlite3.SQLITE_BUSY: "Another process holds the database's write lock.",
    sqlite3.SQLITE_LOCKED: "Another process holds the database's write lock.",
    sqlite3.SQLITE_READONLY: "The database can't be written: its file or folder is read-only.",
    sqlite3.SQLITE_FULL: "The disk is full, or the database may not grow.",
    sqlite3.SQLITE_IOERR: "The disk failed while the database was read or written.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged; restore a backup.",
    sqlite3.SQLITE_NOTADB: "The file is no database.",
    sqlite3.SQLITE_CANTOPEN: "The database file can't be opened.",
    sqlite3.SQLITE_PERM: "The database file may not be opened.",
    sqlite3.SQLITE_NOMEM: "There is not enough memory.",
}


def storage_error(error: sqlite3.Error) -> StorageError:
    """
    Say in a sentence what an error of SQLite means; nothing that people wrote is repeated.
    """
    if isinstance(error, sqlite3.IntegrityError):
        return StorageConflictError("A rule of the schema forbids the write; nothing was written.")
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    sentence = _SENTENCES.get(code & _PRIMARY_CODE, "The database can't be used.")
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StorageError(f"{sentence} Nothing was written. ({name})")


@contextmanager
def errors_translated() -> Iterator[None]:
    """
    Let only the port's exceptions out.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise storage_error(error) from error


class Statements:
    """
    SQL on one connection, inside a transaction that somebody else began.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def one(self, sql: str, *values: Value) -> Row | None:
        """
        Return the first row, or `None`.
        """
        found = self.all(sql, *values)
        return found[0] if found else None

    def all(self, sql: str, *values: Value) -> list[Row]:
        """
        Return all rows; none when a value is one that no row can have.
        """
        try:
            with errors_translated():
                return self._connection.execute(sql, values).fetchall()
        except UNSTORABLE:
            return []

    def write(self, sql: str, *values: Value) -> int:
        """
        Write, and return how many rows were.
        """
        with self._inside_transaction():
            return self._connection.execute(sql, values).rowcount

    def write_all(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """
        Write once for each row of values.
        """
        with self._inside_transaction():
            self._connection.executemany(sql, rows)

    @contextmanager
    def _inside_transaction(self) -> Iterator[None]:
        """
        Refuse to write once SQLite has given up the transaction: alone, the write would be kept.
        """
        if not self._connection.in_transaction:
            raise StorageError("The transaction was given up. Nothing was written.")
        try:
            with errors_translated():
                yield
        except UNSTORABLE as error:
            raise StorageError(
                "A number has more than 64 bits, or a text holds a lone surrogate. Nothing was written."
            ) from error
