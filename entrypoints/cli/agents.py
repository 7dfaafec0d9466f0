"""
Agents, and the contacts that they call.
"""

from typing import Any, Final

import click

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.identifiers import ID_MAX
from outdial.entrypoints.cli.answer import Answer, facts
from outdial.entrypoints.cli.running import account_option, operating
from outdial.entrypoints.library import Dialer


@click.group
def agent() -> None:
    """
    Agents: who talks.
    """


@click.group
def contact() -> None:
    """
    Contacts: who is called.
    """


@agent.command("create")
@account_option
@click.option("--name", required=True, help="What it is called.")
@click.option("--greeting", default="", help="What it says first; may hold {{name}} and {{name|fallback}}.")
@click.option("--instructions", default="", help="What it is told to do; may hold the same.")
@click.option("--phone-number", metavar="NUMBER", help="The number that callees see; without one it can't call.")
@click.option(
    "--runtime",
    type=click.Choice([kind.value for kind in RuntimeKind]),
    default=RuntimeKind.ANNOUNCE.value,
    show_default=True,
    help="Speak the greeting, or join the callee to the agent's own SIP address.",
)
@click.option("--sip-uri", metavar="URI", help="Its address, for the runtime sip_uri.")
@click.option("--model", help="The language model behind it, for clients to know.")
@click.option("--voice-id", help="The voice that it speaks with, for clients to know.")
@click.option("--team-id", type=click.IntRange(1, ID_MAX), help="The team that it belongs to, for clients to know.")
@operating
async def create_agent(dialer: Dialer, *, account_id: int, **fields: Any) -> Answer:
    """
    Create an agent.
    """
    created = await dialer.administration.create_agent(account_id, **fields)
    number = created.phone_number.e164 if created.phone_number is not None else None
    return Answer(
        body={
            "id": created.id,
            "assistant_id": created.assistant_id,
            "account_id": account_id,
            "name": created.name,
            "phone_number": number,
            "greeting": created.greeting,
            "instructions": created.instructions,
            "runtime": created.runtime.value,
            "sip_uri": created.sip_uri,
            "model": created.model,
            "voice_id": created.voice_id,
            "team_id": created.team_id,
            "can_make_calls": created.can_make_calls,
        },
        shown=facts(
            f"Agent {created.id} of account {account_id}",
            ("name", created.name),
            ("assistant id", created.assistant_id),
            ("number", number or "none: it can't make calls"),
            ("greeting", created.greeting),
            ("runtime", created.runtime.value),
            ("SIP address", created.sip_uri),
            ("model", created.model),
            ("voice", created.voice_id),
            ("team", str(created.team_id) if created.team_id is not None else None),
        ),
    )


@contact.command("create")
@account_option
@click.option("--first-name", required=True)
@click.option("--last-name")
@click.option("--email")
@click.option("--company")
@click.option("--phone-number", metavar="NUMBER")
@operating
async def create_contact(
    dialer: Dialer,
    *,
    account_id: int,
    first_name: str,
    last_name: str | None,
    email: str | None,
    company: str | None,
    phone_number: str | None,
) -> Answer:
    """
    Create a contact; its fields fill {{first_name}}, {{last_name}}, {{email}} and {{company}}.
    """
    created = await dialer.administration.create_contact(
        account_id,
        first_name=first_name,
        last_name=last_name,
        email=email,
        company=company,
        phone_number=phone_number,
    )
    number = created.phone_number.e164 if created.phone_number is not None else None
    name = f"{created.first_name} {created.last_name or ''}".strip()
    return Answer(
        body={
            "id": created.id,
            "account_id": account_id,
            "first_name": created.first_name,
            "last_name": created.last_name,
            "email": created.email,
            "company": created.company,
            "phone_number": number,
        },
        shown=facts(
            f"Contact {created.id} of account {account_id}",
            ("name", name),
            ("email", created.email),
            ("company", created.company),
            ("number", number),
        ),
    )


COMMANDS: Final[tuple[click.Command, ...]] = (agent, contact)
