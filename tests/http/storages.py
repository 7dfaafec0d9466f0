"""
Storages in memory that fail or wait where a real one may.
"""

import asyncio
from collections.abc import Callable, Sequence

from outdial.adapters.memory.storage import MemoryStorage
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Decision
from outdial.domain.model.facts import Facts
from outdial.domain.model.policy import Policy
from outdial.domain.model.refusal import Decided
from outdial.ports.storage import DecideAll


class FailingStorage(MemoryStorage):
    """
    Storage that decides, and then fails before the commit.
    """

    def __init__(self, error: Callable[[], Exception]) -> None:
        super().__init__()
        self._error = error

    async def accept(self, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
        """
        Decide in vain.
        """

        def decide_in_vain(requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> Sequence[Decided]:
            decide_all(requests, snapshot)
            raise self._error()

        return await super().accept(batch, policy, decide_in_vain)


class HeldStorage(MemoryStorage):
    """
    Storage that commits nothing until it is let go.

    Attributes:
        batches: The length of each batch that it was given.
    """

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()
        self.batches: list[int] = []

    async def accept(self, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
        """
        Wait, then do it.
        """
        self.batches.append(len(batch))
        await self.let_go.wait()
        return await super().accept(batch, policy, decide_all)
