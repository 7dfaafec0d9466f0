"""
Negative controls: each promise of PostgreSQL's adapter is broken once, and its check must notice.
"""

import functools
from collections.abc import Callable, Iterable
from functools import partial

import pytest

from outdial.adapters.postgres import calls, contacts, decisions, do_not_call, incidents, outbox, snapshot, wallets
from outdial.adapters.postgres.connection import Limits
from outdial.adapters.postgres.guards import guard_of
from outdial.adapters.postgres.storage import PostgresStorage
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.errors import StorageError
from tests.contract.storage import (
    test_acceptance,
    test_calls,
    test_contacts,
    test_decisions,
    test_deliveries,
    test_hang_ups,
    test_incidents,
    test_outbox_overlaps,
    test_overlaps,
    test_places,
    test_wallets,
)
from tests.contract.storage.database import Database
from tests.postgres import test_workers
from tests.postgres.conftest import Run

Break = Callable[[pytest.MonkeyPatch], None]
Check = Callable[[Database], None]
BRIEF = Limits(lock_s=1.5)
NOTICED = (AssertionError, StorageError, pytest.fail.Exception)


def _replace(monkeypatch: pytest.MonkeyPatch, queries: dict[str, str], name: str, old: str, new: str) -> None:
    assert old in queries[name]
    monkeypatch.setitem(queries, name, queries[name].replace(old, new))


def _without_wallet_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(wallets.SQL, "wallet_to_change", wallets.SQL["wallet"])


def _without_wallet_lock_of_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, snapshot.SQL, "wallets", "for no key update of wallets", "")


def _without_shared_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, do_not_call.SQL, "share_guards", "pg_advisory_xact_lock_shared(guard)", "guard")


def _without_held_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(do_not_call.SQL, "hold_guards", "select %(guards)s::bigint[]")


def _without_operators_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    def own_guards_of(callees: Iterable[tuple[int, PhoneNumber]]) -> list[int]:
        return sorted({guard_of(account_id, number.e164) for account_id, number in callees})

    for module in (snapshot, do_not_call):
        monkeypatch.setattr(module, "guards_of", own_guards_of)


def _without_version(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, calls.SQL, "save", "and version = %(version_before)s", "and %(version_before)s < 9")


def _without_account(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, calls.SQL, "call", "and account_id = %(account_id)s", "and %(account_id)s > 0")


def _without_token(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(
        monkeypatch, calls.SQL, "call", "token = coalesce(%(token)s, token)", "%(token)s::text is distinct from ''"
    )


def _without_clients_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(calls.SQL, "call_to_change", calls.SQL["call"])


def _without_workers_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(calls.SQL, "call_of_any_account_to_change", calls.SQL["call_of_any_account"])


def _without_skipping(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, calls.SQL, "queued", "skip locked", "")


def _overlooking_what_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(
        monkeypatch, calls.SQL, "live_to_change", "for no key update of calls", "for no key update of calls skip locked"
    )


def _without_queue_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, calls.SQL, "queued", "for no key update of calls skip locked", "")


def _without_ledger_order(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, wallets.SQL, "entries", "order by number", "order by number desc")


def _without_account_of_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, snapshot.SQL, "dnc_entries", "account_id = wanted_account", "account_id <> wanted_account")


def _without_account_of_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, decisions.SQL, "refusal", "account_id = %(account_id)s", "%(account_id)s > 0")


def _without_account_of_incidents(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, incidents.SQL, "incidents", "account_id = %(account_id)s", "%(account_id)s > 0")


def _without_account_of_grounds(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, decisions.SQL, "grounds", "account_id = %(account_id)s", "%(account_id)s > 0")


def _without_contact_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(contacts.SQL, "contact_to_change", contacts.SQL["contact"])


def _without_account_of_contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, contacts.SQL, "contact", "account_id = %(account_id)s", "%(account_id)s > 0")


OVERLAPS: tuple[tuple[Break, Check], ...] = (
    (_without_wallet_lock, test_overlaps.check_two_deposits),
    (_without_wallet_lock_of_batches, test_overlaps.check_two_acceptances),
    (_without_shared_guard, test_overlaps.check_listing_waits_for_acceptance),
    (_without_shared_guard, test_overlaps.check_listing_waits_for_dialling),
    (_without_shared_guard, test_overlaps.check_dialling_waits_for_listing),
    (_without_held_guard, test_overlaps.check_listing_waits_for_acceptance),
    (_without_held_guard, test_overlaps.check_listing_waits_for_dialling),
    (_without_held_guard, test_overlaps.check_dialling_waits_for_listing),
    (_without_operators_guard, partial(test_overlaps.check_listing_waits_for_acceptance, owner=None)),
    (_without_operators_guard, partial(test_overlaps.check_listing_waits_for_dialling, owner=None)),
    (_without_operators_guard, partial(test_overlaps.check_dialling_waits_for_listing, owner=None)),
    (_without_clients_lock, test_hang_ups.check_dialling_waits_for_canceling),
    (_without_clients_lock, test_hang_ups.check_two_hang_ups),
    (_without_workers_lock, test_hang_ups.check_canceling_waits_for_dialling),
    (_without_workers_lock, test_hang_ups.check_hanging_up_waits_for_the_end),
    (_without_contact_lock, test_contacts.check_two_changes),
    (_overlooking_what_is_locked, test_places.check_entering_waits_for_a_call_in_other_hands),
    (_without_skipping, test_workers.check_two_workers_lease_side_by_side),
)


