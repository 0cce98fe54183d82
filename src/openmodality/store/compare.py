"""Whether two instance files hold the same data set, whoever wrote the File Meta Information before it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import BinaryIO

_PREAMBLE_BYTES = 128
_GROUP_LENGTH_END = 144
"""Preamble, prefix and (0002,0000), whose value counts what follows of the group (PS3.10 7.1)."""
_CHUNK_BYTES = 1 << 20


def same_content(one: Path, other: Path) -> bool:
    """Compare the data sets byte by byte; where only the transfer syntax differs, by what they encode."""
    with one.open("rb") as first, other.open("rb") as second:
        if _same_bytes(first, second):
            return True
    return _same_in_implicit_vr(one, other)


def _same_bytes(first: BinaryIO, second: BinaryIO) -> bool:
    for file in (first, second):
        file.seek(_data_set_offset(file))
    while True:
        chunk = first.read(_CHUNK_BYTES)
        if chunk != second.read(_CHUNK_BYTES):
            return False
        if not chunk:
            return True


def _data_set_offset(file: BinaryIO) -> int:
    head = file.read(_GROUP_LENGTH_END)
    if head[_PREAMBLE_BYTES:140] != b"DICM\x02\x00\x00\x00UL\x04\x00":
        return 0
    return _GROUP_LENGTH_END + int.from_bytes(head[140:144], "little")


def _same_in_implicit_vr(one: Path, other: Path) -> bool:
    from pydicom import dcmread  # noqa: PLC0415 - start-up time
    from pydicom.errors import InvalidDicomError  # noqa: PLC0415 - start-up time

    try:
        first, second = dcmread(one), dcmread(other)
        syntaxes = [dataset.file_meta.TransferSyntaxUID for dataset in (first, second)]
        if syntaxes[0] == syntaxes[1] or any(syntax.is_compressed for syntax in syntaxes):
            return False
        encoded = []
        for dataset in (first, second):
            buffer = BytesIO()
            dataset.save_as(buffer, implicit_vr=True, little_endian=True, enforce_file_format=False)
            encoded.append(buffer.getvalue())
    except (InvalidDicomError, AttributeError, ValueError, TypeError, EOFError):
        return False  # not readable is not the same
    return encoded[0] == encoded[1]
