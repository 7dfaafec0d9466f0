"""
One decision, whichever way it is asked for: HTTP, the library and the command line say the same.
"""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from click.testing import CliRunner

import outdial
from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.domain.model.decision import Refused
from outdial.domain.model.reason import Reason
from outdial.entrypoints.cli import main
from outdial.entrypoints.wire.calls import accepted_body
from outdial.entrypoints.wire.problems import problem_body
from tests.entrypoints.clinic import (
    AGENT,
    ASSISTANT,
    CALLEE,
    CONTACT,
    CURIOUS_AGENT,
    DIALLING_KEY,
    EXHAUSTED_KEY,
    EXPIRED_KEY,
    KEY,
    LISTED,
    OTHERS_AGENT,
    OTHERS_CONTACT,
    POOR_AGENT,
    POOR_KEY,
    PREMIUM,
    READING_KEY,
    REVOKED_KEY,
    SILENT_AGENT,
)
from tests.http.api import Api

OWN: Final = frozenset({"id", "call_id", "created_at", "estimated_start"})
"""What differs from call to call."""

OF_HTTP_ALONE: Final = frozenset(
    {
        Reason.INVALID_HTTP,
        Reason.HEADERS_TOO_LARGE,
        Reason.ORIGIN_NOT_ALLOWED,
        Reason.PAYLOAD_TOO_LARGE,
        Reason.UNSUPPORTED_MEDIA_TYPE,
        Reason.INVALID_JSON,
        Reason.NOT_FOUND,
        Reason.METHOD_NOT_ALLOWED,
        Reason.UNAVAILABLE,
        Reason.SERVER_ERROR,
    }
)
"""Reasons that are about bytes, addresses or the server, and no decision on a call."""

OF_REPEATS: Final = frozenset({Reason.IDEMPOTENCY_CONFLICT, Reason.IDEMPOTENCY_KEY_EXPIRED})
"""Reasons that need a call before."""

ACCEPTED: Final = "queued"
YEARS_DAYS: Final = 3650
"""HTTP is asked at the builders' time, the others now."""


@attrs.frozen(kw_only=True)
class Asked:
    """
    One input, and what is decided: a reason's code, or the status of an accepted call.
    """

    expected: str
    phone_number: str = CALLEE
    agent_id: str = str(AGENT)
    contact_id: int | None = None
    variables: Mapping[str, Any] = attrs.field(factory=dict)
    key: str = KEY
    idempotency_key: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """
        The fields as a client sends them.
        """
        contact = {"contact_id": self.contact_id} if self.contact_id is not None else {}
        return {
            "phone_number": self.phone_number,
            "agent_id": self.agent_id,
            "variables": dict(self.variables),
            **contact,
        }


INPUTS: Final = (
    Asked(expected=ACCEPTED),
    Asked(expected=ACCEPTED, phone_number="+1 (555) 123-4567", agent_id=ASSISTANT, key=DIALLING_KEY),
    Asked(expected=ACCEPTED, contact_id=CONTACT, variables={"plan": {"name": "Premium"}}),
    Asked(expected=ACCEPTED, agent_id=str(CURIOUS_AGENT), variables={"customer_name": "Ann"}),
    Asked(expected="authentication_required", key="", phone_number=""),
    Asked(expected="invalid_key", key=REVOKED_KEY),
    Asked(expected="invalid_key", key=EXPIRED_KEY),
    Asked(expected="invalid_key", key="od_live_nonsense"),
    Asked(expected="permission_denied", key=READING_KEY, agent_id=""),
    Asked(expected="missing_phone_number", phone_number="", agent_id=""),
    Asked(expected="missing_agent_id", agent_id=""),
    Asked(expected="validation_error", variables={"not a name": "x"}),
    Asked(expected="validation_error", agent_id=str(CURIOUS_AGENT)),
    Asked(expected="rate_limit_exceeded", key=EXHAUSTED_KEY),
    Asked(expected="invalid_phone_number", phone_number="911", agent_id="9999"),
    Asked(expected="agent_not_found", agent_id=str(OTHERS_AGENT), contact_id=OTHERS_CONTACT),
    Asked(expected="contact_not_found", contact_id=OTHERS_CONTACT),
    Asked(expected="no_phone_number", agent_id=str(SILENT_AGENT), phone_number=PREMIUM),
    Asked(expected="destination_not_allowed", phone_number=PREMIUM),
    Asked(expected="do_not_call", phone_number=LISTED),
    Asked(expected="insufficient_funds", agent_id=str(POOR_AGENT), key=POOR_KEY),
)
"""Every reason that a call can be refused for, and acceptance."""


