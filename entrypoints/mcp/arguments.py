"""
What the tools take: the fields of the HTTP interface, by the same definitions.
"""

from typing import Annotated

from pydantic import Field

from outdial.entrypoints.wire.addresses import CallAddress
from outdial.entrypoints.wire.call_requests import CallBody, IdempotencyKey
from outdial.entrypoints.wire.reading import RequestBody, Says


class PreflightArguments(CallBody):
    """
    A call to be judged.
    """

    idempotency_key: Annotated[
        IdempotencyKey | None, Field(description="The key that the call would be asked for with.")
    ] = None


class InitiateArguments(CallBody):
    """
    A call to be dialled.
    """

    idempotency_key: Annotated[
        IdempotencyKey,
        Field(
            description="A name of your own for this one call, 1 to 255 visible ASCII characters: asked again with the"
            " same one, the same call is answered and nobody is dialled twice. Retry with the key of the first try;"
            " take a new one for a new call only.",
            examples=["reminder-456-2025-04-25"],
        ),
    ]


class CallArguments(RequestBody):
    """
    One call.
    """

    call_id: Annotated[CallAddress, Says("It must be a string.")]
