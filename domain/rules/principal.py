"""
Who may ask: a stranger learns nothing else.
"""

import math
from datetime import datetime, timedelta

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Refused
from outdial.domain.model.facts import Facts, account_id_of
from outdial.domain.model.principal import Account, ApiKey, Credential, Operator, Permission, PresentedKey
from outdial.domain.model.rate_limit import Limit, Window
from outdial.domain.model.reason import Reason


def key_is_presented(request: CallRequest, _facts: Facts) -> Refused | None:
    """
    A request carries an API key, or is the operator's own.
    """
    return _refuse_absent(request.credential)


def key_is_live(request: CallRequest, facts: Facts) -> Refused | None:
    """
    The key is known, proved by its secret, neither revoked nor expired, and has an account.
    """
    return _refuse_unknown(request.credential, facts.key, facts.account, facts.now)


def principal_may_initiate_calls(request: CallRequest, facts: Facts) -> Refused | None:
    """
    The key has the permission `can_initiate_calls`; the operator has every permission.
    """
    return _refuse_unpermitted(request.credential, facts.key, Permission.INITIATE_CALLS)


def key_has_requests_left_this_minute(request: CallRequest, _facts: Facts) -> Refused | None:
    """
    The key's requests per minute are not used up; the operator has no limit.
    """
    return _refuse_exceeding(request.window)


def key_has_calls_left_today(_request: CallRequest, facts: Facts) -> Refused | None:
    """
    The key's calls per day (of UTC) are not used up; the operator has no limit.
    """
    if facts.key is None or facts.calls_today < facts.key.calls_per_day:
        return None
    midnight = facts.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    window = Window(
        limit=Limit.CALLS_PER_DAY,
        quota=facts.key.calls_per_day,
        remaining=0,
        reset_s=math.ceil((midnight - facts.now).total_seconds()),
        is_exceeded=True,
    )
    return _refuse_exceeding(window)


def refuse_principal(
    credential: Credential,
    key: ApiKey | None,
    account: Account | None,
    *,
    permission: Permission | None,
    now: datetime,
    window: Window | None = None,
) -> Refused | None:
    """
    Judge who asks for anything but a call, in the ladder's order.

    Args:
        key: The stored key that the credential claims to be.

        account: The account that the credential belongs to.

        permission: `None` where any key will do.

        window: What the key's requests per minute say about the request; `None` where nobody counts.
    """
    return (
        _refuse_absent(credential)
        or _refuse_unknown(credential, key, account, now)
        or _refuse_unpermitted(credential, key, permission)
        or _refuse_exceeding(window)
    )


def _refuse_absent(credential: Credential) -> Refused | None:
    if isinstance(credential, PresentedKey) and not credential.text:
        return Refused(reason=Reason.AUTHENTICATION_REQUIRED)
    return None


def _refuse_unknown(
    credential: Credential, key: ApiKey | None, account: Account | None, now: datetime
) -> Refused | None:
    key_works = isinstance(credential, Operator) or (key is not None and key.is_live(now))
    known = account is not None and account_id_of(credential, key) == account.id
    return None if key_works and known else Refused(reason=Reason.INVALID_KEY)


def _refuse_unpermitted(credential: Credential, key: ApiKey | None, permission: Permission | None) -> Refused | None:
    if permission is None or isinstance(credential, Operator) or (key is not None and permission in key.permissions):
        return None
    return Refused(reason=Reason.PERMISSION_DENIED)


def _refuse_exceeding(window: Window | None) -> Refused | None:
    if window is None or not window.is_exceeded:
        return None
    return Refused(reason=Reason.RATE_LIMIT_EXCEEDED, window=window)
