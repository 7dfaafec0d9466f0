"""
Where an account wants to hear of its calls, and what it is told.
"""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

import attrs

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.domain.model.webhook_signature import Secret

WEBHOOKS_MAX: Final = 20
"""Of one account: each event of a call is sent to all that want it."""


class EventType(StrEnum):
    """
    What may be told of a call.
    """

    CALL_STARTED = "call.started"
    """It was answered."""

    CALL_ENDED = "call.ended"
    """It is over and took place."""

    CALL_FAILED = "call.failed"
    """It is over and did not take place, or was broken off."""


class FailureReason(StrEnum):
    """
    Why a call failed, in the few words that `call.failed` has for it.
    """

    NO_ANSWER = "no-answer"
    BUSY = "busy"
    DISCONNECTED = "disconnected"
    INVALID_NUMBER = "invalid-number"
    REJECTED = "rejected"
    CANCELED = "canceled"
    FAILED = "failed"


FAILURES: Final = {
    Disposition.NO_ANSWER: FailureReason.NO_ANSWER,
    Disposition.BUSY: FailureReason.BUSY,
    Disposition.DISCONNECTED: FailureReason.DISCONNECTED,
    Disposition.INVALID_NUMBER: FailureReason.INVALID_NUMBER,
    Disposition.REJECTED: FailureReason.REJECTED,
    Disposition.CANCELED: FailureReason.CANCELED,
}
"""Every other end is `failed`; the call's `ended_reason` tells more."""


def failure_of(call: Call) -> FailureReason:
    """
    Return why a failed call failed.
    """
    reason = FailureReason.FAILED
    return FAILURES.get(call.disposition, reason) if call.disposition is not None else reason


def event_of(call: Call) -> EventType | None:
    """
    Return what is told when a call has reached its state; most states are nobody's business.

    Whoever was told that a call failed, as nobody knew its outcome, is told when it turns out that it took place.
    """
    if call.state is State.IN_PROGRESS:
        return EventType.CALL_STARTED
    if not call.is_terminal:
        return None
    if call.status is Status.COMPLETED:
        return EventType.CALL_ENDED
    return EventType.CALL_FAILED if call.state is not State.REVEALED else None


def as_told(call: Call, event_type: EventType, at: datetime) -> Call:
    """
    Return a call as it was at an event, whatever happened to it since.

    Args:
        at: When the event happened.
    """
    match event_type:
        case EventType.CALL_STARTED:
            return call.as_of(State.IN_PROGRESS, at)
        case EventType.CALL_FAILED:
            return call.as_of(State.SETTLED, at)
        case EventType.CALL_ENDED:
            return call
        case unknown:
            assert_never(unknown)


class DisabledReason(StrEnum):
    """
    Why a webhook gets nothing.
    """

    REQUESTED = "requested"
    """Its owner wished so."""

    GONE = "gone"
    """Its endpoint answered 410."""


@attrs.frozen(kw_only=True)
class Webhook:
    """
    An endpoint of an account.

    Attributes:
        url: As `check_url` lets pass.

        events: What it wants to be told; at least one.

        description: For its owner.

        secret: Signs what is sent.

        previous_secret: The one before, which signs as well until `previous_secret_expires_at`.

        disabled_reason: `None` while it is enabled.
    """

    id: int
    account_id: int
    url: str
    events: frozenset[EventType] = attrs.field(validator=attrs.validators.min_len(1))
    description: str = ""
    secret: Secret
    previous_secret: Secret | None = None
    previous_secret_expires_at: datetime | None = None
    disabled_reason: DisabledReason | None = None
    created_at: datetime

    @property
    def is_enabled(self) -> bool:
        """
        Whether it is told anything.
        """
        return self.disabled_reason is None

    def wants(self, event_type: EventType) -> bool:
        """
        Tell whether it is told of such an event now.
        """
        return self.is_enabled and event_type in self.events

    def secrets_at(self, now: datetime) -> tuple[Secret, ...]:
        """
        Return the secrets that sign at a time, the newest first.
        """
        expires_at = self.previous_secret_expires_at
        if self.previous_secret is None or expires_at is None or expires_at <= now:
            return (self.secret,)
        return self.secret, self.previous_secret


@attrs.frozen(kw_only=True)
class Message:
    """
    That something happened to a call: the same for all who are told, each time they are told.

    Attributes:
        number: Its place among all messages, in order of occurrence; 0 until it is stored.

        id: Its name, `msg_...`: always the same for one event of one call.

        at: When it happened.

        body: What is sent, JSON; `None` until it is about to be sent for the first time.
    """

    number: int = 0
    id: str
    account_id: int
    call_id: int
    event_type: EventType
    at: datetime
    body: str | None = None


def message_of(call: Call, event_type: EventType, at: datetime) -> Message:
    """
    Return the message that tells of an event of a call.
    """
    digest = hashlib.blake2b(f"{call.call_id}:{event_type}".encode(), digest_size=16).hexdigest()
    return Message(id=f"msg_{digest}", account_id=call.account_id, call_id=call.id, event_type=event_type, at=at)
