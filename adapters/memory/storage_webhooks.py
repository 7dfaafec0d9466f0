"""
Webhooks and what is on its way to them, in memory.
"""

from collections.abc import Collection
from datetime import datetime

import attrs

from outdial.adapters.memory.storage_tables import Tables
from outdial.domain.model.delivery import TRIES_KEPT, Delivery, DeliveryState, History, Try
from outdial.domain.model.webhook import Message, Webhook
from outdial.ports.errors import StorageConflictError


@attrs.frozen
class MemoryWebhooks:
    """
    Webhooks, by account.
    """

    _tables: Tables

    @property
    def outbox(self) -> "MemoryOutbox":
        """
        What is on its way to them.
        """
        return MemoryOutbox(self._tables)

    def webhook(self, account_id: int, webhook_id: int) -> Webhook | None:
        """
        Return an account's webhook.
        """
        webhook = self._tables.webhooks.get(webhook_id)
        return webhook if webhook is not None and webhook.account_id == account_id else None

    def of_account(self, account_id: int) -> tuple[Webhook, ...]:
        """
        Return all of an account's webhooks, oldest first.
        """
        mine = (webhook for webhook in self._tables.webhooks.values() if webhook.account_id == account_id)
        return tuple(sorted(mine, key=lambda webhook: webhook.id))

    def next_id(self) -> int:
        """
        Return the row number for a new webhook: above all that were given.
        """
        number = self._tables.last_ids.get(Webhook, 0) + 1
        self._tables.last_ids[Webhook] = number
        return number

    def add(self, webhook: Webhook) -> None:
        """
        Store a new webhook.
        """
        self._tables.check_account(webhook.account_id)
        if webhook.id in self._tables.webhooks:
            raise StorageConflictError(f"The row {webhook.id} is taken; nothing was written.")
        self._tables.webhooks[webhook.id] = webhook
        self._tables.last_ids[Webhook] = max(webhook.id, self._tables.last_ids.get(Webhook, 0))

    def update(self, webhook: Webhook) -> None:
        """
        Store what changed of a webhook.
        """
        stored = self.webhook(webhook.account_id, webhook.id)
        if stored is None:
            raise StorageConflictError(f"There is no webhook {webhook.id}; nothing was written.")
        self._tables.webhooks[webhook.id] = attrs.evolve(webhook, created_at=stored.created_at)

    def remove(self, webhook: Webhook) -> None:
        """
        Forget a webhook and all that was on its way to it.
        """
        if self.webhook(webhook.account_id, webhook.id) is None:
            return
        del self._tables.webhooks[webhook.id]
        for key in [key for key in self._tables.deliveries if key[0] == webhook.id]:
            del self._tables.deliveries[key]
            self._tables.tries.pop(key, None)


