"""
One message on its way to one webhook: when it is tried, and what became of it.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Final

import attrs

from outdial.domain.model.webhook import Message

RETRY_DELAYS_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Between the tries (Standard Webhooks, "Deliverability and reliability"); the first is made at once."""

TRIES_MAX: Final = len(RETRY_DELAYS_S) + 1

JITTER: Final = 0.2
"""A delay grows by up to this part of it, so that what failed together does not come back together."""

TRIES_KEPT: Final = 20
"""Of one delivery, in its history: two rounds."""


class DeliveryState(StrEnum):
    """
    How far a delivery came.
    """

    PENDING = "pending"
    """It waits for its next try, or for an earlier message of its call."""

    SENDING = "sending"
    """It is being tried."""

    DELIVERED = "delivered"
    PARKED = "parked"
    """It is tried no more unless somebody asks for it."""


OPEN: Final = frozenset({DeliveryState.PENDING, DeliveryState.SENDING})
"""States from which a delivery goes on by itself."""


@attrs.frozen(kw_only=True)
class Try:
    """
    A message was sent to a webhook once.

    Attributes:
        number: Counts the delivery's tries from 1.

        at: When it began.

        duration_ms: How long it took.

        status: What the endpoint answered, 100 to 599; `None` when it did not.

        problem: A sentence on why there was no answer; `None` when there was.
    """

    number: int
    at: datetime
    duration_ms: int
    status: int | None = None
    problem: str | None = None

    @property
    def is_success(self) -> bool:
        """
        Whether the endpoint took the message.
        """
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_final(self) -> bool:
        """
        Whether the endpoint wants to hear nothing any more.
        """
        return self.status == HTTPStatus.GONE

    @property
    def sentence(self) -> str | None:
        """
        Why it failed.
        """
        if self.is_success:
            return None
        return self.problem if self.status is None else f"The endpoint answered {self.status}."


@attrs.frozen(kw_only=True)
class Delivery:
    """
    A message for a webhook.

    Attributes:
        tries: How many were begun, ever; the number of the last one.

        tries_before: How many of them were made before it was asked for again.

        next_at: When it is tried next; while it is being tried, when that try is taken for lost. `None` while it waits
            for an earlier message of its call, and when it is over.

        last_status: What the endpoint answered last.

        last_problem: Why the last try failed, and why it is parked.
    """

    webhook_id: int
    message: Message
    state: DeliveryState = DeliveryState.PENDING
    tries: int = 0
    tries_before: int = 0
    next_at: datetime | None = None
    last_status: int | None = None
    last_problem: str | None = None
    delivered_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """
        Whether it goes on by itself.
        """
        return self.state in OPEN

    def begin(self, lost_at: datetime) -> "Delivery":
        """
        Return the delivery in its next try.

        Args:
            lost_at: When it may be tried again if nothing was heard of this try.
        """
        return attrs.evolve(self, state=DeliveryState.SENDING, tries=self.tries + 1, next_at=lost_at)

    def is_in_try(self, number: int) -> bool:
        """
        Tell whether it is in the try with this number, and nobody decided otherwise meanwhile.
        """
        return self.state is DeliveryState.SENDING and self.tries == number

    def after(self, tried: Try, at: datetime) -> "Delivery":
        """
        Return the delivery after a try that ended at a time.
        """
        seen = attrs.evolve(self, last_status=tried.status, last_problem=tried.sentence, next_at=None)
        if tried.is_success:
            return attrs.evolve(seen, state=DeliveryState.DELIVERED, delivered_at=at)
        made = tried.number - self.tries_before
        if tried.is_final:
            return seen.parked(f"{tried.sentence} It wants no more messages.")
        if made >= TRIES_MAX:
            return seen.parked(f"{tried.sentence} It was tried {made} times.")
        return attrs.evolve(seen, state=DeliveryState.PENDING, next_at=at + self._delay(made))

    def parked(self, problem: str) -> "Delivery":
        """
        Return the delivery when it is given up.
        """
        return attrs.evolve(self, state=DeliveryState.PARKED, next_at=None, last_problem=problem)

    def anew(self) -> "Delivery":
        """
        Return the delivery as if it had never been tried, waiting for its turn; its tries are counted on.
        """
        return attrs.evolve(self, state=DeliveryState.PENDING, tries_before=self.tries, next_at=None, delivered_at=None)

    def _delay(self, made: int) -> timedelta:
        """
        Return how long to wait after a number of tries; the jitter is the message's own, so that it can be told again.
        """
        name = f"{self.message.id}:{self.webhook_id}:{made}"
        part = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest()) / 2**32
        return timedelta(seconds=RETRY_DELAYS_S[made - 1] * (1 + JITTER * part))


History = Mapping[str, tuple[Try, ...]]
"""Tries by message id, each delivery's oldest first."""
