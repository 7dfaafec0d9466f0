"""
Hanging up at an API process what a worker of its own dials, which hears of it from the database alone.
"""

import asyncio
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from tests.scale.clients import CALLEE, PATIENCE_S
from tests.scale.customers import Customer, new_customer
from tests.scale.evidence import CANCELED, check, read_evidence, until_over
from tests.scale.fleet import fleet

pytestmark = [pytest.mark.scale, pytest.mark.timeout(300)]

SOON_S: Final = 2.0
"""A worker looks twice a second, on a machine that has other things to do."""

PATH: Final = "/api/v1/calls"
NO_ANSWER: Final = "+15555550102"
CALLS: Final = 120
PLACES: Final = "10"
"""Of each worker: what is hung up makes room for the next one, so that calls are taken all the time."""

HESITATION_S: Final = 1.0
"""The longest that a client waits before it hangs up."""


def _client(url: str, customer: Customer) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {customer.key}"}, timeout=PATIENCE_S)


async def _dial(client: httpx2.AsyncClient, customer: Customer, callee: str = CALLEE) -> int:
    answer = await client.post(PATH, json={"phone_number": callee, "agent_id": customer.agent_id})
    assert answer.status_code == httpx2.codes.CREATED, answer.text
    call: int = answer.json()["id"]
    return call


async def _hang_up(client: httpx2.AsyncClient, call: int) -> dict[str, Any]:
    answer = await client.post(f"{PATH}/{call}/hang-up")
    assert answer.status_code == httpx2.codes.OK, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def _reached(client: httpx2.AsyncClient, call: int, *statuses: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while (body := (await client.get(f"{PATH}/{call}")).json())["status"] not in statuses:
            await asyncio.sleep(0.02)
    found: dict[str, Any] = body
    return found


def test_a_worker_of_its_own_hangs_up_soon(tmp_path: Path, url: str) -> None:
    """
    What rings and what talks both end within two looks at the database.
    """

    async def run() -> list[tuple[str, str, float]]:
        customer = await new_customer(url, balance="25.00")
        ends = []
        async with fleet(tmp_path, url, simulator_time_scale="1") as machines:
            api, _worker = [await machines.start(role) for role in ("api", "worker")]
            async with _client(api.url, customer) as client:
                for callee, status in ((NO_ANSWER, "ringing"), (CALLEE, "in-progress")):
                    call = await _dial(client, customer, callee)
                    await _reached(client, call, status)
                    began_s = time.monotonic()
                    assert status == (await _hang_up(client, call))["status"]
                    over = await _reached(client, call, "completed", "failed")
                    ends.append((over["status"], over["ended_reason"], time.monotonic() - began_s))
        return ends

    ends = asyncio.run(run())

    assert [("failed", CANCELED), ("completed", CANCELED)] == [end[:2] for end in ends]
    assert max(took_s for *_, took_s in ends) < SOON_S
    check(read_evidence(url, tmp_path / "orders"), [1, 2])


def test_calls_are_canceled_or_dialled_never_both(tmp_path: Path, url: str) -> None:
    """
    Clients that hang up while two workers dial as fast as they can: by three witnesses, each call ends in one way.
    """
    chance = random.Random(7)  # noqa: S311 - only spreads the hang-ups

    async def ask_and_hang_up(client: httpx2.AsyncClient, customer: Customer) -> int:
        call = await _dial(client, customer)
        await asyncio.sleep(chance.uniform(0, HESITATION_S))
        await _hang_up(client, call)
        return call

    async def run() -> list[int]:
        customer = await new_customer(url, balance="500.00")
        async with fleet(tmp_path, url, simulator_time_scale="1", live_calls_max=PLACES) as machines:
            api, *_workers = [await machines.start(role) for role in ("api", "worker", "worker")]
            async with _client(api.url, customer) as client:
                calls = await asyncio.gather(*[ask_and_hang_up(client, customer) for _ in range(CALLS)])
            await until_over(url, within_s=30)
        return list(calls)

    calls = asyncio.run(run())

    evidence = read_evidence(url, tmp_path / "orders")
    check(evidence, calls)
    assert {CANCELED: CALLS} == evidence.dispositions
    ways = Counter(call.state for call in evidence.calls)
    assert {CANCELED, "settled"} == ways.keys(), "All calls met the same fate: this showed nothing."
