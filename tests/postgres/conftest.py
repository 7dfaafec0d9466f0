"""
Databases for these tests, each its own.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from outdial.adapters.postgres.connection import Limits
from outdial.adapters.postgres.storage import PostgresStorage
from tests.contract.storage.database import Database, furnish
from tests.postgres.databases import make_database, new_database
from tests.postgres.server import Server

Run = Callable[[str], list[Any]]


@pytest.fixture
def url() -> str:
    """
    The address of a migrated, empty database.
    """
    return new_database()


@pytest.fixture
def unmigrated() -> str:
    """
    The address of a database without tables.
    """
    return make_database()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """
    The database at `url`, furnished.
    """
    opened = Database(functools.partial(PostgresStorage, url, limits=Limits(lock_s=2)))
    opened.transact(furnish)
    yield opened
    opened.close()


@pytest.fixture
def run(url: str) -> Iterator[Run]:
    """
    Run SQL in the database at `url`, beside outdial.
    """
    with psycopg.connect(url, autocommit=True) as connection:

        def execute(text: str) -> list[Any]:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description is not None else []

        yield execute


@pytest.fixture
def own_server() -> Iterator[Server]:
    """
    A server that the test may stop.
    """
    server = Server()
    yield server
    server.remove()
