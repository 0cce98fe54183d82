"""Whether two instance files hold the same data set, and whether one is damaged.

What counts is what the data set says. File Meta Information, the transfer syntax, the kind of sequence lengths, group
lengths, padding of values and of the data set, and private attributes that the device does not keep make no difference.
Files are read in chunks, so that the size of an instance does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from openmodality.buffer import Buffer
from openmodality.encoding.listening import Listener, Tokens
from openmodality.encoding.part10 import FileMeta, read_any, read_chunks
from openmodality.encoding.pixel_check import PixelDataCheck
from openmodality.encoding.tokenizer import (
    ElementStart,
    FragmentStart,
    ItemEnd,
    SequenceEnd,
    SequenceStart,
    Token,
    Value,
)
from openmodality.encoding.transcode import can_transcode, transcode
from openmodality.encoding.vr import dictionary
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid
from openmodality.objects.filter.private_sets import PrivateFilter, PrivateSets
from openmodality.standard.tags import DATA_SET_TRAILING_PADDING
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN

_CHUNK_BYTES: Final = 1 << 18
_PADDED_VRS: Final = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")
)
_PADDING: Final = b"\0 "


def have_same_content(one: Path, other: Path, known: PrivateSets | None = None) -> bool:
    """Compare the data sets byte by byte and, where these differ, by what they say.

    ``known`` are the private sets that the device keeps; ``None``: private attributes count like all others.
    """
    with one.open("rb") as first, other.open("rb") as second:
        try:
            metas = read_any(first), read_any(second)
            if _digest_bytes(first, metas[0]) == _digest_bytes(second, metas[1]):
                return True
        except ObjectInvalid:
            pass
    return digest_content(one, known) == digest_content(other, known)


def digest_content(path: Path, known: PrivateSets | None = None) -> bytes:
    """A digest of what a file says; of its bytes where they are no data set."""
    with path.open("rb") as file:
        try:
            meta = read_any(file)
            return _digest_data_set(file, meta, known)
        except ObjectInvalid:
            return _digest(read_chunks(file, 0, _CHUNK_BYTES))


def is_whole(path: Path) -> bool:
    """Whether a file holds a data set that ends where it should, with all of its pixels."""
    with path.open("rb") as file:
        try:
            meta = read_any(file)
            pixels = PixelDataCheck(meta.transfer_syntax_uid)
            walk = DataSetWalk(meta.transfer_syntax_uid, (pixels,), strict=True)
            for chunk in read_chunks(file, meta.data_set_offset, _CHUNK_BYTES):
                walk.feed(chunk)
            walk.finish()
        except ObjectInvalid:
            return False
    return True


def _digest_bytes(file: BinaryIO, meta: FileMeta) -> tuple[str, bytes]:
    return meta.transfer_syntax_uid, _digest(read_chunks(file, meta.data_set_offset, _CHUNK_BYTES))


def _digest_data_set(file: BinaryIO, meta: FileMeta, known: PrivateSets | None) -> bytes:
    transfer_syntax = meta.transfer_syntax_uid
    chunks: Iterable[Buffer] = read_chunks(file, meta.data_set_offset, _CHUNK_BYTES)
    content = _Content(known)
    if can_transcode(transfer_syntax, IMPLICIT_VR_LITTLE_ENDIAN):
        chunks = transcode(chunks, transfer_syntax, IMPLICIT_VR_LITTLE_ENDIAN)
        transfer_syntax = IMPLICIT_VR_LITTLE_ENDIAN
    walk = DataSetWalk(transfer_syntax, (content,))
    for chunk in chunks:
        walk.feed(chunk)
    walk.finish()
    return content.digest(transfer_syntax)


def _digest(chunks: Iterable[Buffer]) -> bytes:
    digest = hashlib.blake2b()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


class _Content(Listener):
    """Digests what a data set says: tags, values without their padding, and what is inside what."""

    tokens = Tokens.ALL

    def __init__(self, known: PrivateSets | None) -> None:
        self._filter = None if known is None else PrivateFilter(known)
        self._digest = hashlib.blake2b()
        self._is_padded = False
        self._dropping = False
        self._held = b""  # padding, unless more of the value follows
        self._length_bytes = 0  # of the value so far

    def digest(self, transfer_syntax: str) -> bytes:
        """The digest, once the data set has come to its end."""
        self._mark(transfer_syntax.encode("ascii"))
        return self._digest.digest()

    def see(self, token: Token) -> None:
        """Take the next token."""
        for kept in (token,) if self._filter is None else self._filter.take(token):
            self._take(kept)

    def _take(self, token: Token) -> None:
        match token:
            case ElementStart(tag=tag):
                self._dropping = tag & 0xFFFF == 0 or tag == DATA_SET_TRAILING_PADDING
                self._is_padded = dictionary()[tag] in _PADDED_VRS
                if not self._dropping:
                    self._mark(b"E", tag)
            case Value() if not self._dropping:
                self._update(token)
            case SequenceStart(tag=tag):
                self._mark(b"S", tag)
            case FragmentStart(length=length):
                self._is_padded = False
                self._mark(b"F", length)
            case ItemEnd():
                self._mark(b"I")
            case SequenceEnd():
                self._mark(b"Z")

    def _mark(self, kind: bytes, number: int = 0) -> None:
        self._digest.update(self._length_bytes.to_bytes(8, "little") + kind + number.to_bytes(4, "little"))
        self._held, self._length_bytes = b"", 0

    def _update(self, value: Value) -> None:
        data: Buffer = value.data
        if self._is_padded:
            text = self._held + bytes(data)
            data = text.rstrip(_PADDING)
            self._held = text[len(data) :] if value.remaining else b""
        self._length_bytes += len(data)
        self._digest.update(data)
