"""
Webhooks in PostgreSQL.
"""

from typing import Final

import attrs

from outdial.adapters.postgres.outbox import SQL, PostgresOutbox
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.webhook_rows import read_webhook, webhook_columns
from outdial.domain.model.webhook import Webhook
from outdial.ports.errors import StorageConflictError

_REMOVE: Final = ("lock_webhook", "remove_tries", "remove_deliveries", "remove_webhook")
"""Locked first: a call that is being saved for it is waited for, and later ones do not find it."""


@attrs.frozen
class PostgresWebhooks:
    """
    Webhooks, by account. One that a transaction has read is its own until it ends.
    """

    _sql: Statements

    @property
    def outbox(self) -> PostgresOutbox:
        """
        What is on its way to them.
        """
        return PostgresOutbox(self._sql)

    def webhook(self, account_id: int, webhook_id: int) -> Webhook | None:
        """
        Return an account's webhook.
        """
        name = "webhook_to_change" if self._sql.is_writing else "webhook"
        row = self._sql.one(SQL[name], id=webhook_id, account_id=account_id)
        return None if row is None else read_webhook(row)

    def of_account(self, account_id: int) -> tuple[Webhook, ...]:
        """
        Return all of an account's webhooks, oldest first; none is removed until the transaction ends.
        """
        name = "webhooks_to_keep" if self._sql.is_writing else "webhooks"
        return tuple(read_webhook(row) for row in self._sql.all(SQL[name], account_id=account_id))

    def next_id(self) -> int:
        """
        Return the row number for a new webhook: above all that were given.
        """
        ((number,),) = self._sql.all(SQL["next_webhook"])
        return int(number)

    def add(self, webhook: Webhook) -> None:
        """
        Store a new webhook.
        """
        if not self._sql.write(SQL["add_webhook"], webhook_columns(webhook)):
            raise StorageConflictError(
                f"The row {webhook.id} is taken, or its account is missing; nothing was written."
            )

    def update(self, webhook: Webhook) -> None:
        """
        Store what changed of a webhook.
        """
        if not self._sql.write(SQL["update_webhook"], webhook_columns(webhook)):
            raise StorageConflictError(f"There is no webhook {webhook.id}; nothing was written.")

    def remove(self, webhook: Webhook) -> None:
        """
        Forget a webhook and all that was on its way to it.
        """
        for name in _REMOVE:
            self._sql.write(SQL[name], {"webhook_id": webhook.id, "account_id": webhook.account_id})
