"""
Storage in a PostgreSQL database, for many machines.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import attrs

from outdial.adapters.postgres import acceptance
from outdial.adapters.postgres.calls import PostgresCalls
from outdial.adapters.postgres.connection import Limits, check_server, connect
from outdial.adapters.postgres.contacts import PostgresContacts
from outdial.adapters.postgres.decisions import PostgresDecisions
from outdial.adapters.postgres.directory import PostgresDirectory
from outdial.adapters.postgres.do_not_call import PostgresDnc
from outdial.adapters.postgres.events import PostgresEvents
from outdial.adapters.postgres.history import PostgresHistory
from outdial.adapters.postgres.incidents import PostgresIncidents
from outdial.adapters.postgres.places import PostgresPlaces
from outdial.adapters.postgres.rulebook import PostgresRulebook
from outdial.adapters.postgres.schema import check_schema
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.postgres.threads import Threads
from outdial.adapters.postgres.transactions import Transactions
from outdial.adapters.postgres.wallets import PostgresWallets
from outdial.adapters.postgres.webhooks import PostgresWebhooks
from outdial.adapters.postgres.workers import PostgresWorkers
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Decision
from outdial.domain.model.policy import Policy
from outdial.ports.storage import DecideAll, Reader, Transaction

T = TypeVar("T")

CONNECTIONS_MAX: Final = 8
WAITING_MAX: Final = 1024


@attrs.frozen(kw_only=True)
class _Tables:
    """
    The tables as the port shows them; a transaction for reading refuses the writes.
    """

    directory: PostgresDirectory
    contacts: PostgresContacts
    rulebook: PostgresRulebook
    dnc: PostgresDnc
    wallets: PostgresWallets
    calls: PostgresCalls
    history: PostgresHistory
    decisions: PostgresDecisions
    incidents: PostgresIncidents
    events: PostgresEvents
    webhooks: PostgresWebhooks
    places: PostgresPlaces
    workers: PostgresWorkers


class PostgresStorage:
    """
    Accounts, money and calls in a database whose schema `migrate` made, shared with other processes.

    Works run side by side, each on a connection of its own.
    """

    def __init__(
        self,
        url: str,
        *,
        connections_max: int = CONNECTIONS_MAX,
        waiting_max: int = WAITING_MAX,
        limits: Limits | None = None,
    ) -> None:
        self._url = url
        self._connections_max = connections_max
        self._limits = limits or Limits()
        self._threads = Threads(thread_count=connections_max, waiting_max=waiting_max)
        self._transactions = self._new_transactions()

    async def start(self) -> None:
        """
        Look at the database, whose schema must be current, and begin to connect.
        """
        await asyncio.to_thread(self._start)

    async def stop(self) -> None:
        """
        Finish what was begun and close. Idempotent.
        """
        await asyncio.to_thread(self._stop)

    async def accept(self, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
        """
        Decide and record a batch in one durable transaction.
        """

        def work(sql: Statements) -> Sequence[Decision]:
            return acceptance.accept(sql, batch, policy, decide_all)

        return await asyncio.wrap_future(self._threads.submit(lambda: self._transactions.write(work)))

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """
        Run `work` in one durable transaction and return its result after the commit.
        """

        def run(sql: Statements) -> T:
            return work(tables_on(sql))

        return await asyncio.wrap_future(self._threads.submit(lambda: self._transactions.write(run)))

    async def read(self, work: Callable[[Reader], T]) -> T:
        """
        Run `work` on one consistent snapshot of what was committed.
        """

        def run(sql: Statements) -> T:
            return work(tables_on(sql))

        return await asyncio.wrap_future(self._threads.submit(lambda: self._transactions.read(run)))

    def _start(self) -> None:
        with connect(self._url, self._limits) as connection:
            check_server(connection)
            check_schema(connection)
        # A pool that was closed stays closed.
        self._transactions = self._new_transactions()
        self._transactions.open()
        self._threads.start()

    def _stop(self) -> None:
        self._threads.stop()
        self._transactions.close()

    def _new_transactions(self) -> Transactions:
        return Transactions(self._url, connections_max=self._connections_max, limits=self._limits)


def tables_on(sql: Statements) -> _Tables:
    """
    Return the tables in the transaction of a connection.
    """
    return _Tables(
        directory=PostgresDirectory(sql),
        contacts=PostgresContacts(sql),
        rulebook=PostgresRulebook(sql),
        dnc=PostgresDnc(sql),
        wallets=PostgresWallets(sql),
        calls=PostgresCalls(sql),
        history=PostgresHistory(sql),
        decisions=PostgresDecisions(sql),
        incidents=PostgresIncidents(sql),
        events=PostgresEvents(sql),
        webhooks=PostgresWebhooks(sql),
        places=PostgresPlaces(sql),
        workers=PostgresWorkers(sql),
    )
