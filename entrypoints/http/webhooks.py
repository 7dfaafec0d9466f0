"""
The operations on webhooks.
"""

from http import HTTPStatus
from typing import Final

from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import read_row
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.http.operation import Answered, Asked, NoQuery, Operation
from outdial.entrypoints.wire.webhook_requests import DeliveriesQuery, NewWebhook, Replay, WebhookChanges
from outdial.entrypoints.wire.webhooks import (
    DeliveriesBody,
    ReplayBody,
    WebhookBody,
    WebhooksBody,
    WebhookSecretBody,
    deliveries_body,
    replay_body,
    webhook_body,
    webhook_secret_body,
    webhooks_body,
)

WEBHOOKS: Final = "/api/v1/webhooks"
WEBHOOK: Final = f"{WEBHOOKS}/{{webhook_id}}"
_ID: Final = "webhook_id"


async def create(client: Client, asked: Asked[NoQuery, NewWebhook]) -> Answered | Refused:
    """
    Make a webhook.
    """
    webhook = await client.webhooks.create(asked.body)
    if isinstance(webhook, Refused):
        return webhook
    headers = {"Location": f"{WEBHOOKS}/{webhook.id}"}
    return Answered(body=webhook_secret_body(webhook), status=HTTPStatus.CREATED, headers=headers)


async def list_webhooks(client: Client, _asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    List webhooks.
    """
    found = await client.webhooks.list()
    return found if isinstance(found, Refused) else Answered(body=webhooks_body(found), status=HTTPStatus.OK)


async def show(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Show a webhook.
    """
    webhook = await client.webhooks.show(read_row(asked.path[_ID]))
    return webhook if isinstance(webhook, Refused) else Answered(body=webhook_body(webhook), status=HTTPStatus.OK)


async def update(client: Client, asked: Asked[NoQuery, WebhookChanges]) -> Answered | Refused:
    """
    Change a webhook.
    """
    webhook = await client.webhooks.update(read_row(asked.path[_ID]), asked.body)
    return webhook if isinstance(webhook, Refused) else Answered(body=webhook_body(webhook), status=HTTPStatus.OK)


async def remove(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Forget a webhook.
    """
    webhook = await client.webhooks.remove(read_row(asked.path[_ID]))
    return webhook if isinstance(webhook, Refused) else Answered(body=None, status=HTTPStatus.NO_CONTENT)


async def rotate_secret(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Give a webhook a new secret.
    """
    webhook = await client.webhooks.rotate_secret(read_row(asked.path[_ID]))
    if isinstance(webhook, Refused):
        return webhook
    return Answered(body=webhook_secret_body(webhook), status=HTTPStatus.OK)


async def replay(client: Client, asked: Asked[NoQuery, Replay]) -> Answered | Refused:
    """
    Send again.
    """
    requeued = await client.webhooks.replay(read_row(asked.path[_ID]), asked.body)
    return requeued if isinstance(requeued, Refused) else Answered(body=replay_body(requeued), status=HTTPStatus.OK)


async def list_deliveries(client: Client, asked: Asked[DeliveriesQuery, None]) -> Answered | Refused:
    """
    List what was sent.
    """
    page = await client.webhooks.deliveries(read_row(asked.path[_ID]), asked.query)
    if isinstance(page, Refused):
        return page
    return Answered(body=deliveries_body(page, limit=asked.query.limit), status=HTTPStatus.OK)


OPERATIONS: Final = (
    Operation(
        method="POST",
        path=WEBHOOKS,
        name="create_webhook",
        summary="Make a webhook; its secret is shown this once.",
        permission=Permission.MANAGE_WEBHOOKS,
        endpoint=create,
        body=NewWebhook,
        status=HTTPStatus.CREATED,
        answer=WebhookSecretBody,
        answer_headers={"Location": "Where the webhook is shown."},
    ),
    Operation(
        method="GET",
        path=WEBHOOKS,
        name="list_webhooks",
        summary="List all webhooks, oldest first.",
        permission=Permission.MANAGE_WEBHOOKS,
        endpoint=list_webhooks,
        answer=WebhooksBody,
    ),
    Operation(
        method="GET",
        path=WEBHOOK,
        name="show_webhook",
        summary="Show a webhook.",
        permission=Permission.MANAGE_WEBHOOKS,
        endpoint=show,
        answer=WebhookBody,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="PATCH",
        path=WEBHOOK,
        name="update_webhook",
        summary="Change a webhook, or enable or disable it.",
        permission=Permission.MANAGE_WEBHOOKS,
        endpoint=update,
        body=WebhookChanges,
        answer=WebhookBody,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="DELETE",
        path=WEBHOOK,
        name="delete_webhook",
        summary="Forget a webhook and all that was on its way to it.",
        permission=Permission.MANAGE_WEBHOOKS,
        endpoint=remove,
        status=HTTPStatus.NO_CONTENT,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="POST",
        path=f"{WEBHOOK}/rotate-secret",
        name="rotate_webhook_secret",
        summary="Give a webhook a new secret, shown this once; the one before signs as well for 24 hours.",
        permission=Permission.MANAGE_WEBHOOKS,
        endpoint=rotate_secret,
        answer=WebhookSecretBody,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="POST",
        path=f"{WEBHOOK}/replay",
        name="replay_webhook",
        summary="Send one message again, or all that was parked, 500 at most a request.",
        permission=Permission.MANAGE_WEBHOOKS,
        endpoint=replay,
        body=Replay,
        answer=ReplayBody,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="GET",
        path=f"{WEBHOOK}/deliveries",
        name="list_webhook_deliveries",
        summary="List what was sent to a webhook, or is to be, newest first, with each try.",
        permission=Permission.MANAGE_WEBHOOKS,
        endpoint=list_deliveries,
        query=DeliveriesQuery,
        answer=DeliveriesBody,
        reasons=(Reason.NOT_FOUND,),
    ),
)
