"""
Lists of calls in memory.
"""

from collections.abc import Iterator
from itertools import islice

import attrs

from outdial.adapters.memory.storage_tables import Tables
from outdial.domain.model.call import Call
from outdial.domain.model.listing import CallFilter, PageRange


@attrs.frozen
class MemoryHistory:
    """
    An account's calls, newest first.
    """

    _tables: Tables

    def page(self, account_id: int, wanted: CallFilter, page: PageRange) -> tuple[Call, ...]:
        """
        Return a page of an account's calls.
        """
        found = (call for call in self._fitting(account_id, wanted) if page.before is None or call.id < page.before)
        return tuple(islice(found, page.skip, page.skip + page.limit))

    def count(self, account_id: int, wanted: CallFilter, *, at_most: int) -> int:
        """
        Count an account's calls, up to a number.
        """
        return sum(1 for _ in islice(self._fitting(account_id, wanted), at_most))

    def _fitting(self, account_id: int, wanted: CallFilter) -> Iterator[Call]:
        newest_first = sorted(self._tables.calls.values(), key=lambda call: -call.id)
        return (
            call
            for call in newest_first
            if call.account_id == account_id
            and wanted.agent_id in (None, call.agent_id)
            and wanted.contact_id in (None, call.contact_id)
            and call.listed_as in wanted.words
        )
