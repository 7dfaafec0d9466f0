"""
Workers beside each other: what they share, what they leave behind, and a database that goes away.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx2
import psycopg
import pytest

import outdial
from outdial.adapters.simulator.scenario import RING_S
from outdial.domain.model.capacity import BURST_S
from outdial.entrypoints.worker.pulse import SILENT_S
from tests.postgres.server import Server
from tests.scale.clients import CALLEE
from tests.scale.customers import CALLER_IDS, new_customer
from tests.scale.evidence import UNKNOWN, Order, check, read_evidence, read_orders, until, until_over
from tests.scale.fleet import fleet

pytestmark = [pytest.mark.scale, pytest.mark.timeout(300)]

WORKERS: Final = 3
FOUND_S: Final = 2.0
"""A queue that is looked at twice a second, on a machine that has other things to do."""

LISTENERS: Final = "from pg_stat_activity where datname = current_database() and query like 'listen %'"
AWAY_S: Final = SILENT_S + 3
LONG_NAME: Final = "x" * 330
"""Takes the agent 22 s to say: longer than the database is away."""


def _run(database: str, text: str) -> Any:
    with psycopg.connect(database, autocommit=True) as connection:
        cursor = connection.execute(text.encode())
        row = cursor.fetchone() if cursor.description is not None else None
        return None if row is None else row[0]


async def _accept(database: str, agent_ids: Sequence[int], **variables: str) -> list[int]:
    """
    Have a call of each agent accepted, and return the calls' rows.
    """
    async with outdial.open(outdial.Settings(database=database, max_call_duration_s=60), dials=False) as dialer:
        decisions = [await dialer.dial(CALLEE, agent_id, variables=variables) for agent_id in agent_ids]
    calls = [decision.call.id for decision in decisions if isinstance(decision, outdial.Accepted)]
    assert len(agent_ids) == len(calls)
    return calls


def _seconds(order: Order) -> float:
    return datetime.fromisoformat(order.time).timestamp()


async def _ordered_at(orders: Path, count: int) -> float:
    """
    Return when the network took an order, by its own clock.
    """
    async with asyncio.timeout(20):
        while len(taken := read_orders(orders)) < count:
            await asyncio.sleep(0.02)
    return _seconds(taken[count - 1])


def test_a_call_that_nobody_tells_of_is_found_soon(tmp_path: Path, url: str) -> None:
    """
    When no notification comes, the worker finds a queued call by looking for it.
    """
    hide = "update calls set state = 'leased', worker_id = 'elsewhere'"
    queue = "update calls set state = 'queued' where id = {} returning extract(epoch from clock_timestamp())::float8"

    async def run() -> list[float]:
        customer = await new_customer(url, balance="25.00")
        calls = await _accept(url, [customer.agent_id] * 3)
        _run(url, "insert into workers (id, seen_at) values ('elsewhere', now() + interval '1 hour')")
        _run(url, hide)
        delays_s = []
        async with fleet(tmp_path, url, simulator_time_scale="0") as machines:
            await machines.start("worker")
            for count, call in enumerate(calls, start=1):
                queued_at = _run(url, queue.format(call))
                delays_s.append(await _ordered_at(machines.orders, count) - queued_at)
            await until_over(url, within_s=20)
        return delays_s

    delays_s = asyncio.run(run())

    assert max(delays_s) < FOUND_S
    check(read_evidence(url, tmp_path / "orders"), [])


def test_a_worker_that_hears_nothing_any_more_listens_again(tmp_path: Path, url: str) -> None:
    """
    A call that is queued just when the listening connection is cut is dialled soon, and the worker listens anew.
    """

    async def run() -> None:
        customer = await new_customer(url, balance="25.00")
        async with fleet(tmp_path, url, simulator_time_scale="0") as machines:
            await machines.start("worker")
            assert 1 == await until(url, f"select count(*) {LISTENERS}", 1, within_s=10)
            for count in range(1, 4):
                _run(url, f"select count(pg_terminate_backend(pid)) {LISTENERS}")
                queued_at = time.time()  # noqa: TID251 - the log of orders tells it, too
                await _accept(url, [customer.agent_id])
                assert await _ordered_at(machines.orders, count) - queued_at < FOUND_S
                assert 1 == await until(url, f"select count(*) {LISTENERS}", 1, within_s=10)
            await until_over(url, within_s=20)

    asyncio.run(run())

    check(read_evidence(url, tmp_path / "orders"), [1, 2, 3])


def test_caps_hold_over_all_workers(tmp_path: Path, url: str) -> None:
    """
    By the network's log, an account never has more than three live calls, and a caller ID never more than two.
    """
    account_calls_max, caller_id_calls_max, scale = 3, 2, 0.2
    lasts_s = scale * (RING_S + 1) - 0.01

    async def run() -> None:
        customer = await new_customer(url, balance="25.00")
        await _accept(url, customer.agent_ids * 8)
        caps = {"account_calls_max": str(account_calls_max), "caller_id_calls_max": str(caller_id_calls_max)}
        async with fleet(tmp_path, url, simulator_time_scale=str(scale), **caps) as machines:
            await machines.start_many("worker", WORKERS)
            await until_over(url, within_s=60)

    asyncio.run(run())

    evidence = read_evidence(url, tmp_path / "orders")
    check(evidence, [])
    assert {"hang_up_agent": 16} == evidence.dispositions
    assert account_calls_max == _most_at_once(evidence.orders, lasts_s)
    for caller_id in CALLER_IDS:
        own = [order for order in evidence.orders if order.caller_id == caller_id]
        assert 8 == len(own)
        assert _most_at_once(own, lasts_s) <= caller_id_calls_max


def _most_at_once(orders: Sequence[Order], lasts_s: float) -> int:
    """
    Return how many orders lived at the same time, each of which lived for some seconds at least.
    """
    begun = sorted(map(_seconds, orders))
    return max(sum(at <= other < at + lasts_s for other in begun) for at in begun)


def test_what_killed_workers_leave_behind(tmp_path: Path, url: str) -> None:
    """
    A call that was leased is dialled by another worker; one that was being sent is not dialled again.
    """
    stuck = tmp_path / "stuck"

    async def run() -> list[int]:
        customer = await new_customer(url, balance="25.00")
        async with fleet(tmp_path, url, simulator_time_scale="0", live_calls_max="1") as machines:
            (leased,) = await _accept(url, [customer.agent_id])
            with psycopg.connect(url) as connection:
                connection.execute("lock table agents in access exclusive mode")  # no call gets further than its lease
                first = await machines.start("worker")
                await _reached(url, leased, "leased")
                await machines.kill(first)
            (sending,) = await _accept(url, [customer.agent_id])
            descriptor = _full_pipe(stuck)
            second = await machines.start("worker", simulator_log=str(stuck))
            await _reached(url, sending, "sending")
            await machines.kill(second)
            os.close(descriptor)
            await machines.start("worker")
            await until_over(url, within_s=SILENT_S + 20)
        return [leased, sending]

    calls = asyncio.run(run())

    evidence = read_evidence(url, tmp_path / "orders")
    check(evidence, calls)
    leased, sending = evidence.calls
    assert ("hang_up_agent", 2) == (leased.disposition, leased.fence)
    assert (UNKNOWN, 1) == (sending.disposition, sending.fence)
    assert [leased.attempt_id] == [order.attempt_id for order in evidence.orders]


async def _reached(database: str, call: int, state: str) -> None:
    query = "select state from calls where id = {}"
    assert state == await until(database, query.format(call), state, within_s=20)


def _full_pipe(path: Path) -> int:
    """
    Make a pipe into which nobody can write any more, and which nobody reads.
    """
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    while True:
        try:
            os.write(descriptor, bytes(512))
        except BlockingIOError:
            return descriptor


def test_workers_outlive_the_loss_of_their_database(tmp_path: Path, large_server: Server, own_url: str) -> None:
    """
    While the database is away nothing is dialled and calls go on; then the workers do, none taking another for dead.

    From the first to the last order the pace holds, however the workers come back.
    """
    pace, short, long = 15, 110, 10
    orders = tmp_path / "orders"

    async def run() -> tuple[float, float]:
        settings = {"simulator_time_scale": "1", "calls_per_second": str(pace), "max_call_duration_s": "60"}
        async with fleet(tmp_path, own_url, **settings) as machines:
            workers = await machines.start_many("worker", WORKERS)
            await _ordered_at(orders, 2 * long)
            await asyncio.to_thread(large_server.stop)
            stopped_at = time.time()  # noqa: TID251 - the log of orders tells it, too
            await asyncio.sleep(AWAY_S)
            assert HTTPStatus.SERVICE_UNAVAILABLE == await _readiness(workers[0].url)
            started_at = time.time()  # noqa: TID251
            await asyncio.to_thread(large_server.start)
            await until_over(own_url, within_s=60)
            assert HTTPStatus.OK == await _readiness(workers[0].url)
        return stopped_at, started_at

    customer = asyncio.run(new_customer(own_url, balance="25.00"))
    calls = asyncio.run(_accept(own_url, [customer.agent_id] * long, customer_name=LONG_NAME))
    calls += asyncio.run(_accept(own_url, [customer.agent_id] * short))
    began_at = time.time()  # noqa: TID251
    stopped_at, started_at = asyncio.run(run())

    evidence = read_evidence(own_url, orders)
    check(evidence, calls)
    assert {"hang_up_agent": short + long} == evidence.dispositions
    times = sorted(map(_seconds, evidence.orders))
    assert [] == [at for at in times if stopped_at + 1 < at < started_at]
    for count, at in enumerate(times, start=1):
        assert count <= pace * (at - began_at + BURST_S) + 1


async def _readiness(url: str) -> int:
    async with httpx2.AsyncClient(timeout=60) as client:
        return (await client.get(f"{url}/readyz")).status_code
