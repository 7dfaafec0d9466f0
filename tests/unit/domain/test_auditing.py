"""
The audit's judgements on rows that no database would let in.
"""

from typing import Any

import pytest

from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet
from outdial.domain.service.auditing import AUDITED, EPOCH, Audit, Finding
from outdial.ports.archive import Row

TABLES = {table.name: table for table in AUDITED}
ACCOUNT = {"id": 1, "currency": "USD"}
HOLD = 1_500_000
CALL = {"id": 1, "account_id": 1, "state": "ringing", "hold_micros": HOLD, "charge_micros": 0}
MOVES = [("deposit", 25_000_000, None), ("hold", HOLD, 1)]


def _row(table: str, fields: dict[str, Any]) -> Row:
    return tuple(fields.get(column) for column in TABLES[table].columns)


def _ledger(moves: list[tuple[str, int, int | None]]) -> tuple[list[Row], Wallet]:
    """
    Return the rows of a ledger as outdial would write them, and the wallet after them.
    """
    wallet = Wallet(account_id=1, currency="USD", balance_micros=0, held_micros=0)
    rows = []
    for kind, micros, call_id in moves:
        entry = LedgerEntry(account_id=1, kind=EntryKind(kind), micros=micros, call_id=call_id, at=EPOCH)
        wallet = wallet.post(entry)
        fields = {"account_id": 1, "number": wallet.entries, "kind": kind, "micros": micros, "call_id": call_id}
        rows.append(_row("ledger", {**fields, "at": 0, "seal": wallet.seal}))
    return rows, wallet


def _wallet_row(wallet: Wallet, **changes: Any) -> Row:
    stored = {
        name: getattr(wallet, name) for name in ("account_id", "balance_micros", "held_micros", "entries", "seal")
    }
    return _row("wallets", {**stored, **changes})


def _records(*states: str) -> list[Row]:
    return [
        _row("call_records", {"number": number, "call_id": 1, "account_id": 1, "state": state, "at": 0})
        for number, state in enumerate(states, 1)
    ]


def _finding(**changed: list[Row]) -> Finding | None:
    """
    Audit an account with a ringing call, with some tables changed.
    """
    ledger, wallet = _ledger(MOVES)
    rows: dict[str, list[Row]] = {
        "accounts": [_row("accounts", ACCOUNT)],
        "wallets": [_wallet_row(wallet)],
        "calls": [_row("calls", CALL)],
        "call_records": _records("queued", "leased", "sending", "ringing"),
        "ledger": ledger,
        **changed,
    }
    audit = Audit()
    for table in AUDITED:
        finding = audit.take(table, rows[table.name])
        if finding is not None:
            return finding
    return audit.finish()


def test_a_ringing_call_is_in_order() -> None:
    """
    Its hold is open, and its records lead to its state.
    """
    assert _finding() is None


REVEALED = {**CALL, "state": "revealed"}
LOST = ("queued", "leased", "sending", "unknown", "ended", "settled", "revealed")


@pytest.mark.parametrize(
    ("call", "micros", "problem"),
    [
        (REVEALED, HOLD, None),
        (REVEALED, HOLD + 1, f"Call 1 is no loss of {HOLD + 1} micros."),
        ({**CALL, "state": "settled"}, 1, "Call 1 is no loss of 1 micros."),
    ],
)
def test_only_what_was_revealed_too_late_is_a_loss_of_the_house(
    call: dict[str, Any], micros: int, problem: str | None
) -> None:
    """
    Never more than would have been billed; it moves no wallet, and its row is sealed with the others.
    """
    ledger, wallet = _ledger([*MOVES, ("release", HOLD, 1), ("house_loss", micros, 1)])

    finding = _finding(
        wallets=[_wallet_row(wallet)],
        calls=[_row("calls", call)],
        call_records=_records(*LOST[: -1 if problem is not None and call is not REVEALED else None]),
        ledger=ledger,
    )

    assert problem == (finding.problem if finding is not None else None)


@pytest.mark.parametrize(
    ("changed", "table", "problem"),
    [
        ({"accounts": []}, "wallets", "There is no such account."),
        ({"accounts": [], "wallets": [], "calls": []}, "call_records", "The account has no call 1."),
        ({"accounts": [], "wallets": [], "call_records": []}, "ledger", "There is no such account."),
        ({"wallets": []}, "wallets", "It is missing."),
        ({"call_records": _records("leased")}, "call_records", "Call 1 can't reach leased after nothing."),
        ({"call_records": _records("queued")}, "calls", "It is ringing, which its last record does not say."),
        ({"call_records": []}, "calls", "It is ringing, which its last record does not say."),
        ({"ledger": _ledger(MOVES[:1])[0]}, "wallets", "Its held_micros is 1500000, and its ledger comes to 0."),
        (
            {"ledger": _ledger([MOVES[0], ("hold", 1, 1)])[0]},
            "ledger",
            "Call 1 has another hold.",
        ),
        ({"ledger": _ledger([*MOVES, ("hold", HOLD, 1)])[0]}, "ledger", "Call 1 has another hold."),
        ({"ledger": _ledger([MOVES[0], ("hold", HOLD, 2)])[0]}, "ledger", "The account has no call 2."),
        (
            {"ledger": _ledger([*MOVES, ("release", HOLD, 1), ("hold", HOLD, 1)])[0]},
            "ledger",
            "Call 1 has another hold.",
        ),
    ],
)
def test_what_does_not_fit_is_named(changed: dict[str, list[Row]], table: str, problem: str) -> None:
    """
    The first table that tells of it is named.
    """
    finding = _finding(**changed)

    assert finding is not None
    assert (table, problem) == (finding.table, finding.problem)


def test_more_cannot_leave_a_hold_than_it_has() -> None:
    """
    Another call's money does not make up for it.
    """
    second = {**CALL, "id": 2}
    ledger, _ = _ledger([*MOVES, ("hold", HOLD, 2), ("release", HOLD, 1), ("capture", 1, 1)])

    finding = _finding(calls=[_row("calls", CALL), _row("calls", second)], ledger=ledger)

    assert finding == Finding(
        table="ledger", key="account_id 1, number 5", problem="Call 1 has less than 1 micros left of its hold."
    )


def test_a_ledger_that_takes_more_than_there_is_is_named() -> None:
    """
    A seal that fits does not help.
    """
    (deposit, hold), _ = _ledger(MOVES)
    too_much = tuple(HOLD * 100 if value == HOLD else value for value in hold)

    finding = _finding(ledger=[deposit, too_much])

    assert finding is not None
    assert "is more than the wallet can cover" in finding.problem


def test_a_call_over_with_its_hold_open_is_named() -> None:
    """
    Nothing of a hold is left once a call is over.
    """
    finding = _finding(
        calls=[_row("calls", {**CALL, "state": "canceled"})], call_records=_records("queued", "canceled")
    )

    assert finding is not None
    assert "It is canceled, and the ledger has 1500000 micros of its hold open." == finding.problem


def test_a_value_that_is_none_is_named() -> None:
    """
    Whatever stands where a state or a number should.
    """
    finding = _finding(calls=[_row("calls", {**CALL, "hold_micros": "much"})])

    assert finding == Finding(table="calls", key="id 1", problem="It holds a value that there can't be.")
