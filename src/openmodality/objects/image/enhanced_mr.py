"""Enhanced MR Image: all frames of an acquisition in one instance (PS3.3 A.36.2; MR Annex A, Table 13.3).

What is larger than a set size becomes a concatenation (PS3.3 C.7.6.16.2.2.4): instances that follow each other, with
the same shared groups and dimensions, each with frames of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.buffer import Buffer
from openmodality.errors import ObjectInvalid
from openmodality.objects.exam_facts import (
    ExamFacts,
    InstanceFacts,
    SeriesFacts,
    find_common_values,
    find_own_values,
    format_moment,
)
from openmodality.objects.image.consistency import check_palette
from openmodality.objects.image.dimensions import arrange_frames
from openmodality.objects.image.enhanced_values import (
    OF_ALL_FRAMES,
    OF_ORIGINALS,
    SAID_OTHERWISE,
    combine_terms,
    describe_frame,
    describe_own,
    describe_shared,
    describe_whole,
    forget_acquisition,
)
from openmodality.objects.image.frame_values import FrameValues, find_differing, share_values
from openmodality.objects.image.pixel_rules import refuse_bits
from openmodality.objects.instance import InstanceBuilder
from openmodality.objects.rules.definition import FUNCTIONAL_GROUPS, ObjectDefinition
from openmodality.objects.rules.elements import data_set_of, index_values, make_element, make_sequence
from openmodality.objects.rules.encoded_groups import FrameGroups, encode_items_of
from openmodality.objects.rules.functional_groups import list_tags_of
from openmodality.objects.rules.template import EncodedInstance, encode_instance, encode_pixel_head
from openmodality.objects.rules.terms import Terms, index_frame_terms, index_image_terms
from openmodality.standard.tags import PIXEL_DATA
from openmodality.value_class import dataclass

FramePixels = NDArray[np.uint16] | NDArray[np.int16]

_PLACE: Final = ("PixelSpacing", "SliceThickness", "ImagePositionPatient", "ImageOrientationPatient")
_SHARED, _PER_FRAME = Tag("SharedFunctionalGroupsSequence"), Tag("PerFrameFunctionalGroupsSequence")
_PHASE_ENCODING: Final = int(Tag("InPlanePhaseEncodingDirection"))
_FRAME_TYPE, _VELOCITY = int(Tag("FrameType")), int(Tag("VelocityEncodingDirection"))


@dataclass(frozen=True, slots=True)
class EnhancedFrame:
    """A frame: ``pixels`` of shape (rows, columns), uint16 or int16, and its attributes as of an image of one frame."""

    pixels: FramePixels
    attributes: Dataset


@dataclass(frozen=True, slots=True)
class EnhancedUids:
    """The UIDs of an image beside its own: how its dimensions are organised, and those of a concatenation.

    ``parts`` are those of the first, the second and so on of its instances, as many as there may be.
    """

    organization: str
    concatenation: str = ""
    parts: Sequence[str] = ()


def encode_enhanced_mr(
    definition: ObjectDefinition,
    exam: ExamFacts,
    series: SeriesFacts,
    instance: InstanceFacts,
    frames: Sequence[EnhancedFrame],
    uids: EnhancedUids,
) -> Iterator[EncodedInstance]:
    """One image of these frames, in their order, encoded; or the instances of a concatenation, one for each of the
    ``parts`` of ``uids``, as equal in size as can be.

    Raises :class:`ObjectInvalid` where there is no frame, frames differ in size or type, or a mandatory attribute has
    no value.
    """
    _check_frames(definition, frames)
    whole, groups = _describe(definition, series, instance, frames, uids)
    special = {number: groups.make_item(number) for number in groups.find_special_frames()}
    builder = InstanceBuilder(definition, find_common_values(exam, series))
    items: list[bytes] = []
    for number, (part, chosen) in enumerate(_share_out(len(frames), uids, instance), 1):
        attributes = Dataset()
        attributes.update(whole)
        attributes.update(_describe_part(number, chosen, len(frames), uids, instance.sop_instance_uid))
        # What decides about the character set, and what is checked: the others are like the first.
        shown = [special[each] for each in chosen if each in special]
        attributes.add(make_sequence(_PER_FRAME, [groups.make_item(chosen[0]), *shown]))
        data_set = builder.build(find_own_values(series, part, attributes))
        if not items or special:
            items = groups.encode_items(_list_terms(data_set))
        yield _put_in(data_set, [items[each] for each in chosen], [frames[each].pixels for each in chosen])


def _describe(
    definition: ObjectDefinition,
    series: SeriesFacts,
    instance: InstanceFacts,
    frames: Sequence[EnhancedFrame],
    uids: EnhancedUids,
) -> tuple[Dataset, FrameGroups]:
    """What the image says as a whole, and its functional groups."""
    rows, columns = map(int, frames[0].pixels.shape)
    shared, own = share_values(series.attributes, [frame.attributes for frame in frames])
    of_frames, of_image = index_frame_terms(definition.rules), index_image_terms(definition.rules)
    common = describe_shared(shared, rows, columns, of_frames)
    common.update(_find_date(shared, instance))
    indexed = index_values(common)
    described = [FrameValues(indexed, each) for each in describe_own(shared, own, of_frames)]
    _check_places(definition, described)
    dimensions = arrange_frames(described, uids.organization)
    for frame in described:
        _date_frame(frame, instance)
    silent = _find_silent_groups(definition, described, index_values(describe_frame(shared, of_frames)))
    if silent is not None:
        forget_acquisition(common, shared)
        indexed = index_values(common)
        described = [FrameValues(indexed, frame.own) for frame in described]
    own_values = [frame.own for frame in described]
    groups = FrameGroups(definition, indexed, own_values, without=silent or frozenset())
    whole = describe_whole(shared, of_image)
    if silent is not None:
        forget_acquisition(whole, shared)
    # New elements: those of the caller's data sets are not to change.
    combined = {keyword: combine_terms(_list_terms_of(described, keyword)) for keyword in OF_ALL_FRAMES}
    image_type = [combine_terms(each) for each in zip(*_list_types(described), strict=True)]
    whole.update(data_set_of(ImageType=image_type, **combined))
    whole.update(_describe_velocities(described))
    check_palette(definition.name, whole)
    whole.update(_describe_pixels(definition.name, frames))
    whole.update(dimensions)
    day, time = format_moment(instance.created)
    whole.update(data_set_of(AcquisitionDateTime=whole.get("AcquisitionDateTime") or day + time))
    whole.add(make_sequence(_SHARED, [groups.shared]))
    return whole, groups


def _find_silent_groups(
    definition: ObjectDefinition, frames: Sequence[FrameValues], stated: Mapping[int, object]
) -> frozenset[int] | None:
    """The groups of an acquisition of which nobody says anything, where all frames are derived; else ``None``."""
    if {types[0] for types in _list_types(frames)} != {"DERIVED"}:
        return None
    known = find_differing(frames) | stated.keys()
    asked = (node for node in definition.functional_groups if node.key in OF_ORIGINALS)
    return frozenset(node.key for node in asked if known.isdisjoint(list_tags_of(node)))


def _list_terms_of(frames: Sequence[FrameValues], keyword: str) -> set[str]:
    """What the frames say; most say what all have in common."""
    tag = int(Tag(keyword))
    own = [frame for frame in frames if tag in frame.own]
    terms = {str(frame.read(tag)) for frame in own}
    return terms if len(own) == len(frames) else terms | {str(frames[0].common[tag].value)}


def _describe_velocities(frames: Sequence[FrameValues]) -> Dataset:
    """The directions in which velocity is encoded (PS3.3 C.8.13.4), where frames say them."""
    found = {tuple(map(float, direction)): None for frame in frames if (direction := frame.read(_VELOCITY))}
    if not found:
        return Dataset()
    items = [data_set_of(VelocityEncodingDirection=list(direction)) for direction in found]
    return data_set_of(PhaseContrast="YES", VelocityEncodingAcquisitionSequence=items)


def _list_types(frames: Sequence[FrameValues]) -> set[tuple[str, ...]]:
    return {tuple(map(str, frame.read(_FRAME_TYPE))) for frame in frames}


def _check_frames(definition: ObjectDefinition, frames: Sequence[EnhancedFrame]) -> None:
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


def _check_places(definition: ObjectDefinition, frames: Sequence[FrameValues]) -> None:
    """An original frame says where it lies in the patient (PS3.3 C.7.6.16.2)."""
    differing = find_differing(frames)
    tags = [(keyword, int(Tag(keyword))) for keyword in _PLACE]
    places = [(keyword, tag) for keyword, tag in tags if tag in differing or not frames[0].read(tag)]
    for number, frame in enumerate(frames, 1):
        missing = [keyword for keyword, tag in places if not frame.read(tag)]
        if missing:
            raise ObjectInvalid(
                f"{definition.name}: frame {number} has no {', '.join(missing)}",
                advice="supply it where it comes from: acquisition",
            )


def _describe_pixels(name: str, frames: Sequence[EnhancedFrame]) -> Dataset:
    rows, columns = frames[0].pixels.shape
    signed = frames[0].pixels.dtype == np.int16
    bits = _choose_bits(name, frames)
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
    values[PIXEL_DATA] = make_element(PIXEL_DATA, "OW", b"\0\0")  # the pixels come when it is encoded
    return values


_BITS: Final = (12, 16)
"""What (0028,0101) Bits Stored may be (PS3.3 C.8.13.1), but 8, which these pixels never have."""


def _choose_bits(name: str, frames: Sequence[EnhancedFrame]) -> int:
    """Bits Stored: as many as the values need, by what looked at them before, or by a look at each.

    Raises :class:`ObjectInvalid` where the object does not have so many.
    """
    stated = [int(frame.attributes.get("BitsStored") or 0) for frame in frames]
    needed = max(stated) if min(stated) > 0 else max(*stated, _count_bits(frames))
    if needed > _BITS[-1]:
        raise refuse_bits(name, needed, _BITS)
    return next(bits for bits in _BITS if bits >= needed)


def _count_bits(frames: Sequence[EnhancedFrame]) -> int:
    """As many bits as the values need, by a look at each."""
    lowest = min(int(frame.pixels.min()) for frame in frames)
    highest = max(int(frame.pixels.max()) for frame in frames)
    signed = frames[0].pixels.dtype == np.int16
    return max(abs(lowest) - 1 if lowest < 0 else 0, highest, 1).bit_length() + signed


_DATES: Final = ("FrameAcquisitionDateTime", "FrameReferenceDateTime")
_DAY, _TIME = int(Tag("AcquisitionDate")), int(Tag("AcquisitionTime"))


def _find_date(values: Dataset, instance: InstanceFacts) -> Dataset:
    """When all frames were acquired: as their own date and time say, else when the image was made."""
    own_day, own_time = str(values.get("AcquisitionDate") or ""), str(values.get("AcquisitionTime") or "")
    moment = own_day + own_time if own_day and own_time else "".join(format_moment(instance.created))
    return data_set_of(**{keyword: values.get(keyword) or moment for keyword in _DATES})


def _date_frame(frame: FrameValues, instance: InstanceFacts) -> None:
    """The same for a frame that has a date or time of its own."""
    if _DAY not in frame.own and _TIME not in frame.own:
        return
    day, time = str(frame.read(_DAY) or ""), str(frame.read(_TIME) or "")
    moment = day + time if day and time else "".join(format_moment(instance.created))
    for keyword in _DATES:
        frame.own.setdefault(int(Tag(keyword)), make_element(Tag(keyword), "DT", moment))


def _share_out(frames: int, uids: EnhancedUids, instance: InstanceFacts) -> Iterator[tuple[InstanceFacts, range]]:
    """The instances, each with the numbers of its frames."""
    count = max(1, min(len(uids.parts), frames))
    if count == 1:
        yield instance, range(frames)
        return
    for number, uid in enumerate(uids.parts[:count]):
        yield replace(instance, sop_instance_uid=uid), range(frames * number // count, frames * (number + 1) // count)


def _describe_part(number: int, chosen: range, frames: int, uids: EnhancedUids, source_uid: str) -> Dataset:
    """Which frames an instance has, and which part of a concatenation it is."""
    values = data_set_of(NumberOfFrames=len(chosen))
    if len(chosen) < frames:
        values.update(
            data_set_of(
                ConcatenationUID=uids.concatenation,
                SOPInstanceUIDOfConcatenationSource=source_uid,
                InConcatenationNumber=number,
                InConcatenationTotalNumber=min(len(uids.parts), frames),
                ConcatenationFrameOffsetNumber=chosen.start,
            )
        )
    return values


def _list_terms(data_set: Dataset) -> Sequence[str]:
    terms = data_set.get("SpecificCharacterSet") or ()
    return (terms,) if isinstance(terms, str) else list(terms)


def _put_in(data_set: Dataset, items: Sequence[bytes], pixels: Iterable[FramePixels]) -> EncodedInstance:
    """The encoded image with the items of its frames and their pixels, which are not copied."""
    encoded = encode_instance(data_set)
    parts: list[Buffer] = list(encoded.parts)
    parts[encoded.tags[_PER_FRAME]] = encode_items_of(_PER_FRAME, items)
    frames: list[Buffer] = [_view(each) for each in pixels]
    length = sum(len(each) for each in frames)
    number = encoded.tags[PIXEL_DATA]
    value: list[Buffer] = [encode_pixel_head("OW", length), *frames, *([b"\0"] if length % 2 else [])]
    return EncodedInstance(encoded.tags, [*parts[:number], *value, *parts[number + 2 :]])


def _view(pixels: FramePixels) -> memoryview:
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).data.cast("B")


def find_known_tags(definition: ObjectDefinition) -> frozenset[int]:
    """The attributes that an image says somewhere, as they are or under another name."""
    return frozenset(tag for row in definition.rules for tag in row.path) | SAID_OTHERWISE


def find_tags_of_whole(definition: ObjectDefinition) -> frozenset[int]:
    """The attributes that an image says as a whole, and no frame of it."""
    of_frames = {tag for row in definition.rules if row.module == FUNCTIONAL_GROUPS for tag in row.path}
    return frozenset(row.path[0] for row in definition.rules if len(row.path) == 1) - of_frames


def find_taken_terms(definition: ObjectDefinition) -> Terms:
    """The enumerated values of what may be said of a frame or of the whole, those of classic images included."""
    of_frames, of_image = index_frame_terms(definition.rules), index_image_terms(definition.rules)
    taken = {tag: of_frames.get(tag, frozenset()) | of_image.get(tag, frozenset()) for tag in {*of_frames, *of_image}}
    return taken | {_PHASE_ENCODING: taken[_PHASE_ENCODING] | {"COL"}}
