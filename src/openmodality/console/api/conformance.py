"""``/conformance``: the conformance statement of the device, as values or as a document."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from openmodality.conformance.as_json import KIND
from openmodality.conformance.html import STYLE
from openmodality.conformance.model import STATEMENT_VERSION
from openmodality.console.api.answers import tell_problems
from openmodality.console.dicomweb.accept import choose
from openmodality.console.pages.statement import FILE_TYPES, read_evidence_if
from openmodality.console.security.access import At, Viewer

_FORMATS: Final = {kind.partition(";")[0]: format for format, kind in FILE_TYPES.items()}
"""By media type, JSON first: it goes to whoever takes anything."""
_STATEMENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "All of its members are in docs/conformance.schema.json.",
    "required": ["kind", "schema_version", "device"],
    "properties": {
        "kind": {"const": KIND},
        "schema_version": {"const": STATEMENT_VERSION},
        "device": {"type": "object"},
    },
}
_CONTENT: Final = {
    kind: {"schema": _STATEMENT if format == "json" else {"type": "string"}} for kind, format in _FORMATS.items()
}
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A browser that opens the document uses the style in it, and nothing else."""

router = APIRouter(prefix="/api/v1", tags=["device"])


@router.get(
    "/conformance",
    summary="Show the conformance statement",
    responses=tell_problems(406) | {200: {"description": "So it is.", "content": _CONTENT}},
)
def _show_statement(
    request: Request,
    _: Viewer,
    context: At,
    layout: Annotated[
        Literal["annex-n", "mr", "rf"], Query(description="The order of a document: PS3.2 Annex N, or a statement's.")
    ] = "annex-n",
    evidence: Annotated[bool, Query(description="Also which tests show each sentence, and before whom.")] = False,
) -> Response:
    """What the device states of itself as it runs now: JSON, or with ``Accept`` a document as HTML or Markdown."""
    format = _FORMATS[choose(request, tuple(_FORMATS))]
    headers = {"vary": "accept"} | ({"content-security-policy": _POLICY} if format == "html" else {})
    text = context.statement.write(format, layout, read_evidence_if(context, evidence))
    return Response(text, media_type=FILE_TYPES[format], headers=headers)
