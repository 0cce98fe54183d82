"""How exams are shown: in one line, as a list, with all there is to know, and for a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openmodality.cli.display.entities import attributes_as_json
from openmodality.cli.terminal.json_output import format_zoned
from openmodality.cli.terminal.output import clean, format_time, print_fields
from openmodality.cli.terminal.table import Column, print_rows
from openmodality.jobs.job import Job
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.tags import PATIENT_ID, PATIENT_NAME, REQUESTED_PROCEDURE_DESCRIPTION, STUDY_DESCRIPTION
from openmodality.store.listing.entities import Found, Level
from openmodality.store.listing.exams import ExamRecord, StepRecord
from openmodality.store.states import JobKind

if TYPE_CHECKING:
    from openmodality.app.view import LocalView


def format_exam_line(exam: ExamRecord) -> str:
    """An exam in one line."""
    patient = [exam.text(PATIENT_NAME), exam.text(PATIENT_ID)]
    who = ", ".join(part for part in patient if part)
    accession = f", accession {exam.accession_number}" if exam.accession_number else ""
    return f"exam {exam.id} {exam.state}: {who}{accession}"


EXAM_COLUMNS: Final[Sequence[Column[ExamRecord]]] = (
    Column("exam", lambda exam: exam.id),
    Column("state", lambda exam: exam.state),
    Column("patient", lambda exam: exam.text(PATIENT_NAME), words=True),
    Column("patient ID", lambda exam: exam.text(PATIENT_ID), leave_out=2),
    Column("accession", lambda exam: exam.accession_number, leave_out=3),
    Column("started", lambda exam: format_time(exam.created_at), leave_out=1),
    Column("ended", lambda exam: format_time(exam.ended_at), leave_out=4),
)
SERIES_COLUMNS: Final[Sequence[Column[Found]]] = (
    Column("number", lambda each: each["SeriesNumber"]),
    Column("modality", lambda each: each["Modality"]),
    Column("description", lambda each: each["SeriesDescription"], words=True),
    Column("instances", lambda each: each.instances),
    Column("sent", lambda each: each.sent),
    Column("committed", lambda each: each.committed),
    Column("Series Instance UID", lambda each: each["SeriesInstanceUID"]),
)


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
        made = {series.series_instance_uid for series in record.series}
        found = view.find(Level.SERIES, {"StudyInstanceUID": record.study_instance_uid})
        uids = {step.sop_instance_uid for step in steps}
        jobs = view.jobs.list(kinds=[JobKind.MPPS_CREATE, JobKind.MPPS_SET])
        return cls(
            record,
            steps,
            [series for series in found if series["SeriesInstanceUID"] in made],
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
            "reported": self._reports(step),
        }

    def _reports(self, step: StepRecord) -> list[str]:
        """What the RIS has been told, or why not."""
        names = {JobKind.MPPS_CREATE: StepStatus.IN_PROGRESS, JobKind.MPPS_SET: step.state}
        return [
            f"{names[job.kind]} to {job.destination}: {job.state}{f', {job.reason}' if job.reason else ''}"
            for job in self.reports
            if job.parameters.get("SOPInstanceUID") == step.sop_instance_uid
        ]

    def print(self, *, wide: bool = False) -> None:
        """For a person."""
        exam = self.exam
        print_fields([
            ("exam", f"{exam.id} {exam.state}"),
            ("patient", exam.text(PATIENT_NAME)),
            ("patient ID", exam.text(PATIENT_ID)),
            ("accession", exam.accession_number),
            ("procedure", _procedure(exam)),
            ("scheduled", "yes" if exam.scheduled else "no"),
            ("study", exam.study_instance_uid),
            ("started", format_time(exam.created_at)),
            ("ended", format_time(exam.ended_at)),
            *(("notice", notice) for notice in exam.notices),
        ])  # fmt: skip
        for step in self.steps:
            print()
            print(clean(f"performed step {step.step_id} {step.state}  {step.uid}"))
            for reported in self._reports(step):
                print(clean(f"  {reported}"))
        if self.series:
            print()
            print_rows(SERIES_COLUMNS, self.series, wide=wide)


def _procedure(exam: ExamRecord) -> str:
    return exam.text(REQUESTED_PROCEDURE_DESCRIPTION) or exam.text(STUDY_DESCRIPTION)


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
