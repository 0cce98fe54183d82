"""Attributes given as keywords and plain values."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.acquisition.keywords import attributes_of
from openmodality.errors import ObjectInvalid


@pytest.mark.parametrize("value", [None, True, {"a": 1}, b"x", object(), float("nan")])
def test_values_that_no_attribute_has(value: object) -> None:
    with pytest.raises(ObjectInvalid, match="SliceThickness"):
        attributes_of({"SliceThickness": value}, "api")


def test_a_keyword_that_is_none_is_named_and_cut() -> None:
    with pytest.raises(ObjectInvalid) as caught:
        attributes_of({"Nonsense" * 20: 1}, "api")
    assert str(caught.value).startswith("api: NonsenseNonsense")
    assert len(caught.value.message) < 120


def test_numbers_of_any_precision_fit_a_decimal_string() -> None:
    attributes = attributes_of({"PixelSpacing": [1 / 3, np.float32(0.1)], "Rows": 3}, "api")
    assert all(len(str(value)) <= 16 for value in attributes.PixelSpacing)
    assert attributes.Rows == 3


@pytest.mark.parametrize(
    ("keyword", "value", "taken"),
    [
        ("EchoTime", "10,5", 10.5),
        ("EchoTime", "0.456412596987676812", 0.45641259698768),
        ("EchoTrainLength", 1.0, 1),
        ("AcquisitionDate", "2026.01.01", "20260101"),
        ("OperatorsName", "Doe^Jane\nMary", "Doe^Jane Mary"),
        ("ImageType", "original\\PRIMARY", ["ORIGINAL", "PRIMARY"]),
        ("PixelSpacing", [0.5, "0,25"], [0.5, 0.25]),
        ("ImageComments", "1\n2\\3", "1\n2\\3"),
    ],
)
def test_what_can_mean_one_thing_only_is_mended(keyword: str, value: object, taken: object) -> None:
    assert attributes_of({keyword: value}, "api").get(keyword) == taken


@pytest.mark.parametrize(
    ("keyword", "value", "words"),
    [
        ("EchoTime", "1,234", "(0018,0081) EchoTime: a comma that may part thousands, '1,234'"),
        ("EchoTime", float("inf"), "(0018,0081) EchoTime: no number, 'inf'"),
        ("EchoTrainLength", 1.5, "(0018,0091) EchoTrainLength: no whole number, '1.5'"),
        ("AcquisitionDate", "19810229", "(0008,0022) AcquisitionDate: no date of the calendar"),
        ("PatientBirthDate", "1981-GEHEIM", "(0010,0030) PatientBirthDate: no date of the calendar"),
        ("PatientAge", "GEHEIM", "(0010,1010) PatientAge: no age"),
        ("PatientWeight", "GEHEIM", "(0010,1030) PatientWeight: no number"),
        ("Modality", "gehe&im", "(0008,0060) Modality: no code string"),
        ("BodyPartExamined", "gehe&im", "(0018,0015) BodyPartExamined: no code string"),
        ("OperatorsName", "A\x1b[31m", "(0008,1070) OperatorsName: a control character"),
        ("SeriesDescription", "A\\B", "(0008,103E) SeriesDescription: a backslash, which parts values"),
        ("SeriesDescription", "x" * 65, "(0008,103E) SeriesDescription: longer than 64 characters"),
        ("PixelSpacing", 0.5, "(0028,0030) PixelSpacing: 1 value, '0.5'"),
        ("PixelSpacing", [0, 0], "(0028,0030) PixelSpacing: a distance that is not above zero, '0\\\\0'"),
        ("ImagePositionPatient", [1, 2], "(0020,0032) ImagePositionPatient: 2 values, '1\\\\2'"),
        ("ImageOrientationPatient", [1, 0, 0], "(0020,0037) ImageOrientationPatient: 3 values, '1\\\\0\\\\0'"),
    ],
)
def test_what_can_mean_anything_is_refused_by_name(keyword: str, value: object, words: str) -> None:
    with pytest.raises(ObjectInvalid) as caught:
        attributes_of({keyword: value}, "api")
    assert caught.value.message == f"api: {words}"
    assert caught.value.advice
