"""``/exams``: started, looked at, made images in by the simulator, looked over, ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from openmodality.activities.worklist import ItemCheck
from openmodality.app.records.dose import describe_dose_document, list_irradiation
from openmodality.app.records.exams import ExamDetails, check_as_json, exam_as_json
from openmodality.app.simulation import ScanChanges, make_simulator
from openmodality.console.api.access import OperateCall
from openmodality.console.api.answers import (
    PageQuery,
    RequestBody,
    answer_page,
    answer_record,
    make_cursor,
    refer_to,
    tell_one,
    tell_page,
)
from openmodality.console.api.once import OnceOnly
from openmodality.console.api.places import LARGEST_NUMBER, ExamNumber, KeywordValues, WireName
from openmodality.console.context import ConsoleContext
from openmodality.console.security.access import At, Viewer
from openmodality.errors import NotFound, UsageError
from openmodality.exam.dose_settings import read_dose_settings
from openmodality.exam.session import Exam
from openmodality.objects.report.dose_overview import overlook_events
from openmodality.standard.discontinuation_reasons import UNSPECIFIED, describe_reasons
from openmodality.store.states import ExamState

router = APIRouter(prefix="/api/v1", tags=["exams"])


class ExamFilter(PageQuery):
    """Which exams are listed."""

    state: list[ExamState] = Field(default_factory=list, max_length=10, description="Only these states.")


class ExamOrder(RequestBody):
    """What an exam is for: worklist items by their numbers, or a patient by keyword."""

    items: list[Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]] = Field(
        default_factory=list, max_length=20, description="Numbers of worklist items."
    )
    patient: KeywordValues = Field(
        default_factory=dict, max_length=50, description="Of an exam that nobody scheduled, such as PatientID."
    )
    attributes: KeywordValues = Field(
        default_factory=dict, max_length=100, description="What the operator adds, such as OperatorsName."
    )
    modality: WireName = Field("", description="Modality of the step; the worklist's, else the device's first.")
    begin: bool = Field(True, description="False: only register the patient; the step begins with the first image.")
    accept_changed: bool = Field(
        False, description="Start although an item is gone, has changed, or was served; else that is a 409."
    )


class Discontinuation(RequestBody):
    """Why an exam ends early."""

    reason: WireName = Field(UNSPECIFIED, description=f"A code of PS3.16 CID 9300: {describe_reasons()}.")


class ScanOrder(RequestBody):
    """What the simulator that stands in for the scanner scans."""

    simulate: list[WireName] = Field(
        default_factory=list, max_length=50, description="Protocols by name; those of a usual exam where there is none."
    )
    seed: int | None = Field(None, ge=0, le=2**31, description="Of its noise; the exam's number where there is none.")
    noise: float | None = Field(None, ge=0, le=100, description="Of MR images: 0 is none, 1 the usual.")
    orientation: WireName | Annotated[list[float], Field(min_length=3, max_length=3)] | None = Field(
        None, description="Of MR slices: axial, sagittal, coronal, or the normal of the slices in the patient."
    )
    object: WireName = Field("", description="What MR images become, such as MR Image.")


@router.get("/exams", summary="List exams", responses=tell_page("exam"))
def _list_exams(_: Viewer, context: At, wanted: Annotated[ExamFilter, Query()]) -> Response:
    """Exams, newest first."""
    (before,) = wanted.read_cursor("before")
    found = context.modality.view.exams(*wanted.state, before=before or None, limit=wanted.limit + 1)
    shown = found[: wanted.limit]
    return answer_page(map(exam_as_json, shown), make_cursor(before=shown[-1].id) if len(found) > len(shown) else None)


@router.post("/exams", status_code=201, summary="Start an exam", responses=tell_one("exam", 404, status=201))
def _start_exam(_: OperateCall, context: At, once: OnceOnly, order: ExamOrder) -> Response:
    """Start an exam for worklist items or for a patient: a performed step is IN PROGRESS from now on.

    Where the device checks items, the RIS is asked again; an item that has changed, is gone or was served is a 409
    without ``accept_changed``.
    """

    def start() -> JSONResponse:
        record = _begin_exam(context, order)
        return answer_record(exam_as_json(record.record), 201, location=f"/api/v1/exams/{record.id}")

    return once.do(start)


def _begin_exam(context: ConsoleContext, order: ExamOrder) -> Exam:
    if bool(order.items) == bool(order.patient):
        raise UsageError("an exam is for worklist items or for a patient", advice="give items, or give patient")
    if not order.begin:
        if order.items:
            raise UsageError("begin false is for a patient, not for items", advice="leave begin out")
        return context.modality.register(order.patient, **order.attributes)
    return context.modality.start_exam(
        order.items or None,
        patient=order.patient or None,
        modality=order.modality,
        confirm=lambda check: order.accept_changed or not _must_confirm(check),
        **order.attributes,
    )


def _must_confirm(check: ItemCheck) -> bool:
    return bool(check.notice)


@router.get("/exams/{exam}", summary="Show an exam", responses=tell_one("exam in detail", 404))
def _show_exam(_: Viewer, context: At, exam: ExamNumber) -> Response:
    """One exam: its steps and what the RIS has been told, its series and what has been sent and committed."""
    return answer_record(ExamDetails.of(context.modality.view, exam).as_json())


@router.post("/exams/{exam}/begin", summary="Begin, or append to, an exam", responses=tell_one("exam", 404))
def _begin_step(_: OperateCall, context: At, once: OnceOnly, exam: ExamNumber) -> Response:
    """Begin a registered exam, or append to one that has ended: a further performed step is IN PROGRESS."""
    return once.do(lambda: answer_record(exam_as_json(context.modality.find_exam(exam).begin().record)))


@router.post("/exams/{exam}/complete", summary="Complete an exam", responses=tell_one("exam", 404))
def _complete_exam(_: OperateCall, context: At, once: OnceOnly, exam: ExamNumber) -> Response:
    """End an exam as COMPLETED: the RIS is told what was made, and what is not sent yet goes to the archives."""
    return once.do(lambda: answer_record(exam_as_json(context.modality.find_exam(exam).complete().record)))


@router.post("/exams/{exam}/discontinue", summary="Discontinue an exam", responses=tell_one("exam", 404))
def _discontinue_exam(
    _: OperateCall, context: At, once: OnceOnly, exam: ExamNumber, why: Discontinuation | None = None
) -> Response:
    """End an exam as DISCONTINUED."""
    reason = (why or Discontinuation()).reason  # type: ignore[call-arg]
    return once.do(lambda: answer_record(exam_as_json(context.modality.find_exam(exam).discontinue(reason).record)))


@router.get("/exams/{exam}/check", summary="Look over the images", responses=tell_page("check of a series", 404))
def _check_exam(_: Viewer, context: At, exam: ExamNumber) -> Response:
    """Geometry, pixels and mandatory attributes of the images of an exam, and what is odd."""
    return answer_page(map(check_as_json, context.modality.find_exam(exam).check()))


@router.get(
    "/exams/{exam}/dose",
    summary="Show the dose",
    responses=tell_page(
        "irradiation event",
        404,
        completion={"type": ["string", "null"]},
        reference_point={"type": "string"},
        fluoroscopy=refer_to("dose"),
        acquisition=refer_to("dose"),
        total=refer_to("dose"),
    ),
)
def _show_dose(_: Viewer, context: At, exam: ExamNumber) -> Response:
    """The irradiation events of an exam as they are on record, also while it goes on, and their sums."""
    context.modality.view.exam(exam)
    events = context.modality.view.irradiation(exam)
    if not events:
        raise NotFound(f"exam {exam} has irradiated nothing")
    point = read_dose_settings(context.modality.site).reference_point.definition
    overview = overlook_events(events, point)
    return answer_page(list_irradiation(overview), **describe_dose_document(overview))


@router.post("/exams/{exam}/acquire", summary="Scan a phantom", responses=tell_one("exam in detail", 404, 507))
def _scan_phantom(_: OperateCall, context: At, once: OnceOnly, exam: ExamNumber, scan: ScanOrder) -> Response:
    """Let the simulator that stands in for the scanner make images in an exam; the answer comes when it has."""

    def acquire() -> JSONResponse:
        chosen = context.modality.find_exam(exam)
        normal = scan.orientation if isinstance(scan.orientation, str | None) else _read_normal(scan.orientation)
        changes = ScanChanges(scan.noise, normal, scan.object)
        seed = exam if scan.seed is None else scan.seed
        chosen.acquire(make_simulator(context.modality.site, scan.simulate, seed=seed, changes=changes))
        return answer_record(ExamDetails.of(context.modality.view, exam).as_json())

    return once.do(acquire)


def _read_normal(numbers: list[float]) -> tuple[float, float, float]:
    x, y, z = numbers
    return x, y, z
