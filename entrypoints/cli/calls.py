"""
Asking for calls and looking at them.
"""

from typing import Any, Final

import click
from rich.console import RenderableType

from outdial.domain.model.call import UNKNOWN, Call, Status
from outdial.domain.model.decision import Refused
from outdial.domain.model.lifecycle import State
from outdial.domain.model.listing import Page
from outdial.domain.service.reading import CallView
from outdial.entrypoints.cli.answer import (
    EXIT_OK,
    EXIT_REFUSED,
    Answer,
    amount,
    console,
    facts,
    listing,
    plain,
    refused,
    table_of,
    when,
)
from outdial.entrypoints.cli.following import progress, statuses
from outdial.entrypoints.cli.running import acting, api_key_option, call_options, json_is_wanted, operating
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.wire.call_requests import CallsQuery
from outdial.entrypoints.wire.calls import accepted_body, call_body, call_page_body
from outdial.entrypoints.wire.reading import read

WAIT_SPARE_S: Final = 300
"""How much longer than a call itself may take `--wait` waits, for the queue before it."""


@click.group
def calls() -> None:
    """
    Calls that were accepted.
    """


@click.command("call")
@call_options
@click.option("--wait", "waits", is_flag=True, help="Follow the call to its end; exit 1 unless it completes.")
@operating
async def call(dialer: Dialer, *, waits: bool, **asked: Any) -> Answer:
    """
    Ask for a call.

    The call is decided, paid for and queued here; a running `outdial serve` dials it.
    """
    decision = await dialer.dial(**asked)
    if isinstance(decision, Refused):
        return refused(decision)
    if waits:
        return await _followed(dialer, decision.call)
    return Answer(body=accepted_body(decision.call), shown=_accepted(decision.call))


@calls.command("list")
@click.option("--agent", "agent_id", metavar="ID", help="Of one agent: its id or assistant id.")
@click.option("--contact", "contact_id", type=int, metavar="ID", help="To one contact.")
@click.option("--status", type=click.Choice([*(status.value for status in Status), UNKNOWN]), help="In one status.")
@click.option("--idempotency-key", metavar="KEY", help="Asked for with this key.")
@click.option("--page", type=int, help="The page's number.")
@click.option("--limit", type=int, help="Calls of a page, 10 unless given.")
@click.option("--cursor", type=int, help="Begins where the page before it ended.")
@acting
async def list_calls(client: Client, **wanted: object) -> Answer:
    """
    List calls, newest first.
    """
    query = read(CallsQuery, {name: value for name, value in wanted.items() if value is not None})
    page = query if isinstance(query, Refused) else await client.calls.list(query)
    return refused(page) if isinstance(page, Refused) else Answer(body=call_page_body(page), shown=_listed(page))


@calls.command("show")
@click.argument("call_id")
@api_key_option
@operating
async def show_call(dialer: Dialer, *, call_id: str, api_key: str | None) -> Answer:
    """
    Show a call, by its number or its `call_...` id.
    """
    view = await dialer.call(call_id, api_key=api_key)
    if isinstance(view, Refused):
        return refused(view)
    return Answer(body=call_body(view), shown=_viewed(view))


@calls.command("hang-up")
@click.argument("call_id")
@api_key_option
@operating
async def hang_up_call(dialer: Dialer, *, call_id: str, api_key: str | None) -> Answer:
    """
    Cancel a call that is queued or rings, hang up one in progress; by its number or its `call_...` id.

    Answers at once: a running `outdial serve` hangs up within a second.
    """
    view = await dialer.hang_up(call_id, api_key=api_key)
    if isinstance(view, Refused):
        return refused(view)
    return Answer(body=call_body(view), shown=_viewed(view))


@calls.command("adopt")
@click.argument("call_id")
@click.option("--even-if-it-rang", is_flag=True, help="Also if nobody knows whether it rang.")
@operating
async def adopt_call(dialer: Dialer, *, call_id: str, even_if_it_rang: bool) -> Answer:
    """
    Ask again for a call that was given up when its database was restored, copied or promoted.

    It is decided as any new call is. Asked for twice, the same new call is answered.
    """
    decision = await dialer.adopt(call_id, even_if_it_rang=even_if_it_rang)
    if isinstance(decision, Refused):
        return refused(decision)
    return Answer(body=accepted_body(decision.call), shown=_accepted(decision.call))


async def _followed(dialer: Dialer, accepted: Call) -> Answer:
    """
    Tell of a call's progress on standard error, and return how it came out.
    """
    settings = dialer.settings
    timeout_s = settings.ring_timeout_s + settings.max_call_duration_s + WAIT_SPARE_S
    current = accepted
    try:
        async for current in statuses(dialer, accepted, timeout_s=timeout_s):
            if not json_is_wanted():
                console(err=True).print(plain(progress(current)), style="dim")
    except TimeoutError:
        console(err=True).print(plain(f"After {timeout_s} s the call is not over."), style="red")
    view = await dialer.call(current.id)
    if isinstance(view, Refused):
        return refused(view)
    exit_code = EXIT_OK if view.call.status is Status.COMPLETED else EXIT_REFUSED
    return Answer(body=call_body(view), shown=_viewed(view), exit_code=exit_code)


def _accepted(accepted: Call) -> RenderableType:
    return facts(
        f"Call {accepted.id} is queued; a running `outdial serve` dials it",
        ("call id", accepted.call_id),
        ("to", accepted.phone_number.e164),
        ("agent", accepted.agent_name),
        ("held", amount(accepted.hold_micros, accepted.rate.currency)),
        ("follow it", f"outdial calls show {accepted.id}"),
    )


def _listed(page: Page[CallView]) -> RenderableType:
    table = table_of("call", "to", "agent", "status", "asked", "cost", whole=("to", "status", "asked", "cost"))
    for view in page.records:
        call = view.call
        table.add_row(
            plain(str(call.id)),
            plain(call.phone_number.e164),
            plain(call.agent_name),
            plain(f"failed: {call.disposition}" if call.status is Status.FAILED else call.listed_as),
            plain(when(call.created_at) or ""),
            amount(call.charge_micros, call.rate.currency) if call.is_terminal else "",
        )
    return listing(table, page, "calls")


def _viewed(view: CallView) -> RenderableType:
    seen, contact = view.call, view.contact
    currency = seen.rate.currency
    return facts(
        f"Call {seen.id}: {seen.listed_as}",
        ("call id", seen.call_id),
        ("to", seen.phone_number.e164),
        ("contact", contact.name if contact is not None else None),
        ("agent", seen.agent_name),
        ("greeting", seen.script.greeting),
        ("asked", when(seen.created_at)),
        ("answered", when(seen.answered_at)),
        ("ended", when(seen.ended_at)),
        ("next attempt", when(seen.not_before)),
        ("given up at", when(seen.deadline_at) if seen.state is State.UNKNOWN else None),
        ("because", str(seen.disposition) if seen.disposition is not None else None),
        ("network", str(seen.cause) if seen.cause is not None else None),
        ("talk time", f"{seen.talk_s} s" if seen.is_terminal else None),
        ("cost", amount(seen.charge_micros, currency) if seen.is_terminal else None),
        ("held", amount(seen.hold_micros, currency) if not seen.is_terminal else None),
    )


COMMANDS: Final[tuple[click.Command, ...]] = (call, calls)