@attrs.frozen
class MemoryOutbox:
    """
    Messages and their deliveries.
    """

    _tables: Tables

    def due_webhooks(self, at: datetime, *, sends_max: int, limit: int) -> tuple[Webhook, ...]:
        """
        Return at most `limit` webhooks, of any account, to which something is to be sent.
        """
        waiting = {
            webhook_id: due
            for webhook_id, webhook in self._tables.webhooks.items()
            if (due := self.due(webhook, at, 1)) and self.sending(webhook, at) < sends_max
        }
        webhooks = [self._tables.webhooks[webhook_id] for webhook_id in waiting]
        webhooks.sort(key=lambda webhook: (self.sending(webhook, at), waiting[webhook.id][0].next_at))
        return tuple(webhooks[:limit])

    def delivery(self, webhook: Webhook, message_id: str) -> Delivery | None:
        """
        Return what became of a message on its way to a webhook.
        """
        return next((delivery for delivery in self._of(webhook) if delivery.message.id == message_id), None)

    def deliveries(
        self, webhook: Webhook, *, state: DeliveryState | None, before: int | None, limit: int
    ) -> tuple[Delivery, ...]:
        """
        Return at most `limit` deliveries to a webhook, newest first.
        """
        found = [
            delivery
            for delivery in reversed(self._of(webhook))
            if state in (None, delivery.state) and (before is None or delivery.message.number < before)
        ]
        return tuple(found[:limit])

    def tries(self, webhook: Webhook, numbers: Collection[int]) -> History:
        """
        Return the last tries of the deliveries of messages with some numbers.
        """
        found = [delivery.message for delivery in self._of(webhook) if delivery.message.number in numbers]
        kept = self._tables.tries
        return {message.id: kept[key] for message in found if (key := (webhook.id, message.number)) in kept}

    def add(self, message: Message, webhooks: Collection[Webhook]) -> None:
        """
        Store a message with a delivery to each webhook, which has no next try yet; what is there already stays.
        """
        messages = self._tables.messages
        known = next((known for known in messages.values() if known.id == message.id), None)
        stored = known or attrs.evolve(message, number=len(messages) + 1)
        messages[stored.number] = stored
        for webhook in webhooks:
            delivery = Delivery(webhook_id=webhook.id, message=stored)
            self._tables.deliveries.setdefault((webhook.id, stored.number), delivery)

    def line(self, webhook: Webhook, call_id: int) -> tuple[Delivery, ...]:
        """
        Return what is open of a call on its way to a webhook, in order of occurrence.
        """
        return tuple(
            delivery for delivery in self._of(webhook) if delivery.message.call_id == call_id and delivery.is_open
        )

    def sending(self, webhook: Webhook, at: datetime) -> int:
        """
        Return how many deliveries are being sent to a webhook and not yet lost.
        """
        return sum(
            delivery.state is DeliveryState.SENDING and delivery.next_at is not None and delivery.next_at > at
            for delivery in self._of(webhook)
        )

    def due(self, webhook: Webhook, at: datetime, limit: int) -> tuple[Delivery, ...]:
        """
        Return at most `limit` deliveries to a webhook whose next try is due.
        """
        due = [
            (delivery.next_at, delivery.message.number, delivery)
            for delivery in self._of(webhook)
            if delivery.next_at is not None and delivery.next_at <= at
        ]
        return tuple(delivery for _next_at, _number, delivery in sorted(due, key=lambda found: found[:2])[:limit])

    def parked(self, webhook: Webhook, *, since: datetime | None, limit: int) -> tuple[Delivery, ...]:
        """
        Return at most `limit` parked deliveries to a webhook, oldest first.
        """
        found = [
            delivery
            for delivery in self._of(webhook)
            if delivery.state is DeliveryState.PARKED and (since is None or delivery.message.at >= since)
        ]
        return tuple(found[:limit])

    def save(self, delivery: Delivery, tried: Try | None = None) -> None:
        """
        Write how far a delivery came, and the try that it comes from into its history.
        """
        key = (delivery.webhook_id, delivery.message.number)
        stored = self._tables.deliveries.get(key)
        if stored is None:
            return
        self._tables.deliveries[key] = attrs.evolve(delivery, message=stored.message)
        if tried is not None:
            tries = {known.number: known for known in self._tables.tries.get(key, ())} | {tried.number: tried}
            kept = [tries[number] for number in sorted(tries) if number > tried.number - TRIES_KEPT]
            self._tables.tries[key] = tuple(kept)

    def park_open(self, webhook: Webhook, problem: str) -> int:
        """
        Give up all that is open, and return how many deliveries that were.
        """
        found = [delivery for delivery in self._of(webhook) if delivery.is_open]
        for delivery in found:
            self.save(delivery.parked(problem))
        return len(found)

    def keep_body(self, message: Message, body: str) -> str:
        """
        Store what a message says unless it says something already, and return what it says.
        """
        stored = self._tables.messages[message.number]
        kept = body if stored.body is None else stored.body
        self._tables.messages[message.number] = attrs.evolve(stored, body=kept)
        return kept

    def _of(self, webhook: Webhook) -> list[Delivery]:
        """
        Return a webhook's deliveries in order of occurrence, each with its message as it is now.
        """
        mine = sorted(key for key in self._tables.deliveries if key[0] == webhook.id)
        found = [attrs.evolve(self._tables.deliveries[key], message=self._tables.messages[key[1]]) for key in mine]
        return [delivery for delivery in found if delivery.message.account_id == webhook.account_id]
