"""
What `outdial demo` needs: a simulated network, an account with money, an agent with something to say.
"""

import asyncio
import json
import shlex
from collections.abc import AsyncIterator, Mapping
from typing import Final

import attrs

from outdial.domain.model.agent import Agent
from outdial.domain.model.call import Call
from outdial.domain.model.decision import Decision
from outdial.domain.model.money import MICROS_PER_UNIT, as_text
from outdial.domain.model.phone_number import NumberCheck
from outdial.domain.model.principal import Permission
from outdial.domain.service.reading import CallView
from outdial.entrypoints import composition
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.settings import Settings
from outdial.ports.errors import OutdialError
from outdial.ports.storage import Reader

DATABASE: Final = "sqlite:///outdial-demo.db"
ACCOUNT_NAME: Final = "outdial demo"
ACCOUNT_ID: Final = 1
"""The demo's account is the first of its database, and its agent the first agent."""

DEPOSIT_MICROS: Final = 25 * MICROS_PER_UNIT
LOW_MICROS: Final = 5 * MICROS_PER_UNIT
"""Below this the wallet is filled up again at the next start."""

AGENT_NAME: Final = "Appointment Scheduler"
AGENT_NUMBER: Final = "+15555550100"
GREETING: Final = (
    "Hello {{customer_name|there}}, this is {{agent_name}}."
    " Your appointment is at {{appointment_time|the time we agreed on}}. Goodbye!"
)

CALLEE: Final = "+15551234567"
VARIABLES: Final = {"customer_name": "John Doe", "appointment_time": "3:30 PM tomorrow"}

TIME_SCALE: Final = "0.6"
"""Eight seconds of ringing and talking are over in five."""

CALL_TIMEOUT_S: Final = 120.0
POLL_S: Final = 0.2
LOOK_AHEAD: Final = 10
"""Rows after the last call that are looked at for new ones: requests that were refused leave gaps."""

_DEFAULTS: Final = {
    "OUTDIAL_DATABASE": DATABASE,
    "OUTDIAL_SIMULATOR_TIME_SCALE": TIME_SCALE,
    "OUTDIAL_LOG_LEVEL": "warning",
}
_FIXED: Final = {
    "OUTDIAL_CARRIER": "simulator",
    "OUTDIAL_ROLE": "all",
    "OUTDIAL_NUMBER_CHECK": NumberCheck.POSSIBLE.value,
    "OUTDIAL_SPEECH_COMMAND": "",
    "OUTDIAL_SPEECH_FILE": "",
}
"""
Whatever else is set: no phone rings, no sound is made, the reference's example number can be called, and what the demo
prints is answered.
"""


class DemoDatabaseError(OutdialError):
    """
    The database is not the demo's; nothing was changed.
    """


@attrs.frozen(kw_only=True)
class Stage:
    """
    The demo, set up.

    Attributes:
        key: A new key with every permission, as a client sends it.
    """

    account_id: int
    agent: Agent
    key: str = attrs.field(repr=False)


def demo_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """
    Return the variables that the demo runs with.
    """
    given = {name: value for name, value in variables.items() if value}
    return {**_DEFAULTS, **given, **_FIXED}


async def find_agent(settings: Settings) -> Agent | None:
    """
    Return the agent of an earlier demo; `None` when the database is new.

    Raises:
        DemoDatabaseError: It holds others' accounts, whose queued calls the simulator would pretend to make.
    """
    if settings.database == DATABASE:
        composition.migrate(settings)
    storage = composition.storage(settings)
    await storage.start()
    try:
        return await storage.read(_agent_of_demo)
    finally:
        await storage.stop()


async def prepare(dialer: Dialer, agent: Agent | None) -> Stage:
    """
    Make what the demo lacks: account, money, agent; and a key, because the earlier one's text is not stored.
    """
    administration = dialer.administration
    if agent is None:
        account = await administration.create_account(ACCOUNT_NAME, balance=as_text(DEPOSIT_MICROS))
        agent = await administration.create_agent(
            account.id, name=AGENT_NAME, greeting=GREETING, phone_number=AGENT_NUMBER
        )
    wallet = await administration.wallet(agent.account_id)
    if wallet.available_micros < LOW_MICROS:
        await administration.top_up(agent.account_id, as_text(DEPOSIT_MICROS - wallet.available_micros))
    _key, text = await administration.create_key(agent.account_id, Permission)
    return Stage(account_id=agent.account_id, agent=agent, key=text)


async def place_call(dialer: Dialer, stage: Stage) -> Decision:
    """
    Ask for the reference's example call with the demo's key.
    """
    return await dialer.dial(CALLEE, stage.agent.id, variables=VARIABLES, api_key=stage.key)


async def later_calls(dialer: Dialer, after: int) -> AsyncIterator[Call]:
    """
    Yield calls that come in, and again whenever their status changed, for ever.

    Args:
        after: The row of the last call that is not wanted.
    """
    live: dict[int, Call] = {}
    while True:
        newer = range(after + 1, after + 1 + LOOK_AHEAD)
        for number in (*live, *newer):
            view = await dialer.call(number)
            if isinstance(view, CallView) and _is_news(view.call, live.get(number)):
                after = max(after, number)
                live[number] = view.call
                yield view.call
        live = {number: call for number, call in live.items() if not call.is_terminal}
        await asyncio.sleep(POLL_S)


def curl_to_call(url: str, stage: Stage, *, line_end: str = " ") -> str:
    """
    Return a command that asks for one more call.

    Args:
        line_end: What stands between its parts; a backslash and a line break for people.
    """
    body = {"phone_number": CALLEE, "agent_id": stage.agent.id, "variables": VARIABLES}
    parts = (
        f"curl -X POST {url}/api/v1/calls",
        f"-H 'Authorization: Bearer {stage.key}'",
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(json.dumps(body))}",
    )
    return line_end.join(parts)


def curl_to_read(url: str, stage: Stage, call: Call) -> str:
    """
    Return a command that reads a call.
    """
    return f"curl {url}/api/v1/calls/{call.call_id} -H 'Authorization: Bearer {stage.key}'"


def _agent_of_demo(reader: Reader) -> Agent | None:
    account = reader.directory.account(ACCOUNT_ID)
    if account is None:
        return None
    agent = reader.directory.agent(ACCOUNT_ID, 1)
    if account.name != ACCOUNT_NAME or agent is None or agent.phone_number is None:
        raise DemoDatabaseError(
            "This database is not the demo's, and the demo would only pretend to make the calls that are queued in it."
            " Leave OUTDIAL_DATABASE unset, or name a new file."
        )
    return agent


def _is_news(call: Call, seen: Call | None) -> bool:
    return seen is None or call.status is not seen.status
