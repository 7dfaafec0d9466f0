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
from outdial.entrypoints.worker.attempt import Attempt
from outdial.entrypoints.worker.late_evidence import LateEvidence
from outdial.entrypoints.worker.line import Line, OnIncident
from outdial.entrypoints.worker.pulse import Pulse
from outdial.entrypoints.worker.reconciler import Reconciler
from outdial.entrypoints.worker.roll import Live, Roll
from outdial.ports.carrier import Announce, Audio, Carrier
from outdial.ports.clock import Clock
from outdial.ports.errors import StorageError
from outdial.ports.runtime import Runtime
from outdial.ports.storage import Storage

RETRY_AFTER_ERROR_S: Final = 1.0

GIVE_BACK_TIMEOUT_S: Final = 3.0
"""How long it may take to give back what was leased; what can't be given back is found by others, or the next start."""

SENDS_TIMEOUT_S: Final = 10.0
"""Orders that are on their way to the carrier when the worker is to stop may take this long to be answered."""

CARRIER_STOP_TIMEOUT_S: Final = 10.0
"""A carrier stops within this; one that does not must not keep the process from ending."""

END_TIMEOUT_S: Final = 20.0
"""From the end of the drain until all that the carrier reported is written down."""

FINISH_TIMEOUT_S: Final = 0.5
"""What is left for the writing at least, if the carrier took all the time."""

EVIDENCE_TIMEOUT_S: Final = 0.5
"""And what it reported of calls that were left before."""

