"""The forms of a matching key that is a date or a time (PS3.4 C.2.2.2), for those who type one.

A peer that finds nothing for a date in another form looks the same as one that has nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_DATE: Final = r"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
_TIME: Final = r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?"
_FORMS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = MappingProxyType(
    {
        "DA": (
            re.compile(rf'\*|""|{_DATE}-?|-{_DATE}|{_DATE}-{_DATE}'),
            "a date is YYYYMMDD, a range YYYYMMDD-YYYYMMDD",
        ),
        "TM": (re.compile(rf'\*|""|{_TIME}-?|-{_TIME}|{_TIME}-{_TIME}'), "a time is HHMMSS, a range HHMMSS-HHMMSS"),
    }
)
"""What a key may be, and how that is told, by VR."""
_SHOWN_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def describe_odd_key(vr: str, value: str) -> str:
    """What a key of this VR is to be, where ``value`` is something else; empty where it is right."""
    form, told = _FORMS.get(vr, (None, ""))
    return told if value and form is not None and not form.fullmatch(value.strip()) else ""


def read_shown_date(value: str) -> str:
    """A date, or a range of dates, as it is asked for, where it was typed as dates are shown: ``2026-11-30``."""
    return re.sub(r"(?<=\d{8}) *- *(?=\d{8})", "-", _SHOWN_DATE.sub(r"\1\2\3", value.strip()))
