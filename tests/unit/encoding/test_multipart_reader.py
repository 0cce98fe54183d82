"""multipart/related read in any chunking; what is hostile or broken ends, and holds no memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openmodality.encoding.multipart import MessagePart, make_boundary, write_parts
from openmodality.encoding.multipart_reader import (
    MAX_PART_HEADER_BYTES,
    BrokenMultipart,
    MultipartReader,
    PartData,
    PartEnd,
    PartStart,
)


def read(raw: bytes, boundary: str, step: int = 1) -> list[tuple[dict[str, str], bytes]]:
    """The parts of a message that comes in pieces of some size."""
    reader, found = MultipartReader(boundary), list[tuple[dict[str, str], bytes]]()
    headers, body, is_open = dict[str, str](), b"", False
    for start in range(0, len(raw), step):
        for event in reader.feed(raw[start : start + step]):
            if isinstance(event, PartStart):
                assert not is_open
                headers, body, is_open = dict(event.headers), b"", True
            elif isinstance(event, PartData):
                body += event.data
            elif isinstance(event, PartEnd):
                found.append((headers, body))
                is_open = False
    reader.finish()
    return found


@given(st.lists(st.binary(max_size=60), max_size=4), st.integers(1, 50))
def test_what_was_written_is_read_in_any_pieces(bodies: list[bytes], step: int) -> None:
    boundary = make_boundary()
    raw = b"".join(map(bytes, write_parts([MessagePart({"A": "b"}, [body]) for body in bodies], boundary)))
    assert read(raw, boundary, step) == [({"a": "b"}, body) for body in bodies]


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_bodies_that_look_like_delimiters_stay_whole(step: int) -> None:
    body = b"\r\n--\r\n--x\r\n--xy not quite\r\n"
    raw = b"--xyz\r\n\r\n" + body + b"\r\n--xyz--\r\nbehind it: nothing counts\r\n--xyz\r\n"
    assert read(raw, "xyz", step) == [({}, body)]


@pytest.mark.parametrize("step", [1, 1000])
def test_preamble_blanks_and_folded_headers_are_read(step: int) -> None:
    raw = b"some words\r\n--x \t\r\nContent-Type: a/b;\r\n c=d\r\nX:\r\n\r\n\r\n--x--"
    assert read(raw, "x", step) == [({"content-type": "a/b; c=d", "x": ""}, b"")]


@pytest.mark.parametrize(
    ("raw", "boundary"),
    [
        (b"", "x"),
        (b"no boundary at all", "x"),
        (b"n" * (MAX_PART_HEADER_BYTES + 10), "x"),
        (b"--x\r\n\r\ncut off", "x"),
        (b"--x\r\nA: " + b"b" * MAX_PART_HEADER_BYTES + b"\r\n\r\n\r\n--x--", "x"),
        (b"--x\r\nA:" + b"b" * (MAX_PART_HEADER_BYTES - 3) + b"\r\n\r\n\r\n--x--", "x"),
        (b"--x\r\nno header\r\n\r\n\r\n--x--", "x"),
        (b"--xy\r\n\r\n\r\n--xy--", "x"),
        (b"--x" + b" " * (MAX_PART_HEADER_BYTES + 10), "x"),
        (b"--\r\n\r\n\r\n----", ""),
        (b"", "x" * 1000),
        (b"", "x\r\ny"),
    ],
)
def test_what_is_broken_or_hostile_is_refused(raw: bytes, boundary: str) -> None:
    for step in (1, 10_000):
        with pytest.raises(BrokenMultipart):
            read(raw, boundary, step)
