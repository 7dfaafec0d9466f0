"""
Listing numbers that must not be dialled, and finding out whether one is.
"""

from collections.abc import Iterable
from datetime import datetime

import attrs

from outdial.domain.model.do_not_call import DEFAULT_LIST, OPERATOR_LIST, DncEntry, DncList, binding_entry
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.service.administration import account_of
from outdial.ports.storage import Reader, Transaction

_NEW = 0
"""Row of a list that is not stored yet."""


@attrs.frozen(kw_only=True)
class ListedNumber:
    """
    A number on a list.

    Attributes:
        is_live: Whether it counts now.
    """

    entry: DncEntry
    dnc_list: DncList
    is_live: bool


def listings_of(
    reader: Reader | Transaction, account_id: int | None, number: PhoneNumber, *, at: datetime
) -> tuple[ListedNumber, ...]:
    """
    Return what the lists that bind an account say of a number, the operator's first; for `None` what that one says.
    """
    by_id = {one.id: one for one in reader.dnc.lists(account_id)}
    entries = reader.dnc.entries_of(account_id, number)
    return tuple(
        ListedNumber(entry=entry, dnc_list=by_id[entry.list_id], is_live=entry.is_live(at)) for entry in entries
    )


def listed(reader: Reader | Transaction, account_id: int, number: PhoneNumber, *, at: datetime) -> DncEntry | None:
    """
    Return the entry by which an account must not dial a number at a time; `None` when it may.
    """
    return binding_entry(reader.dnc.entries_of(account_id, number), at)


def list_number(
    transaction: Transaction,
    account_id: int | None,
    number: PhoneNumber,
    *,
    at: datetime,
    reason: str = "",
    expires_at: datetime | None = None,
    list_name: str = DEFAULT_LIST,
    source: str = "",
) -> DncEntry:
    """
    Put a number on an account's list, which is made when there is none of its name, or replace its entry there.

    Args:
        account_id: Whose list; `None` for the operator's.

        at: Now.

        expires_at: From when on it may be dialled again.

        source: Where the list comes from, in case it is made.

    Raises:
        UnknownRecordError: There is no such account.
    """
    dnc_list = list_numbers(
        transaction,
        account_id,
        (number.e164,),
        at=at,
        reason=reason,
        expires_at=expires_at,
        list_name=list_name,
        source=source,
    )
    return DncEntry(list_id=dnc_list.id, phone_number=number, reason=reason, listed_at=at, expires_at=expires_at)


def list_numbers(
    transaction: Transaction,
    account_id: int | None,
    numbers: Iterable[str],
    *,
    at: datetime,
    reason: str = "",
    expires_at: datetime | None = None,
    list_name: str = DEFAULT_LIST,
    source: str = "",
) -> DncList:
    """
    Put any number of numbers on an account's list; else as `list_number`.

    Args:
        numbers: E.164, read while they are written.

    Raises:
        UnknownRecordError: There is no such account.
    """
    dnc_list = list_named(transaction, account_id, list_name, at=at, source=source)
    transaction.dnc.put_all(dnc_list, numbers, reason=reason, listed_at=at, expires_at=expires_at)
    return dnc_list


def delist_number(
    transaction: Transaction, account_id: int | None, number: PhoneNumber, *, list_name: str | None = None
) -> bool:
    """
    Take a number off an account's own lists, or off the one named; `False` when it was on none of them.

    Args:
        account_id: Whose lists; `None` for the operator's.

    Raises:
        UnknownRecordError: There is no such account.
    """
    lists = own_lists(transaction, account_id)
    chosen = [dnc_list for dnc_list in lists if list_name in {None, dnc_list.name}]
    removed = [transaction.dnc.remove(dnc_list, number) for dnc_list in chosen]
    return any(removed)


def list_named(
    transaction: Transaction, account_id: int | None, name: str, *, at: datetime, source: str = ""
) -> DncList:
    """
    Return an account's own list of a name; it is made when there is none.

    Args:
        account_id: Whose; `None` for the operator's one list, whatever the name.

    Raises:
        UnknownRecordError: There is no such account.
    """
    name = OPERATOR_LIST if account_id is None else name
    known = next((one for one in own_lists(transaction, account_id) if one.name == name), None)
    draft = DncList(id=_NEW, account_id=account_id, name=name, source=source, created_at=at)
    return known or transaction.dnc.add_list(draft)


def own_lists(reader: Reader | Transaction, account_id: int | None) -> tuple[DncList, ...]:
    """
    Return an account's own lists by their rows; for `None` the operator's, once it has numbers.

    Raises:
        UnknownRecordError: There is no such account.
    """
    if account_id is not None:
        account_of(reader, account_id)
    return tuple(one for one in reader.dnc.lists(account_id) if one.account_id == account_id)
