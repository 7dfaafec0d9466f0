"""
What the tools answer: the bodies of the HTTP interface, for programs and as text.
"""

from collections.abc import Mapping
from typing import Any

import attrs
import orjson
from mcp.types import CallToolResult, ContentBlock, TextContent

from outdial.domain.model.decision import Refused
from outdial.entrypoints.http.problems import headers_of
from outdial.entrypoints.wire.problems import problem_body


@attrs.frozen(kw_only=True)
class Told:
    """
    What came of a tool that did what was asked.

    Attributes:
        body: As HTTP answers it.

        note: A sentence for the model that reads the result; empty for none.
    """

    body: Mapping[str, Any]
    note: str = ""


def result_of(answered: Told | Refused) -> CallToolResult:
    """
    Return a tool's result; a refusal is an error that says whether trying again makes sense.
    """
    if isinstance(answered, Refused):
        return _result(problem_body(answered), _advice(answered), is_error=True)
    return _result(answered.body, answered.note, is_error=False)


def _result(body: Mapping[str, Any], note: str, *, is_error: bool) -> CallToolResult:
    written = orjson.dumps(body)
    content: list[ContentBlock] = [TextContent(text=text) for text in (note, written.decode()) if text]
    return CallToolResult(content=content, structured_content=orjson.loads(written), is_error=is_error)


def _advice(refused: Refused) -> str:
    wait_s = headers_of(refused).get("Retry-After")
    if wait_s is None:
        return "Refused: don't repeat it as it is. Tell your user the reason and don't work around it."
    return f"Refused for now. Wait {wait_s} s; then repeat the same request, with the same idempotency_key."
