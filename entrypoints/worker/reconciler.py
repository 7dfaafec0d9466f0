"""
Moves on the calls whose time is up, every now and then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Final

import structlog

from outdial.domain.model.call import Call
from outdial.domain.model.lifecycle import TERMINAL, State
from outdial.domain.service.reconciliation import reconcile
from outdial.entrypoints.worker.line import Line
from outdial.entrypoints.worker.look_up import LookUp
from outdial.ports.storage import Transaction

INTERVAL_S: Final = 30.0
LOOK_UP_INTERVAL_S: Final = 2.0
LAST_LOOKS_S: Final = 20.0
"""How often is looked for what is overdue, and for calls to look up; and how long look-ups may delay the former."""

CALLS_AT_ONCE: Final = 100
PAUSE_S: Final = 0.1
"""Calls of one transaction, and how long others may write before the next."""

OPEN: Final = frozenset(State) - TERMINAL

_log = structlog.get_logger()


class Reconciler:
    """
    Looks for overdue calls of all processes; several may do so at once, and each may be killed at any time.
    """

    def __init__(self, line: Line, *, attended: Collection[int], on_moved: Callable[[Call, datetime], None]) -> None:
        """
        Take what it works with.

        Args:
            attended: Rows of calls that this process hears of by itself.

            on_moved: Told each call that it brought into another state, and when.
        """
        self._line = line
        self._on_moved = on_moved
        self._look_up = LookUp(line=line, attended=attended, on_moved=on_moved)
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """
        Begin to look.
        """
        self._loops += [
            asyncio.create_task(_repeat(self.reconcile, INTERVAL_S, "calls_not_reconciled")),
            asyncio.create_task(_repeat(self._look_up.ask_due, LOOK_UP_INTERVAL_S, "calls_not_looked_up")),
        ]

    async def stop(self) -> None:
        """
        Look no more. Idempotent.
        """
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops.clear()

    async def reconcile(self) -> None:
        """
        Move on all calls whose time is up; of those that are still unknown then, the network is asked once more.

        Raises:
            StorageError: The database can't be used now.
        """
        until_s = asyncio.get_running_loop().time() + LAST_LOOKS_S
        while moved := await self._reconcile_some(until_s):
            at = self._line.clock.now()
            _log.warning("calls_reconciled", calls={call.call_id: call.state.value for call in moved})
            for call in moved:
                self._on_moved(call, at)
            await asyncio.sleep(PAUSE_S)

    async def _reconcile_some(self, until_s: float) -> tuple[Call, ...]:
        if not await self._line.storage.read(lambda reader: reader.calls.in_states(OPEN, 1)):
            return ()
        await self._look_up.ask_overdue(until_s=until_s)
        return await self._line.storage.transact(self._some)

    def _some(self, transaction: Transaction) -> tuple[Call, ...]:
        return reconcile(transaction, limit=CALLS_AT_ONCE, at=self._line.clock.now(), patience=self._line.patience)


async def _repeat(look: Callable[[], Awaitable[None]], interval_s: float, trouble: str) -> None:
    """
    Look again and again, for ever; an error costs a look, never the loop.
    """
    while True:
        await asyncio.sleep(interval_s)
        try:
            await look()
        except Exception as error:  # noqa: BLE001 - the next look finds what this one missed
            _log.warning(trouble, problem=str(error))
