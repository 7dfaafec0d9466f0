"""
The simulator's own log: a line for each order that rings, on the disk before anybody hears of it.
"""

import asyncio
import contextlib
import json
import multiprocessing
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from outdial.adapters.simulator.carrier import LOG_FAILED, SimulatorCarrier
from outdial.adapters.simulator.order_log import OrderLog
from outdial.adapters.simulator.scenario import MAGIC
from outdial.adapters.system.clock import SystemClock
from outdial.domain.model.call_event import CallEvent, Ended
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.carrier import Announce, Audio, DialOrder, Placed, RejectedError, UncertainError
from outdial.ports.errors import CarrierUnavailableError
from tests import builders

GREETING: Final = Announce(audio=Audio(pcm=b""))
ORDER: Final = DialOrder(
    attempt_id="attempt",
    callee=builders.CALLEE,
    caller_id=builders.CALLER_ID,
    ring_timeout_s=40,
    max_duration_s=600,
)
NEVER_RING: Final = {"+15555550101", "+15555550104", "+15555550105", "+15555550109"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    Where the log is kept; nothing is there yet.
    """
    return tmp_path / "orders"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, path.read_text().splitlines())


def _carrier(path: Path, *, time_scale: float = 0) -> SimulatorCarrier:
    return SimulatorCarrier(SystemClock(), time_scale=time_scale, log=OrderLog(path))


def test_a_line_tells_the_order_and_is_there_before_the_answer(path: Path) -> None:
    """
    Whoever hears that an order was taken finds its line.
    """

    async def place() -> None:
        carrier = _carrier(path)
        await carrier.start()
        assert Placed(reference="attempt") == await carrier.place(ORDER, GREETING, lambda _event: None)
        (line,) = _lines(path)
        written_at = datetime.fromisoformat(line.pop("time"))
        assert written_at.utcoffset() is not None
        expected = {"callee": builders.CALLEE.e164, "caller_id": builders.CALLER_ID.e164}
        assert {"attempt_id": "attempt", **expected} == line
        await carrier.stop()

    asyncio.run(place())


@pytest.mark.parametrize("number", MAGIC)
def test_what_rings_is_logged_and_nothing_else(path: Path, number: str) -> None:
    """
    An order whose answer is lost is logged when it rings; what the network rejects is not.
    """

    async def place() -> None:
        carrier = _carrier(path)
        await carrier.start()
        order = attrs.evolve(ORDER, callee=PhoneNumber(number))
        with contextlib.suppress(RejectedError, UncertainError):
            await carrier.place(order, GREETING, lambda _event: None)
        await carrier.stop()

    asyncio.run(place())

    assert ([] if number in NEVER_RING else [number]) == [line["callee"] for line in _lines(path)]


def _append_many(path: Path, name: str) -> None:
    log, now = OrderLog(path), SystemClock().now()
    for number in range(100):
        log.append(attrs.evolve(ORDER, attempt_id=f"{name}-{number}"), now)


def test_several_processes_share_a_file(path: Path) -> None:
    """
    No line is lost, and none runs into another.
    """
    spawning = multiprocessing.get_context("spawn")
    processes = [spawning.Process(target=_append_many, args=(path, name)) for name in "abc"]

    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    expected = {f"{name}-{number}" for name in "abc" for number in range(100)}
    written = [line["attempt_id"] for line in _lines(path)]
    assert (300, expected) == (len(written), set(written))


def test_a_log_that_can_not_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    """
    A folder is no file.
    """
    with pytest.raises(CarrierUnavailableError, match=r"^The simulator's log can't be written: Is a directory\.$"):
        asyncio.run(_carrier(tmp_path).start())


def test_an_order_that_can_not_be_logged_never_rings(path: Path) -> None:
    """
    Part of its line may stand there, so that nobody may call it rejected.
    """
    events: list[CallEvent] = []

    async def place() -> None:
        carrier = _carrier(path)
        await carrier.start()
        path.unlink()
        path.mkdir()
        with pytest.raises(UncertainError) as caught:
            await carrier.place(ORDER, GREETING, events.append)
        assert LOG_FAILED == caught.value.cause
        await carrier.stop()

    asyncio.run(place())

    assert [] == events


def test_stopping_hangs_up_what_is_being_logged(path: Path) -> None:
    """
    An order that a stop overtakes has ended when that returns, instead of ringing on without anybody.
    """
    events: list[CallEvent] = []
    reported: list[CallEvent] = []

    async def place() -> None:
        carrier = _carrier(path, time_scale=1000)
        await carrier.start()
        placing = asyncio.create_task(carrier.place(ORDER, GREETING, events.append))
        await asyncio.sleep(0)
        await carrier.stop()
        reported.extend(events)
        assert Placed(reference="attempt") == await placing

    asyncio.run(place())

    (ended,) = [event for event in reported if isinstance(event, Ended)]
    assert reported == events
    assert (Disposition.CANCELED, 0) == (ended.disposition, ended.talk_s)


def test_stopping_waits_for_no_order_that_can_not_be_logged(path: Path) -> None:
    """
    An order that fails while a stop waits for it ends that wait.
    """

    async def place() -> None:
        carrier = _carrier(path, time_scale=1000)
        await carrier.start()
        path.unlink()
        path.mkdir()
        placing = asyncio.create_task(carrier.place(ORDER, GREETING, lambda _event: None))
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await carrier.stop()
        with pytest.raises(UncertainError):
            await placing

    asyncio.run(place())
