"""
Calls and workers in memory.
"""

import time
from collections import Counter
from collections.abc import Collection
from datetime import date, datetime
from itertools import islice
from typing import Final

import attrs

from outdial.adapters.memory.storage_tables import Tables
from outdial.domain.model.agent import AgentTotals
from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.capacity import MICROS_PER_SECOND, LiveCalls
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import BEGUN, TERMINAL, State
from outdial.domain.model.open_calls import OpenCalls
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.dialling_place import DiallingPlace
from outdial.ports.errors import StorageConflictError

_PROGRESS: Final = (
    "state",
    "worker_id",
    "fence",
    "attempt",
    "dialed_at",
    "answered_at",
    "ended_at",
    "disposition",
    "cause",
    "talk_s",
    "charge_micros",
    "not_before",
    "deadline_at",
    "version",
)
"""What may change of a call."""


@attrs.frozen
class MemoryCalls:
    """
    Calls and what happened to them.
    """

    _tables: Tables

    def call(self, account_id: int, reference: CallReference) -> Call | None:
        """
        Return an account's call; a wrong token is like a wrong row.
        """
        call = self.call_of_any_account(reference)
        return call if call is not None and call.account_id == account_id else None

    def call_of_any_account(self, reference: CallReference) -> Call | None:
        """
        Return a call, whoever owns it.
        """
        call = self._tables.calls.get(reference.number)
        return call if call is not None and reference.token in (None, call.token) else None

    def prior(self, account_id: int, idempotency_key: str) -> Call | None:
        """
        Return an account's call that was asked for with an idempotency key.
        """
        mine = (call for call in self._tables.calls.values() if call.account_id == account_id)
        return next((call for call in mine if call.idempotency_key == idempotency_key), None)

    def accepted_on(self, key_id: int, day: date) -> int:
        """
        Return how many calls were accepted with an API key on a day of UTC.
        """
        return sum(call.key_id == key_id and call.created_at.date() == day for call in self._tables.calls.values())

    def in_states(self, states: frozenset[State], limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` calls in the given states, oldest first.
        """
        found = sorted((call for call in self._tables.calls.values() if call.state in states), key=lambda call: call.id)
        return tuple(found[:limit])

    def overdue(self, state: State, *, at: datetime, limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` calls of a state whose time was up by then, oldest first.
        """
        found = self.in_states(frozenset({state}), len(self._tables.calls))
        return tuple(islice((call for call in found if _is_overdue(call, at)), limit))

    def records(self, call_id: int) -> tuple[CallRecord, ...]:
        """
        Return what happened to a call, oldest first.
        """
        return tuple(record for record in self._tables.call_records if record.call_id == call_id)

    def to_hang_up(self, call_ids: Collection[int]) -> frozenset[int]:
        """
        Return which of a worker's own calls are to be hung up.
        """
        known = (self._tables.calls[call_id] for call_id in call_ids if call_id in self._tables.calls)
        return frozenset(call.id for call in known if call.hang_up_at is not None)

    def open(self) -> tuple[OpenCalls, ...]:
        """
        Add up the calls that are not over.
        """
        groups: dict[tuple[State, str], list[Call]] = {}
        for call in self._tables.calls.values():
            if call.state not in TERMINAL:
                groups.setdefault((call.state, call.rate.currency), []).append(call)
        return tuple(
            OpenCalls(
                state=state,
                currency=currency,
                count=len(calls),
                oldest_at=min(call.created_at for call in calls),
                held_micros=sum(call.hold_micros for call in calls),
            )
            for (state, currency), calls in groups.items()
        )

    def live(self) -> LiveCalls:
        """
        Count the calls that were leased and are not over.
        """
        begun = [call for call in self._tables.calls.values() if call.state in BEGUN]
        return LiveCalls(
            by_account=Counter(call.account_id for call in begun),
            by_caller_id=Counter(call.caller_id for call in begun),
        )

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
        waiting = self.in_states(frozenset({State.QUEUED}), len(self._tables.calls))
        allowed = (
            call
            for call in waiting
            if call.expires_at > at
            and (call.not_before is None or call.not_before <= at)
            and call.account_id not in except_accounts
            and call.caller_id not in except_caller_ids
        )
        return tuple(islice(allowed, limit))

    def unattended(self, worker_id: str, *, silent_s: float, limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` begun calls, oldest first, that nobody else sees through.
        """
        since_micros = now_micros() - round(silent_s * MICROS_PER_SECOND)
        heard = {name for name, seen_at in self._tables.seen_at_micros.items() if seen_at > since_micros} - {worker_id}
        begun = self.in_states(BEGUN - {State.UNKNOWN}, len(self._tables.calls))
        return tuple(islice((call for call in begun if call.worker_id not in heard), limit))

    def save(self, call: Call, at: datetime) -> None:
        """
        Write a call's progress over the version before it, and the record that it reached its state.
        """
        stored = self.call(call.account_id, CallReference(number=call.id))
        if stored is None or stored.version != call.version - 1:
            raise StorageConflictError(f"Call {call.id} has no version {call.version - 1}; nothing was written.")
        progress = {name: getattr(call, name) for name in _PROGRESS}
        self._tables.calls[call.id] = attrs.evolve(stored, **progress)
        self.record(call, at)

    def ask_to_hang_up(self, call: Call, at: datetime) -> None:
        """
        Note that a call's client wants its end.
        """
        stored = self.call(call.account_id, CallReference(number=call.id))
        if stored is not None:
            self._tables.calls[call.id] = attrs.evolve(stored, hang_up_at=at)

    def add(self, call: Call) -> None:
        """
        Store a call that was just accepted, and the record of it.
        """
        self._tables.check_account(call.account_id)
        name = call.idempotency_key
        if call.id in self._tables.calls or (name is not None and self.prior(call.account_id, name) is not None):
            raise StorageConflictError(f"The row {call.id} is taken; nothing was written.")
        self._tables.calls[call.id] = call
        self._tables.count(call.account_id, call.agent_id, AgentTotals(calls=1))
        self._tables.last_ids[Call] = max(call.id, self._tables.last_ids.get(Call, 0))
        self.record(call, call.created_at)

    def record(self, call: Call, at: datetime) -> None:
        """
        Note that a call reached its state.
        """
        self._tables.call_records.append(
            CallRecord(
                number=len(self._tables.call_records) + 1,
                call_id=call.id,
                account_id=call.account_id,
                state=call.state,
                disposition=call.disposition,
                at=at,
            )
        )


@attrs.frozen
class MemoryWorkers:
    """
    The one process there is.
    """

    _tables: Tables

    def beat(self, worker_id: str) -> None:
        """
        Note that a worker lives.
        """
        self._tables.seen_at_micros[worker_id] = now_micros()

    def leave(self, worker_id: str) -> None:
        """
        Note that a worker is gone.
        """
        self._tables.seen_at_micros.pop(worker_id, None)

    def forget(self, *, silent_s: float) -> int:
        """
        Forget workers of whom nothing was heard for long and nothing is left, and return how many.
        """
        since_micros = now_micros() - round(silent_s * MICROS_PER_SECOND)
        busy = {call.worker_id for call in self._tables.calls.values() if call.state in BEGUN - {State.UNKNOWN}}
        gone = {name for name, seen_at in self._tables.seen_at_micros.items() if seen_at <= since_micros} - busy
        for worker_id in gone:
            self.leave(worker_id)
        return len(gone)

    def take_turn(self) -> None:
        """
        Do nothing: there is one transaction at a time.
        """

    def now_micros(self) -> int:
        """
        Return the machine's steady time.
        """
        return now_micros()

    def next_start(self, trunk: str) -> int:
        """
        Return when the next call on a trunk may start.
        """
        return self._tables.next_starts.get(trunk, 0)

    def set_next_start(self, trunk: str, at_micros: int) -> None:
        """
        Store when the next call on a trunk may start.
        """
        self._tables.next_starts[trunk] = at_micros


@attrs.frozen
class MemoryPlaces:
    """
    Where calls are dialled from: nobody copies a process, but the word of it is kept.
    """

    _tables: Tables

    def current(self) -> DiallingPlace:
        """
        Return where the database is dialled from.
        """
        return self._tables.place

    def count_dial(self) -> None:
        """
        Count a call that passes its point of no return.
        """
        self._tables.place = attrs.evolve(self._tables.place, dials=self._tables.place.dials + 1)

    def leave(self) -> None:
        """
        Forget the place.
        """
        self._tables.place = attrs.evolve(self._tables.place, name="", is_here=False)

    def begin_epoch(self) -> None:
        """
        Take where the database is now for its place, in a new epoch.
        """
        epoch = self._tables.place.epoch + 1
        self._tables.place = attrs.evolve(self._tables.place, epoch=epoch, name=f"memory {epoch}", is_here=True)


def _is_overdue(call: Call, at: datetime) -> bool:
    until = call.expires_at if call.state is State.QUEUED else call.deadline_at
    return until is None or until <= at


def now_micros() -> int:
    """
    Return microseconds by a clock that never goes back.
    """
    return time.monotonic_ns() // 1000
