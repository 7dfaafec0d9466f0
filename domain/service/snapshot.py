"""
The facts for a request, looked up one by one; a database may find those of a whole batch at once.
"""

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.facts import Facts, account_id_of, look_ups, proof_of
from outdial.domain.model.policy import Policy
from outdial.domain.service.do_not_call import listed
from outdial.ports.storage import Reader


def facts_of(request: CallRequest, reader: Reader, *, policy: Policy, call_number: int) -> Facts:
    """
    Return what is true for a request in one snapshot; nothing of an account that its credential does not prove.

    Args:
        call_number: The row that the call gets if it is accepted.
    """
    proof = proof_of(request.credential)
    key = reader.directory.key(proof.key_id) if proof is not None else None
    account_id = account_id_of(request.credential, key)
    account = reader.directory.account(account_id) if account_id is not None else None
    if account is None:
        return Facts(now=request.received_at, policy=policy, call_number=call_number, key=key)
    wanted = look_ups(request, account, policy)
    agent_id, contact_id, callee = wanted.agent_id, wanted.contact_id, wanted.callee
    name = request.idempotency_key
    return Facts(
        now=request.received_at,
        policy=policy,
        call_number=call_number,
        key=key,
        account=account,
        prior=reader.calls.prior(account.id, name) if name is not None else None,
        calls_today=reader.calls.accepted_on(key.id, request.received_at.date()) if key is not None else 0,
        wallet=reader.wallets.wallet(account.id),
        callee=callee,
        agent=reader.directory.agent(account.id, agent_id) if agent_id is not None else None,
        contact=reader.contacts.person(account.id, contact_id) if contact_id is not None else None,
        dnc_entry=listed(reader, account.id, callee, at=request.received_at) if callee is not None else None,
        rates=reader.rulebook.rates_for(account.currency, callee) if callee is not None else (),
    )
