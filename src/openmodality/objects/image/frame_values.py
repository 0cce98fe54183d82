"""The values of the frames of a multi-frame image: those that all have in common, and those of each frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from openmodality.objects.rules.elements import index_values, make_data_set
from openmodality.objects.rules.encoded_groups import freeze
from openmodality.value_class import dataclass

ByTag = Mapping[int, DataElement]


@dataclass(frozen=True, slots=True)
class FrameValues:
    """A frame: ``own`` goes before ``common``."""

    common: ByTag
    own: dict[int, DataElement] = field(default_factory=dict)

    def read(self, tag: int) -> Any:
        """The value of an attribute; None where there is none."""
        found = self.own.get(tag) or self.common.get(tag)
        return None if found is None else found.value


def find_differing(frames: Sequence[FrameValues]) -> frozenset[int]:
    """The attributes of which a frame has a value of its own."""
    return frozenset[int]().union(*(frame.own.keys() for frame in frames))


def share_values(series: Dataset, frames: Sequence[Dataset]) -> tuple[Dataset, list[dict[int, DataElement]]]:
    """The attributes in which all frames are alike, and what each has of its own; what a frame says goes first."""
    common, indexed = index_values(series), [index_values(each) for each in frames]
    alike, own = dict(common), [dict[int, DataElement]() for _ in frames]
    for tag in dict.fromkeys(tag for frame in indexed for tag in frame):
        first, *others = found = [frame.get(tag) or common.get(tag) for frame in indexed]
        if first is not None and all(_is_alike(first, other) for other in others):
            alike[tag] = first
            continue
        alike.pop(tag, None)
        for values, element in zip(own, found, strict=True):
            if element is not None:
                values[tag] = element
    return _put_together(alike), own


def _is_alike(first: DataElement, other: DataElement | None) -> bool:
    return other is first or (other is not None and other.VR == first.VR and other.value == first.value)


def describe_each(
    shared: Dataset,
    own: Sequence[ByTag],
    described: frozenset[int],
    describe: Callable[[Dataset], Dataset],
) -> list[dict[int, DataElement]]:
    """The values of each frame with what ``describe`` makes of those in ``described``, which come again and again."""
    known: dict[object, dict[int, DataElement]] = {}
    base = {tag: found for tag, found in index_values(shared).items() if tag in described}
    values = []
    for frame in own:
        asked = {tag: found for tag, found in frame.items() if tag in described}
        key = tuple((tag, freeze(found)) for tag, found in asked.items())
        if key not in known:
            known[key] = index_values(describe(_put_together({**base, **asked}))) if asked else {}
        values.append({**frame, **known[key]})
    return values


def _put_together(elements: ByTag) -> Dataset:
    return make_data_set({BaseTag(tag): elements[tag] for tag in sorted(elements)})
