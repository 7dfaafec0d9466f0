"""
One call from its lease to its settlement.

Whatever goes wrong after the point of no return leaves the call undialled a second time, unless the carrier proves
that it was not placed: it ends by the carrier's word, or is left unknown to the reconciler.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from structlog.typing import FilteringBoundLogger

from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Answered, CallEvent, Ended
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.incident import IncidentKind, Objection
from outdial.domain.model.lifecycle import ON_THE_LINE, State
from outdial.domain.model.patience import GRACE_S
from outdial.domain.service.answering import note_cut_line, stop_answered
from outdial.domain.service.dialling import give_up, order_for, pass_no_return, refuse
from outdial.domain.service.progress import apply_event, close, mark_doubtful, mark_placed
from outdial.domain.service.reconciliation import TIME_IS_UP
from outdial.entrypoints.worker.answer_gate import AnswerGate
from outdial.entrypoints.worker.line import Line
from outdial.ports.carrier import Connect, RejectedError, UncertainError
from outdial.ports.errors import SpeechError, StorageError
from outdial.ports.storage import Transaction

T = TypeVar("T")

PREPARE_TIMEOUT_S: Final = 30.0
HANG_UP_TIMEOUT_S: Final = 10.0
"""How long a carrier may take to hang up, and then to report the end."""

HANG_UP_AGAIN_S: Final = 5.0
"""A carrier that failed to hang up for a client is asked again after this."""

EVENTS_MAX: Final = 64
"""A carrier reports three events or four of an attempt; of one that reports on and on, only the end is heard."""

STORE_TRIES: Final = 8
STORE_PAUSE_S: Final = 0.25
"""Doubled at each try: 32 s in all. What can't be stored by then is brought in order at the next start."""


