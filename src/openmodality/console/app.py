"""Puts the console together: pages, static files, and what becomes of an error."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache, partial
from typing import Final
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from openmodality.console import ohif
from openmodality.console.api.openapi_document import make_document
from openmodality.console.api.parts import API_PARTS
from openmodality.console.context import ConsoleContext, find_context
from openmodality.console.dicomweb import capabilities, frames, rendered, retrieve, search
from openmodality.console.dicomweb.routing import SERVICE_PATH
from openmodality.console.field_words import describe_fault_of_field
from openmodality.console.metrics_counts import CountedRequests
from openmodality.console.pages import (
    acquiring,
    archive,
    audit,
    choose,
    discs,
    dose,
    exam,
    film,
    hospital,
    images,
    jobs,
    login,
    media,
    peers,
    register,
    service,
    service_accounts,
    service_state,
    shell,
    start,
    statement,
    today,
    viewer,
    viewer_states,
)
from openmodality.console.pages.shell import Page, make_local, render_page
from openmodality.console.problem import answer_problem, find_kind
from openmodality.console.request_errors import BodyNotJson, FieldFault, RequestInvalid
from openmodality.console.security.access import NotLoggedIn, find_principal
from openmodality.console.security.guard import BodyTooLarge, Guard
from openmodality.console.template_files import StaticFiles
from openmodality.errors import NotFound, OpenModalityError, describe_fault

_PARTS: Final = (
    login,
    shell,
    today,
    start,
    register,
    exam,
    acquiring,
    images,
    dose,
    archive,
    viewer,
    viewer_states,
    jobs,
    choose,
    film,
    discs,
    media,
    peers,
    hospital,
    statement,
    audit,
    service,
    service_accounts,
    service_state,
)
_DICOMWEB: Final = (search, retrieve, frames, rendered, capabilities, ohif)
_FOR_GOOD: Final = "public, max-age=31536000, immutable"

_log = logging.getLogger(__name__)


def make_application(context: ConsoleContext, hosts: Iterable[str]) -> ASGIApp:
    """The console as an ASGI application; ``hosts`` are the names by which it may be called."""
    # The routes as they are: a router that is included has them built anew at the first request, which takes a second.
    routes = [
        route for router in (*API_PARTS, *(part.router for part in (*_PARTS, *_DICOMWEB))) for route in router.routes
    ]
    application = FastAPI(title="OpenModality", docs_url=None, redoc_url=None, openapi_url=None, routes=routes)
    application.state.context = context
    application.state.describe_api = cache(partial(make_document, API_PARTS))  # made when asked for: it takes a while
    _serve_static(application, context.templates.static)
    application.add_exception_handler(OpenModalityError, _explain)
    application.add_exception_handler(HTTPException, _explain_http)
    application.add_exception_handler(RequestValidationError, _explain_address)
    application.add_exception_handler(BodyTooLarge, _explain_size)
    application.add_exception_handler(Exception, _explain_fault)
    return Guard(CountedRequests(application, context.http), hosts)


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


def _explain(request: Request, error: Exception) -> Response:
    assert isinstance(error, OpenModalityError)
    return _answer(request, error, find_kind(error).status)


def _explain_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if is_of_program(request):
        said = {404: "there is no such resource", 405: "this resource does not take that method"}
        of_web = request.url.path.startswith(SERVICE_PATH)
        advice = f"OPTIONS {SERVICE_PATH} names all" if of_web else "GET /api/v1/openapi.json describes all"
    else:
        said = {404: "there is no such page", 405: "this page does not take that"}
        advice = "go on with one of the places"
    told = OpenModalityError(said.get(error.status_code, str(error.detail)), advice=advice)
    answer = _answer(request, told, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def _explain_size(request: Request, _: Exception) -> Response:
    return _answer(request, OpenModalityError("the request is too large", advice="send less at once"), 413)


def _explain_address(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if is_of_program(request):
        if _has_other_body(request, error):
            return answer_problem(BodyNotJson(request.headers.get("content-type", "")), status=415)
        faults = [FieldFault(".".join(map(str, each["loc"])), describe_fault_of_field(each)) for each in error.errors()]
        return answer_problem(RequestInvalid(faults))
    return _answer(request, NotFound("there is no such page", advice="go on with one of the places"), 404)


def _has_other_body(request: Request, error: RequestValidationError) -> bool:
    """Whether the body is wrong because it is no JSON at all, such as a form: curl says so of it unless told."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    return not is_json and isinstance(error.body, bytes) and any(each["loc"] == ("body",) for each in error.errors())


def is_of_program(request: Request) -> bool:
    """Whether a request is for the API or DICOMweb, whose answers programs read."""
    return request.url.path.startswith(("/api/", f"{SERVICE_PATH}/"))


def _explain_fault(request: Request, error: Exception) -> Response:
    _log.error("console.fault", extra=describe_fault(error))
    fault = OpenModalityError(
        "the console made a mistake; nothing was changed by this page", advice="the log says more"
    )
    return _answer(request, fault, 500)


def _answer(request: Request, error: OpenModalityError, status: int) -> Response:
    """A page for a person, problem+json (RFC 9457) for a program."""
    accepts_pages = "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers
    if is_of_program(request) or not accepts_pages:
        return answer_problem(error, status=status, peer=getattr(request.state, "peer", ""))
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
    is_lost = request.method != "GET"  # what was sent with it is not done, and the user is told so
    back = quote(_find_sender(request) if is_lost else asked, safe="/")
    if "hx-request" in request.headers:
        return PlainTextResponse("", 401, headers={"hx-redirect": "/login"})
    return RedirectResponse(f"/login?back={back}{'&ended=1' if is_lost else ''}", 303)


def _find_sender(request: Request) -> str:
    """The page of ours that a form was sent from; the first page where the browser does not say."""
    sender = urlsplit(request.headers.get("referer", ""))
    return make_local(sender.path) if sender.netloc == request.headers.get("host") else "/"
