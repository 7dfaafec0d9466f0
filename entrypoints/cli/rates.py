"""
What calls cost.
"""

from typing import Final

import click

from outdial.domain.model.money import as_number
from outdial.domain.model.rate import INCREMENT_S_MAX
from outdial.entrypoints.cli.answer import Answer, amount, facts
from outdial.entrypoints.cli.running import operating
from outdial.entrypoints.library import Dialer


@click.group
def rate() -> None:
    """
    Prices by a number's first digits.
    """


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


COMMANDS: Final[tuple[click.Command, ...]] = (rate,)
