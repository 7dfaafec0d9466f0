"""
Asking what would be decided about a call, and why something was.
"""

from typing import Any, Final, assert_never

import click
from rich.console import Group, RenderableType
from rich.table import Table

from outdial.domain.model.decision import Refused, Replayed
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.identifiers import read_row
from outdial.domain.model.refusal import Refusal
from outdial.domain.rules.preview import Judgement, Preview, Verdict
from outdial.domain.service.decisions import DecidedCall, RefusalsPage
from outdial.entrypoints.cli.answer import EXIT_OK, EXIT_REFUSED, Answer, amount, facts, plain, refused, table_of, when
from outdial.entrypoints.cli.calls import calls
from outdial.entrypoints.cli.running import acting, api_key_option, call_options, operating
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.wire.decisions import (
    RefusalsQuery,
    call_decision_body,
    preflight_body,
    refusal_body,
    refusals_body,
)
from outdial.entrypoints.wire.reading import read

_STYLES: Final = {Judgement.HOLDS: "green", Judgement.REFUSES: "red", Judgement.NOT_REACHED: "dim"}


@click.group
def refusals() -> None:
    """
    Calls that were refused, kept for a while.
    """


@click.command("preflight")
@call_options
@operating
async def preflight(dialer: Dialer, **asked: Any) -> Answer:
    """
    Tell what would be decided about a call, rule by rule; nothing is stored, held or dialled.
    """
    previewed = await dialer.preflight(**asked)
    if isinstance(previewed, Refused):
        return refused(previewed)
    exit_code = EXIT_REFUSED if isinstance(previewed.objection, Refused) else EXIT_OK
    return Answer(body=preflight_body(previewed), shown=_previewed(previewed), exit_code=exit_code)


@calls.command("decision")
@click.argument("call_id")
@api_key_option
@operating
async def show_decision(dialer: Dialer, *, call_id: str, api_key: str | None) -> Answer:
    """
    Show why a call was accepted, by its number or its `call_...` id.
    """
    decided = await dialer.decision(call_id, api_key=api_key)
    if isinstance(decided, Refused):
        return refused(decided)
    return Answer(body=call_decision_body(decided), shown=_decided(decided))


@refusals.command("list")
@click.option("--reason", metavar="CODE", help="Those for one reason, such as do_not_call.")
@click.option("--limit", type=int, help="Refusals of a page, 10 unless given.")
@click.option("--cursor", type=int, help="Begins where the page before it ended.")
@acting
async def list_refusals(client: Client, **wanted: object) -> Answer:
    """
    List what was refused, newest first.
    """
    query = read(RefusalsQuery, {name: value for name, value in wanted.items() if value is not None})
    if isinstance(query, Refused):
        return refused(query)
    page = await client.calls.refusals(reason=query.reason, before=query.cursor, limit=query.limit)
    if isinstance(page, Refused):
        return refused(page)
    return Answer(body=refusals_body(page, limit=query.limit), shown=_listed(page))


@refusals.command("show")
@click.argument("refusal_id")
@acting
async def show_refusal(client: Client, *, refusal_id: str) -> Answer:
    """
    Show why a call was refused.
    """
    refusal = await client.calls.refusal(read_row(refusal_id))
    if isinstance(refusal, Refused):
        return refused(refusal)
    return Answer(body=refusal_body(refusal), shown=_kept(refusal))


def _previewed(previewed: Preview) -> RenderableType:
    table = Table(show_header=False, box=None, pad_edge=False)
    for verdict in previewed.verdicts:
        style = _STYLES[verdict.judgement]
        judgement = plain(verdict.judgement.value.replace("_", " "), style=style)
        table.add_row(plain(verdict.rule.replace("_", " ")), judgement, plain(_said(verdict), style=style))
    rate, cover, script = previewed.rate, previewed.cover, previewed.script
    return Group(
        table,
        plain(""),
        facts(
            _outcome(previewed.objection),
            ("greeting", script.greeting if script is not None else None),
            ("price", f"{amount(rate.per_minute_micros, rate.currency)} a minute" if rate is not None else None),
            (
                "hold",
                f"{amount(cover.hold_micros, rate.currency)} for {cover.max_duration_s} s"
                if rate is not None and cover is not None
                else None,
            ),
            *_grounds(previewed.grounds),
        ),
    )


def _outcome(objection: Refused | Replayed | None) -> str:
    match objection:
        case None:
            return "The call would be accepted."
        case Refused(reason=reason):
            return f"The call would be refused: {reason.sentence}"
        case Replayed(call=call):
            return f"Call {call.id} would be answered again, and nobody dialled."
        case unknown:
            assert_never(unknown)


def _said(verdict: Verdict) -> str:
    if isinstance(verdict.said, Refused):
        return verdict.said.reason.value
    return verdict.said.call.call_id if verdict.said is not None else ""


def _decided(decided: DecidedCall) -> RenderableType:
    call = decided.call
    return facts(
        f"Call {call.id} was accepted",
        ("at", when(call.created_at)),
        *_kept_grounds(decided.grounds),
    )


def _kept(refusal: Refusal) -> RenderableType:
    return facts(
        f"{refusal.reason}: {refusal.reason.sentence}",
        ("at", when(refusal.at)),
        *((problem.field, problem.problem) for problem in refusal.problems),
        *_kept_grounds(refusal.grounds),
    )


def _listed(page: RefusalsPage) -> RenderableType:
    table = table_of("id", "at", "reason", "to", "agent", "key")
    for refusal in page.refusals:
        table.add_row(
            *map(
                plain,
                (
                    str(refusal.number),
                    when(refusal.at) or "",
                    refusal.reason.value,
                    refusal.phone_number.e164 if refusal.phone_number is not None else "",
                    str(refusal.agent_id or ""),
                    str(refusal.key_id or "operator"),
                ),
            )
        )
    following = f"Older ones: --cursor {page.following}" if page.following is not None else "No older ones are kept."
    return Group(table, plain(following, style="dim"))


def _grounds(grounds: Grounds) -> tuple[tuple[str, str], ...]:
    return (
        ("policy", grounds.policy_version),
        ("facts", grounds.facts),
        ("digest", grounds.facts_digest.hex()),
    )


def _kept_grounds(grounds: Grounds) -> tuple[tuple[str, str], ...]:
    warning = () if grounds.is_intact else (("warning", "The facts were changed since: their digest is another."),)
    return (*_grounds(grounds), *warning)


COMMANDS: Final[tuple[click.Command, ...]] = (preflight, refusals)
