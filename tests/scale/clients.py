"""
Clients that all want calls at the same time.
"""

import asyncio
import itertools
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Final

import attrs
import httpx2

from tests.scale.customers import Customer

CLIENTS: Final = 100
PATIENCE_S: Final = 60.0
PAUSE_S: Final = 0.25
CALLEE: Final = "+15557654321"


@attrs.define
class Answers:
    """
    What clients were told.

    Attributes:
        accepted: Calls of the answers 201.

        refused: How many answers were 402.

        unanswered: How often nothing was heard, or 503; nobody knows, here, what became of such a request.
    """

    accepted: list[int] = attrs.field(factory=list)
    refused: int = 0
    unanswered: int = 0


async def ask_all(urls: Sequence[str], customer: Customer, count: int, answers: Answers) -> None:
    """
    Ask for calls, each client one after the other and all side by side, until `count` were accepted or refused.

    Who hears nothing, or 503, asks again after a pause, at another process and with the same `Idempotency-Key`.
    """
    async with AsyncExitStack() as stack:
        limits = httpx2.Limits(max_connections=CLIENTS)
        headers = {"Authorization": f"Bearer {customer.key}"}
        servers = [
            await stack.enter_async_context(
                httpx2.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=PATIENCE_S)
            )
            for url in urls
        ]
        turns, numbers = itertools.cycle(servers), iter(range(count))
        async with asyncio.TaskGroup() as group:
            for _ in range(min(CLIENTS, count)):
                group.create_task(_ask_in_turn(turns, customer, numbers, answers))


async def _ask_in_turn(
    turns: Iterator[httpx2.AsyncClient], customer: Customer, numbers: Iterator[int], answers: Answers
) -> None:
    for _number in numbers:
        key = str(uuid.uuid4())
        async with asyncio.timeout(PATIENCE_S):
            while not await _is_answered(next(turns), customer, key, answers):
                answers.unanswered += 1
                await asyncio.sleep(PAUSE_S)


async def _is_answered(server: httpx2.AsyncClient, customer: Customer, key: str, answers: Answers) -> bool:
    body = {"phone_number": CALLEE, "agent_id": customer.agent_id}
    try:
        answer = await server.post("/api/v1/calls", json=body, headers={"Idempotency-Key": key})
    except httpx2.TransportError:
        return False
    match answer.status_code:
        case HTTPStatus.CREATED:
            answers.accepted.append(answer.json()["id"])
        case HTTPStatus.PAYMENT_REQUIRED:
            answers.refused += 1
        case status:
            assert status == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
            return False
    return True
