"""Images: lists what is on this device, who else has it, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openmodality.console.context import ConsoleContext
from openmodality.console.memory import PageNote
from openmodality.console.pages.exam import SeriesRow, make_series_row
from openmodality.console.pages.jobs import FailedJobs, find_failed
from openmodality.console.pages.shell import Page, do_and_return, render_page, render_part
from openmodality.console.pages.words import describe_count
from openmodality.console.security.access import At, Deleter, Operator, SentForm, Viewer
from openmodality.errors import NotFound, ObjectInvalid, OpenModalityError, UsageError
from openmodality.imaging.preview import draw_stored_preview
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import X_RAY_RADIATION_DOSE_SR_STORAGE, is_image
from openmodality.store.listing.entities import Found
from openmodality.store.listing.search import Search
from openmodality.store.rows.deletion import NotCommitted
from openmodality.value_class import dataclass

_STUDIES: Final = 50
_PICTURES: Final = 60
_LONGEST_SIDE: Final = 160
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study in a list, and how much of it other devices have."""

    uid: str
    name: str
    patient_id: str
    date: str
    description: str
    accession: str
    modalities: str
    series: int
    images: int
    sent: int
    committed: int


@dataclass(frozen=True, slots=True)
class StudyList:
    """A page of studies."""

    studies: Sequence[StudyRow]
    find: str
    offset: int
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class Deleting:
    """Whether something may be deleted. ``hindrance`` says why not; with ``can_force`` a person may decide."""

    hindrance: str
    advice: str
    can_force: bool


@dataclass(frozen=True, slots=True)
class StudyView:
    """A study with its series, and what may be done with it."""

    row: StudyRow
    series: Sequence[SeriesRow]
    archives: Sequence[str]
    committing: Sequence[str]
    deleting: Deleting
    failed: FailedJobs


