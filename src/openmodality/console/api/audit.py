"""``/audit``: the audit trail, for those who may read it. To read it is an event too."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import Field

from openmodality.app.records.audit import audit_row_as_json, audit_state_as_json
from openmodality.audit.codes import EventKind
from openmodality.console.api.answers import PageQuery, answer_page, answer_record, make_cursor, tell_one, tell_page
from openmodality.console.api.places import RowNumber, WireName
from openmodality.console.security.access import At, allow
from openmodality.console.security.accounts import Principal
from openmodality.console.security.roles import Permission
from openmodality.store.listing.audit import AuditSearch

router = APIRouter(prefix="/api/v1", tags=["audit"])

_Reader = Annotated[Principal, Depends(allow(Permission.AUDIT))]
_NUMBER: Final = {"type": "integer"}
_TIME: Final = {"type": ["string", "null"], "format": "date-time"}


class AuditFilterQuery(PageQuery):
    """Which events are listed."""

    kind: list[EventKind] = Field(default_factory=list, max_length=20, description="Only these kinds.")
    user: WireName = Field("", description="Only events in which this user took part.")
    patient: WireName = Field("", description="Only events of this Patient ID.")
    since: float | None = Field(None, ge=0, le=1e11, description="Seconds since 1970.")
    until: float | None = Field(None, ge=0, le=1e11, description="Seconds since 1970.")
    failed: bool = Field(False, description="Only what failed.")


@router.get(
    "/audit",
    summary="List the audit trail",
    responses=tell_page(
        "audit event", last=_NUMBER, delivered=_NUMBER, delivered_at=_TIME, backlog=_NUMBER, oldest_left=_TIME
    ),
)
def _list_trail(_: _Reader, context: At, wanted: Annotated[AuditFilterQuery, Query()]) -> Response:
    """Events of the audit trail, newest first, and where their delivery stands."""
    (before,) = wanted.read_cursor("before")
    search = AuditSearch(
        wanted.since, wanted.until, tuple(wanted.kind), wanted.user, wanted.patient, wanted.failed, before or None
    )
    page = context.modality.audit.find(search, wanted.limit)
    following = make_cursor(before=page.rows[-1].number) if page.total > len(page.rows) and page.rows else None
    return answer_page(map(audit_row_as_json, page.rows), following, **audit_state_as_json(page.state))


@router.get("/audit/{row}", summary="Show an event", responses=tell_one("audit event", 404))
def _show_row(_: _Reader, context: At, row: RowNumber) -> Response:
    """One event with its message as XML."""
    return answer_record(audit_row_as_json(context.modality.audit.show(row), in_full=True))
