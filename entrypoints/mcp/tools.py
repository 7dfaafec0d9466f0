"""
The tools that language models are given, each a thing that a client can do.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import attrs
import mcp.types
import structlog
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import TypeAdapter

from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import Refused, Replayed
from outdial.domain.model.identifiers import read_call_reference
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.mcp.arguments import CallArguments, InitiateArguments, PreflightArguments
from outdial.entrypoints.mcp.results import Told, result_of
from outdial.entrypoints.wire.call_requests import read_call
from outdial.entrypoints.wire.calls import AcceptedBody, CallDetailBody, accepted_body, call_body
from outdial.entrypoints.wire.decisions import PreflightBody, preflight_body
from outdial.entrypoints.wire.json_schema import WireSchemas
from outdial.entrypoints.wire.reading import RequestBody, read
from outdial.ports.errors import IntakeFullError, StorageError

REPLAYED: Final = "The idempotency_key was used before: this is that call as it was accepted, nobody is dialled again."

_log = structlog.get_logger()

Arguments = Mapping[str, object]


@attrs.frozen(kw_only=True)
class Tool:
    """
    One tool.

    Attributes:
        description: Tells a model when to use it.

        arguments: What it takes.

        answer: The shape of its result, a `TypedDict`.

        run: Reads the arguments and does it.

        hints: Tell clients what it does to the world; hints alone, what it may do is for the key to say.
    """

    name: str
    title: str
    description: str
    arguments: type[RequestBody]
    answer: Any
    run: Callable[[Client, Arguments], Awaitable[Told | Refused]]
    hints: ToolAnnotations

    def described(self) -> mcp.types.Tool:
        """
        Return what clients are told of it.
        """
        return mcp.types.Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=self.arguments.model_json_schema(schema_generator=WireSchemas),
            output_schema=TypeAdapter(self.answer).json_schema(schema_generator=WireSchemas),
            annotations=self.hints,
        )

    async def call(self, client: Client, arguments: Arguments) -> CallToolResult:
        """
        Return what came of it, whatever goes wrong: a model can read a result, and not an error of the protocol.
        """
        try:
            answered = await self.run(client, arguments)
        except (StorageError, IntakeFullError) as error:
            _log.warning("unavailable", problem=str(error))
            answered = Refused(reason=Reason.UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 - whatever it is, the model gets an answer
            _log.exception("request_failed", kind=type(error).__name__)
            answered = Refused(reason=Reason.SERVER_ERROR)
        return result_of(answered)


async def preflight_call(client: Client, arguments: Arguments) -> Told | Refused:
    """
    Tell what would be decided about a call.
    """
    content, key = _named(read_call(PreflightArguments, arguments))
    previewed = await client.calls.preflight(content, idempotency_key=key)
    return previewed if isinstance(previewed, Refused) else Told(body=preflight_body(previewed))


async def initiate_call(client: Client, arguments: Arguments) -> Told | Refused:
    """
    Ask for a call.
    """
    content, key = _named(read_call(InitiateArguments, arguments))
    decision = await client.calls.initiate(content, idempotency_key=key)
    if isinstance(decision, Refused):
        return decision
    return Told(body=accepted_body(decision.call), note=REPLAYED if isinstance(decision, Replayed) else "")


async def get_call(client: Client, arguments: Arguments) -> Told | Refused:
    """
    Tell what became of a call.
    """
    asked = read(CallArguments, arguments)
    if isinstance(asked, Refused):
        return await client.refuse(Permission.READ_CALLS, asked)
    view = await client.calls.show(read_call_reference(asked.call_id))
    return view if isinstance(view, Refused) else Told(body=call_body(view))


async def hang_up(client: Client, arguments: Arguments) -> Told | Refused:
    """
    End a call, whatever it does.
    """
    asked = read(CallArguments, arguments)
    if isinstance(asked, Refused):
        return await client.refuse(Permission.INITIATE_CALLS, asked)
    view = await client.calls.hang_up(read_call_reference(asked.call_id))
    return view if isinstance(view, Refused) else Told(body=call_body(view))


def _named(asked: PreflightArguments | InitiateArguments | Refused) -> tuple[CallFields | Refused, str | None]:
    """
    Return a request's content and the idempotency key it is sent with.
    """
    return (asked, None) if isinstance(asked, Refused) else (asked.fields, asked.idempotency_key)


def _looks() -> ToolAnnotations:
    return ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


def _acts() -> ToolAnnotations:
    """
    Return the hints of what can't be undone, but may be repeated with the same arguments.
    """
    return ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=True)


TOOLS: Final = (
    Tool(
        name="preflight_call",
        title="Check a call before it is made",
        description=(
            "Tells whether a call would be accepted, what it may cost and what the agent would say, rule by rule."
            " Nothing is stored, held or dialled. Use it before every initiate_call."
        ),
        arguments=PreflightArguments,
        answer=PreflightBody,
        run=preflight_call,
        hints=_looks(),
    ),
    Tool(
        name="initiate_call",
        title="Make a real phone call",
        description=(
            "Rings a real phone, where a real person may answer, and spends the account's money; it can't be undone."
            " Use it only when your user wants this very call. Take the phone number from the user or from data you"
            " were given: never invent, guess or change one. Run preflight_call with the same arguments first."
            " Returns as soon as the call is queued: ask get_call what became of it."
            " When no answer came back, repeat it with the same idempotency_key; don't repeat a call that was refused."
        ),
        arguments=InitiateArguments,
        answer=AcceptedBody,
        run=initiate_call,
        hints=_acts(),
    ),
    Tool(
        name="get_call",
        title="See what became of a call",
        description=(
            "Shows a call: its status, when it was answered and ended, why it ended, what it cost."
            " It is over when the status is completed or failed; until then ask again after some seconds."
        ),
        arguments=CallArguments,
        answer=CallDetailBody,
        run=get_call,
        hints=_looks(),
    ),
    Tool(
        name="hang_up",
        title="End a call",
        description=(
            "Cancels a call that is queued or rings, hangs up one in progress. Doing it again is fine, and a call that"
            " is over stays as it is. Returns at once: ask get_call whether it has ended."
        ),
        arguments=CallArguments,
        answer=CallDetailBody,
        run=hang_up,
        hints=_acts(),
    ),
)
