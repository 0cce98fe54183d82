"""Decodes the text of an element (PS3.5 6.1.2): bytes and the terms of Specific Character Set in, clean Unicode out.

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
