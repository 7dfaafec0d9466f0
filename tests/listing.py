"""
Listing numbers in tests, and asking whether they are.
"""

from typing import Any

from outdial.domain.model.do_not_call import DEFAULT_LIST, DncEntry
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.service import do_not_call
from outdial.ports.storage import Reader, Transaction
from tests import builders


def list_callee(transaction: Transaction, account_id: int | None = builders.ACCOUNT_ID, **changes: Any) -> DncEntry:
    """
    Put the builders' callee on an account's default list, for the reason of `builders.dnc_entry`.
    """
    entry = builders.dnc_entry()
    said = {"number": entry.phone_number, "reason": entry.reason, "at": entry.listed_at, **changes}
    return do_not_call.list_number(transaction, account_id, **said)


def delist_callee(transaction: Transaction, account_id: int | None = builders.ACCOUNT_ID) -> bool:
    """
    Take the builders' callee off all lists of an account.
    """
    return do_not_call.delist_number(transaction, account_id, builders.CALLEE)


def listed(
    reader: Reader | Transaction, account_id: int = builders.ACCOUNT_ID, number: PhoneNumber = builders.CALLEE
) -> DncEntry | None:
    """
    Return the entry that binds an account now.
    """
    return do_not_call.listed(reader, account_id, number, at=builders.NOW)


def put(transaction: Transaction, entry: DncEntry) -> None:
    """
    Put an entry on the account's first list, which is made for it.
    """
    first = do_not_call.list_named(transaction, builders.ACCOUNT_ID, DEFAULT_LIST, at=builders.CREATED_AT)
    transaction.dnc.put_all(
        first,
        [entry.phone_number.e164],
        reason=entry.reason,
        listed_at=entry.listed_at,
        expires_at=entry.expires_at,
    )
