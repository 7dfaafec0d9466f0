"""
A PostgreSQL server with room for many processes, and databases on it.
"""

import itertools
from collections.abc import Iterator
from typing import Final

import pytest

from outdial.adapters.postgres.schema import migrate
from tests.postgres.databases import make_database
from tests.postgres.server import OUTSIDE, Server

CONNECTIONS_MAX: Final = "200"
_NUMBERS: Final = itertools.count(1)


@pytest.fixture(scope="session")
def large_server() -> Iterator[Server]:
    """
    A server that tests may stop and start again; after each it runs.
    """
    server = Server(max_connections=CONNECTIONS_MAX)
    yield server
    server.remove()


@pytest.fixture
def own_url(large_server: Server) -> str:
    """
    The address of a migrated, empty database on that server.
    """
    name = f"scale_{next(_NUMBERS)}"
    large_server.run(f"create database {name}")
    url = large_server.url.replace("/postgres?", f"/{name}?")
    migrate(url)
    return url


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    """
    The address of a migrated, empty database on a server that stays as it is.
    """
    if not OUTSIDE:
        made: str = request.getfixturevalue("own_url")
        return made
    outside = make_database()
    migrate(outside)
    return outside
