"""
How the telephone network of these tests misbehaves: with an order, with the call itself, and when it is asked later.
"""

import dataclasses
from enum import Enum, auto
from typing import Final


class Reply(Enum):
    """
    What becomes of an order that was taken.
    """

    PROMPT = auto()
    SLOW = auto()

    LATE = auto()
    """The order is answered when nobody waits for that any more."""

    ERROR = auto()
    """It is answered that something went wrong."""

    RESET = auto()
    """The connection breaks: whoever dialled hears no more of it."""

    GARBAGE = auto()
    """The answer can't be read, and nothing follows."""

    MUTE = auto()
    """It is answered that something went wrong; nobody is heard, and the end is told after everybody's patience."""


class LookUp(Enum):
    """
    What is said of calls that were taken, to whoever asks for them.
    """

    HONEST = auto()
    LAGS = auto()
    """A call that is over is not found for a while."""

    NOT_FOUND = auto()
    """No call is ever found."""

    FAILS = auto()


@dataclasses.dataclass(frozen=True)
class Fault:
    """
    What is played for a callee.

    Attributes:
        status: 201, or the documented refusal.

        refusals: How many attempts are refused with it.

        rings_long: Whether the phone is answered shortly before everybody's patience ends.
    """

    reply: Reply = Reply.PROMPT
    status: int = 201
    refusals: int = 0
    rings_long: bool = False
    look_up: LookUp = LookUp.HONEST


BUSY: Final = 486
UNAVAILABLE: Final = 503
ALWAYS: Final = 10**6

HONEST: Final = "honest"
FAULTS: Final[dict[str, Fault]] = {
    HONEST: Fault(),
    "accept+500": Fault(reply=Reply.ERROR),
    "accept+late": Fault(reply=Reply.LATE),
    "accept+reset": Fault(reply=Reply.RESET),
    "garbage": Fault(reply=Reply.GARBAGE),
    "slow": Fault(reply=Reply.SLOW),
    "busy": Fault(status=BUSY, refusals=ALWAYS),
    "refuse": Fault(status=UNAVAILABLE, refusals=1),
    "refuse always": Fault(status=UNAVAILABLE, refusals=ALWAYS),
    "rings long": Fault(rings_long=True),
    "tells too late": Fault(reply=Reply.MUTE, look_up=LookUp.NOT_FOUND),
    "look-up lags": Fault(reply=Reply.RESET, look_up=LookUp.LAGS),
    "look-up finds nothing": Fault(reply=Reply.RESET, look_up=LookUp.NOT_FOUND),
    "look-up fails": Fault(reply=Reply.RESET, look_up=LookUp.FAILS),
}
"""What is played, by name; the callee's last two digits are the place in this list."""

NAMES: Final = tuple(FAULTS)


def fault_of(callee: str) -> str:
    """
    Return what is played for a callee.
    """
    return NAMES[int(callee[-2:]) % len(NAMES)]


def callee(fault: str, number: int = 0) -> str:
    """
    Return a number of which the network makes what the fault says.
    """
    return f"+1555{1_000_000 + number * 100 + NAMES.index(fault)}"
