"""
Calls of a test: an order, a carrier on loopback, and what was reported.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, TypeVar

import attrs

from outdial.adapters.sip.carrier import SipCarrier
from outdial.adapters.sip.trunk import Trunk
from outdial.adapters.system.clock import SystemClock
from outdial.domain.model.call_event import Answered, CallEvent, Ended, Ringing
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.carrier import Announce, Audio, DialOrder

T = TypeVar("T")

CALLEE = PhoneNumber("+15557654321")
CALLER_ID = PhoneNumber("+15550001111")
SAMPLE_S = 1 / 8000

_numbers = count(1)


def run(test: Coroutine[Any, Any, T], timeout_s: float = 60) -> T:
    """
    Run a test on a loop of its own, in bounded time, and return what it does.
    """

    async def limited() -> T:
        async with asyncio.timeout(timeout_s):
            return await test

    return asyncio.run(limited())


def order(*, ring_timeout_s: int = 10, max_duration_s: int = 30, attempt_id: str | None = None) -> DialOrder:
    """
    Ask for a call to the one callee there is.
    """
    return DialOrder(
        attempt_id=attempt_id or f"attempt-{next(_numbers)}",
        callee=CALLEE,
        caller_id=CALLER_ID,
        ring_timeout_s=ring_timeout_s,
        max_duration_s=max_duration_s,
    )


def sound(duration_s: float = 0.2) -> Announce:
    """
    Say something short; no two samples in a row are alike.
    """
    samples = [(index * 97 % 20001 - 10000) for index in range(round(duration_s / SAMPLE_S))]
    return Announce(audio=Audio(pcm=b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)))


@attrs.define
class Reports:
    """
    What a carrier reports of one attempt.
    """

    events: list[CallEvent] = attrs.field(factory=list)
    _changed: asyncio.Event = attrs.field(factory=asyncio.Event)

    def __call__(self, event: CallEvent) -> None:
        """
        Take one event, as a carrier's `report`.
        """
        self.events.append(event)
        self._changed.set()

    async def first(self, kind: type[CallEvent], timeout_s: float = 30) -> CallEvent:
        """
        Wait for an event of a kind.
        """
        async with asyncio.timeout(timeout_s):
            while not any(isinstance(event, kind) for event in self.events):
                self._changed.clear()
                await self._changed.wait()
        return next(event for event in self.events if isinstance(event, kind))

    async def answered(self) -> None:
        """
        Wait for the answer.
        """
        await self.first(Answered)

    async def ringing(self) -> None:
        """
        Wait until it rings.
        """
        await self.first(Ringing)

    async def ended(self) -> Ended:
        """
        Wait for the end.
        """
        event = await self.first(Ended)
        assert isinstance(event, Ended)
        return event

    @property
    def kinds(self) -> list[str]:
        """
        Name what was reported, in order.
        """
        return [type(event).__name__ for event in self.events]


@asynccontextmanager
async def carrier_for(address: str | int, **settings: Any) -> AsyncIterator[SipCarrier]:
    """
    Start a carrier for a trunk at a port of loopback, or at an address; stop it when the block is left.
    """
    uri = address if isinstance(address, str) else f"sip:127.0.0.1:{address}"
    settings = {"bind_host": "127.0.0.1", "bind_port": 0, "cancel_wait_s": 2.0, **settings}
    carrier = SipCarrier(Trunk(address=uri, **settings), SystemClock())
    await carrier.start()
    try:
        yield carrier
    finally:
        await carrier.stop()
