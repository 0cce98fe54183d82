"""How exams are shown on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openmodality.cli.terminal.output import clean, moment, print_fields, print_json, print_table
from openmodality.jobs.job import Job
from openmodality.standard.discontinuation_reasons import DISCONTINUATION_REASONS
from openmodality.standard.performed_step import StepStatus
from openmodality.store.data_set_json import from_json
from openmodality.store.listing.entities import Found
from openmodality.store.listing.exams import ExamRecord, StepRecord
from openmodality.store.rows.worklist import value_of
from openmodality.store.states import JobKind

if TYPE_CHECKING:
    from openmodality.app import Modality
    from openmodality.exam.session import Exam


def attribute(exam: ExamRecord, keyword: str) -> str:
    """What the worklist, else the operator, says of an exam."""
    sources = [from_json(item) for item in (*exam.items, exam.user)]
    return next((value for source in sources if (value := value_of(source, keyword))), "")


def line(exam: ExamRecord) -> str:
    """An exam in one line."""
    patient = [attribute(exam, "PatientName"), attribute(exam, "PatientID")]
    who = ", ".join(part for part in patient if part)
    accession = f", accession {exam.accession_number}" if exam.accession_number else ""
    return f"exam {exam.id} {exam.state}: {who}{accession}"


@dataclass(frozen=True, slots=True)
class Details:
    """All that is known of one exam; ``reports`` are the jobs that tell the RIS of its steps."""

    exam: ExamRecord
    steps: Sequence[StepRecord]
    series: Sequence[Found]
    reports: Sequence[Job]

    @classmethod
    def of(cls, modality: Modality, exam: Exam) -> Details:
        """Read from the database."""
        record, steps = exam.record, exam.steps
        made = {series.series_instance_uid for series in record.series}
        found = modality.series(StudyInstanceUID=record.study_instance_uid)
        uids = {step.sop_instance_uid for step in steps}
        jobs = modality.jobs.list(kinds=[JobKind.MPPS_CREATE, JobKind.MPPS_SET])
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
                {**each.attributes, "instances": each.instances, "sent": each.sent, "committed": each.committed}
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
            "started": moment(step.started_at),
            "ended": moment(step.ended_at),
            "reported": self._reported(step),
        }

    def _reported(self, step: StepRecord) -> list[str]:
        """What the RIS has been told, or why not."""
        names = {JobKind.MPPS_CREATE: StepStatus.IN_PROGRESS, JobKind.MPPS_SET: step.state}
        return [
            f"{names[job.kind]} to {job.destination}: {job.state}{f', {job.reason}' if job.reason else ''}"
            for job in self.reports
            if job.parameters.get("SOPInstanceUID") == step.sop_instance_uid
        ]

    def print(self) -> None:
        """For a person."""
        exam = self.exam
        print_fields([
            ("exam", f"{exam.id} {exam.state}"),
            ("patient", attribute(exam, "PatientName")),
            ("patient ID", attribute(exam, "PatientID")),
            ("accession", exam.accession_number),
            ("procedure", attribute(exam, "RequestedProcedureDescription") or attribute(exam, "StudyDescription")),
            ("scheduled", "yes" if exam.scheduled else "no"),
            ("study", exam.study_instance_uid),
            ("started", moment(exam.created_at)),
            ("ended", moment(exam.ended_at)),
            *(("notice", notice) for notice in exam.notices),
        ])  # fmt: skip
        for step in self.steps:
            print()
            print(clean(f"performed step {step.step_id} {step.state}  {step.uid}"))
            for reported in self._reported(step):
                print(clean(f"  {reported}"))
        if self.series:
            print()
            headings = ["number", "modality", "description", "instances", "sent", "committed", "Series Instance UID"]
            print_table(headings, [_series_row(each) for each in self.series])


def _series_row(each: Found) -> list[object]:
    named = [each[keyword] for keyword in ("SeriesNumber", "Modality", "SeriesDescription")]
    return [*named, each.instances, each.sent, each.committed, each["SeriesInstanceUID"]]


def exam_as_json(exam: ExamRecord) -> dict[str, Any]:
    """An exam for a program."""
    return {
        "exam": exam.id,
        "state": exam.state,
        "patient_name": attribute(exam, "PatientName"),
        "patient_id": attribute(exam, "PatientID"),
        "accession_number": exam.accession_number,
        "study_instance_uid": exam.study_instance_uid,
        "scheduled": exam.scheduled,
        "started": moment(exam.created_at),
        "ended": moment(exam.ended_at),
        "notices": list(exam.notices),
    }


def print_exams(exams: Sequence[ExamRecord], *, json: bool) -> None:
    """A list of exams."""
    if json:
        print_json([exam_as_json(exam) for exam in exams])
        return
    rows = [
        [
            exam.id,
            exam.state,
            attribute(exam, "PatientName"),
            attribute(exam, "PatientID"),
            exam.accession_number,
            moment(exam.created_at),
            moment(exam.ended_at),
        ]
        for exam in exams
    ]
    headings = ["exam", "state", "patient", "patient ID", "accession", "started", "ended"]
    print_table(headings, rows, empty="there are no such exams")


def reasons() -> str:
    """The codes with which a step may be discontinued."""
    return ", ".join(f"{reason.code_value} {reason.meaning}" for reason in DISCONTINUATION_REASONS.values())
