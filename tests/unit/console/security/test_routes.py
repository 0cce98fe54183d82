"""Every route of the application says who may call it, or stands in the list of those that anybody may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from inspect import getclosurevars
from types import SimpleNamespace
from typing import Any, Final

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from openmodality.console.app import make_application
from openmodality.console.metrics_counts import HttpCounts
from openmodality.console.security.access import check_part, find_principal, read_own_form
from openmodality.console.security.roles import Permission
from openmodality.console.template_files import StaticFiles

OPEN: Final = frozenset((
    "GET /login",
    "POST /login",
    "POST /login/emergency",
    "GET /setup/{secret}",
    "POST /setup/{secret}",
    "GET /static/{version}/{name}",
    "GET /favicon.ico",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",  # it asks for a token itself where the request is not of this machine
    "GET /ohif",  # leads to the address below, which asks
    "POST /dicom-web/studies",  # refused, whoever asks
    "POST /dicom-web/studies/{study}",
))  # fmt: skip
"""Whoever may call them; and OPTIONS of DICOMweb, which says what there is."""
OF_ANYBODY_LOGGED_IN: Final = frozenset((
    "GET /",
    "GET /account",
    "POST /account/sessions/{session_id}/end",
    "POST /logout",
    "POST /theme",
    "GET /api/v1/openapi.json",
))  # fmt: skip
"""One's own account, and what says nothing of the device; an auditor has them as well."""
GIVEN_OUT: Final = frozenset((
    "GET /media/image/{job_id}", "GET /api/v1/media/{medium}/image", "GET /api/v1/media/{medium}/records",
    "GET /register",
))  # fmt: skip
"""What only reads, and yet takes more than to see, audit or manage: images of patients leave with it, or it is a form
that nobody else may send."""


def walk(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """What a route depends on, at any depth."""
    for each in dependant.dependencies:
        if each.call is not None:
            yield each.call
        yield from walk(each)


def list_routes(routes: list[Any]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            router: APIRouter = route.original_router  # nothing else is included, and what else came would fail here
            yield from list_routes(router.routes)


@cache
def routes() -> dict[str, tuple[Callable[..., Any], ...]]:
    """What each way to call a route depends on."""
    context: Any = SimpleNamespace(templates=SimpleNamespace(static=StaticFiles()), http=HttpCounts())
    guard: Any = make_application(context, ["127.0.0.1"])
    found: dict[str, tuple[Callable[..., Any], ...]] = {}
    for route in list_routes(guard._app._app.routes):
        for method in route.methods or ():
            found.setdefault(f"{method} {route.path}", tuple(walk(route.dependant)))
    return found


def is_check(call: Callable[..., Any], *makers: str) -> bool:
    return call.__qualname__ in {f"{maker}.<locals>.check" for maker in makers}


def find_permissions(calls: tuple[Callable[..., Any], ...]) -> set[Permission]:
    checks = [call for call in calls if is_check(call, "allow", "allow_call")]
    return {getclosurevars(check).nonlocals["permission"] for check in checks}


def test_all_parts_of_the_application_are_looked_at() -> None:
    assert len(routes()) > 150
    for known in ("GET /today", "POST /api/v1/exams", "GET /dicom-web/studies/{study}", "GET /ohif/{path:path}"):
        assert known in routes()


def test_every_route_asks_for_a_permission_or_is_known_to_ask_for_none() -> None:
    for name, calls in routes().items():
        permissions = find_permissions(calls)
        if name in OPEN or name.startswith("OPTIONS /dicom-web"):
            assert find_principal not in calls, f"{name} is not open any more: take it out of the list"
        elif name in OF_ANYBODY_LOGGED_IN:
            assert find_principal in calls, name
            assert not permissions, f"{name} asks for more: take it out of the list"
        else:
            assert permissions, f"{name}: give it a permission of security.access"
    assert set(routes()) >= OPEN | OF_ANYBODY_LOGGED_IN | GIVEN_OUT


def test_what_changes_something_shows_the_token_of_its_session() -> None:
    for name, calls in routes().items():
        if name.startswith(("POST", "PUT", "PATCH", "DELETE")) and name not in OPEN:
            shows = read_own_form in calls or check_part in calls or any(is_check(call, "allow_call") for call in calls)
            assert shows, f"{name}: take a SentForm, a SentPart, or a ...Call of the API"


def test_what_only_reads_asks_for_no_more_than_to_see() -> None:
    reading = {Permission.VIEW, Permission.AUDIT, Permission.MANAGE}
    for name, calls in routes().items():
        if name.startswith(("GET", "HEAD")) and name not in GIVEN_OUT:
            assert find_permissions(calls) <= reading, f"{name} changes something, or is to be named here"


def test_the_audit_trail_is_for_auditors_and_accounts_are_for_service() -> None:
    for name, calls in routes().items():
        path = name.partition(" ")[2].removeprefix("/api/v1")
        if path.startswith("/audit"):
            assert find_permissions(calls) == {Permission.AUDIT}, name
        if path.startswith(("/users", "/tokens", "/service")):
            assert find_permissions(calls) == {Permission.MANAGE}, name
