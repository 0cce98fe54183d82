"""Images as presentation states show them: area, turns, and marks at their places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.imaging.presented import draw_presented
from openmodality.objects.state.marks import Graphic, Words
from tests.unit.objects.state.test_presentation_state import image, make_state


def picture_of(spoil: Callable[[Dataset], None] = lambda state: None, **said: Any) -> np.ndarray[Any, np.dtype[Any]]:
    data_set = Dataset()
    data_set.SOPInstanceUID = image().reference.sop_instance_uid
    data_set.Rows, data_set.Columns, data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 4, 6, 16, 16, 15
    data_set.PixelRepresentation, data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 0, 1, "MONOCHROME2"
    pixels = np.zeros((4, 6), np.uint16)
    pixels[0, 0] = 1000
    data_set.PixelData = pixels.tobytes()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    state = make_state(window=(500, 1000), **said)
    spoil(state)
    return draw_presented(state, data_set)


def corner(picture: np.ndarray[Any, np.dtype[Any]]) -> tuple[str, str]:
    """In which corner the light pixel is."""
    rows, columns = np.nonzero(picture > 200)
    height, width = picture.shape
    return ("top" if rows.mean() < height / 2 else "bottom"), ("left" if columns.mean() < width / 2 else "right")


@pytest.mark.parametrize(
    ("rotation", "flip", "place"),
    [
        (0, False, ("top", "left")),
        (90, False, ("top", "right")),
        (180, False, ("bottom", "right")),
        (270, False, ("bottom", "left")),
        (0, True, ("top", "right")),
        (90, True, ("top", "left")),
    ],
)
def test_a_mark_turns_with_the_image(rotation: int, flip: bool, place: tuple[str, str]) -> None:
    assert corner(picture_of(rotation=rotation, flip=flip)) == place
    dark_area: dict[str, Any] = {"rotation": rotation, "flip": flip, "inverse": False}
    marked = picture_of(**dark_area, marks=(Graphic("CIRCLE", [(0.5, 0.5), (0.9, 0.5)], filled=True),))
    assert corner(marked) == place
    assert max(marked.shape) >= 512


def test_only_the_displayed_area_is_shown() -> None:
    assert picture_of(area=(2, 2, 6, 4)).max() < 200
    shown = picture_of(area=(1, 1, 3, 1))
    assert shown.shape[1] == 3 * shown.shape[0]


def test_words_and_lines_are_drawn() -> None:
    plain = picture_of(area=(2, 2, 6, 4))
    for mark in (
        Words("cyst", (3, 3)),
        Words("cyst", (0.5, 0.5), units="DISPLAY"),
        Graphic("POLYLINE", [(3, 2), (5, 3)]),
        Graphic("POINT", [(3, 3)]),
        Graphic("ELLIPSE", [(2, 3), (5, 3), (3.5, 2.5), (3.5, 3.5)]),
        Graphic("INTERPOLATED", [(3, 2), (4, 3), (5, 2)]),
    ):
        assert (picture_of(area=(2, 2, 6, 4), marks=(mark,)) != plain).any()


@pytest.mark.parametrize(
    ("mark", "keyword", "value"),
    [
        (Graphic("POLYLINE", [(3, 2), (5, 3)]), "GraphicAnnotationUnits", None),
        (Graphic("POLYLINE", [(3, 2), (5, 3)]), "GraphicData", [3, 2]),
        (Graphic("POINT", [(3, 3)]), "GraphicData", None),
        (Graphic("POINT", [(3, 3)]), "GraphicType", None),
        (Graphic("ELLIPSE", [(2, 3), (5, 3), (3.5, 2.5), (3.5, 3.5)]), "GraphicData", [2, 3, 5, 3]),
        (Words("cyst", (3, 3)), "AnchorPoint", None),
        (Words("cyst", (3, 3)), "AnchorPointAnnotationUnits", None),
        (Words("cyst", (3, 3)), "UnformattedTextValue", None),
    ],
)
def test_an_incomplete_mark_is_left_out_and_noted(
    mark: Graphic | Words, keyword: str, value: list[float] | None, caplog: pytest.LogCaptureFixture
) -> None:
    def spoil(state: Dataset) -> None:
        item = state.GraphicAnnotationSequence[0]
        spoilt = item.GraphicObjectSequence[0] if isinstance(mark, Graphic) else item.TextObjectSequence[0]
        if value is None:
            del spoilt[keyword]
        else:
            spoilt[keyword].value = value

    whole = Graphic("CIRCLE", [(4, 3), (4.5, 3)])
    marks = (mark, whole)
    assert (picture_of(spoil, marks=marks) == picture_of(marks=(whole,))).all()
    assert "presentation.incomplete_mark" in caplog.text
