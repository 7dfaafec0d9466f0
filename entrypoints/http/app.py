"""
The HTTP application.
"""

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from outdial.entrypoints import composition
from outdial.entrypoints.http.api import api_routes
from outdial.entrypoints.http.health import HealthRoutes
from outdial.entrypoints.http.problems import HANDLERS
from outdial.entrypoints.http.request_id import RequestIdMiddleware
from outdial.entrypoints.library import Dialer


def create_app(dialer: Dialer) -> ASGIApp:
    """
    Return the ASGI application that serves an opened dialer; a worker's tells of its health alone.
    """
    health = HealthRoutes(dialer)
    routes = [
        Route("/healthz", health.live, methods=["GET"]),
        Route("/readyz", health.ready, methods=["GET"]),
    ]
    if dialer.settings.role != "worker":
        routes += api_routes(dialer)
    app = Starlette(routes=routes, exception_handlers=dict(HANDLERS))
    app.router.redirect_slashes = False
    return RequestIdMiddleware(app, composition.randomness())
