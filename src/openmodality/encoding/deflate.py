"""Deflated Explicit VR Little Endian (PS3.5 A.5): a data set as one RFC 1951 stream, in pieces of bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from openmodality.buffer import Buffer
from openmodality.errors import ObjectInvalid

PIECE_BYTES: Final = 64 * 1024
"""How many bytes are inflated at a time, because a few deflated bytes can stand for megabytes."""


MAX_GROWTH: Final = 100
"""How many times its length a stream may have when inflated; real images seldom reach 10."""
UNSUSPICIOUS_BYTES: Final = 64 * 1024 * 1024
"""Up to here a stream may grow as it likes: an empty image is not a bomb."""


class Inflater:
    """Inflates a stream as it comes. What follows its end, such as the NUL that makes the length even, is ignored."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._length_bytes = self._inflated_bytes = 0

    def feed(self, chunk: Buffer) -> Iterator[bytes]:
        """Yield the next bytes of the data set; iterate to the end before the next chunk.

        Raises :class:`ObjectInvalid` where the stream is damaged, or made to fill memory or time.
        """
        stream, rest = self._stream, chunk
        self._length_bytes += len(chunk)
        while not stream.eof:
            try:
                piece = stream.decompress(rest, PIECE_BYTES)
            except zlib.error:
                raise ObjectInvalid("the deflated data set is damaged") from None
            rest = stream.unconsumed_tail
            if piece:
                self._inflated_bytes += len(piece)
                if self._inflated_bytes > max(UNSUSPICIOUS_BYTES, MAX_GROWTH * self._length_bytes):
                    raise ObjectInvalid(f"the deflated data set grows to more than {MAX_GROWTH} times its length")
                yield piece
            if not rest and len(piece) < PIECE_BYTES:
                break

    def finish(self) -> None:
        """Say that no more bytes come. Raises :class:`ObjectInvalid` where the stream is cut off."""
        if not self._stream.eof:
            raise ObjectInvalid("the deflated data set is cut off")


def inflate(chunks: Iterable[Buffer]) -> Iterator[bytes]:
    """The data set in a deflated stream."""
    inflater = Inflater()
    for chunk in chunks:
        yield from inflater.feed(chunk)
    inflater.finish()


def deflate(chunks: Iterable[Buffer]) -> Iterator[bytes]:
    """The deflated stream of a data set in Explicit VR Little Endian, of even length."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    written = 0
    for chunk in chunks:
        if piece := stream.compress(chunk):
            written += len(piece)
            yield piece
    last = stream.flush()
    yield last + b"\0" * ((written + len(last)) % 2)
