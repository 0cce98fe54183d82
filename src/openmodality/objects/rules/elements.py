"""Data elements that go into new objects: copies that forget the character set and the data set they were read with.

Values are not judged here. A worklist item may hold more characters than its VR allows; it is passed on as it is, and
pydicom's own complaint, which would show the value in a log, is switched off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import DS, DSfloat, PersonName

from openmodality.standard.tags import SPECIFIC_CHARACTER_SET
from openmodality.standard.vr_groups import WHOLE_NUMBER_VRS

_COPIED: Final = frozenset({PersonName, MultiValue, list})
_FRESH: Final = dict(vars(Dataset()))
"""What a data set without elements knows of itself."""
_FRESH_CONTAINERS: Final = tuple(
    (name, value) for name, value in _FRESH.items() if name != "_dict" and isinstance(value, dict | list)
)


def make_element(tag: int, vr: str, value: object) -> DataElement:
    """An element with this value; None is zero length."""
    if vr == "SQ" and value is None:
        return make_sequence(tag, ())
    if vr in WHOLE_NUMBER_VRS and isinstance(value, str):
        value = int(value)
    return DataElement(tag, vr, value, validation_mode=IGNORE)


def make_sequence(tag: int, items: Iterable[Dataset]) -> DataElement:
    """A sequence of these items."""
    return DataElement(tag, "SQ", DicomSequence(items))


def data_set_of(**values: object) -> Dataset:
    """A data set of elements by keyword."""
    data_set = Dataset()
    for keyword, value in values.items():
        data_set.add(make_element(Tag(keyword), dictionary_VR(keyword), value))
    return data_set


def make_data_set(elements: dict[BaseTag, DataElement]) -> Dataset:
    """A data set of elements by tag, in a tenth of the time that its class takes.

    pydicom looks at each attribute that a new data set sets of itself; they are the same ones every time.
    """
    data_set = Dataset.__new__(Dataset)
    known = vars(data_set)
    known.update(_FRESH)
    for name, value in _FRESH_CONTAINERS:
        known[name] = value.copy()
    known["_dict"] = elements
    return data_set


def list_elements(data_set: Dataset) -> dict[BaseTag, DataElement]:
    """The elements of a data set by tag, in any order; cheaper than looking each up."""
    return {tag: data_set[tag] if isinstance(found, RawDataElement) else found for tag, found in data_set.items()}


def merge_data_sets(*data_sets: Dataset) -> Dataset:
    """The elements of all of them, of the last one that has each."""
    return make_data_set({tag: found for each in data_sets for tag, found in list_elements(each).items()})


def prepare_attributes(*keywords: str) -> tuple[tuple[BaseTag, str], ...]:
    """Tags and VRs of attributes, for :func:`make_elements`: looked up once where many data sets are made."""
    return tuple((Tag(keyword), dictionary_VR(keyword)) for keyword in keywords)


def make_decimals(tag: BaseTag, texts: str | Sequence[str]) -> DataElement:
    """An element of one Decimal String, or of several, that are right as they are, in a tenth of pydicom's time.

    Places and windows are other ones in each image; what pydicom does beside reading the numbers is to check them.
    """
    if isinstance(texts, str):
        return make_kept_element(tag, "DS", _make_decimal(texts))
    values = MultiValue.__new__(MultiValue)
    vars(values).update(_constructor=DS, _list=[_make_decimal(text) for text in texts])
    return make_kept_element(tag, "DS", values)


def _make_decimal(text: str) -> DSfloat:
    value = float.__new__(DSfloat, text)
    value.original_string, value.auto_format = text, False
    return value


def make_elements(attributes: Iterable[tuple[BaseTag, str]], *values: object) -> dict[BaseTag, DataElement]:
    """Elements of these attributes with these values, in the same order."""
    return {tag: make_element(tag, vr, value) for (tag, vr), value in zip(attributes, values, strict=True)}


@lru_cache(maxsize=256)
def make_short(tag: BaseTag, vr: str, value: str | int) -> DataElement:
    """An element with a value that comes again and again, such as Rows or a date. Nobody changes it."""
    return make_element(tag, vr, value)


def make_kept_element(tag: BaseTag, vr: str, value: object) -> DataElement:
    """An element with one value that pydicom would keep as it is, such as a time."""
    return DataElement(tag, vr, value, already_converted=True, validation_mode=IGNORE)


def element_at(data_set: Dataset, tag: int) -> DataElement | None:
    """The attribute; None where ``data_set`` does not have it."""
    try:
        return data_set[tag]
    except KeyError:
        return None


def index_elements(data_set: Dataset) -> dict[int, DataElement]:
    """The elements of a data set by tag, those without a value too, for many look-ups."""
    return {int(tag): found for tag, found in list_elements(data_set).items()}


def index_values(data_set: Dataset) -> dict[int, DataElement]:
    """The elements of a data set that have a value, by tag: a look-up in it costs a tenth of one in a data set."""
    return keep_filled(list_elements(data_set))


def keep_filled(elements: Mapping[BaseTag, DataElement]) -> dict[int, DataElement]:
    """Those that have a value."""
    return {int(tag): found for tag, found in elements.items() if has_length(found)}  # a plain number is found sooner


def has_length(found: DataElement) -> bool:
    """Whether the length of an element is not zero; the same as pydicom's ``is_empty`` in a quarter of its time."""
    value: object = found.value
    return bool(value) or isinstance(value, int | float | Decimal)


def copy_value(tag: BaseTag, vr: str, found: DataElement) -> DataElement:
    """The value of an element as an attribute of a new data set; ``vr`` is no sequence."""
    value = found.value
    if vr == found.VR and type(value) not in _COPIED:
        return DataElement(tag, vr, value, already_converted=True, validation_mode=IGNORE)
    return make_element(tag, vr, _forget_origin(value))


def copy_element(found: DataElement) -> DataElement:
    """A copy for another data set, with the items of a sequence."""
    if found.VR == "SQ":
        return make_sequence(found.tag, [copy_item(item) for item in found.value])
    return copy_value(found.tag, found.VR, found)


def copy_elements(elements: Mapping[BaseTag, DataElement]) -> dict[BaseTag, DataElement]:
    """Copies for another data set, by tag."""
    return {tag: copy_element(found) for tag, found in elements.items()}


def copy_item(item: Dataset) -> Dataset:
    """A copy of a sequence item that forgets the character set it was read with."""
    return make_data_set({found.tag: copy_element(found) for found in item if found.tag != SPECIFIC_CHARACTER_SET})


def _forget_origin(value: object) -> object:
    """A value as another data set may have it: names become text, so that they are encoded anew when written."""
    if isinstance(value, PersonName):
        return str(value)
    if isinstance(value, MultiValue | list):
        return [_forget_origin(part) for part in value]
    return value
