"""
Streams of events: what is told, to whom, from where on, and when they end.
"""

from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import Trigger
from outdial.domain.service import administration
from outdial.entrypoints.client import event_hub, event_stream
from outdial.entrypoints.http import events
from outdial.entrypoints.wire.events import EVENT_TYPES
from outdial.ports.storage import Transaction
from tests import builders
from tests.entrypoints.clinic import DIALLING_KEY, KEY, OTHERS_KEY, READING_KEY
from tests.http.api import Api, problem_of
from tests.http.listening import EVENTS, Listener, listening

LIFE = (Trigger.LEASE, Trigger.SEND, Trigger.PLACE, Trigger.RING, Trigger.ANSWER)
STATUSES = ["queued", "dialing", "ringing", "in-progress", "completed"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Look at the log, at keys and at silence a hundred times as often.
    """
    monkeypatch.setattr(event_hub, "POLL_S", 0.002)
    monkeypatch.setattr(event_stream, "CHECK_S", 0.05)
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.15)


async def accept(api: Api) -> Call:
    """
    Ask for a call, which stays queued.
    """
    answer = await api.send()
    reference = CallReference(number=answer.json()["id"])
    call = await api.storage.read(lambda reader: reader.calls.call_of_any_account(reference))
    assert call is not None
    return call


async def advance(api: Api, call: Call, *triggers: Trigger) -> Call:
    """
    Bring a call further, each step in a transaction.
    """
    for trigger in triggers:
        changes: dict[str, Any] = {}
        if trigger is Trigger.ANSWER:
            changes = {"answered_at": builders.NOW}
        if trigger is Trigger.END:
            changes = {"ended_at": builders.NOW, "disposition": Disposition.HANG_UP_CALLEE, "talk_s": 5}
        changed = call.after(trigger, **changes)
        assert changed is not None
        await api.storage.transact(partial(_save, call=changed))
        call = changed
    return call


def _save(transaction: Transaction, call: Call) -> None:
    transaction.calls.save(call, builders.NOW)


async def end(api: Api, call: Call) -> Call:
    """
    Bring a queued call to its end.
    """
    return await advance(api, call, *LIFE, Trigger.END, Trigger.SETTLE)


async def types(listener: Listener, count: int) -> list[str]:
    """
    Return the types of the next events, without what all have in common.
    """
    return [str((await listener.event()).event).removeprefix("call.") for _ in range(count)]


def of(call: Call) -> str:
    """
    Return the address of a call's events.
    """
    return f"/api/v1/calls/{call.call_id}/events"


def test_a_calls_events_are_told_from_its_beginning_to_its_end(api: Api) -> None:
    """
    Those before the client came, those that come while it listens; then the stream ends.
    """

    async def main() -> None:
        call = await advance(api, await accept(api), Trigger.LEASE, Trigger.SEND)
        async with listening(api.app, of(call)) as listener:
            first = await types(listener, 2)
            await advance(api, call, *LIFE[2:], Trigger.END, Trigger.SETTLE)
            rest = await listener.rest()

        assert STATUSES == [*first, *(str(block.event).removeprefix("call.") for block in rest)]

    api.run(main())


def test_an_event_tells_of_the_call_as_it_was(api: Api) -> None:
    """
    Also when it is told after the call's end, it is the same.
    """

    async def main() -> None:
        call = await end(api, await accept(api))
        async with listening(api.app, of(call)) as listener:
            assert (200, "text/event-stream; charset=utf-8") == (listener.status, listener.headers["content-type"])
            assert ("no-store", "no") == (listener.headers["cache-control"], listener.headers["x-accel-buffering"])
            queued, _dialing, _ringing, _answered, completed = await listener.rest()

        told = {
            "id": call.id,
            "call_id": call.call_id,
            "agent_id": "assistant_abc123",
            "agent_name": "Appointment Scheduler",
            "type": "outbound",
            "phone_number": "+15551234567",
            "created_at": "2025-04-24T10:15:30Z",
        }
        unknown = dict.fromkeys(["started_at", "ended_at", "duration_seconds", "ended_reason"])
        known = {
            "started_at": "2025-04-24T10:15:30Z",
            "ended_at": "2025-04-24T10:15:30Z",
            "duration_seconds": 5,
            "ended_reason": "hang_up_callee",
        }
        assert {
            "event_type": "call.queued",
            "call": {**told, "status": "queued", **unknown},
            "timestamp": "2025-04-24T10:15:30Z",
        } == queued.data
        assert {**told, "status": "completed", **known} == completed.data["call"]

    api.run(main())


@pytest.mark.parametrize("status", Status)
def test_an_event_is_named_after_the_status(status: Status) -> None:
    """
    No status is without its event, and none has another's.
    """
    assert f"call.{status}" == EVENT_TYPES[status]


def test_an_accounts_events_are_told_from_now_on(api: Api) -> None:
    """
    Of all its calls, those that began earlier included.
    """

    async def main() -> None:
        early = await advance(api, await accept(api), Trigger.LEASE)
        async with listening(api.app) as listener:
            assert await listener.block() is not None  # by now it has begun
            await accept(api)
            await advance(api, early, Trigger.SEND)
            assert ["queued", "dialing"] == await types(listener, 2)

    api.run(main())


def test_a_client_that_comes_back_gets_exactly_what_it_missed(api: Api) -> None:
    """
    After any event, and also before the first one; with a header, or in the address.
    """

    async def main() -> None:
        async with listening(api.app) as listener:
            beginning = await listener.block()
        await end(api, await accept(api))
        assert beginning is not None
        assert beginning.event is None

        async with listening(api.app, last_event_id=beginning.id) as listener:
            events = [await listener.event() for _ in STATUSES]
        assert STATUSES == [block.data["call"]["status"] for block in events]

        for place, event in enumerate(events[:-1], 1):
            async with listening(api.app, last_event_id=event.id) as listener:
                assert events[place:] == [await listener.event() for _ in events[place:]]
            async with listening(api.app, f"{EVENTS}?last_event_id={event.id}") as listener:
                assert events[place] == await listener.event()
            async with listening(api.app, f"{EVENTS}?last_event_id={events[0].id}", last_event_id=event.id) as listener:
                assert events[place] == await listener.event()

    api.run(main())


def test_more_than_a_page_is_told_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whoever missed much does not wait for the log to grow.
    """
    monkeypatch.setattr("outdial.domain.service.events.PAGE_RECORDS", 2)
    monkeypatch.setattr(event_stream, "CHECK_S", 60.0)

    async def main() -> None:
        for _ in range(3):
            await end(api, await accept(api))
        async with listening(api.app, last_event_id="@0-0") as listener:
            assert STATUSES * 3 == await types(listener, 15)

    api.run(main())


def test_a_call_that_was_told_to_its_end_is_told_no_more(api: Api) -> None:
    """
    The answer keeps browsers from asking for ever.
    """

    async def main() -> None:
        call = await end(api, await accept(api))
        async with listening(api.app, of(call)) as listener:
            last = (await listener.rest())[-1]
        async with listening(api.app, of(call), last_event_id=last.id) as listener:
            assert (204, []) == (listener.status, await listener.rest())

    api.run(main())


def test_another_account_hears_nothing(api: Api) -> None:
    """
    Its stream stays silent, the call is not found, and the event's id is nothing to it.
    """

    async def main() -> str:
        async with listening(api.app, key=OTHERS_KEY) as listener:
            assert (await listener.block()) is not None
            call = await end(api, await accept(api))
            heard = await listener.block()
            assert heard is not None
            assert heard.is_heartbeat
        async with listening(api.app, of(call)) as listener:
            event = await listener.event()
        assert event.id is not None
        return event.id

    event_id = api.run(main())
    number = event_id.partition("-")[0]

    assert (404, "not_found") == problem_of(api.get(f"/api/v1/calls/{number}/events", key=OTHERS_KEY))
    assert (400, "validation_error") == problem_of(api.get(f"{EVENTS}?last_event_id={event_id}", key=OTHERS_KEY))


@pytest.mark.parametrize("path", [EVENTS, "/api/v1/calls/1/events"])
def test_who_may_not_read_calls_may_not_listen(api: Api, path: str) -> None:
    """
    A stranger, and a key without the permission.
    """
    assert (401, "authentication_required") == problem_of(api.get(path, key=None))
    assert (403, "permission_denied") == problem_of(api.get(path, key=DIALLING_KEY))


def test_what_never_was_is_refused(api: Api) -> None:
    """
    A call, an event, and a text that names neither.
    """
    api.post()

    assert (404, "not_found") == problem_of(api.get("/api/v1/calls/999/events"))
    assert (404, "not_found") == problem_of(api.get("/api/v1/calls/nonsense/events"))
    for event in ("1-999", "@0-999", "nonsense", "-1"):
        assert (400, "validation_error") == problem_of(api.get(f"{EVENTS}?last_event_id={event}"))
        answer = api.ask(
            "GET", "/api/v1/calls/1/events", headers={"Authorization": f"Bearer {KEY}", "Last-Event-ID": event}
        )
        assert ["last_event_id"] == [problem["field"] for problem in answer.json()["details"]]


def test_silence_is_broken_by_heartbeats(api: Api) -> None:
    """
    The connection stays open, and nothing is told twice.
    """

    async def main() -> None:
        call = await accept(api)
        async with listening(api.app, of(call)) as listener:
            assert ["queued"] == await types(listener, 1)
            for _ in range(3):
                block = await listener.block()
                assert block is not None
                assert block.is_heartbeat
            await advance(api, call, Trigger.LEASE, Trigger.SEND)
            assert ["dialing"] == await types(listener, 1)

    api.run(main())


def test_a_key_that_is_revoked_hears_no_more(api: Api) -> None:
    """
    Its stream ends soon; that of another key goes on.
    """

    async def main() -> None:
        async with listening(api.app) as listener, listening(api.app, key=READING_KEY) as other:
            revoke = partial(administration.revoke_key, key_id=builders.KEY_ID, at=builders.NOW)
            await api.storage.transact(revoke)
            assert [] == await listener.rest()
            await other.block()
            assert (await other.block()) is not None

    api.run(main())


def test_streams_end_when_the_server_does(api: Api) -> None:
    """
    At once, and further ones are refused.
    """

    async def main() -> None:
        call = await accept(api)
        async with listening(api.app) as listener, listening(api.app, of(call)) as other:
            api.dialer.end_streams()
            assert [] == await listener.rest()
            await other.rest()

    api.run(main())

    assert (503, "unavailable") == problem_of(api.get(EVENTS))


def test_a_stream_has_its_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Then it ends by itself.
    """
    monkeypatch.setattr(events, "LIFETIME_S", 0.0)

    async def main() -> None:
        async with listening(api.app) as listener:
            assert [] == await listener.rest()

    api.run(main())


def test_there_are_so_many_streams_and_no_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Of a key and of the process; who leaves makes room.
    """
    monkeypatch.setattr(event_hub, "STREAMS_OF_KEY_MAX", 2)
    monkeypatch.setattr(event_hub, "STREAMS_MAX", 3)

    async def status(key: str) -> int:
        async with listening(api.app, key=key) as listener:
            return listener.status

    async def main() -> None:
        for _ in range(5):
            async with AsyncExitStack() as stack:
                for _ in range(2):
                    await stack.enter_async_context(listening(api.app))
                assert [503, 200] == [await status(KEY), await status(READING_KEY)]
                await stack.enter_async_context(listening(api.app, key=READING_KEY))
                assert 503 == await status(OTHERS_KEY)
            assert 200 == await status(KEY)

    api.run(main())


def test_a_look_at_the_head_takes_no_place(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    HEAD is answered as GET would be, without a stream (RFC 9110, 9.3.2).
    """
    monkeypatch.setattr(event_hub, "STREAMS_MAX", 1)

    for _ in range(3):
        answer = api.ask("HEAD", EVENTS, headers={"Authorization": f"Bearer {KEY}"})
        assert (200, b"") == (answer.status_code, answer.content)
        assert answer.headers["Content-Type"].startswith("text/event-stream")


def test_requests_in_flight_are_not_used_up_by_streams(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A stream is answered once it has begun.
    """
    monkeypatch.setattr("outdial.entrypoints.http.request_id.REQUESTS_MAX", 1)

    async def main() -> None:
        async with listening(api.app), listening(api.app) as second:
            assert 200 == second.status
            assert 201 == (await api.send()).status_code

    api.run(main())
    assert 201 == api.post().status_code
