"""Rules of values, with pydicom's own checks as second opinion."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom import config
from pydicom.valuerep import DSfloat, validate_value

from openmodality.standard.tags import PATIENT_SEX
from openmodality.standard.value_lengths import MAX_CHARACTERS
from openmodality.standard.value_rules import RIGHT_FORMS, format_decimal, is_plain_value, mend_value

RIGHT = {
    "DS": ["1", "-1.5E-3", "+.5", " 10.5 ", "5."],
    "IS": ["1", "-12", "+3", "2147483647"],
    "DA": ["20260228", "20240229"],
    "TM": ["10", "1011", "101112", "101112.123456", "235960"],
    "DT": ["2026", "202601", "20260101", "20260101101112.123456+0100", "2026+0100"],
    "AS": ["045Y", "003M"],
    "CS": ["HEAD", "A_1 B"],
    "AE": ["OM_MR"],
    "LO": ["Müller", "x" * 64],
    "PN": ["A^B=山^田", "x" * 64 + "=" + "y" * 64],
    "LT": ["1\r\n2\t3"],
}
MENDED = [
    ("DS", "10,5", "10.5"),
    ("DS", "-0,125", "-0.125"),
    ("DS", "1234,567", "1234.567"),
    ("DS", "0.456412596987676812", "0.45641259698768"),
    ("DS", "1.00000000000000000000", "1"),
    ("IS", "1.0", "1"),
    ("IS", "0000000000000012", "12"),
    ("DA", "2026.01.01", "20260101"),
    ("DA", "2026-01-01", "20260101"),
    ("TM", "10:11:12", "101112"),
    ("TM", "101112.1234567", "101112.123456"),
    ("DT", "2026-01-01T10:11:12.5", "20260101101112.5"),
    ("AS", "45y", "045Y"),
    ("CS", "head", "HEAD"),
    ("LO", "a\r\n b", "a  b"),
    ("PN", "A^B\0", "A^B"),
    ("LO", "x\n", "x"),
]
UNUSABLE = [
    *(("DS", text) for text in ("NaN", "inf", "-Infinity", "1,234", "12,345", "1,2,3", "1 2", "0x10", "1e999", "five")),
    *(("IS", text) for text in ("1.5", "1e3", "2147483648", "9" * 5000, "one")),
    *(("DA", text) for text in ("19810229", "00000000", "01.02.2026", "2026", "2026-0101", "yesterday")),
    *(("TM", text) for text in ("24", "1060", "1:2:3", "101161", "noon")),
    *(("DT", text) for text in ("2026-02-30T10:00", "now")),
    *(("AS", text) for text in ("45", "1000Y", "old")),
    *(("CS", text) for text in ("A" * 17, "Ä", "a-b")),
    *(("AE", text) for text in ("A\\B", "X" * 17)),
    *(("PN", text) for text in ("A\\B", "A\x1b$B", "A\0B", "x" * 65, "\ud800")),
    *(("LO", text) for text in ("A\\B", "x" * 65, "\x9b")),
    ("LT", "a\0b"),
]


@pytest.mark.parametrize(("vr", "text"), [(vr, text) for vr, texts in RIGHT.items() for text in texts])
def test_what_is_right_stays(vr: str, text: str) -> None:
    mended = mend_value(vr, text)
    assert (mended.text or "").strip() == text.strip()
    assert mended.problem == ""


@pytest.mark.parametrize(("vr", "text", "expected"), MENDED)
def test_what_can_mean_one_thing_only_is_mended(vr: str, text: str, expected: str) -> None:
    mended = mend_value(vr, text)
    assert mended.text == expected
    validate_value(vr, expected, config.RAISE)
    assert mended.problem or text.rstrip("\0") == expected


@pytest.mark.parametrize(("vr", "text"), UNUSABLE)
def test_what_can_mean_anything_is_not_used(vr: str, text: str) -> None:
    mended = mend_value(vr, text)
    assert mended.text is None
    assert mended.problem
    assert text not in mended.problem


def test_a_text_that_is_too_long_is_cut_where_that_is_asked_for() -> None:
    assert mend_value("LO", "x" * 65, cut=True).text == "x" * 64
    assert mend_value("PN", f"{'x' * 65}={'y' * 65}", cut=True).text == f"{'x' * 64}={'y' * 64}"


def test_a_sex_is_one_of_three() -> None:
    assert [mend_value("CS", text, tag=PATIENT_SEX).text for text in ("M", "f", "Female", "U")] == [
        "M",
        "F",
        None,
        None,
    ]


def test_a_vr_without_a_rule_stays() -> None:
    assert mend_value("UI", "not.a.uid").text == "not.a.uid"
    assert mend_value("OB", "\0").text == "\0"
    assert mend_value("DS", " ").text == ""


@given(st.sampled_from(sorted(RIGHT_FORMS)), st.text(st.sampled_from("0123456789.,:-+ eETYa\\\n\0"), max_size=20))
def test_what_is_mended_passes_pydicom_and_stays(vr: str, text: str) -> None:
    mended = mend_value(vr, text).text
    if mended:
        validate_value(vr, mended, config.RAISE)
        assert mend_value(vr, mended).problem == ""


@example(1.7976931345e308)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_string_is_as_exact_as_it_can_be(value: float) -> None:
    text = format_decimal(value)
    assert len(text) <= 16
    assert float(text) == pytest.approx(value, rel=1e-8)
    assert DSfloat(text, validation_mode=config.RAISE) == float(text)


def test_a_text_of_many_digits_is_refused_at_once() -> None:
    """Each more of them once cost as much as all before it: this one would take minutes."""
    assert mend_value("DS", "9" * 100_000 + "x").text is None


@given(
    st.sampled_from(sorted(MAX_CHARACTERS)),
    st.text("0123456789.-+ ABCDWMYabc^=\\_\n", max_size=20) | st.text(max_size=20),
)
def test_a_plain_value_is_one_that_no_rule_touches(vr: str, text: str) -> None:
    if is_plain_value(vr, text):
        mended = mend_value(vr, text)
        assert (mended.problem, (mended.text or "").strip()) == ("", text.strip())


@pytest.mark.parametrize(
    ("vr", "text"),
    [("DA", "20260229"), ("DA", "20261301"), ("TM", "2460"), ("CS", "mr"), ("SH", "a\\b"), ("PN", "a=b"), ("AE", " "),
     ("UI", "1." + "2" * 63), ("UI", "1.02"), ("IS", "1.0"), ("DS", "1,5"), ("LO", "a\nb")],
)  # fmt: skip
def test_what_a_rule_may_touch_is_not_plain(vr: str, text: str) -> None:
    assert not is_plain_value(vr, text)


def test_each_day_of_the_calendar_but_leap_days_is_plain() -> None:
    days = [date(2026, 1, 1) + timedelta(days=each) for each in range(365)]
    assert all(is_plain_value("DA", f"{day:%Y%m%d}") for day in days)
    texts = {f"2026{month:02}{day:02}" for month in range(14) for day in range(33)}
    assert not any(is_plain_value("DA", text) for text in texts - {f"{day:%Y%m%d}" for day in days})
