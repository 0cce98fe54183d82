"""Dimensions of a multi-frame image: in what its frames differ, found in their attributes (PS3.3 C.7.6.17).

Stack and position in it always are dimensions. Temporal position, echo time, b-value, direction of diffusion, trigger
delay and the others of the table below are where frames differ in them. Frames that still cannot be told apart are
taken as following each other in time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, Final, NamedTuple

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag

from openmodality.objects.image.frame_values import FrameValues, find_differing
from openmodality.objects.rules.elements import data_set_of, make_element, make_kept_element, prepare_attributes

FrameKey = Hashable


class Dimension(NamedTuple):
    """The attribute that a dimension counts, the group that holds it, and what it is called."""

    pointer: str
    group: str
    label: str


STACK: Final = Dimension("StackID", "FrameContentSequence", "Stack")
POSITION: Final = Dimension("InStackPositionNumber", "FrameContentSequence", "Position")
TIME: Final = Dimension("TemporalPositionIndex", "FrameContentSequence", "Time")
ECHO: Final = Dimension("EffectiveEchoTime", "MREchoSequence", "Echo")
B_VALUE: Final = Dimension("DiffusionBValue", "MRDiffusionSequence", "b-value")
DIRECTION: Final = Dimension("DiffusionGradientDirectionSequence", "MRDiffusionSequence", "Direction")
TRIGGER: Final = Dimension("NominalCardiacTriggerDelayTime", "CardiacSynchronizationSequence", "Trigger delay")
RESPIRATION: Final = Dimension(
    "NominalRespiratoryTriggerDelayTime", "RespiratorySynchronizationSequence", "Respiratory delay"
)
INVERSION: Final = Dimension("InversionTimes", "MRModifierSequence", "Inversion time")
REPETITION: Final = Dimension("RepetitionTime", "MRTimingAndRelatedParametersSequence", "Repetition time")
FLIP: Final = Dimension("FlipAngle", "MRTimingAndRelatedParametersSequence", "Flip angle")
VELOCITY: Final = Dimension("VelocityEncodingDirection", "MRVelocityEncodingSequence", "Velocity direction")
COMPONENT: Final = Dimension("ComplexImageComponent", "MRImageFrameTypeSequence", "Component")

_COMPONENTS: Final = ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")
_ORIENTATION, _PLACE = int(Tag("ImageOrientationPatient")), int(Tag("ImagePositionPatient"))
_CONTENT: Final = prepare_attributes("StackID", "InStackPositionNumber", "DimensionIndexValues")
_TIME_INDEX: Final = prepare_attributes(TIME.pointer)[0]


def arrange_frames(frames: Sequence[FrameValues], organization_uid: str) -> Dataset:
    """The Multi-frame Dimension module; each frame gets stack, position and indices among its own values.

    ``frames`` are described by :func:`openmodality.objects.image.enhanced_values.describe_frame`.
    """
    stacks = _rank([_read_orientation(frame) for frame in frames])
    positions = _rank_in(stacks, [_measure_position(frame) for frame in frames])
    found: list[tuple[Dimension, list[int]]] = []
    differing = find_differing(frames)
    for dimension, tag, read in _OPTIONAL:
        if tag not in differing:
            continue
        keys = [read(frame.read(tag)) for frame in frames]
        if len(set(keys)) > 1:
            found.append((dimension, _rank(keys)))
    temporal = next((ranks for dimension, ranks in found if dimension is TIME), None)
    rest = [ranks for dimension, ranks in found if dimension is not TIME]
    if temporal is None and _have_twins(list(zip(stacks, positions, *rest, strict=True))):
        temporal = _count_up(list(zip(stacks, positions, *rest, strict=True)))
        found.insert(0, (TIME, temporal))
    dimensions = [(STACK, stacks), *found, (POSITION, positions)]
    indices = list(zip(*(ranks for _, ranks in dimensions), strict=True))
    for number, frame in enumerate(frames):
        frame.own.update(_describe_content(stacks[number], positions[number], list(indices[number])))
        if temporal is not None:
            frame.own[int(_TIME_INDEX[0])] = make_element(*_TIME_INDEX, temporal[number])
    return _describe_dimensions([dimension for dimension, _ in dimensions], organization_uid)


def _describe_dimensions(dimensions: Sequence[Dimension], organization_uid: str) -> Dataset:
    return data_set_of(
        DimensionOrganizationSequence=[data_set_of(DimensionOrganizationUID=organization_uid)],
        DimensionIndexSequence=[
            data_set_of(
                DimensionOrganizationUID=organization_uid,
                DimensionIndexPointer=Tag(each.pointer),
                FunctionalGroupPointer=Tag(each.group),
                DimensionDescriptionLabel=each.label,
            )
            for each in dimensions
        ],
    )


def _describe_content(stack: int, position: int, indices: list[int]) -> dict[int, DataElement]:
    values = (str(stack), position, indices)
    # As pydicom would keep them: looking at each again costs a tenth of what an image of 1,000 frames does.
    return {int(tag): make_kept_element(tag, vr, value) for (tag, vr), value in zip(_CONTENT, values, strict=True)}


def _read_orientation(frame: FrameValues) -> FrameKey:
    """Rounded, so that noise of the last digits makes no stack of its own."""
    return tuple(round(float(each), 4) for each in frame.read(_ORIENTATION) or ())


def _measure_position(frame: FrameValues) -> float:
    """Along the normal of the image plane, in mm; 0 where the frame has no place."""
    orientation, place = frame.read(_ORIENTATION), frame.read(_PLACE)
    if not orientation or not place:
        return 0.0
    (a, b, c), (d, e, f) = map(float, orientation[:3]), map(float, orientation[3:])
    x, y, z = map(float, place)
    return round((b * f - c * e) * x + (c * d - a * f) * y + (a * e - b * d) * z, 3)


def _read_number(value: Any) -> FrameKey:
    return None if value in (None, "") else round(float(str(value)), 6)


def _read_vector(value: Any) -> FrameKey:
    values = () if value in (None, "") else value if isinstance(value, MultiValue | list) else (value,)
    return tuple(round(float(each), 4) for each in values)


def _read_component(value: Any) -> FrameKey:
    return float(_COMPONENTS.index(value)) if value in _COMPONENTS else None


_OPTIONAL: Final = tuple(
    (dimension, int(Tag(keyword)), read)
    for dimension, keyword, read in (
        (TIME, "TemporalPositionIdentifier", _read_number),
        (REPETITION, "RepetitionTime", _read_number),
        (FLIP, "FlipAngle", _read_number),
        (INVERSION, "InversionTimes", _read_vector),
        (ECHO, "EffectiveEchoTime", _read_number),
        (B_VALUE, "DiffusionBValue", _read_number),
        (DIRECTION, "DiffusionGradientOrientation", _read_vector),
        (VELOCITY, "VelocityEncodingDirection", _read_vector),
        (TRIGGER, "NominalCardiacTriggerDelayTime", _read_number),
        (RESPIRATION, "NominalRespiratoryTriggerDelayTime", _read_number),
        (COMPONENT, "ComplexImageComponent", _read_component),
    )
)
"""Dimensions where frames differ in them: the attribute that tells, and how its values are ordered."""


def _rank(keys: Sequence[FrameKey]) -> list[int]:
    """From 1, in ascending order; what has no value comes first."""
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys), key=_make_sortable), 1)}
    return [ranks[key] for key in keys]


def _make_sortable(key: FrameKey) -> tuple[float, ...]:
    if key is None:
        return ()
    return tuple(key) if isinstance(key, tuple) else (float(str(key)),)


def _rank_in(groups: Sequence[int], keys: Sequence[float]) -> list[int]:
    ranks: dict[int, dict[float, int]] = {}
    for group in set(groups):
        own = sorted({key for one, key in zip(groups, keys, strict=True) if one == group})
        ranks[group] = {key: rank for rank, key in enumerate(own, 1)}
    return [ranks[group][key] for group, key in zip(groups, keys, strict=True)]


def _have_twins(places: Sequence[FrameKey]) -> bool:
    return len(set(places)) < len(places)


def _count_up(places: Sequence[FrameKey]) -> list[int]:
    seen: Counter[FrameKey] = Counter()
    counted = []
    for place in places:
        seen[place] += 1
        counted.append(seen[place])
    return counted
