"""
The simulated network: each magic number's fate, its time scale, and hanging up.
"""

import asyncio
from typing import Final

import attrs
import pytest

from outdial.adapters.simulator.carrier import (
    HANG_UP_AT_ONCE_S,
    NO_ANSWER_FROM_CARRIER,
    RING_TIMEOUT,
    STOPPED,
    SimulatorCarrier,
)
from outdial.adapters.simulator.scenario import CONVERSATION_S, MAGIC, RING_S, scenario_for
from outdial.domain.model.call_event import Answered, CallEvent, Ended, Ringing
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.carrier import (
    AUDIO_RATE_HZ,
    Announce,
    Audio,
    Connect,
    DialOrder,
    Placed,
    RejectedError,
    SipUri,
    UncertainError,
)
from tests import builders
from tests.worker.virtual_time import LoopClock, elapsed_s, in_virtual_time

COMPLETED: Final = "+15555550100"
BUSY: Final = "+15555550101"
NO_ANSWER: Final = "+15555550102"
REJECTED: Final = "+15555550103"
INVALID: Final = "+15555550104"
CARRIER_ERROR: Final = "+15555550105"
MACHINE: Final = "+15555550106"
CALLEE_HANGS_UP: Final = "+15555550107"
DOUBTFUL: Final = "+15555550108"
NEVER_RANG: Final = "+15555550109"

GREETING_S: Final = 4
GREETING: Final = Announce(audio=Audio(pcm=bytes(2 * GREETING_S * AUDIO_RATE_HZ)))
AGENT: Final = SipUri(uri="sip:agent@example.com")
ORDER: Final = DialOrder(
    attempt_id="attempt",
    callee=PhoneNumber(COMPLETED),
    caller_id=builders.CALLER_ID,
    ring_timeout_s=40,
    max_duration_s=600,
)
SOON_S: Final = 1000


def _order(callee: str = COMPLETED, **changes: int) -> DialOrder:
    return attrs.evolve(ORDER, callee=PhoneNumber(callee), **changes)


@attrs.define
class _Course:
    """
    What was reported of an order, and when.
    """

    events: list[CallEvent] = attrs.field(factory=list)
    times_s: list[float] = attrs.field(factory=list)

    def __call__(self, event: CallEvent) -> None:
        self.events.append(event)
        self.times_s.append(round(elapsed_s(), 6))

    @property
    def kinds(self) -> list[type[CallEvent]]:
        """
        What happened, in order.
        """
        return [type(event) for event in self.events]

    @property
    def end(self) -> Ended:
        """
        The last event.
        """
        last = self.events[-1]
        assert isinstance(last, Ended)
        return last


async def _course(order: DialOrder, connect: Connect = GREETING, *, time_scale: float = 1) -> _Course:
    """
    Place an order and wait until nothing more can happen.
    """
    course = _Course()
    carrier = SimulatorCarrier(LoopClock(), time_scale=time_scale)
    await carrier.start()
    placed = await carrier.place(order, connect, course)
    assert Placed(reference=order.attempt_id) == placed
    await asyncio.sleep(SOON_S)
    await carrier.stop()
    return course


@in_virtual_time
async def test_a_greeting_is_heard_to_its_end() -> None:
    """
    The phone rings, is answered, and the agent hangs up when it has spoken.
    """
    course = await _course(_order())

    assert [Ringing, Answered, Ended] == course.kinds
    assert [0, RING_S, RING_S + GREETING_S] == course.times_s
    assert (Disposition.HANG_UP_AGENT, GREETING_S) == (course.end.disposition, course.end.talk_s)


@in_virtual_time
async def test_an_agent_of_its_own_is_talked_to() -> None:
    """
    An agent that does not hang up by itself is listened to for a while.
    """
    course = await _course(_order(), AGENT)

    assert RING_S + CONVERSATION_S == course.times_s[-1]
    assert (Disposition.HANG_UP_CALLEE, CONVERSATION_S) == (course.end.disposition, course.end.talk_s)


@in_virtual_time
async def test_ordinary_numbers_answer() -> None:
    """
    Numbers without a fate of their own are like the first magic one.
    """
    ordinary = await _course(_order(builders.CALLEE.e164))

    assert [Ringing, Answered, Ended] == ordinary.kinds
    assert MAGIC[COMPLETED] == scenario_for(builders.CALLEE)


