"""
A SQLite file as plain rows: read in one snapshot, filled in one transaction.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from outdial.adapters.sqlite.connection import check_file, open_reader, open_writer
from outdial.adapters.sqlite.schema import check_schema
from outdial.adapters.sqlite.statements import Statements, errors_translated
from outdial.adapters.sqlite.storage import BUSY_TIMEOUT_S, tables_on
from outdial.adapters.sqlite.workers import read_clock
from outdial.adapters.sqlite.writer import BEGIN, COMMIT
from outdial.domain.model.capacity import MICROS_PER_SECOND
from outdial.ports.archive import BATCH_ROWS, Row, Table
from outdial.ports.storage import Transaction

BEGIN_READING: Final = "begin"
WORKERS: Final = "select count(*) from workers where seen_at_micros > ? - ?"


@attrs.frozen
class SqliteSnapshot:
    """
    What one connection sees in its transaction.
    """

    _connection: sqlite3.Connection

    def count(self, table: Table) -> int:
        """
        Return how many rows a table has.
        """
        ((count,),) = self._statements.all(f"select count(*) from {table.name}")
        return int(count)

    def rows(self, table: Table) -> Iterator[Sequence[Row]]:
        """
        Yield all rows of a table in the order of their keys.
        """
        columns, order = ", ".join(table.columns), ", ".join(table.columns[: table.key])
        with errors_translated():
            found = self._connection.execute(f"select {columns} from {table.name} order by {order}")
            batch = found.fetchmany(BATCH_ROWS)
        while batch:
            yield batch
            with errors_translated():
                batch = found.fetchmany(BATCH_ROWS)

    def workers(self, *, heard_within_s: float) -> int:
        """
        Return how many processes that dial were heard of lately; the one that dials from a file need not tell.
        """
        sql = self._statements
        ((count,),) = sql.all(WORKERS, read_clock(sql), round(heard_within_s * MICROS_PER_SECOND))
        return int(count)

    @property
    def _statements(self) -> Statements:
        return Statements(self._connection)


@attrs.frozen
class SqliteFilling(SqliteSnapshot):
    """
    The same with writes.
    """

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """
        Store new rows as they are.
        """
        places = ", ".join("?" * len(table.columns))
        self._statements.write_all(f"insert into {table.name} ({', '.join(table.columns)}) values ({places})", rows)

    def number_on(self) -> None:
        """
        Do nothing: numbers follow from the rows.
        """

    @property
    def transaction(self) -> Transaction:
        """
        The transaction itself.
        """
        return tables_on(self._connection)


@attrs.frozen
class SqliteArchive:
    """
    A file whose schema `migrate` made.
    """

    _path: Path
    _busy_timeout_s: float = BUSY_TIMEOUT_S

    @contextmanager
    def reading(self) -> Iterator[SqliteSnapshot]:
        """
        Open a snapshot.
        """
        with self._opened(open_reader, BEGIN_READING) as connection:
            yield SqliteSnapshot(connection)

    @contextmanager
    def filling(self) -> Iterator[SqliteFilling]:
        """
        Open a transaction; nobody else writes the file meanwhile.
        """
        with self._opened(open_writer, BEGIN) as connection:
            yield SqliteFilling(connection)
            with errors_translated():
                connection.execute(COMMIT)

    @contextmanager
    def _opened(self, open_connection: Callable[..., sqlite3.Connection], begin: str) -> Iterator[sqlite3.Connection]:
        check_file(self._path)
        with errors_translated():
            connection = open_connection(self._path, busy_timeout_s=self._busy_timeout_s)
        try:
            with errors_translated():
                check_schema(connection, self._path)
                connection.execute(begin)
            yield connection
        finally:
            connection.close()  # undoes what was not committed
