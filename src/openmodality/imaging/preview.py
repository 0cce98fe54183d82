"""A picture of an image object for people to look at: window applied, eight bits, as PNG."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from openmodality.errors import ObjectInvalid

DARKEST, BRIGHTEST = 0.0, 255.0
Grey = NDArray[np.uint8]


def preview_png(data_set: Dataset, *, longest_side: int | None = None) -> bytes:
    """The first frame of a greyscale image as PNG; made smaller where a side is longer than ``longest_side``.

    Raises:
        ObjectInvalid: no greyscale pixels.
    """
    picture = Image.fromarray(grey_values(data_set))
    if longest_side is not None:
        picture.thumbnail((longest_side, longest_side))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def grey_values(data_set: Dataset) -> Grey:
    """The first frame as it is shown, shape (rows, columns): 0 is black, whatever the photometric interpretation."""
    if "PixelData" not in data_set or int(data_set.get("SamplesPerPixel", 1)) != 1:
        raise ObjectInvalid("a preview needs (7FE0,0010) PixelData of a greyscale image")
    pixels = np.asarray(data_set.pixel_array, dtype=np.float32)
    if pixels.ndim == 3:
        pixels = pixels[0]
    values = pixels * float(data_set.get("RescaleSlope") or 1) + float(data_set.get("RescaleIntercept") or 0)
    shown = windowed(values, *window(data_set, values))
    if data_set.get("PhotometricInterpretation") == "MONOCHROME1":
        shown = BRIGHTEST - shown
    return np.rint(shown).astype(np.uint8)


def window(data_set: Dataset, values: NDArray[np.float32]) -> tuple[float, float]:
    """Window Center and Width (0028,1050) (0028,1051), the first of several; all values where there is none."""
    center, width = _first(data_set.get("WindowCenter")), _first(data_set.get("WindowWidth"))
    if center is None or width is None or width < 1:
        low, high = float(values.min()), float(values.max())
        return (low + high + 1) / 2, high - low + 1
    return center, width


def windowed(values: NDArray[np.float32], center: float, width: float) -> NDArray[np.float32]:
    """The linear VOI LUT function (PS3.3 C.11.2.1.2.1), to 0 to 255."""
    if width <= 1:
        return np.where(values <= center - 0.5, np.float32(DARKEST), np.float32(BRIGHTEST))
    scaled = ((values - (center - 0.5)) / (width - 1) + 0.5) * BRIGHTEST
    return np.asarray(np.clip(scaled, DARKEST, BRIGHTEST), dtype=np.float32)


def _first(value: object) -> float | None:
    if isinstance(value, MultiValue | list):
        value = value[0] if len(value) else None
    return None if value is None or value == "" else float(str(value))
