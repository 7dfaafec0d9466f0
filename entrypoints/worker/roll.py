"""
The calls that a worker sees through, and order among those that nobody does.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import attrs
import structlog

from outdial.domain.model.call import Call
from outdial.domain.service.reconciliation import recover
from outdial.entrypoints.worker.attempt import Attempt
from outdial.entrypoints.worker.line import Line
from outdial.entrypoints.worker.pulse import Pulse
from outdial.ports.storage import Transaction

RECOVERED_AT_ONCE: Final = 100
"""Calls brought in order in one transaction, so that others can write between."""

LAST_WORD_S: Final = 0.25
"""What is cut off may still have the carrier hang up, twice as long at most."""

LOOK_S: Final = 0.05
"""How often it is looked, by who waits for it, whether calls are over."""

_log = structlog.get_logger()


@attrs.frozen
class Live:
    """
    A call that is being seen through.
    """

    attempt: Attempt
    task: asyncio.Task[None]


class Roll:
    """
    Names the calls that a worker sees through now.

    Attributes:
        live: Them, by their rows.

        entry: Held while calls are on their way into `live`: whoever looks for unattended ones waits until they are in.
    """

    def __init__(self, line: Line, pulse: Pulse) -> None:
        self.live: dict[int, Live] = {}
        self.entry = asyncio.Lock()
        self._line = line
        self._pulse = pulse

    async def recover(self) -> None:
        """
        Bring order into calls that were begun and that nobody sees through.

        Raises:
            StorageError: Some of it was not done.
        """
        while recovered := await self._recover_some():
            _log.warning("calls_recovered", calls=[call.call_id for call in recovered])
            for call in recovered:
                self._line.on_moved(call, self._line.clock.now())

    async def drop_undialled(self) -> None:
        """
        See calls through no longer that may not ring yet; they are left for `recover`.
        """
        dropped = [live.task for live in self.live.values() if not live.attempt.may_ring]
        for task in dropped:
            task.cancel()
        await asyncio.gather(*dropped, return_exceptions=True)

    async def drain(self, until_s: Callable[[], float], *, sends_until_s: float) -> None:
        """
        Wait until no call is live, or until none may go on and no order is on its way to the carrier.

        Args:
            until_s: Tells until when calls may go on, by the loop's clock; it may change its mind.

            sends_until_s: Until when orders on their way are waited for, all the same.
        """
        clock_s = asyncio.get_running_loop().time
        while tasks := [live.task for live in self.live.values()]:
            is_sending = any(live.attempt.is_sending for live in self.live.values())
            if clock_s() >= (max(until_s(), sends_until_s) if is_sending else until_s()):
                return
            await asyncio.wait(tasks, timeout=LOOK_S)

    async def leave(self, *, timeout_s: float) -> None:
        """
        Wait for the live calls to settle, and see those that don't through no longer; the carrier was stopped before.
        """
        for live in self.live.values():
            if live.attempt.is_in_doubt:  # the carrier has told all that it ever will
                live.task.cancel()
        pending = {live.task for live in self.live.values()}
        for patience_s in (timeout_s, LAST_WORD_S, LAST_WORD_S):
            if pending:
                _done, pending = await asyncio.wait(pending, timeout=patience_s)
            for task in pending:
                task.cancel()

    async def _recover_some(self) -> tuple[Call, ...]:
        async with self.entry:
            attended, clock_s = frozenset(self.live), asyncio.get_running_loop().time

            def work(transaction: Transaction) -> tuple[Call, ...]:
                return recover(
                    transaction,
                    worker_id=self._pulse.worker_id,
                    attended=attended,
                    silent_s=self._pulse.silence_s(clock_s()),  # as it is when the database lets the work begin
                    limit=RECOVERED_AT_ONCE,
                    at=self._line.clock.now(),
                    patience=self._line.patience,
                )

            return await self._line.storage.transact(work)
