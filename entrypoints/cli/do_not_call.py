"""
Numbers that must not be called: every account's lists, and the operator's.
"""

import functools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

import click
from rich.console import Group

from outdial.domain.model.do_not_call import DEFAULT_LIST, DncEntry, DncList
from outdial.entrypoints.cli.answer import Answer, facts, plain, table_of, when
from outdial.entrypoints.cli.running import operating
from outdial.entrypoints.do_not_call import Listing
from outdial.entrypoints.library import Dialer

OPERATOR: Final = "the operator"


@click.group
def dnc() -> None:
    """
    Do-Not-Call lists: each account's own, and the operator's, which binds them all.
    """


def owned(work: Callable[..., Awaitable[Answer | None]]) -> Callable[..., None]:
    """
    Make a command of a coroutine that takes `account_id`, which is `None` for the operator's list.
    """

    @click.option("--account", "account_id", type=click.IntRange(1), help="The account whose lists are meant.")
    @click.option("--operator", "is_operators", is_flag=True, help="The operator's list, which binds every account.")
    @operating
    @functools.wraps(work)
    async def command(dialer: Dialer, *, account_id: int | None, is_operators: bool, **options: Any) -> Answer | None:
        if is_operators is (account_id is not None):
            raise click.UsageError("Give either --account or --operator.")
        return await work(dialer, account_id=account_id, **options)

    return command


def moment(_ctx: click.Context, _param: click.Parameter, text: str | None) -> datetime | None:
    """
    Return a time; one without a zone is in UTC.

    Raises:
        click.BadParameter: It is none.
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time such as 2026-12-31 or 2026-12-31T18:00:00Z.") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


list_option = click.option("--list", "list_name", metavar="NAME", help="One list; all of them without it.")
_LISTING_OPTIONS: Final = (
    click.option(
        "--list",
        "list_name",
        default=DEFAULT_LIST,
        show_default=True,
        metavar="NAME",
        help="The account's list, which is made when there is none of the name.",
    ),
    click.option("--source", default="", help="Where the list comes from, if it is made."),
    click.option("--reason", default="", help="Why, in your words."),
    click.option(
        "--expires-at", metavar="TIME", callback=moment, help="From when on it may be called again, as 2026-12-31."
    ),
)


def listing(work: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """
    Let a coroutine that takes a `listing` have it from options.
    """

    @functools.wraps(work)
    async def listed(
        *arguments: Any, list_name: str, source: str, reason: str, expires_at: datetime | None, **options: Any
    ) -> Answer:
        said = Listing(list_name=list_name, source=source, reason=reason, expires_at=expires_at)
        return await work(*arguments, listing=said, **options)

    return functools.reduce(lambda command, option: option(command), reversed(_LISTING_OPTIONS), listed)


def owner_of(account_id: int | None) -> str:
    """
    Name whose lists are meant.
    """
    return OPERATOR if account_id is None else f"account {account_id}"


@dnc.command("add")
@click.argument("number")
@owned
@listing
async def add_number(dialer: Dialer, *, account_id: int | None, number: str, listing: Listing) -> Answer:
    """
    List a number: it is not dialled from this moment on, not even for calls that are queued.
    """
    entry = await dialer.administration.dnc.add(account_id, number, listing)
    return Answer(
        body={"account_id": account_id, "phone_number": entry.phone_number.e164, **_entry_body(entry)},
        shown=facts(
            f"Do-Not-Call list of {owner_of(account_id)}",
            ("number", entry.phone_number.e164),
            ("listed", "yes"),
            ("reason", entry.reason),
            ("until", when(entry.expires_at)),
        ),
    )


@dnc.command("remove")
@click.argument("number")
@list_option
@owned
async def remove_number(dialer: Dialer, *, account_id: int | None, number: str, list_name: str | None) -> Answer:
    """
    Take a number off all of an account's lists, or off one. The operator's list is only changed with `--operator`.
    """
    was_listed = await dialer.administration.dnc.remove(account_id, number, list_name=list_name)
    return Answer(
        body={"account_id": account_id, "phone_number": number, "removed": was_listed},
        shown=facts(
            f"Do-Not-Call lists of {owner_of(account_id)}",
            ("number", number),
            ("listed", "no longer" if was_listed else "no, and it was not before"),
        ),
    )


@dnc.command("show")
@click.argument("number")
@owned
async def show_number(dialer: Dialer, *, account_id: int | None, number: str) -> Answer:
    """
    Tell whether a number must not be called, and which lists say so, the operator's included.
    """
    found = await dialer.administration.dnc.show(account_id, number)
    is_listed = any(one.is_live for one in found)
    title = f"{number} is listed" if is_listed else f"{number} is not listed"
    table = table_of("list", "of", "reason", "since", "until")
    for one in found:
        entry, until = one.entry, when(one.entry.expires_at) or "for ever"
        owner, since = owner_of(one.dnc_list.account_id), when(entry.listed_at) or ""
        until = until if one.is_live else f"expired {until}"
        table.add_row(*map(plain, (one.dnc_list.name, owner, entry.reason, since, until)))
    return Answer(
        body={
            "account_id": account_id,
            "phone_number": found[0].entry.phone_number.e164 if found else number,
            "listed": is_listed,
            "entries": [
                {
                    "list": one.dnc_list.name,
                    "operator": one.dnc_list.account_id is None,
                    "live": one.is_live,
                    **_entry_body(one.entry),
                }
                for one in found
            ],
        },
        shown=Group(plain(title, style="bold"), table),
    )


@dnc.command("lists")
@owned
async def show_lists(dialer: Dialer, *, account_id: int | None) -> Answer:
    """
    Show an account's own lists, or the operator's.
    """
    found = await dialer.administration.dnc.lists(account_id)
    title = f"Do-Not-Call lists of {owner_of(account_id)}"
    table = table_of("id", "name", "source", "since")
    for one in found:
        table.add_row(*map(plain, (str(one.id), one.name, one.source, when(one.created_at) or "")))
    return Answer(
        body={"account_id": account_id, "lists": [list_body(one) for one in found]},
        shown=Group(plain(title, style="bold"), table),
    )


@dnc.command("drop")
@click.argument("list_name", metavar="NAME")
@owned
async def drop_list(dialer: Dialer, *, account_id: int | None, list_name: str) -> Answer:
    """
    Remove a list with all its numbers.
    """
    removed = await dialer.administration.dnc.remove_list(account_id, list_name)
    return Answer(
        body={"account_id": account_id, **list_body(removed)},
        shown=facts(f"Do-Not-Call list of {owner_of(account_id)}", ("name", removed.name), ("removed", "yes")),
    )


def list_body(dnc_list: DncList) -> dict[str, object]:
    """
    Return a list for `--json`.
    """
    return {
        "id": dnc_list.id,
        "name": dnc_list.name,
        "source": dnc_list.source,
        "created_at": when(dnc_list.created_at),
    }


def _entry_body(entry: DncEntry) -> dict[str, object]:
    return {"reason": entry.reason, "listed_at": when(entry.listed_at), "expires_at": when(entry.expires_at)}
