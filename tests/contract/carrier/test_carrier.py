"""
What every carrier promises to whoever places orders.
"""

import asyncio
from typing import Final

import pytest

from outdial.domain.model.call_event import Answered, Ended
from outdial.domain.model.disposition import Disposition
from outdial.ports.carrier import Announce, Carrier, DialOrder, RejectedError, UncertainError
from tests.contract.carrier.under_test import CarrierUnderTest, Fate, elapsed_s, greeting, order
from tests.telephony.calls import Reports

SHORT_S: Final = 0.3
LONG_S: Final = 6.0
AFTERMATH_S: Final = 0.4
"""In which a carrier may break its promise that nothing follows."""

LATE_S: Final = 5.0
"""How much later than a time limit the end may be reported."""

SEVERAL: Final = 4


async def _place(carrier: Carrier, asked: DialOrder, sound_s: float = SHORT_S) -> Reports:
    reports = Reports()
    placed = await carrier.place(asked, greeting(sound_s), reports)
    assert placed.reference
    return reports


async def _only_end(reports: Reports, asked: DialOrder) -> Ended:
    """
    Return the end when nothing followed it, and all that was reported is of the attempt and in order.
    """
    ended = await reports.ended()
    await asyncio.sleep(AFTERMATH_S)
    assert reports.kinds in (
        ["Ringing", "Answered", "Ended"],
        ["Answered", "Ended"],
        ["Ringing", "Ended"],
        ["Ended"],
    )
    assert {asked.attempt_id} == {event.attempt_id for event in reports.events}
    assert all(event.at.utcoffset() is not None for event in reports.events)
    assert ("Answered" in reports.kinds) is (ended.talk_s > 0)
    return ended


def test_the_agent_hangs_up_when_it_has_spoken(under_test: CarrierUnderTest) -> None:
    """
    An announcement is heard to its end, and then the line is hung up.
    """

    async def scenario() -> None:
        asked = order(under_test, Fate.LISTENS)
        async with under_test.opened(Fate.LISTENS) as carrier:
            reports = await _place(carrier, asked)
            ended = await _only_end(reports, asked)

        assert (Disposition.HANG_UP_AGENT, 1) == (ended.disposition, ended.talk_s)
        assert "Answered" in reports.kinds

    under_test.run(scenario())


def test_the_callee_may_hang_up(under_test: CarrierUnderTest) -> None:
    """
    The end says who hung up, and the talk time is whole seconds, rounded up.
    """

    async def scenario() -> None:
        asked = order(under_test, Fate.HANGS_UP)
        async with under_test.opened(Fate.HANGS_UP) as carrier:
            reports = await _place(carrier, asked, LONG_S)
            ended = await _only_end(reports, asked)

        assert Disposition.HANG_UP_CALLEE is ended.disposition
        assert ended.talk_s in {1, 2}

    under_test.run(scenario())


def test_busy_is_said_once(under_test: CarrierUnderTest) -> None:
    """
    A busy callee is either a rejected order of which nothing is reported, or an end without talk.
    """

    async def scenario() -> None:
        asked, reports = order(under_test, Fate.BUSY), Reports()
        async with under_test.opened(Fate.BUSY) as carrier:
            try:
                await carrier.place(asked, greeting(SHORT_S), reports)
            except RejectedError as error:
                await asyncio.sleep(AFTERMATH_S)
                disposition, cause = error.disposition, error.cause
                assert [] == reports.events
            else:
                ended = await _only_end(reports, asked)
                disposition, cause = ended.disposition, ended.cause
                assert "Answered" not in reports.kinds

        assert (Disposition.BUSY, 486) == (disposition, cause.code)

    under_test.run(scenario())


def test_nothing_is_reported_of_a_rejected_order(under_test: CarrierUnderTest) -> None:
    """
    `RejectedError` says that no phone rings; hanging up what was rejected is fine.
    """

    async def scenario() -> None:
        asked, reports = order(under_test, Fate.UNREACHABLE), Reports()
        async with under_test.opened(Fate.UNREACHABLE) as carrier:
            with pytest.raises(RejectedError) as caught:
                await carrier.place(asked, greeting(SHORT_S), reports)
            await carrier.hang_up(asked.attempt_id, Disposition.CANCELED)
            await asyncio.sleep(AFTERMATH_S)

        assert Disposition.CARRIER_ERROR is caught.value.disposition
        assert str(caught.value.cause)
        assert [] == reports.events

    under_test.run(scenario())


def test_an_ambiguous_order_is_told_to_be_uncertain(under_test: CarrierUnderTest) -> None:
    """
    What may ring or not is neither placed nor rejected; afterwards there is one end at most, and no talk.
    """

    async def scenario() -> None:
        asked, reports = order(under_test, Fate.AMBIGUOUS, ring_timeout_s=1), Reports()
        async with under_test.opened(Fate.AMBIGUOUS) as carrier:
            with pytest.raises(UncertainError) as caught:
                await carrier.place(asked, greeting(SHORT_S), reports)
            await carrier.hang_up(asked.attempt_id, Disposition.OUTCOME_UNKNOWN)
            await asyncio.sleep(AFTERMATH_S)

        assert str(caught.value.cause)
        assert reports.kinds in ([], ["Ended"])
        assert all(event.talk_s == 0 for event in reports.events if isinstance(event, Ended))

    under_test.run(scenario())


