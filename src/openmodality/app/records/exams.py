"""Exams as JSON values, with their steps and series, and what was found when one was looked over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from openmodality.app.records.entities import attributes_as_json
from openmodality.app.records.values import format_zoned
from openmodality.jobs.job import Job
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.query_retrieve import Level
from openmodality.standard.tags import PATIENT_ID, PATIENT_NAME
from openmodality.store.listing.entities import Found
from openmodality.store.listing.exams import ExamRecord, StepRecord
from openmodality.store.states import JobKind
from openmodality.value_class import dataclass

if TYPE_CHECKING:
    from openmodality.app.view import LocalView
    from openmodality.exam.checking import SeriesCheck

_MOST_NUMBERS: Final = 5


def exam_as_json(exam: ExamRecord) -> dict[str, Any]:
    """An exam for a program."""
    return {
        "exam": exam.id,
        "state": exam.state,
        "patient_name": exam.text(PATIENT_NAME),
        "patient_id": exam.text(PATIENT_ID),
        "accession_number": exam.accession_number,
        "study_instance_uid": exam.study_instance_uid,
        "scheduled": exam.scheduled,
        "started": format_zoned(exam.created_at),
        "ended": format_zoned(exam.ended_at),
        "notices": list(exam.notices),
    }


@dataclass(frozen=True, slots=True)
class ExamDetails:
    """All that is known of one exam; ``reports`` are the jobs that tell the RIS of its steps."""

    exam: ExamRecord
    steps: Sequence[StepRecord]
    series: Sequence[Found]
    reports: Sequence[Job]

    @classmethod
    def of(cls, view: LocalView, exam_id: int) -> ExamDetails:
        """Read from the database. Raises :class:`NotFound` where there is no exam with this number."""
        record, steps = view.exam(exam_id), view.steps(exam_id)
        places = {series.series_instance_uid: place for place, series in enumerate(record.series)}
        found = view.find(Level.SERIES, {"StudyInstanceUID": record.study_instance_uid})
        uids = {step.sop_instance_uid for step in steps}
        jobs = view.jobs.list(kinds=[JobKind.MPPS_CREATE, JobKind.MPPS_SET])
        return cls(
            record,
            steps,
            sorted(
                (series for series in found if series["SeriesInstanceUID"] in places),
                key=lambda series: places[series["SeriesInstanceUID"]],
            ),
            [job for job in reversed(jobs) if job.parameters.get("SOPInstanceUID") in uids],
        )

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            **exam_as_json(self.exam),
            "steps": [self._step_json(step) for step in self.steps],
            "series": [
                {
                    **attributes_as_json(each.attributes),
                    "instances": each.instances,
                    "sent": each.sent,
                    "committed": each.committed,
                }
                for each in self.series
            ],
            "instances": sum(each.instances for each in self.series),
            "sent": sum(each.sent for each in self.series),
            "committed": sum(each.committed for each in self.series),
        }

    def _step_json(self, step: StepRecord) -> dict[str, Any]:
        return {
            "sop_instance_uid": step.uid,
            "performed_procedure_step_id": step.step_id,
            "state": step.state,
            "started": format_zoned(step.started_at),
            "ended": format_zoned(step.ended_at),
            "reported": self.list_reports(step),
        }

    def list_reports(self, step: StepRecord) -> list[str]:
        """What the RIS has been told of a step, or why not."""
        names = {JobKind.MPPS_CREATE: StepStatus.IN_PROGRESS, JobKind.MPPS_SET: step.state}
        return [
            f"{names[job.kind]} to {job.destination}: {job.state}{f', {job.reason}' if job.reason else ''}"
            for job in self.reports
            if job.parameters.get("SOPInstanceUID") == step.sop_instance_uid
        ]


def check_as_json(check: SeriesCheck) -> dict[str, Any]:
    """The check of a series for a program."""
    spacing, size = check.spacing_mm or (None, None), check.field_of_view_mm or (None, None)
    return {
        "series": check.number,
        "description": check.description,
        "object": check.object_name,
        "images": check.images,
        "orientation": check.orientation,
        "order": check.order,
        "row_spacing_mm": spacing[0],
        "column_spacing_mm": spacing[1],
        "slice_spacing_mm": check.slice_spacing_mm,
        "height_mm": size[0],
        "width_mm": size[1],
        "bits_used": check.bits_used,
        "bits_stored": check.bits_stored,
        "clipped_share": check.clipped_share,
        "duplicates": [join_some(list(map(name_frame, same))) for same in check.duplicates],
        "warnings": list(check.warnings),
        "mandatory": [asdict(each) for each in check.mandatory],
    }


def name_frame(frame: tuple[int, int]) -> str:
    """An image by its number, and a frame of it where it has several."""
    image, number = frame
    return f"{image} frame {number}" if number else str(image)


def join_some(names: Sequence[str]) -> str:
    """The first of many names, and that there are more."""
    more = ", ..." if len(names) > _MOST_NUMBERS else ""
    return ", ".join(names[:_MOST_NUMBERS]) + more
