"""
Reading the body of a request: JSON of a bounded size, or why it can't be read.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request

from outdial.domain.model.decision import Refused
from outdial.domain.model.reason import Reason
from outdial.entrypoints.http.strict_json import InvalidJsonError, decode_object

BODY_BYTES_MAX: Final = 64 * 1024

LENGTH_DIGITS: Final = 9
"""More digits of a length need not be read: it is too large already, and Python refuses to read thousands of them."""


async def read_object(request: Request) -> Mapping[str, object] | Refused:
    """
    Read a JSON object of at most 64 KiB.
    """
    body = await _read_body(request)
    if body is None:
        return Refused(reason=Reason.PAYLOAD_TOO_LARGE)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return Refused(reason=Reason.UNSUPPORTED_MEDIA_TYPE)
    try:
        return decode_object(body)
    except InvalidJsonError:
        return Refused(reason=Reason.INVALID_JSON)


async def _read_body(request: Request) -> bytes | None:
    """
    Read a body; `None` as soon as it is known to be too large.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length.lstrip("0")[:LENGTH_DIGITS] or "0") > BODY_BYTES_MAX:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)
