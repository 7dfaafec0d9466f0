"""
Schedules: what is asked for, and when which process dies of what.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
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
from tests.crash.carrier_process import NAMES
from tests.crash.failpoints import ESSENTIAL
from tests.crash.invariants import Evidence, Verdict, judge
from tests.crash.rig import STOPPED_S, Nursery, Rig, rig
from tests.crash.service_process import AHEAD, CLOCK_JUMPS, MISTAKE, PAGES_LEFT
from tests.crash.witnesses import Answered, Answers, hold_lock, is_quiet, open_things
from tests.library.setting_up import furnish

QUIET_S: Final = 60.0
PAUSE_S: Final = 0.02
LIFE_S: Final = 20.0
"""How long a life goes on that is to end at a failpoint, or when all is over."""

LOCKED_S: Final = 1.5
LISTED: Final = "+15559990000"
"""On a Do-Not-Call list from the beginning."""

LISTED_LATER: Final = "+15559990007"
DO_NOT_CALL: Final = "/api/v1/dnc/numbers"


@attrs.frozen(kw_only=True)
class Life:
    """
    How one process of the service ends.

    Attributes:
        failpoint: Where it dies or is stopped; empty for nowhere.

        killed_after_s: When it is killed from outside; `None` for never.

        paused_after_s: When it is stopped for a while.

        carrier_away_after_s: When the network is killed for a while.

        locked_after_s: When somebody else locks the database for a while.

        pages_left: By how much a SQLite file may grow until the disk is full; `None` for any.
    """

    failpoint: str = ""
    killed_after_s: float | None = None
    paused_after_s: float | None = None
    carrier_away_after_s: float | None = None
    locked_after_s: float | None = None
    pages_left: int | None = None


@attrs.frozen(kw_only=True)
class Plan:
    """
    One schedule.

    Attributes:
        callees: Who is asked for; the last digit says how the network misbehaves.

        lives: How the service dies, again and again; afterwards it is left to live.

        clock_jumps: After how many looks the wall clock jumps an hour; 0 for never.

        mistake: What is wrong with the service on purpose.
    """

    callees: tuple[str, ...]
    lives: tuple[Life, ...] = ()
    clock_jumps: int = 0
    mistake: str = ""
    in_turn: bool = False


@attrs.frozen(kw_only=True)
class Report:
    """
    What came of a schedule.

    Attributes:
        passes: Places that the service passed in its last life but one, or the only one.
    """

    verdict: Verdict
    kills: int
    stops: int
    lives: int
    passes: tuple[str, ...]
    unanswered: int


def callee(fault: str, number: int = 0) -> str:
    """
    Return a number of which the network makes what the fault says.
    """
    return f"+1555{1_000_000 + number * 10 + NAMES.index(fault)}"


def random_plan(seed: int) -> Plan:
    """
    Return the schedule of a seed.
    """
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    count = chance.randint(3, 12)
    callees = [callee(chance.choice((*NAMES, "honest", "honest")), number) for number in range(count)]
    extra = [LISTED] if chance.random() < 0.3 else []
    if chance.random() < 0.5:
        extra.append(LISTED_LATER)
    lives = tuple(_random_life(chance) for _ in range(chance.randint(1, 4)))
    jumps = chance.choice((0, 0, 0, 7, 40))
    return Plan(callees=tuple(chance.sample([*callees, *extra], count + len(extra))), lives=lives, clock_jumps=jumps)


def _random_life(chance: random.Random) -> Life:
    name = f"{chance.choice(ESSENTIAL)}:{chance.randint(1, 6)}"
    match chance.randrange(7):
        case 0 | 1:
            return Life(failpoint=name)
        case 2:
            return Life(killed_after_s=chance.uniform(0.02, 1.0))
        case 3:
            return Life(failpoint=f"{name}:stop", killed_after_s=chance.uniform(0.5, 1.5))
        case 4:
            return Life(locked_after_s=chance.uniform(0.02, 0.4), killed_after_s=chance.uniform(0.5, 4.0))
        case 5:
            return Life(pages_left=chance.randint(0, 40), killed_after_s=chance.uniform(0.5, 1.5))
        case _:
            return Life(
                paused_after_s=chance.uniform(0.02, 0.4),
                carrier_away_after_s=chance.uniform(0.02, 0.4),
                killed_after_s=chance.uniform(0.3, 1.2),
            )


async def run(plan: Plan, folder: Path, database: str, nursery: Nursery) -> Report:
    """
    Play a schedule to its end and hold the witnesses against each other.

    Raises:
        AssertionError: It does not come to its end.
    """
    variables = {CLOCK_JUMPS: str(plan.clock_jumps or ""), MISTAKE: plan.mistake}
    async with rig(folder, database, nursery, **variables) as built:
        customer = await _furnish(built)
        answers = Answers(listed={LISTED: 0.0})
        asking = asyncio.create_task(_ask_all(built, plan, customer, answers))
        try:
            for life in plan.lives:
                full = {PAGES_LEFT: str(life.pages_left)} if life.pages_left is not None else {}
                await built.start(life.failpoint, **full)
                await _live(built, life, asking)
                if asking.done() and is_quiet(database) and built.service is not None and built.service.is_alive:
                    break
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
            is_time_steady=not plan.clock_jumps,
        )
        return Report(
            verdict=judge(evidence),
            kills=built.kills,
            stops=built.stops,
            lives=built.lives,
            passes=tuple(built.passes),
            unanswered=answers.unanswered,
        )


@attrs.frozen(kw_only=True)
class _Customer:
    agent_id: int
    key: str


async def _furnish(built: Rig) -> _Customer:
    settings = outdial.Settings(database=built.database, webhook_allow_http_loopback=True)
    composition.migrate(settings)
    async with outdial.open(settings, dials=False) as dialer:
        clinic = await furnish(dialer)
        client = dialer.client(account_id=clinic.account_id)
        made = await client.webhooks.create(NewWebhook(url=f"http://127.0.0.1:{built.webhook_port}/hooks"))
        assert not isinstance(made, Refused)
        await dialer.administration.dnc.add(clinic.account_id, LISTED)
    return _Customer(agent_id=clinic.agent_id, key=clinic.key)


async def _live(built: Rig, life: Life, asking: "asyncio.Task[None]") -> None:
    """
    See the service through a life, to its death or to the end of all work.
    """
    service = built.service
    assert service is not None
    began_s = time.monotonic()
    due: dict[Callable[[float], Awaitable[None]], float | None] = {
        built.pause: life.paused_after_s,
        built.restart_carrier: life.carrier_away_after_s,
        partial(hold_lock, built.database): life.locked_after_s,
    }
    while service.is_alive and not (asking.done() and is_quiet(built.database)):
        lived_s = time.monotonic() - began_s
        if life.killed_after_s is not None and lived_s > life.killed_after_s:
            break
        assert lived_s < LIFE_S + QUIET_S, open_things(built.database)
        await built.go_on_if_stopped()
        for what, after_s in due.items():
            if after_s is not None and lived_s > after_s:
                due[what] = None
                await what(LOCKED_S if isinstance(what, partial) else STOPPED_S)
        await asyncio.sleep(PAUSE_S)
    if not service.is_alive:
        await built.bury()
    elif life.killed_after_s is not None:
        await built.kill()


async def _come_to_an_end(built: Rig, asking: "asyncio.Task[None]") -> None:
    """
    Let the service work until all clients were answered, all calls are over and all messages were sent.
    """
    await built.stop()  # it may be about to die of a failpoint that it has not passed yet
    late = {CLOCK_JUMPS: AHEAD} if built.variables[CLOCK_JUMPS] else {}
    assert await built.start(**late), "The service did not start."
    end_s = time.monotonic() + QUIET_S
    while not (asking.done() and is_quiet(built.database)):
        assert built.service is not None
        assert built.service.is_alive, built.service.output.read_text()[-4000:]
        assert time.monotonic() < end_s, open_things(built.database)
        await asyncio.sleep(PAUSE_S)
    await asking


async def _ask_all(built: Rig, plan: Plan, customer: _Customer, answers: Answers) -> None:
    headers = {"Authorization": f"Bearer {customer.key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=10) as client:
        if plan.in_turn:
            for place, number in enumerate(plan.callees):
                await _ask(client, built, customer, number, f"key-{place}", answers)
            return
        async with asyncio.TaskGroup() as group:
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
