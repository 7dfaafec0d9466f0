"""
Accounts, their money and their keys.
"""

from collections.abc import Mapping
from typing import Final

import click

from outdial.domain.model.money import as_number
from outdial.domain.model.principal import Account, Permission
from outdial.domain.model.rate_limit import CALLS_PER_DAY, REQUESTS_PER_MINUTE, REQUESTS_PER_MINUTE_MAX
from outdial.domain.model.wallet import Wallet
from outdial.entrypoints.cli.answer import Answer, amount, facts, when
from outdial.entrypoints.cli.running import account_option, operating
from outdial.entrypoints.cli.values import price_caps
from outdial.entrypoints.library import Dialer


@click.group
def account() -> None:
    """
    Accounts: who pays.
    """


@click.group
def wallet() -> None:
    """
    An account's money.
    """


@click.group
def key() -> None:
    """
    API keys.
    """


@account.command("create")
@click.argument("name")
@click.option("--currency", default="USD", show_default=True, help="The currency of its wallet.")
@click.option("--balance", default="0", metavar="AMOUNT", help="Its first deposit, such as 25.00.")
@click.option("--default-region", metavar="REGION", help="Region of numbers written without +, such as US.")
@click.option("--allow-region", "regions", multiple=True, metavar="REGION", help="Call this region; repeat for more.")
@click.option(
    "--price-cap",
    "caps",
    multiple=True,
    callback=price_caps,
    metavar="KIND=PRICE",
    help="Call this kind of number up to this price per minute; repeat for more.",
)
@operating
async def create_account(
    dialer: Dialer,
    *,
    name: str,
    currency: str,
    balance: str,
    default_region: str | None,
    regions: tuple[str, ...],
    caps: Mapping[str, str],
) -> Answer:
    """
    Create an account.

    Without --allow-region it may call every region. Premium and other special numbers are called only with a
    --price-cap for their kind, such as premium_rate=2.00: the highest price per minute.
    """
    created = await dialer.administration.create_account(
        name,
        currency=currency,
        balance=balance,
        default_region=default_region,
        allowed_regions=regions,
        price_caps=caps,
    )
    return _account_answer(created, await dialer.administration.wallet(created.id))


@wallet.command("top-up")
@account_option
@click.option("--amount", "deposit", required=True, metavar="AMOUNT", help="How much to add, such as 10.00.")
@operating
async def top_up(dialer: Dialer, *, account_id: int, deposit: str) -> Answer:
    """
    Add money to a wallet.
    """
    return _wallet_answer(await dialer.administration.top_up(account_id, deposit))


@wallet.command("show")
@account_option
@operating
async def show_wallet(dialer: Dialer, *, account_id: int) -> Answer:
    """
    Show a wallet: what it owns, and what of it open calls hold.
    """
    return _wallet_answer(await dialer.administration.wallet(account_id))


@key.command("create")
@account_option
@click.option(
    "--permission",
    "permissions",
    type=click.Choice([permission.value for permission in Permission]),
    multiple=True,
    required=True,
    help="What it may do; repeat for more.",
)
@click.option(
    "--calls-per-day",
    type=click.IntRange(0),
    default=CALLS_PER_DAY,
    show_default=True,
    help="Calls that it may have accepted on one day of UTC.",
)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(1, REQUESTS_PER_MINUTE_MAX),
    default=REQUESTS_PER_MINUTE,
    show_default=True,
    help="Requests that it may make in any 60 seconds.",
)
@operating
async def create_key(
    dialer: Dialer, *, account_id: int, permissions: tuple[str, ...], calls_per_day: int, requests_per_minute: int
) -> Answer:
    """
    Create an API key. It is shown this once and kept nowhere.
    """
    created, text = await dialer.administration.create_key(
        account_id, permissions, calls_per_day=calls_per_day, requests_per_minute=requests_per_minute
    )
    granted = sorted(permission.value for permission in created.permissions)
    return Answer(
        body={
            "key_id": created.id,
            "account_id": account_id,
            "key": text,
            "permissions": granted,
            "calls_per_day": calls_per_day,
            "requests_per_minute": requests_per_minute,
        },
        shown=facts(
            f"Key {created.id} of account {account_id}",
            ("key", text),
            ("permissions", ", ".join(granted)),
            ("calls per day", str(calls_per_day)),
            ("requests per minute", str(requests_per_minute)),
            ("", "Keep it now: it is shown only once."),
        ),
    )


@key.command("revoke")
@click.argument("key_id", type=click.IntRange(1))
@operating
async def revoke_key(dialer: Dialer, *, key_id: int) -> Answer:
    """
    Stop a key from working, at once and for ever. Calls it asked for and that are still queued are not dialled.
    """
    revoked = await dialer.administration.revoke_key(key_id)
    at = when(revoked.revoked_at)
    return Answer(
        body={"key_id": revoked.id, "account_id": revoked.account_id, "revoked_at": at},
        shown=facts(f"Key {revoked.id} of account {revoked.account_id}", ("revoked", at)),
    )


def _account_answer(created: Account, owned: Wallet) -> Answer:
    regions = sorted(created.allowed_regions)
    caps = {kind.value: as_number(micros) for kind, micros in created.price_caps_micros.items()}
    return Answer(
        body={
            "account_id": created.id,
            "name": created.name,
            "currency": created.currency,
            "balance": as_number(owned.balance_micros),
            "default_region": created.default_region,
            "allowed_regions": regions,
            "price_caps": caps,
        },
        shown=facts(
            f"Account {created.id}",
            ("name", created.name),
            ("balance", amount(owned.balance_micros, owned.currency)),
            ("default region", created.default_region),
            ("allowed regions", ", ".join(regions)),
            ("price caps", ", ".join(f"{kind} {cap:.2f} {created.currency}" for kind, cap in caps.items())),
        ),
    )


def _wallet_answer(owned: Wallet) -> Answer:
    return Answer(
        body={
            "account_id": owned.account_id,
            "currency": owned.currency,
            "balance": as_number(owned.balance_micros),
            "available": as_number(owned.available_micros),
            "held": as_number(owned.held_micros),
        },
        shown=facts(
            f"Wallet of account {owned.account_id}",
            ("balance", amount(owned.balance_micros, owned.currency)),
            ("held by open calls", amount(owned.held_micros, owned.currency)),
            ("available", amount(owned.available_micros, owned.currency)),
        ),
    )


COMMANDS: Final[tuple[click.Command, ...]] = (account, wallet, key)
