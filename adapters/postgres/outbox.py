"""
What is on its way to webhooks, in PostgreSQL.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Final

import attrs

from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.columns import write_time
from outdial.adapters.relational.values import Row
from outdial.adapters.relational.webhook_rows import (
    delivery_key,
    message_columns,
    progress_columns,
    read_delivery,
    read_try,
    read_webhook,
    try_columns,
)
from outdial.domain.model.delivery import TRIES_KEPT, Delivery, DeliveryState, History, Try
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.webhook import Message, Webhook

SQL: Final = load("webhooks.sql")


@attrs.frozen
class PostgresOutbox:
    """
    Messages and their deliveries. A delivery that a transaction has read is its own until it ends.
    """

    _sql: Statements

    def due_webhooks(self, at: datetime, *, sends_max: int, limit: int) -> tuple[Webhook, ...]:
        """
        Return at most `limit` webhooks, of any account, to which something is to be sent.
        """
        rows = self._sql.all(SQL["due_webhooks"], now=write_time(at), sends_max=sends_max, limit=limit)
        return tuple(read_webhook(row) for row in rows)

    def delivery(self, webhook: Webhook, message_id: str) -> Delivery | None:
        """
        Return what became of a message on its way to a webhook.
        """
        row = self._sql.one(self._text("delivery"), **_key(webhook), message_id=message_id)
        return None if row is None else read_delivery(row)

    def deliveries(
        self, webhook: Webhook, *, state: DeliveryState | None, before: int | None, limit: int
    ) -> tuple[Delivery, ...]:
        """
        Return at most `limit` deliveries to a webhook, newest first.
        """
        values = {**_key(webhook), "before": ID_MAX if before is None else before, "limit": limit}
        if state is None:
            return _read(self._sql.all(SQL["newest"], **values))
        return _read(self._sql.all(SQL["newest_in_state"], **values, state=state.value))

    def tries(self, webhook: Webhook, numbers: Collection[int]) -> History:
        """
        Return the last tries of the deliveries of messages with some numbers.
        """
        found: defaultdict[str, tuple[Try, ...]] = defaultdict(tuple)
        for name, *row in self._sql.all(SQL["tries"], **_key(webhook), numbers=list(numbers)):
            found[name] += (read_try(tuple(row)),)
        return found

    def add(self, message: Message, webhooks: Collection[Webhook]) -> None:
        """
        Store a message with a delivery to each webhook, which has no next try yet; what is there already stays.
        """
        self._sql.write(SQL["add_message"], message_columns(message))
        ids = [webhook.id for webhook in webhooks]
        self._sql.write(SQL["add_deliveries"], {"id": message.id, "account_id": message.account_id, "webhook_ids": ids})

    def line(self, webhook: Webhook, call_id: int) -> tuple[Delivery, ...]:
        """
        Return what is open of a call on its way to a webhook, in order of occurrence.
        """
        return _read(self._sql.all(self._text("line"), **_key(webhook), call_id=call_id))

    def sending(self, webhook: Webhook, at: datetime) -> int:
        """
        Return how many deliveries are being sent to a webhook and not yet lost.
        """
        ((count,),) = self._sql.all(SQL["sending"], **_key(webhook), now=write_time(at))
        return int(count)

    def due(self, webhook: Webhook, at: datetime, limit: int) -> tuple[Delivery, ...]:
        """
        Return at most `limit` deliveries to a webhook whose next try is due; those in other hands are passed over.
        """
        return _read(self._sql.all(self._text("due"), **_key(webhook), now=write_time(at), limit=limit))

    def parked(self, webhook: Webhook, *, since: datetime | None, limit: int) -> tuple[Delivery, ...]:
        """
        Return at most `limit` parked deliveries to a webhook, oldest first.
        """
        first = -ID_MAX if since is None else write_time(since)
        return _read(self._sql.all(self._text("parked"), **_key(webhook), since=first, limit=limit))

    def save(self, delivery: Delivery, tried: Try | None = None) -> None:
        """
        Write how far a delivery came, and the try that it comes from into its history.
        """
        key = delivery_key(delivery)
        saved = self._sql.write(SQL["save_delivery"], {**key, **progress_columns(delivery)})
        if saved and tried is not None:
            self._sql.write(SQL["add_try"], {**key, **try_columns(tried)})
            self._sql.write(SQL["forget_tries"], {**key, "last": tried.number - TRIES_KEPT})

    def park_open(self, webhook: Webhook, problem: str) -> int:
        """
        Give up all that is open, and return how many deliveries that were.
        """
        return self._sql.write(SQL["park_open"], {**_key(webhook), "problem": problem})

    def keep_body(self, message: Message, body: str) -> str:
        """
        Store what a message says unless it says something already, and return what it says.
        """
        ((kept,),) = self._sql.all(SQL["keep_body"], number=message.number, account_id=message.account_id, body=body)
        return str(kept)

    def _text(self, name: str) -> str:
        return SQL[f"{name}_to_change" if self._sql.is_writing else name]


def _key(webhook: Webhook) -> dict[str, int]:
    return {"webhook_id": webhook.id, "account_id": webhook.account_id}


def _read(rows: list[Row]) -> tuple[Delivery, ...]:
    return tuple(read_delivery(row) for row in rows)
