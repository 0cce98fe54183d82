"""The frame of every page: places, the patient, notes, and the state of RIS, archives, queue and disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from openmodality.console.context import ConsoleContext
from openmodality.console.memory import PageNote
from openmodality.console.pages.words import describe_count
from openmodality.console.security.access import Anybody, At, SentForm, Viewer
from openmodality.console.security.accounts import Principal
from openmodality.console.security.roles import Permission
from openmodality.console.security.secrets import make_form_token
from openmodality.console.template_files import format_clock
from openmodality.errors import OpenModalityError
from openmodality.standard.tags import (
    ALLERGIES,
    MEDICAL_ALERTS,
    PATIENT_BIRTH_DATE,
    PATIENT_ID,
    PATIENT_NAME,
    PATIENT_SEX,
    PATIENT_STATE,
    PREGNANCY_STATUS,
    REQUESTED_PROCEDURE_DESCRIPTION,
    SCHEDULED_PROCEDURE_STEP_DESCRIPTION,
    SPECIAL_NEEDS,
    STUDY_DESCRIPTION,
)
from openmodality.store.listing.exams import ExamRecord
from openmodality.store.states import OPEN_EXAMS, JobState
from openmodality.value_class import dataclass

THEMES: Final = ("dark", "light")
_THEME_COOKIE: Final = "openmodality-theme"
_LITTLE_DISK: Final = 0.05
_MOST_JOBS: Final = 1000


@dataclass(frozen=True, slots=True)
class RailPlace:
    """A place of the rail; without a permission it is everybody's."""

    name: str
    label: str
    url: str
    permission: Permission | None


PLACES: Final = (
    RailPlace("today", "Today", "/today", Permission.VIEW),
    RailPlace("exam", "Exam", "/exam", Permission.VIEW),
    RailPlace("images", "Images", "/images", Permission.VIEW),
    RailPlace("archive", "Archive", "/archive", Permission.VIEW),
    RailPlace("jobs", "Jobs", "/jobs", Permission.VIEW),
    RailPlace("film", "Film", "/film", Permission.VIEW),
    RailPlace("media", "Media", "/media", Permission.VIEW),
    RailPlace("peers", "Peers", "/peers", Permission.VIEW),
    RailPlace("service", "Service", "/service", Permission.MANAGE),
    RailPlace("hospital", "Hospital", "/hospital", Permission.VIEW),
    RailPlace("statement", "Statement", "/statement", Permission.VIEW),
    RailPlace("audit", "Audit", "/audit", Permission.AUDIT),
    RailPlace("account", "Account", "/account", None),
)


@dataclass(frozen=True, slots=True)
class Banner:
    """Whose exam it is, on every screen at the same place. ``others`` counts further exams that are open."""

    name: str
    patient_id: str
    birth_date: str
    age: str
    sex: str
    accession: str
    procedure: str
    state: str
    url: str = ""
    others: int = 0
    alerts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One thing of the status bar: ``level`` is ok, busy, bad or unknown, and ``said`` says it in words."""

    label: str
    level: str
    said: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """What is special about one page. ``banner`` is ``None`` where the open exam is to be shown.

    ``single_keys`` are keys, in small letters, that the page hears without Ctrl or Alt, and what they do.
    """

    template: str
    title: str
    place: str
    banner: Banner | None = None
    status: int = 200
    single_keys: tuple[tuple[str, str], ...] = ()


SINGLE_KEYS: Final = (("/", "Search"), ("?", "List of keys"))
"""Single keys of every page; a page may have more of its own. A person may choose others (WCAG 2.1.4)."""

router = APIRouter()


@router.get("/")
def _go_to_first(who: Anybody) -> Response:
    """Redirect to the first place that the user may see."""
    places = [each for each in PLACES if each.permission is not None and who.may(each.permission)]
    return RedirectResponse(places[0].url if places else PLACES[-1].url, 303)


@router.get("/status")
def _show_status(request: Request, viewer: Viewer, context: At) -> Response:
    return render_part(request, context, viewer, "part_status.html", statuses=list_statuses(context))


@router.get("/banner")
def _show_banner(request: Request, viewer: Viewer, context: At) -> Response:
    return render_part(request, context, viewer, "part_banner.html", banner=find_banner(context))


@router.post("/theme")
def _choose_theme(_: Anybody, form: SentForm, context: At) -> Response:
    theme = form["theme"] if form["theme"] in THEMES else THEMES[0]
    back = RedirectResponse(make_local(form["back"]), 303)
    back.set_cookie(_THEME_COOKIE, theme, max_age=31_536_000, samesite="strict", secure=context.is_secure)
    return back


def make_local(path: str) -> str:
    """A path of this console; another address becomes the first page."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"


