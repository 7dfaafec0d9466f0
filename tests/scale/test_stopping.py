"""
A rolling restart: a worker that is told to end beside others, and one whose database is away just then.
"""

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest

import outdial
from tests.cli.test_ending import VOICE
from tests.postgres.server import Server
from tests.scale.clients import CALLEE
from tests.scale.customers import new_customer
from tests.scale.evidence import ask, check, read_evidence, read_orders, until, until_over
from tests.scale.fleet import Member, fleet

pytestmark = [pytest.mark.scale, pytest.mark.timeout(300)]

SOON_S: Final = 5.0
"""A queue that is looked at twice a second, on a machine that has other things to do; a lost worker's takes 15 s."""

AWAY_S: Final = 2.0
STATE: Final = "select state from calls where id = {}"
WORKERS: Final = "select count(*) from workers"


def _voice(folder: Path) -> dict[str, str]:
    script = folder / "voice.py"
    script.write_text(VOICE)
    return {"speech_command": f"{sys.executable} -S {script} {{text_file}} {{wav_file}}"}


async def _accept(database: str, agent_id: int, *names: str) -> list[int]:
    async with outdial.open(outdial.Settings(database=database, max_call_duration_s=60), dials=False) as dialer:
        decisions = [await dialer.dial(CALLEE, agent_id, variables={"customer_name": name}) for name in names]
    calls = [decision.call.id for decision in decisions if isinstance(decision, outdial.Accepted)]
    assert len(names) == len(calls)
    return calls


async def _reached(database: str, call: int, state: str, *, within_s: float = 20) -> Any:
    assert state == await until(database, STATE.format(call), state, within_s=within_s)


async def _ended(member: Member, within_s: float) -> int:
    async with asyncio.timeout(within_s):
        return await member.process.wait()


def test_what_a_worker_gives_back_another_one_dials_at_once(tmp_path: Path, url: str) -> None:
    """
    Meanwhile the first one's talk goes on, until its client hangs up elsewhere; both take their leave.
    """

    async def run() -> list[int]:
        customer = await new_customer(url, balance="25.00")
        async with fleet(tmp_path, url, simulator_time_scale="0.3") as machines:
            first = await machines.start("worker", drain_s="60", **_voice(tmp_path))
            talking, leased = await _accept(url, customer.agent_id, "long", "slow")
            await _reached(url, talking, "in-progress")
            await _reached(url, leased, "leased")
            await machines.start("worker")
            assert 1 == len(read_orders(machines.orders))

            first.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(SOON_S):
                while len(read_orders(machines.orders)) < 2:
                    await asyncio.sleep(0.02)
            assert "in-progress" == ask(url, STATE.format(talking))
            async with outdial.open(outdial.Settings(database=url), dials=False) as dialer:
                await dialer.hang_up(talking)
            assert 0 == await _ended(first, within_s=30), first.log.read_text()
            assert 1 == ask(url, WORKERS)
            await until_over(url, within_s=30)
        assert 0 == ask(url, WORKERS)
        return [talking, leased]

    calls = asyncio.run(run())

    evidence = read_evidence(url, tmp_path / "orders")
    check(evidence, calls)
    assert {"canceled": 1, "hang_up_agent": 1} == evidence.dispositions
    assert [1, 2] == [call.fence for call in evidence.calls]


def test_a_worker_ends_in_order_whose_database_comes_back_in_time(
    tmp_path: Path, large_server: Server, own_url: str
) -> None:
    """
    Phones are hung up while nothing can be written, and what became of them is written as soon as it can be.
    """

    async def run() -> tuple[int, float]:
        customer = await new_customer(own_url, balance="25.00")
        async with fleet(tmp_path, own_url, simulator_time_scale="0.3") as machines:
            worker = await machines.start("worker", **_voice(tmp_path))
            (talking,) = await _accept(own_url, customer.agent_id, "long")
            await _reached(own_url, talking, "in-progress")
            await asyncio.to_thread(large_server.stop)
            began_s = time.monotonic()
            worker.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(AWAY_S)
            await asyncio.to_thread(large_server.start)
            assert 0 == await _ended(worker, within_s=30), worker.log.read_text()
        return talking, time.monotonic() - began_s

    talking, took_s = asyncio.run(run())

    evidence = read_evidence(own_url, tmp_path / "orders")
    check(evidence, [talking])
    assert {"disconnected": 1} == evidence.dispositions
    assert took_s < 30
