"""
Lists of calls in SQLite.
"""

import json
from collections.abc import Sequence
from typing import Final

import attrs

from outdial.adapters.relational.values import read_call
from outdial.adapters.sqlite.calls import CALLS
from outdial.adapters.sqlite.statements import Statements, Value
from outdial.domain.model.call import Call
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.listing import CallFilter, PageRange

BY_NUMBER: Final = CALLS + " where id in (select value from json_each(?)) order by id desc"
_OF_ACCOUNT: Final = "select id from calls where account_id = ?1 and status = '{}' and id < ?4"
_OF_AGENT: Final = "select id from calls where account_id = ?1 and agent_id = ?2 and status = '{}' and id < ?4"
_OF_CONTACT: Final = (
    "select id from calls where account_id = ?1 and agent_id = coalesce(?2, agent_id) and contact_id = ?3"
    " and status in ({}) and id < ?4"
)
_PAGE: Final = " order by id desc limit ?5 offset ?6"


def statement(wanted: CallFilter) -> str:
    """
    Return the statement for the row numbers of fitting calls.

    A status at a time: each comes out of an index in order, and they are merged as far as the page goes.
    """
    if wanted.contact_id is not None:
        return _OF_CONTACT.format(", ".join(f"'{status}'" for status in wanted.words))
    of_status = _OF_AGENT if wanted.agent_id is not None else _OF_ACCOUNT
    return " union all ".join(of_status.format(status) for status in wanted.words)


@attrs.frozen
class SqliteHistory:
    """
    An account's calls, newest first.
    """

    _sql: Statements

    def page(self, account_id: int, wanted: CallFilter, page: PageRange) -> tuple[Call, ...]:
        """
        Return a page of an account's calls.
        """
        values = _values(account_id, wanted, before=page.before)
        found = self._sql.all(statement(wanted) + _PAGE, *values, page.limit, page.skip)
        rows = self._sql.all(BY_NUMBER, json.dumps([number for (number,) in found]))
        return tuple(read_call(row) for row in rows)

    def count(self, account_id: int, wanted: CallFilter, *, at_most: int) -> int:
        """
        Count an account's calls, up to a number.
        """
        values = _values(account_id, wanted, before=None)
        ((count,),) = self._sql.all(f"select count(*) from ({statement(wanted)} limit ?5)", *values, at_most)
        return int(count)


def _values(account_id: int, wanted: CallFilter, *, before: int | None) -> Sequence[Value]:
    return account_id, wanted.agent_id, wanted.contact_id, ID_MAX if before is None else before
