"""Exam: shows what was made so far, what the RIS will be told at the end, and what no archive has yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openmodality.console.acquisitions import AcquisitionState
from openmodality.console.context import ConsoleContext
from openmodality.console.pages.jobs import FailedJobs, describe_standing, find_failed
from openmodality.console.pages.shell import Page, do_and_return, make_exam_banner, render_page, render_part
from openmodality.console.pages.words import describe_count
from openmodality.console.pages.worklist_view import read_asked_lines
from openmodality.console.pixel_choices import (
    EDGES,
    NOTHING_CHOSEN,
    PixelChoices,
    list_offered_objects,
    offers_shutter,
)
from openmodality.console.pixel_sources import PixelSource, list_pixel_sources
from openmodality.console.security.access import At, Operator, SentForm, Viewer
from openmodality.console.security.accounts import Principal
from openmodality.console.template_files import format_clock, format_dicom_time
from openmodality.jobs.job import Job
from openmodality.standard.discontinuation_reasons import DISCONTINUATION_REASONS, UNSPECIFIED
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import is_image
from openmodality.standard.tags import PATIENT_ID, PATIENT_NAME
from openmodality.store.listing.entities import Found
from openmodality.store.listing.exams import ExamRecord, StepRecord
from openmodality.store.states import OPEN_EXAMS, ExamState, JobKind, JobState
from openmodality.value_class import dataclass

_MOST_PICTURES: Final = 12
_MOST_EXAMS: Final = 50
_MOST_REPORTS: Final = 500


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series of an exam, with its first pictures."""

    uid: str
    number: str
    description: str
    modality: str
    images: int
    sent: int
    committed: int
    pictures: Sequence[str]


@dataclass(frozen=True, slots=True)
class Report:
    """What a peer was told, or is to be told, of a performed step."""

    said: str
    peer: str
    state: str
    level: str
    why: str
    then: str
    job_id: int


@dataclass(frozen=True, slots=True)
class ExamView:
    """An exam. ``tells`` says what the RIS is told at Complete, ``unsent`` what no archive has yet, ``failed`` why."""

    id: int
    state: str
    is_open: bool
    is_begun: bool
    started: str
    ended: str
    study_uid: str
    series: Sequence[SeriesRow]
    images: int
    reports: Sequence[Report]
    notices: Sequence[str]
    ending: str
    tells: Sequence[str]
    unsent: Sequence[str]
    hindrance: str
    acquire: str
    sources: Sequence[PixelSource]
    acquisition: AcquisitionState | None
    following: Sequence[NextStep]
    failed: FailedJobs


@dataclass(frozen=True, slots=True)
class NextStep:
    """Another item of the worklist for the same patient, that nothing serves yet."""

    item_id: int
    start: str
    procedure: str


@dataclass(frozen=True, slots=True)
class ExamRow:
    """An exam in a list."""

    id: int
    name: str
    patient_id: str
    accession: str
    state: str
    level: str
    started: str
    ended: str


router = APIRouter()


@router.get("/exam")
def _show_exams(request: Request, viewer: Viewer, context: At, all: str = "") -> Response:
    open_exams = context.modality.exams(*OPEN_EXAMS)
    if len(open_exams) == 1 and not all:
        return RedirectResponse(f"/exam/{open_exams[0].id}", 303)
    rows = [make_exam_row(exam) for exam in context.modality.exams()[:_MOST_EXAMS]]
    return render_page(request, context, viewer, Page("exams.html", "Exams", "exam"), exams=rows)


@router.get("/exam/{exam_id}")
def _show_exam(request: Request, viewer: Viewer, context: At, exam_id: int) -> Response:
    return render_exam(request, context, viewer, exam_id)


@router.get("/exam/{exam_id}/part")
def _show_part(request: Request, viewer: Viewer, context: At, exam_id: int) -> Response:
    record = context.modality.view.exam(exam_id)
    view = _list_view(context, record, NOTHING_CHOSEN)
    return render_part(request, context, viewer, "part_exam.html", **view)


