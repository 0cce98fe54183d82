"""Rules for texts: what those of a VR may hold, besides their length (PS3.5 Table 6.2-1), and how texts are cleaned."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from openmodality.standard.value_lengths import MAX_CHARACTERS

AE_TITLE_RULE: Final = f"1 to {MAX_CHARACTERS['AE']} printable ASCII characters, no backslash, not only spaces"
CODE_STRING_RULE: Final = f"at most {MAX_CHARACTERS['CS']} capitals, digits, underscores, blanks"
MULTI_LINE_VRS: Final = frozenset(("LT", "ST", "UT"))
"""VRs whose text may have several lines."""

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for what is no text."""

_CODE_STRING: Final = re.compile(rf"[A-Z0-9_ ]{{1,{MAX_CHARACTERS['CS']}}}")
_LINE_CONTROLS: Final = frozenset("\t\n\f\r")
_NO_TEXT: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_ACCENTS: Final = frozenset(map(chr, range(0x0300, 0x0370)))
"""Combining marks of Latin, Greek and Cyrillic letters; the voiced sound mark of kana, which parts names, is none."""
_SPELLING: Final = frozenset("\u00ad\u061c\u200c\u200d\u200e\u200f")
"""Format characters that belong to spelling: soft hyphen, joiners of Persian and Hindi, marks of direction."""


def is_ae_title(text: str) -> bool:
    """Whether ``text`` keeps ``AE_TITLE_RULE``; spaces around a title mean nothing, but count."""
    is_printable = text.isascii() and text.isprintable() and "\\" not in text
    return is_printable and bool(text.strip(" ")) and len(text) <= MAX_CHARACTERS["AE"]


def is_code_string(text: str) -> bool:
    """Whether ``text`` is a value of VR CS: ``CODE_STRING_RULE``, and not empty."""
    return _CODE_STRING.fullmatch(text) is not None


def fold_name(text: str) -> tuple[str, str, str]:
    """The alphabetic, ideographic and phonetic group of a person's name, as names are compared (PS3.4 C.2.2.2.1).

    Two spellings that differ in case, accents of Latin, Greek and Cyrillic letters, blanks around a component or
    delimiters at the end are one name. Wild cards stay what they are.
    """
    alphabetic, ideographic, phonetic, *_ = (*map(fold_name_group, text.split("=", 2)), "", "")
    return alphabetic, ideographic, phonetic


def fold_name_group(group: str) -> str:
    """One component group, as :func:`fold_name` has it."""
    if not group.isascii():
        plain = "".join(each for each in unicodedata.normalize("NFD", group) if each not in _ACCENTS)
        group = unicodedata.normalize("NFC", plain)
    return "^".join(component.strip() for component in group.casefold().split("^")).rstrip("^")


def clean_text(text: str, *, lines: bool = False) -> str:
    """The text as it may go into a database, JSON, a log and a terminal, whoever wrote it.

    U+FFFD stands for each control character, NUL and escape among them, each surrogate, and each character that
    changes the order of others. With ``lines`` the controls that part lines and columns stay, as text of several lines
    has them.
    """
    if text.isprintable():  # which none of these characters is
        return text
    return "".join(each if _is_text(each) or (lines and each in _LINE_CONTROLS) else REPLACEMENT for each in text)


def fit_text(text: str, vr: str) -> str:
    """Make a value of a VR from a text that is not meant as one, such as the name of a file; it may be cut.

    An underscore stands for each character that no value may hold.
    """
    plain = clean_text(text).replace(REPLACEMENT, "_").replace("\\", "_")
    return plain[: MAX_CHARACTERS[vr]].strip()


def _is_text(character: str) -> bool:
    return unicodedata.category(character) not in _NO_TEXT or character in _SPELLING
