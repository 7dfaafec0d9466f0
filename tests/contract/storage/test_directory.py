"""
Accounts, keys and agents.
"""

from datetime import timedelta

import pytest

from outdial.domain.model.agent import Agent
from outdial.domain.model.contact import Contact, ContactNumber
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.principal import Account, ApiKey, Permission
from outdial.domain.model.wallet import Wallet
from outdial.ports.directory import DirectoryRecord, Numbered
from outdial.ports.errors import StorageConflictError
from tests import builders
from tests.contract.storage.database import Database, furnish_other

RECORDS: tuple[DirectoryRecord, ...] = (
    builders.account(id=7),
    builders.api_key(id=7),
    builders.agent(id=7, assistant_id="assistant_seven"),
)

NUMBERED: tuple[type[Numbered], ...] = (Account, ApiKey, Agent, Contact, ContactNumber)


def test_what_was_added_is_found(database: Database) -> None:
    """
    Every kind of record comes back as it was stored.
    """
    directory = database.read(
        lambda reader: (
            reader.directory.account(builders.ACCOUNT_ID),
            reader.directory.key(builders.KEY_ID),
            reader.directory.agent(builders.ACCOUNT_ID, builders.AGENT_ID),
        )
    )

    assert directory == (builders.account(), builders.api_key(), builders.agent())


def test_what_was_never_added_is_absent(empty: Database) -> None:
    """
    An empty database answers every look-up with nothing.
    """
    found = empty.read(
        lambda reader: (
            reader.directory.account(1),
            reader.directory.key(1),
            reader.directory.agent(1, 1),
            reader.directory.agent(1, "assistant_x"),
            reader.directory.agent_of_any_account(1),
            reader.wallets.wallet(1),
        )
    )

    assert found == (None,) * 6


@pytest.mark.parametrize("number", [0, -1, 2**63, -(2**63) - 1, 2**200])
def test_a_number_that_no_row_can_have_is_absent(database: Database, number: int) -> None:
    """
    Whatever integer is asked for, the answer is that there is no such row.
    """
    found = database.read(
        lambda reader: (
            reader.directory.account(number),
            reader.directory.key(number),
            reader.directory.agent(builders.ACCOUNT_ID, number),
            reader.wallets.wallet(number),
            reader.calls.call_of_any_account(CallReference(number=number)),
        )
    )

    assert found == (None,) * 5


@pytest.mark.parametrize("text", ["\ud800", "\x00", "x\x00", "", "' or 1=1 --"])
def test_a_text_that_no_row_has_is_absent(database: Database, text: str) -> None:
    """
    Whatever text is asked for, the answer is that there is no such agent or call.
    """
    found = database.read(
        lambda reader: (
            reader.directory.agent(builders.ACCOUNT_ID, text),
            reader.calls.call_of_any_account(CallReference(number=1, token=text)),
        )
    )

    assert found == (None, None)


def test_an_agent_is_found_by_its_public_id(database: Database) -> None:
    """
    A row number and an `assistant_...` id lead to the same agent.
    """
    found = database.read(
        lambda reader: (
            reader.directory.agent(builders.ACCOUNT_ID, "assistant_abc123"),
            reader.directory.agent_of_any_account("assistant_abc123"),
            reader.directory.agent_of_any_account(builders.AGENT_ID),
        )
    )

    assert found == (builders.agent(),) * 3


def test_a_row_number_written_as_text_is_no_row_number(database: Database) -> None:
    """
    Only integers are row numbers; a text is a public id.
    """
    assert database.read(lambda reader: reader.directory.agent(builders.ACCOUNT_ID, str(builders.AGENT_ID))) is None


def test_another_accounts_rows_look_absent(database: Database) -> None:
    """
    Agents are found through their own account alone.
    """
    database.transact(furnish_other)

    found = database.read(
        lambda reader: (
            reader.directory.agent(builders.ACCOUNT_ID, 222),
            reader.directory.agent(builders.ACCOUNT_ID, "assistant_other"),
            reader.directory.agent(2, builders.AGENT_ID),
        )
    )

    assert found == (None,) * 3


