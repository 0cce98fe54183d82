"""Data elements that go into new objects: copies without the past of the data set they come from.

Values are not judged here. A worklist item may hold more characters than its VR allows; it is passed on as it is, and
pydicom's own complaint, which would show the value in a log, is switched off.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import Tag
from pydicom.valuerep import PersonName

INTEGER_VRS = frozenset({"US", "SS", "UL", "SL"})


def element(tag: int, vr: str, value: object) -> DataElement:
    """An element with this value; None is zero length."""
    if vr == "SQ" and value is None:
        return sequence(tag, ())
    if vr in INTEGER_VRS and isinstance(value, str):
        value = int(value)
    return DataElement(tag, vr, value, validation_mode=IGNORE)


def sequence(tag: int, items: Iterable[Dataset]) -> DataElement:
    """A sequence of these items."""
    return DataElement(tag, "SQ", DicomSequence(items))


def data_set_of(**values: object) -> Dataset:
    """A data set of elements by keyword."""
    data_set = Dataset()
    for keyword, value in values.items():
        data_set.add(element(Tag(keyword), dictionary_VR(keyword), value))
    return data_set


def element_at(data_set: Dataset, tag: int) -> DataElement | None:
    """The attribute; None where ``data_set`` does not have it."""
    try:
        return data_set[tag]
    except KeyError:
        return None


def copied_item(item: Dataset) -> Dataset:
    """A copy of a sequence item that does not remember the character set it was read with."""
    copy = Dataset()
    for found in item:
        if found.tag == Tag("SpecificCharacterSet"):
            continue
        if found.VR == "SQ":
            copy.add(sequence(found.tag, [copied_item(child) for child in found.value]))
        else:
            copy.add(element(found.tag, found.VR, plain_value(found.value)))
    return copy


def plain_value(value: object) -> object:
    """A value as it may go into another data set: names become text, so they are encoded anew when they are written."""
    if isinstance(value, PersonName):
        return str(value)
    if isinstance(value, MultiValue | list):
        return [plain_value(part) for part in value]
    return value
