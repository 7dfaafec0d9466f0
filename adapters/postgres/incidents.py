"""
Incidents in PostgreSQL.
"""

from typing import Final

import attrs

from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.columns import write_time
from outdial.adapters.relational.values import read_incident
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.incident import Incident

SQL: Final = load("incidents.sql")


@attrs.frozen
class PostgresIncidents:
    """
    Who was reached by calls that were not to go on.
    """

    _sql: Statements

    def incidents(self, account_id: int, *, before: int | None, limit: int) -> tuple[Incident, ...]:
        """
        Return at most `limit` of an account's incidents, newest first.
        """
        first = ID_MAX if before is None else before
        rows = self._sql.all(SQL["incidents"], account_id=account_id, before=first, limit=limit)
        return tuple(read_incident(row) for row in rows)

    def of_any_account(self, *, before: int | None, limit: int) -> tuple[Incident, ...]:
        """
        Return those of all accounts likewise.
        """
        rows = self._sql.all(SQL["of_any_account"], before=ID_MAX if before is None else before, limit=limit)
        return tuple(read_incident(row) for row in rows)

    def add(self, incident: Incident) -> None:
        """
        Store an incident under the next number, unless its attempt has one already.
        """
        columns = {
            "account_id": incident.account_id,
            "call_id": incident.call_id,
            "attempt": incident.attempt,
            "kind": incident.kind.value,
            "objection": incident.objection.value,
            "at": write_time(incident.at),
        }
        self._sql.write(SQL["add"], columns)
