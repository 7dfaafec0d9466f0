"""
What a carrier tells about an attempt while it lives; states may be skipped or come out of order.
"""

from datetime import datetime

import attrs

from outdial.domain.model.disposition import Disposition, HangUpCause


@attrs.frozen(kw_only=True)
class Ringing:
    """
    The callee's phone rings.
    """

    attempt_id: str
    at: datetime


@attrs.frozen(kw_only=True)
class Answered:
    """
    Somebody or something answered: the agent may speak and billing begins.

    Attributes:
        by_machine: `True` when the carrier took the answer for a machine's; `None` when it can't tell.
    """

    attempt_id: str
    at: datetime
    by_machine: bool | None = None


@attrs.frozen(kw_only=True)
class Ended:
    """
    The attempt is over; nothing follows.

    Attributes:
        disposition: Why.

        talk_s: Whole seconds from the answer to the end by the carrier's steady clock, rounded up; 0 when it was
            never answered.

        cause: The network's own words.
    """

    attempt_id: str
    at: datetime
    disposition: Disposition
    talk_s: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    cause: HangUpCause = attrs.field(factory=HangUpCause)


CallEvent = Ringing | Answered | Ended
