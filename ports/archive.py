"""
Everything that a database keeps, as plain rows: to move it into another database.

Times are whole microseconds since 1970 in UTC; sets, maps and variables are JSON texts, kept as they were written.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

import attrs

from outdial.ports.storage import Transaction

Value = int | str | bytes | None
Row = tuple[Value, ...]
"""Values in the order of the table's columns."""

BATCH_ROWS: Final = 1000
"""The most rows that are in memory at once, on each side."""


@attrs.frozen(kw_only=True)
class Table:
    """
    One kind of row.

    Attributes:
        key: How many of the first columns name a row; rows come in their order, texts compared by their bytes.
    """

    name: str
    columns: tuple[str, ...]
    key: int = 1

    def place(self, column: str) -> int:
        """
        Return where a column stands in a row.
        """
        return self.columns.index(column)


ROW_NUMBERS: Final = Table(name="row_numbers", columns=("table_name", "last"))
"""The highest row number ever given, by table; `calls` among them."""

TABLES: Final = (
    Table(
        name="accounts",
        columns=("id", "name", "currency", "created_at", "default_region", "allowed_regions", "price_caps_micros"),
    ),
    Table(
        name="api_keys",
        columns=(
            *("id", "account_id", "permissions", "secret_hash", "created_at", "expires_at", "revoked_at"),
            *("calls_per_day", "requests_per_minute"),
        ),
    ),
    Table(name="key_days", columns=("key_id", "day", "calls"), key=2),
    Table(
        name="agents",
        columns=(
            *("id", "account_id", "assistant_id", "name", "phone_number", "greeting", "instructions", "runtime"),
            *("sip_uri", "model", "voice_id", "team_id"),
        ),
    ),
    Table(name="agent_totals", columns=("agent_id", "account_id", "calls", "talk_s")),
    Table(
        name="contacts",
        columns=("id", "account_id", "first_name", "last_name", "email", "company", "timezone", "custom_context"),
    ),
    Table(
        name="contact_numbers",
        columns=("id", "contact_id", "account_id", "phone_number", "phone_type", "is_primary"),
    ),
    Table(name="dnc_lists", columns=("id", "account_id", "name", "source", "created_at")),
    Table(name="dnc", columns=("list_id", "phone_number", "reason", "listed_at", "expires_at"), key=2),
    Table(name="rates", columns=("currency", "prefix", "per_minute_micros", "increment_s", "minimum_s"), key=2),
    Table(name="wallets", columns=("account_id", "balance_micros", "held_micros", "entries", "seal")),
    Table(
        name="calls",
        columns=(
            *("id", "token", "account_id", "key_id", "agent_id", "assistant_id", "agent_name", "contact_id"),
            *("phone_number", "caller_id", "runtime", "sip_uri", "currency", "prefix", "per_minute_micros"),
            *("increment_s", "minimum_s", "hold_micros", "max_duration_s", "created_at", "expires_at"),
            *("idempotency_key", "request_digest", "trace_parent", "state", "status", "worker_id"),
            *("fence", "attempt", "dialed_at", "answered_at", "ended_at", "disposition", "cause_code", "cause_words"),
            *("cause_provisional", "talk_s", "charge_micros", "not_before", "deadline_at", "version", "hang_up_at"),
        ),
    ),
    Table(name="scripts", columns=("call_id", "greeting", "instructions", "variables")),
    Table(name="call_records", columns=("number", "call_id", "account_id", "state", "disposition", "at")),
    Table(name="call_decisions", columns=("call_id", "account_id", "policy_version", "facts", "facts_digest")),
    Table(
        name="refusals",
        columns=(
            *("number", "account_id", "key_id", "at", "reason", "problems", "phone_number", "agent_id"),
            *("policy_version", "facts", "facts_digest"),
        ),
    ),
    Table(name="incidents", columns=("number", "account_id", "call_id", "attempt", "kind", "objection", "at")),
    Table(name="ledger", columns=("account_id", "number", "kind", "micros", "call_id", "at", "seal"), key=2),
    Table(
        name="webhooks",
        columns=(
            *("id", "account_id", "url", "events", "description", "secret", "previous_secret"),
            *("previous_secret_expires_at", "disabled_reason", "created_at"),
        ),
    ),
    Table(
        name="webhook_messages",
        columns=("number", "id", "account_id", "call_id", "event_type", "at", "body"),
    ),
    Table(
        name="webhook_deliveries",
        columns=(
            *("webhook_id", "message_number", "account_id", "call_id", "state", "tries", "tries_before", "next_at"),
            *("last_status", "last_problem", "delivered_at"),
        ),
        key=2,
    ),
    Table(
        name="webhook_tries",
        columns=(*("webhook_id", "message_number", "number", "account_id", "at", "duration_ms", "status", "problem"),),
        key=3,
    ),
    ROW_NUMBERS,
)
"""All tables but those of processes that dial now; a row stands after those that it names."""


class ArchiveReader(Protocol):
    """
    One consistent snapshot.
    """

    def count(self, table: Table) -> int:
        """
        Return how many rows a table has.
        """

    def rows(self, table: Table) -> Iterator[Sequence[Row]]:
        """
        Yield all rows of a table in the order of their keys, at most `BATCH_ROWS` at once.

        Raises:
            StorageError: The database can't be read now.
        """

    def workers(self, *, heard_within_s: float) -> int:
        """
        Return how many processes that dial were heard of lately.
        """


class ArchiveWriter(ArchiveReader, Protocol):
    """
    The same in the one transaction that fills a database.
    """

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """
        Store new rows as they are.

        Raises:
            StorageError: They can't be stored; the message says why.
        """

    def number_on(self) -> None:
        """
        Have further rows numbered after those that were added.
        """

    @property
    def transaction(self) -> Transaction:
        """
        The transaction itself, for ordinary work in it; its rows are numbered on.
        """


class Archive(Protocol):
    """
    A database that is read or filled as a whole.
    """

    def reading(self) -> AbstractContextManager[ArchiveReader]:
        """
        Open a snapshot; it writes nothing.

        Raises:
            StorageError: The database is missing, or its schema is not current; the message says what to do.
        """

    def filling(self) -> AbstractContextManager[ArchiveWriter]:
        """
        Open a transaction beside which nobody else writes; whatever leaves its block by an exception undoes all of it.

        Raises:
            StorageError: As by `reading`; or the database can't be written.
        """
