"""
What `/metrics` tells, to whom, and what it never tells.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import attrs
import pytest
from prometheus_client.parser import text_string_to_metric_families

from outdial.adapters.memory.storage import MemoryStorage
from outdial.domain.model.delivery import Try
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.domain.model.webhook import EventType, Message
from outdial.entrypoints import metrics
from outdial.ports.storage import Reader
from tests import builders
from tests.documentation.test_tables import rows
from tests.entrypoints.clinic import KEY, KEYS, LISTED, READING_KEY, UNKNOWN_KEY
from tests.http.api import BODY, CALLS, MEMORY, Api, problem_of
from tests.observability.numbers import numbers_of

T = TypeVar("T")

NAMED: Final = {"Idempotency-Key": "one"}


@pytest.fixture
def dialling() -> Iterator[Api]:
    """
    An interface whose calls are dialled by the simulator, in no time.
    """
    api = Api(dials=True)
    yield api
    api.close()


def test_decisions_are_counted_by_outcome_and_reason(api: Api) -> None:
    """
    Accepted, answered again, refused by rules, by the day and by the minute: each once.
    """
    _key, hasty = api.run(
        api.dialer.administration.create_key(1, ["can_initiate_calls"], requests_per_minute=1, calls_per_day=0)
    )
    for headers in (NAMED, NAMED):
        api.post(headers=headers)
    for body in ({**BODY, "phone_number": LISTED}, b"{", {**BODY, "agent_id": 9999}):
        api.post(body)
    api.post(key=UNKNOWN_KEY)
    for _ in range(2):
        api.post(key=hasty)

    counted = {name: count for name, count in numbers_of(api).items() if name.startswith("outdial_decisions_total")}

    assert {
        "outdial_decisions_total accepted ": 1,
        "outdial_decisions_total replayed ": 1,
        "outdial_decisions_total refused do_not_call": 1,
        "outdial_decisions_total refused invalid_json": 1,
        "outdial_decisions_total refused agent_not_found": 1,
        "outdial_decisions_total refused invalid_key": 1,
        "outdial_decisions_total refused rate_limit_exceeded": 2,
    } == counted


def test_commits_are_measured(api: Api) -> None:
    """
    Requests that go together are one commit.
    """

    async def ask_at_once() -> None:
        await asyncio.gather(*(api.send() for _ in range(5)))

    api.run(ask_at_once())

    numbers = numbers_of(api)
    assert 5 == numbers["outdial_commit_batch_size_sum"]
    assert 1 <= numbers["outdial_commit_batch_size_count"] == numbers["outdial_commit_seconds_count"] <= 5
    assert 0 < numbers["outdial_commit_seconds_sum"] < 10


def test_the_queue_and_its_money_are_told(api: Api) -> None:
    """
    How many calls are open in which state, how long the oldest waits, and what is held for them.
    """
    for _ in range(2):
        api.post()
    api.clock.advance(90)

    numbers = numbers_of(api)

    assert 2 == numbers["outdial_open_calls queued"]
    assert 0 == numbers["outdial_open_calls in-progress"]
    assert 90 == numbers["outdial_queue_age_seconds"]
    assert 3_000_000 == numbers["outdial_holds_micros USD"]


def test_the_life_of_calls_is_told(dialling: Api) -> None:
    """
    A call that was answered and one that was busy: two placed, each ended its way, none alive any more.
    """
    for number in ("+15551234567", "+15555550101"):
        location = dialling.post({**BODY, "phone_number": number}).headers["Location"]
        dialling.until(location, "failed" if number.endswith("0101") else "completed")

    numbers = numbers_of(dialling)

    ended = {name.split()[-1]: count for name, count in numbers.items() if name.startswith("outdial_calls_ended_total")}
    assert 2 == sum(ended.values())
    assert 1 == ended["busy"]
    assert 2 >= numbers["outdial_dial_seconds_count"] >= 1
    assert 0 == numbers["outdial_live_calls"]
    assert 0 == numbers["outdial_queue_age_seconds"]


def test_calls_that_never_ring_are_counted_as_they_end(api: Api) -> None:
    """
    A call that its client takes back from the queue counts once, however often that is asked.
    """
    location = api.post().headers["Location"]

    for _ in range(3):
        api.post(b"", path=f"{location}/hang-up")
        api.clock.advance(1)

    assert 1 == numbers_of(api)["outdial_calls_ended_total canceled"]


def test_an_end_counts_once_whatever_is_revealed_of_it() -> None:
    """
    What becomes known too late is no second end.
    """
    told = metrics.Metrics()
    given_up = builders.call(state=State.SETTLED, disposition=Disposition.OUTCOME_UNKNOWN)

    told.moved(given_up, builders.NOW)
    told.moved(attrs.evolve(given_up, state=State.REVEALED, disposition=Disposition.BUSY), builders.NOW)

    value = told.registry.get_sample_value
    assert 1 == value("outdial_calls_ended_total", {"disposition": "outcome_unknown"})
    assert value("outdial_calls_ended_total", {"disposition": "busy"}) is None


def test_webhooks_are_measured_until_somebody_takes_the_message() -> None:
    """
    The lag is that of what arrived; tries that failed are counted, and tell nothing of it.
    """
    told = metrics.Metrics()
    message = Message(id="msg_1", account_id=1, call_id=1, event_type=EventType.CALL_ENDED, at=builders.NOW)
    late = builders.NOW + timedelta(seconds=300)

    told.tried(message, Try(number=1, at=builders.NOW, duration_ms=50, status=500))
    told.tried(message, Try(number=2, at=late, duration_ms=500, status=200))

    value = told.registry.get_sample_value
    assert 1 == value("outdial_webhook_tries_total", {"outcome": "failed"})
    assert 1 == value("outdial_webhook_tries_total", {"outcome": "delivered"})
    assert (1, 300.5) == (value("outdial_webhook_lag_seconds_count"), value("outdial_webhook_lag_seconds_sum"))


def test_requests_are_counted_by_route_never_by_address(api: Api) -> None:
    """
    Whatever is asked for, there are no more labels than routes, methods and statuses.
    """
    call_id = api.post().json()["call_id"]
    for path in (f"{CALLS}/{call_id}", f"{CALLS}/9999", "/no/such", "/%2e%2e/etc/passwd"):
        api.get(path)
    for method in ("DELETE", "BREW"):
        api.ask(method, CALLS)

    numbers = numbers_of(api)

    counted = {name: count for name, count in numbers.items() if name.startswith("outdial_http_requests_total")}
    assert {
        f"outdial_http_requests_total POST {CALLS} 201": 1,
        f"outdial_http_requests_total GET {CALLS}/{{call_id}} 200": 1,
        f"outdial_http_requests_total GET {CALLS}/{{call_id}} 404": 1,
        "outdial_http_requests_total GET none 404": 2,
        f"outdial_http_requests_total DELETE {CALLS} 405": 1,
        f"outdial_http_requests_total other {CALLS} 405": 1,
    } == counted
    assert 2 == numbers[f"outdial_http_request_seconds_count {CALLS}/{{call_id}}"]


def test_nothing_personal_and_no_secret_is_told(dialling: Api) -> None:
    """
    No number, key, name, variable or id of anybody stands in it.
    """
    body = {**BODY, "variables": {"customer_name": "Zoë Canary"}, "contact_id": 456}
    location = dialling.post(body, headers={"Idempotency-Key": "canary-key"}).headers["Location"]
    dialling.until(location, "completed")
    dialling.get(f"{CALLS}/canary-path?canary=1", key=READING_KEY)

    text = dialling.get("/metrics", key=None).text

    for secret in (*KEYS, "5551234567", "5555550100", "Canary", "canary", "Clinic", "Appointment", "John", "call_1"):
        assert secret not in text


@pytest.mark.parametrize(
    ("key", "status"), [("right", 200), ("wrong", 401), ("rightt", 401), (None, 401), (KEY, 401), ("Zoë", 401)]
)
def test_a_token_is_asked_for_where_there_is_one(key: str | None, status: int) -> None:
    """
    Nobody else is told anything, not even those with an API key.
    """
    api = Api(attrs.evolve(MEMORY, metrics_token="right"))
    headers = [] if key is None else [(b"authorization", b"Bearer " + key.encode())]

    answer = api.ask("GET", "/metrics", headers=headers)
    api.close()

    assert status == answer.status_code
    assert ("outdial_" in answer.text) is (status == 200)


def test_metrics_can_be_switched_off() -> None:
    """
    Then there is no such address.
    """
    api = Api(attrs.evolve(MEMORY, metrics="off"))

    answer = api.get("/metrics", key=None)
    api.close()

    assert (404, "not_found") == problem_of(answer)


def test_a_worker_tells_numbers_too() -> None:
    """
    Whoever dials is watched like whoever takes calls.
    """
    api = Api(attrs.evolve(MEMORY, role="worker"), dials=True)

    numbers = numbers_of(api)
    api.close()

    assert 0 == numbers["outdial_live_calls"]
    assert numbers["process_resident_memory_bytes"] > 0


class SleepingStorage(MemoryStorage):
    """
    A database whose reads take for ever.
    """

    async def read(self, work: Callable[[Reader], T]) -> T:
        """
        Wait.
        """
        await asyncio.Event().wait()
        return await super().read(work)


def test_a_database_that_is_away_holds_up_no_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What it holds is left out, rather than told as it was; the process' own numbers are there.
    """
    monkeypatch.setattr(metrics, "WITHIN_S", 0.02)
    api = Api(storage=SleepingStorage())

    numbers = numbers_of(api)
    api.close()

    assert not [name for name in numbers if re.match("outdial_(open_calls|queue_age|holds)", name)]
    assert "outdial_live_calls" in numbers


