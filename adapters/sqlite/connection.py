"""
Connections to one database file, each with the settings that the promises need.
"""

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from outdial.ports.errors import StorageError

WAL_BYTES_MAX: Final = 64 * 1024 * 1024
"""What a write-ahead log is cut back to after a checkpoint."""

COMMON_PRAGMAS: Final = ("foreign_keys = on", "trusted_schema = off", "temp_store = memory")

WRITER_PRAGMAS: Final = (
    *COMMON_PRAGMAS,
    "journal_mode = wal",
    # A commit that a power cut may undo would be a call promised and forgotten, or dialled twice.
    "synchronous = full",
    # macOS's fsync leaves data in the drive's cache; elsewhere this changes nothing.
    "fullfsync = on",
    f"journal_size_limit = {WAL_BYTES_MAX}",
)

READER_PRAGMAS: Final = (*COMMON_PRAGMAS, "query_only = on")


def check_file(path: Path) -> None:
    """
    Let only a file that is there pass; what SQLite says of others helps nobody.

    Raises:
        StorageError: There is none, or it can't be reached; the message says what to do.
    """
    try:
        path.stat()
    except FileNotFoundError as error:
        raise StorageError(f"{path} does not exist. Run `outdial migrate` first.") from error
    except OSError as error:
        raise StorageError(f"{path} can't be opened: {error.strerror}.") from error


def open_writer(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
    """
    Open the connection that writes; the caller says when transactions begin and end.

    Raises:
        sqlite3.Error: It can't write.
    """
    connection = _open(path, mode="rw", busy_timeout_s=busy_timeout_s, pragmas=WRITER_PRAGMAS, check_same_thread=True)
    try:
        # A file that can't be written is better found out now than at the first call.
        connection.execute("begin immediate")
        connection.execute("rollback")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_reader(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
    """
    Open a connection that can't write; one thread at a time may use it.
    """
    return _open(path, mode="ro", busy_timeout_s=busy_timeout_s, pragmas=READER_PRAGMAS, check_same_thread=False)


def _open(
    path: Path, *, mode: str, busy_timeout_s: float, pragmas: tuple[str, ...], check_same_thread: bool
) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=check_same_thread,
    )
    try:
        for pragma in pragmas:
            connection.execute(f"pragma {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
