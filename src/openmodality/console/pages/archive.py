"""Archive: asks an archive or this device with Query; moves, sends or commits what was chosen with Send.

A query runs while the page is used (``console.inquiries``); a move is a job (MR-3.2.2, RF-4.2.5.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openmodality.console.context import ConsoleContext
from openmodality.console.inquiries import LIST, Inquiry, Looking
from openmodality.console.pages.archive_moves import list_moves
from openmodality.console.pages.archive_orders import Ticked, commit_chosen, describe_jobs, move_chosen, send_from_here
from openmodality.console.pages.archive_search import ARCHIVE_KEYS, SeriesNode, StudyNode, ask_for_list, ask_for_series
from openmodality.console.pages.shell import Page, do_and_return, render_page, render_part
from openmodality.console.security.access import At, Form, Operator, SentForm, Viewer
from openmodality.console.security.accounts import Principal
from openmodality.console.template_files import format_clock
from openmodality.errors import UsageError, WrongState
from openmodality.query.key_forms import describe_odd_key, read_shown_date
from openmodality.standard.query_retrieve import Level
from openmodality.value_class import dataclass

_STUDY_DATE: Final = "StudyDate"
HERE: Final = ""
"""The source that is this device."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A destination for what is chosen: ``value`` is the AE title or the name of a peer, empty for this device."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class ArchiveKey:
    """A key that the user may set."""

    name: str
    label: str
    value: str
    hint: str


@dataclass(frozen=True, slots=True)
class OpenedStudy:
    """What is below a study that was opened; ``asked`` is ``None`` for any other. ``place`` is that in the list."""

    uid: str
    place: int
    asked: Inquiry | None
    series: Sequence[SeriesNode] = ()


@dataclass(frozen=True, slots=True)
class StudyBranch:
    """A study of the list, how many of its instances are on this device, and what was opened of it."""

    node: StudyNode
    here: int
    opened: OpenedStudy


@dataclass(frozen=True, slots=True)
class PatientBranch:
    """The studies of one patient in the list; ``number`` is his place in it."""

    number: int
    name: str
    patient_id: str
    birth_date: str
    sex: str
    studies: Sequence[StudyBranch]


@dataclass(frozen=True, slots=True)
class ArchiveList:
    """The list that was asked for."""

    number: int
    source: str
    asked: Inquiry | None
    when: str
    sent: Sequence[tuple[str, str]]
    patients: Sequence[PatientBranch]
    studies: int
    destinations: Sequence[Destination]
    committing: Sequence[str]


@dataclass(slots=True)
class TypedQuery:
    """What was typed, which is not lost where it is wrong; ``wrong`` is the key of which the error tells."""

    keys: dict[str, str] = field(default_factory=dict)
    source: str = HERE
    error: str = ""
    wrong: str = "PatientName"


router = APIRouter()


@router.get("/archive")
def _show_archive(request: Request, viewer: Viewer, context: At) -> Response:
    looking = context.memory.inquiries.look(viewer.session)
    source = looking.source if looking.number else next(iter(list_archives(context)), HERE)
    return _render(request, context, viewer, TypedQuery(looking.keys, source))


def _render(request: Request, context: ConsoleContext, who: Principal, typed: TypedQuery) -> Response:
    page = Page("archive.html", "Archive", "archive", status=400 if typed.error else 200)
    keys = [ArchiveKey(name, label, typed.keys.get(name, ""), hint) for name, label, hint in ARCHIVE_KEYS]
    view = {"keys": keys, "typed": typed, "archives": list_archives(context)}
    return render_page(
        request, context, who, page, found=make_list(context, who), moving=list_moves(context), **view
    )  # fmt: skip


