"""Whether two instance files hold the same data set, whoever wrote the File Meta Information before it.

Files are read in chunks, so that the size of an instance does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from openmodality.buffer import Buffer
from openmodality.encoding.part10 import FileMeta, read_any
from openmodality.encoding.transcode import can_transcode, transcode
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

_CHUNK_BYTES = 1 << 18


def same_content(one: Path, other: Path) -> bool:
    """Compare the data sets byte by byte and, where these differ, by what they encode.

    The same data set differs in bytes when it came in another transfer syntax or with another kind of sequence lengths.
    """
    with one.open("rb") as first, other.open("rb") as second:
        try:
            metas = read_any(first), read_any(second)
            if _digest(_open_data_set(first, metas[0])) == _digest(_open_data_set(second, metas[1])):
                return True
            if not all(can_transcode(meta.transfer_syntax_uid, IMPLICIT_VR_LITTLE_ENDIAN) for meta in metas):
                return False
            return _digest(_normalize(first, metas[0])) == _digest(_normalize(second, metas[1]))
        except ObjectInvalid:
            return _digest(_read_from(first, 0)) == _digest(_read_from(second, 0))


def _digest(chunks: Iterable[Buffer]) -> bytes:
    digest = hashlib.blake2b()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def _open_data_set(file: BinaryIO, meta: FileMeta) -> Iterator[bytes]:
    return _read_from(file, meta.data_set_offset)


def _read_from(file: BinaryIO, offset: int) -> Iterator[bytes]:
    file.seek(offset)
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _normalize(file: BinaryIO, meta: FileMeta) -> Iterator[Buffer]:
    """The data set in Implicit VR with sequences of undefined length, which is what a conversion writes."""
    chunks: Iterable[Buffer] = _open_data_set(file, meta)
    source = meta.transfer_syntax_uid
    if source == IMPLICIT_VR_LITTLE_ENDIAN:  # a conversion to itself would change nothing
        chunks, source = transcode(chunks, source, EXPLICIT_VR_LITTLE_ENDIAN), EXPLICIT_VR_LITTLE_ENDIAN
    return transcode(chunks, source, IMPLICIT_VR_LITTLE_ENDIAN)
