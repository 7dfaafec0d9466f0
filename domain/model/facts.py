"""
Everything that a rule may see: a snapshot, taken once for a request.
"""

from datetime import datetime
from functools import cached_property

import attrs

from outdial.domain.model.agent import Agent
from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.contact import Person
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.identifiers import AgentReference, KeyProof
from outdial.domain.model.money import NO_CURRENCY
from outdial.domain.model.phone_number import PhoneNumber, parse_phone_number
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Account, ApiKey, Credential, Operator, PresentedKey
from outdial.domain.model.rate import Rate, rate_for
from outdial.domain.model.wallet import Wallet


@attrs.frozen(kw_only=True)
class Facts:
    """
    What is true for one request when it is decided.

    Attributes:
        call_number: The row that the call gets if it is accepted.

        key: The stored key that the presented one claims to be.

        account: The key's, or the operator's choice.

        contact: The contact that the request names.

        callee: The number, read by the account's and the operator's settings.

        dnc_entry: The callee's entry on a Do-Not-Call list that binds the account.

        rates: Rates of the account's currency whose prefix may fit the callee.

        prior: The account's call that was asked for with the same idempotency key.

        calls_today: Calls accepted with the key since midnight UTC.
    """

    now: datetime
    policy: Policy
    call_number: int
    key: ApiKey | None = None
    account: Account | None = None
    wallet: Wallet | None = None
    callee: PhoneNumber | None = None
    agent: Agent | None = None
    contact: Person | None = None
    dnc_entry: DncEntry | None = None
    rates: tuple[Rate, ...] = ()
    prior: Call | None = None
    calls_today: int = 0

    @cached_property
    def rate(self) -> Rate:
        """
        The price of calling the callee, found once: several rules ask for it.
        """
        policy = self.policy
        default = Rate(
            currency=self.account.currency if self.account is not None else NO_CURRENCY,
            prefix="",
            per_minute_micros=policy.default_rate_micros,
            increment_s=policy.default_increment_s,
            minimum_s=policy.default_minimum_s,
        )
        return default if self.callee is None else rate_for(self.callee, self.rates, default)


@attrs.frozen(kw_only=True)
class LookUps:
    """
    What storage must find for a request, once its account is known.
    """

    account_id: int
    currency: str
    agent_id: AgentReference | None
    contact_id: int | None
    callee: PhoneNumber | None


def proof_of(credential: Credential) -> KeyProof | None:
    """
    Return the key that a credential claims to be, if its text can be one.
    """
    return credential.proof if isinstance(credential, PresentedKey) else None


def account_id_of(credential: Credential, key: ApiKey | None) -> int | None:
    """
    Return the account that a credential belongs to; `None` when its secret does not prove the stored key.
    """
    if isinstance(credential, Operator):
        return credential.account_id
    proof = proof_of(credential)
    return key.account_id if key is not None and proof is not None and key.is_proved_by(proof) else None


def look_ups(request: CallRequest, account: Account, policy: Policy) -> LookUps:
    """
    Tell what storage must find for a request of an account; nothing where its fields can't be read.
    """
    fields = request.content
    if not isinstance(fields, CallFields):
        return LookUps(account_id=account.id, currency=account.currency, agent_id=None, contact_id=None, callee=None)
    return LookUps(
        account_id=account.id,
        currency=account.currency,
        agent_id=fields.agent_id,
        contact_id=fields.contact_id,
        callee=parse_phone_number(
            fields.phone_number, default_region=account.default_region, check=policy.number_check
        ),
    )
