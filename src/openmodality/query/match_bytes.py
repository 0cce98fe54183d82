"""A match as bytes, without an object for each of its elements: a query may have ten thousand matches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.reading import values_of
from openmodality.dimse.repertoires import holds
from openmodality.encoding.headers import HeaderWriter, layout_of
from openmodality.encoding.texts import TEXT_VRS, encode_component
from openmodality.standard.character_sets import UTF_8
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET
from openmodality.standard.text_rules import MULTI_LINE_VRS

_BINARY: Final = {"US": 2, "UL": 4}
_OF_VALUES: Final = re.compile(r"(\\)")
_DELIMITERS: Final = {"PN": re.compile(r"([\\^=])")}
_PADDING: Final = {"UI": b"\0"}


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
        self._parts = [
            (vr, _Headers(layout.write, tag, vr), _make_plain(vr, layout.big_endian)) for tag, vr in self._returned
        ]
        self._declaration = _Headers(layout.write, SPECIFIC_CHARACTER_SET, "CS"), _make_plain("CS", layout.big_endian)
        self._place = 2 * sum(tag < SPECIFIC_CHARACTER_SET for tag, _ in self._returned)

    def encode(self, texts: Sequence[str], further: Dataset | None = None) -> bytes:
        """The bytes of one match, and of ``further`` elements.

        ``texts`` has the value of each element, several between backslashes.
        """
        if further is not None:
            return self._encode_as_data_set(texts, further)
        is_ascii = "".join(texts).isascii()
        terms = () if is_ascii else self._choose_terms(self._list_foreign(texts))
        pieces: list[bytes] = []
        for text, (vr, headers, encode_plain) in zip(texts, self._parts, strict=True):
            value = (
                encode_plain(text)
                if is_ascii or text.isascii() or vr not in TEXT_VRS
                else _encode_text(vr, text, terms)
            )
            pieces += (headers[len(value)], value)
        if terms:
            headers, encode_plain = self._declaration
            value = encode_plain("\\".join(terms))
            pieces[self._place : self._place] = [headers[len(value)], value]
        return b"".join(pieces)

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


class _Headers(dict[int, bytes]):
    """The headers of one element by the length of its value, made when they are first asked for."""

    def __init__(self, write: HeaderWriter, tag: int, vr: str) -> None:
        self._write, self._tag, self._vr = write, tag, vr

    def __missing__(self, length: int) -> bytes:
        header = self[length] = self._write(self._tag, self._vr, length)
        return header


def _make_plain(vr: str, big_endian: bool) -> Callable[[str], bytes]:
    """What encodes values of a VR that need no character set."""
    if vr in _BINARY:
        return partial(_encode_numbers, length=_BINARY[vr], big_endian=big_endian)
    padding = _PADDING.get(vr, b" ")

    def encode_plain(text: str) -> bytes:
        value = text.encode("ascii", "replace")
        return value + padding if len(value) & 1 else value

    return encode_plain


def _encode_numbers(text: str, *, length: int, big_endian: bool) -> bytes:
    numbers = (int(each) for each in text.split("\\") if each)
    return b"".join(number.to_bytes(length, "big" if big_endian else "little") for number in numbers)


def _encode_text(vr: str, text: str, terms: tuple[str, ...]) -> bytes:
    """Text beyond ASCII: what lies between delimiters is encoded by itself (PS3.5 6.1.2.5.3)."""
    delimiters = _DELIMITERS.get(vr, _OF_VALUES)
    pieces = [text] if vr in MULTI_LINE_VRS else delimiters.split(text)
    value = b"".join(encode_component(piece, terms) for piece in pieces)
    return value + b" " if len(value) & 1 else value


def _list_foreign(data_set: Dataset) -> Iterator[str]:
    """The text beyond ASCII of a data set; an item has no character set of its own any more."""
    data_set.pop(SPECIFIC_CHARACTER_SET, None)
    for element in data_set:
        if element.VR == "SQ":
            for item in element.value:
                yield from _list_foreign(item)
        elif element.VR in TEXT_VRS:
            yield from (text for value in values_of(element) if not (text := str(value)).isascii())
