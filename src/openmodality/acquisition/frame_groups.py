"""What a multi-frame image says of each frame in its functional groups (PS3.3 C.7.6.16), as an image of one frame says
it: attributes side by side, by their own names and by those of a classic image.

What is taken of a group is what is taken of an image: how and where the frame was acquired, no references and no UIDs.
A sequence within a group, or a group of several items, is taken as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.acquisition.attribute_values import find_fault, read_checked
from openmodality.acquisition.dicom_attributes import is_taken
from openmodality.counted import format_count
from openmodality.dimse.reading import read_element, values_of
from openmodality.errors import ObjectInvalid
from openmodality.imaging.frames import count_frames
from openmodality.objects.image.enhanced_values import NUMBERS_OF_FRAMES, TEXTS_OF_FRAMES
from openmodality.objects.rules.elements import data_set_of, merge_data_sets
from openmodality.standard.value_rules import format_decimal

GROUP_SEQUENCES: Final = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_SHARED, _PER_FRAME = GROUP_SEQUENCES
_OF_FRAMES: Final = frozenset(
    Tag(keyword)
    for keyword in (
        "ComplexImageComponent", "AcquisitionContrast", "NominalCardiacTriggerDelayTime", "RRIntervalTimeNominal",
        "NominalRespiratoryTriggerDelayTime", "RespiratoryIntervalTime", "FrameLaterality", "FrameType",
    )
)  # fmt: skip
"""What only frames say, outside the group of acquisition."""
_KEPT_SEQUENCES: Final = frozenset((Tag("AnatomicRegionSequence"),))
_GROUPS: Final = frozenset((0x0018, 0x0020, 0x0028))
"""Where the sequences are that hold attributes of a frame; others are references, codes and measurements."""
_RESCALE: Final = ("RescaleSlope", "RescaleIntercept")
_MAY_BE_ZERO: Final = frozenset(("TriggerTime",))
_LENGTH_OF_DAY: Final = 8


def describe_frames(data_set: Dataset, attributes: Dataset, where: str) -> list[Dataset]:
    """The attributes of each frame: those that the image has as a whole, then those of its functional groups.

    ``attributes`` are those of :func:`openmodality.acquisition.dicom_attributes.read_stored_pixels`.

    Raises :class:`ObjectInvalid` where there is not one item for each frame, or a value cannot be used.
    """
    count = count_frames(data_set)
    per_frame = _list_items(data_set, _PER_FRAME)
    if per_frame and len(per_frame) != count:
        raise ObjectInvalid(
            f"{where}: {_PER_FRAME} has {format_count(len(per_frame), 'item')} for {format_count(count, 'frame')}"
        )
    shared = Dataset()
    for item in _list_items(data_set, _SHARED):
        _take_item(item, where, shared)
    if not per_frame and not shared:
        return [attributes] * count
    shift = _find_shift(data_set, attributes)
    described = []
    for item in per_frame or [Dataset()] * count:
        own = Dataset()
        _take_item(item, where, own)
        of_frame = merge_data_sets(shared, own)
        whole = merge_data_sets(attributes, of_frame)
        described.append(merge_data_sets(whole, _say_as_classic(whole), _rescale(of_frame, shift)))
    return described


def _list_items(data_set: Dataset, keyword: str) -> Sequence[Dataset]:
    element = read_element(data_set, int(Tag(keyword)))
    return element.value or () if element is not None and element.VR == "SQ" else ()


def _take_item(item: Dataset, where: str, into: Dataset, *, is_nested: bool = False) -> None:
    for tag in list(item.keys()):
        found = read_element(item, tag)
        if found is not None and found.VR == "SQ":
            items: Sequence[Dataset] = found.value or ()
            if tag in _KEPT_SEQUENCES or (is_taken(tag) and (is_nested or len(items) > 1)):
                into.add(read_checked(item, tag, where))
            if tag.group in _GROUPS and len(items) == 1:
                _take_item(items[0], where, into, is_nested=True)
            continue
        if is_taken(tag) or tag in _OF_FRAMES:
            element = read_checked(item, tag, where)
            if element.VR != "UI" and find_fault(element) is None:
                into.add(element)


def _say_as_classic(whole: Dataset) -> Dataset:
    """What a frame says in words of its own, as a classic image says it. An enhanced image that does not know a number
    says 0, except of a delay, and UNKNOWN of a text; a classic one leaves both out.
    """
    said: dict[str, object] = {"ImageType": values_of(whole["FrameType"])} if "FrameType" in whole else {}
    for classic, enhanced in NUMBERS_OF_FRAMES.items():
        values = values_of(whole[enhanced]) if enhanced in whole and classic not in whole else []
        if len(values) == 1 and (float(str(values[0])) or classic in _MAY_BE_ZERO):
            said[classic] = format_decimal(float(str(values[0])))
    for classic, enhanced in TEXTS_OF_FRAMES.items():
        if whole.get(enhanced) and classic not in whole and whole[enhanced].value != "UNKNOWN":
            said[classic] = str(whole[enhanced].value)
    moment = str(whole.get("FrameAcquisitionDateTime") or "").split("+")[0].split("-")[0]
    if len(moment) > _LENGTH_OF_DAY:
        said["AcquisitionDate"], said["AcquisitionTime"] = moment[:_LENGTH_OF_DAY], moment[_LENGTH_OF_DAY:]
    return data_set_of(**said)


def _find_shift(data_set: Dataset, attributes: Dataset) -> float:
    """By how much the stored values were moved up, as the rescale of the image as a whole tells."""
    own = float(data_set.get("RescaleIntercept") or 0)
    return (own - float(attributes.get("RescaleIntercept") or 0)) / float(attributes.get("RescaleSlope") or 1)


def _rescale(of_frame: Dataset, shift: float) -> Dataset:
    """The rescale of a frame for values that were moved."""
    if not shift or not any(keyword in of_frame for keyword in _RESCALE):
        return Dataset()
    slope, intercept = float(of_frame.get("RescaleSlope") or 1), float(of_frame.get("RescaleIntercept") or 0)
    return data_set_of(RescaleSlope=format_decimal(slope), RescaleIntercept=format_decimal(intercept - slope * shift))
