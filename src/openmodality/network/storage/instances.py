"""Instances that lie in files, as the storage SCU needs them: identity, transfer syntax, a stream."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol

from openmodality.buffer import Buffer
from openmodality.dimse.outgoing import GATHER_BYTES, DataSet, KnownLength
from openmodality.encoding.listening import KeptValues
from openmodality.encoding.part10 import (
    FIRST_READ_BYTES,
    PREAMBLE_BYTES,
    PREFIX,
    FileMeta,
    read_any,
    read_file_meta,
)
from openmodality.encoding.transcode import Transcoder, transcode
from openmodality.encoding.uid import is_valid_uid, strip_padding
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid
from openmodality.services.storage import InstanceIdentity
from openmodality.services.storage_plan import Kind
from openmodality.standard.tags import SOP_CLASS_UID, SOP_INSTANCE_UID
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES, UNCOMPRESSED

_READ_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_SCAN_BYTES: Final = 64 * 1024

Decompress = Callable[[Path], BinaryIO]
"""Decompresses a Part 10 file to Explicit VR Little Endian. Raises :class:`ObjectInvalid` where it cannot."""


class Rewrite(Protocol):
    """What is changed of each data set on its way, such as attributes that are left out."""

    def is_needed(self, data_set: memoryview, transfer_syntax: str) -> bool:
        """Whether anything of a whole data set would be changed; ``True`` where that is not sure."""
        ...

    def rewrite(self, chunks: Iterable[Buffer], transfer_syntax: str) -> Iterator[Buffer]:
        """The data set in ``chunks`` anew, in the same transfer syntax.

        A chunk stays as it is until the next is asked for. Raises :class:`ObjectInvalid` where the data set is damaged.
        """
        ...


class FileInstance(NamedTuple):
    """A file, with or without preamble; its data set begins at ``offset_bytes`` and has ``length_bytes``."""

    path: Path
    identity: InstanceIdentity
    transfer_syntax: str
    offset_bytes: int
    length_bytes: int

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
        # without O_NONBLOCK, opening a named pipe would wait for somebody to write into it
        fd = os.open(path, _READ_FLAGS)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise NotDicom(f"{path}: is not a file")
            return _usual_instance(path, os.read(fd, FIRST_READ_BYTES), status.st_size) or _any_instance(
                path, fd, status.st_size
            )
        finally:
            os.close(fd)
    except OSError as error:
        raise _unreadable(path, error) from error


def _usual_instance(path: Path, start: bytes, size: int) -> FileInstance | None:
    """The instance, if the first bytes tell everything and all of it is right."""
    try:
        meta = read_any(start)
        identity = InstanceIdentity(meta.media_storage_sop_class_uid, meta.media_storage_sop_instance_uid)
        _check_uids(identity, meta.transfer_syntax_uid)
    except ObjectInvalid:
        return None  # to be looked at in full, which says what is wrong
    offset, transfer_syntax = meta.data_set_offset, meta.transfer_syntax_uid
    if meta.headless or not _begins_with(identity, memoryview(start)[offset:], transfer_syntax):
        return None
    return FileInstance(path, identity, transfer_syntax, offset, size - offset)


def _begins_with(identity: InstanceIdentity, data: memoryview, transfer_syntax: str) -> bool:
    """Whether the beginning of a data set shows that it is this instance."""
    uids = KeptValues(frozenset((SOP_CLASS_UID, SOP_INSTANCE_UID)))
    try:
        DataSetWalk(transfer_syntax, (uids,), only_for_listeners=True).feed(data)
    except ObjectInvalid:
        return False
    found = (strip_padding(uids.values.get(tag, b"")) for tag in (SOP_CLASS_UID, SOP_INSTANCE_UID))
    return tuple(found) == identity


def _any_instance(path: Path, fd: int, size: int) -> FileInstance:
    os.lseek(fd, 0, os.SEEK_SET)
    with open(fd, "rb", buffering=0, closefd=False) as file:
        return _instance(path, file, size)


def _instance(path: Path, file: BinaryIO, size: int) -> FileInstance:
    try:
        meta = read_any(file)
        identity = _identity(meta, file)
        _check_uids(identity, meta.transfer_syntax_uid)
    except ObjectInvalid as error:
        file.seek(PREAMBLE_BYTES)
        kind = ObjectInvalid if file.read(len(PREFIX)) == PREFIX else NotDicom
        raise kind(f"{path}: {error}", advice=NotDicom.advice) from error
    return FileInstance(path, identity, meta.transfer_syntax_uid, meta.data_set_offset, size - meta.data_set_offset)


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


def _unreadable(path: Path, error: OSError) -> ObjectInvalid:
    return ObjectInvalid(f"{path}: cannot be read: {error.strerror or type(error).__name__}")


def _identity(meta: FileMeta, file: BinaryIO) -> InstanceIdentity:
    """By the data set, which is what is sent; by the File Meta Information where that leaves the UIDs out."""
    found = KeptValues(frozenset((SOP_CLASS_UID, SOP_INSTANCE_UID)))
    walk = DataSetWalk(meta.transfer_syntax_uid, (found,), only_for_listeners=True)
    file.seek(meta.data_set_offset)
    while not walk.is_done and (chunk := file.read(_SCAN_BYTES)):
        walk.feed(chunk)
    in_meta = (meta.media_storage_sop_class_uid, meta.media_storage_sop_instance_uid)
    uids = [strip_padding(found.values.get(tag, b"")) for tag in (SOP_CLASS_UID, SOP_INSTANCE_UID)]
    identity = InstanceIdentity(*(uid or other for uid, other in zip(uids, in_meta, strict=True)))
    if not all(identity):
        raise ObjectInvalid("(0008,0016) SOP Class UID or (0008,0018) SOP Instance UID is missing")
    return identity


class InstanceReader:
    """Reads data sets of files, one at a time, into one buffer.

    ``check`` looks whether a file is cut off, also where it goes as it is: for files that people bring. Those of the
    local store are whole. ``rewrite`` changes data sets on their way, where there is something to change.
    """

    def __init__(
        self, decompress: Decompress | None = None, *, check: bool = False, rewrite: Rewrite | None = None
    ) -> None:
        self._decompress = decompress
        self._check = check
        self._rewrite = rewrite
        self._buffer = memoryview(bytearray(GATHER_BYTES))

    def data_set(self, instance: FileInstance, transfer_syntax: str) -> AbstractContextManager[DataSet]:
        """The data set of a file in a transfer syntax: a short one read as a whole, a long one streamed from the file.

        The three uncompressed transfer syntaxes are converted into one another on the fly; a compressed file goes as
        it is or is decompressed first. Raises :class:`ObjectInvalid`, also while the data set is read.
        """
        is_short = instance.length_bytes <= GATHER_BYTES and not _is_deflated(transfer_syntax)
        if is_short and instance.transfer_syntax == transfer_syntax:
            return nullcontext(self._read_whole(instance))
        return self._streamed(instance, transfer_syntax)

    def _read_whole(self, instance: FileInstance) -> KnownLength:
        """The data set in one read; the file is closed when it is given out.

        What has to be rewritten is rewritten here and now: then the length is known, and the next request can go out
        as soon as the peer has answered the one before.
        """
        view, transfer_syntax = self._fill(instance), instance.transfer_syntax
        chunks: Iterable[Buffer] = (view,)
        if self._check:
            chunks = _checked(chunks, instance.path, transfer_syntax, len(view))
        if self._rewrite is not None and self._rewrite.is_needed(view, transfer_syntax):
            chunks = self._rewrite.rewrite(chunks, transfer_syntax)
        chunks = tuple(chunks)
        return KnownLength(chunks, sum(map(len, chunks)))

    def _fill(self, instance: FileInstance) -> memoryview:
        """Read a data set that fits the buffer."""
        path, length_bytes = instance.path, instance.length_bytes
        view = self._buffer[:length_bytes]
        try:
            fd = os.open(path, _READ_FLAGS)
            try:
                count = os.preadv(fd, (view,), instance.offset_bytes)
                while count < length_bytes and (more := os.preadv(fd, (view[count:],), instance.offset_bytes + count)):
                    count += more
            finally:
                os.close(fd)
        except OSError as error:
            raise _unreadable(path, error) from error
        if count != length_bytes:
            raise ObjectInvalid(f"{path}: the data set has {count} bytes where {length_bytes} were announced")
        return view

    @contextmanager
    def _streamed(self, instance: FileInstance, transfer_syntax: str) -> Iterator[DataSet]:
        with self._open(instance, transfer_syntax) as (file, source, length_bytes):
            if self._rewrite is not None:
                rewritten = self._rewrite.rewrite(self._chunks(file, instance.path), source)
                yield transcode(rewritten, source, transfer_syntax)
            elif source == transfer_syntax:
                first = self._read(file, instance.path)  # now: the peer may still be busy with the one before
                rest = self._chunks(file, instance.path) if len(first) < length_bytes else ()
                chunks: Iterator[Buffer] = chain((first,), rest)
                if self._check:
                    chunks = _checked(chunks, instance.path, source, length_bytes)
                if _is_deflated(source):
                    yield chain(chunks, (b"\0" * (length_bytes & 1),))  # many files lack the padding of PS3.5 A.5
                else:
                    yield KnownLength(chunks, length_bytes)
            else:
                yield self._converted(self._chunks(file, instance.path), Transcoder(source, transfer_syntax))

    @contextmanager
    def _open(self, instance: FileInstance, transfer_syntax: str) -> Iterator[tuple[BinaryIO, str, int]]:
        source, offset, length = instance.transfer_syntax, instance.offset_bytes, instance.length_bytes
        is_direct = source == transfer_syntax or source in UNCOMPRESSED
        with _file(instance.path) if is_direct else self._decompressed(instance) as file:
            if not is_direct:
                meta = read_file_meta(file)
                source, offset = meta.transfer_syntax_uid, meta.data_set_offset
                length = file.seek(0, os.SEEK_END) - offset
            file.seek(offset)
            yield file, source, length

    def _decompressed(self, instance: FileInstance) -> BinaryIO:
        if self._decompress is None:
            raise ObjectInvalid(
                f"{instance.path}: the peer takes only uncompressed data, and no decompressor is at hand"
            )
        with _file(instance.path) as file:  # decoders make something of a file that is cut off, too
            file.seek(instance.offset_bytes)
            chunks = self._chunks(file, instance.path)
            for _ in _checked(chunks, instance.path, instance.transfer_syntax, instance.length_bytes):
                pass
        return self._decompress(instance.path)

    def _read(self, file: BinaryIO, path: Path) -> memoryview:
        try:
            return self._buffer[: file.readinto(self._buffer)]  # type: ignore[attr-defined]
        except OSError as error:
            raise _unreadable(path, error) from error

    def _chunks(self, file: BinaryIO, path: Path) -> Iterator[memoryview]:
        while chunk := self._read(file, path):
            yield chunk

    def _converted(self, chunks: Iterable[Buffer], transcoder: Transcoder) -> Iterator[Buffer]:
        for chunk in chunks:
            yield from transcoder.feed(chunk)
        yield from transcoder.finish()


@lru_cache(maxsize=64)
def _is_deflated(transfer_syntax: str) -> bool:
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax)
    return syntax is not None and syntax.deflated


def _checked(chunks: Iterable[Buffer], path: Path, transfer_syntax: str, length_bytes: int) -> Iterator[Buffer]:
    """The chunks; the last only when it is sure that the data set ends with it."""
    walk, left = DataSetWalk(transfer_syntax), length_bytes
    for chunk in chunks:
        left -= len(chunk)
        try:
            walk.feed(chunk)
            if not left:
                walk.finish()
        except ObjectInvalid as error:
            raise ObjectInvalid(f"{path}: {error}") from error
        yield chunk


def _file(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise _unreadable(path, error) from error
