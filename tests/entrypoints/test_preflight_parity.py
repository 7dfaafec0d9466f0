"""
What would be decided, whichever way it is asked for; and what then is decided.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import outdial
from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.domain.model.decision import Refused
from outdial.entrypoints.cli import main
from outdial.entrypoints.wire.decisions import preflight_body
from outdial.entrypoints.wire.problems import problem_body
from tests.entrypoints.test_parity import ACCEPTED, INPUTS, Asked, words_of
from tests.http.api import CALLS, Api

OWN = frozenset({"facts", "facts_digest"})
"""They tell when it was asked."""


def _over_http(database: Path, asked: Asked) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Return the preflight's answer and the call's; fills the database for the others.
    """
    api = Api(storage=SqliteStorage(database))
    try:
        told = api.post(asked.fields, key=asked.key, path=f"{CALLS}/preflight").json()
        return told, api.post(asked.fields, key=asked.key).json()
    finally:
        api.close()


def _in_process(database: Path, asked: Asked) -> dict[str, Any]:
    async def ask() -> outdial.Preview | Refused:
        async with outdial.open(outdial.Settings(database=f"sqlite:///{database}"), dials=False) as dialer:
            return await dialer.preflight(**asked.fields, api_key=asked.key)

    previewed = asyncio.run(ask())
    return dict(problem_body(previewed) if isinstance(previewed, Refused) else preflight_body(previewed))


def _at_the_command_line(database: Path, asked: Asked) -> dict[str, Any]:
    environment = {name: None for name in os.environ if name.startswith("OUTDIAL_")}
    ran = CliRunner().invoke(
        main, ["preflight", *words_of(asked)], env={**environment, "OUTDIAL_DATABASE": f"sqlite:///{database}"}
    )
    assert (asked.expected != ACCEPTED) == bool(ran.exit_code)
    body: dict[str, Any] = json.loads(ran.stdout)
    return body


@pytest.mark.usefixtures("logging_as_before")
@pytest.mark.parametrize("asked", INPUTS, ids=lambda asked: asked.expected)
def test_every_way_to_ask_tells_the_same(tmp_path: Path, asked: Asked) -> None:
    """
    The three answer alike, and refuse for the reason that the call is refused for.
    """
    database = tmp_path / "outdial.db"
    migrate(database)

    told, decided = _over_http(database, asked)
    others = [way(database, asked) for way in (_in_process, _at_the_command_line)]

    answers = [{name: value for name, value in body.items() if name not in OWN} for body in (told, *others)]
    assert asked.expected == decided.get("error", decided.get("status"))
    assert decided.get("error") == told.get("error")
    if asked.expected == ACCEPTED:  # the call that was asked for meanwhile holds money
        for answer in answers:
            del answer["cost"]
    assert answers[0] == answers[1] == answers[2]
