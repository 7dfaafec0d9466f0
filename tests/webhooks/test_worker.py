"""
Sending what webhooks are to be told, in virtual time: by the schedule, in order, bounded, at least once.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import orjson
from standardwebhooks.webhooks import Webhook as Receiver

from outdial.domain.model.delivery import JITTER, RETRY_DELAYS_S, TRIES_MAX, DeliveryState
from outdial.domain.model.webhook import DisabledReason, EventType
from outdial.domain.model.webhook_signature import SECRET_LENGTH, Secret
from outdial.version import VERSION
from tests import builders
from tests.webhooks.post_office import Sent, always, in_turn, post_office, sending, states
from tests.worker.virtual_time import elapsed_s, in_virtual_time

DELIVERED, PARKED = DeliveryState.DELIVERED, DeliveryState.PARKED


def signatures(sent: Sent, *secrets: Secret) -> list[bool]:
    """
    Tell of each secret whether the reference library takes what was sent by it.
    """
    at, body = datetime.fromtimestamp(int(sent.headers["webhook-timestamp"]), UTC), sent.body
    expected = [Receiver(secret.text).sign(sent.id, at, body.decode()) for secret in secrets]
    return [signature in sent.headers["webhook-signature"].split(" ") for signature in expected]


@in_virtual_time
async def test_a_call_is_told_of() -> None:
    """
    When it is answered and when it ends: signed, named, and as it was then.
    """
    async with post_office() as office, sending(office.worker()):
        webhook = await office.subscribe()
        call = await office.answer()
        await office.sent(1)
        await asyncio.sleep(60)
        await office.hang_up(call)

        mail = await office.settled()

        started, ended = office.endpoints.sent
        assert [DELIVERED, DELIVERED] == states(mail)
        assert [delivery.message.id for delivery in mail] == [started.id, ended.id]
        assert {webhook.url} == {started.url, ended.url}
        assert [True] == signatures(started, webhook.secret) == signatures(ended, webhook.secret)
        assert (f"outdial/{VERSION}", "application/json") == (
            started.headers["user-agent"],
            started.headers["content-type"],
        )
        assert {
            "event_type": "call.ended",
            "call": {
                "id": call.id,
                "call_id": call.call_id,
                "agent_id": "assistant_abc123",
                "agent_name": "Appointment Scheduler",
                "status": "completed",
                "type": "outbound",
                "phone_number": "+15551234567",
                "contact_id": None,
                "created_at": "2025-04-24T10:15:30Z",
                "started_at": "2025-04-24T10:15:30Z",
                "ended_at": orjson.loads(ended.body)["timestamp"],
                "duration_seconds": 1,
                "ended_reason": "hang_up_callee",
            },
            "timestamp": orjson.loads(ended.body)["timestamp"],
        } == orjson.loads(ended.body)
        assert ("in-progress", None) == (
            (told := orjson.loads(started.body)["call"])["status"],
            told["ended_at"],
        )


@in_virtual_time
async def test_a_message_that_is_late_tells_the_call_as_it_was() -> None:
    """
    An answer that is first told after the end says what was true at the answer.
    """
    async with post_office() as office:
        await office.subscribe()
        await office.hang_up(await office.answer())

        async with sending(office.worker()):
            await office.settled()

        started = orjson.loads(office.endpoints.sent[0].body)
        assert ("call.started", "in-progress", None, None, None) == (
            started["event_type"],
            *(started["call"][name] for name in ("status", "ended_at", "duration_seconds", "ended_reason")),
        )


@in_virtual_time
async def test_a_message_is_tried_by_the_schedule_and_parked() -> None:
    """
    Ten times over three days, each time later, with the same id and body and a new time; then it waits for somebody.
    """
    async with post_office(in_turn(500, "The endpoint can't be reached.", 302, 500)) as office:
        await office.subscribe(events=frozenset({EventType.CALL_STARTED}))
        await office.answer()

        async with sending(office.worker(poll_s=20)):
            (delivery,) = await office.settled(step_s=100)

        sent = office.endpoints.sent
        assert (PARKED, TRIES_MAX, 500) == (delivery.state, delivery.tries, delivery.last_status)
        assert "The endpoint answered 500. It was tried 10 times." == delivery.last_problem
        for (before, after), delay_s in zip(pairwise(sent), RETRY_DELAYS_S, strict=True):
            assert delay_s <= after.at_s - before.at_s <= delay_s * (1 + JITTER) + 20.1
        assert 1 == len({(one.id, one.body) for one in sent})
        assert TRIES_MAX == len({one.headers["webhook-timestamp"] for one in sent})
        assert [500, None, 302] == [tried.status for tried in await office.tries(delivery)][:3]


@in_virtual_time
async def test_gone_disables_the_webhook() -> None:
    """
    After 410 nothing more is sent, nor stored.
    """
    async with post_office(always(410)) as office, sending(office.worker(poll_s=20)):
        await office.subscribe()
        call = await office.answer()
        (delivery,) = await office.settled()
        await office.hang_up(call)
        await asyncio.sleep(10_000)

        stored = await office.storage.read(lambda reader: reader.webhooks.webhook(1, builders.WEBHOOK_ID))
        assert stored is not None
        assert DisabledReason.GONE is stored.disabled_reason
        assert PARKED is delivery.state
        assert 1 == len(office.endpoints.sent) == len(await office.mail())


@in_virtual_time
async def test_both_secrets_sign_while_one_takes_the_others_place() -> None:
    """
    A receiver that knows only the old one, or only the new one, takes the message; after a day only the new one signs.
    """
    old = Secret.of("o" * SECRET_LENGTH)
    expires_at = builders.NOW + timedelta(days=1)
    async with post_office() as office, sending(office.worker(poll_s=20)):
        webhook = await office.subscribe(previous_secret=old, previous_secret_expires_at=expires_at)
        await office.answer()
        await office.sent(1)
        await asyncio.sleep(86_400)
        await office.answer()
        await office.sent(2)

        assert [[True, True], [True, False]] == [
            signatures(sent, webhook.secret, old) for sent in office.endpoints.sent
        ]


@in_virtual_time
async def test_one_endpoint_gets_so_much_at_once() -> None:
    """
    And the process sends so much in all; nothing is forgotten.
    """
    async with post_office(always(200, after_s=1)) as office:
        await office.subscribe()
        for _ in range(20):
            await office.answer()

        async with sending(office.worker(endpoint_sends_max=3)):
            await office.settled()
        assert (3, 20) == (office.endpoints.most, len(office.endpoints.sent))

        for number in range(1, 5):
            await office.subscribe(id=number)
        for _ in range(10):
            await office.answer()
        office.endpoints.most = 0
        async with sending(office.worker(endpoint_sends_max=3, sends_max=5)):
            for number in range(1, 5):
                await office.settled(builders.webhook(id=number))
        assert 5 == office.endpoints.most


@in_virtual_time
async def test_an_endpoint_that_takes_its_time_holds_up_nobody() -> None:
    """
    However much waits for it.
    """

    async def respond(sent: Sent) -> int:
        if "slow" in sent.url:
            await asyncio.sleep(15)
            return 500
        return 200

    async with post_office(respond) as office:
        await office.subscribe(id=1, url="https://slow.example.com/")
        for _ in range(100):
            await office.answer()
        async with sending(office.worker(sends_max=16)):
            await asyncio.sleep(20)
            healthy = await office.subscribe(id=2)
            began_s = elapsed_s()
            await office.answer()
            await office.settled(healthy)

            assert elapsed_s() - began_s < 2


@in_virtual_time
async def test_calls_do_not_wait_for_each_other() -> None:
    """
    While one call's answer is tried again, its end waits, and another call's messages go.
    """

    async def respond(sent: Sent) -> int:
        body = orjson.loads(sent.body)
        return 500 if body["call"]["id"] == 1 and body["event_type"] == "call.started" and elapsed_s() < 200 else 200

    async with post_office(respond) as office, sending(office.worker()):
        await office.subscribe()
        for _ in range(2):
            await office.hang_up(await office.answer())
        await office.settled()

        told = [
            (body["call"]["id"], body["event_type"])
            for body in (orjson.loads(one.body) for one in office.endpoints.sent)
        ]
        assert [(1, "call.started"), (2, "call.started")] == told[:2]
        assert (2, "call.ended") == told[2]
        assert [(1, "call.started")] * 2 + [(1, "call.ended")] == told[3:]
