"""Which characters a character set holds (PS3.3 C.12.1.1.2), checked character by character.

A codec of the same name holds more than the repertoire of DICOM does: the default repertoire is ASCII, which pydicom
reads as Latin-1, and Python's ISO 2022 codecs hold further sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import filterfalse

from pydicom import Dataset

from openmodality.dimse.reading import read_element, values_of
from openmodality.encoding.texts import TEXT_VRS, encode_character
from openmodality.standard.character_sets import (
    ASCII,
    JIS_X_0201,
    LATIN_1,
    STAND_ALONE,
    UTF_8,
    find_extension,
    find_unknown,
)
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET

_HALF_WIDTH_KATAKANA = range(0xFF61, 0xFFA0)


def holds(terms: Sequence[str], characters: Iterable[str]) -> bool:
    """Whether each of the characters is in one of the character sets that the defined terms name.

    No term, and an empty one, means the default repertoire.
    """
    sets = terms or ("",)
    return all(any(_has_character(term, character) for term in sets) for character in characters)


def declare_readable(data_set: Dataset) -> None:
    """Declare UTF-8 for a data set of others that is passed on, where what it declares cannot be written.

    That is a character set that DICOM does not define, or one that cannot hold the text as it was read: U+FFFD for what
    was no text, or a set that was called without being declared. Latin-1 without a declaration goes out as it came in.
    """
    found = read_element(data_set, SPECIFIC_CHARACTER_SET)
    terms = [str(term or "") for term in values_of(found)] if found is not None else []
    characters = set(_list_characters(data_set))
    if find_unknown(terms) or not holds(terms if any(terms) else (LATIN_1,), characters):
        data_set.SpecificCharacterSet = UTF_8


def _list_characters(data_set: Dataset) -> Iterator[str]:
    """The characters beyond ASCII in all text of a data set."""
    for tag in map(int, list(data_set.keys())):
        element = read_element(data_set, tag)
        if element is not None and element.VR == "SQ":
            for item in element.value:
                yield from _list_characters(item)
        elif element is not None and element.VR in TEXT_VRS:
            text = "".join(map(str, values_of(element)))
            yield from () if text.isascii() else filterfalse(str.isascii, text)


@lru_cache(maxsize=4096)
def _has_character(term: str, character: str) -> bool:
    if term in ASCII:
        return character.isascii()
    if term in JIS_X_0201:
        # JIS X 0201 has the yen sign and the overline where ASCII has backslash and tilde.
        return (character.isascii() and character not in "\\~") or ord(character) in _HALF_WIDTH_KATAKANA
    if term in STAND_ALONE:
        return _encode(STAND_ALONE[term], character) != b""
    element = find_extension(term)
    if element is None:
        return False
    return encode_character(character, element) is not None or (character.isascii() and not element.in_g0)


def _encode(codec: str, character: str) -> bytes:
    """The character in the codec; empty where it is not in it, or the codec is unknown."""
    try:
        return character.encode(codec)
    except (LookupError, UnicodeEncodeError):
        return b""
