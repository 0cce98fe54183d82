"""From messages to gathered writes: what is handed to a socket, in order, without joining (PS3.7 6.3.1, PS3.8 9.3.5).

A data set is given as one of three things: bytes, a stream whose length is known (a file), or an iterable of
chunks whose end is known only when it comes (a conversion on the fly). The last fragment must carry the last bit, so
for the third kind one piece is always held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from openmodality.buffer import Buffer
from openmodality.dimse.command import Command, encode_command
from openmodality.errors import ObjectInvalid
from openmodality.upper_layer.p_data import cut_fragments, max_fragment_length

GATHER_BYTES: Final = 1 << 20
"""About how much is handed to one gathered write; bounds the memory of a large instance."""


class KnownLength(NamedTuple):
    """A data set of ``length_bytes`` bytes that arrives in chunks; a chunk may be reused once the next is asked for."""

    chunks: Iterable[Buffer]
    length_bytes: int


DataSet = Buffer | KnownLength | Iterable[Buffer]


def list_chunks(data: DataSet) -> Iterable[Buffer]:
    """What a data set consists of, in order."""
    if isinstance(data, KnownLength):
        return data.chunks
    return (data,) if isinstance(data, bytes | bytearray | memoryview) else data


class Prepared(NamedTuple):
    """A message as it goes out. ``command_buffers`` and ``first`` are ready; the rest is read as it is asked for."""

    context_id: int
    command: Command
    command_buffers: list[Buffer]
    first: list[Buffer]
    rest: Iterable[list[Buffer]]

    def writes(self) -> Iterator[list[Buffer]]:
        """Lists of buffers for gathered writes; each list must be written before the next is asked for."""
        yield self.command_buffers + self.first
        yield from self.rest


def prepare_message(context_id: int, command: Command, data: DataSet | None, max_pdu_length: int) -> Prepared:
    """Encode a message, reading the beginning of its data set; ``max_pdu_length`` is the peer's, 0 for no limit.

    Raises :class:`ObjectInvalid` where the data set is found to be damaged before anything has been sent.
    """
    pdus = cut_fragments(
        encode_command(command), context_id=context_id, is_command=True, last=True, max_pdu_length=max_pdu_length
    )
    command_buffers: list[Buffer] = [b"".join(pdus)]  # short: one piece is cheaper to write than two
    if data is None:
        return Prepared(context_id, command, command_buffers, [], ())
    cut = _Cut(context_id, max_pdu_length)
    if isinstance(data, (bytes, bytearray, memoryview)):
        data = KnownLength((data,), len(data))
    writes = _cut_known_length(cut, data) if isinstance(data, KnownLength) else _cut_unknown_length(cut, data)
    return Prepared(context_id, command, command_buffers, next(writes), writes)


def prepare_alike(context_id: int, command: Command, data_sets: Sequence[bytes], max_pdu_length: int) -> Prepared:
    """Encode messages that differ in their data set only, as what is written at once; joined, since they are short.

    Raises :class:`ObjectInvalid` for a data set of odd length.
    """
    one = prepare_message(context_id, command, None, max_pdu_length)
    cut = _Cut(context_id, max_pdu_length)
    buffers: list[Buffer] = []
    heads: dict[int, Buffer] = {}  # what goes before a data set that fits one PDU: the same for all of its length
    for data in data_sets:
        length = len(data)
        if length not in heads:
            if length & 1:
                raise ObjectInvalid("the data set has an odd length, it is damaged or cut off")
            header, *parts = cut(data, True)
            head = b"".join((*one.command_buffers, header))
            if len(parts) > 1:
                buffers += (head, *parts)
                continue
            heads[length] = head
        buffers += (heads[length], data)
    return one._replace(command_buffers=[b"".join(buffers)])


class _Cut(NamedTuple):
    """Cuts chunks of data sets into PDUs for one presentation context and peer."""

    context_id: int
    max_pdu_length: int

    def __call__(self, chunk: Buffer, last: bool) -> list[Buffer]:
        return cut_fragments(
            chunk, context_id=self.context_id, is_command=False, last=last, max_pdu_length=self.max_pdu_length
        )


def _cut_known_length(cut: _Cut, data: KnownLength) -> Iterator[list[Buffer]]:
    left = data.length_bytes
    if left & 1:
        raise ObjectInvalid("the data set has an odd length, it is damaged or cut off")
    for chunk in data.chunks:
        left -= len(chunk)
        if left < 0:  # not a byte of it: nothing may follow the last fragment
            raise _explain_wrong_length(data, left)
        if len(chunk):
            yield cut(chunk, left == 0)
    if data.length_bytes == 0:
        yield cut(b"", True)
    elif left:
        raise _explain_wrong_length(data, left)


def _explain_wrong_length(data: KnownLength, left: int) -> ObjectInvalid:
    came = f"more than {data.length_bytes}" if left < 0 else f"{data.length_bytes - left}"
    return ObjectInvalid(f"the data set has {came} bytes where {data.length_bytes} were announced")


def _cut_unknown_length(cut: _Cut, chunks: Iterable[Buffer]) -> Iterator[list[Buffer]]:
    whole = max_fragment_length(cut.max_pdu_length)
    enough = max(GATHER_BYTES // whole, 1) * whole
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        while len(pending) > enough:
            yield cut(bytes(pending[:enough]), False)
            del pending[:enough]
    if len(pending) & 1:
        raise ObjectInvalid("the data set has an odd length, it is damaged or cut off")
    yield cut(bytes(pending), True)
