"""Deflated data sets: bounded pieces, damage told."""

from __future__ import annotations

import hashlib
import zlib

import pytest

from openmodality.encoding.deflate import PIECE_BYTES, UNSUSPICIOUS_BYTES, Inflater, deflate, inflate
from openmodality.errors import ObjectInvalid


def test_there_and_back_in_pieces_of_bounded_size() -> None:
    data = bytes(5_000_000)
    deflated = b"".join(deflate([data[:1000], data[1000:]]))
    assert len(deflated) < 20_000
    assert len(deflated) % 2 == 0
    pieces = list(inflate([deflated]))
    assert max(len(piece) for piece in pieces) <= PIECE_BYTES
    assert b"".join(pieces) == data


def test_byte_by_byte_and_padded() -> None:
    deflated = b"".join(deflate([b"a data set"])) + b"\0"
    assert b"".join(inflate([bytes((byte,)) for byte in deflated])) == b"a data set"


def test_a_stream_that_is_cut_off_is_refused() -> None:
    with pytest.raises(ObjectInvalid, match="cut off"):
        list(inflate([b"".join(deflate([b"a data set"]))[:4]]))


def test_a_damaged_stream_is_refused() -> None:
    with pytest.raises(ObjectInvalid, match="damaged"):
        list(Inflater().feed(b"\xff\xff\xff\xff"))


def test_the_last_bytes_come_although_all_input_is_taken() -> None:
    stream = zlib.compressobj(wbits=-15)
    start = stream.compress(bytes(PIECE_BYTES - 2))
    for more in range(302):
        size, rest = PIECE_BYTES - 2 + more, stream.copy()
        deflated = start + rest.compress(bytes(more)) + rest.flush()
        assert sum(len(piece) for piece in inflate([deflated[:-1], deflated[-1:]])) == size
        assert sum(len(piece) for piece in inflate([deflated])) == size


def test_a_stream_that_is_made_to_fill_memory_is_refused() -> None:
    """1 MB of it would be a gigabyte."""
    stream = zlib.compressobj(wbits=-15)
    block = stream.compress(bytes(1 << 20)) + stream.flush(zlib.Z_FULL_FLUSH)  # refers to nothing before it
    bomb = 80 * block + stream.flush()
    assert len(bomb) < 100_000
    pieces = inflate([bomb])
    inflated = sum(len(next(pieces)) for _ in range(UNSUSPICIOUS_BYTES // PIECE_BYTES))
    assert inflated == UNSUSPICIOUS_BYTES
    with pytest.raises(ObjectInvalid, match="grows to more than 100 times its length"):
        next(pieces)


def test_what_grows_as_images_do_may_be_as_long_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openmodality.encoding.deflate.UNSUSPICIOUS_BYTES", 1000)
    data = bytes(range(256)) * 400
    whole = b"".join(deflate([data]))
    with pytest.raises(ObjectInvalid, match="grows"):
        list(inflate([whole]))
    noisy = b"".join(deflate([hashlib.shake_256(b"x").digest(100_000)]))
    assert sum(map(len, inflate([noisy]))) == 100_000
