"""Enhanced MR images: shared and per-frame groups, dimensions, and what an invented scanner leaves open."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from openmodality.errors import ObjectInvalid
from openmodality.objects.image.enhanced_mr import EnhancedFrame
from openmodality.objects.rules.check import check
from openmodality.objects.rules.elements import data_set_of
from tests.enhanced_images import ENHANCED, PLANE, SYNCHRONIZED, VARIANTS, frame, make_image, make_images
from tests.made_objects import definition_of

STATEMENT = Path(__file__).parents[3] / "data/spec/mr/iod_modules.csv"


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


@cache
def make_variant(name: str) -> Dataset:
    """Nobody changes it."""
    frames, of_series = VARIANTS[name]
    return make_image(*frames, **of_series)


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_keeps_the_rules(name: str) -> None:
    assert check(make_variant(name), definition_of("mr", ENHANCED)) == []


def list_paths(data_set: Dataset, before: tuple[int, ...] = ()) -> set[tuple[int, ...]]:
    """The attributes of a data set that have a value; those of functional groups begin at the group."""
    found = set()
    for element in data_set:
        path = (*before, int(element.tag))
        groups = element.keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
        if not element.is_empty or element.VR == "SQ":
            found.add(path)
        for item in element.value if element.VR == "SQ" else ():
            found |= list_paths(item, () if groups else path)
    return found


def list_rows() -> list[tuple[int, ...]]:
    """The rows of the statement for Enhanced MR images, as paths."""
    with STATEMENT.open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["iod_scope"] == "EnhancedMR"]
    return [tuple(int(tag.replace(",", ""), 16) for tag in row["path"].split(">")) for row in rows]


def test_every_row_of_the_statement_can_be_reached() -> None:
    reached: set[tuple[int, ...]] = set()
    for name in VARIANTS:
        reached |= list_paths(make_variant(name))
    more = {"LossyImageCompression": "01", "LossyImageCompressionRatio": "2"}
    derivation = [Dataset()]
    reached |= list_paths(make_image(frame(DerivationImageSequence=derivation), **more))
    anatomy = Dataset()
    anatomy.CodeValue, anatomy.CodingSchemeDesignator, anatomy.CodingSchemeVersion = "1", "99X", "1"
    anatomy.CodeMeaning = "Phantom"
    reached |= list_paths(make_image(frame(AnatomicRegionSequence=[anatomy])))
    rows = list_rows()
    assert len(rows) == 199
    assert [row for row in rows if row not in reached] == []


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({**SYNCHRONIZED, "CardiacSignalSource": ""}, "CardiacSignalSource"),
        ({**SYNCHRONIZED, "CardiacBeatRejectionTechnique": ""}, "CardiacBeatRejectionTechnique"),
        ({**SYNCHRONIZED, "RespiratorySignalSource": ""}, "RespiratorySignalSource"),
        ({**SYNCHRONIZED, "BulkMotionSignalSource": ""}, "BulkMotionSignalSource"),
        ({"ParallelAcquisition": "YES"}, "ParallelAcquisitionTechnique"),
        ({"ParallelAcquisition": "YES", "ParallelAcquisitionTechnique": "SENSE"}, "ParallelReductionFactorInPlane"),
        ({"InversionRecovery": "YES"}, "InversionTimes"),
        ({"PartialFourier": "YES"}, "PartialFourierDirection"),
        ({"FlowCompensation": "ACCELERATION"}, "FlowCompensationDirection"),
        ({"Tagging": "LINE"}, "TagSpacingFirstDimension"),
        ({"ReceiveCoilType": "MULTICOIL"}, "MultiCoilDefinitionSequence"),
        ({"GeometryOfKSpaceTraversal": "RECTILINEAR", "LossyImageCompression": "01"}, "LossyImageCompressionRatio"),
    ],
)
def test_what_a_condition_requires_is_asked_for(given: dict[str, Any], missing: str) -> None:
    with pytest.raises(ObjectInvalid, match=missing):
        make_image(frame(TriggerTime=5), **given)


def test_the_order_of_a_spiral_is_not_invented() -> None:
    image = make_image(frame(), GeometryOfKSpaceTraversal="SPIRAL")
    assert "RectilinearPhaseEncodeReordering" not in image
    assert make_image(frame()).RectilinearPhaseEncodeReordering == "LINEAR"


def test_directions_of_one_b_value_are_described_and_told_apart() -> None:
    frames = [
        frame(DiffusionBValue=800.0, DiffusionGradientOrientation=[float(each == axis) for axis in range(3)])
        for each in range(3)
    ]
    image = make_image(*frames)
    assert list_dimensions(image) == ["Stack", "Direction", "Position"]
    for number, item in enumerate(image.PerFrameFunctionalGroupsSequence):
        [diffusion] = item.MRDiffusionSequence
        [direction] = diffusion.DiffusionGradientDirectionSequence
        assert (diffusion.DiffusionBValue, list(direction.DiffusionGradientOrientation).index(1.0)) == (800.0, number)


def test_magnitude_and_phase_are_a_dimension_of_one_image() -> None:
    image = make_image(*(frame(0, ImageType=["ORIGINAL", "PRIMARY", each]) for each in "MP"))
    assert list_dimensions(image) == ["Stack", "Component", "Position"]
    assert list_indices(image) == [[1, 1, 1], [1, 2, 1]]
    pointer = image.DimensionIndexSequence[1]
    assert (pointer.DimensionIndexPointer, pointer.FunctionalGroupPointer) == (0x00089208, 0x00189226)


def test_a_concatenation_is_one_image_in_parts() -> None:
    frames = [frame(position, position) for position in range(7)]
    parts = make_images(frames, parts=3, RepetitionTime=500)
    whole = make_image(*frames, RepetitionTime=500)
    assert [check(each, definition_of("mr", ENHANCED)) for each in parts] == [[]] * 3
    assert [each.NumberOfFrames for each in parts] == [2, 2, 3]
    assert [each.ConcatenationFrameOffsetNumber for each in parts] == [0, 2, 4]
    assert [(each.InConcatenationNumber, each.InConcatenationTotalNumber) for each in parts] == [(1, 3), (2, 3), (3, 3)]
    assert len({each.SOPInstanceUID for each in parts}) == 3
    for keyword in ("ConcatenationUID", "SOPInstanceUIDOfConcatenationSource", "InstanceNumber", "SeriesInstanceUID"):
        assert len({str(each[keyword].value) for each in parts}) == 1
    assert parts[0].SOPInstanceUIDOfConcatenationSource not in {each.SOPInstanceUID for each in parts}
    assert all(each.SharedFunctionalGroupsSequence == whole.SharedFunctionalGroupsSequence for each in parts)
    assert [index for each in parts for index in list_indices(each)] == list_indices(whole)
    assert b"".join(each.PixelData for each in parts) == whole.PixelData
    assert "ConcatenationUID" not in whole


def test_stated_bits_are_held_to_the_values_and_to_the_object() -> None:
    assert make_image(frame(value=1, BitsStored=14)).BitsStored == 16
    assert make_image(frame(0, BitsStored=12), frame(3, value=4096)).BitsStored == 16
    with pytest.raises(ObjectInvalid, match="BitsStored of 20 is more than the object allows") as caught:
        make_image(frame(BitsStored=20))
    assert (caught.value.tag, caught.value.advice) == (0x00280101, "give 12 or 16, or leave it out")


def test_a_palette_without_its_entries_is_refused() -> None:
    palette = {f"{colour}PaletteColorLookupTableDescriptor": [256, 0, 16] for colour in ("Red", "Green", "Blue")}
    tables = {f"{colour}PaletteColorLookupTableData": bytes(4) for colour in ("Red", "Green", "Blue")}
    with pytest.raises(ObjectInvalid, match="has not the 256 entries"):
        make_image(frame(), **palette, **tables)


def test_what_a_group_given_as_a_sequence_does_not_say_is_said_as_without_it() -> None:
    given = [data_set_of(FlowCompensation="NONE", Spoiling="RF")]
    [modifier] = make_image(frame(), MRModifierSequence=given).SharedFunctionalGroupsSequence[0].MRModifierSequence
    [plain] = make_image(frame()).SharedFunctionalGroupsSequence[0].MRModifierSequence
    assert (modifier.Spoiling, plain.Spoiling) == ("RF", "NONE")
    assert {element.keyword for element in plain} == {element.keyword for element in modifier}


def test_a_sequence_of_all_frames_goes_before_what_a_frame_says_beside_it() -> None:
    frames = [frame(place, InversionTime=str(100 + place)) for place in range(3)]
    image = make_image(*frames, MRModifierSequence=[data_set_of(Spoiling="RF")])
    modifiers = [item.MRModifierSequence[0] for item in image.PerFrameFunctionalGroupsSequence]
    assert [each.InversionTimes for each in modifiers] == [100.0, 101.0, 102.0]
    assert {each.Spoiling for each in modifiers} == {"RF"}
    timed = [data_set_of(InversionTimes=[7.0])]
    image = make_image(*frames, MRModifierSequence=timed)
    assert image.SharedFunctionalGroupsSequence[0].get("MRModifierSequence") is None
    assert {item.MRModifierSequence[0].InversionTimes for item in image.PerFrameFunctionalGroupsSequence} == {7.0}


def test_a_palette_makes_frames_of_colour() -> None:
    frames, of_series = VARIANTS["palette"]
    given = {keyword: value for keyword, value in of_series.items() if keyword != "PixelPresentation"}
    image = make_image(*frames, **given)
    assert image.PixelPresentation == "COLOR"
    assert image.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence[0].PixelPresentation == "COLOR"


def test_names_that_need_a_character_set_are_declared_wherever_they_stand() -> None:
    image = make_image(frame(0, MetaboliteMapDescription="Schädel"), frame(0, MetaboliteMapDescription="NAA"))
    assert image.SpecificCharacterSet == "ISO_IR 100"
    first = image.PerFrameFunctionalGroupsSequence[0].MRMetaboliteMapSequence[0]
    assert first.MetaboliteMapDescription == "Schädel"


def test_the_check_looks_into_functional_groups() -> None:
    image = make_image(frame(0), frame(3))
    shared, second = image.SharedFunctionalGroupsSequence[0], image.PerFrameFunctionalGroupsSequence[1]
    del shared.PixelMeasuresSequence[0].SliceThickness
    del shared.MREchoSequence
    second.FrameContentSequence[0].StackID = None
    del second.PlanePositionSequence
    second.PlaneOrientationSequence = shared.PlaneOrientationSequence
    found = {str(each) for each in check(image, definition_of("mr", ENHANCED))}
    said = [(each.partition(":")[0].split()[1], each.partition(": ")[2].partition(" (")[0]) for each in found]
    assert set(said) == {
        ("MREchoSequence", "missing"), ("PlanePositionSequence", "missing"),
        ("PlaneOrientationSequence", "shared, and of frames too"),
    } | {("StackID", "without a value")}  # fmt: skip
