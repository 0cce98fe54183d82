"""A match as bytes, without an object for each of its elements: a query may have ten thousand matches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.reading import values_of
from openmodality.dimse.repertoires import holds
from openmodality.encoding.headers import layout_of
from openmodality.encoding.texts import TEXT_VRS, encode_component
from openmodality.standard.character_sets import UTF_8
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET
from openmodality.standard.text_rules import MULTI_LINE_VRS

_BINARY: Final = {"US": 2, "UL": 4}
_OF_VALUES: Final = re.compile(r"(\\)")
_DELIMITERS: Final = {"PN": re.compile(r"([\\^=])")}
_PADDING: Final = {"UI": b"\0"}


class MatchElement(NamedTuple):
    """An element of a match; several values of a text stand between backslashes."""

    tag: int
    vr: str
    text: str


def encode_match(
    elements: Sequence[MatchElement],
    transfer_syntax: str,
    character_sets: Iterable[Sequence[str]],
    further: Dataset | None = None,
) -> bytes:
    """The bytes of a match, whose elements are in the order of their tags, and of ``further`` elements.

    Text beyond ASCII goes in the first of the character sets that holds it, in UTF-8 where none does.
    """
    foreign = "".join(element.text for element in elements if not element.text.isascii() and element.vr in TEXT_VRS)
    if further is not None:
        foreign += "".join(_list_foreign(further))
    terms = tuple(_choose_terms(foreign, character_sets)) if foreign else ()
    if further is not None:
        return _encode_as_data_set(elements, transfer_syntax, terms, further)
    if foreign:
        declared = MatchElement(SPECIFIC_CHARACTER_SET, "CS", "\\".join(terms))
        others = [element for element in elements if element.tag != SPECIFIC_CHARACTER_SET]
        elements = sorted([declared, *others])
    layout = layout_of(transfer_syntax)
    pieces: list[bytes] = []
    for tag, vr, text in elements:
        value = _encode_value(vr, text, terms, big_endian=layout.big_endian)
        pieces += (layout.write(tag, vr, len(value)), value)
    return b"".join(pieces)


def _encode_value(vr: str, text: str, terms: tuple[str, ...], *, big_endian: bool) -> bytes:
    if vr in _BINARY:
        numbers = (int(each) for each in text.split("\\") if each)
        return b"".join(number.to_bytes(_BINARY[vr], "big" if big_endian else "little") for number in numbers)
    value = text.encode("ascii", "replace") if text.isascii() or vr not in TEXT_VRS else _encode_text(vr, text, terms)
    return value + _PADDING.get(vr, b" ") if len(value) % 2 else value


def _encode_text(vr: str, text: str, terms: tuple[str, ...]) -> bytes:
    """Text beyond ASCII: what lies between delimiters is encoded by itself (PS3.5 6.1.2.5.3)."""
    delimiters = _DELIMITERS.get(vr, _OF_VALUES)
    pieces = [text] if vr in MULTI_LINE_VRS else delimiters.split(text)
    return b"".join(encode_component(piece, terms) for piece in pieces)


def _choose_terms(foreign: str, character_sets: Iterable[Sequence[str]]) -> Sequence[str]:
    characters = set(foreign)
    return next((terms for terms in character_sets if any(terms) and holds(terms, characters)), (UTF_8,))


def _list_foreign(data_set: Dataset) -> Iterator[str]:
    """The text beyond ASCII of a data set; an item has no character set of its own any more."""
    data_set.pop(SPECIFIC_CHARACTER_SET, None)
    for element in data_set:
        if element.VR == "SQ":
            for item in element.value:
                yield from _list_foreign(item)
        elif element.VR in TEXT_VRS:
            yield from (text for value in values_of(element) if not (text := str(value)).isascii())


def _encode_as_data_set(
    elements: Sequence[MatchElement], transfer_syntax: str, terms: Sequence[str], further: Dataset
) -> bytes:
    data_set = Dataset()
    for element in further:
        data_set.add(element)
    if terms:
        data_set.SpecificCharacterSet = list(terms)
    for tag, vr, text in elements:
        if tag == SPECIFIC_CHARACTER_SET:
            continue
        if vr == "SQ":
            data_set.add(DataElement(tag, vr, []))
        elif vr in _BINARY:
            data_set.add(DataElement(tag, vr, [int(each) for each in text.split("\\") if each] or None))
        else:
            data_set.add(DataElement(tag, vr, text))
    return encode_data_set(data_set, transfer_syntax)
