"""
SQLite: the file, its schema, other processes and sudden death.
"""

import contextlib
import functools
import os
import re
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from outdial.adapters.postgres.schema import migrations
from outdial.adapters.sqlite.connection import open_writer
from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.domain.model.agent import Agent
from outdial.ports.errors import StorageError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import FILE_NAME, Database, balance_micros, deposit, everything

ROOT = Path(__file__).resolve().parents[3]


def _open(path: Path, busy_timeout_s: float = 0.05) -> Database:
    return Database(lambda: SqliteStorage(path, busy_timeout_s=busy_timeout_s))


def _add(agent: Agent, transaction: Transaction) -> None:
    transaction.directory.add(agent)


def _execute(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_migrating_creates_a_file_for_its_owner_alone(path: Path) -> None:
    """
    A new file has mode 0600, and its companions too; migrating twice changes nothing.
    """
    first, second = migrate(path), migrate(path)

    assert (first, second) == (list(migrations()), [])
    database = _open(path)
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("outdial.db*")}
    database.close()


def test_every_table_is_strict(path: Path) -> None:
    """
    SQLite itself refuses a value of another type in every column.
    """
    migrate(path)

    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("pragma table_list").fetchall()

    loose = {table[1] for table in tables if not table[5] and not table[1].startswith(("sqlite_", "_sqlite"))}
    assert loose == set()


def test_a_missing_file_asks_for_a_migration(path: Path) -> None:
    """
    Starting creates no file by itself and says what to run.
    """
    with pytest.raises(StorageError, match="Run `outdial migrate`"):
        _open(path)

    assert not path.exists()


def test_an_older_schema_asks_for_a_migration(path: Path) -> None:
    """
    A file without the newest step is not used.
    """
    migrate(path)
    _execute(path, "delete from _sqlite_migrations")

    with pytest.raises(StorageError, match="Run `outdial migrate`"):
        _open(path)


def test_an_empty_file_asks_for_a_migration(path: Path) -> None:
    """
    A file without any tables is not used.
    """
    path.touch()

    with pytest.raises(StorageError, match="Run `outdial migrate`"):
        _open(path)


def test_a_newer_schema_is_refused(path: Path) -> None:
    """
    A file that a newer outdial wrote is neither used nor migrated.
    """
    migrate(path)
    _execute(
        path,
        "insert into _sqlite_migrations (migration_set, name, applied_at) values ('outdial', '9999_future', 'later')",
    )

    for use in (_open, migrate):
        with pytest.raises(StorageError, match="newer outdial"):
            use(path)


def test_a_migration_is_all_or_nothing(path: Path) -> None:
    """
    When a step fails, none of the schema stays, and the file can be migrated later.
    """
    _execute(path, "create table ledger (anything)")

    with pytest.raises(StorageError):
        migrate(path)

    _execute(path, "drop table ledger")
    assert list(migrations()) == migrate(path)


def test_what_is_no_database_is_refused(path: Path) -> None:
    """
    Any other file is left as it is.
    """
    path.write_bytes(b"not a database " * 100)

    for use in (_open, migrate):
        with pytest.raises(StorageError, match="no database"):
            use(path)

    assert path.read_bytes() == b"not a database " * 100


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """
    A path that is no file is answered with a sentence.
    """
    for use in (_open, migrate):
        with pytest.raises(StorageError):
            use(tmp_path)


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    """
    A path that can't exist is answered with a sentence.
    """
    file = tmp_path / "file"
    file.touch()

    for use in (_open, migrate):
        with pytest.raises(StorageError, match="Not a directory"):
            use(file / FILE_NAME)


def test_a_file_that_is_no_database_leaves_no_connection(path: Path) -> None:
    """
    A connection whose settings can't be made is closed again.
    """
    path.write_bytes(b"not a database " * 100)

    with pytest.raises(sqlite3.DatabaseError):
        open_writer(path, busy_timeout_s=0.05)


def test_a_value_that_can_not_be_stored_is_a_storage_error(sqlite: Database) -> None:
    """
    A lone surrogate or a number of more than 64 bits stores nothing and says why.
    """
    before = sqlite.read(everything)

    for agent in (builders.agent(id=7, name="\ud800"), builders.agent(id=2**63)):
        with pytest.raises(StorageError, match="lone surrogate"):
            sqlite.transact(functools.partial(_add, agent))

    assert before == sqlite.read(everything)


def test_a_file_that_another_process_writes_is_refused_at_the_start(path: Path) -> None:
    """
    A write lock that outlasts the busy timeout is told when starting.
    """
    migrate(path)

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(StorageError, match="write lock"):
            _open(path)

    _open(path).close()


def test_a_damaged_file_is_reported(path: Path) -> None:
    """
    Overwritten pages give a StorageError, not a wrong answer.
    """
    migrate(path)
    page = 4096
    with path.open("r+b") as file:
        file.seek(page)
        file.write(b"\xff" * (path.stat().st_size - page))

    with pytest.raises(StorageError, match="damaged"):
        _open(path)


