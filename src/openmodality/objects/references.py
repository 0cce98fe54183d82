"""References of objects to the performed step, the requests and the studies that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pydicom.dataset import Dataset

from openmodality.objects.rules.elements import copy_item, data_set_of
from openmodality.value_class import value_class

_REFERENCES: Final = ("ReferencedStudySequence", "ReferencedPatientSequence")
_OF_REQUEST: Final = (
    "AccessionNumber",
    "PlacerOrderNumberImagingServiceRequest",
    "FillerOrderNumberImagingServiceRequest",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "ReferencedStudySequence",
    "RequestedProcedureCodeSequence",
)
"""What an item of (0040,A370) Referenced Request Sequence says, empty where it is not known (PS3.3 C.17.2.4)."""


@value_class
class EvidenceReference:
    """An instance with its place in a study; ``frames``, from 1, are those that are meant where it is not the whole."""

    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    frames: tuple[int, ...] = ()


def list_evidence(references: Iterable[EvidenceReference]) -> list[Dataset]:
    """Items by study, series and instance: (0040,A375) evidence, or (0040,A525) identical documents (PS3.3 C.17.2)."""
    studies: dict[str, dict[str, dict[str, Dataset]]] = {}
    for each in references:
        series = studies.setdefault(each.study_instance_uid, {}).setdefault(each.series_instance_uid, {})
        series[each.sop_instance_uid] = refer_to_instance(each.sop_class_uid, each.sop_instance_uid)
    return [
        data_set_of(
            ReferencedSeriesSequence=[
                data_set_of(ReferencedSOPSequence=list(items.values()), SeriesInstanceUID=uid)
                for uid, items in series.items()
            ],
            StudyInstanceUID=study,
        )
        for study, series in studies.items()
    ]


def refer_to_instance(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    """An item of a sequence that refers to a SOP Instance (PS3.3 10.8)."""
    return data_set_of(ReferencedSOPClassUID=sop_class_uid, ReferencedSOPInstanceUID=sop_instance_uid)


def drop_broken_references(source: Dataset) -> Dataset:
    """A copy without references that lack a UID: a worklist item may have them, what we make must not (Type 1)."""
    copy = copy_item(source)
    for keyword in _REFERENCES:
        if keyword in copy:
            items = copy[keyword].value
            copy[keyword].value = [
                item for item in items if item.get("ReferencedSOPClassUID") and item.get("ReferencedSOPInstanceUID")
            ]
    return copy


def list_requests(scheduled: Iterable[Dataset], study_instance_uid: str) -> Iterator[Dataset]:
    """Items of Referenced Request Sequence for scheduled steps, as the performed step has them: each request once."""
    known = set()
    for step in map(drop_broken_references, scheduled):
        request = Dataset()
        for keyword in _OF_REQUEST:
            is_sequence = keyword.endswith("Sequence")
            setattr(request, keyword, list(step.get(keyword) or ()) if is_sequence else step.get(keyword))
        request.StudyInstanceUID = step.get("StudyInstanceUID") or study_instance_uid
        key = (request.StudyInstanceUID, str(request.AccessionNumber), str(request.RequestedProcedureID))
        if any(step.get(keyword) for keyword in _OF_REQUEST) and key not in known:
            known.add(key)
            yield request
