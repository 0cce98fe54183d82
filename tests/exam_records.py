"""Exams and performed steps as values, for tests that need no database."""

from __future__ import annotations

from openmodality.standard.performed_step import StepStatus
from openmodality.store.listing.entities import InstanceReference
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord
from openmodality.store.states import ExamState

STUDY, STEP = "1.2.3", "1.2.9"
IMPLICIT = "1.2.840.10008.1.2"


def exam_of(*series: SeriesRecord) -> ExamRecord:
    """An exam in progress of a patient who was registered by hand."""
    user = {"00100020": {"vr": "LO", "Value": ["1"]}, "00100010": {"vr": "PN", "Value": [{"Alphabetic": "DOE^JANE"}]}}
    return ExamRecord(
        1, ExamState.IN_PROGRESS, STUDY, "A1", False, 1.7e9, None, study_id="1", user=user, items=(), series=series
    )


def step_of(sop_instance_uid: str = STEP) -> StepRecord:
    """A performed step in progress."""
    return StepRecord(1, sop_instance_uid, "", "1", StepStatus.IN_PROGRESS, {}, None, 1.7e9, None)


def instance_of(series: SeriesRecord, number: int, sop_class_uid: str) -> InstanceReference:
    """An instance of a series."""
    uid = f"{series.series_instance_uid}.{number}"
    return InstanceReference(sop_class_uid, uid, IMPLICIT, series.series_instance_uid, STUDY, 1000)
