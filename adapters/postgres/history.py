"""
Lists of calls in PostgreSQL.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from outdial.adapters.postgres.calls import SQL as CALLS_SQL
from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.values import Row, read_call
from outdial.domain.model.call import Call
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.listing import CallFilter, PageRange

SQL: Final = load("history.sql")
_PAGE: Final = {"account": "page_of_account", "agent": "page_of_agent", "contact": "page_of_contact"}
_COUNT: Final = {"account": "count_of_account", "agent": "count_of_agent", "contact": "count_of_contact"}


@attrs.frozen
class PostgresHistory:
    """
    An account's calls, newest first.
    """

    _sql: Statements

    def page(self, account_id: int, wanted: CallFilter, page: PageRange) -> tuple[Call, ...]:
        """
        Return a page of an account's calls.
        """
        found = self._rows(_PAGE, account_id, wanted, limit=page.limit, skip=page.skip, before=page.before)
        rows = self._sql.all(
            CALLS_SQL["calls_by_number"], account_id=account_id, numbers=[int(number) for (number,) in found]
        )
        return tuple(read_call(row) for row in rows)

    def count(self, account_id: int, wanted: CallFilter, *, at_most: int) -> int:
        """
        Count an account's calls, up to a number.
        """
        ((count,),) = self._rows(_COUNT, account_id, wanted, limit=at_most)
        return int(count)

    def _rows(
        self,
        names: Mapping[str, str],
        account_id: int,
        wanted: CallFilter,
        *,
        limit: int,
        skip: int = 0,
        before: int | None = None,
    ) -> list[Row]:
        of_whom = "contact" if wanted.contact_id is not None else "agent" if wanted.agent_id is not None else "account"
        return self._sql.all(
            SQL[names[of_whom]],
            account_id=account_id,
            agent_id=wanted.agent_id,
            contact_id=wanted.contact_id,
            statuses=list(wanted.words),
            before=ID_MAX if before is None else before,
            skip=skip,
            limit=limit,
        )
