"""
Works in transactions, side by side, on a few connections: run again when others were in the way.
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from outdial.adapters.postgres.connection import SQL, Connection, Limits, parameters, settle
from outdial.adapters.postgres.errors import TransientError, errors_translated, storage_error
from outdial.adapters.postgres.statements import Statements
from outdial.ports.errors import StorageError

T = TypeVar("T")

RETRIES_MAX: Final = 3
PAUSE_S: Final = 0.02
"""The longest pause before the first retry; it doubles with each."""

_RANDOM: Final = random.SystemRandom()


class Transactions:
    """
    Runs works, each in a transaction of its own on a connection from the pool.
    """

    def __init__(self, url: str, *, connections_max: int, limits: Limits) -> None:
        self._limits = limits
        self._pool: ConnectionPool[psycopg.Connection[TupleRow]] = ConnectionPool(
            url,
            kwargs=parameters(limits),
            configure=lambda connection: settle(connection, limits),
            min_size=1,
            max_size=connections_max,
            timeout=limits.connect_s,
            # It gives up early and tries again with the next work, instead of waiting longer and longer.
            reconnect_timeout=limits.connect_s,
            num_workers=1,
            open=False,
        )

    def open(self) -> None:
        """
        Begin to connect.
        """
        self._pool.open()

    def close(self) -> None:
        """
        Close the connections. Idempotent.
        """
        self._pool.close()

    def write(self, work: Callable[[Statements], T]) -> T:
        """
        Run a work that may write and return its result after the commit.

        Raises:
            StorageError: It could not be done, or nobody knows whether it was; the message says which.
        """
        return self._retried(SQL["begin_writing"], work, is_writing=True)

    def read(self, work: Callable[[Statements], T]) -> T:
        """
        Run a work on one snapshot.
        """
        return self._retried(SQL["begin_reading"], work, is_writing=False)

    def _retried(self, begin: str, work: Callable[[Statements], T], *, is_writing: bool) -> T:
        for retry in range(RETRIES_MAX):
            try:
                return self._once(begin, work, is_writing=is_writing)
            except TransientError as error:
                if error.is_lost:
                    # When one connection was lost, others were too: find them now, not one by one.
                    self._pool.check()
                time.sleep(_RANDOM.uniform(0, PAUSE_S * 2**retry))
        try:
            return self._once(begin, work, is_writing=is_writing)
        except TransientError as error:
            raise StorageError(f"{error} It was tried {RETRIES_MAX + 1} times.") from error

    def _once(self, begin: str, work: Callable[[Statements], T], *, is_writing: bool) -> T:
        with self._connection() as connection:
            with errors_translated(connection):
                connection.execute(begin.encode())
            try:
                statements = Statements(connection=connection, is_writing=is_writing)
                result = work(statements)
                statements.check_open()
            except BaseException:
                _roll_back(connection)
                raise
            _commit(connection)
            return result

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            connection = self._pool.getconn()
        except PoolTimeout as error:
            raise StorageError(
                f"The database could not be reached within {self._limits.connect_s:g} s. Nothing was written."
            ) from error
        try:
            yield connection
        finally:
            self._pool.putconn(connection)


def _commit(connection: Connection) -> None:
    try:
        connection.execute(SQL["commit"].encode())
    except psycopg.Error as error:
        if connection.closed:
            raise StorageError(
                "The connection was lost during the commit. Nobody knows whether it was written: look before trying"
                " again."
            ) from error
        raise storage_error(error) from error


def _roll_back(connection: Connection) -> None:
    """
    Undo everything; a connection that is lost has undone it already.
    """
    with contextlib.suppress(psycopg.Error):
        connection.execute(SQL["roll_back"].encode())
