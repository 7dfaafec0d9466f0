"""
Webhooks: who is told of calls, and what became of it.
"""

from collections.abc import Iterable
from typing import Any, Final

import click
from rich.console import Group, RenderableType
from rich.text import Text

from outdial.domain.model.decision import Refused
from outdial.domain.model.delivery import Delivery, DeliveryState
from outdial.domain.model.identifiers import read_row
from outdial.domain.model.webhook import EventType, Webhook
from outdial.domain.service.webhooks import DeliveriesPage
from outdial.entrypoints.cli.answer import Answer, facts, plain, refused, table_of, when
from outdial.entrypoints.cli.running import acting
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.wire.reading import read
from outdial.entrypoints.wire.webhook_requests import DeliveriesQuery, NewWebhook, Replay, WebhookChanges
from outdial.entrypoints.wire.webhooks import (
    deliveries_body,
    replay_body,
    webhook_body,
    webhook_secret_body,
    webhooks_body,
)

_STYLES: Final = {DeliveryState.DELIVERED: "green", DeliveryState.PARKED: "red"}

_event_option = click.option(
    "--event",
    "events",
    multiple=True,
    metavar="EVENT",
    help=f"What it is told of: {', '.join(EventType)}; repeat for more.",
)
_description_option = click.option("--description", metavar="TEXT", help="For people.")
_id = click.argument("webhook_id")


@click.group
def webhook() -> None:
    """
    Webhooks: who is told of calls.
    """


@webhook.command("create")
@click.argument("url")
@_event_option
@_description_option
@acting
async def create_webhook(client: Client, **fields: Any) -> Answer:
    """
    Make a webhook, told of every event unless some are named; its secret is shown this once.
    """
    new = read(NewWebhook, _given(fields))
    made = new if isinstance(new, Refused) else await client.webhooks.create(new)
    if isinstance(made, Refused):
        return refused(made)
    return Answer(body=webhook_secret_body(made), shown=_with_secret(f"Webhook {made.id}", made))


@webhook.command("list")
@acting
async def list_webhooks(client: Client) -> Answer:
    """
    List all webhooks of an account.
    """
    found = await client.webhooks.list()
    if isinstance(found, Refused):
        return refused(found)
    return Answer(body=webhooks_body(found), shown=_table_of(found))


@webhook.command("show")
@_id
@acting
async def show_webhook(client: Client, *, webhook_id: str) -> Answer:
    """
    Show a webhook.
    """
    found = await client.webhooks.show(read_row(webhook_id))
    return refused(found) if isinstance(found, Refused) else Answer(body=webhook_body(found), shown=_shown(found))


@webhook.command("update")
@_id
@click.option("--url", help="Where messages are posted to.")
@_event_option
@_description_option
@click.option("--enable/--disable", "enabled", default=None, help="Whether it is told of calls.")
@acting
async def update_webhook(client: Client, *, webhook_id: str, **fields: Any) -> Answer:
    """
    Change what is given of a webhook.
    """
    changes = read(WebhookChanges, _given(fields))
    changed = changes if isinstance(changes, Refused) else await client.webhooks.update(read_row(webhook_id), changes)
    if isinstance(changed, Refused):
        return refused(changed)
    return Answer(body=webhook_body(changed), shown=_shown(changed))


@webhook.command("delete")
@_id
@acting
async def delete_webhook(client: Client, *, webhook_id: str) -> Answer:
    """
    Forget a webhook and all that was on its way to it.
    """
    gone = await client.webhooks.remove(read_row(webhook_id))
    if isinstance(gone, Refused):
        return refused(gone)
    return Answer(body=webhook_body(gone), shown=plain(f"Webhook {gone.id} is deleted."))


@webhook.command("rotate-secret")
@_id
@acting
async def rotate_secret(client: Client, *, webhook_id: str) -> Answer:
    """
    Give a webhook a new secret, shown this once; the one before signs as well for 24 hours.
    """
    rotated = await client.webhooks.rotate_secret(read_row(webhook_id))
    if isinstance(rotated, Refused):
        return refused(rotated)
    return Answer(body=webhook_secret_body(rotated), shown=_with_secret(f"Webhook {rotated.id}", rotated))


