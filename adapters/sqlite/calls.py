"""
Calls and what happened to them, in SQLite.
"""

import json
from collections import Counter
from collections.abc import Collection
from datetime import date, datetime
from typing import Final

import attrs

from outdial.adapters.relational.columns import write_time
from outdial.adapters.relational.values import Row, read_call, read_open_calls, read_record
from outdial.adapters.sqlite.call_rows import progress_row, record_row
from outdial.adapters.sqlite.statements import Statements
from outdial.adapters.sqlite.workers import read_clock
from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.capacity import MICROS_PER_SECOND, LiveCalls
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import TERMINAL, State
from outdial.domain.model.open_calls import OpenCalls
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.errors import StorageConflictError

CALLS: Final = (
    "select id, token, account_id, key_id, agent_id, assistant_id, agent_name, contact_id, phone_number, caller_id,"
    " runtime, sip_uri, currency, prefix, per_minute_micros, increment_s, minimum_s, hold_micros, max_duration_s,"
    " created_at, expires_at, idempotency_key, request_digest, trace_parent, state, worker_id, fence, attempt,"
    " dialed_at, answered_at, ended_at, disposition, cause_code, cause_words, cause_provisional, talk_s,"
    " charge_micros, not_before, deadline_at, version, hang_up_at, greeting, instructions, variables"
    " from calls join scripts on scripts.call_id = calls.id"
)
CALL: Final = CALLS + " where id = ? and token = coalesce(?, token)"
CALL_OF_ACCOUNT: Final = CALL + " and account_id = ?"
PRIOR: Final = CALLS + " where account_id = ? and idempotency_key = ?"
ACCEPTED_ON: Final = "select calls from key_days where key_id = ? and day = ?"
# Repeats the condition of the index `calls_live`, without which SQLite may not use it.
CALLS_LIVE: Final = (
    CALLS + " where state = ? and state not in ('settled', 'revealed', 'canceled', 'blocked') order by id limit ?"
)
# For reports alone: nothing on the way of a call asks for calls that are over.
CALLS_OVER: Final = CALLS + " where state = ? order by id limit ?"
# The queue and what was begun, together the index `calls_live`, whose condition these repeat as well.
QUEUED: Final = (
    CALLS + " where state = 'queued' and state not in ('settled', 'revealed', 'canceled', 'blocked')"
    " and expires_at > ?1 and coalesce(not_before, 0) <= ?1"
    " and account_id not in (select value from json_each(?2)) and caller_id not in (select value from json_each(?3))"
    " order by id limit ?4"
)
OVERDUE: Final = (
    CALLS + " where state = ? and state not in ('settled', 'revealed', 'canceled', 'blocked')"
    " and case state when 'queued' then expires_at else coalesce(deadline_at, 0) end <= ? order by id limit ?"
)
_BEGUN: Final = " where state not in ('settled', 'revealed', 'canceled', 'blocked') and state != 'queued'"
UNATTENDED: Final = (
    CALLS + _BEGUN + " and state != 'unknown' and (worker_id is null or worker_id = ?"
    " or worker_id not in (select id from workers where seen_at_micros > ? - ?)) order by id limit ?"
)
LIVE: Final = "select account_id, caller_id, count(*) from calls" + _BEGUN + " group by account_id, caller_id"
OPEN: Final = (
    "select state, currency, count(*), min(created_at), sum(hold_micros) from calls"
    " where state not in ('settled', 'revealed', 'canceled', 'blocked') group by state, currency"
)
RECORDS: Final = (
    "select number, call_id, account_id, state, disposition, at from call_records where call_id = ? order by number"
)
SAVE: Final = (
    "update calls set state = ?, status = ?, worker_id = ?, fence = ?, attempt = ?, dialed_at = ?, answered_at = ?,"
    " ended_at = ?, disposition = ?, cause_code = ?, cause_words = ?, cause_provisional = ?, talk_s = ?,"
    " charge_micros = ?, not_before = ?, deadline_at = ?, version = ? where id = ? and account_id = ? and version = ?"
)
TO_HANG_UP: Final = "select id from calls where id in (select value from json_each(?)) and hang_up_at is not null"
ASK_TO_HANG_UP: Final = "update calls set hang_up_at = ? where id = ? and account_id = ?"
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

    def prior(self, account_id: int, idempotency_key: str) -> Call | None:
        """
        Return an account's call that was asked for with an idempotency key.
        """
        return _read(self._sql.one(PRIOR, account_id, idempotency_key))

    def accepted_on(self, key_id: int, day: date) -> int:
        """
        Return how many calls were accepted with an API key on a day of UTC.
        """
        row = self._sql.one(ACCEPTED_ON, key_id, day.toordinal())
        return 0 if row is None else int(row[0])

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

    def overdue(self, state: State, *, at: datetime, limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` calls of a state whose time was up by then, oldest first.
        """
        return tuple(read_call(row) for row in self._sql.all(OVERDUE, state.value, write_time(at), limit))

    def records(self, call_id: int) -> tuple[CallRecord, ...]:
        """
        Return what happened to a call, oldest first.
        """
        return tuple(read_record(row) for row in self._sql.all(RECORDS, call_id))

    def to_hang_up(self, call_ids: Collection[int]) -> frozenset[int]:
        """
        Return which of a worker's own calls are to be hung up.
        """
        return frozenset(row[0] for row in self._sql.all(TO_HANG_UP, json.dumps(sorted(call_ids))))

    def open(self) -> tuple[OpenCalls, ...]:
        """
        Add up the calls that are not over.
        """
        return tuple(map(read_open_calls, self._sql.all(OPEN)))

    def live(self) -> LiveCalls:
        """
        Count the calls that were leased and are not over.
        """
        by_account: Counter[int] = Counter()
        by_caller_id: Counter[PhoneNumber] = Counter()
        for account_id, caller_id, count in self._sql.all(LIVE):
            by_account[account_id] += count
            by_caller_id[PhoneNumber(caller_id)] += count
        return LiveCalls(by_account=by_account, by_caller_id=by_caller_id)

    def queued(
        self,
        limit: int,
        *,
        at: datetime,
        except_accounts: frozenset[int],
        except_caller_ids: frozenset[PhoneNumber],
    ) -> tuple[Call, ...]:
        """
        Return at most `limit` queued calls, oldest first; there is one transaction at a time, so none is passed over.
        """
        accounts = json.dumps(sorted(except_accounts))
        caller_ids = json.dumps(sorted(number.e164 for number in except_caller_ids))
        return tuple(read_call(row) for row in self._sql.all(QUEUED, write_time(at), accounts, caller_ids, limit))

    def unattended(self, worker_id: str, *, silent_s: float, limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` begun calls, oldest first, that nobody else sees through.
        """
        now_micros, silent_micros = read_clock(self._sql), round(silent_s * MICROS_PER_SECOND)
        rows = self._sql.all(UNATTENDED, worker_id, now_micros, silent_micros, limit)
        return tuple(read_call(row) for row in rows)

    def save(self, call: Call, at: datetime) -> None:
        """
        Write a call's progress over the version before it, and the record that it reached its state.
        """
        saved = self._sql.write(SAVE, *progress_row(call), call.id, call.account_id, call.version - 1)
        if not saved:
            raise StorageConflictError(f"Call {call.id} has no version {call.version - 1}; nothing was written.")
        self._sql.write(ADD_RECORD, *record_row(call, at))

    def ask_to_hang_up(self, call: Call, at: datetime) -> None:
        """
        Note that a call's client wants its end.
        """
        self._sql.write(ASK_TO_HANG_UP, write_time(at), call.id, call.account_id)


def _read(row: Row | None) -> Call | None:
    return None if row is None else read_call(row)
