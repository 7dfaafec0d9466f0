"""
What calls are judged by: Do-Not-Call lists and prices.
"""

from typing import Final

import click

from outdial.domain.model.money import as_number
from outdial.domain.model.rate import INCREMENT_S_MAX
from outdial.entrypoints.cli.answer import Answer, amount, facts, when
from outdial.entrypoints.cli.running import account_option, operating
from outdial.entrypoints.library import Dialer


@click.group
def dnc() -> None:
    """
    An account's Do-Not-Call list.
    """


@click.group
def rate() -> None:
    """
    Prices by a number's first digits.
    """


@dnc.command("add")
@account_option
@click.argument("number")
@click.option("--reason", default="", help="Why, in your words.")
@operating
async def add_number(dialer: Dialer, *, account_id: int, number: str, reason: str) -> Answer:
    """
    List a number: it is not dialled from this moment on, not even for calls that are queued.
    """
    listed = await dialer.administration.list_number(account_id, number, reason=reason)
    return Answer(
        body={"account_id": account_id, "phone_number": listed.e164, "listed": True, "reason": reason},
        shown=facts(
            f"Do-Not-Call list of account {account_id}", ("number", listed.e164), ("listed", "yes"), ("reason", reason)
        ),
    )


@dnc.command("remove")
@account_option
@click.argument("number")
@operating
async def remove_number(dialer: Dialer, *, account_id: int, number: str) -> Answer:
    """
    Take a number off the list.
    """
    was_listed = await dialer.administration.delist_number(account_id, number)
    return Answer(
        body={"account_id": account_id, "phone_number": number, "listed": False, "removed": was_listed},
        shown=facts(
            f"Do-Not-Call list of account {account_id}",
            ("number", number),
            ("listed", "no longer" if was_listed else "no, and it was not before"),
        ),
    )


@dnc.command("check")
@account_option
@click.argument("number")
@operating
async def check_number(dialer: Dialer, *, account_id: int, number: str) -> Answer:
    """
    Tell whether a number is listed.
    """
    entry = await dialer.administration.listing(account_id, number)
    reason = entry.reason if entry is not None else None
    at = when(entry.listed_at) if entry is not None else None
    written = entry.phone_number.e164 if entry is not None else number
    return Answer(
        body={
            "account_id": account_id,
            "phone_number": written,
            "listed": entry is not None,
            "reason": reason,
            "listed_at": at,
        },
        shown=facts(
            f"Do-Not-Call list of account {account_id}",
            ("number", written),
            ("listed", "yes" if entry is not None else "no"),
            ("reason", reason),
            ("since", at),
        ),
    )


@rate.command("set")
@click.option(
    "--prefix", required=True, metavar="DIGITS", help="First digits with the country code, such as 1 or 4930."
)
@click.option("--per-minute", required=True, metavar="AMOUNT", help="The price of a minute, such as 0.05.")
@click.option("--increment-s", type=click.IntRange(1, INCREMENT_S_MAX), default=60, show_default=True)
@click.option("--minimum-s", type=click.IntRange(0, INCREMENT_S_MAX), default=0, show_default=True)
@click.option("--currency", default="USD", show_default=True, help="It serves accounts of this currency.")
@operating
async def set_rate(
    dialer: Dialer, *, prefix: str, per_minute: str, increment_s: int, minimum_s: int, currency: str
) -> Answer:
    """
    Set the price of numbers that begin with a prefix; the longest prefix counts.

    Talk time is rounded up to a multiple of the increment and billed for the minimum at least.
    """
    stored = await dialer.administration.set_rate(
        prefix, per_minute, increment_s=increment_s, minimum_s=minimum_s, currency=currency
    )
    return Answer(
        body={
            "prefix": stored.prefix,
            "currency": stored.currency,
            "per_minute": as_number(stored.per_minute_micros),
            "increment_s": stored.increment_s,
            "minimum_s": stored.minimum_s,
        },
        shown=facts(
            f"Rate of +{stored.prefix}",
            ("per minute", amount(stored.per_minute_micros, stored.currency)),
            ("rounded up to", f"{stored.increment_s} s"),
            ("billed at least", f"{stored.minimum_s} s"),
        ),
    )


COMMANDS: Final[tuple[click.Command, ...]] = (dnc, rate)
