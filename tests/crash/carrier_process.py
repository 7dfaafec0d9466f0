"""
A telephone network of its own: `python -m tests.crash.carrier_process FOLDER PORT`, which prints its port.

It writes each order and each thing that happens to a call down durably before it tells of it, and misbehaves by the
callee's number. Nothing of outdial is in it, and nothing that outdial does can change its logs.

A connection is one order, told of until the call is over, or one question after a call. Whoever dialled may send what
is said to whoever answered, and that it hangs up.
"""

import asyncio
import dataclasses
import json
import os
import socket
import struct
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.crash.faults import FAULTS, Fault, LookUp, Reply, fault_of

RING_S: Final = 0.01
RING_LONG_S: Final = 0.8
TALK_S: Final = 0.04
REPLY_AFTER_S: Final = {Reply.SLOW: 0.3, Reply.LATE: 0.9}
"""The adapter of these tests waits 0.6 s for an answer."""

TOO_LATE_S: Final = 2.8
"""When the end is told to those who are patient for 2 s, and look once more every 0.3 s."""

SILENCE_S: Final = 2.0
"""How long whoever answered waits for the first word."""

LAG_S: Final = 1.6
"""How long nothing is found of a call that is over: until after the first question."""

SETTLING_S: Final = 0.1
"""How long after its end a call counts as over: whoever was told has then taken note."""

Order = dict[str, Any]


