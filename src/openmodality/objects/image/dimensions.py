"""Dimensions of a multi-frame image: in what its frames differ, found in their attributes (PS3.3 C.7.6.17).

Stack and position in it always are dimensions. Temporal position, echo time, b-value, direction of diffusion and
trigger delay are where frames differ in them. Frames that still cannot be told apart are taken as following each other
in time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Final, NamedTuple

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from openmodality.objects.rules.elements import data_set_of

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


def arrange_frames(frames: Sequence[Dataset], organization_uid: str) -> tuple[Dataset, list[Dataset]]:
    """The Multi-frame Dimension module, and what is added to Frame Content of each frame: stack, position and indices.

    ``frames`` are described by :func:`openmodality.objects.image.enhanced_values.describe_frame`.
    """
    stacks = _rank([_read_orientation(frame) for frame in frames])
    positions = _rank_in(stacks, [_measure_position(frame) for frame in frames])
    found: list[tuple[Dimension, list[int]]] = []
    for dimension, read in _OPTIONAL:
        keys = [read(frame) for frame in frames]
        if len(set(keys)) > 1:
            found.append((dimension, _rank(keys)))
    temporal = next((ranks for dimension, ranks in found if dimension is TIME), None)
    rest = [ranks for dimension, ranks in found if dimension is not TIME]
    if temporal is None and _have_twins(list(zip(stacks, positions, *rest, strict=True))):
        temporal = _count_up(list(zip(stacks, positions, *rest, strict=True)))
        found.insert(0, (TIME, temporal))
    dimensions = [(STACK, stacks), *found, (POSITION, positions)]
    contents = [
        _describe_content(stacks[number], positions[number], temporal[number] if temporal else None,
                          [ranks[number] for _, ranks in dimensions])
        for number in range(len(frames))
    ]  # fmt: skip
    return _describe_dimensions([dimension for dimension, _ in dimensions], organization_uid), contents


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


def _describe_content(stack: int, position: int, time: int | None, indices: list[int]) -> Dataset:
    content = data_set_of(StackID=str(stack), InStackPositionNumber=position, DimensionIndexValues=indices)
    if time is not None:
        content.TemporalPositionIndex = time
    return content


def _read_orientation(frame: Dataset) -> FrameKey:
    """Rounded, so that noise of the last digits makes no stack of its own."""
    return tuple(round(float(each), 4) for each in frame.get("ImageOrientationPatient") or ())


def _measure_position(frame: Dataset) -> float:
    """Along the normal of the image plane, in mm; 0 where the frame has no place."""
    orientation, position = frame.get("ImageOrientationPatient"), frame.get("ImagePositionPatient")
    if not orientation or not position:
        return 0.0
    row, column = np.asarray(orientation, float)[:3], np.asarray(orientation, float)[3:]
    return round(float(np.cross(row, column) @ np.asarray(position, float)), 3)


def _read_number(keyword: str) -> Callable[[Dataset], FrameKey]:
    return lambda frame: None if frame.get(keyword) in (None, "") else round(float(str(frame.get(keyword))), 6)


def _read_direction(frame: Dataset) -> FrameKey:
    return tuple(round(float(each), 4) for each in frame.get("DiffusionGradientOrientation") or ())


_OPTIONAL: Final[tuple[tuple[Dimension, Callable[[Dataset], FrameKey]], ...]] = (
    (TIME, _read_number("TemporalPositionIdentifier")),
    (ECHO, _read_number("EffectiveEchoTime")),
    (B_VALUE, _read_number("DiffusionBValue")),
    (DIRECTION, _read_direction),
    (TRIGGER, _read_number("NominalCardiacTriggerDelayTime")),
)


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
