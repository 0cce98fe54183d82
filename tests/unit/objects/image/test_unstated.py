"""What an original enhanced image says as 0 because nobody has stated it."""

from __future__ import annotations

from typing import Any

import pytest

from openmodality.objects.image.unstated import list_unstated
from openmodality.objects.rules.elements import data_set_of
from tests.enhanced_images import DESCRIBED, frame, make_image

KNOWN = {**DESCRIBED, "AcquisitionDuration": 12.0}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (KNOWN, []),
        ({**KNOWN, "RepetitionTime": "0"}, ["RepetitionTime"]),
        ({**KNOWN, "ImageType": ["DERIVED", "PRIMARY"], "RepetitionTime": "0"}, []),
    ],
)
def test_a_zero_of_an_original_image_is_named(given: dict[str, Any], expected: list[str]) -> None:
    assert list_unstated(make_image(frame(), **given)) == expected


def test_a_classic_image_says_what_it_says() -> None:
    assert list_unstated(data_set_of(ImageType=["ORIGINAL", "PRIMARY", "OTHER"], RepetitionTime="0")) == []
