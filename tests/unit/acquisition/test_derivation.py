"""Images that are derived of others say so, and of which."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from openmodality.acquisition.derivation import derive_frames
from openmodality.acquisition.source import AcquiredFrame

REFERENCE = ("1.2.840.10008.5.1.4.1.1.2", "1.2.3")


def frame(*image_type: str) -> AcquiredFrame:
    attributes = Dataset()
    if image_type:
        attributes.ImageType = list(image_type)
    return AcquiredFrame(np.zeros((2, 2), np.uint16), attributes)


@pytest.mark.parametrize(
    ("image_type", "expected"),
    [(("ORIGINAL", "PRIMARY", "AXIAL"), ["DERIVED", "PRIMARY"]), ((), ["DERIVED", "SECONDARY"])],
)
def test_the_image_type_says_derived(image_type: tuple[str, ...], expected: list[str]) -> None:
    (derived,) = derive_frames([frame(*image_type)], REFERENCE)
    assert list(derived.attributes.ImageType) == expected


def test_the_source_is_named_with_its_frame() -> None:
    first, second = derive_frames([frame(), frame()], REFERENCE)
    (item,) = second.attributes.SourceImageSequence
    assert (item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID, item.ReferencedFrameNumber) == (*REFERENCE, 2)
    (only,) = derive_frames([frame()], REFERENCE)
    assert "ReferencedFrameNumber" not in only.attributes.SourceImageSequence[0]
    assert first.attributes.SourceImageSequence[0].ReferencedFrameNumber == 1
