"""
What a client may see of its calls.
"""

from functools import partial

import pytest

from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.identifiers import CallReference, read_call_reference
from outdial.domain.model.principal import Credential, Operator, Permission, PresentedKey
from outdial.domain.model.reason import Reason
from outdial.domain.service.administration import revoke_key
from outdial.domain.service.reading import CallView, admit, view_call
from outdial.ports.errors import UnknownRecordError
from outdial.ports.storage import Reader
from tests import builders
from tests.contract.storage.database import Database, furnish_other
from tests.service.calls import accept, after

KEY = PresentedKey(text=builders.key_text())
OPERATOR = Operator(account_id=builders.ACCOUNT_ID)


def _view(database: Database, credential: Credential, reference: CallReference | None) -> CallView | Refused:
    def work(reader: Reader) -> CallView | Refused:
        account = admit(reader, credential, Permission.READ_CALLS, after(1))
        return account if isinstance(account, Refused) else view_call(reader, account, reference)

    return database.read(work)


def _refused(reason: Reason) -> Refused:
    return Refused(reason=reason)


@pytest.mark.parametrize("credential", [KEY, OPERATOR])
def test_a_call_is_seen_by_its_account(database: Database, credential: Credential) -> None:
    """
    A call is found by its row and by its public id.
    """
    call = accept(database)

    by_row = _view(database, credential, CallReference(number=call.id))
    by_id = _view(database, credential, read_call_reference(call.call_id))

    assert CallView(call=call, contact=None) == by_row == by_id


def test_a_call_is_shown_with_its_contact(database: Database) -> None:
    """
    The contact that a call was made to is shown as it is now.
    """
    call = _accept(database, builders.fields(contact_id=builders.CONTACT_ID))

    view = _view(database, KEY, CallReference(number=call.id))

    assert CallView(call=call, contact=builders.person()) == view


@pytest.mark.parametrize("reference", [None, CallReference(number=2), CallReference(number=1, token=builders.token(0))])
def test_what_names_no_call_is_not_found(database: Database, reference: CallReference | None) -> None:
    """
    A name that can't be one, another row and a wrong token are answered alike.
    """
    accept(database)

    assert _refused(Reason.NOT_FOUND) == _view(database, KEY, reference)


@pytest.mark.parametrize("credential", [PresentedKey(text=builders.key_text(22)), Operator(account_id=2)])
def test_another_accounts_call_is_not_found(database: Database, credential: Credential) -> None:
    """
    What belongs to others is answered like nothing.
    """
    database.transact(furnish_other)
    call = accept(database)

    assert _refused(Reason.NOT_FOUND) == _view(database, credential, read_call_reference(call.call_id))


@pytest.mark.parametrize(
    ("credential", "reason"),
    [
        (PresentedKey(text=None), Reason.AUTHENTICATION_REQUIRED),
        (PresentedKey(text=""), Reason.AUTHENTICATION_REQUIRED),
        (PresentedKey(text="od_live_nonsense"), Reason.INVALID_KEY),
        (PresentedKey(text=builders.key_text(12)), Reason.INVALID_KEY),
        (PresentedKey(text=builders.key_text(secret=builders.secret(1))), Reason.INVALID_KEY),
    ],
)
def test_strangers_learn_nothing(database: Database, credential: Credential, reason: Reason) -> None:
    """
    Who is not known hears so, whether the call exists or not.
    """
    call = accept(database)

    for number in (call.id, 99):
        assert _refused(reason) == _view(database, credential, CallReference(number=number))


def test_an_operator_is_told_that_there_is_no_such_account(database: Database) -> None:
    """
    It is a slip, and no secret.
    """
    with pytest.raises(UnknownRecordError, match="99"):
        _view(database, Operator(account_id=99), CallReference(number=1))


def test_reading_needs_its_permission(database: Database) -> None:
    """
    A key that may do anything but read sees no calls.
    """
    permissions = frozenset(Permission) - {Permission.READ_CALLS}
    database.transact(lambda transaction: transaction.directory.update_key(builders.api_key(permissions=permissions)))
    call = accept(database)

    assert _refused(Reason.PERMISSION_DENIED) == _view(database, KEY, CallReference(number=call.id))


def test_a_revoked_key_reads_no_more(database: Database) -> None:
    """
    Revoking works at once.
    """
    call = accept(database)
    database.transact(partial(revoke_key, key_id=builders.KEY_ID, at=after(0)))

    assert _refused(Reason.INVALID_KEY) == _view(database, KEY, CallReference(number=call.id))


@pytest.mark.parametrize("permission", Permission)
def test_whoever_is_admitted_acts_for_an_account(database: Database, permission: Permission) -> None:
    """
    A key with the permission, and the operator with any, get the account itself.
    """
    for credential in (KEY, OPERATOR):
        admitted = database.read(partial(admit, credential=credential, permission=permission, now=after(1)))

        assert builders.account() == admitted


def _accept(database: Database, fields: CallFields) -> Call:
    (decision,) = database.accept(builders.request(content=fields))
    assert isinstance(decision, Accepted)
    return decision.call
