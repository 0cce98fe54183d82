"""What a presentation state must know of an image: one frame or many, whose rescale stands in functional groups."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset

from openmodality.errors import UsageError
from openmodality.exam.producers.presentation_states import describe_image
from openmodality.objects.references import EvidenceReference
from openmodality.objects.rules.elements import data_set_of
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE
from tests.enhanced_images import frame, make_image

REFERENCE = EvidenceReference("1.2.1", "1.2.1.1", ENHANCED_MR_IMAGE_STORAGE, "1.2.1.1.1")
SCALED: dict[str, Any] = {"RescaleSlope": "0.5", "RescaleIntercept": "-1", "RescaleType": "US"}


def test_the_rescale_of_an_enhanced_image_is_that_of_its_frames() -> None:
    shared = make_image(frame(0, **SCALED), frame(1, **SCALED))
    assert "RescaleSlope" not in shared
    assert describe_image(REFERENCE, shared).rescale == (0.5, -1.0, "US")
    assert describe_image(REFERENCE, shared).spacing == (0.5, 0.5)
    differing = make_image(frame(0, **SCALED), frame(1, **{**SCALED, "RescaleSlope": "2"}))
    with pytest.raises(UsageError, match=r"the frames of 1\.2\.1\.1\.1 have different rescales; a state has"):
        describe_image(REFERENCE, differing)


def test_body_part_and_side_are_those_of_the_image() -> None:
    header = data_set_of(PhotometricInterpretation="MONOCHROME2", Rows=4, Columns=6, RescaleSlope="2")
    assert describe_image(REFERENCE, header).anatomy == ("", "")
    assert describe_image(REFERENCE, header).rescale is None
    header.update(data_set_of(BodyPartExamined="KNEE", ImageLaterality="L"))
    assert describe_image(REFERENCE, header).anatomy == ("KNEE", "L")


def test_colour_is_refused() -> None:
    with pytest.raises(UsageError, match="is no grey image"):
        describe_image(REFERENCE, Dataset())
