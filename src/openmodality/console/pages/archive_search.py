"""The queries of Archive, of an archive or of this device: studies with their patients, and the series of a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

from openmodality.console.context import ConsoleContext
from openmodality.console.inquiries import InquiryAnswer
from openmodality.console.memory import Contact
from openmodality.dimse.reading import read_texts
from openmodality.errors import OpenModalityError
from openmodality.query.finding import FindAnswer
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import Found
from openmodality.store.listing.search import Search
from openmodality.value_class import dataclass

MOST_STUDIES: Final = 500
"""So many studies are shown at once; an archive that has more is told to stop."""
ARCHIVE_KEYS: Final = (
    ("PatientName", "Patient's Name", "FAMILY^GIVEN, with * and ?"),
    ("PatientID", "Patient ID", "whole, or with * and ?"),
    ("AccessionNumber", "Accession Number", ""),
    ("StudyDate", "Study Date", "YYYYMMDD, or a range YYYYMMDD-YYYYMMDD"),
)
"""The keys that a user may set, with their names and what may be typed (MR-3.2.1.1-02, RF-4.1.2.5-01)."""


ReadValue = Callable[[str], str]
"""Gives the value of a keyword as text."""


@dataclass(frozen=True, slots=True)
class StudyNode:
    """A study as who has it describes it; a count that is not known is empty."""

    uid: str
    name: str
    patient_id: str
    birth_date: str
    sex: str
    date: str
    description: str
    accession: str
    modalities: str
    instances: str


@dataclass(frozen=True, slots=True)
class SeriesNode:
    """A series as who has it describes it."""

    uid: str
    number: str
    modality: str
    description: str
    instances: str


def ask_for_list(context: ConsoleContext, source: str, keys: Mapping[str, str]) -> Callable[[], InquiryAnswer]:
    """The question for the studies that match; ``source`` is empty for this device."""
    if not source:
        return lambda: _find_studies_here(context, keys)
    if context.modality.site.peer(source).settings.query_model == "patient":
        return lambda: _query_by_patients(context, source, keys)
    return lambda: _query_studies(context, source, keys)


def ask_for_series(context: ConsoleContext, source: str, study: StudyNode) -> Callable[[], InquiryAnswer]:
    """The question for the series of a study."""
    keys = {"StudyInstanceUID": study.uid}
    if not source:
        return lambda: InquiryAnswer(
            [_read_own_series(each) for each in context.modality.view.find(Level.SERIES, keys)]
        )
    if context.modality.site.peer(source).settings.query_model == "patient":
        keys["PatientID"] = study.patient_id

    def ask() -> InquiryAnswer:
        answer = _query(context, source, Level.SERIES, keys)
        series = sorted(map(_read_series, answer.items), key=lambda each: (len(each.number), each.number))
        return InquiryAnswer(series, answer.more_available, _list_notices(answer))

    return ask


def _find_studies_here(context: ConsoleContext, keys: Mapping[str, str]) -> InquiryAnswer:
    found, has_more = context.modality.view.search(Search(Level.STUDY, keys, states=False), limit=MOST_STUDIES)
    return InquiryAnswer([_read_own_study(each) for each in found], has_more)


def _query_studies(context: ConsoleContext, source: str, keys: Mapping[str, str]) -> InquiryAnswer:
    answer = _query(context, source, Level.STUDY, keys)
    return InquiryAnswer([_read_study(each) for each in answer.items], answer.more_available, _list_notices(answer))


def _query_by_patients(context: ConsoleContext, source: str, keys: Mapping[str, str]) -> InquiryAnswer:
    """In the patient root the studies are those of one patient: patients first, then the studies of each."""
    of_patient = {keyword: value for keyword, value in keys.items() if keyword.startswith("Patient")}
    of_study = {keyword: value for keyword, value in keys.items() if keyword not in of_patient}
    patients = _query(context, source, Level.PATIENT, of_patient)
    studies: list[StudyNode] = []
    notices, has_more = list(_list_notices(patients)), patients.more_available
    for patient in patients.items:
        answer = _query(context, source, Level.STUDY, {**of_study, "PatientID": _read(patient, "PatientID")})
        studies += [_read_study(each, patient) for each in answer.items]
        notices += _list_notices(answer)
        has_more = has_more or answer.more_available
        if len(studies) >= MOST_STUDIES:
            return InquiryAnswer(studies[:MOST_STUDIES], has_more=True, notices=notices)
    return InquiryAnswer(studies, has_more, list(dict.fromkeys(notices)))


def _query(context: ConsoleContext, source: str, level: Level, keys: Mapping[str, str]) -> FindAnswer:
    """Query the peer, and remember its answer as the last contact with it."""
    at = context.modality.clock()
    try:
        answer = context.modality.query(level, source, model=None, limit=MOST_STUDIES, hand_over=None, **keys)
    except OpenModalityError as error:
        context.memory.note_contact(source, Contact(at, is_success=False, said=error.message, advice=error.advice))
        raise
    context.memory.note_contact(source, Contact(at, is_success=True, said="answered the query"))
    return answer


def _list_notices(answer: FindAnswer) -> Sequence[str]:
    notices = []
    if answer.unreadable:
        notices.append(f"{answer.unreadable} of the answers could not be read and are left out")
    if answer.optional_keys_unsupported:
        notices.append("the archive does not support some of the keys, so that there may be more here than was asked")
    return notices


def _read(item: Dataset, keyword: str) -> str:
    return ", ".join(read_texts(item, tag_for_keyword(keyword) or 0))


def _read_study(item: Dataset, patient: Dataset | None = None) -> StudyNode:
    """A match; what it lacks of its patient is read from the match of the patient."""

    def read_of_patient(keyword: str) -> str:
        return _read(item, keyword) or (_read(patient, keyword) if patient is not None else "")

    return _make_study(read_of_patient, _read(item, "ModalitiesInStudy"), _read(item, "NumberOfStudyRelatedInstances"))


def _read_series(item: Dataset) -> SeriesNode:
    return _make_series(partial(_read, item), _read(item, "NumberOfSeriesRelatedInstances"))


def _read_own_study(study: Found) -> StudyNode:
    return _make_study(study.__getitem__, ", ".join(study.modalities), str(study.instances))


def _read_own_series(series: Found) -> SeriesNode:
    return _make_series(series.__getitem__, str(series.instances))


def _make_study(read: ReadValue, modalities: str, instances: str) -> StudyNode:
    return StudyNode(
        uid=read("StudyInstanceUID"),
        name=read("PatientName"),
        patient_id=read("PatientID"),
        birth_date=read("PatientBirthDate"),
        sex=read("PatientSex"),
        date=read("StudyDate"),
        description=read("StudyDescription"),
        accession=read("AccessionNumber"),
        modalities=modalities,
        instances=instances,
    )


def _make_series(read: ReadValue, instances: str) -> SeriesNode:
    return SeriesNode(
        uid=read("SeriesInstanceUID"),
        number=read("SeriesNumber"),
        modality=read("Modality"),
        description=read("SeriesDescription"),
        instances=instances,
    )
