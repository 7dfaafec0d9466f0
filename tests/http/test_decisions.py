"""
Asking what would be decided, and why something was.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from outdial.domain.rules.ladder import RULES
from outdial.ports.storage import Reader
from tests import builders
from tests.entrypoints import clinic
from tests.http.api import BODY, CALLS, Api
from tests.listing import list_callee

PREFLIGHT = f"{CALLS}/preflight"
REFUSALS = "/api/v1/refusals"
BAD_KEYS = (None, "nonsense", clinic.UNKNOWN_KEY, clinic.WRONG_SECRET_KEY, clinic.REVOKED_KEY, clinic.EXPIRED_KEY)


def _canonical(facts: object) -> bytes:
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def _kept(reader: Reader) -> tuple[object, ...]:
    """
    Return all that a preflight must leave as it was, refusals included.
    """
    return (
        clinic.everything(reader),
        [reader.decisions.refusals(account_id, reason=None, before=None, limit=1000) for account_id in clinic.ACCOUNTS],
        [reader.calls.accepted_on(key_id, builders.NOW.date()) for key_id in (builders.KEY_ID, 13, 33)],
    )


def test_a_preflight_tells_everything_of_an_acceptable_call(api: Api) -> None:
    """
    Every rule holds; greeting and cost are those of the call, and the facts can be checked by their digest.
    """
    answer = api.post({**BODY, "variables": {"customer_name": "Ada"}}, path=PREFLIGHT)

    body = answer.json()
    assert 200 == answer.status_code
    assert "accepted" == body["decision"]
    assert [{"rule": rule.__name__, "verdict": "holds", "decides": False} for rule in RULES] == body["rules"]
    assert "Hello Ada, this is Appointment Scheduler." == body["greeting"]
    assert {
        "per_minute": 0.05,
        "maximum": 1.5,
        "maximum_duration_seconds": 1800,
        "currency": "USD",
    } == body["cost"]
    assert hashlib.sha256(_canonical(body["facts"])).hexdigest() == body["facts_digest"]
    assert "Ada" not in json.dumps(body["facts"])
    assert {"decision", "rules", "greeting", "instructions", "cost", "call_id"} <= body.keys()
    assert "error" not in body


def test_a_preflight_tells_all_that_stands_against_a_call(api: Api) -> None:
    """
    A listed number and an empty wallet are told together; the first decides, in the words of the refusal.
    """
    api.run(api.storage.transact(partial(list_callee, account_id=clinic.POOR)))
    asked = {"phone_number": clinic.CALLEE, "agent_id": clinic.POOR_AGENT}

    body = api.post(asked, key=clinic.POOR_KEY, path=PREFLIGHT).json()

    refusing = {verdict["rule"]: verdict for verdict in body["rules"] if verdict["verdict"] == "refuses"}
    assert ("refused", "do_not_call") == (body["decision"], body["error"])
    assert {"callee_not_on_dnc_list": True, "wallet_covers_hold": False} == {
        rule: verdict["decides"] for rule, verdict in refusing.items()
    }
    assert "insufficient_funds" == refusing["wallet_covers_hold"]["error"]
    assert 0.05 == refusing["wallet_covers_hold"]["required_amount"]
    assert body["cost"]["maximum"] is None
    assert builders.dnc_entry().reason == body["facts"]["do_not_call"]["reason"]
    answer = api.post(asked, key=clinic.POOR_KEY)
    assert answer.json() == {name: body[name] for name in ("error", "message")}


def test_a_preflight_of_a_repeat_names_the_call(api: Api) -> None:
    """
    The key is judged as the call's would be, and left unused.
    """
    named = {"Idempotency-Key": "one"}
    unused = api.post(path=PREFLIGHT, headers=named).json()
    call_id = api.post(headers=named).json()["call_id"]

    body = api.post(path=PREFLIGHT, headers=named).json()

    assert "accepted" == unused["decision"]
    assert ("replayed", call_id) == (body["decision"], body["call_id"])
    assert call_id == body["facts"]["prior_call_id"]
    other = api.post({**BODY, "phone_number": "+15551230000"}, path=PREFLIGHT, headers=named).json()
    assert ("refused", "idempotency_conflict") == (other["decision"], other["error"])


@pytest.mark.parametrize("key", [*BAD_KEYS, clinic.READING_KEY])
def test_a_stranger_learns_nothing_by_a_preflight(api: Api, key: str | None) -> None:
    """
    Whoever may not ask for calls is told exactly what he is told without asking for anything that exists.
    """
    answers = [
        api.post(body, key=key, path=path)
        for path in (PREFLIGHT, CALLS)
        for body in (BODY, {**BODY, "phone_number": clinic.LISTED}, {**BODY, "agent_id": 999}, b"not JSON")
    ]

    assert {401 if key in BAD_KEYS else 403} == {answer.status_code for answer in answers}
    assert 1 == len({answer.content for answer in answers})


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"not JSON", 400, "invalid_json"),
        ({"agent_id": 1}, 400, "missing_phone_number"),
        ({"phone_number": clinic.CALLEE}, 400, "missing_agent_id"),
        ({**BODY, "contact_id": "x"}, 400, "validation_error"),
    ],
)
def test_what_can_not_be_read_is_not_judged(api: Api, body: object, status: int, error: str) -> None:
    """
    A preflight needs the fields of a call.
    """
    answer = api.post(body, path=PREFLIGHT)

    assert (status, error) == (answer.status_code, answer.json()["error"])


def test_a_key_that_can_not_be_one_is_refused(api: Api) -> None:
    """
    As it would be for the call.
    """
    answer = api.post(path=PREFLIGHT, headers={"Idempotency-Key": "with space"})

    assert (400, "Idempotency-Key") == (answer.status_code, answer.json()["details"][0]["field"])


@pytest.fixture(scope="module")
def shared() -> Iterator[Api]:
    """
    One interface for many examples, which must leave it as it is.
    """
    api = Api()
    yield api
    api.close()


asked_for = st.fixed_dictionaries(
    {
        "phone_number": st.sampled_from(
            (clinic.CALLEE, clinic.LISTED, clinic.PREMIUM, "+1 555 123 4568", "911", "tomorrow")
        ),
        "agent_id": st.sampled_from(
            (clinic.AGENT, clinic.ASSISTANT, clinic.SILENT_AGENT, clinic.CURIOUS_AGENT, clinic.OTHERS_AGENT, 999)
        ),
    },
    optional={
        "contact_id": st.sampled_from((clinic.CONTACT, clinic.OTHERS_CONTACT, 999)),
        "variables": st.sampled_from(({}, {"customer_name": "Ada"})),
    },
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=asked_for, key=st.sampled_from(clinic.KEYS), name=st.none() | st.sampled_from(("a", "b")))
def test_a_preflight_changes_nothing_and_says_what_is_decided(
    shared: Api, body: dict[str, Any], key: str, name: str | None
) -> None:
    """
    After any preflight the database is as before; the call itself is then decided as it said.
    """
    headers = {"Idempotency-Key": name} if name is not None else {}
    before = shared.read(_kept)

    told = shared.post(body, key=key, headers=headers, path=PREFLIGHT)

    assert before == shared.read(_kept)
    decided = shared.post(body, key=key, headers=headers)
    outcome = told.json().get("decision")
    event(f"{told.status_code} {outcome}")
    if told.status_code != 200:
        assert (decided.status_code, decided.json()) == (told.status_code, told.json())
    elif outcome == "refused":
        assert decided.json() == {name: told.json()[name] for name in decided.json()}
    else:
        assert 201 == decided.status_code
        assert (outcome == "replayed") == ("Idempotent-Replayed" in decided.headers)


def test_a_call_shows_what_its_acceptance_rested_on(api: Api) -> None:
    """
    The kept facts are those that a preflight showed before, by row and by public id.
    """
    told = api.post(path=PREFLIGHT).json()
    call = api.post().json()

    bodies = [api.get(f"{CALLS}/{name}/decision").json() for name in (call["id"], call["call_id"])]

    assert bodies[0] == bodies[1]
    assert {
        "id": call["id"],
        "call_id": call["call_id"],
        "decision": "accepted",
        "decided_at": call["created_at"],
        "policy_version": told["policy_version"],
        "facts": told["facts"],
        "facts_digest": told["facts_digest"],
        "facts_intact": True,
    } == bodies[0]


@pytest.mark.parametrize("name", ["99", "0", "nonsense", "call_1_aaaaaaaaaaaa"])
def test_what_is_no_call_has_no_decision(api: Api, name: str) -> None:
    """
    Unknown calls and texts that can't name one are alike; so is another account's call.
    """
    call = api.post().json()

    found = api.get(f"{CALLS}/{name}/decision")

    assert (404, "not_found") == (found.status_code, found.json()["error"])
    assert found.json() == api.get(f"{CALLS}/{call['id']}/decision", key=clinic.OTHERS_KEY).json()


def test_refusals_can_be_read_with_their_reasons(api: Api) -> None:
    """
    Newest first, in pages, those for one reason, and each by itself.
    """
    for phone_number in ("911", clinic.LISTED, "tomorrow"):
        api.post({**BODY, "phone_number": phone_number})
    api.post({"phone_number": clinic.CALLEE, "agent_id": clinic.CURIOUS_AGENT})

    page = api.get(f"{REFUSALS}?limit=3").json()
    rest = api.get(f"{REFUSALS}?cursor={page['next_cursor']}").json()
    listed = api.get(f"{REFUSALS}?reason=do_not_call").json()["refusals"]

    errors = [refusal["error"] for refusal in [*page["refusals"], *rest["refusals"]]]
    assert ["validation_error", "invalid_phone_number", "do_not_call", "invalid_phone_number"] == errors
    assert rest["next_cursor"] is None
    assert [page["refusals"][2]] == listed
    assert (clinic.LISTED, clinic.AGENT, builders.KEY_ID) == (
        listed[0]["phone_number"],
        listed[0]["agent_id"],
        listed[0]["key_id"],
    )
    assert "variables.customer_name" == page["refusals"][0]["details"][0]["field"]
    assert listed[0] == api.get(f"{REFUSALS}/{listed[0]['id']}").json()
    assert hashlib.sha256(_canonical(listed[0]["facts"])).hexdigest() == listed[0]["facts_digest"]


def test_refusals_of_others_are_not_found(api: Api) -> None:
    """
    Neither in the list nor by their number.
    """
    api.post({**BODY, "phone_number": "911"})
    number = api.get(REFUSALS).json()["refusals"][0]["id"]

    found = [api.get(f"{REFUSALS}/{name}", key=clinic.OTHERS_KEY) for name in (number, 99, "x", 2**63)]

    assert [] == api.get(REFUSALS, key=clinic.OTHERS_KEY).json()["refusals"]
    assert {404} == {answer.status_code for answer in found}
    assert 1 == len({answer.content for answer in found})


def test_strangers_make_no_refusals(api: Api) -> None:
    """
    Whatever is sent without a live key leaves nothing; a key without the permission does.
    """
    for key in BAD_KEYS:
        api.post(key=key)
        api.post(b"not JSON", key=key)
    unpermitted = api.post(key=clinic.READING_KEY)

    refusals = api.get(REFUSALS).json()["refusals"]

    assert [unpermitted.json()["error"]] == [refusal["error"] for refusal in refusals]


@pytest.mark.parametrize("path", [f"{CALLS}/1/decision", REFUSALS, f"{REFUSALS}/1"])
def test_reading_decisions_needs_its_permission(api: Api, path: str) -> None:
    """
    A key that may only ask for calls reads none of it.
    """
    answer = api.get(path, key=clinic.DIALLING_KEY)

    assert (403, "permission_denied") == (answer.status_code, answer.json()["error"])


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=x", "reason=nothing", "page=1"])
def test_a_query_that_is_none_is_refused(api: Api, query: str) -> None:
    """
    Each with the name of what is wrong.
    """
    answer = api.get(f"{REFUSALS}?{query}")

    assert (400, query.partition("=")[0]) == (answer.status_code, answer.json()["details"][0]["field"])
