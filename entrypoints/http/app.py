"""
The HTTP application.
"""

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from outdial.entrypoints import composition
from outdial.entrypoints.http.api import PAGES, api_routes
from outdial.entrypoints.http.measuring import MeasuringMiddleware
from outdial.entrypoints.http.problems import HANDLERS
from outdial.entrypoints.http.reference import reference_routes
from outdial.entrypoints.http.request_id import RequestIdMiddleware
from outdial.entrypoints.http.tracing import TracingMiddleware
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.mcp.extra import need_mcp


def create_app(dialer: Dialer) -> ASGIApp:
    """
    Return the ASGI application that serves an opened dialer; a worker's tells of itself alone.
    """
    routes = [page.route(dialer) for page in PAGES]
    if dialer.settings.role != "worker":
        routes += [*api_routes(dialer), *reference_routes(key_in_query=dialer.settings.api_key_in_query)]
        routes += [_mcp_route(dialer)] if dialer.settings.mcp == "on" else []
    app = Starlette(routes=routes, exception_handlers=dict(HANDLERS))
    app.router.redirect_slashes = False
    named = RequestIdMiddleware(app, composition.randomness())
    traced = TracingMiddleware(named, dialer.tracer) if dialer.tracer.is_on else named
    return MeasuringMiddleware(traced, dialer.metrics.answered)


def _mcp_route(dialer: Dialer) -> Route:
    need_mcp()
    from outdial.entrypoints.mcp.http import mcp_route  # noqa: PLC0415 - an extra

    return mcp_route(dialer)
