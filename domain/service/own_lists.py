"""
What a client can do with its account's Do-Not-Call lists. The operator's it can only feel.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import attrs

from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.do_not_call import CONTACTS_LIST, DEFAULT_LIST, LISTS_MAX, DncEntry, DncList
from outdial.domain.model.phone_number import PhoneNumber, parse_phone_number
from outdial.domain.model.principal import Account
from outdial.domain.model.reason import Reason
from outdial.domain.service.do_not_call import ListedNumber, list_named, listings_of, own_lists
from outdial.ports.storage import Reader, Transaction

RESERVED: Final = frozenset({DEFAULT_LIST, CONTACTS_LIST})
"""Lists that are made when they are needed, however many others there are."""

Cursor = tuple[int, PhoneNumber]
"""The list and number that a page stands behind."""


@attrs.frozen(kw_only=True)
class Standing:
    """
    Whether a number may be dialled for an account, as far as lists say.

    Attributes:
        listed: Its entries on all lists that bind the account, the operator's first.
    """

    phone_number: PhoneNumber
    listed: tuple[ListedNumber, ...]

    @property
    def do_not_call(self) -> bool:
        """
        Whether one of them counts now.
        """
        return any(one.is_live for one in self.listed)


@attrs.frozen(kw_only=True)
class NumbersPage:
    """
    A page of an account's listed numbers, by list and number.

    Attributes:
        following: What the next page stands behind; `None` on the last one.
    """

    listed: tuple[ListedNumber, ...]
    following: Cursor | None


def lists_of(reader: Reader, account: Account) -> tuple[DncList, ...]:
    """
    Return the account's lists.
    """
    return own_lists(reader, account.id)


def list_of(reader: Reader | Transaction, account: Account, list_id: int | None) -> DncList | Refused:
    """
    Return one of the account's lists; another account's, and the operator's, is answered like none.

    Args:
        list_id: `None` when the client's name for it can't be one.
    """
    found = next((one for one in own_lists(reader, account.id) if one.id == list_id), None)
    return found or Refused(reason=Reason.NOT_FOUND)


def create_list(
    transaction: Transaction, account: Account, at: datetime, *, name: str, source: str
) -> DncList | Refused:
    """
    Make a list; one that has the name already is returned as it is.
    """
    known = own_lists(transaction, account.id)
    is_new = name not in RESERVED and all(one.name != name for one in known)
    if is_new and len(known) >= LISTS_MAX:
        problem = FieldProblem(field="name", problem=f"An account has {LISTS_MAX} lists at most.")
        return Refused(reason=Reason.VALIDATION_ERROR, problems=(problem,))
    return list_named(transaction, account.id, name, at=at, source=source)


def remove_list(transaction: Transaction, account: Account, _at: datetime, *, list_id: int | None) -> DncList | Refused:
    """
    Remove one of the account's lists with all its numbers, and return what it was.
    """
    found = list_of(transaction, account, list_id)
    if not isinstance(found, Refused):
        transaction.dnc.remove_list(found)
    return found


def put_number(
    transaction: Transaction,
    account: Account,
    at: datetime,
    *,
    text: str,
    list_id: int | None,
    reason: str,
    expires_at: datetime | None,
) -> ListedNumber | Refused:
    """
    Put a number on one of the account's lists, or replace its entry there.

    Args:
        text: The number as people of the account write it.

        list_id: `None` for the default list.
    """
    number = number_of(account, text)
    if number is None:
        return Refused(reason=Reason.INVALID_PHONE_NUMBER)
    found = (
        list_named(transaction, account.id, DEFAULT_LIST, at=at)
        if list_id is None
        else list_of(transaction, account, list_id)
    )
    if isinstance(found, Refused):
        return found
    transaction.dnc.put_all(found, (number.e164,), reason=reason, listed_at=at, expires_at=expires_at)
    entry = DncEntry(list_id=found.id, phone_number=number, reason=reason, listed_at=at, expires_at=expires_at)
    return ListedNumber(entry=entry, dnc_list=found, is_live=entry.is_live(at))


def standing_of(reader: Reader, account: Account, *, text: str, at: datetime) -> Standing | Refused:
    """
    Tell which lists say what of a number, the operator's included.
    """
    number = number_of(account, text)
    if number is None:
        return Refused(reason=Reason.INVALID_PHONE_NUMBER)
    return Standing(phone_number=number, listed=listings_of(reader, account.id, number, at=at))


def remove_number(
    transaction: Transaction, account: Account, _at: datetime, *, text: str, list_id: int | None
) -> PhoneNumber | Refused:
    """
    Take a number off all of the account's lists, or off one of them; never off the operator's.

    Returns:
        The number, if it was on one of them.
    """
    number = number_of(account, text)
    if number is None:
        return Refused(reason=Reason.INVALID_PHONE_NUMBER)
    chosen = [one for one in own_lists(transaction, account.id) if list_id in {None, one.id}]
    removed = [transaction.dnc.remove(one, number) for one in chosen]
    return number if any(removed) else Refused(reason=Reason.NOT_FOUND)


@attrs.frozen(kw_only=True)
class NumbersWanted:
    """
    Which of an account's listed numbers are meant.

    Attributes:
        list_id: Those of one list; `None` for all lists.

        text: Only this number, as people of the account write it; `None` for any.

        after: What the page stands behind; `None` for the first.
    """

    list_id: int | None = None
    text: str | None = None
    after: Cursor | None = None


def page_of(
    reader: Reader, account: Account, *, wanted: NumbersWanted, limit: int, at: datetime
) -> NumbersPage | Refused:
    """
    Return a page of the numbers on the account's lists, by list and number.
    """
    lists = [one for one in own_lists(reader, account.id) if wanted.list_id in {None, one.id}]
    if wanted.list_id is not None and not lists:
        return Refused(reason=Reason.NOT_FOUND)
    number = None if wanted.text is None else number_of(account, wanted.text)
    if wanted.text is not None and number is None:
        return Refused(reason=Reason.INVALID_PHONE_NUMBER)
    found: list[ListedNumber] = []
    for one in lists:
        if len(found) <= limit:
            entries = _entries(reader, one, number=number, after=wanted.after, limit=limit + 1 - len(found))
            found.extend(ListedNumber(entry=entry, dnc_list=one, is_live=entry.is_live(at)) for entry in entries)
    page = tuple(found[:limit])
    last = page[-1].entry if len(found) > limit else None
    return NumbersPage(listed=page, following=None if last is None else (last.list_id, last.phone_number))


def _entries(
    reader: Reader, dnc_list: DncList, *, number: PhoneNumber | None, after: Cursor | None, limit: int
) -> Iterable[DncEntry]:
    """
    Return the entries of a list that stand behind a page: those of one number, or some of all.
    """
    place = (0, None) if after is None else after
    if dnc_list.id < place[0]:
        return ()
    behind = place[1] if dnc_list.id == place[0] else None
    if number is None:
        return reader.dnc.page(dnc_list, after=behind, limit=limit)
    found = reader.dnc.entries_of(dnc_list.account_id, number)
    return (entry for entry in found if entry.list_id == dnc_list.id and behind is None)


def number_of(account: Account, text: str) -> PhoneNumber | None:
    """
    Read a number as people of the account write it.
    """
    return parse_phone_number(text, default_region=account.default_region)
