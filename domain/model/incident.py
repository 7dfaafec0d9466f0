"""
What must not happen and was caught: phones that rang, or were answered, for a call that was not to go on.
"""

from datetime import datetime
from enum import StrEnum

import attrs

from outdial.domain.model.disposition import Disposition


class IncidentKind(StrEnum):
    """
    How somebody was reached.
    """

    ANSWER_STOPPED = "answer_stopped"
    """They answered, and heard an apology instead of the agent."""

    LINE_CUT = "line_cut"
    """The order was in the network, ringing perhaps, when the call was found to be over: it was hung up unanswered."""


class Objection(StrEnum):
    """
    What stood against a call that was past its point of no return.
    """

    DO_NOT_CALL = "do_not_call"
    """The number was listed meanwhile."""

    CANCELED = "canceled"
    """Its client wanted it to end, its key was revoked, or its agent has another number."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    """Its hold is gone."""

    OVER = "over"
    """Others had ended it: it was dialled by a process that slept, or out of a network's queue."""

    SUPERSEDED = "superseded"
    """It had been leased anew, because the network had said that no phone rings for this attempt."""

    NOT_CHECKED = "not_checked"
    """The database could not be asked in time, so that nobody knew whether it may go on."""

    @property
    def disposition(self) -> Disposition:
        """
        How a call ends that is stopped by it, unless it has an end already.
        """
        match self:
            case Objection.OVER | Objection.SUPERSEDED:
                return Disposition.OUTCOME_UNKNOWN
            case Objection.NOT_CHECKED:
                return Disposition.CANCELED
            case _:
                return Disposition(self.value)


@attrs.frozen(kw_only=True)
class Incident:
    """
    Somebody was reached who should not have been; each attempt has one at most.

    Attributes:
        number: Strictly increases over the database; 0 until it is stored.

        attempt: Which of the call's attempts it was, from 1.

        objection: Why they should not have been.

        at: When it was caught.
    """

    number: int = 0
    account_id: int
    call_id: int
    attempt: int
    kind: IncidentKind
    objection: Objection
    at: datetime
