"""Audit: shows an auditor who did what with whose images, and whether the record is whole. To look is an event too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, fromstring

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openmodality.app.records.audit import describe_event
from openmodality.audit.codes import EVENT_IDS, EventKind, Outcome
from openmodality.console.context import ConsoleContext
from openmodality.console.pages.shell import Page, render_page
from openmodality.console.pages.words import describe_count
from openmodality.console.security.access import At, Auditor, SentForm
from openmodality.console.template_files import format_clock
from openmodality.errors import NotFound, UsageError
from openmodality.store.listing.audit import AuditRow, AuditSearch, AuditState
from openmodality.value_class import dataclass

_ROWS: Final = 100
_LEVELS: Final = {Outcome.SUCCESS: "ok", Outcome.MINOR_FAILURE: "busy", Outcome.SERIOUS_FAILURE: "bad"}
_LARGEST: Final = 2**63 - 1
_FIELDS: Final = ("kind", "user", "patient", "since", "until", "failed")
"""Of the form by which events are looked for."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An event in a line."""

    number: int
    at: str
    event: str
    outcome: str
    level: str
    users: Sequence[str]
    patients: Sequence[str]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """The search of the auditor as it was typed; ``fault`` says what is wrong in it."""

    kind: str = ""
    user: str = ""
    patient: str = ""
    since: str = ""
    until: str = ""
    failed: str = ""
    fault: str = ""

    @property
    def is_set(self) -> bool:
        """Whether anything is looked for."""
        return any((self.kind, self.user, self.patient, self.since, self.until, self.failed))

    def make_query(self, before: int) -> str:
        """The address of the next page."""
        return urlencode({**{name: getattr(self, name) for name in _FIELDS if getattr(self, name)}, "before": before})


@dataclass(frozen=True, slots=True)
class AuditView:
    """A page of events; ``older`` is the address of the next one."""

    lines: Sequence[AuditLine]
    total: int
    wanted: AuditFilter
    kinds: Sequence[tuple[str, str]]
    delivery: str
    level: str
    older: str


@dataclass(frozen=True, slots=True)
class MessageLine:
    """An element of a message: how deep it is, its name, and what it says."""

    depth: int
    name: str
    said: str


router = APIRouter()


@router.get("/audit")
def _show_trail(
    request: Request,
    auditor: Auditor,
    context: At,
) -> Response:
    given = request.query_params
    wanted = AuditFilter(*(given.get(name, "").strip() for name in _FIELDS))
    before = given.get("before", "")
    view = make_audit_view(context, wanted, before)
    return render_page(request, context, auditor, Page("audit.html", "Audit", "audit"), audit=view)


@router.get("/audit/{number}")
def _show_row(request: Request, auditor: Auditor, context: At, number: int) -> Response:
    if not 0 < number <= _LARGEST:
        raise NotFound(f"the audit trail has no row {number}")
    row = context.modality.audit.show(number)
    lines = list(list_message_lines(row))
    page = Page("audit_row.html", f"Event {number}", "audit")
    return render_page(request, context, auditor, page, line=make_audit_line(row), digest=row.digest, lines=lines)


@router.post("/audit/verify")
def _verify_trail(request: Request, auditor: Auditor, form: SentForm, context: At) -> Response:
    chain, state = context.modality.audit.verify()
    page = Page("audit_chain.html", "Chain of the audit trail", "audit")
    return render_page(request, context, auditor, page, chain=chain, delivery=describe_delivery(context, state)[0])


def make_audit_view(context: ConsoleContext, wanted: AuditFilter, before: str = "") -> AuditView:
    """The newest events that are looked for, or those before a row."""
    try:
        search = make_search(wanted, before)
    except UsageError as error:
        wanted = AuditFilter(
            wanted.kind, wanted.user, wanted.patient, wanted.since, wanted.until, wanted.failed, error.message
        )
        search = AuditSearch(kinds=("none",))
    page = context.modality.audit.find(search, _ROWS)
    delivery, level = describe_delivery(context, page.state)
    older = f"/audit?{wanted.make_query(page.rows[-1].number)}" if page.total > len(page.rows) else ""
    return AuditView(
        [make_audit_line(row) for row in page.rows],
        page.total,
        wanted,
        [(each.value, EVENT_IDS[each].meaning) for each in EventKind],
        delivery,
        level,
        older,
    )


def make_search(wanted: AuditFilter, before: str = "") -> AuditSearch:
    """What is looked for. Raises :class:`UsageError` for a kind or a date that is none."""
    if wanted.kind and wanted.kind not in set(EventKind):
        raise UsageError("there is no such kind of event")
    return AuditSearch(
        _read_moment(wanted.since, "From"),
        _read_moment(wanted.until, "Until"),
        (wanted.kind,) if wanted.kind else (),
        wanted.user,
        wanted.patient,
        bool(wanted.failed),
        int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None,
    )


def make_audit_line(row: AuditRow) -> AuditLine:
    """An event as a line."""
    outcome = Outcome(row.entry.outcome)
    return AuditLine(
        row.number,
        format_clock(row.entry.at),
        describe_event(row),
        outcome.word,
        _LEVELS[outcome],
        row.users,
        row.patients,
    )


def list_message_lines(row: AuditRow) -> Iterator[MessageLine]:
    """All that the message of an event says."""

    def walk(element: Element, depth: int) -> Iterator[MessageLine]:
        attributes = [f"{name} {value}" for name, value in element.attrib.items()]
        text = (element.text or "").strip()
        yield MessageLine(depth, element.tag, "; ".join([*attributes, *([text] if text else [])]))
        for child in element:
            yield from walk(child, depth + 1)

    return walk(fromstring(row.entry.message), 0)


def describe_delivery(context: ConsoleContext, state: AuditState) -> tuple[str, str]:
    """How far the trail is delivered, in words, and the level of its mark."""
    settings = context.modality.site.settings.audit
    if not settings.enabled:
        return "It is kept on this device: the site names no audit repository.", "unknown"
    where = f"{settings.host}:{settings.port}"
    if not state.backlog:
        return f"All is delivered to {where}.", "ok"
    since = format_clock(state.oldest_left)
    return f"{describe_count(state.backlog, 'event')} to be delivered to {where}, the oldest of {since}.", "busy"


def _read_moment(text: str, label: str) -> float | None:
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f"{label}: {text[:40]!r} is no date") from None
