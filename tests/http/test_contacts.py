"""
Contacts: `/api/v1/contacts`.
"""

from typing import Any

import httpx2
import pytest

from outdial.domain.model.principal import Permission
from tests import builders
from tests.entrypoints.clinic import CALLEE, CONTACT, KEY, OTHERS_CONTACT, OTHERS_KEY, READING_KEY
from tests.http.api import BODY, CALLS, Api, permit, problem_of

CONTACTS = "/api/v1/contacts"
ONE = f"{CONTACTS}/{CONTACT}"
LONDON = "+442079460018"
NEW = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "company": "Engines",
    "timezone": "Europe/London",
    "phone_numbers": [
        {"phone_number": "+44 20 7946 0018", "phone_type": "work"},
        {"phone_number": CALLEE, "primary": True, "do_not_call": True, "dnc_reason": "asked"},
    ],
    "custom_context": {"plan": {"seats": 3}},
}


def _send(api: Api, method: str, path: str, body: object = None, *, key: str | None = KEY) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    return api.ask(method, path, headers=headers, **({"json": body} if body is not None else {}))


def _create(api: Api, **changes: object) -> dict[str, Any]:
    answer = _send(api, "POST", CONTACTS, {"first_name": "Ada", **changes})
    assert 201 == answer.status_code
    body: dict[str, Any] = answer.json()
    return body


def test_a_new_contact_tells_what_the_contract_says(api: Api) -> None:
    """
    Every field, with the address under which it is found again.
    """
    answer = _send(api, "POST", CONTACTS, NEW)

    body = answer.json()
    row = body["phone_numbers"][0]["id"]
    expected = [
        {
            "id": row,
            "phone_number": LONDON,
            "phone_type": "work",
            "primary": False,
            "do_not_call": False,
            "dnc_date": None,
            "dnc_reason": None,
        },
        {
            "id": row + 1,
            "phone_number": CALLEE,
            "phone_type": "other",
            "primary": True,
            "do_not_call": True,
            "dnc_date": "2025-04-24T10:15:30Z",
            "dnc_reason": "asked",
        },
    ]
    assert 201 == answer.status_code
    assert {**NEW, "id": body["id"], "phone_numbers": expected} == body
    assert f"{CONTACTS}/{body['id']}" == answer.headers["Location"]
    assert body == api.get(answer.headers["Location"]).json()


def test_the_least_that_a_contact_has(api: Api) -> None:
    """
    A first name; everything else is empty.
    """
    body = _create(api)

    assert {
        "id": body["id"],
        "first_name": "Ada",
        "last_name": None,
        "email": None,
        "company": None,
        "timezone": None,
        "phone_numbers": [],
        "custom_context": {},
    } == body


def test_contacts_are_listed_newest_first(api: Api) -> None:
    """
    25 a page unless asked otherwise; none of another account.
    """
    ids = [_create(api)["id"] for _ in range(26)]

    first = api.get(CONTACTS).json()
    second = api.get(f"{CONTACTS}?cursor={first['next_cursor']}").json()
    by_number = api.get(f"{CONTACTS}?page=2&limit=20").json()

    newest = [*reversed(ids), CONTACT]
    assert (newest[:25], newest[25:]) == tuple([one["id"] for one in page["contacts"]] for page in (first, second))
    assert newest[20:] == [one["id"] for one in by_number["contacts"]]
    assert (27, True, 1, 25, 2) == tuple(first[name] for name in ("count", "count_is_exact", "page", "limit", "pages"))
    assert second["next_cursor"] is None


def test_a_change_names_what_changes(api: Api) -> None:
    """
    What is left out stays, a null clears, numbers and context are replaced as wholes.
    """
    before = _send(api, "POST", CONTACTS, NEW).json()
    path = f"{CONTACTS}/{before['id']}"

    nothing = _send(api, "PATCH", path, {})
    change: dict[str, object] = {
        "first_name": "Augusta",
        "last_name": None,
        "custom_context": None,
        "phone_numbers": [],
    }
    changed = _send(api, "PATCH", path, change)

    assert (200, before) == (nothing.status_code, nothing.json())
    assert {**before, **change, "custom_context": {}} == changed.json() == api.get(path).json()


