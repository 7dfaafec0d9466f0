"""
What was decided and why, in storage. Decisions are recorded by `Storage.accept` alone.
"""

from datetime import datetime
from typing import Protocol

from outdial.domain.model.grounds import Grounds
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal


class DecisionsReader(Protocol):
    """
    What accepted calls rested on, and what was refused.
    """

    def grounds(self, account_id: int, call_id: int) -> Grounds | None:
        """
        Return what the acceptance of an account's call rested on.
        """

    def refusal(self, account_id: int, number: int) -> Refusal | None:
        """
        Return one of an account's refusals.
        """

    def refusals(
        self, account_id: int, *, reason: Reason | None, before: int | None, limit: int
    ) -> tuple[Refusal, ...]:
        """
        Return at most `limit` of an account's refusals, newest first.

        Args:
            reason: Those for this reason alone; `None` for all.

            before: Those whose number is lower; `None` to begin with the newest.
        """


class Decisions(DecisionsReader, Protocol):
    """
    The same, with writes.
    """

    def prune_refusals(self, *, older_than: datetime, limit: int) -> int:
        """
        Look at the `limit` oldest refusals of all accounts, and forget those older than a time.

        Returns:
            How many were forgotten; fewer than `limit` when no more are that old.
        """
