"""Today: what is scheduled. The RIS is asked when a person says so; its answer is a list of its own.

Where the RIS does not answer, that list is empty and says why (RF-4.2.3.3.1.3-05 to -07). What an earlier query
brought is another list, with its time, from which nothing is started.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openmodality.console.context import ConsoleContext
from openmodality.console.emergency import start_emergency
from openmodality.console.memory import Asked
from openmodality.console.pages.shell import Page, do_and_return, render_page, render_part
from openmodality.console.pages.words import describe_attribute, describe_count
from openmodality.console.security.access import At, Form, Operator, SentForm, Viewer
from openmodality.console.security.accounts import Principal
from openmodality.console.template_files import format_clock, format_date, format_dicom_time
from openmodality.device.profile.profile import WorklistKey
from openmodality.errors import NotFound, OpenModalityError
from openmodality.store.rows.served import Serving
from openmodality.store.rows.worklist import WorklistItem, WorklistLine, read_item_texts

_MOST: Final = 200
_STATION: Final = "ScheduledStationAETitle"
_MODALITY: Final = "Modality"
_DATE: Final = "ScheduledProcedureStepStartDate"
_SHOWN: Final = (
    "ScheduledProcedureStepStartDate",
    "ScheduledProcedureStepStartTime",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "AccessionNumber",
    "ScheduledProcedureStepDescription",
    "RequestedProcedureDescription",
)


@dataclass(frozen=True, slots=True)
class KeyField:
    """A key that the operator may set: what it is, what was set last, and what it is by itself."""

    keyword: str
    label: str
    value: str
    usual: str
    hint: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A worklist item in a line. ``state`` is new, in progress, done here or defective."""

    id: int
    start: str
    name: str
    patient_id: str
    birth_date: str
    accession: str
    procedure: str
    state: str
    level: str
    exam_url: str
    defects: Sequence[str]


@dataclass(frozen=True, slots=True)
class WorklistView:
    """A list of items, and what the operator is to know of it.

    ``asked`` says when and whom; ``sent`` are the keys. ``failed`` and ``advice`` say why there is nothing. An
    ``is_old`` list is what an earlier query brought.
    """

    asked: str
    peer: str
    sent: Sequence[tuple[str, str]]
    items: Sequence[ItemRow]
    total: int
    shown_of: str
    notices: Sequence[str]
    failed: str
    advice: str
    is_old: bool
    find: str


router = APIRouter()


@router.get("/today")
def _show_today(request: Request, viewer: Viewer, context: At, find: str = "") -> Response:
    view = make_worklist(context, find)
    if find and len(view.items) == 1 and is_whole_identifier(view.items[0], find) and not view.items[0].exam_url:
        return RedirectResponse(f"/start/{view.items[0].id}", 303)  # a scanned wristband leads to its patient
    return _render_list(request, viewer, context, view)


@router.get("/today/list")
def _show_part(request: Request, viewer: Viewer, context: At, find: str = "") -> Response:
    return render_part(request, context, viewer, "part_worklist.html", worklist=make_worklist(context, find))


@router.get("/today/last")
def _show_last(request: Request, viewer: Viewer, context: At, find: str = "") -> Response:
    return _render_list(request, viewer, context, make_old_list(context, find))


@router.post("/today/ask")
def _ask(request: Request, who: Operator, form: SentForm, context: At) -> Response:
    ask_ris(context, read_asked_keys(context, form))
    if request.headers.get("hx-request"):
        part = render_part(request, context, who, "part_worklist.html", worklist=make_worklist(context))
        part.headers["hx-trigger"] = "om-contact"  # the status bar, too, says that the RIS did not answer
        return part
    return RedirectResponse("/today", 303)


@router.post("/emergency")
def _start_emergency(who: Operator, form: SentForm, context: At) -> Response:
    started: list[int] = []

    def start() -> str:
        started.append(start_emergency(context, who.name).id)
        return (
            "The emergency exam has started. Its patient is known by a made-up name and ID: say at the RIS who it is."
        )

    answer = do_and_return(context, who, "/today", start)
    return RedirectResponse(f"/exam/{started[0]}", 303) if started else answer


def _render_list(request: Request, viewer: Principal, context: ConsoleContext, view: WorklistView) -> Response:
    keys = list_key_fields(context)
    page = Page("today.html", "Last list" if view.is_old else "Today", "today")
    has_ris = bool(context.modality.site.peers_for("worklist"))
    return render_page(request, context, viewer, page, worklist=view, keys=keys, has_ris=has_ris)


def list_key_fields(context: ConsoleContext) -> list[KeyField]:
    """The keys that the statement lets an operator set (MR-5.2.1.3-01 to -03), with what they were last."""
    asked = context.memory.asked
    usual = find_usual_keys(context)
    last = usual if asked is None else {**dict.fromkeys(usual, ""), **asked.keys} if asked.keys else usual
    return [
        KeyField(
            row.keyword,
            describe_attribute(row.path[-1]),
            last.get(row.keyword, ""),
            usual.get(row.keyword, ""),
            _hint(row),
        )
        for row in list_settable(context)
    ]


def _hint(row: WorklistKey) -> str:
    if row.vr == "DA":
        return "YYYYMMDD, or a range YYYYMMDD-YYYYMMDD"
    return "empty: any" if row.keyword in (_STATION, _MODALITY) else ""


def list_settable(context: ConsoleContext) -> list[WorklistKey]:
    """The rows of the profile that an operator may set."""
    return [row for row in context.modality.site.profile.worklist_keys if row.configurable]


