"""
What was decided and why, in memory.
"""

from datetime import datetime
from itertools import islice

import attrs

from outdial.adapters.memory.storage_tables import Tables
from outdial.domain.model.decision import Accepted
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Decided, Refusal


@attrs.frozen
class MemoryDecisions:
    """
    What accepted calls rested on, and what was refused.
    """

    _tables: Tables

    def grounds(self, account_id: int, call_id: int) -> Grounds | None:
        """
        Return what the acceptance of an account's call rested on.
        """
        call = self._tables.calls.get(call_id)
        return self._tables.call_decisions.get(call_id) if call is not None and call.account_id == account_id else None

    def refusal(self, account_id: int, number: int) -> Refusal | None:
        """
        Return one of an account's refusals.
        """
        refusal = self._tables.refusals.get(number)
        return refusal if refusal is not None and refusal.account_id == account_id else None

    def refusals(
        self, account_id: int, *, reason: Reason | None, before: int | None, limit: int
    ) -> tuple[Refusal, ...]:
        """
        Return at most `limit` of an account's refusals, newest first.
        """
        found = (
            refusal
            for number, refusal in sorted(self._tables.refusals.items(), reverse=True)
            if refusal.account_id == account_id
            and reason in (None, refusal.reason)
            and (before is None or number < before)
        )
        return tuple(islice(found, limit))

    def prune_refusals(self, *, older_than: datetime, limit: int) -> int:
        """
        Look at the `limit` oldest refusals, and forget those older than a time.
        """
        oldest = list(islice(self._tables.refusals.values(), limit))
        forgotten = [refusal.number for refusal in oldest if refusal.at < older_than]
        for number in forgotten:
            del self._tables.refusals[number]
        return len(forgotten)

    def record(self, decided: Decided) -> None:
        """
        Keep what is kept of a decision.
        """
        if isinstance(decided.decision, Accepted):
            self._tables.call_decisions[decided.decision.call.id] = decided.decision.grounds
        if decided.refusal is not None:
            number = self._tables.last_ids.get(Refusal, 0) + 1
            self._tables.last_ids[Refusal] = number
            self._tables.refusals[number] = attrs.evolve(decided.refusal, number=number)
