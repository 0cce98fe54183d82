"""Moments, numbers and texts of records."""

from __future__ import annotations

from datetime import datetime

import pytest

from openmodality.app.records.values import clean_values, convert_value, format_time, format_zoned


def test_a_time_has_its_zone_and_none_stays() -> None:
    shown = format_zoned(1_764_000_000.25)
    assert shown is not None
    assert datetime.fromisoformat(shown).timestamp() == 1_764_000_000.25
    assert format_zoned(None) is None


@pytest.mark.parametrize(
    ("text", "vr", "value"),
    [
        ("12", "IS", 12), ("-3 ", "IS", -3), ("+3", "IS", 3), ("256", "US", 256), ("", "IS", None), ("", "LO", None),
        ("12", "LO", "12"), ("1.0", "IS", "1.0"), ("\u0663", "IS", "\u0663"), ("--3", "IS", "--3"),
    ],
)  # fmt: skip
def test_numbers_are_numbers(text: str, vr: str, value: object) -> None:
    assert convert_value(text, vr) == value


def test_texts_are_cleaned_down_to_the_last_member() -> None:
    assert clean_values({"a\x1b": [("b\0", 3), None]}) == {"a\ufffd": [["b\ufffd", 3], None]}
    assert format_time(None) == ""