@router.post("/exam/{exam_id}/complete")
def _complete_exam(who: Operator, form: SentForm, context: At, exam_id: int) -> Response:
    def complete() -> str:
        context.acquisitions.check_ended(exam_id)
        context.modality.find_exam(exam_id).complete()
        return f"Exam {exam_id} is completed. The RIS is told, and what is not sent yet goes to the archives."

    return do_and_return(context, who, f"/exam/{exam_id}", complete)


@router.post("/exam/{exam_id}/discontinue")
def _discontinue_exam(who: Operator, form: SentForm, context: At, exam_id: int) -> Response:
    def discontinue() -> str:
        context.acquisitions.check_ended(exam_id)
        exam = context.modality.find_exam(exam_id)
        is_begun = exam.state is not ExamState.REGISTERED
        exam.discontinue(form["reason"])
        told = "The RIS is told why, and what was made goes to the archives." if is_begun else "It had not begun."
        return f"Exam {exam_id} is discontinued. {told}"

    return do_and_return(context, who, f"/exam/{exam_id}", discontinue)


@router.post("/exam/{exam_id}/append")
def _append_to_exam(who: Operator, form: SentForm, context: At, exam_id: int) -> Response:
    def append() -> str:
        context.modality.find_exam(exam_id).begin()
        return f"Exam {exam_id} goes on with a further performed step."

    return do_and_return(context, who, f"/exam/{exam_id}", append)


def render_exam(
    request: Request, context: ConsoleContext, who: Principal, exam_id: int, choices: PixelChoices = NOTHING_CHOSEN
) -> Response:
    """The page of an exam; ``choices`` are what somebody has typed of the images to be made, with what is wrong."""
    record = context.modality.view.exam(exam_id)
    status = 400 if choices.errors else 200
    page = Page("exam.html", f"Exam {exam_id}", "exam", make_exam_banner(record), status)
    return render_page(request, context, who, page, **_list_view(context, record, choices))


def _list_view(context: ConsoleContext, record: ExamRecord, choices: PixelChoices) -> dict[str, Any]:
    profile = context.modality.site.profile
    return {
        "exam": make_exam_view(context, record),
        "reasons": DISCONTINUATION_REASONS.values(),
        "usual": UNSPECIFIED,
        "choices": choices,
        "objects": list_offered_objects(profile),
        "edges": EDGES if offers_shutter(profile) else (),
    }


def make_exam_row(exam: ExamRecord) -> ExamRow:
    """An exam in a line."""
    levels = {ExamState.COMPLETED: "ok", ExamState.DISCONTINUED: "unknown"}
    return ExamRow(
        exam.id,
        exam.text(PATIENT_NAME),
        exam.text(PATIENT_ID),
        exam.accession_number,
        exam.state,
        levels.get(exam.state, "busy"),
        format_clock(exam.created_at),
        format_clock(exam.ended_at),
    )


def make_exam_view(context: ConsoleContext, exam: ExamRecord) -> ExamView:
    """An exam with all that was made, and what would be said at its end."""
    view = context.modality.view
    made = {series.series_instance_uid for series in exam.series}
    found = view.find(Level.SERIES, {"StudyInstanceUID": exam.study_instance_uid})
    series = [make_series_row(context, each) for each in reversed(found) if each["SeriesInstanceUID"] in made]
    images = sum(each.images for each in series)
    is_open = exam.state.is_open
    return ExamView(
        id=exam.id,
        state=exam.state,
        is_open=is_open,
        is_begun=exam.state is not ExamState.REGISTERED,
        started=format_clock(exam.created_at),
        ended=format_clock(exam.ended_at),
        study_uid=exam.study_instance_uid,
        series=sorted(series, key=lambda each: (len(each.number), each.number)),
        images=images,
        reports=list_reports(context, view.steps(exam.id)),
        notices=exam.notices,
        ending=f"It is about to be {exam.ending.state}." if exam.ending else "",
        tells=describe_telling(context, series) if is_open else (),
        unsent=describe_unsent(context, series),
        hindrance="" if images or not is_open else "There is no image yet: an exam without any is discontinued.",
        acquire=f"openmodality exam acquire {exam.id} PATH" if is_open else "",
        sources=list_pixel_sources(context.modality) if is_open else (),
        acquisition=context.acquisitions.find(exam.id),
        following=() if is_open else list_next_steps(context, exam),
        failed=find_failed(context, exam.study_instance_uid),
    )


