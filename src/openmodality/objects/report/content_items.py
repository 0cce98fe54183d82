"""Content items of structured reports (PS3.3 C.17.3), as small functions that return one each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from openmodality.objects.references import EvidenceReference
from openmodality.objects.rules.sequence_items import Attribute, Code, ItemValue, SequenceItem, find_attribute
from openmodality.standard.sop_classes import is_image
from openmodality.standard.value_rules import format_decimal

CONTAINS = "CONTAINS"
HAS_CONCEPT_MOD = "HAS CONCEPT MOD"
HAS_OBS_CONTEXT = "HAS OBS CONTEXT"
HAS_PROPERTIES = "HAS PROPERTIES"

CONTENT_SEQUENCE = find_attribute("ContentSequence")
_RELATIONSHIP_TYPE = find_attribute("RelationshipType")
_VALUE_TYPE = find_attribute("ValueType")
_CONCEPT_NAME = find_attribute("ConceptNameCodeSequence")
_CONTINUITY = find_attribute("ContinuityOfContent")
_CONTENT_TEMPLATE = find_attribute("ContentTemplateSequence")
_MAPPING_RESOURCE = find_attribute("MappingResource")
_TEMPLATE_IDENTIFIER = find_attribute("TemplateIdentifier")
_CONCEPT_CODE = find_attribute("ConceptCodeSequence")
_MEASURED_VALUE = find_attribute("MeasuredValueSequence")
_NUMERIC_VALUE = find_attribute("NumericValue")
_UNITS = find_attribute("MeasurementUnitsCodeSequence")
_QUALIFIER = find_attribute("NumericValueQualifierCodeSequence")
_TEXT_VALUE = find_attribute("TextValue")
_PERSON_NAME = find_attribute("PersonName")
_UID = find_attribute("UID")
_DATE_TIME = find_attribute("DateTime")
_REFERENCED_SOP = find_attribute("ReferencedSOPSequence")
_SOP_CLASS_UID = find_attribute("ReferencedSOPClassUID")
_SOP_INSTANCE_UID = find_attribute("ReferencedSOPInstanceUID")
_FRAME_NUMBER = find_attribute("ReferencedFrameNumber")


def dcm(value: str, meaning: str) -> Code:
    """A concept of PS3.16 Annex D."""
    return Code(value, "DCM", meaning)


def ucum(value: str, meaning: str = "") -> Code:
    """A unit of measurement."""
    return Code(value, "UCUM", meaning or value)


def make_language() -> SequenceItem:
    """The CODE that says that a report is in English (TID 1204)."""
    return make_code(dcm("121049", "Language of Content Item and Descendants"), Code("en", "RFC5646", "English"))


_VALUE_UNKNOWN = dcm("114010", "Value unknown")


def make_container(
    concept: Code, children: Sequence[SequenceItem], *, template: str = "", continuity: str = "SEPARATE"
) -> SequenceItem:
    """A CONTAINER with its children; ``template`` is the DCMR template it follows."""
    item = _make_item("CONTAINER", concept, _CONTINUITY, continuity, children)
    if template:
        identification = SequenceItem({_MAPPING_RESOURCE: "DCMR", _TEMPLATE_IDENTIFIER: template})
        item.values[_CONTENT_TEMPLATE] = (identification,)
    return item


def make_code(concept: Code, value: Code, children: Sequence[SequenceItem] = ()) -> SequenceItem:
    """A CODE, with the items that modify it."""
    return _make_item("CODE", concept, _CONCEPT_CODE, value, children)


def make_num(concept: Code, value: float | None, unit: Code) -> SequenceItem:
    """A NUM: a measured value with its unit; None is a value that is not known (PS3.3 C.18.1)."""
    if value is None:
        item = _make_item("NUM", concept, _MEASURED_VALUE, ())
        item.values[_QUALIFIER] = _VALUE_UNKNOWN
        return item
    measured = SequenceItem({_NUMERIC_VALUE: format_decimal(float(value)), _UNITS: unit})
    return _make_item("NUM", concept, _MEASURED_VALUE, (measured,))


def make_text(concept: Code, value: str, children: Sequence[SequenceItem] = ()) -> SequenceItem:
    """A TEXT, with the items that modify it."""
    return _make_item("TEXT", concept, _TEXT_VALUE, value, children)


def make_pname(concept: Code, value: str) -> SequenceItem:
    """A PNAME: the name of a person."""
    return _make_item("PNAME", concept, _PERSON_NAME, value)


def make_uidref(concept: Code, value: str) -> SequenceItem:
    """A UIDREF."""
    return _make_item("UIDREF", concept, _UID, value)


def make_date_time(concept: Code, value: datetime) -> SequenceItem:
    """A DATETIME."""
    return _make_item("DATETIME", concept, _DATE_TIME, value.strftime("%Y%m%d%H%M%S.%f"))


def make_image(concept: Code, sop_class_uid: str, sop_instance_uid: str) -> SequenceItem:
    """An IMAGE: a reference to an instance."""
    reference = SequenceItem({_SOP_CLASS_UID: sop_class_uid, _SOP_INSTANCE_UID: sop_instance_uid})
    return _make_item("IMAGE", concept, _REFERENCED_SOP, (reference,))


def make_reference(reference: EvidenceReference) -> SequenceItem:
    """An IMAGE or COMPOSITE without a concept: a reference to an instance, and to frames of it (PS3.3 C.18.3)."""
    item = SequenceItem({_SOP_CLASS_UID: reference.sop_class_uid, _SOP_INSTANCE_UID: reference.sop_instance_uid})
    if reference.frames:
        item.values[_FRAME_NUMBER] = "\\".join(map(str, reference.frames))
    value_type = "IMAGE" if is_image(reference.sop_class_uid) else "COMPOSITE"
    return SequenceItem({_VALUE_TYPE: value_type, _REFERENCED_SOP: (item,)})


def relate(relationship: str, item: SequenceItem) -> SequenceItem:
    """``item`` as a child by ``relationship``."""
    item.values[_RELATIONSHIP_TYPE] = relationship
    return item


def contains(*items: SequenceItem) -> list[SequenceItem]:
    """``items`` as the contents of a container."""
    return [relate(CONTAINS, item) for item in items]


def _make_item(
    value_type: str, concept: Code, attribute: Attribute, value: ItemValue, children: Sequence[SequenceItem] = ()
) -> SequenceItem:
    item = SequenceItem({_VALUE_TYPE: value_type, _CONCEPT_NAME: concept, attribute: value})
    if children:
        item.values[CONTENT_SEQUENCE] = tuple(children)
    return item
