"""Walks the elements of a data set that lies whole in memory, by their places: a DICOMDIR is read by offsets.

Headers are read by :mod:`openmodality.encoding.headers`; only stepping over values, whatever they hold, is done here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from openmodality.buffer import Buffer
from openmodality.encoding.headers import UNDEFINED_LENGTH, Layout, format_tag, make_layout
from openmodality.encoding.tokenizer import MAX_DEPTH
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import ITEM, ITEM_DELIMITATION_ITEM, SEQUENCE_DELIMITATION_ITEM

_IMPLICIT: Final = make_layout(explicit=False, big_endian=False)


class Place(NamedTuple):
    """An element: its header begins at ``start``, its value lies between ``value`` and ``end``.

    A value of undefined length includes its delimiter.
    """

    tag: int
    vr: str
    start: int
    value: int
    end: int


def walk_elements(data: Buffer, start: int, end: int, syntax: Layout) -> Iterator[Place]:
    """The elements between two places of ``data``, up to an item delimiter where one comes.

    Raises :class:`ObjectInvalid` where an element does not end in time.
    """
    while start < end:
        tag, vr, length, size = _read_header(data, start, end, syntax)
        if tag == ITEM_DELIMITATION_ITEM:
            return
        value = start + size
        stop = value + length
        if length == UNDEFINED_LENGTH:
            stop = _skip_sequence(data, value, end, _read_inner(vr, syntax), 1)
        if stop > end:
            raise ObjectInvalid(f"{format_tag(tag)} at {start} has {length} bytes, more than are there")
        yield Place(tag, vr, start, value, stop)
        start = stop


def walk_items(data: Buffer, start: int, end: int, syntax: Layout) -> Iterator[Place]:
    """The items of a sequence whose value begins at ``start``; an item's value is its elements.

    Raises :class:`ObjectInvalid` where something else than an item comes, or an item does not end in time.
    """
    while start < end:
        tag, _, length, size = _read_header(data, start, end, syntax)
        if tag == SEQUENCE_DELIMITATION_ITEM:
            return
        if tag != ITEM:
            raise ObjectInvalid(f"{format_tag(tag)} stands at {start}, where an item was to come")
        value = start + size
        stop = _skip_item(data, value, end, syntax, 1) if length == UNDEFINED_LENGTH else value + length
        if stop > end:
            raise ObjectInvalid(f"the item at {start} has {length} bytes, more than are there")
        yield Place(tag, "", start, value, stop)
        start = stop


def _read_header(data: Buffer, start: int, end: int, syntax: Layout) -> tuple[int, str, int, int]:
    header = syntax.read(data, start, end - start)
    if header is None:
        raise ObjectInvalid(f"the data set ends within the header of an element, at {start}")
    return header


def _read_inner(vr: str, syntax: Layout) -> Layout:
    """How the inside of a value of undefined length is encoded; UN holds Implicit VR (PS3.5 6.2.2)."""
    return _IMPLICIT if vr == "UN" else syntax


def _skip_sequence(data: Buffer, start: int, end: int, syntax: Layout, depth: int) -> int:
    """The place after the delimiter of a sequence of undefined length."""
    if depth > MAX_DEPTH:
        raise ObjectInvalid(f"sequences are nested more than {MAX_DEPTH} deep at {start}")
    while start < end:
        tag, _, length, size = _read_header(data, start, end, syntax)
        start += size
        if tag == SEQUENCE_DELIMITATION_ITEM:
            return start
        if tag != ITEM:
            raise ObjectInvalid(f"{format_tag(tag)} stands at {start - size}, where an item was to come")
        start = _skip_item(data, start, end, syntax, depth) if length == UNDEFINED_LENGTH else start + length
    raise ObjectInvalid("a sequence has no end")


def _skip_item(data: Buffer, start: int, end: int, syntax: Layout, depth: int) -> int:
    """The place after the delimiter of an item of undefined length."""
    while start < end:
        tag, vr, length, size = _read_header(data, start, end, syntax)
        start += size
        if tag == ITEM_DELIMITATION_ITEM:
            return start
        if length == UNDEFINED_LENGTH:
            start = _skip_sequence(data, start, end, _read_inner(vr, syntax), depth + 1)
        else:
            start += length
    raise ObjectInvalid("an item has no end")
