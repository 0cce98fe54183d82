"""Files and folders that only their owner may read: they hold patients' data.

Files and folders that are made here are private from their first moment. Existing ones are made private again, since a
copy has other permissions; but only where they belong to this user and are plainly ours, so that a folder named by
mistake is left alone. SQLite gives its ``-wal`` and ``-shm`` the permissions of the database.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
_BESIDE_DATABASE: Final = ("", "-wal", "-shm", "-journal")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_private_folder(folder: Path, marks: Iterable[str]) -> None:
    """Make a folder for its owner alone, or close to others one that is empty or has one of the files ``marks``.

    Raises :class:`OSError` where it cannot be made.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER)
    except FileNotFoundError:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    except FileExistsError:
        folder.mkdir(exist_ok=True)  # raises for what is no folder
        if any((folder / mark).exists() for mark in marks) or not any(folder.iterdir()):
            _close_to_others(folder, PRIVATE_FOLDER)


def protect_database(file: Path) -> None:
    """Make the file of an SQLite database, where it is missing, and close it and what lies beside it to others.

    What cannot be made is left to SQLite, which says why.
    """
    with suppress(OSError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
    for suffix in _BESIDE_DATABASE:
        protect_file(file.with_name(file.name + suffix))


def is_file_name(database: str | None) -> bool:
    """Whether the database of a URL of SQLite is a file, not one in memory nor a URI of SQLite's own."""
    return bool(database) and database != ":memory:" and not str(database).startswith("file:")


def protect_file(file: Path) -> None:
    """Close a file to others, where it is there and belongs to us."""
    _close_to_others(file, PRIVATE_FILE)


def open_private(path: str, flags: int) -> int:
    """Open a file that only its owner may read; the ``opener`` of :func:`open`."""
    return os.open(path, flags | os.O_CLOEXEC, PRIVATE_FILE)


def _close_to_others(path: Path, mode: int) -> None:
    with suppress(OSError):  # gone, or of another user, who decides
        found = path.stat()
        if found.st_mode & _OTHERS and not found.st_mode & stat.S_ISVTX:
            path.chmod(mode)
