"""
Who may take another worker for lost: only one that could have heard of it.
"""

import asyncio
from functools import partial
from typing import Final

import pytest

from outdial.adapters.memory import storage_calls
from outdial.domain.model.call import Call
from outdial.domain.model.lifecycle import State
from outdial.entrypoints.worker.pulse import BEAT_S, SILENT_S
from outdial.ports.storage import Transaction
from tests import builders
from tests.service.calls import take
from tests.worker.office import Office, office, running
from tests.worker.virtual_time import elapsed_s, in_virtual_time

OTHER: Final = "other"


@pytest.fixture(autouse=True)
def _clock_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_calls, "now_micros", lambda: round(elapsed_s() * 1_000_000))


def _beat(transaction: Transaction) -> None:
    transaction.workers.beat(OTHER)


async def _leased_by_other(bureau: Office) -> Call:
    """
    Have a call leased by another worker, which is heard of now.
    """
    (accepted,) = await bureau.accept()
    await bureau.storage.transact(_beat)
    await bureau.storage.transact(partial(take, limit=1, at=builders.NOW, worker_id=OTHER))
    return accepted


@in_virtual_time
async def test_a_silent_worker_is_lost() -> None:
    """
    Its calls are taken over when it was silent for long enough, and not before.
    """
    async with office() as bureau, running(bureau.dialler(bureau.carrier(), poll_s=1000, has_rivals=True)):
        await asyncio.sleep(2 * SILENT_S)
        accepted = await _leased_by_other(bureau)

        await asyncio.sleep(SILENT_S - 0.1)
        assert State.LEASED is (await bureau.call(accepted)).state
        await asyncio.sleep(BEAT_S + 0.2)
        assert State.QUEUED is (await bureau.call(accepted)).state


@in_virtual_time
async def test_nobody_is_lost_because_the_database_was_away() -> None:
    """
    After an outage, in which nobody could beat, the others have the time of a silence to be heard of again.
    """
    async with office() as bureau, running(bureau.dialler(bureau.carrier(), poll_s=1000, has_rivals=True)) as dialler:
        await asyncio.sleep(2 * SILENT_S)
        accepted = await _leased_by_other(bureau)
        bureau.storage.is_down = True
        dialler.wake()
        await asyncio.sleep(2 * SILENT_S)
        bureau.storage.is_down = False
        dialler.wake()

        await asyncio.sleep(SILENT_S - 0.1)
        assert State.LEASED is (await bureau.call(accepted)).state
        await bureau.storage.transact(_beat)
        await asyncio.sleep(SILENT_S - 0.1)
        assert State.LEASED is (await bureau.call(accepted)).state
        await asyncio.sleep(BEAT_S + 0.2)
        assert State.QUEUED is (await bureau.call(accepted)).state


@in_virtual_time
async def test_who_has_just_come_takes_nobody_for_lost() -> None:
    """
    A worker that starts after an outage finds all others silent; it waits before it judges.
    """
    async with office() as bureau:
        accepted = await _leased_by_other(bureau)
        await asyncio.sleep(2 * SILENT_S)

        async with running(bureau.dialler(bureau.carrier(), poll_s=1000, has_rivals=True)):
            await asyncio.sleep(SILENT_S - 0.1)
            assert State.LEASED is (await bureau.call(accepted)).state
            await asyncio.sleep(BEAT_S + 0.2)
            assert State.QUEUED is (await bureau.call(accepted)).state
