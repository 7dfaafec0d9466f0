"""
What is decided about a request: accepted as a call, or refused for a reason.
"""

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.rate_limit import Window
from outdial.domain.model.reason import Reason
from outdial.domain.model.wallet import LedgerEntry


@attrs.frozen(kw_only=True)
class FieldProblem:
    """
    What is wrong with one field.

    Attributes:
        field: Its name on the wire, with dots for nested ones.

        problem: One sentence.
    """

    field: str
    problem: str


@attrs.frozen(kw_only=True)
class Shortfall:
    """
    How much money a call would have needed.

    Attributes:
        balance_micros: Money owned.

        available_micros: Money owned less open holds.

        rate_micros: Price per minute.

        required_micros: The least that must be available.

        currency: ISO 4217 code of all of them.
    """

    balance_micros: int
    available_micros: int
    rate_micros: int
    required_micros: int
    currency: str


@attrs.frozen(kw_only=True)
class Refused:
    """
    The call may not be made; nothing was stored or held.

    Attributes:
        problems: For `Reason.VALIDATION_ERROR`: each thing that is wrong.

        shortfall: For `Reason.INSUFFICIENT_FUNDS`.

        window: For `Reason.RATE_LIMIT_EXCEEDED`: the limit that is used up, and when it may be tried again.
    """

    reason: Reason
    problems: tuple[FieldProblem, ...] = ()
    shortfall: Shortfall | None = None
    window: Window | None = None


@attrs.frozen(kw_only=True)
class Accepted:
    """
    The call will be dialled; it, its hold and its grounds are recorded together.

    Attributes:
        call: The new call, queued.

        hold: The ledger row that sets its money aside.

        grounds: What the acceptance rests on.
    """

    call: Call
    hold: LedgerEntry
    grounds: Grounds


@attrs.frozen(kw_only=True)
class Replayed:
    """
    The same request was accepted before: it gets the same answer, and nothing is dialled for it.

    Attributes:
        call: The call that was accepted then, whatever became of it.
    """

    call: Call


Decision = Accepted | Replayed | Refused
