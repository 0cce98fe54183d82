from __future__ import annotations

from datetime import date

import pytest

from openmodality.standard.life import judge_patient_value
from openmodality.standard.tags import PATIENT_AGE, PATIENT_BIRTH_DATE, PATIENT_NAME, PATIENT_SIZE, PATIENT_WEIGHT

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("tag", "text", "wrong", "right"),
    [
        (PATIENT_SIZE, "170", "more than 4 m", "as 1.70 for 170 cm"),
        (PATIENT_SIZE, "17", "more than 4 m", "a number of m"),
        (PATIENT_WEIGHT, "7000", "more than 1000 kg", "a number of kg"),
        (PATIENT_AGE, "151Y", "more than 150 years", "three digits"),
        (PATIENT_BIRTH_DATE, "20261201", "a day after today, which is 2026-11-30", "day of birth"),
        (PATIENT_BIRTH_DATE, "18000101", "more than 150 years ago", "day of birth"),
    ],
)
def test_what_no_patient_is_says_the_limit_and_the_unit(tag: int, text: str, wrong: str, right: str) -> None:
    mistake = judge_patient_value(tag, text, TODAY)
    assert mistake is not None
    assert wrong in mistake[0]
    assert right in mistake[1]


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (PATIENT_SIZE, "2.72"),
        (PATIENT_SIZE, "no number"),
        (PATIENT_SIZE, ""),
        (PATIENT_WEIGHT, "635"),
        (PATIENT_AGE, "118Y"),
        (PATIENT_AGE, "900D"),
        (PATIENT_BIRTH_DATE, "20261130"),
        (PATIENT_BIRTH_DATE, "18761130"),
        (PATIENT_BIRTH_DATE, "1990"),
        (PATIENT_NAME, "20991231"),
    ],
)
def test_what_a_patient_can_be_is_no_mistake(tag: int, text: str) -> None:
    assert judge_patient_value(tag, text, TODAY) is None


def test_a_birth_date_is_looked_at_only_by_those_who_know_the_day() -> None:
    assert judge_patient_value(PATIENT_BIRTH_DATE, "20991231") is None
