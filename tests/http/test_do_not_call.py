"""
Do-Not-Call lists over HTTP.
"""

from typing import Any, Final

import httpx2
import pytest

from outdial.domain.model.do_not_call import LISTS_MAX
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.service.do_not_call import list_named, list_number
from outdial.ports.storage import Transaction
from tests import builders
from tests.entrypoints.clinic import CALLEE, CLINIC, KEY, LISTED, OTHERS_KEY, READING_KEY
from tests.http.api import Api, problem_of

LISTS: Final = "/api/v1/dnc/lists"
NUMBERS: Final = "/api/v1/dnc/numbers"
NOW: Final = "2025-04-24T10:15:30Z"


def _add(api: Api, number: str = CALLEE, *, key: str = KEY, **fields: object) -> dict[str, Any]:
    answer = api.post({"phone_number": number, **fields}, key=key, path=NUMBERS)
    assert 201 == answer.status_code, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _list(api: Api, name: str = "federal", **fields: object) -> int:
    made: int = api.post({"name": name, **fields}, path=LISTS).json()["id"]
    return made


def _delete(api: Api, path: str, *, key: str = KEY) -> httpx2.Response:
    return api.ask("DELETE", path, headers={"Authorization": f"Bearer {key}"})


def _never(transaction: Transaction) -> None:
    list_number(transaction, None, PhoneNumber(CALLEE), at=builders.NOW, reason="never")


def test_a_list_is_made_shown_and_removed(api: Api) -> None:
    """
    With its name and source; the numbers go with it.
    """
    made = api.post({"name": "federal", "source": "Registry"}, path=LISTS)
    body = made.json()
    _add(api, list_id=body["id"])
    shown, listed = api.get(made.headers["Location"]), api.get(LISTS)

    removed = _delete(api, made.headers["Location"])

    assert 201 == made.status_code
    assert {"id": body["id"], "name": "federal", "source": "Registry", "created_at": NOW} == body == shown.json()
    assert ["default", "federal"] == [one["name"] for one in listed.json()["lists"]]
    assert (204, b"") == (removed.status_code, removed.content)
    assert (404, "not_found") == problem_of(api.get(made.headers["Location"]))
    assert not api.get(f"{NUMBERS}/{CALLEE}").json()["do_not_call"]


def test_a_list_of_the_same_name_is_answered_as_it_is(api: Api) -> None:
    """
    Whoever asks again need not know what became of the first request.
    """
    first = api.post({"name": "federal", "source": "Registry"}, path=LISTS).json()

    again = api.post({"name": "federal", "source": "elsewhere"}, path=LISTS)

    assert (201, first) == (again.status_code, again.json())


def test_an_account_has_so_many_lists_and_no_more(api: Api) -> None:
    """
    The two that are made when they are needed are always possible.
    """

    def fill(transaction: Transaction) -> None:
        for number in range(LISTS_MAX):
            list_named(transaction, CLINIC, f"list {number}", at=builders.NOW)

    api.run(api.storage.transact(fill))

    refused = api.post({"name": "one more"}, path=LISTS)
    known, contacts = (api.post({"name": name}, path=LISTS) for name in ("list 1", "contacts"))

    assert (400, "validation_error") == problem_of(refused)
    assert [{"field": "name", "problem": f"An account has {LISTS_MAX} lists at most."}] == refused.json()["details"]
    assert [201, 201] == [known.status_code, contacts.status_code]


def test_a_listed_number_is_refused_until_it_is_taken_off(api: Api) -> None:
    """
    However it is written, from the moment of the answer on.
    """
    added = _add(api, "+1 (555) 123-4567", reason="asked us to stop")
    refused = api.post()
    shown = api.get(f"{NUMBERS}/{CALLEE}").json()

    removed = _delete(api, f"{NUMBERS}/%2B1 555 1234567")

    assert {
        "phone_number": CALLEE,
        "list": {"id": added["list"]["id"], "name": "default", "owner": "account"},
        "reason": "asked us to stop",
        "listed_at": NOW,
        "expires_at": None,
        "live": True,
    } == added
    assert (403, "do_not_call") == problem_of(refused)
    assert {"phone_number": CALLEE, "do_not_call": True, "entries": [added]} == shown
    assert 204 == removed.status_code
    assert 201 == api.post().status_code
    assert (404, "not_found") == problem_of(_delete(api, f"{NUMBERS}/{CALLEE}"))


