"""
A telephone network of its own: `python -m tests.crash.carrier_process LOG PORT`, which prints its port.

It writes each order down durably before it answers, and misbehaves by the callee's number. Nothing of outdial is in
it, and nothing that outdial does can change its log.
"""

import asyncio
import json
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

RING_S: Final = 0.01
TALK_S: Final = 0.04
SLOW_S: Final = 0.3
LATE_S: Final = 0.9
"""Later than the adapter of these tests waits for an answer."""

Order = dict[str, Any]
Answer = Callable[[Order, asyncio.StreamWriter], Awaitable[None]]


async def accept(order: Order, writer: asyncio.StreamWriter) -> None:
    """
    Take the order, ring, answer, talk, hang up.
    """
    await _tell(writer, {"status": 201, "reference": order["attempt_id"]})
    await _call(writer)


async def accept_slowly(order: Order, writer: asyncio.StreamWriter) -> None:
    """
    Take the order after a while.
    """
    await asyncio.sleep(SLOW_S)
    await accept(order, writer)


async def accept_late(order: Order, writer: asyncio.StreamWriter) -> None:
    """
    Take the order, and say so when nobody waits for it any more; what happens is told all the same.
    """
    await asyncio.sleep(LATE_S)
    await accept(order, writer)


async def accept_and_fail(_order: Order, writer: asyncio.StreamWriter) -> None:
    """
    Take the order, and answer that something went wrong.
    """
    await _tell(writer, {"status": 500})
    await _call(writer)


async def accept_and_reset(_order: Order, writer: asyncio.StreamWriter) -> None:
    """
    Take the order, and break the connection.
    """
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def accept_in_garbage(_order: Order, writer: asyncio.StreamWriter) -> None:
    """
    Take the order, and say nothing that can be read.
    """
    writer.write(b"\x00\xff<html>Bad Gateway</html>\n")
    await writer.drain()


async def refuse(_order: Order, writer: asyncio.StreamWriter) -> None:
    """
    Refuse the order, as documented: no phone rings.
    """
    await _tell(writer, {"status": 486})


HONEST: Final = "honest"
REFUSED: Final = "refuse"
FAULTS: Final[dict[str, Answer]] = {
    HONEST: accept,
    "accept+500": accept_and_fail,
    "accept+late": accept_late,
    "accept+reset": accept_and_reset,
    "garbage": accept_in_garbage,
    "slow": accept_slowly,
    REFUSED: refuse,
}
"""What is played, by name; the callee's last digit is the place in this list."""

NAMES: Final = tuple(FAULTS)


def fault_of(callee: str) -> str:
    """
    Return what is played for a callee.
    """
    return NAMES[int(callee[-1]) % len(NAMES)]


async def _tell(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(f"{json.dumps(message)}\n".encode())
    await writer.drain()


async def _call(writer: asyncio.StreamWriter) -> None:
    """
    Let a phone ring and be answered, and tell whoever placed the order if they still listen.
    """
    for pause_s, event in ((RING_S, "ringing"), (RING_S, "answered"), (TALK_S, "ended")):
        await asyncio.sleep(pause_s)
        await _tell(writer, {"event": event})


async def _serve(log: str, port: int) -> None:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            order = json.loads(await reader.readline())
            fault = fault_of(order["callee"])
            _write(log, order, fault)
            await FAULTS[fault](order, writer)
        except (OSError, ValueError):
            pass  # whoever dialled is gone; the phone rings on
        finally:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", port)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def _write(log: str, order: Order, fault: str) -> None:
    line = {
        "attempt_id": order["attempt_id"],
        "callee": order["callee"],
        "fault": fault,
        "is_accepted": fault != REFUSED,
        "at": datetime.now(UTC).timestamp(),  # noqa: TID251 - a network has its own clock
    }
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{json.dumps(line)}\n".encode())
    os.fsync(descriptor)
    os.close(descriptor)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
