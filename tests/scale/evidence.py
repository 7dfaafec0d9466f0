"""
What is known when all is over, from three witnesses: the clients, the network's own log, the database.

The database is read by statements of these tests, beside outdial's own.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import psycopg
from psycopg.rows import class_row

from outdial.domain.model.patience import Patience
from outdial.domain.service.reconciliation import reconcile
from outdial.entrypoints import composition
from outdial.entrypoints.settings import Settings

TERMINAL: Final = ("settled", "revealed", "canceled", "blocked")
LIVING: Final = (
    "select count(*) from calls where state not in ('settled', 'revealed', 'canceled', 'blocked', 'unknown')"
)
LONG_AFTER: Final = datetime(2100, 1, 1, tzinfo=UTC)
UNKNOWN: Final = "outcome_unknown"
CANCELED: Final = "canceled"
"""Both how calls end that clients hung up, and where those stay that were never to be dialled."""

CALLS: Final = """
    select id, format('call_%s_%s_%s', id, token, greatest(attempt, 1)) as attempt_id, attempt, state,
        disposition, fence, hold_micros, charge_micros,
        (select count(*) from call_records where call_id = calls.id and call_records.state = 'sending') as sendings
    from calls order by id
"""


@attrs.frozen(kw_only=True)
class Order:
    """
    A line of the network's log.
    """

    attempt_id: str
    callee: str
    caller_id: str
    time: str


@attrs.frozen(kw_only=True)
class CallRow:
    """
    A call as the database has it.

    Attributes:
        attempt_id: What its last attempt is called, or its first, if there was none.

        attempt: How many there were; all but the last were surely not placed.

        sendings: How often it passed its point of no return.
    """

    id: int
    attempt_id: str
    attempt: int
    state: str
    disposition: str | None
    fence: int
    hold_micros: int
    charge_micros: int
    sendings: int


@attrs.frozen(kw_only=True)
class Evidence:
    """
    What the network and the database say.

    Attributes:
        entries: Micros by call and kind; deposits belong to call 0.
    """

    orders: tuple[Order, ...]
    calls: tuple[CallRow, ...]
    entries: tuple[tuple[int, str, int], ...]
    balance_micros: int
    held_micros: int

    @property
    def dispositions(self) -> Mapping[str | None, int]:
        """
        How the calls ended.
        """
        return Counter(call.disposition for call in self.calls)

    def micros(self, kind: str) -> int:
        """
        Return the sum of a kind of entry.
        """
        return sum(micros for _call, entry_kind, micros in self.entries if entry_kind == kind)


def read_orders(path: Path) -> tuple[Order, ...]:
    """
    Return what the network took so far, in the order of its log.
    """
    return tuple(Order(**json.loads(line)) for line in path.read_text().splitlines())


def read_evidence(database: str, orders: Path) -> Evidence:
    """
    Ask network and database; all wallets are taken together.
    """
    with psycopg.connect(database) as connection:
        calls = connection.cursor(row_factory=class_row(CallRow)).execute(CALLS).fetchall()
        entries = connection.execute("select coalesce(call_id, 0), kind, micros from ledger order by number").fetchall()
        wallets = connection.execute("select sum(balance_micros)::bigint, sum(held_micros)::bigint from wallets")
        balance_micros, held_micros = wallets.fetchone() or (0, 0)
    return Evidence(
        orders=read_orders(orders),
        calls=tuple(calls),
        entries=tuple((call_id, kind, micros) for call_id, kind, micros in entries),
        balance_micros=balance_micros,
        held_micros=held_micros,
    )


def check(evidence: Evidence, accepted: Collection[int]) -> None:
    """
    Hold the witnesses against each other: no call dialled twice, none lost, no money lost or made.

    Args:
        accepted: Calls that clients were told to be accepted.
    """
    by_attempt = {call.attempt_id: call for call in evidence.calls}
    dialled = Counter(order.attempt_id for order in evidence.orders)
    assert [] == [attempt_id for attempt_id, times in dialled.items() if times > 1], "A phone rang twice."
    assert dialled.keys() <= by_attempt.keys(), "A phone rang for no call."
    assert set(accepted) <= {call.id for call in evidence.calls}, "A call was lost."
    assert len(accepted) == len(set(accepted)), "Two answers name one call."
    for call in evidence.calls:
        assert call.state in TERMINAL, call
        assert call.sendings == call.attempt, call
        assert call.state == CANCELED or call.attempt > 0, call
        assert call.state != CANCELED or call.attempt_id not in dialled, "A canceled call was dialled."
        assert call.attempt_id in dialled or call.disposition in {UNKNOWN, CANCELED}, call
    _check_money(evidence)


def _check_money(evidence: Evidence) -> None:
    by_call: dict[int, dict[str, int]] = {}
    for call_id, kind, micros in evidence.entries:
        if call_id:
            of_call = by_call.setdefault(call_id, {})
            assert kind not in of_call, "A call has two entries of a kind."
            of_call[kind] = micros
    assert by_call.keys() == {call.id for call in evidence.calls}
    for call in evidence.calls:
        money = by_call[call.id]
        assert money["hold"] == call.hold_micros == money.get("capture", 0) + money.get("release", 0), call
        assert call.charge_micros == money.get("capture", 0), call
    assert evidence.micros("deposit") - evidence.micros("capture") == evidence.balance_micros, "Money was lost or made."
    assert evidence.held_micros == 0


async def until_over(database: str, *, within_s: float) -> None:
    """
    Wait until no call lives, however long the database is away meanwhile, and let deadlines of unknown ones pass.
    """
    left = await until(database, LIVING, 0, within_s=within_s)
    assert left == 0, f"{left} calls are not over after {within_s:.0f} s."
    storage = composition.storage(Settings(database=database))
    await storage.start()
    try:
        while await storage.transact(partial(reconcile, limit=1000, at=LONG_AFTER, patience=Patience())):
            pass
    finally:
        await storage.stop()


async def until(database: str, query: str, value: Any, *, within_s: float) -> Any:
    """
    Ask until the answer is the one that is waited for, and return the last one.
    """
    deadline = time.monotonic() + within_s
    while (found := await asyncio.to_thread(ask, database, query)) != value and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return found


def ask(database: str, query: str) -> Any:
    """
    Return the one value that a query gives; `None` when the database does not answer.
    """
    try:
        with psycopg.connect(database, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
    except psycopg.OperationalError:
        return None
    return None if row is None else row[0]
