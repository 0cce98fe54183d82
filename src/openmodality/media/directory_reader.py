"""Reads a DICOMDIR of any origin: takes all that can be read, and names each fault with its record.

The offsets of the records say what belongs where. They may run in circles, point out of the file or into the middle of
nothing: every record is taken once, and one that no offset leads to is placed by the order in which the records stand,
as nearly all writers put a record after the one it belongs to. Nothing here opens a file that a record names.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydicom import Dataset

from openmodality.dimse.data_set import decode_data_set
from openmodality.encoding.headers import Layout, layout_of
from openmodality.encoding.part10 import read_file_meta
from openmodality.encoding.uid import strip_padding
from openmodality.errors import ObjectInvalid, StoreError
from openmodality.media.directory import DirectoryRecord
from openmodality.media.element_walk import Place, walk_elements, walk_items
from openmodality.standard import tags
from openmodality.standard.media import DIRECTORY_NAME
from openmodality.standard.sop_classes import MEDIA_STORAGE_DIRECTORY_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.value_class import dataclass

MAX_DIRECTORY_BYTES: Final = 512 * 1024 * 1024
"""A DICOMDIR of a million images has some 300 MB."""
MAX_RECORD_BYTES: Final = 16 * 1024 * 1024
_LEVELS: Final = MappingProxyType({"PATIENT": 0, "STUDY": 1, "SERIES": 2})
_LEAF: Final = 3


@dataclass(frozen=True, slots=True)
class RecordProblem:
    """What is wrong with a record: the offset of its item in the DICOMDIR, or 0 for the DICOMDIR as a whole."""

    offset: int
    reason: str

    def __str__(self) -> str:
        return f"record at {self.offset}: {self.reason}" if self.offset else self.reason


@dataclass(slots=True)
class Directory:
    """A DICOMDIR that was read: its records as a tree, and what is wrong with it."""

    file_set_id: str
    patients: list[DirectoryRecord]
    transfer_syntax_uid: str
    implementation_class_uid: str
    problems: list[RecordProblem] = field(default_factory=list)

    def keys_of(self, record: DirectoryRecord) -> Dataset:
        """The keys of a record as a data set; empty where they cannot be decoded."""
        try:
            return decode_data_set(record.keys, self.transfer_syntax_uid)
        except ObjectInvalid:
            return Dataset()


@dataclass(slots=True)
class _Entry:
    """A directory record as it stands in the file; ``depth`` is its level by its type."""

    offset: int
    following: int
    lower: int
    record: DirectoryRecord

    @property
    def depth(self) -> int:
        return _LEVELS.get(self.record.record_type, _LEAF)


def read_directory(path: Path) -> Directory:
    """Read a DICOMDIR file.

    Raises :class:`StoreError` where it cannot be read, and :class:`ObjectInvalid` where it is no DICOMDIR. All other
    faults are in ``problems``.
    """
    try:
        if path.stat().st_size > MAX_DIRECTORY_BYTES:
            raise ObjectInvalid(f"{path} is longer than any DICOMDIR ({MAX_DIRECTORY_BYTES} bytes)")
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"cannot read {path}: {error.strerror}", advice="name the folder that the DICOMDIR is in"
        ) from error
    return parse_directory(data, str(path))


def parse_directory(data: bytes, name: str = DIRECTORY_NAME) -> Directory:
    """As :func:`read_directory`, from the bytes of the file; ``name`` stands in errors."""
    meta = read_file_meta(data)
    if meta.media_storage_sop_class_uid != MEDIA_STORAGE_DIRECTORY_STORAGE:
        raise ObjectInvalid(f"{name} is no DICOMDIR")
    found = _Reader(data, meta.transfer_syntax_uid)
    if meta.transfer_syntax_uid != EXPLICIT_VR_LITTLE_ENDIAN:
        found.problems.append(RecordProblem(0, f"the DICOMDIR is in transfer syntax {meta.transfer_syntax_uid}"))
    found.read(meta.data_set_offset)
    patients = _Tree(found.entries, found.problems).build(found.first)
    return Directory(
        found.file_set_id, patients, meta.transfer_syntax_uid, meta.implementation_class_uid, found.problems
    )


class _Reader:
    """Collects the records of the Directory Record Sequence, in the order in which they stand."""

    def __init__(self, data: bytes, transfer_syntax: str) -> None:
        self.entries: list[_Entry] = []
        self.problems: list[RecordProblem] = []
        self.first = 0
        self.file_set_id = ""
        self._data = data
        self._layout: Layout = layout_of(transfer_syntax)
        self._end = len(data)

    def read(self, start: int) -> None:
        """Go through the data set; where it is broken, what came before is kept."""
        try:
            for place in walk_elements(self._data, start, self._end, self._layout):
                if place.tag == tags.FILE_SET_ID:
                    self.file_set_id = self._text(place)
                elif place.tag == tags.OFFSET_OF_THE_FIRST_DIRECTORY_RECORD_OF_THE_ROOT_DIRECTORY_ENTITY:
                    self.first = self._number(place)
                elif place.tag == tags.DIRECTORY_RECORD_SEQUENCE:
                    self._read_records(place)
        except ObjectInvalid as error:
            self.problems.append(RecordProblem(0, error.message))
            self._read_cut_off(start)

    def _read_cut_off(self, start: int) -> None:
        """The records of a sequence that claims more bytes than there are."""
        if self.entries:
            return
        position = self._data.find(b"\x04\x00\x20\x12SQ", start)
        header = self._layout.read(self._data, position, self._end - position) if position >= 0 else None
        if header is not None:
            begin = position + header[3]
            self._read_records(Place(header[0], header[1], position, begin, self._end))

    def _read_records(self, sequence: Place) -> None:
        try:
            for item in walk_items(self._data, sequence.value, sequence.end, self._layout):
                self._read_record(item)
        except ObjectInvalid as error:
            self.problems.append(RecordProblem(0, f"the records end early: {error.message}"))

    def _read_record(self, item: Place) -> None:
        if item.end - item.start > MAX_RECORD_BYTES:
            self.problems.append(RecordProblem(item.start, f"it is longer than {MAX_RECORD_BYTES} bytes"))
            return
        entry, in_use, keys = _Entry(item.start, 0, 0, DirectoryRecord("", b"")), True, []
        try:
            for place in walk_elements(self._data, item.value, item.end, self._layout):
                if place.tag == tags.RECORD_IN_USE_FLAG:
                    in_use = self._number(place) != 0
                elif not self._take_pointer(entry, place):
                    keys.append(self._data[place.start : place.end])
        except ObjectInvalid as error:
            self.problems.append(RecordProblem(item.start, error.message))
        entry.record.keys = b"".join(keys)
        if in_use and entry.record.record_type:
            self.entries.append(entry)
        elif in_use:
            self.problems.append(RecordProblem(item.start, "it has no (0004,1430) DirectoryRecordType"))

    def _take_pointer(self, entry: _Entry, place: Place) -> bool:
        """Keep what the record says of its place and its file; whether the element was of that kind."""
        record = entry.record
        match place.tag:
            case tags.OFFSET_OF_THE_NEXT_DIRECTORY_RECORD:
                entry.following = self._number(place)
            case tags.OFFSET_OF_REFERENCED_LOWER_LEVEL_DIRECTORY_ENTITY:
                entry.lower = self._number(place)
            case tags.DIRECTORY_RECORD_TYPE:
                record.record_type = self._text(place)
            case tags.REFERENCED_FILE_ID:
                text = self._text(place)
                record.file_id = tuple(part.strip(" ") for part in text.split("\\")) if text else ()
            case tags.REFERENCED_SOP_CLASS_UID_IN_FILE:
                record.sop_class_uid = self._text(place)
            case tags.REFERENCED_SOP_INSTANCE_UID_IN_FILE:
                record.sop_instance_uid = self._text(place)
            case tags.REFERENCED_TRANSFER_SYNTAX_UID_IN_FILE:
                record.transfer_syntax_uid = self._text(place)
            case _:
                return False
        return True

    def _text(self, place: Place) -> str:
        return strip_padding(self._data[place.value : place.end])

    def _number(self, place: Place) -> int:
        value = self._data[place.value : place.end][:4]
        return int.from_bytes(value, "big" if self._layout.big_endian else "little")


class _Tree:
    """Puts records together as their offsets say; each record is taken once."""

    def __init__(self, entries: list[_Entry], problems: list[RecordProblem]) -> None:
        self._entries = entries
        self._problems = problems
        self._at = {entry.offset: entry for entry in entries}
        self._taken: set[int] = set()

    def build(self, first: int) -> list[DirectoryRecord]:
        """The records of the root, with all that is below them."""
        roots = self._collect(first, 0)
        self._place_the_rest(roots)
        return roots

    def _collect(self, first: int, owner: int) -> list[DirectoryRecord]:
        """The records of one directory entity and, without recursion, of all below it."""
        found: list[DirectoryRecord] = []
        waiting = [(first, owner, found)]
        while waiting:
            offset, holder, siblings = waiting.pop()
            while offset:
                entry = self._at.get(offset)
                if entry is None:
                    self._problems.append(RecordProblem(holder, f"it points to {offset}, where no record begins"))
                    break
                if offset in self._taken:
                    self._problems.append(RecordProblem(holder, f"it points to {offset}, a record that has its place"))
                    break
                self._taken.add(offset)
                siblings.append(entry.record)
                if entry.lower:
                    waiting.append((entry.lower, offset, entry.record.children))
                holder, offset = offset, entry.following
        return found

    def _place_the_rest(self, roots: list[DirectoryRecord]) -> None:
        """Put what no offset leads to below the last record before it that can hold it."""
        path: list[_Entry] = []
        for entry in self._entries:
            path = [above for above in path if above.depth < entry.depth]
            if entry.offset not in self._taken:
                self._problems.append(RecordProblem(entry.offset, "no offset leads to it; placed by its order"))
                (path[-1].record.children if path else roots).append(entry.record)
            if entry.depth < _LEAF:
                path.append(entry)
