"""Which characters a character set holds (PS3.3 C.12.1.1.2), checked character by character.

A codec of the same name holds more than the repertoire of DICOM does: the default repertoire is ASCII, which pydicom
reads as Latin-1, and Python's ISO 2022 codecs hold further sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydicom.charset import python_encoding

from openmodality.standard.character_sets import ASCII, JIS_X_0201, MULTI_BYTE_JAPANESE

_HALF_WIDTH_KATAKANA = range(0xFF61, 0xFFA0)


def holds(terms: Sequence[str], characters: Iterable[str]) -> bool:
    """Whether each of the characters is in one of the character sets that the defined terms name.

    No term, and an empty one, means the default repertoire.
    """
    sets = terms or ("",)
    return all(any(_has_character(term, character) for term in sets) for character in characters)


def _has_character(term: str, character: str) -> bool:
    if term in ASCII:
        return character.isascii()
    if term in JIS_X_0201:
        # JIS X 0201 has the yen sign and the overline where ASCII has backslash and tilde.
        return (character.isascii() and character not in "\\~") or ord(character) in _HALF_WIDTH_KATAKANA
    if term in MULTI_BYTE_JAPANESE:
        codec, escape = MULTI_BYTE_JAPANESE[term]
        return _encode(codec, character).startswith(escape)
    return _encode(python_encoding.get(term, ""), character) != b""


def _encode(codec: str, character: str) -> bytes:
    """The character in the codec; empty where it is not in it, or the codec is unknown."""
    try:
        return character.encode(codec)
    except (LookupError, UnicodeEncodeError):
        return b""
