"""
What PostgreSQL's errors mean to a caller; nothing that people wrote is repeated, and no password.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from outdial.ports.errors import StorageConflictError, StorageError

READ_ONLY: Final = "The database takes no writes: the server is a read-only replica, or is set to be read-only."

_SENTENCES: Final = {
    "25006": READ_ONLY,
    "25P03": "The transaction took too long.",
    "42501": "The database's user may not do this.",
    "42P01": "A table is missing. Run `outdial migrate` first.",
    "53100": "The database server's disk is full.",
    "53200": "The database server is out of memory for locks.",
    "53300": "The database server has no connection left.",
    "55P03": "Another transaction held a lock for too long.",
    "57014": "The statement took too long.",
    "57P01": "The database server is shutting down.",
    "57P03": "The database server is starting up or shutting down.",
}
"""By SQLSTATE (PostgreSQL, Appendix A)."""

_CONFLICT_CLASS: Final = "23"
_RETRYABLE: Final = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: the server undid the transaction, which may succeed when it is run again."""

_UNREACHABLE: Final = (
    ("password authentication failed", "the password of user {user} is wrong"),
    ("no password supplied", "user {user} needs a password"),
    ("no pg_hba.conf entry", "the server lets user {user} not in from here"),
    ("SSL", "the two could not agree on TLS"),
    ("database", "there is no database {dbname}, or user {user} may not use it"),
    ("role", "there is no user {user}, or it may not log in"),
    ("too many", "the server has no connection left"),
    ("remaining connection slots", "the server has no connection left"),
    ("starting up", "the server is starting up"),
    ("shutting down", "the server is shutting down"),
    ("onnection refused", "nobody listens there"),
    ("No such file or directory", "nobody listens there"),
    ("timeout", "it does not answer"),
    ("resolve host", "there is no such host"),
    ("translate host", "there is no such host"),
)
"""Words of libpq's messages, in order of precedence, and what they mean. A failed log-in has no SQLSTATE."""


class TransientError(StorageError):
    """
    The transaction was undone by no fault of its own; running it again may succeed.

    Attributes:
        is_lost: Whether its connection is gone.
    """

    def __init__(self, sentence: str, *, is_lost: bool) -> None:
        super().__init__(sentence)
        self.is_lost = is_lost


def storage_error(error: psycopg.Error, *, is_lost: bool = False) -> StorageError:
    """
    Say in a sentence what an error inside a transaction means.
    """
    code = error.sqlstate
    if code is not None and code.startswith(_CONFLICT_CLASS):
        return StorageConflictError("A rule of the schema forbids the write; nothing was written.")
    sentence = f"{_sentence_of(code, is_lost=is_lost)} Nothing was written. ({code or type(error).__name__})"
    if is_lost or code in _RETRYABLE:
        return TransientError(sentence, is_lost=is_lost)
    return StorageError(sentence)


def _sentence_of(code: str | None, *, is_lost: bool) -> str:
    if code in _RETRYABLE:
        return "Other transactions were in the way."
    if code in _SENTENCES:
        return _SENTENCES[code]
    return "The connection to the database was lost." if is_lost else "The database can't be used."


def unreachable(error: psycopg.Error, url: str) -> StorageError:
    """
    Say in a sentence why no connection could be made.
    """
    parts = {"user": "the system's", "dbname": "the user's", "host": "this machine", **_shown_parts(url)}
    message = str(error)
    meaning = next((meaning for words, meaning in _UNREACHABLE if words in message), "the connection failed")
    where = parts["host"] + (f":{parts['port']}" if "port" in parts else "")
    return StorageError(f"PostgreSQL at {where} can't be used: {meaning.format(**parts)}. Nothing was written.")


def check_url(url: str) -> None:
    """
    Let only an address pass that libpq can read.

    Raises:
        StorageError: It can't; the address, which may hold a password, is not repeated.
    """
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Its message, which would be this one's cause, repeats parts of the address.
        raise StorageError(
            "The address of the database can't be read; it looks like postgresql://USER:PASSWORD@HOST:5432/DATABASE."
        ) from None


def _shown_parts(url: str) -> dict[str, str]:
    return {
        name: str(value)
        for name, value in conninfo_to_dict(url).items()
        if name in {"user", "dbname", "host", "port"} and value
    }


@contextmanager
def errors_translated(connection: "psycopg.Connection[tuple[object, ...]]") -> Iterator[None]:
    """
    Let only the port's exceptions out of a use of a connection.
    """
    try:
        yield
    except psycopg.Error as error:
        raise storage_error(error, is_lost=connection.closed) from error
