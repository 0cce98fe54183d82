"""An ISO 9660 image of a folder (level 1 names, PS3.12 Annex F and J), written as a stream.

Every reader of the field opens level 1: names of eight characters and an extension of three, at most eight levels.
Joliet names are added only where asked for, since some old readers take them for the only ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from openmodality.errors import StoreError, UsageError
from openmodality.media.iso_library import load_pycdlib

OnBytes = Callable[[int, int], None]
"""Told the bytes written and the bytes in all."""

_SYNC_BYTES: Final = 32 << 20
_MAX_LABEL: Final = 32
_MAX_LEVELS: Final = 8


def write_iso_image(
    folder: Path, target: Path, label: str, *, joliet: bool = False, progress: OnBytes = lambda done, total: None
) -> int:
    """Write an image of all files of a folder; its length in bytes.

    ``label`` is the volume's: up to 32 capital letters, digits and underscores. The image takes its name when it is
    whole. ``progress`` is called again and again while the image is planned and written; what it raises ends the
    writing, and nothing is left of the image. Raises :class:`UsageError` for a name that ISO 9660 level 1 does not
    hold, :class:`StoreError` where the image cannot be written, and :class:`ConfigurationError` where the extra
    ``media`` is not installed.
    """
    library = load_pycdlib()
    image = library.PyCdlib()
    part = target.with_name(target.name + ".part")
    try:
        image.new(interchange_level=1, vol_ident=_check_label(label), joliet=3 if joliet else None)
        entries = list(_name_entries(folder))
        total = sum(path.stat().st_size for path, _ in entries)
        for path, name in entries:
            progress(0, total)
            joliet_path = "/" + "/".join(path.relative_to(folder).parts) if joliet else None
            if path.is_dir():
                image.add_directory(name, joliet_path=joliet_path)
            else:
                image.add_file(str(path), name, joliet_path=joliet_path)
        with part.open("wb+") as file:
            synced = _SyncedNowAndThen(file, progress)
            image.write_fp(file, progress_cb=lambda done, total, _: synced.tell(done, total), progress_opaque=None)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except (library.pycdlibexception.PyCdlibException, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StoreError(f"cannot write the image {target}: {reason}") from error
    finally:
        part.unlink(missing_ok=True)
        image.close()
    return target.stat().st_size


class _SyncedNowAndThen:
    """Tells how far a file is, and makes it durable in parts, so that nobody waits long for the last one."""

    def __init__(self, file: BinaryIO, progress: OnBytes) -> None:
        self._file = file
        self._progress = progress
        self._synced_bytes = 0

    def tell(self, done: int, total: int) -> None:
        """So many bytes are written."""
        self._progress(done, total)
        if done - self._synced_bytes >= _SYNC_BYTES:
            self._file.flush()
            os.fdatasync(self._file.fileno())
            self._synced_bytes = done


def _check_label(label: str) -> str:
    cleaned = "".join(each if each.isascii() and (each.isalnum() or each == "_") else "_" for each in label.upper())
    return cleaned[:_MAX_LABEL] or "DICOM"


def _name_entries(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each folder and file below ``folder`` with its ISO 9660 name; a folder comes before what is in it."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if len(parts) > _MAX_LEVELS or path.is_symlink():
            raise UsageError(f"{path} cannot be on the disc: it is a link, or more than {_MAX_LEVELS} levels deep")
        for part in parts:
            stem, _, extension = part.partition(".")
            if not _is_level_1(stem, 8) or (extension and not _is_level_1(extension, 3)):
                raise UsageError(f"{path} cannot be on the disc: {part} is no name of ISO 9660 level 1 (8.3, capital)")
        if path.is_dir():
            yield path, "/" + "/".join(parts)
        else:
            stem, _, extension = parts[-1].partition(".")
            yield path, "/" + "/".join((*parts[:-1], f"{stem}.{extension};1"))


def _is_level_1(text: str, longest: int) -> bool:
    return 1 <= len(text) <= longest and all(each in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_" for each in text)
