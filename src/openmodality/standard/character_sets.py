"""The character sets of DICOM: defined terms of (0008,0005) Specific Character Set (PS3.3 C.12.1.1.2), and no others.

A term that is not here is unknown, whatever Python makes of the same name: a peer may write any codec of Python there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from openmodality.value_class import dataclass

ASCII: Final = ("", "ISO_IR 6", "ISO 2022 IR 6")
"""The default repertoire: no value at all, an empty one, or its name (PS3.5 6.1.1)."""

LATIN_1: Final = "ISO_IR 100"
UTF_8: Final = "ISO_IR 192"
GB18030: Final = "GB18030"
KANJI_EXTENSION: Final = "ISO 2022 IR 87"
"""JIS X 0208, with code extensions behind another repertoire."""

JIS_X_0201: Final = ("ISO_IR 13", "ISO 2022 IR 13")

STAND_ALONE: Final = MappingProxyType({UTF_8: "utf_8", GB18030: "gb18030", "GBK": "gbk"})
"""Python's codecs of the character sets without code extensions (PS3.3 Table C.12-5)."""


@dataclass(frozen=True, slots=True)
class CodeElement:
    """A set of characters that an escape sequence calls (PS3.3 Tables C.12-3 and C.12-4).

    ``codec`` is Python's. ``in_g0`` says that it takes the bytes 21H to 7EH, else it takes A0H to FFH. ``high_bits``
    are set in each byte, and ``shift`` stands before each character, where Python has the set in another form.
    """

    codec: str
    in_g0: bool = False
    width_bytes: int = 1
    high_bits: int = 0
    shift: bytes = b""


ASCII_ELEMENT: Final = CodeElement("ascii", in_g0=True)
LATIN_1_ELEMENT: Final = CodeElement("latin_1")
_KATAKANA: Final = CodeElement("shift_jis")
_KANJI: Final = CodeElement("euc_jp", in_g0=True, width_bytes=2, high_bits=0x80)
_SUPPLEMENTARY_KANJI: Final = CodeElement("euc_jp", in_g0=True, width_bytes=2, high_bits=0x80, shift=b"\x8f")
_HANGUL: Final = CodeElement("euc_kr", width_bytes=2)
_HANZI: Final = CodeElement("gb2312", width_bytes=2)

EXTENSIONS: Final = MappingProxyType(
    {
        "100": LATIN_1_ELEMENT,
        "101": CodeElement("iso8859_2"),
        "109": CodeElement("iso8859_3"),
        "110": CodeElement("iso8859_4"),
        "144": CodeElement("iso8859_5"),
        "127": CodeElement("iso8859_6"),
        "126": CodeElement("iso8859_7"),
        "138": CodeElement("iso8859_8"),
        "148": CodeElement("iso8859_9"),
        "203": CodeElement("iso8859_15"),
        "166": CodeElement("tis_620"),
        "13": _KATAKANA,
        "87": _KANJI,
        "159": _SUPPLEMENTARY_KANJI,
        "149": _HANGUL,
        "58": _HANZI,
    }
)
"""By the number of the registration that stands in the terms ``ISO_IR n`` and ``ISO 2022 IR n``.

For 13 this is its katakana; its other half, JIS X 0201 romaji, is read as ASCII.
"""

ESCAPE_SEQUENCES: Final = MappingProxyType(
    {
        b"\x1b(B": ASCII_ELEMENT,
        b"\x1b(J": ASCII_ELEMENT,
        b"\x1b)I": EXTENSIONS["13"],
        b"\x1b-A": EXTENSIONS["100"],
        b"\x1b-B": EXTENSIONS["101"],
        b"\x1b-C": EXTENSIONS["109"],
        b"\x1b-D": EXTENSIONS["110"],
        b"\x1b-L": EXTENSIONS["144"],
        b"\x1b-G": EXTENSIONS["127"],
        b"\x1b-F": EXTENSIONS["126"],
        b"\x1b-H": EXTENSIONS["138"],
        b"\x1b-M": EXTENSIONS["148"],
        b"\x1b-b": EXTENSIONS["203"],
        b"\x1b-T": EXTENSIONS["166"],
        b"\x1b$B": EXTENSIONS["87"],
        b"\x1b$(D": EXTENSIONS["159"],
        b"\x1b$)C": EXTENSIONS["149"],
        b"\x1b$)A": EXTENSIONS["58"],
    }
)
"""JIS X 0201 romaji, ``ESC ( J``, has the yen sign and the overline where ASCII has backslash and tilde; the backslash
parts values there as well (PS3.5 6.1.2.3), and all else is the same."""

_SPELLINGS: Final = re.compile(r"ISO[ _-](2022[ _-])?IR[ _-]([0-9]+)")


def spell(term: str) -> str:
    """A term as the standard spells it: peers write ``ISO-IR 100`` for ``ISO_IR 100``, and the like."""
    found = _SPELLINGS.fullmatch(term)
    if found is None:
        return term
    return f"ISO 2022 IR {found[2]}" if found[1] else f"ISO_IR {found[2]}"


def find_extension(term: str) -> CodeElement | None:
    """The set that a term brings beside ASCII.

    There is none for the default repertoire, a stand-alone set, and a term that DICOM does not define.
    """
    found = _SPELLINGS.fullmatch(term)
    return EXTENSIONS.get(found[2]) if found else None


def is_known(term: str) -> bool:
    """Whether a term is one of DICOM's."""
    return term in ASCII or term in STAND_ALONE or find_extension(term) is not None


def find_unknown(terms: Sequence[str]) -> tuple[str, ...]:
    """The terms that DICOM does not define."""
    return tuple(term for term in terms if not is_known(term))
