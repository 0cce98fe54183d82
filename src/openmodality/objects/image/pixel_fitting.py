"""Pixels made fit for an object, and the attributes of the Image Pixel and VOI LUT modules that belong to them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import format_number_as_ds

from openmodality.errors import ObjectInvalid
from openmodality.objects.image.pixel_rules import PixelRules, refuse_bits
from openmodality.objects.image.scaling import Survey
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import (
    has_length,
    make_decimals,
    make_element,
    make_elements,
    make_kept_element,
    make_short,
    prepare_attributes,
)
from openmodality.objects.rules.filling import Elements
from openmodality.standard.tags import BITS_STORED
from openmodality.standard.type_1 import PIXEL_DESCRIPTION
from openmodality.standard.value_rules import format_decimal

ImagePixels = NDArray[Any]
"""Shape (rows, columns), uint16 or int16; or (rows, columns, 3), uint8, in colour."""
SlopeAndIntercept = tuple[float, float]
"""Slope and intercept from stored values to those that they mean."""

_BITS_ALLOCATED: Final = 16
_BITS_STORED: Final = Tag(BITS_STORED)
_PHOTOMETRIC_INTERPRETATION: Final = Tag("PhotometricInterpretation")
_WINDOW_CENTER: Final = Tag("WindowCenter")
_WINDOW_WIDTH: Final = Tag("WindowWidth")
_WINDOW: Final = (_WINDOW_CENTER, _WINDOW_WIDTH)
_RESCALE_SLOPE: Final = Tag("RescaleSlope")
_RESCALE_INTERCEPT: Final = Tag("RescaleIntercept")
_RESCALE_TYPE: Final = Tag("RescaleType")
DISPLAY: Final = (
    _BITS_STORED,
    _PHOTOMETRIC_INTERPRETATION,
    _WINDOW_CENTER,
    _WINDOW_WIDTH,
    _RESCALE_SLOPE,
    _RESCALE_INTERCEPT,
    _RESCALE_TYPE,
)
"""What says how stored values are to be read and shown."""
_PALETTE_COLOR: Final = "PALETTE COLOR"
_RED_DESCRIPTOR: Final = Tag("RedPaletteColorLookupTableDescriptor")
_PIXEL_DATA: Final = Tag("PixelData")
_PLANAR_CONFIGURATION: Final = prepare_attributes("PlanarConfiguration")
_DESCRIPTION: Final = prepare_attributes(*map(keyword_for_tag, PIXEL_DESCRIPTION))
OF_PIXELS: Final = frozenset(
    (*DISPLAY, _RED_DESCRIPTOR, _PIXEL_DATA, *(tag for tag, _ in (*_PLANAR_CONFIGURATION, *_DESCRIPTION)))
)
"""The attributes that say how pixels are described, or are found with them."""


class LastPixels(NamedTuple):
    """Grey pixels that were described, as far as others may be described alike.

    ``stated_bits`` are those that somebody stated. ``rescale`` is None where the window was given, else what the window
    of each image is found with.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stated_bits: int
    bits: int
    rescale: SlopeAndIntercept | None


