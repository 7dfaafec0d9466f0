"""
Negative controls: each promise of the suite is broken once in SQLite, and its check must notice.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from outdial.adapters.sqlite import calls, connection, contacts, decisions, incidents, snapshot, wallets, writer
from outdial.ports.errors import StorageError
from tests import builders
from tests.contract.storage import (
    test_acceptance,
    test_calls,
    test_contacts,
    test_decisions,
    test_directory,
    test_incidents,
    test_overlaps,
    test_sqlite_commits,
    test_sqlite_plans,
    test_transactions,
    test_wallets,
)
from tests.contract.storage.database import Database, furnish, open_sqlite

Break = Callable[[pytest.MonkeyPatch], None]
NOTICED = (AssertionError, StorageError, pytest.fail.Exception)


def _without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BEGIN", "begin deferred")


def _without_savepoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROLLBACK_TO", "select 1")


def _without_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "SAVE", calls.SAVE.replace("and version = ?", "and ? is not null"))


def _without_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "CALL", calls.CALL.replace("token = coalesce(?, token)", "? is not 1"))


def _without_foreign_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITER_PRAGMAS", (*connection.WRITER_PRAGMAS, "foreign_keys = off"))


def _without_query_only(monkeypatch: pytest.MonkeyPatch) -> None:
    opening = partial(connection._open, mode="rw", pragmas=connection.COMMON_PRAGMAS, check_same_thread=False)  # noqa: SLF001
    monkeypatch.setattr(connection, "open_reader", opening)


def _without_ledger_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wallets, "ENTRIES", wallets.ENTRIES.replace("order by number", "order by number desc"))


def _without_account_of_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = snapshot.DNC_ENTRIES.replace("account_id = json", "account_id <> json")
    monkeypatch.setattr(snapshot, "DNC_ENTRIES", wrong)


def _without_account_of_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "REFUSAL", decisions.REFUSAL.replace("account_id = ?", "? > 0"))


def _without_account_of_incidents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "OF_ACCOUNT", incidents.OF_ACCOUNT.replace("account_id = ?", "? > 0"))


def _without_account_of_grounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "GROUNDS", decisions.GROUNDS.replace("account_id = ?", "? > 0"))


def _without_account_of_contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "CONTACT", contacts.CONTACT.replace("account_id = ?", "? > 0"))


def _without_account_of_deleted_contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DELETE_NUMBERS", "DELETE_CONTACT"):
        monkeypatch.setattr(contacts, name, getattr(contacts, name).replace("account_id = ?", "? > 0"))


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Break | None], Database]:
    """
    Open a furnished SQLite database whose adapter is then broken.
    """
    path = tmp_path / "broken"
    path.mkdir()
    open_storage = open_sqlite(path)
    first = Database(open_storage)
    first.transact(furnish)
    first.close()

    def open_broken(break_it: Break | None) -> Database:
        if break_it is not None:
            break_it(monkeypatch)
        return Database(open_storage)

    return open_broken


@pytest.mark.parametrize("check", test_overlaps.CHECKS, ids=lambda check: check.__name__)
def test_without_the_write_lock_the_second_overtakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Callable[[Database], None]
) -> None:
    """
    A transaction that begins deferred is noticed by every forced overlap.
    """
    _without_lock(monkeypatch)
    database = test_overlaps.furnish_for_one_call(Database(open_sqlite(tmp_path)))

    with pytest.raises(AssertionError, match="did not wait"):
        check(database)

    database.close()


CONTROLS: tuple[tuple[Break, Callable[[Database], None]], ...] = (
    (_without_savepoint, test_transactions.test_a_failing_work_disturbs_no_other),
    (_without_version, lambda database: test_calls.test_a_write_over_another_version_is_a_conflict(database, 0)),
    (_without_token, test_calls.test_a_wrong_token_or_account_is_like_a_wrong_row),
    (
        _without_foreign_keys,
        lambda database: test_directory.test_a_missing_account_is_a_conflict(
            database, builders.api_key(id=7, account_id=9)
        ),
    ),
    (_without_query_only, test_sqlite_commits.test_a_read_can_not_write),
    (_without_ledger_order, test_wallets.test_each_kind_of_entry_moves_the_wallet),
    (_without_account_of_entries, test_acceptance.test_the_facts_hold_everything_a_rule_may_see),
    (_without_account_of_refusals, test_decisions.test_refusals_are_the_accounts_own),
    (_without_account_of_incidents, test_incidents.test_incidents_are_listed_by_account_and_over_all),
    (
        _without_account_of_contacts,
        lambda database: test_contacts.test_another_accounts_contact_looks_absent(database, 2222),
    ),
    (
        _without_account_of_deleted_contacts,
        test_contacts.test_nobody_deletes_or_replaces_another_accounts_contact,
    ),
    (_without_account_of_grounds, test_decisions.test_grounds_of_others_are_none),
)


@pytest.mark.parametrize(
    ("break_it", "check"), CONTROLS, ids=[break_it.__name__.strip("_") for break_it, _check in CONTROLS]
)
def test_a_broken_promise_is_noticed(
    broken: Callable[[Break | None], Database], break_it: Break, check: Callable[[Database], None]
) -> None:
    """
    The check passes on the adapter as it is, and fails on the broken one.
    """
    database = broken(break_it)

    with pytest.raises(NOTICED):
        check(database)

    database.close()


@pytest.mark.parametrize(
    ("table", "check"),
    [
        ("agents", test_directory.test_a_taken_public_id_is_a_conflict),
        ("ledger", test_wallets.test_a_call_has_one_entry_of_a_kind),
    ],
    ids=["agents", "ledger"],
)
def test_without_a_unique_index_a_double_is_noticed(
    tmp_path: Path, table: str, check: Callable[[Database], None]
) -> None:
    """
    A table that lost its UNIQUE lets a double in, which the check sees.
    """
    open_storage = open_sqlite(tmp_path)
    _forget_unique(next(tmp_path.glob("*.db")), table)
    database = Database(open_storage)
    database.transact(furnish)

    with pytest.raises(NOTICED):
        check(database)

    database.close()


def test_without_the_index_of_live_calls_the_scan_is_noticed(tmp_path: Path, path: Path) -> None:
    """
    A queue that can't be read from its own index shows as a scan.
    """
    test_sqlite_plans.open_large(tmp_path)
    queue = calls.CALLS_LIVE.replace("state not in", "token not in").replace("?", "1")

    plans = test_sqlite_plans.plans_of(path, {queue})

    assert {queue} == test_sqlite_plans.scans_of(plans).keys()


def _forget_unique(path: Path, table: str) -> None:
    """
    Make a table anew without its UNIQUE, while it is empty.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as opened:
        (sql,) = opened.execute("select sql from sqlite_schema where name = ?", (table,)).fetchone()
        opened.execute(f"drop table {table}")
        opened.execute(
            sql.replace("text not null unique", "text not null").replace("unique (call_id, kind)", "check (1)")
        )
