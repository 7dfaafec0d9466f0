"""
Keeping what was promised: accounts, money and calls, in durable transactions.

Times are aware, in UTC, kept to the microsecond. Texts hold no NUL and no lone surrogate. Integers are signed 64-bit.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Protocol, TypeVar

from outdial.domain.model.agent import Agent
from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.capacity import LiveCalls
from outdial.domain.model.contact import Contact
from outdial.domain.model.decision import Decision
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.facts import Facts
from outdial.domain.model.identifiers import AgentReference, CallReference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Account, ApiKey
from outdial.domain.model.rate import Rate
from outdial.domain.model.wallet import LedgerEntry, Wallet

T = TypeVar("T")

DirectoryRecord = Account | ApiKey | Agent | Contact
"""What has a row number of its own and is set up by the operator."""


class DirectoryReader(Protocol):
    """
    Who may ask, who talks and who is known.
    """

    def account(self, account_id: int) -> Account | None:
        """
        Return an account.
        """

    def key(self, key_id: int) -> ApiKey | None:
        """
        Return a key, revoked ones included.
        """

    def agent(self, account_id: int, agent_id: AgentReference) -> Agent | None:
        """
        Return an account's agent by its row or its `assistant_...` id.
        """

    def agent_of_any_account(self, agent_id: AgentReference) -> Agent | None:
        """
        Return an agent, whoever owns it: for the operator alone.
        """

    def contact(self, account_id: int, contact_id: int) -> Contact | None:
        """
        Return an account's contact.
        """


class Directory(DirectoryReader, Protocol):
    """
    The same, with writes.
    """

    def next_id(self, record_type: type[DirectoryRecord]) -> int:
        """
        Return the row number for a new record of a type, never given before.
        """

    def add(self, record: DirectoryRecord) -> None:
        """
        Store a new record; a new account gets an empty wallet.

        Raises:
            StorageConflictError: Its row, or an agent's `assistant_...` id, is taken, or its account is missing.
        """

    def update_key(self, key: ApiKey) -> None:
        """
        Store a key's changed permissions and times.

        Raises:
            StorageConflictError: There is no such key.
        """


class RulebookReader(Protocol):
    """
    Lists that rules read: Do-Not-Call and prices.
    """

    def dnc_entry(self, account_id: int, number: PhoneNumber) -> DncEntry | None:
        """
        Return a number's entry on an account's Do-Not-Call list.
        """

    def rates_for(self, currency: str, number: PhoneNumber) -> tuple[Rate, ...]:
        """
        Return the rates of a currency whose prefix begins a number, in any order.
        """


class Rulebook(RulebookReader, Protocol):
    """
    The same, with writes.
    """

    def list_number(self, entry: DncEntry) -> None:
        """
        Put a number on an account's Do-Not-Call list, or replace its entry.
        """

    def delist_number(self, account_id: int, number: PhoneNumber) -> bool:
        """
        Take a number off an account's list; `False` when it was not on it.
        """

    def set_rate(self, rate: Rate) -> None:
        """
        Store the rate of a currency and prefix, or replace it.
        """


class WalletsReader(Protocol):
    """
    Money.
    """

    def wallet(self, account_id: int) -> Wallet | None:
        """
        Return an account's wallet.
        """

    def entries(self, account_id: int) -> tuple[LedgerEntry, ...]:
        """
        Return an account's ledger, oldest first.
        """


class Wallets(WalletsReader, Protocol):
    """
    The same, with writes.
    """

    def post(self, entry: LedgerEntry) -> Wallet:
        """
        Add an entry to a ledger and return the wallet after it.

        Raises:
            OverdrawnError: The wallet can't cover it.

            StorageConflictError: The call already has an entry of this kind, or there is no such wallet.
        """


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
        Return at most `limit` calls in the given states, oldest first.
        """

    def records(self, call_id: int) -> tuple[CallRecord, ...]:
        """
        Return what happened to a call, oldest first.
        """

    def live(self) -> LiveCalls:
        """
        Count the calls that were leased and are not over, over all accounts.
        """


