"""Stepping over the elements of a data set that lies in memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openmodality.encoding.headers import make_layout
from openmodality.errors import ObjectInvalid
from openmodality.media.element_walk import Place, walk_elements, walk_items

EXPLICIT = make_layout(explicit=True, big_endian=False)
UNDEFINED = b"\xff\xff\xff\xff"
NAME = b"\x10\x00\x10\x00PN\x04\x00A^B "
ITEM_END, SEQUENCE_END = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"


def walk(data: bytes) -> list[Place]:
    return list(walk_elements(data, 0, len(data), EXPLICIT))


def test_a_sequence_of_undefined_length_is_one_step() -> None:
    inner = b"\xfe\xff\x00\xe0" + UNDEFINED + NAME + ITEM_END
    data = b"\x08\x00\x40\x11SQ\0\0" + UNDEFINED + inner + SEQUENCE_END + NAME
    places = walk(data)
    assert [place.tag for place in places] == [0x00081140, 0x00100010]
    assert data[places[1].value : places[1].end] == b"A^B "


def test_items_of_a_sequence() -> None:
    data = b"\xfe\xff\x00\xe0\x0c\0\0\0" + NAME + b"\xfe\xff\x00\xe0" + UNDEFINED + NAME + ITEM_END + SEQUENCE_END
    items = list(walk_items(data, 0, len(data), EXPLICIT))
    assert [item.start for item in items] == [0, 20]
    assert [place.tag for item in items for place in walk_elements(data, item.value, item.end, EXPLICIT)] == [
        0x100010
    ] * 2


@pytest.mark.parametrize("data", [NAME[:-1], NAME[:5], b"\x08\x00\x40\x11SQ\0\0" + UNDEFINED + NAME])
def test_what_has_no_end_is_refused(data: bytes) -> None:
    with pytest.raises(ObjectInvalid):
        walk(data)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ObjectInvalid):
        walk((b"\x08\x00\x40\x11SQ\0\0" + UNDEFINED + b"\xfe\xff\x00\xe0" + UNDEFINED) * 100)


@given(st.binary(max_size=200))
def test_any_bytes_are_walked_or_refused(data: bytes) -> None:
    try:
        ends = [place.end for place in walk(data)]
    except ObjectInvalid:
        return
    assert ends == sorted(ends)
    assert all(end <= len(data) for end in ends)
