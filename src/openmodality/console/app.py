"""Puts the console together: pages, static files, and what becomes of an error."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from openmodality.console import ohif
from openmodality.console.context import ConsoleContext, find_context
from openmodality.console.dicomweb import capabilities, frames, rendered, retrieve, search
from openmodality.console.live import stream
from openmodality.console.pages import (
    acquiring,
    archive,
    audit,
    choose,
    exam,
    film,
    images,
    jobs,
    login,
    peers,
    service,
    service_accounts,
    service_state,
    shell,
    start,
    today,
    viewer,
    viewer_states,
)
from openmodality.console.pages.shell import Page, render_page
from openmodality.console.security.access import NotAllowed, NotLoggedIn, find_principal
from openmodality.console.security.guard import Guard
from openmodality.console.template_files import StaticFiles
from openmodality.errors import NotFound, OpenModalityError, StoreAway, UsageError, WrongState, describe_fault

_PARTS: Final = (
    login,
    shell,
    stream,
    today,
    start,
    exam,
    acquiring,
    images,
    archive,
    viewer,
    viewer_states,
    jobs,
    choose,
    film,
    peers,
    audit,
    service,
    service_accounts,
    service_state,
)
_DICOMWEB: Final = (search, retrieve, frames, rendered, capabilities, ohif)
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_STATUSES: Final = (
    (NotLoggedIn, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (WrongState, 409),
    (UsageError, 400),
    (StoreAway, 503),
)

_log = logging.getLogger(__name__)


def make_application(context: ConsoleContext, hosts: Iterable[str]) -> ASGIApp:
    """The console as an ASGI application; ``hosts`` are the names by which it may be called."""
    application = FastAPI(title="OpenModality", docs_url=None, redoc_url=None, openapi_url=None)
    application.state.context = context
    for part in (*_PARTS, *_DICOMWEB):
        application.include_router(part.router)
    _serve_static(application, context.templates.static)
    application.add_exception_handler(OpenModalityError, _explain)
    application.add_exception_handler(HTTPException, _explain_http)
    application.add_exception_handler(RequestValidationError, _explain_address)
    application.add_exception_handler(Exception, _explain_fault)
    return Guard(application, hosts)


def _serve_static(application: FastAPI, files: StaticFiles) -> None:
    @application.get("/static/{version}/{name}")
    def send_static(version: str, name: str) -> Response:
        if name not in files.content:
            return PlainTextResponse("not found\n", 404)
        headers = {"cache-control": _FOR_GOOD if version == files.version else "no-store"}
        return Response(files.content[name], media_type=files.find_type(name), headers=headers)

    @application.get("/favicon.ico")
    def send_icon() -> Response:
        return Response(status_code=204)


def find_http_status(error: OpenModalityError) -> int:
    """The status of HTTP for an error of ours."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 502)


def _explain(request: Request, error: Exception) -> Response:
    assert isinstance(error, OpenModalityError)
    return _answer(request, error, find_http_status(error))


def _explain_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {404: "there is no such page", 405: "this page does not take that"}.get(error.status_code, str(error.detail))
    return _answer(request, OpenModalityError(said, advice="go on with one of the places"), error.status_code)


def _explain_address(request: Request, _: Exception) -> Response:
    return _answer(request, NotFound("there is no such page", advice="go on with one of the places"), 404)


def _explain_fault(request: Request, error: Exception) -> Response:
    _log.error("console.fault", extra=describe_fault(error))
    fault = OpenModalityError(
        "the console made a mistake; nothing was changed by this page", advice="the log says more"
    )
    return _answer(request, fault, 500)


def _answer(request: Request, error: OpenModalityError, status: int) -> Response:
    """A page for a person, problem+json (RFC 9457) for a program."""
    accepts_pages = "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers
    if request.url.path.startswith("/api/") or not accepts_pages:
        problem = {"title": error.message, "status": status, "advice": error.advice}
        return JSONResponse(problem, status, media_type="application/problem+json")
    if isinstance(error, NotLoggedIn):
        return _send_to_login(request)
    context = find_context(request)
    try:
        who = find_principal(request, context)
        page = Page("error.html", error.message[:1].upper() + error.message[1:], "", status=status)
        return render_page(request, context, who, page, advice=error.advice)
    except OpenModalityError:  # nobody is logged in, or the database is away as well
        return PlainTextResponse(f"{error}\n", status)


def _send_to_login(request: Request) -> Response:
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = quote(asked if request.method == "GET" else "/", safe="/")
    if "hx-request" in request.headers:
        return PlainTextResponse("", 401, headers={"hx-redirect": "/login"})
    return RedirectResponse(f"/login?back={back}", 303)
