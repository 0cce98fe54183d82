"""File-sets: a folder with a DICOMDIR and the files that it names (PS3.10 8); made, added to, and read.

Rules. New files get names that the old DICOMDIR does not know, and are whole on disk before the new DICOMDIR takes the
old one's place by a rename: whenever a writer dies, the set is readable as it was before or as it was to be. While a
process writes, there is a file with the name of the new DICOMDIR. Where the next writer finds such a file, the process
has died: then files in the folder of instances that no DICOMDIR names are removed. Without it such files belong to
someone else, and stay. Instances are written in Explicit VR Little Endian; they are otherwise unchanged.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from pathlib import Path
from typing import BinaryIO, Final

from openmodality.encoding.part10 import FileMeta, encode_file_head, read_any
from openmodality.encoding.private_blocks import NO_PRIVATE, PrivateVrs
from openmodality.encoding.transcode import can_transcode, transcode
from openmodality.errors import ObjectInvalid, OpenModalityError, StoreError, UsageError
from openmodality.media.application_profile import ApplicationProfile, count_medium_bytes, describe_refusal
from openmodality.media.directory import FileId, encode_directory
from openmodality.media.directory_reader import Directory, read_directory
from openmodality.media.file_ids import DISC_FOLDER, find_file
from openmodality.media.instance_head import HEAD_BYTES, InstanceHead, read_instance_head
from openmodality.media.record_tree import RecordTree
from openmodality.standard.media import DIRECTORY_NAME
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.value_class import dataclass

_NEW_DIRECTORY: Final = "DICOMDIR.NEW"
_COPY_BYTES: Final = 1024 * 1024

Decompressor = Callable[[Path], BinaryIO]
"""Opens a compressed Part 10 file as one in Explicit VR Little Endian."""
OnWritten = Callable[[int, int], bool]
"""Told the number of instances and bytes written so far; answers whether to go on."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An instance that is not on the medium, and why."""

    path: Path
    sop_instance_uid: str
    reason: str


@dataclass(slots=True)
class FileSetReport:
    """What became of a request: files written, instances left out with the reason, values that were made up."""

    written: list[FileId] = field(default_factory=list)
    sop_instance_uids: list[str] = field(default_factory=list)
    length_bytes: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FileSetOptions:
    """How a file-set is written.

    ``identity`` is Implementation Class UID and Version Name; ``source_ae_title`` is empty where a device states none.
    ``durable``: written through to the medium before the DICOMDIR says so. ``private_vrs`` are those of private
    elements of files in Implicit VR; others become UN.
    """

    profile: ApplicationProfile
    identity: tuple[str, str]
    file_set_id: str = "OPENMODALITY"
    source_ae_title: str = ""
    decompress: Decompressor | None = None
    durable: bool = True
    private_vrs: PrivateVrs = field(default_factory=lambda: NO_PRIVATE)
    on_written: OnWritten = lambda instances, length_bytes: True


class WritingCancelled(OpenModalityError):
    """The user ended the writing of a medium; nothing of it is left behind."""

    def __init__(self, message: str = "the user ended the writing of the medium") -> None:
        super().__init__(message)


def explain_no_room(profile: ApplicationProfile) -> UsageError:
    """What is said where the instances do not go on one medium."""
    return UsageError(
        f"the instances take more than the {profile.capacity_bytes / 1e6:.0f} MB of {profile.name}",
        advice="choose fewer, or let --split put them on several discs",
    )


def create_file_set(root: Path, paths: Iterable[Path], options: FileSetOptions) -> FileSetReport:
    """Make a file-set of instance files in a folder that has none.

    Raises :class:`UsageError` where the folder has a DICOMDIR already, :class:`StoreError` where it cannot be written,
    and :class:`WritingCancelled`. Then the folder is as it was before.
    """
    if (root / DIRECTORY_NAME).exists():
        raise UsageError(f"{root} has a DICOMDIR already", advice="openmodality media update adds to it")
    return _Writer(root, None, options).write(paths)


