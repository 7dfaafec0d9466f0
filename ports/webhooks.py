"""
Webhooks and what is on its way to them, in storage.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from outdial.domain.model.delivery import Delivery, DeliveryState, History, Try
from outdial.domain.model.webhook import Message, Webhook


class OutboxReader(Protocol):
    """
    Messages and their deliveries.
    """

    def due_webhooks(self, at: datetime, *, sends_max: int, limit: int) -> tuple[Webhook, ...]:
        """
        Return at most `limit` webhooks, of any account, to which something is to be sent.

        Those to which least is being sent come first, of these the ones that wait longest: an endpoint that takes its
        time holds up nobody else.

        Args:
            sends_max: A webhook to which this much is being sent is left out.
        """

    def delivery(self, webhook: Webhook, message_id: str) -> Delivery | None:
        """
        Return what became of a message on its way to a webhook.
        """

    def deliveries(
        self, webhook: Webhook, *, state: DeliveryState | None, before: int | None, limit: int
    ) -> tuple[Delivery, ...]:
        """
        Return at most `limit` deliveries to a webhook, newest first.

        Args:
            state: Only those in it.

            before: Only those of messages before this number.
        """

    def tries(self, webhook: Webhook, numbers: Collection[int]) -> History:
        """
        Return the last `TRIES_KEPT` tries of the deliveries of messages with some numbers.
        """


class Outbox(OutboxReader, Protocol):
    """
    The same, with writes. A delivery that was read stays as it is until the transaction ends.
    """

    def add(self, message: Message, webhooks: Collection[Webhook]) -> None:
        """
        Store a message with a delivery to each webhook, which has no next try yet; what is there already stays.
        """

    def line(self, webhook: Webhook, call_id: int) -> tuple[Delivery, ...]:
        """
        Return what is open of a call on its way to a webhook, in order of occurrence.
        """

    def sending(self, webhook: Webhook, at: datetime) -> int:
        """
        Return how many deliveries are being sent to a webhook and not yet lost.
        """

    def due(self, webhook: Webhook, at: datetime, limit: int) -> tuple[Delivery, ...]:
        """
        Return at most `limit` deliveries to a webhook whose next try is due; who waits longest comes first.
        """

    def save(self, delivery: Delivery, tried: Try | None = None) -> None:
        """
        Write how far a delivery came, and the try that it comes from into its history.
        """

    def park_open(self, webhook: Webhook, problem: str) -> int:
        """
        Give up all that is open, and return how many deliveries that were.
        """

    def parked(self, webhook: Webhook, *, since: datetime | None, limit: int) -> tuple[Delivery, ...]:
        """
        Return at most `limit` parked deliveries to a webhook, oldest first.

        Args:
            since: Only those of messages from then on.
        """

    def keep_body(self, message: Message, body: str) -> str:
        """
        Store what a message says unless it says something already, and return what it says.
        """


class WebhooksReader(Protocol):
    """
    Webhooks, by account.
    """

    def webhook(self, account_id: int, webhook_id: int) -> Webhook | None:
        """
        Return an account's webhook.
        """

    def of_account(self, account_id: int) -> tuple[Webhook, ...]:
        """
        Return all of an account's webhooks, oldest first.
        """

    @property
    def outbox(self) -> OutboxReader:
        """
        What is on its way to them.
        """


class Webhooks(WebhooksReader, Protocol):
    """
    The same, with writes. A webhook that was read stays as it is until the transaction ends.
    """

    def next_id(self) -> int:
        """
        Return the row number for a new webhook, never given before.
        """

    def add(self, webhook: Webhook) -> None:
        """
        Store a new webhook.

        Raises:
            StorageConflictError: Its row is taken, or its account is missing.
        """

    def update(self, webhook: Webhook) -> None:
        """
        Store what changed of a webhook.

        Raises:
            StorageConflictError: There is no such webhook.
        """

    def remove(self, webhook: Webhook) -> None:
        """
        Forget a webhook and all that was on its way to it.
        """

    @property
    def outbox(self) -> Outbox:
        """
        What is on its way to them.
        """
