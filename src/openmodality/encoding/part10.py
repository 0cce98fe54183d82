"""The head of a DICOM file (PS3.10 7.1): preamble, prefix, File Meta Information; and files that have none."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from struct import Struct
from typing import BinaryIO, Final, NamedTuple

from openmodality.buffer import Buffer
from openmodality.encoding.headers import SHORT_CODES, format_tag, make_layout
from openmodality.encoding.listening import KeptValues
from openmodality.encoding.uid import strip_padding
from openmodality.encoding.walk import DataSetWalk
from openmodality.encoding.written_in import find_layout
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import (
    FILE_META_INFORMATION_GROUP_LENGTH,
    FILE_META_INFORMATION_VERSION,
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    MEDIA_STORAGE_SOP_CLASS_UID,
    MEDIA_STORAGE_SOP_INSTANCE_UID,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    SOURCE_APPLICATION_ENTITY_TITLE,
    TRANSFER_SYNTAX_UID,
)
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES

PREFIX: Final = b"DICM"
PREAMBLE_BYTES: Final = 128
MAX_META_BYTES: Final = 1024 * 1024
"""The longest File Meta Information that is read; what claims to be longer is none."""

GROUP: Final = 0x0002

FIRST_READ_BYTES: Final = 4096
"""How much of a file is read first; it nearly always holds the whole head."""
_SOP_CLASS: Final = MEDIA_STORAGE_SOP_CLASS_UID & 0xFFFF
_SOP_INSTANCE: Final = MEDIA_STORAGE_SOP_INSTANCE_UID & 0xFFFF
_TRANSFER_SYNTAX: Final = TRANSFER_SYNTAX_UID & 0xFFFF
_GROUP_LENGTH_ELEMENT: Final = FILE_META_INFORMATION_GROUP_LENGTH & 0xFFFF
_KEPT = frozenset(
    (
        _SOP_CLASS,
        _SOP_INSTANCE,
        _TRANSFER_SYNTAX,
        IMPLEMENTATION_CLASS_UID & 0xFFFF,
        IMPLEMENTATION_VERSION_NAME & 0xFFFF,
        SOURCE_APPLICATION_ENTITY_TITLE & 0xFFFF,
    )
)
_SHORT_HEADER: Final = Struct("<HH2sH")
_META = make_layout(explicit=True, big_endian=False)
_NOT_DICOM = "the file does not begin with a 128-byte preamble and DICM"


class FileMeta(NamedTuple):
    """What the head of a file says about the data set, which begins at ``data_set_offset``.

    A ``headless`` file is a data set alone: its transfer syntax is a guess, its UIDs come from the data set. Elements
    that the file lacks are empty.
    """

    media_storage_sop_class_uid: str
    media_storage_sop_instance_uid: str
    transfer_syntax_uid: str
    data_set_offset: int
    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    source_ae_title: str = ""
    headless: bool = False


def read_file_meta(source: BinaryIO | Buffer, *, strict: bool = False) -> FileMeta:
    """Read the head of a Part 10 file from its first byte; the file's position afterwards means nothing.

    Raises :class:`ObjectInvalid` where prefix or Transfer Syntax UID is missing. A group length that is absent or wrong
    occurs in many files and does no harm: only ``strict`` refuses it, and a missing Media Storage SOP Class or Instance
    UID.
    """
    start = _Start(source)
    if start.data[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] != PREFIX:
        raise ObjectInvalid(_NOT_DICOM, advice="check that it is a DICOM file")
    return _read_meta(start, PREAMBLE_BYTES + 4, strict)


def read_any(source: BinaryIO | Buffer) -> FileMeta:
    """Read the head of a file with or without preamble; for files that people bring."""
    start = _Start(source)
    if start.data[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == PREFIX:
        return _read_meta(start, PREAMBLE_BYTES + 4, strict=False)
    return _read_headless(start)


def read_chunks(file: BinaryIO, offset: int, chunk_bytes: int) -> Iterator[bytes]:
    """The bytes of a file from an offset on, such as its data set."""
    file.seek(offset)
    while chunk := file.read(chunk_bytes):
        yield chunk


def encode_file_head(
    sop_class_uid: str,
    sop_instance_uid: str,
    transfer_syntax_uid: str,
    implementation_class_uid: str,
    implementation_version_name: str = "",
    source_ae_title: str = "",
) -> bytes:
    """Preamble, DICM and File Meta Information of an instance (PS3.10 Table 7.1-1); its data set is to follow."""
    before = _encode_constant_start(sop_class_uid)
    after = _encode_constant_end(
        transfer_syntax_uid, implementation_class_uid, implementation_version_name, source_ae_title
    )
    instance = _encode_text_element(MEDIA_STORAGE_SOP_INSTANCE_UID, "UI", sop_instance_uid)
    length = len(before) + len(instance) + len(after)
    return b"".join((_PREAMBLE_AND_PREFIX, length.to_bytes(4, "little"), before, instance, after))


_PREAMBLE_AND_PREFIX = bytes(PREAMBLE_BYTES) + PREFIX + _META.write(FILE_META_INFORMATION_GROUP_LENGTH, "UL", 4)


@lru_cache(maxsize=64)
def _encode_constant_start(sop_class_uid: str) -> bytes:
    version = _META.write(FILE_META_INFORMATION_VERSION, "OB", 2) + b"\0\1"
    return version + _encode_text_element(MEDIA_STORAGE_SOP_CLASS_UID, "UI", sop_class_uid)


@lru_cache(maxsize=256)
def _encode_constant_end(transfer_syntax_uid: str, class_uid: str, version_name: str, source_ae_title: str) -> bytes:
    return b"".join(
        (
            _encode_text_element(TRANSFER_SYNTAX_UID, "UI", transfer_syntax_uid),
            _encode_text_element(IMPLEMENTATION_CLASS_UID, "UI", class_uid),
            _encode_text_element(IMPLEMENTATION_VERSION_NAME, "SH", version_name) if version_name else b"",
            _encode_text_element(SOURCE_APPLICATION_ENTITY_TITLE, "AE", source_ae_title) if source_ae_title else b"",
        )
    )


def _encode_text_element(tag: int, vr: str, text: str) -> bytes:
    try:
        value = text.encode("ascii")
    except UnicodeEncodeError:
        raise ObjectInvalid(f"{format_tag(tag)} holds characters that are not allowed in {vr}") from None
    if len(value) % 2:
        value += b"\0" if vr == "UI" else b" "
    if len(value) > 0xFFFF:
        raise ObjectInvalid(f"{format_tag(tag)} is too long for {vr}")
    return _META.write(tag, vr, len(value)) + value


class _Start:
    """The first bytes of a file: a few at first, up to MAX_META_BYTES when asked for more."""

    def __init__(self, source: BinaryIO | Buffer) -> None:
        if isinstance(source, bytes | bytearray | memoryview):
            self._file, self.data = None, bytes(source[:MAX_META_BYTES])
        else:
            self._file, self.data = source, source.read(FIRST_READ_BYTES)

    def grow(self) -> bool:
        """Read more of the file; returns whether there was more."""
        before = len(self.data)
        if self._file is not None:
            self.data += self._file.read(MAX_META_BYTES - before)
        return len(self.data) > before


def _read_meta(start: _Start, offset: int, strict: bool) -> FileMeta:
    scanned = _scan(start.data, offset)
    if scanned is None and start.grow():
        scanned = _scan(start.data, offset)
    if scanned is None:
        raise ObjectInvalid("the File Meta Information is cut off")
    values, end, declared_end = scanned
    if _TRANSFER_SYNTAX not in values:
        raise ObjectInvalid("the File Meta Information lacks (0002,0010) Transfer Syntax UID")
    if strict:
        _check_meta(values, end, declared_end)
    return FileMeta(
        media_storage_sop_class_uid=strip_padding(values.get(_SOP_CLASS, b"")),
        media_storage_sop_instance_uid=strip_padding(values.get(_SOP_INSTANCE, b"")),
        transfer_syntax_uid=strip_padding(values[_TRANSFER_SYNTAX]),
        data_set_offset=end,
        implementation_class_uid=strip_padding(values.get(IMPLEMENTATION_CLASS_UID & 0xFFFF, b"")),
        implementation_version_name=strip_padding(values.get(IMPLEMENTATION_VERSION_NAME & 0xFFFF, b"")),
        source_ae_title=strip_padding(values.get(SOURCE_APPLICATION_ENTITY_TITLE & 0xFFFF, b"")),
    )


def _scan(data: bytes, offset: int) -> tuple[dict[int, bytes], int, int] | None:
    """Read group 0002: its values, where it ends, and where its group length says so (-1 where it has none).

    Returns ``None`` where ``data`` is too short.
    """
    values: dict[int, bytes] = {}
    declared_end, size = -1, len(data)
    # no data set has elements of group 0002, so they go on until another group, whatever the group length says;
    # but what is deflated may look like anything
    read_header = _SHORT_HEADER.unpack_from
    while offset != declared_end or not _is_deflated(values):
        if size - offset < _SHORT_HEADER.size:
            break
        group, element, vr, length = read_header(data, offset)
        if group != GROUP:
            return values, offset, declared_end
        start = offset + _SHORT_HEADER.size
        if vr not in SHORT_CODES:
            header = _META.read(data, offset, size - offset)
            if header is None:
                break
            start, length = offset + header[3], header[2]
        if start + length > size:
            return None
        offset = start + length
        if element in _KEPT:
            values[element] = data[start:offset]
        elif element == _GROUP_LENGTH_ELEMENT and length == 4:
            declared_end = offset + int.from_bytes(data[start:offset], "little")
    # a group length that points behind what was read may mean that there is more to read
    return None if offset < declared_end else (values, offset, declared_end)


def _is_deflated(values: dict[int, bytes]) -> bool:
    syntax = TRANSFER_SYNTAXES.get(strip_padding(values.get(_TRANSFER_SYNTAX, b"")))
    return syntax is not None and syntax.deflated


def _check_meta(values: dict[int, bytes], end: int, declared_end: int) -> None:
    if declared_end < 0:
        raise ObjectInvalid("the File Meta Information lacks (0002,0000) File Meta Information Group Length")
    if end != declared_end:
        raise ObjectInvalid(f"(0002,0000) says that the File Meta Information ends at byte {declared_end}, not {end}")
    for tag in (MEDIA_STORAGE_SOP_CLASS_UID, MEDIA_STORAGE_SOP_INSTANCE_UID):
        if not strip_padding(values.get(tag & 0xFFFF, b"")):
            raise ObjectInvalid(f"the File Meta Information lacks {format_tag(tag)}")


def _read_headless(start: _Start) -> FileMeta:
    data = start.data
    for offset in (0, 4):
        if data[offset : offset + 2] == b"\x02\0" and (not offset or data[:4] == PREFIX):
            return _read_meta(start, offset, strict=False)
    syntax = _guess(data)
    found = KeptValues(frozenset((SOP_CLASS_UID, SOP_INSTANCE_UID)))
    DataSetWalk(syntax, (found,), only_for_listeners=True).feed(data)
    uids = [strip_padding(found.values.get(tag, b"")) for tag in (SOP_CLASS_UID, SOP_INSTANCE_UID)]
    return FileMeta(uids[0], uids[1], syntax, data_set_offset=0, headless=True)


def _guess(data: bytes) -> str:
    """The transfer syntax of a data set by its first element, which is of group 0008 in every instance."""
    if (found := find_layout(data)) is None:
        raise ObjectInvalid(f"{_NOT_DICOM}, nor with a data set", advice="check that it is a DICOM file")
    return found