def find_usual_keys(context: ConsoleContext) -> dict[str, str]:
    """What is asked for where nobody sets anything: this device, today."""
    parameters = context.modality.site.parameters
    today = datetime.fromtimestamp(context.modality.clock()).strftime("%Y%m%d")
    usual = {
        _STATION: parameters.text("worklist.scheduled_station_ae_title"),
        _MODALITY: parameters.text("worklist.modality"),
        _DATE: today,
    }
    settable = {row.keyword for row in list_settable(context)}
    return {keyword: value for keyword, value in usual.items() if keyword in settable}


def read_asked_keys(context: ConsoleContext, form: Form) -> dict[str, str]:
    """The keys of the form; none where all are as usual, so that the answer is the whole list."""
    given = {row.keyword: form[row.keyword] for row in list_settable(context)}
    usual = {**dict.fromkeys(given, ""), **find_usual_keys(context)}
    return {} if given == usual else given


def ask_ris(context: ConsoleContext, keys: Mapping[str, str]) -> Asked:
    """Ask the RIS now, and remember what came of it."""
    at, peer = context.modality.clock(), context.modality.site.choose_peer("worklist").name
    try:
        answer = context.modality.query_worklist(keys, peer)
    except OpenModalityError as error:
        asked = Asked(at, peer, keys, failed=error.message, advice=error.advice)
    else:
        asked = Asked(at, peer, keys, [item.id for item in answer.items], answer.notices)
    context.memory.note_asked(asked)
    return asked


def make_worklist(context: ConsoleContext, find: str = "") -> WorklistView:
    """What the last query brought: nothing where it failed, or where nobody has asked."""
    asked = context.memory.asked
    if asked is None:
        return WorklistView("", "", (), (), 0, "", (), "", "", is_old=False, find=find)
    fitting = _list_fitting(context, asked.items, find)
    names = {row.keyword: describe_attribute(row.path[-1]) for row in list_settable(context)}
    keys = asked.keys or find_usual_keys(context)
    return WorklistView(
        asked=format_clock(asked.at),
        peer=asked.peer,
        sent=[(names[keyword], format_date(value)) for keyword, value in keys.items() if value],
        items=_make_rows(context, fitting),
        total=len(asked.items),
        shown_of=_describe_shown(len(fitting), len(asked.items)),
        notices=asked.notices,
        failed=asked.failed,
        advice=asked.advice,
        is_old=False,
        find=find,
    )


def make_old_list(context: ConsoleContext, find: str = "") -> WorklistView:
    """What is stored of earlier queries, to be looked at."""
    lines = context.modality.worklist_lines()
    fitting = [line.id for line in lines if _fits(line, find)]
    newest = max((line.received_at for line in lines), default=None)
    shown, rows = _describe_shown(len(fitting), len(lines)), _make_rows(context, fitting)
    return WorklistView(format_clock(newest), "", (), rows, len(lines), shown, (), "", "", is_old=True, find=find)


def _describe_shown(found: int, total: int) -> str:
    if found > _MOST:
        return f"The first {_MOST} of {found:,}; search to see others."
    return f"{found:,} of {describe_count(total, 'item')}" if found != total else describe_count(total, "item")


def _list_fitting(context: ConsoleContext, numbers: Sequence[int], find: str) -> Sequence[int]:
    """The numbers of the items that somebody looks for; all where nothing is looked for."""
    if not find.strip():
        return numbers
    return [line.id for line in context.modality.worklist_lines(numbers) if _fits(line, find)]


def _fits(line: WorklistLine, find: str) -> bool:
    words = ("PatientName", "PatientID", "AccessionNumber", "ScheduledProcedureStepDescription")
    return find.casefold().strip() in "\n".join(line[word] for word in words).replace("^", " ").casefold()


def _make_rows(context: ConsoleContext, numbers: Sequence[int]) -> list[ItemRow]:
    """The first of the items, as many as a page shows."""
    try:
        items = context.modality.find_items(numbers[:_MOST])
    except NotFound:
        return []
    serving = context.modality.find_serving(items)
    return [make_item_row(item, serving[item.id]) for item in items]


def is_whole_identifier(row: ItemRow, find: str) -> bool:
    """Whether what was looked for is the Patient ID or the accession number of an item, as a wristband has it."""
    return find.strip().casefold() in {row.patient_id.casefold(), row.accession.casefold()} - {""}


def make_item_row(item: WorklistItem, serving: Sequence[Serving]) -> ItemRow:
    """An item in a line, with the exams that serve it, newest first."""
    state, level, url = ("defective", "bad", "") if item.defects else ("new", "unknown", "")
    if serving:
        newest = serving[0]
        state, level = ("in progress", "busy") if newest.state.is_open else (f"{newest.state.lower()} here", "ok")
        if newest.device:
            state = f"{newest.state.lower()} at {newest.device}"
        url = "" if newest.device else f"/exam/{newest.exam_id}"
    texts = read_item_texts(item.attributes, _SHOWN)  # at once: a page has many items
    start = (
        format_date(texts["ScheduledProcedureStepStartDate"]),
        format_dicom_time(texts["ScheduledProcedureStepStartTime"]),
    )
    return ItemRow(
        id=item.id,
        start=" ".join(start)[:16].strip(),
        name=texts["PatientName"],
        patient_id=texts["PatientID"],
        birth_date=texts["PatientBirthDate"],
        accession=texts["AccessionNumber"],
        procedure=texts["ScheduledProcedureStepDescription"] or texts["RequestedProcedureDescription"],
        state=state,
        level=level,
        exam_url=url,
        defects=item.defects,
    )
