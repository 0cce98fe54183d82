"""Reads multipart/related (RFC 2046 5.1, PS3.18 8.6.1.2) in any chunking, and holds no part.

The body of a part is passed on as it comes, but for as many bytes as a delimiter may begin with. What is hostile or
broken ends in :class:`BrokenMultipart`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from openmodality.buffer import Buffer
from openmodality.errors import OpenModalityError

MAX_PART_HEADER_BYTES: Final = 8 * 1024
"""The headers of one part."""
MAX_BOUNDARY_CHARACTERS: Final = 200
"""RFC 2046 allows 70; some write longer ones."""
_LINE_END: Final = b"\r\n"
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class BrokenMultipart(OpenModalityError):
    """What was sent as multipart is none, or ends before its end."""


class PartStart(NamedTuple):
    """The headers of a part, their names in small letters."""

    headers: Mapping[str, str]


class PartData(NamedTuple):
    """The next bytes of the body of a part."""

    data: bytes


class PartEnd(NamedTuple):
    """The end of a part."""


PartEvent = PartStart | PartData | PartEnd


class _State(Enum):
    PREAMBLE = auto()
    BEHIND_DELIMITER = auto()
    HEADERS = auto()
    BODY = auto()
    END = auto()


class MultipartReader:
    """Takes a multipart body in chunks. Raises :class:`BrokenMultipart` where it is none."""

    def __init__(self, boundary: str) -> None:
        if not 0 < len(boundary) <= MAX_BOUNDARY_CHARACTERS or not boundary.isascii() or not boundary.isprintable():
            raise BrokenMultipart("the boundary of the multipart message is missing or none")
        self._delimiter = f"\r\n--{boundary}".encode("ascii")
        self._buffer = bytearray(_LINE_END)  # the first delimiter may have no line before it
        self._state = _State.PREAMBLE
        self._is_first = False  # whether the line end that closes the headers is still to come

    @property
    def is_complete(self) -> bool:
        """Whether the last delimiter has come."""
        return self._state is _State.END

    def feed(self, data: Buffer) -> Iterator[PartEvent]:
        """What the next bytes bring."""
        if self.is_complete:
            return
        self._buffer += data
        steps = {
            _State.PREAMBLE: self._pass_preamble,
            _State.BEHIND_DELIMITER: self._read_delimiter_end,
            _State.HEADERS: self._read_headers,
            _State.BODY: self._read_body,
        }
        while not self.is_complete:
            before = self._state
            yield from steps[self._state]()
            if self._state is before:
                return

    def finish(self) -> None:
        """The message ends here. Raises :class:`BrokenMultipart` where it is cut off."""
        if not self.is_complete:
            raise BrokenMultipart("the multipart message ends before its last delimiter")

    def _pass_preamble(self) -> Iterator[PartEvent]:
        place = self._buffer.find(self._delimiter)
        if place >= 0:
            del self._buffer[: place + len(self._delimiter)]
            self._state = _State.BEHIND_DELIMITER
        elif len(self._buffer) > MAX_PART_HEADER_BYTES:
            raise BrokenMultipart("the multipart message does not begin with its boundary")
        return iter(())

    def _read_delimiter_end(self) -> Iterator[PartEvent]:
        """After a delimiter: two hyphens end the message, blanks and a line end begin a part."""
        if len(self._buffer) < 2:
            return iter(())
        if self._buffer.startswith(b"--"):
            self._state = _State.END
            self._buffer.clear()
            return iter(())
        place = self._buffer.find(_LINE_END)
        if bytes(self._buffer[: place if place >= 0 else None]).strip(b" \t\r"):
            raise BrokenMultipart("something stands behind a boundary of the multipart message")
        if place >= 0:
            del self._buffer[:place]  # the line end may be the one of empty headers
            self._state = _State.HEADERS
        elif len(self._buffer) > MAX_PART_HEADER_BYTES:
            raise BrokenMultipart("something stands behind a boundary of the multipart message")
        return iter(())

    def _read_headers(self) -> Iterator[PartEvent]:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 and len(self._buffer) <= MAX_PART_HEADER_BYTES:
            return
        if not 0 <= end <= MAX_PART_HEADER_BYTES:
            raise BrokenMultipart(
                f"a part of the multipart message has more than {MAX_PART_HEADER_BYTES} bytes of headers"
            )
        headers = _parse_headers(bytes(self._buffer[:end]))
        del self._buffer[: end + 2]  # a delimiter may follow at once, where the body is empty
        self._state = _State.BODY
        self._is_first = True
        yield PartStart(headers)

    def _read_body(self) -> Iterator[PartEvent]:
        place = self._buffer.find(self._delimiter)
        keep = len(self._buffer) - len(self._delimiter) + 1 if place < 0 else place
        yield from self._pass_body(keep)
        if place >= 0:
            del self._buffer[: self._buffer.find(self._delimiter) + len(self._delimiter)]
            self._state = _State.BEHIND_DELIMITER
            yield PartEnd()

    def _pass_body(self, count: int) -> Iterator[PartEvent]:
        """Give the first bytes of what is held, but for the line end that closes the headers."""
        if count <= 0 or (self._is_first and count < len(_LINE_END)):
            return
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        if self._is_first:
            self._is_first, data = False, data[len(_LINE_END) :]
        if data:
            yield PartData(data)


def _parse_headers(raw: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in raw.decode("latin-1").split("\r\n"):
        if not line:
            continue
        name, colon, value = line.partition(":")
        if line[0] in " \t" and headers:  # a folded line goes on with the one before
            headers[next(reversed(headers))] += " " + line.strip()
        elif colon and _TOKEN.fullmatch(name.strip()):
            headers[name.strip().lower()] = value.strip()
        else:
            raise BrokenMultipart("a part of the multipart message has a line among its headers that is not a header")
    return headers
