"""When an irradiation event started, in the forms in which DICOM, TOML and JSON state a moment.

The record is in the time of the device, as images and reports are; a moment with an offset from UTC is converted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

_MOMENTS: Final = ("DateTimeStarted", "AcquisitionDateTime")
_DAY_AND_TIME: Final = ("AcquisitionDate", "AcquisitionTime")
MOMENT_KEYWORDS: Final = (*_MOMENTS, *_DAY_AND_TIME)
_FIRST_YEAR, _LAST_YEAR = 1896, 2999
_FORMS: Final = ("%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S", "%Y%m%d%H%M")
_OFFSET: Final = re.compile(r"(?<=[0-9])[+-][0-9]{4}$")
"""The offset from UTC at the end of a DT value (PS3.5 6.2)."""


def find_moment(given: Mapping[str, object]) -> tuple[str, object]:
    """The keyword that states the moment, and what it states; an empty keyword where none does."""
    keyword = next((each for each in _MOMENTS if each in given), "")
    if keyword:
        return keyword, given[keyword]
    if any(each in given for each in _DAY_AND_TIME):
        return "AcquisitionDate", "".join(str(given.get(each, "")) for each in _DAY_AND_TIME)
    return "", None


def parse_moment(stated: object) -> datetime | None:
    """The moment in the time of the device; None where it is none, or of a year in which there were no X-rays."""
    moment = stated if isinstance(stated, datetime) else _parse_text(str(stated).strip())
    if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return moment if moment.tzinfo is None else moment.astimezone().replace(tzinfo=None)


def _parse_text(text: str) -> datetime | None:
    for form in _FORMS:
        try:
            return datetime.strptime(text, f"{form}%z" if _OFFSET.search(text) else form)
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
