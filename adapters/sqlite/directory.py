"""
Accounts, keys and agents in SQLite.
"""

from collections.abc import Collection, Mapping
from typing import Final, assert_never

import attrs

from outdial.adapters.relational import values
from outdial.adapters.relational.columns import write_json, write_time_or_none
from outdial.adapters.sqlite import rows
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.agent import Agent, AgentTotals
from outdial.domain.model.contact import Contact, ContactNumber
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.principal import Account, ApiKey
from outdial.ports.directory import DirectoryRecord, Numbered
from outdial.ports.errors import StorageConflictError

ACCOUNT: Final = (
    "select id, name, currency, created_at, default_region, allowed_regions, price_caps_micros"
    " from accounts where id = ?"
)
KEY: Final = (
    "select id, account_id, permissions, secret_hash, created_at, expires_at, revoked_at, calls_per_day,"
    " requests_per_minute"
    " from api_keys where id = ?"
)
_AGENTS: Final = (
    "select id, account_id, assistant_id, name, phone_number, greeting, instructions, runtime, sip_uri, model,"
    " voice_id, team_id from agents"
)
AGENT_BY_ROW: Final = _AGENTS + " where id = ?"
AGENT_BY_NAME: Final = _AGENTS + " where assistant_id = ?"
AGENTS: Final = _AGENTS + " where account_id = ? and id > ? order by id limit ?"
AGENT_TOTALS: Final = (
    "select agent_id, calls, talk_s from agent_totals"
    " where account_id = ? and agent_id in (select value from json_each(?))"
)
COUNT_FOR_AGENT: Final = (
    "insert into agent_totals (agent_id, account_id, calls, talk_s) values (?, ?, ?, ?)"
    " on conflict (agent_id) do update set calls = calls + excluded.calls, talk_s = talk_s + excluded.talk_s"
)
NEXT_ROWS: Final[dict[type[Numbered], tuple[str, str]]] = {
    Account: ("accounts", "select max(id) from accounts"),
    ApiKey: ("api_keys", "select max(id) from api_keys"),
    Agent: ("agents", "select max(id) from agents"),
    Contact: ("contacts", "select max(id) from contacts"),
    ContactNumber: ("contact_numbers", "select max(id) from contact_numbers"),
}
LAST_NUMBER: Final = "select last from row_numbers where table_name = ?"
SET_LAST_NUMBER: Final = (
    "insert into row_numbers (table_name, last) values (?, ?)"
    " on conflict (table_name) do update set last = max(last, excluded.last)"
)
ADD_ACCOUNT: Final = (
    "insert into accounts (id, name, currency, created_at, default_region, allowed_regions, price_caps_micros)"
    " values (?, ?, ?, ?, ?, ?, ?)"
)
ADD_WALLET: Final = (
    "insert into wallets (account_id, balance_micros, held_micros, entries, seal) values (?, 0, 0, 0, zeroblob(32))"
)
ADD_KEY: Final = (
    "insert into api_keys (id, account_id, permissions, secret_hash, created_at, expires_at, revoked_at, calls_per_day,"
    " requests_per_minute)"
    " values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
ADD_AGENT: Final = (
    "insert into agents"
    " (id, account_id, assistant_id, name, phone_number, greeting, instructions, runtime, sip_uri, model, voice_id,"
    " team_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
UPDATE_KEY: Final = "update api_keys set permissions = ?, expires_at = ?, revoked_at = ? where id = ?"


def next_row(sql: Statements, table: str, highest: str) -> int:
    """
    Return the row number for a new record: above all that are stored, and all that were given.

    Args:
        highest: The statement that finds the highest of the table.
    """
    stored, given = sql.one(highest), sql.one(LAST_NUMBER, table)
    number = max(stored[0] or 0 if stored is not None else 0, given[0] if given is not None else 0) + 1
    sql.write(SET_LAST_NUMBER, table, number)
    return int(number)


@attrs.frozen
class SqliteDirectory:
    """
    Who may ask and who talks.
    """

    _sql: Statements

    def account(self, account_id: int) -> Account | None:
        """
        Return an account.
        """
        row = self._sql.one(ACCOUNT, account_id)
        return None if row is None else values.read_account(row)

    def key(self, key_id: int) -> ApiKey | None:
        """
        Return a key, revoked ones included.
        """
        row = self._sql.one(KEY, key_id)
        return None if row is None else values.read_key(row)

    def agent(self, account_id: int, agent_id: AgentReference) -> Agent | None:
        """
        Return an account's agent.
        """
        agent = self.agent_of_any_account(agent_id)
        return agent if agent is not None and agent.account_id == account_id else None

    def agent_of_any_account(self, agent_id: AgentReference) -> Agent | None:
        """
        Return an agent, whoever owns it.
        """
        row = self._sql.one(AGENT_BY_ROW if isinstance(agent_id, int) else AGENT_BY_NAME, agent_id)
        return None if row is None else values.read_agent(row)

    def agents(self, account_id: int, *, after: int, limit: int) -> tuple[Agent, ...]:
        """
        Return at most `limit` of an account's agents after a row, in order.
        """
        return tuple(values.read_agent(row) for row in self._sql.all(AGENTS, account_id, after, limit))

    def agent_totals(self, account_id: int, agent_ids: Collection[int]) -> Mapping[int, AgentTotals]:
        """
        Return what the calls of an account's agents came to.
        """
        found = self._sql.all(AGENT_TOTALS, account_id, write_json(frozenset(agent_ids)))
        return {agent_id: AgentTotals(calls=calls, talk_s=talk_s) for agent_id, calls, talk_s in found}

    def next_id(self, record_type: type[Numbered]) -> int:
        """
        Return the row number for a new record: above all that are stored, and all that were given.
        """
        return next_row(self._sql, *NEXT_ROWS[record_type])

    def add(self, record: DirectoryRecord) -> None:
        """
        Store a new record.
        """
        match record:
            case Account():
                self._sql.write(ADD_ACCOUNT, *rows.account_row(record))
                self._sql.write(ADD_WALLET, record.id)
            case ApiKey():
                self._sql.write(ADD_KEY, *rows.key_row(record))
            case Agent():
                self._sql.write(ADD_AGENT, *rows.agent_row(record))
            case _:
                assert_never(record)

    def update_key(self, key: ApiKey) -> None:
        """
        Store a key's changed permissions and times.
        """
        changed = self._sql.write(
            UPDATE_KEY,
            write_json(key.permissions),
            write_time_or_none(key.expires_at),
            write_time_or_none(key.revoked_at),
            key.id,
        )
        if not changed:
            raise StorageConflictError(f"There is no key {key.id}; nothing was written.")

    def add_talk(self, account_id: int, agent_id: int, talk_s: int) -> None:
        """
        Add the talk time of a call that is being settled.
        """
        self._sql.write(COUNT_FOR_AGENT, agent_id, account_id, 0, talk_s)
