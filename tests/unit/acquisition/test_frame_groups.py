"""What functional groups say of a frame is what an image of one frame says: an image made of it is the same again."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.acquisition.dicom_attributes import read_stored_pixels, take_acquisition_attributes
from openmodality.acquisition.frame_groups import GROUP_SEQUENCES, describe_frames
from openmodality.errors import ObjectInvalid
from openmodality.objects.image.enhanced_mr import EnhancedFrame
from openmodality.objects.rules.elements import data_set_of
from tests.enhanced_images import VARIANTS, frame, make_image

NOT_TAKEN = ("ReferencedImageSequence", "PixelPresentation")
"""References to instances of others, and colours of a palette."""


def describe(image: Dataset) -> list[Dataset]:
    return describe_frames(image, take_acquisition_attributes(image, "a file"), "a file")


def drop_untaken(data_set: Dataset) -> Dataset:
    kept = deepcopy(data_set)

    def drop(inner: Dataset, element: DataElement) -> None:
        if element.keyword in NOT_TAKEN:
            del inner[element.tag]

    kept.walk(drop)
    return kept


@pytest.mark.parametrize("name", VARIANTS)
def test_an_image_made_of_the_frames_of_another_says_the_same_of_each(name: str) -> None:
    frames, of_series = VARIANTS[name]
    image = make_image(*frames, **of_series)
    kept = {keyword: of_series[keyword] for keyword in ("BodyPartExamined", "PatientPosition") if keyword in of_series}
    described = zip(frames, describe(image), strict=True)
    again = make_image(*(EnhancedFrame(each.pixels, said) for each, said in described), **kept)
    for keyword in GROUP_SEQUENCES:
        for own, other in zip(image[keyword].value, again[keyword].value, strict=True):
            assert drop_untaken(other) == drop_untaken(own)


def test_a_frame_says_what_a_classic_image_would() -> None:
    stated: dict[str, Any] = {"TriggerTime": "0", "EchoTime": "12.5", "InversionTime": "150", "SequenceName": "se2d"}
    (said,) = describe(make_image(frame(7.5, ImagingFrequency="63.8", **stated)))
    assert said.ImagePositionPatient == [0, 0, 7.5]
    assert {keyword: str(said[keyword].value) for keyword in stated} == stated
    (unknown,) = describe(make_image(frame()))
    assert not {"EchoTime", "ImagingFrequency", "SequenceName"} & set(unknown.dir())


def test_each_frame_has_its_own_rescale_where_stored_values_are_moved() -> None:
    pixels = np.array([[[-5, 7]], [[-6, 8]]], dtype="<i2")
    image = data_set_of(
        SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", Rows=1, Columns=2, BitsAllocated=16, BitsStored=12,
        HighBit=11, PixelRepresentation=1, NumberOfFrames="2", PerFrameFunctionalGroupsSequence=[
            data_set_of(PixelValueTransformationSequence=[data_set_of(RescaleSlope=slope, RescaleIntercept=offset)])
            for slope, offset in (("2", "10"), ("3", "-1"))
        ],
    )  # fmt: skip
    image.add_new(0x7FE00010, "OW", pixels.tobytes())
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stored, attributes = read_stored_pixels(image, "a file")
    for number, said in enumerate(describe_frames(image, attributes, "a file")):
        meant = stored[number] * float(said.RescaleSlope) + float(said.RescaleIntercept)
        slope, offset = ((2, 10), (3, -1))[number]
        assert np.array_equal(meant, pixels[number] * slope + offset)


def test_an_item_that_is_missing_is_named() -> None:
    image = make_image(frame(0), frame(3))
    del image.PerFrameFunctionalGroupsSequence[1]
    with pytest.raises(ObjectInvalid, match="a file: PerFrameFunctionalGroupsSequence has 1 item for 2 frames"):
        describe(image)


def test_an_image_without_groups_says_the_same_of_all_frames() -> None:
    image = data_set_of(NumberOfFrames="2", EchoTime="20")
    assert [said.EchoTime for said in describe(image)] == [20, 20]


def test_groups_that_are_no_sequence_say_nothing() -> None:
    image = data_set_of(NumberOfFrames="1", EchoTime="20")
    for keyword in GROUP_SEQUENCES:
        image.add_new(Tag(keyword), "OB", b"\0\0\0\0")
    assert [said.EchoTime for said in describe(image)] == [20]
