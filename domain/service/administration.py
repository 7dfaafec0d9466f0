"""
Setting up what calls need: accounts, money, keys, agents.
"""

from datetime import datetime

import attrs

from outdial.domain.model.agent import Agent
from outdial.domain.model.identifiers import hash_secret, write_key
from outdial.domain.model.principal import Account, ApiKey, Permission
from outdial.domain.model.rate_limit import CALLS_PER_DAY, REQUESTS_PER_MINUTE
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet
from outdial.ports.errors import UnknownRecordError
from outdial.ports.storage import Reader, Transaction


def create_account(transaction: Transaction, draft: Account, *, balance_micros: int) -> Account:
    """
    Store a new account with its first deposit; its row number is chosen here.

    Args:
        draft: The account, whatever its `id`.

        balance_micros: Its first deposit; 0 for none.
    """
    account = attrs.evolve(draft, id=transaction.directory.next_id(Account))
    transaction.directory.add(account)
    if balance_micros > 0:
        deposit(transaction, account.id, micros=balance_micros, at=account.created_at)
    return account


def deposit(transaction: Transaction, account_id: int, *, micros: int, at: datetime) -> Wallet:
    """
    Add money to a wallet.

    Raises:
        UnknownRecordError: There is no such account.

        OverdrawnError: The wallet would hold more than it can.
    """
    account_of(transaction, account_id)
    entry = LedgerEntry(account_id=account_id, kind=EntryKind.DEPOSIT, micros=micros, call_id=None, at=at)
    return transaction.wallets.post(entry)


def create_key(
    transaction: Transaction,
    account_id: int,
    *,
    permissions: frozenset[Permission],
    secret: str,
    at: datetime,
    calls_per_day: int = CALLS_PER_DAY,
    requests_per_minute: int = REQUESTS_PER_MINUTE,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """
    Store a new key; its text is returned once and kept nowhere.

    Raises:
        UnknownRecordError: There is no such account.
    """
    account_of(transaction, account_id)
    key = ApiKey(
        id=transaction.directory.next_id(ApiKey),
        account_id=account_id,
        permissions=permissions,
        secret_hash=hash_secret(secret),
        created_at=at,
        calls_per_day=calls_per_day,
        requests_per_minute=requests_per_minute,
        expires_at=expires_at,
    )
    transaction.directory.add(key)
    return key, write_key(key.id, secret)


def revoke_key(transaction: Transaction, key_id: int, *, at: datetime) -> ApiKey:
    """
    Stop a key from working; one that is revoked already stays as it is.

    Raises:
        UnknownRecordError: There is no such key.
    """
    key = transaction.directory.key(key_id)
    if key is None:
        raise UnknownRecordError(f"There is no key {key_id}.")
    if key.revoked_at is None:
        key = attrs.evolve(key, revoked_at=at)
        transaction.directory.update_key(key)
    return key


def create_agent(transaction: Transaction, draft: Agent) -> Agent:
    """
    Store a new agent; its row number is chosen here.

    Raises:
        UnknownRecordError: There is no such account.
    """
    account_of(transaction, draft.account_id)
    agent = attrs.evolve(draft, id=transaction.directory.next_id(Agent))
    transaction.directory.add(agent)
    return agent


def account_of(reader: Reader | Transaction, account_id: int) -> Account:
    """
    Return an account.

    Raises:
        UnknownRecordError: There is no such account.
    """
    account = reader.directory.account(account_id)
    if account is None:
        raise UnknownRecordError(f"There is no account {account_id}.")
    return account


def wallet_of(reader: Reader, account_id: int) -> Wallet:
    """
    Return an account's wallet.

    Raises:
        UnknownRecordError: There is no such account.
    """
    wallet = reader.wallets.wallet(account_id)
    if wallet is None:
        raise UnknownRecordError(f"There is no account {account_id}.")
    return wallet
