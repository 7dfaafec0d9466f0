"""
Is the database's file still the one that was opened?
"""

from pathlib import Path

from outdial.adapters.sqlite.connection import check_file
from outdial.ports.errors import StorageError


class OpenedFile:
    """
    Notices that a file was moved, replaced or deleted: an open connection would go on with it, where nobody looks.

    Looking takes two microseconds. No other file gets the same number while this one is open.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity: tuple[int, int] | None = None

    def remember(self) -> None:
        """
        Take the file that is there now for the right one.

        Raises:
            StorageError: There is none, or it can't be reached.
        """
        check_file(self._path)
        self._identity = self._look()

    def check(self) -> None:
        """
        Let only the remembered file pass.

        Raises:
            StorageError: It is not there any more.
        """
        if self._look() != self._identity:
            raise StorageError(
                "The database file was moved or replaced; nothing was read or written. Put it back, or restart outdial."
            )

    def _look(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
