"""
One dialling process a database: a second one would lease the same calls.
"""

import fcntl
import os
from pathlib import Path

from outdial.ports.errors import StorageError


class DiallingLock:
    """
    An advisory lock beside the database file, held by the process that dials; the system frees it when that ends.
    """

    def __init__(self, path: Path) -> None:
        # One file may have several names: SQLite, too, keeps what belongs to it beside the one that is no link.
        real = path.resolve()
        self._path = real.with_name(real.name + ".lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """
        Take the lock at once, or fail at once.

        Raises:
            StorageError: Another process dials, or the lock's file can't be opened.
        """
        if self._descriptor is not None:
            raise StorageError(f"This process holds {self._path} already.")
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"{self._path} can't be opened: {error.strerror}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StorageError(
                f"Another outdial process dials from this database; it holds {self._path}. Stop it first."
            ) from error
        self._descriptor = descriptor

    def is_held(self) -> bool:
        """
        Tell whether a process dials, this one included. Makes no file.

        Raises:
            StorageError: The lock's file can't be opened.
        """
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StorageError(f"{self._path} can't be opened: {error.strerror}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def release(self) -> None:
        """
        Give the lock back. Idempotent; its file stays, so that no two processes lock two files of one name.
        """
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