class PixelFitting:
    """Makes pixels fit an object, and the attributes that belong to them."""

    def __init__(self, definition: ObjectDefinition) -> None:
        self.rules = PixelRules.of(definition)
        self._name = definition.name
        self.last: LastPixels | None = None
        """The pixels that were described last; None where those of the next image are to be described anew."""

    def describe(self, pixels: ImagePixels, described: Elements) -> Elements:
        """The attributes of the acquisition with those of the pixels, and the pixels as the object has them.

        Raises :class:`ObjectInvalid` where the pixels do not fit the object.
        """
        self.last = None
        self._check(pixels)
        if pixels.ndim == 3:
            description: tuple[str | int, ...] = (3, "RGB", *pixels.shape[:2], 8, 8, 7, 0)
            described |= make_elements(_PLANAR_CONFIGURATION, 0)
            stored = np.ascontiguousarray(pixels)
        else:
            described, pixels, description = self._describe_grey(pixels, described)
            stored = _make_stored(pixels)
        described.update(
            (tag, make_short(tag, vr, each)) for (tag, vr), each in zip(_DESCRIPTION, description, strict=True)
        )
        described[_PIXEL_DATA] = _make_pixel_data(stored)
        return described

    def describe_alike(self, pixels: ImagePixels) -> Elements | None:
        """What the attributes of pixels have of their own, where all else is as for the image before them.

        None where it is not. Whoever calls knows that nothing of :data:`OF_PIXELS` was stated otherwise.
        """
        last = self.last
        if last is None or pixels.shape != last.shape or pixels.dtype != last.dtype:
            return None
        if self._choose_bits_stored(_count_bits(pixels), last.stated_bits) != last.bits:
            return None
        own = {} if last.rescale is None else _make_window(pixels, last.rescale)
        own[_PIXEL_DATA] = _make_pixel_data(_make_stored(pixels))
        return own

    def _describe_grey(
        self, pixels: ImagePixels, described: Elements
    ) -> tuple[Elements, ImagePixels, tuple[str | int, ...]]:
        stated_bits = int(_find_text(described, _BITS_STORED) or 1)
        bits = self._choose_bits_stored(_count_bits(pixels), stated_bits)
        interpretation = _find_text(described, _PHOTOMETRIC_INTERPRETATION) or "MONOCHROME2"
        rescale = self._find_rescale(described)
        window_is_given = all(_find_text(described, tag) for tag in _WINDOW)
        if interpretation == _PALETTE_COLOR:
            self._check_palette_color(described)
        elif not window_is_given:
            described |= _make_window(pixels, rescale)
        if interpretation == "MONOCHROME1" and self.rules.is_monochrome2:
            pixels, interpretation = _invert(pixels, bits, described, rescale), "MONOCHROME2"
        elif interpretation != _PALETTE_COLOR:
            self.last = LastPixels(pixels.shape, pixels.dtype, stated_bits, bits, None if window_is_given else rescale)
        is_signed = int(pixels.dtype.kind == "i")
        return described, pixels, (1, interpretation, *pixels.shape, _BITS_ALLOCATED, bits, bits - 1, is_signed)

    def _check_palette_color(self, described: Elements) -> None:
        """Raises :class:`ObjectInvalid` where values cannot be colours of a palette (PS3.3 C.7.6.3.1.2)."""
        if not self.rules.has_colour or _RED_DESCRIPTOR not in described:
            raise ObjectInvalid(
                f"{self._name}: (0028,0004) PhotometricInterpretation is PALETTE COLOR, and "
                + ("the object holds grey values" if not self.rules.has_colour else "there is no palette"),
                advice="give a Secondary Capture its palette: the descriptors and data of red, green and blue",
                tag=_PHOTOMETRIC_INTERPRETATION,
            )

    def _check(self, pixels: ImagePixels) -> None:
        """Raises :class:`ObjectInvalid` where the object has no place for pixels of this kind."""
        if pixels.ndim == 3 and pixels.dtype == np.uint8 and pixels.shape[2] == 3 and pixels.size:
            if not self.rules.has_colour:
                raise ObjectInvalid(
                    f"{self._name}: pixels have colour, and the object holds grey ones",
                    advice="hand over one value a pixel, or make a Secondary Capture where the device has it in colour",
                )
            return
        if pixels.ndim != 2 or pixels.dtype not in (np.uint16, np.int16) or 0 in pixels.shape:
            raise ObjectInvalid(
                f"{self._name}: pixels are not a two-dimensional array of 16 bit numbers",
                advice="hand over an array of shape (rows, columns) and type uint16 or int16",
            )
        if pixels.dtype.kind == "i" and self.rules.is_unsigned:
            raise ObjectInvalid(f"{self._name}: pixels are signed, and the object holds unsigned ones")

    def _find_rescale(self, attributes: Elements) -> SlopeAndIntercept:
        """Slope and intercept. Raises :class:`ObjectInvalid` where the object has no place for those that matter."""
        slope = float(_find_text(attributes, _RESCALE_SLOPE) or 1)
        intercept = float(_find_text(attributes, _RESCALE_INTERCEPT) or 0)
        if (slope, intercept) != (1.0, 0.0) and not self.rules.has_rescale:
            raise ObjectInvalid(
                f"{self._name} has no (0028,1052) RescaleIntercept and (0028,1053) RescaleSlope, which its pixels need",
                advice="hand over values that mean what they are, or make another object",
            )
        return slope, intercept

    def _choose_bits_stored(self, required: int, stated: int) -> int:
        needed = max(required, stated)
        bits = next((bits for bits in self.rules.bits if bits >= needed), None)
        if bits is None:
            raise refuse_bits(self._name, needed, self.rules.bits)
        return bits


def _count_bits(pixels: ImagePixels) -> int:
    """How many bits the values of one image need."""
    if pixels.dtype.kind == "u":
        return int(pixels.max()).bit_length()
    low, high = int(pixels.min()), int(pixels.max())
    return max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + 1


def _make_stored(pixels: ImagePixels) -> ImagePixels:
    return np.ascontiguousarray(pixels, dtype="<i2" if pixels.dtype.kind == "i" else "<u2")


def _make_pixel_data(stored: ImagePixels) -> DataElement:
    """A view of the pixels: only where an image is built anew are they copied."""
    return make_kept_element(_PIXEL_DATA, "OW", stored.reshape(-1).view(np.uint8).data)


def _make_window(pixels: ImagePixels, rescale: SlopeAndIntercept) -> Elements:
    """Center and width of a window for one image, in units after the rescale (PS3.3 C.11.2.1.2)."""
    slope, intercept = rescale
    survey = Survey()
    survey.add(pixels)
    center, width = survey.find_window()
    values = format_decimal(center * slope + intercept), format_decimal(max(width * abs(slope), 1.0))
    return {tag: make_decimals(tag, value) for tag, value in zip(_WINDOW, values, strict=True)}


def _invert(pixels: ImagePixels, bits: int, described: Elements, rescale: SlopeAndIntercept) -> ImagePixels:
    """Turn MONOCHROME1 into MONOCHROME2; the window moves with the values, in units after the rescale."""
    highest, (slope, intercept) = (1 << bits) - 1, rescale
    centers = described[_WINDOW_CENTER].value
    turned = highest * slope + 2 * intercept
    inverted = [format_number_as_ds(turned - float(each)) for each in (centers if _is_many(centers) else [centers])]
    described[_WINDOW_CENTER] = make_element(_WINDOW_CENTER, "DS", inverted)
    return (highest - pixels).astype(np.uint16)


def _is_many(value: object) -> bool:
    return isinstance(value, MultiValue | list)


def _find_text(elements: Elements, tag: BaseTag) -> str:
    """The value of an attribute as text; empty where there is none."""
    found = elements.get(tag)
    return "" if found is None or not has_length(found) else str(found.value)
