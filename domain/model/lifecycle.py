"""
A call's states and what moves it between them: one table, and whatever is not in it changes nothing.

    queued -> leased -> sending -> dialing -> ringing -> in-progress -> ended -> settled
      |         |          |
      |         |          +-> queued, when it was surely not placed and may be tried again
      +---------+-> canceled | blocked

    sending, dialing, ringing, in-progress -> unknown, when nobody knows how it goes on
    unknown -> (evidence) dialing, ringing, in-progress, ended | (deadline) ended, as `outcome_unknown`
    settled, as `outcome_unknown` -> (late evidence) revealed

States may be skipped and events may come late or twice, as networks do: a trigger that has no row for the state is
ignored. `canceled`, `blocked` and `revealed` have no rows at all, and `settled` but one, for evidence that comes too
late to change more than what is known: terminal is final.
"""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """
    Where a call is in its life; the wire shows `status`, see `Call.status`.
    """

    QUEUED = "queued"
    LEASED = "leased"
    SENDING = "sending"
    UNKNOWN = "unknown"
    DIALING = "dialing"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    ENDED = "ended"
    SETTLED = "settled"
    REVEALED = "revealed"
    CANCELED = "canceled"
    BLOCKED = "blocked"


class Trigger(StrEnum):
    """
    What happens to a call.
    """

    LEASE = "lease"
    """A worker takes it; nothing has left the machine."""

    RETURN = "return"
    """The worker gives it back, or was lost before the point of no return."""

    SEND = "send"
    """The point of no return: from here on it may ring."""

    PLACE = "place"
    """The network took the order."""

    DOUBT = "doubt"
    """Nobody can tell whether the network took it, or what became of it."""

    RETRY = "retry"
    """The network surely did not take it, and it may be dialled once more."""

    RING = "ring"
    ANSWER = "answer"
    END = "end"
    SETTLE = "settle"

    REVEAL = "reveal"
    """Its outcome became known after all, too late to be billed."""

    CANCEL = "cancel"
    BLOCK = "block"
    """A rule that held at accept no longer holds at the point of no return."""


_ON_THE_LINE: Final = {
    Trigger.RING: State.RINGING,
    Trigger.ANSWER: State.IN_PROGRESS,
    Trigger.END: State.ENDED,
}

_IN_DOUBT: Final = {Trigger.DOUBT: State.UNKNOWN}

TRANSITIONS: Final[dict[State, dict[Trigger, State]]] = {
    State.QUEUED: {
        Trigger.LEASE: State.LEASED,
        Trigger.CANCEL: State.CANCELED,
        Trigger.BLOCK: State.BLOCKED,
    },
    State.LEASED: {
        Trigger.RETURN: State.QUEUED,
        Trigger.SEND: State.SENDING,
        Trigger.CANCEL: State.CANCELED,
        Trigger.BLOCK: State.BLOCKED,
    },
    State.SENDING: {Trigger.PLACE: State.DIALING, Trigger.RETRY: State.QUEUED, **_ON_THE_LINE, **_IN_DOUBT},
    State.UNKNOWN: {Trigger.PLACE: State.DIALING, **_ON_THE_LINE},
    State.DIALING: _ON_THE_LINE | _IN_DOUBT,
    State.RINGING: {Trigger.ANSWER: State.IN_PROGRESS, Trigger.END: State.ENDED, **_IN_DOUBT},
    State.IN_PROGRESS: {Trigger.END: State.ENDED, **_IN_DOUBT},
    State.ENDED: {Trigger.SETTLE: State.SETTLED},
    State.SETTLED: {Trigger.REVEAL: State.REVEALED},
    State.REVEALED: {},
    State.CANCELED: {},
    State.BLOCKED: {},
}

TERMINAL: Final = frozenset({State.SETTLED, State.REVEALED, State.CANCELED, State.BLOCKED})
"""States in which a call is over: it is never dialled again, and no account's money moves for it."""

ON_THE_LINE: Final = frozenset({State.SENDING, State.DIALING, State.RINGING, State.IN_PROGRESS})
"""States in which some worker hears of the call, as long as it lives."""

PAST_NO_RETURN: Final = frozenset(
    {State.SENDING, State.UNKNOWN, State.DIALING, State.RINGING, State.IN_PROGRESS, State.ENDED}
)
"""States in which the phone may ring or have rung, and the call must not be dialled again."""


BEGUN: Final = PAST_NO_RETURN | {State.LEASED}
"""States in which some worker sees the call through."""


def next_state(state: State, trigger: Trigger) -> State | None:
    """
    Return the state that a trigger leads to, or `None` when it changes nothing.
    """
    return TRANSITIONS[state].get(trigger)
