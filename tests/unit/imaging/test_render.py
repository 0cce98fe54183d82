"""The grey scale pipeline as a whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openmodality.errors import UsageError
from openmodality.imaging.frames import Frame, read_frame
from openmodality.imaging.lookup import LookupTable, Rescale
from openmodality.imaging.presentation import Presentation, read_image_presentation
from openmodality.imaging.render import render, square_pixels
from openmodality.imaging.shutter import RectangularShutter
from tests.unit.imaging.images import RAMP, grey_image


def shown(pixels: np.ndarray[tuple[int, ...], np.dtype[np.generic]], **values: object) -> list[list[int]]:
    data_set = grey_image(pixels, **values)
    grey: list[list[int]] = render(read_frame(data_set), read_image_presentation(data_set)).tolist()
    return grey


def test_without_a_window_the_values_that_occur_fill_the_range() -> None:
    grey = shown(RAMP)
    assert (grey[0][0], grey[1][1]) == (0, 255)
    assert 0 < grey[0][1] < grey[1][0] < 255


def test_window_of_the_image_is_used_the_first_of_several() -> None:
    assert shown(RAMP, WindowCenter=["1500", "10"], WindowWidth=["100", "10"]) == [[0, 0], [255, 255]]


def test_a_window_is_in_units_after_the_rescale() -> None:
    rescaled = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}
    grey = shown(np.array([[1023, 1024]], dtype=np.uint16), WindowCenter="0", WindowWidth="1", **rescaled)
    assert grey == [[0, 255]]


def test_monochrome1_is_inverse_unless_a_shape_says_it() -> None:
    inverse = shown(RAMP, PhotometricInterpretation="MONOCHROME1")
    assert inverse == [[255 - value for value in row] for row in shown(RAMP)]
    assert shown(RAMP, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE") == inverse


def test_all_values_alike_are_no_fault() -> None:
    assert shown(np.full((2, 2), 7, np.uint16)) == [[255, 255], [255, 255]]


def test_sixteen_bits_for_film() -> None:
    frame = Frame(RAMP, 12)
    assert render(frame, Presentation().with_window(2048, 4096), bits=12).tolist() == RAMP.tolist()


def test_a_presentation_lut_goes_before_the_inversion() -> None:
    table = LookupTable(np.array([0.0, 0.0, 255.0]), 0, 8)
    frame = Frame(np.array([[0, 2047, 4095]], np.uint16), 12)
    plain = Presentation(presentation=table).with_window(2048, 4096)
    assert render(frame, plain).tolist() == [[0, 0, 255]]


def test_shutters_rotation_and_flip_in_their_order() -> None:
    frame = Frame(np.array([[0, 1], [2, 3]], np.uint16), 2)
    covered = Presentation(shutters=(RectangularShutter(1, 2, 1, 1),), shutter_value=65535, rotation=90, flip=True)
    # Shutter: the second row is white. 90 degrees clockwise puts it left, the flip puts it right again.
    assert render(frame, covered).tolist() == [[0, 255], [85, 255]]


@given(st.integers(1, 16), st.booleans(), st.integers(0, 2**16 - 1), st.integers(2, 70000), st.integers(-5000, 70000))
def test_the_table_is_the_pipeline(stored: int, signed: bool, seed: int, width: int, center: int) -> None:
    low, high = (-(1 << (stored - 1)), 1 << (stored - 1)) if signed else (0, 1 << stored)
    pixels = np.random.default_rng(seed).integers(low, high, (5, 7)).astype(np.int16 if signed else np.uint16)
    presentation = Presentation(modality=Rescale(2.5, -7)).with_window(center, width)
    by_table = render(Frame(pixels, stored, signed), presentation)
    by_pixel = render(Frame(pixels.astype(np.float64), 0), presentation)
    assert np.array_equal(by_table, by_pixel)


def test_floating_point_with_values_that_are_no_numbers() -> None:
    pixels = np.array([[-2.0, -1.5], [-1.0, np.nan], [np.inf, -np.inf]])
    assert render(Frame(pixels, 0), Presentation()).tolist() == [[0, 128], [255, 0], [255, 0]]
    assert render(Frame(pixels, 0), Presentation().with_window(-1.5, 2)).tolist()[1:] == [[255, 0], [255, 0]]


def test_colour_stays_as_it_is() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(render(Frame(pixels, 8), Presentation()), pixels)


@pytest.mark.parametrize("bits", [0, 17])
def test_bits_that_cannot_be_are_refused(bits: int) -> None:
    with pytest.raises(UsageError):
        render(Frame(RAMP, 12), Presentation(), bits=bits)


def test_pixels_are_made_square_in_any_depth() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert square_pixels(grey, 1.0) is grey
    assert square_pixels(grey, 2.0).shape == (6, 4)
    assert square_pixels(grey.astype(np.uint16), 0.5).shape == (3, 8)
    assert square_pixels(np.zeros((3, 4, 3), np.uint8), 2.0).shape == (6, 4, 3)
