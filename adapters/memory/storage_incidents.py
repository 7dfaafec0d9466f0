"""
Incidents in memory.
"""

from itertools import islice

import attrs

from outdial.adapters.memory.storage_tables import Tables
from outdial.domain.model.incident import Incident
from outdial.ports.errors import StorageConflictError


@attrs.frozen
class MemoryIncidents:
    """
    Who was reached by calls that were not to go on.
    """

    _tables: Tables

    def incidents(self, account_id: int, *, before: int | None, limit: int) -> tuple[Incident, ...]:
        """
        Return at most `limit` of an account's incidents, newest first.
        """
        return self._newest(account_id, before, limit)

    def of_any_account(self, *, before: int | None, limit: int) -> tuple[Incident, ...]:
        """
        Return those of all accounts likewise.
        """
        return self._newest(None, before, limit)

    def add(self, incident: Incident) -> None:
        """
        Store an incident under the next number, unless its attempt has one already.
        """
        self._tables.check_account(incident.account_id)
        if incident.call_id not in self._tables.calls:
            raise StorageConflictError(f"There is no call {incident.call_id}; nothing was written.")
        stored = self._tables.incidents
        if (incident.call_id, incident.attempt) not in {(known.call_id, known.attempt) for known in stored}:
            stored.append(attrs.evolve(incident, number=len(stored) + 1))

    def _newest(self, account_id: int | None, before: int | None, limit: int) -> tuple[Incident, ...]:
        found = (
            incident
            for incident in reversed(self._tables.incidents)
            if account_id in (None, incident.account_id) and (before is None or incident.number < before)
        )
        return tuple(islice(found, limit))
