"""Answers of DICOMweb: parts that stream, a value with ranges (RFC 9110 14), tags by which nothing comes twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from openmodality.buffer import Buffer
from openmodality.console.dicomweb.accept import MULTIPART
from openmodality.encoding.multipart import MessagePart, make_boundary, write_parts

REVALIDATE: Final = "private, no-cache"
"""Kept by a browser, and asked for by its tag each time: instances may be deleted, and new ones come."""
_GATHER_BYTES: Final = 256 * 1024
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def make_entity_tag(*facts: object) -> str:
    """The entity tag of what depends on these facts alone."""
    digest = hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()
    return f'"{digest[:32]}"'


def is_unchanged(request: Request, tag: str) -> bool:
    """Whether the client has what the tag stands for."""
    shown = request.headers.get("if-none-match", "")
    return shown.strip() == "*" or tag in [each.strip().removeprefix("W/") for each in shown.split(",")]


def answer_unchanged(tag: str) -> Response:
    """Tell a client that it has it already."""
    return Response(status_code=304, headers={"etag": tag, "cache-control": REVALIDATE, "vary": "accept"})


def answer_stream(
    pieces: Iterable[Buffer], media_type: str, tag: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> StreamingResponse:
    """An answer of a length that is not known, in pieces of some size; one without a tag is not kept."""
    kept = {"etag": tag, "cache-control": REVALIDATE, "vary": "accept"} if tag else {}
    all_headers = {**kept, **(headers or {})}
    return StreamingResponse(gather(pieces), status, all_headers, media_type)


def answer_parts(
    parts: Iterable[MessagePart],
    media_type: str,
    tag: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> StreamingResponse:
    """Parts of one media type."""
    boundary = make_boundary()
    kind = f'{MULTIPART}; type="{media_type}"; boundary={boundary}'
    return answer_stream(write_parts(parts, boundary), kind, tag, status=status, headers=headers)


def answer_value(
    request: Request, length: int, read: Callable[[int, int], Iterable[Buffer]], media_type: str, tag: str
) -> Response:
    """One value of a known length; ``read`` gives so many bytes of it from an offset on. Of it, the range asked for."""
    headers = {"etag": tag, "cache-control": REVALIDATE, "vary": "accept", "accept-ranges": "bytes"}
    wanted = _read_range(request, length, tag)
    if wanted is None:
        headers["content-length"] = str(length)
        return StreamingResponse(gather(read(0, length)), 200, headers, media_type)
    first, last = wanted
    if not first <= last < length:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{length}"})
    headers |= {"content-range": f"bytes {first}-{last}/{length}", "content-length": str(last - first + 1)}
    return StreamingResponse(gather(read(first, last - first + 1)), 206, headers, media_type)


def _read_range(request: Request, length: int, tag: str) -> tuple[int, int] | None:
    """The first and the last byte that are asked for; ``None`` for all, and for several ranges (RFC 9110 14.2)."""
    found = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    condition = request.headers.get("if-range")
    if found is None or not any(found.groups()) or (condition is not None and condition != tag):
        return None
    first, last = found.groups()
    if not first:  # the last so many bytes
        return max(length - int(last), 0), length - 1 if int(last) else length
    return int(first), min(int(last), length - 1) if last else length - 1


def cut(pieces: Iterable[Buffer], offset: int, count: int) -> Iterator[Buffer]:
    """So many bytes from an offset on."""
    for piece in pieces:
        size = len(piece)
        if offset >= size:
            offset -= size
            continue
        part = memoryview(piece)[offset : offset + count]
        offset, count = 0, count - len(part)
        yield part
        if not count:
            return


def gather(pieces: Iterable[Buffer]) -> Iterator[bytes]:
    """Small pieces together: each piece costs a turn of the server."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= _GATHER_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