def test_a_flag_keeps_calls_from_the_number(api: Api) -> None:
    """
    From its answer on, until it is taken off; deleting the contact does not take it off.
    """
    flagged = {"phone_number": CALLEE, "do_not_call": True}
    before = api.post()
    path = f"{CONTACTS}/{_create(api, phone_numbers=[flagged])['id']}"
    refused = api.post()
    _send(api, "PATCH", path, {"phone_numbers": [{**flagged, "do_not_call": False}]})
    again = api.post()
    _send(api, "PATCH", path, {"phone_numbers": [flagged]})

    deleted = _send(api, "DELETE", path)

    assert [201, 201] == [before.status_code, again.status_code]
    assert (403, "do_not_call") == problem_of(refused) == problem_of(api.post())
    assert (204, b"") == (deleted.status_code, deleted.content)
    assert (404, "not_found") == problem_of(api.get(path)) == problem_of(_send(api, "DELETE", path))


def test_a_call_outlives_its_contact(api: Api) -> None:
    """
    It shows none from then on.
    """
    call_id = api.post({**BODY, "contact_id": CONTACT}).json()["call_id"]
    shown = api.get(f"{CALLS}/{call_id}").json()

    _send(api, "DELETE", ONE)

    assert CONTACT == shown["contact"]["id"]
    assert {**shown, "contact": None} == api.get(f"{CALLS}/{call_id}").json()
    assert [None] == [call["contact"] for call in api.get(CALLS).json()["calls"]]
    assert (404, "contact_not_found") == problem_of(api.post({**BODY, "contact_id": CONTACT}))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"first_name": ""}, "first_name"),
    ({"first_name": None}, "first_name"),
    ({"first_name": 1}, "first_name"),
    ({"first_name": "x" * 256}, "first_name"),
    ({"last_name": "x" * 256}, "last_name"),
    ({"email": ["a"]}, "email"),
    ({"company": 1}, "company"),
    ({"timezone": "Europe/Atlantis"}, "timezone"),
    ({"timezone": "../../etc/passwd"}, "timezone"),
    ({"timezone": ""}, "timezone"),
    ({"timezone": "UTC\u0000"[:3] + "/"}, "timezone"),
    ({"timezone": "x" * 300}, "timezone"),
    ({"timezone": 1}, "timezone"),
    ({"custom_context": []}, "custom_context"),
    ({"custom_context": {"no name": 1}}, "custom_context"),
    ({"custom_context": {"a": "x" * 16_384}}, "custom_context"),
    ({"phone_numbers": {}}, "phone_numbers"),
    ({"phone_numbers": None}, "phone_numbers"),
    ({"phone_numbers": ["+15551234567"]}, "phone_numbers.0"),
    ({"phone_numbers": [{}]}, "phone_numbers.0.phone_number"),
    ({"phone_numbers": [{"phone_number": "911"}]}, "phone_numbers.0.phone_number"),
    ({"phone_numbers": [{"phone_number": CALLEE}] * 2}, "phone_numbers.0.phone_number"),
    ({"phone_numbers": [{"phone_number": f"+4930{n:07}"} for n in range(21)]}, "phone_numbers"),
    ({"phone_numbers": [{"phone_number": CALLEE, "phone_type": "fax"}]}, "phone_numbers.0.phone_type"),
    ({"phone_numbers": [{"phone_number": CALLEE, "primary": 1}]}, "phone_numbers.0.primary"),
    ({"phone_numbers": [{"phone_number": CALLEE, "do_not_call": "yes"}]}, "phone_numbers.0.do_not_call"),
    ({"phone_numbers": [{"phone_number": CALLEE, "dnc_reason": "x" * 256}]}, "phone_numbers.0.dnc_reason"),
    ({"phone_numbers": [{"phone_number": CALLEE, "id": 1}]}, "phone_numbers.0.id"),
    ({"id": 1}, "id"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_what_can_not_be_kept_is_named(api: Api, changes: dict[str, Any], field: str) -> None:
    """
    When a contact is added and when it is changed; a sentence says what is wrong, and nothing is stored.
    """
    before = api.get(CONTACTS).json()

    for answer in (_send(api, "POST", CONTACTS, {"first_name": "Ada", **changes}), _send(api, "PATCH", ONE, changes)):
        assert (400, "validation_error") == problem_of(answer)
        details = answer.json()["details"]
        assert field == details[0]["field"]
        assert all(detail["problem"].endswith(".") for detail in details)

    assert before == api.get(CONTACTS).json()


def test_a_contact_without_a_first_name_is_none(api: Api) -> None:
    """
    It is required of a new one alone.
    """
    answer = _send(api, "POST", CONTACTS, {})

    assert [{"field": "first_name", "problem": "It is required."}] == answer.json()["details"]


REQUESTS = [("GET", None), ("PATCH", {"first_name": "Eve"}), ("DELETE", None)]


@pytest.mark.parametrize("name", [OTHERS_CONTACT, 999, 0, "me", "%00", "0456", "9" * 30])
@pytest.mark.parametrize(("method", "body"), REQUESTS)
def test_another_accounts_contact_is_answered_like_none(api: Api, method: str, body: object, name: object) -> None:
    """
    The same words, and it stays as it is.
    """
    before = api.get(f"{CONTACTS}/{OTHERS_CONTACT}", key=OTHERS_KEY).json()

    answer = _send(api, method, f"{CONTACTS}/{name}", body)

    assert (404, "not_found") == problem_of(answer)
    assert _send(api, method, f"{CONTACTS}/1", body).json() == answer.json()
    assert before == api.get(f"{CONTACTS}/{OTHERS_CONTACT}", key=OTHERS_KEY).json()


@pytest.mark.parametrize(
    ("method", "path", "body", "permission"),
    [
        ("GET", CONTACTS, None, Permission.READ_CONTACTS),
        ("GET", ONE, None, Permission.READ_CONTACTS),
        ("POST", CONTACTS, {"first_name": "Ada"}, Permission.WRITE_CONTACTS),
        ("PATCH", ONE, {"first_name": "Ada"}, Permission.WRITE_CONTACTS),
        ("DELETE", ONE, None, Permission.WRITE_CONTACTS),
    ],
)
def test_contacts_need_permissions_of_their_own(
    api: Api, method: str, path: str, body: object, permission: Permission
) -> None:
    """
    The one is enough, and all others together are not; without it not even the body is judged.
    """
    permit(api, *(set(Permission) - {permission}))
    without = _send(api, method, path, body)
    unread = _send(api, method, path, {"nonsense": 1}) if body is not None else without
    permit(api, permission)

    assert (403, "permission_denied") == problem_of(without) == problem_of(unread)
    assert (403, "permission_denied") == problem_of(_send(api, method, path, body, key=READING_KEY))
    assert (401, "authentication_required") == problem_of(_send(api, method, path, body, key=None))
    assert _send(api, method, path, body).is_success


def test_a_call_is_told_by_its_contacts_name(api: Api) -> None:
    """
    A change of the contact shows in calls that were made before.
    """
    call_id = api.post({**BODY, "contact_id": CONTACT}).json()["call_id"]

    _send(api, "PATCH", ONE, {"first_name": "Johnny", "last_name": None})

    assert "Johnny" == api.get(f"{CALLS}/{call_id}").json()["contact"]["name"]
    assert builders.contact().person.email == api.get(ONE).json()["email"]
