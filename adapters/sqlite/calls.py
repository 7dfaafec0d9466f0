"""
Calls and what happened to them, in SQLite.
"""

from datetime import datetime
from typing import Final

import attrs

from outdial.adapters.sqlite.call_rows import progress_row, read_call, read_record, record_row
from outdial.adapters.sqlite.statements import Row, Statements
from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import TERMINAL, State
from outdial.ports.errors import StorageConflictError

_CALLS: Final = (
    "select id, token, account_id, key_id, agent_id, assistant_id, agent_name, contact_id, phone_number, caller_id,"
    " runtime, sip_uri, currency, prefix, per_minute_micros, increment_s, minimum_s, hold_micros, max_duration_s,"
    " created_at, state, fence, attempt, dialed_at, answered_at, ended_at, disposition, cause_code, cause_words,"
    " cause_provisional, talk_s, charge_micros, version, greeting, instructions, variables"
    " from calls join scripts on scripts.call_id = calls.id"
)
CALL: Final = _CALLS + " where id = ? and token = coalesce(?, token)"
CALL_OF_ACCOUNT: Final = CALL + " and account_id = ?"
# Repeats the condition of the index `calls_live`, without which SQLite may not use it.
CALLS_LIVE: Final = _CALLS + " where state = ? and state not in ('settled', 'canceled', 'blocked') order by id limit ?"
# For reports alone: nothing on the way of a call asks for calls that are over.
CALLS_OVER: Final = _CALLS + " where state = ? order by id limit ?"
RECORDS: Final = (
    "select number, call_id, account_id, state, disposition, at from call_records where call_id = ? order by number"
)
SAVE: Final = (
    "update calls set state = ?, fence = ?, attempt = ?, dialed_at = ?, answered_at = ?, ended_at = ?,"
    " disposition = ?, cause_code = ?, cause_words = ?, cause_provisional = ?, talk_s = ?, charge_micros = ?,"
    " version = ? where id = ? and account_id = ? and version = ?"
)
ADD_RECORD: Final = "insert into call_records (call_id, account_id, state, disposition, at) values (?, ?, ?, ?, ?)"


@attrs.frozen
class SqliteCalls:
    """
    Calls, each with its script.
    """

    _sql: Statements

    def call(self, account_id: int, reference: CallReference) -> Call | None:
        """
        Return an account's call; a wrong token is like a wrong row.
        """
        return _read(self._sql.one(CALL_OF_ACCOUNT, reference.number, reference.token, account_id))

    def call_of_any_account(self, reference: CallReference) -> Call | None:
        """
        Return a call, whoever owns it.
        """
        return _read(self._sql.one(CALL, reference.number, reference.token))

    def in_states(self, states: frozenset[State], limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` calls in the given states, oldest first.
        """
        # A state at a time: each comes out of the index in order, and none is read past the limit.
        found = [
            row
            for state in states
            for row in self._sql.all(CALLS_OVER if state in TERMINAL else CALLS_LIVE, state.value, limit)
        ]
        found.sort(key=lambda row: int(row[0]))
        return tuple(read_call(row) for row in found[:limit])

    def records(self, call_id: int) -> tuple[CallRecord, ...]:
        """
        Return what happened to a call, oldest first.
        """
        return tuple(read_record(row) for row in self._sql.all(RECORDS, call_id))

    def save(self, call: Call, at: datetime) -> None:
        """
        Write a call's progress over the version before it, and the record that it reached its state.
        """
        saved = self._sql.write(SAVE, *progress_row(call), call.id, call.account_id, call.version - 1)
        if not saved:
            raise StorageConflictError(f"Call {call.id} has no version {call.version - 1}; nothing was written.")
        self._sql.write(ADD_RECORD, *record_row(call, at))


def _read(row: Row | None) -> Call | None:
    return None if row is None else read_call(row)