def test_listing_again_replaces_the_entry(api: Api) -> None:
    """
    Reason and expiry are those of the last request.
    """
    _add(api, reason="first", expires_at="2025-04-25T00:00:00Z")

    _add(api, reason="second", list_id=None, expires_at=None)

    (entry,) = api.get(f"{NUMBERS}/{CALLEE}").json()["entries"]
    assert ("second", None) == (entry["reason"], entry["expires_at"])


def test_an_entry_counts_until_it_expires(api: Api) -> None:
    """
    It is shown afterwards, and the number is dialled.
    """
    added = _add(api, expires_at="2025-04-24T13:15:31+03:00")
    before = api.post()
    api.clock.advance(1)

    after = api.post()

    assert ("2025-04-24T10:15:31Z", True) == (added["expires_at"], added["live"])
    assert [403, 201] == [before.status_code, after.status_code]
    body = api.get(f"{NUMBERS}/{CALLEE}").json()
    assert (False, False) == (body["do_not_call"], body["entries"][0]["live"])


def test_the_operators_list_is_seen_and_can_not_be_changed(api: Api) -> None:
    """
    It wins over whatever the account does; its list is none of the account's.
    """
    api.run(api.storage.transact(_never))

    removed = _delete(api, f"{NUMBERS}/{CALLEE}")
    _add(api, expires_at="2025-04-24T10:15:31Z")
    shown = api.get(f"{NUMBERS}/{CALLEE}").json()

    assert (404, "not_found") == problem_of(removed)
    assert (403, "do_not_call") == problem_of(api.post())
    assert [("operator", "never"), ("account", "")] == [
        (entry["list"]["owner"], entry["reason"]) for entry in shown["entries"]
    ]
    assert (404, "not_found") == problem_of(api.get(f"{LISTS}/0"))
    assert (404, "not_found") == problem_of(_delete(api, f"{LISTS}/0"))
    assert (404, "not_found") == problem_of(api.post({"phone_number": CALLEE, "list_id": 0}, path=NUMBERS))


def test_a_number_is_taken_off_one_list(api: Api) -> None:
    """
    It stays on the others.
    """
    federal = _list(api)
    _add(api, list_id=federal)
    _add(api)

    first = _delete(api, f"{NUMBERS}/{CALLEE}?list_id={federal}")
    again = _delete(api, f"{NUMBERS}/{CALLEE}?list_id={federal}")

    assert [204, 404] == [first.status_code, again.status_code]
    assert ["default"] == [entry["list"]["name"] for entry in api.get(f"{NUMBERS}/{CALLEE}").json()["entries"]]


def test_pages_show_each_number_of_each_list_once(api: Api) -> None:
    """
    By list and number, following the cursors.
    """
    federal = _list(api)
    numbers = [f"+1555765{last:04}" for last in range(5)]
    for number in numbers:
        _add(api, number, list_id=federal)
    _add(api)
    _add(api, list_id=_list(api, "later"))

    pages, query = [], "?limit=3"
    while True:
        body = api.get(NUMBERS + query).json()
        pages.append([one["phone_number"] for one in body["numbers"]])
        if body["next_cursor"] is None:
            break
        query = f"?limit=3&cursor={body['next_cursor']}"

    assert [[CALLEE, LISTED, *numbers[:1]], numbers[1:4], [*numbers[4:], CALLEE]] == pages


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("list_id={federal}", [CALLEE]),
        ("phone_number=%2B15559990000", [LISTED]),
        ("phone_number=%2B1 555 123 4567&list_id={federal}", [CALLEE]),
        ("phone_number=%2B15559990000&list_id={federal}", []),
        ("phone_number=%2B15551112222", []),
        ("cursor=999-15551112222", []),
        ("phone_number=%2B15559990000&cursor=1-15559990000", []),
    ],
)
def test_pages_are_of_one_list_or_number(api: Api, query: str, numbers: list[str]) -> None:
    """
    Or of both; none is an empty page.
    """
    federal = _list(api)
    _add(api, list_id=federal)

    body = api.get(f"{NUMBERS}?{query.format(federal=federal)}").json()

    assert (numbers, None) == ([one["phone_number"] for one in body["numbers"]], body["next_cursor"])