def update_file_set(
    root: Path, paths: Iterable[Path], options: FileSetOptions, *, adopt: bool = False
) -> FileSetReport:
    """Add instance files to a file-set; those that it has already are left out.

    ``adopt``: also where others have made it. Raises :class:`UsageError` where nothing of ours was stored on it before
    (MR-2.5.3-01), :class:`ObjectInvalid` where the DICOMDIR is broken, and what :func:`create_file_set` raises. Then
    the set is as it was before.
    """
    old = read_directory(root / DIRECTORY_NAME)
    if old.problems or old.transfer_syntax_uid != EXPLICIT_VR_LITTLE_ENDIAN:
        raise ObjectInvalid(
            f"the DICOMDIR of {root} is faulty: {old.problems[0]}",
            advice="make a new file-set from its instances: media retrieve, then media create",
        )
    if old.implementation_class_uid != options.identity[0] and not adopt:
        raise UsageError(f"{root} was made by another system", advice="--adopt adds to it all the same")
    return _Writer(root, old, options).write(paths)


class _Writer:
    """Writes the files of one request, then the DICOMDIR."""

    def __init__(self, root: Path, old: Directory | None, options: FileSetOptions) -> None:
        self._root = root
        self._options = options
        self._report = FileSetReport(length_bytes=_count_used_bytes(root, old))
        self._writer_died = (root / _NEW_DIRECTORY).exists()
        self._tree = RecordTree(old, () if self._writer_died else _list_files(root))
        self._kept = {root / Path(*file_id) for file_id in self._tree.file_ids}
        self._made: list[Path] = []

    def write(self, paths: Iterable[Path]) -> FileSetReport:
        existed = self._root.is_dir()
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            self._begin()
            for path in paths:
                self._add(path)
            self._write_directory()
        except BaseException as error:
            self._undo(existed)
            if isinstance(error, OSError):
                raise StoreError(f"cannot write to {self._root}: {error.strerror}") from error
            raise
        self._report.notices = self._tree.maker.notices
        return self._report

    def _begin(self) -> None:
        """Say that somebody writes, and remove what a writer that died has left."""
        new = self._root / _NEW_DIRECTORY
        self._made.append(new)
        new.touch()
        if self._options.durable:
            _sync_folders({self._root})
        if self._writer_died:
            self._remove_leftovers()

    def _add(self, path: Path) -> None:
        """Write one instance and its records, or say why it is left out."""
        try:
            with path.open("rb") as source:
                meta = read_any(source)
        except (ObjectInvalid, OSError) as error:
            reason = error.message if isinstance(error, ObjectInvalid) else f"cannot be read: {error.strerror}"
            self._report.left_out.append(LeftOut(path, "", reason))
            return
        refusal = self._describe_refusal(meta)
        if refusal:
            self._report.left_out.append(LeftOut(path, meta.media_storage_sop_instance_uid, refusal))
            return
        try:
            self._copy(path, meta)
        except ObjectInvalid as error:
            self._report.left_out.append(LeftOut(path, meta.media_storage_sop_instance_uid, error.message))

    def _describe_refusal(self, meta: FileMeta) -> str:
        """Why an instance may not be on this medium; empty where it may."""
        if meta.media_storage_sop_instance_uid in self._tree.sop_instance_uids:
            return "it is on the medium already"
        return describe_refusal(self._options.profile, meta.media_storage_sop_class_uid)

    def _copy(self, path: Path, meta: FileMeta) -> None:
        """Write the file of an instance under a name for the time being, then give it its place and its records."""
        temporary = self._root / DISC_FOLDER / "WRITING"
        temporary.parent.mkdir(exist_ok=True)
        self._made.append(temporary)
        options = self._options
        head = encode_file_head(
            meta.media_storage_sop_class_uid,
            meta.media_storage_sop_instance_uid,
            EXPLICIT_VR_LITTLE_ENDIAN,
            *options.identity,
            options.source_ae_title,
        )
        with temporary.open("w+b") as target:
            target.write(head)
            for chunk in self._read_data_set(path, meta):
                target.write(chunk)
            target.flush()
            instance = read_file_head(target, len(head))
            length = target.seek(0, os.SEEK_END)
            if options.durable:
                os.fsync(target.fileno())
        if instance is None:
            raise ObjectInvalid("its data set is broken")
        self._check_room(length)
        file_id = self._tree.insert(instance, EXPLICIT_VR_LITTLE_ENDIAN)
        place = self._root / Path(*file_id)
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary.rename(place)
        self._made[-1] = place
        self._report.written.append(file_id)
        self._report.sop_instance_uids.append(meta.media_storage_sop_instance_uid)
        self._report.length_bytes += count_medium_bytes(length)
        if not options.on_written(len(self._report.written), self._report.length_bytes):
            raise WritingCancelled

    def _read_data_set(self, path: Path, meta: FileMeta) -> Iterator[bytes | memoryview]:
        """The data set of a file in Explicit VR Little Endian."""
        syntax = meta.transfer_syntax_uid
        if syntax == EXPLICIT_VR_LITTLE_ENDIAN or can_transcode(syntax, EXPLICIT_VR_LITTLE_ENDIAN):
            with path.open("rb") as source:
                source.seek(meta.data_set_offset)
                chunks = iter(lambda: source.read(_COPY_BYTES), b"")
                yield from chunks if syntax == EXPLICIT_VR_LITTLE_ENDIAN else self._convert(chunks, syntax)
            return
        if self._options.decompress is None:
            raise ObjectInvalid(f"it is compressed (transfer syntax {syntax})")
        with self._options.decompress(path) as plain:
            plain.seek(read_any(plain).data_set_offset)
            yield from iter(lambda: plain.read(_COPY_BYTES), b"")

    def _convert(self, chunks: Iterator[bytes], syntax: str) -> Iterator[bytes | memoryview]:
        vrs = self._options.private_vrs
        for chunk in transcode(chunks, syntax, EXPLICIT_VR_LITTLE_ENDIAN, private_vrs=vrs):
            yield bytes(chunk)

    def _check_room(self, length_bytes: int) -> None:
        capacity = self._options.profile.capacity_bytes
        if capacity and self._report.length_bytes + count_medium_bytes(length_bytes) > capacity:
            raise explain_no_room(self._options.profile)

    def _write_directory(self) -> None:
        options = self._options
        pieces = encode_directory(self._tree.patients, options.file_set_id, options.identity, options.source_ae_title)
        new = self._root / _NEW_DIRECTORY
        with new.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            if options.durable:
                os.fsync(file.fileno())
        if options.durable:
            _sync_folders({path.parent for path in self._made} | {self._root})
        new.replace(self._root / DIRECTORY_NAME)
        if options.durable:
            _sync_folders({self._root})

    def _remove_leftovers(self) -> None:
        """Remove files that no DICOMDIR names in our own folder."""
        folder = self._root / DISC_FOLDER
        if not folder.is_dir() or folder.is_symlink():
            return
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in self._kept:
                path.unlink()

    def _undo(self, existed: bool) -> None:
        """Remove what this request has written; last the file that says that somebody writes."""
        for path in reversed(self._made):
            path.unlink(missing_ok=True)
        for path in sorted({path.parent for path in self._made}, reverse=True):
            _remove_empty(path, self._root)
        if not existed:
            _remove_empty(self._root, self._root.parent)


