"""
A call's states and what moves it between them: one table, and whatever is not in it changes nothing.

    queued -> leased -> sending -> dialing -> ringing -> in-progress -> ended -> settled
      |         |          |
      |         |          +-> unknown -> (evidence) dialing, ringing, in-progress | (deadline) ended
      +---------+-> canceled | blocked

States may be skipped and events may come late or twice, as networks do: a trigger that has no row for the state is
ignored. `settled`, `canceled` and `blocked` have no rows at all: terminal is final.
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
    """Nobody can tell whether the network took it."""

    RING = "ring"
    ANSWER = "answer"
    END = "end"
    SETTLE = "settle"
    CANCEL = "cancel"
    BLOCK = "block"
    """A rule that held at accept no longer holds at the point of no return."""


_ON_THE_LINE: Final = {
    Trigger.RING: State.RINGING,
    Trigger.ANSWER: State.IN_PROGRESS,
    Trigger.END: State.ENDED,
}

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
    State.SENDING: {Trigger.PLACE: State.DIALING, Trigger.DOUBT: State.UNKNOWN, **_ON_THE_LINE},
    State.UNKNOWN: {Trigger.PLACE: State.DIALING, **_ON_THE_LINE},
    State.DIALING: _ON_THE_LINE,
    State.RINGING: {Trigger.ANSWER: State.IN_PROGRESS, Trigger.END: State.ENDED},
    State.IN_PROGRESS: {Trigger.END: State.ENDED},
    State.ENDED: {Trigger.SETTLE: State.SETTLED},
    State.SETTLED: {},
    State.CANCELED: {},
    State.BLOCKED: {},
}

TERMINAL: Final = frozenset(state for state, rows in TRANSITIONS.items() if not rows)
"""States that a call never leaves."""

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
