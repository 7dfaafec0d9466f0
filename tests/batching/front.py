"""
An intake over a storage that tests hold and fail.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import attrs
import pytest

from outdial.adapters.batching.intake import BatchingIntake
from outdial.adapters.memory.clock import ManualClock
from outdial.adapters.memory.storage import MemoryStorage
from outdial.adapters.system.randomness import SystemRandomness
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Decision
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import PresentedKey
from outdial.ports.storage import DecideAll
from tests import builders
from tests.entrypoints.clinic import KEY, calls_of, furnish

CREDENTIAL: Final = PresentedKey(text=KEY)

TOLD_S: Final = 30.0
"""Who has heard nothing by then never will."""


class WatchedStorage(MemoryStorage):
    """
    Storage in memory that counts batches, holds each until it is let go, and fails those it is told to.

    Attributes:
        batches: The requests of each batch, in order.

        errors: What the batches raise, by their number; counted from 0.

        lost: How many decisions of each batch get lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Sequence[CallRequest]] = []
        self.errors: dict[int, Exception] = {}
        self.lost = 0
        self.let_go = asyncio.Event()
        self.let_go.set()

    async def accept(self, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
        """
        Note the batch, wait, then fail or commit.
        """
        number = len(self.batches)
        self.batches.append(batch)
        await self.let_go.wait()
        if number in self.errors:
            raise self.errors[number]
        decisions = await super().accept(batch, policy, decide_all)
        return decisions[self.lost :]


@attrs.frozen
class Front:
    """
    An intake over a watched storage.

    Attributes:
        accepted: How many calls were in the database each time when the intake told of accepted ones.
    """

    intake: BatchingIntake
    storage: WatchedStorage
    accepted: list[int]

    def ask(self, text: str = builders.CALLEE.e164) -> "asyncio.Task[Decision]":
        """
        Hand in a request for a number.
        """
        return asyncio.ensure_future(self.intake.submit(CREDENTIAL, builders.fields(phone_number=text)))

    async def hold_first_batch(self) -> "asyncio.Task[Decision]":
        """
        Hand in a request and return while its batch is being committed.
        """
        self.storage.let_go.clear()
        first = self.ask()
        while not self.storage.batches:
            await asyncio.sleep(0)
        return first


def run(scenario: Callable[[Front], Coroutine[Any, Any, None]]) -> None:
    """
    Run a scenario on a front of its own.
    """

    async def main() -> None:
        storage = WatchedStorage()
        await storage.start()
        await storage.transact(furnish)
        accepted: list[int] = []

        async def count() -> None:
            accepted.append(len(await storage.read(calls_of)))

        def on_accepted() -> None:
            count_now = count()
            with pytest.raises(StopIteration):  # the storage in memory never waits
                count_now.send(None)

        front = BatchingIntake(
            storage,
            Policy(),
            clock=ManualClock(builders.NOW),
            randomness=SystemRandomness(),
            on_accepted=on_accepted,
        )
        async with asyncio.timeout(TOLD_S):
            await scenario(Front(front, storage, accepted))

    asyncio.run(main())
