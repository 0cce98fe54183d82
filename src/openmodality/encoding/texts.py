"""Decodes and encodes the text of an element (PS3.5 6.1.2) by the terms of Specific Character Set.

What is decoded is clean Unicode.

1. Only DICOM's own character sets are known. Text in an unknown one keeps its ASCII; each other byte is U+FFFD.
2. An escape sequence calls a set for G0 (bytes 21H to 7EH) or G1 (A0H to FFH). At a delimiter both are again what the
   first term says. Delimiters are the backslash where there may be several values, ``^`` and ``=`` in a name, and the
   controls that may stand in a text.
3. While G0 holds a set of two bytes a character, 3DH, 5CH and 5EH are parts of characters and no delimiters. The same
   is true of the second bytes of GB18030 and GBK. So a value is decoded first, and split after it.
4. What peers do that the standard does not allow is read where it can mean one thing only: an escape sequence of a set
   that was not declared, Latin-1 where no character set is declared, the set of a later term where the first has none
   for a byte of 8 bits, and a G1 that was not called again behind a delimiter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from openmodality.standard.character_sets import (
    ASCII,
    ASCII_ELEMENT,
    ESCAPE_SEQUENCES,
    JIS_X_0201,
    LATIN_1_ELEMENT,
    STAND_ALONE,
    CodeElement,
    find_extension,
    find_unknown,
    spell,
)
from openmodality.standard.text_rules import MULTI_LINE_VRS, REPLACEMENT, clean_text

TEXT_VRS: Final = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))
"""The VRs whose text depends on Specific Character Set (PS3.5 6.1.2.3)."""

_ESCAPE: Final = 0x1B
_SPACE: Final = 0x20
_CONTROLS: Final = b"\t\n\f\r"
_DELIMITERS: Final = {"PN": b"\\^=", "LO": b"\\", "SH": b"\\", "UC": b"\\"}
_LOWEST_IN_G1: Final = 0xA0
_CALLS: Final = {element: sequence for sequence, element in ESCAPE_SEQUENCES.items()}
_SEQUENCE: Final = re.compile(b"|".join(map(re.escape, ESCAPE_SEQUENCES)))


@lru_cache(maxsize=64)
def decode_terms(raw: bytes) -> tuple[str, ...]:
    """The terms in the value of (0008,0005) Specific Character Set; none where it is empty."""
    terms = tuple(spell(term.strip("\0 ")) for term in raw.decode("ascii", "replace").split("\\"))
    return terms if any(terms) else ()


def decode_element_text(raw: bytes, terms: tuple[str, ...], vr: str) -> str:
    """The text of an element, its values still parted by backslashes: clean, without padding at its end."""
    if raw.isascii() and _ESCAPE not in raw:
        text = raw.decode("ascii")
    else:
        text = _decode(raw, terms, _DELIMITERS.get(vr, b""))
    return clean_text(text.rstrip("\0 "), lines=vr in MULTI_LINE_VRS)


@lru_cache(maxsize=4096)
def encode_component(text: str, terms: tuple[str, ...]) -> bytes:
    """The bytes of a value, or of a component of a name, without delimiters of values, groups and components.

    At its end and before each control character the sets are again those of the first term. A question mark stands for
    a character that none of the terms holds.
    """
    codec, _ = _find_initial(terms)
    if codec or text.isascii():
        return text.encode(codec or "ascii", "replace")
    encoder = _Encoder(terms)
    for character in text:
        encoder.add(character)
    encoder.call_first()
    return bytes(encoder.encoded)


def has_extensions(terms: tuple[str, ...]) -> bool:
    """Whether escape sequences may stand in text of these character sets; without, each character has its bytes."""
    codec, _ = _find_initial(terms)
    return not codec


class _Encoder:
    """Writes characters one after the other, with the escape sequences between them."""

    def __init__(self, terms: tuple[str, ...]) -> None:
        self.encoded = bytearray()
        self._declared = tuple(element for term in terms if (element := find_extension(term)))
        self._romaji = bool(terms) and terms[0] in JIS_X_0201
        self._g0, self._g1 = ASCII_ELEMENT, _find_first_g1(terms)
        self._initial = self._g1

    def add(self, character: str) -> None:
        """Write a character."""
        if character.isascii():
            self.call_first(with_g1=ord(character) < _SPACE)
            self.encoded += character.encode()
            return
        current = tuple(element for element in (self._g1, self._g0) if element)
        for element in dict.fromkeys((*current, *self._declared)):
            if (code := encode_character(character, element)) is not None:
                self._call(element)
                self.encoded += code
                return
        self.add("?")

    def call_first(self, *, with_g1: bool = False) -> None:
        """Go back to the sets of the first term: in G0, and where text starts anew in G1."""
        if self._g0 is not ASCII_ELEMENT:
            self.encoded += b"\x1b(J" if self._romaji else b"\x1b(B"
            self._g0 = ASCII_ELEMENT
        if with_g1:
            self._g1 = self._initial

    def _call(self, element: CodeElement) -> None:
        if element in (self._g0, self._g1):
            return
        self.encoded += _CALLS[element]
        if element.in_g0:
            self._g0 = element
        else:
            self._g1 = element


def _find_first_g1(terms: tuple[str, ...]) -> CodeElement | None:
    """What the first term alone puts into G1; Latin-1 where no set is declared, as it is read."""
    if not terms or (len(terms) == 1 and terms[0] in ASCII):
        return LATIN_1_ELEMENT
    element = find_extension(terms[0])
    return element if element and not element.in_g0 else None


@lru_cache(maxsize=4096)
def encode_character(character: str, element: CodeElement) -> bytes | None:
    """The bytes of a character in the set that an escape sequence calls; None where it is not in it.

    Python's codecs hold more than the set of their name, such as syllables that EUC-KR composes of eight bytes.
    """
    try:
        code = character.encode(element.codec)
    except UnicodeEncodeError:
        return None
    body = code.removeprefix(element.shift)
    if len(body) != element.width_bytes or len(code) != len(body) + len(element.shift) or min(body) < _LOWEST_IN_G1:
        return None
    return bytes(byte & ~element.high_bits for byte in body)


def _decode(raw: bytes, terms: tuple[str, ...], delimiters: bytes) -> str:
    codec, g1 = _find_initial(terms)
    if codec:
        return raw.decode(codec, "replace")
    if _ESCAPE not in raw:
        return "".join(_decode_run(raw, ASCII_ELEMENT, g1))
    return "".join(_decode_pieces(raw, g1, delimiters))


@lru_cache(maxsize=64)
def _find_initial(terms: tuple[str, ...]) -> tuple[str, CodeElement | None]:
    """The codec of a stand-alone set, else empty, and what is in G1 at first."""
    if find_unknown(terms):
        return "", None
    first = terms[0] if terms else ""
    named = terms if first in ASCII else terms[:1]
    if stand_alone := next((term for term in named if term in STAND_ALONE), ""):
        return STAND_ALONE[stand_alone], None
    elements = [element for term in named if (element := find_extension(term)) and not element.in_g0]
    if first in ASCII and len(terms) < 2:
        return "", LATIN_1_ELEMENT
    return "", elements[0] if elements else None


def _decode_pieces(raw: bytes, initial_g1: CodeElement | None, delimiters: bytes) -> Iterator[str]:
    """Decode what lies between escape sequences and delimiters."""
    stops = bytes((_ESCAPE,)) + _CONTROLS
    ends = re.compile(b"[" + re.escape(stops + delimiters) + b"]")
    ends_in_two_bytes = re.compile(b"[" + re.escape(stops) + b"]")
    g0, g1, position = ASCII_ELEMENT, initial_g1, 0
    while position < len(raw):
        if called := _SEQUENCE.match(raw, position):
            element = ESCAPE_SEQUENCES[called.group()]
            g0, g1 = (element, g1) if element.in_g0 else (g0, element)
            position = called.end()
        elif raw[position] in stops or (g0.width_bytes == 1 and raw[position] in delimiters):
            yield chr(raw[position])
            if raw[position] != _ESCAPE:
                g0, g1 = ASCII_ELEMENT, initial_g1 or g1
            position += 1
        else:
            found = (ends if g0.width_bytes == 1 else ends_in_two_bytes).search(raw, position)
            end = found.start() if found else len(raw)
            yield from _decode_run(raw[position:end], g0, g1)
            position = end


def _decode_run(run: bytes, g0: CodeElement, g1: CodeElement | None) -> Iterator[str]:
    """Decode bytes without escape sequences; a byte at or below the space is itself in each set."""
    if g0.width_bytes == 1 and g1 is not None:
        # Python's codecs of G1 hold ASCII as well.
        yield run.decode(g1.codec, "replace")
        return
    position = 0
    while position < len(run):
        element = g1 if run[position] > 0x7F else g0
        if element is None:
            yield REPLACEMENT
            position += 1
        elif run[position] <= _SPACE:
            yield chr(run[position])
            position += 1
        else:
            yield _decode_character(run[position : position + element.width_bytes], element)
            position += element.width_bytes


@lru_cache(maxsize=4096)
def _decode_character(raw: bytes, element: CodeElement) -> str:
    code = element.shift + bytes(byte | element.high_bits for byte in raw)
    text = code.decode(element.codec, "replace")
    return text if len(text) == 1 else REPLACEMENT
