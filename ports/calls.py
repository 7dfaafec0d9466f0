"""
Calls and what happened to them, in storage.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Protocol

from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.capacity import LiveCalls
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.open_calls import OpenCalls
from outdial.domain.model.phone_number import PhoneNumber


class CallsReader(Protocol):
    """
    Calls and what happened to them.
    """

    def call(self, account_id: int, reference: CallReference) -> Call | None:
        """
        Return an account's call; a wrong token is like a wrong row.
        """

    def call_of_any_account(self, reference: CallReference) -> Call | None:
        """
        Return a call, whoever owns it: for workers and the operator alone.
        """

    def prior(self, account_id: int, idempotency_key: str) -> Call | None:
        """
        Return an account's call that was asked for with an idempotency key.
        """

    def accepted_on(self, key_id: int, day: date) -> int:
        """
        Return how many calls were accepted with an API key on a day of UTC.
        """

    def in_states(self, states: frozenset[State], limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` calls in the given states, oldest first; none that is there is overlooked.
        """

    def records(self, call_id: int) -> tuple[CallRecord, ...]:
        """
        Return what happened to a call, oldest first.
        """

    def to_hang_up(self, call_ids: Collection[int]) -> frozenset[int]:
        """
        Return which of a worker's own calls are to be hung up, whoever owns them.
        """

    def open(self) -> tuple[OpenCalls, ...]:
        """
        Add up the calls that are not over, over all accounts, by state and currency, in any order.
        """


class Calls(CallsReader, Protocol):
    """
    The same, with writes.
    """

    def live(self) -> LiveCalls:
        """
        Count the calls that were leased and are not over, over all accounts.
        """

    def queued(
        self,
        limit: int,
        *,
        at: datetime,
        except_accounts: frozenset[int],
        except_caller_ids: frozenset[PhoneNumber],
    ) -> tuple[Call, ...]:
        """
        Return at most `limit` queued calls, oldest first; those that another transaction is leasing are passed over.

        Those that expired before `at` are left out, and those whose next attempt comes later.
        """

    def unattended(self, worker_id: str, *, silent_s: float, limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` calls that were leased and are neither over nor unknown, oldest first.

        Those are this worker's own, and those of workers that have not been heard of for `silent_s`.
        """

    def overdue(self, state: State, *, at: datetime, limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` calls of a state whose time was up by `at`, oldest first.

        A queued call's time is up when it expires, any other's at its deadline; one without a deadline is overdue. What
        another transaction is changing is left out.
        """

    def save(self, call: Call, at: datetime) -> None:
        """
        Write a call whose `version` is one more than the stored one's, and the record that it reached its state.

        Args:
            at: When it did, in UTC.

        Raises:
            StorageConflictError: Somebody else wrote it first.
        """

    def ask_to_hang_up(self, call: Call, at: datetime) -> None:
        """
        Note that a call's client wants its end; its state and version stay as they are.
        """