class Calls(CallsReader, Protocol):
    """
    The same, with writes.
    """

    def queued(
        self, limit: int, *, except_accounts: frozenset[int], except_caller_ids: frozenset[PhoneNumber]
    ) -> tuple[Call, ...]:
        """
        Return at most `limit` queued calls, oldest first; those that another transaction is leasing are passed over.
        """

    def unattended(self, worker_id: str, *, silent_s: float, limit: int) -> tuple[Call, ...]:
        """
        Return at most `limit` calls that were leased and are not over, oldest first.

        Those are this worker's own, and those of workers that have not been heard of for `silent_s`.
        """

    def save(self, call: Call, at: datetime) -> None:
        """
        Write a call whose `version` is one more than the stored one's, and the record that it reached its state.

        Args:
            at: When it did, in UTC.

        Raises:
            StorageConflictError: Somebody else wrote it first.
        """


class Workers(Protocol):
    """
    The processes that dial, by the database's own clock.
    """

    def beat(self, worker_id: str) -> None:
        """
        Note that a worker lives.
        """

    def take_turn(self) -> None:
        """
        Let no other transaction past this point until this one ends.
        """

    def now_micros(self) -> int:
        """
        Return the time in microseconds by a clock that all workers share.
        """

    def next_start(self, trunk: str) -> int:
        """
        Return when the next call on a trunk may start, by that clock; 0 when none has yet.
        """

    def set_next_start(self, trunk: str, at_micros: int) -> None:
        """
        Store when the next call on a trunk may start.
        """


class Reader(Protocol):
    """
    One consistent snapshot.
    """

    @property
    def directory(self) -> DirectoryReader:
        """
        Accounts, keys, agents, contacts.
        """

    @property
    def rulebook(self) -> RulebookReader:
        """
        Do-Not-Call and rates.
        """

    @property
    def wallets(self) -> WalletsReader:
        """
        Money.
        """

    @property
    def calls(self) -> CallsReader:
        """
        Calls.
        """


class Transaction(Protocol):
    """
    One transaction: all of it is stored, or nothing.
    """

    @property
    def directory(self) -> Directory:
        """
        Accounts, keys, agents, contacts.
        """

    @property
    def rulebook(self) -> Rulebook:
        """
        Do-Not-Call and rates.
        """

    @property
    def wallets(self) -> Wallets:
        """
        Money.
        """

    @property
    def calls(self) -> Calls:
        """
        Calls.
        """

    @property
    def workers(self) -> Workers:
        """
        Who dials.
        """


DecideAll = Callable[[Sequence[CallRequest], Sequence[Facts]], Sequence[Decision]]
"""The pure decision over a batch, `rules.ladder.decide_all`."""


class Storage(Protocol):
    """
    A database, opened. Its methods are called on one event loop.
    """

    async def start(self) -> None:
        """
        Open the database, whose schema must be current.

        Raises:
            StorageError: It can't be used; the message says why and what to do.
        """

    async def stop(self) -> None:
        """
        Finish what was begun and close. Idempotent.
        """

    async def accept(self, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
        """
        Decide a batch in one durable transaction: load one snapshot for all, call the pure `decide_all`, record it.

        Raises:
            StorageError: Nothing of the batch was accepted; or, where the connection was lost during the commit, nobody
                knows, as its message says.
        """

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """
        Run `work` in one durable transaction and return its result after the commit.

        It may run again after a conflict with another process, and after an earlier run whose commit nobody heard of;
        so it writes what is to be, not what is to be added. Whatever it raises undoes all its writes.

        Raises:
            StorageConflictError: Another transaction won.

            StorageError: The database can't write now.
        """

    async def read(self, work: Callable[[Reader], T]) -> T:
        """
        Run `work` on one consistent snapshot of what was committed.

        Raises:
            StorageError: The database can't be read now.
        """
