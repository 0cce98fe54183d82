"""Grayscale softcopy presentation states: what they say of images, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from openmodality.errors import UsageError
from openmodality.imaging.frames import Frame
from openmodality.imaging.presentation import read_state_presentation
from openmodality.imaging.render import render
from openmodality.objects.exam_facts import InstanceFacts, SeriesFacts
from openmodality.objects.references import EvidenceReference
from openmodality.objects.rules.check import check
from openmodality.objects.state.marks import Graphic, Words
from openmodality.objects.state.presentation_state import Look, PresentedImage, VoiTable, build_presentation_state
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from tests.made_objects import NOW, UIDS, definition_of, exam

STATE = "Grayscale Softcopy Presentation State"


def image(number: int = 1, *, study: str = "1.2.1", **known: Any) -> PresentedImage:
    given: dict[str, Any] = {"rows": 4, "columns": 6, "spacing": (0.5, 0.5)} | known
    reference = EvidenceReference(study, f"{study}.1", MR_IMAGE_STORAGE, f"{study}.1.{number}")
    return PresentedImage(reference, **given)


def make_state(*images: PresentedImage, **said: Any) -> Dataset:
    return build_presentation_state(
        definition_of("mr", STATE),
        exam(None),
        SeriesFacts(UIDS(), 7001, NOW, "PR"),
        InstanceFacts(UIDS(), 1, NOW),
        images or (image(),),
        Look(**said),
    )


def test_the_least_state_shows_the_whole_image_as_it_is() -> None:
    state = make_state()
    assert check(state, definition_of("mr", STATE)) == []
    (area,) = state.DisplayedAreaSelectionSequence
    assert (list(area.DisplayedAreaTopLeftHandCorner), list(area.DisplayedAreaBottomRightHandCorner)) == (
        [1, 1],
        [6, 4],
    )
    assert (area.PresentationSizeMode, state.PresentationLUTShape) == ("SCALE TO FIT", "IDENTITY")
    assert (state.Modality, state.ContentLabel) == ("PR", "LOOK")
    assert "SoftcopyVOILUTSequence" not in state
    assert "ReferencedImageSequence" not in area


def test_a_state_has_body_part_and_side_of_its_images() -> None:
    left = make_state(image(1, anatomy=("KNEE", "L")), image(2, anatomy=("KNEE", "L")))
    assert (left.BodyPartExamined, left.Laterality) == ("KNEE", "L")
    brain = make_state(image(anatomy=("BRAIN", "")))
    assert brain.BodyPartExamined == "BRAIN"
    assert "Laterality" not in brain
    both = make_state(image(1, anatomy=("KNEE", "L")), image(2, anatomy=("KNEE", "R")))
    assert "BodyPartExamined" not in both
    assert both["Laterality"].is_empty


def test_all_that_a_state_can_say() -> None:
    marks = [
        Graphic("CIRCLE", [(3, 2), (4, 2)], filled=True),
        Words("cyst", (1, 1)),
        Graphic("POINT", [(2, 2)], layer="B"),
    ]
    state = make_state(
        image(1, rescale=(2.0, -100.0, "US")), image(2, rescale=(2.0, -100.0, "US"), rows=8),
        window=(40.0, 400.0), inverse=True, rotation=90, flip=True, size="MAGNIFY", magnification=2.0, marks=marks,
        label="TEACHING", description="a cyst", creator="Curie^Marie",
    )  # fmt: skip
    assert check(state, definition_of("mr", STATE)) == []
    assert (state.RescaleSlope, state.RescaleIntercept) == (2, -100)
    assert state.SoftcopyVOILUTSequence[0].WindowCenter == 40
    assert (state.ImageRotation, state.ImageHorizontalFlip, state.PresentationLUTShape) == (90, "Y", "INVERSE")
    assert [layer.GraphicLayer for layer in state.GraphicLayerSequence] == ["MARKS", "B"]
    first, second = state.GraphicAnnotationSequence
    assert (first.GraphicObjectSequence[0].GraphicFilled, first.TextObjectSequence[0].UnformattedTextValue) == (
        "Y",
        "cyst",
    )
    assert second.GraphicObjectSequence[0].GraphicType == "POINT"
    assert [len(area.ReferencedImageSequence) for area in state.DisplayedAreaSelectionSequence] == [1, 1]
    assert state.ContentCreatorName == "Curie^Marie"


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", [False, True])
def test_the_corners_are_those_of_the_turned_image(rotation: int, flip: bool) -> None:
    """The pixel that the state names as top left is at the top left of what is rendered."""
    pixels = np.arange(24, dtype=np.uint16).reshape(4, 6) * 1000
    state = make_state(window=(12000.5, 24000), rotation=rotation, flip=flip)
    shown = render(_frame(pixels), read_state_presentation(state, Dataset()))
    (area,) = state.DisplayedAreaSelectionSequence
    levels = render(_frame(pixels), read_state_presentation(make_state(window=(12000.5, 24000)), Dataset()))
    for corner, place in (
        (area.DisplayedAreaTopLeftHandCorner, (0, 0)),
        (area.DisplayedAreaBottomRightHandCorner, (-1, -1)),
    ):
        column, row = corner
        assert shown[place] == levels[row - 1, column - 1]


def _frame(pixels: np.ndarray[Any, np.dtype[np.uint16]]) -> Frame:
    return Frame(pixels, 16)


def test_a_lookup_table_is_rendered() -> None:
    state = make_state(lut=VoiTable(0, 9, list(range(511, 0, -2))))
    assert check(state, definition_of("mr", STATE)) == []
    shown = render(_frame(np.array([[0, 255]], np.uint16)), read_state_presentation(state, Dataset()))
    assert shown.tolist() == [[255, 0]]


@pytest.mark.parametrize(
    ("first", "bits", "values"), [(-1, 9, [1]), (0, 8, [1]), (0, 9, [512]), (0, 9, [-1]), (0, 9, [])]
)
def test_a_table_that_cannot_be_written_is_refused(first: int, bits: int, values: list[int]) -> None:
    with pytest.raises(UsageError, match="lookup table"):
        VoiTable(first, bits, values)


def test_a_white_zero_is_turned_by_the_state() -> None:
    assert make_state(image(is_low_white=True)).PresentationLUTShape == "INVERSE"
    assert make_state(image(is_low_white=True), inverse=True).PresentationLUTShape == "IDENTITY"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"window": (40, 0)}, "a window cannot have the width 0"),
        ({"window": (40, 4), "lut": VoiTable(0, 9, [1])}, "exclude each other"),
        ({"rotation": 45}, "cannot be rotated by 45"),
        ({"size": "BIG"}, "'BIG' is no size"),
        ({"size": "MAGNIFY"}, "goes with a magnification"),
        ({"magnification": 2.0}, "goes with a magnification"),
        ({"label": "teaching"}, "no label"),
        ({"label": ""}, "no label"),
        ({"area": (1, 1, 7, 4)}, "is not within 6 columns and 4 rows"),
        ({"area": (5, 1, 4, 4)}, "is not within"),
    ],
)
def test_what_no_state_can_say_is_refused(said: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_state(**said)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ((image(), image(2, study="1.2.2")), "belong to one study"),
        ((image(), image(2, rescale=(1.0, 0.0, "US"))), "different rescales"),
        ((image(), image(2, is_low_white=True)), "MONOCHROME1"),
    ],
)
def test_images_that_do_not_go_together_are_refused(images: tuple[PresentedImage, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_state(*images)


def test_true_size_requires_a_spacing() -> None:
    with pytest.raises(UsageError, match="TRUE SIZE"):
        make_state(image(spacing=None), size="TRUE SIZE")
    assert make_state(image(spacing=None)).DisplayedAreaSelectionSequence[0].PresentationPixelAspectRatio == [1, 1]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Graphic("STAR", [(1, 1)]), "no type of graphic"),
        (lambda: Graphic("CIRCLE", [(1, 1)]), "it takes 2"),
        (lambda: Graphic("POLYLINE", [(1, 1)]), "it takes 2 or more"),
        (lambda: Graphic("POINT", [(1, 1)], units="MM"), "no units"),
        (lambda: Words("", (1, 1)), "1 to 1024 characters"),
    ],
)
def test_marks_that_are_none_are_refused(make: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make()


def test_numbers_of_any_precision_are_written_as_decimal_strings() -> None:
    rescale = (1.0000000000000002, -0.1234567890123456789, "US")
    state = make_state(image(rescale=rescale, spacing=(1 / 3, 2 / 3)), window=(100 / 3, 200 / 3))
    [voi] = state.SoftcopyVOILUTSequence
    assert (float(voi.WindowCenter), float(voi.WindowWidth)) == pytest.approx((100 / 3, 200 / 3))
    for element in state.iterall():
        if element.VR == "DS" and element.value is not None:
            values = element.value if element.VM > 1 else [element.value]
            assert all(len(str(each)) <= 16 for each in values)
