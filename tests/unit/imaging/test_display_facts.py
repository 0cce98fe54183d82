"""What a viewer is told: plain values of the pipeline, shutters pixel by pixel, samples as they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from openmodality.imaging.display_facts import encode_samples, find_plain_samples, make_display_facts
from openmodality.imaging.frames import read_frame
from openmodality.imaging.shutter import CircularShutter, RectangularShutter
from openmodality.imaging.stored_pixels import open_stored_pixels
from tests.unit.imaging.images import RAMP, colour_image, grey_image
from tests.unit.imaging.test_stored_pixels import find, write


def test_windows_rescale_and_spacing_are_told() -> None:
    facts = make_display_facts(
        grey_image(
            RAMP,
            RescaleSlope=2,
            RescaleIntercept=-5,
            RescaleType="HU",
            WindowCenter=[40, 50],
            WindowWidth=[80, 90],
            WindowCenterWidthExplanation=["BRAIN", "BONE"],
            VOILUTFunction="SIGMOID",
            ImagerPixelSpacing=[0.5, 0.25],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        )
    )
    assert facts["modality"] == {"slope": 2.0, "intercept": -5.0}
    assert facts["voi"] == {"center": 40.0, "width": 80.0, "function": "SIGMOID"}
    assert [each["name"] for each in facts["windows"]] == ["BRAIN", "BONE"]  # type: ignore[attr-defined]
    assert (facts["spacing"], facts["spacing_name"], facts["aspect"]) == ([0.5, 0.25], "ImagerPixelSpacing", 2.0)
    assert facts["directions"] == {"left": "R", "top": "A", "right": "L", "bottom": "P"}
    assert facts["units"] == "HU"
    json.dumps(facts)


def test_tables_are_told_entry_by_entry() -> None:
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4, 10, 8], [0, 50, 100, 255]
    facts = make_display_facts(grey_image(RAMP, VOILUTSequence=[table]))
    assert facts["voi"] == {"entries": [0.0, 50.0, 100.0, 255.0], "first": 10, "bits": 8}
    assert facts["modality"] == {"slope": 1.0, "intercept": 0.0}


def test_the_pixels_that_a_shutter_leaves_open_are_told_row_by_row() -> None:
    image = grey_image(np.zeros((40, 30), np.uint16), ShutterShape=["RECTANGULAR", "CIRCULAR"])
    image.ShutterLeftVerticalEdge, image.ShutterRightVerticalEdge = 3, 28
    image.ShutterUpperHorizontalEdge, image.ShutterLowerHorizontalEdge = 5, 35
    image.CenterOfCircularShutter, image.RadiusOfCircularShutter = [20, 15], 14
    expected = RectangularShutter(3, 28, 5, 35).open_pixels((40, 30)) & CircularShutter((20, 15), 14).open_pixels(
        (40, 30)
    )
    shown = np.zeros((40, 30), bool)
    row = 0
    runs = make_display_facts(image)["shutter"]
    assert isinstance(runs, list)
    for count, *edges in runs:
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            shown[row : row + count, begin:end] = True
        row += count
    assert row == 40
    assert np.array_equal(shown, expected)


@pytest.mark.parametrize(
    ("pixels", "values", "said"),
    [
        (RAMP, {}, "u16 12 unsigned"),
        (np.array([[-5, 3]], np.int16), {}, "u16 12 signed"),
        (RAMP, {"HighBit": 12}, None),
    ],
)
def test_samples_of_a_file_are_told_by_kind_bits_and_sign(
    pixels: np.ndarray, values: dict[str, int], said: str | None, tmp_path: Path
) -> None:
    stored = open_stored_pixels(write(grey_image(pixels, **values), tmp_path / "a.dcm"))
    plain = find_plain_samples(stored, 1)
    assert (plain[1] if plain else None) == said


def test_what_is_decoded_goes_as_it_is_shown() -> None:
    content, said = encode_samples(read_frame(colour_image(np.full((2, 2, 3), 7, np.uint8))))
    assert (content, said) == (b"\x07" * 12, "rgb 8 unsigned")
    rle = open_stored_pixels(find("MR_small_RLE.dcm")).read_frame()
    content, said = encode_samples(rle)
    assert said == "u16 16 signed"
    assert np.array_equal(np.frombuffer(content, "<i2"), rle.pixels.ravel())
    dose = open_stored_pixels(find("rtdose.dcm")).read_frame()
    content, said = encode_samples(dose)
    assert said == "f64 0 signed"
    assert np.array_equal(np.frombuffer(content, "<f8"), dose.pixels.ravel())


def test_a_supplemental_palette_is_told_colour_by_colour() -> None:
    values: dict[str, object] = {"PixelPresentation": "COLOR"}
    for number, name in enumerate(("Red", "Green", "Blue")):
        values[f"{name}PaletteColorLookupTableDescriptor"] = [2, 100, 8]
        values[f"{name}PaletteColorLookupTableData"] = bytes([number, 200 + number])
    facts = make_display_facts(grey_image(RAMP, **values))
    assert facts["palette"] == {"first": 100, "colours": [0, 1, 2, 200, 201, 202]}


def test_a_state_says_it_otherwise() -> None:
    image = grey_image(RAMP, WindowCenter=1, WindowWidth=2)
    state, graphic, words, item = Dataset(), Dataset(), Dataset(), Dataset()
    state.PresentationLUTShape, state.ImageRotation, state.ImageHorizontalFlip = "INVERSE", 90, "Y"
    graphic.GraphicAnnotationUnits, graphic.GraphicData, graphic.GraphicType = "PIXEL", [0.0, 0.0, 2.0, 2.0], "POLYLINE"
    words.AnchorPointAnnotationUnits, words.AnchorPoint, words.UnformattedTextValue = "DISPLAY", [0.5, 0.25], "here"
    item.GraphicObjectSequence, item.TextObjectSequence = [graphic, Dataset()], [words]
    state.GraphicAnnotationSequence = [item]
    facts = make_display_facts(image, 1, state)
    assert (facts["voi"], facts["inverse"], facts["rotation"], facts["flip"]) == (None, True, 90, True)
    assert facts["marks"] == [
        {"type": "POLYLINE", "points": [(0.0, 0.0), (2.0, 2.0)], "units": "PIXEL", "filled": False},
        {"type": "TEXT", "points": [(0.5, 0.25)], "units": "DISPLAY", "words": "here"},
    ]