@dataclasses.dataclass
class Line:
    """
    One call in the network.

    Attributes:
        over_at: By the loop's clock; `None` as long as the call lives.
    """

    order: Order
    fault: Fault
    writer: asyncio.StreamWriter | None = None
    words: asyncio.Future[str] = dataclasses.field(default_factory=lambda: _loop().create_future())
    hang_up: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    talk_s: int = 0
    by: str = "callee"
    over_at: float | None = None

    @property
    def is_found(self) -> bool:
        """
        Whether anybody who asks is told how it ended.
        """
        if self.over_at is None or self.fault.look_up is LookUp.NOT_FOUND:
            return False
        return _loop().time() >= self.over_at + (LAG_S if self.fault.look_up is LookUp.LAGS else 0.0)

    async def tell(self, message: dict[str, Any]) -> None:
        """
        Tell whoever dialled, if they still listen.
        """
        if self.writer is not None:
            with suppress(OSError):
                self.writer.write(f"{json.dumps(message)}\n".encode())
                await self.writer.drain()

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """
        Take what whoever dialled says, until they are gone.
        """
        with suppress(OSError, ValueError):
            while line := await reader.readline():
                message = json.loads(line)
                if "say" in message and not self.words.done():
                    self.words.set_result(message["say"])
                if "hang_up" in message:
                    self.hang_up.set()
        if not self.words.done():
            self.words.set_result("")

    async def passes(self, seconds: float) -> bool:
        """
        Let time pass; tell whether nobody hung up meanwhile.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.hang_up.wait()
        return not self.hang_up.is_set()


class Network:
    """
    All calls, and the logs of them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: dict[str, Line] = {}
        self._lives: set[asyncio.Task[None]] = set()

    def remember(self) -> None:
        """
        End the calls that lived when an earlier process of this network was killed.
        """
        told = [json.loads(line) for line in (self._folder / "calls").read_text().splitlines()]
        over = {line["attempt_id"] for line in told if line["event"] == "over"}
        talked = {line["attempt_id"] for line in told if line["event"] == "answered"}
        for order in [json.loads(line) for line in (self._folder / "orders").read_text().splitlines()]:
            attempt_id = order["attempt_id"]
            if not order["is_accepted"]:
                continue
            line = self._lines[attempt_id] = Line(order, FAULTS[order["fault"]], over_at=_loop().time())
            line.talk_s = int(attempt_id in talked)
            if attempt_id not in over:
                self._note(line, "over")

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """
        Take what comes over one connection.
        """
        try:
            message = json.loads(await reader.readline())
            if "find" in message:
                await self._answer(message["find"], writer)
            else:
                await self._dial(message, reader, writer)
        except (OSError, ValueError):
            pass  # whoever dialled is gone; the phone rings on
        finally:
            writer.close()

    async def _dial(self, order: Order, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = FAULTS[fault_of(order["callee"])]
        is_accepted = int(order["attempt_id"].rpartition("_")[2]) > fault.refusals
        _write(
            self._folder / "orders",
            {
                "attempt_id": order["attempt_id"],
                "callee": order["callee"],
                "fault": fault_of(order["callee"]),
                "is_accepted": is_accepted,
                "at": _now(),
            },
        )
        line = Line(order, fault, writer)
        if not is_accepted:
            await line.tell({"status": fault.status})
            return
        self._lines[order["attempt_id"]] = line
        life = asyncio.create_task(self._live(line))
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)
        if fault.reply not in {Reply.RESET, Reply.GARBAGE}:
            listening = asyncio.create_task(line.listen(reader))
            await life
            listening.cancel()
            return
        line.words.set_result("")
        line.writer = None
        if fault.reply is Reply.GARBAGE:
            writer.write(b"\x00\xff<html>Bad Gateway</html>\n")
            await writer.drain()
        else:
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _live(self, line: Line) -> None:
        """
        Let a phone ring and be answered, and hang up at the end; whoever dialled hears of it as the fault wants.
        """
        await asyncio.sleep(REPLY_AFTER_S.get(line.fault.reply, 0.0))
        await line.tell(
            {"status": 500}
            if line.fault.reply in {Reply.ERROR, Reply.MUTE}
            else {"status": 201, "reference": line.order["attempt_id"]}
        )
        if line.fault.reply is Reply.MUTE:
            line.talk_s = 1
            self._note(line, "answered")
            await asyncio.sleep(TOO_LATE_S)
        elif await self._ring(line):
            await self._talk(line)
        if line.hang_up.is_set() and line.fault.reply is not Reply.MUTE:
            line.by = "caller"
        line.over_at = _loop().time()
        await line.tell({"event": "ended", "talk_s": line.talk_s, "by": line.by})
        await asyncio.sleep(SETTLING_S)
        self._note(line, "over")

    async def _ring(self, line: Line) -> bool:
        if not await line.passes(RING_S):
            return False
        await line.tell({"event": "ringing"})
        return await line.passes(RING_LONG_S if line.fault.rings_long else RING_S)

    async def _talk(self, line: Line) -> None:
        line.talk_s = 1
        self._note(line, "answered")
        await line.tell({"event": "answered"})
        with suppress(TimeoutError):
            async with asyncio.timeout(SILENCE_S):
                words = await line.words
                if words:
                    self._note(line, "words", words=words)
        await line.passes(TALK_S)

    async def _answer(self, attempt_id: str, writer: asyncio.StreamWriter) -> None:
        """
        Say how a call ended, as far as that is known.
        """
        line = self._lines.get(attempt_id)
        if line is not None and line.fault.look_up is LookUp.FAILS:
            return
        found = {"talk_s": line.talk_s, "by": line.by} if line is not None and line.is_found else None
        writer.write(f"{json.dumps({'found': found})}\n".encode())
        await writer.drain()

    def _note(self, line: Line, event: str, **facts: str) -> None:
        order = line.order
        happened = {"attempt_id": order["attempt_id"], "callee": order["callee"], "event": event, "at": _now()}
        _write(self._folder / "calls", {**happened, **facts})


async def _serve(folder: Path, port: int) -> None:
    network = Network(folder)
    network.remember()
    server = await asyncio.start_server(network.take, "127.0.0.1", port)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def _write(log: Path, line: dict[str, Any]) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{json.dumps(line)}\n".encode())
    os.fsync(descriptor)
    os.close(descriptor)


def _now() -> float:
    return datetime.now(UTC).timestamp()  # noqa: TID251 - a network has its own clock


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
