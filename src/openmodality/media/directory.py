"""A DICOMDIR as a tree of records, and its bytes in Explicit VR Little Endian (PS3.10 8.6, PS3.3 F.3).

Rules. Keys are kept as they are encoded, so that a record says what the instance says, in the instance's character
set, whatever that is. Lengths are explicit. A record's offset is that of its item from the first byte of the file, so
the whole is laid out before the first byte is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from itertools import pairwise
from struct import Struct
from typing import Final

from openmodality.encoding.part10 import encode_file_head
from openmodality.encoding.uid import new_uid
from openmodality.standard import tags
from openmodality.standard.sop_classes import MEDIA_STORAGE_DIRECTORY_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.value_class import dataclass

FileId = tuple[str, ...]
"""The components of a (0004,1500) Referenced File ID, below the root of the file-set."""

_SHORT: Final = Struct("<HH2sH")
_LONG: Final = Struct("<HH2sHI")
_ITEM: Final = Struct("<HHI")
_LONG_VRS: Final = frozenset({"SQ", "OB", "OW", "UN", "UT"})
_IN_USE: Final = 0xFFFF


@dataclass(slots=True)
class DirectoryRecord:
    """A record and the records below it.

    ``keys`` are its attributes after (0004,1512), encoded in Explicit VR Little Endian. A record that stands for a file
    has a ``file_id`` and the three UIDs of the instance in it.
    """

    record_type: str
    keys: bytes
    file_id: FileId = ()
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    transfer_syntax_uid: str = ""
    children: list[DirectoryRecord] = field(default_factory=list)

    def walk(self) -> Iterator[DirectoryRecord]:
        """This record and all below it, in the order in which they are written."""
        waiting = [self]
        while waiting:
            record = waiting.pop()
            yield record
            waiting.extend(reversed(record.children))


def encode_element(tag: int, vr: str, value: bytes, padding: bytes = b" ") -> bytes:
    """An element in Explicit VR Little Endian, padded to an even length (PS3.5 7.1)."""
    if len(value) % 2:
        value += padding
    group, element = tag >> 16, tag & 0xFFFF
    if vr in _LONG_VRS:
        return _LONG.pack(group, element, vr.encode(), 0, len(value)) + value
    return _SHORT.pack(group, element, vr.encode(), len(value)) + value


def encode_directory(
    patients: list[DirectoryRecord], file_set_id: str, identity: tuple[str, str], source_ae_title: str = ""
) -> list[bytes]:
    """The bytes of a DICOMDIR, in pieces: its head, then one piece for each record.

    ``identity`` is Implementation Class UID and Version Name. The instance gets a new SOP Instance UID, as each version
    of a DICOMDIR has one of its own.
    """
    head = encode_file_head(
        MEDIA_STORAGE_DIRECTORY_STORAGE, new_uid(), EXPLICIT_VR_LITTLE_ENDIAN, *identity, source_ae_title
    )
    before = encode_element(tags.FILE_SET_ID, "CS", file_set_id.encode("ascii"))
    records = [record for patient in patients for record in patient.walk()]
    bodies = {id(record): _encode_body(record) for record in records}
    offsets: dict[int, int] = {}
    position = len(head) + len(before) + _ROOT_BYTES
    for record in records:
        offsets[id(record)] = position
        position += _ITEM.size + _LINK_BYTES + len(bodies[id(record)])
    first = offsets[id(patients[0])] if patients else 0
    last = offsets[id(patients[-1])] if patients else 0
    length = position - len(head) - len(before) - _ROOT_BYTES
    pieces = [head + before + _encode_root(first, last, length)]
    following = _follow(patients, offsets)
    for record in records:
        body = bodies[id(record)]
        lower = offsets[id(record.children[0])] if record.children else 0
        links = _encode_links(following.get(id(record), 0), lower)
        pieces.append(_ITEM.pack(tags.ITEM >> 16, tags.ITEM & 0xFFFF, len(links) + len(body)) + links + body)
    return pieces


def _follow(records: list[DirectoryRecord], offsets: dict[int, int]) -> dict[int, int]:
    """The offset of the next record of the same entity, by record; the last of an entity has none."""
    found: dict[int, int] = {}
    for entity in (records, *(record.children for top in records for record in top.walk())):
        found |= {id(record): offsets[id(after)] for record, after in pairwise(entity)}
    return found


def _encode_root(first: int, last: int, length: int) -> bytes:
    return b"".join(
        (
            _number(tags.OFFSET_OF_THE_FIRST_DIRECTORY_RECORD_OF_THE_ROOT_DIRECTORY_ENTITY, "UL", first),
            _number(tags.OFFSET_OF_THE_LAST_DIRECTORY_RECORD_OF_THE_ROOT_DIRECTORY_ENTITY, "UL", last),
            _number(tags.FILE_SET_CONSISTENCY_FLAG, "US", 0),
            _LONG.pack(0x0004, tags.DIRECTORY_RECORD_SEQUENCE & 0xFFFF, b"SQ", 0, length),
        )
    )


def _encode_links(following: int, lower: int) -> bytes:
    return b"".join(
        (
            _number(tags.OFFSET_OF_THE_NEXT_DIRECTORY_RECORD, "UL", following),
            _number(tags.RECORD_IN_USE_FLAG, "US", _IN_USE),
            _number(tags.OFFSET_OF_REFERENCED_LOWER_LEVEL_DIRECTORY_ENTITY, "UL", lower),
        )
    )


def _encode_body(record: DirectoryRecord) -> bytes:
    parts = [encode_element(tags.DIRECTORY_RECORD_TYPE, "CS", record.record_type.encode("ascii"))]
    if record.file_id:
        parts.append(encode_element(tags.REFERENCED_FILE_ID, "CS", "\\".join(record.file_id).encode("ascii")))
        for tag, uid in (
            (tags.REFERENCED_SOP_CLASS_UID_IN_FILE, record.sop_class_uid),
            (tags.REFERENCED_SOP_INSTANCE_UID_IN_FILE, record.sop_instance_uid),
            (tags.REFERENCED_TRANSFER_SYNTAX_UID_IN_FILE, record.transfer_syntax_uid),
        ):
            parts.append(encode_element(tag, "UI", uid.encode("ascii"), b"\0"))
    return b"".join((*parts, record.keys))


def _number(tag: int, vr: str, value: int) -> bytes:
    return encode_element(tag, vr, value.to_bytes(4 if vr == "UL" else 2, "little"))


_ROOT_BYTES: Final = len(_encode_root(0, 0, 0))
_LINK_BYTES: Final = len(_encode_links(0, 0))
