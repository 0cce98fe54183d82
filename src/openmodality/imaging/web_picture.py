"""A picture of a frame for a web page: window, part and size as asked for, by the one renderer (PS3.18 8.3.5)."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image

from openmodality.errors import NotFound, ObjectInvalid, UsageError
from openmodality.imaging.lookup import LINEAR
from openmodality.imaging.presentation import find_pixel_aspect, read_image_presentation
from openmodality.imaging.render import Displayed, render, square_pixels
from openmodality.imaging.stored_pixels import StoredPixels
from openmodality.value_class import dataclass

FUNCTIONS: Final = {"linear": LINEAR, "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
"""VOI LUT Function (0028,1056) by its name in a URL."""


@dataclass(frozen=True, slots=True)
class PictureRegion:
    """The part of an image that is shown, in its pixels; a negative width or height turns it over."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """How a frame is drawn: ``window`` is center, width and function; a ``size`` of 0 leaves the pixels as they are."""

    window: tuple[float, float, str] | None = None
    size: tuple[int, int] = (0, 0)
    region: PictureRegion | None = None
    quality: int = 90


def draw_picture(pixels: StoredPixels, number: int, order: PictureOrder, kind: str) -> bytes:
    """Frame ``number`` of an image as PNG or JPEG. Raises :class:`NotFound` where it has no such picture."""
    if not 1 <= number <= pixels.frames:
        raise NotFound(f"there is no frame {number}; the instance has {pixels.frames}")
    try:
        presentation = read_image_presentation(pixels.header, number)
        if order.window is not None:
            presentation = presentation.with_window(*order.window)
        shown = _cut(render(pixels.read_frame(number), presentation), order.region)
    except (ObjectInvalid, OSError) as error:
        raise NotFound("this instance has no picture") from error
    picture = _fit(Image.fromarray(square_pixels(shown, find_pixel_aspect(pixels.header))), order.size)
    stream = io.BytesIO()
    picture.save(stream, kind, **({"quality": order.quality} if kind == "JPEG" else {}))
    return stream.getvalue()


def _cut(shown: Displayed, region: PictureRegion | None) -> Displayed:
    """The part of a picture. Raises :class:`UsageError` where nothing of it is there."""
    if region is None:
        return shown
    rows, columns = shown.shape[:2]
    left, right = _clip(region.left, region.width, columns)
    top, bottom = _clip(region.top, region.height, rows)
    if left >= right or top >= bottom:
        raise UsageError("the viewport shows nothing of the image", advice=f"the image is {columns} by {rows} pixels")
    part = shown[top:bottom, left:right]
    part = part[:, ::-1] if region.width < 0 else part
    return np.ascontiguousarray(part[::-1] if region.height < 0 else part)


def _clip(start: float, length: float, limit: int) -> tuple[int, int]:
    first, last = round(start), round(start + abs(length))
    return min(max(first, 0), limit), min(max(last, 0), limit)


def _fit(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """As large as fits the size, its sides in proportion."""
    if not all(size):
        return picture
    factor = min(size[0] / picture.width, size[1] / picture.height)
    fitted = (max(round(picture.width * factor), 1), max(round(picture.height * factor), 1))
    return picture.resize(fitted, Image.Resampling.BILINEAR)
