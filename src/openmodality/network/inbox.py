"""What an association reads: one buffer, and how much of a message is taken in before somebody works on it.

A presentation data value that fits the buffer is read to its end first. A peer writes header and value, or the halves
of a value, a few microseconds apart; to take each up by itself, check it and write it to a file costs more than they
save. What is longer than the buffer streams through it.
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

    def read(self, read: Callable[..., int | None], *how: object) -> memoryview | None:
        """Let ``read`` fill the buffer: empty where the peer has closed, ``None`` where nothing is there.

        The bytes hold until the next call. Raises what ``read`` raises.
        """
        buffer = self._buffer
        count = read(buffer, *how)
        if count is None:
            return None
        while count and 0 < self._provider.missing(buffer[:count]) <= BUFFER_BYTES - count:
            more = read(buffer[count:], *how)
            if not more:
                break  # a peer that has closed is seen to have done so by the next read as well
            count += more
        return buffer[:count]
