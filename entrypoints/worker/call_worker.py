"""
The loop that takes queued calls and sees each through, at most one dial a call.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

import attrs
import structlog

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call
from outdial.domain.model.capacity import Capacity
from outdial.domain.model.lifecycle import State
from outdial.domain.model.patience import Patience
from outdial.domain.service.dialling import lease
from outdial.domain.service.reconciliation import recover
from outdial.entrypoints.worker.attempt import Attempt
from outdial.entrypoints.worker.late_evidence import LateEvidence
from outdial.entrypoints.worker.line import Line, OnIncident
from outdial.entrypoints.worker.reconciler import Reconciler
from outdial.ports.carrier import Announce, Audio, Carrier
from outdial.ports.clock import Clock
from outdial.ports.errors import StorageError
from outdial.ports.runtime import Runtime
from outdial.ports.storage import Storage, Transaction

RECOVERED_AT_ONCE: Final = 100
"""Calls brought in order in one transaction, so that others can write between."""

RETRY_AFTER_ERROR_S: Final = 1.0

BEAT_S: Final = 3.0
SILENT_S: Final = 15.0
"""A worker that missed this much of its beats is taken for lost; four beats may fail before."""

GAP_S: Final = SILENT_S / 2
"""Between two beats of one worker: after a longer one it may be the database that was away, and all are silent."""

NEVER_S: Final = 1e9
"""A silence of thirty years."""

CARRIER_STOP_TIMEOUT_S: Final = 15.0
"""A carrier stops within 10 s; one that does not must not keep the process from ending."""

FINISH_TIMEOUT_S: Final = 15.0
"""How long it may take to write down what the carrier reported while it stopped."""

EVIDENCE_TIMEOUT_S: Final = 2.0
"""And what it reported of calls that were left before."""

NO_WORDS: Final = Announce(audio=Audio(pcm=b""))

_log = structlog.get_logger()


@attrs.frozen(kw_only=True)
class CallWorkerSettings:
    """
    How the worker works.

    Attributes:
        patience: How long is waited for what, and how often it is tried again.

        live_calls_max: Calls seen through at once; further ones stay queued.

        poll_s: How often storage is looked at for what other processes wrote: queued calls, calls to be hung up.

        worker_id: This worker's name, unlike that of any other there ever was.

        trunk: What the pace is kept for.

        capacity: Limits over all workers.

        has_rivals: Whether other workers may dial from the same database; then each tells the others that it lives.
    """

    patience: Patience = attrs.field(factory=Patience)
    live_calls_max: int = 100
    poll_s: float = 0.5
    worker_id: str = "worker"
    trunk: str = ""
    capacity: Capacity = attrs.field(factory=Capacity)
    has_rivals: bool = False


@attrs.frozen
class _Live:
    """
    A call that is being seen through.
    """

    attempt: Attempt
    task: asyncio.Task[None]


class CallWorker:
    """
    Takes queued calls and sees each through in a task of its own.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        carrier: Carrier,
        runtimes: Mapping[RuntimeKind, Runtime],
        clock: Clock,
        settings: CallWorkerSettings,
        apology: Announce = NO_WORDS,
        on_incident: OnIncident = lambda _kind, _objection: None,
        on_moved: Callable[[Call, datetime], None] = lambda _call, _at: None,
    ) -> None:
        """
        Take what it works with.

        Args:
            apology: What is said to whoever answers a call that must not go on.

            on_incident: Told that somebody was reached who should not have been.

            on_moved: Told each call that it brought into another state, and when.
        """
        self._evidence = LateEvidence(storage=storage, clock=clock, on_moved=on_moved)
        self._line = Line(
            storage=storage,
            carrier=carrier,
            runtimes=runtimes,
            clock=clock,
            patience=settings.patience,
            apology=apology,
            on_late=self._evidence.hear,
            on_incident=on_incident,
            on_moved=on_moved,
        )
        self._settings = settings
        self._awake = asyncio.Event()
        self._live: dict[int, _Live] = {}
        self._reconciler = Reconciler(self._line, attended=self._live, on_moved=self._reconciled)
        self._is_untidy = False
        self._loops: list[asyncio.Task[None]] = []
        self._roll = asyncio.Lock()
        """Held while calls are on their way into `_live`: whoever looks for unattended ones waits until they are in."""
        self._beaten_at_s = self._beats_since_s = -math.inf

    @property
    def is_running(self) -> bool:
        """
        Whether queued calls are being taken.
        """
        return bool(self._loops) and not any(loop.done() for loop in self._loops)

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

    def hang_up(self, call_id: int) -> None:
        """
        Hang up a call whose client asked for that now instead of at the next poll; others' calls are left to them.
        """
        live = self._live.get(call_id)
        if live is not None:
            live.attempt.hang_up()

    async def start(self) -> None:
        """
        Bring order into what an earlier process left behind, get the carrier ready and begin to dial.

        Raises:
            StorageError: The database can't be used.

            CarrierUnavailableError: The carrier can't place calls as it is configured.
        """
        if self._settings.has_rivals:
            await self._beat()
        await self._recover()
        await self._line.carrier.start()
        self._evidence.start()
        self._reconciler.start()
        self._loops += [asyncio.create_task(self._run()), asyncio.create_task(self._keep_hanging_up())]
        if self._settings.has_rivals:
            self._loops.append(asyncio.create_task(self._keep_beating()))

    async def stop(self) -> None:
        """
        Take no more calls, hang up the live ones and wait until each is settled. Idempotent.

        Calls that were not dialled yet are left to the next start.
        """
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops.clear()
        await self._reconciler.stop()
        for live in self._live.values():
            if not live.attempt.may_ring:
                live.task.cancel()
        try:
            async with asyncio.timeout(CARRIER_STOP_TIMEOUT_S):
                await self._line.carrier.stop()
        except Exception:  # noqa: BLE001 - what it reported has to be written all the same
            _log.exception("carrier_not_stopped")
        await self._finish()
        await self._evidence.stop(timeout_s=EVIDENCE_TIMEOUT_S)

    def _reconciled(self, call: Call, at: datetime) -> None:
        """
        Tell of a call that was moved on; one that is on this worker's line for longer than it can be is hung up.
        """
        self._line.on_moved(call, at)
        live = self._live.get(call.id)
        if live is not None and call.state is State.UNKNOWN:
            live.attempt.hang_up_overdue()

    async def _recover(self) -> None:
        """
        Bring order into calls that were begun and that nobody sees through.
        """
        while recovered := await self._recover_some():
            _log.warning("calls_recovered", calls=[call.call_id for call in recovered])
            for call in recovered:
                self._line.on_moved(call, self._line.clock.now())

    async def _recover_some(self) -> tuple[Call, ...]:
        async with self._roll:
            attended, clock_s = frozenset(self._live), asyncio.get_running_loop().time

            def work(transaction: Transaction) -> tuple[Call, ...]:
                return recover(
                    transaction,
                    worker_id=self._settings.worker_id,
                    attended=attended,
                    silent_s=self._silence_s(clock_s()),  # as it is when the database lets the work begin
                    limit=RECOVERED_AT_ONCE,
                    at=self._line.clock.now(),
                    patience=self._line.patience,
                )

            return await self._line.storage.transact(work)

    async def _run(self) -> None:
        """
        Fill the free places from the queue, for ever; an error costs a pause, never the loop.
        """
        while True:
            self._awake.clear()
            if self._is_untidy:
                await self._tidy()
            if not await self._take():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_s):  # `wait_for` of Python 3.11 may lose a cancel
                        await self._awake.wait()

    async def _keep_hanging_up(self) -> None:
        """
        Hang up the live calls whose clients asked for that in whichever process, for ever.
        """
        while True:
            await asyncio.sleep(self._settings.poll_s)
            try:
                await self._hang_up_some()
            except Exception as error:  # noqa: BLE001 - an error costs a look, never the loop
                _log.warning("hang_ups_unreadable", problem=str(error))

    async def _hang_up_some(self) -> None:
        live = frozenset(self._live)
        if live:
            for call_id in await self._line.storage.read(lambda reader: reader.calls.to_hang_up(live)):
                self.hang_up(call_id)

    async def _tidy(self) -> None:
        """
        Bring order into abandoned calls without waiting for the next start; after a pause, as it may be in vain.
        """
        await asyncio.sleep(RETRY_AFTER_ERROR_S)
        self._is_untidy = False
        try:
            await self._recover()
        except Exception:  # noqa: BLE001 - an error costs a pause, never the loop
            self._is_untidy = True
            _log.exception("calls_not_recovered")

    async def _beat(self) -> None:
        """
        Tell the other workers that this one lives.
        """
        await self._line.storage.transact(lambda transaction: transaction.workers.beat(self._settings.worker_id))
        now_s = asyncio.get_running_loop().time()
        if now_s - self._beaten_at_s > GAP_S:
            self._beats_since_s = now_s
        self._beaten_at_s = now_s

    def _silence_s(self, now_s: float) -> float:
        """
        Return after which silence other workers are taken for lost.

        Only who could beat all the time may judge: while the database is away nobody beats, and their calls go on.
        """
        if not self._settings.has_rivals:
            return SILENT_S
        is_steady = now_s - self._beats_since_s >= SILENT_S and now_s - self._beaten_at_s <= GAP_S
        return SILENT_S if is_steady else NEVER_S

    async def _keep_beating(self) -> None:
        """
        Go on telling, and take care of calls whose workers have fallen silent, for ever.
        """
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await self._beat()
                await self._recover()
            except Exception as error:  # noqa: BLE001 - an error costs a beat, never the loop
                _log.warning("beat_missed", problem=str(error))

    async def _take(self) -> bool:
        """
        Begin to see queued calls through, as many as there are places; tell whether there were any.
        """
        try:
            async with self._roll:
                leased = await self._lease()
                for call in leased:
                    self._see_through(call)
        except Exception as error:  # noqa: BLE001 - an error costs a pause, never the loop
            self._is_untidy = True  # calls may be leased without our knowing
            if isinstance(error, StorageError):
                _log.warning("queue_unreadable", problem=str(error))
            else:
                _log.exception("queue_unreadable")
            return False
        return bool(leased)

    async def _lease(self) -> tuple[Call, ...]:
        free = self._settings.live_calls_max - len(self._live)
        storage = self._line.storage
        if free <= 0 or not await storage.read(lambda reader: reader.calls.in_states(frozenset({State.QUEUED}), 1)):
            return ()
        work = partial(
            lease,
            worker_id=self._settings.worker_id,
            trunk=self._settings.trunk,
            capacity=self._settings.capacity,
            limit=free,
            at=self._line.clock.now(),
        )
        return await storage.transact(work)

    def _see_through(self, call: Call) -> None:
        """
        See one call through; whatever goes wrong with it stays with it.

        After a sleep it may be one whose earlier lease was taken away meanwhile: that one's attempt dials no more.
        """
        if (earlier := self._live.get(call.id)) is not None:
            earlier.task.cancel()
        attempt = Attempt(self._line, call, _log.bind(call_id=call.call_id))
        task = asyncio.create_task(attempt.run(), name=call.call_id)
        self._live[call.id] = _Live(attempt, task)
        task.add_done_callback(partial(self._forget, call))

    def _forget(self, call: Call, task: asyncio.Task[None]) -> None:
        """
        Free a call's place; one that was abandoned is brought in order later.
        """
        live = self._live.get(call.id)
        if live is not None and live.task is task:
            del self._live[call.id]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("call_abandoned", call_id=call.call_id, exc_info=error)
        self._is_untidy = self._is_untidy or task.cancelled() or error is not None
        self.wake()

    async def _finish(self) -> None:
        """
        Wait for the live calls to settle, and leave those that don't to the next start.
        """
        tasks = [live.task for live in self._live.values()]
        if tasks:
            _done, pending = await asyncio.wait(tasks, timeout=FINISH_TIMEOUT_S)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
