"""multipart/related: media types and parts, read again by Python's own reader of messages (RFC 2046)."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from openmodality.encoding.multipart import (
    MessagePart,
    make_boundary,
    parse_media_type,
    split_outside_quotes,
    write_parts,
)


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("Application/DICOM", "application/dicom", {}),
        ('multipart/related; type="application/dicom"; boundary=x', "multipart/related",
         {"type": "application/dicom", "boundary": "x"}),
        ("multipart/related;TYPE=application/dicom;transfer-syntax=*", "multipart/related",
         {"type": "application/dicom", "transfer-syntax": "*"}),
        (r'a/b; note="a \"b\"; c"', "a/b", {"note": 'a "b"; c'}),
        ("", "", {}),
    ],
)  # fmt: skip
def test_media_types_are_read_with_and_without_quotes(text: str, name: str, parameters: dict[str, str]) -> None:
    assert parse_media_type(text) == (name, parameters)


def test_a_separator_in_quotes_is_none() -> None:
    assert split_outside_quotes('a;"b;c";d', ";") == ["a", '"b;c"', "d"]


def test_parts_are_read_by_another_reader() -> None:
    boundary = make_boundary()
    bodies = [b"\0\1\r\n--", b"", bytes(range(256))]
    parts = [MessagePart({"Content-Type": "application/dicom"}, [body[:2], memoryview(body)[2:]]) for body in bodies]
    raw = b"".join(map(bytes, write_parts(parts, boundary)))
    head = f'Content-Type: multipart/related; type="application/dicom"; boundary={boundary}\r\n\r\n'.encode()
    found = message_from_bytes(head + raw, policy=policy.HTTP)
    assert [part.get_content_type() for part in found.iter_parts()] == ["application/dicom"] * 3
    assert [part.get_payload(decode=True) for part in found.iter_parts()] == bodies
    assert not found.defects
