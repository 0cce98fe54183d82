"""An incremental tokenizer over a data set (PS3.5 7), for any chunking of its bytes and without holding any value.

The rules. A data set is elements; a sequence is items; an item is a data set; pixel data of undefined length is
fragments (PS3.5 A.4). Frames on a stack say what holds what at this place; each knows the position where it ends, or
that a delimiter ends it, and the position that nothing inside may pass. Values are passed on as slices of the chunk
they came in: one step per chunk however long the value, and a declared length allocates nothing. Order of elements is
not checked.

UN of undefined length holds Implicit VR Little Endian (PS3.5 6.2.2, CP-246). A delimiter behind what a length has
already ended is skipped: such files exist.
"""

from __future__ import annotations

import sys
from enum import Enum, auto
from typing import Final, NamedTuple

from openmodality.buffer import Buffer
from openmodality.encoding.headers import MAX_HEADER_BYTES, UNDEFINED_LENGTH, Layout, format_tag, layout_of, make_layout
from openmodality.encoding.written_in import check_vr
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import ITEM, ITEM_DELIMITATION_ITEM, SEQUENCE_DELIMITATION_ITEM

MAX_DEPTH: Final = 64
"""How deep sequences may be nested. The deepest in the standard, in structured reports, stay far below."""


# Tokens are named tuples, not dataclasses: one is made per element, and they cost a third.
class ElementStart(NamedTuple):
    """An element with a value of ``length`` bytes, which follows in ``Value`` tokens (none where it is empty).

    In Implicit VR ``vr`` is the dictionary's, which may be an alternative such as ``US or SS``. ``position`` is that
    of the header's first byte in the data set, ``depth`` the number of sequences around it.
    """

    tag: int
    vr: str
    length: int
    depth: int
    position: int


class Value(NamedTuple):
    """The next piece of a value or fragment: a slice of the chunk that was fed, valid as long as that is."""

    data: memoryview
    remaining: int


class SequenceStart(NamedTuple):
    """SQ, UN of undefined length (items in Implicit VR), or encapsulated pixel data, whose items are fragments.

    ``length`` is 0xFFFFFFFF where a delimiter ends it.
    """

    tag: int
    vr: str
    length: int
    depth: int
    position: int


class ItemStart(NamedTuple):
    """An item, whose elements follow."""

    length: int
    depth: int
    position: int


class FragmentStart(NamedTuple):
    """A fragment of encapsulated pixel data, whose bytes follow as ``Value``; the first is the Basic Offset Table."""

    length: int
    depth: int
    position: int


class ItemEnd(NamedTuple):
    """The end of an item, by length or delimiter."""

    depth: int


class SequenceEnd(NamedTuple):
    """The end of a sequence or of encapsulated pixel data, by length or delimiter."""

    depth: int


class Passed(NamedTuple):
    """The unchanged bytes of any number of top-level elements that no listener asked for one by one.

    Only :class:`openmodality.encoding.walk.DataSetWalk` makes it.
    """

    data: memoryview


Token = Passed | ElementStart | Value | SequenceStart | ItemStart | FragmentStart | ItemEnd | SequenceEnd


class _Holds(Enum):
    ELEMENTS = auto()
    ITEMS = auto()
    FRAGMENTS = auto()


class _Frame(NamedTuple):
    holds: _Holds
    end: int  # where it ends; -1 where a delimiter ends it
    limit: int  # no byte of what is inside may lie at or after it
    layout: Layout
    tag: int


