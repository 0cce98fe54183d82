"""Data sets of files, read for a presentation context: as they are, converted, decompressed or written anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol

from openmodality.buffer import Buffer
from openmodality.dimse.outgoing import GATHER_BYTES, DataSet, KnownLength
from openmodality.encoding.part10 import read_file_meta
from openmodality.encoding.pixel_check import PixelDataCheck
from openmodality.encoding.private_blocks import PrivateVrs
from openmodality.encoding.strides import StrideMemory
from openmodality.encoding.transcode import Transcoder, can_transcode, transcode, write_anew
from openmodality.encoding.walk import DataSetWalk
from openmodality.encoding.written_in import NotInTransferSyntax, find_own_layout
from openmodality.errors import ObjectInvalid
from openmodality.network.storage.instances import READ_FLAGS, FileInstance, explain_unreadable
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES

Decompress = Callable[[Path], BinaryIO]
"""Decompresses a Part 10 file to Explicit VR Little Endian. Raises :class:`ObjectInvalid` where it cannot."""


class Rewrite(Protocol):
    """What is changed of each data set on its way, such as attributes that are left out.

    ``private_vrs`` are those of private elements, for conversion from Implicit VR.
    """

    private_vrs: PrivateVrs

    def is_needed(self, data_set: memoryview, transfer_syntax: str) -> bool:
        """Whether anything of a whole data set would be changed; ``True`` where that is not sure."""
        ...

    def rewrite(self, chunks: Iterable[Buffer], transfer_syntax: str) -> Iterator[Buffer]:
        """The data set in ``chunks`` anew, in the same transfer syntax.

        A chunk stays as it is until the next is asked for. Raises :class:`ObjectInvalid` where the data set is damaged.
        """
        ...


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
        self._memory = StrideMemory()

    def data_set(self, instance: FileInstance, transfer_syntax: str) -> AbstractContextManager[DataSet]:
        """The data set of a file in a transfer syntax: a short one read as a whole, a long one streamed from the file.

        The three uncompressed transfer syntaxes are converted into one another on the fly; a compressed file goes as
        it is or is decompressed first. Raises :class:`ObjectInvalid`, also while the data set is read.
        """
        is_short = instance.length_bytes <= GATHER_BYTES and not _is_deflated(transfer_syntax) and not instance.layout
        if is_short and instance.transfer_syntax == transfer_syntax:
            return nullcontext(self._read_whole(instance))
        return self._stream(instance, transfer_syntax)

    def iterate(self, instance: FileInstance) -> Iterator[Buffer]:
        """The data set of a file in its own transfer syntax; a chunk is valid until the next is asked for."""
        with self.data_set(instance, instance.transfer_syntax) as data:
            yield from data.chunks if isinstance(data, KnownLength) else data  # type: ignore[misc]

    def _read_whole(self, instance: FileInstance) -> KnownLength:
        """The data set in one read; the file is closed when it is given out.

        What has to be rewritten is rewritten here and now: then the length is known, and the next request can go out
        as soon as the peer has answered the one before.
        """
        view, transfer_syntax = self._fill(instance), instance.transfer_syntax
        chunks: Iterable[Buffer] = (view,)
        if self._check:
            chunks = _check_whole(view, instance, self._memory)
        if self._rewrite is not None and self._rewrite.is_needed(view, transfer_syntax):
            chunks = self._rewrite.rewrite(chunks, transfer_syntax)
        chunks = tuple(chunks)
        return KnownLength(chunks, sum(map(len, chunks)))

    def _fill(self, instance: FileInstance) -> memoryview:
        """Read a data set that fits the buffer."""
        path, length_bytes = instance.path, instance.length_bytes
        view = self._buffer[:length_bytes]
        try:
            fd = os.open(path, READ_FLAGS)
            try:
                count = os.preadv(fd, (view,), instance.offset_bytes)
                while count < length_bytes and (more := os.preadv(fd, (view[count:],), instance.offset_bytes + count)):
                    count += more
            finally:
                os.close(fd)
        except OSError as error:
            raise explain_unreadable(path, error) from error
        if count != length_bytes:
            raise ObjectInvalid(f"{path}: the data set has {count} bytes where {length_bytes} were announced")
        return view

    @contextmanager
    def _stream(self, instance: FileInstance, transfer_syntax: str) -> Iterator[DataSet]:
        with self._open(instance, transfer_syntax) as (file, source, length_bytes):
            if self._rewrite is not None:
                rewritten = self._rewrite.rewrite(self._iterate_checked(file, instance, source, length_bytes), source)
                converted = transcode(rewritten, source, transfer_syntax, private_vrs=self._rewrite.private_vrs)
                yield _name_in_errors(converted, instance.path)
            elif instance.layout and source == transfer_syntax:
                yield _write_anew(self._iterate(file, instance.path), instance, instance.layout)
            elif source == transfer_syntax:
                first = self._read(file, instance.path)  # now: the peer may still be busy with the one before
                rest = self._iterate(file, instance.path) if len(first) < length_bytes else ()
                chunks: Iterator[Buffer] = chain((first,), rest)
                if self._check and _is_irregular(first, source):
                    yield _write_anew(chunks, instance, find_own_layout(source))
                    return
                if self._check:
                    chunks = _check_chunks(chunks, instance.path, source, length_bytes)
                if _is_deflated(source):
                    yield chain(chunks, (b"\0" * (length_bytes & 1),))  # many files lack the padding of PS3.5 A.5
                else:
                    yield KnownLength(chunks, length_bytes)
            elif _is_deflated(source) or _is_deflated(transfer_syntax):
                checked = self._iterate_checked(file, instance, source, length_bytes)
                converted = transcode(checked, source, transfer_syntax)
                yield _name_in_errors(converted, instance.path)
            else:
                transcoder = Transcoder(source, transfer_syntax)
                if self._check:
                    transcoder.listen(PixelDataCheck(source))
                yield _name_in_errors(transcoder.convert(self._iterate(file, instance.path)), instance.path)

    @contextmanager
    def _open(self, instance: FileInstance, transfer_syntax: str) -> Iterator[tuple[BinaryIO, str, int]]:
        source, offset, length = instance.transfer_syntax, instance.offset_bytes, instance.length_bytes
        is_direct = source == transfer_syntax or can_transcode(source, transfer_syntax)
        with _open_file(instance.path) if is_direct else self._open_decompressed(instance) as file:
            if not is_direct:
                meta = read_file_meta(file)
                source, offset = meta.transfer_syntax_uid, meta.data_set_offset
                length = file.seek(0, os.SEEK_END) - offset
            file.seek(offset)
            yield file, source, length

    def _open_decompressed(self, instance: FileInstance) -> BinaryIO:
        if self._decompress is None:
            raise ObjectInvalid(
                f"{instance.path}: the peer takes only uncompressed data, and no decompressor is at hand"
            )
        with _open_file(instance.path) as file:  # decoders make something of a file that is cut off, too
            file.seek(instance.offset_bytes)
            chunks = self._iterate(file, instance.path)
            for _ in _check_chunks(chunks, instance.path, instance.transfer_syntax, instance.length_bytes):
                pass
        return self._decompress(instance.path)

    def _read(self, file: BinaryIO, path: Path) -> memoryview:
        try:
            return self._buffer[: file.readinto(self._buffer)]  # type: ignore[attr-defined]
        except OSError as error:
            raise explain_unreadable(path, error) from error

    def _iterate_checked(
        self, file: BinaryIO, instance: FileInstance, source: str, length_bytes: int
    ) -> Iterator[Buffer]:
        """The data set of a file that becomes another one; what only others cannot read is put right on the way."""
        chunks = self._iterate(file, instance.path)
        if not self._check or instance.layout:
            return chunks
        return _check_chunks(chunks, instance.path, source, length_bytes, strict=False)

    def _iterate(self, file: BinaryIO, path: Path) -> Iterator[memoryview]:
        while chunk := self._read(file, path):
            yield chunk


@lru_cache(maxsize=64)
def _is_deflated(transfer_syntax: str) -> bool:
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax)
    return syntax is not None and syntax.deflated


def _check_whole(view: memoryview, instance: FileInstance, memory: StrideMemory) -> Iterable[Buffer]:
    """A data set that was read as a whole: as it is, or written anew where only that makes it readable for others."""
    transfer_syntax = instance.transfer_syntax
    walk = DataSetWalk(transfer_syntax, (PixelDataCheck(transfer_syntax),), strict=True)
    walk.stride_by(memory)
    try:
        walk.feed(view)
        walk.finish()
    except NotInTransferSyntax:
        return tuple(map(bytes, _write_anew((view,), instance, find_own_layout(transfer_syntax))))
    except ObjectInvalid as error:
        raise _name_file(error, instance.path) from error
    return (view,)


def _write_anew(chunks: Iterable[Buffer], instance: FileInstance, layout: str) -> Iterator[Buffer]:
    return _name_in_errors(write_anew(chunks, layout, instance.transfer_syntax), instance.path)


def _name_in_errors(chunks: Iterable[Buffer], path: Path) -> Iterator[Buffer]:
    """The chunks; an error of what makes them names the file."""
    try:
        yield from chunks
    except ObjectInvalid as error:
        if error.message.startswith(f"{path}: "):
            raise  # it came with the bytes of the file
        raise _name_file(error, path) from error


def _is_irregular(beginning: memoryview, transfer_syntax: str) -> bool:
    """Whether the beginning of a data set has elements that others cannot read, and that can be written anew."""
    if _is_deflated(transfer_syntax):
        return False
    try:
        DataSetWalk(transfer_syntax, strict=True).feed(beginning)
    except NotInTransferSyntax:
        return True
    except ObjectInvalid:
        pass  # the check says so, with the name of the file
    return False


def _check_chunks(
    chunks: Iterable[Buffer], path: Path, transfer_syntax: str, length_bytes: int, *, strict: bool = True
) -> Iterator[Buffer]:
    """The chunks; the last only when it is sure that the data set ends with it."""
    walk, left = DataSetWalk(transfer_syntax, (PixelDataCheck(transfer_syntax),), strict=strict), length_bytes
    for chunk in chunks:
        left -= len(chunk)
        try:
            walk.feed(chunk)
            if not left:
                walk.finish()
        except ObjectInvalid as error:
            raise _name_file(error, path) from error
        yield chunk


def _name_file(error: ObjectInvalid, path: Path) -> ObjectInvalid:
    return type(error)(f"{path}: {error.message}", advice=error.advice)


def _open_file(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise explain_unreadable(path, error) from error
