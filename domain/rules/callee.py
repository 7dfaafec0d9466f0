"""
Who may be called.
"""

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Refused
from outdial.domain.model.facts import Facts
from outdial.domain.model.phone_number import NumberKind, PhoneNumber
from outdial.domain.model.principal import Account
from outdial.domain.model.reason import Reason


def destination_is_allowed(_request: CallRequest, facts: Facts) -> Refused | None:
    """
    The account's settings allow the number's country, and its kind at its price.
    """
    allowed = (
        facts.account is not None
        and facts.callee is not None
        and _region_is_allowed(facts.account, facts.callee)
        and _kind_is_allowed(facts.account, facts.callee, facts)
    )
    return None if allowed else Refused(reason=Reason.DESTINATION_NOT_ALLOWED)


def callee_not_on_dnc_list(_request: CallRequest, facts: Facts) -> Refused | None:
    """
    No Do-Not-Call list that binds the account names the number.
    """
    return None if facts.dnc_entry is None else Refused(reason=Reason.DO_NOT_CALL)


def _region_is_allowed(account: Account, callee: PhoneNumber) -> bool:
    return not account.allowed_regions or callee.region in account.allowed_regions


def _kind_is_allowed(account: Account, callee: PhoneNumber, facts: Facts) -> bool:
    kind = callee.kind
    if kind is NumberKind.ORDINARY:
        return True
    cap_micros = account.price_caps_micros.get(kind)
    return cap_micros is not None and facts.rate.per_minute_micros <= cap_micros
