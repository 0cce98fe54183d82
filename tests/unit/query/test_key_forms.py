from __future__ import annotations

import pytest

from openmodality.query.key_forms import describe_odd_key, read_shown_date


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        ("2026-11-30", "20261130"),
        (" 20261130 ", "20261130"),
        ("2026-11-01 - 2026-11-30", "20261101-20261130"),
        ("2026-11-01-", "20261101-"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_date_as_it_is_shown_is_read_as_it_is_asked_for(shown: str, asked: str) -> None:
    assert read_shown_date(shown) == asked
    assert bool(describe_odd_key("DA", asked)) is (asked == "yesterday")


def test_what_has_no_form_is_never_odd() -> None:
    assert describe_odd_key("PN", "2026-11-30") == ""
    assert describe_odd_key("TM", "8 o'clock") == "a time is HHMMSS, a range HHMMSS-HHMMSS"