def test_other_accounts_lists_do_not_exist(api: Api) -> None:
    """
    Neither to read nor to change, and what they list is nothing to this account.
    """
    other = _add(api, "+15551112222", key=OTHERS_KEY)["list"]["id"]
    address = f"{LISTS}/{other}"

    answers = [
        api.get(address),
        _delete(api, address),
        api.get(f"{NUMBERS}?list_id={other}"),
        _delete(api, f"{NUMBERS}/+15551112222"),
        _delete(api, f"{NUMBERS}/+15551112222?list_id={other}"),
        api.post({"phone_number": CALLEE, "list_id": other}, path=NUMBERS),
    ]

    assert [(404, "not_found")] * len(answers) == [problem_of(answer) for answer in answers]
    assert not api.get(f"{NUMBERS}/+15551112222").json()["do_not_call"]
    assert api.get(f"{NUMBERS}/+15551112222", key=OTHERS_KEY).json()["do_not_call"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", LISTS),
        ("POST", LISTS),
        ("GET", f"{LISTS}/1"),
        ("DELETE", f"{LISTS}/1"),
        ("GET", NUMBERS),
        ("POST", NUMBERS),
        ("GET", f"{NUMBERS}/{LISTED}"),
        ("DELETE", f"{NUMBERS}/{LISTED}"),
    ],
)
def test_everything_needs_the_permission(api: Api, method: str, path: str) -> None:
    """
    A key without `can_manage_dnc` reads and changes nothing.
    """
    body = {"name": "x", "phone_number": CALLEE}
    before = api.everything()

    answer = api.ask(method, path, headers={"Authorization": f"Bearer {READING_KEY}"}, json=body)

    assert (403, "permission_denied") == problem_of(answer) or (400, "validation_error") == problem_of(answer)
    assert before == api.everything()


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (LISTS, {}, "name"),
        (LISTS, {"name": ""}, "name"),
        (LISTS, {"name": "x" * 101}, "name"),
        (LISTS, {"name": "x", "source": 1}, "source"),
        (LISTS, {"name": "x", "colour": "red"}, "colour"),
        (NUMBERS, {}, "phone_number"),
        (NUMBERS, {"phone_number": 1}, "phone_number"),
        (NUMBERS, {"phone_number": CALLEE, "list_id": "1"}, "list_id"),
        (NUMBERS, {"phone_number": CALLEE, "reason": "x" * 501}, "reason"),
        (NUMBERS, {"phone_number": CALLEE, "expires_at": "2026-12-31T00:00:00"}, "expires_at"),
        (NUMBERS, {"phone_number": CALLEE, "expires_at": "tomorrow"}, "expires_at"),
        (NUMBERS, {"phone_number": CALLEE, "expires_at": 1}, "expires_at"),
        (NUMBERS, {"phone_number": CALLEE, "expires_at": "0001-01-01T00:00:00+12:00"}, "expires_at"),
    ],
)
def test_what_does_not_fit_is_told(api: Api, path: str, body: object, field: str) -> None:
    """
    With its field, and nothing is stored.
    """
    before = api.everything()

    answer = api.post(body, path=path)

    assert (400, "validation_error") == problem_of(answer)
    assert [field] == [problem["field"] for problem in answer.json()["details"]]
    assert before == api.everything()


@pytest.mark.parametrize(
    "query", ["list_id=0", "list_id=x", "limit=0", "limit=101", "cursor=x", "cursor=1-0", "page=1"]
)
def test_a_query_that_does_not_fit_is_told(api: Api, query: str) -> None:
    """
    With its field.
    """
    answer = api.get(f"{NUMBERS}?{query}")

    assert (400, "validation_error") == problem_of(answer)
    assert [query.partition("=")[0]] == [problem["field"] for problem in answer.json()["details"]]


@pytest.mark.parametrize("number", ["911", "nobody", "5551234567"])
def test_what_is_no_number_is_refused_everywhere(api: Api, number: str) -> None:
    """
    As for a call.
    """
    answers = [
        api.post({"phone_number": number}, path=NUMBERS),
        api.get(f"{NUMBERS}/{number}"),
        _delete(api, f"{NUMBERS}/{number}"),
        api.get(f"{NUMBERS}?phone_number={number}"),
    ]

    assert [(400, "invalid_phone_number")] * 4 == [problem_of(answer) for answer in answers]
