"""
Webhooks over HTTP: made, shown, changed, forgotten, asked for again; secrets are shown once.
"""

from datetime import timedelta
from typing import Any, Final

import attrs
import httpx2
import pytest

from outdial.domain.model.webhook import WEBHOOKS_MAX, EventType, Webhook
from outdial.domain.service.outbox import let_next_go
from outdial.entrypoints.settings import Settings
from outdial.ports.storage import Transaction
from tests import builders
from tests.entrypoints.clinic import KEY, OTHERS_KEY, READING_KEY
from tests.http.api import MEMORY, Api, problem_of

WEBHOOKS: Final = "/api/v1/webhooks"
URL: Final = "https://hooks.example.com/outdial"


def ask(api: Api, method: str, path: str, body: object = None, *, key: str = KEY) -> httpx2.Response:
    """
    Send a request with a key.
    """
    sent = {"json": body} if body is not None else {}
    return api.ask(method, path, headers={"Authorization": f"Bearer {key}"}, **sent)


def make(api: Api, **fields: Any) -> dict[str, Any]:
    """
    Make a webhook.
    """
    answer = ask(api, "POST", WEBHOOKS, {"url": URL, **fields})
    assert 201 == answer.status_code, answer.text
    made: dict[str, Any] = answer.json()
    return made


def problems(answer: httpx2.Response) -> list[str]:
    """
    Return the fields that are not valid.
    """
    assert (400, "validation_error") == problem_of(answer)
    return [detail["field"] for detail in answer.json()["details"]]


def park(api: Api, count: int, webhook_id: int = 1) -> list[str]:
    """
    Have messages parked, and return their ids, oldest first.
    """
    webhook = builders.webhook(id=webhook_id)

    def work(transaction: Transaction) -> None:
        outbox = transaction.webhooks.outbox
        for number in range(count):
            message = builders.message(
                number=0, id=f"msg_{number}", call_id=1 + number, at=builders.NOW + timedelta(seconds=number)
            )
            outbox.add(message, [webhook])
            let_next_go(transaction, webhook, message.call_id, builders.NOW)
        outbox.park_open(webhook, "Given up.")

    api.run(api.storage.transact(work))
    return [f"msg_{number}" for number in range(count)]


def deliveries(api: Api, query: str = "", webhook_id: int = 1) -> dict[str, Any]:
    """
    List what was sent.
    """
    answer = ask(api, "GET", f"{WEBHOOKS}/{webhook_id}/deliveries{query}")
    assert 200 == answer.status_code
    listed: dict[str, Any] = answer.json()
    return listed


def test_a_webhook_is_made_and_shown(api: Api) -> None:
    """
    With every event unless some are named; its secret stands in the first answer and in no other.
    """
    answer = ask(api, "POST", WEBHOOKS, {"url": URL})
    made = answer.json()
    secret = made.pop("secret")
    shown = ask(api, "GET", answer.headers["Location"])

    assert 201 == answer.status_code
    assert made == shown.json() == ask(api, "GET", WEBHOOKS).json()["webhooks"][0]
    assert {
        "id": 1,
        "url": URL,
        "events": ["call.ended", "call.failed", "call.started"],
        "description": "",
        "enabled": True,
        "disabled_reason": None,
        "created_at": "2025-04-24T10:15:30Z",
        "previous_secret_expires_at": None,
    } == made
    assert secret.startswith("whsec_")
    assert 64 <= len(secret.removeprefix("whsec_"))


def test_a_webhook_is_changed(api: Api) -> None:
    """
    What is given changes, all else stays; never the secret.
    """
    made = make(api, events=["call.ended"], description="One")
    path = f"{WEBHOOKS}/{made['id']}"

    first = ask(api, "PATCH", path, {"description": "Two", "url": "https://other.example.com:8443/x"}).json()
    second = ask(api, "PATCH", path, {"events": ["call.failed", "call.started"]}).json()
    unchanged = ask(api, "PATCH", path, {}).json()

    assert ("Two", "https://other.example.com:8443/x", ["call.ended"]) == (
        first["description"],
        first["url"],
        first["events"],
    )
    assert ["call.failed", "call.started"] == second["events"]
    assert second == unchanged
    assert "secret" not in second
    assert made["secret"] == _stored(api).secret.text


def _stored(api: Api, webhook_id: int = 1) -> Webhook:
    webhook = api.read(lambda reader: reader.webhooks.webhook(1, webhook_id))
    assert webhook is not None
    return webhook


