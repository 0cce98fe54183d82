"""Previews: black is black in both photometric interpretations, pixels are square."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from openmodality.errors import ObjectInvalid
from openmodality.imaging.preview import draw_preview
from tests.unit.imaging.images import RAMP, grey_image


def picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_a_preview_is_the_picture_in_eight_bits() -> None:
    made = picture(draw_preview(grey_image(RAMP)))
    assert (made.mode, made.size) == ("L", (2, 2))
    assert made.getpixel((0, 0)) == 0
    assert made.getpixel((1, 1)) == 255


def test_the_longest_side_is_a_limit() -> None:
    made = picture(draw_preview(grey_image(np.zeros((100, 50), np.uint16)), longest_side=20))
    assert made.size == (10, 20)


def test_pixels_that_are_higher_than_wide_make_a_higher_picture() -> None:
    assert picture(draw_preview(grey_image(RAMP, PixelSpacing=[2.0, 1.0]))).size == (2, 4)


def test_a_later_frame() -> None:
    frames = np.stack([RAMP, RAMP[::-1]])
    assert draw_preview(grey_image(frames), number=2) == draw_preview(grey_image(RAMP[::-1].copy()))


def test_an_object_without_pixels_is_refused() -> None:
    data_set = grey_image(RAMP)
    del data_set.PixelData
    with pytest.raises(ObjectInvalid):
        draw_preview(data_set)
