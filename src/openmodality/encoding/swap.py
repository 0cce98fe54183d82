"""Turns the byte order of a value round (PS3.5 7.3) while it comes in pieces of any size."""

from __future__ import annotations

from array import array
from typing import Final

from openmodality.buffer import Buffer

_TYPECODES: Final = {2: "H", 4: "I", 8: "Q"}


class Swapper:
    """Swaps words of ``width`` bytes; the bytes of a word that a piece ends in wait for the next piece."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._carry = b""

    def feed(self, data: memoryview) -> list[Buffer]:
        """The words that are complete with these bytes, swapped."""
        width, swapped = self._width, list[Buffer]()
        if self._carry:
            missing = width - len(self._carry)
            word, data = self._carry + bytes(data[:missing]), data[missing:]
            if len(word) < width:
                self._carry = word
                return []
            swapped.append(word[::-1])
        whole = len(data) - len(data) % width
        self._carry = bytes(data[whole:])
        if whole:
            words = array(_TYPECODES[width])
            words.frombytes(data[:whole])
            words.byteswap()
            swapped.append(memoryview(words).cast("B"))
        return swapped

    def finish(self) -> bytes:
        """The bytes at the end that are no whole word, as they are: a value of wrong length stays wrong."""
        rest, self._carry = self._carry, b""
        return rest