def test_a_phone_rings_no_longer_than_asked(under_test: CarrierUnderTest) -> None:
    """
    At the ring time-out the carrier gives up by itself.
    """

    async def scenario() -> None:
        asked = order(under_test, Fate.RINGS, ring_timeout_s=1)
        async with under_test.opened(Fate.RINGS) as carrier:
            began_s = elapsed_s()
            reports = await _place(carrier, asked)
            await reports.ended()
            took_s = elapsed_s() - began_s
            ended = await _only_end(reports, asked)

        assert (Disposition.NO_ANSWER, 0) == (ended.disposition, ended.talk_s)
        assert 1 <= took_s + 0.01
        assert took_s <= 1 + LATE_S

    under_test.run(scenario())


def test_nobody_talks_longer_than_paid_for(under_test: CarrierUnderTest) -> None:
    """
    At the time limit the carrier hangs up by itself.
    """

    async def scenario() -> None:
        asked = order(under_test, Fate.LISTENS, max_duration_s=1)
        async with under_test.opened(Fate.LISTENS) as carrier:
            reports = await _place(carrier, asked, LONG_S)
            await reports.answered()
            began_s = elapsed_s()
            await reports.ended()
            took_s = elapsed_s() - began_s
            ended = await _only_end(reports, asked)

        assert Disposition.TIME_LIMIT is ended.disposition
        assert ended.talk_s in {1, 2}
        assert took_s <= 1 + LATE_S

    under_test.run(scenario())


@pytest.mark.parametrize("disposition", [Disposition.CANCELED, Disposition.OUTCOME_UNKNOWN])
def test_hanging_up_before_the_answer(under_test: CarrierUnderTest, disposition: Disposition) -> None:
    """
    The end carries the disposition asked for, and no talk.
    """

    async def scenario() -> None:
        asked = order(under_test, Fate.RINGS)
        async with under_test.opened(Fate.RINGS) as carrier:
            reports = await _place(carrier, asked)
            await reports.ringing()
            await carrier.hang_up(asked.attempt_id, disposition)
            ended = await _only_end(reports, asked)

        assert (disposition, 0) == (ended.disposition, ended.talk_s)

    under_test.run(scenario())


@pytest.mark.parametrize("disposition", [Disposition.CANCELED, Disposition.TIME_LIMIT])
def test_hanging_up_after_the_answer(under_test: CarrierUnderTest, disposition: Disposition) -> None:
    """
    The end carries the disposition asked for, and the talk so far.
    """

    async def scenario() -> None:
        asked = order(under_test, Fate.LISTENS)
        async with under_test.opened(Fate.LISTENS) as carrier:
            reports = await _place(carrier, asked, LONG_S)
            await reports.answered()
            await asyncio.sleep(SHORT_S)
            await carrier.hang_up(asked.attempt_id, disposition)
            ended = await _only_end(reports, asked)

        assert (disposition, 1) == (ended.disposition, ended.talk_s)

    under_test.run(scenario())


def test_hanging_up_twice_is_hanging_up_once(under_test: CarrierUnderTest) -> None:
    """
    There is one end, with the first disposition.
    """

    async def scenario() -> None:
        asked = order(under_test, Fate.LISTENS)
        async with under_test.opened(Fate.LISTENS) as carrier:
            reports = await _place(carrier, asked, LONG_S)
            await reports.answered()
            await carrier.hang_up(asked.attempt_id, Disposition.TIME_LIMIT)
            await carrier.hang_up(asked.attempt_id, Disposition.CANCELED)
            ended = await _only_end(reports, asked)

        assert Disposition.TIME_LIMIT is ended.disposition

    under_test.run(scenario())


def test_hanging_up_what_does_not_live_is_success(under_test: CarrierUnderTest) -> None:
    """
    Attempts that are unknown or over are hung up without effect, on others either.
    """

    async def scenario() -> None:
        asked = order(under_test, Fate.LISTENS)
        async with under_test.opened(Fate.LISTENS) as carrier:
            reports = await _place(carrier, asked)
            await carrier.hang_up("unknown", Disposition.CANCELED)
            ended = await _only_end(reports, asked)
            await carrier.hang_up(asked.attempt_id, Disposition.CANCELED)
            again = await _only_end(reports, asked)

        assert Disposition.HANG_UP_AGENT is ended.disposition
        assert ended == again

    under_test.run(scenario())


