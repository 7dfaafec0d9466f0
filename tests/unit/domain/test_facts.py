"""
What must be looked up for a request.
"""

import pytest

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Refused
from outdial.domain.model.facts import LookUps, account_id_of, look_ups, proof_of
from outdial.domain.model.identifiers import KeyProof, hash_secret
from outdial.domain.model.phone_number import NumberCheck, PhoneNumber
from outdial.domain.model.principal import ApiKey, Operator, PresentedKey
from outdial.domain.model.reason import Reason
from tests import builders

OPERATOR = builders.request(credential=Operator(account_id=7))
NO_KEY = builders.request(credential=PresentedKey(text=None))
OTHER_SECRET = builders.request(credential=PresentedKey(text=builders.key_text(secret=builders.secret(2))))


def test_a_presented_key_claims_its_row() -> None:
    """
    Storage is asked for the row that the key's text names.
    """
    expected = KeyProof(key_id=builders.KEY_ID, secret_hash=hash_secret(builders.SECRET))

    assert expected == proof_of(builders.request().credential)


@pytest.mark.parametrize("request_", [OPERATOR, NO_KEY, builders.request(credential=PresentedKey(text="od_live_1"))])
def test_other_credentials_claim_no_key(request_: CallRequest) -> None:
    """
    The operator, nobody and a malformed text need no look-up of a key.
    """
    assert None is proof_of(request_.credential)


@pytest.mark.parametrize(
    ("request_", "key", "account_id"),
    [
        (builders.request(), builders.api_key(), builders.ACCOUNT_ID),
        (builders.request(), builders.api_key(revoked_at=builders.NOW), builders.ACCOUNT_ID),
        (builders.request(), None, None),
        (builders.request(), builders.api_key(id=12), None),
        (OTHER_SECRET, builders.api_key(), None),
        (NO_KEY, builders.api_key(), None),
        (OPERATOR, None, 7),
        (OPERATOR, builders.api_key(), 7),
    ],
)
def test_an_account_is_claimed_by_proof_or_by_the_operator(
    request_: CallRequest, key: ApiKey | None, account_id: int | None
) -> None:
    """
    Without the right secret no account is looked at.
    """
    assert account_id == account_id_of(request_.credential, key)


def test_readable_fields_are_looked_up_in_the_account() -> None:
    """
    The callee is read with the account's default region and the operator's check.
    """
    request = builders.request(
        content=builders.fields(phone_number="020 7946 0018", agent_id="assistant_x", contact_id=5)
    )
    account = builders.account(default_region="GB", currency="GBP")

    found = look_ups(request, account, builders.policy(number_check=NumberCheck.VALID))

    expected = LookUps(
        account_id=builders.ACCOUNT_ID,
        currency="GBP",
        agent_id="assistant_x",
        contact_id=5,
        callee=PhoneNumber("+442079460018"),
    )
    assert expected == found


def test_the_operators_check_decides_which_number_is_read() -> None:
    """
    The reference's example number is possible and not valid.
    """
    checks = [builders.policy(number_check=check) for check in (NumberCheck.POSSIBLE, NumberCheck.VALID)]

    callees = [look_ups(builders.request(), builders.account(), policy).callee for policy in checks]

    assert [builders.CALLEE, None] == callees


def test_nothing_is_looked_up_for_unreadable_fields() -> None:
    """
    A refused body names neither agent nor callee.
    """
    request = builders.request(content=Refused(reason=Reason.INVALID_JSON))

    found = look_ups(request, builders.account(), builders.policy())

    expected = LookUps(account_id=builders.ACCOUNT_ID, currency="USD", agent_id=None, contact_id=None, callee=None)
    assert expected == found
