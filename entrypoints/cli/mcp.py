"""
The Model Context Protocol on standard input and output: `outdial mcp`.
"""

import asyncio
import signal
from typing import Final

import click

from outdial.domain.model.principal import Credential, Operator, PresentedKey
from outdial.entrypoints import library
from outdial.entrypoints.cli.answer import Answer, refused
from outdial.entrypoints.cli.running import KEY_VARIABLE, NOBODY, Variables, answering, settings_of
from outdial.entrypoints.mcp.extra import need_mcp
from outdial.entrypoints.settings import Settings


@click.command("mcp")
@click.option("--account", "account_id", type=click.IntRange(1), help="Without a key: whom the operator acts for.")
@answering
def mcp(variables: Variables, *, account_id: int | None) -> Answer | None:
    """
    Give a language model tools for calls, over standard input and output, until its client closes them.

    Acts with the API key in OUTDIAL_API_KEY. Calls are decided, paid for and queued here; a running `outdial serve`
    dials them.
    """
    need_mcp()
    credential = _credential(variables.get(KEY_VARIABLE), account_id)
    return asyncio.run(_serve(settings_of(variables), credential))


def _credential(key: str | None, account_id: int | None) -> Credential:
    """
    Return whom the model acts for; keys are not taken as options, which every user of the machine can see.
    """
    if key:
        return PresentedKey(text=key)
    if account_id is None:
        raise click.UsageError(NOBODY)
    return Operator(account_id=account_id)


async def _serve(settings: Settings, credential: Credential) -> Answer | None:
    from outdial.entrypoints.mcp.stdio import serve_stdio  # noqa: PLC0415 - an extra

    async with library.open(settings, dials=False) as dialer:
        client = dialer.acting(credential)
        refusal = await client.identify()
        if refusal is not None:
            return refused(refusal)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what reads standard input waits in a thread that can't be ended
        await serve_stdio(client)
    return None


COMMANDS: Final[tuple[click.Command, ...]] = (mcp,)
