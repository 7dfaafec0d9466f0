"""
`outdial audit` finds every single row that was tampered with, and nothing where all is in order.
"""

from pathlib import Path

import pytest

from outdial.domain.model.lifecycle import State
from outdial.entrypoints.auditing import Audited, audit
from outdial.entrypoints.copying import Progress
from tests.contract.storage.database import furnish, furnish_other
from tests.copying.databases import KINDS, Place, place
from tests.service.calls import in_state

STATES = (*(state for state in State if state not in {State.QUEUED, State.CANCELED}), State.QUEUED)
"""One call in each state; the queued one last, as others take what is queued on their way."""

UNLOCK = {
    "sqlite": ("drop trigger ledger_keeps_its_rows", "drop trigger ledger_loses_no_rows"),
    "postgres": ("alter table ledger disable trigger ledger_keeps_its_rows",),
}
"""What somebody with all rights to the database has to do first."""

SETTLED = "select id from calls where state = 'settled'"
LIVE = "select id from calls where state = 'ringing'"

TAMPERED = {
    "a deposit was raised": ("update ledger set micros = micros + 1 where number = 1", "ledger", "seal"),
    "a time was moved": ("update ledger set at = at + 1 where number = 2", "ledger", "seal"),
    "a row is missing": ("delete from ledger where number = 3", "ledger", "Row 3 of the ledger is missing."),
    "the last row is missing": ("delete from ledger where number = (select max(number) from ledger)", "wallets", ""),
    "a row moved to another call": (
        f"update ledger set call_id = ({LIVE}) where kind = 'release' and call_id = ({SETTLED})",
        "ledger",
        "seal",
    ),
    "a balance was raised": ("update wallets set balance_micros = balance_micros + 1", "wallets", "balance_micros"),
    "a hold was forgotten": (
        "update wallets set held_micros = held_micros - 1 where account_id = 1",
        "wallets",
        "held_micros",
    ),
    "a seal was copied": ("update wallets set seal = (select seal from ledger where number = 1)", "wallets", "seal"),
    "a charge was lowered": (f"update calls set charge_micros = 1 where id = ({SETTLED})", "calls", "another charge"),
    "a charge is more than the hold": (
        f"update calls set charge_micros = hold_micros + 1 where id = ({SETTLED})",
        "calls",
        "not within its hold",
    ),
    "a charge came too early": (f"update calls set charge_micros = 1 where id = ({LIVE})", "calls", "not over"),
    "a hold was changed": (f"update calls set hold_micros = hold_micros + 1 where id = ({LIVE})", "ledger", "hold"),
    "a call was reopened": (f"update calls set state = 'queued' where id = ({SETTLED})", "calls", "not over"),
    "a call was closed": (f"update calls set state = 'canceled' where id = ({LIVE})", "calls", "last record"),
    "a state is none": ("update calls set state = 'done' where id = 1", "calls", "can't be"),
    "a record is missing": (
        f"delete from call_records where state = 'leased' and call_id = ({SETTLED})",
        "call_records",
        "can't reach",
    ),
    "a record was added": (
        f"update call_records set call_id = ({LIVE}) where state = 'settled'",
        "call_records",
        "can't reach settled",
    ),
    "a record names nobody's call": ("update call_records set account_id = 2 where number = 1", "call_records", "no"),
}


@pytest.fixture(params=KINDS)
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """
    A database of each kind, with a call in each state and a second account.
    """
    made = place(request.param, tmp_path, "audited.db")
    with made.opened() as database:
        database.transact(furnish)
        database.transact(furnish_other)
        for state in STATES:
            in_state(database, state)
    return made


def _audit(books: Place) -> Audited:
    return audit(books.settings, on_progress=lambda _progress: None)


def test_what_outdial_writes_is_in_order(books: Place) -> None:
    """
    Every state of a call, ended or not, and accounts without any.
    """
    audited = _audit(books)

    assert audited.finding is None
    assert (2, len(STATES)) == (audited.rows["accounts"], audited.rows["calls"])
    assert audited.rows["ledger"] > audited.rows["calls"]


@pytest.mark.parametrize(("statement", "table", "problem"), TAMPERED.values(), ids=TAMPERED.keys())
def test_every_tampering_is_found(books: Place, statement: str, table: str, problem: str) -> None:
    """
    The first row that is wrong is named, with what is wrong with it.
    """
    for text in (*UNLOCK["sqlite" if books.path is not None else "postgres"], statement):
        books.run(text)

    finding = _audit(books).finding

    assert finding is not None
    assert table == finding.table
    assert problem in finding.problem


@pytest.mark.parametrize("statement", ["update ledger set micros = 1 where number = 1", "delete from ledger"])
def test_a_ledger_is_only_added_to(books: Place, statement: str) -> None:
    """
    The database itself refuses, whoever asks.
    """
    with pytest.raises(Exception, match="a ledger is only added to"):
        books.run(statement)

    assert _audit(books).finding is None


def test_an_audit_reads_what_was_committed_when_it_began(books: Place) -> None:
    """
    What others write meanwhile is not mixed into it.
    """
    with books.opened() as database:

        def write(_progress: Progress) -> None:
            in_state(database, State.SETTLED)

        audited = audit(books.settings, on_progress=write)

    assert audited.finding is None
    assert (len(STATES), None) == (audited.rows["calls"], _audit(books).finding)
