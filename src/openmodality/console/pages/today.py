"""Today: shows what is scheduled. The RIS is asked when a user clicks; its answer is one list.

Where the RIS does not answer, this list is empty and says why (RF-4.2.3.3.1.3-05 to -07). The items of an earlier query
are another list, with their time, from which no exam is started.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from openmodality.console.context import ConsoleContext
from openmodality.console.emergency import start_emergency
from openmodality.console.memory import Asked
from openmodality.console.pages.shell import Page, do_and_return, render_page, render_part
from openmodality.console.pages.words import describe_attribute
from openmodality.console.pages.worklist_view import (
    MODALITY_KEY,
    SHOWN_AT_ONCE,
    STATION_KEY,
    ListPart,
    WorklistView,
    find_usual_keys,
    is_whole_identifier,
    list_settable,
    make_old_list,
    make_worklist,
)
from openmodality.console.security.access import At, Form, Operator, SentForm, Viewer
from openmodality.console.security.accounts import Principal
from openmodality.device.profile.profile import WorklistKey
from openmodality.errors import OpenModalityError, UsageError
from openmodality.query.key_forms import describe_odd_key, read_shown_date
from openmodality.value_class import dataclass

_MOST_SHOWN: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class KeyField:
    """A key that the operator may set: what it is, what was set last, and what it is by itself."""

    keyword: str
    label: str
    value: str
    usual: str
    hint: str


router = APIRouter()


def read_list_part(find: str = "", shown: int = SHOWN_AT_ONCE) -> ListPart:
    """What of the list is asked for: a whole number of steps, and one at least."""
    steps = -(-min(max(shown, 1), _MOST_SHOWN) // SHOWN_AT_ONCE)
    return ListPart(find, steps * SHOWN_AT_ONCE)


Asking = Annotated[ListPart, Depends(read_list_part)]


@router.get("/today")
def _show_today(request: Request, viewer: Viewer, context: At, part: Asking) -> Response:
    view, find = make_worklist(context, part), part.find
    if find and len(view.items) == 1 and is_whole_identifier(view.items[0], find) and not view.items[0].exam_url:
        return RedirectResponse(f"/start/{view.items[0].id}", 303)  # a scanned wristband leads to its patient
    return _render_list(request, viewer, context, view)


@router.get("/today/list")
def _show_part(request: Request, viewer: Viewer, context: At, part: Asking) -> Response:
    return render_part(request, context, viewer, "part_worklist.html", worklist=make_worklist(context, part))


@router.get("/today/rows")
def _show_more(request: Request, viewer: Viewer, context: At, part: Asking) -> Response:
    view = make_worklist(context, part, first=part.shown - SHOWN_AT_ONCE)
    return render_part(request, context, viewer, "part_worklist_rows.html", worklist=view)


@router.get("/today/last")
def _show_last(request: Request, viewer: Viewer, context: At, part: Asking) -> Response:
    return _render_list(request, viewer, context, make_old_list(context, part))


@router.get("/today/last/rows")
def _show_more_of_last(request: Request, viewer: Viewer, context: At, part: Asking) -> Response:
    view = make_old_list(context, part, first=part.shown - SHOWN_AT_ONCE)
    return render_part(request, context, viewer, "part_worklist_rows.html", worklist=view)


@router.post("/today/ask")
def _ask(request: Request, who: Operator, form: SentForm, context: At) -> Response:
    ask_ris(context, read_asked_keys(context, form))
    if request.headers.get("hx-request"):
        part = render_part(request, context, who, "part_worklist.html", worklist=make_worklist(context, ListPart()))
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
    return "empty: any" if row.keyword in (STATION_KEY, MODALITY_KEY) else ""


def read_asked_keys(context: ConsoleContext, form: Form) -> dict[str, str]:
    """The keys of the form; none where all are as usual, so that the answer is the whole list."""
    given = {row.keyword: _read_key(row, form[row.keyword]) for row in list_settable(context)}
    usual = {**dict.fromkeys(given, ""), **find_usual_keys(context)}
    return {} if given == usual else given


def _read_key(row: WorklistKey, text: str) -> str:
    return read_shown_date(text) if row.vr == "DA" else text


def _check_keys(context: ConsoleContext, keys: Mapping[str, str]) -> None:
    """Raises :class:`UsageError` where a date is none: a RIS would say that nothing is scheduled."""
    for row in list_settable(context):
        if odd := describe_odd_key(row.vr, keys.get(row.keyword, "")):
            raise UsageError(f"{describe_attribute(row.path[-1])}: {odd}")


def ask_ris(context: ConsoleContext, keys: Mapping[str, str]) -> Asked:
    """Ask the RIS now, and remember its answer, or why there was none."""
    at, peer = context.modality.clock(), context.modality.site.choose_peer("worklist").name
    try:
        _check_keys(context, keys)
        answer = context.modality.query_worklist(keys, peer)
    except OpenModalityError as error:
        asked = Asked(at, peer, keys, failed=error.message, advice=error.advice)
    else:
        asked = Asked(at, peer, keys, [item.id for item in answer.items], answer.notices)
    context.memory.note_asked(asked)
    return asked