def over_http(database: Path, asked: Asked) -> dict[str, Any]:
    """
    Ask by `POST /api/v1/calls`; it also fills the database for the others.
    """
    api = Api(storage=SqliteStorage(database))
    headers = {"Idempotency-Key": asked.idempotency_key} if asked.idempotency_key is not None else {}
    try:
        body: dict[str, Any] = api.post(asked.fields, key=asked.key, headers=headers).json()
    finally:
        api.close()
    return body


def in_process(database: Path, asked: Asked) -> dict[str, Any]:
    """
    Ask the library.
    """

    async def ask() -> outdial.Decision:
        settings = outdial.Settings(database=f"sqlite:///{database}", idempotency_retention_days=YEARS_DAYS)
        async with outdial.open(settings, dials=False) as dialer:
            return await dialer.dial(**asked.fields, api_key=asked.key, idempotency_key=asked.idempotency_key)

    decision = asyncio.run(ask())
    return dict(problem_body(decision) if isinstance(decision, Refused) else accepted_body(decision.call))


def at_the_command_line(database: Path, asked: Asked) -> dict[str, Any]:
    """
    Ask by `outdial call`.
    """
    environment = {name: None for name in os.environ if name.startswith("OUTDIAL_")}
    ran = CliRunner().invoke(
        main,
        ["call", *words_of(asked)],
        env={
            **environment,
            "OUTDIAL_DATABASE": f"sqlite:///{database}",
            "OUTDIAL_IDEMPOTENCY_RETENTION_DAYS": str(YEARS_DAYS),
        },
    )
    assert (asked.expected != ACCEPTED) == bool(ran.exit_code)
    body: dict[str, Any] = json.loads(ran.stdout)
    return body


def words_of(asked: Asked) -> list[str]:
    """
    Return an input as options of a command.
    """
    contact = [f"--contact={asked.contact_id}"] if asked.contact_id is not None else []
    named = [f"--idempotency-key={asked.idempotency_key}"] if asked.idempotency_key is not None else []
    variables = [f"--variable={name}={value}" for name, value in _paths(asked.variables)]
    described = [f"--agent={asked.agent_id}", f"--to={asked.phone_number}", *contact, *variables]
    return [*described, f"--api-key={asked.key}", *named, "--json"]


def _paths(variables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@pytest.mark.usefixtures("logging_as_before")
@pytest.mark.parametrize("asked", INPUTS, ids=lambda asked: asked.expected)
def test_every_way_to_ask_gives_the_same_decision(tmp_path: Path, asked: Asked) -> None:
    """
    For the same input the three answer the same body, but for what differs from call to call.
    """
    database = tmp_path / "outdial.db"
    migrate(database)

    bodies = [way(database, asked) for way in (over_http, in_process, at_the_command_line)]

    answers = [{name: value for name, value in body.items() if name not in OWN} for body in bodies]
    assert [asked.expected] * 3 == [answer.get("error", answer.get("status")) for answer in answers]
    assert answers[0] == answers[1]
    assert answers[0] == answers[2]


def test_inputs_reach_every_decision() -> None:
    """
    The table above has each reason that a call can be refused for.
    """
    assert set(Reason) - OF_HTTP_ALONE - OF_REPEATS | {ACCEPTED} == {asked.expected for asked in INPUTS}


@pytest.mark.usefixtures("logging_as_before")
def test_asking_again_is_answered_alike_however_one_asks(tmp_path: Path) -> None:
    """
    A call that was accepted over HTTP is answered again, and a conflict told, in process and at the command line.
    """
    database = tmp_path / "outdial.db"
    migrate(database)
    first = over_http(database, Asked(expected=ACCEPTED, idempotency_key="one"))

    for way in (in_process, at_the_command_line):
        assert first == way(database, Asked(expected=ACCEPTED, idempotency_key="one"))
        other = Asked(expected="idempotency_conflict", idempotency_key="one", phone_number="+15551230000")
        assert "idempotency_conflict" == way(database, other)["error"]
