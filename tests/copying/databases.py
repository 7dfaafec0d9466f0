"""
Databases to copy from and to, looked at beside outdial.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import psycopg

from outdial.adapters.sqlite.schema import migrate
from outdial.entrypoints import composition
from outdial.entrypoints.copying import Copied, OnProgress, Progress, copy
from outdial.entrypoints.settings import Settings
from outdial.ports.archive import ROW_NUMBERS, TABLES, Archive
from tests import builders
from tests.contract.storage.database import Database
from tests.postgres.databases import new_database

KINDS: Final = ("sqlite", "postgres")
DIRECTIONS: Final = (("sqlite", "postgres"), ("postgres", "sqlite"), ("sqlite", "sqlite"), ("postgres", "postgres"))

MANY_CALLS: Final = """
    create temporary table numbers as
        with recursive counted (n) as (select 1 union all select n + 1 from counted where n < :calls)
        select n, n % :open_each = 0 as is_open from counted;
    insert into calls (id, token, account_id, agent_id, assistant_id, agent_name, phone_number, caller_id, runtime,
        currency, prefix, per_minute_micros, increment_s, minimum_s, hold_micros, max_duration_s, created_at,
        expires_at, state, status, fence, attempt, talk_s, charge_micros, version)
        select n, 'tttttttttttt', 1, 1, 'assistant_1', 'Agent', '+15551234567', '+15555550100', 'announce',
            'USD', '', 50000, 60, 0, 50000, 60, n, n,
            case when is_open then 'queued' else 'settled' end, case when is_open then 'queued' else 'failed' end,
            0, 0, 0, 0, 0 from numbers;
    insert into scripts (call_id, greeting, instructions, variables) select n, 'Hello.', '', '{}' from numbers;
    insert into call_records (number, call_id, account_id, state, at) select n, n, 1, 'queued', n from numbers;
    insert into ledger values (1, 0, 'deposit', 50000 * :calls, null, 0, zeroblob(32));
    insert into ledger select 1, n, 'hold', 50000, n, n, zeroblob(32) from numbers;
    insert into ledger select 1, :calls + n, 'release', 50000, n, n, zeroblob(32) from numbers where not is_open;
    update wallets set balance_micros = 50000 * :calls,
        entries = 2 * :calls,
        held_micros = 50000 * (select count(*) from numbers where is_open);
    insert into row_numbers values ('calls', :calls)
"""

Content = dict[str, list[tuple[Any, ...]]]


@attrs.frozen
class Place:
    """
    A database at an address.
    """

    url: str

    @property
    def settings(self) -> Settings:
        """
        Settings that name it.
        """
        return Settings(database=self.url)

    @property
    def archive(self) -> Archive:
        """
        The database as a whole.
        """
        return composition.archive(self.settings)

    @contextmanager
    def opened(self) -> Iterator[Database]:
        """
        Open it as outdial does.
        """
        database = Database(lambda: composition.storage(self.settings))
        try:
            yield database
        finally:
            database.close()

    def run(self, text: str) -> list[Any]:
        """
        Run SQL in it, beside outdial.
        """
        if self.path is not None:
            with closing(sqlite3.connect(self.path, isolation_level=None)) as file:
                return file.execute(text).fetchall()
        with psycopg.connect(self.url, autocommit=True) as server:
            cursor = server.execute(text.encode())
            return cursor.fetchall() if cursor.description is not None else []

    def content(self) -> Content:
        """
        Return all rows of all tables, in order.
        """
        found = {
            table.name: sorted(self.run(f"select {', '.join(table.columns)} from {table.name}")) for table in TABLES
        }
        if self.path is None:
            numbers = self.run("select 'calls', last_value from call_numbers where is_called")
            found[ROW_NUMBERS.name] = sorted(found[ROW_NUMBERS.name] + numbers)
        return found

    def is_empty(self) -> bool:
        """
        Tell whether no table has a row; numbers that a lost transaction asked for are lost as well.
        """
        return not any(rows for name, rows in self.content().items() if name != ROW_NUMBERS.name)

    @property
    def path(self) -> Path | None:
        """
        The file, if it is one.
        """
        return composition.database_path(self.settings)


def place(kind: str, folder: Path, name: str = "outdial.db") -> Place:
    """
    Make an empty, migrated database.
    """
    if kind == "postgres":
        return Place(new_database())
    migrate(folder / name)
    return Place(f"sqlite:///{folder / name}")


def copied(source: Place, target: Place, on_progress: OnProgress = lambda _progress: None) -> Copied:
    """
    Copy a database.
    """
    return copy(source.settings, target.settings, clock=composition.clock(), on_progress=on_progress)


def furnish_many(source: Place, *, calls: int, open_each: int = 100) -> None:
    """
    Store in a file an account with a deposit and many calls of 0.05, settled for nothing; some are queued.

    Args:
        open_each: Each call whose number this divides is queued.
    """
    with source.opened() as database:
        database.transact(lambda transaction: transaction.directory.add(builders.account()))
    values = {"calls": calls, "open_each": open_each}
    with closing(sqlite3.connect(str(source.path), isolation_level=None)) as file:
        for statement in MANY_CALLS.split(";"):
            file.execute(statement, values)


def steps(reports: Sequence[Progress]) -> list[str]:
    """
    Return the steps that were reported, each once, in order.
    """
    return list(dict.fromkeys(report.step.value for report in reports))