_START_AS_A_STRANGER = """
import asyncio, concurrent.futures.thread, os, sys
from pathlib import Path
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.ports.errors import StorageError
if os.geteuid() == 0:
    os.setuid(65534)
try:
    asyncio.run(SqliteStorage(Path(sys.argv[1])).start())
except StorageError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("folder_mode", "answer"),
    [
        (0o755, r"The (database can't be written|database file can't be opened)"),
        (0o000, "can't be opened: Permission denied"),
    ],
    ids=["read-only", "hidden"],
)
def test_a_file_that_may_not_be_used_is_refused_at_the_start(folder_mode: int, answer: str) -> None:
    """
    A process that may not write the file learns it when it starts, not at its first call.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / FILE_NAME
        migrate(path)
        path.chmod(0o444)
        folder.chmod(folder_mode)
        try:
            tried = subprocess.run(
                [sys.executable, "-c", _START_AS_A_STRANGER, str(path)],
                capture_output=True,
                text=True,
                check=True,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        finally:
            folder.chmod(0o700)

    assert re.search(answer, tried.stdout)


def test_another_process_that_writes_is_waited_for_then_reported(sqlite: Database, path: Path) -> None:
    """
    While another connection holds the write lock, writes fail after the busy timeout, reads go on, and nothing changes.
    """
    impatient = _open(path)
    before = sqlite.read(everything)

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(StorageError, match="write lock"):
            impatient.transact(deposit(1))
        with pytest.raises(StorageError, match="write lock"):
            impatient.accept(builders.request())
        assert before == impatient.read(everything)
        other.execute("rollback")

    assert impatient.transact(deposit(1)) == 25_000_001
    impatient.close()


@pytest.mark.parametrize("then", ["gone", "deleted", "replaced", "folder gone"])
def test_a_file_that_is_no_longer_there_is_not_written(sqlite: Database, path: Path, then: str) -> None:
    """
    What was moved, replaced or deleted while it was open takes no write and no read, where nobody would find them.
    """
    files = [*path.parent.glob(f"{FILE_NAME}*")]
    match then:
        case "deleted":
            for file in files:
                file.unlink()
        case "folder gone":
            path.parent.rename(path.parent.with_name(f"{path.parent.name}-gone"))
        case _:
            (path.parent / "gone").mkdir()
            for file in files:
                file.rename(path.parent / "gone" / file.name)
    if then == "replaced":
        migrate(path)

    for use in (
        lambda: sqlite.transact(deposit(1)),
        lambda: sqlite.accept(builders.request()),
        lambda: sqlite.read(balance_micros),
    ):
        with pytest.raises(StorageError, match="The database file was moved or replaced"):
            use()


def test_a_file_that_was_put_back_goes_on(sqlite: Database, path: Path) -> None:
    """
    Nothing was lost, and nothing was written meanwhile.
    """
    gone = path.parent / "gone"
    gone.mkdir()
    for file in path.parent.glob(f"{FILE_NAME}*"):
        file.rename(gone / file.name)
    with pytest.raises(StorageError):
        sqlite.transact(deposit(1))

    for file in gone.iterdir():
        file.rename(path.parent / file.name)

    assert sqlite.transact(deposit(2)) == 25_000_002
    assert sqlite.read(balance_micros) == 25_000_002


def test_another_process_may_write_between(sqlite: Database, path: Path) -> None:
    """
    What another connection committed is read and built upon.
    """
    _execute(path, "update wallets set balance_micros = balance_micros + 7")

    assert sqlite.read(balance_micros) == 25_000_007
    assert sqlite.transact(deposit(1)) == 25_000_008


def test_stopping_leaves_one_file(sqlite: Database, path: Path) -> None:
    """
    The write-ahead log is folded into the file, which can then be copied.
    """
    sqlite.transact(deposit(1))

    sqlite.run(sqlite.storage.stop())

    assert [path] == list(path.parent.glob("outdial.db*"))
    assert path.stat().st_size > 0


def test_every_commit_is_flushed(sqlite: Database, writers: list[sqlite3.Connection]) -> None:
    """
    The writing connection flushes at each commit, in a write-ahead log, with foreign keys on.
    """
    sqlite.restart()

    values = sqlite.transact(
        lambda _transaction: [
            writers[-1].execute(f"pragma {name}").fetchone()[0]
            for name in ("synchronous", "journal_mode", "foreign_keys")
        ]
    )

    assert values == [2, "wal", 1]


def test_a_killed_process_loses_nothing_it_acknowledged(sqlite: Database, path: Path) -> None:
    """
    After SIGKILL in the middle of its work, every deposit that was acknowledged is there, and the wallet adds up.
    """
    before = sqlite.read(balance_micros)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.contract.storage.depositor", str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(30)]
        child.kill()
        told += [int(line) for line in child.stdout.read().splitlines()]

    entries = sqlite.read(lambda reader: reader.wallets.entries(builders.ACCOUNT_ID))
    found = [entry.micros for entry in entries[1:]]
    assert told == found[: len(told)]
    assert len(found) - len(told) in (0, 1)
    assert sqlite.read(balance_micros) == before + sum(found)