@webhook.command("replay")
@_id
@click.option("--message", "message_id", metavar="ID", help="One message, whatever became of it.")
@click.option("--since", metavar="TIME", help="What was parked of what happened since, such as 2025-04-24T10:15:30Z.")
@acting
async def replay_webhook(client: Client, *, webhook_id: str, **wanted: Any) -> Answer:
    """
    Send one message again, or all that was parked, 500 at most.
    """
    replay = read(Replay, _given(wanted))
    requeued = replay if isinstance(replay, Refused) else await client.webhooks.replay(read_row(webhook_id), replay)
    if isinstance(requeued, Refused):
        return refused(requeued)
    more = " There are more: run it again." if requeued.has_more else ""
    return Answer(body=replay_body(requeued), shown=plain(f"{requeued.count} messages are sent again.{more}"))


@webhook.command("deliveries")
@_id
@click.option("--state", metavar="STATE", help=f"Those that came so far: {', '.join(DeliveryState)}.")
@click.option("--limit", type=int, help="Deliveries of a page, 10 unless given.")
@click.option("--cursor", type=int, help="Begins where the page before it ended.")
@acting
async def list_deliveries(client: Client, *, webhook_id: str, **wanted: Any) -> Answer:
    """
    List what was sent to a webhook, or is to be, newest first.
    """
    query = read(DeliveriesQuery, _given(wanted))
    if isinstance(query, Refused):
        return refused(query)
    page = await client.webhooks.deliveries(read_row(webhook_id), query)
    if isinstance(page, Refused):
        return refused(page)
    return Answer(body=deliveries_body(page, limit=query.limit), shown=_page(page))


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """
    Return the options that were given, as a body has them.
    """
    given = {name: [*value] if isinstance(value, tuple) else value for name, value in options.items()}
    return {name: value for name, value in given.items() if value not in (None, [])}


def _shown(found: Webhook, *more: tuple[str, str | None], title: str | None = None) -> RenderableType:
    return facts(
        title or f"Webhook {found.id}",
        ("url", found.url),
        ("events", ", ".join(sorted(found.events))),
        ("description", found.description),
        ("state", _state(found)),
        ("made", when(found.created_at)),
        *more,
    )


def _with_secret(title: str, made: Webhook) -> RenderableType:
    return _shown(
        made,
        ("secret", made.secret.text),
        ("secret before", f"signs until {when(made.previous_secret_expires_at)}" if made.previous_secret else None),
        title=f"{title}; its secret is shown this once",
    )


def _state(found: Webhook) -> str:
    return "enabled" if found.disabled_reason is None else f"disabled ({found.disabled_reason})"


def _table_of(found: Iterable[Webhook]) -> RenderableType:
    table = table_of("id", "url", "events", "state", "description")
    for one in found:
        table.add_row(*map(plain, (str(one.id), one.url, ", ".join(sorted(one.events)), _state(one), one.description)))
    return table


def _page(page: DeliveriesPage) -> RenderableType:
    table = table_of("message", "event", "call", "at", "state", "tries", "next try", "problem")
    for one in page.deliveries:
        table.add_row(*_row(one))
    following = f"Older ones: --cursor {page.following}" if page.following is not None else "There are no older ones."
    return Group(table, plain(following, style="dim"))


def _row(one: Delivery) -> tuple[Text, ...]:
    message = one.message
    before = (message.id, message.event_type, str(message.call_id), when(message.at) or "")
    after = (str(one.tries), when(one.next_at) or "", one.last_problem or "")
    return (*map(plain, before), plain(one.state, style=_STYLES.get(one.state, "")), *map(plain, after))


COMMANDS: Final[tuple[click.Command, ...]] = (webhook,)
