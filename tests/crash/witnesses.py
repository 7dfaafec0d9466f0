"""
What is known when a schedule is over: from the network, the receiver of webhooks, the clients and the database.

The database is read by statements of these tests, beside outdial's own.
"""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import psycopg

TERMINAL: Final = "('settled', 'revealed', 'canceled', 'blocked')"
OPEN: Final = (
    f"select (select count(*) from calls where state not in {TERMINAL})"
    " + (select count(*) from webhook_deliveries where state in ('pending', 'sending'))"
)
FRAME_BYTES: Final = 24 + 4096
"""SQLite, "Database File Format", 4.1: a page, and 24 bytes before it."""


@attrs.frozen(kw_only=True)
class Order:
    """
    A line of the network's log.
    """

    attempt_id: str
    callee: str
    fault: str
    is_accepted: bool
    at: float

    @property
    def call_id(self) -> str:
        """
        The call that it was for.
        """
        return self.attempt_id.rpartition("_")[0]


@attrs.frozen(kw_only=True)
class Happening:
    """
    A line of the network's log of what became of its calls.

    Attributes:
        event: `answered`, `words` or `over`.

        words: Whose words whoever answered heard first: the agent's or the apology's.
    """

    attempt_id: str
    callee: str
    event: str
    at: float
    words: str = ""

    @property
    def call_id(self) -> str:
        """
        The call that it was for.
        """
        return self.attempt_id.rpartition("_")[0]


@attrs.frozen(kw_only=True)
class Message:
    """
    A line of the receiver's log.
    """

    id: str
    sha256: str
    status: str
    body: str


@attrs.frozen(kw_only=True)
class Answered:
    """
    What a client was told.

    Attributes:
        key: The `Idempotency-Key` that it asked with.
    """

    key: str
    callee: str
    status: int
    body: str


@attrs.define
class Answers:
    """
    What all clients were told, and what others did meanwhile.

    Attributes:
        listed: When numbers were on a Do-Not-Call list, at the latest.

        ended: When calls were canceled or over, at the latest, by others than their worker.
    """

    all: list[Answered] = attrs.field(factory=list)
    unanswered: int = 0
    listed: dict[str, float] = attrs.field(factory=dict)
    ended: dict[str, float] = attrs.field(factory=dict)


def read_orders(folder: Path) -> list[Order]:
    """
    Return what reached the network.
    """
    return [Order(**json.loads(line)) for line in (folder / "orders").read_text().splitlines()]


def read_happenings(folder: Path) -> list[Happening]:
    """
    Return what became of calls in the network.
    """
    return [Happening(**json.loads(line)) for line in (folder / "calls").read_text().splitlines()]


def read_messages(folder: Path) -> list[Message]:
    """
    Return what reached the receiver of webhooks.
    """
    return [Message(**json.loads(line)) for line in (folder / "messages").read_text().splitlines()]


Ask = Callable[[str], list[tuple[Any, ...]]]


@contextlib.contextmanager
def asking(database: str) -> Iterator[Ask]:
    """
    Ask a database, SQLite's or PostgreSQL's, in SQL that both understand.
    """
    if database.startswith("sqlite:///"):
        path = database.removeprefix("sqlite:///")
        opened = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            yield lambda text: opened.execute(text).fetchall()
        finally:
            opened.close()
    else:
        with psycopg.connect(database, autocommit=True) as connection:
            yield lambda text: connection.execute(text.encode()).fetchall()


async def hold_lock(database: str, seconds: float) -> None:
    """
    Keep everybody else from writing for a while.
    """
    if database.startswith("sqlite:///"):
        opened = sqlite3.connect(database.removeprefix("sqlite:///"), timeout=5, isolation_level=None)
        try:
            opened.execute("begin exclusive")
            await asyncio.sleep(seconds)
        finally:
            opened.close()
    else:
        with psycopg.connect(database) as connection:
            connection.execute("lock table calls in exclusive mode")
            await asyncio.sleep(seconds)


@contextlib.contextmanager
def kept_log(database: str) -> Iterator[None]:
    """
    Have SQLite keep its write-ahead log and only add to it, by reading from its beginning.
    """
    if not database.startswith("sqlite:///"):
        yield
        return
    opened = sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)
    try:
        opened.execute("begin")
        opened.execute("select count(*) from calls").fetchall()
        yield
    finally:
        opened.close()


def frames_in_log(database: str) -> int:
    """
    Return how many frames SQLite's write-ahead log has.
    """
    log = Path(f"{database.removeprefix('sqlite:///')}-wal")
    return log.stat().st_size // FRAME_BYTES if log.exists() else 0


def drop_connections(database: str) -> None:
    """
    Have the server close all connections to a database, as one that is started anew does; a file has none.
    """
    if not database.startswith("sqlite:///"):
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )


def is_quiet(database: str, folder: Path) -> bool:
    """
    Tell whether all calls are over, in the network as well, and all messages were sent or parked.
    """
    over = {happening.attempt_id for happening in read_happenings(folder) if happening.event == "over"}
    if any(order.is_accepted and order.attempt_id not in over for order in read_orders(folder)):
        return False
    with asking(database) as ask:
        return ask(OPEN) == [(0,)]


def open_things(database: str) -> str:
    """
    Say what is not over.
    """
    with asking(database) as ask:
        calls = ask(f"select id, state, phone_number from calls where state not in {TERMINAL}")
        mail = ask("select message_number, state, last_problem from webhook_deliveries where state <> 'delivered'")
        return f"open calls {calls}, messages {mail} at {time.strftime('%T')}"
