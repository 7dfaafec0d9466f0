"""
What is on its way to webhooks, in SQLite.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Final

import attrs

from outdial.adapters.relational.columns import write_json, write_time
from outdial.adapters.relational.values import Row
from outdial.adapters.relational.webhook_rows import (
    DELIVERY,
    TRY,
    WEBHOOK,
    delivery_key,
    message_columns,
    progress_columns,
    read_delivery,
    read_try,
    read_webhook,
    try_columns,
)
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.delivery import TRIES_KEPT, Delivery, DeliveryState, History, Try
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.webhook import Message, Webhook

# From webhook to webhook along the index: what one of them has to be sent is not read to find the next.
DUE_WEBHOOKS: Final = (
    "with recursive busy (webhook_id) as ("
    " select min(webhook_id) from webhook_deliveries where next_at is not null"
    " union all"
    " select (select min(webhook_id) from webhook_deliveries"
    " where next_at is not null and webhook_id > busy.webhook_id)"
    " from busy where busy.webhook_id is not null"
    ")"
    f" select {WEBHOOK},"
    " (select count(*) from webhook_deliveries where webhook_id = busy.webhook_id and state = 'sending'"
    " and next_at > ?),"
    " (select min(next_at) from webhook_deliveries where webhook_id = busy.webhook_id and next_at is not null)"
    " from busy join webhooks on webhooks.id = busy.webhook_id"
)
_DELIVERIES: Final = (
    f"select {DELIVERY} from webhook_deliveries"
    " join webhook_messages on webhook_messages.number = webhook_deliveries.message_number"
    " where webhook_id = ? and webhook_deliveries.account_id = ?"
)
OF_MESSAGE: Final = _DELIVERIES + " and webhook_messages.id = ?"
NEWEST: Final = _DELIVERIES + " and message_number < ? order by message_number desc limit ?"
NEWEST_IN_STATE: Final = _DELIVERIES + " and state = ? and message_number < ? order by message_number desc limit ?"
LINE: Final = (
    _DELIVERIES + " and webhook_deliveries.call_id = ? and state in ('pending', 'sending') order by message_number"
)
DUE: Final = _DELIVERIES + " and next_at <= ? order by next_at, message_number limit ?"
SENDING: Final = (
    "select count(*) from webhook_deliveries"
    " where webhook_id = ? and account_id = ? and state = 'sending' and next_at > ?"
)
PARKED: Final = _DELIVERIES + " and state = 'parked' and at >= ? order by message_number limit ?"
TRIES: Final = (
    f"select webhook_messages.id, {TRY} from webhook_tries"
    " join webhook_messages on webhook_messages.number = message_number"
    " where webhook_id = ? and webhook_tries.account_id = ? and message_number in (select value from json_each(?))"
    " order by message_number, webhook_tries.number"
)
ADD_MESSAGE: Final = (
    "insert into webhook_messages (id, account_id, call_id, event_type, at, body) values (?, ?, ?, ?, ?, ?)"
    " on conflict (id) do nothing"
)
ADD_DELIVERY: Final = (
    "insert into webhook_deliveries (webhook_id, message_number, account_id, call_id, state, tries, tries_before)"
    " select ?, number, account_id, call_id, 'pending', 0, 0 from webhook_messages where id = ?"
    " on conflict (webhook_id, message_number) do nothing"
)
SAVE: Final = (
    "update webhook_deliveries set state = ?, tries = ?, tries_before = ?, next_at = ?, last_status = ?,"
    " last_problem = ?, delivered_at = ? where account_id = ? and webhook_id = ? and message_number = ?"
)
ADD_TRY: Final = (
    "insert or replace into webhook_tries"
    " (account_id, webhook_id, message_number, number, at, duration_ms, status, problem)"
    " values (?, ?, ?, ?, ?, ?, ?, ?)"
)
FORGET_TRIES: Final = (
    "delete from webhook_tries where account_id = ? and webhook_id = ? and message_number = ? and number <= ?"
)
PARK_OPEN: Final = (
    "update webhook_deliveries set state = 'parked', next_at = null, last_problem = ?"
    " where webhook_id = ? and account_id = ? and state in ('pending', 'sending')"
)
KEEP_BODY: Final = (
    "update webhook_messages set body = coalesce(body, ?) where number = ? and account_id = ? returning body"
)


@attrs.frozen
class SqliteOutbox:
    """
    Messages and their deliveries.
    """

    _sql: Statements

    def due_webhooks(self, at: datetime, *, sends_max: int, limit: int) -> tuple[Webhook, ...]:
        """
        Return at most `limit` webhooks, of any account, to which something is to be sent.
        """
        now = write_time(at)
        due = [row for row in self._sql.all(DUE_WEBHOOKS, now) if row[-2] < sends_max and row[-1] <= now]
        due.sort(key=lambda row: (int(row[-2]), int(row[-1])))
        return tuple(read_webhook(row[:-2]) for row in due[:limit])

    def delivery(self, webhook: Webhook, message_id: str) -> Delivery | None:
        """
        Return what became of a message on its way to a webhook.
        """
        row = self._sql.one(OF_MESSAGE, webhook.id, webhook.account_id, message_id)
        return None if row is None else read_delivery(row)

    def deliveries(
        self, webhook: Webhook, *, state: DeliveryState | None, before: int | None, limit: int
    ) -> tuple[Delivery, ...]:
        """
        Return at most `limit` deliveries to a webhook, newest first.
        """
        below = ID_MAX if before is None else before
        if state is None:
            return _read(self._sql.all(NEWEST, webhook.id, webhook.account_id, below, limit))
        return _read(self._sql.all(NEWEST_IN_STATE, webhook.id, webhook.account_id, state.value, below, limit))

    def tries(self, webhook: Webhook, numbers: Collection[int]) -> History:
        """
        Return the last tries of the deliveries of messages with some numbers.
        """
        found: defaultdict[str, tuple[Try, ...]] = defaultdict(tuple)
        for name, *row in self._sql.all(TRIES, webhook.id, webhook.account_id, write_json(list(numbers))):
            found[name] += (read_try(tuple(row)),)
        return found

    def add(self, message: Message, webhooks: Collection[Webhook]) -> None:
        """
        Store a message with a delivery to each webhook, which has no next try yet; what is there already stays.
        """
        self._sql.write(ADD_MESSAGE, *message_columns(message).values())
        self._sql.write_all(ADD_DELIVERY, [(webhook.id, message.id) for webhook in webhooks])

    def line(self, webhook: Webhook, call_id: int) -> tuple[Delivery, ...]:
        """
        Return what is open of a call on its way to a webhook, in order of occurrence.
        """
        return _read(self._sql.all(LINE, webhook.id, webhook.account_id, call_id))

    def sending(self, webhook: Webhook, at: datetime) -> int:
        """
        Return how many deliveries are being sent to a webhook and not yet lost.
        """
        ((count,),) = self._sql.all(SENDING, webhook.id, webhook.account_id, write_time(at))
        return int(count)

    def due(self, webhook: Webhook, at: datetime, limit: int) -> tuple[Delivery, ...]:
        """
        Return at most `limit` deliveries to a webhook whose next try is due.
        """
        return _read(self._sql.all(DUE, webhook.id, webhook.account_id, write_time(at), limit))

    def parked(self, webhook: Webhook, *, since: datetime | None, limit: int) -> tuple[Delivery, ...]:
        """
        Return at most `limit` parked deliveries to a webhook, oldest first.
        """
        first = -ID_MAX if since is None else write_time(since)
        return _read(self._sql.all(PARKED, webhook.id, webhook.account_id, first, limit))

    def save(self, delivery: Delivery, tried: Try | None = None) -> None:
        """
        Write how far a delivery came, and the try that it comes from into its history.
        """
        key = delivery_key(delivery).values()
        self._sql.write(SAVE, *progress_columns(delivery).values(), *key)
        if tried is not None:
            self._sql.write(ADD_TRY, *key, *try_columns(tried).values())
            self._sql.write(FORGET_TRIES, *key, tried.number - TRIES_KEPT)

    def park_open(self, webhook: Webhook, problem: str) -> int:
        """
        Give up all that is open, and return how many deliveries that were.
        """
        return self._sql.write(PARK_OPEN, problem, webhook.id, webhook.account_id)

    def keep_body(self, message: Message, body: str) -> str:
        """
        Store what a message says unless it says something already, and return what it says.
        """
        ((kept,),) = self._sql.all(KEEP_BODY, body, message.number, message.account_id)
        return str(kept)


def _read(rows: list[Row]) -> tuple[Delivery, ...]:
    return tuple(read_delivery(row) for row in rows)
