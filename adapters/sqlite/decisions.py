"""
What was decided and why, in SQLite.
"""

import json
from datetime import datetime
from typing import Final

import attrs

from outdial.adapters.relational.columns import write_number, write_problems, write_time
from outdial.adapters.relational.values import Row, read_grounds, read_refusal
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.decision import Accepted
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal

GROUNDS: Final = "select policy_version, facts, facts_digest from call_decisions where call_id = ? and account_id = ?"
ADD_GROUNDS: Final = (
    "insert into call_decisions (call_id, account_id, policy_version, facts, facts_digest) values (?, ?, ?, ?, ?)"
)
_REFUSALS: Final = (
    "select number, account_id, key_id, at, reason, problems, phone_number, agent_id, policy_version, facts,"
    " facts_digest from refusals"
)
REFUSAL: Final = _REFUSALS + " where number = ? and account_id = ?"
REFUSALS: Final = _REFUSALS + " where account_id = ? and number < ? order by number desc limit ?"
REFUSALS_FOR: Final = _REFUSALS + " where account_id = ? and number < ? and reason = ? order by number desc limit ?"
ADD_REFUSAL: Final = (
    "insert into refusals (account_id, key_id, at, reason, problems, phone_number, agent_id, policy_version, facts,"
    " facts_digest) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
OLDEST_REFUSALS: Final = "select number, at from refusals where number > 0 order by number limit ?"
FORGET_REFUSALS: Final = "delete from refusals where number in (select value from json_each(?))"


@attrs.frozen
class SqliteDecisions:
    """
    What accepted calls rested on, and what was refused.
    """

    _sql: Statements

    def grounds(self, account_id: int, call_id: int) -> Grounds | None:
        """
        Return what the acceptance of an account's call rested on.
        """
        row = self._sql.one(GROUNDS, call_id, account_id)
        return None if row is None else read_grounds(row)

    def refusal(self, account_id: int, number: int) -> Refusal | None:
        """
        Return one of an account's refusals.
        """
        row = self._sql.one(REFUSAL, number, account_id)
        return None if row is None else read_refusal(row)

    def refusals(
        self, account_id: int, *, reason: Reason | None, before: int | None, limit: int
    ) -> tuple[Refusal, ...]:
        """
        Return at most `limit` of an account's refusals, newest first.
        """
        first = ID_MAX if before is None else before
        rows = (
            self._sql.all(REFUSALS, account_id, first, limit)
            if reason is None
            else self._sql.all(REFUSALS_FOR, account_id, first, reason.value, limit)
        )
        return tuple(read_refusal(row) for row in rows)

    def prune_refusals(self, *, older_than: datetime, limit: int) -> int:
        """
        Look at the `limit` oldest refusals, and forget those older than a time.
        """
        since = write_time(older_than)
        forgotten = [number for number, at in self._sql.all(OLDEST_REFUSALS, limit) if at < since]
        return self._sql.write(FORGET_REFUSALS, json.dumps(forgotten)) if forgotten else 0


def grounds_row(accepted: Accepted) -> Row:
    """
    Write what the acceptance of a call rests on.
    """
    return accepted.call.id, accepted.call.account_id, *_grounds(accepted.grounds)


def refusal_row(refusal: Refusal) -> Row:
    """
    Write a refusal; it gets its number when it is stored.
    """
    return (
        refusal.account_id,
        refusal.key_id,
        write_time(refusal.at),
        refusal.reason.value,
        write_problems(refusal.problems),
        write_number(refusal.phone_number),
        refusal.agent_id,
        *_grounds(refusal.grounds),
    )


def _grounds(grounds: Grounds) -> Row:
    return grounds.policy_version, grounds.facts, grounds.facts_digest