def find_theme(request: Request) -> str:
    """The theme that the browser has chosen."""
    chosen = request.cookies.get(_THEME_COOKIE, THEMES[0])
    return chosen if chosen in THEMES else THEMES[0]


def render_page(request: Request, context: ConsoleContext, who: Principal, page: Page, **view: Any) -> HTMLResponse:
    """A whole page. Who may see no patient gets neither banner nor status bar."""
    may_see = who.may(Permission.VIEW)
    shell = {
        "may_see": may_see,
        "title": page.title,
        "place": page.place,
        "places": choose_places(context, who),
        "banner": (page.banner or find_banner(context)) if may_see else None,
        "is_banner_live": page.banner is None,
        "statuses": list_statuses(context) if may_see else [],
        "notes": context.memory.notes.take(who.session),
        "device": _describe_device(context),
        "single_keys": page.single_keys + SINGLE_KEYS,
    }
    return HTMLResponse(
        context.templates.render(page.template, **_list_common(request, who), **shell, **view), page.status
    )


def choose_places(context: ConsoleContext, who: Principal) -> list[RailPlace]:
    """The places of the rail for a user: what this device cannot do is not there."""
    absent = set() if context.modality.site.printers else {"film"}
    if not any("create" in each.activities for each in context.modality.media.profiles.values()):
        absent.add("media")
    if context.hospital is None:
        absent.add("hospital")
    return [
        each for each in PLACES if each.name not in absent and (each.permission is None or who.may(each.permission))
    ]


def render_part(request: Request, context: ConsoleContext, who: Principal, template: str, **view: Any) -> HTMLResponse:
    """A part of a page, for a page that looks again."""
    return HTMLResponse(context.templates.render(template, **_list_common(request, who), **view))


def _list_common(request: Request, who: Principal) -> Mapping[str, Any]:
    return {
        "user": who,
        "form_token": make_form_token(who.session) if who.session else "",
        "theme": find_theme(request),
        "path": request.url.path,
        "position": request.state.position,
        "permissions": Permission,
    }


def do_and_return(context: ConsoleContext, who: Principal, back: str, act: Callable[[], str]) -> Response:
    """Do something, and go to a page that shows the result."""
    try:
        note = PageNote("done", act())
    except OpenModalityError as error:
        note = PageNote("failed", error.message, error.advice)
    context.memory.notes.add(who.session, note)
    return RedirectResponse(back, 303)


def find_banner(context: ConsoleContext) -> Banner | None:
    """The banner of the exam that is open, the newest of several; ``None`` where none is."""
    open_exams = context.modality.exams(*OPEN_EXAMS)
    return make_exam_banner(open_exams[0], len(open_exams) - 1) if open_exams else None


def make_exam_banner(exam: ExamRecord, others: int = 0) -> Banner:
    """The banner of an exam."""
    birth_date = exam.text(PATIENT_BIRTH_DATE)
    return Banner(
        name=exam.text(PATIENT_NAME),
        patient_id=exam.text(PATIENT_ID),
        birth_date=birth_date,
        age=describe_age(birth_date, date.today()),
        sex=exam.text(PATIENT_SEX),
        accession=exam.accession_number,
        procedure=describe_procedure(exam.text) or exam.text(STUDY_DESCRIPTION),
        state=exam.state,
        url=f"/exam/{exam.id}",
        others=others,
        alerts=describe_alerts(exam.text),
    )


ReadText = Callable[[int], str]
"""Reads the value of an attribute by its tag, empty where there is none."""


def describe_procedure(read: ReadText) -> str:
    """The procedure, in the same words before and after the start."""
    return read(REQUESTED_PROCEDURE_DESCRIPTION) or read(SCHEDULED_PROCEDURE_STEP_DESCRIPTION)


def describe_alerts(read: ReadText) -> list[str]:
    """The alerts of a patient, in the same words before and after the start."""
    return [alert for tag, label in ALERTS if (alert := _describe_alert(label, read(tag)))]


