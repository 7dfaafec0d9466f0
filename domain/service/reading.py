"""
What a client may see of its calls.
"""

from datetime import datetime

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.contact import Person
from outdial.domain.model.decision import Refused
from outdial.domain.model.facts import account_id_of, proof_of
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.principal import Account, Credential, Operator, Permission
from outdial.domain.model.rate_limit import Window
from outdial.domain.model.reason import Reason
from outdial.domain.rules.principal import refuse_principal
from outdial.domain.service.administration import account_of
from outdial.ports.storage import Reader, Transaction


@attrs.frozen(kw_only=True)
class CallView:
    """
    A call with what its answer shows of others.

    Attributes:
        contact: The contact it was made to; `None` when none was named, or it was deleted since.
    """

    call: Call
    contact: Person | None


def admit(
    reader: Reader | Transaction,
    credential: Credential,
    permission: Permission | None,
    now: datetime,
    window: Window | None = None,
) -> Account | Refused:
    """
    Return the account that a credential may act for, or why it may not.

    Args:
        permission: `None` where any key will do.

        window: What the key's requests per minute say about the request; `None` where nobody counts.

    Raises:
        UnknownRecordError: The operator acts for an account that does not exist.
    """
    if isinstance(credential, Operator):
        return account_of(reader, credential.account_id)
    proof = proof_of(credential)
    key = reader.directory.key(proof.key_id) if proof is not None else None
    account_id = account_id_of(credential, key)
    account = reader.directory.account(account_id) if account_id is not None else None
    refused = refuse_principal(credential, key, account, permission=permission, now=now, window=window)
    if refused is not None or account is None:
        return refused or Refused(reason=Reason.INVALID_KEY)
    return account


def view_call(reader: Reader | Transaction, account: Account, reference: CallReference | None) -> CallView | Refused:
    """
    Return one of the account's calls; another account's is answered like none.

    Args:
        reference: `None` when the client's name for it can't be one.
    """
    call = reader.calls.call(account.id, reference) if reference is not None else None
    if call is None:
        return Refused(reason=Reason.NOT_FOUND)
    contact = reader.contacts.person(account.id, call.contact_id) if call.contact_id is not None else None
    return CallView(call=call, contact=contact)
