"""
A carrier's adapter over the network of `carrier_process`: one order, one connection, no second try.

PLACED is a line with the status 201 and the reference that it was asked for. PROVEN_NOT_PLACED is a connection that was
refused before the first byte, or the documented 486. All else is AMBIGUOUS.
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
from tests.crash.failpoints import Failpoints

ANSWER_S: Final = 0.6
PLACED: Final = 201
BUSY: Final = 486


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
    _following: dict[str, "asyncio.Task[None]"] = attrs.field(factory=dict)
    _hung_up: dict[str, Disposition] = attrs.field(factory=dict)
    _on_answer: dict[str, OnAnswer] = attrs.field(factory=dict)

    async def start(self) -> None:
        """
        Need nothing.
        """

    async def stop(self) -> None:
        """
        Hang up whatever lives.
        """
        for attempt_id in list(self._following):
            await self.hang_up(attempt_id, Disposition.DISCONNECTED)

    async def place(
        self,
        order: DialOrder,
        connect: Connect,  # noqa: ARG002 - no sound
        report: Report,
        on_answer: OnAnswer = no_objection,
    ) -> Placed:
        """
        Send one order.
        """
        self._on_answer[order.attempt_id] = on_answer
        for _ in range(self.tries - 1):
            with contextlib.suppress(UncertainError):
                return await self._place_once(order, report)
        return await self._place_once(order, report)

    async def hang_up(self, attempt_id: str, disposition: Disposition) -> None:
        """
        Hang up: the connection is the call.
        """
        self._hung_up[attempt_id] = disposition
        task = self._following.get(attempt_id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def find(self, attempt_id: str) -> Ended | None:  # noqa: ARG002 - the connection was all that told of it
        """
        Know nothing of attempts that are not followed.
        """
        return None

    async def _place_once(self, order: DialOrder, report: Report) -> Placed:
        self._failpoints.reach("order:before")
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except ConnectionRefusedError as error:
            raise RejectedError(Disposition.CARRIER_ERROR, HangUpCause(words="Nobody listens.")) from error
        except OSError as error:
            raise UncertainError(HangUpCause(words="No connection.")) from error
        answer: dict[str, Any] = {}
        try:
            writer.write(f"{json.dumps({'attempt_id': order.attempt_id, 'callee': order.callee.e164})}\n".encode())
            await writer.drain()
            self._failpoints.reach("order:sent")
            async with asyncio.timeout(ANSWER_S):
                answer = json.loads(await reader.readline())
        except (OSError, ValueError, TimeoutError) as error:
            self._follow(order.attempt_id, reader, writer, report)
            raise UncertainError(HangUpCause(words="No answer that can be read.")) from error
        self._failpoints.reach("order:after")
        if answer.get("status") == BUSY:
            writer.close()
            raise RejectedError(Disposition.BUSY, HangUpCause(code=BUSY))
        self._follow(order.attempt_id, reader, writer, report)
        if answer.get("status") != PLACED or answer.get("reference") != order.attempt_id:
            raise UncertainError(HangUpCause(code=int(answer.get("status", 0))))
        return Placed(reference=order.attempt_id)

    def _follow(
        self, attempt_id: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, report: Report
    ) -> None:
        task = asyncio.create_task(self._report_all(attempt_id, reader, writer, report))
        self._following[attempt_id] = task
        task.add_done_callback(lambda _task: self._following.pop(attempt_id, None))

    async def _report_all(
        self, attempt_id: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, report: Report
    ) -> None:
        try:
            while line := await reader.readline():
                event = _event(attempt_id, line)
                if event is not None:
                    report(event)
                if isinstance(event, Answered) and await self._on_answer[attempt_id]() is not None:
                    report(Ended(attempt_id=attempt_id, at=_now(), disposition=Disposition.HANG_UP_AGENT, talk_s=1))
                    break
        except (OSError, ValueError):
            pass  # nothing more is heard of it
        except asyncio.CancelledError:
            disposition = self._hung_up.get(attempt_id, Disposition.DISCONNECTED)
            report(Ended(attempt_id=attempt_id, at=_now(), disposition=disposition))
        finally:
            writer.close()


def _event(attempt_id: str, line: bytes) -> CallEvent | None:
    match json.loads(line).get("event"):
        case "ringing":
            return Ringing(attempt_id=attempt_id, at=_now())
        case "answered":
            return Answered(attempt_id=attempt_id, at=_now())
        case "ended":
            return Ended(attempt_id=attempt_id, at=_now(), disposition=Disposition.HANG_UP_CALLEE, talk_s=1)
        case _:
            return None


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a network has its own clock


_: type[Carrier] = NetworkCarrier
