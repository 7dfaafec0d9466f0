"""
`outdial calls adopt`: dialling on purpose what a restored database gave up.
"""

import asyncio
from typing import Any

import pytest

import outdial
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.domain.service.quarantine import CAUSE, adoption_problem
from tests import builders
from tests.cli.commands import CommandLine, furnish
from tests.library.setting_up import MEMORY

CALLEE = "+15551234567"


@pytest.fixture
def given_up(line: CommandLine) -> dict[str, Any]:
    """
    A call that waited in a backup which was restored; nobody dials meanwhile.
    """
    agent_id = furnish(line, **{"--greeting": "Hello {{name|there}}."})["agent"]["id"]
    asked: dict[str, Any] = line.ask("call", "--agent", str(agent_id), "--to", CALLEE, "--variable", "name=Ann")
    saved = line.folder / "saved.db"
    line.ask("backup", str(saved))
    saved.replace(line.database)
    for suffix in ("-wal", "-shm"):
        line.database.with_name(line.database.name + suffix).unlink(missing_ok=True)
    with line.running("serve", "--role", "worker", "--port", "0", OUTDIAL_LOG_FORMAT="json") as serving:
        serving.wait_for("epoch_begun")
        serving.end()
    return asked


def test_a_call_is_adopted_once(line: CommandLine, given_up: dict[str, Any]) -> None:
    """
    A new call of the same content; adopting it again answers the same one.
    """
    first = line.ask("calls", "adopt", given_up["call_id"])
    second = line.ask("calls", "adopt", given_up["call_id"])

    assert first["call_id"] == second["call_id"] != given_up["call_id"]
    shown = line.run("calls", "show", first["call_id"]).out
    assert CALLEE in shown
    assert "Hello Ann." in shown
    assert "queued" in shown


def test_what_is_adopted_is_decided_anew(line: CommandLine, given_up: dict[str, Any]) -> None:
    """
    A number that was listed meanwhile is not dialled.
    """
    line.ask("dnc", "add", "--account", "1", CALLEE)

    outcome = line.run("calls", "adopt", given_up["call_id"], "--json")

    assert (1, "do_not_call") == (outcome.exit_code, outcome.body["error"])


def test_other_calls_are_not_adopted(line: CommandLine, given_up: dict[str, Any]) -> None:
    """
    Those that are not over, those that ended otherwise, and those that there are not.
    """
    adopted = line.ask("calls", "adopt", given_up["call_id"])["call_id"]

    waiting = line.run("calls", "adopt", adopted)
    line.ask("calls", "hang-up", adopted)
    canceled = line.run("calls", "adopt", adopted, "--even-if-it-rang")
    unknown = line.run("calls", "adopt", "4711")

    assert (2, 2, 1) == (waiting.exit_code, canceled.exit_code, unknown.exit_code)
    assert "not over" in waiting.err
    assert "canceled" in canceled.err


def test_a_call_that_may_have_rung_is_adopted_only_on_demand() -> None:
    """
    Whoever wants that has to say so.
    """
    call = builders.call(state=State.SETTLED, disposition=Disposition.OUTCOME_UNKNOWN)

    assert "may have rung" in str(adoption_problem(call, even_if_it_rang=False))
    assert adoption_problem(call, even_if_it_rang=True) is None


def test_a_key_adopts_nothing() -> None:
    """
    Whoever opened the library for a key is no operator.
    """

    async def adopt() -> None:
        async with outdial.open(MEMORY, api_key="of somebody", dials=False) as dialer:
            await dialer.adopt(1)

    with pytest.raises(ValueError, match="operator"):
        asyncio.run(adopt())


def test_a_call_that_expired_otherwise_is_not_adopted() -> None:
    """
    The cause tells which ones were given up.
    """
    expired = builders.call(state=State.BLOCKED, disposition=Disposition.EXPIRED)
    quarantined = builders.call(state=State.BLOCKED, disposition=Disposition.EXPIRED, cause=CAUSE)

    assert adoption_problem(expired, even_if_it_rang=False) is not None
    assert adoption_problem(quarantined, even_if_it_rang=False) is None