def list_next_steps(context: ConsoleContext, exam: ExamRecord) -> list[NextStep]:
    """What else the last answer of the RIS has for the patient of an exam."""
    patient_id = exam.text(PATIENT_ID)
    if context.memory.asked is None or not patient_id:
        return []
    numbers = [line.id for line in read_asked_lines(context) if line["PatientID"] == patient_id]
    items = context.modality.find_items(numbers)
    serving = context.modality.find_serving(items)
    return [
        NextStep(
            item.id,
            format_dicom_time(item["ScheduledProcedureStepStartTime"])[:5],
            item["ScheduledProcedureStepDescription"] or item["RequestedProcedureDescription"],
        )
        for item in items
        if not serving[item.id]
    ]


def make_series_row(context: ConsoleContext, series: Found) -> SeriesRow:
    """A series with its first pictures."""
    keys = {"SeriesInstanceUID": series["SeriesInstanceUID"]}
    first = context.modality.view.find(Level.IMAGE, keys, limit=_MOST_PICTURES)
    return SeriesRow(
        uid=series["SeriesInstanceUID"],
        number=series["SeriesNumber"],
        description=series["SeriesDescription"],
        modality=series["Modality"],
        images=series.instances,
        sent=series.sent,
        committed=series.committed,
        pictures=[each["SOPInstanceUID"] for each in first if is_image(each["SOPClassUID"])],
    )


def describe_telling(context: ConsoleContext, series: Sequence[SeriesRow]) -> list[str]:
    """What the RIS is told at Complete."""
    names = [peer.name for peer in context.modality.site.peers_for("mpps")]
    if not names:
        return ["No RIS is told: no peer of the site file takes performed procedure steps."]
    filled = [each for each in series if each.images]
    images = sum(each.images for each in filled)
    made = f"{describe_count(len(filled), 'series')} of {describe_count(images, 'instance')}"
    return [f"{name} is told that the step is {StepStatus.COMPLETED}, with {made}." for name in names]


def describe_unsent(context: ConsoleContext, series: Sequence[SeriesRow]) -> list[str]:
    """What no archive has yet."""
    images, sent = sum(each.images for each in series), sum(each.sent for each in series)
    committed = sum(each.committed for each in series)
    archives = ", ".join(peer.name for peer in context.modality.site.peers_for("storage"))
    if not images:
        return []
    if not archives:
        return ["The site file has no archive: images stay on this device."]
    said = (
        [f"{describe_count(images - sent, 'instance')} of {images:,} not sent to {archives} yet."]
        if sent < images
        else []
    )
    return [*said, f"{committed:,} of {images:,} kept for good by an archive (storage commitment)."]


def list_reports(context: ConsoleContext, steps: Sequence[StepRecord]) -> list[Report]:
    """What peers were told of the performed steps, oldest first."""
    by_uid = {step.sop_instance_uid: step for step in steps}
    jobs = context.modality.jobs.list(kinds=[JobKind.MPPS_CREATE, JobKind.MPPS_SET], limit=_MOST_REPORTS)
    mine = [job for job in reversed(jobs) if job.parameters.get("SOPInstanceUID") in by_uid]
    held = context.modality.jobs.waits_for(mine)
    return [_make_report(job, by_uid[job.parameters["SOPInstanceUID"]], held.get(job.id, ())) for job in mine]


def _make_report(job: Job, step: StepRecord, held_by: Sequence[Job]) -> Report:
    said = StepStatus.IN_PROGRESS if job.kind is JobKind.MPPS_CREATE else step.state
    why, then = describe_standing(job, held_by)
    told = {JobState.DONE: ("was told", "ok"), JobState.FAILED: ("could not be told", "bad")}
    state, level = told.get(job.state, ("is to be told", "busy"))
    return Report(said, job.destination, state, level, why, then, job.id)