@in_virtual_time
async def test_each_event_names_its_attempt_and_its_time() -> None:
    """
    Times are the clock's.
    """
    course = await _course(_order())

    assert {"attempt"} == {event.attempt_id for event in course.events}
    assert [0, 2, 6] == [(event.at - builders.NOW).total_seconds() for event in course.events]


@pytest.mark.parametrize(
    ("number", "disposition", "code"),
    [
        (BUSY, Disposition.BUSY, 486),
        (INVALID, Disposition.INVALID_NUMBER, 404),
        (CARRIER_ERROR, Disposition.CARRIER_ERROR, 503),
    ],
)
@in_virtual_time
async def test_some_orders_are_rejected(number: str, disposition: Disposition, code: int) -> None:
    """
    A refusal before any ringing is an error of `place`, and nothing is reported.
    """
    carrier, course = SimulatorCarrier(LoopClock()), _Course()

    with pytest.raises(RejectedError) as caught:
        await carrier.place(_order(number), GREETING, course)
    await asyncio.sleep(SOON_S)

    assert (disposition, code) == (caught.value.disposition, caught.value.cause.code)
    assert [] == course.events


@in_virtual_time
async def test_nobody_answers_before_the_ring_time_is_over() -> None:
    """
    The phone rings as long as the order says.
    """
    course = await _course(_order(NO_ANSWER, ring_timeout_s=25))

    assert [Ringing, Ended] == course.kinds
    assert [0, 25] == course.times_s
    assert (Disposition.NO_ANSWER, 0, RING_TIMEOUT) == (course.end.disposition, course.end.talk_s, course.end.cause)


@in_virtual_time
async def test_a_callee_may_decline_while_it_rings() -> None:
    """
    A refusal after ringing is an end like others.
    """
    course = await _course(_order(REJECTED))

    assert [Ringing, Ended] == course.kinds
    assert (Disposition.REJECTED, HangUpCause(code=603, words="Decline"), 0) == (
        course.end.disposition,
        course.end.cause,
        course.end.talk_s,
    )


@in_virtual_time
async def test_a_short_ring_time_is_kept() -> None:
    """
    A phone that would have been answered later is not.
    """
    course = await _course(_order(ring_timeout_s=1))

    assert [0, 1] == course.times_s
    assert Disposition.NO_ANSWER is course.end.disposition


@pytest.mark.parametrize(("number", "by_machine"), [(COMPLETED, None), (MACHINE, True)])
@in_virtual_time
async def test_machines_are_told(number: str, by_machine: object) -> None:
    """
    One number is answered by a machine; of the others it is not known.
    """
    course = await _course(_order(number))

    (answer,) = (event for event in course.events if isinstance(event, Answered))
    assert by_machine is answer.by_machine
    assert Disposition.HANG_UP_AGENT is course.end.disposition


@in_virtual_time
async def test_a_callee_may_hang_up_at_once() -> None:
    """
    Half a second of talk is a whole one on the bill.
    """
    course = await _course(_order(CALLEE_HANGS_UP))

    assert RING_S + HANG_UP_AT_ONCE_S == course.times_s[-1]
    assert (Disposition.HANG_UP_CALLEE, 1) == (course.end.disposition, course.end.talk_s)


@pytest.mark.parametrize(
    ("number", "kinds"), [(DOUBTFUL, [Ringing, Answered, Ended]), (NEVER_RANG, [])], ids=["rings", "never rings"]
)
@in_virtual_time
async def test_some_orders_are_ambiguous(number: str, kinds: list[type[CallEvent]]) -> None:
    """
    Of two numbers the network does not tell whether it took the order; one of them rings.
    """
    carrier, course = SimulatorCarrier(LoopClock()), _Course()

    with pytest.raises(UncertainError) as caught:
        await carrier.place(_order(number), GREETING, course)
    await asyncio.sleep(SOON_S)

    assert NO_ANSWER_FROM_CARRIER == caught.value.cause
    assert kinds == course.kinds


@pytest.mark.parametrize("connect", [GREETING, AGENT])
@in_virtual_time
async def test_no_conversation_is_longer_than_paid_for(connect: Connect) -> None:
    """
    The network hangs up at the order's limit.
    """
    course = await _course(_order(max_duration_s=3), connect)

    assert RING_S + 3 == course.times_s[-1]
    assert (Disposition.TIME_LIMIT, 3) == (course.end.disposition, course.end.talk_s)


