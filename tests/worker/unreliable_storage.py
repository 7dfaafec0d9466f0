"""
Storage that fails when a test says so.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Decision
from outdial.domain.model.policy import Policy
from outdial.ports.errors import StorageError
from outdial.ports.storage import DecideAll, Reader, Storage, Transaction

T = TypeVar("T")


class UnreliableStorage:
    """
    Passes everything on to another storage, as long as it works.

    Attributes:
        is_down: Whether nothing works.

        fails_after_s: How long a transaction takes that fails.

        transactions: How many were asked for.

        fails: Tells by the number of a transaction whether it fails.

        loses_answers: Whether transactions that fail are committed before.

        hears_late_s: How long after its commit a transaction's answer is heard, by its number.

        forbids: Tells by what a transaction returns whether it is broken off before its commit.

        error: What is raised.

        reliable: The other storage.
    """

    def __init__(self, storage: Storage) -> None:
        self.is_down = False
        self.fails_after_s = 0.0
        self.transactions = 0
        self.fails: Callable[[int], bool] = lambda _number: False
        self.loses_answers = False
        self.hears_late_s: Callable[[int], float] = lambda _number: 0
        self.forbids: Callable[[object], bool] = lambda _result: False
        self.error: type[Exception] = StorageError
        self.reliable = storage

    async def start(self) -> None:
        """
        Open it.
        """
        await self.reliable.start()

    async def stop(self) -> None:
        """
        Close it.
        """
        await self.reliable.stop()

    async def accept(self, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
        """
        Decide a batch.
        """
        return await self.reliable.accept(batch, policy, decide_all)

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """
        Do a transaction, or fail, before or after it.
        """
        self.transactions += 1
        number = self.transactions
        fails = self.is_down or self.fails(number)
        if fails and not self.loses_answers:
            if self.fails_after_s:
                await asyncio.sleep(self.fails_after_s)
            raise self.error("The database can't be used now.")

        def forbidden(transaction: Transaction) -> T:
            result = work(transaction)
            if self.forbids(result):
                raise self.error("This is forbidden.")
            return result

        result = await self.reliable.transact(forbidden)
        if delay_s := self.hears_late_s(number):
            await asyncio.sleep(delay_s)
        if fails:
            raise self.error("The database can't be used now.")
        return result

    async def read(self, work: Callable[[Reader], T]) -> T:
        """
        Read a snapshot, or fail.
        """
        if self.is_down:
            raise self.error("The database can't be used now.")
        return await self.reliable.read(work)


_: type[Storage] = UnreliableStorage
