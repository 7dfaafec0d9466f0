"""
The facts for one request, looked up.
"""

from functools import partial

import pytest

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Refused
from outdial.domain.model.facts import Facts
from outdial.domain.model.identifiers import write_key
from outdial.domain.model.principal import Operator, PresentedKey
from outdial.domain.model.reason import Reason
from outdial.domain.service.snapshot import facts_of
from tests import builders
from tests.contract.storage.database import Database, furnish_other
from tests.listing import list_callee


def _facts(database: Database, request: CallRequest) -> Facts:
    return database.read(partial(facts_of, request, policy=builders.policy(), call_number=builders.CALL_NUMBER))


def test_everything_that_a_rule_may_see_is_found(database: Database) -> None:
    """
    A proved key leads to its account and to all that the request names.
    """
    database.transact(list_callee)
    request = builders.request(content=builders.fields(contact_id=builders.CONTACT_ID))

    found = _facts(database, request)

    expected = builders.facts(contact=builders.person(), dnc_entry=builders.dnc_entry(), rates=(builders.rate(),))
    assert expected == found


def test_what_is_named_and_does_not_exist_is_none(database: Database) -> None:
    """
    An unknown agent and contact, and a text that is no number, find nothing.
    """
    content = builders.fields(agent_id="assistant_nobody", contact_id=99, phone_number="nobody")

    found = _facts(database, builders.request(content=content))

    assert builders.facts(agent=None, contact=None, callee=None) == found


def test_nothing_of_others_is_found(database: Database) -> None:
    """
    Another account's agent, contact and list are none of the caller's facts.
    """
    database.transact(furnish_other)
    content = builders.fields(agent_id=222, contact_id=2222)

    found = _facts(database, builders.request(content=content))

    assert (None, None, None) == (found.agent, found.contact, found.dnc_entry)


def test_the_operator_needs_no_key(database: Database) -> None:
    """
    The operator names the account.
    """
    found = _facts(database, builders.request(credential=Operator(account_id=builders.ACCOUNT_ID)))

    assert builders.facts(key=None, rates=(builders.rate(),)) == found


@pytest.mark.parametrize(
    ("text", "has_key"),
    [
        (None, False),
        ("nonsense", False),
        (write_key(99, builders.SECRET), False),
        (write_key(builders.KEY_ID, builders.secret(1)), True),
    ],
)
def test_a_stranger_leads_nowhere(database: Database, text: str | None, has_key: bool) -> None:  # noqa: FBT001
    """
    A key that is not proved finds no account and nothing in it.
    """
    found = _facts(database, builders.request(credential=PresentedKey(text=text)))

    key = builders.api_key() if has_key else None
    bare = Facts(now=builders.NOW, policy=builders.policy(), call_number=builders.CALL_NUMBER, key=key)
    assert bare == found


def test_fields_that_can_not_be_read_name_nothing(database: Database) -> None:
    """
    Of a request without readable fields, only who asks is found.
    """
    found = _facts(database, builders.request(content=Refused(reason=Reason.INVALID_JSON)))

    assert builders.facts(agent=None, callee=None) == found
