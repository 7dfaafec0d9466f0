"""
Keeping what was promised: accounts, money and calls, in durable transactions.

Times are aware, in UTC, kept to the microsecond. Texts hold no NUL and no lone surrogate. Integers are signed 64-bit.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Decision
from outdial.domain.model.facts import Facts
from outdial.domain.model.policy import Policy
from outdial.domain.model.refusal import Decided
from outdial.ports.calls import Calls, CallsReader
from outdial.ports.contacts import Contacts, ContactsReader
from outdial.ports.decisions import Decisions, DecisionsReader
from outdial.ports.dialling_place import Places, PlacesReader
from outdial.ports.directory import Directory, DirectoryReader
from outdial.ports.do_not_call import Dnc, DncReader
from outdial.ports.events import EventsReader
from outdial.ports.history import History
from outdial.ports.incidents import Incidents, IncidentsReader
from outdial.ports.rulebook import Rulebook, RulebookReader
from outdial.ports.wallets import Wallets, WalletsReader
from outdial.ports.webhooks import Webhooks, WebhooksReader
from outdial.ports.workers import Workers

T = TypeVar("T")


class Reader(Protocol):
    """
    One consistent snapshot.
    """

    @property
    def directory(self) -> DirectoryReader:
        """
        Accounts, keys, agents.
        """

    @property
    def contacts(self) -> ContactsReader:
        """
        The address book.
        """

    @property
    def rulebook(self) -> RulebookReader:
        """
        Rates.
        """

    @property
    def dnc(self) -> DncReader:
        """
        Do-Not-Call lists.
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

    @property
    def history(self) -> History:
        """
        Lists of calls.
        """

    @property
    def decisions(self) -> DecisionsReader:
        """
        What was decided, and why.
        """

    @property
    def incidents(self) -> IncidentsReader:
        """
        Who was reached by calls that were not to go on.
        """

    @property
    def events(self) -> EventsReader:
        """
        What happened to calls.
        """

    @property
    def webhooks(self) -> WebhooksReader:
        """
        Who is told of calls, and what.
        """

    @property
    def places(self) -> PlacesReader:
        """
        Where calls are dialled from.
        """


class Transaction(Reader, Protocol):
    """
    One transaction: all of it is stored, or nothing.
    """

    @property
    def directory(self) -> Directory:
        """
        Accounts, keys, agents.
        """

    @property
    def contacts(self) -> Contacts:
        """
        The address book.
        """

    @property
    def rulebook(self) -> Rulebook:
        """
        Rates.
        """

    @property
    def dnc(self) -> Dnc:
        """
        Do-Not-Call lists.
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
    def decisions(self) -> Decisions:
        """
        What was decided, and why.
        """

    @property
    def incidents(self) -> Incidents:
        """
        Who was reached by calls that were not to go on.
        """

    @property
    def webhooks(self) -> Webhooks:
        """
        Who is told of calls, and what.
        """

    @property
    def places(self) -> Places:
        """
        Where calls are dialled from.
        """

    @property
    def workers(self) -> Workers:
        """
        Who dials.
        """


DecideAll = Callable[[Sequence[CallRequest], Sequence[Facts]], Sequence[Decided]]
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

        What is kept of a refusal is recorded, too, in the same transaction.

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
