"""
From a command's options to its exit code: settings, the opened library, errors, `--json`.
"""

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import click

from outdial.entrypoints import library
from outdial.entrypoints.cli.answer import WRONG_USAGE, Answer, failed, print_answer, print_json
from outdial.entrypoints.cli.values import nested
from outdial.entrypoints.logs import set_up_logging
from outdial.entrypoints.settings import PREFIX, Settings, read_settings
from outdial.ports.errors import OutdialError

T = TypeVar("T")

F = TypeVar("F", bound=Callable[..., Any])

JSON_OPTION: Final = "--json"
KEY_VARIABLE: Final = "OUTDIAL_API_KEY"
NOBODY: Final = f"Set {KEY_VARIABLE} to an API key, or give --account to act as the operator."
SETTING_OPTIONS: Final = ("database", "host", "port", "carrier", "role")
"""Options that stand for the setting of their name."""

Variables = Mapping[str, str]
"""`OUTDIAL_*` variables, those given as options among them."""


class Commands(click.Group):
    """
    The outermost group: wrong usage of its commands is told as JSON too, when JSON was asked for.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """
        Note whether JSON was asked for, before anything can be wrong.
        """
        ctx.meta[JSON_OPTION] = JSON_OPTION in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """
        Run the command that the arguments name.
        """
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if not ctx.meta[JSON_OPTION]:
                raise
            print_json({"error": WRONG_USAGE, "message": error.format_message()})
            ctx.exit(error.exit_code)


def answering(work: Callable[..., Answer | None]) -> Callable[..., None]:
    """
    Make a command's function of one that takes variables and options and returns its answer, if any is left to print.

    Adds `--json` and `--database`; every option named like a setting becomes its variable.
    """

    @click.option("--database", metavar="URL", help="Where accounts, money and calls are kept.")
    @click.option(JSON_OPTION, "as_json", is_flag=True, help="Print one JSON object.")
    @functools.wraps(work)
    def command(*, as_json: bool, **options: Any) -> None:
        given = {name: options.pop(name, None) for name in SETTING_OPTIONS}
        overrides = {PREFIX + name.upper(): value for name, value in given.items() if value is not None}
        try:
            answer = work({**os.environ, **overrides}, **options)
        except (OutdialError, ValueError) as error:
            answer = failed(error)
        if answer is not None:
            print_answer(answer, as_json=as_json)
            click.get_current_context().exit(answer.exit_code)

    return command


def operating(work: Callable[..., Awaitable[Answer | None]]) -> Callable[..., None]:
    """
    Make a command's function of a coroutine that takes the opened library and options; it dials nothing.
    """

    @functools.wraps(work)
    def with_library(variables: Variables, /, **options: Any) -> Answer | None:
        async def operate() -> Answer | None:
            async with library.open(settings, dials=False) as dialer:
                return await work(dialer, **options)

        settings = settings_of(variables)
        return asyncio.run(operate())

    return answering(with_library)


def credential_options(command: F) -> F:
    """
    Add `--api-key` and `--account`.
    """
    api_key = click.option(
        "--api-key",
        envvar=KEY_VARIABLE,
        metavar="KEY",
        help="Whom to act for; without one (or OUTDIAL_API_KEY), the operator acts for --account.",
    )
    account = click.option(
        "--account", "account_id", type=click.IntRange(1), help="The account that the operator acts for."
    )
    return api_key(account(command))


def acting(work: Callable[..., Awaitable[Answer]]) -> Callable[..., None]:
    """
    Make a command's function of a coroutine that takes a client and options; adds `--api-key` and `--account`.
    """

    @credential_options
    @functools.wraps(work)
    async def with_client(
        dialer: library.Dialer, /, *, api_key: str | None, account_id: int | None, **options: Any
    ) -> Answer:
        if api_key is None and account_id is None:
            raise click.UsageError(NOBODY)
        return await work(dialer.client(api_key=api_key, account_id=account_id), **options)

    return operating(with_client)


def settings_of(variables: Variables) -> Settings:
    """
    Read the settings and set up logging by them.

    Raises:
        SettingsError: Names everything that is wrong.
    """
    settings = read_settings(variables)
    set_up_logging(settings)
    return settings


def json_is_wanted() -> bool:
    """
    Tell whether the running command was asked for JSON.
    """
    return bool(click.get_current_context().params["as_json"])


account_option = click.option("--account", "account_id", type=click.IntRange(1), required=True, help="The account.")
api_key_option = click.option(
    "--api-key",
    envvar=KEY_VARIABLE,
    metavar="KEY",
    help="Whom to act for; without one (or OUTDIAL_API_KEY), the operator.",
)
carrier_option = click.option("--carrier", metavar="simulator|sip", help="Who rings the phones.")
role_option = click.option("--role", metavar="api|worker|all", help="Take calls, dial them, or both.")
host_option = click.option("--host", help="Where to serve HTTP.")
port_option = click.option("--port", help="Its port; 0 for any free one.")

_CALL_OPTIONS: Final = (
    click.option("--agent", "agent_id", required=True, metavar="ID", help="The agent: its id or assistant id."),
    click.option(
        "--to", "phone_number", required=True, metavar="NUMBER", help="The number to dial, such as +15551234567."
    ),
    click.option("--contact", "contact_id", type=int, metavar="ID", help="A contact, whose fields the agent may use."),
    click.option(
        "--variable",
        "variables",
        multiple=True,
        callback=nested,
        metavar="NAME=VALUE",
        help="A value for the agent's texts; dots in the name nest. Repeat for more.",
    ),
    api_key_option,
    click.option(
        "--idempotency-key",
        metavar="KEY",
        help="Names the request: asked again with the same one, no second call is made.",
    ),
)


def call_options(command: Callable[..., T]) -> Callable[..., T]:
    """
    Add what describes a call, by the names that the library has for it.
    """
    for option in reversed(_CALL_OPTIONS):
        command = option(command)
    return command
