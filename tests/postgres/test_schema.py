"""
Migrations: each once, whoever else migrates; and who may start on what.
"""

import functools
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

import psycopg
import pytest

from outdial.adapters.postgres.connection import check_version
from outdial.adapters.postgres.schema import migrate, migrations
from outdial.adapters.postgres.storage import PostgresStorage
from outdial.adapters.sqlite.schema import FOLDER as SQLITE
from outdial.ports.errors import StorageError
from tests.contract.storage.database import Database
from tests.postgres.conftest import Run
from tests.postgres.databases import administrator, as_user, make_database, name_of

NAMES = sorted(file.name.removesuffix(".sql") for file in (files(SQLITE) / "migrations").iterdir())


def _open(url: str) -> Database:
    return Database(functools.partial(PostgresStorage, url))


def _set(url: str, setting: str) -> None:
    administrator().execute(f'alter database "{name_of(url)}" set {setting}'.encode())


def _tables(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute("select * from pg_tables where schemaname = 'public'").fetchall()


def test_migrations_have_the_names_of_those_for_sqlite() -> None:
    """
    Both databases have the same history, each step with a number of its own.
    """
    assert NAMES == list(migrations())
    assert len(NAMES) == len({name[:4] for name in NAMES})


def test_each_migration_is_applied_once(unmigrated: str) -> None:
    """
    The first time tells what was done, the second has nothing to do.
    """
    assert NAMES == migrate(unmigrated)
    assert [] == migrate(unmigrated)


def test_many_migrate_at_once(unmigrated: str) -> None:
    """
    One of six does it, the others wait and find it done.
    """
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(migrate, [unmigrated] * 6))

    assert [[]] * 5 + [NAMES] == sorted(answers, key=len)


def test_a_migration_that_fails_leaves_nothing(unmigrated: str) -> None:
    """
    All steps or none: a table that is in the way stops the whole.
    """
    with psycopg.connect(unmigrated) as connection:
        connection.execute("create table ledger (mine text)")
    before = _tables(unmigrated)

    with pytest.raises(StorageError, match="42P07"):
        migrate(unmigrated)

    assert before == _tables(unmigrated)


def test_an_empty_database_is_not_started_on(unmigrated: str) -> None:
    """
    The message says which command makes its tables.
    """
    with pytest.raises(StorageError, match="has an older schema or none"):
        _open(unmigrated)


def test_an_older_schema_is_not_started_on(url: str, run: Run) -> None:
    """
    A database that lacks a migration says so.
    """
    run("delete from outdial_migrations")

    with pytest.raises(StorageError, match="Run `outdial migrate` first"):
        _open(url)


def test_a_newer_schema_is_left_alone(url: str, run: Run) -> None:
    """
    Neither started on nor migrated.
    """
    run("insert into outdial_migrations (name) values ('9999_from_the_future')")

    for use in (_open, migrate):
        with pytest.raises(StorageError, match="written by a newer outdial"):
            use(url)


def test_a_read_only_server_is_refused(url: str, unmigrated: str) -> None:
    """
    A replica, or a database that is set to take no writes, is said to be one before anything is tried.
    """
    for address in (url, unmigrated):
        _set(address, "default_transaction_read_only = on")

    for use, address in ((_open, url), (migrate, url), (migrate, unmigrated)):
        with pytest.raises(StorageError, match="The database takes no writes: the server is a read-only replica"):
            use(address)

    assert [] == _tables(unmigrated)


def test_a_database_of_another_encoding_is_refused() -> None:
    """
    Texts that it can't hold would fail later, one by one.
    """
    url = make_database(encoding="LATIN1")

    with pytest.raises(StorageError, match="does not keep texts as UTF-8"):
        migrate(url)


@pytest.mark.parametrize(("version", "shown"), [(139_999, 13), (130_012, 13), (90_624, 9)])
def test_an_old_server_is_refused(version: int, shown: int) -> None:
    """
    The message says which version it is and which is needed.
    """
    with pytest.raises(StorageError, match=f"The server is PostgreSQL {shown}; outdial needs 14 or newer."):
        check_version(version)


@pytest.mark.parametrize("version", [140_000, 160_014, 180_004, 200_000])
def test_a_newer_server_is_welcome(version: int) -> None:
    """
    From 14 on.
    """
    check_version(version)


def test_whoever_may_not_make_tables_is_told(unmigrated: str) -> None:
    """
    A user without the right hears so, and the database stays as it is.
    """
    administrator().execute("drop role if exists outdial_guest")
    administrator().execute("create role outdial_guest login password 'sesame'")
    guest = as_user(unmigrated, "outdial_guest", "sesame")

    with psycopg.connect(unmigrated) as connection:
        connection.execute("revoke create on schema public from public")
    with pytest.raises(StorageError, match="The database's user may not do this"):
        migrate(guest)

    assert [] == _tables(unmigrated)
    administrator().execute("drop role outdial_guest")