@pytest.mark.parametrize("time_scale", [0.01, 0.5, 3])
@in_virtual_time
async def test_time_is_scaled(time_scale: float) -> None:
    """
    Simulated seconds take longer or shorter, and are billed as simulated.
    """
    course = await _course(_order(), time_scale=time_scale)

    assert [0, RING_S * time_scale, (RING_S + GREETING_S) * time_scale] == course.times_s
    assert GREETING_S == course.end.talk_s


@in_virtual_time
async def test_no_time_at_all_is_a_scale() -> None:
    """
    With a scale of 0 everything happens in order and at once.
    """
    course = await _course(_order(), time_scale=0)

    assert [Ringing, Answered, Ended] == course.kinds
    assert [0, 0, 0] == course.times_s
    assert GREETING_S == course.end.talk_s


@pytest.mark.parametrize(
    ("after_s", "kinds", "talk_s"),
    [
        (0, [Ringing, Ended], 0),
        (1, [Ringing, Ended], 0),
        (3.5, [Ringing, Answered, Ended], 2),
        (5, [Ringing, Answered, Ended], 3),
    ],
)
@pytest.mark.parametrize("time_scale", [1, 0.25])
@in_virtual_time
async def test_hanging_up_ends_an_order_at_once(
    after_s: float, kinds: list[type[CallEvent]], talk_s: int, time_scale: float
) -> None:
    """
    Whether it rings or talks, the end carries the disposition asked for and the time talked so far, rounded up.
    """
    carrier, course = SimulatorCarrier(LoopClock(), time_scale=time_scale), _Course()
    await carrier.place(_order(), GREETING, course)
    await asyncio.sleep(after_s * time_scale)

    await carrier.hang_up("attempt", Disposition.TIME_LIMIT)
    await carrier.hang_up("attempt", Disposition.CANCELED)
    await asyncio.sleep(SOON_S)

    assert kinds == course.kinds
    assert after_s * time_scale == course.times_s[-1]
    assert (Disposition.TIME_LIMIT, talk_s) == (course.end.disposition, course.end.talk_s)


@in_virtual_time
async def test_hanging_up_what_is_over_changes_nothing() -> None:
    """
    Unknown attempts and those that ended are hung up successfully.
    """
    carrier, course = SimulatorCarrier(LoopClock()), _Course()
    await carrier.place(_order(), GREETING, course)
    await asyncio.sleep(SOON_S)

    await carrier.hang_up("attempt", Disposition.CANCELED)
    await carrier.hang_up("unknown", Disposition.CANCELED)

    assert Disposition.HANG_UP_AGENT is course.end.disposition


@in_virtual_time
async def test_stopping_ends_everything() -> None:
    """
    When `stop` returns, the end of every order was reported, and stopping again changes nothing.
    """
    carrier, courses = SimulatorCarrier(LoopClock()), [_Course() for _ in range(3)]
    for number, course in enumerate(courses):
        await carrier.place(attrs.evolve(ORDER, attempt_id=f"attempt-{number}"), GREETING, course)
        await asyncio.sleep(1.5)

    await carrier.stop()
    await carrier.stop()

    assert [Disposition.CANCELED] * 3 == [course.end.disposition for course in courses]
    assert [3, 1, 0] == [course.end.talk_s for course in courses]


@in_virtual_time
async def test_nothing_is_taken_after_stopping() -> None:
    """
    An order that comes too late rings nobody; after a new start it does.
    """
    carrier, course = SimulatorCarrier(LoopClock()), _Course()
    await carrier.stop()

    with pytest.raises(RejectedError) as caught:
        await carrier.place(_order(), GREETING, course)
    await asyncio.sleep(SOON_S)

    assert (Disposition.CARRIER_ERROR, STOPPED) == (caught.value.disposition, caught.value.cause)
    assert [] == course.events
    await carrier.start()
    assert Placed(reference="attempt") == await carrier.place(_order(), GREETING, course)
    await carrier.stop()


def test_each_magic_number_is_a_number_that_may_be_dialled() -> None:
    """
    They are proper numbers, so that a client can ask for them.
    """
    numbers = [PhoneNumber(number) for number in MAGIC]

    assert list(MAGIC.values()) == [scenario_for(number) for number in numbers]
    assert {COMPLETED, BUSY, NO_ANSWER, REJECTED, INVALID, CARRIER_ERROR, MACHINE} < set(MAGIC)
    assert {CALLEE_HANGS_UP, DOUBTFUL, NEVER_RANG} < set(MAGIC)
