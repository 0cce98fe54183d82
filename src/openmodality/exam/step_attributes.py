"""The attributes of a Modality Performed Procedure Step, by the table of the profile (PS3.4 Table F.7.2-1).

Values come from the worklist through the site's mapping, from the operator, from the equipment and from the exam
itself, each at its place in one data set; then the rows of the profile's table choose what is sent: required values,
zero length where a value is unknown, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence as Items

from openmodality.device import charsets
from openmodality.device.mapping import map_to_mpps, map_to_performed_series
from openmodality.device.paths import TagPath
from openmodality.device.profile.profile import MppsAttribute, Requirement
from openmodality.device.site.site import Site
from openmodality.dimse.attribute_names import name_of
from openmodality.errors import ObjectInvalid
from openmodality.exam.facts import equipment, items_of
from openmodality.objects.exam_facts import moment
from openmodality.objects.rules.elements import copy_item, element_at
from openmodality.standard.discontinuation_reasons import DISCONTINUATION_REASONS
from openmodality.standard.performed_step import StepStatus
from openmodality.store.data_set_json import from_json
from openmodality.store.listing.entities import InstanceReference
from openmodality.store.listing.exams import Ending, ExamRecord, SeriesRecord

_INSIDE: Final = "inside each item"
_STRICTER: Final[dict[Requirement, Requirement]] = {"1C": "1", "2C": "2"}
_NON_IMAGE_ROOT: Final = ("1.2.840.10008.5.1.4.1.1.88.", "1.2.840.10008.5.1.4.1.1.11.")
"""Structured reports and presentation states: instances of a series that are no images."""
_CODE: Final = {tag_for_keyword(keyword) for keyword in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")}

TypeOf = Callable[[MppsAttribute], Requirement]


@dataclass(frozen=True, slots=True)
class SeriesContent:
    """A series with the instances that were made in it."""

    series: SeriesRecord
    instances: Sequence[InstanceReference]


def n_create_attributes(site: Site, exam: ExamRecord, step_id: str, modality: str, now: datetime) -> Dataset:
    """The attribute list of N-CREATE, the step IN PROGRESS.

    Raises:
        ObjectInvalid: a required attribute has no value.
    """
    values = _common(site, exam)
    day, time = moment(now)
    values.PerformedProcedureStepStartDate, values.PerformedProcedureStepStartTime = day, time
    values.PerformedProcedureStepStatus = StepStatus.IN_PROGRESS
    values.PerformedProcedureStepID = step_id
    values.StudyID = exam.study_id
    values.Modality = modality
    return _chosen(site, values, lambda row: row.n_create)


def n_set_attributes(
    site: Site, exam: ExamRecord, ending: Ending, content: Iterable[SeriesContent], dose: Dataset | None = None
) -> Dataset:
    """The attribute list of the final N-SET: every series and every instance that the step produced.

    Raises:
        ObjectInvalid: a required attribute has no value.
    """
    values = _common(site, exam)
    values.update(dose or Dataset())
    day, time = moment(datetime.fromtimestamp(ending.at))
    values.PerformedProcedureStepEndDate, values.PerformedProcedureStepEndTime = day, time
    values.PerformedProcedureStepStatus = ending.state
    common = map_to_performed_series(items_of(exam), site.mapping)
    values.PerformedSeriesSequence = [_performed_series(site, common, exam, each) for each in content]
    if ending.state is StepStatus.DISCONTINUED:
        values.PerformedProcedureStepDiscontinuationReasonCodeSequence = [_reason(ending.reason)]
    return _chosen(site, values, _final_type)


def _final_type(row: MppsAttribute) -> Requirement:
    if row.n_set == "EMPTY" or not row.final:
        return row.n_set
    return row.final


def _common(site: Site, exam: ExamRecord) -> Dataset:
    """What does not change from N-CREATE to N-SET."""
    items = items_of(exam)
    values = equipment(site)
    values.update(from_json(exam.user))
    values.update(map_to_mpps(items, site.mapping))
    values.PerformedStationAETitle = site.calling_ae("mpps").ae_title
    scheduled = list(values.get("ScheduledStepAttributesSequence") or [Dataset()])
    for item in scheduled:
        item.StudyInstanceUID = item.get("StudyInstanceUID") or exam.study_instance_uid
        if not exam.scheduled:
            item.AccessionNumber = exam.accession_number
    values.ScheduledStepAttributesSequence = scheduled
    return values


def _performed_series(site: Site, common: Dataset, exam: ExamRecord, content: SeriesContent) -> Dataset:
    item = copy_item(common)
    series = content.series
    attributes = from_json(series.attributes)
    user = from_json(exam.user)
    for keyword in ("OperatorsName", "PerformingPhysicianName"):
        if not item.get(keyword) and user.get(keyword):
            setattr(item, keyword, str(user.get(keyword)))
    item.SeriesInstanceUID = series.series_instance_uid
    item.SeriesDescription = series.description
    item.ProtocolName = str(attributes.get("ProtocolName") or series.description or series.modality)
    archive = site.peers_for("storage")
    item.RetrieveAETitle = archive[0].ae_title if archive else None
    is_image = [not each.SOPClassUID.startswith(_NON_IMAGE_ROOT) for each in content.instances]
    references = list(zip(is_image, map(_reference, content.instances), strict=True))
    item.ReferencedImageSequence = [reference for image, reference in references if image]
    item.ReferencedNonImageCompositeSOPInstanceSequence = [reference for image, reference in references if not image]
    return item


def _reference(instance: InstanceReference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = instance.SOPClassUID
    item.ReferencedSOPInstanceUID = instance.SOPInstanceUID
    return item


def _reason(code_value: str) -> Dataset:
    reason = DISCONTINUATION_REASONS[code_value]
    item = Dataset()
    item.CodeValue = reason.code_value
    item.CodingSchemeDesignator = "DCM"
    item.CodeMeaning = reason.meaning
    return item


# Choosing


@dataclass(frozen=True, slots=True)
class _Node:
    row: MppsAttribute
    requirement: Requirement
    children: tuple[_Node, ...]


def _chosen(site: Site, values: Dataset, type_of: TypeOf) -> Dataset:
    result = Dataset()
    _fill(result, _tree(site.profile.mpps_attributes, type_of), values)
    charsets.declare(result, site.character_sets)
    return result


def _tree(rows: Sequence[MppsAttribute], type_of: TypeOf, above: TagPath = ()) -> tuple[_Node, ...]:
    return tuple(
        _Node(row, requirement, _tree(rows, type_of, row.path))
        for row in rows
        if row.path[:-1] == above and (requirement := _required(row, type_of(row)))
    )


def _required(row: MppsAttribute, requirement: Requirement) -> Requirement:
    """A condition "inside each item" holds by itself there; a code that the worklist sent incomplete stays as it is."""
    if row.condition == _INSIDE and row.path[-1] not in _CODE:
        return _STRICTER.get(requirement, requirement)
    return requirement


def _fill(target: Dataset, nodes: Iterable[_Node], values: Dataset) -> None:
    for node in nodes:
        tag = node.row.path[-1]
        element = element_at(values, tag)
        if node.requirement == "EMPTY" or element is None or element.is_empty:
            _without_value(target, node)
        elif element.VR != "SQ":
            target.add(DataElement(tag, element.VR, element.value, already_converted=True))
        elif not node.children:
            target.add(DataElement(tag, "SQ", Items([copy_item(item) for item in element.value])))
        else:
            target.add(DataElement(tag, "SQ", Items([_item(node, item) for item in element.value])))


def _item(node: _Node, values: Dataset) -> Dataset:
    item = Dataset()
    _fill(item, node.children, values)
    return item


def _without_value(target: Dataset, node: _Node) -> None:
    tag, vr = node.row.path[-1], node.row.vr
    if node.requirement in ("2", "EMPTY"):
        target.add(DataElement(tag, vr, Items([]) if vr == "SQ" else None))
    elif node.requirement == "1":
        raise ObjectInvalid(f"the performed procedure step lacks {name_of(tag)}")