def test_a_new_account_has_an_empty_wallet(empty: Database) -> None:
    """
    The wallet of a new account owns and holds nothing, in the account's currency.
    """
    empty.transact(lambda transaction: transaction.directory.add(builders.account(currency="EUR")))

    wallet = empty.read(lambda reader: reader.wallets.wallet(builders.ACCOUNT_ID))

    assert wallet == Wallet(account_id=builders.ACCOUNT_ID, currency="EUR", balance_micros=0, held_micros=0)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_taken_row_is_a_conflict(database: Database, record: DirectoryRecord) -> None:
    """
    A row number is given once for each kind of record.
    """
    database.transact(lambda transaction: transaction.directory.add(record))

    with pytest.raises(StorageConflictError):
        database.transact(lambda transaction: transaction.directory.add(record))


def test_a_taken_public_id_is_a_conflict(database: Database) -> None:
    """
    No two agents have the same `assistant_...` id, in whichever account.
    """
    database.transact(lambda transaction: transaction.directory.add(builders.account(id=2)))

    with pytest.raises(StorageConflictError):
        database.transact(lambda transaction: transaction.directory.add(builders.agent(id=7, account_id=2)))


@pytest.mark.parametrize(
    "record",
    [
        builders.api_key(id=7, account_id=9),
        builders.agent(id=7, account_id=9, assistant_id="assistant_seven"),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_missing_account_is_a_conflict(database: Database, record: DirectoryRecord) -> None:
    """
    Nothing can belong to an account that is not there.
    """
    with pytest.raises(StorageConflictError):
        database.transact(lambda transaction: transaction.directory.add(record))


@pytest.mark.parametrize(
    ("record_type", "number"),
    [
        (Account, builders.ACCOUNT_ID),
        (ApiKey, builders.KEY_ID),
        (Agent, builders.AGENT_ID),
        (Contact, builders.CONTACT_ID),
        (ContactNumber, builders.CONTACT_ID),
    ],
)
def test_a_new_number_was_never_given(database: Database, record_type: type[Numbered], number: int) -> None:
    """
    Numbers follow the highest that is stored or was given, even when the one given was not used.
    """
    first = database.transact(
        lambda transaction: (transaction.directory.next_id(record_type), transaction.directory.next_id(record_type))
    )
    second = database.transact(lambda transaction: transaction.directory.next_id(record_type))

    assert (number + 1, number + 2, number + 3) == (*first, second)


def test_the_first_number_is_one(empty: Database) -> None:
    """
    Numbers begin at 1, for each kind of its own.
    """
    numbers = empty.transact(lambda transaction: [transaction.directory.next_id(kind) for kind in NUMBERED])

    assert numbers == [1] * len(NUMBERED)


def test_a_key_is_updated_in_its_permissions_and_times_alone(database: Database) -> None:
    """
    Whose key it is and what proves it never changes.
    """
    permissions = frozenset({Permission.READ_CALLS})
    expires_at, revoked_at = builders.NOW + timedelta(days=1), builders.NOW
    changed = builders.api_key(
        permissions=permissions, expires_at=expires_at, revoked_at=revoked_at, account_id=2, secret_hash=b"other"
    )

    database.transact(lambda transaction: transaction.directory.update_key(changed))

    key = database.read(lambda reader: reader.directory.key(builders.KEY_ID))
    assert key == builders.api_key(permissions=permissions, expires_at=expires_at, revoked_at=revoked_at)


def test_updating_a_missing_key_is_a_conflict(database: Database) -> None:
    """
    Only a key that is there can be changed.
    """
    with pytest.raises(StorageConflictError):
        database.transact(lambda transaction: transaction.directory.update_key(builders.api_key(id=9)))
