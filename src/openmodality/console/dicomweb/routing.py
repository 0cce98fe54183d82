"""What all resources of DICOMweb share: who may call them from where, absolute URLs, and what becomes of an error.

A page of another origin may call them where the site lists it (``console.cors_origins``), with a token: cookies of this
console do not go with its requests. The answer to OPTIONS says what there is, without anybody being logged in.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders

from openmodality.activities.web_search import TooMuch
from openmodality.console.context import find_context
from openmodality.console.dicomweb.accept import NotAcceptable
from openmodality.console.security.access import NotAllowed, NotLoggedIn
from openmodality.errors import NotFound, ObjectInvalid, OpenModalityError, StoreAway, UsageError

SERVICE_PATH: Final = "/dicom-web"
METHODS: Final = "GET, HEAD, OPTIONS"
_PORTS: Final = {"http": 80, "https": 443}
_EXPOSED: Final = "content-range, content-type, etag, warning"
_STATUSES: Final = (
    (NotLoggedIn, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (NotAcceptable, 406),
    (TooMuch, 413),
    (UsageError, 400),
    (ObjectInvalid, 500),
    (StoreAway, 503),
)

WebHandler = Callable[[Request], Coroutine[Any, Any, Response]]


class WebRoute(APIRoute):
    """A resource of DICOMweb: its errors are problem+json, whatever a browser would like to see."""

    def get_route_handler(self) -> WebHandler:
        """The handler, with what comes around it."""
        handle = super().get_route_handler()

        async def handle_for_others(request: Request) -> Response:
            try:
                response = await handle(request)
            except OpenModalityError as error:
                response = explain(error)
            share_with_origin(request, response.headers)
            return response

        return handle_for_others


def explain(error: OpenModalityError) -> Response:
    """An error as problem+json (RFC 9457)."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 502)
    problem = {"title": error.message, "status": status, "advice": error.advice}
    headers = {"www-authenticate": 'Bearer realm="openmodality"'} if status == 401 else {}
    if isinstance(error, NotAcceptable):
        problem["possible"] = list(error.possible)
    return JSONResponse(problem, status, headers, media_type="application/problem+json")


def share_with_origin(request: Request, headers: MutableHeaders) -> None:
    """Let a page of an origin that the site lists read an answer."""
    allowed = find_context(request).modality.site.settings.console.cors_origins
    if not allowed:
        return
    headers.add_vary_header("Origin")
    origin = request.headers.get("origin", "")
    if origin in allowed:
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = _EXPOSED
        headers["cross-origin-resource-policy"] = "cross-origin"


def find_service_url(request: Request) -> str:
    """The absolute URL of the service, as this client calls it.

    Some clients leave the port out of Host, dicomweb-client among them: then it is that of the connection.
    """
    scheme, host = request.url.scheme, request.headers["host"]
    _, port = request.scope["server"]
    if urlsplit(f"//{host}").port is None and port != _PORTS.get(scheme):
        host = f"{host}:{port}"
    return f"{scheme}://{host}{SERVICE_PATH}"
