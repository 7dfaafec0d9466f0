"""
Accounts, keys and agents in PostgreSQL.
"""

from collections.abc import Collection, Mapping
from typing import Final, assert_never

import attrs

from outdial.adapters.postgres import rows
from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational import values
from outdial.adapters.relational.values import Row
from outdial.domain.model.agent import Agent, AgentTotals
from outdial.domain.model.contact import Contact, ContactNumber
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.principal import Account, ApiKey
from outdial.ports.directory import DirectoryRecord, Numbered
from outdial.ports.errors import StorageConflictError

SQL: Final = load("directory.sql")
NEXT: Final[dict[type[Numbered], str]] = {
    Account: SQL["next_account"],
    ApiKey: SQL["next_key"],
    Agent: SQL["next_agent"],
    Contact: SQL["next_contact"],
    ContactNumber: SQL["next_contact_number"],
}


@attrs.frozen
class PostgresDirectory:
    """
    Who may ask and who talks; read as it was committed last, without locks.
    """

    _sql: Statements

    def account(self, account_id: int) -> Account | None:
        """
        Return an account.
        """
        row = self._sql.one(SQL["account"], account_id=account_id)
        return None if row is None else values.read_account(row)

    def key(self, key_id: int) -> ApiKey | None:
        """
        Return a key, revoked ones included.
        """
        row = self._sql.one(SQL["key"], id=key_id)
        return None if row is None else values.read_key(row)

    def agent(self, account_id: int, agent_id: AgentReference) -> Agent | None:
        """
        Return an account's agent.
        """
        name = "agent_by_row" if isinstance(agent_id, int) else "agent_by_name"
        return _read_agent(self._sql.one(SQL[name], agent_id=agent_id, account_id=account_id))

    def agent_of_any_account(self, agent_id: AgentReference) -> Agent | None:
        """
        Return an agent, whoever owns it.
        """
        name = "agent_of_any_account_by_row" if isinstance(agent_id, int) else "agent_of_any_account_by_name"
        return _read_agent(self._sql.one(SQL[name], agent_id=agent_id))

    def agents(self, account_id: int, *, after: int, limit: int) -> tuple[Agent, ...]:
        """
        Return at most `limit` of an account's agents after a row, in order.
        """
        found = self._sql.all(SQL["agents"], account_id=account_id, after=after, limit=limit)
        return tuple(values.read_agent(row) for row in found)

    def agent_totals(self, account_id: int, agent_ids: Collection[int]) -> Mapping[int, AgentTotals]:
        """
        Return what the calls of an account's agents came to.
        """
        found = self._sql.all(SQL["agent_totals"], account_id=account_id, agent_ids=list(agent_ids))
        return {agent_id: AgentTotals(calls=calls, talk_s=talk_s) for agent_id, calls, talk_s in found}

    def next_id(self, record_type: type[Numbered]) -> int:
        """
        Return the row number for a new record: above all that are stored, and all that were given.
        """
        ((number,),) = self._sql.all(NEXT[record_type])
        return int(number)

    def add(self, record: DirectoryRecord) -> None:
        """
        Store a new record.
        """
        match record:
            case Account():
                added = self._sql.write(SQL["add_account"], rows.account_columns(record))
            case ApiKey():
                added = self._sql.write(SQL["add_key"], rows.key_columns(record))
            case Agent():
                added = self._sql.write(SQL["add_agent"], rows.agent_columns(record))
            case _:
                assert_never(record)
        if not added:
            raise StorageConflictError(
                f"The row {record.id} or its public id is taken, or its account is missing; nothing was written."
            )

    def update_key(self, key: ApiKey) -> None:
        """
        Store a key's changed permissions and times.
        """
        if not self._sql.write(SQL["update_key"], rows.key_change(key)):
            raise StorageConflictError(f"There is no key {key.id}; nothing was written.")

    def add_talk(self, account_id: int, agent_id: int, talk_s: int) -> None:
        """
        Add the talk time of a call that is being settled.
        """
        self._sql.write(SQL["add_talk"], {"account_id": account_id, "agent_id": agent_id, "talk_s": talk_s})


def _read_agent(row: Row | None) -> Agent | None:
    return None if row is None else values.read_agent(row)
