"""From messages to gathered writes: what is handed to a socket, in order, without joining (PS3.7 6.3.1, PS3.8 9.3.5).

A data set is given as one of three things: bytes, a stream whose length is known (a file), or an iterable of
chunks whose end is known only when it comes (a conversion on the fly). The last fragment must carry the last bit, so
for the third kind one piece is always held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from openmodality.dimse.command import Command, encode
from openmodality.errors import ObjectInvalid
from openmodality.upper_layer.p_data import Buffer, fragments, max_fragment_length

GATHER_BYTES: Final = 1 << 20
"""About how much is handed to one gathered write; bounds the memory of a large instance."""


@dataclass(frozen=True, slots=True)
class KnownLength:
    """A data set of ``length_bytes`` bytes that arrives in chunks; a chunk may be reused once the next is asked for."""

    chunks: Iterable[Buffer]
    length_bytes: int


DataSet = Buffer | KnownLength | Iterable[Buffer]


def message_writes(
    context_id: int, command: Command, data: DataSet | None, max_pdu_length: int
) -> Iterator[list[Buffer]]:
    """Lists of buffers for gathered writes; each list must be written before the next is asked for.

    ``max_pdu_length`` is the peer's limit in bytes, 0 for none.
    """
    cut = _Cut(context_id, max_pdu_length)
    buffers = cut(encode(command), True, is_command=True)
    if data is None:
        yield buffers
        return
    if isinstance(data, (bytes, bytearray, memoryview)):
        data = KnownLength((data,), len(data))
    if isinstance(data, KnownLength):
        yield from _known_length(cut, data, buffers)
    else:
        yield from _unknown_length(cut, data, buffers)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Cuts chunks into PDUs for one presentation context and peer."""

    context_id: int
    max_pdu_length: int

    def __call__(self, chunk: Buffer, last: bool, *, is_command: bool = False) -> list[Buffer]:
        return fragments(
            chunk, context_id=self.context_id, is_command=is_command, last=last, max_pdu_length=self.max_pdu_length
        )


def _known_length(cut: _Cut, data: KnownLength, buffers: list[Buffer]) -> Iterator[list[Buffer]]:
    left = data.length_bytes
    if left & 1:
        raise ObjectInvalid("the data set has an odd length, it is damaged or cut off")
    for chunk in data.chunks:
        left -= len(chunk)
        if len(chunk):
            yield buffers + cut(chunk, left == 0)
            buffers = []
    if data.length_bytes == 0:
        yield buffers + cut(b"", True)
    elif left:
        raise ObjectInvalid(
            f"the data set has {data.length_bytes - left} bytes where {data.length_bytes} were announced"
        )


def _unknown_length(cut: _Cut, chunks: Iterable[Buffer], buffers: list[Buffer]) -> Iterator[list[Buffer]]:
    whole = max_fragment_length(cut.max_pdu_length)
    enough = max(GATHER_BYTES // whole, 1) * whole
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        while len(pending) > enough:
            yield buffers + cut(bytes(pending[:enough]), False)
            buffers = []
            del pending[:enough]
    if len(pending) & 1:
        raise ObjectInvalid("the data set has an odd length, it is damaged or cut off")
    yield buffers + cut(bytes(pending), True)
