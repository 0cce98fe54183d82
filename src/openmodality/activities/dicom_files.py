"""The files that a person means by naming files and folders, for what is sent and what is imported."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from openmodality.acquisition.natural_order import make_natural_key
from openmodality.errors import ObjectInvalid
from openmodality.standard.media import DIRECTORY_NAME

Unreadable = tuple[Path, ObjectInvalid]
"""What cannot be read, and why."""

_Inode = tuple[int, int]
"""Device and inode: which folder it is, whatever leads to it."""


def list_dicom_files(paths: Iterable[Path], unreadable: list[Unreadable]) -> Iterator[tuple[Path, bool]]:
    """The files that are meant, and whether each was named itself; those of a folder in the natural order of names.

    A file-set's directory in a folder is left out. Folders that cannot be listed are added to ``unreadable``. Symbolic
    links are followed, and each folder is gone through once.
    """
    seen: set[_Inode] = set()
    for path in paths:
        if path.is_dir():
            yield from ((file, False) for file in _list_below(path, seen, unreadable))
        else:
            yield path, True


def _list_below(top: Path, seen: set[_Inode], unreadable: list[Unreadable]) -> Iterator[Path]:
    """Behind symbolic links too. A folder that has been seen is left out: a link may lead to one above it."""

    def note_closed(error: OSError) -> None:
        unreadable.append((Path(error.filename), ObjectInvalid(f"{error.filename}: cannot be read: {error.strerror}")))

    for folder, folders, names in os.walk(top, onerror=note_closed, followlinks=True):
        parent = Path(folder)
        status = parent.stat()
        inode = status.st_dev, status.st_ino
        if inode in seen:
            folders.clear()
            continue
        seen.add(inode)
        folders.sort(key=make_natural_key)
        yield from (parent / name for name in sorted(names, key=make_natural_key) if name != DIRECTORY_NAME)
