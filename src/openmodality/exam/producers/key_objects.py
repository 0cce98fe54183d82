"""Key object documents of an exam: which instances are of note, and why (PS3.3 A.35.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from pydicom import Dataset

from openmodality.device.site.site import Site
from openmodality.exam.facts import describe_exam, describe_series
from openmodality.exam.producers.by_hand import DocumentSeriesPlan, check_made
from openmodality.exam.producers.producer import StepWork
from openmodality.objects.exam_facts import ExamFacts, InstanceFacts
from openmodality.objects.references import EvidenceReference
from openmodality.objects.report.key_object import build_key_object
from openmodality.objects.report.tid_2010 import KeyObjects, Note, find_title
from openmodality.objects.site_objects import find_uid_maker
from openmodality.standard.sop_classes import KEY_OBJECT_SELECTION_DOCUMENT_STORAGE
from openmodality.store.listing.exams import SeriesRecord

KEY_OBJECT: Final = "Key Object Selection Document"
_FIRST_NUMBER: Final = 8001


def plan_documents(
    site: Site, note: Note, references: Sequence[EvidenceReference], study_instance_uid: str
) -> dict[str, DocumentSeriesPlan]:
    """A series for each study that is referred to, by Study Instance UID; the exam's own is always among them.

    Raises :class:`UsageError` where the device makes no such documents.
    """
    check_made(site, KEY_OBJECT)
    studies = dict.fromkeys([study_instance_uid, *(each.study_instance_uid for each in references)])
    plan = DocumentSeriesPlan(KEY_OBJECT, _FIRST_NUMBER, find_title(note.title).meaning)
    return dict.fromkeys(studies, plan)


def build_documents(
    site: Site,
    work: StepWork,
    series: Mapping[str, SeriesRecord],
    note: Note,
    references: Sequence[EvidenceReference],
    headers: Mapping[str, Dataset],
) -> list[Dataset]:
    """The same document for each study, each naming the others (PS3.3 C.17.6.2.1); that of the exam first.

    ``headers`` is what an instance of each other study says of patient and study. Raises :class:`ObjectInvalid` where a
    mandatory attribute has no value.
    """
    uids = find_uid_maker(site)
    instances = {study: uids.new() for study in series}
    places = [
        EvidenceReference(study, record.series_instance_uid, KEY_OBJECT_SELECTION_DOCUMENT_STORAGE, instances[study])
        for study, record in series.items()
    ]
    exam = work.exam
    own = describe_exam(site, exam, work.step)
    device = uids.derived(f"device/{site.equipment.serial_number}")
    definition = check_made(site, KEY_OBJECT)
    return [
        build_key_object(
            definition,
            own if study == exam.study_instance_uid else _describe_study(own, study, headers[study]),
            describe_series(record),
            InstanceFacts(instances[study], 1, datetime.fromtimestamp(record.started)),
            KeyObjects(references, note, device, _leave_out(places, study)),
        )
        for study, record in series.items()
    ]


def _leave_out(places: Sequence[EvidenceReference], study_instance_uid: str) -> list[EvidenceReference]:
    return [each for each in places if each.study_instance_uid != study_instance_uid]


def _describe_study(own: ExamFacts, study_instance_uid: str, header: Dataset) -> ExamFacts:
    """Another study of the patient, as its own instances describe it: no step and no request of this exam."""
    started = f"{header.get('StudyDate') or ''}{str(header.get('StudyTime') or '')[:6]:0<6}"
    try:
        moment = datetime.strptime(started, "%Y%m%d%H%M%S")
    except ValueError:
        moment = own.started
    return replace(
        own,
        study_instance_uid=study_instance_uid,
        started=moment,
        study_id=str(header.get("StudyID") or ""),
        accession_number=str(header.get("AccessionNumber") or ""),
        step=None,
        worklist=header,
        user=Dataset(),
        requests=(),
    )
