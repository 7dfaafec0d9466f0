"""
Carriers under test, each with a way to bring about every fate.

To bind one more carrier to this suite, write its `CarrierUnderTest` and add it to the fixture in `conftest`.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

import attrs

from outdial.adapters.simulator.carrier import SimulatorCarrier
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.carrier import AUDIO_RATE_HZ, Announce, Audio, Carrier, DialOrder
from tests.telephony import calls
from tests.telephony.ports import free_port
from tests.telephony.sipp import sipp
from tests.worker.virtual_time import LoopClock, run_in_virtual_time

RUN_S_MAX: Final = 45.0
TRUNK_SILENCE_S: Final = 0.3
"""How long the SIP carrier under test waits for a trunk that does not react."""


class Fate(StrEnum):
    """
    What becomes of an order.
    """

    LISTENS = "listens"
    """Answered, and listened to until the agent hangs up."""

    HANGS_UP = "hangs_up"
    """Answered, and hung up by the callee within two seconds."""

    BUSY = "busy"
    """Busy: rejected by `place`, or an end that is reported."""

    UNREACHABLE = "unreachable"
    """Rejected by `place`."""

    RINGS = "rings"
    """Rings for ever."""

    AMBIGUOUS = "ambiguous"
    """Nobody can tell whether it rings."""


class CarrierUnderTest(Protocol):
    """
    A carrier, and everything around it that decides on an order's fate.
    """

    def run(self, test: Coroutine[Any, Any, None]) -> None:
        """
        Run a test in the carrier's kind of time, which is bounded.
        """

    def opened(self, fate: Fate, *, orders: int = 1) -> AbstractAsyncContextManager[Carrier]:
        """
        Give a started carrier all of whose orders meet a fate; it is stopped in the end.

        Args:
            orders: How many will be placed.
        """

    def callee(self, fate: Fate) -> PhoneNumber:
        """
        Return the number to dial.
        """


class SimulatorUnderTest:
    """
    The simulated network, in virtual time.
    """

    _numbers: Final = {
        Fate.LISTENS: "+15555550100",
        Fate.HANGS_UP: "+15555550107",
        Fate.BUSY: "+15555550101",
        Fate.UNREACHABLE: "+15555550105",
        Fate.RINGS: "+15555550102",
        Fate.AMBIGUOUS: "+15555550109",
    }

    def run(self, test: Coroutine[Any, Any, None]) -> None:
        """
        Run a test in no time.
        """
        run_in_virtual_time(test)

    @asynccontextmanager
    async def opened(self, fate: Fate, *, orders: int = 1) -> AsyncIterator[Carrier]:
        """
        Give the carrier; its numbers decide.
        """
        assert fate in self._numbers
        assert orders
        carrier = SimulatorCarrier(LoopClock())
        await carrier.start()
        yield carrier
        await carrier.stop()

    def callee(self, fate: Fate) -> PhoneNumber:
        """
        Return a magic number.
        """
        return PhoneNumber(self._numbers[fate])


_SCENARIOS: Final = {
    Fate.LISTENS: "many",
    Fate.HANGS_UP: "remote_bye",
    Fate.BUSY: "refuse",
    Fate.RINGS: "noanswer",
}
"""What SIPp does."""


@attrs.frozen
class SipUnderTest:
    """
    The SIP carrier on loopback; SIPp is the callee, and confirms each flow by its exit code.
    """

    _folder: Path

    def run(self, test: Coroutine[Any, Any, None]) -> None:
        """
        Run a test in real time.
        """
        calls.run(test, timeout_s=RUN_S_MAX)

    @asynccontextmanager
    async def opened(self, fate: Fate, *, orders: int = 1) -> AsyncIterator[Carrier]:
        """
        Give a carrier for a trunk that does what the fate says.
        """
        match fate:
            case Fate.UNREACHABLE:
                async with calls.carrier_for(f"sip:127.0.0.1:{free_port()};transport=tcp") as carrier:
                    yield carrier
            case Fate.AMBIGUOUS:
                with _mute_trunk() as port:
                    async with calls.carrier_for(port, no_answer_from_trunk_s=TRUNK_SILENCE_S) as carrier:
                        yield carrier
            case _:
                keys = {"status": "486", "reason": "SIP;cause=0"} if fate is Fate.BUSY else None
                async with sipp(_SCENARIOS[fate], self._folder, calls=orders, keys=keys) as far_end:
                    async with calls.carrier_for(far_end.port) as carrier:
                        yield carrier
                    await far_end.finish()

    def callee(self, fate: Fate) -> PhoneNumber:
        """
        Return the one number that there is.
        """
        assert fate
        return calls.CALLEE


@contextmanager
def _mute_trunk() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        yield deaf.getsockname()[1]


def greeting(duration_s: float) -> Announce:
    """
    Return silence that an agent says.
    """
    return Announce(audio=Audio(pcm=bytes(2 * round(duration_s * AUDIO_RATE_HZ))))


def order(under_test: CarrierUnderTest, fate: Fate, number: int = 1, **limits: int) -> DialOrder:
    """
    Ask for a call that meets a fate.
    """
    return DialOrder(
        attempt_id=f"attempt-{number}",
        callee=under_test.callee(fate),
        caller_id=calls.CALLER_ID,
        ring_timeout_s=limits.get("ring_timeout_s", 10),
        max_duration_s=limits.get("max_duration_s", 30),
    )


def elapsed_s() -> float:
    """
    Return the loop's time.
    """
    return asyncio.get_running_loop().time()