@dataclass(frozen=True, slots=True)
class Picture:
    """An instance of a series; one that is no image has no picture, and a dose report a page of its own."""

    uid: str
    number: str
    has_picture: bool
    is_dose_report: bool


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A page of a series."""

    study: StudyRow
    row: SeriesRow
    pictures: Sequence[Picture]
    first: int
    previous: int | None
    following: int | None
    deleting: Deleting


router = APIRouter()


@router.get("/images")
def _show_studies(request: Request, viewer: Viewer, context: At, find: str = "", offset: int = 0) -> Response:
    page = Page("images.html", "Images", "images")
    return render_page(request, context, viewer, page, found=list_studies(context, find, max(offset, 0)))


@router.get("/images/list")
def _show_list(request: Request, viewer: Viewer, context: At, find: str = "", offset: int = 0) -> Response:
    found = list_studies(context, find, max(offset, 0))
    return render_part(request, context, viewer, "part_studies.html", found=found)


@router.get("/images/study/{uid}")
def _show_study(request: Request, viewer: Viewer, context: At, uid: str) -> Response:
    view = make_study_view(context, uid)
    context.modality.audit.tell_viewed(uid)
    return render_page(request, context, viewer, Page("study.html", "Study", "images"), study=view)


@router.get("/images/series/{uid}")
def _show_series(request: Request, viewer: Viewer, context: At, uid: str, offset: int = 0) -> Response:
    view = make_series_view(context, uid, max(offset, 0))
    context.modality.audit.tell_viewed(view.study.uid)
    return render_page(request, context, viewer, Page("series.html", "Series", "images"), series=view)


@router.get("/images/instance/{uid}/thumbnail")
def _send_thumbnail(request: Request, _: Viewer, context: At, uid: str) -> Response:
    tag = f'"{uid}"'
    headers = {"etag": tag, "cache-control": f"private, max-age={_DAY_S}, immutable"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    found = context.modality.view.find(Level.IMAGE, {"SOPInstanceUID": uid}, limit=1)
    if not found:
        raise NotFound("there is no such instance")
    context.modality.audit.tell_viewed(found[0]["StudyInstanceUID"])
    return Response(render_thumbnail(context, uid), media_type="image/png", headers=headers)


@router.post("/images/study/{uid}/send")
def _send_study(who: Operator, form: SentForm, context: At, uid: str) -> Response:
    def send() -> str:
        jobs = context.modality.send(uid, form["peer"] or None)
        numbers = ", ".join(str(job.id) for job in jobs)
        return f"Queued as job {numbers}: see Jobs."

    return do_and_return(context, who, f"/images/study/{uid}", send)


@router.post("/images/study/{uid}/commit")
def _commit_study(who: Operator, form: SentForm, context: At, uid: str) -> Response:
    def commit() -> str:
        job = context.modality.commit(uid, form["peer"] or None)
        return f"Queued as job {job.id}: {job.destination} is asked to keep the study for good."

    return do_and_return(context, who, f"/images/study/{uid}", commit)


@router.post("/images/study/{uid}/delete")
def _delete_study(who: Deleter, form: SentForm, context: At, uid: str) -> Response:
    def delete() -> str:
        deleted = context.modality.delete(Level.STUDY, uid, force=form["force"] == "yes")
        return f"Deleted: {describe_count(deleted.instances, 'instance')}."

    back = f"/images/study/{uid}"
    answer = do_and_return(context, who, back, delete)
    is_gone = not context.modality.view.find(Level.STUDY, {"StudyInstanceUID": uid}, limit=1)
    return RedirectResponse("/images", 303) if is_gone else answer


@router.post("/images/series/{uid}/delete")
def _delete_series(who: Deleter, form: SentForm, context: At, uid: str) -> Response:
    view = make_series_view(context, uid)
    try:
        deleted = context.modality.delete(Level.SERIES, uid, force=form["force"] == "yes")
    except OpenModalityError as error:
        context.memory.notes.add(who.session, PageNote("failed", error.message, error.advice))
        return RedirectResponse(f"/images/series/{uid}", 303)
    context.memory.notes.add(
        who.session, PageNote("done", f"Deleted: {describe_count(deleted.instances, 'instance')}.")
    )
    is_gone = not context.modality.view.find(Level.STUDY, {"StudyInstanceUID": view.study.uid}, limit=1)
    return RedirectResponse("/images" if is_gone else f"/images/study/{view.study.uid}", 303)


def list_studies(context: ConsoleContext, find: str, offset: int) -> StudyList:
    """A page of the studies of this device, newest first, by a part of name, ID or accession number."""
    for keys in _list_keys(find.strip()):
        found, has_more = context.modality.view.search(Search(Level.STUDY, keys), limit=_STUDIES, offset=offset)
        if found:
            break
    rows = [make_study_row(each) for each in found]
    return StudyList(rows, find, offset, offset + _STUDIES if has_more else None)


def _list_keys(find: str) -> list[Mapping[str, str]]:
    """What a word may be, the likeliest first. Characters with a meaning in a query are looked for as any."""
    word = "".join("?" if character in "*?\\^=" else character for character in find)
    if not word:
        return [{}]
    part = f"*{word}*"
    return [{"PatientName": part}, {"PatientID": part}, {"AccessionNumber": part}]


def make_study_row(study: Found) -> StudyRow:
    """A study in a line."""
    return StudyRow(
        uid=study["StudyInstanceUID"],
        name=study["PatientName"],
        patient_id=study["PatientID"],
        date=study["StudyDate"],
        description=study["StudyDescription"],
        accession=study["AccessionNumber"],
        modalities=", ".join(study.modalities),
        series=study.series,
        images=study.instances,
        sent=study.sent,
        committed=study.committed,
    )


def _find_study(context: ConsoleContext, uid: str) -> StudyRow:
    """A study without counts of sent and committed instances, which take longer than the rest of a page."""
    search = Search(Level.STUDY, {"StudyInstanceUID": uid}, states=False)
    found = context.modality.view.search(search, limit=1)[0] if uid else []
    if not found or "*" in uid or "?" in uid:
        raise NotFound("this device has no such study", advice="it may have been deleted; Images shows what is here")
    return make_study_row(found[0])


def make_study_view(context: ConsoleContext, uid: str) -> StudyView:
    """A study. Raises :class:`NotFound` where this device has none of this UID."""
    row = _find_study(context, uid)
    site = context.modality.site
    series = context.modality.view.find(Level.SERIES, {"StudyInstanceUID": uid})
    return StudyView(
        row=replace(row, sent=sum(each.sent for each in series), committed=sum(each.committed for each in series)),
        series=[make_series_row(context, each) for each in series],
        archives=[peer.name for peer in site.peers_for("storage")],
        committing=[peer.name for peer in site.peers_for("storage_commitment")],
        deleting=find_deleting(context, Level.STUDY, uid),
        failed=find_failed(context, uid),
    )


def find_deleting(context: ConsoleContext, level: Level, uid: str) -> Deleting:
    """Whether something may be deleted, and why not."""
    error = context.modality.find_hindrance(level, uid)
    if error is None:
        return Deleting("", "", can_force=False)
    return Deleting(error.message, error.advice, can_force=isinstance(error, NotCommitted))


def make_series_view(context: ConsoleContext, uid: str, offset: int = 0) -> SeriesView:
    """A page of a series. Raises :class:`NotFound` where this device has none of this UID."""
    keys = {"SeriesInstanceUID": uid}
    found = context.modality.view.find(Level.SERIES, keys, limit=1) if uid and not set(uid) & {"*", "?"} else []
    if not found:
        raise NotFound("this device has no such series", advice="it may have been deleted; Images shows what is here")
    images, has_more = context.modality.view.search(
        Search(Level.IMAGE, keys, states=False), limit=_PICTURES, offset=offset
    )
    return SeriesView(
        study=_find_study(context, found[0]["StudyInstanceUID"]),
        row=make_series_row(context, found[0]),
        pictures=[
            Picture(
                each["SOPInstanceUID"],
                each["InstanceNumber"],
                is_image(each["SOPClassUID"]),
                each["SOPClassUID"] == X_RAY_RADIATION_DOSE_SR_STORAGE,
            )
            for each in images
        ],
        first=offset + 1,
        previous=max(offset - _PICTURES, 0) if offset else None,
        following=offset + _PICTURES if has_more else None,
        deleting=find_deleting(context, Level.SERIES, uid),
    )


def render_thumbnail(context: ConsoleContext, uid: str) -> bytes:
    """A small picture of an image, by the renderer of previews and film. Raises :class:`NotFound` without one."""
    try:
        stored = context.pixels.open(context.modality.instance_path(uid))
        return draw_stored_preview(stored, longest_side=_LONGEST_SIDE)
    except (ObjectInvalid, UsageError, OSError) as error:
        raise NotFound("this instance has no picture") from error
