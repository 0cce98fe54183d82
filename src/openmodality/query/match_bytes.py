"""A match as bytes, without an object for each of its elements: a query may have ten thousand matches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.reading import values_of
from openmodality.dimse.repertoires import holds
from openmodality.encoding.headers import HeaderWriter, layout_of
from openmodality.encoding.texts import TEXT_VRS, encode_component, has_extensions
from openmodality.standard.character_sets import UTF_8
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET
from openmodality.standard.text_rules import MULTI_LINE_VRS

_BINARY: Final = {"US": 2, "UL": 4}
_OF_VALUES: Final = re.compile(r"(\\)")
_DELIMITERS: Final = {"PN": re.compile(r"([\\^=])")}
_BYTES: Final = "latin-1"
"""What bytes are as text: each is one character."""


class MatchEncoder:
    """Encodes the matches of one query from parts that are made once.

    ``returned`` are the tags and VRs of their elements, in the order of the tags. Text beyond ASCII goes in the
    first of the character sets that holds it, in UTF-8 where none does.
    """

    def __init__(
        self, returned: Sequence[tuple[int, str]], transfer_syntax: str, character_sets: Sequence[Sequence[str]]
    ) -> None:
        self._returned = [each for each in returned if each[0] != SPECIFIC_CHARACTER_SET]
        self._transfer_syntax = transfer_syntax
        self._repertoires = [(tuple(terms), _Repertoire(terms)) for terms in character_sets if any(terms)]
        layout = layout_of(transfer_syntax)
        self._parts = [_Part(layout.write, tag, vr) for tag, vr in self._returned]
        self._place = sum(tag < SPECIFIC_CHARACTER_SET for tag, _ in self._returned)
        declaration = _Part(layout.write, SPECIFIC_CHARACTER_SET, "CS")
        self._declared_parts = [*self._parts[: self._place], declaration, *self._parts[self._place :]]
        numbers = [(place, _BINARY.get(vr, 0)) for place, (_, vr) in enumerate(self._returned)]
        self._numbers = [(place, length) for place, length in numbers if length]
        self._big_endian = layout.big_endian

    def encode(self, texts: Sequence[str], further: Dataset | None = None) -> bytes:
        """The bytes of one match, and of ``further`` elements.

        ``texts`` has the value of each element, several between backslashes.
        """
        if further is not None:
            return self._encode_as_data_set(texts, further)
        parts, values = self._parts, list(texts)
        terms: tuple[str, ...] = ()
        if not "".join(texts).isascii():
            terms = self._choose_terms(self._list_foreign(texts))
            values = [
                text if text.isascii() else _encode_foreign(vr, text, terms)
                for text, (_, vr) in zip(texts, self._returned, strict=True)
            ]
        for place, length_bytes in self._numbers:
            values[place] = _encode_numbers(texts[place], length_bytes, big_endian=self._big_endian)
        if terms:
            parts = self._declared_parts
            values.insert(self._place, "\\".join(terms))
        return _join(parts, values)

    def _list_foreign(self, texts: Sequence[str]) -> Iterator[str]:
        """The texts beyond ASCII that a character set is declared for."""
        for text, (_, vr) in zip(texts, self._returned, strict=True):
            if vr in TEXT_VRS and not text.isascii():
                yield text

    def _choose_terms(self, foreign: Iterable[str]) -> tuple[str, ...]:
        characters = set("".join(foreign))
        if not characters:
            return ()
        fitting = (terms for terms, held in self._repertoires if all(map(held.__getitem__, characters)))
        return next(fitting, (UTF_8,))

    def _encode_as_data_set(self, texts: Sequence[str], further: Dataset) -> bytes:
        terms = self._choose_terms([*self._list_foreign(texts), *_list_foreign(further)])
        data_set = Dataset()
        for element in further:
            data_set.add(element)
        if terms:
            data_set.SpecificCharacterSet = list(terms)
        for text, (tag, vr) in zip(texts, self._returned, strict=True):
            if vr == "SQ":
                data_set.add(DataElement(tag, vr, []))
            elif vr in _BINARY:
                data_set.add(DataElement(tag, vr, [int(each) for each in text.split("\\") if each] or None))
            else:
                data_set.add(DataElement(tag, vr, text))
        return encode_data_set(data_set, self._transfer_syntax)


class _Repertoire(dict[str, bool]):
    """Whether character sets hold a character, which is found out when it is first asked for."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._terms = terms

    def __missing__(self, character: str) -> bool:
        held = self[character] = holds(self._terms, character)
        return held


class _Part(dict[int, str]):
    """The headers of one element by the length of its value before it is padded, made when they are first asked for."""

    def __init__(self, write: HeaderWriter, tag: int, vr: str) -> None:
        self._write, self._tag, self._vr = write, tag, vr
        self.padding = "\0" if vr == "UI" else " "

    def __missing__(self, length: int) -> str:
        header = self[length] = self._write(self._tag, self._vr, length + length % 2).decode(_BYTES)
        return header


def _join(parts: Sequence[_Part], values: Sequence[str]) -> bytes:
    """The bytes of a match from values whose characters are bytes: encoded once, which a query does for thousands."""
    pieces: list[str] = []
    for part, value in zip(parts, values, strict=True):
        length = len(value)
        pieces += (part[length], value, part.padding) if length & 1 else (part[length], value)
    return "".join(pieces).encode(_BYTES)


def _encode_numbers(text: str, length_bytes: int, *, big_endian: bool) -> str:
    numbers = (int(each) for each in text.split("\\") if each)
    order: Literal["big", "little"] = "big" if big_endian else "little"
    return b"".join(number.to_bytes(length_bytes, order) for number in numbers).decode(_BYTES)


def _encode_foreign(vr: str, text: str, terms: tuple[str, ...]) -> str:
    """Text beyond ASCII: what lies between delimiters is encoded by itself (PS3.5 6.1.2.5.3)."""
    if vr not in TEXT_VRS:
        return text.encode("ascii", "replace").decode("ascii")
    is_whole = vr in MULTI_LINE_VRS or not has_extensions(terms)
    pieces = [text] if is_whole else _DELIMITERS.get(vr, _OF_VALUES).split(text)
    return b"".join(encode_component(piece, terms) for piece in pieces).decode(_BYTES)


def _list_foreign(data_set: Dataset) -> Iterator[str]:
    """The text beyond ASCII of a data set; an item has no character set of its own any more."""
    data_set.pop(SPECIFIC_CHARACTER_SET, None)
    for element in data_set:
        if element.VR == "SQ":
            for item in element.value:
                yield from _list_foreign(item)
        elif element.VR in TEXT_VRS:
            yield from (text for value in values_of(element) if not (text := str(value)).isascii())
