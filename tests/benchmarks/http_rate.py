"""
Print how many calls a second are accepted over a socket, as a ratio to a bare Starlette that sends JSON back.

Run it with `python -m tests.benchmarks.http_rate [folder]`; the folder says which disk is measured. Both are served by
uvicorn with the same settings, in a process of their own; nothing is dialled.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

import attrs
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import outdial
from outdial.entrypoints.cli.process import serve
from outdial.entrypoints.stopping import Stop
from tests.library.setting_up import CALLEE, furnish

SECONDS: Final = 3.0
WARM_UP_S: Final = 0.5
CLIENTS: Final = 64
ECHO: Final = "echo"


async def echo(request: Request) -> JSONResponse:
    """
    Send the body back.
    """
    return JSONResponse(await request.json(), 201)


async def serve_echo() -> None:
    """
    Serve the bare application and print its port.
    """
    config = uvicorn.Config(
        Starlette(routes=[Route("/api/v1/calls", echo, methods=["POST"])]),
        port=0,
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="error",
        server_header=False,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    _say(json.dumps({"port": server.servers[0].sockets[0].getsockname()[1], "agent_id": 1, "key": ""}))
    await serving


async def serve_outdial(database: str) -> None:
    """
    Serve outdial with a rich account and print its port, agent and key.
    """
    settings = outdial.Settings(database=database, port=0, max_call_duration_s=60)
    async with outdial.open(settings, dials=False) as dialer:
        clinic = await furnish(dialer, balance="999999999999")

        def listening(url: str) -> None:
            port = int(url.rpartition(":")[2])
            _say(json.dumps({"port": port, "agent_id": clinic.agent_id, "key": clinic.key}))

        await serve(dialer, Stop(), on_listening=listening)


@attrs.frozen
class Target:
    """
    A server, and the request that it is sent again and again.
    """

    port: int
    request: bytes


@contextmanager
def running(what: str) -> Iterator[Target]:
    """
    Serve `echo` or a database in a process of its own.
    """
    process = subprocess.Popen([sys.executable, "-m", __spec__.name, "--serve", what], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        body = json.dumps({"phone_number": CALLEE, "agent_id": told["agent_id"]}).encode()
        head = (
            f"POST /api/v1/calls HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {told['key']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield Target(told["port"], head.encode() + body)
    finally:
        process.terminate()
        process.wait(30)


async def rate_of(target: Target) -> float:
    """
    Return how many requests a second are answered with 201 while all clients ask at once.
    """
    begin = perf_counter() + WARM_UP_S
    counts = await asyncio.gather(*[_ask(target, begin, begin + SECONDS) for _ in range(CLIENTS)])
    return sum(counts) / SECONDS


async def _ask(target: Target, begin: float, end: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    count = 0
    while (now := perf_counter()) < end:
        writer.write(target.request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 201 " not in head[:16]:
            raise RuntimeError(head.decode())
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        count += now >= begin
    writer.close()
    return count


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(parent: str | None) -> None:
    """
    Measure and print.
    """
    with tempfile.TemporaryDirectory(dir=parent) as name:
        rates = {}
        for what in (ECHO, f"sqlite:///{Path(name) / 'outdial.db'}"):
            with running(what) as target:
                rates[what] = asyncio.run(rate_of(target))
            shown = what.partition(":")[0]
            _say(f"{shown}: {rates[what]:.0f} requests a second, {rates[what] / rates[ECHO]:.2f} of echo")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve_echo() if sys.argv[2] == ECHO else serve_outdial(sys.argv[2]))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else None)
