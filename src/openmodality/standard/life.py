"""What no patient is: born after today, older than anybody, heavier or taller than the unit of DICOM allows.

Such a value has the right form and says that somebody made a mistake, mostly in the unit: centimetres where DICOM has
metres, grams where it has kilograms (PS3.3 C.7.2.2). No text here quotes a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from openmodality.standard.tags import PATIENT_AGE, PATIENT_BIRTH_DATE, PATIENT_SIZE, PATIENT_WEIGHT

_OLDEST_YEARS: Final = 150


class Limit(NamedTuple):
    """The highest number that an attribute of a patient may have, animals included, with its unit."""

    highest: float
    unit: str
    mistake: str


HIGHEST: Final[Mapping[int, Limit]] = MappingProxyType(
    {
        PATIENT_SIZE: Limit(4, "m", "as 1.70 for 170 cm"),
        PATIENT_WEIGHT: Limit(1000, "kg", "as 70 for 70,000 g"),
    }
)
JUDGED: Final = (PATIENT_BIRTH_DATE, PATIENT_AGE, *HIGHEST)
"""The attributes that are looked at."""


@lru_cache(maxsize=1024)
def judge_patient_value(tag: int, text: str, today: date | None = None) -> tuple[str, str] | None:
    """What is wrong with a value of the right form, and what would be right; ``None`` where nothing is.

    A birth date is looked at where ``today`` is given.
    """
    if not text.strip():
        return None
    if limit := HIGHEST.get(tag):
        return _compare(text, limit)
    if tag == PATIENT_AGE and text.strip().endswith("Y") and text.strip()[:-1].isdecimal():
        return _judge_years(int(text.strip()[:-1]))
    if tag == PATIENT_BIRTH_DATE and today is not None:
        return _judge_birth(text.strip(), today)
    return None


def _compare(text: str, limit: Limit) -> tuple[str, str] | None:
    try:
        is_too_high = float(text) > limit.highest
    except ValueError:
        return None
    wrong = f"more than {limit.highest:g} {limit.unit}", f"a number of {limit.unit}, {limit.mistake}"
    return wrong if is_too_high else None


def _judge_years(years: int) -> tuple[str, str] | None:
    return (f"more than {_OLDEST_YEARS} years", "three digits and D, W, M or Y") if years > _OLDEST_YEARS else None


def _judge_birth(text: str, today: date) -> tuple[str, str] | None:
    try:
        born = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
    right = "the day of birth, as YYYYMMDD"
    if born > today:
        return f"a day after today, which is {today:%Y-%m-%d}", right
    if today.year - born.year > _OLDEST_YEARS:
        return f"a day more than {_OLDEST_YEARS} years ago", right
    return None
