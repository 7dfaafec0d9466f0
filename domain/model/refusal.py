"""
What is kept of a request that was refused.
"""

from datetime import datetime

import attrs

from outdial.domain.model.decision import Decision, FieldProblem
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.reason import Reason


@attrs.frozen(kw_only=True)
class Refusal:
    """
    A request of a known account that was refused.

    Attributes:
        number: Its row, in order of time; 0 until it is stored.

        key_id: The key it was asked with; `None` for the operator.

        problems: As of `Refused`.

        phone_number: The number that was asked for, if it was a proper one.

        agent_id: The row of the agent that was asked for, if there is one.
    """

    number: int = 0
    account_id: int
    key_id: int | None
    at: datetime
    reason: Reason
    problems: tuple[FieldProblem, ...] = ()
    phone_number: PhoneNumber | None
    agent_id: int | None
    grounds: Grounds


@attrs.frozen(kw_only=True)
class Decided:
    """
    A decision, as it is to be recorded.

    Attributes:
        refusal: What is kept of a refused request; `None` when nothing is, as of strangers'.
    """

    decision: Decision
    refusal: Refusal | None = None
