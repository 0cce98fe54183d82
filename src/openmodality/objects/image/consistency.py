"""Checks that attributes of an image agree with one another, each of which is right by itself."""

from __future__ import annotations

from typing import Final, cast

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.reading import values_of
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.elements import element_at

_COLOURS: Final = ("Red", "Green", "Blue")
_DESCRIPTORS: Final = tuple(Tag(f"{colour}PaletteColorLookupTableDescriptor") for colour in _COLOURS)
_TABLES: Final = tuple(Tag(f"{colour}PaletteColorLookupTableData") for colour in _COLOURS)
_POINTER: Final = Tag("FrameIncrementPointer")
_SHARED: Final = Tag("SharedFunctionalGroupsSequence")
_PER_FRAME: Final = Tag("PerFrameFunctionalGroupsSequence")
CONSISTENT: Final = frozenset((*_DESCRIPTORS, *_TABLES, _POINTER, _SHARED, _PER_FRAME))
"""The attributes that must fit others."""
_ALL_ENTRIES: Final = 65536
"""The number of entries that a descriptor says as 0 (PS3.3 C.7.6.3.1.5)."""


def is_asked(attributes: Dataset) -> bool:
    """Whether there is something to check; most images have nothing of it."""
    return not CONSISTENT.isdisjoint(attributes.keys())


def check_consistency(name: str, attributes: Dataset) -> None:
    """Raises :class:`ObjectInvalid` where attributes of an image of one frame contradict one another."""
    check_palette(name, attributes)
    _check_pointer(name, attributes)
    _check_groups(name, attributes)


def check_palette(name: str, attributes: Dataset) -> None:
    """A palette has a descriptor and a table for each colour, as long as the descriptor says (PS3.3 C.7.6.3.1.5).

    Raises :class:`ObjectInvalid` where it has not.
    """
    present = [tag for tag in (*_DESCRIPTORS, *_TABLES) if tag in attributes]
    if not present:
        return
    missing = [tag for tag in (*_DESCRIPTORS, *_TABLES) if tag not in attributes]
    if missing:
        raise _refuse(name, missing[0], "is missing beside the rest of the palette", "give all six of a palette")
    sizes = set()
    for descriptor, table in zip(_DESCRIPTORS, _TABLES, strict=True):
        entries, _, bits = (int(str(value)) for value in values_of(attributes[descriptor]))
        if bits not in (8, 16):
            raise _refuse(name, descriptor, "says neither 8 nor 16 bits", "give entries, first value and 8 or 16")
        length = (entries or _ALL_ENTRIES) * bits // 8
        if len(attributes[table].value) != length + length % 2:
            raise _refuse(name, table, f"has not the {entries or _ALL_ENTRIES} entries of its descriptor", "correct it")
        sizes.add((entries, bits))
    if len(sizes) > 1:
        raise _refuse(name, _DESCRIPTORS[0], "differs from that of another colour", "give three tables of one length")


def _check_pointer(name: str, attributes: Dataset) -> None:
    """What a frame differs in from the next is an attribute of the image (PS3.3 C.7.6.6)."""
    found = element_at(attributes, _POINTER)
    tags = cast("list[BaseTag]", values_of(found)) if found is not None else []
    for tag in tags:
        if tag not in attributes:
            raise _refuse(name, _POINTER, f"names {name_of(int(tag))}, which is not given", "give that as well")


def _check_groups(name: str, attributes: Dataset) -> None:
    """A functional group is shared or of each frame, and there is an item for each frame (PS3.3 C.7.6.16)."""
    shared, per_frame = (element_at(attributes, tag) for tag in (_SHARED, _PER_FRAME))
    for tag, found in ((_SHARED, shared), (_PER_FRAME, per_frame)):
        if found is not None and len(found.value) > 1:
            raise _refuse(name, tag, f"has {len(found.value)} items, and the image one frame", "give one item")
    if shared is None or per_frame is None or not shared.value or not per_frame.value:
        return
    both = sorted(shared.value[0].keys() & per_frame.value[0].keys())
    if both:
        raise _refuse(name, int(both[0]), "is in the shared and in the per-frame functional groups", "say it once")


def _refuse(name: str, tag: int, problem: str, advice: str) -> ObjectInvalid:
    return ObjectInvalid(f"{name}: {name_of(int(tag))} {problem}", advice=advice, tag=int(tag))
