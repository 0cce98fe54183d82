"""Checks pixels that a caller gives as an array, and brings them to the one form that a source delivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.acquisition.keywords import attributes_of
from openmodality.acquisition.slice_geometry import check_orientation
from openmodality.acquisition.source import AcquiredFrame, Pixels
from openmodality.errors import ObjectInvalid
from openmodality.objects.image.value_display import explain_too_few_bits
from openmodality.objects.rules.elements import list_elements, make_data_set, make_short
from openmodality.standard.tags import BITS_STORED

_BITS_STORED: Final = Tag(BITS_STORED)
LARGEST_SIDE = 65535  # Rows and Columns are US
_ADVICE = "hand over unsigned integers of 8 or 16 bits, shape (rows, columns) or (frames, rows, columns)"


def check_array(pixels: Any, where: str) -> NDArray[Any]:
    """What a caller gives as an array, as one of numpy's.

    Raises :class:`ObjectInvalid` where it is none, or values are masked: an image has no place for what is not there.
    """
    if not isinstance(pixels, np.ndarray):
        if not hasattr(pixels, "__array__"):
            raise ObjectInvalid(
                f"{where}: {type(pixels).__name__} is no array of numbers", advice="hand over an array of numpy"
            )
        return np.asarray(pixels)
    if isinstance(pixels, np.ma.MaskedArray):
        if count := int(np.count_nonzero(np.ma.getmaskarray(pixels))):
            raise ObjectInvalid(
                f"{where}: {count} of {pixels.size} values are masked", advice="fill them, such as with array.filled(0)"
            )
        return np.asarray(pixels.data)
    return pixels


def check_pixels(array: NDArray[np.generic], where: str, *, is_kept: bool = True) -> list[Pixels]:
    """The frames of ``array`` as uint16. ``where`` names the array in the error.

    Frames that are ``is_kept`` are copies: what the caller or a mapped file does later changes no image.

    Boolean and unsigned 8 or 16 bit arrays are taken, and signed ones without negative values that fit.

    Raises :class:`ObjectInvalid` where shape, type of number or range do not fit an image.
    """
    array = check_array(array, where)
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise ObjectInvalid(f"{where}: array has the shape {array.shape}", advice=_ADVICE)
    if max(array.shape[-2:]) > LARGEST_SIDE:
        raise ObjectInvalid(f"{where}: more than {LARGEST_SIDE} rows or columns", advice=_ADVICE)
    if array.dtype.kind not in "bui":
        raise ObjectInvalid(f"{where}: numbers of type {array.dtype} are not pixel values", advice=_ADVICE)
    if array.dtype.kind == "i" or array.dtype.itemsize > 2:
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > np.iinfo(np.uint16).max:
            raise ObjectInvalid(f"{where}: values outside 0 to 65535", advice=_ADVICE)
    frames = array.reshape((-1, *array.shape[-2:]))
    take = np.array if is_kept else np.asarray
    return [take(frame, dtype=np.uint16, order="C") for frame in frames]


def make_frames(
    array: NDArray[np.generic], keywords: Mapping[str, object], where: str = "array", *, is_kept: bool = True
) -> list[AcquiredFrame]:
    """The frames of ``array``, each with the attributes that ``keywords`` says, such as ``{"SliceLocation": 12.5}``.

    With ``is_kept`` they may be used after the call in which the array was handed over.

    Raises :class:`ObjectInvalid` where the array is no image, or a keyword or value is not DICOM's.
    """
    attributes = attributes_of(keywords, where)
    check_orientation(attributes, where)
    frames = [frame_of(pixels, attributes) for pixels in check_pixels(array, where, is_kept=is_kept)]
    return [replace(frame, stated=attributes) for frame in frames]


def frame_of(pixels: Pixels, attributes: Dataset | None = None) -> AcquiredFrame:
    """A frame with Bits Stored, unless ``attributes`` has it already; its window is found where its object is built."""
    elements = {} if attributes is None else list_elements(attributes)
    stated = elements.get(_BITS_STORED)
    if stated is None:
        elements[_BITS_STORED] = make_short(_BITS_STORED, "US", count_bits_needed(pixels))
    elif int(pixels.max()) >> int(stated.value):
        raise explain_too_few_bits()
    return AcquiredFrame(pixels, make_data_set(elements))


def count_bits_needed(pixels: Pixels) -> int:
    """The smallest usual Bits Stored (8, 12, 14, 16) that holds the largest value."""
    largest = int(pixels.max())
    return next(bits for bits in (8, 12, 14, 16) if largest < 1 << bits)
