"""How exams are shown: in one line, as a list, and with all there is to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from openmodality.app.records.exams import ExamDetails
from openmodality.app.records.values import format_time
from openmodality.cli.terminal.output import clean, print_fields
from openmodality.cli.terminal.table import Column, print_rows
from openmodality.standard.tags import PATIENT_ID, PATIENT_NAME, REQUESTED_PROCEDURE_DESCRIPTION, STUDY_DESCRIPTION
from openmodality.store.listing.entities import Found
from openmodality.store.listing.exams import ExamRecord

if TYPE_CHECKING:
    pass


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


def print_exam(details: ExamDetails, *, wide: bool = False) -> None:
    """All that is known of an exam."""
    exam = details.exam
    print_fields([
        ("exam", f"{exam.id} {exam.state}"),
        ("patient", exam.text(PATIENT_NAME)),
        ("patient ID", exam.text(PATIENT_ID)),
        ("accession", exam.accession_number),
        ("procedure", _find_procedure(exam)),
        ("scheduled", "yes" if exam.scheduled else "no"),
        ("study", exam.study_instance_uid),
        ("started", format_time(exam.created_at)),
        ("ended", format_time(exam.ended_at)),
        *(("notice", notice) for notice in exam.notices),
    ])  # fmt: skip
    for step in details.steps:
        print()
        print(clean(f"performed step {step.step_id} {step.state}  {step.uid}"))
        for reported in details.list_reports(step):
            print(clean(f"  {reported}"))
    if details.series:
        print()
        print_rows(SERIES_COLUMNS, details.series, wide=wide)


def _find_procedure(exam: ExamRecord) -> str:
    return exam.text(REQUESTED_PROCEDURE_DESCRIPTION) or exam.text(STUDY_DESCRIPTION)
