"""
A carrier's adapter over the network of `carrier_process`: one order, one connection, no second try.

PLACED is a line with the status 201 and the reference that it was asked for. PROVEN_NOT_PLACED is a connection that was
refused before the first byte, or one of two documented refusals. All else is AMBIGUOUS.
"""

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from outdial.domain.model.call_event import Answered, CallEvent, Ended, Ringing
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.ports.carrier import (
    Carrier,
    Connect,
    DialOrder,
    OnAnswer,
    Placed,
    RejectedError,
    Report,
    UncertainError,
    no_objection,
)
from outdial.ports.errors import OutdialError
from tests.crash.failpoints import Failpoints
from tests.crash.faults import BUSY, UNAVAILABLE

ANSWER_S: Final = 0.6
FIND_S: Final = 2.0
GOODBYE_S: Final = 1.0
"""How long the ends of calls are waited for that are hung up as the adapter stops."""

PLACED: Final = 201
REFUSALS: Final = {BUSY: Disposition.BUSY, UNAVAILABLE: Disposition.CARRIER_ERROR}
AGENT: Final = "agent"
APOLOGY: Final = "apology"


@attrs.frozen
class _Line:
    """
    An order that may have been taken, and the connection over which it is told of.
    """

    attempt_id: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    report: Report
    on_answer: OnAnswer

    def send(self, **message: str) -> None:
        """
        Tell the network something; one that is gone hears nothing.
        """
        if not self.writer.is_closing():
            self.writer.write(f"{json.dumps(message)}\n".encode())


@attrs.define
class NetworkCarrier:
    """
    Places orders at a port of this machine.

    Attributes:
        tries: How often an order is sent until it is answered well; anything above 1 is a mistake to be caught.
    """

    _port: int
    _failpoints: Failpoints
    tries: int = 1
    _lines: dict[str, _Line] = attrs.field(factory=dict)
    _following: "set[asyncio.Task[None]]" = attrs.field(factory=set)
    _hung_up: dict[str, Disposition] = attrs.field(factory=dict)

    async def start(self) -> None:
        """
        Need nothing.
        """

    async def stop(self) -> None:
        """
        Hang up whatever lives, and wait for the network's word on it.
        """
        for attempt_id in list(self._lines):
            await self.hang_up(attempt_id, Disposition.DISCONNECTED)
        if self._following:
            _done, mute = await asyncio.wait(self._following, timeout=GOODBYE_S)
            for task in mute:
                task.cancel()
            await asyncio.gather(*mute, return_exceptions=True)

    async def place(
        self,
        order: DialOrder,
        connect: Connect,  # noqa: ARG002 - the words are named, not spoken
        report: Report,
        on_answer: OnAnswer = no_objection,
    ) -> Placed:
        """
        Send one order.
        """
        for _ in range(self.tries - 1):
            with contextlib.suppress(UncertainError):
                return await self._place_once(order, report, on_answer)
        return await self._place_once(order, report, on_answer)

    async def hang_up(self, attempt_id: str, disposition: Disposition) -> None:
        """
        Ask the network to hang up; it tells of the end as of any other.
        """
        self._hung_up.setdefault(attempt_id, disposition)
        line = self._lines.get(attempt_id)
        if line is not None:
            line.send(hang_up=disposition.value)

    async def find(self, attempt_id: str) -> Ended | None:
        """
        Ask the network how a call ended.
        """
        self._failpoints.reach("find:before")
        try:
            async with asyncio.timeout(FIND_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                with contextlib.closing(writer):
                    writer.write(f"{json.dumps({'find': attempt_id})}\n".encode())
                    found = json.loads(await reader.readline())["found"]
        except (OSError, ValueError, TimeoutError) as error:
            raise OutdialError("The network can't be asked.") from error
        self._failpoints.reach("find:after")
        return self._ended(attempt_id, found) if found is not None else None

    async def _place_once(self, order: DialOrder, report: Report, on_answer: OnAnswer) -> Placed:
        self._failpoints.reach("order:before")
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except ConnectionRefusedError as error:
            raise RejectedError(Disposition.CARRIER_ERROR, HangUpCause(words="Nobody listens.")) from error
        except OSError as error:
            raise UncertainError(HangUpCause(words="No connection.")) from error
        line = _Line(order.attempt_id, reader, writer, report, on_answer)
        answer: dict[str, Any] = {}
        try:
            line.send(attempt_id=order.attempt_id, callee=order.callee.e164)
            await writer.drain()
            self._failpoints.reach("order:sent")
            async with asyncio.timeout(ANSWER_S):
                answer = json.loads(await reader.readline())
        except (OSError, ValueError, TimeoutError) as error:
            self._follow(line)
            raise UncertainError(HangUpCause(words="No answer that can be read.")) from error
        self._failpoints.reach("order:after")
        status = int(answer.get("status", 0))
        if status in REFUSALS:
            writer.close()
            raise RejectedError(REFUSALS[status], HangUpCause(code=status))
        self._follow(line)
        if status != PLACED or answer.get("reference") != order.attempt_id:
            raise UncertainError(HangUpCause(code=status))
        return Placed(reference=order.attempt_id)

    def _follow(self, line: _Line) -> None:
        self._lines[line.attempt_id] = line
        if line.attempt_id in self._hung_up:
            line.send(hang_up=self._hung_up[line.attempt_id].value)
        task = asyncio.create_task(self._report_all(line))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _report_all(self, line: _Line) -> None:
        """
        Report what the network tells until it says no more; what is then unknown stays so.
        """
        try:
            while text := await line.reader.readline():
                event = self._event(line.attempt_id, json.loads(text))
                if event is not None:
                    line.report(event)
                if isinstance(event, Answered):
                    line.send(say=AGENT if await line.on_answer() is None else APOLOGY)
        except (OSError, ValueError):
            pass  # nothing more is heard of it
        finally:
            self._lines.pop(line.attempt_id, None)
            line.writer.close()

    def _event(self, attempt_id: str, told: dict[str, Any]) -> CallEvent | None:
        match told.get("event"):
            case "ringing":
                return Ringing(attempt_id=attempt_id, at=_now())
            case "answered":
                return Answered(attempt_id=attempt_id, at=_now())
            case "ended":
                return self._ended(attempt_id, told)
            case _:
                return None

    def _ended(self, attempt_id: str, told: dict[str, Any]) -> Ended:
        """
        Return the end of a call by the network's word: whoever hung up knows why, and the network whether it was them.
        """
        by_us = self._hung_up.get(attempt_id, Disposition.DISCONNECTED)
        by_callee = Disposition.HANG_UP_CALLEE if told["talk_s"] else Disposition.DISCONNECTED
        disposition = by_us if told["by"] == "caller" else by_callee
        return Ended(attempt_id=attempt_id, at=_now(), disposition=disposition, talk_s=told["talk_s"])


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a network has its own clock


_: type[Carrier] = NetworkCarrier
