"""
Schemathesis' strangers: requests made up from the OpenAPI document, and what every answer to them has to keep to.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.config import SchemathesisConfig
from starlette.types import ASGIApp, Receive, Scope, Send

from outdial.adapters.memory.clock import ManualClock
from outdial.adapters.memory.storage import MemoryStorage
from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import hash_secret
from outdial.domain.model.principal import PresentedKey
from outdial.domain.model.reason import Reason
from outdial.domain.model.wallet import EntryKind
from outdial.entrypoints.http.app import create_app
from outdial.entrypoints.http.reference import reference
from outdial.ports.storage import Transaction
from tests import builders
from tests.conftest import IN_CI
from tests.entrypoints.clinic import AGENT, CALLEE, CLINIC, CONTACT, furnish
from tests.http.api import MEMORY, open_dialer

KEY_ID: Final = 44
KEY: Final = builders.key_text(KEY_ID, builders.secret(KEY_ID))
"""The clinic's key that is tired by nothing."""

BAD: Final = 400
LISTENING_S: Final = 1.0
"""What comes within it is the answer of a stream of events that has no end."""

REFUSED: Final = Refused(reason=Reason.MISSING_AGENT_ID)
"""What is asked for first, so that there is a refusal to look at."""

BEYOND_SCHEMAS: Final = {
    "variables",  # their names at every level, their depth, their size, and what the agent's texts need
    "custom_context",  # has the limits of variables
    "phone_numbers",  # are numbers, each once, one of them the primary one
    "timezone",  # is one of hundreds that come and go
    "limit",  # may not reach beyond the last page, wherever that is
    "cursor",  # excludes a page
    "expires_at",  # in UTC it has a year from 1 to 9999
    "name",  # an account has not more than so many lists
    "last_event_id",  # has to be that of an event
    "url",  # has to be a public address, and there are only so many webhooks
    "since",  # excludes a message, and has to be a time that Python can tell
}
"""Fields whose limits no schema can tell."""


def furnish_generously(transaction: Transaction) -> None:
    """
    Store the clinic's accounts, and enough of everything for thousands of requests.
    """
    furnish(transaction)
    transaction.directory.add(
        builders.api_key(
            id=KEY_ID,
            secret_hash=hash_secret(builders.secret(KEY_ID)),
            calls_per_day=1_000_000,
            requests_per_minute=60_000,
        )
    )
    transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 10**12, account_id=CLINIC, at=builders.CREATED_AT))


class Application:
    """
    outdial as an ASGI application that lives on the event loop of whoever serves it, over a database in memory.
    """

    def __init__(self) -> None:
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer a request, or live.
        """
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        storage = MemoryStorage()
        dialer = await open_dialer(MEMORY, storage, ManualClock(builders.NOW), dials=False)
        await storage.transact(furnish_generously)
        await dialer.acting(PresentedKey(text=KEY)).calls.initiate(REFUSED)
        self._app = create_app(dialer)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await dialer.stop()
        await send({"type": "lifespan.shutdown.complete"})


def configuration(mode: str, *, examples: int) -> SchemathesisConfig:
    """
    Say how strangers are made up.

    Args:
        mode: `positive` for requests that fit the document, `negative` for those that don't, `all` for both.

        examples: How many of them for each operation, beside those that go through its definition step by step.
    """
    generation = {
        "mode": mode,
        "max-examples": examples,
        "deterministic": IN_CI,
        "database": "none",
        "allow-x00": False,  # no schema says that texts hold no NUL; `understands_valid_data` would blame it
    }
    return SchemathesisConfig.from_dict(
        {
            "auth": {"openapi": {"bearer": {"bearer": KEY}}},
            "generation": generation,
            "max-stream-events": 1,
            "operations": [
                {
                    "include-operation-id": "follow_calls",  # tells nothing while nothing happens
                    "request-timeout": LISTENING_S,
                    "generation": {**generation, "max-examples": 2},
                }
            ],
            "checks": {"positive_data_acceptance": {"enabled": False}},  # see `understands_valid_data`
            "dictionaries": {
                "numbers": {"values": [CALLEE, "+15557654321"]},
                "agents": {"values": [AGENT]},
                "contacts": {"values": [CONTACT]},
                "urls": {"values": ["https://hooks.example.com/"]},
            },
            "parameters": {
                "path.number": {"dictionary": "numbers", "probability": 0.7},
                "body.phone_number": {"dictionary": "numbers", "probability": 0.7},
                "body.agent_id": {"dictionary": "agents", "probability": 0.7},
                "body.contact_id": {"dictionary": "contacts", "probability": 0.7},
                "body.url": {"dictionary": "urls", "probability": 0.7},
            },
        }
    )


def strict(document: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the document with answers that may hold nothing but what it names.

    `AgentBody` becomes `Agent`: by such names schemathesis finds out what an `agent_id` is, and where one comes from.
    """
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        short = name.removesuffix("Body")
        if short not in document["components"]["schemas"]:
            text = text.replace(f'/schemas/{name}"', f'/schemas/{short}"').replace(f'"{name}": {{', f'"{short}": {{')
    renamed: dict[str, Any] = json.loads(text)
    for schema in renamed["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    for stream in _streams(renamed):
        stream["schema"] = _event(stream["schema"]["x-event-data"])
    return renamed


def _streams(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        for operation in methods.values():
            for answer in operation["responses"].values():
                if "text/event-stream" in answer.get("content", {}):
                    yield answer["content"]["text/event-stream"]


def _event(data: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the schema of one event: schemathesis reads streams, and holds each event against it, not the text.
    """
    content = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    return {"type": "object", "properties": {"data": content}, "required": ["data"]}


@schemathesis.check
def refuses_for_a_declared_reason(_context: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """
    A refusal's code is one that the operation names for its status.
    """
    declared = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    reasons = declared.get("content", {}).get("application/json", {}).get("examples")
    if reasons is not None:
        assert response.json()["error"] in reasons
    return None


@schemathesis.check
def understands_valid_data(_context: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """
    What fits the schemas is refused for what it asks for, not for how; what no schema can tell is excepted.
    """
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE and response.status_code == BAD:
        body = response.json()
        fields = {problem["field"].partition(".")[0] for problem in body.get("details", [])}
        assert body["error"] == Reason.INVALID_PHONE_NUMBER or (fields and fields <= BEYOND_SCHEMAS), body
    return None


DOCUMENT: Final = strict(reference(key_in_query=False))
