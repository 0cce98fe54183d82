"""Data sets as the database keeps them: the DICOM JSON model (PS3.18 Annex F), of clean texts and finite numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pydicom.valuerep import IS, DSfloat, PersonName

from openmodality.dimse.repeated_elements import duplicate_element
from openmodality.encoding.vr import is_private
from openmodality.standard.text_rules import clean_text
from openmodality.standard.vr_groups import NAME_GROUPS
from openmodality.store.listing.reader import Json

_PLAIN_VRS: Final = frozenset(("AE", "AS", "CS", "DA", "DT", "LO", "LT", "SH", "ST", "TM", "UC", "UI", "UR", "UT"))
"""Those whose values are texts in JSON as they are in a data set."""
_INTEGERS: Final = frozenset(("IS", "UL", "US"))
_REMEMBERED: Final = 4096
_LONGEST_REMEMBERED: Final = 128


def to_json(data_set: Dataset) -> Json:
    """A data set as the database keeps it; elements that no JSON can hold are left out."""
    made: Json = {}
    others: dict[BaseTag, Any] = {}
    for element in data_set.values():
        plain = _write_plain(element) if isinstance(element, DataElement) else None
        if plain is None:
            others[element.tag] = element
        else:
            made[_write_tag(element.tag)] = plain
    if others:
        rest = Dataset(others, parent_encoding=data_set.original_character_set or data_set._character_set)
        made |= _clean_elements(rest.to_json_dict(suppress_invalid_tags=True))
    return made


def to_json_text(data_set: Dataset) -> str:
    """:func:`to_json` as the text that a database keeps: that of an element which is often the same is made once."""
    texts = []
    for element in data_set.values():
        text = _write_text(element) if isinstance(element, DataElement) else None
        if text is None:
            return json.dumps(to_json(data_set))
        texts.append(text)
    return f"{{{', '.join(texts)}}}"


def _write_text(element: DataElement) -> str | None:
    """An element with its tag, as :func:`_write_plain` has it; None for what that leaves to pydicom."""
    vr, value = element.VR, element.value
    if vr == "SQ":
        return f'"{_write_tag(element.tag)}": {{"vr": "SQ", "Value": [{", ".join(map(to_json_text, value))}]}}'
    if vr in _PLAIN_VRS and type(value) in (str, UID):
        return _write_text_value(element.tag, vr, str(value))
    if type(value) is PersonName and value:
        return _write_name(element.tag, vr, value.components)
    plain = _write_plain(element)
    return None if plain is None else f'"{_write_tag(element.tag)}": {json.dumps(plain)}'


@lru_cache(maxsize=_REMEMBERED)
def _write_text_value(tag: int, vr: str, text: str) -> str:
    written = json.dumps(clean_text(text, lines=True))
    return f'"{tag:08X}": {{"vr": "{vr}", "Value": [{written}]}}' if text else f'"{tag:08X}": {{"vr": "{vr}"}}'


@lru_cache(maxsize=_REMEMBERED)
def _write_name(tag: int, vr: str, components: tuple[str, ...]) -> str:
    groups = {name: clean_text(text) for name, text in zip(NAME_GROUPS, components, strict=False)}
    return f'"{tag:08X}": {{"vr": "{vr}", "Value": [{json.dumps(groups)}]}}'


def _write_plain(element: DataElement) -> Json | None:
    """A sequence, a name, one text or one number, as PS3.18 F.2 has it; None for all else, which pydicom writes."""
    vr, value = element.VR, element.value
    if vr == "SQ":
        return {"vr": vr, "Value": [to_json(item) for item in value]}
    if vr in _PLAIN_VRS and type(value) in (str, UID):
        return {"vr": vr, "Value": [clean_text(str(value), lines=True)]} if value else {"vr": vr}
    if type(value) is PersonName and value:
        groups = zip(NAME_GROUPS, value.components, strict=False)
        return {"vr": vr, "Value": [{name: clean_text(text) for name, text in groups}]}
    if vr in _INTEGERS and type(value) in (int, IS):
        return {"vr": vr, "Value": [int(value)]}
    if vr == "DS" and type(value) is DSfloat and math.isfinite(value):
        return {"vr": vr, "Value": [float(value)]}
    return None


@lru_cache(maxsize=_REMEMBERED)
def _write_tag(tag: int) -> str:
    return f"{tag:08X}"


def from_json(value: Mapping[str, Any]) -> Dataset:
    """A data set that was kept."""
    elements: dict[BaseTag, Any] = {}
    others: Json = {}
    for tag, mapping in value.items():
        element = _read_plain(tag, mapping)
        if element is None:
            others[tag] = mapping
        else:
            elements[element.tag] = element
    made = Dataset(elements)
    for element in Dataset.from_json(others) if others else ():
        made.add(element)
    return made


def _read_plain(tag: str, mapping: Mapping[str, Any]) -> DataElement | None:
    """An element of a sequence or of one short value; None for another, which pydicom reads."""
    vr, values = mapping["vr"], mapping.get("Value", ())
    if is_private(int(tag, 16)):
        return None
    if vr == "SQ":
        return DataElement(BaseTag(int(tag, 16)), "SQ", [from_json(item or {}) for item in values])
    if len(mapping) == 1:
        return duplicate_element(_make_element(tag, vr, None))
    if vr not in _PLAIN_VRS or len(values) != 1 or type(values[0]) is not str or len(values[0]) > _LONGEST_REMEMBERED:
        return None
    return None if "\\" in values[0] else duplicate_element(_make_element(tag, vr, values[0]))


@lru_cache(maxsize=_REMEMBERED)
def _make_element(tag: str, vr: str, text: str | None) -> DataElement:
    """An element as pydicom reads it from JSON. Nobody changes it."""
    return DataElement.from_json(Dataset, tag, vr, [""] if text is None else [text], None if text is None else "Value")


def _clean_elements(elements: Mapping[str, Any]) -> Json:
    """The elements without those whose numbers are none: JSON has no word for them, and a database refuses it."""
    return {tag: _clean_value(element) for tag, element in elements.items() if _is_finite(element.get("Value"))}


def _is_finite(values: Any) -> bool:
    return all(math.isfinite(value) for value in values or () if isinstance(value, float))


def _clean_value(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value, lines=True)
        case list():
            return [_clean_elements(each) if _is_item(each) else _clean_value(each) for each in value]
        case dict():
            return {name: _clean_value(each) for name, each in value.items()}
    return value


def _is_item(value: Any) -> bool:
    """Whether a value is an item of a sequence, and not the groups of a name."""
    return isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())
