"""Content items of structured reports (PS3.3 C.17.3), as small functions that return a data set each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydicom.dataset import Dataset

from openmodality.objects.references import EvidenceReference, refer_to_instance
from openmodality.standard.sop_classes import is_image
from openmodality.standard.value_rules import format_decimal

CONTAINS = "CONTAINS"
HAS_CONCEPT_MOD = "HAS CONCEPT MOD"
HAS_OBS_CONTEXT = "HAS OBS CONTEXT"
HAS_PROPERTIES = "HAS PROPERTIES"


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept (PS3.3 8.8)."""

    value: str
    scheme: str
    meaning: str

    def item(self) -> Dataset:
        """The item of a code sequence."""
        data_set = Dataset()
        data_set.CodeValue = self.value
        data_set.CodingSchemeDesignator = self.scheme
        data_set.CodeMeaning = self.meaning
        return data_set


def dcm(value: str, meaning: str) -> Code:
    """A concept of PS3.16 Annex D."""
    return Code(value, "DCM", meaning)


def ucum(value: str, meaning: str = "") -> Code:
    """A unit of measurement."""
    return Code(value, "UCUM", meaning or value)


_VALUE_UNKNOWN = dcm("114010", "Value unknown")


def make_container(
    concept: Code, children: Sequence[Dataset], *, template: str = "", continuity: str = "SEPARATE"
) -> Dataset:
    """A CONTAINER with its children; ``template`` is the DCMR template it follows."""
    data_set = _item("CONTAINER", concept)
    data_set.ContinuityOfContent = continuity
    if template:
        identification = Dataset()
        identification.MappingResource = "DCMR"
        identification.TemplateIdentifier = template
        data_set.ContentTemplateSequence = [identification]
    if children:
        data_set.ContentSequence = list(children)
    return data_set


def make_code(concept: Code, value: Code, children: Sequence[Dataset] = ()) -> Dataset:
    """A CODE, with the items that modify it."""
    data_set = _item("CODE", concept)
    data_set.ConceptCodeSequence = [value.item()]
    if children:
        data_set.ContentSequence = list(children)
    return data_set


def make_num(concept: Code, value: float | None, unit: Code) -> Dataset:
    """A NUM: a measured value with its unit; None is a value that is not known (PS3.3 C.18.1)."""
    data_set = _item("NUM", concept)
    if value is None:
        data_set.MeasuredValueSequence = []
        data_set.NumericValueQualifierCodeSequence = [_VALUE_UNKNOWN.item()]
        return data_set
    measured = Dataset()
    measured.NumericValue = format_decimal(float(value))
    measured.MeasurementUnitsCodeSequence = [unit.item()]
    data_set.MeasuredValueSequence = [measured]
    return data_set


def make_text(concept: Code, value: str) -> Dataset:
    """A TEXT."""
    data_set = _item("TEXT", concept)
    data_set.TextValue = value
    return data_set


def make_pname(concept: Code, value: str) -> Dataset:
    """A PNAME: the name of a person."""
    data_set = _item("PNAME", concept)
    data_set.PersonName = value
    return data_set


def make_uidref(concept: Code, value: str) -> Dataset:
    """A UIDREF."""
    data_set = _item("UIDREF", concept)
    data_set.UID = value
    return data_set


def make_date_time(concept: Code, value: datetime) -> Dataset:
    """A DATETIME."""
    data_set = _item("DATETIME", concept)
    data_set.DateTime = value.strftime("%Y%m%d%H%M%S.%f")
    return data_set


def make_image(concept: Code, sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    """An IMAGE: a reference to an instance."""
    reference = Dataset()
    reference.ReferencedSOPClassUID = sop_class_uid
    reference.ReferencedSOPInstanceUID = sop_instance_uid
    data_set = _item("IMAGE", concept)
    data_set.ReferencedSOPSequence = [reference]
    return data_set


def make_reference(reference: EvidenceReference) -> Dataset:
    """An IMAGE or COMPOSITE without a concept: a reference to an instance, and to frames of it (PS3.3 C.18.3)."""
    item = refer_to_instance(reference.sop_class_uid, reference.sop_instance_uid)
    if reference.frames:
        item.ReferencedFrameNumber = list(reference.frames)
    data_set = Dataset()
    data_set.ValueType = "IMAGE" if is_image(reference.sop_class_uid) else "COMPOSITE"
    data_set.ReferencedSOPSequence = [item]
    return data_set


def relate(relationship: str, item: Dataset) -> Dataset:
    """``item`` as a child by ``relationship``."""
    item.RelationshipType = relationship
    return item


def contains(*items: Dataset) -> list[Dataset]:
    """``items`` as the contents of a container."""
    return [relate(CONTAINS, item) for item in items]


def _item(value_type: str, concept: Code) -> Dataset:
    data_set = Dataset()
    data_set.ValueType = value_type
    data_set.ConceptNameCodeSequence = [concept.item()]
    return data_set
