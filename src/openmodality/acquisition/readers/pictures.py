"""Pictures: PNG and TIFF, grey with 1 to 16 bits, floating point, or colour with 8 bits for each sample."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageSequence

from openmodality.acquisition.readers.bounds import LARGEST_ARRAY_BYTES, check_array_size
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.volume import Array, Volume
from openmodality.errors import ObjectInvalid

SIGNATURES: Final = (b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*")
GREY_MODES: Final = ("1", "L", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_COLOUR_MODES: Final = ("RGB", "RGBA", "P", "PA")
_PHOTOMETRIC_INTERPRETATION, _BITS_PER_SAMPLE = 262, 258  # of TIFF 6.0
_TURNED_BY_PILLOW: Final = ("1", "L")
_LARGEST_PIXELS: Final = 1 << 28
_ITEM_BYTES: Final = 4
_ADVICE: Final = "save it as greyscale of 8 to 16 bits, or as RGB of 8 bits"


def read_picture(path: Path) -> list[FoundSeries]:
    """The pages of a picture; those of one size are a series.

    Raises :class:`ObjectInvalid` where its pixels are neither grey nor RGB, or are more than a file may ask for.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow warns of is either refused here or harmless
        with Image.open(path, formats=("PNG", "TIFF")) as picture:
            pages = list(_read_pages(picture, path))
    groups = [list(group) for _, group in groupby(pages, key=lambda page: (page.shape, page.dtype))]
    return [FoundSeries(str(path), Volume(array=np.stack(group))) for group in groups]


def _read_pages(picture: Image.Image, path: Path) -> Iterator[Array]:
    taken = 0
    for page in ImageSequence.Iterator(picture):
        if page.width * page.height > _LARGEST_PIXELS:
            raise ObjectInvalid(f"{path}: larger than {_LARGEST_PIXELS} pixels")
        taken += check_array_size((page.height, page.width), _ITEM_BYTES, str(path))
        if taken > LARGEST_ARRAY_BYTES:
            raise ObjectInvalid(f"{path}: its pages take more than {LARGEST_ARRAY_BYTES >> 30} GiB")
        yield _read_page(page, path)


def _read_page(page: Image.Image, path: Path) -> Array:
    if page.mode in _COLOUR_MODES:
        return np.asarray(page.convert("RGB"))
    if page.mode not in GREY_MODES:
        raise ObjectInvalid(f"{path}: a picture of mode {page.mode}", advice=_ADVICE)
    array: Array = np.array(page)
    if page.mode == "1":
        return array.astype(np.uint8)
    if page.format == "TIFF" and page.mode not in _TURNED_BY_PILLOW and _is_white_zero(page):
        return _turn(array, page)
    return array


def _turn(array: Array, page: Any) -> Array:
    """Sample 0 of a page is white: what is to be dark becomes low, as in all other pictures."""
    if array.dtype.kind == "f":
        return np.asarray(array.max() - array)
    bits = int(page.tag_v2.get(_BITS_PER_SAMPLE, (16,))[0])
    return np.asarray((1 << bits) - 1 - array.astype(np.int64)).astype(np.uint16 if bits <= 16 else np.int64)


def _is_white_zero(page: Any) -> bool:
    """Whether sample 0 of a TIFF page is white (TIFF 6.0, PhotometricInterpretation 0)."""
    return bool(page.tag_v2.get(_PHOTOMETRIC_INTERPRETATION) == 0)
