"""
A PostgreSQL database as plain rows: read in one snapshot, filled in one transaction.

Its statements are the operator's, on the rows of all accounts. They are put together of the port's tables.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import attrs
import psycopg
from psycopg import sql

from outdial.adapters.postgres.connection import SQL as SESSION
from outdial.adapters.postgres.connection import Connection, Limits, check_server, check_version, connect
from outdial.adapters.postgres.errors import errors_translated
from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.schema import check_schema
from outdial.adapters.postgres.statements import Statements, is_storable
from outdial.adapters.postgres.storage import tables_on
from outdial.ports.archive import BATCH_ROWS, ROW_NUMBERS, Row, Table
from outdial.ports.errors import StorageError
from outdial.ports.storage import Transaction

SQL: Final = load("archive.sql")
LIMITS: Final = Limits(statement_s=0, idle_s=3600)
"""A large table takes long to read, and the other side's meanwhile is waited for."""

CALLS: Final = "calls"
"""Call numbers come from a sequence; as a row number they have this name."""

NUMBERED: Final = frozenset({"call_records", "refusals", "incidents", "webhook_messages"})
"""Tables whose column `number` counts by itself."""


class PostgresSnapshot:
    """
    What one connection sees in its transaction.
    """

    def __init__(self, connection: Connection, *, is_writing: bool = False) -> None:
        self._connection = connection
        self._statements = Statements(connection=connection, is_writing=is_writing)

    def count(self, table: Table) -> int:
        """
        Return how many rows a table has.
        """
        with errors_translated(self._connection):
            found = self._connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table.name)))
            ((count,),) = found.fetchall()
        return int(count) + (len(self._call_numbers()) if table == ROW_NUMBERS else 0)

    def rows(self, table: Table) -> Iterator[Sequence[Row]]:
        """
        Yield all rows of a table in the order of their keys.
        """
        if table == ROW_NUMBERS:
            rows = sorted([*self._call_numbers(), *(row for batch in self._stored(table) for row in batch)])
            yield from [rows] if rows else []
        else:
            yield from self._stored(table)

    def workers(self, *, heard_within_s: float) -> int:
        """
        Return how many workers were heard of lately.
        """
        ((count,),) = self._statements.all(SQL["workers"], heard_within_s=heard_within_s)
        return int(count)

    def _stored(self, table: Table) -> Iterator[Sequence[Row]]:
        text = sql.SQL("select {} from {} order by {}").format(
            _names(table.columns), sql.Identifier(table.name), _names(table.columns[: table.key])
        )
        with self._connection.cursor(name=f"outdial_{table.name}") as found:
            with errors_translated(self._connection):
                found.execute(text)
                batch = found.fetchmany(BATCH_ROWS)
            while batch:
                yield batch
                with errors_translated(self._connection):
                    batch = found.fetchmany(BATCH_ROWS)

    def _call_numbers(self) -> list[Row]:
        return [(CALLS, int(last)) for (last,) in self._statements.all(SQL["last_call_number"])]


class PostgresFilling(PostgresSnapshot):
    """
    The same with writes.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, is_writing=True)
        self._last_call: int | None = None
        self._last: dict[str, int] = {}

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """
        Store new rows as they are.
        """
        if table == ROW_NUMBERS:
            self._last_call = next((last for name, last in rows if name == CALLS), self._last_call)  # type: ignore[assignment]
            rows = [row for row in rows if row[0] != CALLS]
        if table.name in NUMBERED:
            place = table.place("number")
            self._last[table.name] = max(self._last.get(table.name, 0), *(int(row[place] or 0) for row in rows))
        self._copy(table, rows)

    def number_on(self) -> None:
        """
        Have further rows numbered after those that were added.
        """
        self._statements.all(SQL["number_calls"], last=self._last_call)
        for table, last in self._last.items():
            self._statements.all(SQL["number_rows"], table=table, last=last)

    @property
    def transaction(self) -> Transaction:
        """
        The transaction itself.
        """
        return tables_on(self._statements)

    def _copy(self, table: Table, rows: Sequence[Row]) -> None:
        for row in rows:
            if not all(map(is_storable, row)):
                key = ", ".join(map(repr, row[: table.key]))
                raise StorageError(f"Row {key} of {table.name} holds a text with a NUL, which PostgreSQL can't keep.")
        text = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table.name), _names(table.columns))
        with (
            errors_translated(self._connection),
            self._connection.cursor() as cursor,
            cursor.copy(text) as stream,
        ):
            for row in rows:
                stream.write_row(row)


@attrs.frozen
class PostgresArchive:
    """
    A database whose schema `migrate` made.
    """

    _url: str = attrs.field(repr=False)
    _limits: Limits = LIMITS

    @contextmanager
    def reading(self) -> Iterator[PostgresSnapshot]:
        """
        Open a snapshot; a replica will do.
        """
        with self._opened() as connection:
            check_version(connection.info.server_version)
            check_schema(connection)
            with errors_translated(connection):
                connection.execute(SESSION["begin_reading"].encode())
            yield PostgresSnapshot(connection)

    @contextmanager
    def filling(self) -> Iterator[PostgresFilling]:
        """
        Open a transaction; nobody else writes meanwhile.
        """
        with self._opened() as connection:
            check_server(connection)
            check_schema(connection)
            with errors_translated(connection):
                connection.execute(SESSION["begin_writing"].encode())
                connection.execute(SQL["lock_tables"].encode())
            yield PostgresFilling(connection)
            _commit(connection)

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        connection = connect(self._url, self._limits)
        try:
            yield connection
        finally:
            connection.close()  # undoes what was not committed


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _commit(connection: Connection) -> None:
    try:
        connection.execute(SESSION["commit"].encode())
    except psycopg.Error as error:
        raise StorageError(
            "The commit was not answered, so that nobody knows whether it was written: run this again, it says so."
        ) from error
