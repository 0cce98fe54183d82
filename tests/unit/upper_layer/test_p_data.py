"""Fragments for sending (PS3.8 9.3.5, Annex E)."""

from __future__ import annotations

import pytest

from openmodality.errors import ProtocolError, UsageError
from openmodality.upper_layer.p_data import MAX_FRAGMENT_LENGTH, cut_fragments, max_fragment_length
from openmodality.upper_layer.pdu import P_DATA_TF, PresentationDataValueItem, decode


def values(buffers: list[bytes | bytearray | memoryview]) -> list[PresentationDataValueItem]:
    """The presentation data values in ``buffers``, one per PDU."""
    data, found = b"".join(buffers), []
    while data:
        length = int.from_bytes(data[2:6], "big")
        pdu = decode(data[0], data[6 : 6 + length])
        assert isinstance(pdu, P_DATA_TF)
        (value,) = pdu.presentation_data_values
        found.append(value)
        data = data[6 + length :]
    return found


def test_a_chunk_that_fits_is_one_pdu_and_not_copied() -> None:
    chunk = bytes(100)
    header, data = cut_fragments(chunk, context_id=5, is_command=False, last=True, max_pdu_length=106)
    assert header == bytes.fromhex("04 00 0000006a 00000066 05 02")
    assert data is chunk


@pytest.mark.parametrize("limit", [8, 9, 10, 13, 14, 100, 16384, 999999])
@pytest.mark.parametrize("length", [2, 4, 6, 94, 96, 1000])
@pytest.mark.parametrize("last", [False, True])
def test_fragments_are_even_within_the_limit_and_end_once(limit: int, length: int, last: bool) -> None:
    """Trap 2."""
    chunk = bytes(index % 256 for index in range(length))
    found = values(cut_fragments(chunk, context_id=3, is_command=True, last=last, max_pdu_length=limit))
    assert b"".join(value.data for value in found) == chunk
    assert all(len(value.data) % 2 == 0 and 0 < len(value.data) <= limit - 6 for value in found)
    assert [value.is_last for value in found] == [False] * (len(found) - 1) + [last]
    assert {(value.context_id, value.is_command) for value in found} == {(3, True)}


def test_slices_of_a_large_chunk_share_its_memory() -> None:
    chunk = bytearray(1000)
    buffers = cut_fragments(chunk, context_id=1, is_command=False, last=True, max_pdu_length=106)
    assert all(isinstance(buffer, memoryview) and buffer.obj is chunk for buffer in buffers[1::2])


@pytest.mark.parametrize("limit", [1, 2, 6, 7])
def test_a_limit_that_leaves_no_room_is_an_error(limit: int) -> None:
    """Trap 4."""
    with pytest.raises(ProtocolError, match="leaves no room"):
        cut_fragments(b"ab", context_id=1, is_command=False, last=True, max_pdu_length=limit)


def test_no_limit_means_our_own() -> None:
    """Trap 4: 0 is unlimited."""
    assert max_fragment_length(0) == MAX_FRAGMENT_LENGTH
    assert max_fragment_length(0xFFFFFFFF) == MAX_FRAGMENT_LENGTH
    chunk = memoryview(bytes(MAX_FRAGMENT_LENGTH + 2))
    assert [len(b) for b in cut_fragments(chunk, context_id=1, is_command=False, last=True, max_pdu_length=0)] == [
        12,
        MAX_FRAGMENT_LENGTH,
        12,
        2,
    ]


@pytest.mark.parametrize("last", [False, True])
def test_odd_chunks_are_refused(last: bool) -> None:
    with pytest.raises(UsageError, match="even length"):
        cut_fragments(b"abc", context_id=1, is_command=False, last=last, max_pdu_length=0)


def test_an_empty_chunk_only_ends() -> None:
    assert cut_fragments(b"", context_id=1, is_command=False, last=False, max_pdu_length=0) == []
    assert values(cut_fragments(b"", context_id=1, is_command=False, last=True, max_pdu_length=0)) == [
        PresentationDataValueItem(1, False, True, b"")
    ]
