"""
Numbers that must not be dialled: each account's lists, and the operator's, which binds every account.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import attrs

from outdial.domain.model.phone_number import PhoneNumber

OPERATOR_LIST_ID: Final = 0
"""The row of the operator's list; those of accounts are counted from 1."""

OPERATOR_LIST: Final = "operator"
"""The name of the operator's list."""

DEFAULT_LIST: Final = "default"
"""Where an account's numbers go when no list is named."""

CONTACTS_LIST: Final = "contacts"
"""Where the numbers of contacts are that are flagged not to be called."""


LISTS_MAX: Final = 100
"""How many lists an account may have: each is looked into for every call."""

NAME_LENGTH_MAX: Final = 100
REASON_LENGTH_MAX: Final = 500


@attrs.frozen(kw_only=True)
class DncList:
    """
    A Do-Not-Call list.

    Attributes:
        account_id: Whom it binds; `None` when it is the operator's.

        name: Unique within the account.

        source: Where its numbers come from, in the words of whoever made it; may be empty.
    """

    id: int
    account_id: int | None
    name: str
    source: str
    created_at: datetime


@attrs.frozen(kw_only=True)
class DncEntry:
    """
    A number on a Do-Not-Call list.

    Attributes:
        reason: Why it was listed, in the words of whoever did; may be empty.

        listed_at: When, in UTC.

        expires_at: From when on it no longer counts; `None` for never.
    """

    list_id: int
    phone_number: PhoneNumber
    reason: str
    listed_at: datetime
    expires_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """
        Tell whether it counts at a time.
        """
        return self.expires_at is None or now < self.expires_at


def binding_entry(entries: Iterable[DncEntry], now: datetime) -> DncEntry | None:
    """
    Return the entry by which a number must not be dialled at a time: the operator's first, then by the lists' rows.

    Args:
        entries: Those of one number on all lists that bind one account.
    """
    live = (entry for entry in entries if entry.is_live(now))
    return min(live, key=lambda entry: entry.list_id, default=None)