def _named(controls: tuple[tuple[Break, Check], ...]) -> list[str]:
    names = [getattr(check, "func", check).__name__ for _break_it, check in controls]
    return [f"{break_it.__name__.strip('_')}-{name}" for (break_it, _check), name in zip(controls, names, strict=True)]


@pytest.mark.parametrize(("break_it", "check"), OVERLAPS, ids=_named(OVERLAPS))
def test_without_its_lock_an_overlap_is_noticed(
    url: str, monkeypatch: pytest.MonkeyPatch, break_it: Break, check: Check
) -> None:
    """
    A forced overlap fails on an adapter that lost its lock.
    """
    break_it(monkeypatch)
    database = test_overlaps.furnish_for_one_call(Database(functools.partial(PostgresStorage, url, limits=BRIEF)))

    with pytest.raises(AssertionError):
        check(database)

    database.close()


def _without_lock_of_webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(outbox.SQL, "webhook_to_change", outbox.SQL["webhook"])


def _without_lock_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(outbox.SQL, "line_to_change", outbox.SQL["line"])


def _without_account_of_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(monkeypatch, outbox.SQL, "newest", "account_id = %(account_id)s", "account_id < %(account_id)s + 9")


CONTROLS: tuple[tuple[Break, Check], ...] = (
    (_without_lock_of_webhooks, test_outbox_overlaps.check_two_workers_take_different_messages),
    (_without_lock_of_lines, test_outbox_overlaps.check_an_end_is_saved_while_the_answer_is_delivered),
    (_without_lock_of_lines, test_outbox_overlaps.check_an_answer_is_delivered_while_the_end_is_saved),
    (_without_account_of_deliveries, test_deliveries.test_deliveries_are_listed_newest_first_and_by_state),
    (_without_version, lambda database: test_calls.test_a_write_over_another_version_is_a_conflict(database, 0)),
    (_without_account, test_calls.test_a_wrong_token_or_account_is_like_a_wrong_row),
    (_without_token, test_calls.test_a_wrong_token_or_account_is_like_a_wrong_row),
    (_without_queue_lock, test_workers.check_two_workers_lease_side_by_side),
    (_without_ledger_order, test_wallets.test_each_kind_of_entry_moves_the_wallet),
    (_without_account_of_entries, test_acceptance.test_the_facts_hold_everything_a_rule_may_see),
    (
        _without_account_of_contacts,
        lambda database: test_contacts.test_another_accounts_contact_looks_absent(database, 2222),
    ),
    (_without_account_of_refusals, test_decisions.test_refusals_are_the_accounts_own),
    (_without_account_of_incidents, test_incidents.test_incidents_are_listed_by_account_and_over_all),
    (_without_account_of_grounds, test_decisions.test_grounds_of_others_are_none),
)


@pytest.mark.parametrize(("break_it", "check"), CONTROLS, ids=_named(CONTROLS))
def test_a_broken_promise_is_noticed(
    database: Database, monkeypatch: pytest.MonkeyPatch, break_it: Break, check: Check
) -> None:
    """
    A check of the contract fails on the broken adapter.
    """
    break_it(monkeypatch)

    with pytest.raises(NOTICED):
        check(database)


def test_without_its_unique_constraint_a_second_capture_is_noticed(
    database: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A ledger that takes an entry twice moves money twice, which the check sees.
    """
    run("alter table ledger drop constraint ledger_call_id_kind_key")
    _replace(monkeypatch, wallets.SQL, "post", "on conflict (call_id, kind) do nothing", "")

    with pytest.raises(pytest.fail.Exception):
        test_wallets.test_a_call_has_one_entry_of_a_kind(database)


def test_the_unique_constraint_holds_by_itself(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whatever a statement forgets, the schema refuses a second entry of a kind.
    """
    _replace(monkeypatch, wallets.SQL, "post", "on conflict (call_id, kind) do nothing", "")

    test_wallets.test_a_call_has_one_entry_of_a_kind(database)
