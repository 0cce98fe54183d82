"""Words are swapped whole, wherever the pieces are cut (PS3.5 7.3)."""

from __future__ import annotations

import pytest

from openmodality.encoding.swap import Swapper

EIGHT = bytes(range(1, 9))


def swap(pieces: list[bytes], width: int) -> tuple[bytes, bytes]:
    """What comes out swapped, and what is left at the end."""
    swapper = Swapper(width)
    out = b"".join(bytes(part) for piece in pieces for part in swapper.feed(memoryview(piece)))
    return out, swapper.finish()


@pytest.mark.parametrize(
    ("width", "swapped"),
    [
        (2, b"\2\1\4\3\6\5\10\7"),
        (4, b"\4\3\2\1\10\7\6\5"),
        (8, EIGHT[::-1]),
    ],
)
@pytest.mark.parametrize("cut", range(9))
def test_any_two_pieces_give_the_same_words(width: int, swapped: bytes, cut: int) -> None:
    assert swap([EIGHT[:cut], EIGHT[cut:]], width) == (swapped, b"")


def test_a_word_may_come_byte_by_byte() -> None:
    assert swap([bytes([byte]) for byte in EIGHT], 4) == (b"\4\3\2\1\10\7\6\5", b"")


def test_bytes_that_are_no_whole_word_stay_as_they_are() -> None:
    assert swap([EIGHT[:7]], 4) == (b"\4\3\2\1", b"\5\6\7")


def test_the_end_of_a_value_begins_the_next_one_anew() -> None:
    swapper = Swapper(2)
    assert swapper.feed(memoryview(b"\1")) == []
    assert swapper.finish() == b"\1"
    assert [bytes(part) for part in swapper.feed(memoryview(b"\1\2"))] == [b"\2\1"]
