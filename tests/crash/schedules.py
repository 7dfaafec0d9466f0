"""
Schedules played: from the first question to the last answer, and what all that saw it say.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

import attrs
import httpx2

import outdial
from outdial.domain.model.decision import Refused
from outdial.entrypoints import composition
from outdial.entrypoints.wire.webhook_requests import NewWebhook
from tests.crash.invariants import Evidence, Verdict, judge
from tests.crash.others import DEEDS, Others
from tests.crash.plans import LISTED, LISTED_LATER, Life, Plan
from tests.crash.rig import STOPPED_S, Nursery, Rig, rig
from tests.crash.service_process import AHEAD, CLOCK, MISTAKE
from tests.crash.witnesses import (
    Answered,
    Answers,
    drop_connections,
    frames_in_log,
    hold_lock,
    is_quiet,
    kept_log,
    open_things,
)
from tests.library.setting_up import furnish

QUIET_S: Final = 60.0
PAUSE_S: Final = 0.02
LIFE_S: Final = 20.0
"""How long a life goes on that is to end at a failpoint, or when all is over."""

SET_LIFE_S: Final = 4.0
"""How long a life goes on whose clock is set: back, it has messages wait for an hour."""

ROOM_AFTER_S: Final = 0.8
"""How long a disk stays full."""

DO_NOT_CALL: Final = "/api/v1/dnc/numbers"


@attrs.frozen(kw_only=True)
class Report:
    """
    What came of a schedule.

    Attributes:
        passes: Places that the service passed, in all its lives.

        frames: How long SQLite's log was in the end that is kept when it may be cut short.
    """

    verdict: Verdict
    kills: int
    stops: int
    troubles: int
    passes: tuple[str, ...]
    unanswered: int
    frames: int


async def run(plan: Plan, folder: Path, database: str, nursery: Nursery) -> Report:
    """
    Play a schedule to its end and hold the witnesses against each other.

    Raises:
        AssertionError: It does not come to its end.
    """
    variables = {CLOCK: plan.clock, MISTAKE: plan.mistake}
    async with rig(folder, database, nursery, **variables) as built:
        composition.migrate(outdial.Settings(database=database))
        with kept_log(database) if any(life.frames_left is not None for life in plan.lives) else nullcontext():
            return await _run(plan, built)


async def _run(plan: Plan, built: Rig) -> Report:
    database, folder = built.database, built.folder
    customer = await _furnish(built)
    answers = Answers(listed={LISTED: 0.0})
    others = Others(database=database, account_id=customer.account_id, callees=plan.callees, answers=answers)
    asking = asyncio.create_task(_ask_all(built, plan, customer, answers))
    try:
        for planned in plan.lives:
            life = attrs.evolve(planned, killed_after_s=planned.killed_after_s or SET_LIFE_S) if plan.clock else planned
            built.while_stopped = partial(DEEDS[life.others], others) if life.others else None
            await built.start(life.failpoint, **life.variables)
            await _live(built, life, asking)
            if asking.done() and is_quiet(database, folder) and built.service is not None and built.service.is_alive:
                break
        built.while_stopped = None
        await _come_to_an_end(built, asking)
        async with asyncio.timeout(QUIET_S):
            await _ask_again(built, customer, answers)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await built.stop()
    evidence = Evidence(
        folder=folder,
        database=database,
        answers=answers,
        secrets=(customer.key.rpartition("_")[2],),
        is_time_steady=not plan.clock,
        is_database_steady=all(life.is_database_steady for life in plan.lives),
    )
    return Report(
        verdict=judge(evidence),
        kills=built.kills,
        stops=built.stops,
        troubles=built.troubles,
        passes=tuple(built.passes),
        unanswered=answers.unanswered,
        frames=frames_in_log(database),
    )


@attrs.frozen(kw_only=True)
class _Customer:
    account_id: int
    agent_id: int
    key: str


async def _furnish(built: Rig) -> _Customer:
    settings = outdial.Settings(database=built.database, webhook_allow_http_loopback=True)
    async with outdial.open(settings, dials=False) as dialer:
        clinic = await furnish(dialer)
        client = dialer.client(account_id=clinic.account_id)
        made = await client.webhooks.create(NewWebhook(url=f"http://127.0.0.1:{built.webhook_port}/hooks"))
        assert not isinstance(made, Refused)
        await dialer.administration.dnc.add(clinic.account_id, LISTED)
    return _Customer(account_id=clinic.account_id, agent_id=clinic.agent_id, key=clinic.key)


async def _live(built: Rig, life: Life, asking: "asyncio.Task[None]") -> None:
    """
    See the service through a life, to its death or to the end of all work.
    """
    service = built.service
    assert service is not None
    began_s = time.monotonic()
    due = _deeds(built, life)
    while service.is_alive and not (asking.done() and is_quiet(built.database, built.folder)):
        lived_s = time.monotonic() - began_s
        if life.killed_after_s is not None and lived_s > life.killed_after_s:
            break
        assert lived_s < LIFE_S + QUIET_S, open_things(built.database)
        await built.go_on_if_stopped()
        while due and lived_s > due[0].after_s:
            await due.pop(0).what()
        await asyncio.sleep(PAUSE_S)
    if not service.is_alive:
        await built.bury()
    elif life.killed_after_s is not None:
        await built.kill()


@attrs.frozen(order=True)
class _Deed:
    """
    What is done to the service, and how long after its start.
    """

    after_s: float
    what: Callable[[], Awaitable[None]] = attrs.field(order=False)


def _deeds(built: Rig, life: Life) -> list[_Deed]:
    """
    Return what is done to a life, in its order.
    """

    async def lock() -> None:
        built.troubles += 1
        await hold_lock(built.database, life.locked_s)

    async def drop() -> None:
        built.troubles += 1
        drop_connections(built.database)

    async def make_room() -> None:
        built.troubles += 1
        built.make_room()

    deeds = (
        (life.paused_after_s, partial(built.pause, STOPPED_S)),
        (life.carrier_away_after_s, partial(built.restart_carrier, STOPPED_S)),
        (life.locked_after_s, lock),
        (life.dropped_after_s, drop),
        (ROOM_AFTER_S if life.frames_left is not None else None, make_room),
    )
    return sorted(_Deed(after_s, what) for after_s, what in deeds if after_s is not None)


async def _come_to_an_end(built: Rig, asking: "asyncio.Task[None]") -> None:
    """
    Let the service work until all clients were answered, all calls are over and all messages were sent.
    """
    await built.stop()  # it may be about to die of a failpoint that it has not passed yet
    late = {CLOCK: AHEAD} if built.variables[CLOCK] else {}
    assert await built.start(**late), "The service did not start."
    end_s = time.monotonic() + QUIET_S
    while not (asking.done() and is_quiet(built.database, built.folder)):
        assert built.service is not None
        assert built.service.is_alive, built.service.output.read_text()[-4000:]
        assert time.monotonic() < end_s, open_things(built.database)
        await asyncio.sleep(PAUSE_S)
    await asking


async def _ask_all(built: Rig, plan: Plan, customer: _Customer, answers: Answers) -> None:
    headers = {"Authorization": f"Bearer {customer.key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=10) as client, asyncio.TaskGroup() as group:
        for place, number in enumerate(plan.callees):
            group.create_task(_ask(client, built, customer, number, f"key-{place}", answers))
        if LISTED_LATER in plan.callees:
            group.create_task(_list(client, built, answers))


async def _ask(
    client: httpx2.AsyncClient, built: Rig, customer: _Customer, number: str, key: str, answers: Answers
) -> None:
    """
    Ask for a call until there is an answer, each time with the same key.
    """
    body = {"phone_number": number, "agent_id": customer.agent_id}
    while True:
        try:
            url = f"{built.url}/api/v1/calls" if built.url else None
            answer = url and await client.post(url, json=body, headers={"Idempotency-Key": key})
        except httpx2.TransportError:
            answer = None
        if answer and answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            answers.all.append(Answered(key=key, callee=number, status=answer.status_code, body=answer.text))
            return
        answers.unanswered += 1
        await asyncio.sleep(PAUSE_S)


async def _list(client: httpx2.AsyncClient, built: Rig, answers: Answers) -> None:
    """
    Have a number listed while it may be about to be dialled.
    """
    while True:
        try:
            url = f"{built.url}{DO_NOT_CALL}" if built.url else None
            answer = url and await client.post(url, json={"phone_number": LISTED_LATER})
        except httpx2.TransportError:
            answer = None
        if answer and answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            assert answer.is_success, answer.text
            answers.listed[LISTED_LATER] = time.time_ns() / 1e9
            return
        await asyncio.sleep(PAUSE_S)


async def _ask_again(built: Rig, customer: _Customer, answers: Answers) -> None:
    """
    Ask for everything once more: the answers must be the same.
    """
    headers = {"Authorization": f"Bearer {customer.key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=10) as client:
        for known in [answer for answer in answers.all if answer.status == HTTPStatus.CREATED]:
            await _ask(client, built, customer, known.callee, known.key, answers)
