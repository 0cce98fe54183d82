"""What an association reads: one buffer, and how much of a message is taken in before somebody works on it.

A presentation data value of a data set that fits the buffer is read to its end first. A peer writes header and value,
or the halves of a value, a few microseconds apart; to take each up by itself, check it and write it to a file costs
more than they save. What is longer than the buffer streams through it. Command sets, whose parts have one time-out
together, are taken as they come.
"""

from __future__ import annotations

from collections.abc import Callable
from mmap import mmap
from typing import Final

from openmodality.upper_layer.provider import Provider

BUFFER_BYTES: Final = 1024 * 1024
"""Several usual images: fewer reads, and fewer of them end within an image. Only what is used of it takes memory."""


class Inbox:
    """The reading half of an association."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._buffer = memoryview(mmap(-1, BUFFER_BYTES))  # a bytearray takes all its memory at once
        self._count = 0  # bytes that have been read and not given out, because the rest of their value did not come

    def read(self, read: Callable[..., int | None], *how: object, whole: bool) -> memoryview | None:
        """Let ``read`` fill the buffer, with ``whole`` until the value that begins there is complete; each read has its
        own time-out.

        Returns no bytes where the peer has closed, ``None`` where nothing has arrived. The bytes are valid until the
        next call. Raises what ``read`` raises; the next call returns what had arrived before.
        """
        buffer, count = self._buffer, self._count or read(self._buffer, *how)
        if count is None:
            return None
        self._count = count
        while whole and count and 0 < self._provider.missing(buffer[:count]) <= BUFFER_BYTES - count:
            more = read(buffer[count:], *how)
            if not more:
                break  # a peer that has closed is seen to have done so by the next read as well
            self._count = count = count + more
        self._count = 0
        return buffer[:count]
