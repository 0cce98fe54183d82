"""Reads and writes texts for pydicom, so that a data set of pydicom says what ``encoding.texts`` reads.

pydicom hands a name of its own for each character set from the data set to whoever reads a value: what stands in
``python_encoding`` for a term, and any codec of Python for a term that it does not know. Here a term that is none of
DICOM's is ``UNKNOWN``, whatever Python has under its name.
"""

from __future__ import annotations

import re
from collections.abc import MutableSequence, Sequence
from typing import Any, Final

from pydicom.charset import default_encoding, python_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.hooks import raw_element_value
from pydicom.multival import MultiValue
from pydicom.valuerep import PersonName

from openmodality.encoding.texts import TEXT_VRS, decode_element_text, encode_component
from openmodality.standard.character_sets import STAND_ALONE, find_extension, is_known, spell
from openmodality.standard.text_rules import MULTI_LINE_VRS

UNKNOWN: Final = "ascii"
"""What pydicom gets in place of a term that is not one of DICOM's: of such a text it keeps the ASCII."""


_NUMBERS_AS_TEXT: Final = ("DS", "IS")
_NUMBERS: Final = re.compile(rb"[0-9+\-.eE\\ \0]*")


def _name_set(term: str) -> str:
    """The name that pydicom has for a character set; Python's for one that it does not know."""
    if term in python_encoding:
        return python_encoding[term]
    element = find_extension(term)
    return element.codec if element else STAND_ALONE[term]


def _terms_by_name() -> dict[str, str]:
    terms = ["ISO_IR 203", "ISO_IR 87", "ISO_IR 159", *filter(is_known, python_encoding), ""]
    return {_name_set(term): term for term in terms}


_TERMS: Final = _terms_by_name()


def convert_terms(terms: str | Sequence[str] | None) -> list[str]:
    """The names that pydicom has for the value of (0008,0005); names that it has already are kept."""
    listed = [terms] if terms is None or isinstance(terms, str) else list(terms)
    return [_convert(spell(str(term or ""))) for term in listed] or [default_encoding]


def _convert(term: str) -> str:
    if term in _TERMS:
        return term
    return _name_set(term) if is_known(term) else UNKNOWN


def read_value(
    raw: RawDataElement,
    data: dict[str, Any],
    *,
    encoding: str | MutableSequence[str] | None = None,
    ds: Dataset | None = None,
    **kwargs: Any,
) -> None:
    """Read the value of an element into ``data``: a hook of pydicom, with its parameters.

    A Decimal or Integer String that is no number is text, ``NaN`` too.
    """
    vr, value = str(data["VR"]), raw.value
    if vr in TEXT_VRS and isinstance(value, bytes) and value:
        names = [encoding] if isinstance(encoding, str) else encoding or [default_encoding]
        data["value"] = read_raw_text(value, vr, names)
    elif vr in _NUMBERS_AS_TEXT and isinstance(value, bytes) and _NUMBERS.fullmatch(value) is None:
        # pydicom would try it as text in the character set of the data set, and as infinity.
        data["value"] = read_raw_text(value, "SH", [UNKNOWN])
    else:
        raw_element_value(raw, data, encoding=encoding, ds=ds, **kwargs)


def write_text(text: str, names: Sequence[str]) -> bytes:
    """Encode a value, or a component of a name, in the character sets that pydicom has these names for."""
    return encode_component(text, tuple(_TERMS.get(name, UNKNOWN) for name in names))


def read_raw_text(raw: bytes, vr: str, names: Sequence[str]) -> object:
    """The value of an element of text, or its values; ``names`` are what pydicom calls the character sets."""
    terms = tuple(_TERMS.get(name, UNKNOWN) for name in names)
    text = decode_element_text(raw, terms, vr)
    if vr in MULTI_LINE_VRS:
        return text
    values: list[Any] = [value.rstrip("\0 ") for value in text.split("\\")]
    if vr == "PN":
        values = [PersonName(value, names) for value in values]
    return values[0] if len(values) == 1 else MultiValue(type(values[0]), values)
