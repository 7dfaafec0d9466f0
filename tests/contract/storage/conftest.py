"""
Databases for the suite: each test runs on every adapter.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from outdial.adapters.sqlite import connection
from tests.contract.storage.database import FILE_NAME, OPENERS, Database, fresh, furnish, open_sqlite


@pytest.fixture(params=OPENERS)
def kind(request: pytest.FixtureRequest) -> str:
    """
    Each adapter's name in turn.
    """
    name: str = request.param
    return name


@pytest.fixture
def empty(kind: str) -> Iterator[Database]:
    """
    A database that holds nothing.
    """
    with fresh(kind) as database:
        yield database


@pytest.fixture
def database(empty: Database) -> Database:
    """
    A database that holds the builders' account, key, agent, contact and 25.00.
    """
    empty.transact(furnish)
    return empty


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    Where the SQLite file lies.
    """
    return tmp_path / FILE_NAME


@pytest.fixture
def sqlite(tmp_path: Path, writers: list[sqlite3.Connection]) -> Iterator[Database]:
    """
    The same as `database`, in the SQLite file at `path`; its writing connection is the first of `writers`.
    """
    assert writers == []
    database = Database(open_sqlite(tmp_path))
    database.transact(furnish)
    yield database
    database.close()


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """
    The writing connections that are opened from now on, to be touched by works alone.
    """
    opened: list[sqlite3.Connection] = []
    original = connection.open_writer

    def open_writer(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
        opened.append(original(path, busy_timeout_s=busy_timeout_s))
        return opened[-1]

    monkeypatch.setattr(connection, "open_writer", open_writer)
    return opened
