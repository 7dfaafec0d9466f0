"""
An account with an agent and a key, made by the library's own means.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs

import outdial

MEMORY: Final = outdial.Settings(database="memory:", simulator_time_scale=0.0)
CALLEE: Final = "+15551234567"
BUSY: Final = "+15555550101"


@attrs.frozen(kw_only=True)
class Clinic:
    """
    What was made, and the dialer that made it.
    """

    dialer: outdial.Dialer
    account_id: int
    agent_id: int
    key: str


def in_file(folder: Path, **changes: Any) -> outdial.Settings:
    """
    Return settings for a database in a folder.
    """
    return attrs.evolve(MEMORY, database=f"sqlite:///{folder / 'outdial.db'}", **changes)


async def furnish(dialer: outdial.Dialer, *, balance: str = "25.00") -> Clinic:
    """
    Make an account with money, an agent with a number, and a key with every permission.
    """
    account = await dialer.administration.create_account("Clinic", balance=balance)
    agent = await dialer.administration.create_agent(
        account.id,
        name="Appointment Scheduler",
        greeting="Hello {{customer_name|there}}.",
        phone_number="+15555550100",
    )
    _key, text = await dialer.administration.create_key(
        account.id,
        [permission.value for permission in outdial.Permission],
        calls_per_day=1_000_000,
        requests_per_minute=60_000,
    )
    return Clinic(dialer=dialer, account_id=account.id, agent_id=agent.id, key=text)


@asynccontextmanager
async def opened(settings: outdial.Settings = MEMORY, **arguments: Any) -> AsyncIterator[Clinic]:
    """
    Open outdial and set it up.
    """
    async with outdial.open(settings, **arguments) as dialer:
        yield await furnish(dialer)
