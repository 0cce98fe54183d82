"""Image objects: pixels, acquisition attributes and what the exam knows, brought together by the profile's rules."""

from __future__ import annotations

from dataclasses import replace
from operator import is_
from typing import Final, NamedTuple

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from openmodality.dimse.reading import values_of
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
from openmodality.objects.image.consistency import CONSISTENT, check_consistency, is_asked
from openmodality.objects.image.pixel_fitting import DISPLAY, OF_PIXELS, ImagePixels, PixelFitting
from openmodality.objects.instance import InstanceBuilder, copy_pixels
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import has_length, list_elements, make_data_set, make_element
from openmodality.objects.rules.filling import Elements
from openmodality.objects.rules.private_rules import Mirrors, add_mirrors
from openmodality.objects.rules.template import EncodedInstance
from openmodality.standard.tags import BITS_STORED

_EXPORT_PRIVATE: Final = "behaviour.export_private"
_BITS_STORED: Final = Tag(BITS_STORED)
_IMAGE_TYPE: Final = Tag("ImageType")
_MR_IMAGE: Final = "MR Image"
_MR_TYPE: Final = ("", "PRIMARY", "OTHER")


class _Said(NamedTuple):
    """What was said of the image that was encoded last; ``times`` are when it was acquired, as far as that was said."""

    tags: list[BaseTag]
    values: list[object]
    times: dict[BaseTag, DataElement]


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
        self._display = {tag: found for tag, found in shared.items() if tag in DISPLAY}
        self._times = pick_times(series.attributes)
        self._fitting = PixelFitting(definition)
        self.pixel_rules = self._fitting.rules
        self._instances = InstanceBuilder(definition, find_common_values(exam, series))
        self._decisive = OF_PIXELS | CONSISTENT | self.mirrors.keys() | {_IMAGE_TYPE}
        self._last: _Said | None = None

    def build(self, instance: InstanceFacts, pixels: ImagePixels, attributes: Dataset) -> Dataset:
        """An image of ``pixels``, shape (rows, columns), with the attributes of its acquisition.

        Raises :class:`ObjectInvalid` where a mandatory attribute has no value, or the pixels do not fit the object.
        """
        self._last = None
        described = copy_pixels(self._fitting.describe(pixels, self._add_shared(attributes)))
        return self._instances.build(find_own_values(self._series, instance, make_data_set(described)))

    def encode(
        self, instance: InstanceFacts, pixels: ImagePixels, attributes: Dataset
    ) -> tuple[EncodedInstance, Dataset | None]:
        """The same image, encoded; its data set only where it was built anew (``InstanceBuilder.encode``)."""
        elements = list_elements(attributes)
        tags, values = list(elements), [element.value for element in elements.values()]
        followed = self._follow(instance, pixels, _Said(tags, values, {}), elements)
        if followed is not None:
            return followed, None
        acquisition = self._fitting.describe(pixels, self._add_shared(attributes))
        times = self._times | _pick_filled(acquisition)
        encoded = self._instances.encode(acquisition, make_own_elements(instance, times))
        if not (self._is_series_asked or is_asked(attributes)):
            self._last = _Said(tags, values, times)
        return encoded

    def _follow(
        self, instance: InstanceFacts, pixels: ImagePixels, said: _Said, elements: Elements
    ) -> EncodedInstance | None:
        """The image, where it differs from the last one in little: most of a series do. None where it is another kind.

        Values are compared by identity: what all images of a series share is the same value, and what is another one
        is looked at.
        """
        last, self._last = self._last, None
        if last is None or said.tags != last.tags:
            return None
        pairs = zip(elements.items(), map(is_, said.values, last.values), strict=True)
        changed = dict([pair for pair, is_same in pairs if not is_same])
        if not self._decisive.isdisjoint(changed) or (own := self._fitting.describe_alike(pixels)) is None:
            return None
        times = last.times | _pick_filled(changed)
        encoded = self._instances.encode_next(changed | own, make_own_elements(instance, times))
        if encoded is not None:
            self._last = said._replace(times=times)
        return encoded

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


def _pick_filled(acquisition: Elements) -> Elements:
    """When the pixels were acquired, as far as it is said."""
    own = {tag: acquisition[tag] for tag in MADE_WHEN_ACQUIRED if tag in acquisition}
    return {tag: found for tag, found in own.items() if has_length(found)}
