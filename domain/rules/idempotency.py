"""
The same request twice is one call.
"""

from datetime import timedelta

from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.decision import Refused, Replayed
from outdial.domain.model.facts import Facts
from outdial.domain.model.idempotency import digest_of
from outdial.domain.model.reason import Reason


def idempotency_key_is_unused(request: CallRequest, facts: Facts) -> Refused | Replayed | None:
    """
    No call of the account was asked for with the same key; otherwise the same request gets the same answer.
    """
    prior = facts.prior
    if prior is None or not isinstance(request.content, CallFields):
        return None
    if facts.now - prior.created_at > timedelta(seconds=facts.policy.idempotency_retention_s):
        return Refused(reason=Reason.IDEMPOTENCY_KEY_EXPIRED)
    if prior.request_digest != digest_of(request.content):
        return Refused(reason=Reason.IDEMPOTENCY_CONFLICT)
    return Replayed(call=prior)
