"""
A carrier that does what a test says, proper or not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from outdial.domain.model.call_event import Answered, CallEvent, Ended, Ringing
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.ports.carrier import Carrier, Connect, DialOrder, OnAnswer, Placed, RejectedError, Report, no_objection
from outdial.ports.clock import Clock

HANG_UP_S: Final = 0.2
"""What an orderly carrier takes to hang up."""


@attrs.define(kw_only=True)
class Line:
    """
    One order in the hands of a script.
    """

    order: DialOrder
    connect: Connect
    clock: Clock
    _report: Report
    on_answer: OnAnswer
    is_answered: bool = False
    is_over: bool = False

    def ring(self) -> None:
        """
        Report that it rings.
        """
        self.report(Ringing(attempt_id=self.order.attempt_id, at=self.clock.now()))

    def answer(self) -> None:
        """
        Report that it was answered.
        """
        self.is_answered = True
        self.report(Answered(attempt_id=self.order.attempt_id, at=self.clock.now()))

    def end(self, disposition: Disposition = Disposition.HANG_UP_CALLEE, *, talk_s: int = 0) -> None:
        """
        Report the end.
        """
        cause = HangUpCause(words="as the test says")
        at = self.clock.now()
        self.report(Ended(attempt_id=self.order.attempt_id, at=at, disposition=disposition, talk_s=talk_s, cause=cause))

    def report(self, event: CallEvent) -> None:
        """
        Report anything.
        """
        self.is_over = self.is_over or isinstance(event, Ended)
        self._report(event)

    def later(self, seconds: float, step: Callable[[], None]) -> None:
        """
        Do something after a while.
        """
        asyncio.get_running_loop().call_later(seconds, step)


Fate = Callable[[Line], Awaitable[None]]
"""What happens while an order is placed; what it raises, `place` raises."""

HangUp = Callable[[Line, Disposition], Awaitable[None]]
"""What happens when a live order is to be hung up."""


async def conversation(line: Line) -> None:
    """
    It rings after a second, is answered after three and over after 90 more.
    """
    line.later(1, line.ring)
    line.later(3, line.answer)
    line.later(93, lambda: line.end(talk_s=90))


async def silence(_line: Line) -> None:
    """
    The order is taken, and nothing is heard of it.
    """


async def talk_for_ever(line: Line) -> None:
    """
    It is answered, and nothing more is heard.
    """
    line.later(1, line.ring)
    line.later(3, line.answer)


async def hang_up_in_order(line: Line, disposition: Disposition) -> None:
    """
    The end follows soon.
    """
    line.later(HANG_UP_S, lambda: line.end(disposition))


async def ignore(_line: Line, _disposition: Disposition) -> None:
    """
    The order lives on.
    """


async def _nothing_known(_attempt_id: str) -> Ended | None:
    return None


class ScriptedCarrier:
    """
    Takes every order as `fate` says.

    Attributes:
        lines: Every order, by its attempt.

        hang_ups: What the worker wanted to be hung up, and why.

        look_ups: Every attempt that was asked for.

        on_look_up: What the network says to such a question.

        live_max: The most orders that lived at once.

        is_started: Whether it may be used.
    """

    def __init__(self, clock: Clock, fate: Fate = conversation, *, on_hang_up: HangUp = hang_up_in_order) -> None:
        self.fate = fate
        self.lines: dict[str, Line] = {}
        self.hang_ups: list[tuple[str, Disposition]] = []
        self.look_ups: list[str] = []
        self.on_look_up: Callable[[str], Awaitable[Ended | None]] = _nothing_known
        self.live_max = 0
        self.is_started = False
        self._clock = clock
        self._on_hang_up = on_hang_up

    async def start(self) -> None:
        """
        Let it be used.
        """
        self.is_started = True

    async def stop(self) -> None:
        """
        Hang up whatever lives, and wait for it as long as an orderly carrier may.
        """
        self.is_started = False
        for attempt_id in self.live:
            line = self.lines[attempt_id]
            await self._on_hang_up(line, Disposition.DISCONNECTED if line.is_answered else Disposition.CANCELED)
        await asyncio.sleep(2 * HANG_UP_S)

    async def place(
        self, order: DialOrder, connect: Connect, report: Report, on_answer: OnAnswer = no_objection
    ) -> Placed:
        """
        Take an order; the same one never twice.
        """
        assert self.is_started, "An order was placed on a carrier that is stopped."
        assert order.attempt_id not in self.lines, "An order was placed twice."
        line = Line(order=order, connect=connect, clock=self._clock, report=report, on_answer=on_answer)
        self.lines[order.attempt_id] = line
        self.live_max = max(self.live_max, len(self.live))
        try:
            await self.fate(line)
        except RejectedError:
            line.is_over = True
            raise
        return Placed(reference=order.attempt_id)

    async def hang_up(self, attempt_id: str, disposition: Disposition) -> None:
        """
        Take note, and do what the test says when the order lives.
        """
        self.hang_ups.append((attempt_id, disposition))
        line = self.lines.get(attempt_id)
        if line is not None and not line.is_over:
            await self._on_hang_up(line, disposition)

    async def find(self, attempt_id: str) -> Ended | None:
        """
        Take note, and answer as the test says.
        """
        self.look_ups.append(attempt_id)
        return await self.on_look_up(attempt_id)

    @property
    def live(self) -> list[str]:
        """
        The attempts that are not over.
        """
        return [attempt_id for attempt_id, line in self.lines.items() if not line.is_over]

    @property
    def line(self) -> Line:
        """
        The only order.
        """
        (line,) = self.lines.values()
        return line


_: type[Carrier] = ScriptedCarrier
