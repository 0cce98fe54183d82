"""What the virtual printer refuses, warns of and complains about."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset

from openmodality.hospital.film_checks import check_request
from openmodality.standard.dimse import Status
from openmodality.standard.print_management import PrintStatus
from openmodality.standard.sop_classes import (
    BASIC_FILM_BOX,
    BASIC_FILM_SESSION,
    BASIC_GRAYSCALE_IMAGE_BOX,
    PRESENTATION_LUT,
)


def make(**values: Any) -> Dataset:
    data_set = Dataset()
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


@pytest.mark.parametrize(
    ("sop_class", "values", "status"),
    [
        (BASIC_FILM_SESSION, {"NumberOfCopies": 99, "PrintPriority": "LOW"}, Status.SUCCESS),
        (BASIC_FILM_SESSION, {"NumberOfCopies": 0}, Status.ATTRIBUTE_VALUE_OUT_OF_RANGE),
        (BASIC_FILM_SESSION, {"PrintPriority": "NOW"}, Status.ATTRIBUTE_VALUE_OUT_OF_RANGE),
        (BASIC_FILM_BOX, {"MinDensity": 20, "MaxDensity": 400}, Status.SUCCESS),
        (BASIC_FILM_BOX, {"MaxDensity": 401}, PrintStatus.DENSITY_OUT_OF_RANGE),
        (BASIC_FILM_BOX, {"MinDensity": 300, "MaxDensity": 200}, PrintStatus.DENSITY_OUT_OF_RANGE),
        (BASIC_GRAYSCALE_IMAGE_BOX, {"ImageBoxPosition": 1}, Status.SUCCESS),
        (PRESENTATION_LUT, {"PresentationLUTShape": "LIN OD"}, Status.SUCCESS),
    ],
)
def test_what_is_taken(sop_class: str, values: dict[str, Any], status: int) -> None:
    verdict = check_request(sop_class, make(**values))
    assert (verdict.status, verdict.refusal, verdict.complaints) == (status, "", ())


@pytest.mark.parametrize(
    ("sop_class", "values", "tag"),
    [
        (BASIC_FILM_BOX, {"FilmOrientation": "SQUARE"}, 0x20100040),
        (BASIC_FILM_BOX, {"FilmSizeID": "9INX9IN"}, 0x20100050),
        (BASIC_FILM_BOX, {"Trim": "MAYBE"}, 0x20100140),
        (BASIC_GRAYSCALE_IMAGE_BOX, {"Polarity": "POSITIVE"}, 0x20200020),
        (BASIC_GRAYSCALE_IMAGE_BOX, {"BasicGrayscaleImageSequence": [Dataset()]}, 0x20200110),
        (PRESENTATION_LUT, {"PresentationLUTShape": "ROUND"}, 0x20500020),
        (PRESENTATION_LUT, {}, 0x20500020),
    ],
)
def test_what_is_refused(sop_class: str, values: dict[str, Any], tag: int) -> None:
    verdict = check_request(sop_class, make(**values))
    assert verdict.refusal
    assert verdict.offending == (tag,)


def test_attributes_without_value_are_complained_about() -> None:
    verdict = check_request(BASIC_FILM_BOX, make(SmoothingType="", Trim="NO"))
    assert (verdict.status, verdict.complaints) == (
        Status.SUCCESS,
        ("(2010,0080) SmoothingType is sent without a value",),
    )
