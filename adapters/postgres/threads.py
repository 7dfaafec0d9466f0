"""
A few threads with a bounded queue: works that wait for the database wait here.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from outdial.ports.errors import StorageError

T = TypeVar("T")


class Threads:
    """
    Runs works side by side, in the order in which they came.
    """

    def __init__(self, *, thread_count: int, waiting_max: int) -> None:
        self._thread_count = thread_count
        self._places = threading.BoundedSemaphore(waiting_max)
        self._executor: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """
        Take works.
        """
        self._executor = ThreadPoolExecutor(self._thread_count, thread_name_prefix="outdial-postgres")

    def stop(self) -> None:
        """
        Do all that waits, then take no more. Idempotent.
        """
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """
        Queue a work.

        Raises:
            StorageError: It is stopped, or too many works wait.
        """
        if self._executor is None:
            raise StorageError("The database is closed. Nothing was written.")
        if not self._places.acquire(blocking=False):
            raise StorageError("Too many works wait for the database. Nothing was written.")
        future = self._executor.submit(_carried(work))
        future.add_done_callback(lambda _future: self._places.release())
        return future


def _carried(work: Callable[[], T]) -> Callable[[], T]:
    """
    Let a work raise only what a future can carry: a `StopIteration` would be lost, and its caller wait for ever.
    """

    def run() -> T:
        try:
            return work()
        except StopIteration as error:
            raise RuntimeError("The work raised StopIteration.") from error

    return run
