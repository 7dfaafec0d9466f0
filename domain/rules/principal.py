"""
Who may ask: a stranger learns nothing else.
"""

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Refused
from outdial.domain.model.facts import Facts, claimed_account_id
from outdial.domain.model.principal import ApiKey, Operator, Permission, PresentedKey
from outdial.domain.model.reason import Reason


def key_is_presented(request: CallRequest, _facts: Facts) -> Refused | None:
    """
    A request carries an API key, or is the operator's own.
    """
    if isinstance(request.credential, PresentedKey) and not request.credential.text:
        return Refused(reason=Reason.AUTHENTICATION_REQUIRED)
    return None


def key_is_live(request: CallRequest, facts: Facts) -> Refused | None:
    """
    The key is known, proved by its secret, neither revoked nor expired, and has an account.
    """
    key_works = isinstance(request.credential, Operator) or (facts.key is not None and facts.key.is_live(facts.now))
    known = claimed_account_id(request, facts.key) is not None and facts.account is not None
    return None if key_works and known else Refused(reason=Reason.INVALID_KEY)


def principal_may_initiate_calls(request: CallRequest, facts: Facts) -> Refused | None:
    """
    The key has the permission `can_initiate_calls`; the operator has every permission.
    """
    if isinstance(request.credential, Operator) or _allows(facts.key, Permission.INITIATE_CALLS):
        return None
    return Refused(reason=Reason.PERMISSION_DENIED)


def _allows(key: ApiKey | None, permission: Permission) -> bool:
    return key is not None and permission in key.permissions