ALERTS: Final = (
    (MEDICAL_ALERTS, "Alert"),
    (ALLERGIES, "Allergy"),
    (PREGNANCY_STATUS, "Pregnancy"),
    (SPECIAL_NEEDS, "Special needs"),
    (PATIENT_STATE, "State"),
)
"""The attributes that say what must not be missed, each with the word before its value."""
PREGNANCY: Final = {"1": "not pregnant", "2": "possibly pregnant", "3": "definitely pregnant", "4": "unknown"}
"""(0010,21C0) Pregnancy Status, PS3.3 C.2.4."""
_NOT_PREGNANT: Final = "1"


def _describe_alert(label: str, value: str) -> str:
    if label == "Pregnancy":
        return "" if value in ("", _NOT_PREGNANT) else f"{label}: {PREGNANCY.get(value, value)}"
    return f"{label}: {value}" if value else ""


def describe_age(birth_date: str, today: date) -> str:
    """The age in years, for the first years in months; empty where the date of birth is not known."""
    try:
        born = datetime.strptime(birth_date, "%Y%m%d").date()
    except ValueError:
        return ""
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    if months < 0:
        return ""
    return f"{months} months" if months < 24 else f"{months // 12} years"


def _describe_device(context: ConsoleContext) -> str:
    settings = context.modality.site.settings.device
    return settings.alias or context.modality.site.profile.title


def list_statuses(context: ConsoleContext) -> list[StatusEntry]:
    """RIS, archives, queue and disk, each with the page that says more."""
    site = context.modality.site
    found = [_find_peer_status(context, peer.name, "RIS") for peer in site.peers_for("worklist")[:1]]
    found += [_find_peer_status(context, peer.name, "Archive") for peer in site.peers_for("storage")]
    found += [_find_peer_status(context, name, "Printer") for name in site.printers]
    return [*found, _find_queue_status(context), _find_disk_status(context)]


def _find_peer_status(context: ConsoleContext, name: str, label: str) -> StatusEntry:
    contact = context.memory.find_contact(name)
    waiting = context.modality.jobs.list(states=[JobState.TODO, JobState.FAILED], destination=name, limit=_MOST_JOBS)
    failed = sum(job.state is JobState.FAILED for job in waiting)
    retried = sum(job.state is JobState.TODO and job.attempts > 0 for job in waiting)
    shown = label if name.casefold() == label.casefold() else f"{label} {name}"
    if failed:
        return StatusEntry(shown, "bad", f"{describe_count(failed, 'job')} failed", "/jobs")
    if retried:
        return StatusEntry(shown, "bad", f"{describe_count(retried, 'job')} will be tried again", "/jobs")
    last_done = context.modality.jobs.list(states=[JobState.DONE], destination=name, limit=1)
    done_at = last_done[0].finished_at if last_done else None
    if done_at is not None and (contact is None or contact.at < done_at):
        return StatusEntry(shown, "ok", f"answered {format_clock(done_at)}", "/peers")
    if contact is None:
        return StatusEntry(shown, "unknown", "not asked yet", "/peers")
    said = "answered" if contact.is_success else "cannot be reached"
    return StatusEntry(shown, "ok" if contact.is_success else "bad", f"{said} {format_clock(contact.at)}", "/peers")


def _find_queue_status(context: ConsoleContext) -> StatusEntry:
    jobs = context.modality.jobs.list(
        states=[JobState.TODO, JobState.DOING, JobState.WAITING, JobState.FAILED], limit=_MOST_JOBS
    )
    failed = sum(job.state is JobState.FAILED for job in jobs)
    left = len(jobs) - failed
    if failed:
        more = f", {left} to do" if left else ""
        return StatusEntry("Queue", "bad", f"{describe_count(failed, 'job')} failed{more}", "/jobs")
    return StatusEntry(
        "Queue", "busy" if left else "ok", f"{describe_count(left, 'job')} to do" if left else "empty", "/jobs"
    )


def _find_disk_status(context: ConsoleContext) -> StatusEntry:
    try:
        usage = shutil.disk_usage(context.modality.site.data_folder)
    except OSError:
        return StatusEntry("Disk", "bad", "cannot be read", "/images")
    level = "bad" if usage.free < _LITTLE_DISK * usage.total else "ok"
    return StatusEntry("Disk", level, f"{usage.free / 1e9:.0f} GB free", "/images")
