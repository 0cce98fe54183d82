"""Enhanced MR Image: all frames of an acquisition in one instance (PS3.3 A.36.2; MR Annex A, Table 13.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.device.profile.conditions import Context
from openmodality.errors import ObjectInvalid
from openmodality.objects.exam_facts import (
    ExamFacts,
    InstanceFacts,
    SeriesFacts,
    find_common_values,
    find_own_values,
    format_moment,
)
from openmodality.objects.image.dimensions import arrange_frames
from openmodality.objects.image.enhanced_values import (
    describe_frame,
    describe_shared,
    describe_whole,
    make_image_type,
)
from openmodality.objects.instance import InstanceBuilder
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import data_set_of, make_element
from openmodality.objects.rules.functional_groups import place_groups
from openmodality.objects.rules.sources import SourceValues

_PIXEL_DATA: Final = Tag("PixelData")
_PLACE: Final = ("PixelSpacing", "SliceThickness", "ImagePositionPatient", "ImageOrientationPatient")


@dataclass(frozen=True, slots=True)
class EnhancedFrame:
    """A frame: ``pixels`` of shape (rows, columns), uint16 or int16, and its attributes as of an image of one frame."""

    pixels: NDArray[np.uint16] | NDArray[np.int16]
    attributes: Dataset


def build_enhanced_mr(
    definition: ObjectDefinition,
    exam: ExamFacts,
    series: SeriesFacts,
    instance: InstanceFacts,
    frames: Sequence[EnhancedFrame],
    organization_uid: str,
) -> Dataset:
    """One image of these frames, in their order, with its file meta information.

    ``organization_uid`` names how its dimensions are organised. Raises :class:`ObjectInvalid` where there is no frame,
    frames differ in size or type, or a mandatory attribute has no value.
    """
    rows, columns = _check_frames(definition, frames)
    shared, own = _share([_merge(series.attributes, frame.attributes) for frame in frames])
    common = describe_shared(shared, rows, columns)
    image_type = make_image_type(_merge(shared, own[0]))
    common.FrameType = list(image_type)
    described = [_merge(common, describe_frame(each)) for each in own]
    _check_places(definition, described)
    dimension, contents = arrange_frames(described, organization_uid)
    for values, content in zip(described, contents, strict=True):
        values.update(content)
        values.update(_date(values, instance))
    groups = place_groups(definition, [SourceValues(acquisition=each) for each in described], Context())
    whole = describe_whole(shared)
    whole.ImageType = list(image_type)
    components = {str(each.ComplexImageComponent) for each in described}
    whole.ComplexImageComponent = components.pop() if len(components) == 1 else "MIXED"
    whole.update(_describe_pixels(frames, rows, columns))
    whole.update(dimension)
    day, time = format_moment(instance.created)
    whole.AcquisitionDateTime = day + time
    whole.NumberOfFrames = len(frames)
    whole.update(groups)
    builder = InstanceBuilder(definition, find_common_values(exam, series))
    return builder.build(find_own_values(series, instance, whole))


def _check_frames(definition: ObjectDefinition, frames: Sequence[EnhancedFrame]) -> tuple[int, int]:
    if not frames:
        raise ObjectInvalid(f"{definition.name}: there is no frame")
    first = frames[0].pixels
    for number, frame in enumerate(frames, 1):
        pixels = frame.pixels
        if pixels.ndim != 2 or 0 in pixels.shape or pixels.dtype not in (np.uint16, np.int16):
            raise ObjectInvalid(f"{definition.name}: frame {number} is no grey image of 16 bits")
        if (pixels.shape, pixels.dtype) != (first.shape, first.dtype):
            raise ObjectInvalid(
                f"{definition.name}: frame {number} has the shape {pixels.shape} and the type {pixels.dtype},"
                f" frame 1 {first.shape} and {first.dtype}"
            )
    return int(first.shape[0]), int(first.shape[1])


def _check_places(definition: ObjectDefinition, frames: Sequence[Dataset]) -> None:
    """An original frame says where it lies in the patient (PS3.3 C.7.6.16.2)."""
    for number, values in enumerate(frames, 1):
        missing = [keyword for keyword in _PLACE if not values.get(keyword)]
        if missing:
            raise ObjectInvalid(
                f"{definition.name}: frame {number} has no {', '.join(missing)}",
                advice="supply it where it comes from: acquisition",
            )


def _merge(series: Dataset, frame: Dataset) -> Dataset:
    merged = Dataset()
    merged.update(series)
    merged.update(frame)
    return merged


def _share(frames: Sequence[Dataset]) -> tuple[Dataset, list[Dataset]]:
    """The attributes in which all frames are alike, and what each has of its own."""
    first, *others = frames
    alike = {each.tag for each in first if all(frame.get(each.tag) == each for frame in others)}
    shared = Dataset({each.tag: each for each in first if each.tag in alike})
    return shared, [Dataset({each.tag: each for each in frame if each.tag not in alike}) for frame in frames]


def _describe_pixels(frames: Sequence[EnhancedFrame], rows: int, columns: int) -> Dataset:
    stacked = np.stack([frame.pixels for frame in frames])
    signed = stacked.dtype == np.int16
    highest = max(abs(int(stacked.min())) - 1 if signed else 0, int(stacked.max()), 1).bit_length() + signed
    bits = next(each for each in (12, 16) if each >= highest)
    values = data_set_of(
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        Rows=rows,
        Columns=columns,
        BitsAllocated=16,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelRepresentation=int(signed),
    )
    values[_PIXEL_DATA] = make_element(
        _PIXEL_DATA, "OW", np.ascontiguousarray(stacked, stacked.dtype.newbyteorder("<")).tobytes()
    )
    return values


def _date(values: Dataset, instance: InstanceFacts) -> Dataset:
    """When a frame was acquired: as its own date and time say, else when the image was made."""
    own_day, own_time = str(values.get("AcquisitionDate") or ""), str(values.get("AcquisitionTime") or "")
    moment = own_day + own_time if own_day and own_time else "".join(format_moment(instance.created))
    return data_set_of(FrameAcquisitionDateTime=moment, FrameReferenceDateTime=moment)
