"""
Calls and what happened to them, in PostgreSQL.
"""

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime
from typing import Final

import attrs

from outdial.adapters.postgres.call_rows import progress_columns, record_columns
from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.columns import write_time
from outdial.adapters.relational.values import Row, read_call, read_open_calls, read_record
from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.capacity import LiveCalls
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import TERMINAL, State
from outdial.domain.model.open_calls import OpenCalls
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.errors import StorageConflictError

SQL: Final = load("calls.sql")


@attrs.frozen
class PostgresCalls:
    """
    Calls, each with its script. A call that a transaction has read is its own until it ends.
    """

    _sql: Statements

    def call(self, account_id: int, reference: CallReference) -> Call | None:
        """
        Return an account's call; a wrong token is like a wrong row.
        """
        return _read(
            self._sql.one(self._text("call"), id=reference.number, token=reference.token, account_id=account_id)
        )

    def call_of_any_account(self, reference: CallReference) -> Call | None:
        """
        Return a call, whoever owns it.
        """
        return _read(self._sql.one(self._text("call_of_any_account"), id=reference.number, token=reference.token))

    def prior(self, account_id: int, idempotency_key: str) -> Call | None:
        """
        Return an account's call that was asked for with an idempotency key.
        """
        return _read(self._sql.one(SQL["prior"], account_id=account_id, idempotency_key=idempotency_key))

    def accepted_on(self, key_id: int, day: date) -> int:
        """
        Return how many calls were accepted with an API key on a day of UTC.
        """
        row = self._sql.one(SQL["accepted_on"], key_id=key_id, day=day.toordinal())
        return 0 if row is None else int(row[0])

    def in_states(self, states: frozenset[State], limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` calls in the given states, oldest first; one in other hands is waited for.
        """
        # A state at a time: each comes out of the index in order, and none is read past the limit.
        found = [
            row
            for state in sorted(states)
            for row in self._sql.all(
                self._text("over" if state in TERMINAL else "live"), state=state.value, limit=limit
            )
        ]
        found.sort(key=lambda row: int(row[0]))
        return tuple(read_call(row) for row in found[:limit])

    def overdue(self, state: State, *, at: datetime, limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` calls of a state whose time was up by then, oldest first; those in other hands are left.
        """
        rows = self._sql.all(self._text("overdue"), state=state.value, at=write_time(at), limit=limit)
        return tuple(read_call(row) for row in rows)

    def records(self, call_id: int) -> tuple[CallRecord, ...]:
        """
        Return what happened to a call, oldest first.
        """
        return tuple(read_record(row) for row in self._sql.all(SQL["records"], id=call_id))

    def to_hang_up(self, call_ids: Collection[int]) -> frozenset[int]:
        """
        Return which of a worker's own calls are to be hung up.
        """
        return frozenset(row[0] for row in self._sql.all(SQL["to_hang_up"], ids=sorted(call_ids)))

    def open(self) -> tuple[OpenCalls, ...]:
        """
        Add up the calls that are not over.
        """
        return tuple(map(read_open_calls, self._sql.all(SQL["open"])))

    def live(self) -> LiveCalls:
        """
        Count the calls that were leased and are not over.
        """
        by_account: Counter[int] = Counter()
        by_caller_id: Counter[PhoneNumber] = Counter()
        for account_id, caller_id, count in self._sql.all(SQL["live_counts"]):
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
        Return at most `limit` queued calls, oldest first, locked; those that others lease are passed over.
        """
        rows = self._sql.all(
            SQL["queued"],
            limit=limit,
            at=write_time(at),
            accounts=sorted(except_accounts),
            caller_ids=sorted(number.e164 for number in except_caller_ids),
        )
        return tuple(read_call(row) for row in rows)

    def unattended(self, worker_id: str, *, silent_s: float, limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` begun calls, oldest first, locked, that no other living worker sees through.
        """
        rows = self._sql.all(SQL["unattended"], worker_id=worker_id, silent_s=silent_s, limit=limit)
        return tuple(read_call(row) for row in rows)

    def save(self, call: Call, at: datetime) -> None:
        """
        Write a call's progress over the version before it, and the record that it reached its state.
        """
        values = {**progress_columns(call), **record_columns(call, at), "version_before": call.version - 1}
        if not self._sql.write(SQL["save"], values):
            raise StorageConflictError(f"Call {call.id} has no version {call.version - 1}; nothing was written.")

    def ask_to_hang_up(self, call: Call, at: datetime) -> None:
        """
        Note that a call's client wants its end.
        """
        values = {"id": call.id, "account_id": call.account_id, "hang_up_at": write_time(at)}
        self._sql.write(SQL["ask_to_hang_up"], values)

    def _text(self, name: str) -> str:
        return SQL[f"{name}_to_change" if self._sql.is_writing else name]


def _read(row: Row | None) -> Call | None:
    return None if row is None else read_call(row)
