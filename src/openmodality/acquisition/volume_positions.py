"""Tells the images of a volume apart besides their place: by the positions of its fourth axis, and by values in lists.

A keyword whose value is a list of as many values as the fourth axis has positions gives each position its own; in the
same way as many as there are slices give each slice its own, in the order of the array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Self

import numpy as np
from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset

from openmodality.acquisition.keywords import attributes_of
from openmodality.errors import ObjectInvalid
from openmodality.value_class import dataclass

# What says which position an image is of, and how many there are, where the caller does not say it otherwise.
_COUNTED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "time": ("TemporalPositionIdentifier", "NumberOfTemporalPositions"),
        "echo": ("EchoNumbers", ""),
        "b-value": ("TemporalPositionIdentifier", "NumberOfTemporalPositions"),
    }
)
_VALUES_OF: Final[Mapping[str, str]] = MappingProxyType({"echo": "EchoTime", "b-value": "DiffusionBValue"})
"""What says the values along a dimension."""


@dataclass(frozen=True, slots=True)
class Positions:
    """``shared`` are the keywords of all images; ``by_position`` and ``by_slice`` have an entry for each of theirs.

    ``unused`` names the dimension where nothing says its values.
    """

    shared: Mapping[str, object]
    by_position: Sequence[Dataset]
    by_slice: Sequence[Dataset]
    unused: Mapping[str, str]

    @classmethod
    def of(cls, dimension: str, keywords: Mapping[str, object], positions: int, slices: int, where: str) -> Self:
        """Which keyword belongs to which images.

        Raises :class:`ObjectInvalid` where ``dimension`` is none, or has other values than positions, or a keyword or
        value is not DICOM's.
        """
        if dimension not in ("", *_COUNTED):
            raise ObjectInvalid(f"dimension is {dimension!r:.64}", advice=f"say {', '.join(_COUNTED)}")
        said = _VALUES_OF.get(dimension, "")
        shared: dict[str, object] = {}
        each_position: list[dict[str, object]] = [{} for _ in range(positions)]
        each_slice: list[dict[str, object]] = [{} for _ in range(slices)]
        if positions > 1:
            own, how_many = _COUNTED[dimension or "time"]
            for number, values in enumerate(each_position, 1):
                values[own] = number
            if how_many:
                shared[how_many] = positions
        for keyword, value in keywords.items():
            values_of_each = _split(keyword, value)
            if positions > 1 and keyword == said and len(values_of_each) not in (0, positions):
                raise ObjectInvalid(
                    f"{keyword} has {len(values_of_each)} values, and the fourth axis {positions} positions",
                    advice="give one for each",
                )
            if positions > 1 and len(values_of_each) == positions:
                targets = each_position
            elif slices > 1 and len(values_of_each) == slices:
                targets = each_slice
            else:
                shared[keyword] = value
                continue
            for target, each in zip(targets, values_of_each, strict=True):
                target[keyword] = each
        return cls(
            shared,
            [attributes_of(values, f"{where}, position {number}") for number, values in enumerate(each_position, 1)],
            [attributes_of(values, f"{where}, slice {number}") for number, values in enumerate(each_slice, 1)],
            {"dimension": f"no {said} says its values"} if positions > 1 and said and said not in keywords else {},
        )

    def describe(self, position: int, number: int) -> tuple[Dataset, Dataset]:
        """What an image has of its own: in a slice of the array and at a position of the fourth axis, both from 0."""
        return self.by_slice[number], self.by_position[position]


def _split(keyword: str, value: object) -> Sequence[object]:
    """The values of a list that are each a whole value of the attribute; none where the list is one value."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple) or not value:
        return ()
    tag = tag_for_keyword(keyword)
    has_one_value = tag is not None and dictionary_VM(tag) == "1" and dictionary_VR(tag) != "SQ"
    return value if has_one_value or all(isinstance(each, list | tuple) for each in value) else ()
