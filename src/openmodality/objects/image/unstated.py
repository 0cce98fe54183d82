"""Finds attributes of an original Enhanced MR Image that are 0 because PS3.3 requires a number and none was stated."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from struct import unpack_from
from typing import Final

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag

from openmodality.objects.rules.elements import make_sequence
from openmodality.objects.rules.template import EncodedInstance
from openmodality.standard.tags import IMAGE_TYPE

_NUMBERS: Final = frozenset(
    int(Tag(keyword))
    for keyword in (
        "AcquisitionDuration", "FrameAcquisitionDuration", "RepetitionTime", "FlipAngle", "EffectiveEchoTime",
        "PixelBandwidth", "MagneticFieldStrength", "TransmitterFrequency", "SpecificAbsorptionRateValue",
    )
)  # fmt: skip
"""Quantities of which 0 is no measurement."""

_SHARED, _PER_FRAME = Tag("SharedFunctionalGroupsSequence"), Tag("PerFrameFunctionalGroupsSequence")
_GROUPS: Final = (_SHARED, _PER_FRAME)
_SEQUENCE_HEAD: Final = 12
_ITEM_HEAD: Final = 8


def list_unstated(image: Dataset) -> list[str]:
    """The keywords of what an image says as 0 for want of a number; none of a derived or a classic one.

    Of the frames the first one is looked at.
    """
    if _PER_FRAME not in image or list(image.get("ImageType") or ())[:1] != ["ORIGINAL"]:
        return []
    places = [image, *(item for tag in _GROUPS if tag in image for item in list(image[tag].value)[:1])]
    return sorted({keyword for place in places for keyword in _find_zeros(place, within=place is not image)})


def _find_zeros(place: Dataset, *, within: bool) -> Iterator[str]:
    """The numbers of a data set that are 0; with ``within`` those of its sequences too."""
    for element in place:
        if element.VR == "SQ" and within:
            for item in element.value:
                yield from _find_zeros(item, within=True)
        elif int(element.tag) in _NUMBERS and not element.is_empty and float(str(element.value)) == 0:
            yield element.keyword


def read_beginning(instance: EncodedInstance) -> Dataset:
    """What :func:`list_unstated` looks at in an image that is encoded already."""
    found = b"".join(_read_part(instance, tag) for tag in sorted((*_NUMBERS, IMAGE_TYPE, _SHARED)))
    image = _decode(found)
    frames = _read_part(instance, _PER_FRAME)
    if len(frames) >= _SEQUENCE_HEAD + _ITEM_HEAD:
        (length,) = unpack_from("<L", frames, _SEQUENCE_HEAD + 4)
        start = _SEQUENCE_HEAD + _ITEM_HEAD
        image.add(make_sequence(_PER_FRAME, [_decode(frames[start : start + length])]))
    return image


def _read_part(instance: EncodedInstance, tag: int) -> bytes:
    number = instance.tags.get(BaseTag(tag))
    return b"" if number is None else bytes(instance.parts[number])


def _decode(encoded: bytes) -> Dataset:
    return read_dataset(BytesIO(encoded), is_implicit_VR=False, is_little_endian=True)
