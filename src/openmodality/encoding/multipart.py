"""multipart/related (RFC 2046 5.1, RFC 2387) as DICOMweb uses it (PS3.18 8.6.1.2): media types, and parts written."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from openmodality.buffer import Buffer

_LINE_END: Final = b"\r\n"


class MediaType(NamedTuple):
    """A media type in small letters, with its parameters."""

    name: str
    parameters: Mapping[str, str]


def parse_media_type(text: str) -> MediaType:
    """The value of Content-Type, its parameters with or without quotes; what cannot be read has no name."""
    parts = split_outside_quotes(text, ";")
    parameters = {}
    for part in parts[1:]:
        name, _, value = part.partition("=")
        parameters[name.strip().lower()] = _unquote(value.strip())
    return MediaType(parts[0].strip().lower(), parameters)


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """The parts between separators that are in no quoted string."""
    parts, start, is_quoted, is_escaped = [], 0, False, False
    for place, character in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif is_quoted and character == "\\":
            is_escaped = True
        elif character == '"':
            is_quoted = not is_quoted
        elif character == separator and not is_quoted:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


class MessagePart(NamedTuple):
    """A part: its headers, and its body in pieces."""

    headers: Mapping[str, str]
    body: Iterable[Buffer]


def make_boundary() -> str:
    """A line that is in no body."""
    return f"om-{secrets.token_hex(16)}"


def write_parts(parts: Iterable[MessagePart], boundary: str) -> Iterator[Buffer]:
    """The body of a multipart message, in pieces."""
    for part in parts:
        yield write_part_head(part.headers, boundary)
        yield from part.body
        yield _LINE_END
    yield write_end(boundary)


def write_part_head(headers: Mapping[str, str], boundary: str) -> bytes:
    """What stands before the body of a part; behind the body goes a line end."""
    lines = [f"--{boundary}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("ascii")


def write_end(boundary: str) -> bytes:
    """What stands behind the last part."""
    return f"--{boundary}--\r\n".encode("ascii")