def test_a_webhook_is_disabled_and_enabled(api: Api) -> None:
    """
    What is on its way to a disabled one is parked, and can be asked for again once it is enabled.
    """
    path = f"{WEBHOOKS}/{make(api)['id']}"
    park(api, 1)

    off = ask(api, "PATCH", path, {"enabled": False}).json()
    again = ask(api, "PATCH", path, {"enabled": False}).json()
    refused = ask(api, "POST", f"{path}/replay", {})
    on = ask(api, "PATCH", path, {"enabled": True}).json()
    replayed = ask(api, "POST", f"{path}/replay", {}).json()

    assert (False, "requested") == (off["enabled"], off["disabled_reason"])
    assert off == again
    assert ["webhook_id"] == problems(refused)
    assert (True, None) == (on["enabled"], on["disabled_reason"])
    assert {"queued": 1, "has_more": False} == replayed


def test_a_webhook_is_forgotten(api: Api) -> None:
    """
    An answer without content; then it is like one that never was.
    """
    path = f"{WEBHOOKS}/{make(api)['id']}"

    gone = ask(api, "DELETE", path)

    assert (204, b"") == (gone.status_code, gone.content)
    assert (404, "not_found") == problem_of(ask(api, "DELETE", path))
    assert [] == ask(api, "GET", WEBHOOKS).json()["webhooks"]
    assert 2 == make(api)["id"]


def test_a_secret_takes_anothers_place(api: Api) -> None:
    """
    The new one is shown once; the old one signs as well for a day.
    """
    made = make(api)

    rotated = ask(api, "POST", f"{WEBHOOKS}/{made['id']}/rotate-secret").json()

    assert made["secret"] != rotated["secret"]
    assert "2025-04-25T10:15:30Z" == rotated["previous_secret_expires_at"]
    secrets = [secret.text for secret in _stored(api).secrets_at(builders.NOW)]
    assert [rotated["secret"], made["secret"]] == secrets
    api.clock.advance(86_400)
    assert [rotated["secret"]] == [secret.text for secret in _stored(api).secrets_at(api.clock.now())]


def test_deliveries_are_listed_page_by_page(api: Api) -> None:
    """
    Newest first, with why each is where it is.
    """
    make(api)
    names = park(api, 3)

    first = deliveries(api, "?limit=2&state=parked")
    second = deliveries(api, f"?limit=2&state=parked&cursor={first['next_cursor']}")

    assert names[:0:-1] == [one["message_id"] for one in first["deliveries"]]
    assert names[:1] == [one["message_id"] for one in second["deliveries"]]
    assert (2, None) == (first["limit"], second["next_cursor"])
    assert [] == deliveries(api, "?state=delivered")["deliveries"]
    assert {
        "message_id": "msg_0",
        "event_type": "call.started",
        "call": 1,
        "timestamp": "2025-04-24T10:15:30Z",
        "state": "parked",
        "tries": 0,
        "next_try_at": None,
        "last_status": None,
        "last_problem": "Given up.",
        "delivered_at": None,
        "history": [],
    } == second["deliveries"][0]


def test_one_message_is_sent_again(api: Api) -> None:
    """
    Whatever became of it; one that nobody knows is not found.
    """
    path = f"{WEBHOOKS}/{make(api)['id']}/replay"
    names = park(api, 2)

    queued = ask(api, "POST", path, {"message_id": names[1]}).json()

    assert {"queued": 1, "has_more": False} == queued
    assert ["pending", "parked"] == [one["state"] for one in deliveries(api)["deliveries"]]
    assert "2025-04-24T10:15:30Z" == deliveries(api)["deliveries"][0]["next_try_at"]
    assert (404, "not_found") == problem_of(ask(api, "POST", path, {"message_id": "msg_nobody"}))