class Attempt:
    """
    Sees one leased call through.
    """

    def __init__(self, line: Line, leased: Call, log: FilteringBoundLogger) -> None:
        self._line = line
        self._call = leased
        self._log = log
        self._events: asyncio.Queue[CallEvent] = asyncio.Queue()
        self._events_taken = 0
        self._has_ended = False
        self._carrier_is_done = False
        self._may_ring = False
        self._has_left = False
        self._is_unwanted = asyncio.Event()
        self._unwanted_as = Disposition.CANCELED
        self._gate = AnswerGate(line, lambda: self._call)

    @property
    def may_ring(self) -> bool:
        """
        Whether the point of no return was asked for; an attempt that did not get there may be dropped.
        """
        return self._may_ring

    @property
    def is_sending(self) -> bool:
        """
        Whether the order is on its way: the carrier's answer to it is not written down yet.
        """
        return self._may_ring and self._call.state in {State.LEASED, State.SENDING}

    @property
    def is_in_doubt(self) -> bool:
        """
        Whether its outcome is unknown, and no report that may tell of it waits.
        """
        return self._call.state is State.UNKNOWN and self._events.empty()

    def hang_up(self) -> None:
        """
        End the call because its client wants that: undialled if it may not ring yet, by the carrier's hand if it may.
        """
        self._is_unwanted.set()

    def hang_up_overdue(self) -> None:
        """
        End the call because it is on the line for longer than it can be.
        """
        self._unwanted_as = self._overdue_disposition
        self._is_unwanted.set()

    async def run(self) -> None:
        """
        Get the agent ready, pass the point of no return, place the call and follow it to its end.
        """
        connect = await self._prepare()
        if connect is None:
            return
        self._may_ring = True
        sending = await self._store(self._at_once(pass_no_return, leased=self._call))
        if sending is None:
            await self._tell_if_blocked()
            self._log.info("call_not_dialled")
            return
        self._take(sending)
        self._log = self._log.bind(attempt_id=sending.attempt_id)
        if sending.hang_up_at is not None or self._is_unwanted.is_set():
            self._take(await self._close(Disposition.CANCELED))
            self._log.info("call_not_dialled")
            return
        obeying = asyncio.create_task(self._obey())
        try:
            await self._place(connect)
            await self._follow()
        finally:
            obeying.cancel()
            self._leave()
            if not self._carrier_is_done:  # abandoned here, or ended by others: nobody would end what goes on
                await self._hang_up(Disposition.OUTCOME_UNKNOWN)
                self._tell_if_cut()
        self._log.info("call_ended", state=self._call.state, disposition=self._call.disposition)

    async def _prepare(self) -> Connect | None:
        try:
            async with asyncio.timeout(PREPARE_TIMEOUT_S):
                return await self._line.runtimes[self._call.runtime].prepare(self._call)
        except SpeechError as error:
            words = str(error)
        except TimeoutError:
            words = f"The agent was not ready within {PREPARE_TIMEOUT_S:.0f} s."
        except Exception:  # noqa: BLE001 - nothing was dialled: whatever it was, the call can end in order
            self._log.exception("runtime_failed")
            words = "The agent's runtime failed."
        self._log.error("agent_not_ready", problem=words)
        cause = HangUpCause(words=words)
        await self._store(partial(give_up, leased=self._call, at=self._line.clock.now(), cause=cause))
        await self._tell_if_blocked()
        return None

    async def _tell_if_blocked(self) -> None:
        """
        Tell of a call that something stood against, of which nobody else tells.
        """
        reference = CallReference(number=self._call.id)
        with contextlib.suppress(StorageError):
            call = await self._line.storage.read(lambda reader: reader.calls.call_of_any_account(reference))
            if call is not None and call.state is State.BLOCKED and call.fence == self._call.fence:
                self._take(call)

    def _take(self, call: Call) -> None:
        """
        Go on with the call as it is now.
        """
        has_moved = call.state is not self._call.state
        self._call = call
        self._gate.confirm()
        if has_moved:
            self._line.on_moved(call, self._line.clock.now())

    async def _obey(self) -> None:
        """
        Hang up as soon as the client wants it, and again and again until the call is over.
        """
        await self._is_unwanted.wait()
        while True:
            await self._hang_up(self._unwanted_as)
            await asyncio.sleep(HANG_UP_AGAIN_S)

    async def _place(self, connect: Connect) -> None:
        """
        Hand the order to the carrier, once, and write down what it said.
        """
        ring_timeout_s = self._line.patience.ring_timeout_s
        order = order_for(self._call, ring_timeout_s=ring_timeout_s)
        try:
            async with asyncio.timeout(ring_timeout_s + GRACE_S):
                await self._line.carrier.place(order, connect, self._report, self._gate.ask)
        except RejectedError as error:
            await self._take_back(error)
        except UncertainError as error:
            await self._doubt(error.cause)
        except TimeoutError:
            await self._doubt(HangUpCause(words="The carrier did not answer in time."))
        except Exception:  # noqa: BLE001 - anything unforeseen leaves open whether the phone rings
            self._log.exception("carrier_failed")
            await self._doubt(HangUpCause(words="The carrier's adapter failed."))
        else:
            self._take(await self._store(self._at_once(mark_placed, dialled=self._call)))

    async def _take_back(self, error: RejectedError) -> None:
        """
        Write down that no phone rings for this attempt; others may follow.
        """
        self._carrier_is_done = True
        said = {"disposition": error.disposition, "cause": error.cause, "is_lasting": error.is_lasting}
        refusing = self._at_once(refuse, dialled=self._call, **said)
        self._take(await self._store_at_last(lambda: refusing))
        if self._call.not_before is not None:
            self._log.warning("call_refused", cause=str(error.cause), next_attempt=self._call.not_before.isoformat())

    async def _follow(self) -> None:
        """
        Write down what the carrier reports until the call leaves the line, or hang up when its time is up.

        Time is counted from placing and from the answer: a carrier that repeats itself wins none.
        """
        until_s = self._in(self._line.patience.ring_timeout_s + GRACE_S)
        while self._is_live:
            event = await self._next_event(until_s)
            if event is None:
                await self._end_overdue()
                return
            state_before = self._call.state
            await self._apply(event)
            if self._call.state is State.IN_PROGRESS and state_before is not State.IN_PROGRESS:
                until_s = self._in(self._call.max_duration_s + GRACE_S)
            elif isinstance(event, Answered) and self._call.is_terminal:
                until_s = self._in(self._line.apology.audio.duration_s + GRACE_S)

    @property
    def _is_live(self) -> bool:
        """
        Whether anything more is to be heard: of the call, or of the apology for it.
        """
        return self._is_on_the_line or (self._gate.keeps_line and not self._carrier_is_done)

    @property
    def _is_on_the_line(self) -> bool:
        return not self._carrier_is_done and self._call.state in ON_THE_LINE | {State.UNKNOWN}

    async def _end_overdue(self) -> None:
        """
        Hang up a call that outlived its limits; when the carrier still says nothing, its talk is over by the clock.

        Whether anybody was reached by a call that did not get that far stays unknown.
        """
        self._log.warning("call_overdue", state=self._call.state)
        await self._hang_up(self._overdue_disposition)
        until_s = self._in(HANG_UP_TIMEOUT_S)
        while self._is_on_the_line:
            event = await self._next_event(until_s)
            if event is not None:
                await self._apply(event)
            elif self._call.state is State.IN_PROGRESS or self._gate.objection is not None:
                self._take(await self._close(self._overdue_disposition))
            else:
                await self._doubt(TIME_IS_UP)
                break
        self._carrier_is_done = True

    @property
    def _overdue_disposition(self) -> Disposition:
        """
        What the end of a call is called that outlived its limits.
        """
        match self._call.state:
            case State.IN_PROGRESS:
                return Disposition.TIME_LIMIT
            case State.RINGING:
                return Disposition.NO_ANSWER
            case _:
                return Disposition.OUTCOME_UNKNOWN

    def _leave(self) -> None:
        """
        Let others hear what is still reported.
        """
        self._has_left = True
        while not self._events.empty():
            self._line.on_late(self._call, self._writing(self._events.get_nowait()))

    def _tell_if_cut(self) -> None:
        """
        Have it written down that the line of a call was hung up that others had ended; of an answer it is already.
        """
        if self._call.is_terminal and self._gate.objection is None:
            self._log.error("line_cut")
            self._line.on_incident(IncidentKind.LINE_CUT, Objection.OVER)
            writing = partial(note_cut_line, dialled=self._call, at=self._line.clock.now())
            self._line.on_late(self._call, writing)

    async def _close(self, disposition: Disposition) -> Call:
        at = self._line.clock.now()
        work = partial(close, dialled=self._call, at=at, disposition=disposition)
        return await self._store(self._unless_stopped(work, at))

    def _at_once(self, work: Callable[..., T], **arguments: object) -> Callable[[Transaction], T]:
        """
        Return a work as of now that knows how long is waited.
        """
        return partial(work, at=self._line.clock.now(), patience=self._line.patience, **arguments)

    async def _hang_up(self, disposition: Disposition) -> None:
        """
        Tell the carrier to hang up; what it makes of that never keeps the call from being ended here.
        """
        try:
            async with asyncio.timeout(HANG_UP_TIMEOUT_S):
                await self._line.carrier.hang_up(self._call.attempt_id, disposition)
        except Exception:  # noqa: BLE001 - the call has to end without the carrier's help, too
            self._log.exception("hang_up_failed")

    @staticmethod
    def _in(seconds: float) -> float:
        return asyncio.get_running_loop().time() + seconds

    async def _next_event(self, until_s: float) -> CallEvent | None:
        """
        Return what the carrier reports next, or `None` when it says nothing until a time of the loop's clock.
        """
        try:
            async with asyncio.timeout_at(until_s):
                return await self._events.get()
        except TimeoutError:
            return None

    async def _doubt(self, cause: HangUpCause) -> None:
        self._log.warning("outcome_uncertain", cause=str(cause))
        self._take(await self._store(self._at_once(mark_doubtful, dialled=self._call, cause=cause)))

    def _report(self, event: CallEvent) -> None:
        """
        Take an event from the carrier, which never waits; nothing follows the end.
        """
        is_end = isinstance(event, Ended)
        is_heard = is_end or self._events_taken < EVENTS_MAX
        if self._has_ended or not is_heard or event.attempt_id != self._call.attempt_id:
            self._log.error("event_dropped", kind=type(event).__name__)
            return
        self._has_ended = is_end
        self._events_taken += 1
        if self._has_left:
            self._line.on_late(self._call, self._writing(event))
        else:
            self._events.put_nowait(event)

    async def _apply(self, event: CallEvent) -> None:
        self._take(await self._store_at_last(lambda: self._writing(event)))
        self._carrier_is_done = isinstance(event, Ended)
        self._log.info("call_progress", state=self._call.state)

    def _writing(self, event: CallEvent) -> Callable[[Transaction], Call]:
        """
        Return what an event writes.
        """
        work = partial(apply_event, dialled=self._call, event=event, patience=self._line.patience)
        return self._unless_stopped(work, event.at)

    def _unless_stopped(self, work: Callable[[Transaction], Call], at: datetime) -> Callable[[Transaction], Call]:
        """
        Return a work; of a call that was stopped nothing counts any more but that.
        """
        objection = self._gate.objection
        return work if objection is None else partial(stop_answered, dialled=self._call, at=at, objection=objection)

    async def _store_at_last(self, writing: Callable[[], Callable[[Transaction], Call]]) -> Call:
        """
        Store what the carrier said; if that fails for too long or is cut off, others do it however long it takes.

        Args:
            writing: Returns what is written, as of now: the conversation may be stopped meanwhile.

        Raises:
            StorageError: It was left to them.
        """
        try:
            return await self._store(writing())
        except (StorageError, asyncio.CancelledError):
            self._line.on_late(self._call, writing())
            raise

    async def _store(self, work: Callable[[Transaction], T]) -> T:
        """
        Run a work until storage takes it, within limits.

        Raises:
            StorageError: It did not, however often it was asked.
        """
        pause_s = STORE_PAUSE_S
        for _ in range(STORE_TRIES - 1):
            try:
                return await self._line.storage.transact(work)
            except StorageError as error:
                self._log.warning("storage_retry", problem=str(error))
                await asyncio.sleep(pause_s)
                pause_s *= 2
        return await self._line.storage.transact(work)
