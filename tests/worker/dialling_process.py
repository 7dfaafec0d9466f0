"""
A process that dials from a database file until it is killed: `python -m tests.worker.dialling_process OPTIONS`.

Its network is the simulator. It keeps a log of its own of each order that reaches it, as a real network would.
"""

import argparse
import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from outdial.adapters.memory.speech import SilentSpeech
from outdial.adapters.runtimes.announce import AnnounceRuntime
from outdial.adapters.simulator.carrier import SimulatorCarrier
from outdial.adapters.sqlite.lock import DiallingLock
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.adapters.system.clock import SystemClock
from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Ended
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.patience import Patience
from outdial.entrypoints.worker.call_worker import CallWorker, CallWorkerSettings
from outdial.ports.carrier import Announce, Carrier, Connect, DialOrder, OnAnswer, Placed, Report, no_objection

SLOW_AGENT: Final = "+15555550120"
"""Its agent never gets ready, as long as the process is to be slow: the call stays leased."""

SLOW_NETWORK: Final = "+15555550121"
"""The network takes the order and never says so, as long as the process is to be slow: the call stays in sending."""


@attrs.frozen
class _LoggedCarrier:
    """
    Writes each order down durably before it is carried out.
    """

    _carrier: SimulatorCarrier
    _log: Path
    _is_slow: bool

    async def start(self) -> None:
        """
        Start the simulator.
        """
        await self._carrier.start()

    async def stop(self) -> None:
        """
        Stop the simulator.
        """
        await self._carrier.stop()

    async def place(
        self, order: DialOrder, connect: Connect, report: Report, on_answer: OnAnswer = no_objection
    ) -> Placed:
        """
        Take an order.
        """
        descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, f"{order.attempt_id}\n".encode())
        os.fsync(descriptor)
        os.close(descriptor)
        if self._is_slow and order.callee.e164 == SLOW_NETWORK:
            await asyncio.Event().wait()
        return await self._carrier.place(order, connect, report, on_answer)

    async def hang_up(self, attempt_id: str, disposition: Disposition) -> None:
        """
        Hang up in the simulator.
        """
        await self._carrier.hang_up(attempt_id, disposition)

    async def find(self, attempt_id: str) -> Ended | None:
        """
        Ask the simulator.
        """
        return await self._carrier.find(attempt_id)


@attrs.frozen
class _Agent:
    """
    Announces, but not to everybody.
    """

    _announcement: AnnounceRuntime
    _is_slow: bool

    async def prepare(self, call: Call) -> Announce:
        """
        Get ready, or never.
        """
        if self._is_slow and call.phone_number.e164 == SLOW_AGENT:
            await asyncio.Event().wait()
        return await self._announcement.prepare(call)


_: type[Carrier] = _LoggedCarrier


async def _dial(options: argparse.Namespace) -> None:
    clock, storage = SystemClock(), SqliteStorage(options.database)
    DiallingLock(options.database).acquire()
    await storage.start()
    simulator = SimulatorCarrier(clock, time_scale=options.time_scale)
    dialler = CallWorker(
        storage=storage,
        carrier=_LoggedCarrier(simulator, options.log, options.slow),
        runtimes={RuntimeKind.ANNOUNCE: _Agent(AnnounceRuntime(SilentSpeech()), options.slow)},
        clock=clock,
        settings=CallWorkerSettings(
            patience=Patience(ring_timeout_s=300, evidence_lag_s=1),
            live_calls_max=options.live_calls_max,
            poll_s=0.02,
        ),
    )
    await dialler.start()
    await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Dial for ever.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--time-scale", type=float, required=True)
    parser.add_argument("--live-calls-max", type=int, required=True)
    parser.add_argument("--slow", action="store_true")
    asyncio.run(_dial(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
