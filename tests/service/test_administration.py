"""
Setting up what calls need.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

import pytest

from outdial.domain.model.identifiers import read_key
from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.principal import Permission
from outdial.domain.model.wallet import EntryKind, OverdrawnError, Wallet
from outdial.domain.service.administration import (
    account_of,
    create_account,
    create_agent,
    create_key,
    deposit,
    revoke_key,
    wallet_of,
)
from outdial.ports.errors import UnknownRecordError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, everything
from tests.service.calls import after, wallet

NOBODY: Final = 99


def test_accounts_are_numbered_when_they_are_stored(database: Database) -> None:
    """
    Each new account gets a row of its own, whatever its draft says.
    """
    draft = builders.account(id=0, name="Another")

    created = [database.transact(partial(create_account, draft=draft, balance_micros=0)) for _ in range(2)]

    assert [2, 3] == [account.id for account in created]
    assert created == [database.read(partial(account_of, account_id=account.id)) for account in created]


@pytest.mark.parametrize(("balance_micros", "entries"), [(0, []), (1, [1]), (MICROS_MAX, [MICROS_MAX])])
def test_an_account_begins_with_its_first_deposit(database: Database, balance_micros: int, entries: list[int]) -> None:
    """
    The first deposit is a row of the ledger; none leaves the ledger empty.
    """
    draft = builders.account(id=0)

    account = database.transact(partial(create_account, draft=draft, balance_micros=balance_micros))

    ledger = database.read(lambda reader: reader.wallets.entries(account.id))
    opened = database.read(partial(wallet_of, account_id=account.id))
    assert Wallet(account_id=2, currency="USD", balance_micros=balance_micros, held_micros=0) == opened
    assert entries == [entry.micros for entry in ledger]
    assert all(entry.kind is EntryKind.DEPOSIT and entry.at == account.created_at for entry in ledger)


def test_a_deposit_is_available(database: Database) -> None:
    """
    Added money can be held at once.
    """
    returned = database.transact(partial(deposit, account_id=builders.ACCOUNT_ID, micros=5, at=after(1)))

    assert 25_000_005 == returned.available_micros
    assert returned == wallet(database)


def test_a_deposit_that_no_wallet_can_hold_is_refused(database: Database) -> None:
    """
    A wallet has a limit, and what goes beyond changes nothing.
    """
    before = database.read(everything)

    with pytest.raises(OverdrawnError):
        database.transact(partial(deposit, account_id=builders.ACCOUNT_ID, micros=MICROS_MAX, at=after(1)))

    assert before == database.read(everything)


def test_a_keys_text_proves_it(database: Database) -> None:
    """
    The text that is shown once belongs to the stored key, which holds its secret's hash alone.
    """
    permissions = frozenset({Permission.READ_CALLS})
    work = partial(
        create_key,
        account_id=builders.ACCOUNT_ID,
        permissions=permissions,
        secret=builders.SECRET,
        at=after(1),
        expires_at=after(60),
    )

    key, text = database.transact(work)

    proof = read_key(text)
    assert proof is not None
    assert key.is_proved_by(proof)
    assert (permissions, after(1), after(60)) == (key.permissions, key.created_at, key.expires_at)
    assert key == database.read(lambda reader: reader.directory.key(key.id))


def test_a_key_is_revoked_once(database: Database) -> None:
    """
    The first revocation counts; asking again changes nothing.
    """
    first = database.transact(partial(revoke_key, key_id=builders.KEY_ID, at=after(1)))
    second = database.transact(partial(revoke_key, key_id=builders.KEY_ID, at=after(2)))

    assert after(1) == first.revoked_at
    assert first == second == database.read(lambda reader: reader.directory.key(builders.KEY_ID))
    assert not first.is_live(after(1))
    assert first.created_at < after(1) - timedelta(days=1)


def test_agents_are_numbered_when_they_are_stored(database: Database) -> None:
    """
    Each gets a row above those that are there, whatever its draft says.
    """
    agent = database.transact(partial(create_agent, draft=builders.agent(id=0, assistant_id="assistant_new")))

    assert builders.AGENT_ID + 1 == agent.id
    assert agent == database.read(lambda reader: reader.directory.agent(builders.ACCOUNT_ID, "assistant_new"))


WORKS_FOR_NOBODY: Final[dict[str, Callable[[Transaction], object]]] = {
    "deposit": lambda transaction: deposit(transaction, NOBODY, micros=1, at=after(1)),
    "create_key": lambda transaction: create_key(
        transaction, NOBODY, permissions=frozenset(Permission), secret=builders.SECRET, at=after(1)
    ),
    "revoke_key": lambda transaction: revoke_key(transaction, NOBODY, at=after(1)),
    "create_agent": lambda transaction: create_agent(transaction, builders.agent(id=0, account_id=NOBODY)),
    "account_of": lambda transaction: account_of(transaction, NOBODY),
    "wallet_of": lambda transaction: wallet_of(transaction, NOBODY),
}


@pytest.mark.parametrize("name", WORKS_FOR_NOBODY)
def test_nothing_is_set_up_for_nobody(database: Database, name: str) -> None:
    """
    A row that does not exist is named in the error, and nothing is written.
    """
    before = database.read(everything)

    with pytest.raises(UnknownRecordError, match=str(NOBODY)):
        database.transact(WORKS_FOR_NOBODY[name])

    assert before == database.read(everything)
