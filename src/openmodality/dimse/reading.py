"""Reads values of a data set that a peer sent; what does not fit its attribute counts as absent."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act

PADDING = "\0 "
_NOTHING: Final = f"{PADDING}^="
"""Characters that say nothing: padding and the separators of a name."""

# What pydicom raises where a value does not follow its VR or its character set.
_UNREADABLE: Final = (
    BytesLengthException,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    LookupError,
    NotImplementedError,
    struct.error,
)


@lru_cache(maxsize=8192)
def intern_tag(tag: int) -> BaseTag:
    """A tag as pydicom has it, each time the same object: two that are not compare in Python, not in C."""
    return BaseTag(tag)


def read_element(data_set: Dataset, tag: int) -> DataElement | None:
    """The element, decoded; ``None`` where it is absent or cannot be decoded."""
    try:
        return data_set.get(intern_tag(tag))
    except _UNREADABLE:
        return None


def read_elements(data_set: Dataset) -> dict[int, DataElement | None]:
    """The elements by their tags, in this order, decoded: ``None`` for one that cannot be.

    Many lookups in one data set cost less so.
    """
    found = [(int(element.tag), element) for element in data_set.values()]
    found.sort(key=itemgetter(0))
    return {tag: each if type(each) is DataElement else read_element(data_set, tag) for tag, each in found}


def read_text(data_set: Dataset, tag: int) -> str:
    """The value of a text element without its padding; empty where there is none, or several, or no text."""
    values = read_texts(data_set, tag)
    return values[0] if len(values) == 1 else ""


def read_texts(data_set: Dataset, tag: int) -> tuple[str, ...]:
    """The values of a text element without their padding, empty ones left out."""
    element: DataElement | None = data_set.get(intern_tag(tag))
    if element is None or element.VR == "SQ":
        return ()
    found = (value for value in values_of(element) if not isinstance(value, (bytes, Dataset)))
    return tuple(stripped for value in found if (stripped := str(value).strip(PADDING)))


def read_number(data_set: Dataset, tag: int) -> int | None:
    """The value of an element that holds one whole number."""
    values = values_of(data_set[tag]) if tag in data_set else []
    return int(values[0]) if len(values) == 1 and isinstance(values[0], int) else None


def read_items(data_set: Dataset, tag: int) -> tuple[Dataset, ...]:
    """The items of a sequence; none where it is absent, empty, unreadable or no sequence."""
    element = read_element(data_set, tag)
    return tuple(element.value) if element is not None and element.VR == "SQ" else ()


def read_items_at(data_set: Dataset, path: Sequence[int]) -> Iterator[Dataset]:
    """All items that a path of sequences leads to; the data set itself for the empty path."""
    if not path:
        yield data_set
        return
    for item in read_items(data_set, path[0]):
        yield from read_items_at(item, path[1:])


def is_filled(element: DataElement) -> bool:
    """Whether an element says something: more than padding and the separators of a name; a sequence, in an item."""
    if element.VR == "SQ":
        return any(
            (inner := read_element(item, tag)) is not None and is_filled(inner)
            for item in element.value
            for tag in map(int, item.keys())
        )
    value = element.value
    if isinstance(value, str):  # as most are
        return bool(value.strip(_NOTHING))
    return any(map(_says_something, values_of(element)))


def _says_something(value: object) -> bool:
    """Whether a value is more than padding. Bytes, which may be pixels, are not made into text."""
    if isinstance(value, bytes):
        return bool(value)
    return value is not None and bool(str(value).strip(_NOTHING))


def has_value(data_set: Dataset, tag: int) -> bool:
    """Whether an element is there and not empty, as type 1 demands; a sequence needs an item.

    What stands in it counts even where it says nothing, which :func:`is_filled` tells.
    """
    element: DataElement | None = data_set.get(intern_tag(tag))
    if element is None:
        return False
    return bool(element.value if element.VR == "SQ" else values_of(element))


def values_of(element: DataElement) -> list[object]:
    """The values of an element as a list, however many there are."""
    value = element.value
    if value is None or value == "" or value == b"":
        return []
    return list(value) if isinstance(value, (MultiValue, list, tuple)) else [value]


def iterate_elements(data_set: Dataset) -> Iterator[DataElement]:
    """All elements, those in items included, in the order in which they are written."""
    for element in data_set:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from iterate_elements(item)