def test_a_scrape_looks_at_the_database_once_in_a_while(api: Api) -> None:
    """
    Scraping again and again costs it nothing.
    """
    api.post()
    before = numbers_of(api)["outdial_open_calls queued"]

    api.post()

    assert 1 == before == numbers_of(api)["outdial_open_calls queued"]


def test_every_number_is_documented(api: Api) -> None:
    """
    `docs/observability.md` has each of outdial's metrics with its type, its labels and its meaning, in order.
    """
    api.post()
    text = api.get("/metrics", key=None).text
    families = [
        family
        for family in text_string_to_metric_families(text)
        if family.name.startswith("outdial_") and not family.name.endswith("_created")
    ]
    expected = [
        [
            f"`{family.name}_total`" if family.type == "counter" else f"`{family.name}`",
            family.type,
            family.documentation,
        ]
        for family in families
    ]

    listed = rows("observability.md", "metric")

    assert expected == [[name, kind, meaning] for name, kind, _labels, meaning in listed]
    for name, kind, labels, _meaning in listed:
        family = next(family for family in families if name.startswith(f"`{family.name}"))
        found = {label for sample in family.samples for label in sample.labels} - {"le"}
        wanted = set(re.findall(r"`(\w+)`", labels))
        assert found in (wanted, set()), (name, kind)


def test_alerts_name_metrics_that_exist(api: Api) -> None:
    """
    An alert on a name that nobody tells would never fire.
    """
    api.post()
    document = (Path(__file__).parents[2] / "docs" / "observability.md").read_text()
    families = text_string_to_metric_families(api.get("/metrics", key=None).text)
    known = {sample.name for family in families for sample in family.samples}

    named = set(re.findall(r"\boutdial_\w+", document.partition("```yaml")[2].partition("```")[0]))

    assert named
    assert named <= known | {"outdial_calls_ended_total"}
