"""
Webhooks in SQLite.
"""

from typing import Final

import attrs

from outdial.adapters.relational.webhook_rows import WEBHOOK, read_webhook, webhook_columns
from outdial.adapters.sqlite.directory import LAST_NUMBER, SET_LAST_NUMBER
from outdial.adapters.sqlite.outbox import SqliteOutbox
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.webhook import Webhook
from outdial.ports.errors import StorageConflictError

_TABLE: Final = "webhooks"
WEBHOOK_OF_ACCOUNT: Final = f"select {WEBHOOK} from webhooks where id = ? and account_id = ?"
WEBHOOKS_OF_ACCOUNT: Final = f"select {WEBHOOK} from webhooks where account_id = ? order by id"
ADD_WEBHOOK: Final = (
    "insert into webhooks (id, account_id, url, events, description, secret, previous_secret,"
    " previous_secret_expires_at, disabled_reason, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
UPDATE_WEBHOOK: Final = (
    "update webhooks set url = ?, events = ?, description = ?, secret = ?, previous_secret = ?,"
    " previous_secret_expires_at = ?, disabled_reason = ? where id = ? and account_id = ?"
)
REMOVE: Final = (
    "delete from webhook_tries where webhook_id = ? and account_id = ?",
    "delete from webhook_deliveries where webhook_id = ? and account_id = ?",
    "delete from webhooks where id = ? and account_id = ?",
)


@attrs.frozen
class SqliteWebhooks:
    """
    Webhooks, by account.
    """

    _sql: Statements

    @property
    def outbox(self) -> SqliteOutbox:
        """
        What is on its way to them.
        """
        return SqliteOutbox(self._sql)

    def webhook(self, account_id: int, webhook_id: int) -> Webhook | None:
        """
        Return an account's webhook.
        """
        row = self._sql.one(WEBHOOK_OF_ACCOUNT, webhook_id, account_id)
        return None if row is None else read_webhook(row)

    def of_account(self, account_id: int) -> tuple[Webhook, ...]:
        """
        Return all of an account's webhooks, oldest first.
        """
        return tuple(read_webhook(row) for row in self._sql.all(WEBHOOKS_OF_ACCOUNT, account_id))

    def next_id(self) -> int:
        """
        Return the row number for a new webhook: above all that were given.
        """
        given = self._sql.one(LAST_NUMBER, _TABLE)
        number = 1 if given is None else int(given[0]) + 1
        self._sql.write(SET_LAST_NUMBER, _TABLE, number)
        return number

    def add(self, webhook: Webhook) -> None:
        """
        Store a new webhook.
        """
        self._sql.write(ADD_WEBHOOK, *webhook_columns(webhook).values())
        self._sql.write(SET_LAST_NUMBER, _TABLE, webhook.id)

    def update(self, webhook: Webhook) -> None:
        """
        Store what changed of a webhook.
        """
        number, account_id, *changes, _created_at = webhook_columns(webhook).values()
        if not self._sql.write(UPDATE_WEBHOOK, *changes, number, account_id):
            raise StorageConflictError(f"There is no webhook {webhook.id}; nothing was written.")

    def remove(self, webhook: Webhook) -> None:
        """
        Forget a webhook and all that was on its way to it.
        """
        for statement in REMOVE:
            self._sql.write(statement, webhook.id, webhook.account_id)