DEPART_TIMEOUT_S: Final = 1.5
"""How long it may take to leave in order; others find out by the silence, or the next start does."""

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
        self._pulse = Pulse(storage, settings.worker_id, has_rivals=settings.has_rivals)
        self._roll = Roll(self._line, self._pulse)
        self._reconciler = Reconciler(self._line, attended=self._roll.live, on_moved=self._reconciled)
        self._is_untidy = False
        self._leasing: asyncio.Task[None] | None = None
        self._loops: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Lock()
        self._drained_at_s = math.inf
        """When live calls may not go on any longer, by the loop's clock; infinite as long as nobody wants to stop."""

    @property
    def is_running(self) -> bool:
        """
        Whether queued calls are being taken.
        """
        return self._leasing is not None and not any(loop.done() for loop in (self._leasing, *self._loops))

    @property
    def is_stopping(self) -> bool:
        """
        Whether no more calls are taken because the process is to end; those that live may go on.
        """
        return self._drained_at_s < math.inf

    @property
    def live_calls(self) -> int:
        """
        How many calls are being seen through now.
        """
        return len(self._roll.live)

    def wake(self) -> None:
        """
        Look at the queue now instead of at the next poll.
        """
        self._awake.set()

    def hang_up(self, call_id: int) -> None:
        """
        Hang up a call whose client asked for that now instead of at the next poll; others' calls are left to them.
        """
        live = self._roll.live.get(call_id)
        if live is not None:
            live.attempt.hang_up()

    async def start(self) -> None:
        """
        Bring order into what an earlier process left behind, get the carrier ready and begin to dial.

        Raises:
            StorageError: The database can't be used.

            CarrierUnavailableError: The carrier can't place calls as it is configured.
        """
        self._drained_at_s = math.inf
        await self._pulse.begin()
        await self._roll.recover()
        await self._line.carrier.start()
        self._evidence.start()
        self._reconciler.start()
        self._leasing = asyncio.create_task(self._run())
        self._loops.append(asyncio.create_task(self._keep_hanging_up()))
        if self._settings.has_rivals:
            self._loops.append(asyncio.create_task(self._keep_beating()))

    async def stop(self, *, drain_s: float = 0.0) -> None:
        """
        Take no more calls, let the live ones go on for a while, hang up what is left and wait until each is settled.

        Calls that were not dialled go back to the queue at once. Orders that are on their way to the carrier have
        `SENDS_TIMEOUT_S` to be answered. Idempotent; called again meanwhile, the shorter time counts.

        Args:
            drain_s: How long calls may go on that ring or talk.
        """
        self._drained_at_s = min(self._drained_at_s, asyncio.get_running_loop().time() + drain_s)
        async with self._stopping:
            began_s = asyncio.get_running_loop().time()
            await self._give_back()
            if drain_s > 0 and self.live_calls > 0:
                _log.info("draining", calls=self.live_calls, drain_s=drain_s)
            await self._roll.drain(lambda: self._drained_at_s, sends_until_s=began_s + SENDS_TIMEOUT_S)
            await self._hang_up_all()
            await self._depart()

    async def _give_back(self) -> None:
        """
        Lease nothing more, and put back into the queue what was not dialled, so that others may dial it now.
        """
        if self._leasing is None:
            return
        try:
            await self._roll.drop_undialled()
            async with asyncio.timeout(GIVE_BACK_TIMEOUT_S):
                async with self._roll.entry:  # a lease that has begun is heard of before
                    self._leasing.cancel()
                await self._roll.recover()
        except Exception as error:  # noqa: BLE001 - the phones have to be hung up all the same
            _log.warning("calls_not_given_back", problem=str(error) or type(error).__name__)
        self._leasing.cancel()
        await asyncio.gather(self._leasing, return_exceptions=True)
        self._leasing = None

    async def _hang_up_all(self) -> None:
        """
        Have the carrier hang up what lives, and write down what comes of it, in limited time.
        """
        clock_s = asyncio.get_running_loop().time
        until_s = min(self._drained_at_s, clock_s()) + END_TIMEOUT_S
        await self._reconciler.stop()  # it asks the carrier
        try:
            async with asyncio.timeout(CARRIER_STOP_TIMEOUT_S):
                await self._line.carrier.stop()
        except Exception:  # noqa: BLE001 - what it reported has to be written all the same
            _log.exception("carrier_not_stopped")
        await self._roll.leave(timeout_s=max(FINISH_TIMEOUT_S, until_s - clock_s()))
        await self._evidence.stop(timeout_s=EVIDENCE_TIMEOUT_S)

    async def _depart(self) -> None:
        """
        End what goes on until the last call is over, and leave what remains to others.
        """
        if not self._loops:
            return
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops.clear()
        try:
            async with asyncio.timeout(DEPART_TIMEOUT_S):
                await self._roll.recover()
                await self._pulse.end()
        except Exception as error:  # noqa: BLE001 - the process has to end all the same
            _log.warning("calls_left_behind", problem=str(error) or type(error).__name__)

    def _reconciled(self, call: Call, at: datetime) -> None:
        """
        Tell of a call that was moved on; one that is on this worker's line for longer than it can be is hung up.
        """
        self._line.on_moved(call, at)
        live = self._roll.live.get(call.id)
        if live is not None and call.state is State.UNKNOWN:
            live.attempt.hang_up_overdue()

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
        live = frozenset(self._roll.live)
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
            await self._roll.recover()
        except Exception:  # noqa: BLE001 - an error costs a pause, never the loop
            self._is_untidy = True
            _log.exception("calls_not_recovered")

    async def _keep_beating(self) -> None:
        """
        Go on telling, and take care of calls whose workers have fallen silent, for ever.
        """
        while True:
            try:
                await self._pulse.next_beat()
                await self._roll.recover()
            except Exception as error:  # noqa: BLE001 - an error costs a beat, never the loop
                _log.warning("beat_missed", problem=str(error))

    async def _take(self) -> bool:
        """
        Begin to see queued calls through, as many as there are places; tell whether there were any.
        """
        try:
            async with self._roll.entry:
                leased = await self._lease()
                for call in () if self.is_stopping else leased:
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
        free = self._settings.live_calls_max - len(self._roll.live)
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
        if (earlier := self._roll.live.get(call.id)) is not None:
            earlier.task.cancel()
        attempt = Attempt(self._line, call, _log.bind(call_id=call.call_id))
        task = asyncio.create_task(attempt.run(), name=call.call_id)
        self._roll.live[call.id] = Live(attempt, task)
        task.add_done_callback(partial(self._forget, call))

    def _forget(self, call: Call, task: asyncio.Task[None]) -> None:
        """
        Free a call's place; one that was abandoned is brought in order later.
        """
        live = self._roll.live.get(call.id)
        if live is not None and live.task is task:
            del self._roll.live[call.id]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("call_abandoned", call_id=call.call_id, exc_info=error)
        self._is_untidy = self._is_untidy or task.cancelled() or error is not None
        self.wake()
