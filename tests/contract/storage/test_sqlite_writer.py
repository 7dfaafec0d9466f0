"""
SQLite: whatever happens to the writing thread, nobody waits for ever.
"""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from outdial.adapters.sqlite import writer
from outdial.adapters.sqlite.opened_file import OpenedFile
from outdial.adapters.sqlite.writer import BEGIN, COMMIT, ROLLBACK, Writer
from outdial.ports.errors import StorageError

TOLD_S: Final = 10.0
"""Who has heard nothing by then never will."""


class FailingConnection(sqlite3.Connection):
    """
    A connection for which there is no memory at times.

    Attributes:
        before: Statements that fail and do nothing, once each.

        after: Statements that do their work and fail nevertheless, once each.
    """

    before: set[str]
    after: set[str]

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        """
        Run a statement, or fail.
        """
        if sql in self.before:
            self.before.remove(sql)
            raise MemoryError
        cursor = super().execute(sql, *arguments)
        if sql in self.after:
            self.after.remove(sql)
            raise MemoryError
        return cursor


class Scene:
    """
    A writer on a file with one table.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("create table numbers (number integer)")
        file = OpenedFile(path)
        file.remember()
        self.before: set[str] = set()
        self.after: set[str] = set()
        self.writer = Writer(self._open, file, waiting_max=10)
        self.writer.start()

    def add(self, number: int) -> "Future[int]":
        """
        Ask for a number to be written.
        """

        def work(connection: sqlite3.Connection) -> int:
            connection.execute("insert into numbers values (?)", (number,))
            return number

        return self.writer.submit(work)

    @property
    def numbers(self) -> list[int]:
        """
        What is in the file.
        """
        with closing(sqlite3.connect(self._path)) as connection:
            return [number for (number,) in connection.execute("select number from numbers order by number")]

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, factory=FailingConnection)
        connection.before, connection.after = self.before, self.after
        return connection


@pytest.fixture
def scene(path: Path) -> Iterator[Scene]:
    """
    A writer that was started.
    """
    scene = Scene(path)
    yield scene
    scene.writer.stop()


@pytest.mark.parametrize("failing", [[BEGIN], [COMMIT], [COMMIT, ROLLBACK]], ids="+".join)
def test_want_of_memory_fails_the_group_and_not_the_thread(scene: Scene, failing: list[str]) -> None:
    """
    Who waited hears that nothing was written, and once there is memory again all goes on.
    """
    scene.before.update(failing)

    with pytest.raises(StorageError, match=r"Nothing was written\. \(MemoryError\)"):
        scene.add(1).result(TOLD_S)
    if ROLLBACK in failing:
        with pytest.raises(StorageError):
            scene.add(2).result(TOLD_S)

    assert 3 == scene.add(3).result(TOLD_S)
    assert [3] == scene.numbers


def test_want_of_memory_after_the_commit_is_told_as_doubt(scene: Scene) -> None:
    """
    What is on the disk is not called unwritten.
    """
    scene.after.add(COMMIT)

    with pytest.raises(StorageError, match="Nobody knows whether it was written"):
        scene.add(1).result(TOLD_S)

    assert 2 == scene.add(2).result(TOLD_S)
    assert [1, 2] == scene.numbers


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "leaves"])
def test_thread_that_ends_leaves_nobody_waiting(scene: Scene, monkeypatch: pytest.MonkeyPatch, *, leaves: bool) -> None:
    """
    Who waits and who comes later hear that the database is closed; who left meanwhile is no obstacle.
    """
    asked: list[Future[int]] = []
    is_asked, is_ending = threading.Event(), threading.Event()

    def end(*_arguments: object, **_named: object) -> None:
        assert is_asked.wait(TOLD_S)
        asked.append(scene.add(2))
        if leaves:
            asked[0].cancel()
        is_ending.set()
        raise MemoryError

    monkeypatch.setattr(writer, "_commit_together", end)
    asked.append(scene.add(1))
    is_asked.set()

    assert is_ending.wait(TOLD_S)
    scene.writer.stop()

    assert [CancelledError if leaves else StorageError, StorageError] == [type(_error(future)) for future in asked]
    with pytest.raises(StorageError, match="closed"):
        scene.add(3)
    assert [] == scene.numbers


def _error(future: "Future[int]") -> BaseException | None:
    try:
        return future.exception(TOLD_S)
    except CancelledError as error:
        return error
