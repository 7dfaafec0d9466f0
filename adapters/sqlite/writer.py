"""
One thread with the one connection that writes: it makes whatever waits durable together.
"""

import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Any, Final, TypeVar

import attrs

from outdial.adapters.sqlite.opened_file import OpenedFile
from outdial.adapters.sqlite.statements import errors_translated, storage_error
from outdial.ports.errors import StorageError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]

# Takes the write lock before anything is read: what a work reads stays true until its commit.
BEGIN: Final = "begin immediate"
SAVEPOINT: Final = "savepoint work"
ROLLBACK_TO: Final = "rollback to work"
RELEASE: Final = "release work"
COMMIT: Final = "commit"
ROLLBACK: Final = "rollback"

CLOSED: Final = "The database is closed. Nothing was written."


@attrs.frozen(eq=False)
class _Waiting:
    work: Work
    future: "Future[Any]"


@attrs.frozen(eq=False)
class _Done:
    """
    What a work came to, kept back until the commit.
    """

    future: "Future[Any]"
    result: Any = None
    error: BaseException | None = None

    def tell(self, commit_error: StorageError | None) -> None:
        """
        Let the caller know; a work that failed by itself keeps its own error.
        """
        error = self.error or commit_error
        if error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(error)


class Writer:
    """
    Group commit: all works that wait share one transaction, each in a savepoint of its own.

    A work that raises is undone alone. Nobody hears of a result before it is durable.
    """

    def __init__(
        self, open_connection: Callable[[], sqlite3.Connection], file: OpenedFile, *, waiting_max: int
    ) -> None:
        self._open_connection = open_connection
        self._file = file
        self._waiting_max = waiting_max
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._is_open = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """
        Open the connection on a thread of its own.

        Raises:
            StorageError: It can't be opened for writing.
        """
        opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="outdial-sqlite-writer", daemon=True)
        self._is_open = True
        self._thread.start()
        try:
            opened.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """
        Do all that waits, then close. Idempotent.
        """
        with self._changed:
            self._is_open = False
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """
        Queue a work; its future gets the result after the commit.

        Raises:
            StorageError: The writer is closed, or too many works wait.
        """
        future: Future[T] = Future()
        with self._changed:
            if not self._is_open:
                raise StorageError(CLOSED)
            if len(self._waiting) >= self._waiting_max:
                raise StorageError("Too many writes wait for the disk. Nothing was written.")
            self._waiting.append(_Waiting(work, future))
            self._changed.notify()
        return future

    def _run(self, opened: "Future[None]") -> None:
        try:
            with errors_translated():
                connection = self._open_connection()
        except BaseException as error:  # noqa: BLE001 - it is raised where the thread was started
            opened.set_exception(error)
            return
        opened.set_result(None)
        group: list[_Waiting] = []
        is_proven = True
        try:
            while group := self._take():
                is_proven = _commit_together(connection, group, self._file, is_proven=is_proven)
        finally:
            self._close(group)
            connection.close()

    def _close(self, group: list[_Waiting]) -> None:
        """
        Let nobody wait for a thread that ends, whatever ends it.
        """
        with self._changed:
            self._is_open = False
            left = [*group, *self._waiting]
            self._waiting.clear()
        for waiting in left:
            with contextlib.suppress(InvalidStateError):  # who left or was told
                waiting.future.set_exception(StorageError(CLOSED))

    def _take(self) -> list[_Waiting]:
        """
        Wait for works and take all there are; none means that the writer was stopped.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._is_open)
            group = list(self._waiting)
            self._waiting.clear()
        return group


def _commit_together(
    connection: sqlite3.Connection, group: list[_Waiting], file: OpenedFile, *, is_proven: bool
) -> bool:
    """
    Do all works of a group in one transaction and tell each who waits.

    Args:
        is_proven: Whether the last transaction was committed. After one that was not, this one writes a page in any
            case: without any writes, it would be committed on a full disk, too.

    Returns:
        Whether this transaction was committed.
    """
    live = [waiting for waiting in group if waiting.future.set_running_or_notify_cancel()]
    done: list[_Done] = []
    failure: StorageError | None = None
    try:
        file.check()
        connection.execute(BEGIN)
        for waiting in live:
            done.append(_run_alone(connection, waiting))  # noqa: PERF401 - a failure must keep those before it
        if not is_proven:
            _write_something(connection)
        connection.execute(COMMIT)
    except BaseException as error:  # noqa: BLE001 - all who wait must hear of it, and the thread must go on
        failure = _failure(error, is_undone=connection.in_transaction or len(done) < len(live))
        _roll_back(connection)
    for outcome in done:
        outcome.tell(failure)
    for waiting in live[len(done) :]:
        waiting.future.set_exception(failure or StorageError("Nothing was written."))
    return failure is None


def _failure(error: BaseException, *, is_undone: bool) -> StorageError:
    """
    Say what it means for a group that its transaction failed; Python itself may fail, having no memory for a result.
    """
    if isinstance(error, StorageError):
        return error
    if isinstance(error, sqlite3.Error):
        return storage_error(error)
    written = "Nothing was written." if is_undone else "Nobody knows whether it was written: look before trying again."
    failure = StorageError(f"The database can't be used. {written} ({type(error).__name__})")
    failure.__cause__ = error
    return failure


def _run_alone(connection: sqlite3.Connection, waiting: _Waiting) -> _Done:
    """
    Run one work so that its failure undoes nothing but itself.

    Raises:
        sqlite3.Error: The savepoint can't be kept or undone.

        StorageError: SQLite gave up the whole transaction, as it may when the disk is full.
    """
    connection.execute(SAVEPOINT)
    try:
        result = waiting.work(connection)
    except BaseException as error:  # noqa: BLE001 - it belongs to the caller, who waits for it
        _check_transaction(connection, error)
        connection.execute(ROLLBACK_TO)
        connection.execute(RELEASE)
        return _Done(waiting.future, error=error)
    _check_transaction(connection, None)
    connection.execute(RELEASE)
    return _Done(waiting.future, result)


def _write_something(connection: sqlite3.Connection) -> None:
    """
    Write the file's first page as it is.
    """
    ((version,),) = connection.execute("pragma user_version").fetchall()
    connection.execute(f"pragma user_version = {version}")


def _check_transaction(connection: sqlite3.Connection, error: BaseException | None) -> None:
    if not connection.in_transaction:
        lost = StorageError("The transaction was given up. Nothing was written.")
        raise error if isinstance(error, StorageError) else lost


def _roll_back(connection: sqlite3.Connection) -> None:
    """
    Make the connection usable again; where that fails, the next transaction fails, too, and it is tried once more.
    """
    if connection.in_transaction:
        with contextlib.suppress(sqlite3.Error, MemoryError):
            connection.execute(ROLLBACK)
