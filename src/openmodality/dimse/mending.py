"""Mends elements that others wrote, by the rules of ``standard.value_rules``, and says what a code item lacks."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from pydicom import Dataset, config
from pydicom.dataelem import DataElement
from pydicom.valuerep import PersonName

from openmodality.dimse.attribute_names import keyword_of
from openmodality.dimse.reading import read_elements, values_of
from openmodality.encoding.texts import TEXT_VRS
from openmodality.standard.tags import (
    CODE_MEANING,
    CODE_VALUE,
    CODING_SCHEME_DESIGNATOR,
    LONG_CODE_VALUE,
    URN_CODE_VALUE,
)
from openmodality.standard.value_lengths import MAX_CHARACTERS
from openmodality.standard.value_rules import ENUMERATED, is_plain_decimal, is_plain_value, mend_value
from openmodality.value_class import dataclass

_TEXTUAL_VRS: Final = frozenset(MAX_CHARACTERS) | {"UC", "UT"}
_IDENTIFYING_VRS: Final = TEXT_VRS - {"PN"}
_OF_CODES: Final = (CODE_VALUE, CODING_SCHEME_DESIGNATOR)
_OF_CODES_AND_MEANING: Final = (*_OF_CODES, LONG_CODE_VALUE, URN_CODE_VALUE, CODE_MEANING)
_TYPES: Final = MappingProxyType[str, Callable[[str], object]]({"PN": PersonName})


@dataclass(frozen=True, slots=True)
class MendedElement:
    """An element after its rules were applied; None where a value cannot be used. ``problem`` quotes no value."""

    element: DataElement | None
    problem: str = ""


def list_written(element: DataElement) -> list[str]:
    """The values of an element of text or numbers, as they are written."""
    if element.VR not in ("DS", "IS"):
        return list(map(str, values_of(element)))
    return [str(getattr(value, "original_string", None) or value) for value in values_of(element)]


def mend_element(element: DataElement, *, cut: bool = False) -> MendedElement:
    """Mend the values of an element; with ``cut`` a text that is too long loses its end.

    An element with nothing to mend is returned as it is, and so is one that holds neither text nor numbers as text.
    """
    if element.VR == "DS" and all(map(is_plain_decimal, list_written(element))):
        return MendedElement(element)
    if element.VR not in _TEXTUAL_VRS or any(isinstance(value, bytes) for value in values_of(element)):
        return MendedElement(element)
    texts = list_written(element)
    if element.tag not in ENUMERATED and all(is_plain_value(element.VR, text) for text in texts):
        return MendedElement(element)
    mended = [mend_value(element.VR, text, tag=int(element.tag), cut=cut) for text in texts]
    problem = next((each.problem for each in mended if each.problem), "")
    if any(each.text is None for each in mended):
        return MendedElement(None, next(each.problem for each in mended if each.text is None))
    if not problem:
        return MendedElement(element)
    make = _TYPES.get(element.VR, str)
    values = [make(each.text or "") for each in mended]
    value = values[0] if len(values) == 1 else values
    return MendedElement(DataElement(element.tag, element.VR, value, validation_mode=config.IGNORE), problem)


def mend_copied(element: DataElement) -> MendedElement:
    """Mend the values of an element that is copied to where nobody can be asked.

    A text that is too long loses its end. An identifier never does, because it would name something else; a text that
    identifies something and cannot be mended stays as it is, except in a code.
    """
    tag = int(element.tag)
    mended = mend_element(element, cut=not is_identifier(tag))
    is_kept = element.VR in _IDENTIFYING_VRS and is_identifier(tag) and tag not in _OF_CODES
    return MendedElement(element, mended.problem) if mended.element is None and is_kept else mended


@lru_cache(maxsize=4096)
def is_identifier(tag: int) -> bool:
    """Whether the attribute identifies something, so that a changed value would name something else."""
    keyword = keyword_of(tag)
    return "Number" in keyword or keyword.endswith(("ID", "IDs", "UID", "Locator", "Value", "Designator"))


def is_code_sequence(tag: int) -> bool:
    """Whether the items of a sequence are codes (PS3.3 8.8), by the name that PS3.6 gives to all such sequences."""
    return keyword_of(tag).endswith("CodeSequence")


def list_missing_in_code(item: Dataset) -> tuple[int, ...]:
    """What a code item lacks: a value, the scheme that says what the value means, or the meaning in words."""
    elements, missing = read_elements(item), []
    there = {tag for tag in _OF_CODES_AND_MEANING if (found := elements.get(tag)) is not None and values_of(found)}
    if URN_CODE_VALUE in there:
        pass  # a URN names its scheme itself
    elif not there & {CODE_VALUE, LONG_CODE_VALUE}:
        missing.append(CODE_VALUE)
    elif CODING_SCHEME_DESIGNATOR not in there:
        missing.append(CODING_SCHEME_DESIGNATOR)
    if CODE_MEANING not in there:
        missing.append(CODE_MEANING)
    return tuple(missing)
