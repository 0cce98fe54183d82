"""Stepping over a data set that is laid out as the last one gives what walking from header to header gives."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from struct import pack

import pytest

from openmodality.encoding.strides import UNSETTLED, Header, Strides

LAST = ("OW", 1000)
LENGTHS = [2, 4, 6, 8, 10, 12, 14, 16]


def encoded(*elements: tuple[str, int]) -> bytes:
    """Elements in Explicit VR Little Endian, with these VRs and lengths of their values."""
    headers = (
        pack("<HH2sHL", 8, 8, b"OW", 0, n) if vr == "OW" else pack("<HH2sH", 8, 8, b"LO", n) for vr, n in elements
    )
    return b"".join(chain.from_iterable(zip(headers, (bytes(length) for _, length in elements), strict=True)))


def short(*lengths: int) -> bytes:
    """Elements with short headers, and one that goes on behind the buffer."""
    return encoded(*zip(repeat("LO"), lengths, strict=False), LAST)[:-500]


class Counted:
    """A walk that tells how many headers were walked, and learned from."""

    def __init__(self) -> None:
        self.walked = self.learned = 0
        self.strides = Strides(self.walk, self.headers, "<", 12)

    def walk(self, buffer: bytes | bytearray | memoryview, offset: int, size: int) -> tuple[int, int]:
        start = offset
        while size - offset >= 12:
            start, self.walked = offset, self.walked + 1
            header = self._header(buffer, offset)
            if header.length == 0xFFFFFFFF:
                return start, UNSETTLED
            offset += header.size + header.length
        return start, offset

    def headers(self, buffer: bytes | bytearray | memoryview, size: int) -> Iterator[Header]:
        offset = 0
        while size - offset >= 12:
            self.learned += 1
            header = self._header(buffer, offset)
            yield header
            offset += header.size + header.length

    @staticmethod
    def _header(buffer: bytes | bytearray | memoryview, offset: int) -> Header:
        vr = int.from_bytes(buffer[offset + 4 : offset + 6], "little")
        is_long = bytes(buffer[offset + 4 : offset + 6]) == b"OW"
        at = offset + (8 if is_long else 6)
        length = int.from_bytes(buffer[at : at + (4 if is_long else 2)], "little")
        form = "4xH2xL" if is_long else "4xHH"
        return Header(12 if is_long else 8, form, (vr,), length)

    def step(self, buffer: bytes) -> tuple[tuple[int, int], int]:
        """What the strides give, which the walk must give too, and how many headers were walked for it."""
        before = self.walked
        given = self.strides(buffer, len(buffer))
        walked = self.walked - before
        assert given == self.walk(buffer, 0, len(buffer))
        return given, walked


def test_what_looks_as_the_last_is_not_walked() -> None:
    counted = Counted()
    assert counted.step(short(*LENGTHS))[1] == 9
    assert counted.step(short(*LENGTHS))[1] == 0


def test_a_length_that_varies_is_read_from_then_on() -> None:
    counted = Counted()
    counted.step(short(*LENGTHS))
    assert counted.step(short(2, 4, 6, 80, 10, 12, 14, 16))[1] == 9  # the one run is not what it was
    assert counted.step(short(2, 4, 6, 82, 10, 12, 14, 16))[1] == 0
    assert counted.step(short(2, 4, 6, 0, 10, 12, 14, 16))[1] == 0


def test_from_where_it_differs_it_is_walked() -> None:
    counted = Counted()
    counted.step(short(*LENGTHS))
    counted.step(short(2, 4, 6, 80, 10, 12, 14, 16))
    _, walked = counted.step(short(2, 4, 6, 8, 10, 12, 14, 18))
    assert walked == 5  # behind the fourth


def test_other_elements_are_learned_anew() -> None:
    counted = Counted()
    counted.step(short(*LENGTHS))
    counted.step(short(*LENGTHS, 18))
    assert counted.step(short(*LENGTHS, 18))[1] == 0


def test_what_never_repeats_is_seldom_learned_from() -> None:
    counted = Counted()
    for number in range(500):
        counted.step(short(*LENGTHS, *[2] * (number % 7)))
    assert counted.learned < 250  # 12 a time, so fewer than one in twenty


def test_elements_that_all_vary_are_walked() -> None:
    counted = Counted()
    for number in range(10):
        counted.step(short(*(length + 2 * number for length in LENGTHS)))
    _, walked = counted.step(short(*LENGTHS))
    assert walked == 9


@pytest.mark.parametrize("size", [0, 5, 11, 12, 30, 60])
def test_a_buffer_that_ends_sooner(size: int) -> None:
    counted = Counted()
    whole = short(*LENGTHS)
    counted.step(whole)
    counted.step(whole[:size])
    assert counted.step(whole)[1] == 0


def test_an_element_of_undefined_length_is_not_stepped_over() -> None:
    counted = Counted()
    buffer = (
        encoded(*zip(repeat("LO"), LENGTHS, strict=False)) + pack("<HH2sHL", 8, 8, b"OW", 0, 0xFFFFFFFF) + bytes(50)
    )
    for _ in range(3):
        (start, end), walked = counted.step(buffer)
        assert (start, end) == (len(buffer) - 62, UNSETTLED)
    assert walked == 0


def test_what_follows_the_last_element_that_is_known() -> None:
    counted = Counted()
    counted.step(short(*LENGTHS))
    longer = encoded(*zip(repeat("LO"), LENGTHS, strict=False), LAST, ("LO", 4), ("LO", 100))[:-50]
    assert counted.step(longer)[1] == 2