def read_file_head(file: BinaryIO, start: int) -> InstanceHead | None:
    """What a directory needs of an instance file whose data set, in Explicit VR Little Endian, begins at ``start``."""
    size, length = HEAD_BYTES, file.seek(0, os.SEEK_END) - start
    while True:
        file.seek(start)
        data = file.read(size)
        found = read_instance_head(data, whole=len(data) == length)
        if found is not None or len(data) == length:
            return found
        size *= 16


def _list_files(root: Path) -> list[FileId]:
    """What is in the folder of instances; many file systems of sticks do not tell capitals from small letters."""
    return [tuple(path.relative_to(root).as_posix().upper().split("/")) for path in (root / DISC_FOLDER).rglob("*")]


def _count_used_bytes(root: Path, old: Directory | None) -> int:
    """What the files of a set that is added to take of the medium."""
    records = [record for patient in (old.patients if old else ()) for record in patient.walk()]
    files = [find_file(root, record.file_id) for record in records if record.file_id]
    return sum(count_medium_bytes(file.stat().st_size) for file in files if file is not None)


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove a folder and those above it, up to ``root``, as far as they are empty."""
    while folder != root and folder.is_relative_to(root) and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _sync_folders(folders: Iterable[Path]) -> None:
    for folder in folders:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
