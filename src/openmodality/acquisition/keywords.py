"""Attributes given as DICOM keywords and plain values, as a companion file or a caller's program has them.

A sequence is a list of items, each a table of keywords and values (or one of pydicom's data sets). Values of bytes are
given as bytes, as a list of whole numbers, or as DICOM JSON has them: ``{"InlineBinary": "..."}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Final

import numpy as np
from pydicom.config import IGNORE, RAISE
from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as ItemSequence
from pydicom.tag import BaseTag, Tag

from openmodality.acquisition.attribute_values import check_given, check_given_item, check_together
from openmodality.acquisition.binary_values import make_bytes, make_tag, pick_vr
from openmodality.dimse.attribute_names import name_of
from openmodality.encoding.texts import TEXT_VRS
from openmodality.encoding.uid import is_valid_uid
from openmodality.errors import ObjectInvalid
from openmodality.objects.private_names import PrivateKey, parse_key
from openmodality.objects.rules.elements import make_data_set, make_element, make_sequence
from openmodality.standard.text_rules import MULTI_LINE_VRS
from openmodality.standard.value_lengths import MAX_CHARACTERS
from openmodality.standard.value_rules import RIGHT_FORMS, format_decimal, is_plain_decimal
from openmodality.standard.vr_groups import BYTES_VRS

LONGEST_SHOWN = 64
_REMEMBERED = frozenset((str, int, float))
_MOST_REMEMBERED = 16
"""Values of a list; longer ones are not those of a series."""
_LARGEST_INTEGER: Final[int] = 10 ** MAX_CHARACTERS["DS"]
_INTEGERS = ("US", "SS", "UL", "SL", "UV", "SV")
_NOT_FITTING = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def attributes_of(values: Mapping[str, object], where: str) -> Dataset:
    """A data set from keywords and values: text, numbers, lists of them, and items of sequences.

    ``where`` names the origin in the error. Numbers of any precision may be given for a Decimal String. Private
    attributes are given by their keys (``objects.private_names``); the element that reserves their block is added.

    Raises :class:`ObjectInvalid` where a keyword is not DICOM's, or its value does not fit its VR and cannot be mended
    (``standard.value_rules``), or there are too many or too few values.
    """
    elements: dict[BaseTag, DataElement] = {}
    for keyword, value in values.items():
        element = _make_known(keyword, value)
        if element is None:
            element = _make_checked(keyword, value, where)
        elements[element.tag] = element
        if element.tag.is_private and (key := parse_key(keyword)) is not None:
            elements[Tag(key.creator_tag)] = make_element(Tag(key.creator_tag), "LO", key.creator)
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
    private = parse_key(keyword)
    tag = private.tag if private else tag_for_keyword(keyword)
    if tag is None:
        raise ObjectInvalid(
            f"{where}: {keyword[:LONGEST_SHOWN]} is not a DICOM keyword", advice="use keywords such as SliceThickness"
        )
    vr = private.vr if private else pick_vr(dictionary_VR(tag), value)
    if vr == "DS" and (texts := _format_numbers(value)):
        text = texts[0] if len(texts) == 1 else texts
        return check_together(DataElement(Tag(tag), vr, text, validation_mode=IGNORE), where)
    try:
        if vr == "SQ":
            return check_together(make_sequence(Tag(tag), _make_items(keyword, value, where)), where)
        element = check_given(_make_element(tag, vr, value, private), where)
        return DataElement(Tag(tag), vr, element.value, validation_mode=RAISE)
    except _NOT_FITTING as error:
        raise ObjectInvalid(
            f"{where}: the value of {name_of(tag)} does not fit its value representation {vr}", tag=tag
        ) from error


def _format_numbers(value: object) -> list[str]:
    """Numbers as Decimal Strings, right as they are; none where a value is another thing, or is to be looked at."""
    numbers = value if isinstance(value, list | tuple) else (value,)
    if not all(_is_usual_number(each) for each in numbers):
        return []
    texts = [str(each) if isinstance(each, int) else format_decimal(each) for each in numbers]
    return texts if all(map(is_plain_decimal, texts)) else []


def _is_usual_number(value: object) -> bool:
    """Whether a value is a finite number; whole ones may be too long to be one, or to be written at all."""
    if isinstance(value, float):
        return type(value) is float and isfinite(value)
    return type(value) is int and abs(value) < _LARGEST_INTEGER


def _make_items(keyword: str, value: object, where: str) -> list[Dataset]:
    """The items of a sequence; an empty text is no item, as a value that is not known."""
    given = [value] if isinstance(value, Mapping | Dataset) else value
    if given in ("", None):
        return []
    if not isinstance(given, list | tuple | ItemSequence):
        raise TypeError("no list of items")
    return [_make_item(each, f"{where}: {keyword} item {number}") for number, each in enumerate(given, 1)]


def _make_item(given: object, where: str) -> Dataset:
    if isinstance(given, Dataset):
        return check_given_item(given, where)
    if not isinstance(given, Mapping):
        raise TypeError("no table of keywords and values")
    return attributes_of(given, where)


def _make_element(tag: int, vr: str, value: object, private: PrivateKey | None) -> DataElement:
    if vr in BYTES_VRS:
        return DataElement(Tag(tag), vr, make_bytes(vr, value), validation_mode=RAISE)
    if vr == "AT":
        return DataElement(Tag(tag), vr, make_tag(value), validation_mode=RAISE)
    plain = _make_plain(value, vr)
    if vr not in RIGHT_FORMS and vr not in TEXT_VRS:
        _check_plain(plain, vr)
        return DataElement(Tag(tag), vr, plain, validation_mode=RAISE)
    values = plain if isinstance(plain, list) else [plain]
    is_single = vr in MULTI_LINE_VRS or (private is None and dictionary_VM(tag) == "1")
    # Where an attribute has one value only, a backslash is a mistake that its rule names.
    texts = [text for each in values for text in ([str(each)] if is_single else str(each).split("\\"))]
    # As text, so that what is no number comes to the rules of values.
    return DataElement(Tag(tag), vr, texts[0] if len(texts) == 1 else MultiValue(str, texts), already_converted=True)


def _check_plain(plain: object, vr: str) -> None:
    for each in plain if isinstance(plain, list) else [plain]:
        if each is None or each == "":
            continue
        if vr == "UI" and not is_valid_uid(str(each)):
            raise ValueError("no UID")
        if vr in ("FL", "FD") and not np.isfinite(float(str(each))):
            raise ValueError("no number")
        if vr == "FL" and abs(float(str(each))) > np.finfo(np.float32).max:
            raise ValueError("too large")


def _make_plain(value: object, vr: str) -> object:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_make_plain(item, vr) for item in value]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError("neither text, number nor list")
    if vr == "DS" and not isinstance(value, str):
        return str(value) if isinstance(value, int) else format_decimal(value)
    if vr in _INTEGERS or vr in ("FL", "FD"):
        return _make_number(value, vr)
    return value


def _make_number(value: str | float, vr: str) -> object:
    """A number, which a command line has as text."""
    if isinstance(value, str):
        if not value.strip():
            return None
        return int(value) if vr in _INTEGERS else float(value)
    if vr in _INTEGERS and not isinstance(value, int):
        raise TypeError("not a whole number")
    return value
