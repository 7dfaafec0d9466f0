"""
Webhooks when processes die, databases fail and senders break: everything arrives all the same, at least once.
"""

import asyncio

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdial.domain.model.delivery import DeliveryState
from outdial.domain.model.webhook import EventType
from outdial.domain.service.delivery import LOST_AFTER_S
from outdial.entrypoints.worker.webhook_worker import RECORD_TIMEOUT_S, STOP_TIMEOUT_S, STOPPED
from tests.webhooks.post_office import Sent, always, in_turn, post_office, sending, states
from tests.worker.virtual_time import elapsed_s, in_virtual_time, run_in_virtual_time

DELIVERED = DeliveryState.DELIVERED


@in_virtual_time
async def test_what_a_killed_process_was_sending_is_sent_again() -> None:
    """
    Between the answer and the note of it: the receiver gets it twice, with one id and one body.
    """
    async with post_office() as office:
        await office.subscribe(events=frozenset({EventType.CALL_STARTED}))
        await office.answer()

        async def answer_and_die(_sent: Sent) -> int:
            office.storage.is_down = True  # as after `kill -9`: the answer is never written down
            return 200

        office.endpoints.respond = answer_and_die
        worker = office.worker()
        await worker.start()
        await office.sent(1)
        await worker.stop()
        office.storage.is_down, office.endpoints.respond = False, always(200)

        async with sending(office.worker()):
            (delivery,) = await office.settled()

        first, again = office.endpoints.sent
        assert (first.id, first.body) == (again.id, again.body)
        assert LOST_AFTER_S <= again.at_s - first.at_s < LOST_AFTER_S + 1
        assert (DELIVERED, 2) == (delivery.state, delivery.tries)


@in_virtual_time
async def test_stopping_takes_bounded_time() -> None:
    """
    What does not end is written down as not answered, and is tried again by the next process.
    """
    async with post_office(always(200, after_s=14)) as office:
        await office.subscribe(events=frozenset({EventType.CALL_STARTED}))
        await office.answer()
        worker = office.worker()
        await worker.start()
        await office.sent(1)
        assert worker.is_running
        began_s = elapsed_s()

        await worker.stop()
        await worker.stop()

        assert elapsed_s() - began_s <= STOP_TIMEOUT_S + 0.1
        assert not worker.is_running
        (delivery,) = await office.mail()
        assert (DeliveryState.PENDING, STOPPED) == (delivery.state, delivery.last_problem)
        async with sending(office.worker()):
            assert [DELIVERED] == states(await office.settled())


@in_virtual_time
async def test_the_last_messages_are_sent_while_stopping() -> None:
    """
    What became due just now, as by the calls that were hung up for the same end, does not wait for the next process.
    """
    async with post_office() as office:
        await office.subscribe(events=frozenset({EventType.CALL_STARTED}))
        worker = office.worker(poll_s=1000)
        await worker.start()
        await asyncio.sleep(1)
        await office.answer()

        await worker.stop()

        assert [DELIVERED] == states(await office.mail())


@in_virtual_time
async def test_stopping_without_a_database_takes_bounded_time() -> None:
    """
    Nothing can be written down; what was being sent is taken for lost later.
    """
    async with post_office(always(200, after_s=14)) as office:
        await office.subscribe()
        await office.answer()
        worker = office.worker()
        await worker.start()
        await office.sent(1)
        office.storage.is_down = True
        began_s = elapsed_s()

        await worker.stop()

        assert elapsed_s() - began_s <= STOP_TIMEOUT_S + 2 * RECORD_TIMEOUT_S
        assert [DeliveryState.SENDING] == states(await office.mail())


@in_virtual_time
async def test_a_database_that_fails_costs_time_alone() -> None:
    """
    While nothing can be read or written nothing is sent; then all is.
    """
    async with post_office() as office, sending(office.worker()):
        await office.subscribe()
        office.storage.is_down = True
        call = await office.answer()
        await asyncio.sleep(100)
        assert [] == office.endpoints.sent
        office.storage.is_down = False
        await office.hang_up(call)

        assert [DELIVERED, DELIVERED] == states(await office.settled())


@pytest.mark.parametrize("failing", [2, 3])
@in_virtual_time
async def test_a_write_that_fails_once_is_done_again(failing: int) -> None:
    """
    The body, and the end of a try: the second time it works.
    """
    async with post_office() as office:
        await office.subscribe(events=frozenset({EventType.CALL_STARTED}))
        await office.answer()
        before = office.storage.transactions
        office.storage.fails = lambda number: number == before + failing

        async with sending(office.worker()):
            (delivery,) = await office.settled()

        assert DELIVERED is delivery.state


class _BrokenSenderError(Exception):
    """
    Nobody foresaw this.
    """


@in_virtual_time
async def test_a_sender_that_breaks_costs_a_try() -> None:
    """
    One bad message stops no other.
    """

    async def respond(sent: Sent) -> int:
        if orjson.loads(sent.body)["call"]["id"] == 1 and elapsed_s() < 5:
            raise _BrokenSenderError
        return 200

    async with post_office(respond) as office, sending(office.worker()):
        await office.subscribe(events=frozenset({EventType.CALL_STARTED}))
        for _ in range(3):
            await office.answer()
        mail = await office.settled()

        assert [DELIVERED] * 3 == states(mail)
        assert [2, 1, 1] == [delivery.tries for delivery in mail]
        (first, _second) = await office.tries(mail[0])
        assert "The message could not be sent." == first.problem


@in_virtual_time
async def test_a_worker_looks_at_once_when_it_is_woken() -> None:
    """
    Otherwise at the next poll.
    """
    async with post_office() as office:
        worker = office.worker(poll_s=1000)
        async with sending(worker):
            await office.subscribe()
            await asyncio.sleep(1)
            await office.answer()
            worker.wake()
            (sent,) = await office.sent(1)

        assert 1 <= sent.at_s < 1.5


@settings(max_examples=20, deadline=None)
@given(
    calls=st.lists(st.booleans(), min_size=1, max_size=5),
    statuses=st.lists(st.sampled_from([200, 200, 500, 302, "The endpoint can't be reached."]), max_size=4),
    restarts=st.lists(st.floats(0, 400), max_size=3),
)
def test_each_event_arrives_at_least_once(calls: list[bool], statuses: list[int | str], restarts: list[float]) -> None:
    """
    Whatever the endpoint answers and however often the process goes away: all events, each with one body, in order.
    """

    async def run() -> None:
        async with post_office(in_turn(*statuses, 200)) as office:
            await office.subscribe()
            for is_over in calls:
                call = await office.answer()
                if is_over:
                    await office.hang_up(call)
            for restart_s in restarts:
                worker = office.worker()
                await worker.start()
                await asyncio.sleep(restart_s)
                office.storage.is_down = True
                await worker.stop()
                office.storage.is_down = False
            async with sending(office.worker(poll_s=5)):
                mail = await office.settled(step_s=5)

            assert {DELIVERED} == set(states(mail))
            assert len(calls) + sum(calls) == len(mail)
            bodies = {one.id: one.body for one in office.endpoints.sent}
            assert {delivery.message.id for delivery in mail} == set(bodies)
            assert {(one.id, one.body) for one in office.endpoints.sent} == set(bodies.items())
            firsts = [orjson.loads(body) for body in bodies.values()]
            for is_over, call_id in zip(calls, range(1, len(calls) + 1), strict=True):
                told = [body["event_type"] for body in firsts if body["call"]["id"] == call_id]
                assert ["call.started", "call.ended"][: 1 + is_over] == told

    run_in_virtual_time(run())
