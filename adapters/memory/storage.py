"""
Storage in memory: for tests, and for trying outdial out; it forgets everything when the process ends.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import attrs

from outdial.adapters.memory.history import MemoryHistory
from outdial.adapters.memory.storage_calls import MemoryCalls, MemoryPlaces, MemoryWorkers
from outdial.adapters.memory.storage_contacts import MemoryContacts
from outdial.adapters.memory.storage_decisions import MemoryDecisions
from outdial.adapters.memory.storage_do_not_call import MemoryDnc
from outdial.adapters.memory.storage_events import MemoryEvents
from outdial.adapters.memory.storage_incidents import MemoryIncidents
from outdial.adapters.memory.storage_tables import MemoryDirectory, MemoryRulebook, MemoryWallets, Tables
from outdial.adapters.memory.storage_webhooks import MemoryWebhooks
from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Accepted, Decision
from outdial.domain.model.policy import Policy
from outdial.domain.service.snapshot import facts_of
from outdial.ports.errors import StorageError
from outdial.ports.storage import DecideAll, Reader, Transaction

T = TypeVar("T")


@attrs.frozen
class TablesView:
    """
    The tables as the port shows them.
    """

    tables: Tables

    @property
    def directory(self) -> MemoryDirectory:
        """
        Accounts, keys, agents.
        """
        return MemoryDirectory(self.tables)

    @property
    def contacts(self) -> MemoryContacts:
        """
        The address book.
        """
        return MemoryContacts(self.tables)

    @property
    def rulebook(self) -> MemoryRulebook:
        """
        Rates.
        """
        return MemoryRulebook(self.tables)

    @property
    def dnc(self) -> MemoryDnc:
        """
        Do-Not-Call lists.
        """
        return MemoryDnc(self.tables)

    @property
    def wallets(self) -> MemoryWallets:
        """
        Money.
        """
        return MemoryWallets(self.tables)

    @property
    def calls(self) -> MemoryCalls:
        """
        Calls.
        """
        return MemoryCalls(self.tables)

    @property
    def history(self) -> MemoryHistory:
        """
        Lists of calls.
        """
        return MemoryHistory(self.tables)

    @property
    def decisions(self) -> MemoryDecisions:
        """
        What was decided, and why.
        """
        return MemoryDecisions(self.tables)

    @property
    def incidents(self) -> MemoryIncidents:
        """
        Who was reached by calls that were not to go on.
        """
        return MemoryIncidents(self.tables)

    @property
    def events(self) -> MemoryEvents:
        """
        What happened to calls.
        """
        return MemoryEvents(self.tables)

    @property
    def webhooks(self) -> MemoryWebhooks:
        """
        Who is told of calls, and what.
        """
        return MemoryWebhooks(self.tables)

    @property
    def places(self) -> MemoryPlaces:
        """
        Where calls are dialled from.
        """
        return MemoryPlaces(self.tables)

    @property
    def workers(self) -> MemoryWorkers:
        """
        Who dials.
        """
        return MemoryWorkers(self.tables)


class MemoryStorage:
    """
    Storage whose transactions work on a copy, one after the other; the copy takes the original's place at the end.

    Stopping and starting it again keeps what it holds.
    """

    def __init__(self) -> None:
        self._committed = Tables()
        self._one_at_a_time = threading.Lock()
        self._is_open = False

    async def start(self) -> None:
        """
        Let it be used.
        """
        self._is_open = True

    async def stop(self) -> None:
        """
        Let it be used no more. Idempotent.
        """
        self._is_open = False

    async def accept(self, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
        """
        Decide and record a batch in one transaction.
        """
        with self._transaction() as view:
            first_number = view.tables.last_ids.get(Call, 0) + 1
            snapshot = tuple(
                facts_of(request, view, policy=policy, call_number=number)
                for number, request in enumerate(batch, first_number)
            )
            decided = decide_all(batch, snapshot)
            for one in decided:
                if isinstance(one.decision, Accepted):
                    view.calls.add(one.decision.call)
                    view.wallets.post(one.decision.hold)
                view.decisions.record(one)
            return [one.decision for one in decided]

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """
        Run `work` in one transaction.
        """
        with self._transaction() as view:
            return work(view)

    async def read(self, work: Callable[[Reader], T]) -> T:
        """
        Run `work` on what was committed; transactions replace it and never change it.
        """
        self._check_open()
        return work(TablesView(self._committed))

    @contextmanager
    def _transaction(self) -> Iterator[TablesView]:
        self._check_open()
        with self._one_at_a_time:
            draft = self._committed.copy()
            yield TablesView(draft)
            self._committed = draft

    def _check_open(self) -> None:
        if not self._is_open:
            raise StorageError("The storage is closed. Nothing was written.")
