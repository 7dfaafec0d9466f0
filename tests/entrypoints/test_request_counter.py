"""
What counting costs the database: one read of a key every 10 seconds.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from outdial.adapters.memory.clock import ManualClock
from outdial.adapters.memory.storage import MemoryStorage
from outdial.adapters.rate_limits.moving_window import MovingWindow, SteadyMemory
from outdial.domain.model.identifiers import hash_secret
from outdial.domain.model.principal import Operator, PresentedKey
from outdial.entrypoints.client import request_counter
from outdial.entrypoints.client.request_counter import RequestCounter
from outdial.ports.errors import StorageError
from outdial.ports.storage import Reader
from tests import builders
from tests.contract.storage.database import furnish

T = TypeVar("T")

KEY = PresentedKey(text=builders.key_text())


class SlowStorage(MemoryStorage):
    """
    Counts reads, each of which lets others run; fails as long as it is told to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.is_away = False

    async def read(self, work: Callable[[Reader], T]) -> T:
        """
        Read after a moment.
        """
        self.reads += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise StorageError("The database is away.")
        return await super().read(work)


async def opened() -> tuple[SlowStorage, RequestCounter]:
    """
    Return a counter over a furnished database.
    """
    storage = SlowStorage()
    await storage.start()
    await storage.transact(furnish)
    window = MovingWindow(SteadyMemory(lambda: 0.0), lambda: 0.0)
    return storage, RequestCounter(storage, window, ManualClock(builders.NOW))


def test_all_who_wait_share_one_read() -> None:
    """
    A hundred requests at once, and a hundred after them, read the key once; each is counted.
    """

    async def scenario() -> None:
        storage, counter = await opened()

        windows = await asyncio.gather(*(counter.count(KEY) for _ in range(100)))
        windows += [await counter.count(KEY) for _ in range(100)]

        assert 1 == storage.reads
        left = sorted(window.remaining for window in windows if window is not None)
        assert list(range(builders.REQUESTS_PER_MINUTE - 200, builders.REQUESTS_PER_MINUTE)) == left

    asyncio.run(scenario())


def test_a_key_is_read_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A limit that was changed is the limit soon.
    """

    async def scenario() -> None:
        monkeypatch.setattr(request_counter, "KNOWN_S", 0.0)
        storage, counter = await opened()

        for _ in range(3):
            await counter.count(KEY)

        assert 3 == storage.reads

    asyncio.run(scenario())


def test_who_leaves_does_not_take_the_read_away_from_others() -> None:
    """
    A client that is gone cancels its own request only.
    """

    async def scenario() -> None:
        _storage, counter = await opened()
        first = asyncio.create_task(counter.count(KEY))
        second = asyncio.create_task(counter.count(KEY))
        await asyncio.sleep(0)

        first.cancel()
        window = await second

        assert first.cancelled()
        assert window is not None

    asyncio.run(scenario())


def test_a_database_that_is_away_counts_nothing_and_is_asked_again() -> None:
    """
    Whatever is asked for next says that it is away; nobody is refused for the count.
    """

    async def scenario() -> None:
        storage, counter = await opened()
        storage.is_away = True

        away = [await counter.count(KEY), await counter.count(KEY)]
        storage.is_away = False
        back = await counter.count(KEY)

        assert [None, None] == away
        assert back is not None
        assert 3 == storage.reads

    asyncio.run(scenario())


def test_strangers_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whatever keys they name, only so many are remembered; the oldest goes first.
    """

    async def scenario() -> None:
        monkeypatch.setattr(request_counter, "KNOWN_MAX", 3)
        storage, counter = await opened()
        await counter.count(KEY)

        for number in range(100, 105):
            assert await counter.count(PresentedKey(text=builders.key_text(number))) is None
        await counter.count(KEY)

        assert 3 == len(counter._known)  # noqa: SLF001 - what it holds
        assert 7 == storage.reads

    asyncio.run(scenario())


def test_no_key_no_count() -> None:
    """
    The operator, nobody, nonsense and a wrong secret are not counted.
    """

    async def scenario() -> None:
        _storage, counter = await opened()
        wrong = builders.key_text(secret=builders.secret(5))
        assert hash_secret(builders.secret(5)) != builders.api_key().secret_hash

        counted = [
            await counter.count(credential)
            for credential in (
                Operator(account_id=builders.ACCOUNT_ID),
                PresentedKey(text=None),
                PresentedKey(text="od_live_"),
                PresentedKey(text=wrong),
            )
        ]

        assert [None] * 4 == counted

    asyncio.run(scenario())
