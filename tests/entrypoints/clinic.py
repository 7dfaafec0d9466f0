"""
Three accounts with keys, agents and contacts for every answer that a request can get.

The clinic has money, another account that too but nothing in common with it, and the poor one can't pay for a minute.
"""

from datetime import timedelta
from typing import Final

from outdial.domain.model.call import Call
from outdial.domain.model.identifiers import hash_secret
from outdial.domain.model.lifecycle import State
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.principal import ApiKey, Permission
from outdial.domain.model.wallet import EntryKind
from outdial.ports.storage import Reader, Transaction
from tests import builders
from tests.listing import list_callee

CLINIC: Final = builders.ACCOUNT_ID
OTHER: Final = 2
POOR: Final = 3
ACCOUNTS: Final = (CLINIC, OTHER, POOR)

AGENT: Final = builders.AGENT_ID
ASSISTANT: Final = "assistant_abc123"
SILENT_AGENT: Final = 124
"""Has no number."""

CURIOUS_AGENT: Final = 125
"""Its greeting needs `customer_name`."""

OTHERS_AGENT: Final = 222
POOR_AGENT: Final = 333
CONTACT: Final = builders.CONTACT_ID
OTHERS_CONTACT: Final = 2222

CALLEE: Final = builders.CALLEE.e164
LISTED: Final = "+15559990000"
PREMIUM: Final = "+19002345678"

KEY: Final = builders.key_text()
READING_KEY: Final = builders.key_text(12, builders.secret(12))
DIALLING_KEY: Final = builders.key_text(13, builders.secret(13))
REVOKED_KEY: Final = builders.key_text(14, builders.secret(14))
EXPIRED_KEY: Final = builders.key_text(15, builders.secret(15))
EXHAUSTED_KEY: Final = builders.key_text(16, builders.secret(16))
OTHERS_KEY: Final = builders.key_text(22, builders.secret(22))
POOR_KEY: Final = builders.key_text(33, builders.secret(33))
UNKNOWN_KEY: Final = builders.key_text(999, builders.secret(999))
WRONG_SECRET_KEY: Final = builders.key_text(builders.KEY_ID, builders.secret(77))
KEYS: Final = (
    KEY,
    READING_KEY,
    DIALLING_KEY,
    REVOKED_KEY,
    EXPIRED_KEY,
    EXHAUSTED_KEY,
    OTHERS_KEY,
    POOR_KEY,
    UNKNOWN_KEY,
    WRONG_SECRET_KEY,
)

_BEFORE: Final = builders.NOW - timedelta(seconds=1)


def furnish(transaction: Transaction) -> None:
    """
    Store it all in an empty database.
    """
    directory = transaction.directory
    for account_id, name, micros in (
        (CLINIC, "Clinic", 25_000_000),
        (OTHER, "Other", 9_000_000),
        (POOR, "Poor", 20_000),
    ):
        directory.add(builders.account(id=account_id, name=name))
        transaction.wallets.post(
            builders.entry(EntryKind.DEPOSIT, micros, account_id=account_id, at=builders.CREATED_AT)
        )
    _add_keys(transaction)
    directory.add(builders.agent())
    directory.add(builders.agent(id=SILENT_AGENT, assistant_id="assistant_silent", phone_number=None))
    directory.add(
        builders.agent(id=CURIOUS_AGENT, assistant_id="assistant_curious", greeting="Hello {{customer_name}}.")
    )
    directory.add(builders.agent(id=OTHERS_AGENT, account_id=OTHER, assistant_id="assistant_other"))
    directory.add(builders.agent(id=POOR_AGENT, account_id=POOR, assistant_id="assistant_poor"))
    transaction.contacts.add(builders.contact())
    transaction.contacts.add(builders.contact(id=OTHERS_CONTACT, account_id=OTHER))
    list_callee(transaction, number=PhoneNumber(LISTED))


def _add_keys(transaction: Transaction) -> None:
    add = transaction.directory.add
    add(builders.api_key())
    add(_key(12, permissions=frozenset({Permission.READ_CALLS})))
    add(_key(13, permissions=frozenset({Permission.INITIATE_CALLS})))
    add(_key(14, revoked_at=_BEFORE))
    add(_key(15, expires_at=_BEFORE))
    add(_key(16, calls_per_day=0))
    add(_key(22, account_id=OTHER))
    add(_key(33, account_id=POOR))


def _key(key_id: int, **changes: object) -> ApiKey:
    return builders.api_key(id=key_id, secret_hash=hash_secret(builders.secret(key_id)), **changes)


def calls_of(reader: Reader) -> tuple[Call, ...]:
    """
    Return all calls, oldest first.
    """
    return reader.calls.in_states(frozenset(State), 10_000)


def everything(reader: Reader) -> tuple[object, ...]:
    """
    Return what a refused request must leave as it was: wallets, ledgers, calls and their records.
    """
    calls = calls_of(reader)
    return (
        [reader.wallets.wallet(account_id) for account_id in ACCOUNTS],
        [reader.wallets.entries(account_id) for account_id in ACCOUNTS],
        calls,
        [reader.calls.records(call.id) for call in calls],
    )
