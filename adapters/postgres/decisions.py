"""
What was decided and why, in PostgreSQL.
"""

from datetime import datetime
from typing import Final

import attrs

from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.rows import Columns
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.columns import write_number, write_problems, write_time
from outdial.adapters.relational.values import read_grounds, read_refusal
from outdial.domain.model.decision import Accepted
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal

SQL: Final = load("decisions.sql")


@attrs.frozen
class PostgresDecisions:
    """
    What accepted calls rested on, and what was refused.
    """

    _sql: Statements

    def grounds(self, account_id: int, call_id: int) -> Grounds | None:
        """
        Return what the acceptance of an account's call rested on.
        """
        row = self._sql.one(SQL["grounds"], call_id=call_id, account_id=account_id)
        return None if row is None else read_grounds(row)

    def refusal(self, account_id: int, number: int) -> Refusal | None:
        """
        Return one of an account's refusals.
        """
        row = self._sql.one(SQL["refusal"], number=number, account_id=account_id)
        return None if row is None else read_refusal(row)

    def refusals(
        self, account_id: int, *, reason: Reason | None, before: int | None, limit: int
    ) -> tuple[Refusal, ...]:
        """
        Return at most `limit` of an account's refusals, newest first.
        """
        page = {"account_id": account_id, "before": ID_MAX if before is None else before, "limit": limit}
        rows = (
            self._sql.all(SQL["refusals"], **page)
            if reason is None
            else self._sql.all(SQL["refusals_for"], **page, reason=reason.value)
        )
        return tuple(read_refusal(row) for row in rows)

    def prune_refusals(self, *, older_than: datetime, limit: int) -> int:
        """
        Look at the `limit` oldest refusals, and forget those older than a time.
        """
        since = write_time(older_than)
        forgotten = [number for number, at in self._sql.all(SQL["oldest_refusals"], limit=limit) if at < since]
        return self._sql.write(SQL["forget_refusals"], {"numbers": forgotten}) if forgotten else 0


def grounds_columns(accepted: Accepted) -> Columns:
    """
    Write what the acceptance of a call rests on.
    """
    return {"call_id": accepted.call.id, "account_id": accepted.call.account_id, **_grounds(accepted.grounds)}


def refusal_columns(refusal: Refusal) -> Columns:
    """
    Write a refusal; it gets its number when it is stored.
    """
    return {
        "account_id": refusal.account_id,
        "key_id": refusal.key_id,
        "at": write_time(refusal.at),
        "reason": refusal.reason.value,
        "problems": write_problems(refusal.problems),
        "phone_number": write_number(refusal.phone_number),
        "agent_id": refusal.agent_id,
        **_grounds(refusal.grounds),
    }


def _grounds(grounds: Grounds) -> Columns:
    return {
        "policy_version": grounds.policy_version,
        "facts": grounds.facts,
        "facts_digest": grounds.facts_digest,
    }
