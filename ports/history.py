"""
An account's calls in storage, newest first.
"""

from typing import Protocol

from outdial.domain.model.call import Call
from outdial.domain.model.listing import CallFilter, PageRange


class History(Protocol):
    """
    Lists of calls that take as long with ten million calls as with ten.

    Of a filter, `agent_id` is a row number here, and `idempotency_key` is not looked at.
    """

    def page(self, account_id: int, wanted: CallFilter, page: PageRange) -> tuple[Call, ...]:
        """
        Return at most `page.limit` of an account's calls, newest first.
        """

    def count(self, account_id: int, wanted: CallFilter, *, at_most: int) -> int:
        """
        Count an account's calls, up to `at_most`.
        """
