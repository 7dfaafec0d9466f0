"""
Moves on the calls whose time is up, every now and then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from outdial.domain.model.call import Call
from outdial.domain.model.lifecycle import TERMINAL, State
from outdial.domain.service.reconciliation import overdue, reconcile
from outdial.entrypoints.worker.line import Line
from outdial.entrypoints.worker.look_up import LookUp
from outdial.ports.errors import StorageConflictError, StorageError

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
        stuck: set[int] = set()
        while moved := await self._reconcile_some(until_s, stuck):
            at = self._line.clock.now()
            _log.warning("calls_reconciled", calls={call.call_id: call.state.value for call in moved})
            for call in moved:
                self._on_moved(call, at)
            await asyncio.sleep(PAUSE_S)

    async def _reconcile_some(self, until_s: float, stuck: set[int]) -> tuple[Call, ...]:
        if not await self._line.storage.read(lambda reader: reader.calls.in_states(OPEN, 1)):
            return ()
        await self._look_up.ask_overdue(until_s=until_s)
        try:
            return await self._move_on(limit=CALLS_AT_ONCE, but=frozenset(stuck))
        except Exception as error:
            if _is_away(error):
                raise
            return await self._move_on_one_by_one(stuck)

    async def _move_on_one_by_one(self, stuck: set[int]) -> tuple[Call, ...]:
        """
        Move some calls on, each by itself, so that one that can't be keeps no others from it; that one is stuck then.
        """
        left_alone, at = frozenset(stuck), self._line.clock.now()
        find = partial(overdue, limit=CALLS_AT_ONCE, at=at, but=left_alone)
        found = {call.id: call for call in await self._line.storage.transact(find)}
        moved: list[Call] = []
        for call in found.values():
            try:
                moved += await self._move_on(limit=1, but=left_alone | (found.keys() - {call.id}))
            except Exception as error:
                if _is_away(error):
                    raise
                stuck.add(call.id)
                _log.exception("call_not_reconciled", call_id=call.call_id)
        return tuple(moved)

    async def _move_on(self, *, limit: int, but: Collection[int]) -> tuple[Call, ...]:
        at, patience = self._line.clock.now(), self._line.patience
        return await self._line.storage.transact(partial(reconcile, limit=limit, at=at, patience=patience, but=but))


def _is_away(error: Exception) -> bool:
    """
    Tell whether no other call would fare better: the database can't be used, and forbids nothing.
    """
    return isinstance(error, StorageError) and not isinstance(error, StorageConflictError)


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
