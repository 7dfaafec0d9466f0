"""
Asking what would be decided about a call, without asking for it.
"""

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Refused
from outdial.domain.model.policy import Policy
from outdial.domain.rules.preview import Preview, preview
from outdial.domain.service.snapshot import facts_of
from outdial.ports.storage import Reader

NO_ROW = 0
"""The row of a call that is not going to be one."""


def preview_call(reader: Reader, request: CallRequest, policy: Policy) -> Preview | Refused:
    """
    Return what would be decided about a request now, by the facts that an acceptance would find.
    """
    return preview(request, facts_of(request, reader, policy=policy, call_number=NO_ROW))
