"""Image objects: pixels, acquisition attributes and what the exam knows, brought together by the profile's rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import format_number_as_ds

from openmodality.dimse.reading import values_of
from openmodality.errors import ObjectInvalid
from openmodality.objects.exam_facts import (
    MADE_WHEN_ACQUIRED,
    ExamFacts,
    InstanceFacts,
    SeriesFacts,
    find_common_values,
    find_own_values,
    make_own_elements,
    pick_times,
)
from openmodality.objects.image.consistency import check_consistency, is_asked
from openmodality.objects.image.pixel_rules import PixelRules, refuse_bits
from openmodality.objects.image.scaling import Survey
from openmodality.objects.instance import InstanceBuilder, copy_pixels
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import (
    has_length,
    list_elements,
    make_data_set,
    make_element,
    make_elements,
    make_kept_element,
    make_short,
    prepare_attributes,
)
from openmodality.objects.rules.filling import Elements
from openmodality.objects.rules.private_rules import Mirrors, add_mirrors
from openmodality.objects.rules.template import EncodedInstance
from openmodality.standard.type_1 import PIXEL_DESCRIPTION
from openmodality.standard.value_rules import format_decimal

ImagePixels = NDArray[Any]
"""Shape (rows, columns), uint16 or int16; or (rows, columns, 3), uint8, in colour."""
SlopeAndIntercept = tuple[float, float]
"""Slope and intercept from stored values to those that they mean."""

_EXPORT_PRIVATE: Final = "behaviour.export_private"
_BITS_ALLOCATED: Final = 16
_BITS_STORED: Final = Tag("BitsStored")
_PHOTOMETRIC_INTERPRETATION: Final = Tag("PhotometricInterpretation")
_WINDOW_CENTER: Final = Tag("WindowCenter")
_WINDOW: Final = prepare_attributes("WindowCenter", "WindowWidth")
_WINDOW_WIDTH: Final = Tag("WindowWidth")
_RESCALE_SLOPE: Final = Tag("RescaleSlope")
_RESCALE_INTERCEPT: Final = Tag("RescaleIntercept")
_RESCALE_TYPE: Final = Tag("RescaleType")
_DISPLAY: Final = (
    _BITS_STORED,
    _PHOTOMETRIC_INTERPRETATION,
    _WINDOW_CENTER,
    _WINDOW_WIDTH,
    _RESCALE_SLOPE,
    _RESCALE_INTERCEPT,
    _RESCALE_TYPE,
)
"""What says how stored values are to be read and shown."""
_IMAGE_TYPE: Final = Tag("ImageType")
_MR_IMAGE: Final = "MR Image"
_MR_TYPE: Final = ("", "PRIMARY", "OTHER")
_PALETTE_COLOR: Final = "PALETTE COLOR"
_RED_DESCRIPTOR: Final = Tag("RedPaletteColorLookupTableDescriptor")
_PIXEL_DATA: Final = Tag("PixelData")
_PLANAR_CONFIGURATION: Final = prepare_attributes("PlanarConfiguration")
_DESCRIPTION: Final = prepare_attributes(*map(keyword_for_tag, PIXEL_DESCRIPTION))


class ImageBuilder:
    """Builds the single frame images of one series."""

    def __init__(self, definition: ObjectDefinition, exam: ExamFacts, series: SeriesFacts) -> None:
        # Where private attributes do not leave the device, none is made that nobody gave.
        self.mirrors: Mirrors = {} if _EXPORT_PRIVATE in definition.switches_off else definition.mirrors
        self._name = definition.name
        self._has_mr_type = any(rule.module == _MR_IMAGE for rule in definition.rules if rule.path == (_IMAGE_TYPE,))
        said = make_data_set(self._complete_image_type(list_elements(series.attributes)))
        self._series = series = replace(series, attributes=add_mirrors(said, self.mirrors))
        self._is_series_asked = is_asked(series.attributes)
        shared = list_elements(series.attributes)
        self._display = {tag: found for tag, found in shared.items() if tag in _DISPLAY}
        self._times = pick_times(series.attributes)
        self._fitting = _PixelFitting(definition)
        self.pixel_rules = self._fitting.rules
        self._instances = InstanceBuilder(definition, find_common_values(exam, series))

    def build(self, instance: InstanceFacts, pixels: ImagePixels, attributes: Dataset) -> Dataset:
        """An image of ``pixels``, shape (rows, columns), with the attributes of its acquisition.

        Raises :class:`ObjectInvalid` where a mandatory attribute has no value, or the pixels do not fit the object.
        """
        described = copy_pixels(self._fitting.describe(pixels, self._add_shared(attributes)))
        return self._instances.build(find_own_values(self._series, instance, make_data_set(described)))

    def encode(
        self, instance: InstanceFacts, pixels: ImagePixels, attributes: Dataset
    ) -> tuple[EncodedInstance, Dataset | None]:
        """The same image, encoded; its data set only where it was built anew (``InstanceBuilder.encode``)."""
        acquisition = self._fitting.describe(pixels, self._add_shared(attributes))
        own = {tag: acquisition[tag] for tag in MADE_WHEN_ACQUIRED if tag in acquisition}
        said = self._times | {tag: found for tag, found in own.items() if has_length(found)}
        return self._instances.encode(acquisition, make_own_elements(instance, said))

    def _add_shared(self, attributes: Dataset) -> Elements:
        """The attributes of a frame, with what was said of its whole series on how to show it."""
        attributes = add_mirrors(attributes, self.mirrors)
        if self._is_series_asked or is_asked(attributes):
            everything = {**list_elements(self._series.attributes), **list_elements(attributes)}
            check_consistency(self._name, make_data_set(everything))
        own = self._complete_image_type(list_elements(attributes))
        if not self._display:
            return own
        shared = {**self._display, **own}
        if _BITS_STORED in self._display and _BITS_STORED in own:
            stated = self._display[_BITS_STORED], own[_BITS_STORED]
            shared[_BITS_STORED] = max(stated, key=lambda each: int(each.value))
        return shared

    def _complete_image_type(self, elements: Elements) -> Elements:
        """The third value of Image Type says what kind of MR image it is (PS3.3 C.8.3.1.1.1): OTHER if nobody does."""
        found = elements.get(_IMAGE_TYPE) if self._has_mr_type else None
        if found is None or not has_length(found) or len(values := values_of(found)) > 2:
            return elements
        return elements | {_IMAGE_TYPE: make_element(_IMAGE_TYPE, "CS", [*values, *_MR_TYPE[len(values) :]])}


class _PixelFitting:
    """Makes pixels fit an object, and the attributes of Image Pixel and VOI LUT modules that belong to them."""

    def __init__(self, definition: ObjectDefinition) -> None:
        self.rules = PixelRules.of(definition)
        self._name = definition.name

    def describe(self, pixels: ImagePixels, described: Elements) -> Elements:
        """The attributes of the acquisition with those of the pixels, and the pixels as the object has them."""
        self._check(pixels)
        if pixels.ndim == 3:
            description: tuple[str | int, ...] = (3, "RGB", *pixels.shape[:2], 8, 8, 7, 0)
            described |= make_elements(_PLANAR_CONFIGURATION, 0)
            stored = np.ascontiguousarray(pixels)
        else:
            described, pixels, description = self._describe_grey(pixels, described)
            stored = np.ascontiguousarray(pixels, dtype="<i2" if pixels.dtype.kind == "i" else "<u2")
        described.update(
            (tag, make_short(tag, vr, each)) for (tag, vr), each in zip(_DESCRIPTION, description, strict=True)
        )
        # A view: only where an image is built anew are its pixels copied.
        described[_PIXEL_DATA] = make_kept_element(_PIXEL_DATA, "OW", stored.reshape(-1).view(np.uint8).data)
        return described

    def _describe_grey(
        self, pixels: ImagePixels, described: Elements
    ) -> tuple[Elements, ImagePixels, tuple[str | int, ...]]:
        bits = self._choose_bits_stored(_count_bits(pixels), int(_find_text(described, _BITS_STORED) or 1))
        interpretation = _find_text(described, _PHOTOMETRIC_INTERPRETATION) or "MONOCHROME2"
        rescale = self._find_rescale(described)
        if interpretation == _PALETTE_COLOR:
            self._check_palette_color(described)
        elif not all(_find_text(described, tag) for tag, _ in _WINDOW):
            described |= make_elements(_WINDOW, *_find_window(pixels, rescale))
        if interpretation == "MONOCHROME1" and self.rules.is_monochrome2:
            pixels, interpretation = _invert(pixels, bits, described, rescale), "MONOCHROME2"
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


def _find_window(pixels: ImagePixels, rescale: SlopeAndIntercept) -> tuple[str, str]:
    """Center and width of a window for one image, in units after the rescale (PS3.3 C.11.2.1.2)."""
    slope, intercept = rescale
    survey = Survey()
    survey.add(pixels)
    center, width = survey.find_window()
    return format_decimal(center * slope + intercept), format_decimal(max(width * abs(slope), 1.0))


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
