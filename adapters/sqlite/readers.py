"""
A few threads, each reading from a connection that can't write.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from outdial.adapters.sqlite.opened_file import OpenedFile
from outdial.adapters.sqlite.statements import errors_translated
from outdial.ports.errors import StorageError

T = TypeVar("T")


class Readers:
    """
    Reads side by side, each on one consistent snapshot of what was committed.
    """

    def __init__(
        self,
        open_connection: Callable[[], sqlite3.Connection],
        file: OpenedFile,
        *,
        thread_count: int,
        waiting_max: int,
    ) -> None:
        self._open_connection = open_connection
        self._file = file
        self._thread_count = thread_count
        self._places = threading.BoundedSemaphore(waiting_max)
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None

    def start(self, connection: sqlite3.Connection) -> None:
        """
        Open the connections; the first is given.

        Raises:
            StorageError: One can't be opened.
        """
        self._idle.put(connection)
        for _ in range(self._thread_count - 1):
            with errors_translated():
                self._idle.put(self._open_connection())
        self._threads = ThreadPoolExecutor(self._thread_count, thread_name_prefix="outdial-sqlite-reader")

    def stop(self) -> None:
        """
        Finish the reads that were asked for, then close. Idempotent.
        """
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown()
        while not self._idle.empty():
            self._idle.get().close()

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> "Future[T]":
        """
        Queue a read.

        Raises:
            StorageError: The database is closed, or too many reads wait.
        """
        if self._threads is None:
            raise StorageError("The database is closed. Nothing was read.")
        if not self._places.acquire(blocking=False):
            raise StorageError("Too many reads wait. Nothing was read.")
        future = self._threads.submit(self._read, work)
        future.add_done_callback(lambda _future: self._places.release())
        return future

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._idle.get()
        try:
            self._file.check()
            with errors_translated():
                connection.execute("begin")
                try:
                    return work(connection)
                finally:
                    if connection.in_transaction:
                        connection.execute("rollback")
        finally:
            self._idle.put(connection)
