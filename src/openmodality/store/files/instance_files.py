"""Instance files: PS3.10 files in one folder tree, named by their SOP Instance UID.

``ROOT/3f/1.2.840.1.2.3.dcm``: the folder comes from a hash of the UID, so that no folder grows without bound and a
file is found by its UID alone. Whatever bears such a name is complete. The name is given by a hard link, which never
replaces a file: of two that store the same instance the second one learns that it was there already.

Used with and without a database: imports nothing large.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from openmodality.encoding.uid import is_valid_uid
from openmodality.errors import ObjectInvalid, StoreError
from openmodality.store.files.aside_folder import AsideFolder
from openmodality.store.files.instance_file import (
    InstanceFile,
    Named,
    Naming,
    Stored,
    remove,
    store_error,
    sync_directory,
)
from openmodality.store.files.syncing import run_at_once
from openmodality.store.files.temporary_files import Incoming, remove_leftovers

if TYPE_CHECKING:
    from openmodality.objects.filter.private_sets import PrivateSets

_SUFFIX = ".dcm"
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class FoundFile(NamedTuple):
    """An instance file of a folder, and when it was written."""

    sop_instance_uid: str
    path: str
    modified_ns: int


class InstanceFiles:
    """The folder tree below ``root``. ``fan_out=False`` puts all files into ``root`` itself.

    ``durability`` "fsync": an instance that was committed survives a power failure; "os": the end of the process.
    ``aside`` is the folder for what comes under a UID that is taken; without one it is not kept. ``known_private`` are
    the private sets that count when two contents are compared; ``None``: all.
    """

    def __init__(
        self,
        root: Path,
        *,
        durability: Literal["fsync", "os"] = "fsync",
        fan_out: bool = True,
        aside: Path | None = None,
        known_private: PrivateSets | None = None,
    ) -> None:
        self.root = root
        self.synced = durability == "fsync"
        self.aside = None if aside is None else AsideFolder(aside, synced=self.synced)
        self._known_private = known_private
        self._base = f"{root}{os.sep}"
        self._fan_out = fan_out
        self._incoming: Incoming | None = None
        self._opening = threading.Lock()

    def create(self, sop_instance_uid: str, head: bytes = b"", naming: Naming | None = None) -> InstanceFile:
        """Begin a file; ``head`` is what PS3.10 puts before the data set (preamble and File Meta Information).

        ``naming`` gives it its name at the end, where that is not to be as :meth:`path` says.
        """
        check_uid(sop_instance_uid)
        naming = naming or self
        incoming = self._incoming or self._open_incoming()
        try:
            return InstanceFile(naming, sop_instance_uid, head, incoming.new_name())
        except StoreError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
        incoming = self._open_incoming(gone=incoming)
        return InstanceFile(naming, sop_instance_uid, head, incoming.new_name())

    def path(self, sop_instance_uid: str) -> Path:
        """Where the instance is, or would be."""
        return Path(self.name_file(sop_instance_uid))

    def name_file(self, sop_instance_uid: str) -> str:
        """The same as text, for who receives: a ``Path`` takes ten times as long to make."""
        check_uid(sop_instance_uid)
        return self._folder(sop_instance_uid) + sop_instance_uid + _SUFFIX

    def bucket(self, sop_instance_uid: str) -> str:
        """The name of the instance's folder below ``root``; empty without fan-out."""
        return f"{zlib.crc32(sop_instance_uid.encode('ascii')) & 0xFF:02x}" if self._fan_out else ""

    def buckets(self) -> list[str]:
        """The folders there are."""
        if not self._fan_out:
            return [""]
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if re.fullmatch("[0-9a-f]{2}", path.name))

    def uids(self, bucket: str) -> Iterator[str]:
        """SOP Instance UIDs of the files in one folder."""
        for uid, _ in self._list_entries(bucket):
            yield uid

    def list_files(self, bucket: str) -> Iterator[FoundFile]:
        """The files in one folder, with when they were written; those that go meanwhile are left out."""
        for uid, entry in self._list_entries(bucket):
            with suppress(FileNotFoundError):
                yield FoundFile(uid, entry.path, entry.stat().st_mtime_ns)

    def _list_entries(self, bucket: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        with os.scandir(self._base + bucket) as entries:
            for entry in entries:
                uid = entry.name.removesuffix(_SUFFIX)
                if uid != entry.name and is_valid_uid(uid, strict=False) and entry.is_file():
                    yield uid, entry

    def modified_ns(self, sop_instance_uid: str) -> int | None:
        """When the file was written; None if there is none."""
        try:
            return self.path(sop_instance_uid).stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def remove_leftovers(self, rescue: Callable[[], object] = lambda: None) -> int:
        """Remove temporary files of processes that are gone, after ``rescue`` had its turn; returns how many."""
        return remove_leftovers(self.root, rescue)

    def delete(self, sop_instance_uid: str) -> bool:
        """Remove an instance file; says whether there was one."""
        path = self.path(sop_instance_uid)
        removed = remove(str(path))
        if removed and self.synced:
            sync_directory(str(path.parent))
        return removed

    def relative_path(self, sop_instance_uid: str) -> str:
        """The name of an instance's file below the data folder, for people."""
        return str(self.path(sop_instance_uid).relative_to(self.root.parent))

    def name_once(self, temporary: str, sop_instance_uid: str, synced: bool | None = None) -> Named:
        """Give a complete temporary file its name, unless the instance is stored already."""
        return self.name_into(self._folder(sop_instance_uid), temporary, sop_instance_uid, synced=synced)

    def name_into(self, folder: str, temporary: str, sop_instance_uid: str, *, synced: bool | None = None) -> Named:
        """The same in a folder below the root, which ends in a separator and is made where it is missing.

        Without ``synced`` the name survives a power failure once :meth:`sync_names` has run.
        """
        final = folder + sop_instance_uid + _SUFFIX
        try:
            named = self._link(temporary, final, sop_instance_uid)
        except FileNotFoundError:
            self._make_folder(folder)
            named = self._link(temporary, final, sop_instance_uid)
        remove(temporary)
        if self.synced if synced is None else synced:
            sync_directory(folder)
        return named

    def sync_names(self, sop_instance_uids: Iterable[str]) -> None:
        """Make the names of these instances survive a power failure, as configured."""
        if self.synced:
            run_at_once(sync_directory, {self._folder(uid) for uid in sop_instance_uids})

    def compare_with(self, first: Path, temporary: str, sop_instance_uid: str) -> Named:
        """Settle what becomes of a complete temporary file whose instance is stored as ``first``.

        Raises :class:`FileNotFoundError` where ``first`` is there no more.
        """
        named = self._settle(temporary, str(first), sop_instance_uid)
        remove(temporary)
        return named

    def name_completed(self, temporary: str, sop_instance_uid: str, *, synced: bool | None = None) -> Named | None:
        """Give a complete file its name, which another process may be doing too; ``None`` where there is no such file.

        ``synced`` as :meth:`name_into` has it. Raises :class:`StoreError` where it cannot be named.
        """
        try:
            return self.name_once(temporary, sop_instance_uid, synced)
        except FileNotFoundError:
            return Named(Stored.SAME) if self.path(sop_instance_uid).exists() else None
        except OSError as error:
            raise store_error(error, "name an instance file") from error

    def close(self) -> None:
        """Give up the folder for temporary names."""
        with self._opening:
            if self._incoming is not None:
                self._incoming.close()
                self._incoming = None

    def _folder(self, sop_instance_uid: str) -> str:
        return f"{self._base}{self.bucket(sop_instance_uid)}{os.sep}" if self._fan_out else self._base

    def _link(self, temporary: str, final: str, sop_instance_uid: str) -> Named:
        try:
            os.link(temporary, final)
        except FileExistsError:
            return self._settle(temporary, final, sop_instance_uid)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return self._rename_once(temporary, final, sop_instance_uid)
        return Named(Stored.NEW)

    def _rename_once(self, temporary: str, final: str, sop_instance_uid: str) -> Named:
        """On a file system without hard links: one at a time looks whether the name is free and takes it."""
        fd = os.open(Path(final).parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if Path(final).exists():
                return self._settle(temporary, final, sop_instance_uid)
            os.rename(temporary, final)  # noqa: PTH104 - beside os.link
            return Named(Stored.NEW)
        finally:
            os.close(fd)

    def _settle(self, temporary: str, final: str, sop_instance_uid: str) -> Named:
        """Two files under one UID: the first keeps its name unless it is damaged. The other is set aside."""
        from openmodality.store.files.compare import (  # noqa: PLC0415 - start-up time, and rarely needed
            digest_content,
            have_same_content,
            is_whole,
        )

        first, second = Path(final), Path(temporary)
        if have_same_content(second, first, self._known_private):
            return Named(Stored.SAME)
        if self.aside is None:
            return Named(Stored.DIFFERENT)
        if is_whole(second) and not is_whole(first):
            name = self.aside.put(first, sop_instance_uid, digest_content(first))
            os.replace(second, first)  # noqa: PTH105 - beside os.link
            return Named(Stored.REPLACED, name)
        return Named(Stored.DIFFERENT, self.aside.put(second, sop_instance_uid, digest_content(second)))

    def _make_folder(self, folder: str) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        if self.synced:
            sync_directory(self._base)

    def _open_incoming(self, gone: Incoming | None = None) -> Incoming:
        """The folder for temporary names; another one where somebody has removed it under us."""
        with self._opening:
            if self._incoming is None or self._incoming is gone:
                opened = Incoming(self.root)
                if gone is not None:
                    gone.close()
                self._incoming = opened
            return self._incoming


def check_uid(uid: str) -> None:
    """Refuse what is no UID (PS3.5 9.1), because it becomes a file name."""
    if not is_valid_uid(uid, strict=False):
        raise ObjectInvalid("(0008,0018) SOP Instance UID is not a UID of at most 64 digits and dots")
