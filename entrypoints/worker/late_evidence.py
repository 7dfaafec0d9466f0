"""
What a carrier reports of attempts that nobody sees through any more.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

import structlog

from outdial.domain.model.call import Call
from outdial.domain.model.identifiers import CallReference
from outdial.ports.clock import Clock
from outdial.ports.errors import StorageError
from outdial.ports.storage import Storage, Transaction

T = TypeVar("T")

Writing = Callable[[Transaction], Call]
"""Writes a report down and returns the call after it."""

WAITING_MAX: Final = 10_000
"""Reports beyond it are lost, as they are when the process is; the calls stay unknown."""

RETRY_AFTER_S: Final = 1.0
TRIES: Final = 600
"""For ten minutes; a report that can't be written must not keep others from it for ever."""

_log = structlog.get_logger()


class LateEvidence:
    """
    Writes such reports down, one after the other.
    """

    def __init__(self, *, storage: Storage, clock: Clock, on_moved: Callable[[Call, datetime], None]) -> None:
        self._storage = storage
        self._clock = clock
        self._on_moved = on_moved
        self._waiting: asyncio.Queue[tuple[Call, Writing]] = asyncio.Queue(WAITING_MAX)
        self._loop: asyncio.Task[None] | None = None

    def hear(self, call: Call, writing: Writing) -> None:
        """
        Take what is to be written of a report on a call; never waits.
        """
        if self._waiting.full():
            _log.error("evidence_lost", call_id=call.call_id)
            return
        self._waiting.put_nowait((call, writing))

    def start(self) -> None:
        """
        Begin to write down.
        """
        self._loop = asyncio.create_task(self._keep_writing())

    async def stop(self, *, timeout_s: float) -> None:
        """
        Write down what waits, as far as there is time. Idempotent.
        """
        if self._loop is None:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._waiting.join()
        except TimeoutError:
            _log.error("evidence_lost", reports=self._waiting.qsize())
        self._loop.cancel()
        await asyncio.gather(self._loop, return_exceptions=True)
        self._loop = None

    async def _keep_writing(self) -> None:
        while True:
            call, writing = await self._waiting.get()
            try:
                await self._write(call, writing)
            except Exception:  # noqa: BLE001 - whatever is wrong with one report stays with it
                _log.exception("evidence_not_written", call_id=call.call_id)
            finally:
                self._waiting.task_done()

    async def _write(self, call: Call, writing: Writing) -> None:
        def work(transaction: Transaction) -> Call | None:
            before = transaction.calls.call_of_any_account(CallReference(number=call.id))
            after = writing(transaction)
            return after if after != before else None

        changed = await self._transact(work)
        if changed is not None:
            _log.info("late_evidence", call_id=call.call_id, state=changed.state)
            self._on_moved(changed, self._clock.now())

    async def _transact(self, work: Callable[[Transaction], T]) -> T:
        for _ in range(TRIES - 1):
            try:
                return await self._storage.transact(work)
            except StorageError as error:
                _log.warning("storage_retry", problem=str(error))
                await asyncio.sleep(RETRY_AFTER_S)
        return await self._storage.transact(work)
