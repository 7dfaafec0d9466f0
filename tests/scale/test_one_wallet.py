"""
Three API processes, three workers, one database, one wallet: what it can pay for is dialled, each call once.

`make soak` runs the same at ten times the length.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Final

import pytest

from tests.postgres.server import Server
from tests.scale.clients import CLIENTS, Answers, ask_all
from tests.scale.customers import Customer, new_customer
from tests.scale.evidence import UNKNOWN, check, read_evidence, read_orders, until_over
from tests.scale.fleet import Fleet, Member, fleet

pytestmark = [pytest.mark.scale, pytest.mark.timeout(1800)]

LENGTH: Final = int(os.environ.get("OUTDIAL_SOAK", "1"))
WANTED: Final = 2000 * LENGTH
AFFORDED: Final = 700 * LENGTH
KILLS: Final = 8 * LENGTH
RESTARTS: Final = 2 * LENGTH
API_PROCESSES: Final = 3
WORKERS: Final = 3

PRICE_MICROS: Final = 50_000
BALANCE: Final = f"{AFFORDED * PRICE_MICROS // 1_000_000}.00"
OVER_S: Final = 90.0 * LENGTH
SETTINGS: Final = {"max_call_duration_s": "60", "default_rate_per_minute": "0.05", "number_check": "possible"}
"""Whatever is held for a call is what it costs: one minute."""

AT_ONCE: Final = {**SETTINGS, "simulator_time_scale": "0"}
SOON: Final = {**SETTINGS, "simulator_time_scale": "0.1"}
IN_A_WHILE: Final = {**SETTINGS, "simulator_time_scale": "0.5", "live_calls_max": "30"}
"""The workers are busy for longer than some of them live, and each that dies breaks off some calls."""


def test_exactly_what_the_wallet_pays_for_is_dialled(tmp_path: Path, url: str) -> None:
    """
    Of 2,000 calls that 100 clients want at once, 700 are accepted, dialled and paid; the others are refused with 402.
    """

    async def run() -> tuple[Answers, Customer]:
        answers, customer = Answers(), await new_customer(url, balance=BALANCE)
        async with fleet(tmp_path, url, **AT_ONCE) as machines:
            await _start(machines)
            await ask_all(_api_urls(machines), customer, WANTED, answers)
            await until_over(url, within_s=OVER_S)
        assert [] == machines.events()
        return answers, customer

    answers, _customer = asyncio.run(run())

    evidence = read_evidence(url, tmp_path / "orders")
    check(evidence, answers.accepted)
    assert (AFFORDED, WANTED - AFFORDED, 0) == (len(answers.accepted), answers.refused, answers.unanswered)
    assert (AFFORDED, AFFORDED) == (len(evidence.orders), len(evidence.calls))
    assert {"hang_up_agent": AFFORDED} == evidence.dispositions
    assert 0 == evidence.balance_micros


def test_workers_that_are_killed_dial_no_call_twice(tmp_path: Path, url: str) -> None:
    """
    A worker dies every second and another comes: what was dialled and broken off is free, and pays for other calls.
    """

    async def run() -> Answers:
        answers, customer = Answers(), await new_customer(url, balance=BALANCE)
        async with fleet(tmp_path, url, **IN_A_WHILE) as machines:
            await _start(machines)
            async with asyncio.TaskGroup() as group:
                group.create_task(ask_all(_api_urls(machines), customer, WANTED, answers))
                group.create_task(_kill_workers(machines))
            await until_over(url, within_s=OVER_S)
            await _spend_the_rest(machines, customer, answers)
        return answers

    answers = asyncio.run(run())

    evidence = read_evidence(url, tmp_path / "orders")
    check(evidence, answers.accepted)
    assert 0 == answers.unanswered
    assert {call.id for call in evidence.calls} == set(answers.accepted)
    assert {"hang_up_agent", UNKNOWN} == set(evidence.dispositions)
    assert AFFORDED == evidence.dispositions["hang_up_agent"]
    assert 0 == evidence.balance_micros


def test_a_server_that_is_restarted_loses_no_call(tmp_path: Path, large_server: Server, own_url: str) -> None:
    """
    Twice the database goes away in the midst: each request, asked again, is one call that is dialled once and paid.
    """

    async def run() -> Answers:
        answers, customer = Answers(), await new_customer(own_url, balance=BALANCE)
        async with fleet(tmp_path, own_url, **SOON) as machines:
            await _start(machines)
            async with asyncio.TaskGroup() as group:
                group.create_task(ask_all(_api_urls(machines), customer, WANTED, answers))
                group.create_task(_restart(large_server, tmp_path / "orders"))
            await until_over(own_url, within_s=OVER_S)
            await _spend_the_rest(machines, customer, answers)
        return answers

    answers = asyncio.run(run())

    evidence = read_evidence(own_url, tmp_path / "orders")
    check(evidence, answers.accepted)
    assert answers.unanswered > 0
    assert {call.id for call in evidence.calls} == set(answers.accepted)
    assert {"hang_up_agent": AFFORDED} == evidence.dispositions
    assert AFFORDED == len(evidence.orders)
    assert 0 == evidence.balance_micros


async def _start(machines: Fleet) -> None:
    await asyncio.gather(machines.start_many("api", API_PROCESSES), machines.start_many("worker", WORKERS))


def _api_urls(machines: Fleet) -> list[str]:
    return [member.url for member in machines.members if member.role == "api"]


def _workers(machines: Fleet) -> list[Member]:
    return [member for member in machines.members if member.role == "worker"]


async def _kill_workers(machines: Fleet) -> None:
    """
    Each second kill the worker that is there for longest, and start another.
    """
    async with asyncio.TaskGroup() as group:
        for _ in range(KILLS):
            await asyncio.sleep(1)
            while not (workers := _workers(machines)):
                await asyncio.sleep(0.05)
            await machines.kill(workers[0])
            group.create_task(machines.start("worker"))


async def _restart(server: Server, orders: Path) -> None:
    """
    Restart the database in the midst of dialling, in turn in order and as if its machine had died.

    Every other time it stays away for longer than a request waits.
    """
    for number in range(RESTARTS):
        async with asyncio.timeout(OVER_S):
            while len(read_orders(orders)) < AFFORDED * (number + 1) // (RESTARTS + 2):
                await asyncio.sleep(0.02)
        way, away_s = ((signal.SIGQUIT, 6), (signal.SIGINT, 1))[number % 2]
        await asyncio.to_thread(server.stop, way)
        await asyncio.sleep(away_s)
        await asyncio.to_thread(server.start)


async def _spend_the_rest(machines: Fleet, customer: Customer, answers: Answers) -> None:
    """
    Ask for further calls until the money that came back is spent, too.
    """
    refused = answers.refused
    while answers.refused == refused:
        await ask_all(_api_urls(machines), customer, CLIENTS, answers)
    await until_over(machines.database, within_s=OVER_S)
