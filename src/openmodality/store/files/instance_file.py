"""One instance file in the making: written to a temporary name, complete and durable before it gets its own.

The hot path of receiving, used without a database too: nothing large is imported and little is done per object.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from openmodality.buffer import Buffer
from openmodality.errors import StoreError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BUFFERS_AT_ONCE = 512  # below IOV_MAX of every system


class Stored(Enum):
    """What became of a complete instance file."""

    NEW = "new"
    SAME = "already stored"
    DIFFERENT = "already stored with different content"
    REPLACED = "stored in place of a damaged one"


class Named(NamedTuple):
    """What became of a file when it was given its name; ``aside`` is the name of the one that was set aside."""

    stored: Stored
    aside: str = ""


class StorageFull(StoreError):
    """No space is left for instance files: status A700 of a storage SCP."""

    advice = "free space on the disk of the instance files, or delete committed studies"


class Naming(Protocol):
    """Gives a complete temporary file the name of its instance, never replacing one that is there."""

    synced: bool

    def name_once(self, temporary: str, sop_instance_uid: str) -> Named: ...


def store_error(error: OSError, doing: str) -> StoreError:
    """The one place where an error of the file system becomes ours."""
    said = os.strerror(error.errno) if error.errno else type(error).__name__
    kind = StorageFull if error.errno in _FULL else StoreError
    return kind(f"cannot {doing}: {said}")


class InstanceFile:
    """One instance on its way to the disk; ``commit`` or ``abort`` ends it, and so does any failure.

    A buffer that was handed to ``write`` may be reused when the call returns. ``aside`` is known after ``commit``: the
    file that was set aside, which is this one, or the damaged one whose place it took.
    """

    __slots__ = ("_fd", "_head", "_naming", "_temporary", "aside", "length_bytes", "sop_instance_uid")

    def __init__(self, naming: Naming, sop_instance_uid: str, head: bytes, temporary: str) -> None:
        self.sop_instance_uid = sop_instance_uid
        self.length_bytes = 0
        self.aside = ""
        self._naming = naming
        self._head = head
        self._temporary = temporary
        try:
            self._fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise store_error(error, "create an instance file") from error

    def write(self, chunk: Buffer) -> None:
        """Append a part of the data set."""
        if self._head:
            self.write_all((chunk,))
            return
        try:
            written = os.write(self._fd, chunk)
        except OSError as error:
            raise self._fail(error) from error
        self.length_bytes += written
        if written != len(chunk):
            self._gather([memoryview(chunk)[written:]])

    def write_all(self, chunks: Sequence[Buffer]) -> None:
        """Append several parts with one gathered write."""
        views = [memoryview(chunk) for chunk in chunks]
        if self._head:
            views.insert(0, memoryview(self._head))
            self._head = b""
        self._gather(views)

    def commit(self) -> Stored:
        """Make the file durable as configured and give it its name. Success may be answered after this, not before."""
        temporary = self.complete()
        try:
            stored, self.aside = self._naming.name_once(temporary, self.sop_instance_uid)
            return stored
        except OSError as error:
            raise self._fail(error) from error

    def complete(self, *, synced: bool | None = None) -> str:
        """Make the file durable, as configured or as told; its temporary name.

        Whoever calls this names the file or removes it.
        """
        if self._head:
            self.write_all(())
        try:
            if self._naming.synced if synced is None else synced:
                os.fsync(self._fd)
            fd, self._fd = self._fd, -1
            os.close(fd)
        except OSError as error:
            raise self._fail(error) from error
        return self._temporary

    def abort(self) -> None:
        """Remove the temporary file; harmless after ``commit``, after a failure and when called twice."""
        if self._fd >= 0:
            self._discard()

    def _gather(self, views: list[memoryview]) -> None:
        try:
            while views:
                written = os.writev(self._fd, views[:_BUFFERS_AT_ONCE])
                self.length_bytes += written
                if written == sum(map(len, views)):
                    return
                views = _drop_written(views, written)
        except OSError as error:
            raise self._fail(error) from error

    def _fail(self, error: OSError) -> StoreError:
        self._discard()
        return store_error(error, "write an instance file")

    def _discard(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        remove(self._temporary)


def remove(path: str) -> bool:
    """Remove a file if it is there; says whether it was."""
    try:
        os.unlink(path)  # noqa: PTH108 - hot path
    except FileNotFoundError:
        return False
    except OSError as error:
        raise store_error(error, "remove a file") from error
    return True


def sync_directory(path: str) -> None:
    """Make the names in a directory survive a power failure."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _drop_written(views: list[memoryview], written: int) -> list[memoryview]:
    """What is still to be written; empty views are dropped on the way."""
    for number, view in enumerate(views):
        if written < len(view):
            return [view[written:], *views[number + 1 :]]
        written -= len(view)
    return []
