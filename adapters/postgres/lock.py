"""
One dialling process a database: a second one would take the first one's calls for left behind.
"""

from outdial.adapters.postgres.connection import SQL, Connection, Limits, connect
from outdial.adapters.postgres.errors import errors_translated
from outdial.adapters.postgres.guards import DIALLING
from outdial.ports.errors import StorageError


class DialerLock:
    """
    An advisory lock on a connection of its own; the server frees it when that ends.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def acquire(self) -> None:
        """
        Take the lock at once, or fail at once.

        Raises:
            StorageError: Another process dials, or the database can't be reached.
        """
        if self._connection is not None:
            raise StorageError("This process holds the dialling lock already.")
        connection = connect(self._url, Limits())
        if not _is_taken(connection):
            connection.close()
            raise StorageError("Another outdial process dials from this database. Stop it first.")
        self._connection = connection

    def release(self) -> None:
        """
        Give the lock back. Idempotent.
        """
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_taken(connection: Connection) -> bool:
    try:
        with errors_translated(connection):
            row = connection.execute(SQL["take_dialling"].encode(), {"key": DIALLING}).fetchone()
    except BaseException:
        connection.close()
        raise
    return row == (True,)