class Tokenizer:
    """Takes a data set in chunks and gives its tokens.

    Raises :class:`ObjectInvalid` where the data set is damaged; it cannot be used afterwards.

    The part of :class:`openmodality.encoding.walk.DataSetWalk` that knows what is inside an element; nothing else
    walks over a data set. ``strict`` refuses what :mod:`openmodality.encoding.headers` reads although no standard says
    so: an element in Explicit VR without a VR, or with one that is unknown.
    """

    def __init__(self, transfer_syntax: str, *, max_depth: int = MAX_DEPTH, strict: bool = False) -> None:
        self._strict = strict
        self._frame = _Frame(_Holds.ELEMENTS, -1, sys.maxsize, layout_of(transfer_syntax), 0)
        self._stack: list[_Frame] = []
        self._max_depth = max_depth
        self._head = b""  # the beginning of a header that the last chunk ended in
        self._remaining = 0  # bytes of the current value that are still to come
        self._position = 0
        self._depth = 0
        self._tag = 0
        self._is_in_zeros = False

    @property
    def position(self) -> int:
        """Bytes consumed so far, without the beginning of a header that is not complete."""
        return self._position

    @property
    def is_in_zeros(self) -> bool:
        """Whether the last header was nothing but zeros, which only fill a file up."""
        return self._is_in_zeros

    @property
    def is_between_elements(self) -> bool:
        """Whether the next byte begins an element of the data set itself."""
        return not (self._stack or self._remaining or self._head)

    def move_to(self, position: int) -> None:
        """Continue with the element at ``position``, between two elements: the caller has stepped over those before."""
        self._position = position

    def feed(self, chunk: Buffer) -> list[Token]:
        """Take the next bytes of the data set; returns the tokens and the pieces of values in them."""
        tokens: list[Token] = []
        view = chunk if isinstance(chunk, memoryview) else memoryview(chunk)
        self.advance(view, 0, tokens)
        return tokens

    def advance(self, view: memoryview, offset: int, tokens: list[Token], *, one: bool = False) -> int:
        """Add the tokens from ``offset`` on: of ``one`` element, or of all bytes. Returns the offset that was
        reached.
        """
        size = len(view)
        if self._head:
            offset = self._complete_header(view, tokens)
        while offset < size:
            if self._remaining:
                offset = self._take_value(view, offset, tokens)
            else:
                used = self._take_header(view, offset, size - offset, tokens)
                if not used:
                    self._head = bytes(view[offset:])
                    return size
                offset += used
            if one and not self._stack and not self._remaining:
                break
        return offset

    def finish(self) -> None:
        """Say that no more bytes come. Raises :class:`ObjectInvalid` where the data set is cut off."""
        is_filling = self.is_in_zeros and not any(self._head)
        if self._remaining or self._stack or (self._head and not is_filling):
            where = f"in or after {format_tag(self._tag)}" if self._tag else "in its first element"
            raise ObjectInvalid(f"the data set is cut off at byte {self._position}, {where}")

    def _complete_header(self, view: memoryview, tokens: list[Token]) -> int:
        """Read the header that the last chunk left unfinished; returns how many bytes of this chunk it took."""
        before = len(self._head)
        head = self._head + bytes(view[: MAX_HEADER_BYTES - before])
        used = self._take_header(head, 0, len(head), tokens)
        if not used:
            self._head = head
            return len(view)
        self._head = b""
        return used - before

    def _take_value(self, view: memoryview, offset: int, tokens: list[Token]) -> int:
        end = min(len(view), offset + self._remaining)
        self._remaining -= end - offset
        self._position += end - offset
        tokens.append(Value(view[offset:end], self._remaining))
        if not self._remaining and self._position == self._frame.end:
            self._close(tokens)
        return end

    def _take_header(self, buffer: Buffer, offset: int, available: int, tokens: list[Token]) -> int:
        """Read one header and move behind it; returns its size, or 0 where bytes are missing."""
        frame = self._frame
        header = frame.layout.read(buffer, offset, available)
        if header is None:
            return 0
        tag, vr, length, size = header
        start = self._position
        if self._strict and vr and frame.layout.explicit:
            check_vr(buffer[offset + 4 : offset + 6], tag, length, start)
        self._position = end = start + size
        if length != UNDEFINED_LENGTH:
            end += length
        if end > frame.limit:
            raise ObjectInvalid(f"{format_tag(tag)} at byte {start} reaches beyond the end of what holds it")
        if not vr:
            self._take_item_or_delimiter(tag, length, start, tokens)
        elif frame.holds is not _Holds.ELEMENTS:
            raise ObjectInvalid(f"{format_tag(tag)} at byte {start} stands where {format_tag(frame.tag)} needs an item")
        elif length == UNDEFINED_LENGTH or vr == "SQ":
            self._begin_sequence(tag, vr, length, start, tokens)
        else:
            self._tag, self._remaining = tag, length
            self._is_in_zeros = not tag and not length
            tokens.append(ElementStart(tag, vr, length, self._depth, start))
        if not self._remaining and self._position == self._frame.end:
            self._close(tokens)
        return size

    def _begin_sequence(self, tag: int, vr: str, length: int, start: int, tokens: list[Token]) -> None:
        inner, holds = self._frame.layout, _Holds.ITEMS
        if vr == "UN":
            inner = make_layout(explicit=False, big_endian=False)
        elif vr != "SQ":
            # "OB or OW" is the dictionary's word for pixel data in Implicit VR
            if not vr.startswith(("OB", "OW")):
                raise ObjectInvalid(f"{format_tag(tag)} at byte {start} has undefined length, which {vr} cannot have")
            holds = _Holds.FRAGMENTS
        self._tag = tag
        tokens.append(SequenceStart(tag, vr, length, self._depth, start))
        self._push(holds, length, inner, tag)
        self._depth += 1

    def _take_item_or_delimiter(self, tag: int, length: int, start: int, tokens: list[Token]) -> None:
        frame = self._frame
        if tag == ITEM and frame.holds is not _Holds.ELEMENTS:
            self._begin_item(length, start, tokens)
        elif (
            tag == (ITEM_DELIMITATION_ITEM if frame.holds is _Holds.ELEMENTS else SEQUENCE_DELIMITATION_ITEM)
            and self._stack
        ):
            if frame.end < 0:
                self._pop(tokens)
        else:
            raise ObjectInvalid(f"{format_tag(tag)} at byte {start} stands where no item or delimiter may be")

    def _begin_item(self, length: int, start: int, tokens: list[Token]) -> None:
        frame = self._frame
        if frame.holds is _Holds.ITEMS:
            tokens.append(ItemStart(length, self._depth, start))
            self._push(_Holds.ELEMENTS, length, frame.layout, frame.tag)
        elif length != UNDEFINED_LENGTH:
            tokens.append(FragmentStart(length, self._depth, start))
            self._remaining = length
        else:
            raise ObjectInvalid(f"a fragment of {format_tag(frame.tag)} at byte {start} has undefined length")

    def _push(self, holds: _Holds, length: int, inner: Layout, tag: int) -> None:
        if len(self._stack) >= 2 * self._max_depth:
            raise ObjectInvalid(f"{format_tag(tag)} is nested deeper than {self._max_depth} sequences")
        outer = self._frame
        end = -1 if length == UNDEFINED_LENGTH else self._position + length
        self._stack.append(outer)
        self._frame = _Frame(holds, end, outer.limit if end < 0 else end, inner, tag)

    def _pop(self, tokens: list[Token]) -> None:
        if self._frame.holds is _Holds.ELEMENTS:
            tokens.append(ItemEnd(self._depth))
        else:
            self._depth -= 1
            tokens.append(SequenceEnd(self._depth))
        self._frame = self._stack.pop()

    def _close(self, tokens: list[Token]) -> None:
        """End every item and sequence whose length ends here."""
        while self._frame.end == self._position:
            self._pop(tokens)
