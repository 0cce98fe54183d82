"""Puts the changes of exams on record, in their own transactions: orders, patients, procedures, images."""

from __future__ import annotations

from collections import Counter

from openmodality.activities.audit import AuditTrail
from openmodality.audit.codes import EventKind
from openmodality.audit.events import tell_accessed, tell_record
from openmodality.audit.subjects import StudySubject
from openmodality.exam.producers.producer import StepWork
from openmodality.standard.tags import PATIENT_ID, PATIENT_NAME
from openmodality.store.listing.exams import ExamRecord, StepRecord
from openmodality.store.transaction import Transaction


class ExamTrail:
    """Puts on record what becomes of exams."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    def note_registered(self, transaction: Transaction, exam: ExamRecord) -> None:
        """An exam is registered: an order of the worklist is taken, or a patient is made by hand."""
        kind, action = (EventKind.ORDER, "R") if exam.items else (EventKind.PATIENT, "C")
        self._trail.note(transaction, tell_record(self._trail.who, kind, action, _make_subject(exam)))

    def note_begun(self, transaction: Transaction, exam: ExamRecord, step_uid: str) -> None:
        """A performed procedure step begins."""
        said = tell_record(self._trail.who, EventKind.PROCEDURE, "C", _make_subject(exam), step_uid)
        self._trail.note(transaction, said)

    def note_ended(self, transaction: Transaction, work: StepWork, step: StepRecord) -> None:
        """A performed procedure step ends, and these are the instances that it made."""
        counts = Counter(each.SOPClassUID for series in work.series for each in work.instances_of(series))
        who, subject = self._trail.who, _make_subject(work.exam, counts)
        made = [tell_accessed(who, "C", subject)] if counts else []
        ended = tell_record(who, EventKind.PROCEDURE, "U", _make_subject(work.exam), step.sop_instance_uid)
        self._trail.note(transaction, *made, ended)


def _make_subject(exam: ExamRecord, counts: Counter[str] | None = None) -> StudySubject:
    return StudySubject(
        exam.study_instance_uid,
        exam.text(PATIENT_ID),
        exam.text(PATIENT_NAME),
        exam.accession_number,
        dict(counts or {}),
    )
