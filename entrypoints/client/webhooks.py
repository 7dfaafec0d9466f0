"""
What a client can do about webhooks.
"""

from datetime import datetime
from typing import Final

import attrs

from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.principal import Account, Permission
from outdial.domain.model.reason import Reason
from outdial.domain.model.webhook import Webhook
from outdial.domain.model.webhook_signature import SECRET_LENGTH, Secret
from outdial.domain.model.webhook_url import parse_url
from outdial.domain.service import webhooks
from outdial.domain.service.webhooks import DeliveriesPage, Requeued, find_webhook
from outdial.entrypoints.client.front import Front
from outdial.entrypoints.wire.webhook_requests import DeliveriesQuery, NewWebhook, Replay, WebhookChanges
from outdial.ports.storage import Reader, Transaction

EVERY_DELIVERY: Final = DeliveriesQuery()
ALL_PARKED: Final = Replay()
_NEW: Final = 0
"""Row of a webhook that is not stored yet."""


@attrs.frozen
class WebhooksClient:
    """
    Webhooks of one account. Each method raises `StorageError` when the database can't be read or written now.

    A `webhook_id` is `None` when the client's name for it can't be one.
    """

    _front: Front

    async def create(self, new: NewWebhook) -> Webhook | Refused:
        """
        Make a webhook; its `secret` is to be shown this once.
        """
        if (refused := self._url_problem(new.url)) is not None:
            return await self._front.refuse(Permission.MANAGE_WEBHOOKS, refused)

        def work(transaction: Transaction, account: Account, now: datetime) -> Webhook | Refused:
            draft = Webhook(
                id=_NEW,
                account_id=account.id,
                url=new.url,
                events=frozenset(new.events),
                description=new.description,
                secret=secret,
                created_at=now,
            )
            return webhooks.create_webhook(transaction, draft)

        secret = self._new_secret()
        return await self._front.write(Permission.MANAGE_WEBHOOKS, work)

    async def list(self) -> tuple[Webhook, ...] | Refused:
        """
        Return all of the account's webhooks, oldest first.
        """
        return await self._front.read(
            Permission.MANAGE_WEBHOOKS, lambda reader, account: reader.webhooks.of_account(account.id)
        )

    async def show(self, webhook_id: int | None) -> Webhook | Refused:
        """
        Return one of the account's webhooks.
        """
        return await self._front.read(
            Permission.MANAGE_WEBHOOKS, lambda reader, account: find_webhook(reader, account, webhook_id)
        )

    async def update(self, webhook_id: int | None, changes: WebhookChanges) -> Webhook | Refused:
        """
        Change what is given, and return the webhook.
        """
        refused = self._url_problem(changes.url) if changes.url is not None else None
        if refused is not None:
            return await self._front.refuse(Permission.MANAGE_WEBHOOKS, refused)

        def work(transaction: Transaction, account: Account, _now: datetime) -> Webhook | Refused:
            webhook = find_webhook(transaction, account, webhook_id)
            if isinstance(webhook, Refused):
                return webhook
            return webhooks.change_webhook(
                transaction, attrs.evolve(webhook, **changes.fields), is_enabled=changes.enabled
            )

        return await self._front.write(Permission.MANAGE_WEBHOOKS, work)

    async def remove(self, webhook_id: int | None) -> Webhook | Refused:
        """
        Forget a webhook and all that was on its way to it.
        """

        def work(transaction: Transaction, account: Account, _now: datetime) -> Webhook | Refused:
            webhook = find_webhook(transaction, account, webhook_id)
            if not isinstance(webhook, Refused):
                transaction.webhooks.remove(webhook)
            return webhook

        return await self._front.write(Permission.MANAGE_WEBHOOKS, work)

    async def rotate_secret(self, webhook_id: int | None) -> Webhook | Refused:
        """
        Give a webhook a new `secret`, to be shown this once; the one before signs as well for a day.
        """

        def work(transaction: Transaction, account: Account, now: datetime) -> Webhook | Refused:
            webhook = find_webhook(transaction, account, webhook_id)
            return (
                webhook if isinstance(webhook, Refused) else webhooks.rotate_secret(transaction, webhook, secret, now)
            )

        secret = self._new_secret()
        return await self._front.write(Permission.MANAGE_WEBHOOKS, work)

    async def replay(self, webhook_id: int | None, wanted: Replay = ALL_PARKED) -> Requeued | Refused:
        """
        Let one message, or all that was parked, start anew.
        """

        def work(transaction: Transaction, account: Account, now: datetime) -> Requeued | Refused:
            webhook = find_webhook(transaction, account, webhook_id)
            if isinstance(webhook, Refused):
                return webhook
            if wanted.message_id is not None:
                return webhooks.replay_message(transaction, webhook, wanted.message_id, now)
            return webhooks.replay_parked(transaction, webhook, wanted.since, now)

        return await self._front.write(Permission.MANAGE_WEBHOOKS, work)

    async def deliveries(
        self, webhook_id: int | None, query: DeliveriesQuery = EVERY_DELIVERY
    ) -> DeliveriesPage | Refused:
        """
        Return a page of what was sent to a webhook, or is to be, newest first.
        """

        def work(reader: Reader, account: Account) -> DeliveriesPage | Refused:
            webhook = find_webhook(reader, account, webhook_id)
            if isinstance(webhook, Refused):
                return webhook
            return webhooks.page_of_deliveries(
                reader, webhook, state=query.state, before=query.cursor, limit=query.limit
            )

        return await self._front.read(Permission.MANAGE_WEBHOOKS, work)

    def _new_secret(self) -> Secret:
        return Secret.of(self._front.ports.randomness.base62(SECRET_LENGTH))

    def _url_problem(self, url: str) -> Refused | None:
        try:
            parse_url(url, allows_loopback=self._front.ports.allows_loopback_webhooks)
        except ValueError as error:
            problem = FieldProblem(field="url", problem=str(error))
            return Refused(reason=Reason.VALIDATION_ERROR, problems=(problem,))
        return None