@router.post("/archive/query")
def _query(request: Request, who: Operator, form: SentForm, context: At) -> Response:
    keys = {name: form[name] for name, _, _ in ARCHIVE_KEYS if form[name]}
    if _STUDY_DATE in keys:
        keys[_STUDY_DATE] = read_shown_date(keys[_STUDY_DATE])
    source = form["source"]
    if odd := describe_odd_key("DA", keys.get(_STUDY_DATE, "")):
        return _render(request, context, who, TypedQuery(keys, source, f"Study Date: {odd}.", _STUDY_DATE))
    if not keys:
        nothing = "Give a name, an ID, an accession number or a date; * asks for everything."
        return _render(request, context, who, TypedQuery(keys, source, nothing))
    if source not in (HERE, *list_archives(context)):
        raise UsageError(f"there is no archive {source}")
    context.memory.inquiries.begin(who.session, source, keys, ask_for_list(context, source, keys))
    return RedirectResponse("/archive", 303)


@router.get("/archive/list")
def _show_list(request: Request, viewer: Viewer, context: At) -> Response:
    return render_part(request, context, viewer, "part_archive.html", found=make_list(context, viewer))


@router.post("/archive/study/{uid}")
def _open_study(request: Request, who: Operator, _: SentForm, context: At, uid: str) -> Response:
    def ask() -> None:
        _, study = find_study(context, who, uid)
        source = context.memory.inquiries.look(who.session).source
        context.memory.inquiries.open(who.session, uid, ask_for_series(context, source, study))

    return _render_opened(request, context, who, uid, ask)


@router.get("/archive/study/{uid}")
def _show_study(request: Request, viewer: Viewer, context: At, uid: str) -> Response:
    return _render_opened(request, context, viewer, uid, lambda: None)


def _render_opened(
    request: Request, context: ConsoleContext, who: Principal, uid: str, ask: Callable[[], None]
) -> Response:
    """The rows below a study; why there are none is one of them."""
    try:
        ask()
        place, _ = find_study(context, who, uid)
        opened = make_opened(context.memory.inquiries.look(who.session), uid, place)
    except WrongState as error:
        failed = Inquiry(context.modality.clock(), is_running=False, failed=error.message, advice=error.advice)
        opened = OpenedStudy("", 0, failed)
    return render_part(request, context, who, "part_archive_series.html", opened=opened)


@router.get("/archive/moves")
def _show_moves(request: Request, viewer: Viewer, context: At) -> Response:
    """The retrieves, and with them what the list above says of this device: they bring what it counts."""
    looking = context.memory.inquiries.look(viewer.session)
    studies = [each.uid for each in list_found_studies(looking)]
    counts = count_here(context, studies)
    view = {"moving": list_moves(context), "list_number": looking.number, "here": [counts.get(u, 0) for u in studies]}
    return render_part(request, context, viewer, "part_moves_and_here.html", **view)


@router.post("/archive/send")
def _send(who: Operator, form: SentForm, context: At) -> Response:
    def send() -> str:
        chosen, source = read_chosen(context, who, form), context.memory.inquiries.look(who.session).source
        jobs = (
            send_from_here(context, chosen, form["to"])
            if source == HERE
            else move_chosen(context, chosen, source, form["to"])
        )
        return f"Queued: {describe_jobs(jobs)}."

    return do_and_return(context, who, "/archive", send)


@router.post("/archive/commit")
def _commit(who: Operator, form: SentForm, context: At) -> Response:
    def commit() -> str:
        chosen = read_chosen(context, who, form)
        jobs = commit_chosen(context, chosen, form["keeper"])
        return f"{form['keeper']} is asked to keep it for good: {describe_jobs(jobs)}."

    return do_and_return(context, who, "/archive", commit)


def list_archives(context: ConsoleContext) -> list[str]:
    """The peers that can be asked what they have."""
    return [peer.name for peer in context.modality.site.peers_for("query")]


def find_study(context: ConsoleContext, who: Principal, uid: str) -> tuple[int, StudyNode]:
    """A study of the list of this session, and its place. Raises :class:`WrongState` where it is not on it."""
    for place, study in enumerate(list_found_studies(context.memory.inquiries.look(who.session))):
        if study.uid == uid:
            return place, study
    raise WrongState("the list is another one by now", advice="choose again from the list as it is")


