"""
How long is waited for what, and how often it is tried again: judged from times alone.
"""

from datetime import datetime, timedelta
from typing import Final

import attrs
from attrs.validators import ge

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition

GRACE_S: Final = 10
"""How much later than its own time limits a carrier may report: one that cancels waits some seconds for the answer."""

SLACK_S: Final = 60
"""How long after a deadline a worker has to end its own call by itself, and how far two clocks may differ."""

FIRST_PAUSE_S: Final = 5
PAUSE_GROWTH: Final = 3
"""5, 15, 45 s and so on, each up to a quarter shorter or longer, so that a trunk that comes back is not run over."""


@attrs.frozen(kw_only=True)
class Patience:
    """
    What the operator has settled about waiting.

    Attributes:
        ring_timeout_s: How long a phone rings unanswered.

        evidence_lag_s: How late a network may tell of a call that nobody heard of, counted from its last possible
            second; until then its hold is kept.

        attempts_max: How often a call is dialled in all, as long as the network surely did not take it.
    """

    ring_timeout_s: int = attrs.field(default=40, validator=ge(1))
    evidence_lag_s: int = attrs.field(default=60, validator=ge(0))
    attempts_max: int = attrs.field(default=3, validator=ge(1))

    def until_answered(self, at: datetime) -> datetime:
        """
        Return until when something is to be heard of an order that is placed now, or a phone that begins to ring.
        """
        return at + timedelta(seconds=self.ring_timeout_s + GRACE_S)

    def until_hung_up(self, call: Call, at: datetime) -> datetime:
        """
        Return until when a call that is answered now is over.
        """
        return at + timedelta(seconds=call.max_duration_s + GRACE_S)

    def until_known(self, call: Call, at: datetime) -> datetime:
        """
        Return until when evidence is waited for of a call of which nothing is known from now on.
        """
        return at + timedelta(seconds=self.ring_timeout_s + call.max_duration_s + self.evidence_lag_s)

    def next_attempt(self, call: Call, disposition: Disposition, at: datetime) -> datetime | None:
        """
        Return when a call that the network surely did not take is dialled again; `None` when it is not.

        Only trouble of the network may pass; what it says of the callee stays true.
        """
        if disposition is not Disposition.CARRIER_ERROR or call.hang_up_at is not None:
            return None
        again_at = at + timedelta(seconds=_pause_s(call))
        return again_at if call.attempt < self.attempts_max and again_at < call.expires_at else None


def _pause_s(call: Call) -> float:
    """
    Return how long to wait after an attempt, spread over calls by their numbers.
    """
    spread = (call.id * 0x9E3779B1 % 2**32) / 2**32
    pause_s: int = FIRST_PAUSE_S * PAUSE_GROWTH ** (call.attempt - 1)
    return pause_s * (0.75 + spread / 2)
