"""Enhanced MR images: shared and per-frame groups, dimensions, and what an invented scanner leaves open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from openmodality.errors import ObjectInvalid
from openmodality.objects.exam_facts import InstanceFacts, SeriesFacts
from openmodality.objects.image.enhanced_mr import EnhancedFrame, build_enhanced_mr
from openmodality.objects.rules.check import check
from openmodality.objects.rules.elements import data_set_of
from tests.made_objects import NOW, UIDS, definition_of, exam

ENHANCED = "Enhanced MR Image"
PLANE = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [0.5, 0.5], "SliceThickness": 3}


def frame(position: float = 0.0, value: int = 1, **attributes: Any) -> EnhancedFrame:
    known = {**PLANE, "ImagePositionPatient": [0, 0, position], **attributes}
    return EnhancedFrame(np.full((4, 6), value, np.uint16), data_set_of(**known))


def make_image(*frames: EnhancedFrame, **of_series: Any) -> Dataset:
    series = SeriesFacts(UIDS(), 1, NOW, "MR", frame_of_reference_uid=UIDS(), attributes=data_set_of(**of_series))
    return build_enhanced_mr(
        definition_of("mr", ENHANCED), exam(None), series, InstanceFacts(UIDS(), 1, NOW), frames, UIDS()
    )


def list_dimensions(image: Dataset) -> list[str]:
    return [item.DimensionDescriptionLabel for item in image.DimensionIndexSequence]


def list_indices(image: Dataset) -> list[list[int]]:
    frames = image.PerFrameFunctionalGroupsSequence
    return [[int(each) for each in item.FrameContentSequence[0].DimensionIndexValues] for item in frames]


def test_the_least_image_keeps_the_rules() -> None:
    image = make_image(frame())
    assert check(image, definition_of("mr", ENHANCED)) == []
    assert (image.NumberOfFrames, image.Rows, image.Columns, image.BitsStored) == (1, 4, 6, 12)
    assert list(image.ImageType) == ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    assert image.ContentQualification == "RESEARCH"


def test_what_frames_share_is_said_once() -> None:
    image = make_image(frame(0, EchoTime=20), frame(3, EchoTime=20), RepetitionTime=500)
    shared = image.SharedFunctionalGroupsSequence[0]
    assert shared.PixelMeasuresSequence[0].SliceThickness == 3
    assert shared.MREchoSequence[0].EffectiveEchoTime == 20.0
    assert shared.MRTimingAndRelatedParametersSequence[0].RepetitionTime == 500
    places = [item.PlanePositionSequence[0].ImagePositionPatient[2] for item in image.PerFrameFunctionalGroupsSequence]
    assert places == [0, 3]
    assert list_dimensions(image) == ["Stack", "Position"]
    assert list_indices(image) == [[1, 1], [1, 2]]


@pytest.mark.parametrize(
    ("frames", "dimensions", "indices"),
    [
        ([{"EchoTime": 20}, {"EchoTime": 10}], ["Stack", "Echo", "Position"], [[1, 2, 1], [1, 1, 1]]),
        (
            [{"DiffusionBValue": 0}, {"DiffusionBValue": 800, "DiffusionGradientOrientation": [1, 0, 0]},
             {"DiffusionBValue": 800, "DiffusionGradientOrientation": [0, 1, 0]}],
            ["Stack", "b-value", "Direction", "Position"], [[1, 1, 1, 1], [1, 2, 3, 1], [1, 2, 2, 1]],
        ),
        ([{"TriggerTime": 5}, {"TriggerTime": 50}], ["Stack", "Trigger delay", "Position"], [[1, 1, 1], [1, 2, 1]]),
        (
            [{"TemporalPositionIdentifier": 2}, {"TemporalPositionIdentifier": 1}],
            ["Stack", "Time", "Position"], [[1, 2, 1], [1, 1, 1]],
        ),
        ([{}, {}], ["Stack", "Time", "Position"], [[1, 1, 1], [1, 2, 1]]),
    ],
)  # fmt: skip
def test_dimensions_are_found_in_the_data(
    frames: list[dict[str, Any]], dimensions: list[str], indices: list[list[int]]
) -> None:
    image = make_image(*(frame(**each) for each in frames))
    assert check(image, definition_of("mr", ENHANCED)) == []
    assert (list_dimensions(image), list_indices(image)) == (dimensions, indices)


def test_frames_of_two_planes_are_two_stacks() -> None:
    turned: dict[str, Any] = {**PLANE, "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}
    image = make_image(frame(0), frame(3), frame(0, **turned))
    assert [item.FrameContentSequence[0].StackID for item in image.PerFrameFunctionalGroupsSequence] == ["2", "2", "1"]


def test_directions_of_diffusion_are_in_their_sequence() -> None:
    image = make_image(frame(DiffusionBValue=0), frame(DiffusionBValue=800, DiffusionGradientOrientation=[1, 0, 0]))
    first, second = (item.MRDiffusionSequence[0] for item in image.PerFrameFunctionalGroupsSequence)
    assert (first.DiffusionDirectionality, second.DiffusionDirectionality) == ("NONE", "DIRECTIONAL")
    assert list(second.DiffusionGradientDirectionSequence[0].DiffusionGradientOrientation) == [1, 0, 0]


@pytest.mark.parametrize(
    ("thirds", "of_frames", "of_image"),
    [
        (["P", "P"], ["PHASE"] * 2, "PHASE"),
        (["M", "P"], ["MAGNITUDE", "PHASE"], "MIXED"),
        (["R_FFE", "I"], ["REAL", "IMAGINARY"], "MIXED"),
        (["M_SE", "T1"], ["MAGNITUDE"] * 2, "MAGNITUDE"),
    ],
)
def test_the_part_of_a_complex_image_follows_from_image_type(
    thirds: list[str], of_frames: list[str], of_image: str
) -> None:
    frames = [frame(number, ImageType=["ORIGINAL", "PRIMARY", each]) for number, each in enumerate(thirds)]
    image = make_image(*frames)
    groups = [image.SharedFunctionalGroupsSequence[0], *image.PerFrameFunctionalGroupsSequence]
    said = [
        each.MRImageFrameTypeSequence[0].ComplexImageComponent for each in groups if "MRImageFrameTypeSequence" in each
    ]
    assert (said * (2 // len(said)), image.ComplexImageComponent) == (of_frames, of_image)
    assert check(image, definition_of("mr", ENHANCED)) == []
    assert [each.attributes.ImageType[2] for each in frames] == thirds


@pytest.mark.parametrize(
    ("options", "direction"), [("PFP", "PHASE"), ("PFF", "FREQUENCY"), (["PFF", "PFP", "FC"], "COMBINATION")]
)
def test_encoding_is_said_in_the_terms_of_enhanced_images(options: str | list[str], direction: str) -> None:
    image = make_image(frame(ScanOptions=options, InPlanePhaseEncodingDirection="COL"))
    shared = image.SharedFunctionalGroupsSequence[0]
    assert shared.MRFOVGeometrySequence[0].InPlanePhaseEncodingDirection == "COLUMN"
    modifier = shared.MRModifierSequence[0]
    assert (modifier.PartialFourier, modifier.PartialFourierDirection) == ("YES", direction)


def test_pixels_are_those_of_the_frames() -> None:
    frames = [frame(0, 5), frame(3, 4000)]
    image = make_image(*frames)
    assert image.BitsStored == 12
    stored = np.frombuffer(image.PixelData, "<u2").reshape(2, 4, 6)
    assert (stored == np.stack([each.pixels for each in frames])).all()
    signed = EnhancedFrame(np.full((4, 6), -2048, np.int16), frames[0].attributes)
    assert (make_image(signed).PixelRepresentation, make_image(signed).BitsStored) == (1, 12)


def test_frames_that_do_not_go_together_are_refused() -> None:
    wide = EnhancedFrame(np.zeros((4, 8), np.uint16), frame().attributes)
    with pytest.raises(ObjectInvalid, match="frame 2 has the shape"):
        make_image(frame(), wide)
    with pytest.raises(ObjectInvalid, match="no frame"):
        make_image()
    with pytest.raises(ObjectInvalid, match="no grey image"):
        make_image(EnhancedFrame(np.zeros((4, 8, 3), np.uint16), frame().attributes))
    nowhere = EnhancedFrame(np.zeros((4, 8), np.uint16), Dataset())
    with pytest.raises(ObjectInvalid, match="frame 1 has no PixelSpacing, SliceThickness"):
        make_image(nowhere)
