"""A picture of an image object for people to look at: eight bits, square pixels, as PNG."""

from __future__ import annotations

import io

from PIL import Image
from pydicom.dataset import Dataset

from openmodality.imaging.frames import read_frame
from openmodality.imaging.presentation import pixel_aspect, read_image_presentation
from openmodality.imaging.render import render, square_pixels


def preview_png(data_set: Dataset, *, number: int = 1, longest_side: int | None = None) -> bytes:
    """Frame ``number`` of an image as PNG; made smaller where a side is longer than ``longest_side``.

    Raises :class:`ObjectInvalid` where the instance has no pixels that can be read.
    """
    shown = render(read_frame(data_set, number), read_image_presentation(data_set, number))
    picture = Image.fromarray(square_pixels(shown, pixel_aspect(data_set)))
    if longest_side is not None:
        picture.thumbnail((longest_side, longest_side))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
