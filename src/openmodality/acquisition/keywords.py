"""Attributes given as DICOM keywords and plain values, as a companion file or a caller's program has them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import isfinite

import numpy as np
from pydicom.config import IGNORE, RAISE
from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from openmodality.acquisition.attribute_values import check_count, check_given
from openmodality.encoding.texts import TEXT_VRS
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.elements import make_data_set
from openmodality.standard.text_rules import MULTI_LINE_VRS
from openmodality.standard.value_rules import RIGHT_FORMS, format_decimal, is_plain_decimal

LONGEST_SHOWN = 64
_REMEMBERED = frozenset((str, int, float))
_MOST_REMEMBERED = 16
"""Values of a list; longer ones are not those of a series."""


def attributes_of(values: Mapping[str, object], where: str) -> Dataset:
    """A data set from keywords and values: text, numbers, and lists of them.

    ``where`` names the origin in the error. Numbers of any precision may be given for a Decimal String.

    Raises :class:`ObjectInvalid` where a keyword is not DICOM's, or its value is none of its VR and cannot be mended
    (``standard.value_rules``), or there are too many or too few values.
    """
    elements: dict[BaseTag, DataElement] = {}
    for keyword, value in values.items():
        element = _make_known(keyword, value)
        if element is None:
            element = _make_checked(keyword, value, where)
        elements[element.tag] = element
    return make_data_set(elements)


def _make_known(keyword: str, value: object) -> DataElement | None:
    """The element of a value that came before; None where it has to be made: most values of a series are the same."""
    parts = tuple(value) if isinstance(value, list | tuple) else (value,)
    types = tuple(map(type, parts))  # 1, 1.0 and True are one key
    if len(parts) > _MOST_REMEMBERED or not _REMEMBERED.issuperset(types):
        return None
    try:
        return _remember(keyword, parts if isinstance(value, list | tuple) else value, types)
    except ObjectInvalid:
        pass  # made again, so that the error says where
    return None


@lru_cache(maxsize=1024)
def _remember(keyword: str, value: object, _types: object) -> DataElement:
    return _make_checked(keyword, value, "")


def _make_checked(keyword: str, value: object, where: str) -> DataElement:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ObjectInvalid(
            f"{where}: {keyword[:LONGEST_SHOWN]} is not a DICOM keyword", advice="use keywords such as SliceThickness"
        )
    vr = dictionary_VR(tag).split(" or ")[0]
    if vr == "DS" and (texts := _format_numbers(value)):
        text = texts[0] if len(texts) == 1 else texts
        return check_count(DataElement(Tag(tag), vr, text, validation_mode=IGNORE), where)
    try:
        element = check_given(_make_element(tag, vr, value), where)
        return DataElement(Tag(tag), vr, element.value, validation_mode=RAISE)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ObjectInvalid(f"{where}: the value of {keyword} does not fit its value representation {vr}") from error


def _format_numbers(value: object) -> list[str]:
    """Numbers as Decimal Strings, right as they are; none where a value is another thing, or is to be looked at."""
    numbers = value if isinstance(value, list | tuple) else (value,)
    if not all(type(each) in (int, float) and isfinite(each) for each in numbers):
        return []
    texts = [str(each) if isinstance(each, int) else format_decimal(each) for each in numbers]
    return texts if all(map(is_plain_decimal, texts)) else []


def _make_element(tag: int, vr: str, value: object) -> DataElement:
    plain = _make_plain(value, vr)
    if vr not in RIGHT_FORMS and vr not in TEXT_VRS:
        return DataElement(Tag(tag), vr, plain, validation_mode=RAISE)
    values = plain if isinstance(plain, list) else [plain]
    texts = [text for each in values for text in _split(str(each), vr, tag)]
    # As text, so that what is no number comes to the rules of values.
    return DataElement(Tag(tag), vr, texts[0] if len(texts) == 1 else MultiValue(str, texts), already_converted=True)


def _split(text: str, vr: str, tag: int) -> list[str]:
    """The values of a text; where an attribute has one value only, a backslash is a mistake that its rule names."""
    return [text] if vr in MULTI_LINE_VRS or dictionary_VM(tag) == "1" else text.split("\\")


def _make_plain(value: object, vr: str) -> object:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_make_plain(item, vr) for item in value]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError("neither text, number nor list")
    if vr == "DS" and not isinstance(value, str):
        return str(value) if isinstance(value, int) else format_decimal(value)
    if vr in ("US", "SS", "UL", "SL") and not isinstance(value, int):
        raise TypeError("not a whole number")
    return value
