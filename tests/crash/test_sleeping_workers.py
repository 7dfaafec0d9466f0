"""
A worker that sleeps between its point of no return and its order: what whoever answers then hears.

The phone is this process; workers, each `outdial serve`, are processes of their own, stopped by SIGSTOP.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import attrs
import pytest

import outdial
from outdial.domain.model.incident import IncidentKind, Objection
from outdial.entrypoints import composition
from tests.crash.failpoints import FAILPOINT, PASSES
from tests.crash.rig import POLL_S, SETTINGS, STOP_S, Nursery, Service, nursery
from tests.crash.service_process import CARRIER_PORT, MISTAKE
from tests.library.setting_up import CALLEE, furnish
from tests.postgres.databases import new_database

PATIENCE_S: Final = 30.0
LONGER_THAN_ITS_SLEEP_S: Final = "60"
"""After a longer sleep the worker itself finds that the carrier had its time, and sends nothing any more."""

PAST_NO_RETURN: Final = "order:before:1:stop"


@attrs.define
class Phone:
    """
    A network with one phone, which answers as soon as it is called.

    Attributes:
        orders: The attempts that reached it.

        heard: What was said to whoever answered.
    """

    orders: list[str] = attrs.field(factory=list)
    heard: list[str] = attrs.field(factory=list)
    is_over: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def ring(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """
        Take one order: answer, listen, and hang up after the first words.
        """
        order = json.loads(await reader.readline() or "{}")
        if "attempt_id" not in order:  # somebody asks how a call ended, and is told nothing
            writer.close()
            return
        self.orders.append(order["attempt_id"])
        taken, answered = {"status": 201, "reference": order["attempt_id"]}, {"event": "answered"}
        writer.write(f"{json.dumps(taken)}\n{json.dumps(answered)}\n".encode())
        with suppress(ConnectionResetError):  # whoever dialled has hung up
            while not self.heard and (message := await reader.readline()):
                self.heard += filter(None, [json.loads(message).get("say")])
            writer.write(f"{json.dumps({'event': 'ended', 'talk_s': 1, 'by': 'callee'})}\n".encode())
            await writer.drain()
        writer.close()
        self.is_over.set()


@attrs.frozen(kw_only=True)
class Scene:
    """
    One call, whose worker sleeps past its point of no return, and the phone that it is for.
    """

    dialer: outdial.Dialer
    call: outdial.Call
    phone: Phone
    sleeper: Service
    start: Callable[..., Service]

    async def wake(self) -> None:
        """
        Have the worker go on, and wait until the line is hung up and the call is over.
        """
        assert [] == self.phone.orders
        self.sleeper.signal(signal.SIGCONT)
        async with asyncio.timeout(PATIENCE_S):
            await self.phone.is_over.wait()
        await self.dialer.wait(self.call, timeout_s=PATIENCE_S)


@pytest.fixture(scope="module")
def home() -> Iterator[Nursery]:
    """
    Where services come from.
    """
    with nursery() as opened:
        yield opened


@asynccontextmanager
async def _asleep(folder: Path, database: str, home: Nursery, *, mistake: str = "") -> AsyncIterator[Scene]:
    settings = outdial.Settings(database=database, max_call_duration_s=1, ring_timeout_s=1)
    composition.migrate(settings)
    phone, services = Phone(), list[Service]()
    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(phone.ring, "127.0.0.1", 0)
        stack.callback(server.close)
        stack.push_async_callback(_kill_all, services)
        port = server.sockets[0].getsockname()[1]

        def start(failpoint: str, **more: str) -> Service:
            output = folder / f"service-{len(services)}.log"
            variables = {**SETTINGS, "OUTDIAL_DATABASE": database, CARRIER_PORT: str(port), **more}
            number = home.fork({**variables, FAILPOINT: failpoint, PASSES: str(folder / "passes")}, output)
            services.append(Service(number, os.pidfd_open(number), output))
            return services[-1]

        dialer = await stack.enter_async_context(outdial.open(settings, dials=False))
        clinic = await furnish(dialer)
        accepted = await dialer.dial(CALLEE, clinic.agent_id)
        assert isinstance(accepted, outdial.Accepted)
        sleeper = start(PAST_NO_RETURN, OUTDIAL_RING_TIMEOUT_S=LONGER_THAN_ITS_SLEEP_S, **{MISTAKE: mistake})
        async with asyncio.timeout(PATIENCE_S):
            while not sleeper.is_stopped:
                assert sleeper.is_alive, sleeper.output.read_text()
                await asyncio.sleep(POLL_S)
        yield Scene(dialer=dialer, call=accepted.call, phone=phone, sleeper=sleeper, start=start)


async def _kill_all(services: list[Service]) -> None:
    for service in services:
        service.signal(signal.SIGKILL)
        await service.ended(STOP_S)


async def _be_taken_for_lost(scene: Scene) -> None:
    """
    Another worker makes the call unknown, and ends it when its deadline has passed.
    """
    scene.start("")
    await scene.dialer.wait(scene.call, timeout_s=PATIENCE_S)


async def _be_listed(scene: Scene) -> None:
    """
    The callee does not want calls any more.
    """
    await scene.dialer.administration.dnc.add(scene.call.account_id, CALLEE)


@pytest.mark.parametrize(
    ("kind", "deed", "objection"),
    [
        ("postgres", _be_taken_for_lost, Objection.OVER),
        ("postgres", _be_listed, Objection.DO_NOT_CALL),
        ("sqlite", _be_listed, Objection.DO_NOT_CALL),
    ],
)
def test_whoever_a_worker_rings_after_its_sleep_hears_the_apology(
    home: Nursery, tmp_path: Path, kind: str, deed: Callable[[Scene], Awaitable[None]], objection: Objection
) -> None:
    """
    The agent is not heard, the line is hung up, the call costs nothing, and the operator sees one incident.
    """
    database = new_database() if kind == "postgres" else f"sqlite:///{tmp_path / 'outdial.db'}"

    async def main() -> None:
        async with _asleep(tmp_path, database, home) as scene:
            await deed(scene)
            await scene.wake()

            wallet = await scene.dialer.administration.wallet(scene.call.account_id)
            attempt_id = f"{scene.call.call_id}_1"
            assert (["apology"], [attempt_id]) == (scene.phone.heard, scene.phone.orders)
            (view,) = (await scene.dialer.administration.incidents()).incidents
            assert (IncidentKind.ANSWER_STOPPED, objection) == (view.incident.kind, view.incident.objection)
            assert (attempt_id, CALLEE) == (view.call.attempt_id, view.call.phone_number.e164)
            assert (objection.disposition, 0, None) == (
                view.call.disposition,
                view.call.charge_micros,
                view.call.answered_at,
            )
            assert (25_000_000, 0) == (wallet.balance_micros, wallet.held_micros)

    asyncio.run(main())


def test_without_the_gate_a_sleeping_worker_lets_the_agent_talk(home: Nursery, tmp_path: Path) -> None:
    """
    The negative control: the callee is on a list by then, and hears the agent.
    """

    async def main() -> None:
        async with _asleep(tmp_path, f"sqlite:///{tmp_path / 'outdial.db'}", home, mistake="answer gate off") as scene:
            await _be_listed(scene)
            await scene.wake()

            assert ["agent"] == scene.phone.heard

    asyncio.run(main())
