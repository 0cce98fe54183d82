"""A picture of an image object for people to look at: eight bits, square pixels, as PNG."""

from __future__ import annotations

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset

from openmodality.imaging.exchange import encode_png
from openmodality.imaging.frames import Frame, read_frame
from openmodality.imaging.presentation import find_pixel_aspect, read_image_presentation
from openmodality.imaging.render import render, square_pixels
from openmodality.imaging.stored_pixels import StoredPixels


def draw_preview(data_set: Dataset, *, number: int = 1, longest_side: int | None = None) -> bytes:
    """Frame ``number`` of an image as PNG; made smaller where a side is longer than ``longest_side``.

    Raises :class:`ObjectInvalid` where the instance has no pixels that can be read.
    """
    return _encode(read_frame(data_set, number), data_set, number, longest_side)


def draw_stored_preview(stored: StoredPixels, *, number: int = 1, longest_side: int | None = None) -> bytes:
    """As :func:`draw_preview`, of a file whose other frames are not read."""
    return _encode(stored.read_frame(number), stored.header, number, longest_side)


def _encode(frame: Frame, header: Dataset, number: int, longest_side: int | None) -> bytes:
    shown = render(frame, read_image_presentation(header, number))
    picture = Image.fromarray(square_pixels(shown, find_pixel_aspect(header)))
    if longest_side is not None:
        picture.thumbnail((longest_side, longest_side))
    return encode_png(np.asarray(picture))
