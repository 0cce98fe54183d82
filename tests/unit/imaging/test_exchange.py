"""Frames as PNG: the stored values come back out of the two channels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from openmodality.imaging.exchange import encode_png, encode_stored_values
from openmodality.imaging.frames import Frame
from openmodality.imaging.presentation import Presentation
from openmodality.imaging.shutter import RectangularShutter


def decode(png: bytes, offset: int) -> list[list[int]]:
    channels = np.asarray(Image.open(io.BytesIO(png))).astype(int)
    values: list[list[int]] = (channels[..., 0] * 256 + channels[..., 1] + offset).tolist()
    return values


@pytest.mark.parametrize(
    "pixels", [np.array([[0, 1], [255, 65535]], np.uint16), np.array([[-32768, -1], [0, 32767]], np.int16)]
)
def test_stored_values_come_back(pixels: np.ndarray[tuple[int, ...], np.dtype[np.integer]]) -> None:
    frame = Frame(pixels, 16, pixels.dtype.kind == "i")
    assert decode(*encode_stored_values(frame, Presentation())) == pixels.tolist()


@pytest.mark.parametrize(("inverse", "covered"), [(False, 0), (True, 4095)])
def test_what_a_shutter_covers_is_shown_black(inverse: bool, covered: int) -> None:
    frame = Frame(np.full((2, 2), 7, np.uint16), 12)
    presentation = Presentation(shutters=(RectangularShutter(1, 1, 1, 2),), inverse=inverse)
    assert decode(*encode_stored_values(frame, presentation)) == [[7, covered], [7, covered]]


def test_a_picture_is_what_it_was() -> None:
    shown = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert np.asarray(Image.open(io.BytesIO(encode_png(shown)))).tolist() == shown.tolist()
