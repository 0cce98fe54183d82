"""Rules for the values of each VR (PS3.5 6.2), and how a wrong value is mended that can mean one thing only.

These rules hold for all values from outside: worklist items, DICOM files, companions, calls from Python. A value that
cannot be mended is left out or refused by the caller.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from openmodality.standard.tags import PATIENT_SEX
from openmodality.standard.text_rules import (
    AE_TITLE_RULE,
    CODE_STRING_RULE,
    MULTI_LINE_VRS,
    is_ae_title,
    is_code_string,
)
from openmodality.standard.value_lengths import MAX_CHARACTERS
from openmodality.value_class import dataclass

_TEXT_VRS: Final = (MAX_CHARACTERS.keys() | {"UC", "UT"}) - {"UI"}
_MAX_INTEGER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Mended:
    """A value after its rule was applied.

    ``text`` is None where the value cannot be used. ``problem`` says what was wrong with it, without quoting it, and is
    empty where nothing was.
    """

    text: str | None
    problem: str = ""


RIGHT_FORMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AE": AE_TITLE_RULE,
        "AS": "three digits and D, W, M or Y, such as 045Y",
        "CS": CODE_STRING_RULE,
        "DA": "a date as YYYYMMDD",
        "DS": f"a number with a point, of at most {MAX_CHARACTERS['DS']} characters",
        "DT": "a moment as YYYYMMDDHHMMSS.FFFFFF",
        "IS": "a whole number",
        "TM": "a time as HHMMSS.FFFFFF",
    }
)
"""What a value is to be, by VR."""

ENUMERATED: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType({PATIENT_SEX: ("M", "F", "O")})
"""Attributes of patients with enumerated values (PS3.3 C.2.3), which peers fill with others."""

_NO_TEXT: Final = r"\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd"
"""As a set of a regular expression: controls, surrogates, and what stands for a character that could not be read."""
_DAY: Final = r"(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])(?:29|30)|(?:0[13578]|1[02])31"
"""Month and day of any year; 29 February is looked at closer."""
_PLAIN: Final = MappingProxyType(
    {
        vr: re.compile(form)
        for vr, form in {
            "AE": r"[!-\[\]-~][ -\[\]-~]{0,15}",
            "AS": r"[0-9]{3}[DWMY]",
            "CS": r"[A-Z0-9_][A-Z0-9_ ]{0,15}",
            "DA": rf"[1-9][0-9]{{3}}(?:{_DAY})",
            "DS": r"[0-9]{1,9}(?:\.[0-9]{1,6})?",
            "IS": r"-?[0-9]{1,9}",
            "LO": rf"[^{_NO_TEXT}\\]{{1,64}}",
            "LT": rf"[^{_NO_TEXT}]{{1,1024}}",
            "PN": rf"[^{_NO_TEXT}\\=]{{1,64}}",
            "SH": rf"[^{_NO_TEXT}\\]{{1,16}}",
            "ST": rf"[^{_NO_TEXT}]{{1,1024}}",
            "TM": r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:[0-5][0-9])?)?",
            "UI": r"(?=.{1,64}\Z)[0-2](?:\.(?:0|[1-9][0-9]*))+",
        }.items()
    }
)
"""What most values look like."""
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
"""Each run of digits is taken once: a long one with something else behind it is refused at once."""
_PLAIN_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?([0-9]+),([0-9]+)")
_WHOLE: Final = re.compile(r"([+-]?[0-9]+)(\.0*)?")
_DATE: Final = re.compile(r"([0-9]{4})([-./]?)([0-9]{2})\2([0-9]{2})")
_TIME: Final = re.compile(r"([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(?:\.([0-9]+))?)?)?")
_MOMENT: Final = re.compile(r"([0-9]{4}[-./]?[0-9]{2}[-./]?[0-9]{2})[T ]?([0-9:]{2,8}(?:\.[0-9]+)?)([+-][0-9]{4})?")
_SHORT_MOMENT: Final = re.compile(r"[0-9]{4}(?:(?:0[1-9]|1[0-2])(?:[0-3][0-9])?)?(?:[+-][0-9]{4})?")
_AGE: Final = re.compile(r"([0-9]{1,3})([DWMYdwmy])")
_BLANK_CONTROLS: Final = re.compile(r"[\t\n\f\r]+")
_LINE_CONTROLS: Final = frozenset("\t\n\f\r")


def mend_value(vr: str, text: str, *, tag: int = 0, cut: bool = False) -> Mended:
    """One value of an attribute with this VR; with ``cut`` a text that is too long loses its end.

    A VR without a rule, and an empty value, stay as they are.
    """
    if vr not in _TEXT_VRS:
        return Mended(text)
    stripped = text.strip("\0 ") if vr in _RULES else text.rstrip("\0 ")
    if not stripped:
        return Mended("")
    mended = _RULES[vr](stripped) if vr in _RULES else _mend_text(vr, text.rstrip("\0"), cut=cut)
    allowed = ENUMERATED.get(tag)
    if allowed and mended.text is not None and mended.text not in allowed:
        return Mended(None, f"not {', '.join(allowed[:-1])} or {allowed[-1]}")
    return mended


def is_plain_value(vr: str, text: str) -> bool:
    """Whether a value is surely one of its VR: at a fraction of what the rules cost. False is no verdict."""
    form = _PLAIN.get(vr)
    return form is not None and form.fullmatch(text) is not None


def format_decimal(value: float) -> str:
    """A number as a Decimal String: as exactly as 16 characters can say it."""
    shortest = repr(value).removesuffix(".0")
    if len(shortest) <= MAX_CHARACTERS["DS"]:
        return shortest
    texts = (f"{value:.{digits}g}" for digits in range(16, 0, -1))
    return next(text for text in texts if len(text) <= MAX_CHARACTERS["DS"] and math.isfinite(float(text)))


def is_plain_decimal(text: str) -> bool:
    """Whether a text is a Decimal String as nearly all are, with nothing to mend."""
    return len(text) <= MAX_CHARACTERS["DS"] and _PLAIN_NUMBER.fullmatch(text) is not None


def _mend_decimal(text: str) -> Mended:
    if comma := _DECIMAL_COMMA.fullmatch(text):
        whole, fraction = comma.groups()
        if len(fraction) == 3 and len(whole) <= 3 and whole != "0":
            return Mended(None, "a comma that may part thousands")
        return Mended(_shorten_decimal(text.replace(",", ".")), "a comma for a point")
    if _NUMBER.fullmatch(text) is None or not math.isfinite(float(text)):
        return Mended(None, "no number")
    if len(text) > MAX_CHARACTERS["DS"]:
        return Mended(_shorten_decimal(text), f"longer than {MAX_CHARACTERS['DS']} characters")
    return Mended(text)


def _shorten_decimal(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS["DS"] else format_decimal(float(text))


def _mend_integer(text: str) -> Mended:
    found = _WHOLE.fullmatch(text)
    if found is None or len(found[1]) > 40 or abs(int(found[1])) > _MAX_INTEGER:
        return Mended(None, "no whole number")
    if found[2] is None and len(text) <= MAX_CHARACTERS["IS"]:
        return Mended(text)
    return Mended(str(int(found[1])), "a fraction" if found[2] else f"longer than {MAX_CHARACTERS['IS']} characters")


def _mend_date(text: str) -> Mended:
    found = _DATE.fullmatch(text)
    if found is None or not _is_date(int(found[1]), int(found[3]), int(found[4])):
        return Mended(None, "no date of the calendar")
    return Mended(found[1] + found[3] + found[4], "signs between year, month and day" if found[2] else "")


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _mend_time(text: str) -> Mended:
    found = _TIME.fullmatch(text)
    if found is None or int(found[1]) > 23 or int(found[2] or 0) > 59 or int(found[3] or 0) > 60:
        return Mended(None, "no time of day")
    fraction = f".{found[4][:6]}" if found[4] else ""
    mended = found[1] + (found[2] or "") + (found[3] or "") + fraction
    return Mended(mended, "" if mended == text else "more than hours, minutes, seconds and microseconds")


def _mend_moment(text: str) -> Mended:
    if _SHORT_MOMENT.fullmatch(text):
        return Mended(text)
    if found := _MOMENT.fullmatch(text):
        day, time = _mend_date(found[1]), _mend_time(found[2])
        if day.text and time.text:
            mended = day.text + time.text + (found[3] or "")
            return Mended(mended, "" if mended == text else "signs between its parts")
    return Mended(None, "no moment")


def _mend_age(text: str) -> Mended:
    found = _AGE.fullmatch(text)
    if found is None:
        return Mended(None, "no age")
    mended = f"{int(found[1]):03}{found[2].upper()}"
    return Mended(mended, "" if mended == text else "not three digits and a capital")


def _mend_code_string(text: str) -> Mended:
    if is_code_string(text):
        return Mended(text)
    if text.isascii() and is_code_string(text.upper()):
        return Mended(text.upper(), "small letters")
    return Mended(None, "no code string")


def _mend_ae_title(text: str) -> Mended:
    return Mended(text) if is_ae_title(text) else Mended(None, "no AE title")


def _mend_text(vr: str, text: str, *, cut: bool) -> Mended:
    problem = ""
    if vr not in MULTI_LINE_VRS:
        if "\\" in text:
            return Mended(None, "a backslash, which parts values")
        if _BLANK_CONTROLS.search(text):
            text, problem = _BLANK_CONTROLS.sub(" ", text).strip(" "), "several lines"
    if any(_is_control(each) for each in text):
        return Mended(None, "a control character")
    limit = MAX_CHARACTERS.get(vr)
    parts = text.split("=") if vr == "PN" else [text]
    if limit and max(map(len, parts)) > limit:
        too_long = f"longer than {limit} characters"
        return Mended("=".join(part[:limit] for part in parts), too_long) if cut else Mended(None, too_long)
    return Mended(text, problem)


def _is_control(character: str) -> bool:
    code = ord(character)
    is_surrogate = 0xD800 <= code <= 0xDFFF
    return is_surrogate or (character not in _LINE_CONTROLS and (code < 0x20 or 0x7F <= code < 0xA0))


_RULES: Final[Mapping[str, Callable[[str], Mended]]] = MappingProxyType(
    {
        "AE": _mend_ae_title,
        "AS": _mend_age,
        "CS": _mend_code_string,
        "DA": _mend_date,
        "DS": _mend_decimal,
        "DT": _mend_moment,
        "IS": _mend_integer,
        "TM": _mend_time,
    }
)
