"""
Following calls in a process of one's own.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

import outdial
from outdial.adapters.memory.storage import MemoryStorage
from outdial.domain.model.reason import Reason
from outdial.entrypoints import composition
from outdial.entrypoints.client import event_hub, event_stream
from outdial.ports.errors import StorageError, UnknownRecordError
from outdial.ports.storage import Reader
from tests.library.setting_up import CALLEE, Clinic, opened

T = TypeVar("T")

PATIENCE_S = 10.0
FAILURES = 20
LIFE = ["queued", "dialing", "ringing", "in-progress", "completed"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Look at the log and at keys more often.
    """
    monkeypatch.setattr(event_hub, "POLL_S", 0.005)
    monkeypatch.setattr(event_stream, "CHECK_S", 0.05)


def run(scenario: Callable[[Clinic], Coroutine[Any, Any, None]], *, dials: bool = False) -> None:
    """
    Run a scenario on a database of its own, in memory.
    """

    async def main() -> None:
        async with asyncio.timeout(PATIENCE_S), opened(dials=dials) as clinic:
            await scenario(clinic)

    asyncio.run(main())


async def follow(clinic: Clinic, *arguments: Any, **named: Any) -> outdial.EventStream:
    """
    Open a stream with the clinic's key.
    """
    stream = await clinic.dialer.client(api_key=clinic.key).calls.events(*arguments, **named)
    assert isinstance(stream, outdial.EventStream)
    return stream


async def statuses(stream: outdial.EventStream, count: int) -> list[str]:
    """
    Return the next changes' statuses.
    """
    found: list[str] = []
    async for change in stream:
        found.append(change.status.value)
        if len(found) == count:
            break
    return found


def test_a_call_is_followed_to_its_end() -> None:
    """
    The stream ends by itself.
    """

    async def scenario(clinic: Clinic) -> None:
        decision = await clinic.dialer.dial(CALLEE, clinic.agent_id)
        assert isinstance(decision, outdial.Accepted)
        with await follow(clinic, decision.call.call_id) as stream:
            assert LIFE == [change.status async for change in stream]
            assert stream.refused is None

    run(scenario, dials=True)


def test_all_calls_are_followed_over_several_streams() -> None:
    """
    Each goes on where the one before it was left, the first of them before its first event.
    """

    async def scenario(clinic: Clinic) -> None:
        with await follow(clinic) as stream:
            last_event_id = stream.last_event_id
        await clinic.dialer.dial(CALLEE, clinic.agent_id)
        found: list[str] = []
        for _ in LIFE:
            with await follow(clinic, last_event_id=last_event_id) as stream:
                found += await statuses(stream, 1)
                last_event_id = stream.last_event_id

        assert LIFE == found

    run(scenario, dials=True)


def test_the_operator_follows_an_account() -> None:
    """
    Without a key, for the account that is named; for one that is missing there is nothing to follow.
    """

    async def scenario(clinic: Clinic) -> None:
        stream = await clinic.dialer.client(account_id=clinic.account_id).calls.events()
        assert isinstance(stream, outdial.EventStream)
        with stream:
            await clinic.dialer.dial(CALLEE, clinic.agent_id)
            assert ["queued"] == await statuses(stream, 1)
        with pytest.raises(UnknownRecordError):
            await clinic.dialer.client(account_id=999).calls.events()

    run(scenario)


def test_a_stream_ends_with_its_key() -> None:
    """
    It says why.
    """

    async def scenario(clinic: Clinic) -> None:
        with await follow(clinic) as stream:
            await clinic.dialer.administration.revoke_key(1)
            assert [] == [change async for change in stream]
            assert stream.refused is not None
            assert Reason.INVALID_KEY is stream.refused.reason

    run(scenario)


def test_streams_end_with_the_dialer() -> None:
    """
    Whoever listens is not left waiting.
    """

    async def scenario(clinic: Clinic) -> None:
        stream = await follow(clinic)
        listening = asyncio.create_task(statuses(stream, 1))
        await clinic.dialer.stop()
        assert [] == await listening

    run(scenario)


class _Flaky(MemoryStorage):
    """
    Storage that can't be read while it is `away`.

    Attributes:
        failures: How often it could not be read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.failures = 0

    async def read(self, work: Callable[[Reader], T]) -> T:
        """
        Read, or fail.
        """
        if self.away:
            self.failures += 1
            raise StorageError("The database is away. Nothing was read.")
        return await super().read(work)


def test_a_stream_waits_for_its_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It goes on once that is back.
    """
    storage = _Flaky()
    monkeypatch.setattr(event_stream, "CHECK_S", 0.001)
    monkeypatch.setattr(composition, "storage", lambda _settings: storage)

    async def scenario(clinic: Clinic) -> None:
        with await follow(clinic) as stream:
            listening = asyncio.create_task(statuses(stream, 1))
            storage.away = True
            while storage.failures < FAILURES:
                await asyncio.sleep(0.001)
            storage.away = False
            await clinic.dialer.dial(CALLEE, clinic.agent_id)
            assert ["queued"] == await listening

    run(scenario)
