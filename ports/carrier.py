"""
Ringing a phone: what a telephone network or a hosted platform has to do for outdial.
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Protocol

import attrs

from outdial.domain.model.call_event import CallEvent, Ended
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.errors import OutdialError


@attrs.frozen(kw_only=True)
class DialOrder:
    """
    One attempt to ring one phone; it may be placed once.

    Attributes:
        attempt_id: Unique over all databases and restarts; rides in the carrier's dedupe field (the SIP Call-ID).

        callee: The number to ring.

        caller_id: The number shown to the callee.

        ring_timeout_s: Give up ringing after this long; at least 1.

        max_duration_s: Hang up this long after the answer, because the hold pays for no more; at least 1.
    """

    attempt_id: str
    callee: PhoneNumber
    caller_id: PhoneNumber
    ring_timeout_s: int = attrs.field(validator=attrs.validators.ge(1))
    max_duration_s: int = attrs.field(validator=attrs.validators.ge(1))


@attrs.frozen(kw_only=True)
class Audio:
    """
    Sound for a telephone: linear PCM, signed 16 bit little-endian, mono, 8,000 samples a second.
    """

    pcm: bytes = attrs.field(repr=lambda pcm: f"<{len(pcm)} bytes>")

    @property
    def duration_s(self) -> float:
        """
        Playing time in seconds.
        """
        return len(self.pcm) / 2 / AUDIO_RATE_HZ


AUDIO_RATE_HZ = 8000


@attrs.frozen(kw_only=True)
class Announce:
    """
    Play this once to whoever answers, then hang up.
    """

    audio: Audio


@attrs.frozen(kw_only=True)
class SipUri:
    """
    Join the callee to an agent that has a SIP address of its own.

    Attributes:
        uri: `sip:` or `sips:` URI of the agent.

        headers: Further headers of the agent's INVITE, by name.
    """

    uri: str
    headers: Mapping[str, str] = attrs.field(factory=dict)


Connect = Announce | SipUri
"""What the callee is connected to after the answer."""


class Proof(StrEnum):
    """
    What a network's answer to an order proves.

    Each carrier has a table of its answers; whatever is not in it is ambiguous.
    """

    PLACED = "placed"
    """The network took it: the phone rings or will."""

    NOT_PLACED = "not_placed"
    """No phone rings for it, now or later: the only proof that lets a call be dialled again."""

    AMBIGUOUS = "ambiguous"
    """Nobody can tell."""


@attrs.frozen(kw_only=True)
class Placed:
    """
    The network took the order: the phone rings or will.

    Attributes:
        reference: The network's own name for the attempt, for its support and bills.
    """

    reference: str


class RejectedError(OutdialError):
    """
    The order was surely not placed: no phone rings for it, now or later, so that another may follow.

    Attributes:
        disposition: Why, in our words.

        cause: Why, in the network's words.

        is_lasting: Whether the next order would be refused as well, as something has to be set right before.
    """

    def __init__(self, disposition: Disposition, cause: HangUpCause, *, is_lasting: bool = False) -> None:
        super().__init__(f"The carrier rejected the order: {disposition} ({cause}).")
        self.disposition = disposition
        self.cause = cause
        self.is_lasting = is_lasting


class UncertainError(OutdialError):
    """
    Nobody can tell whether the phone rings or will; it must not be dialled again.

    Attributes:
        cause: What was seen.
    """

    def __init__(self, cause: HangUpCause) -> None:
        super().__init__(f"The carrier's answer leaves open whether the phone rings ({cause}).")
        self.cause = cause


Report = Callable[[CallEvent], None]
"""Takes an attempt's events as they happen; never raises, never waits."""

OnAnswer = Callable[[], Awaitable[Announce | None]]
"""
Asked once, when somebody has answered and before anything is said to them; never raises, and answers within 3 s.

`None` lets the conversation begin. An announcement takes its place: it is played, and the line is hung up.
"""


async def no_objection() -> None:
    """
    Let every conversation begin: for carriers that are tried out alone.
    """


class Carrier(Protocol):
    """
    A way to ring phones. All methods are called on one event loop.
    """

    async def start(self) -> None:
        """
        Get ready to place calls: bind sockets, load what is needed.

        Raises:
            CarrierUnavailableError: It can't work as configured; the message says what to change.
        """

    async def stop(self) -> None:
        """
        Hang up whatever lives, report its end, and free all resources within 10 s. Idempotent.

        What rings ends as `canceled`, what talks as `disconnected`. Orders that come later are rejected.
        """

    async def place(
        self, order: DialOrder, connect: Connect, report: Report, on_answer: OnAnswer = no_objection
    ) -> Placed:
        """
        Send one order, once: no retry, no redirect, no second trunk.

        Returns when the network took it. What follows goes to `report`: any of `Ringing` and `Answered`, then exactly
        one `Ended`. After `UncertainError` events may still be reported, as evidence. After `RejectedError` none.

        Whoever answers is connected to `connect`, unless `on_answer` objects; until it is answered nothing is said.

        Raises:
            RejectedError: Surely not placed.

            UncertainError: Anything else that is not an acceptance.
        """

    async def hang_up(self, attempt_id: str, disposition: Disposition) -> None:
        """
        Stop ringing or talking; the attempt's `Ended` carries `disposition`. Already ended or unknown is success.

        It is heard from the moment `place` was called, too: then nothing is sent, or what was is taken back.
        """

    async def find(self, attempt_id: str) -> Ended | None:
        """
        Return how an attempt ended whose events nobody hears any more, as far as the network knows.

        Asked for attempts of other processes, too, at any time after `start`, again and again, by several processes at
        once; changes nothing. `None` proves nothing: the attempt may live, or the network does not know it, or not yet.

        Raises:
            OutdialError: The network can't be asked now. Waiting is bounded by the caller, at 5 s.
        """
