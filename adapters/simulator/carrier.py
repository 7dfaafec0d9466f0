"""
A telephone network without a network: real life cycles, no sound, time as fast as one likes.
"""

import asyncio
import math
from typing import Final

import attrs

from outdial.adapters.simulator.order_log import OrderLog
from outdial.adapters.simulator.scenario import CONVERSATION_S, RING_S, Scenario, scenario_for
from outdial.domain.model.call_event import Answered, Ended, Ringing
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.ports.carrier import (
    Announce,
    Connect,
    DialOrder,
    OnAnswer,
    Placed,
    Proof,
    RejectedError,
    Report,
    UncertainError,
    no_objection,
)
from outdial.ports.clock import Clock
from outdial.ports.errors import CarrierUnavailableError

HANG_UP_AT_ONCE_S: Final = 0.5
STOPPED: Final = HangUpCause(words="the simulator is stopped")
NO_ANSWER_FROM_CARRIER: Final = HangUpCause(words="no answer from the carrier")
LOG_FAILED: Final = HangUpCause(words="the simulator's log can't be written")
RING_TIMEOUT: Final = HangUpCause(code=487, words="Request Terminated", provisional=(180,))


@attrs.define(kw_only=True, eq=False)
class _Line:
    """
    One order while it lives, from before its line is written down.

    Attributes:
        is_over: Done when nothing more will be reported.
    """

    order: DialOrder
    connect: Connect
    report: Report
    on_answer: OnAnswer
    hang_up: asyncio.Future[Disposition]
    is_over: asyncio.Event = attrs.field(factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    is_answered: bool = False


class SimulatorCarrier:
    """
    Rings simulated phones; magic numbers have a fate of their own, see `scenario.MAGIC`.

    Args:
        time_scale: Real seconds that a simulated second takes; 0 for no time at all.

        log: Gets a line of each order before it rings.
    """

    def __init__(self, clock: Clock, *, time_scale: float = 1.0, log: OrderLog | None = None) -> None:
        self._clock = clock
        self._time_scale = time_scale
        self._log = log
        self._lines: dict[str, _Line] = {}
        self._is_stopped = False

    async def start(self) -> None:
        """
        Take orders; there is no network to get ready.

        Raises:
            CarrierUnavailableError: The log can't be written.
        """
        if self._log is not None:
            try:
                await asyncio.to_thread(self._log.check)
            except OSError as error:
                raise CarrierUnavailableError(f"The simulator's log can't be written: {error.strerror}.") from error
        self._is_stopped = False

    async def stop(self) -> None:
        """
        Hang up whatever lives and report its end; take no more orders. Idempotent.
        """
        self._is_stopped = True
        lines = dict(self._lines)
        for attempt_id, line in lines.items():
            await self.hang_up(attempt_id, Disposition.DISCONNECTED if line.is_answered else Disposition.CANCELED)
        for line in lines.values():
            await line.is_over.wait()

    async def place(
        self, order: DialOrder, connect: Connect, report: Report, on_answer: OnAnswer = no_objection
    ) -> Placed:
        """
        Take an order and report its fate.

        Raises:
            RejectedError: For the magic numbers of refusals that never ring, and after `stop`.

            UncertainError: For the magic numbers of ambiguity, and when the log can't be written.
        """
        if self._is_stopped:
            raise RejectedError(Disposition.CARRIER_ERROR, STOPPED)
        scenario = scenario_for(order.callee)
        if scenario.proof is Proof.NOT_PLACED and scenario.refusal is not None:
            raise RejectedError(*scenario.refusal)
        hang_up: asyncio.Future[Disposition] = asyncio.get_running_loop().create_future()
        line = _Line(order=order, connect=connect, report=report, on_answer=on_answer, hang_up=hang_up)
        if scenario.proof is Proof.PLACED or scenario.rings:
            await self._write_down(line)
            line.task = asyncio.create_task(self._live(line, scenario))
        if scenario.proof is Proof.AMBIGUOUS:
            raise UncertainError(NO_ANSWER_FROM_CARRIER)
        return Placed(reference=order.attempt_id)

    async def hang_up(self, attempt_id: str, disposition: Disposition) -> None:
        """
        Stop ringing or talking; the attempt's `Ended` carries `disposition`.
        """
        line = self._lines.get(attempt_id)
        if line is not None and not line.hang_up.done():
            line.hang_up.set_result(disposition)

    async def find(self, attempt_id: str) -> Ended | None:  # noqa: ARG002 - no order outlives its process
        """
        Know nothing of orders of which nobody hears: they were gone with their process.
        """
        return None

    async def _write_down(self, line: _Line) -> None:
        """
        Note a line that will ring; it may be asked to hang up from here on.
        """
        order = line.order
        self._lines[order.attempt_id] = line
        if self._log is None:
            return
        try:
            await asyncio.to_thread(self._log.append, order, self._clock.now())
        except BaseException as error:
            self._forget(line)
            if isinstance(error, OSError):
                raise UncertainError(LOG_FAILED) from error
            raise

    async def _live(self, line: _Line, scenario: Scenario) -> None:
        try:
            ended = await self._ring(line, scenario) or await self._talk(line, scenario)
            line.report(ended)
        finally:
            self._forget(line)

    def _forget(self, line: _Line) -> None:
        del self._lines[line.order.attempt_id]
        line.is_over.set()

    async def _ring(self, line: _Line, scenario: Scenario) -> Ended | None:
        """
        Ring until somebody answers, or return why nobody does.
        """
        order = line.order
        line.report(Ringing(attempt_id=order.attempt_id, at=self._clock.now()))
        keeps_ringing = not scenario.is_answered and scenario.refusal is None
        ring_s = order.ring_timeout_s if keeps_ringing else min(RING_S, order.ring_timeout_s)
        asked = await self._pass_time(line, ring_s)
        if asked is not None:
            return self._ended(line, asked)
        if scenario.refusal is not None:
            disposition, cause = scenario.refusal
            return self._ended(line, disposition, cause=cause)
        if keeps_ringing or ring_s < RING_S:
            return self._ended(line, Disposition.NO_ANSWER, cause=RING_TIMEOUT)
        return None

    async def _talk(self, line: _Line, scenario: Scenario) -> Ended:
        """
        Let callee and agent talk until one hangs up or the paid time is over.
        """
        order = line.order
        line.is_answered = True
        by_machine = True if scenario.by_machine else None
        line.report(Answered(attempt_id=order.attempt_id, at=self._clock.now(), by_machine=by_machine))
        began = asyncio.get_running_loop().time()
        line.connect = await line.on_answer() or line.connect
        if not scenario.callee_stays:
            talk_s, disposition = HANG_UP_AT_ONCE_S, Disposition.HANG_UP_CALLEE
        elif isinstance(line.connect, Announce):
            talk_s, disposition = line.connect.audio.duration_s, Disposition.HANG_UP_AGENT
        else:
            talk_s, disposition = CONVERSATION_S, Disposition.HANG_UP_CALLEE
        if talk_s > order.max_duration_s:
            talk_s, disposition = order.max_duration_s, Disposition.TIME_LIMIT
        asked = await self._pass_time(line, talk_s)
        if asked is not None:
            passed_s = (asyncio.get_running_loop().time() - began) / (self._time_scale or 1.0)
            talk_s, disposition = min(passed_s, order.max_duration_s), asked
        return self._ended(line, disposition, talk_s=max(1, math.ceil(talk_s)))

    async def _pass_time(self, line: _Line, seconds: float) -> Disposition | None:
        """
        Wait for some simulated seconds; return the disposition when asked to hang up before.
        """
        done, _ = await asyncio.wait([line.hang_up], timeout=seconds * self._time_scale)
        return line.hang_up.result() if done else None

    def _ended(
        self, line: _Line, disposition: Disposition, *, talk_s: int = 0, cause: HangUpCause | None = None
    ) -> Ended:
        return Ended(
            attempt_id=line.order.attempt_id,
            at=self._clock.now(),
            disposition=disposition,
            talk_s=talk_s,
            cause=cause if cause is not None else HangUpCause(),
        )
