"""
Connections to one database, each with the settings that the promises need.
"""

from typing import Any, Final

import attrs
import psycopg
from psycopg.rows import TupleRow
from psycopg.types.numeric import Int8Dumper

from outdial.adapters.postgres.errors import check_url, errors_translated, unreachable
from outdial.adapters.postgres.queries import load
from outdial.ports.errors import StorageError

SQL: Final = load("session.sql")

Connection = psycopg.Connection[TupleRow]

VERSION_MIN: Final = 140_000
"""PostgreSQL 14, the oldest that is still maintained."""

PARAMETERS: Final[dict[str, Any]] = {
    "autocommit": True,  # transactions begin and end by statements of ours
    "application_name": "outdial",
    # A machine that vanished is noticed within about ten seconds.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


@attrs.frozen(kw_only=True)
class Limits:
    """
    How long to wait for what, in seconds.

    Attributes:
        connect_s: For a connection, new or from the pool.

        lock_s: For what another transaction has locked.

        statement_s: For a statement's end.

        idle_s: For the next statement of a transaction; a process that stands still gives up its locks.
    """

    connect_s: float = 5
    lock_s: float = 5
    statement_s: float = 15
    idle_s: float = 15


def parameters(limits: Limits) -> dict[str, Any]:
    """
    Return what libpq is told beside the address.
    """
    return {**PARAMETERS, "connect_timeout": max(2, round(limits.connect_s))}


def connect(url: str, limits: Limits) -> Connection:
    """
    Open a connection and give it its settings.

    Raises:
        StorageError: The database can't be reached; the message says why, without the password.
    """
    check_url(url)
    try:
        connection = psycopg.connect(url, **parameters(limits))
    except psycopg.Error as error:
        raise unreachable(error, url) from None
    try:
        with errors_translated(connection):
            settle(connection, limits)
    except BaseException:
        connection.close()
        raise
    return connection


def settle(connection: Connection, limits: Limits) -> None:
    """
    Give a new connection its settings.
    """
    # One type for all integers keeps each statement one prepared statement.
    connection.adapters.register_dumper(int, Int8Dumper)
    settings = {
        "lock_timeout_ms": limits.lock_s,
        "statement_timeout_ms": limits.statement_s,
        "idle_timeout_ms": limits.idle_s,
    }
    connection.execute(
        SQL["settle_session"].encode(), {name: str(round(1000 * seconds)) for name, seconds in settings.items()}
    )


def check_server(connection: Connection) -> None:
    """
    Let only a server pass that takes writes and is new enough.

    Raises:
        StorageError: It is not; the message says what is wrong.
    """
    check_version(connection.info.server_version)
    with errors_translated(connection):
        row = connection.execute(SQL["server"].encode()).fetchone()
    is_read_only, is_unicode = row if row is not None else (True, False)
    if is_read_only:
        raise StorageError(
            "The database takes no writes: the server is a read-only replica, or is set to be read-only."
        )
    if not is_unicode:
        raise StorageError("The database does not keep texts as UTF-8. Create it with `encoding 'UTF8'`.")


def check_version(version: int) -> None:
    """
    Let only PostgreSQL 14 and newer pass.

    Args:
        version: As libpq says it: 140005 for 14.5.

    Raises:
        StorageError: The server is older.
    """
    if version < VERSION_MIN:
        raise StorageError(f"The server is PostgreSQL {version // 10_000}; outdial needs 14 or newer.")
