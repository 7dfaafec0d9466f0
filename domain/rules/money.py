"""
Who pays, and whether there is enough.
"""

import attrs

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Refused, Shortfall
from outdial.domain.model.facts import Facts
from outdial.domain.model.reason import Reason


@attrs.frozen(kw_only=True)
class Cover:
    """
    What a wallet pays for.

    Attributes:
        max_duration_s: Talk time that is paid for; at least 1.

        hold_micros: Its price.
    """

    max_duration_s: int
    hold_micros: int


def wallet_covers_hold(_request: CallRequest, facts: Facts) -> Refused | None:
    """
    The wallet can set aside the price of the shortest call worth making.
    """
    cover = cover_of(facts)
    return None if isinstance(cover, Cover) else Refused(reason=Reason.INSUFFICIENT_FUNDS, shortfall=cover)


def cover_of(facts: Facts) -> Cover | Shortfall:
    """
    Return the hold for the longest call that the policy allows and the wallet can pay for.
    """
    rate, policy = facts.rate, facts.policy
    available_micros = facts.wallet.available_micros if facts.wallet is not None else 0
    minimum_s = min(policy.minimum_hold_s, policy.max_call_duration_s)
    talk_s = rate.affordable_s(available_micros, limit_s=policy.max_call_duration_s)
    if talk_s >= minimum_s:
        return Cover(max_duration_s=talk_s, hold_micros=rate.price(talk_s))
    return Shortfall(
        balance_micros=facts.wallet.balance_micros if facts.wallet is not None else 0,
        available_micros=available_micros,
        rate_micros=rate.per_minute_micros,
        required_micros=rate.price(minimum_s),
        currency=rate.currency,
    )
