"""
The reference: the OpenAPI document at `/openapi.json`, and at `/docs` a page that shows it, all of it served from here.
"""

import hashlib
from collections.abc import Awaitable, Callable
from functools import cache, partial
from http import HTTPStatus
from typing import Any, Final

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from swagger_ui_bundle import swagger_ui_path

from outdial.entrypoints.http.api import OPERATIONS, PAGES
from outdial.entrypoints.http.openapi.document import document

DOCUMENT: Final = "/openapi.json"
PAGE: Final = "/docs"

HTML: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>outdial: API reference</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> says the same.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

SCRIPT: Final = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
});
"""
"""A file of its own, as the page's policy allows no scripts within it."""

ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
"""What the page takes from the package."""

HEADERS: Final = {
    "Cache-Control": "no-cache",  # asked again each time, and answered by 304 while it is the same
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@attrs.frozen
class Content:
    """
    Bytes that stay the same as long as the process lives.

    Attributes:
        media_type: What they are.

        etag: Names them, strongly (RFC 9110, 8.8.3).
    """

    body: bytes
    media_type: str
    etag: str = attrs.field(init=False)

    @etag.default
    def _digest(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'

    def answer(self, request: Request) -> Response:
        """
        Return it to a client, unless the client has it already.
        """
        headers = {**HEADERS, "ETag": self.etag}
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if self.etag in known or known == ["*"]:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(self.body, headers=headers, media_type=self.media_type)


def reference(*, key_in_query: bool) -> dict[str, Any]:
    """
    Return the OpenAPI document of this version.
    """
    return document(OPERATIONS, PAGES, key_in_query=key_in_query)


def reference_routes(*, key_in_query: bool) -> list[Route]:
    """
    Return the routes of the document, the page, and what the page shows it with.
    """
    contents: dict[str, Callable[[], Content]] = {
        DOCUMENT: partial(_document, key_in_query=key_in_query),
        PAGE: lambda: Content(HTML.encode(), "text/html"),
        f"{PAGE}/start.js": lambda: Content(SCRIPT.encode(), "text/javascript"),
    }
    for name in ASSETS:
        contents[f"{PAGE}/{name}"] = partial(_asset, name)
    return [Route(path, _serving(content), methods=["GET"]) for path, content in contents.items()]


@cache
def _document(*, key_in_query: bool) -> Content:
    return Content(orjson.dumps(reference(key_in_query=key_in_query)), "application/json")


@cache
def _asset(name: str) -> Content:
    return Content((swagger_ui_path / name).read_bytes(), ASSETS[name])


def _serving(content: Callable[[], Content]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return content().answer(request)

    return serve
