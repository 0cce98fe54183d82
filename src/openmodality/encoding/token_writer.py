"""Writes the tokens of a data set as bytes again, in the transfer syntax they were read in.

What has been left out between two tokens changes the lengths around it, and those have gone out already: sequences and
items with content are written with undefined length (PS3.5 7.5), empty ones with length zero.
"""

from __future__ import annotations

from typing import Final

from openmodality.encoding.elements import (
    ElementStart,
    FragmentStart,
    ItemEnd,
    ItemStart,
    SequenceEnd,
    SequenceStart,
    Token,
    Value,
)
from openmodality.encoding.headers import (
    ITEM,
    ITEM_DELIMITER,
    SEQUENCE_DELIMITER,
    UNDEFINED_LENGTH,
    Buffer,
    Layout,
    layout,
    layout_of,
)

_GATHERED_BYTES: Final = 1024
"""Values up to this size are copied next to their headers: fewer, larger pieces are cheaper to write."""


class TokenWriter:
    """Takes tokens in the order of a tokenizer; what is deflated is meant before deflating."""

    def __init__(self, transfer_syntax: str) -> None:
        self._layout = layout_of(transfer_syntax)
        self._outer: list[Layout] = []
        self._delimited: list[bool] = []  # which of the open sequences and items need a delimiter
        self._gathered = bytearray()
        self._output: list[Buffer] = []

    def put(self, token: Token) -> None:
        """Write one token."""
        match token:
            case Value():
                self._value(token.data)
            case ElementStart():
                self._gathered += self._layout.write(token.tag, token.vr, token.length)
            case SequenceStart():
                self._sequence(token)
            case ItemStart():
                self._begin(ITEM, "", token.length)
            case FragmentStart():
                self._gathered += self._layout.write(ITEM, "", token.length)
            case ItemEnd():
                self._end(ITEM_DELIMITER)
            case SequenceEnd():
                self._end(SEQUENCE_DELIMITER)
                self._layout = self._outer.pop()

    def taken(self) -> list[Buffer]:
        """The bytes since the last call. Some are slices of the tokenizer's chunk: use them before it is used again."""
        self._end_gathering()
        output, self._output = self._output, []
        return output

    def _end_gathering(self) -> None:
        if self._gathered:
            self._output.append(self._gathered)
            self._gathered = bytearray()

    def _value(self, data: memoryview) -> None:
        if len(data) <= _GATHERED_BYTES:
            self._gathered += data
        else:
            self._end_gathering()
            self._output.append(data)

    def _sequence(self, token: SequenceStart) -> None:
        self._outer.append(self._layout)
        self._begin(token.tag, token.vr, token.length)
        if token.vr == "UN":  # it holds Implicit VR Little Endian (PS3.5 6.2.2)
            self._layout = layout(explicit=False, big_endian=False)

    def _begin(self, tag: int, vr: str, length: int) -> None:
        self._delimited.append(length > 0)
        self._gathered += self._layout.write(tag, vr, UNDEFINED_LENGTH if length else 0)

    def _end(self, delimiter: int) -> None:
        if self._delimited.pop():
            self._gathered += self._layout.write(delimiter, "", 0)
