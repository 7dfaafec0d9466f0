"""
Running SQL on one connection, inside a transaction that somebody else began.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs
from psycopg.pq import TransactionStatus

from outdial.adapters.postgres.connection import Connection
from outdial.adapters.postgres.errors import errors_translated
from outdial.adapters.relational.values import Row
from outdial.domain.model.identifiers import ID_MAX
from outdial.ports.errors import StorageError

Value = int | float | str | bytes | None
Values = Mapping[str, Value | Sequence[Value]]
Step = tuple[str, Values]
"""A statement and its values."""

_UNSTORABLE: Final = "A number has more than 64 bits, or a text holds a NUL or a lone surrogate. Nothing was written."


@attrs.frozen(kw_only=True)
class Statements:
    """
    SQL on one connection.

    Attributes:
        is_writing: Whether what is read is about to be changed, and so is locked.
    """

    connection: Connection
    is_writing: bool

    def one(self, sql: str, **values: Value) -> Row | None:
        """
        Return the first row, or `None`.
        """
        found = self.all(sql, **values)
        return found[0] if found else None

    def all(self, sql: str, **values: Value | Sequence[Value]) -> list[Row]:
        """
        Return all rows; none when a value is one that no row can have.
        """
        if not _are_storable(values.values()):
            return []
        self.check_open()
        with errors_translated(self.connection):
            return self.connection.execute(sql.encode(), values).fetchall()

    def together(self, steps: Sequence[Step]) -> list[list[Row]]:
        """
        Run statements one after the other in one round trip, and return the rows of each.

        Raises:
            StorageError: One failed, or a value can't be stored.
        """
        if not all(_are_storable(values.values()) for _sql, values in steps):
            raise StorageError(_UNSTORABLE)
        self.check_open()
        with errors_translated(self.connection):
            with self.connection.pipeline():
                cursors = [self.connection.execute(sql.encode(), values) for sql, values in steps]
            return [cursor.fetchall() if cursor.description is not None else [] for cursor in cursors]

    def write(self, sql: str, values: Values) -> int:
        """
        Write, and return how many rows were.
        """
        if not _are_storable(values.values()):
            raise StorageError(_UNSTORABLE)
        self.check_open()
        with errors_translated(self.connection):
            return self.connection.execute(sql.encode(), values).rowcount

    def check_open(self) -> None:
        """
        Refuse to go on once the transaction has failed: a statement alone would be kept, a commit would do nothing.
        """
        if self.connection.info.transaction_status != TransactionStatus.INTRANS:
            raise StorageError("The transaction was given up. Nothing was written.")


def is_storable(value: Value) -> bool:
    """
    Tell whether a column can hold a value: integers of 64 bits, texts without NUL and lone surrogates.
    """
    if isinstance(value, int):
        return -ID_MAX - 1 <= value <= ID_MAX
    if isinstance(value, str):
        return "\x00" not in value and _is_unicode(value)
    return True


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _are_storable(values: Iterable[Value | Sequence[Value]]) -> bool:
    return all(
        all(map(is_storable, value)) if isinstance(value, list | tuple) else is_storable(value)  # type: ignore[arg-type]
        for value in values
    )