def test_all_that_was_parked_is_sent_again(api: Api) -> None:
    """
    Since a time with any offset, or all; at most 500 a request.
    """
    path = f"{WEBHOOKS}/{make(api)['id']}/replay"
    park(api, 503)

    late = ask(api, "POST", path, {"since": "2025-04-24T12:23:51+02:00"}).json()
    first, second, third = (ask(api, "POST", path, {}).json() for _ in range(3))

    assert {"queued": 2, "has_more": False} == late
    assert {"queued": 500, "has_more": True} == first
    assert {"queued": 1, "has_more": False} == second
    assert {"queued": 0, "has_more": False} == third


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["url"]),
        ({"url": None}, ["url"]),
        ({"url": ""}, ["url"]),
        ({"url": "http://hooks.example.com/"}, ["url"]),
        ({"url": "http://127.0.0.1:8000/"}, ["url"]),
        ({"url": "https://10.0.0.1/"}, ["url"]),
        ({"url": "https://169.254.169.254/latest/meta-data"}, ["url"]),
        ({"url": URL, "events": []}, ["events"]),
        ({"url": URL, "events": ["call.transcript"]}, ["events"]),
        ({"url": URL, "description": "x" * 201}, ["description"]),
        ({"url": URL, "secret": "whsec_mine"}, ["secret"]),
    ],
    ids=str,
)
def test_what_can_not_be_a_webhook_is_told(api: Api, body: dict[str, Any], fields: list[str]) -> None:
    """
    Field by field; nothing is stored.
    """
    assert fields == problems(ask(api, "POST", WEBHOOKS, body))
    assert [] == ask(api, "GET", WEBHOOKS).json()["webhooks"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"since": "yesterday"}, ["since"]),
        ({"since": "2025-04-24T10:15:30"}, ["since"]),
        ({"since": 5}, ["since"]),
        ({"message_id": "msg_0", "since": "2025-04-24T10:15:30Z"}, ["since"]),
        ({"message_id": 5}, ["message_id"]),
    ],
    ids=str,
)
def test_what_can_not_be_asked_for_again_is_told(api: Api, body: dict[str, Any], fields: list[str]) -> None:
    """
    A time needs its offset, and excludes a message.
    """
    assert fields == problems(ask(api, "POST", f"{WEBHOOKS}/{make(api)['id']}/replay", body))


def test_a_url_is_checked_when_it_is_changed(api: Api) -> None:
    """
    The webhook stays as it was.
    """
    made = make(api)

    assert ["url"] == problems(ask(api, "PATCH", f"{WEBHOOKS}/{made['id']}", {"url": "https://[::1]/"}))
    assert URL == _stored(api).url


def test_this_machine_may_be_allowed() -> None:
    """
    By a setting, for trying things out.
    """
    api = Api(attrs.evolve(MEMORY, webhook_allow_http_loopback=True))

    made = make(api, url="http://127.0.0.1:9000/hooks")

    assert "http://127.0.0.1:9000/hooks" == made["url"]
    api.close()


def test_an_account_has_so_many(api: Api) -> None:
    """
    One too many is told, and another account has its own.
    """
    for _ in range(WEBHOOKS_MAX):
        make(api)

    refused = ask(api, "POST", WEBHOOKS, {"url": URL})

    assert ["url"] == problems(refused)
    assert 201 == ask(api, "POST", WEBHOOKS, {"url": URL}, key=OTHERS_KEY).status_code


PATHS: Final = (
    ("POST", WEBHOOKS, {"url": URL}),
    ("GET", WEBHOOKS, None),
    ("GET", f"{WEBHOOKS}/1", None),
    ("PATCH", f"{WEBHOOKS}/1", {"url": URL}),
    ("DELETE", f"{WEBHOOKS}/1", None),
    ("POST", f"{WEBHOOKS}/1/rotate-secret", None),
    ("POST", f"{WEBHOOKS}/1/replay", {"message_id": "msg_0"}),
    ("GET", f"{WEBHOOKS}/1/deliveries", None),
)


@pytest.mark.parametrize(("method", "path", "body"), PATHS, ids=lambda value: str(value)[:40])
def test_a_key_needs_the_permission(api: Api, method: str, path: str, body: object) -> None:
    """
    `can_manage_webhooks` for everything, also to look.
    """
    assert (403, "permission_denied") == problem_of(ask(api, method, path, body, key=READING_KEY))


@pytest.mark.parametrize(("method", "path", "body"), PATHS[2:], ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("name", ["1", "2", "x", "0"])
def test_anothers_webhook_is_like_none(api: Api, method: str, path: str, body: object, name: str) -> None:
    """
    Whichever name is tried, and nothing happens to it.
    """
    make(api)
    park(api, 1)
    before = _stored(api)

    answer = ask(api, method, path.replace("webhooks/1", f"webhooks/{name}"), body, key=OTHERS_KEY)

    assert (404, "not_found") == problem_of(answer)
    assert before == _stored(api)


def test_every_event_is_offered() -> None:
    """
    Those that outdial tells of, and no others.
    """
    assert {"call.started", "call.ended", "call.failed"} == set(EventType)


def test_settings_are_unchanged() -> None:
    """
    This machine is not allowed unless somebody says so.
    """
    assert not Settings().webhook_allow_http_loopback
