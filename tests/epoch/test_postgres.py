"""
What people do with PostgreSQL databases: copies, restores and promoted replicas are noticed, and ring nobody.
"""

import functools
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from outdial.adapters.postgres.places import SQL
from outdial.adapters.postgres.schema import migrate
from outdial.adapters.postgres.storage import PostgresStorage
from outdial.domain.model.lifecycle import State
from tests.contract.storage.database import Database, furnish
from tests.contract.storage.test_places import current, enter
from tests.postgres.databases import make_database, name_of, new_database
from tests.postgres.server import Server, wheel_server
from tests.service.calls import in_state


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """
    Open a database.
    """
    database = Database(functools.partial(PostgresStorage, url))
    try:
        yield database
    finally:
        database.close()


@pytest.fixture
def home() -> str:
    """
    A database from which a call waits to be dialled.
    """
    url = new_database()
    with opened(url) as database:
        database.transact(furnish)
        in_state(database, State.QUEUED)
    return url


def given_up(url: str) -> int:
    """
    Make ready to dial, and return how many calls were given up for it.
    """
    with opened(url) as database:
        return len(enter(database))


def test_a_restarted_process_gives_nothing_up(home: str) -> None:
    """
    As long as the server is the same, its marks are.
    """
    assert 0 == given_up(home)


def test_a_copied_database_is_noticed(home: str) -> None:
    """
    `create database ... template`: the original keeps its calls.
    """
    copied = make_database(name_of(home))

    assert 1 == given_up(copied)
    assert 0 == given_up(home)
    with opened(copied) as database:
        assert 2 == current(database).epoch


def _programs(server: Server) -> Path:
    return server._programs  # noqa: SLF001 - the packaged server's own


def test_a_restored_dump_is_noticed(home: str, tmp_path: Path) -> None:
    """
    `pg_dump` and `pg_restore`, into another database or over the same one.
    """
    server = wheel_server()
    dump = tmp_path / "dump"
    subprocess.run([_programs(server) / "pg_dump", "--format=custom", f"--file={dump}", home], check=True)
    other = make_database()
    for target, options in ((other, ()), (home, ("--clean", "--if-exists"))):
        subprocess.run(
            [_programs(server) / "pg_restore", *options, f"--dbname={target}", dump], check=True, capture_output=True
        )

    assert 1 == given_up(other)
    assert 1 == given_up(home)


@pytest.fixture
def primary() -> Iterator[Server]:
    """
    A server of its own, which lets replicas follow.
    """
    server = Server()
    with (server._data / "pg_hba.conf").open("a") as rules:  # noqa: SLF001 - as above
        rules.write("local replication all trust\n")
    server.run("select pg_reload_conf()")
    yield server
    server.remove()


class Replica(Server):
    """
    A server that follows another one until it is promoted.
    """

    def __init__(self, primary: Server) -> None:
        self._primary = primary
        super().__init__()

    def _make_data(self) -> None:
        primary = self._primary.url.partition("?")[2].replace("&", " ")
        subprocess.run(
            [
                _programs(self._primary) / "pg_basebackup",
                *("--write-recovery-conf", "--checkpoint=fast", "--no-sync", f"--pgdata={self._data}"),
                f"--dbname={primary} user=postgres",
            ],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._rights,
        )


def test_a_promoted_replica_is_noticed(primary: Server) -> None:
    """
    Whoever had begun to dial from the old server leases nothing from the new one before it gave up what waited.
    """
    migrate(primary.url)
    with opened(primary.url) as database:
        database.transact(furnish)
        in_state(database, State.QUEUED)
    replica = Replica(primary)
    try:
        primary.stop()
        replica.run("select pg_promote()")

        with opened(replica.url) as database:
            assert not current(database).is_here
            assert 1 == len(enter(database))
            assert (2, True) == (current(database).epoch, current(database).is_here)
    finally:
        replica.remove()


def test_an_ordinary_user_may_ask(home: str) -> None:
    """
    No right is needed but those on the tables.
    """
    with psycopg.connect(home, autocommit=True) as connection:
        connection.execute("drop role if exists outdial_clerk")
        connection.execute("create role outdial_clerk")
        connection.execute("grant select on dialling to outdial_clerk")
        connection.execute("set role outdial_clerk")
        (epoch, _name, is_here) = connection.execute(SQL["current_place"].encode()).fetchall()[0]
        assert (1, True) == (epoch, is_here)
        connection.execute("reset role")
        connection.execute("drop owned by outdial_clerk; drop role outdial_clerk")
