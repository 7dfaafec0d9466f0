"""
The order of the checks: a stranger learns nothing, and what can change by itself is judged last.
"""

from http import HTTPStatus

import pytest

from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.reason import Reason
from outdial.ports.storage import Transaction
from tests import builders
from tests.entrypoints.clinic import (
    CALLEE,
    LISTED,
    POOR,
    POOR_AGENT,
    POOR_KEY,
    PREMIUM,
    READING_KEY,
    UNKNOWN_KEY,
)
from tests.http.api import Api, problem_of
from tests.listing import list_callee

HUGE = b"x" * 65_537
PLAIN = {"Content-Type": "text/plain"}


@pytest.mark.parametrize(
    ("body", "headers"), [(HUGE, {}), (HUGE, PLAIN), (b"{}", PLAIN), (b"{", {}), (b"{}", {}), (b'{"agent_id": 1}', {})]
)
@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (None, (401, "authentication_required")),
        (UNKNOWN_KEY, (401, "invalid_key")),
        (READING_KEY, (403, "permission_denied")),
    ],
)
def test_who_asks_is_judged_before_what_is_asked(
    api: Api, body: bytes, headers: dict[str, str], key: str | None, problem: tuple[int, str]
) -> None:
    """
    Whatever is wrong with the body, a stranger is told about the key alone.
    """
    answer = api.post(body, key=key, headers=headers)

    assert problem == problem_of(answer)


def test_size_is_judged_before_media_type(api: Api) -> None:
    """
    The reasons are judged in the order in which they are declared, and 413 stands before 415.
    """
    answer = api.post(HUGE, headers=PLAIN)

    assert (413, "payload_too_large") == problem_of(answer)


def test_media_type_is_judged_before_json(api: Api) -> None:
    """
    What is not sent as JSON is not read as JSON.
    """
    answer = api.post(b"{", headers=PLAIN)

    assert (415, "unsupported_media_type") == problem_of(answer)


REPAIRS = (
    (Reason.MISSING_PHONE_NUMBER, {"phone_number": 5}),
    (Reason.MISSING_AGENT_ID, {"agent_id": 9999}),
    (Reason.VALIDATION_ERROR, {"phone_number": "911"}),
    (Reason.INVALID_PHONE_NUMBER, {"phone_number": PREMIUM}),
    (Reason.AGENT_NOT_FOUND, {"agent_id": 1000}),
    (Reason.CONTACT_NOT_FOUND, {"contact_id": 1000}),
    (Reason.VALIDATION_ERROR, {"variables": {"customer_name": "Ann"}}),
    (Reason.NO_PHONE_NUMBER, {"agent_id": POOR_AGENT}),
    (Reason.DESTINATION_NOT_ALLOWED, {"phone_number": LISTED}),
    (Reason.DO_NOT_CALL, {"phone_number": CALLEE}),
)
"""Each fault in the order in which it is reported, and what repairs it."""


def _add_faults(transaction: Transaction) -> None:
    """
    Give the poor account an agent without a number whose greeting needs a name, a contact and a listed number.
    """
    transaction.directory.add(
        builders.agent(
            id=1000,
            account_id=POOR,
            assistant_id="assistant_faulty",
            greeting="Hello {{customer_name}}.",
            phone_number=None,
        )
    )
    transaction.contacts.add(builders.contact(id=1000, account_id=POOR))
    list_callee(transaction, POOR, number=PhoneNumber(LISTED))


def test_repairing_each_reported_fault_walks_the_whole_list_to_acceptance(api: Api) -> None:
    """
    A request with everything wrong is told one fault after the other, in the contract's order, up to its money.
    """
    api.run(api.storage.transact(_add_faults))
    body: dict[str, object] = {"contact_id": 9999}
    codes = []

    for _reason, repair in REPAIRS:
        codes.append(api.post(body, key=POOR_KEY).json()["error"])
        body.update(repair)
    short = api.post(body, key=POOR_KEY)
    api.run(api.dialer.administration.top_up(POOR, "1.00"))
    accepted = api.post(body, key=POOR_KEY)

    assert [reason for reason, _repair in REPAIRS] == codes
    assert (402, "insufficient_funds") == problem_of(short)
    assert HTTPStatus.CREATED == accepted.status_code
