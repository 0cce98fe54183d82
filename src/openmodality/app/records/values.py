"""Values of records: moments, numbers, and texts that are clean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from openmodality.standard.text_rules import clean_text

NUMBER_VRS: Final = ("IS", "US", "UL", "SS", "SL")
"""Value representations of whole numbers (PS3.5 6.2)."""


def format_zoned(seconds: float | None) -> str | None:
    """Seconds since the epoch as local date and time with zone, as in ISO 8601 and RFC 3339; ``None`` stays."""
    from datetime import UTC, datetime  # noqa: PLC0415 - start-up time

    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(timespec="milliseconds")


def format_time(seconds: float | None) -> str:
    """Seconds since the epoch as local date and time for people; empty where there are none."""
    from datetime import datetime  # noqa: PLC0415 - start-up time

    return "" if seconds is None else f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"


def convert_value(text: str, vr: str) -> str | int | None:
    """The value of an attribute that is kept as text: a number where its VR is one, ``None`` where it is empty.

    What is no number in spite of its VR stays text.
    """
    if not text:
        return None
    digits = text.strip()
    is_number = vr in NUMBER_VRS and digits.removeprefix("-").removeprefix("+").isdecimal() and digits.isascii()
    return int(digits) if is_number else text


def clean_values(value: Any) -> Any:
    """A record with its texts cleaned, down to its last member."""
    if isinstance(value, str):
        return clean_text(value, lines=True)
    if isinstance(value, Mapping):
        return {clean_values(key): clean_values(each) for key, each in value.items()}
    return list(map(clean_values, value)) if isinstance(value, list | tuple) else value
