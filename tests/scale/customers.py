"""
Who pays in these tests, set up beside the processes.
"""

import attrs

import outdial
from tests.library.setting_up import furnish

CALLER_IDS = ("+15555550100", "+15555550111")


@attrs.frozen(kw_only=True)
class Customer:
    """
    An account of its own.

    Attributes:
        agent_ids: Agents with a number each, of `CALLER_IDS`.
    """

    account_id: int
    agent_ids: tuple[int, ...]
    key: str

    @property
    def agent_id(self) -> int:
        """
        The first of them.
        """
        return self.agent_ids[0]


async def new_customer(database: str, *, balance: str) -> Customer:
    """
    Make an account with money, agents and a key.
    """
    async with outdial.open(outdial.Settings(database=database), dials=False) as dialer:
        clinic = await furnish(dialer, balance=balance)
        second = await dialer.administration.create_agent(
            clinic.account_id, name="Second", greeting="Hello.", phone_number=CALLER_IDS[1]
        )
    return Customer(account_id=clinic.account_id, agent_ids=(clinic.agent_id, second.id), key=clinic.key)
