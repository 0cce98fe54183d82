"""Matching of dates and times: single values and ranges (PS3.4 C.2.2.2.1, C.2.2.2.5; PS3.5 6.2).

A moment is the span that its text denotes: 1030 is from 10:30:00 to 10:30:59.999999. A date time with an offset from
UTC is compared in UTC; one without is taken as it is. The separators of ACR-NEMA (2026.11.22, 10:30) are understood.
What is no date or time matches only itself.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

MAX_RANGE: Final = 54
"""Characters of the longest range, two of DT and a hyphen (PS3.5 6.2); each hyphen of a key is tried."""

_ZERO: Final = timedelta()


class Span(NamedTuple):
    """The first and the last microsecond that a value denotes, and its offset from UTC where it says one."""

    first: datetime
    last: datetime
    offset: timedelta | None


_DATE: Final = r"(?P<year>\d{4})%s(?P<month>\d\d)%s(?P<day>\d\d)"
_TIME: Final = r"(?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?)?)?"
_DATE_TIME: Final = (
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)"
    r"(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)(?:(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?)?)?)?)?)?"
    r"(?P<offset>[+-](?:0\d|1[0-4])[0-5]\d)?"
)
_PATTERNS: Final = {
    "DA": (re.compile(_DATE % ("", ""), re.ASCII), re.compile(_DATE % (r"\.", r"\."), re.ASCII)),
    "TM": (re.compile(_TIME, re.ASCII),),
    "DT": (re.compile(_DATE_TIME, re.ASCII),),
}


def matches_moment(vr: str, key: str, text: str) -> bool:
    """Whether a DA, TM or DT value lies in the span or range that the key denotes."""
    value, wanted = read_span(vr, text), _read_range(vr, key)
    if value is None or wanted is None:
        return key == text
    low, high = wanted
    return (low is None or _measure_distance(low.first, low, value) >= _ZERO) and (
        high is None or _measure_distance(high.last, high, value) <= _ZERO
    )


@lru_cache(maxsize=512)
def read_span(vr: str, text: str) -> Span | None:
    """What a value denotes; ``None`` where it is no value of this VR."""
    for pattern in _PATTERNS[vr]:
        found = pattern.fullmatch(text)
        if found is not None:
            try:
                return _make_span(found.groupdict())
            except ValueError:  # month 13, 30 February, hour 24
                return None
    return None


@lru_cache(maxsize=64)
def _read_range(vr: str, key: str) -> tuple[Span | None, Span | None] | None:
    """The ends of a single value or a range (``a-b``, ``a-``, ``-b``); ``None`` where the key is neither."""
    single = read_span(vr, key)
    if single is not None:
        return single, single
    if len(key) > MAX_RANGE:
        return None
    for hyphen in re.finditer("-", key):
        low, high = key[: hyphen.start()].strip(), key[hyphen.end() :].strip()
        first, last = read_span(vr, low), read_span(vr, high)
        if (low or high) and (first or not low) and (last or not high):
            return first, last
    return None


def _measure_distance(end: datetime, bound: Span, value: Span) -> timedelta:
    """How far a value begins after one end of a bound."""
    distance = value.first - end
    if bound.offset is not None and value.offset is not None:
        distance += bound.offset - value.offset
    return distance


def _make_span(part: dict[str, str | None]) -> Span:
    year, month, day = (part.get(name) for name in ("year", "month", "day"))
    last_month = int(month or (12 if year else 1))
    last_day = int(day or (monthrange(int(year), last_month)[1] if year else 1))
    first = datetime(int(year or 1), int(month or 1), int(day or 1), *_read_clock(part, (0, 0, 0), "0"))
    last = datetime(int(year or 1), last_month, last_day, *_read_clock(part, (23, 59, 59), "9"))
    return Span(first, last, _read_offset(part.get("offset")))


def _read_clock(part: dict[str, str | None], missing: tuple[int, int, int], filler: str) -> tuple[int, int, int, int]:
    hour, minute, second = (int(part.get(name) or other) for name, other in zip(_CLOCK, missing, strict=True))
    fraction = (part.get("fraction") or "").ljust(6, filler)
    return hour, minute, 59 if second == 60 else second, int(fraction)  # 60 is a leap second


_CLOCK: Final = ("hour", "minute", "second")


def _read_offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return timedelta(minutes=minutes if text[0] == "+" else -minutes)
