"""Instances that lie in files, as the storage SCU needs them: identity, transfer syntax, place of the data set."""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from openmodality.encoding.listening import KeptValues, Listener
from openmodality.encoding.part10 import (
    FIRST_READ_BYTES,
    PREAMBLE_BYTES,
    PREFIX,
    FileMeta,
    read_any,
)
from openmodality.encoding.pixel_check import PixelDataCheck, PixelDataMismatch
from openmodality.encoding.uid import is_valid_uid, strip_padding
from openmodality.encoding.walk import DataSetWalk
from openmodality.encoding.written_in import LAYOUT_BYTES, find_other_layout
from openmodality.errors import ObjectInvalid
from openmodality.services.storage import InstanceIdentity
from openmodality.services.storage_plan import Kind
from openmodality.standard.tags import SOP_CLASS_UID, SOP_INSTANCE_UID
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES

READ_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""To open a file without waiting: a named pipe would wait for somebody to write into it."""
_SCAN_BYTES: Final = 64 * 1024


class FileInstance(NamedTuple):
    """A file, with or without preamble; its data set begins at ``offset_bytes`` and has ``length_bytes``.

    ``transfer_syntax`` is the one that the data set is written in, whatever its file says. Where its pixel data are
    encapsulated and the rest is not as that needs, ``layout`` is what the rest is written in.
    """

    path: Path
    identity: InstanceIdentity
    transfer_syntax: str
    offset_bytes: int
    length_bytes: int
    layout: str = ""

    @property
    def kind(self) -> Kind:
        """What decides the presentation contexts it needs."""
        return Kind(self.identity.sop_class_uid, self.transfer_syntax)


class NotDicom(ObjectInvalid):
    """A file that does not even claim to be DICOM."""

    advice = "only DICOM files can be sent"


def read_instance(path: Path) -> FileInstance:
    """Look at the head of a file. Raises :class:`ObjectInvalid` naming the file and what is wrong with it.

    :class:`NotDicom` where it is something else, such as a text.
    """
    try:
        fd = os.open(path, READ_FLAGS)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise NotDicom(f"{path}: is not a file")
            return _read_usual_instance(path, os.read(fd, FIRST_READ_BYTES), status.st_size) or _read_any_instance(
                path, fd, status.st_size
            )
        finally:
            os.close(fd)
    except OSError as error:
        raise explain_unreadable(path, error) from error


def _read_usual_instance(path: Path, start: bytes, size: int) -> FileInstance | None:
    """The instance, if the first bytes tell everything and all of it is right."""
    try:
        meta = read_any(start)
        identity = InstanceIdentity(meta.media_storage_sop_class_uid, meta.media_storage_sop_instance_uid)
        _check_uids(identity, meta.transfer_syntax_uid)
    except ObjectInvalid:
        return None  # to be looked at in full, which says what is wrong
    offset, transfer_syntax = meta.data_set_offset, meta.transfer_syntax_uid
    data = memoryview(start)[offset:]
    if meta.headless or find_other_layout(data, transfer_syntax) or not _begins_with(identity, data, transfer_syntax):
        return None
    return FileInstance(path, identity, transfer_syntax, offset, size - offset)


def _begins_with(identity: InstanceIdentity, data: memoryview, transfer_syntax: str) -> bool:
    """Whether the beginning of a data set shows that it is this instance, and written as it says."""
    uids, pixels = KeptValues(frozenset((SOP_CLASS_UID, SOP_INSTANCE_UID))), PixelDataCheck(transfer_syntax)
    is_encapsulated = _is_encapsulated(transfer_syntax)
    try:
        walk = DataSetWalk(transfer_syntax, (uids, pixels) if is_encapsulated else (uids,), only_for_listeners=True)
        walk.feed(data)
    except ObjectInvalid:
        return False
    if is_encapsulated and pixels.is_native is None:
        return False
    found = (strip_padding(uids.values.get(tag, b"")) for tag in (SOP_CLASS_UID, SOP_INSTANCE_UID))
    return tuple(found) == identity


def _read_any_instance(path: Path, fd: int, size: int) -> FileInstance:
    os.lseek(fd, 0, os.SEEK_SET)
    with open(fd, "rb", buffering=0, closefd=False) as file:
        return _describe_instance(path, file, size)


def _describe_instance(path: Path, file: BinaryIO, size: int) -> FileInstance:
    try:
        meta = read_any(file)
        transfer_syntax, layout = _find_writing(meta, file)
        identity = _read_identity(meta, layout or transfer_syntax, file)
        _check_uids(identity, transfer_syntax)
    except ObjectInvalid as error:
        file.seek(PREAMBLE_BYTES)
        kind = ObjectInvalid if file.read(len(PREFIX)) == PREFIX else NotDicom
        raise kind(f"{path}: {error.message}", advice=NotDicom.advice) from error
    offset = meta.data_set_offset
    return FileInstance(path, identity, transfer_syntax, offset, size - offset, layout)


def _find_writing(meta: FileMeta, file: BinaryIO) -> tuple[str, str]:
    """The transfer syntax that a data set is written in, and the layout of its elements where that is another one.

    Who exports a file may write the wrong Transfer Syntax UID into its head; what is certain is taken for what it is.
    """
    claimed = meta.transfer_syntax_uid
    file.seek(meta.data_set_offset)
    layout = find_other_layout(file.read(LAYOUT_BYTES), claimed) or ""
    if not _is_encapsulated(claimed):
        return layout or claimed, ""
    plain = layout or EXPLICIT_VR_LITTLE_ENDIAN
    pixels = PixelDataCheck(plain)
    try:
        _walk_for_listeners(meta, plain, file, pixels)
    except PixelDataMismatch:
        return claimed, layout
    return (plain, "") if pixels.is_native else (claimed, layout)


def _walk_for_listeners(meta: FileMeta, transfer_syntax: str, file: BinaryIO, listener: Listener) -> None:
    walk = DataSetWalk(transfer_syntax, (listener,), only_for_listeners=True)
    file.seek(meta.data_set_offset)
    while not walk.is_done and (chunk := file.read(_SCAN_BYTES)):
        walk.feed(chunk)


def _check_uids(identity: InstanceIdentity, transfer_syntax_uid: str) -> None:
    """They go into the association's negotiation and into commands, where one that is none would stop all the files."""
    if not is_valid_uid(identity.sop_instance_uid, strict=False):
        raise ObjectInvalid("its SOP Instance UID is no UID")
    if not _is_type_uid(identity.sop_class_uid):
        raise ObjectInvalid("its SOP Class UID is no UID")
    if not _is_type_uid(transfer_syntax_uid):
        raise ObjectInvalid("its Transfer Syntax UID is no UID")


