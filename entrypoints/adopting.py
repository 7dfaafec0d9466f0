"""
Asking again, on purpose, for a call that a restored, copied or promoted database had to give up.
"""

from collections.abc import Callable

import structlog

from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import Decision, Refused
from outdial.domain.model.identifiers import read_call_reference
from outdial.domain.model.principal import Credential, Operator
from outdial.domain.model.reason import Reason
from outdial.domain.service.quarantine import adoption_problem
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.watching import any_call
from outdial.ports.storage import Storage

_log = structlog.get_logger()


async def adopt(
    storage: Storage, acting: Callable[[Credential], Client], call_id: int | str, *, even_if_it_rang: bool
) -> Decision:
    """
    Ask for a call once more as the operator, and have it decided as any new call is; see `Dialer.adopt`.
    """
    reference = read_call_reference(str(call_id))
    call = await any_call(storage, reference) if reference is not None else None
    if call is None:
        return Refused(reason=Reason.NOT_FOUND)
    if problem := adoption_problem(call, even_if_it_rang=even_if_it_rang):
        raise ValueError(problem)
    calls = acting(Operator(account_id=call.account_id)).calls
    decision = await calls.initiate(_fields_of(call), idempotency_key=f"adopt-{call.call_id}")
    if not isinstance(decision, Refused):
        _log.info("call_adopted", call_id=call.call_id, adopted_as=decision.call.call_id)
    return decision


def _fields_of(call: Call) -> CallFields:
    return CallFields(
        phone_number=call.phone_number.e164,
        agent_id=call.agent_id,
        contact_id=call.contact_id,
        variables=call.script.variables,
    )
