"""
Moves on the calls whose time is up, every now and then.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from outdial.domain.model.call import Call
from outdial.domain.model.lifecycle import TERMINAL, State
from outdial.domain.model.patience import Patience
from outdial.domain.service.reconciliation import reconcile
from outdial.ports.clock import Clock
from outdial.ports.storage import Storage, Transaction

INTERVAL_S: Final = 30.0
CALLS_AT_ONCE: Final = 100
PAUSE_S: Final = 0.1
"""Calls of one transaction, and how long others may write before the next."""

OPEN: Final = frozenset(State) - TERMINAL

_log = structlog.get_logger()


class Reconciler:
    """
    Looks for overdue calls of all processes; several may do so at once, and each may be killed at any time.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        patience: Patience,
        on_moved: Callable[[Call, datetime], None],
    ) -> None:
        """
        Take what it works with.

        Args:
            on_moved: Told each call that it brought into another state, and when.
        """
        self._storage = storage
        self._clock = clock
        self._patience = patience
        self._on_moved = on_moved
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """
        Begin to look.
        """
        self._loop = asyncio.create_task(self._keep_reconciling())

    async def stop(self) -> None:
        """
        Look no more. Idempotent.
        """
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)

    async def reconcile(self) -> None:
        """
        Move on all calls whose time is up.

        Raises:
            StorageError: The database can't be used now.
        """
        while moved := await self._reconcile_some():
            at = self._clock.now()
            _log.warning("calls_reconciled", calls={call.call_id: call.state.value for call in moved})
            for call in moved:
                self._on_moved(call, at)
            await asyncio.sleep(PAUSE_S)

    async def _reconcile_some(self) -> tuple[Call, ...]:
        is_idle = not await self._storage.read(lambda reader: reader.calls.in_states(OPEN, 1))
        return () if is_idle else await self._storage.transact(self._some)

    def _some(self, transaction: Transaction) -> tuple[Call, ...]:
        return reconcile(transaction, limit=CALLS_AT_ONCE, at=self._clock.now(), patience=self._patience)

    async def _keep_reconciling(self) -> None:
        """
        Look again and again, for ever; an error costs a look, never the loop.
        """
        while True:
            await asyncio.sleep(INTERVAL_S)
            try:
                await self.reconcile()
            except Exception as error:  # noqa: BLE001 - the next look finds what this one missed
                _log.warning("calls_not_reconciled", problem=str(error))
