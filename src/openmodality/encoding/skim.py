"""Whether a data set ends where it should, told from its top-level headers alone as it streams by.

A sender looks at every file before it lets the last fragment go, and a receiver at every instance before it answers
Success, so this must cost microseconds: values are stepped over, and a chunk inside a value costs nothing. From the
first element that only its content can measure, such as a sequence of undefined length, a :class:`Tokenizer` goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from struct import Struct
from typing import Final

from openmodality.encoding.deflate import Inflater
from openmodality.encoding.elements import Tokenizer
from openmodality.encoding.headers import (
    LONG_CODES,
    MAX_HEADER_BYTES,
    SHORT_CODES,
    UNDEFINED_LENGTH,
    Buffer,
    format_tag,
    layout_of,
)
from openmodality.encoding.strides import UNSETTLED, Header, Step, Strides
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES

_GLANCE_BYTES: Final = 1024
_IMPLICIT_BYTES: Final = 8
"""The header of an element in Implicit VR."""
_LESS_THAN_A_HEADER: Final = 4
"""Behind a place that a step is to stop at: no header begins there any more, since the shortest has 8 bytes, and the
last one before it, of at least 8, is still one of which 12 bytes are at hand.
"""


class Skimmer:
    """Takes a data set in chunks. Raises ObjectInvalid where it is none, or is cut off."""

    __slots__ = ("_ahead", "_head", "_inflater", "_position", "_strides", "_tag", "_tokenizer", "_uid", "_walk")

    def __init__(self, transfer_syntax: str) -> None:
        layout, syntax = layout_of(transfer_syntax), TRANSFER_SYNTAXES.get(transfer_syntax)
        self._uid = transfer_syntax
        self._walk, self._strides = _steps(layout.explicit, layout.big_endian)
        self._inflater = Inflater() if syntax is not None and syntax.deflated else None
        self._tokenizer: Tokenizer | None = None
        self._ahead = 0  # bytes of the current value that are still to come
        self._head: Buffer = b""  # what the last chunk ended in, too short to be surely a whole header
        self._position = 0  # where the next chunk begins
        self._tag = 0  # whose value is still to come

    def feed(self, chunk: Buffer) -> None:
        """Take the next bytes."""
        if self._inflater is None:
            self._feed(chunk)
        else:
            for piece in self._inflater.feed(chunk):
                self._feed(piece)

    def finds(self, elements: bytes, chunk: Buffer) -> bool:
        """Whether these encoded elements stand in the first chunk, whole and at the top level, before it is fed.

        False as well where that takes more than a glance.
        """
        at = bytes(chunk[:_GLANCE_BYTES]).find(elements)
        return at >= 0 and self._inflater is None and self._walk(chunk, 0, at + _LESS_THAN_A_HEADER)[1] == at

    def finish(self) -> None:
        """Say that no more bytes come; raises ObjectInvalid where the data set is cut off."""
        if self._inflater is not None:
            self._inflater.finish()
        if self._head:
            self._hand_over(self._position - len(self._head), self._head)
        if self._tokenizer is not None:
            self._tokenizer.finish()
        elif self._ahead:
            raise ObjectInvalid(
                f"the data set is cut off at byte {self._position}, in or after {format_tag(self._tag)}"
            )

    def _feed(self, chunk: Buffer) -> None:
        size = len(chunk)
        if self._tokenizer is not None:
            self._tokenizer.feed(chunk)
        elif self._head:
            self._behind_head(chunk)
        elif self._ahead > size:
            self._ahead -= size
        else:
            self._skim(chunk, self._ahead)
        self._position += size

    def _skim(self, chunk: Buffer, offset: int) -> None:
        """Step through the chunk from the header at ``offset``."""
        size = len(chunk)
        start, end = self._walk(chunk, offset, size) if self._position or offset else self._strides(chunk, size)
        if end == UNSETTLED:
            self._hand_over(self._position + start, chunk[start:])
        elif end > size:
            header = layout_of(self._uid).read(chunk, start, size - start)
            self._tag, self._ahead = header[0] if header else 0, end - size
        else:
            self._head, self._ahead = bytes(chunk[end:]), 0

    def _behind_head(self, chunk: Buffer) -> None:
        """The next chunk where the last one ended within a header."""
        before, joined = len(self._head), bytes(self._head) + bytes(chunk)
        self._head = b""
        self._position -= before
        self._skim(joined, 0)
        self._position += before

    def _hand_over(self, position: int, rest: Buffer) -> None:
        self._tokenizer = Tokenizer(self._uid, position=position)
        self._tokenizer.feed(rest)
        self._head = b""


@cache
def _steps(explicit: bool, big_endian: bool) -> tuple[Step, Strides]:
    """Two ways to step over elements: from anywhere, and from the beginning of a data set."""
    order = ">" if big_endian else "<"
    if not explicit:
        return _walk_implicit, Strides(_walk_implicit, _implicit_headers, order, _IMPLICIT_BYTES)
    walk, headers = _explicit(order)
    return walk, Strides(walk, headers, order, MAX_HEADER_BYTES)


def _walk_implicit(chunk: Buffer, offset: int, size: int) -> tuple[int, int]:
    unpack_length, start = _LENGTH.unpack_from, offset
    while size - offset >= _IMPLICIT_BYTES:
        start = offset
        (length,) = unpack_length(chunk, offset + 4)
        if length == UNDEFINED_LENGTH:
            return start, UNSETTLED
        offset += _IMPLICIT_BYTES + length
    return start, offset


def _implicit_headers(chunk: Buffer, size: int) -> Iterator[Header]:
    offset = 0
    while size - offset >= _IMPLICIT_BYTES:
        (length,) = _LENGTH.unpack_from(chunk, offset + 4)
        yield Header(_IMPLICIT_BYTES, "4xL", (), length)
        offset += _IMPLICIT_BYTES + length


def _explicit(order: str) -> tuple[Step, Callable[[Buffer, int], Iterator[Header]]]:
    unpack, unpack_length = Struct(order + "4xHH").unpack_from, Struct(order + "L").unpack_from
    # a VR as a number: to look one up costs less than bytes, whose hash is new each time
    shorts, longs = (
        frozenset(Struct(order + "H").unpack(code)[0] for code in codes) for codes in (SHORT_CODES, LONG_CODES)
    )

    def walk(chunk: Buffer, offset: int, size: int) -> tuple[int, int]:
        start = offset
        while size - offset >= MAX_HEADER_BYTES:
            start = offset
            vr, length = unpack(chunk, offset)
            if vr in shorts:
                offset += 8 + length
                continue
            (length,) = unpack_length(chunk, offset + 8)
            if vr not in longs or length == UNDEFINED_LENGTH:
                return start, UNSETTLED
            offset += 12 + length
        return start, offset

    def headers(chunk: Buffer, size: int) -> Iterator[Header]:
        offset = 0
        while size - offset >= MAX_HEADER_BYTES:
            vr, length = unpack(chunk, offset)
            if vr in shorts:
                yield Header(8, "4xHH", (vr,), length)
                offset += 8 + length
                continue
            (length,) = unpack_length(chunk, offset + 8)
            if vr not in longs:
                return
            yield Header(12, "4xH2xL", (vr,), length)
            offset += 12 + length

    return walk, headers


_LENGTH: Final = Struct("<L")
