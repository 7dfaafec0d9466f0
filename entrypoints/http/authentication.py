"""
Where an API key is found in a request.
"""

from typing import Final

from starlette.requests import Request

from outdial.domain.model.principal import PresentedKey

KEY_HEADER: Final = "X-API-Key"
KEY_PARAMETER: Final = "api_key"
_SCHEME: Final = "bearer "


def presented_key(request: Request, *, in_query: bool) -> PresentedKey:
    """
    Return the key of `Authorization: Bearer`, of `X-API-Key`, or of `?api_key=` where a setting allows that.
    """
    authorization = request.headers.get("authorization", "")
    if authorization.lower().startswith(_SCHEME):
        return PresentedKey(text=authorization[len(_SCHEME) :].strip())
    text = request.headers.get(KEY_HEADER)
    if text is None and in_query:
        text = request.query_params.get(KEY_PARAMETER)
    return PresentedKey(text=text)
