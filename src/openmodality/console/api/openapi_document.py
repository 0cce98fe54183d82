"""``/openapi.json``: the API described for programs; docs/openapi.json is a copy that a test compares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from openmodality.console.api.answers import tell_problems
from openmodality.console.api.schemas import make_schemas
from openmodality.console.problem import MEDIA_TYPE, PROBLEM_KINDS
from openmodality.console.security.access import Anybody

API_PREFIX: Final = "/api/v1"
OPEN_PLACES: Final = ("/healthz", "/readyz", "/metrics")
"""What asks for no session."""
_DESCRIPTION: Final = (
    "The same as the console and the command line do, in the same words (docs/rest.md, docs/json.md)."
    " A program shows a token: Authorization: Bearer."
)
_VERBS: Final = {"get": "read", "post": "do", "delete": "delete", "patch": "change"}

router = APIRouter(prefix=API_PREFIX, tags=["device"])


@router.get(
    "/openapi.json",
    summary="Get this document",
    responses=tell_problems() | {200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
)
def _send_document(request: Request, _: Anybody) -> Response:
    """The API as OpenAPI 3.1."""
    return JSONResponse(request.app.state.describe_api())


def make_document(parts: Iterable[APIRouter]) -> dict[str, Any]:
    """The routes of the parts of the API, as OpenAPI 3.1."""
    own = [route for part in parts for route in part.routes]
    document = get_openapi(title="OpenModality", version="1", description=_DESCRIPTION, routes=own)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= {**make_schemas(), "Problem": _make_problem()}
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "openmodality console token add"},
    }
    document["security"] = [{"token": []}]
    for path, verb, operation in _walk_operations(document):
        operation["operationId"] = (
            f"{_VERBS.get(verb, verb)}_{re.sub(r'[^a-z]+', '_', path.removeprefix(API_PREFIX)).strip('_')}"
        )
        if "application/json" in operation.get("requestBody", {}).get("content", ()):
            operation["responses"]["415"] = tell_problems(415)[415]
        _refer_to_problems(operation["responses"], document["components"].setdefault("responses", {}))
        if path in OPEN_PLACES:
            operation["security"] = []
    return document


def _refer_to_problems(responses: dict[str, Any], shared: dict[str, Any]) -> None:
    """Say once what a problem of each status is."""
    for status, told in responses.items():
        if list(told.get("content", ())) == [MEDIA_TYPE]:
            shared.setdefault(f"Problem{status}", told)
            responses[status] = {"$ref": f"#/components/responses/Problem{status}"}


def _walk_operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            yield path, verb, operation


def _make_problem() -> dict[str, Any]:
    names = sorted({f"urn:openmodality:problem:{kind.name}" for kind in PROBLEM_KINDS.values()})
    text = {"type": "string"}
    fault = {"type": "object", "required": ["where", "detail"], "properties": {"where": text, "detail": text}}
    return {
        "type": "object",
        "description": f"RFC 9457. Usual types: {', '.join(names)}.",
        "required": ["type", "title", "status", "detail", "advice"],
        "additionalProperties": False,
        "properties": {
            "type": {**text, "description": "What kind of problem it is."},
            "title": {**text, "description": "The kind in words."},
            "status": {"type": "integer", "description": "The status of HTTP."},
            "detail": {**text, "description": "What happened."},
            "advice": {**text, "description": "What to do next; empty where nothing helps."},
            "peer": {**text, "description": "The peer that it is about."},
            "dimse_status": {**text, "description": "The status that the peer answered, in four hexadecimal digits."},
            "dimse_meaning": {**text, "description": "That status in words."},
            "errors": {"type": "array", "items": fault, "description": "What is wrong with each value."},
        },
    }