@lru_cache(maxsize=64)
def _is_type_uid(uid: str) -> bool:
    """Of those there are few, and each file asks."""
    return is_valid_uid(uid, strict=False)


def explain_unreadable(path: Path, error: OSError) -> ObjectInvalid:
    """Make the error of a file that cannot be read."""
    return ObjectInvalid(f"{path}: cannot be read: {error.strerror or type(error).__name__}")


def _read_identity(meta: FileMeta, transfer_syntax: str, file: BinaryIO) -> InstanceIdentity:
    """By the data set, which is what is sent; by the File Meta Information where that leaves the UIDs out."""
    found = KeptValues(frozenset((SOP_CLASS_UID, SOP_INSTANCE_UID)))
    _walk_for_listeners(meta, transfer_syntax, file, found)
    in_meta = (meta.media_storage_sop_class_uid, meta.media_storage_sop_instance_uid)
    uids = [strip_padding(found.values.get(tag, b"")) for tag in (SOP_CLASS_UID, SOP_INSTANCE_UID)]
    identity = InstanceIdentity(*(uid or other for uid, other in zip(uids, in_meta, strict=True)))
    if not all(identity):
        raise ObjectInvalid("(0008,0016) SOP Class UID or (0008,0018) SOP Instance UID is missing")
    return identity


@lru_cache(maxsize=64)
def _is_encapsulated(transfer_syntax: str) -> bool:
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax)
    return syntax is not None and syntax.encapsulated
