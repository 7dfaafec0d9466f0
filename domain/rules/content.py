"""
What was asked can be understood.
"""

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Refused
from outdial.domain.model.facts import Facts
from outdial.domain.model.reason import Reason


def content_is_readable(request: CallRequest, _facts: Facts) -> Refused | None:
    """
    The body is JSON of an allowed size, with every required field, each of its type.
    """
    return request.content if isinstance(request.content, Refused) else None


def phone_number_is_proper(_request: CallRequest, facts: Facts) -> Refused | None:
    """
    The number can be dialled: no emergency or short number, no other text.
    """
    return None if facts.callee is not None else Refused(reason=Reason.INVALID_PHONE_NUMBER)
