"""The facts of an exam, a series and an instance, and the values that the device finds automatically from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from typing import Final

from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID
from pydicom.valuerep import IS

from openmodality.objects.references import refer_to_instance
from openmodality.objects.rules.elements import (
    data_set_of,
    element_at,
    has_length,
    make_data_set,
    make_kept_element,
    make_short,
    prepare_attributes,
)
from openmodality.objects.rules.sources import SourceValues
from openmodality.standard.sop_classes import MODALITY_PERFORMED_PROCEDURE_STEP
from openmodality.value_class import dataclass

_UID: Final = Tag("SOPInstanceUID")
_NUMBER: Final = Tag("InstanceNumber")
_DATES: Final = prepare_attributes("InstanceCreationDate", "ContentDate", "AcquisitionDate", "DateOfSecondaryCapture")
_TIMES: Final = prepare_attributes("InstanceCreationTime", "ContentTime", "AcquisitionTime", "TimeOfSecondaryCapture")
_NOTHING: Final = Dataset()
"""What worklist, operator and site say of one instance alone; made once, since a data set costs as ten elements do."""
MADE_WHEN_ACQUIRED: Final = tuple(tag for tag, _ in _DATES[1:3] + _TIMES[1:3])


@dataclass(frozen=True, slots=True)
class StepReference:
    """The Modality Performed Procedure Step that images belong to."""

    sop_instance_uid: str
    step_id: str
    started: datetime


@dataclass(frozen=True, slots=True)
class ExamFacts:
    """One study on this device.

    ``worklist`` is the scheduled item after the attribute mapping, empty for an unscheduled exam; ``user`` what the
    operator typed; ``configuration`` the attributes of the equipment. Study Instance UID and Accession Number are
    those of the item, or made locally. ``requests`` are the items of Referenced Request Sequence (0040,A370).
    """

    study_instance_uid: str
    started: datetime
    study_id: str = ""
    accession_number: str = ""
    step: StepReference | None = None
    worklist: Dataset = field(default_factory=Dataset)
    user: Dataset = field(default_factory=Dataset)
    configuration: Dataset = field(default_factory=Dataset)
    requests: Sequence[Dataset] = ()


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """One series. ``attributes`` are the same for all its instances, such as Patient Position."""

    series_instance_uid: str
    number: int
    started: datetime
    modality: str
    description: str = ""
    images_in_acquisition: int = 1
    frame_of_reference_uid: str = ""
    attributes: Dataset = field(default_factory=Dataset)


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """One instance."""

    sop_instance_uid: str
    number: int
    created: datetime


def find_common_values(exam: ExamFacts, series: SeriesFacts) -> SourceValues:
    """What all instances of a series have in common, sorted by source."""
    automatic = Dataset()
    automatic.update(_study(exam))
    automatic.update(_series(exam, series))
    return SourceValues(exam.worklist, exam.user, exam.configuration, series.attributes, automatic)


def find_own_values(series: SeriesFacts, instance: InstanceFacts, acquisition: Dataset) -> SourceValues:
    """The values of an instance beyond its series, sorted by source. ``acquisition`` are those of its frame."""
    said = pick_times(series.attributes) | pick_times(acquisition)
    automatic = make_data_set(make_own_elements(instance, said))
    return SourceValues(_NOTHING, _NOTHING, _NOTHING, acquisition, automatic)


def pick_times(acquisition: Dataset) -> dict[BaseTag, DataElement]:
    """The times of the acquisition that the source of the pixels states."""
    found = ((tag, element_at(acquisition, tag)) for tag in MADE_WHEN_ACQUIRED)
    return {tag: element for tag, element in found if element is not None and has_length(element)}


def make_own_elements(instance: InstanceFacts, said: Mapping[BaseTag, DataElement]) -> dict[BaseTag, DataElement]:
    """What the device finds of one instance by itself; ``said`` are the times that the maker of the pixels knows."""
    day, time = format_moment(instance.created)
    elements = {
        _UID: make_kept_element(_UID, "UI", UID(instance.sop_instance_uid, IGNORE)),
        _NUMBER: make_kept_element(_NUMBER, "IS", IS(instance.number, IGNORE)),
    }
    elements.update((tag, make_short(tag, vr, day)) for tag, vr in _DATES)
    elements.update((tag, make_kept_element(tag, vr, time)) for tag, vr in _TIMES)
    elements.update(said)
    return elements


def _study(exam: ExamFacts) -> Dataset:
    day, time = format_moment(exam.started)
    birth = exam.worklist.get("PatientBirthDate") or exam.user.get("PatientBirthDate")
    data_set = data_set_of(
        StudyInstanceUID=exam.study_instance_uid,
        StudyID=exam.study_id,
        AccessionNumber=exam.accession_number,
        StudyDate=day,
        StudyTime=time,
        PatientAge=format_age(str(birth or ""), exam.started.date()),
    )
    if exam.step is not None:
        data_set.update(_step(exam.step))
    return data_set


def refer_to_step(step: StepReference) -> Dataset:
    """An item of (0008,1111) Referenced Performed Procedure Step Sequence."""
    return refer_to_instance(MODALITY_PERFORMED_PROCEDURE_STEP, step.sop_instance_uid)


def _step(step: StepReference) -> Dataset:
    day, time = format_moment(step.started)
    return data_set_of(
        ReferencedPerformedProcedureStepSequence=[refer_to_step(step)],
        PerformedProcedureStepID=step.step_id,
        PerformedProcedureStepStartDate=day,
        PerformedProcedureStepStartTime=time,
    )


def _series(exam: ExamFacts, series: SeriesFacts) -> Dataset:
    day, time = format_moment(series.started)
    data_set = data_set_of(
        SeriesInstanceUID=series.series_instance_uid,
        SeriesNumber=series.number,
        SeriesDate=day,
        SeriesTime=time,
        Modality=series.modality,
        SeriesDescription=series.description,
        AcquisitionNumber=series.number,
        ImagesInAcquisition=series.images_in_acquisition,
    )
    if exam.step is None:
        # Images of an exam without a performed step still belong to a group of their own.
        data_set.update(data_set_of(PerformedProcedureStepID=exam.study_id))
    if series.frame_of_reference_uid:
        data_set.update(data_set_of(FrameOfReferenceUID=series.frame_of_reference_uid))
    return data_set


def format_moment(now: datetime) -> tuple[str, str]:
    """Date (DA) and time (TM) of a moment."""
    day = f"{now.year:04d}{now.month:02d}{now.day:02d}"
    return day, f"{now.hour:02d}{now.minute:02d}{now.second:02d}.{now.microsecond:06d}"


def format_age(birth_date: str, today: date) -> str:
    """Patient's Age (0010,1010), an Age String (PS3.5 6.2): in years from two years on, in months or days below."""
    try:
        birth = datetime.strptime(birth_date, "%Y%m%d").date()
    except ValueError:
        return ""
    days = (today - birth).days
    if days < 0:
        return ""
    months = (today.year - birth.year) * 12 + today.month - birth.month - (today.day < birth.day)
    if months >= 24:
        return f"{min(months // 12, 999):03d}Y"
    return f"{months:03d}M" if months >= 1 else f"{days:03d}D"
