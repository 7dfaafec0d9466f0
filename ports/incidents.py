"""
Incidents in storage: kept for good, and never changed.
"""

from typing import Protocol

from outdial.domain.model.incident import Incident


class IncidentsReader(Protocol):
    """
    Who was reached by calls that were not to go on.
    """

    def incidents(self, account_id: int, *, before: int | None, limit: int) -> tuple[Incident, ...]:
        """
        Return at most `limit` of an account's incidents, newest first.

        Args:
            before: Those whose number is lower; `None` to begin with the newest.
        """

    def of_any_account(self, *, before: int | None, limit: int) -> tuple[Incident, ...]:
        """
        Return those of all accounts likewise: for the operator alone.
        """


class Incidents(IncidentsReader, Protocol):
    """
    The same, with writes.
    """

    def add(self, incident: Incident) -> None:
        """
        Store an incident under the next number, unless its attempt has one already: then that one stays as it is.
        """
