"""Defined terms of (0008,0005) Specific Character Set that the program names (PS3.3 C.12.1.1.2)."""

from __future__ import annotations

from typing import Final

ASCII: Final = ("", "ISO_IR 6", "ISO 2022 IR 6")
"""The default repertoire: no value at all, an empty one, or its name (PS3.5 6.1.1)."""

LATIN_1: Final = "ISO_IR 100"
UTF_8: Final = "ISO_IR 192"
GB18030: Final = "GB18030"
KANJI_EXTENSION: Final = "ISO 2022 IR 87"
"""JIS X 0208, with code extensions behind another repertoire."""

JIS_X_0201: Final = ("ISO_IR 13", "ISO 2022 IR 13")
MULTI_BYTE_JAPANESE: Final = {
    "ISO_IR 87": ("iso2022_jp", b"\x1b$B"),
    "ISO 2022 IR 87": ("iso2022_jp", b"\x1b$B"),
    "ISO_IR 159": ("iso2022_jp_2", b"\x1b$(D"),
    "ISO 2022 IR 159": ("iso2022_jp_2", b"\x1b$(D"),
}
"""Python's codec, which holds more sets than the term, and the escape sequence of the term (PS3.3 Table C.12-4)."""
