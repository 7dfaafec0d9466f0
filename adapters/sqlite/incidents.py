"""
Incidents in SQLite.
"""

from typing import Final

import attrs

from outdial.adapters.relational.columns import write_time
from outdial.adapters.relational.values import read_incident
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.incident import Incident

_INCIDENTS: Final = "select number, account_id, call_id, attempt, kind, objection, at from incidents"
OF_ACCOUNT: Final = _INCIDENTS + " where account_id = ? and number < ? order by number desc limit ?"
OF_ANY_ACCOUNT: Final = _INCIDENTS + " where number < ? order by number desc limit ?"
ADD: Final = (
    "insert into incidents (account_id, call_id, attempt, kind, objection, at) values (?, ?, ?, ?, ?, ?)"
    " on conflict (call_id, attempt) do nothing"
)


@attrs.frozen
class SqliteIncidents:
    """
    Who was reached by calls that were not to go on.
    """

    _sql: Statements

    def incidents(self, account_id: int, *, before: int | None, limit: int) -> tuple[Incident, ...]:
        """
        Return at most `limit` of an account's incidents, newest first.
        """
        rows = self._sql.all(OF_ACCOUNT, account_id, ID_MAX if before is None else before, limit)
        return tuple(read_incident(row) for row in rows)

    def of_any_account(self, *, before: int | None, limit: int) -> tuple[Incident, ...]:
        """
        Return those of all accounts likewise.
        """
        rows = self._sql.all(OF_ANY_ACCOUNT, ID_MAX if before is None else before, limit)
        return tuple(read_incident(row) for row in rows)

    def add(self, incident: Incident) -> None:
        """
        Store an incident under the next number, unless its attempt has one already.
        """
        self._sql.write(
            ADD,
            incident.account_id,
            incident.call_id,
            incident.attempt,
            incident.kind.value,
            incident.objection.value,
            write_time(incident.at),
        )
