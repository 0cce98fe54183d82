"""Writes the tokens of a data set as bytes, in the transfer syntax they were read in or, converted, in another.

To leave a token out, or to write it in another layout, changes the lengths of the sequences and items around it, whose
headers have been written already. So sequences and items with content are written with undefined length (PS3.5 7.5),
empty ones with length zero.
"""

from __future__ import annotations

from typing import Final

from openmodality.buffer import Buffer
from openmodality.encoding.headers import UNDEFINED_LENGTH, HeaderWriter, layout_of, make_layout
from openmodality.encoding.tokenizer import (
    ElementStart,
    FragmentStart,
    ItemEnd,
    ItemStart,
    Passed,
    SequenceEnd,
    SequenceStart,
    Token,
    Value,
)
from openmodality.standard.tags import ITEM, ITEM_DELIMITATION_ITEM, SEQUENCE_DELIMITATION_ITEM

_GATHERED_BYTES: Final = 1024
"""Values up to this size are copied next to their headers: fewer, larger pieces are cheaper to write."""


class TokenWriter:
    """Takes tokens in the order of a walk, or single parts by its methods. Its output is not yet deflated.

    :class:`openmodality.encoding.tokenizer.Passed` may come only where the transfer syntax stays what it was.
    """

    def __init__(self, transfer_syntax: str) -> None:
        self._header = layout_of(transfer_syntax).write
        self._outer: list[HeaderWriter] = []
        self._delimited: list[bool] = []  # which of the open sequences and items need a delimiter
        self._gathered = bytearray()
        self._output: list[Buffer] = []

    def put(self, token: Token) -> None:
        """Write one token."""
        match token:
            case Value() | Passed():
                self.value(token.data)
            case ElementStart():
                self._gathered += self._header(token.tag, token.vr, token.length)  # as element() does, without its call
            case SequenceStart():
                self.sequence(token.tag, token.vr, token.length)
            case ItemStart():
                self.item(token.length)
            case FragmentStart():
                self.element(ITEM, "", token.length)
            case ItemEnd():
                self.end_item()
            case SequenceEnd():
                self.end_sequence()

    def element(self, tag: int, vr: str, length: int) -> None:
        """The header of an element whose value follows."""
        self._gathered += self._header(tag, vr, length)

    def value(self, data: Buffer) -> None:
        """A piece of a value."""
        if len(data) <= _GATHERED_BYTES:
            self._gathered += data
        else:
            self._end_gathering()
            self._output.append(data)

    def sequence(self, tag: int, vr: str, length: int) -> None:
        """The beginning of a sequence; of ``length`` only counts whether it is empty."""
        self._outer.append(self._header)
        self._begin(tag, vr, length)
        if vr == "UN":  # it holds Implicit VR Little Endian (PS3.5 6.2.2)
            self._header = make_layout(explicit=False, big_endian=False).write

    def item(self, length: int) -> None:
        """The beginning of an item of a sequence; of ``length`` only counts whether it is empty."""
        self._begin(ITEM, "", length)

    def end_item(self) -> None:
        """The end of the innermost item."""
        self._end(ITEM_DELIMITATION_ITEM)

    def end_sequence(self) -> None:
        """The end of the innermost sequence."""
        self._end(SEQUENCE_DELIMITATION_ITEM)
        self._header = self._outer.pop()

    def take(self) -> list[Buffer]:
        """Give the bytes since the last call. Some are slices of the chunk that was fed: use them before the next."""
        self._end_gathering()
        output, self._output = self._output, []
        return output

    def _end_gathering(self) -> None:
        if self._gathered:
            self._output.append(self._gathered)
            self._gathered = bytearray()

    def _begin(self, tag: int, vr: str, length: int) -> None:
        self._delimited.append(length > 0)
        self._gathered += self._header(tag, vr, UNDEFINED_LENGTH if length else 0)

    def _end(self, delimiter: int) -> None:
        if self._delimited.pop():
            self._gathered += self._header(delimiter, "", 0)
