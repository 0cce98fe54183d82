"""Reads the subjects of instances for the audit trail: studies with their patients, and counts by SOP Class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from openmodality.audit.subjects import StudySubject
from openmodality.store.listing.reader import Condition, Reader, is_one_of

_AT_ONCE: Final = 500
_COUNTS: Final = (
    'SELECT s."StudyInstanceUID" AS study, s."AccessionNumber" AS accession, p."PatientID" AS patient,'
    ' p."PatientName" AS name, i."SOPClassUID" AS class, count(*) AS n'
    " FROM instances i JOIN series r ON r.id = i.series_id JOIN studies s ON s.id = r.study_id"
    " JOIN patients p ON p.id = s.patient_id WHERE i.device_id = ? AND "
)
_GROUPS: Final = ' GROUP BY s."StudyInstanceUID", s."AccessionNumber", p."PatientID", p."PatientName", i."SOPClassUID"'


def read_subjects(reader: Reader, sop_instance_uids: Sequence[str]) -> list[StudySubject]:
    """The studies of these instances, with how many of the instances each has; what is not here is left out."""
    uids = list(dict.fromkeys(sop_instance_uids))
    parts = (uids[start : start + _AT_ONCE] for start in range(0, len(uids), _AT_ONCE))
    return _collect(row for part in parts for row in _count(reader, is_one_of('i."SOPInstanceUID"', part)))


def read_study_subject(reader: Reader, study_instance_uid: str) -> StudySubject:
    """A study with all of its instances; one without a patient where nothing of it is here."""
    found = _collect(_count(reader, Condition('s."StudyInstanceUID" = ?', (study_instance_uid,))))
    return found[0] if found else StudySubject(study_instance_uid)


def _count(reader: Reader, which: Condition) -> list[tuple[str, str, str, str, str, int]]:
    rows = reader.rows(f"{_COUNTS}{which.sql}{_GROUPS}", (reader.device_id, *which.values))
    return [(row["study"], row["accession"], row["patient"], row["name"], row["class"], row["n"]) for row in rows]


def _collect(rows: Iterable[tuple[str, str, str, str, str, int]]) -> list[StudySubject]:
    known: dict[str, tuple[str, str, str]] = {}
    counts: dict[str, dict[str, int]] = {}
    for study, accession, patient, name, sop_class, number in rows:
        known[study] = (patient, name, accession)
        of_study = counts.setdefault(study, {})
        of_study[sop_class] = of_study.get(sop_class, 0) + number
    return [StudySubject(study, *known[study], counts[study]) for study in known]