@pytest.mark.parametrize(
    ("fate", "disposition"), [(Fate.RINGS, Disposition.CANCELED), (Fate.LISTENS, Disposition.DISCONNECTED)]
)
def test_stopping_ends_everything(under_test: CarrierUnderTest, fate: Fate, disposition: Disposition) -> None:
    """
    When `stop` returns, the end of each order was reported once; stopping again changes nothing.
    """

    async def scenario() -> None:
        orders = [order(under_test, fate, number) for number in range(SEVERAL)]
        async with under_test.opened(fate, orders=SEVERAL) as carrier:
            placed = [await _place(carrier, asked, LONG_S) for asked in orders]
            for reports in placed:
                await (reports.answered() if fate is Fate.LISTENS else reports.ringing())
            began_s = elapsed_s()
            await carrier.stop()
            took_s = elapsed_s() - began_s
            kinds = [reports.kinds for reports in placed]
            await carrier.stop()
            ends = [await _only_end(reports, asked) for reports, asked in zip(placed, orders, strict=True)]

        assert {"Ended"} == {reported[-1] for reported in kinds}
        assert kinds == [reports.kinds for reports in placed]
        assert {disposition} == {ended.disposition for ended in ends}
        assert took_s <= 10

    under_test.run(scenario())


def test_no_order_is_taken_after_stopping(under_test: CarrierUnderTest) -> None:
    """
    Too late is surely not placed.
    """

    async def scenario() -> None:
        asked, reports = order(under_test, Fate.UNREACHABLE), Reports()
        async with under_test.opened(Fate.UNREACHABLE) as carrier:
            await carrier.stop()
            with pytest.raises(RejectedError):
                await carrier.place(asked, greeting(SHORT_S), reports)
            await asyncio.sleep(AFTERMATH_S)

        assert [] == reports.events

    under_test.run(scenario())


@pytest.mark.parametrize("fate", [Fate.RINGS, Fate.LISTENS])
def test_an_attempt_that_lives_has_no_end_to_be_found(under_test: CarrierUnderTest, fate: Fate) -> None:
    """
    Asking again and again changes nothing either.
    """

    async def scenario() -> None:
        asked = order(under_test, fate)
        async with under_test.opened(fate) as carrier:
            reports = await _place(carrier, asked, LONG_S)
            await (reports.ringing() if fate is Fate.RINGS else reports.answered())
            found = [await carrier.find(asked.attempt_id) for _ in range(3)]
            await carrier.hang_up(asked.attempt_id, Disposition.CANCELED)
            ended = await _only_end(reports, asked)
            afterwards = await carrier.find(asked.attempt_id)

        assert [None] * 3 == found
        assert Disposition.CANCELED is ended.disposition
        assert afterwards in {None, ended}

    under_test.run(scenario())


def test_nothing_is_found_of_what_was_never_placed(under_test: CarrierUnderTest) -> None:
    """
    That is an answer, not an error.
    """

    async def scenario() -> None:
        async with under_test.opened(Fate.UNREACHABLE) as carrier:
            assert await carrier.find("never placed") is None

    under_test.run(scenario())


def test_several_orders_keep_their_events_apart(under_test: CarrierUnderTest) -> None:
    """
    Orders live side by side; hanging one up leaves the others alone.
    """

    async def scenario() -> None:
        orders = [order(under_test, Fate.LISTENS, number) for number in range(SEVERAL)]
        async with under_test.opened(Fate.LISTENS, orders=SEVERAL) as carrier:
            placed = [await _place(carrier, asked, 1.5) for asked in orders]
            for reports in placed:
                await reports.answered()
            await carrier.hang_up(orders[1].attempt_id, Disposition.CANCELED)
            ends = [await _only_end(reports, asked) for reports, asked in zip(placed, orders, strict=True)]

        listened, hung_up = Disposition.HANG_UP_AGENT, Disposition.CANCELED
        assert [listened, hung_up, listened, listened] == [ended.disposition for ended in ends]
        assert SEVERAL == sum(isinstance(event, Answered) for reports in placed for event in reports.events)

    under_test.run(scenario())


def test_what_is_said_instead_ends_the_call(under_test: CarrierUnderTest) -> None:
    """
    Whoever answers is asked about once; an objection is heard to its end in place of the agent, and the line hung up.
    """

    async def scenario() -> None:
        asked, reports, questions = order(under_test, Fate.LISTENS), Reports(), list[list[str]]()

        async def object_to_it() -> Announce:
            questions.append(reports.kinds)
            return greeting(SHORT_S)

        async with under_test.opened(Fate.LISTENS) as carrier:
            began_s = elapsed_s()
            await carrier.place(asked, greeting(LONG_S), reports, object_to_it)
            ended = await _only_end(reports, asked)

            assert Disposition.HANG_UP_AGENT == ended.disposition
            assert 1 == ended.talk_s
            assert elapsed_s() < began_s + LONG_S
            assert ["Answered"] == [kinds[-1] for kinds in questions]

    under_test.run(scenario())
