"""Finds the instances of the local database to which a document or a presentation state of an exam refers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.errors import NotFound, ObjectInvalid, UsageError
from openmodality.exam.facts import list_items
from openmodality.objects.references import EvidenceReference
from openmodality.standard.query_retrieve import Level
from openmodality.store.data_set_json import from_json
from openmodality.store.listing.entities import find
from openmodality.store.listing.exams import ExamRecord
from openmodality.store.local import LocalStore
from openmodality.store.rows.patients import DEMOGRAPHICS, is_same_patient


def find_references(
    store: LocalStore, exam: ExamRecord, instances: Sequence[str], series: Sequence[str] = ()
) -> list[EvidenceReference]:
    """Where these instances, and those of these series, are; each once, in the order given.

    Raises :class:`NotFound` for a UID that the local database does not have, and :class:`UsageError` where an instance
    is of another patient than the exam, or nothing is named.
    """
    wanted = [("SeriesInstanceUID", uid) for uid in series] + [("SOPInstanceUID", uid) for uid in instances]
    if not wanted:
        raise UsageError("nothing is chosen", advice="name instances or series by their UIDs")
    patients = _list_patients(store, exam)
    found: dict[str, EvidenceReference] = {}
    for keyword, uid in wanted:
        with store.read() as snapshot:
            entities = find(snapshot, Level.IMAGE, {keyword: uid})
        if not entities:
            raise NotFound(f"the local database has nothing with {keyword} {uid}")
        for each in sorted(entities, key=lambda entity: entity.id):
            is_own = each["StudyInstanceUID"] == exam.study_instance_uid
            if not is_own and not any(is_same_patient(patient, each.attributes) for patient in patients):
                raise UsageError(f"{each['SOPInstanceUID']} is of another patient than exam {exam.id}")
            found[each["SOPInstanceUID"]] = EvidenceReference(
                each["StudyInstanceUID"], each["SeriesInstanceUID"], each["SOPClassUID"], each["SOPInstanceUID"]
            )
    return list(found.values())


def read_header(store: LocalStore, sop_instance_uid: str) -> Dataset:
    """An instance of the local database without its pixels. Raises :class:`ObjectInvalid` where it cannot be read."""
    try:
        return dcmread(store.files.path(sop_instance_uid), stop_before_pixels=True)
    except (OSError, InvalidDicomError) as error:
        raise ObjectInvalid(f"the file of {sop_instance_uid} cannot be read") from error


def _list_patients(store: LocalStore, exam: ExamRecord) -> list[Mapping[str, str]]:
    """The patient of the exam: as the instances of its study have them, as the worklist or the operator named them, and
    without an issuer that the operator alone gave, because the objects of an MR device do not have that one.
    """
    with store.read() as snapshot:
        studies = find(snapshot, Level.STUDY, {"StudyInstanceUID": exam.study_instance_uid})
    items, user = list_items(exam), from_json(exam.user)
    named = _read_demographics([*items, user])
    patients = [*(study.attributes for study in studies), named]
    if not _read_demographics(items)["IssuerOfPatientID"]:
        patients.append({**named, "IssuerOfPatientID": ""})
    return patients


def _read_demographics(places: Sequence[Dataset]) -> dict[str, str]:
    values = ((keyword, (str(place.get(keyword) or "") for place in places)) for keyword in DEMOGRAPHICS)
    return {keyword: next(filter(None, each), "") for keyword, each in values}