def list_found_studies(looking: Looking) -> list[StudyNode]:
    """The studies of a list, in its order."""
    listed = looking.inquiries.get(LIST)
    return [each for each in (listed.found.rows if listed else ()) if isinstance(each, StudyNode)]


def make_list(context: ConsoleContext, who: Principal) -> ArchiveList:
    """The list of this session, as a tree of patients and studies."""
    looking = context.memory.inquiries.look(who.session)
    asked = looking.inquiries.get(LIST)
    studies = list_found_studies(looking)
    labels = {name: label for name, label, _ in ARCHIVE_KEYS}
    return ArchiveList(
        number=looking.number,
        source=looking.source,
        asked=asked,
        when=format_clock(asked.at) if asked else "",
        sent=[(labels[name], value) for name, value in looking.keys.items()],
        patients=group_patients(context, looking),
        studies=len(studies),
        destinations=list_destinations(context, looking.source),
        committing=[peer.name for peer in context.modality.site.peers_for("storage_commitment")],
    )


def list_destinations(context: ConsoleContext, source: str) -> list[Destination]:
    """The destinations: for images of this device the archives; for others this device and other AEs as well."""
    storing = context.modality.site.peers_for("storage")
    if source == HERE:
        return [Destination(peer.name, f"{peer.name} ({peer.ae_title})") for peer in storing]
    others = [Destination(peer.ae_title, f"{peer.name} ({peer.ae_title})") for peer in storing if peer.name != source]
    return [Destination("", "this device"), *others]


def group_patients(context: ConsoleContext, looking: Looking) -> list[PatientBranch]:
    """The studies of a list by their patients, who are told apart by ID, name and date of birth."""
    studies = list_found_studies(looking)
    here = count_here(context, [study.uid for study in studies])
    groups: dict[tuple[str, str, str], list[StudyBranch]] = {}
    for place, study in enumerate(studies):
        branch = StudyBranch(study, here.get(study.uid, 0), make_opened(looking, study.uid, place))
        groups.setdefault((study.patient_id, study.name, study.birth_date), []).append(branch)
    return [
        PatientBranch(number, name, patient_id, birth_date, branches[0].node.sex, branches)
        for number, ((patient_id, name, birth_date), branches) in enumerate(groups.items())
    ]


def count_here(context: ConsoleContext, uids: Sequence[str]) -> dict[str, int]:
    """How many instances of these studies are on this device."""
    if not uids:
        return {}
    found = context.modality.view.find(Level.STUDY, {"StudyInstanceUID": "\\".join(uids)})
    return {each["StudyInstanceUID"]: each.instances for each in found}


def make_opened(looking: Looking, uid: str, place: int) -> OpenedStudy:
    """What was opened of a study."""
    asked = looking.inquiries.get(uid) if uid else None
    series = [each for each in (asked.found.rows if asked else ()) if isinstance(each, SeriesNode)]
    return OpenedStudy(uid, place, asked, series)


def read_chosen(context: ConsoleContext, who: Principal, form: Form) -> Ticked:
    """What was ticked. Raises :class:`UsageError` for nothing, :class:`WrongState` where the list is another one."""
    listed = make_list(context, who)
    if form["number"] != str(listed.number):
        raise WrongState("the list is another one by now", advice="choose again from the list as it is")
    patients, uids = set(form.list_all("patient")), set(form.list_all("study"))
    studies: list[StudyNode] = []
    series: list[tuple[StudyNode, str]] = []
    for patient in listed.patients:
        for branch in patient.studies:
            if str(patient.number) in patients or branch.node.uid in uids:
                studies.append(branch.node)
                continue
            ticked = set(form.list_all("series"))
            series += [(branch.node, each.uid) for each in branch.opened.series if each.uid in ticked]
    if not studies and not series:
        raise UsageError("nothing is chosen", advice="tick patients, studies or series of the list")
    return Ticked(studies, series)
