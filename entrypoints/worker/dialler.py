"""
The loop that takes queued calls and sees each through, at most one dial a call.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Final

import attrs
import structlog

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call
from outdial.domain.model.lifecycle import State
from outdial.domain.service.dialling import lease
from outdial.domain.service.progress import recover
from outdial.entrypoints.worker.attempt import Attempt, Line
from outdial.ports.carrier import Carrier
from outdial.ports.clock import Clock
from outdial.ports.errors import StorageError
from outdial.ports.runtime import Runtime
from outdial.ports.storage import Storage

RECOVERED_AT_ONCE: Final = 100
"""Calls brought in order in one transaction, so that others can write between."""

RETRY_AFTER_ERROR_S: Final = 1.0

FINISH_TIMEOUT_S: Final = 15.0
"""The carrier stops within 10 s, and what it reports has to be written."""

_log = structlog.get_logger()


@attrs.frozen(kw_only=True)
class DiallerSettings:
    """
    How the dialler works.

    Attributes:
        ring_timeout_s: How long a phone rings unanswered.

        live_calls_max: Calls seen through at once; further ones stay queued.

        poll_s: How often the queue is looked at for calls that other processes accepted.
    """

    ring_timeout_s: int = 40
    live_calls_max: int = 100
    poll_s: float = 0.5


class Dialler:
    """
    Takes queued calls and sees each through in a task of its own. One at a time may run on a database.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        carrier: Carrier,
        runtimes: Mapping[RuntimeKind, Runtime],
        clock: Clock,
        settings: DiallerSettings,
    ) -> None:
        self._line = Line(
            storage=storage, carrier=carrier, runtimes=runtimes, clock=clock, ring_timeout_s=settings.ring_timeout_s
        )
        self._settings = settings
        self._awake = asyncio.Event()
        self._live: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """
        Whether queued calls are being taken.
        """
        return self._loop is not None and not self._loop.done()

    @property
    def live_calls(self) -> int:
        """
        How many calls are being seen through now.
        """
        return len(self._live)

    def wake(self) -> None:
        """
        Look at the queue now instead of at the next poll.
        """
        self._awake.set()

    async def start(self) -> None:
        """
        Bring order into what an earlier process left behind, get the carrier ready and begin to dial.

        Raises:
            StorageError: The database can't be used.

            CarrierUnavailableError: The carrier can't place calls as it is configured.
        """
        await self._recover()
        await self._line.carrier.start()
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """
        Take no more calls, hang up the live ones and wait until each is settled. Idempotent.
        """
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
        await self._line.carrier.stop()
        await self._finish()

    async def _recover(self) -> None:
        while True:
            work = partial(recover, limit=RECOVERED_AT_ONCE, at=self._line.clock.now())
            recovered = await self._line.storage.transact(work)
            if not recovered:
                return
            _log.warning("calls_recovered", calls=[call.call_id for call in recovered])

    async def _run(self) -> None:
        """
        Fill the free places from the queue, for ever; an error costs a pause, never the loop.
        """
        while True:
            self._awake.clear()
            try:
                leased = await self._lease()
            except StorageError as error:
                _log.warning("queue_unreadable", problem=str(error))
                leased = ()
                await asyncio.sleep(RETRY_AFTER_ERROR_S)
            for call in leased:
                self._see_through(call)
            if not leased:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), self._settings.poll_s)

    async def _lease(self) -> tuple[Call, ...]:
        free = self._settings.live_calls_max - len(self._live)
        storage = self._line.storage
        if free <= 0 or not await storage.read(lambda reader: reader.calls.in_states(frozenset({State.QUEUED}), 1)):
            return ()
        return await storage.transact(partial(lease, limit=free, at=self._line.clock.now()))

    def _see_through(self, call: Call) -> None:
        task = asyncio.create_task(self._guard(call), name=call.call_id)
        self._live.add(task)
        task.add_done_callback(self._live.discard)
        task.add_done_callback(lambda _task: self.wake())

    async def _guard(self, call: Call) -> None:
        """
        See one call through; whatever goes wrong with it stays with it.
        """
        log = _log.bind(call_id=call.call_id)
        try:
            await Attempt(self._line, call, log).run()
        except Exception:
            log.exception("call_abandoned")

    async def _finish(self) -> None:
        """
        Wait for the live calls to settle, and leave those that don't to the next start.
        """
        if self._live:
            _done, pending = await asyncio.wait(self._live, timeout=FINISH_TIMEOUT_S)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
